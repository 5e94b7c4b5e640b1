"""Quotients and remainders element by element, with broadcasting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from .._core.dtypes import float32
from ..autograd import Function, Variable
from ._binary import Binary, common_dtype, keep_shapes
from ._inputs import cast, operands
from .arithmetic import neg
from .extrema import maximum, minimum

if TYPE_CHECKING:
    from ..tensor import Tensor


class Div(Binary):
    """See div."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
        ctx.y = y
        z = ctx.kernels.divide(x, y)
        ctx.z = z if ctx.needs[1] else None
        return z

    @staticmethod
    def partials(ctx, k, grad):
        grad_x = k.divide(grad, ctx.y)
        return grad_x, k.negative(k.multiply(grad_x, ctx.z)) if ctx.needs[1] else None


def div(
    input: Tensor, other: Tensor | float, *, rounding_mode: str | None = None
) -> Tensor:
    """Quotient; of integers too it is a float.

    y[i] = input[i] / other[i]

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
             rounding_mode (str or None): "floor" rounds down, "trunc" towards zero.
    Returns: Tensor of the common shape. x / 0 is inf or NaN.
    Raises:  ValueError: if the shapes do not broadcast, or the rounding mode is unknown.
             TypeError: if an operand is not numeric.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1, 2]) / 4
             tensor([0.2500, 0.5000])
    """
    if rounding_mode is not None:
        return _rounded(input, other, rounding_mode)
    x, y = operands("div", input, other)
    if common_dtype(x, y).kind != "f":
        x, y = (cast(v, float32) if isinstance(v, Variable) else v for v in (x, y))
    return Div.apply(x, y)


def _rounded(input, other, mode):
    if mode not in ("floor", "trunc"):
        fail("div", "rounding_mode None, 'floor' or 'trunc'", repr(mode),
             "Leave it out for the exact quotient.")
    down = floor_divide(input, other)
    if mode == "floor":
        return down
    # towards zero: one more than rounded down where the quotient is negative and not whole
    up = neg(floor_divide(neg(input) if isinstance(input, Variable) else -input, other))
    return maximum(down, minimum(up, 0))


class FloorDivide(Function):
    """See floor_divide. A step function: no gradient."""

    @staticmethod
    def forward(ctx, x, y):
        return ctx.kernels.floor_divide(x, y)

    @staticmethod
    def backward(ctx, grad):
        return None, None


def floor_divide(input: Tensor, other: Tensor | float) -> Tensor:
    """Quotient rounded down, without a gradient.

    y[i] = floor(input[i] / other[i])

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape, in the operands' dtype.
    Raises:  ValueError: if the shapes do not broadcast, or integers are divided by 0.
             TypeError: if the operands are bool.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([7, -7]) // 2
             tensor([ 3, -4])
    """
    return FloorDivide.apply(*_integer_divisor("floor_divide", input, other))


class Remainder(Binary):
    """See remainder."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
        if ctx.needs[1]:
            ctx.quotient = ctx.kernels.floor_divide(x, y)
        return ctx.kernels.remainder(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return grad, k.negative(k.multiply(grad, ctx.quotient)) if ctx.needs[1] else None


def remainder(input: Tensor, other: Tensor | float) -> Tensor:
    """What remains of a division rounded down; its sign is the divisor's.

    y[i] = input[i] - floor(input[i] / other[i]) * other[i]

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast, or integers are divided by 0.
             TypeError: if the operands are bool.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([7, -7]) % 4
             tensor([3, 1])
    """
    return Remainder.apply(*_integer_divisor("remainder", input, other))


def _integer_divisor(function, input, other):
    x, y = operands(function, input, other)
    divisor = y.data if isinstance(y, Variable) else y
    if common_dtype(x, y).kind == "b":
        fail(function, "numbers", "bool", "Convert to an integer dtype first.", TypeError)
    if common_dtype(x, y).kind != "f" and (divisor == 0 if divisor is y else (divisor == 0).any()):
        fail(function, "integers divided by numbers other than 0", "a divisor 0",
             "Convert to float first: x / 0 is then inf or NaN.")
    return x, y
