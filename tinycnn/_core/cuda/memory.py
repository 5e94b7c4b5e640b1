"""Where arrays lie. Mirrors reference/memory.py. Memory comes from CuPy's pool, which keeps what is
given back for the next array of that size."""

from ..reference.memory import _is_dense
from .backend import xp


def empty(shape, dtype):
    """An array of whatever the memory held."""
    return xp.empty(shape, dtype)


def empty_like(x, dtype=None, shape=None):
    """An array that lies in memory as `x` does."""
    return xp.empty_like(x, dtype, shape=shape)


def dense(x):
    """`x` itself if its elements fill one block of memory, else a copy that does."""
    return x if _is_dense(x) else x.copy("K")


def same_layout(x, like):
    """`x` with the strides of the dense array `like` of its shape; `x` itself if it has them."""
    if x.strides == like.strides or (x.flags.c_contiguous and like.flags.c_contiguous):
        return x
    y = xp.empty_like(like, dtype=x.dtype)
    y[...] = x
    return y
