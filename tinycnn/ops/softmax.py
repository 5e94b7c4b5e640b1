"""Softmax and its kin: scores become shares."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..autograd import Function
from ._inputs import cast, check_float, dim_of
from ._rows import from_rows, rows_of
from .arithmetic import neg
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


class _AlongAxis(Function):
    """Rows along an axis through a pair of kernels, of the name `kernel`; the gradient is a
    function of the result."""

    kernel: str

    @classmethod
    def forward(cls, ctx, x, axis):
        k = ctx.kernels
        x, rows = rows_of(k, x, axis)
        ctx.y, ctx.axis = k.empty_like(rows), axis
        getattr(k, f"{cls.kernel}_forward")(rows, ctx.y)
        return from_rows(ctx.y, x.shape, axis)

    @classmethod
    def backward(cls, ctx, grad_y):
        k = ctx.kernels
        grad_y, grads = rows_of(k, grad_y, ctx.axis)
        grad_x = k.empty_like(grads)
        getattr(k, f"{cls.kernel}_backward")(ctx.y, grads, grad_x)
        return from_rows(grad_x, grad_y.shape, ctx.axis)


class Softmax(_AlongAxis):
    """See softmax."""

    kernel = "softmax"


class LogSoftmax(_AlongAxis):
    """See log_softmax."""

    kernel = "log_softmax"


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


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """Softmax of -x: the smallest number gets the largest share.

    y[c] = exp(-x[c]) / sum over k of exp(-x[k])

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int): the axis of the sum, see softmax.
             _stacklevel (int): see softmax.
             dtype (dtype or None): convert the input to this dtype first.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> softmin(tinycnn.tensor([0.0, 1000.0]), dim=0)
             tensor([1., 0.])
    """
    return _along("softmin", Softmax, input, dim, _stacklevel, dtype, neg)


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


def _along(function, operation, input, dim, stacklevel, dtype, prepare=lambda x: x):
    if dtype is not None:
        input = cast(input, dtype)
    check_float(function, "input", input)
    ndim = input.data.ndim
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(f"{function}: dim was not given, dim={dim} is used. Pass dim={dim}.",
                      stacklevel=stacklevel)
    axis = dim_of(function, dim, ndim)
    input = prepare(input)
    if ndim == 0:
        return reshape(operation.apply(reshape(input, (1,)), 0), ())
    return operation.apply(input, axis)
