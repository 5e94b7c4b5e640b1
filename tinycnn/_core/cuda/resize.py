"""Resizing feature maps: each pixel a weighted sum of a few pixels. Mirrors reference/resize.py.

A thread takes one pixel of what is written, and as many channels as 16 bytes hold where that
divides C, else one. A gradient is the same kernel with the tables transposed: a gather.

    spans    0   C / VECTOR, its divisor's (factor, shift), C        as in pool_walk.py
             1   W of what is written, its (factor, shift), W of what is read
             2   H, likewise
             3   D, likewise
             4   first row below of D, H, W, 0
             5   (first, end, where its weights begin, 0) of each place of D, then of H, of W
"""

from __future__ import annotations

from math import prod

import numpy

from ..reference.resize_table import resize_table
from . import backend, pool_walk
from .kept import Kept, aligned, upload
from .kernel import FLOATS, kernel
from .pool_walk import other_line, pixel_of
from .primitives import (
    Ptr,
    T,
    combine,
    device,
    divisor,
    full,
    int32,
    int64,
    load,
    store,
    thread_of_grid,
)

VECTOR = 1  # channels of a thread
HEADER = 5

PLAIN = [{**floats, "VECTOR": vector} for floats in FLOATS
         for vector in (1, 16 // floats["T"].itemsize)]

_tables = Kept(256)


@device
def add_weighted(total, value, weight):
    return total + value * weight


@kernel(variants=PLAIN)
def resize_kernel(table: Ptr[int32], y: Ptr[T], x: Ptr[T], weights: Ptr[T], threads: int32):
    i = int32(thread_of_grid())
    if i >= threads:
        return
    n, od, oh, ow, chunk = pixel_of(table, i)
    row_d, row_h, row_w, _ = load(table, 16, 4)
    d, end_d, of_d, _ = load(table, 4 * (row_d + od), 4)
    first_h, end_h, first_of_h, _ = load(table, 4 * (row_h + oh), 4)
    first_w, end_w, first_of_w, _ = load(table, 4 * (row_w + ow), 4)
    C = int64(table[3])
    total = full(VECTOR, T(0))
    while d < end_d:
        h, of_h = first_h, first_of_h
        while h < end_h:
            at = other_line(table, n, d, h) + int64(chunk) * VECTOR
            weight = weights[of_d] * weights[of_h]
            w, of_w = first_w, first_of_w
            while w < end_w:
                total = combine(add_weighted, (total, load(x, at + w * C, VECTOR)),
                                (weight * weights[of_w],))
                w, of_w = int32(w + 1), int32(of_w + 1)
            h, of_h = int32(h + 1), int32(of_h + 1)
        d, of_d = int32(d + 1), int32(of_d + 1)
    store(y, int64(i) * VECTOR, total)


def resize_forward(x, y, axes):
    _launch(x, y, axes, False)


def resize_backward(grad_y, grad_x, axes):
    _launch(grad_y, grad_x, axes, True)


def _launch(x, y, axes, transposed):
    """A thread for each pixel and chunk of channels, for so many images at a time that int32 counts
    them."""
    if not y.size:
        return
    C, most = y.shape[4], 16 // y.itemsize
    vector = most if C % most == 0 and aligned(x, y) else 1
    table, weights = _tables.get(
        (axes, C, vector, y.dtype, transposed),
        lambda: _uploaded(axes, C, vector, y.dtype, transposed), backend.recording)
    images = max(pool_walk.MOST_THREADS // (prod(y.shape[1:]) // vector), 1)
    for first in range(0, len(y), images):
        part = y[first:first + images]
        count = part.size // vector
        resize_kernel.launch(
            resize_kernel.blocks(count), (table, part, x[first:first + images], weights, count),
            T=y.dtype, VECTOR=vector)


def _uploaded(axes, C, vector, dtype, transposed):
    chunks, tables = C // vector, [resize_table(axis, dtype, transposed) for axis in axes]
    header = [(chunks, *divisor(chunks), C)]
    for axis in reversed(axes):
        taken, other = (axis.size, axis.out) if transposed else (axis.out, axis.size)
        header.append((taken, *divisor(taken), other))
    parts, weights, row, at = [], [], HEADER, 0
    rows = []
    for table in tables:
        places, most = table.weights.shape
        begin = at + most * numpy.arange(places)
        parts.append(numpy.stack([*table.spans.T, begin, 0 * begin], axis=1))
        weights.append(table.weights.ravel())
        rows.append(row)
        row, at = row + places, at + places * most
    header.append((*rows, 0))
    whole = numpy.concatenate([numpy.array(header, numpy.int64), *parts]).astype(numpy.int32)
    return upload(whole), upload(numpy.concatenate(weights))
