"""Matrix products. Mirrors reference/gemm.py.

A product is asked of the first that serves it: tensor cores, then plain kernels for everything.
"""

from __future__ import annotations

from . import plain_gemm, tensor_core_gemm


def _path(a, b):
    """The module of the kernels for a product."""
    return tensor_core_gemm if tensor_core_gemm.serves_product(a, b) else plain_gemm


def matmul(a, b, bias, out):
    _path(a, b).matmul(a, b, bias, out)
