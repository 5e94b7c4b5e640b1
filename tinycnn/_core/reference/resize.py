"""Resizing feature maps: each pixel of y is a weighted sum of a few pixels of x.

Shapes: x, grad_x (N, D, H, W, C); y, grad_y (N, OD, OH, OW, C). `axes` holds a `shapes.ResizeAxis`
for each of D, H, W; resize_table.py turns it into pixels and weights. All filters are separable:
one axis is resized after the other. The gradient is the same sum over the columns of the same
weights: it gathers, and nothing is scattered.
"""

import numpy as np

from .resize_table import resize_table


def resize_forward(x, y, axes):
    """y[o] = sum over p of weight[o, p] x[p] along each axis."""
    y[...] = _resize(x, axes, False)


def resize_backward(grad_y, grad_x, axes):
    """grad_x[p] = sum over o of weight[o, p] grad_y[o] along each axis."""
    grad_x[...] = _resize(grad_y, axes, True)


@np.errstate(all="ignore")
def _resize(x, axes, transposed):
    for number, axis in enumerate(axes, start=1):
        spans, weights = resize_table(axis, x.dtype, transposed)
        lines = np.moveaxis(x, number, 0)
        resized = np.zeros((len(spans), *lines.shape[1:]), x.dtype)
        for o, (first, end) in enumerate(spans):
            for p in range(first, end):
                resized[o] += weights[o, p - first] * lines[p]
        x = np.moveaxis(resized, 0, number)
    return x
