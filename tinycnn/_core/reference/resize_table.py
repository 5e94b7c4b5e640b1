"""What resizing reads along one axis: for each place of the output a few pixels and their weights.

Place i of the output lies at pixel (i + 0.5) / scale - 0.5 of the input, or, where corners are
aligned, at i * (size - 1) / (out - 1). A filter says what the pixels around it count for:

    nearest         1 for pixel floor(i / scale)
    nearest-exact   1 for pixel floor((i + 0.5) / scale), the one whose middle is nearest
    linear          1 - |d| at a distance of d pixels
    cubic           of 4 pixels, Keys' cubic with a = -0.75; antialiased, a = -0.5
    lanczos         sinc(d) sinc(d / 3), antialiased only

Places and weights are computed in the dtype of the feature maps, as PyTorch does it: which pixel is
nearest may hang on the last bit. What lies outside counts as the pixel on the border; antialiased,
it does not count at all.

Source: Keys 1981, "Cubic convolution interpolation for digital image processing".
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..shapes import ResizeAxis


class ResizeTable(NamedTuple):
    """Row i: pixels spans[i, 0] <= p < spans[i, 1], weights[i, p - spans[i, 0]]; zeros behind."""

    spans: np.ndarray  # int32 (out, 2)
    weights: np.ndarray  # (out, most pixels of a row)


@lru_cache(maxsize=256)
def resize_table(axis, dtype, transposed=False) -> ResizeTable:
    """The table of a `shapes.ResizeAxis`; `transposed`, of its gradient: for each pixel of the
    input the places of the output that it counts for."""
    if axis.out == axis.size and (axis.antialias or axis.filter == "linear"):
        axis = ResizeAxis(axis.size, axis.out)  # whatever the scale: a copy
    make = _antialiased if axis.antialias else _nearest if "nearest" in axis.filter else _around
    first, weights = _trimmed(*make(axis, np.dtype(dtype).type))
    if transposed:
        first, weights = _transposed(first, weights, axis.size)
    ends = first + weights.shape[1] - _zeros(weights[:, ::-1])
    spans = np.stack([first, np.maximum(ends, first)], axis=1).astype(np.int32)
    spans.flags.writeable = weights.flags.writeable = False
    return ResizeTable(spans, weights)


def _step(axis, T):
    """Pixels from one place to the next."""
    if axis.align_corners:
        return T(axis.size - 1) / T(axis.out - 1) if axis.out > 1 else T(0)
    return T(1 / axis.scale) if axis.scale else T(axis.size) / T(axis.out)


def _nearest(axis, T):
    i = np.arange(axis.out).astype(T)
    place = _step(axis, T) * (i + T(0.5) if axis.filter == "nearest-exact" else i)
    pixel = np.floor(place.astype(np.float32))  # as PyTorch: 2.9999999999999996 is 3
    return np.minimum(pixel, axis.size - 1).astype(np.int64), np.ones((axis.out, 1), T)


def _around(axis, T):
    """The two pixels, or four, around each place."""
    step, i = _step(axis, T), np.arange(axis.out).astype(T)
    place = step * i if axis.align_corners else step * (i + T(0.5)) - T(0.5)
    if axis.filter == "linear":
        place = np.maximum(place, T(0))
    pixel = np.minimum(np.floor(place), T(axis.size - 1))
    t = np.clip(place - pixel, T(0), T(1))
    if axis.filter == "linear":
        taps, weights = (0, 1), (T(1) - t, t)
    else:
        taps = (-1, 0, 1, 2)
        weights = [_keys(d, T(-0.75)) for d in (t + T(1), t, T(1) - t, T(2) - t)]
    pixels = pixel.astype(np.int64)[:, None] + np.array(taps)
    pixels = np.clip(pixels, 0, axis.size - 1)
    first, merged = pixels[:, 0], np.zeros(pixels.shape, T)
    for k, weight in enumerate(weights):  # several taps may be the pixel on the border
        merged[np.arange(axis.out), pixels[:, k] - first] += weight
    return first, merged


def _keys(d, a):
    """Keys' cubic at a distance of d, |d| <= 2."""
    d = abs(d)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, far)


_FILTERS = {  # (pixels on each side, weight at a distance of d)
    "linear": (1, lambda d: 1 - abs(d)),
    "cubic": (2, lambda d: _keys(d, d.dtype.type(-0.5))),
    "lanczos": (3, lambda d: np.sinc(d) * np.sinc(d / 3)),
}


def _antialiased(axis, T):
    """A filter as wide as one place of the output, but never narrower than a pixel; its weights add
    up to 1."""
    reach, weight = _FILTERS[axis.filter]
    step = _step(axis, T)
    wide = max(step, T(1))
    support = T(reach * wide)
    middle = (float(step) * (np.arange(axis.out) + 0.5)).astype(T)
    first = np.maximum((middle - support + 0.5).astype(np.int64), 0)
    end = np.minimum((middle + support + 0.5).astype(np.int64), axis.size)
    most = max(int((end - first).max(initial=0)), 1)
    pixels = first[:, None] + np.arange(most)
    d = ((pixels - middle[:, None].astype(float) + 0.5) / float(wide)).astype(T)
    weights = np.where((pixels < end[:, None]) & (abs(d) < reach), weight(d), T(0)).astype(T)
    total = weights.sum(axis=1, keepdims=True)
    return first, weights / np.where(total == 0, T(1), total)


def _zeros(weights):
    """How many zeros each row begins with."""
    return np.where((weights != 0).any(axis=1), (weights != 0).argmax(axis=1), weights.shape[1])


def _trimmed(first, weights):
    """The same without zeros in front: a pixel that does not count is not read."""
    most = weights.shape[1]
    skip = _zeros(weights) % most
    place = np.arange(most) + skip[:, None]
    found = np.take_along_axis(weights, np.minimum(place, most - 1), axis=1)
    return first + skip, np.where(place < most, found, 0).astype(weights.dtype)


def _transposed(first, weights, size):
    """(first, weights) of the columns of the matrix whose rows these are."""
    i, k = np.nonzero(weights)
    pixel = first[i] + k
    low, high = np.full(size, len(first)), np.zeros(size, np.int64)
    np.minimum.at(low, pixel, i)
    np.maximum.at(high, pixel, i + 1)
    low = np.minimum(low, high)
    columns = np.zeros((size, max(int((high - low).max(initial=0)), 1)), weights.dtype)
    columns[pixel, i - low[pixel]] = weights[i, k]
    return low, columns
