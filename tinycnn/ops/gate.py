"""Gated activations: x times a gate between 0 and 1 that x itself opens, or other channels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_float, dim_of
from ._pointwise import pointwise
from ._rows import axis_back, axis_last

if TYPE_CHECKING:
    from ..tensor import Tensor


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x times its sigmoid; also known as Swish.

    y = x / (1 + exp(-x))

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> silu(tinycnn.tensor([-1.0, 0.0, 1.0]))
             tensor([-0.2689,  0.0000,  0.7311])
    Source:  Elfwing, Uchibe & Doya 2018, "Sigmoid-weighted linear units for neural network function
             approximation in reinforcement learning"; Ramachandran, Zoph & Le 2017, "Searching for
             activation functions".
    """
    return pointwise("silu", input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Swish with the gate of hardsigmoid.

    y = x * min(max(x + 3, 0), 6) / 6; the derivative is 0 at -3 and 1 at 3.

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> hardswish(tinycnn.tensor([-1.0, 1.0, 4.0]))
             tensor([-0.3333,  0.6667,  4.0000])
    Source:  Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
    """
    return pointwise("hardswish", input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x times the tanh of its softplus.

    y = x * tanh(log(1 + exp(x)))

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> mish(tinycnn.tensor([-1.0, 0.0, 1.0]))
             tensor([-0.3034,  0.0000,  0.8651])
    Source:  Misra 2020, "Mish: a self regularized non-monotonic activation function".
    """
    return pointwise("mish", input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the share of a normal distribution that lies below it.

    y = x * P(X <= x), X normal of mean 0 and variance 1

    approximate="tanh": y = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))

    Args:    input (Tensor): any shape, float32 or float64.
             approximate (str): "none" or "tanh".
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
             ValueError: if approximate is another word.
    Example: >>> import tinycnn
             >>> gelu(tinycnn.tensor([-1.0, 0.0, 1.0]))
             tensor([-0.1587,  0.0000,  0.8413])
    Source:  Hendrycks & Gimpel 2016, "Gaussian error linear units".
    """
    if not isinstance(approximate, str) or approximate not in ("none", "tanh"):
        fail("gelu", "approximate 'none' or 'tanh'", repr(approximate), "Pass one of these.")
    return pointwise("gelu", input, kind="gelu" if approximate == "none" else "gelu_tanh")


class GatedLinear(Function):
    """See glu. Kernels read rows of two halves (R, 2, L): axes in front of the halved one count
    rows, those behind it lengthen the halves. Memory in another order than that of the axes is read
    with the halved axis last."""

    @staticmethod
    def forward(ctx, x, axis):
        k = ctx.kernels
        ctx.moved = None if x.flags.c_contiguous else axis
        if ctx.moved is not None:
            x, axis = axis_last(k, x, axis), x.ndim - 1
        half = (*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1:])
        rows, length = math.prod(half[:axis]), math.prod(half[axis:])
        ctx.x, ctx.shape = x.reshape((rows, 2, length)), x.shape
        y = k.empty((rows, length), x.dtype)
        k.glu_forward(ctx.x, y)
        y = y.reshape(half)
        return y if ctx.moved is None else axis_back(y, ctx.moved)

    @staticmethod
    def backward(ctx, grad_y):
        k, x, moved = ctx.kernels, ctx.x, ctx.moved
        grad_y = k.contiguous(grad_y) if moved is None else axis_last(k, grad_y, moved)
        grad_x = k.empty(x.shape, x.dtype)
        k.glu_backward(x, grad_y.reshape((x.shape[0], x.shape[2])), grad_x)
        grad_x = grad_x.reshape(ctx.shape)
        return grad_x if moved is None else axis_back(grad_x, moved)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Gated linear unit: one half of the channels, times the sigmoid of the other half.

    y = a * sigmoid(b), where a is the first half of the input along dim, b the second

    Args:    input (Tensor): any shape with an even size along dim, float32 or float64.
             dim (int): the axis that is halved; 1 for feature maps.
    Returns: Tensor of the input's shape, half as large along dim.
    Raises:  TypeError: if input is no float tensor.
             ValueError: if there is no such axis, or its size is odd.
    Example: >>> import tinycnn
             >>> glu(tinycnn.tensor([4.0, 6.0, 0.0, 100.0]))
             tensor([2., 6.])
    Source:  Dauphin, Fan, Auli & Grangier 2017, "Language modeling with gated convolutional
             networks".
    """
    check_float("glu", "input", input)
    shape = input.data.shape
    axis = dim_of("glu", dim, len(shape))
    if not shape or shape[axis] % 2:
        fail("glu", f"an even size along dim {dim}", shape_text(shape),
             "One half gates the other: make twice as many channels as are to come out.")
    return GatedLinear.apply(input, axis)
