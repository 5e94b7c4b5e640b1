"""Where results lie: new arrays whose contents are whatever the memory held."""

import numpy


def empty(shape, dtype):
    """An array of whatever the memory held."""
    return numpy.empty(shape, dtype)


def empty_like(x, dtype=None, shape=None):
    """An array that lies in memory as `x` does."""
    return numpy.empty_like(x, dtype, shape=shape)
