"""What is measured: one suite a file; on a GPU some of them, with other sizes."""

from . import batchnorm, conv, optim, overhead, pooling, train_step
from .gpu import SUITES as GPU_SUITES  # noqa: F401

SUITES = {case.SUITE.name: case.SUITE
          for case in (train_step, conv, pooling, batchnorm, optim, overhead)}
