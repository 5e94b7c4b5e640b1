"""Unpooling: values put back to where they were the largest.

Shapes: x, grad_x and index (N, D, H, W, C), what pooling made; y, grad_y (N, OD, OH, OW, C), of the
size of what was pooled. index int64 = (d * OH + h) * OW + w of a pixel of y.
"""

import numpy


def max_unpool_forward(x, index, y):
    """y = 0, but at the pixel `index` of each channel the value of x. Where several values go to
    one pixel, the last one stays, in the order of rows.

    returns  False if an index is out of range
    """
    size = y.shape[1] * y.shape[2] * y.shape[3]
    if ((index < 0) | (index >= size)).any():
        return False
    y[...] = 0
    pixels, places, values = _flat(y), _flat(index), _flat(x)
    for i in range(places.shape[1]):
        at = slice(i, i + 1)
        numpy.put_along_axis(pixels, places[:, at], values[:, at], 1)
    return True


def max_unpool_backward(grad_y, index, grad_x):
    """grad_x = grad_y at `index`: of several values that went to one pixel, each gets its gradient.
    0 for an index that is out of range."""
    pixels, places = _flat(grad_y), _flat(index)
    inside = (places >= 0) & (places < pixels.shape[1])
    if inside.any():
        found = numpy.take_along_axis(pixels, numpy.where(inside, places, 0), 1)
        _flat(grad_x)[...] = numpy.where(inside, found, 0)
    else:
        grad_x[...] = 0


def _flat(x):
    """(N, D, H, W, C) as (N, D * H * W, C): a view."""
    return x.reshape(len(x), x.shape[1] * x.shape[2] * x.shape[3], x.shape[4])
