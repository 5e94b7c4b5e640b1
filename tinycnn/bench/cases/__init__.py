"""What is measured: one suite a file."""

from . import batchnorm, conv, optim, overhead, pooling, train_step

SUITES = {case.SUITE.name: case.SUITE
          for case in (train_step, conv, pooling, batchnorm, optim, overhead)}
