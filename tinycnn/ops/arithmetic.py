"""Arithmetic element by element, with broadcasting.

Operands are tensors, arrays or Python numbers. Sizes are aligned at the last axis and must agree or
be 1. Dtypes mix as in PyTorch: a Python number takes the tensor's dtype, an integer tensor becomes
float32 where it meets a float, float32 meets float64 in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from .._core.dtypes import float32
from ..autograd import Function
from ._inputs import cast, check_tensor, operands, sum_to

if TYPE_CHECKING:
    from ..tensor import Tensor


class _Binary(Function):
    """Two operands that broadcast. `partials(ctx, grad)` gives their gradients before the sums."""

    @classmethod
    def backward(cls, ctx, grad):
        grad_x, grad_y = cls.partials(ctx, ctx.kernels, grad)
        return (
            sum_to(ctx.kernels, grad_x, ctx.x_shape) if ctx.needs[0] else None,
            sum_to(ctx.kernels, grad_y, ctx.y_shape) if ctx.needs[1] else None,
        )


def _keep_shapes(ctx, x, y):
    if ctx.needs[0]:
        ctx.x_shape = x.shape
    if ctx.needs[1]:
        ctx.y_shape = y.shape


def _keep(ctx, x, y):
    """Keep the operands that the gradient of the other one needs."""
    _keep_shapes(ctx, x, y)
    ctx.x = x if ctx.needs[1] else None
    ctx.y = y if ctx.needs[0] else None


class Add(_Binary):
    """See add."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
        return ctx.kernels.add(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return grad, grad


def add(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """Sum of two tensors.

    y[i] = input[i] + alpha * other[i]

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
             alpha (number): factor of `other`.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
             TypeError: if an operand is not numeric.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0]) + tinycnn.tensor([[10.0], [20.0]])
             tensor([[11., 12.],
                     [21., 22.]])
    """
    if alpha != 1:
        other = mul(other, alpha) if hasattr(other, "creator") else other * alpha
    return Add.apply(*operands("add", input, other))


class Sub(_Binary):
    """See sub."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
        return ctx.kernels.subtract(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return grad, k.negative(grad) if ctx.needs[1] else None


def sub(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """Difference of two tensors.

    y[i] = input[i] - alpha * other[i]

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
             alpha (number): factor of `other`.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
             TypeError: if an operand is not numeric, or both are bool.
    Example: >>> import tinycnn
             >>> 1 - tinycnn.tensor([1.0, 3.0])
             tensor([ 0., -2.])
    """
    if alpha != 1:
        other = mul(other, alpha) if hasattr(other, "creator") else other * alpha
    x, y = operands("sub", input, other)
    if getattr(x, "dtype", None) == "bool" == getattr(y, "dtype", "bool"):
        fail("sub", "numbers", "two bool tensors", "Use ^ (exclusive or) or ~ (not).", TypeError)
    return Sub.apply(x, y)


class Mul(_Binary):
    """See mul."""

    @staticmethod
    def forward(ctx, x, y):
        _keep(ctx, x, y)
        return ctx.kernels.multiply(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return (
            k.multiply(grad, ctx.y) if ctx.needs[0] else None,
            k.multiply(grad, ctx.x) if ctx.needs[1] else None,
        )


def mul(input: Tensor, other: Tensor | float) -> Tensor:
    """Product element by element.

    y[i] = input[i] * other[i]

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
             TypeError: if an operand is not numeric.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0]) * 3
             tensor([3., 6.])
    """
    return Mul.apply(*operands("mul", input, other))


class Div(_Binary):
    """See div."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
        ctx.y = y
        z = ctx.kernels.divide(x, y)
        ctx.z = z if ctx.needs[1] else None
        return z

    @staticmethod
    def partials(ctx, k, grad):
        grad_x = k.divide(grad, ctx.y)
        return grad_x, k.negative(k.multiply(grad_x, ctx.z)) if ctx.needs[1] else None


class FloorDivide(Function):
    """See floor_divide. A step function: no gradient."""

    @staticmethod
    def forward(ctx, x, y):
        return ctx.kernels.floor_divide(x, y)

    @staticmethod
    def backward(ctx, grad):
        return None, None


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
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode not in (None, "trunc"):
        fail("div", "rounding_mode None, 'floor' or 'trunc'", repr(rounding_mode),
             "Leave it out for the exact quotient.")
    x, y = operands("div", input, other)
    kinds = [v.data.dtype.kind for v in (x, y) if hasattr(v, "creator")]
    if rounding_mode == "trunc":
        return _truncated(x, y, kinds)
    if "f" not in kinds:
        x, y = (cast(v, float32) if hasattr(v, "creator") else v for v in (x, y))
    return Div.apply(x, y)


