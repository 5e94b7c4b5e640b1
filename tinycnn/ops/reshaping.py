"""New shapes for the same elements: reshape, permute, squeeze, expand, flip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.shapes import remembered
from ..autograd import Function
from ._inputs import check_tensor, dim_of, dims_of, sum_to

if TYPE_CHECKING:
    from ..tensor import Tensor


class Reshape(Function):
    """See reshape."""

    @staticmethod
    def forward(ctx, x, shape):
        ctx.shape = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx, grad):
        return grad.reshape(ctx.shape)


class Clone(Function):
    """See clone."""

    @staticmethod
    def forward(ctx, x):
        return ctx.kernels.copy(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


def clone(input: Tensor) -> Tensor:
    """A copy that gradients flow through.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape, with memory of its own.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.ones(2).clone()
             tensor([1., 1.])
    """
    check_tensor("clone", "input", input)
    return Clone.apply(input)


def sizes_of(function, sizes):
    """`sizes` as a tuple of ints; one int means one axis."""
    try:
        sizes = tuple(sizes) if hasattr(sizes, "__iter__") else (sizes,)
        return tuple([n.__index__() for n in sizes])
    except AttributeError:
        fail(function, "sizes to be integers", repr(sizes), "Pass for example (2, -1).", TypeError)


def reshape(input: Tensor, shape: int | Sequence[int]) -> Tensor:
    """The same elements, last axis fastest, in another shape.

    Args:    input (Tensor): any shape.
             shape (ints): the new sizes; one may be -1 and follows from the others.
    Returns: Tensor of this shape: a view where the memory allows it, else a copy.
    Raises:  ValueError: if the number of elements would change.
    Example: >>> import tinycnn
             >>> tinycnn.reshape(tinycnn.arange(4), (2, -1))
             tensor([[0, 1],
                     [2, 3]])
    """
    check_tensor("reshape", "input", input)
    sizes = shape if type(shape) is tuple else sizes_of("reshape", shape)
    try:
        if min(sizes, default=0) >= -1:  # NumPy takes any negative size for an unknown one
            return Reshape.apply(input, sizes)
    except (TypeError, ValueError):
        sizes = sizes_of("reshape", sizes)
    fail("reshape", f"a shape of {input.data.size} elements, with at most one -1",
         f"{shape_text(sizes)} for {shape_text(input.data.shape)}",
         "Check the product of the sizes.")


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Several neighbouring axes as one.

    Args:    input (Tensor): any shape.
             start_dim (int): the first of them.
             end_dim (int): the last of them.
    Returns: Tensor whose axis `start_dim` has the product of their sizes.
    Raises:  ValueError: if there are no such axes, or they are in the wrong order.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(2, 3, 4).flatten(1).shape
             (2, 12)
    """
    check_tensor("flatten", "input", input)
    return Reshape.apply(input, _flat_shape(input.data.shape, start_dim, end_dim))


