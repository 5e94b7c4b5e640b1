"""Pooling: one value per window and channel, the largest or the average.

Shapes: x, grad_x (N, D, H, W, C); y, grad_y, position (N, OD, OH, OW, C). `axes` holds one
`shapes.PoolAxis` for each of D, H, W: it says which pixels output i sees, so that fixed windows,
windows clipped by padding and adaptive windows are one loop.
"""

import numpy as np


def max_pool_forward(x, y, position, axes):
    """y = largest value of each window; position = its place there, unless position is None.

    Places count row by row, (d * KH + h) * KW + w, from the window's first pixel inside the input.
    Of equal values the first is kept; NaN counts as larger than anything, and the last is kept.
    """
    for out, window, places in _windows(axes):
        values = x[(slice(None), *window)].reshape(len(x), len(places), x.shape[-1])
        is_nan = np.isnan(values)
        last_nan = len(places) - 1 - is_nan[:, ::-1].argmax(axis=1)
        best = np.where(is_nan.any(axis=1), last_nan, values.argmax(axis=1))
        y[out] = np.take_along_axis(values, best[:, None], axis=1)[:, 0]
        if position is not None:
            position[out] = places[best]


@np.errstate(all="ignore")
def max_pool_backward(grad_y, position, grad_x, axes):
    """grad_x = sum of grad_y over the windows in which that pixel was the largest."""
    grad_x[...] = 0
    for out, window, places in _windows(axes):
        chosen = position[out][:, None] == places[:, None]  # (N, places, C)
        part = grad_x[(slice(None), *window)]
        part += np.where(chosen, grad_y[out][:, None], 0).reshape(part.shape)


def max_pool_indices(position, indices, axes, size):
    """indices = (d * H + h) * W + w of the pixel at `position`, size = (D, H, W) of the input."""
    place, flat = position.astype(indices.dtype), 0
    odometer = []
    for axis in reversed(axes):  # the innermost digit of position first
        kernel = max(axis.kernel, 1)
        odometer.insert(0, place % kernel)
        place = place // kernel
    for i, (axis, digit) in enumerate(zip(axes, odometer)):
        first = (np.arange(axis.out, dtype=indices.dtype) * axis.stride - axis.before) // axis.share
        start = np.maximum(first, first % axis.step).reshape((-1,) + (1,) * (3 - i))
        flat = flat * size[i] + start + digit * axis.step
    indices[...] = flat


@np.errstate(all="ignore")
def avg_pool_forward(x, y, axes, divisor):
    """y = sum of each window / divisor, by default the product of the axes' counts."""
    counts = _counts(axes)
    for out, window, _ in _windows(axes):
        total = x[(slice(None), *window)].sum(axis=(1, 2, 3))
        y[out] = total / _divisor(out, counts, divisor)


@np.errstate(all="ignore")
def avg_pool_backward(grad_y, grad_x, axes, divisor):
    """grad_x = sum of grad_y / divisor over the windows that hold that pixel."""
    counts = _counts(axes)
    grad_x[...] = 0
    for out, window, _ in _windows(axes):
        share = grad_y[out] / _divisor(out, counts, divisor)
        grad_x[(slice(None), *window)] += share[:, None, None, None]


def _windows(axes):
    """Each output's index, the slices of its window, and its pixels' places in row order."""
    bounds = [axis.windows() for axis in axes]
    for od, oh, ow in np.ndindex(*map(len, bounds)):
        out = (od, oh, ow)
        window = [slice(*b[i][:2], a.step) for a, b, i in zip(axes, bounds, out)]
        d, h, w = [np.arange(len(range(s.start, s.stop, s.step))) for s in window]
        places = (d[:, None, None] * axes[1].kernel + h[:, None]) * axes[2].kernel + w
        yield (slice(None), *out), window, places.ravel()


def _counts(axes):
    return [[count for _, _, count in axis.windows()] for axis in axes]


def _divisor(out, counts, divisor):
    """As a float: the product may not fit into an integer."""
    if divisor is not None:
        return float(divisor)
    return float(counts[0][out[1]] * counts[1][out[2]] * counts[2][out[3]])
