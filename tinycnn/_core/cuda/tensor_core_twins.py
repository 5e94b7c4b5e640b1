"""The primitives of tensor_core.py in the simulator.

A copy to shared memory lands when its thread waits for it. From the moment it begins nobody may
read what it will overwrite. Tensor cores ignore the last 13 bits of a number, so do these.
"""

import numpy

from .simulator import thread, warp_exchange
from .twins import _check_aligned

__all__ = ["copy_rows", "cp_commit", "cp_wait", "ldmatrix", "lds_a", "lds_b", "mma", "mma3",
           "pairs", "round_tf32", "rounded", "split", "store_tile"]


def copy_rows(shared, at, step, x, rows, width, column):
    for j, row in enumerate(rows):
        place, source = at + j * step, row * width + column
        _check_aligned(shared, place, 4)
        values = (numpy.float32(0),) * 4
        if row >= 0:
            _check_aligned(x, source, 4)
            values = [x[source + k] for k in range(4)]
        for k in range(4):
            shared._outside(place + k, "copied to") if place + k >= shared.size else None
            for before, what in (shared._written[place + k], "written"), (shared._read[place + k],
                                                                         "read"):
                shared._check(place + k, before, f"copied to here and {what} by")
            shared._written[place + k] = None  # unknown until it lands
        thread().copies.append((shared, place, values))


def cp_commit():
    me = thread()
    me.groups.append(me.copies)
    me.copies = []


def cp_wait(count):
    me = thread()
    while len(me.groups) > count:
        for shared, place, values in me.groups.pop(0):
            for k, value in enumerate(values):
                shared[place + k] = value


def ldmatrix(shared, i, count, step):
    starts = warp_exchange(i, lambda given: [given] * 32)
    lane, found = thread().lane, []
    for part in range(count):
        for matrix in range(4):
            start = starts[8 * matrix + lane // 4] + part * step
            _check_aligned(shared, start, 4)
            found.append(shared[start + lane % 4])
    return tuple(found)


def lds_a(shared, i, count, step):
    return _lds(shared, i, count, 16, [0, 8, 4 * step, 8 + 4 * step])


def lds_b(shared, i, count, step):
    return _lds(shared, i, count, 8, [0, 4 * step])


def _lds(shared, i, count, size, places):
    return tuple([shared[i + size * tile + place] for tile in range(count) for place in places])


def _truncated(x):
    """Without the last 13 bits."""
    x = numpy.asarray(x, numpy.float32)
    return (x.view(numpy.uint32) & numpy.uint32(0xFFFFE000)).view(numpy.float32)


def round_tf32(fragment):
    x = numpy.array(fragment, numpy.float32)
    up = (x.view(numpy.uint32) + numpy.uint32(0x1000)).view(numpy.float32)
    return tuple(numpy.where(numpy.isfinite(x), _truncated(up), x))


def rounded(value):
    return round_tf32((value,))[0]


def split(fragment):
    high = _truncated(fragment)
    return tuple(high), tuple(numpy.asarray(fragment) - high)


def mma(sums, a, b):
    return warp_exchange((sums, a, b), _products)


def mma3(sums, a, b):
    for x, y in (1, 0), (0, 1), (0, 0):
        sums = mma(sums, a[x], b[y])
    return sums


def _products(given):
    """sums + a @ b of a warp, from the fragments of its lanes, in float32."""
    sums, a, b = [numpy.array(part, numpy.float32) for part in zip(*given)]
    sums = sums.reshape(8, 4, -1, b.shape[1] // 2, 2, 2)  # g, t, m, n, rows, columns
    a = _truncated(a).reshape(8, 4, -1, 2, 2)  # g, t, m, steps, rows
    b = _truncated(b).reshape(8, 4, -1, 2)  # g, t, n, steps
    a = a.transpose(2, 4, 0, 3, 1)
    a = a.reshape(-1, 8)  # (m, rows, g), (steps, t)
    b = b.transpose(3, 1, 2, 0).reshape(8, -1)  # (steps, t), (n, g)
    product = (a @ b).reshape(sums.shape[2], 2, 8, sums.shape[3], 4, 2)  # m rows g n t columns
    return [tuple(lane) for lane in (sums + product.transpose(2, 4, 0, 3, 1, 5)).reshape(32, -1)]


def pairs(x, i, count, end):
    places = [i + 8 * tile + k for tile in range(count) for k in (0, 1)]
    return tuple([x[place] if place < end else numpy.float32(0) for place in places])


def store_tile(y, rows, column, end, sums, add, least, even):
    for r, row in enumerate(rows):
        for k, extra in enumerate(add):
            place = column + 8 * (k // 2) + k % 2
            if row < 0 or place >= end:
                continue
            if even and k % 2 == 0:
                _check_aligned(y, row + place, 2)
            value = sums[r // 2 * 2 * len(add) + k // 2 * 4 + 2 * (r % 2) + k % 2] + extra
            y[row + place] = numpy.maximum(value, least)  # of NaN: NaN
