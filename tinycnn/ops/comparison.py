"""Comparison and logic element by element, and the choice between two tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.dtypes import to_array
from ..autograd import Function, Variable, wrap
from ._binary import common_dtype
from ._inputs import _NUMBERS, as_tensor, broadcast_shape, check_tensor, move, operands, sum_to

if TYPE_CHECKING:
    from ..tensor import Tensor


class Compare(Function):
    """A kernel of two operands with a bool result, or of bools and integers; no gradient."""

    @staticmethod
    def forward(ctx, x, y, name):
        return getattr(ctx.kernels, name)(x, y)


def _compare(name, input, other):
    return Compare.apply(*operands(name, input, other), name)


def eq(input: Tensor, other: Tensor | float) -> Tensor:
    """True where the elements are equal; NaN equals nothing.

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0]) == 2
             tensor([False,  True])
    """
    return _compare("equal", input, other)


def ne(input: Tensor, other: Tensor | float) -> Tensor:
    """True where the elements differ; NaN differs from everything.

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0]) != 2
             tensor([ True, False])
    """
    return _compare("not_equal", input, other)


def lt(input: Tensor, other: Tensor | float) -> Tensor:
    """True where `input` is smaller.

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0]) < 2
             tensor([ True, False])
    """
    return _compare("less", input, other)


def le(input: Tensor, other: Tensor | float) -> Tensor:
    """True where `input` is smaller or equal.

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([2.0, 3.0]) <= 2
             tensor([ True, False])
    """
    return _compare("less_equal", input, other)


def gt(input: Tensor, other: Tensor | float) -> Tensor:
    """True where `input` is larger.

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([2.0, 3.0]) > 2
             tensor([False,  True])
    """
    return _compare("greater", input, other)


def ge(input: Tensor, other: Tensor | float) -> Tensor:
    """True where `input` is larger or equal.

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0]) >= 2
             tensor([False,  True])
    """
    return _compare("greater_equal", input, other)


class Test(Function):
    """A kernel of one operand with a bool result; no gradient."""

    @staticmethod
    def forward(ctx, x, name):
        return getattr(ctx.kernels, name)(x)


def _test(name, input):
    check_tensor(name, "input", input)
    return Test.apply(input, name)


def isnan(input: Tensor) -> Tensor:
    """True where an element is NaN.

    Args:    input (Tensor): any shape.
    Returns: Tensor of bool of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.isnan(tinycnn.tensor([1.0, float("nan")]))
             tensor([False,  True])
    """
    return _test("isnan", input)


def isinf(input: Tensor) -> Tensor:
    """True where an element is inf or -inf.

    Args:    input (Tensor): any shape.
    Returns: Tensor of bool of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.isinf(tinycnn.tensor([1.0, float("inf")]))
             tensor([False,  True])
    """
    return _test("isinf", input)


def isfinite(input: Tensor) -> Tensor:
    """True where an element is neither NaN nor inf nor -inf.

    Args:    input (Tensor): any shape.
    Returns: Tensor of bool of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.isfinite(tinycnn.tensor([1.0, float("inf")]))
             tensor([ True, False])
    """
    return _test("isfinite", input)


def _bitwise(function, name, input, other):
    x, y = operands(function, input, other)
    for v in (x, y):
        if isinstance(v, Variable) and v.data.dtype.kind == "f":
            fail(function, "bool or integer tensors", f"{v.data.dtype} {shape_text(v.data.shape)}",
                 "Compare first, as in (x > 0) & (x < 1).", TypeError)
    return Compare.apply(x, y, name)


def bitwise_and(input: Tensor, other: Tensor | int) -> Tensor:
    """Both: the operator &, for bool and integer tensors.

    Args:    input (Tensor): any shape.
             other (Tensor or int): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  TypeError: if an operand is of a float dtype.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([0.0, 1.0, 2.0])
             >>> (x > 0) & (x < 2)
             tensor([False,  True, False])
    """
    return _bitwise("bitwise_and", "bitwise_and", input, other)


def bitwise_or(input: Tensor, other: Tensor | int) -> Tensor:
    """One or both: the operator |, for bool and integer tensors.

    Args:    input (Tensor): any shape.
             other (Tensor or int): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  TypeError: if an operand is of a float dtype.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([0.0, 1.0, 2.0])
             >>> (x < 1) | (x > 1)
             tensor([ True, False,  True])
    """
    return _bitwise("bitwise_or", "bitwise_or", input, other)


def bitwise_xor(input: Tensor, other: Tensor | int) -> Tensor:
    """One and not both: the operator ^, for bool and integer tensors.

    Args:    input (Tensor): any shape.
             other (Tensor or int): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  TypeError: if an operand is of a float dtype.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([True, False]) ^ tinycnn.tensor([True, True])
             tensor([False,  True])
    """
    return _bitwise("bitwise_xor", "bitwise_xor", input, other)


def bitwise_not(input: Tensor) -> Tensor:
    """Not: the operator ~, for bool and integer tensors.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is of a float dtype.
    Example: >>> import tinycnn
             >>> ~tinycnn.tensor([True, False])
             tensor([False,  True])
    """
    check_tensor("bitwise_not", "input", input)
    return _bitwise("bitwise_not", "bitwise_xor", input,
                    True if input.data.dtype.kind == "b" else -1)


class Where(Function):
    """See where."""

    @staticmethod
    def forward(ctx, condition, x, y):
        ctx.condition = condition
        if ctx.needs[1]:
            ctx.x_shape = x.shape
        if ctx.needs[2]:
            ctx.y_shape = y.shape
        return ctx.kernels.where(condition, x, y)

    @staticmethod
    def backward(ctx, grad):
        k, grad_x, grad_y = ctx.kernels, None, None
        none = k.zeros_like(grad)
        if ctx.needs[1]:
            grad_x = sum_to(k, k.where(ctx.condition, grad, none), ctx.x_shape)
        if ctx.needs[2]:
            grad_y = sum_to(k, k.where(ctx.condition, none, grad), ctx.y_shape)
        return None, grad_x, grad_y


def where(condition: Tensor, input: Tensor | float, other: Tensor | float) -> Tensor:
    """Elements of one tensor where a condition holds, of another where it does not.

    y[i] = input[i] if condition[i] else other[i]

    Args:    condition (Tensor): of bool; the three shapes broadcast.
             input (Tensor or number): values where it is true.
             other (Tensor or number): values where it is false.
    Returns: Tensor of the common shape.
    Raises:  TypeError: if `condition` is not of bool.
             ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([-1.0, 2.0])
             >>> tinycnn.where(x > 0, x, 0.0)
             tensor([0., 2.])
    """
    check_tensor("where", "condition", condition)
    if condition.data.dtype.kind != "b":
        fail("where", "condition to be of bool",
             f"{condition.data.dtype} {shape_text(condition.data.shape)}",
             "Compare first, as in x != 0.", TypeError)
    if type(input) in _NUMBERS and type(other) in _NUMBERS:
        input, other = (move(as_tensor(v), condition.device) for v in (input, other))
    x, y = operands("where", input, other)
    dtype = common_dtype(x, y)
    x, y = (v if isinstance(v, Variable) else
            move(wrap(to_array("where", v, dtype)), condition.device) for v in (x, y))
    broadcast_shape("where", condition.data.shape, x.data.shape, y.data.shape)
    return Where.apply(condition, x, y)
