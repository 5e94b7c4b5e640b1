"""Tiles of matrix products without tensor cores: for any GPU and any sizes.

A block makes a tile of BM rows and BN columns, BK steps of the sum at a time: it reads a and b into
shared memory, a with its rows side by side, so that a thread reads neighbours of both in one
instruction. There are two such buffers: while one is multiplied, the other is on its way.

    thread (r, c) has 2 M rows and 2 N columns      M = N = 2:   . . | . .
    of the tile, M and N in each of its halves,                  . . | . .
    so that neighbouring threads read                            ---------
    neighbouring memory                                          . . | . .
                                                                 . . | . .

Source: Nath, Tomov & Dongarra 2010, "An improved MAGMA GEMM for Fermi GPUs".
"""

from __future__ import annotations

from .primitives import T, device, each, full, int32, int64, load, numbers, outer, quotient, store
from .primitives import cut as cut
from .primitives import numbered as numbered

BM = BN = 16
BK, M, N = 8, 2, 2
A_ROW, B_ROW = 20, 20  # from one step of the sum to the next: 4 more than there are, for the banks
A_SIZE, B_SIZE = 2 * BK * A_ROW, 2 * BK * B_ROW  # of both buffers
A_COUNT, B_COUNT = 8, 8  # what a thread brings of a and b for BK steps
ONES, TWICE_N, SUMS = 4, 4, 16  # 2 M, 2 N, 4 M N
THREADS = 16


def tile(bm, bn, bk, m, n, wide=1):
    """The constants of a tile. A thread reads `wide` numbers of a at a time."""
    threads = bm // (2 * m) * (bn // (2 * n))
    return {"BM": bm, "BN": bn, "BK": bk, "M": m, "N": n, "A_ROW": bm + 4, "B_ROW": bn + 4,
            "A_SIZE": 2 * bk * (bm + 4), "B_SIZE": 2 * bk * (bn + 4),
            "A_COUNT": bm * bk // threads // wide, "B_COUNT": bn * bk // threads,
            "ONES": 2 * m, "TWICE_N": 2 * n, "SUMS": 4 * m * n, "THREADS": threads}


@device
def row_of_tile(t):
    """The first of a thread's rows; column_of_tile: of its columns."""
    return int32(quotient(t, BN // (2 * N)) * M)


@device
def column_of_tile(t):
    return int32((t - quotient(t, BN // (2 * N)) * (BN // (2 * N))) * N)


@device
def multiply_step(sums, a, b, i, j):
    """sums + one step: the thread's rows of a, from i on, times its columns of b, from j on."""
    return outer(sums, load(a, i, M) + load(a, int32(i + BM // 2), M),
                 load(b, j, N) + load(b, int32(j + BN // 2), N))


@device
def multiply(sums, a, b, buffer, row, column):
    """sums + the product of a buffer's tiles."""
    i, j = int32(buffer * (BK * A_ROW) + row), int32(buffer * (BK * B_ROW) + column)
    left = int32(BK)
    while left > 0:
        sums = multiply_step(sums, a, b, i, j)
        sums = multiply_step(sums, a, b, int32(i + A_ROW), int32(j + B_ROW))
        i, j, left = int32(i + 2 * A_ROW), int32(j + 2 * B_ROW), int32(left - 2)
    return sums


@device
def put_one(item, tile, at, step):
    """Number j of what a thread has read goes to shared memory."""
    j, value = item
    tile[int32(at + j * step)] = value
    return j


@device
def put_vector(item, tile, at, step, apart):
    """Numbers of one row and neighbouring steps of the sum."""
    j, values = item
    each(put_one, numbered(values), (tile, int32(at + j * step), apart))
    return j


@device
def positive(value, relu):
    return T(0) if relu and value <= T(0) else value  # NaN stays


@device
def row_of_sums(j, row):
    """The row of the tile that the j-th row of a thread's sums is."""
    half = j // M
    return int32(row + half * (BM // 2) + j - half * M)


@device
def bias_of(j, bias, first, column, count):
    """The bias of a thread's j-th column, 0 beyond the last."""
    half = j // N
    column = int32(column + half * (BN // 2) + j - half * N)
    return bias[first + column] if column < count else T(0)


@device
def store_half(item, y, at, column, count, wide):
    """N neighbouring numbers of a row, as far as there are columns."""
    half, values = item
    column = int32(column + half * (BN // 2))
    at += int64(half * (BN // 2))
    if wide and column + N <= count:
        store(y, at, values)
    else:
        each(store_one, numbered(values), (y, at, column, count))
    return half


@device
def store_one(item, y, at, column, count):
    j, value = item
    if column + j < count:
        y[at + j] = value
    return j


@device
def with_bias(sums, bias, has_bias, first, column, count):
    """A thread's sums plus the bias of their columns, which starts at `first` for the block."""
    if has_bias:
        extra = each(bias_of, numbers(TWICE_N), (bias, first, column, count))
        return outer(sums, full(ONES, T(1)), extra)
    return sums
