"""Matrix products without tensor cores: tiles as plain_tiles.py draws them. Mirrors
reference/gemm.py.

Matrices are read through their steps in memory, threads side by side along the axis whose step is
1. Where there are few tiles and many steps of the sum, blocks share these steps, and row_sums.py
adds what they have.

    block = (member of the batch, share of the sum, block of rows, block of columns)
"""

from __future__ import annotations

from functools import cache

import numpy

from .backend import xp
from .kept import aligned, upload
from .kernel import FLOATS, Ptr, T, kernel
from .mode import SIMULATED
from .plain_tiles import (
    A_COUNT,
    A_ROW,
    A_SIZE,
    B_COUNT,
    B_ROW,
    B_SIZE,
    BK,
    BM,
    BN,
    SUMS,
    THREADS,
    TWICE_N,
    N,
    column_of_tile,
    cut,
    multiply,
    numbered,
    put_one,
    row_of_sums,
    row_of_tile,
    store_half,
    tile,
    with_bias,
)
from .primitives import cuda, device, each, full, int32, int64, load, numbers, quotient
from .row_sums import add_rows

ENOUGH_BLOCKS = 4 if SIMULATED else 264  # for a large GPU
LEAST_DEPTH = 16 if SIMULATED else 128  # steps of the sum, for a block
MOST_SHARES = 3 if SIMULATED else 256

# `sizes`: one int64 table of everything that depends on shapes and strides only
ROWS, ROW_BLOCKS, COLUMN_BLOCKS, SHARES = 0, 3, 4, 5  # and columns and steps of the sum after rows
A_STEPS, B_STEPS = 8, 12  # from row to row (of b: column to column), along the sum, along the batch
SHARE = 6  # steps of the sum for a block


def constants(size, itemsize):
    """Constants of the tile "square" or "small"."""
    if SIMULATED:
        return tile(16, 16, 8, 2, 2)
    return tile(64, 64, 16 if itemsize == 4 else 8, 4, 2) if size == "square" else \
        tile(32, 32, 16, 2, 2)


VARIANTS = [{**floats, **constants(size, floats["T"].itemsize)}
            for floats in FLOATS for size in ("square", "small")]


