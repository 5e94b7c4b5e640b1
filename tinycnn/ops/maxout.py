"""Maxout: an activation that is learnt, as the largest of several linear functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, int_of, shape_text
from ..autograd import Function
from ._inputs import check_float, dim_of

if TYPE_CHECKING:
    from ..tensor import Tensor


class Maxout(Function):
    """See maxout."""

    @staticmethod
    def forward(ctx, x, pieces, axis):
        k = ctx.kernels
        ctx.places = [(slice(None),) * axis + (slice(i, None, pieces),) for i in range(pieces)]
        first, *others = [k.getitem(x, place) for place in ctx.places]
        y = first if others else k.copy(first)
        for part in others:
            y = k.maximum(y, part)
        ctx.x, ctx.y = x, y
        return y

    @staticmethod
    def backward(ctx, grad_y):
        k, x, y = ctx.kernels, ctx.x, ctx.y
        largest = [k.equal(k.getitem(x, place), y) for place in ctx.places]
        count = k.astype(largest[0], y.dtype)
        for more in largest[1:]:
            count = k.add(count, k.astype(more, y.dtype))
        share, none = k.divide(grad_y, count), k.zeros_like(grad_y)
        grad_x = k.empty_like(x)
        for place, chosen in zip(ctx.places, largest):
            k.setitem(grad_x, place, k.where(chosen, share, none))
        return grad_x


def maxout(input: Tensor, pieces: int, dim: int = 1) -> Tensor:
    """The largest of each group of consecutive channels.

    y[n, c] = max over k < pieces of x[n, c * pieces + k]

    The gradient goes to the channel that was largest; equal ones share it.

    Args:    input (Tensor): (N, C, ...), float32 or float64.
             pieces (int): channels of a group; divides C.
             dim (int): the axis of the channels.
    Returns: Tensor (N, C / pieces, ...); NaN where one of a group is.
    Raises:  TypeError: if input is no float tensor, or pieces no int.
             ValueError: if there is no such axis, or pieces does not divide its size.
    Example: >>> import tinycnn
             >>> maxout(tinycnn.tensor([[1.0, 3.0, -2.0, -5.0]]), 2)
             tensor([[ 3., -2.]])
    Source:  Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, "Maxout networks".
    """
    check_float("maxout", "input", input)
    pieces = int_of("maxout", "pieces", pieces, "Pass for example 2.")
    shape = input.data.shape
    axis = dim_of("maxout", dim, len(shape))
    if not shape or pieces < 1 or shape[axis] % pieces:
        fail("maxout", f"pieces that divide the channels of input {shape_text(shape)}",
             repr(pieces), "Make pieces times as many channels as are to come out.")
    return Maxout.apply(input, pieces, axis)
