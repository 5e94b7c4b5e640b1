"""Activations: what lets layers on layers be more than one linear map, and scores become shares.

Where PyTorch has an argument `inplace`, it is accepted and changes no result: memory of an input
that something else may need for its gradient is not written to.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from .._core.checks import float_of
from ..autograd import Function
from ._inputs import cast, check_float, dim_of
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


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


class LeakyReLU(Function):
    """See leaky_relu."""

    @staticmethod
    def forward(ctx, x, slope):
        k = ctx.kernels
        x = k.dense(x)
        y = k.empty_like(x)
        k.leaky_relu_forward(x, y, slope)
        # Only the sign of x matters to the gradient. y has the same one unless slope < 0, and y
        # is kept by the next operation anyway.
        ctx.signed, ctx.slope = y if slope >= 0 else x, slope
        return y

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.signed)
        k.leaky_relu_backward(ctx.signed, k.same_layout(grad_y, ctx.signed), grad_x, ctx.slope)
        return grad_x


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """ReLU that lets a little of the negative side through.

    y = x where x > 0, else negative_slope * x

    Args:    input (Tensor): any shape, float32 or float64.
             negative_slope (float): slope of the negative side.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or negative_slope no number.
    Example: >>> import tinycnn
             >>> leaky_relu(tinycnn.tensor([-2.0, 3.0]), 0.5)
             tensor([-1.,  3.])
    Source:  Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic
             models".
    """
    check_float("leaky_relu", "input", input)
    slope = float_of("leaky_relu", "negative_slope", negative_slope, "Pass for example 0.01.")
    return LeakyReLU.apply(input, slope)


class ELU(Function):
    """See elu."""

    @staticmethod
    def forward(ctx, x, alpha):
        k = ctx.kernels
        ctx.x, ctx.alpha = k.dense(x), alpha
        y = k.empty_like(ctx.x)
        k.elu_forward(ctx.x, y, alpha)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.x)
        k.elu_backward(ctx.x, k.same_layout(grad_y, ctx.x), grad_x, ctx.alpha)
        return grad_x


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Exponential linear unit: the negative side saturates at -alpha.

    y = x where x > 0, else alpha * (exp(x) - 1)

    Args:    input (Tensor): any shape, float32 or float64.
             alpha (float): how deep the negative side goes.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or alpha no number.
    Example: >>> import tinycnn
             >>> elu(tinycnn.tensor([-1000.0, 0.0, 2.0]))
             tensor([-1.,  0.,  2.])
    Source:  Clevert, Unterthiner & Hochreiter 2016, "Fast and accurate deep network learning by
             exponential linear units".
    """
    check_float("elu", "input", input)
    return ELU.apply(input, float_of("elu", "alpha", alpha, "Pass for example alpha=1.0."))


class Sigmoid(Function):
    """See sigmoid."""

    @staticmethod
    def forward(ctx, x):
        k = ctx.kernels
        x = k.dense(x)
        ctx.y = k.empty_like(x)
        k.sigmoid_forward(x, ctx.y)
        return ctx.y

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.y)
        k.sigmoid_backward(ctx.y, k.same_layout(grad_y, ctx.y), grad_x)
        return grad_x


def sigmoid(input: Tensor) -> Tensor:
    """Logistic function: any number to one between 0 and 1.

    y = 1 / (1 + exp(-x))

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> sigmoid(tinycnn.tensor([-200.0, 0.0, 200.0]))
             tensor([0.0000, 0.5000, 1.0000])
    """
    check_float("sigmoid", "input", input)
    return Sigmoid.apply(input)