def _truncated(x, y, kinds):
    """Towards zero = down, and one more where signs differ and something remains."""
    from .comparison import where

    quotient = floor_divide(x, y)
    short = quotient < 0
    if kinds[0] != "f":
        return quotient + (short & (quotient * y != x))
    exact = Div.apply(x, y).detach()
    return where(short & (quotient != exact), quotient + 1, quotient)


def floor_divide(input: Tensor, other: Tensor | float) -> Tensor:
    """Quotient rounded down, without a gradient.

    y[i] = floor(input[i] / other[i])

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape, in the operands' dtype.
    Raises:  ValueError: if the shapes do not broadcast, or integers are divided by 0.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([7, -7]) // 2
             tensor([ 3, -4])
    """
    return FloorDivide.apply(*_integer_divisor("floor_divide", input, other))


class Remainder(_Binary):
    """See remainder."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
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
    Example: >>> import tinycnn
             >>> tinycnn.tensor([7, -7]) % 4
             tensor([3, 1])
    """
    return Remainder.apply(*_integer_divisor("remainder", input, other))


def _integer_divisor(function, input, other):
    x, y = operands(function, input, other)
    divisor = y.data if hasattr(y, "creator") else y
    dtype = (x if hasattr(x, "creator") else y).data.dtype
    if dtype.kind != "f" and (divisor == 0 if divisor is y else (divisor == 0).any()):
        fail(function, "integers divided by numbers other than 0", "a divisor 0",
             "Convert to float first: x / 0 is then inf or NaN.")
    return x, y


class Pow(_Binary):
    """See pow."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
        ctx.x, ctx.y = x, y
        ctx.z = z = _power(ctx.kernels, x, y)
        return z

    @staticmethod
    def partials(ctx, k, grad):
        x, y = ctx.x, ctx.y
        grad_x = grad_y = None
        if ctx.needs[0]:  # y x^(y-1), and 0 where y is 0 even if x^-1 is not finite
            if hasattr(y, "dtype"):
                slope = k.multiply(y, k.power(x, k.subtract(y, 1)))
                slope = k.where(k.equal(y, 0), k.zeros_like(slope), slope)
            else:
                slope = k.multiply(_power(k, x, y - 1), y) if y else k.zeros_like(x)
            grad_x = k.multiply(grad, slope)
        if ctx.needs[1]:  # x^y log x, and 0 where x is 0 and y is not negative
            log_x = k.log(x if hasattr(x, "dtype") else k.asarray(x, y.dtype))
            slope = k.multiply(ctx.z, log_x)
            silent = k.bitwise_and(k.equal(x, k.zeros_like(y)), k.greater_equal(y, 0))
            grad_y = k.multiply(grad, k.where(silent, k.zeros_like(slope), slope))
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
    if not hasattr(y, "creator"):
        if x.data.dtype.kind != "f" and y < 0:
            _refuse_negative_power()
    elif y.data.dtype.kind != "f" and (y.data < 0).any():
        _refuse_negative_power()
    return Pow.apply(x, y)


def _refuse_negative_power():
    fail("pow", "integers raised to powers of at least 0", "a negative exponent",
         "Convert the tensor with .to(tinycnn.float32) first.")


class Maximum(_Binary):
    """See maximum."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
        ctx.x, ctx.y = x, y
        return ctx.kernels.maximum(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return _shared_at_ties(ctx, k, grad, k.less(ctx.x, ctx.y))


class Minimum(_Binary):
    """See minimum."""

    @staticmethod
    def forward(ctx, x, y):
        _keep_shapes(ctx, x, y)
        ctx.x, ctx.y = x, y
        return ctx.kernels.minimum(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return _shared_at_ties(ctx, k, grad, k.greater(ctx.x, ctx.y))


def _shared_at_ties(ctx, k, grad, y_wins):
    """The gradient goes to the operand that was taken; each takes half where they are equal."""
    half = k.where(k.equal(ctx.x, ctx.y), k.multiply(grad, 0.5), grad)
    none = k.zeros_like(grad)
    x_loses, tied = y_wins, k.equal(ctx.x, ctx.y)
    x_wins = k.logical_not(k.bitwise_or(x_loses, tied))
    return k.where(x_loses, none, half), k.where(x_wins, none, half)


def maximum(input: Tensor, other: Tensor | float) -> Tensor:
    """The larger of two elements; NaN if one of them is. Equal ones share the gradient.

    y[i] = max(input[i], other[i])

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.maximum(tinycnn.tensor([1.0, 5.0]), tinycnn.tensor([3.0, 2.0]))
             tensor([3., 5.])
    """
    return Maximum.apply(*operands("maximum", input, other))


def minimum(input: Tensor, other: Tensor | float) -> Tensor:
    """The smaller of two elements; NaN if one of them is. Equal ones share the gradient.

    y[i] = min(input[i], other[i])

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.minimum(tinycnn.tensor([1.0, 5.0]), tinycnn.tensor([3.0, 2.0]))
             tensor([1., 2.])
    """
    return Minimum.apply(*operands("minimum", input, other))
