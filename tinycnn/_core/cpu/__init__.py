"""Kernels for the CPU: Cython entry points over C++ header kernels (`simd/`), and NumPy's own
functions, borrowed from `reference`, where nothing would be gained."""

from ..reference.batchnorm import (  # noqa: F401
    batch_norm_apply,
    batch_norm_backward,
    batch_norm_statistics,
)
from ..reference.pooling import (  # noqa: F401
    avg_pool_backward,
    avg_pool_forward,
    max_pool_backward,
    max_pool_forward,
    max_pool_indices,
)
