"""PReLU: a leaky ReLU with a slope for each channel, or one for all.

x, y, grad_y and grad_x are dense arrays of one layout in whose memory the channels of a pixel lie
side by side: element i in memory belongs to channel i mod C, for weight and grad_weight (C,).
"""

import numpy

from .random import flat

_quiet = numpy.errstate(all="ignore")


def _rows(x, weight):
    """The memory of x as (M, C)."""
    return flat(x).reshape(-1, weight.size)


@_quiet
def prelu_forward(x, weight, y):
    """y = x where x > 0, else weight[c] * x"""
    x, y = _rows(x, weight), _rows(y, weight)
    y[...] = numpy.where(x > 0, x, weight.reshape(-1) * x)


@_quiet
def prelu_backward(x, weight, grad_y, grad_x, grad_weight):
    """grad_x = grad_y where x > 0, else weight[c] * grad_y
    grad_weight[c] = sum over pixels of x * grad_y where x is not > 0

    grad_x, grad_weight  OUT  or None
    """
    x, grad_y = _rows(x, weight), _rows(grad_y, weight)
    if grad_x is not None:
        _rows(grad_x, weight)[...] = numpy.where(x > 0, grad_y, weight.reshape(-1) * grad_y)
    if grad_weight is not None:
        products = numpy.where(x > 0, 0, x * grad_y)
        grad_weight.reshape(-1)[...] = products.sum(axis=0, dtype=numpy.float64)
