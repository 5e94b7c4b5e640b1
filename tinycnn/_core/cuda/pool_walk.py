"""How the threads of pooling find their pixel and its windows.

A thread takes one pixel and VECTOR channels of an array (N, D, H, W, C). What it needs to know lies
in a table of int32 numbers, made once for the windows and the channels: a header, and behind it the
windows of each axis. Rows have four numbers, which one instruction loads.

    header   0   C / VECTOR, its divisor's (factor, shift), C
             1   W of the pixels that threads take, its (factor, shift), W of the other array
             2   H, likewise
             3   D, likewise
             4   steps along D, H, W, and places of a window along W
             5   the windows' first row along D, H, W, and places of a window along H
             6   for a gradient: the pixels' first row along D, H, W
    windows  start, stop, count, 0             of each output: its pixels, see shapes.PoolAxis; but
             start, step, factor, shift        for the gradient of a maximum: its steps' divisor
    pixels   first, end, 0, 0                  of each input: the outputs that may hold it
"""

from __future__ import annotations

from math import prod

import numpy

from . import backend
from .kept import Kept, aligned, upload
from .primitives import device, divided, divisor, int32, int64, load

HEADER = 7
MOST_THREADS = 2**31 - 2**16  # pixels and chunks of channels are counted in int32

_tables = Kept(256)


@device
def pixel_of(table, i):
    """(n, d, h, w, first channel / VECTOR) of the i-th chunk of channels."""
    chunks, factor, shift, _ = load(table, 0, 4)
    rest = divided(i, factor, shift)
    chunk = int32(i - rest * chunks)
    W, factor, shift, _ = load(table, 4, 4)
    line = divided(rest, factor, shift)
    w = int32(rest - line * W)
    H, factor, shift, _ = load(table, 8, 4)
    plane = divided(line, factor, shift)
    h = int32(line - plane * H)
    D, factor, shift, _ = load(table, 12, 4)
    n = divided(plane, factor, shift)
    return n, int32(plane - n * D), h, w, chunk


@device
def other_line(table, n, d, h):
    """The first element of line (n, d, h) of the array that the thread does not write."""
    C, W = int64(table[3]), int64(table[7])
    return ((int64(n) * int64(table[15]) + int64(d)) * int64(table[11]) + int64(h)) * W * C


def launch(kernel, walk, arrays, axes, numbers, **constants):
    """Launch a kernel with a thread for each pixel and chunk of channels of the first array, for so
    many images at a time that int32 counts them.

    Args:    walk (str): "forward", where threads take pixels of the output, or "max backward" or
                 "avg backward", where they take pixels of the input.
             arrays (tuple): what the kernel is given behind the table, some of them None.
             numbers (tuple): what follows them.
             constants: the kernel's; VECTOR is the most that a thread takes.
    """
    taken = arrays[0]
    if not taken.size:
        return
    C, most = taken.shape[4], constants.pop("VECTOR", 16 // taken.itemsize)
    vector = most if C % most == 0 and aligned(*[a for a in arrays if a is not None]) else 1
    table = _tables.get((walk, axes, C, vector), lambda: upload(_table(walk, axes, C, vector)),
                        backend.recording)
    images = max(MOST_THREADS // (prod(taken.shape[1:]) // vector), 1)
    for first in range(0, len(taken), images):
        if len(taken) > images:
            part = [a if a is None else a[first:first + images] for a in arrays]
        else:
            part = arrays
        count = part[0].size // vector
        kernel.launch(kernel.blocks(count), (table, *part, *numbers, count), VECTOR=vector,
                      **constants)


def _table(walk, axes, C, vector):
    backwards = walk != "forward"
    sizes = [(axis.size, axis.out) if backwards else (axis.out, axis.size) for axis in axes]
    chunks = C // vector
    header = [(chunks, *divisor(chunks), C)]
    header += [(mine, *divisor(mine), other) for mine, other in reversed(sizes)]
    parts = [stepped(axis) if walk == "max backward" else windows_of(axis) for axis in axes]
    parts += map(holders_of, axes) if backwards else []
    places = [HEADER + sum(map(len, parts[:i])) for i in range(6)]
    header += [(*[axis.step for axis in axes], max(axes[2].kernel, 1)),
               (*places[:3], max(axes[1].kernel, 1)), (*places[3:], 0)]
    return numpy.concatenate([numpy.array(header, numpy.int64), *parts]).astype(numpy.int32)


def windows_of(axis):
    """(start, stop, count, 0) of each output: axis.windows() as an array."""
    i = numpy.arange(axis.out, dtype=numpy.int64)
    first = (i * axis.stride - axis.before) // axis.share
    end = (i * axis.stride + axis.behind) // axis.share
    border = axis.border
    counted = numpy.maximum(first, (first + border) % axis.step - border)
    count = -(-(numpy.minimum(end, axis.size + border) - counted) // axis.step)
    return numpy.stack([numpy.maximum(first, first % axis.step), numpy.minimum(end, axis.size),
                        numpy.maximum(count, 0), 0 * i], axis=1)


def stepped(axis):
    """(start, step, factor, shift) of each output, with (factor, shift) = divisor(step)."""
    rows = windows_of(axis)
    rows[:, 1:] = axis.step, *divisor(axis.step)
    return rows


def holders_of(axis):
    """(first, end, 0, 0) of each pixel: outputs whose windows begin at or in front of it and end
    behind it. With steps they may still pass over it."""
    behind = (numpy.arange(axis.size, dtype=numpy.int64) + 1) * axis.share
    first = -((axis.behind - behind) // axis.stride)
    end = (behind - 1 + axis.before) // axis.stride + 1
    zero = 0 * behind
    return numpy.stack([*numpy.clip((first, end), 0, axis.out), zero, zero], axis=1)
