"""Windows of an image written out, and added up again: a copy for each place of the window.

`window` is a shapes.Window over D, H, W; what lies outside of the image is 0. In one layout pixels
of a channel lie side by side, as users see them, in the other the channels of a pixel:

    image    x (N, C, D, H, W)                   (N, D, H, W, C)
    windows  y (N, C, places, OD, OH, OW)        (OD, OH, OW, N, places, C)

places = KD * KH * KW of a window, row by row.
"""

from itertools import product

import numpy


def unfold(x, y, window):
    """y[:, :, place] = what all windows see at that place of them, pixels side by side"""
    for place, (d, h, w) in enumerate(_places(window, y.shape[3:])):
        y[:, :, place] = _padded(x, window, 2)[:, :, d, h, w]


def fold(y, x, window):
    """x = sum over the windows that hold a pixel of what they have of it, places in order"""
    wide = _padded(numpy.zeros_like(x), window, 2)
    for place, (d, h, w) in enumerate(_places(window, y.shape[3:])):
        wide[:, :, d, h, w] += y[:, :, place]
    x[...] = wide[(slice(None), slice(None), *_inside(x.shape[2:], window))]


def unfold_pixels(x, y, window):
    """As unfold, channels side by side."""
    for place, (d, h, w) in enumerate(_places(window, y.shape[:3])):
        y[:, :, :, :, place] = _padded(x, window, 1)[:, d, h, w].transpose(1, 2, 3, 0, 4)


def fold_pixels(y, x, window):
    """As fold, channels side by side."""
    wide = _padded(numpy.zeros_like(x), window, 1)
    for place, (d, h, w) in enumerate(_places(window, y.shape[:3])):
        wide[:, d, h, w] += y[:, :, :, :, place].transpose(3, 0, 1, 2, 4)
    x[...] = wide[(slice(None), *_inside(x.shape[1:4], window))]


def _places(window, out):
    """For each place of a window, which pixels of the padded image all windows see there."""
    for taps in product(*map(range, window.kernel)):
        yield [slice(t * d, t * d + (n - 1) * s + 1, s)
               for t, d, n, s in zip(taps, window.dilation, out, window.stride)]


def _padded(x, window, first):
    """x with zeros around the three axes from `first` on."""
    none = (0, 0)
    return numpy.pad(x, [*(none,) * first, *window.padding, *(none,) * (x.ndim - first - 3)])


def _inside(size, window):
    return [slice(low, low + n) for n, (low, _) in zip(size, window.padding)]
