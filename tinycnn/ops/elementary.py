"""Functions of one number, applied to every element: exp, log, sqrt, clamp, ...

Integer tensors become float32 where the result is no integer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from .._core.dtypes import float32
from ..autograd import Function
from ._inputs import cast, check_tensor
from .arithmetic import maximum, minimum

if TYPE_CHECKING:
    from ..tensor import Tensor


def _as_float(function, x):
    check_tensor(function, "input", x)
    return x if x.data.dtype.kind == "f" else cast(x, float32)


class Neg(Function):
    """See neg."""

    @staticmethod
    def forward(ctx, x):
        return ctx.kernels.negative(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.negative(grad)


def neg(input: Tensor) -> Tensor:
    """The opposite number, y[i] = -input[i].

    Args:    input (Tensor): any shape, not bool.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor of numbers.
    Example: >>> import tinycnn
             >>> -tinycnn.tensor([1.0, -2.0])
             tensor([-1.,  2.])
    """
    check_tensor("neg", "input", input)
    if input.data.dtype.kind == "b":
        fail("neg", "numbers", "a bool tensor", "Use ~ (not).", TypeError)
    return Neg.apply(input)


class Exp(Function):
    """See exp."""

    @staticmethod
    def forward(ctx, x):
        ctx.y = y = ctx.kernels.exp(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.multiply(grad, ctx.y)


def exp(input: Tensor) -> Tensor:
    """The exponential function, y[i] = e^input[i].

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape; inf where the result overflows.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.exp(tinycnn.tensor([0.0, 1.0]))
             tensor([1.0000, 2.7183])
    """
    return Exp.apply(_as_float("exp", input))


class Log(Function):
    """See log."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return ctx.kernels.log(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.divide(grad, ctx.x)


def log(input: Tensor) -> Tensor:
    """The natural logarithm, y[i] = ln(input[i]).

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape; -inf at 0, NaN below.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.log(tinycnn.tensor([1.0, 0.0]))
             tensor([0., -inf])
    """
    return Log.apply(_as_float("log", input))


class Sqrt(Function):
    """See sqrt."""

    @staticmethod
    def forward(ctx, x):
        ctx.y = y = ctx.kernels.sqrt(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.divide(grad, ctx.kernels.multiply(ctx.y, 2))


def sqrt(input: Tensor) -> Tensor:
    """The square root, y[i] = input[i]^(1/2).

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape; NaN below 0.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.sqrt(tinycnn.tensor([4.0, 9.0]))
             tensor([2., 3.])
    """
    return Sqrt.apply(_as_float("sqrt", input))


class Abs(Function):
    """See abs."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x if ctx.needs[0] else None
        return ctx.kernels.absolute(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.multiply(grad, ctx.kernels.sign(ctx.x))


def abs(input: Tensor) -> Tensor:
    """The absolute value, y[i] = |input[i]|, with derivative 0 at 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.abs(tinycnn.tensor([-1.0, 2.0]))
             tensor([1., 2.])
    """
    check_tensor("abs", "input", input)
    return Abs.apply(input)


class Step(Function):
    """A function that is constant between its jumps (sign, floor, ...): its gradient is 0."""

    @staticmethod
    def forward(ctx, x, name):
        return getattr(ctx.kernels, name)(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.zeros_like(grad)


def _step(function, name, input):
    check_tensor(function, "input", input)
    return Step.apply(input, name)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1: the sign of every element; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.sign(tinycnn.tensor([-3.0, 0.0, 2.0]))
             tensor([-1.,  0.,  1.])
    """
    return _step("sign", "sign", input)


def floor(input: Tensor) -> Tensor:
    """The largest integer that is not larger; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.floor(tinycnn.tensor([-1.5, 1.5]))
             tensor([-2.,  1.])
    """
    return _step("floor", "floor", input)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer that is not smaller; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.ceil(tinycnn.tensor([-1.5, 1.5]))
             tensor([-1.,  2.])
    """
    return _step("ceil", "ceil", input)


def round(input: Tensor) -> Tensor:
    """The nearest integer, halves to the even one; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.round(tinycnn.tensor([0.5, 1.5, 1.6]))
             tensor([0., 2., 2.])
    """
    return _step("round", "rint", input)


def isnan(input: Tensor) -> Tensor:
    """True where an element is NaN.

    Args:    input (Tensor): any shape.
    Returns: Tensor of bool of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.isnan(tinycnn.tensor([1.0, float("nan")]))
             tensor([False,  True])
    """
    return _step("isnan", "isnan", input)


def isinf(input: Tensor) -> Tensor:
    """True where an element is inf or -inf.

    Args:    input (Tensor): any shape.
    Returns: Tensor of bool of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.isinf(tinycnn.tensor([1.0, float("inf")]))
             tensor([False,  True])
    """
    return _step("isinf", "isinf", input)


def isfinite(input: Tensor) -> Tensor:
    """True where an element is neither NaN nor inf nor -inf.

    Args:    input (Tensor): any shape.
    Returns: Tensor of bool of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.isfinite(tinycnn.tensor([1.0, float("inf")]))
             tensor([ True, False])
    """
    return _step("isfinite", "isfinite", input)


class Clamp(Function):
    """See clamp, for limits that are numbers."""

    @staticmethod
    def forward(ctx, x, low, high):
        k = ctx.kernels
        y = x if low is None else k.maximum(x, low)
        y = y if high is None else k.minimum(y, high)
        if ctx.needs[0]:
            inside = None if low is None else k.greater_equal(x, low)
            if high is not None:
                below = k.less_equal(x, high)
                inside = below if inside is None else k.bitwise_and(inside, below)
            ctx.inside = inside
        return y

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.where(ctx.inside, grad, ctx.kernels.zeros_like(grad))


def clamp(
    input: Tensor, min: Tensor | float | None = None, max: Tensor | float | None = None
) -> Tensor:
    """Every element, moved to the nearest limit where it lies outside of them.

    y[i] = min(max(input[i], low), high); the derivative is 1 from limit to limit and 0 outside.

    Args:    input (Tensor): any shape.
             min (number, Tensor or None): the lower limit; a tensor's shape broadcasts.
             max (number, Tensor or None): the upper limit; it wins where the limits cross.
    Returns: Tensor of the same shape; NaN stays NaN.
    Raises:  ValueError: if both limits are missing.
             TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.clamp(tinycnn.tensor([-2.0, 0.5, 2.0]), min=-1, max=1)
             tensor([-1.0000,  0.5000,  1.0000])
    """
    check_tensor("clamp", "input", input)
    if min is None and max is None:
        fail("clamp", "min, max or both", "neither", "Pass for example min=0.")
    if input.data.dtype.kind == "f" and all(
        v is None or type(v) in (int, float) for v in (min, max)
    ):
        return Clamp.apply(input, min, max)
    input = input if min is None else maximum(input, min)
    return input if max is None else minimum(input, max)
