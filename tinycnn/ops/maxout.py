"""Maxout: an activation that is learnt, as the largest of several linear functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, int_of, shape_text
from ._inputs import check_float, dim_of
from .extrema import amax
from .reshaping import unflatten

if TYPE_CHECKING:
    from ..tensor import Tensor


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
    return amax(unflatten(input, axis, (shape[axis] // pieces, pieces)), axis + 1)
