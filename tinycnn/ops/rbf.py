"""Distances to centres: the output of LeNet-5."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_float

if TYPE_CHECKING:
    from ..tensor import Tensor


class RBF(Function):
    """See rbf."""

    @staticmethod
    def forward(ctx, x, centers):
        k = ctx.kernels
        ctx.shape = x.shape
        rows = k.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
        ctx.error = k.subtract(rows[:, None], centers)
        y = k.sum(k.square(ctx.error), 2)
        return k.reshape(y, (*x.shape[:-1], len(centers)))

    @staticmethod
    def backward(ctx, grad):
        k, (need_x, need_centers) = ctx.kernels, ctx.needs
        grad = k.reshape(grad, (-1, grad.shape[-1], 1))
        part = k.multiply(k.multiply(grad, 2), ctx.error)
        return (k.reshape(k.sum(part, 1), ctx.shape) if need_x else None,
                k.negative(k.sum(part, 0)) if need_centers else None)


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
