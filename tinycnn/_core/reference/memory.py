"""Where arrays lie: new ones, of whatever the memory held, and what fills one block of memory."""

import numpy


def empty(shape, dtype):
    """An array of whatever the memory held."""
    return numpy.empty(shape, dtype)


def empty_like(x, dtype=None, shape=None):
    """An array that lies in memory as `x` does."""
    return numpy.empty_like(x, dtype, shape=shape)


def _is_dense(x):
    """True if the elements of `x` fill one block of memory, in whatever order of axes."""
    if x.flags.forc:
        return True
    step = x.itemsize
    for stride, size in sorted(zip(x.strides, x.shape)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def dense(x):
    """`x` itself if its elements fill one block of memory, else a copy that does."""
    return x if _is_dense(x) else x.copy("K")


def same_layout(x, like):
    """`x` with the strides of the dense array `like` of its shape; `x` itself if it has them."""
    if x.strides == like.strides or (x.flags.c_contiguous and like.flags.c_contiguous):
        return x
    y = numpy.empty_like(like, dtype=x.dtype)
    y[...] = x
    return y
