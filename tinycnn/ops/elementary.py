"""Functions of every element: exp, log, log1p, sqrt, pow, abs, clamp.

Integer tensors become float32 where the result is no integer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from .._core.dtypes import float32
from ..autograd import Function, Variable
from ._binary import Binary, common_dtype, keep_shapes
from ._inputs import cast, check_tensor, operands
from .extrema import maximum, minimum

if TYPE_CHECKING:
    from ..tensor import Tensor


def _as_float(function, x):
    check_tensor(function, "input", x)
    return x if x.data.dtype.kind == "f" else cast(x, float32)


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


class Log1p(Function):
    """See log1p."""

    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return ctx.kernels.log1p(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.divide(grad, ctx.kernels.add(ctx.x, 1))


def log1p(input: Tensor) -> Tensor:
    """The natural logarithm of 1 + x, exact for small x too: y[i] = ln(1 + input[i]).

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape; -inf at -1, NaN below.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.log1p(tinycnn.tensor([0.0, 1.0]))
             tensor([0.0000, 0.6931])
    """
    return Log1p.apply(_as_float("log1p", input))


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


class Pow(Binary):
    """See pow."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
        ctx.x, ctx.y = x, y
        ctx.z = z = _power(ctx.kernels, x, y)
        return z

    @staticmethod
    def partials(ctx, k, grad):
        x, y = ctx.x, ctx.y
        grad_x = grad_y = None
        if ctx.needs[0]:  # y x^(y-1), and 0 where y is 0 even if x^-1 is not finite
            if hasattr(y, "dtype"):
                slope = k.multiply(y, k.power(x, k.where(k.equal(y, 0), y, k.subtract(y, 1))))
            else:
                slope = k.multiply(_power(k, x, y - 1), y) if y else k.zeros_like(x)
            grad_x = k.multiply(grad, slope)
        if ctx.needs[1]:  # x^y log x, and 0 where x is 0 and y is not negative
            x = x if hasattr(x, "dtype") else k.asarray(x, y.dtype)
            silent = k.bitwise_and(k.equal(x, 0), k.greater_equal(y, 0))
            log_x = k.log(k.where(silent, k.ones_like(ctx.z), x))
            grad_y = k.multiply(grad, k.multiply(ctx.z, log_x))
        return grad_x, grad_y


def _power(k, x, y):
    """x^y; the powers that networks use go without a logarithm."""
    if y.__class__ is int or y.__class__ is float:
        if y == 2:
            return k.square(x)
        if y == 1:
            return k.copy(x)
        if y == 0.5:
            return k.sqrt(x)
        if y == 3:
            return k.multiply(k.square(x), x)
    return k.power(x, y)


def pow(input: Tensor, exponent: Tensor | float) -> Tensor:
    """Power element by element.

    y[i] = input[i] ^ exponent[i]

    Args:    input (Tensor): any shape.
             exponent (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast, or an integer is raised to a negative one.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0, 3.0]) ** 2
             tensor([1., 4., 9.])
    """
    x, y = operands("pow", input, exponent)
    if not isinstance(y, Variable):
        if x.data.dtype.kind != "f" and y < 0:
            _refuse_negative_power()
    elif y.data.dtype.kind != "f" and (y.data < 0).any():
        _refuse_negative_power()
    z = Pow.apply(x, y)
    return cast(z, bool) if common_dtype(x, y).kind == "b" else z  # NumPy makes it int8


def _refuse_negative_power():
    fail("pow", "integers raised to powers of at least 0", "a negative exponent",
         "Convert the tensor with .to(tinycnn.float32) first.")


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
