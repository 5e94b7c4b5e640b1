"""Every kernel in plain NumPy: the contract, the text for students, the oracle of the tests.

Each family has one file, and the same file name in every device's folder. A kernel fills the
outputs that it is given and allocates nothing but scratch; functions of `array` return new arrays.
"""

from .batchnorm import (  # noqa: F401
    batch_norm_apply,
    batch_norm_backward,
    batch_norm_statistics,
)
from .pooling import (  # noqa: F401
    avg_pool_backward,
    avg_pool_forward,
    max_pool_backward,
    max_pool_forward,
    max_pool_indices,
)
