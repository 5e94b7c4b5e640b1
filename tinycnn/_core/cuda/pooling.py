"""Pooling: one value per window and channel, the largest or the average. Mirrors
reference/pooling.py.

A thread takes one pixel, of the output in forward and of the input in backward, and as many
channels as 16 bytes hold where that divides C, else one. Backward gathers: an input looks for the
windows that hold it, in order, so that nothing is written twice.
"""

from __future__ import annotations

import math

import numpy

from . import pool_walk
from .global_average import global_average, is_global, over
from .kernel import FLOATS, kernel
from .pool_walk import other_line, pixel_of
from .primitives import (
    Ptr,
    T,
    combine,
    device,
    divided,
    each,
    full,
    int32,
    int64,
    load,
    quotient,
    store,
    thread_of_grid,
    uint8,
)

VECTOR = 1  # channels of a thread
POSITION = uint8  # or int32
INFINITY = math.inf

PLAIN = [{**floats, "VECTOR": vector} for floats in FLOATS
         for vector in (1, 16 // floats["T"].itemsize)]
PLACED = [{**plain, "POSITION": dtype} for plain in PLAIN
          for dtype in (numpy.dtype("uint8"), numpy.dtype("int32"))]


@device
def larger(best, value, place):
    """The larger of (number, place) and another one. NaN counts as larger than anything."""
    if value > best[0] or value != value:
        return value, place
    return best


@device
def number_of(best):
    return best[0]


@device
def position_of(best):
    return POSITION(best[1])


@kernel(min_blocks=4, variants=PLACED)
def max_pool_kernel(table: Ptr[int32], y: Ptr[T], position: Ptr[POSITION], x: Ptr[T],
                    with_position: int32, threads: int32):
    i = int32(thread_of_grid())
    if i >= threads:
        return
    n, od, oh, ow, chunk = pixel_of(table, i)
    step_d, step_h, step_w, KW = load(table, 16, 4)
    row_d, row_h, row_w, KH = load(table, 20, 4)
    d, end_d, _, _ = load(table, 4 * (row_d + od), 4)
    first_h, end_h, _, _ = load(table, 4 * (row_h + oh), 4)
    first_w, end_w, _, _ = load(table, 4 * (row_w + ow), 4)
    C, plane = int64(table[3]), int32(0)
    best = full(VECTOR, (T(-INFINITY), int32(0)))
    while d < end_d:
        h, line = first_h, plane
        while h < end_h:
            at = other_line(table, n, d, h) + int64(chunk) * VECTOR
            w, place = first_w, line
            while w < end_w:  # two at a time; the last may be seen twice
                more = int32(w + step_w < end_w)
                a, b = load(x, at + w * C, VECTOR), load(x, at + (w + more * step_w) * C, VECTOR)
                best = combine(larger, (best, a), (place,))
                best = combine(larger, (best, b), (int32(place + more),))
                w, place = int32(w + 2 * step_w), int32(place + 2)
            h, line = int32(h + step_h), int32(line + KW)
        d, plane = int32(d + step_d), int32(plane + KH * KW)
    at = int64(i) * VECTOR
    store(y, at, each(number_of, best, ()))
    if with_position:
        store(position, at, each(position_of, best, ()))


def max_pool_forward(x, y, position, axes):
    dtype = numpy.dtype("uint8") if position is None else position.dtype
    pool_walk.launch(max_pool_kernel, "forward", (y, position, x), axes, (position is not None,),
                     T=x.dtype, POSITION=dtype)


@device
def place_in(table, row, pixel):
    """Which place of a window a pixel is, or -1 if the window's steps pass over it."""
    start, step, factor, shift = load(table, 4 * row, 4)
    distance = int32(pixel - start)
    if distance < 0:
        return int32(-1)
    place = divided(distance, factor, shift)
    return place if place * step == distance else int32(-1)


@device
def add_if(total, value, position, place):
    return total + (value if int32(position) == place else T(0))


@kernel(min_blocks=4, variants=PLACED)
def max_pool_backward_kernel(table: Ptr[int32], grad_x: Ptr[T], grad_y: Ptr[T],
                             position: Ptr[POSITION], threads: int32):
    i = int32(thread_of_grid())
    if i >= threads:
        return
    n, d, h, w, chunk = pixel_of(table, i)
    KW = table[19]
    row_d, row_h, row_w, KH = load(table, 20, 4)
    rows_d, rows_h, rows_w, _ = load(table, 24, 4)
    od, end_d, _, _ = load(table, 4 * (rows_d + d), 4)
    first_h, end_h, _, _ = load(table, 4 * (rows_h + h), 4)
    first_w, end_w, _, _ = load(table, 4 * (rows_w + w), 4)
    C = int64(table[3])
    total = full(VECTOR, T(0))
    while od < end_d:
        kd = place_in(table, row_d + od, d)
        oh = first_h if kd >= 0 else end_h
        while oh < end_h:
            kh = place_in(table, row_h + oh, h)
            at = other_line(table, n, od, oh) + int64(chunk) * VECTOR
            ow = first_w if kh >= 0 else end_w
            while ow < end_w:
                kw = place_in(table, row_w + ow, w)
                if kw >= 0:
                    place = int32((kd * KH + kh) * KW + kw)
                    total = combine(add_if, (total, load(grad_y, at + ow * C, VECTOR),
                                             load(position, at + ow * C, VECTOR)), (place,))
                ow = int32(ow + 1)
            oh = int32(oh + 1)
        od = int32(od + 1)
    store(grad_x, int64(i) * VECTOR, total)


def max_pool_backward(grad_y, position, grad_x, axes):
    pool_walk.launch(max_pool_backward_kernel, "max backward", (grad_x, grad_y, position), axes, (),
                     T=grad_x.dtype, POSITION=position.dtype)


INDEXED = [{"POSITION": numpy.dtype(name), "VECTOR": 1} for name in ("uint8", "int32")]


@kernel(variants=INDEXED)
def max_pool_indices_kernel(table: Ptr[int32], indices: Ptr[int64], position: Ptr[POSITION],
                            threads: int32):
    i = int32(thread_of_grid())
    if i >= threads:
        return
    _, od, oh, ow, _ = pixel_of(table, i)
    step_d, step_h, step_w, KW = load(table, 16, 4)
    row_d, row_h, row_w, KH = load(table, 20, 4)
    place = int32(position[i])
    line = quotient(place, KW)
    plane = quotient(line, KH)
    w = table[4 * (row_w + ow)] + (place - line * KW) * step_w
    h = table[4 * (row_h + oh)] + (line - plane * KH) * step_h
    d = table[4 * (row_d + od)] + plane * step_d
    indices[i] = (int64(d) * int64(table[11]) + int64(h)) * int64(table[7]) + int64(w)


def max_pool_indices(position, indices, axes, size):
    pool_walk.launch(max_pool_indices_kernel, "forward", (indices, position), axes, (),
                     VECTOR=1, POSITION=position.dtype)


@device
def add_both(total, a, b, more):
    return total + a + b if more else total + a


@device
def count_of(divisor, count_d, count_h, count_w):
    """What a sum is divided by: `divisor` if it is not 0, else the product of the counts, which may
    not fit into an integer."""
    if divisor != T(0):
        return divisor
    return T(count_d) * T(count_h) * T(count_w)


@kernel(min_blocks=5, variants=PLAIN)
def avg_pool_kernel(table: Ptr[int32], y: Ptr[T], x: Ptr[T], divisor: T, threads: int32):
    i = int32(thread_of_grid())
    if i >= threads:
        return
    n, od, oh, ow, chunk = pixel_of(table, i)
    row_d, row_h, row_w, _ = load(table, 20, 4)
    d, end_d, count_d, _ = load(table, 4 * (row_d + od), 4)
    first_h, end_h, count_h, _ = load(table, 4 * (row_h + oh), 4)
    first_w, end_w, count_w, _ = load(table, 4 * (row_w + ow), 4)
    step_d, step_h, step_w, _ = load(table, 16, 4)
    C = int64(table[3])
    total = full(VECTOR, T(0))
    while d < end_d:
        h = first_h
        while h < end_h:
            at = other_line(table, n, d, h) + int64(chunk) * VECTOR
            w = first_w
            while w < end_w:  # two at a time
                more = int32(w + step_w < end_w)
                a, b = load(x, at + w * C, VECTOR), load(x, at + (w + more * step_w) * C, VECTOR)
                total = combine(add_both, (total, a, b), (more,))
                w = int32(w + 2 * step_w)
            h = int32(h + step_h)
        d = int32(d + step_d)
    count = count_of(divisor, count_d, count_h, count_w)
    store(y, int64(i) * VECTOR, each(over, total, (count,)))


def avg_pool_forward(x, y, axes, divisor):
    if is_global(axes):
        global_average(x, y, axes, divisor)
        return
    pool_walk.launch(avg_pool_kernel, "forward", (y, x), axes, (divisor or 0,), T=x.dtype)


@device
def add_share(total, value, factor):
    return total + value * factor


@kernel(min_blocks=3, variants=PLAIN)
def avg_pool_backward_kernel(table: Ptr[int32], grad_x: Ptr[T], grad_y: Ptr[T], divisor: T,
                             threads: int32):
    """Windows of an average have no steps: all between the first and the last hold the pixel."""
    i = int32(thread_of_grid())
    if i >= threads:
        return
    n, d, h, w, chunk = pixel_of(table, i)
    row_d, row_h, row_w, _ = load(table, 20, 4)
    rows_d, rows_h, rows_w, _ = load(table, 24, 4)
    od, end_d, _, _ = load(table, 4 * (rows_d + d), 4)
    first_h, end_h, _, _ = load(table, 4 * (rows_h + h), 4)
    first_w, end_w, _, _ = load(table, 4 * (rows_w + w), 4)
    C = int64(table[3])
    total = full(VECTOR, T(0))
    while od < end_d:
        oh = first_h
        while oh < end_h:
            at = other_line(table, n, od, oh) + int64(chunk) * VECTOR
            ow = first_w
            while ow < end_w:
                count = count_of(divisor, table[4 * (row_d + od) + 2], table[4 * (row_h + oh) + 2],
                                 table[4 * (row_w + ow) + 2])
                total = combine(add_share, (total, load(grad_y, at + ow * C, VECTOR)),
                                (T(1) / count,))
                ow = int32(ow + 1)
            oh = int32(oh + 1)
        od = int32(od + 1)
    store(grad_x, int64(i) * VECTOR, total)


def avg_pool_backward(grad_y, grad_x, axes, divisor):
    pool_walk.launch(avg_pool_backward_kernel, "avg backward", (grad_x, grad_y), axes,
                     (divisor or 0,), T=grad_x.dtype)