@remembered
def _flat_shape(shape, start_dim, end_dim):
    first = dim_of("flatten", start_dim, len(shape), "start_dim")
    last = dim_of("flatten", end_dim, len(shape), "end_dim")
    if first > last:
        fail("flatten", "start_dim in front of end_dim", f"{start_dim} and {end_dim}",
             "Exchange them.")
    return *shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis as several: the inverse of flatten.

    Args:    input (Tensor): any shape.
             dim (int): the axis.
             sizes (ints): what it becomes; one may be -1.
    Returns: Tensor with `sizes` in place of the axis.
    Raises:  ValueError: if their product is not the size of the axis.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(2, 12).unflatten(1, (3, -1)).shape
             (2, 3, 4)
    """
    check_tensor("unflatten", "input", input)
    shape = input.data.shape
    axis = dim_of("unflatten", dim, len(shape))
    parts = sizes_of("unflatten", sizes)
    known, size = math.prod([n for n in parts if n != -1]), shape[axis] if shape else 1
    if parts.count(-1) == 1 and known and size % known == 0:
        parts = tuple([size // known if n == -1 else n for n in parts])
    if not parts or math.prod(parts) != size or min(parts) < 0:
        fail("unflatten", f"sizes with the product {size}, with at most one -1",
             shape_text(parts), f"The input is {shape_text(shape)}.")
    return Reshape.apply(input, shape[:axis] + parts + shape[axis + 1 :])


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without axes of size 1.

    Args:    input (Tensor): any shape.
             dim (int, sequence or None): the axes to drop if their size is 1; None for all.
    Returns: Tensor, a view.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(1, 3, 1).squeeze().shape
             (3,)
    """
    check_tensor("squeeze", "input", input)
    shape = input.data.shape
    dims = dims_of("squeeze", dim, len(shape))
    return Reshape.apply(
        input, tuple([n for i, n in enumerate(shape) if n != 1 or i not in dims])
    )


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1.

    Args:    input (Tensor): any shape.
             dim (int): its place among the axes of the result.
    Returns: Tensor, a view.
    Raises:  ValueError: if there is no such place.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(3).unsqueeze(0).shape
             (1, 3)
    """
    check_tensor("unsqueeze", "input", input)
    shape = input.data.shape
    axis = dim_of("unsqueeze", dim, len(shape) + 1)
    return Reshape.apply(input, (*shape[:axis], 1, *shape[axis:]))


class Permute(Function):
    """See permute."""

    @staticmethod
    def forward(ctx, x, dims):
        ctx.dims = dims
        return x.transpose(dims)

    @staticmethod
    def backward(ctx, grad):
        back = sorted(range(len(ctx.dims)), key=ctx.dims.__getitem__)
        return grad.transpose(back)


def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """The axes in another order.

    Args:    input (Tensor): any shape.
             dims (ints): for each axis of the result, the axis it was.
    Returns: Tensor, a view.
    Raises:  ValueError: if `dims` does not name every axis once.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(2, 3, 4).permute(2, 0, 1).shape
             (4, 2, 3)
    """
    check_tensor("permute", "input", input)
    ndim = input.data.ndim
    order = dims_of("permute", dims, ndim) if hasattr(dims, "__iter__") else None
    if order is None or len(order) != ndim:
        fail("permute", f"every one of {ndim} axes once", repr(dims),
             f"The input is {shape_text(input.data.shape)}.")
    return Permute.apply(input, order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged.

    Args:    input (Tensor): any shape.
             dim0 (int): one axis.
             dim1 (int): the other.
    Returns: Tensor, a view.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(2, 3).transpose(0, 1).shape
             (3, 2)
    """
    check_tensor("transpose", "input", input)
    ndim = input.data.ndim
    a, b = dim_of("transpose", dim0, ndim, "dim0"), dim_of("transpose", dim1, ndim, "dim1")
    order = list(range(ndim))
    if ndim:
        order[a], order[b] = b, a
    return Permute.apply(input, tuple(order))


class Expand(Function):
    """See expand."""

    @staticmethod
    def forward(ctx, x, shape):
        ctx.shape = x.shape
        return ctx.kernels.broadcast_to(x, shape)

    @staticmethod
    def backward(ctx, grad):
        return sum_to(ctx.kernels, grad, ctx.shape)


def expand(input: Tensor, size: Sequence[int]) -> Tensor:
    """Axes of size 1 repeated, and new axes in front, without a copy.

    Args:    input (Tensor): any shape.
             size (ints): the new sizes; -1 keeps one.
    Returns: Tensor, a read-only view.
    Raises:  ValueError: if an axis that is not 1 would change.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0], [2.0]]).expand(2, 3)
             tensor([[1., 1., 1.],
                     [2., 2., 2.]])
    """
    check_tensor("expand", "input", input)
    shape = input.data.shape
    size = sizes_of("expand", size)
    extra = len(size) - len(shape)
    old = (None,) * extra + shape
    fits = [
        new == n or (new == -1 and n is not None) or (new >= 0 and n in (1, None))
        for new, n in zip(size, old)
    ]
    if extra < 0 or not all(fits):
        fail("expand", "sizes that differ from the input's only where these are 1, new axes in "
             "front", f"{shape_text(size)} for {shape_text(shape)}", "Use -1 to keep a size.")
    return Expand.apply(input, tuple([n if new == -1 else new for new, n in zip(size, old)]))


class Flip(Function):
    """See flip."""

    @staticmethod
    def forward(ctx, x, dims):
        ctx.dims = dims
        return ctx.kernels.flip(x, dims)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.flip(grad, ctx.dims)


def flip(input: Tensor, dims: int | Sequence[int]) -> Tensor:
    """Axes read from the end.

    Args:    input (Tensor): any shape.
             dims (int or ints): the axes.
    Returns: Tensor of the same shape, a view.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.arange(3).flip(0)
             tensor([2, 1, 0])
    """
    check_tensor("flip", "input", input)
    return Flip.apply(input, dims_of("flip", dims, input.data.ndim))
