"""Arrays as the rows (M, C) that kernels read, whichever axis C is."""

import math


def rows_of(k, x, axis):
    """`x` with `axis` moved to the end, and the same as C-contiguous rows (M, C). No copy for
    axis 1 of a feature map, which lies channels-last in memory."""
    last = x.ndim - 1
    if axis != last:
        x = x.transpose((*range(axis), *range(axis + 1, last + 1), axis))
    x = k.contiguous(x)
    return x, x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def from_rows(rows, shape, axis):
    """Undo `rows_of`: a view in which the last of the axes of `shape` is moved to `axis`."""
    last = len(shape) - 1
    return rows.reshape(shape).transpose((*range(axis), last, *range(axis, last)))
