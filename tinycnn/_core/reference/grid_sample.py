"""Sampling feature maps at the places that a grid names, and the gradients.

Shapes: x, grad_x (N, D, H, W, C); y, grad_y (N, OD, OH, OW, C); grid, grad_grid (N, OD, OH, OW, A),
A = 2 with (x, y) along W and H, or A = 3 with (x, y, z). Along each axis -1 is one edge of x and 1
the other: the middle of the pixel on the border if `align_corners`, else its outer side.

A place reads 1, 2 or 4 pixels along each axis, its taps, for "nearest", "bilinear", "bicubic". What
a tap counts for is the product of its weights along the axes. `padding` says what lies outside:
"zeros"; the pixel on the "border"; or the "reflection" of the picture at its edge. A coordinate
that is no number, or so large that it means none, reads zeros, or a pixel on the border.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

FAR = 1e9  # pixels from the edge beyond which nothing is reflected


class Taps(NamedTuple):
    """Of one axis, each (taps, N, OD, OH, OW)."""

    pixel: np.ndarray
    valid: np.ndarray  # whether there is such a pixel
    weight: np.ndarray
    slope: np.ndarray  # of the weight, with respect to the coordinate


def grid_sample_forward(x, grid, y, mode, padding, align_corners):
    """y[n, o] = sum over the taps of their weights * x[n, tap]."""
    y[...] = 0
    axes = _axes_of(x, grid, mode, padding, align_corners)
    for taps in _combinations(axes):
        weight = taps[0].weight * taps[1].weight * taps[2].weight
        y += weight[..., None] * _values(x, taps)


def grid_sample_backward(x, grid, grad_y, grad_x, grad_grid, mode, padding, align_corners):
    """grad_x[n, tap] = sum of weight * grad_y[n, o] over the places o that read it, in their order;
    grad_grid[n, o] = sum over taps and channels of the weight's slope * x[n, tap] * grad_y[n, o].
    Either may be None: it is not wanted."""
    axes = _axes_of(x, grid, mode, padding, align_corners)
    if grad_x is not None:
        _scatter(axes, grad_y, grad_x)
    if grad_grid is None:
        return
    grad_grid[...] = 0
    for taps in _combinations(axes):
        share = (_values(x, taps) * grad_y).sum(-1)
        for a in range(grid.shape[-1]):  # x is the last axis
            own, *others = taps[2 - a], *taps[: 2 - a], *taps[3 - a :]
            grad_grid[..., a] += own.slope * others[0].weight * others[1].weight * share


def _scatter(axes, grad_y, grad_x):
    grad_x[...] = 0
    for n, *o in np.ndindex(*grad_y.shape[:-1]):
        place = (n, *o)
        for taps in _combinations(axes):
            if all(t.valid[place] for t in taps):
                weight = taps[0].weight[place] * taps[1].weight[place] * taps[2].weight[place]
                pixel = tuple([t.pixel[place] for t in taps])
                grad_x[(n, *pixel)] += weight * grad_y[place]


def _combinations(axes):
    """The taps of a place, each with its part of all three axes."""
    for numbers in product(*[range(len(axis.pixel)) for axis in axes]):
        yield [Taps(*[field[i] for field in axis]) for axis, i in zip(axes, numbers)]


def _values(x, taps):
    """x at the taps, zeros where there is no pixel."""
    images = np.arange(len(x)).reshape(-1, 1, 1, 1)
    valid = taps[0].valid & taps[1].valid & taps[2].valid
    return np.where(valid[..., None], x[(images, *[t.pixel for t in taps])], 0)


@np.errstate(all="ignore")
def _axes_of(x, grid, mode, padding, align_corners):
    """The taps along D, H and W."""
    axes = [_taps(grid[..., a], x.shape[3 - a], mode, padding, align_corners)
            for a in range(grid.shape[-1])]
    if len(axes) == 2:
        one = np.ones((1, *grid.shape[:-1]), x.dtype)
        axes.append(Taps(np.zeros(one.shape, np.int64), one == 1, one, 0 * one))
    return axes[::-1]


def _taps(coordinate, size, mode, padding, align_corners):
    if align_corners:
        place, slope = (coordinate + 1) / 2 * (size - 1), (size - 1) / 2
    else:
        place, slope = ((coordinate + 1) * size - 1) / 2, size / 2
    place, slope = _near(place, size, padding), np.full_like(place, slope)
    if mode == "bicubic":
        low = np.floor(place)
        t = place - low
        pixels = [_padded(low + k, size, padding, align_corners)[0] for k in (-1, 0, 1, 2)]
        weights, slopes = _cubic(t)
    else:
        place, sign = _padded(place, size, padding, align_corners)
        low = np.floor(place)
        t, slope = place - low, slope * sign
        if mode == "nearest":
            pixels, weights, slopes = [np.rint(place)], [np.ones_like(t)], [np.zeros_like(t)]
        else:
            one = np.ones_like(t)
            pixels, weights, slopes = [low, low + 1], [1 - t, t], [-one, one]
    pixel = np.stack(pixels).astype(np.int64)
    valid = (pixel >= 0) & (pixel < size)
    return Taps(np.where(valid, pixel, 0), valid, np.where(valid, np.stack(weights), 0),
                np.where(valid, np.stack(slopes) * slope, 0))


def _near(place, size, padding):
    """The place, or one from which the same is seen: no integer is too small for it."""
    if padding == "reflection":
        return np.where(abs(place) < FAR, place, 0)
    place = np.where(place > -4, place, -4)  # NaN, too
    return np.where(place < size + 4, place, size + 4).astype(place.dtype)


def _padded(place, size, padding, align_corners):
    """(place inside the picture, its derivative) for places outside; as they are with "zeros"."""
    sign = np.ones_like(place)
    if padding == "zeros":
        return place, sign
    if padding == "reflection":
        edge, span = (0, size - 1) if align_corners else (-0.5, size)
        sign = np.where(place < edge, -sign, sign)
        place = abs(place - edge)
        turns = np.floor(place / max(span, 1))
        rest = np.fmod(place, max(span, 1))
        sign = np.where(turns % 2 == 1, -sign, sign)
        place = np.where(turns % 2 == 1, span - rest, rest) + edge
    sign = np.where((place > 0) & (place < size - 1), sign, 0)
    return np.clip(place, 0, size - 1), sign


def _cubic(t):
    """Weights of the pixels at -1, 0, 1, 2 for a place between 0 and 1, and their derivatives:
    Keys' cubic with a = -0.75."""
    a = -0.75
    weights, slopes = [], []
    for d, side in (t + 1, 1), (t, 1), (1 - t, -1), (2 - t, -1):
        near = d <= 1
        weights.append(np.where(near, ((a + 2) * d - (a + 3)) * d * d + 1,
                                ((d - 5) * d + 8) * d * a - 4 * a))
        slopes.append(side * np.where(near, (3 * (a + 2) * d - 2 * (a + 3)) * d,
                                      ((3 * d - 10) * d + 8) * a))
    return weights, slopes
