"""Names of PyTorch for what the operations here do together; none needs a Function of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.dtypes import float64
from ..autograd import wrap
from ._inputs import as_tensor, cast, check_tensor, dim_of, operands
from .arithmetic import add, mul, sub
from .comparison import bitwise_and, bitwise_or, eq, isfinite, isnan, le, where
from .division import div
from .elementary import abs, pow
from .indexing import index
from .linear import matmul
from .reshaping import expand, permute, reshape, sizes_of

if TYPE_CHECKING:
    from ..tensor import Tensor

_ALL = slice(None)


def square(input: Tensor) -> Tensor:
    """The square, y[i] = input[i]^2.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.square(tinycnn.tensor([1.0, -2.0]))
             tensor([1., 4.])
    """
    check_tensor("square", "input", input)
    return pow(input, 2)


def reciprocal(input: Tensor) -> Tensor:
    """One over every element, y[i] = 1 / input[i].

    Args:    input (Tensor): any shape; integers become float32.
    Returns: Tensor of the same shape; inf at 0.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.reciprocal(tinycnn.tensor([2.0, 4.0]))
             tensor([0.5000, 0.2500])
    """
    check_tensor("reciprocal", "input", input)
    return div(1, input)  # type: ignore[arg-type]  # one operand may be a number


def t(input: Tensor) -> Tensor:
    """The transposed matrix; a tensor of fewer axes as it is.

    Args:    input (Tensor): (M, N), (N,) or ().
    Returns: Tensor (N, M), a view.
    Raises:  ValueError: if it has more than two axes.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(2, 3).t().shape
             (3, 2)
    """
    check_tensor("t", "input", input)
    ndim = input.data.ndim
    if ndim > 2:
        fail("t", "at most two axes", shape_text(input.data.shape), "Use transpose or permute.")
    return permute(input, tuple(range(ndim))[::-1])


def repeat(input: Tensor, sizes: int | Sequence[int]) -> Tensor:
    """Copies side by side along every axis.

    Args:    input (Tensor): any shape.
             sizes (ints): how many copies along each axis; further ones in front are new axes.
    Returns: Tensor of the sizes of `input` times `sizes`, a copy.
    Raises:  ValueError: if there are fewer numbers than axes, or one is negative.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1, 2]).repeat(2, 2)
             tensor([[1, 2, 1, 2],
                     [1, 2, 1, 2]])
    """
    check_tensor("repeat", "input", input)
    counts, shape = sizes_of("repeat", sizes), input.data.shape
    if len(counts) < len(shape) or min(counts, default=0) < 0:
        fail("repeat", f"at least {len(shape)} numbers of at least 0", shape_text(counts),
             f"The input is {shape_text(shape)}: pass a number for each axis.")
    shape = (1,) * (len(counts) - len(shape)) + shape
    apart = reshape(input, tuple([k for n in shape for k in (1, n)]))
    apart = expand(apart, tuple([k for pair in zip(counts, shape) for k in pair]))
    return reshape(apart, tuple([count * n for count, n in zip(counts, shape)]))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts of size 1 along an axis, without the axis.

    Args:    input (Tensor): any shape with at least one axis.
             dim (int): the axis.
    Returns: tuple of Tensor, views.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.unbind(tinycnn.tensor([[1, 2], [3, 4]]), dim=1)
             (tensor([1, 3]), tensor([2, 4]))
    """
    check_tensor("unbind", "input", input)
    shape = input.data.shape
    if not shape:
        fail("unbind", "a tensor with at least one axis", "a tensor ()", "Use it as it is.")
    axis = dim_of("unbind", dim, len(shape))
    return tuple([index(input, (*[_ALL] * axis, i)) for i in range(shape[axis])])


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | float) -> Tensor:
    """A number where a mask is true, the elements themselves elsewhere.

    y[i] = value if mask[i] else input[i]

    Args:    input (Tensor): any shape.
             mask (Tensor): of bool, a shape that broadcasts with it.
             value (number or Tensor of one): what to fill in.
    Returns: Tensor of the common shape.
    Raises:  TypeError: if `mask` is not of bool.
             ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0, -2.0])
             >>> x.masked_fill(x < 0, 0.0)
             tensor([1., 0.])
    """
    check_tensor("masked_fill", "input", input)
    return where(mask, value, input)


