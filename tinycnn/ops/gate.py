"""Gated activations: x times a gate between 0 and 1 that x itself opens, or other channels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_float, dim_of
from ._pointwise import pointwise

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
    if approximate not in ("none", "tanh"):
        fail("gelu", "approximate 'none' or 'tanh'", repr(approximate), "Pass one of these.")
    return pointwise("gelu", input, kind="gelu" if approximate == "none" else "gelu_tanh")


class GatedLinear(Function):
    """See glu. In memory the numbers of a half that follow one another are a row's half: axes that
    lie outside the halved one count rows, those inside it are columns."""

    @staticmethod
    def forward(ctx, x, axis):
        k = ctx.kernels
        x = k.dense(x)
        order = sorted(range(x.ndim), key=lambda d: -x.strides[d])
        shape = [x.shape[d] for d in order]
        place = order.index(axis)
        shape[place] //= 2
        rows, length = math.prod(shape[:place]), math.prod(shape[place:])
        ctx.x = k.contiguous(x.transpose(order)).reshape((rows, 2, length))
        ctx.axes, ctx.back = order, sorted(range(x.ndim), key=order.__getitem__)
        ctx.shape = x.shape
        y = k.empty((rows, length), x.dtype)
        k.glu_forward(ctx.x, y)
        return y.reshape(shape).transpose(ctx.back)

    @staticmethod
    def backward(ctx, grad_y):
        k, x = ctx.kernels, ctx.x
        rows, _, length = x.shape
        grad_x = k.empty(x.shape, x.dtype)
        k.glu_backward(x, k.contiguous(grad_y.transpose(ctx.axes)).reshape((rows, length)), grad_x)
        shape = [ctx.shape[d] for d in ctx.axes]
        return grad_x.reshape(shape).transpose(ctx.back)


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
