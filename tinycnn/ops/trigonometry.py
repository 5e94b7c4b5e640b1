"""Sine and cosine of every element, of angles in radians. Integer tensors become float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Function
from .elementary import _as_float

if TYPE_CHECKING:
    from ..tensor import Tensor


class Sin(Function):
    """See sin."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return ctx.kernels.sin(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.multiply(grad, ctx.kernels.cos(ctx.x))


def sin(input: Tensor) -> Tensor:
    """The sine, y[i] = sin(input[i]).

    Args:    input (Tensor): any shape, in radians.
    Returns: Tensor of the same shape; NaN at inf.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.sin(tinycnn.tensor([0.0, 1.0]))
             tensor([0.0000, 0.8415])
    """
    return Sin.apply(_as_float("sin", input))


class Cos(Function):
    """See cos."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return ctx.kernels.cos(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.negative(ctx.kernels.multiply(grad, ctx.kernels.sin(ctx.x)))


def cos(input: Tensor) -> Tensor:
    """The cosine, y[i] = cos(input[i]).

    Args:    input (Tensor): any shape, in radians.
    Returns: Tensor of the same shape; NaN at inf.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.cos(tinycnn.tensor([0.0, 1.0]))
             tensor([1.0000, 0.5403])
    """
    return Cos.apply(_as_float("cos", input))