@device
def lanes(t, width, k_step):
    """What a thread brings first, (step of the sum, row), and how far its next one is: threads are
    side by side where memory is. `width`: rows of the tile."""
    if k_step == 1:
        row = quotient(t, BK)
        return int32(t - row * BK), row, int32(0), int32(THREADS // BK)
    k = quotient(t, width)
    return k, int32(t - k * width), int32(THREADS // width), int32(0)


@device
def number_of(j, x, at, place, k, k_end, row, rows, steps):
    """The j-th number that a thread brings of a matrix; row counts from the matrix' first."""
    _, _, k_pass, row_pass = place
    row_step, k_step, _, _ = steps
    k, row = int32(k + j * k_pass), int32(row + j * row_pass)
    if k < k_end and row < rows:
        return x[at + int64(row) * row_step + int64(k) * k_step]
    return T(0)


@device
def products(t, a_matrix, b_matrix, batch, k, k_end, row, column, sizes):
    """A thread's sums over the steps from k to k_end, for the tile that begins at row, column."""
    a = cuda.shared.array(A_SIZE, T, 16)
    b = cuda.shared.array(B_SIZE, T, 16)
    rows, columns = int32(sizes[ROWS]), int32(sizes[ROWS + 1])
    a_steps, b_steps = load(sizes, A_STEPS, 4), load(sizes, B_STEPS, 4)
    a_place, b_place = lanes(t, BM, a_steps[1]), lanes(t, BN, b_steps[1])
    a_at, b_at = batch * a_steps[2], batch * b_steps[2]
    a_put = int32(a_place[0] * A_ROW + a_place[1])
    b_put = int32(b_place[0] * B_ROW + b_place[1])
    a_pass = int32(a_place[2] * A_ROW + a_place[3])
    b_pass = int32(b_place[2] * B_ROW + b_place[3])
    a_row, b_row = int32(row + a_place[1]), int32(column + b_place[1])
    row, column, buffer, sums = row_of_tile(t), column_of_tile(t), int32(0), full(SUMS, T(0))
    a_next = each(number_of, numbers(A_COUNT), (a_matrix, a_at, a_place, int32(k + a_place[0]),
                                                k_end, a_row, rows, a_steps))
    b_next = each(number_of, numbers(B_COUNT), (b_matrix, b_at, b_place, int32(k + b_place[0]),
                                                k_end, b_row, columns, b_steps))
    while k < k_end:
        k = int32(k + BK)
        each(put_one, numbered(a_next), (a, int32(buffer * (BK * A_ROW) + a_put), a_pass))
        each(put_one, numbered(b_next), (b, int32(buffer * (BK * B_ROW) + b_put), b_pass))
        cuda.syncthreads()
        a_next = each(number_of, numbers(A_COUNT), (a_matrix, a_at, a_place, int32(k + a_place[0]),
                                                    k_end, a_row, rows, a_steps))
        b_next = each(number_of, numbers(B_COUNT), (b_matrix, b_at, b_place, int32(k + b_place[0]),
                                                    k_end, b_row, columns, b_steps))
        sums = multiply(sums, a, b, buffer, row, column)
        buffer = int32(1 - buffer)
    return sums


@device
def store_row(item, y, start, first, row, rows, column, columns, wide):
    """One row of a thread's sums; `first` is the first row of the tile."""
    j, values = item
    row = int32(first + row_of_sums(j, row))
    if row < rows:
        at = start + int64(row) * int64(columns) + int64(column)
        each(store_half, numbered(cut(values, N)), (y, at, column, columns, wide))
    return j


@kernel(threads=128, min_blocks=3, variants=VARIANTS, simulated_threads=16)
def product_kernel(a: Ptr[T], b: Ptr[T], bias: Ptr[T], y: Ptr[T], sizes: Ptr[int64],
                   has_bias: int32, batches: int32, aligned_y: int32):
    t, rest = int32(cuda.threadIdx.x), int32(cuda.blockIdx.x)
    rows, columns, depth = int32(sizes[0]), int32(sizes[1]), int32(sizes[2])
    row_blocks, column_blocks = int32(sizes[ROW_BLOCKS]), int32(sizes[COLUMN_BLOCKS])
    shares, share = int32(sizes[SHARES]), int32(sizes[SHARE])
    block = quotient(rest, column_blocks)
    column = int32((rest - block * column_blocks) * BN)
    rest = quotient(block, row_blocks)
    row = int32((block - rest * row_blocks) * BM)
    batch = quotient(rest, shares)
    part = int32(rest - batch * shares)
    k = int32(part * share)
    k_end = int32(min(depth - k, share) + k)
    sums = products(t, a, b, int64(batch), k, k_end, row, column, sizes)

    column = int32(column + column_of_tile(t))
    sums = with_bias(sums, bias, has_bias != 0 and part == 0, int32(0), column, columns)
    start = (int64(part) * int64(batches) + int64(batch)) * int64(rows) * int64(columns)
    wide = aligned_y != 0 and quotient(columns, N) * N == columns
    each(store_row, numbered(cut(sums, TWICE_N)),
         (y, start, row, row_of_tile(t), rows, column, columns, wide))


@cache
def _plan(batches, rows, columns, depth, a_steps, b_steps, itemsize):
    """(grid, the tile's constants, `sizes` on the device, shares of the sum)."""
    chosen = constants("square", itemsize)
    if batches * -(-rows // chosen["BM"]) * -(-columns // chosen["BN"]) < ENOUGH_BLOCKS // 2:
        chosen = constants("small", itemsize)
    row_blocks, column_blocks = -(-rows // chosen["BM"]), -(-columns // chosen["BN"])
    blocks = batches * row_blocks * column_blocks
    shares = max(min(ENOUGH_BLOCKS // blocks, depth // LEAST_DEPTH, MOST_SHARES), 1)
    share = max(-(-depth // shares), 1)
    shares = max(-(-depth // share), 1)
    numbers = [rows, columns, depth, row_blocks, column_blocks, shares, share, 0, *a_steps, 0,
               *b_steps, 0]
    return (blocks * shares, 1, 1), chosen, upload(numpy.array(numbers, numpy.int64)), shares


def matmul(a, b, bias, out):
    if not out.size:
        return
    a, b = [xp.ascontiguousarray(x) if min(x.strides) < 0 else x for x in (a, b)]
    rows, columns = out.shape[-2:]
    batches = len(out) if out.ndim == 3 else 1
    a_steps, b_steps = _steps(a, -2, -1), _steps(b, -1, -2)
    grid, chosen, sizes, shares = _plan(batches, rows, columns, a.shape[-1], a_steps, b_steps,
                                        out.itemsize)
    dense = out if out.flags.c_contiguous else xp.empty(out.shape, out.dtype)
    y = dense if shares == 1 else xp.empty((shares, *out.shape), out.dtype)
    product_kernel.launch(grid, (a, b, bias, y, sizes, bias is not None, batches, aligned(y)),
                          threads=chosen["THREADS"], T=out.dtype, **chosen)
    if shares > 1:
        add_rows(y, shares, out.size, dense)
    if dense is not out:
        out[...] = dense


def _steps(x, row, k):
    """Elements from row to row, along the sum, and from member to member of a batch."""
    batch = x.strides[0] if x.ndim == 3 else 0
    return tuple([s // x.itemsize for s in (x.strides[row], x.strides[k], batch)])
