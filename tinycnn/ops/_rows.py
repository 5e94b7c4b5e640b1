"""Arrays as the rows (M, C) that kernels read, whichever axis C is."""

import math
from functools import cache


@cache
def _to_end(axes, axis):
    """The order of `axes` axes with this one last; and the order that undoes it."""
    last = axes - 1
    return (*range(axis), *range(axis + 1, axes), axis), (*range(axis), last, *range(axis, last))


def axis_last(k, x, axis):
    """`x` with `axis` moved to the end, C-contiguous. No copy for axis 1 of a feature map, which
    lies channels-last in memory."""
    return k.contiguous(x if axis == x.ndim - 1 else x.transpose(_to_end(x.ndim, axis)[0]))


def axis_back(x, axis):
    """Undo `axis_last`: a view in which the last axis is moved to `axis`."""
    return x if axis == x.ndim - 1 else x.transpose(_to_end(x.ndim, axis)[1])


def rows_of(k, x, axis):
    """`axis_last`, and the same as rows (M, C)."""
    x = axis_last(k, x, axis)
    return x, x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def from_rows(rows, shape, axis):
    """Undo `rows_of`: a view in which the last of the axes of `shape` is moved to `axis`."""
    return axis_back(rows.reshape(shape), axis)