def _product(function, input, other, ndim, shapes):
    for name, x in ("input", input), ("other", other):
        check_tensor(function, name, x)
    a, b = input.data.shape, other.data.shape
    if len(a) != ndim or len(b) != ndim or (ndim == 3 and a[0] != b[0]):
        fail(function, shapes, f"{shape_text(a)} and {shape_text(b)}",
             "Use matmul for other shapes.")
    return matmul(input, other)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Product of two matrices.

    Args:    input (Tensor): (M, K), float32 or float64.
             mat2 (Tensor): (K, N), of the same dtype.
    Returns: Tensor (M, N).
    Raises:  ValueError: if they are no matrices, or the sizes K differ.
    Example: >>> import tinycnn
             >>> tinycnn.mm(tinycnn.ones(1, 3), tinycnn.ones(3, 1))
             tensor([[3.]])
    """
    return _product("mm", input, mat2, 2, "matrices (M, K) and (K, N)")


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two batches of matrices.

    Args:    input (Tensor): (B, M, K), float32 or float64.
             mat2 (Tensor): (B, K, N), of the same dtype.
    Returns: Tensor (B, M, N).
    Raises:  ValueError: if they are no such batches, or the sizes differ.
    Example: >>> import tinycnn
             >>> tinycnn.bmm(tinycnn.ones(2, 1, 3), tinycnn.ones(2, 3, 1)).shape
             (2, 1, 1)
    """
    return _product("bmm", input, mat2, 3, "batches of matrices (B, M, K) and (B, K, N)")


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Inner product of two vectors, the sum of input[i] * tensor[i].

    Args:    input (Tensor): (K,), float32 or float64.
             tensor (Tensor): (K,), of the same dtype.
    Returns: Tensor ().
    Raises:  ValueError: if they are no vectors of one size.
    Example: >>> import tinycnn
             >>> tinycnn.dot(tinycnn.tensor([1.0, 2.0]), tinycnn.tensor([3.0, 4.0]))
             tensor(11.)
    """
    return _product("dot", input, tensor, 1, "vectors (K,) and (K,)")


def isclose(
    input: Tensor, other: Tensor | float, rtol: float = 1e-5, atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """True where the elements are nearly equal.

    y[i] = |input[i] - other[i]| <= atol + rtol * |other[i]|

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
             rtol (float): tolerated difference relative to `other`.
             atol (float): tolerated difference.
             equal_nan (bool): whether NaN is close to NaN.
    Returns: Tensor of bool of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.isclose(tinycnn.tensor([1.0, 2.0]), tinycnn.tensor([1.000001, 2.1]))
             tensor([ True, False])
    """
    check_tensor("isclose", "input", input)
    x, y = (wrap(v.data) for v in operands("isclose", input, as_tensor(other, input)))
    if x.data.dtype.kind != "f":  # differences of small integers would overflow
        x, y = cast(x, float64), cast(y, float64)
    distance = abs(sub(x, y))
    near = le(distance, add(mul(abs(y), rtol), atol))
    close = bitwise_or(eq(x, y), bitwise_and(isfinite(distance), near))
    return bitwise_or(close, bitwise_and(isnan(x), isnan(y))) if equal_nan else close


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """True if all elements are nearly equal, see `isclose`.

    Args:    input (Tensor): any shape.
             other (Tensor): a shape that broadcasts with it.
             rtol (float): tolerated difference relative to `other`.
             atol (float): tolerated difference.
             equal_nan (bool): whether NaN is close to NaN.
    Returns: bool.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.allclose(tinycnn.ones(2), tinycnn.tensor([1.0, 1.1]), rtol=0.2)
             True
    """
    return isclose(input, other, rtol, atol, equal_nan).data.all().item()


def equal(input: Tensor, other: Tensor) -> bool:
    """True if two tensors have one shape and equal elements.

    Args:    input (Tensor): any shape.
             other (Tensor): any shape.
    Returns: bool.
    Raises:  TypeError: if one is no tensor.
    Example: >>> import tinycnn
             >>> x = tinycnn.ones(2)
             >>> tinycnn.equal(x, x + 0), tinycnn.equal(x, x[:1])
             (True, False)
    """
    for name, x in ("input", input), ("other", other):
        check_tensor("equal", name, x)
    return input.data.shape == other.data.shape and eq(input, other).data.all().item()
