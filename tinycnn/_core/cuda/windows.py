"""Windows of an image written out, and added up again: a thread for each number of the result.
Mirrors reference/windows.py, whose layouts are drawn there.

A table holds what a thread needs to know of each axis D, H, W: size, out, kernel, stride, low
padding, dilation.
"""

from __future__ import annotations

from math import prod

import numpy

from . import backend
from .kept import Kept, upload
from .kernel import FLOATS, kernel
from .primitives import Ptr, T, device, int32, int64, thread_of_grid

PIXELS = 0  # 1: the channels of a pixel lie side by side
VARIANTS = [{**floats, "PIXELS": pixels} for floats in FLOATS for pixels in (0, 1)]

_tables = Kept(256)


@device
def digit(i, n):
    """(i // n, i % n)"""
    rest = i // n
    return rest, i - rest * n


@device
def pixel_of(table, axis, window, place):
    """Where place `place` of a window lies along an axis, -1 if that is not in the image."""
    at = window * table[6 * axis + 3] + place * table[6 * axis + 5] - table[6 * axis + 4]
    return at if at < table[6 * axis] else int64(-1)


@device
def window_of(table, axis, pixel, place):
    """The window whose place `place` is a pixel, -1 if there is none."""
    at, stride = pixel + table[6 * axis + 4] - place * table[6 * axis + 5], table[6 * axis + 3]
    window = at // stride
    fits = at >= 0 and window * stride == at and window < table[6 * axis + 1]
    return window if fits else int64(-1)


@kernel(variants=VARIANTS)
def unfold_kernel(table: Ptr[int32], x: Ptr[T], y: Ptr[T], N: int64, C: int64, n: int64):
    i = thread_of_grid()
    if i >= n:
        return
    KD, KH, KW = int64(table[2]), int64(table[8]), int64(table[14])
    D, H, W = int64(table[0]), int64(table[6]), int64(table[12])
    rest = i
    c, image = int64(0), int64(0)
    if PIXELS:
        rest, c = digit(rest, C)
        rest, kw = digit(rest, KW)
        rest, kh = digit(rest, KH)
        rest, kd = digit(rest, KD)
        rest, image = digit(rest, N)
    rest, ow = digit(rest, int64(table[13]))
    rest, oh = digit(rest, int64(table[7]))
    rest, od = digit(rest, int64(table[1]))
    if not PIXELS:
        rest, kw = digit(rest, KW)
        rest, kh = digit(rest, KH)
        rest, kd = digit(rest, KD)
        image = rest  # and channel
    d, h, w = pixel_of(table, 0, od, kd), pixel_of(table, 1, oh, kh), pixel_of(table, 2, ow, kw)
    inside = d >= 0 and h >= 0 and w >= 0
    at = ((image * D + d) * H + h) * W + w
    if PIXELS:
        at = at * C + c
    y[i] = x[at] if inside else T(0)


@kernel(variants=VARIANTS)
def fold_kernel(table: Ptr[int32], y: Ptr[T], x: Ptr[T], N: int64, C: int64, n: int64):
    i = thread_of_grid()
    if i >= n:
        return
    OD, OH, OW = int64(table[1]), int64(table[7]), int64(table[13])
    KD, KH, KW = int64(table[2]), int64(table[8]), int64(table[14])
    rest, c = i, int64(0)
    if PIXELS:
        rest, c = digit(rest, C)
    rest, w = digit(rest, int64(table[12]))
    rest, h = digit(rest, int64(table[6]))
    image, d = digit(rest, int64(table[0]))
    total = T(0)
    for kd in range(KD):
        od = window_of(table, 0, d, kd)
        for kh in range(KH if od >= 0 else int64(0)):
            oh = window_of(table, 1, h, kh)
            for kw in range(KW if oh >= 0 else int64(0)):
                ow = window_of(table, 2, w, kw)
                if ow >= 0:
                    place, output = (kd * KH + kh) * KW + kw, (od * OH + oh) * OW + ow
                    if PIXELS:
                        total += y[((output * N + image) * (KD * KH * KW) + place) * C + c]
                    else:
                        total += y[(image * (KD * KH * KW) + place) * (OD * OH * OW) + output]
    x[i] = total


def _launch(kernel, arrays, size, out, images, channels, window, pixels):
    def table():
        rows = [(n, o, k, s, low, d) for n, o, k, s, (low, _), d in
                zip(size, out, window.kernel, window.stride, window.padding, window.dilation)]
        return upload(numpy.array(rows, numpy.int32))

    there = _tables.get((size, out, window[:4]), table, backend.recording)
    n = prod(arrays[1].shape)
    kernel.launch(kernel.blocks(n), (there, *arrays, images, channels, n), T=arrays[0].dtype,
                  PIXELS=pixels)


def unfold(x, y, window):
    _launch(unfold_kernel, (x, y), x.shape[2:], y.shape[3:], *x.shape[:2], window, 0)


def fold(y, x, window):
    _launch(fold_kernel, (y, x), x.shape[2:], y.shape[3:], *x.shape[:2], window, 0)


def unfold_pixels(x, y, window):
    _launch(unfold_kernel, (x, y), x.shape[1:4], y.shape[:3], len(x), x.shape[4], window, 1)


def fold_pixels(y, x, window):
    _launch(fold_kernel, (y, x), x.shape[1:4], y.shape[:3], len(x), x.shape[4], window, 1)