class Tanh(Function):
    """See tanh."""

    @staticmethod
    def forward(ctx, x):
        k = ctx.kernels
        x = k.dense(x)
        ctx.y = k.empty_like(x)
        k.tanh_forward(x, ctx.y)
        return ctx.y

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.y)
        k.tanh_backward(ctx.y, k.same_layout(grad_y, ctx.y), grad_x)
        return grad_x


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent: any number to one between -1 and 1.

    y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> tanh(tinycnn.tensor([-100.0, 0.0, 100.0]))
             tensor([-1.,  0.,  1.])
    """
    check_float("tanh", "input", input)
    return Tanh.apply(input)


class Softmax(Function):
    """See softmax."""

    @staticmethod
    def forward(ctx, x, axis):
        k = ctx.kernels
        x, rows = _rows(k, x, axis)
        ctx.y, ctx.axis = k.empty_like(rows), axis
        k.softmax_forward(rows, ctx.y)
        return _from_rows(ctx.y, x.shape, axis)

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_y, grads = _rows(k, grad_y, ctx.axis)
        grad_x = k.empty_like(grads)
        k.softmax_backward(ctx.y, grads, grad_x)
        return _from_rows(grad_x, grad_y.shape, ctx.axis)


class LogSoftmax(Function):
    """See log_softmax."""

    @staticmethod
    def forward(ctx, x, axis):
        k = ctx.kernels
        x, rows = _rows(k, x, axis)
        ctx.y, ctx.axis = k.empty_like(rows), axis
        k.log_softmax_forward(rows, ctx.y)
        return _from_rows(ctx.y, x.shape, axis)

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_y, grads = _rows(k, grad_y, ctx.axis)
        grad_x = k.empty_like(grads)
        k.log_softmax_backward(ctx.y, grads, grad_x)
        return _from_rows(grad_x, grad_y.shape, ctx.axis)


def _rows(k, x, axis):
    """`x` with `axis` moved to the end, and the same as C-contiguous rows (M, C). No copy for
    axis 1 of a feature map, which lies channels-last in memory."""
    last = x.ndim - 1
    if axis != last:
        x = x.transpose((*range(axis), *range(axis + 1, last + 1), axis))
    x = k.contiguous(x)
    return x, x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _from_rows(rows, shape, axis):
    """Undo `_rows`: a view in which the last of the axes of `shape` is moved to `axis`."""
    last = len(shape) - 1
    return rows.reshape(shape).transpose((*range(axis), last, *range(axis, last)))


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """Scores to shares: positive numbers that add up to 1 along an axis.

    y[c] = exp(x[c]) / sum over k of exp(x[k])

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int): the axis of the sum; 1 for scores (N, C, ...) of classes. None chooses 0 for
             a tensor of 0, 1 or 3 axes, else 1, with a warning.
             _stacklevel (int): for that warning, as in PyTorch.
             dtype (dtype or None): convert the input to this dtype first.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> softmax(tinycnn.tensor([[1000.0, 1000.0], [0.0, 1000.0]]), dim=1)
             tensor([[0.5000, 0.5000],
                     [0.0000, 1.0000]])
    Source:  Bridle 1990, "Probabilistic interpretation of feedforward classification network
             outputs".
    """
    return _along("softmax", Softmax, input, dim, _stacklevel, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """Logarithm of softmax, without the overflow and the rounding of taking one after the other.

    y[c] = x[c] - log(sum over k of exp(x[k]))

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int): the axis of the sum, see softmax.
             _stacklevel (int): see softmax.
             dtype (dtype or None): convert the input to this dtype first.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> log_softmax(tinycnn.tensor([0.0, -10000.0]), dim=0)
             tensor([     0., -10000.])
    """
    return _along("log_softmax", LogSoftmax, input, dim, _stacklevel, dtype)


def _along(function, operation, input, dim, stacklevel, dtype):
    if dtype is not None:
        input = cast(input, dtype)
    check_float(function, "input", input)
    ndim = input.data.ndim
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(f"{function}: dim was not given, dim={dim} is used. Pass dim={dim}.",
                      stacklevel=stacklevel)
    axis = dim_of(function, dim, ndim)
    if ndim == 0:
        return reshape(operation.apply(reshape(input, (1,)), 0), ())
    return operation.apply(input, axis)
