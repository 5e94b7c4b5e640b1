"""Distances to centres: the output of LeNet-5."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_float

if TYPE_CHECKING:
    from ..tensor import Tensor


_MOST = 2**16  # differences held at a time, about: they stay in the processor's cache


class RBF(Function):
    """See rbf. Differences of rows and centres are made a few rows at a time, and not kept."""

    @staticmethod
    def forward(ctx, x, centers):
        k, M = ctx.kernels, math.prod(x.shape[:-1])
        rows = k.reshape(x, (M, x.shape[-1]))
        ctx.shape, ctx.rows, ctx.centers = x.shape, rows, centers
        y = k.empty((M, len(centers)), x.dtype)
        for part in _parts(M, centers.size):
            y[part] = k.sum(k.square(k.subtract(rows[part, None], centers)), 2)
        return k.reshape(y, (*x.shape[:-1], len(centers)))

    @staticmethod
    def backward(ctx, grad_y):
        k, (need_x, need_centers) = ctx.kernels, ctx.needs
        rows, centers = ctx.rows, ctx.centers
        grad_y = k.multiply(k.reshape(grad_y, (len(rows), len(centers), 1)), 2)
        grad_x = k.empty(rows.shape, rows.dtype) if need_x else None
        grad_centers = k.zeros(centers.shape, rows.dtype) if need_centers else None
        for part in _parts(len(rows), centers.size):
            each = k.multiply(grad_y[part], k.subtract(rows[part, None], centers))
            if need_x:
                grad_x[part] = k.sum(each, 1)
            if need_centers:
                grad_centers -= k.sum(each, 0)
        return k.reshape(grad_x, ctx.shape) if need_x else None, grad_centers


def _parts(M, numbers):
    """Slices of M rows, with `numbers` differences each."""
    count = max(_MOST // max(numbers, 1), 1)
    return [slice(first, first + count) for first in range(0, M, count)]


def rbf(input: Tensor, centers: Tensor) -> Tensor:
    """The square of the Euclidean distance to each of a set of centres.

    y[..., o] = sum over i of (input[..., i] - centers[o, i])^2

    The differences are taken first: |x|^2 - 2 x c + |c|^2 would lose its digits where x is near c.

    Args:    input (Tensor): (..., I), float32 or float64.
             centers (Tensor): (O, I), of the same dtype.
    Returns: Tensor (..., O).
    Raises:  ValueError: if the sizes do not fit.
             TypeError: if the dtypes differ or are not float.
    Example: >>> import tinycnn
             >>> codes = tinycnn.tensor([[1.0, 1.0], [-1.0, 1.0]])
             >>> rbf(tinycnn.tensor([[1.0, 0.0]]), codes)
             tensor([[1., 5.]])
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition", II-B,
             equation 7.
    """
    check_float("rbf", "input", input)
    check_float("rbf", "centers", centers)
    x, w = input.data.shape, centers.data.shape
    if input.data.dtype != centers.data.dtype:
        fail("rbf", f"centers of the input's dtype {input.data.dtype}", str(centers.data.dtype),
             f"Convert one of them with .to(tinycnn.{input.data.dtype}).", TypeError)
    if len(w) != 2 or not x or x[-1] != w[1]:
        fail("rbf", f"input (..., {w[-1] if w else 'I'}) for centers (O, I) = {shape_text(w)}",
             shape_text(x), "Check in_features of the layer, or flatten the input first.")
    return RBF.apply(input, centers)
