"""What is measured: one suite a file; on a GPU some of them, with other sizes."""

from . import (
    activation,
    batchnorm,
    conv,
    loss,
    norm,
    optim,
    overhead,
    pooling,
    resample,
    train_step,
)
from .gpu import SUITES as GPU_SUITES  # noqa: F401

SUITES = {case.SUITE.name: case.SUITE
          for case in (train_step, conv, pooling, batchnorm, norm, activation, resample, loss,
                       optim, overhead)}
