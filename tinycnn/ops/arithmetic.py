"""Sum, difference, product element by element, with broadcasting.

Operands are tensors, arrays or Python numbers. Sizes are aligned at the last axis and must agree or
be 1. Dtypes mix as in PyTorch: a Python number takes the tensor's dtype, an integer tensor becomes
float32 where it meets a float, float32 meets float64 in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from ..autograd import Function, Variable
from ._binary import Binary, common_dtype, keep, keep_shapes
from ._inputs import check_tensor, operands

if TYPE_CHECKING:
    from ..tensor import Tensor


class Add(Binary):
    """See add."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
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
        other = mul(other, alpha) if isinstance(other, Variable) else other * alpha
    return Add.apply(*operands("add", input, other))


class Sub(Binary):
    """See sub."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
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
             TypeError: if an operand is not numeric, or bool.
    Example: >>> import tinycnn
             >>> 1 - tinycnn.tensor([1.0, 3.0])
             tensor([ 0., -2.])
    """
    if alpha != 1:
        other = mul(other, alpha) if isinstance(other, Variable) else other * alpha
    x, y = operands("sub", input, other)
    if common_dtype(x, y).kind == "b":
        fail("sub", "numbers", "bool", "Use ^ (exclusive or) or ~ (not).", TypeError)
    return Sub.apply(x, y)


class Mul(Binary):
    """See mul."""

    @staticmethod
    def forward(ctx, x, y):
        keep(ctx, x, y)
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
