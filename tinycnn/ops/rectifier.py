"""Rectifiers: activations that let one side through and hold the other back.

`inplace` is accepted and changes no result: memory of an input that something else may need for its
gradient is not written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ._inputs import check_float
from ._pointwise import pointwise
from ._rows import axis_back, axis_last

if TYPE_CHECKING:
    from ..tensor import Tensor


# Klambauer et al. 2017, equation 14: the fixed point of mean and variance is (0, 1)
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


class ReLU(Function):
    """See relu."""

    @staticmethod
    def forward(ctx, x):
        k = ctx.kernels
        x = k.dense(x)
        ctx.y = k.empty_like(x)
        k.relu_forward(x, ctx.y)
        return ctx.y

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.y)
        k.relu_backward(ctx.y, k.same_layout(grad_y, ctx.y), grad_x)
        return grad_x


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Rectified linear unit: negative numbers become 0.

    y = max(x, 0)

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> relu(tinycnn.tensor([-1.0, 0.0, 2.0]))
             tensor([0., 0., 2.])
    Source:  Nair & Hinton 2010; Glorot, Bordes & Bengio 2011, "Deep sparse rectifier networks".
    """
    check_float("relu", "input", input)
    return ReLU.apply(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """ReLU that saturates at 6.

    y = min(max(x, 0), 6)

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> relu6(tinycnn.tensor([-1.0, 2.0, 8.0]))
             tensor([0., 2., 6.])
    Source:  Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10"; the activation of
             MobileNet V2 (Sandler et al. 2018).
    """
    return pointwise("relu6", input, (0.0, 6.0), kind="hardtanh", by_result=True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """ReLU that lets a little of the negative side through.

    y = x where x > 0, else negative_slope * x

    Args:    input (Tensor): any shape, float32 or float64.
             negative_slope (float): slope of the negative side.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or negative_slope no number.
             ValueError: if it is past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> leaky_relu(tinycnn.tensor([-2.0, 3.0]), 0.5)
             tensor([-1.,  3.])
    Source:  Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic
             models".
    """
    slope = float_of("leaky_relu", "negative_slope", negative_slope, "Pass for example 0.01.")
    # Only the sign of x matters to the gradient, and y has the same one unless slope < 0.
    return pointwise("leaky_relu", input, (slope,), by_result=slope >= 0)


class PReLU(Function):
    """See prelu."""

    @staticmethod
    def forward(ctx, x, weight):
        k = ctx.kernels
        ctx.alone = weight.size == 1
        x = k.dense(x) if ctx.alone else axis_last(k, x, 1)
        y = k.empty_like(x)
        ctx.x, ctx.weight = x, k.contiguous(weight)
        k.prelu_forward(x, ctx.weight, y)
        return y if ctx.alone else axis_back(y, 1)

    @staticmethod
    def backward(ctx, grad_y):
        k, x = ctx.kernels, ctx.x
        grad_y = k.same_layout(grad_y, x) if ctx.alone else axis_last(k, grad_y, 1)
        grad_x = k.empty_like(x) if ctx.needs[0] else None
        grad_weight = k.empty_like(ctx.weight) if ctx.needs[1] else None
        k.prelu_backward(x, ctx.weight, grad_y, grad_x, grad_weight)
        if grad_x is not None and not ctx.alone:
            grad_x = axis_back(grad_x, 1)
        return grad_x, grad_weight


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Leaky ReLU whose slope is learnt, one for all channels or one each.

    y[n, c] = x[n, c] where x > 0, else weight[c] * x[n, c]

    Args:    input (Tensor): (N, C, ...) or any shape with one weight, float32 or float64.
             weight (Tensor): (C,), (1,) or (), of the input's dtype.
    Returns: Tensor of the input's shape.
    Raises:  TypeError: if one is no float tensor, or their dtypes differ.
             ValueError: if there is neither one weight nor one for each channel.
    Example: >>> import tinycnn
             >>> prelu(tinycnn.tensor([[-2.0, -2.0]]), tinycnn.tensor([0.5, 0.25]))
             tensor([[-1.0000, -0.5000]])
    Source:  He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", section 2.1.
    """
    check_float("prelu", "input", input)
    check_float("prelu", "weight", weight)
    x, w = input.data, weight.data
    if w.dtype != x.dtype:
        fail("prelu", f"weight in the dtype of input, {x.dtype}", str(w.dtype),
             "Convert one of them with .to(...).", TypeError)
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.ndim > 1 or w.size not in (1, channels):
        fail("prelu", f"weight of 1 number, or ({channels},) for input {shape_text(x.shape)}",
             shape_text(w.shape), "Check num_parameters of the layer: it is 1, or the channels.")
    return PReLU.apply(input, weight)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Numbers up to a threshold are replaced.

    y = x where x > threshold, else value

    Args:    input (Tensor): any shape, float32 or float64.
             threshold (float): the largest number that is replaced.
             value (float): what it is replaced by.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or threshold or value no number.
             ValueError: if one is past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> threshold(tinycnn.tensor([-1.0, 0.5, 2.0]), 0.5, -9.0)
             tensor([-9., -9.,  2.])
    """
    number, value = [float_of("threshold", name, given, "Pass for example 0.0.")
                     for name, given in (("threshold", threshold), ("value", value))]
    return pointwise("threshold", input, (number, value))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Exponential linear unit: the negative side saturates at -alpha.

    y = x where x > 0, else alpha * (exp(x) - 1)

    Args:    input (Tensor): any shape, float32 or float64.
             alpha (float): how deep the negative side goes.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or alpha no number.
             ValueError: if it is past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> elu(tinycnn.tensor([-1000.0, 0.0, 2.0]))
             tensor([-1.,  0.,  2.])
    Source:  Clevert, Unterthiner & Hochreiter 2016, "Fast and accurate deep network learning by
             exponential linear units".
    """
    alpha = float_of("elu", "alpha", alpha, "Pass for example alpha=1.0.")
    return pointwise("elu", input, (alpha, 1.0, 1.0))


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """ELU whose slope has no step at 0, whatever alpha is.

    y = x where x > 0, else alpha * (exp(x / alpha) - 1)

    Args:    input (Tensor): any shape, float32 or float64.
             alpha (float): how deep the negative side goes; not 0.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or alpha no number.
             ValueError: if alpha is 0, or past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> celu(tinycnn.tensor([-1000.0, 0.0, 2.0]), alpha=0.5)
             tensor([-0.5000,  0.0000,  2.0000])
    Source:  Barron 2017, "Continuously differentiable exponential linear units".
    """
    alpha = float_of("celu", "alpha", alpha, "Pass for example alpha=1.0.")
    if alpha == 0:
        fail("celu", "alpha other than 0", "0", "Use relu, which is its limit.")
    return pointwise("celu", input, (alpha, 1.0, 1 / alpha), kind="elu")


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """ELU scaled so that activations of many layers keep mean 0 and variance 1.

    y = scale * x where x > 0, else scale * alpha * (exp(x) - 1)

    alpha = 1.6733 and scale = 1.0507 are such that a normal x of mean 0 and variance 1 gives a y of
    mean 0 and variance 1.

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> selu(tinycnn.tensor([-1000.0, 0.0, 1.0]))
             tensor([-1.7581,  0.0000,  1.0507])
    Source:  Klambauer, Unterthiner, Mayr & Hochreiter 2017, "Self-normalizing neural networks",
             equation 2.
    """
    return pointwise("selu", input, (SELU_ALPHA * SELU_SCALE, SELU_SCALE, 1.0), kind="elu")
