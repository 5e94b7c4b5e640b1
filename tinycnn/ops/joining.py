"""Several tensors to one, and one to several: cat, stack, split, chunk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.dtypes import promote
from ..autograd import Function
from ._inputs import cast, check_tensor, dim_of
from .reshaping import sizes_of, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


class Cat(Function):
    """See cat."""

    @staticmethod
    def forward(ctx, dim, *arrays):
        ctx.dim, ctx.sizes = dim, [a.shape[dim] for a in arrays]
        return ctx.kernels.concatenate(arrays, dim)

    @staticmethod
    def backward(ctx, grad):
        grads, start, front = [None], 0, (slice(None),) * ctx.dim
        for size in ctx.sizes:
            grads.append(grad[(*front, slice(start, start + size))])
            start += size
        return tuple(grads)


def _list_of(function, tensors):
    if hasattr(tensors, "creator") or not hasattr(tensors, "__iter__"):
        fail(function, "a list of tensors", type(tensors).__name__,
             "Pass for example [x, y].", TypeError)
    tensors = list(tensors)
    if not tensors:
        fail(function, "at least one tensor", "an empty list", "Pass for example [x, y].")
    for t in tensors:
        check_tensor(function, "every entry", t)
    dtype = tensors[0].data.dtype
    if any(t.data.dtype != dtype for t in tensors):
        for t in tensors:
            dtype = promote(dtype, 1, t.data.dtype, 1)
        tensors = [cast(t, dtype) for t in tensors]
    return tensors


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one behind the other along an axis that they have.

    Args:    tensors (sequence of Tensor): equal sizes but along `dim`.
             dim (int): the axis.
    Returns: Tensor whose size along `dim` is the sum of theirs.
    Raises:  ValueError: if other sizes differ.
    Example: >>> import tinycnn
             >>> tinycnn.cat([tinycnn.zeros(2), tinycnn.ones(1)])
             tensor([0., 0., 1.])
    """
    tensors = _list_of("cat", tensors)
    if any(t.data.shape != (0,) for t in tensors):  # PyTorch leaves empty vectors out
        tensors = [t for t in tensors if t.data.shape != (0,)]
    shapes = [t.data.shape for t in tensors]
    if not shapes[0]:
        fail("cat", "tensors with at least one axis", "a tensor ()", "Use stack.")
    axis = dim_of("cat", dim, len(shapes[0]))
    if len({(*s[:axis], None, *s[axis + 1 :]) for s in shapes}) > 1:
        fail("cat", f"equal sizes but along dim {dim}", ", ".join(map(shape_text, shapes)),
             "Pad or cut the tensors, or choose another dim.")
    return Cat.apply(axis, *tensors)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new axis.

    Args:    tensors (sequence of Tensor): equal shapes.
             dim (int): the place of the new axis.
    Returns: Tensor with one more axis.
    Raises:  ValueError: if the shapes differ.
    Example: >>> import tinycnn
             >>> tinycnn.stack([tinycnn.zeros(2), tinycnn.ones(2)])
             tensor([[0., 0.],
                     [1., 1.]])
    """
    tensors = _list_of("stack", tensors)
    shapes = {t.data.shape for t in tensors}
    if len(shapes) > 1:
        fail("stack", "equal shapes", ", ".join(map(shape_text, shapes)), "Pad or cut the tensors.")
    axis = dim_of("stack", dim, tensors[0].data.ndim + 1)
    return Cat.apply(axis, *[unsqueeze(t, axis) for t in tensors])


class Split(Function):
    """See split."""

    @staticmethod
    def forward(ctx, x, sizes, dim):
        ctx.dim, ctx.shapes, ctx.dtype = dim, [], x.dtype
        parts, start, front = [], 0, (slice(None),) * dim
        for size in sizes:
            parts.append(x[(*front, slice(start, start + size))])
            ctx.shapes.append(parts[-1].shape)
            start += size
        return tuple(parts)

    @staticmethod
    def backward(ctx, *grads):
        k = ctx.kernels
        return k.concatenate(
            [k.zeros(s, ctx.dtype) if g is None else g for g, s in zip(grads, ctx.shapes)], ctx.dim
        )


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts of given sizes along an axis.

    Args:    tensor (Tensor): any shape with at least one axis.
             split_size_or_sections (int or ints): the size of every part (the last may be
                 smaller), or the sizes of all parts.
             dim (int): the axis.
    Returns: tuple of Tensor, views.
    Raises:  ValueError: if the sizes do not add up to the size of the axis.
    Example: >>> import tinycnn
             >>> tinycnn.arange(5).split(2)
             (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    check_tensor("split", "tensor", tensor)
    shape = tensor.data.shape
    axis = dim_of("split", dim, len(shape))
    size = shape[axis] if shape else 0
    sizes = sizes_of("split", split_size_or_sections)
    if not hasattr(split_size_or_sections, "__iter__"):
        step = sizes[0]
        if step > 0:
            sizes = tuple([min(step, size - i) for i in range(0, size, step)]) or (0,)
    if not shape or min(sizes, default=-1) < 0 or math.fsum(sizes) != size:
        fail("split", f"sizes of at least 0 that add up to {size} along dim {dim}",
             f"{split_size_or_sections!r} for {shape_text(shape)}", "Check the sizes.")
    return Split.apply(tensor, sizes, axis)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many parts of equal size along an axis; the last may be smaller.

    Args:    input (Tensor): any shape with at least one axis.
             chunks (int): how many, at least 1.
             dim (int): the axis.
    Returns: tuple of Tensor, views of size ceil(size / chunks).
    Raises:  ValueError: if `chunks` is below 1.
    Example: >>> import tinycnn
             >>> tinycnn.arange(5).chunk(2)
             (tensor([0, 1, 2]), tensor([3, 4]))
    """
    check_tensor("chunk", "input", input)
    (chunks,) = sizes_of("chunk", chunks)
    if chunks < 1:
        fail("chunk", "chunks to be at least 1", repr(chunks), "Pass for example chunks=2.")
    shape = input.data.shape
    axis = dim_of("chunk", dim, len(shape))
    size = shape[axis] if shape else 0
    if size == 0:
        return split(input, (0,) * chunks, axis)
    return split(input, -(-size // chunks), axis)
