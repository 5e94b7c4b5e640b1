"""Products of matrices on tensor cores. Mirrors reference/gemm.py.

Either factor may lie either way: with the axis of the sum side by side (`along`) or the other one
(`across`, tensor_core_tiles.py), so that neither Linear nor its two gradients copy anything. What
does not begin at multiples of 16 bytes is copied. Where the result has few tiles, the sum is split
over blockIdx.z, and a second kernel adds the parts in their order.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy

from .. import precision
from .backend import xp
from .kernel import kernel
from .primitives import (
    Ptr,
    cuda,
    device,
    each,
    float32,
    full,
    int32,
    int64,
    numbers,
    quotient,
    thread_of_grid,
)
from .tensor_core import cp_commit, pairs, store_tile
from .tensor_core_conv import LEAST_USE, LEAST_WORK, MOST
from .tensor_core_pack import aligned, padded
from .tensor_core_tiles import (
    A_ALONG,
    A_APART,
    A_CHUNKS,
    A_LOADS,
    B_ALONG,
    B_APART,
    B_CHUNKS,
    B_LOADS,
    DEPTH,
    STAGES,
    SUMS,
    TILE_PAIRS,
    TILE_ROWS,
    TILES,
    block_corner,
    blocks_of,
    capable,
    choose,
    constants,
    copy_a,
    copy_b,
    instructions,
    multiply,
    next_slot,
    run,
    split_depth,
    sums_corner,
    tiles,
    wait_for,
)

VARIANTS = [constants(tile, a_along, b_along, high) for high in (True, False)
            for tile in tiles(high) for a_along in (True, False) for b_along in (True, False)]


@device
def row_along(j, first, apart, last):
    """A row that is there, whether it is needed or not."""
    return int32(min(first + j * apart, last))


@device
def row_across(j, first, apart, end):
    k = int32(first + j * apart)
    return int32(k if k < end else -1)


@device
def rows_of_a(t, m, k, end, rows):
    """What a thread copies of steps k to k + 31 of A."""
    chunk = quotient(t, A_CHUNKS)
    place = t - chunk * A_CHUNKS
    if A_ALONG:
        if k + 4 * place >= end:
            return full(A_LOADS, int32(-1))
        return each(row_along, numbers(A_LOADS), (m + chunk, A_APART, rows - 1))
    last = int32(end if m + 4 * place < rows else 0)
    return each(row_across, numbers(A_LOADS), (k + chunk, A_APART, last))


@device
def rows_of_b(t, n, k, end, rows):
    chunk = quotient(t, B_CHUNKS)
    place = t - chunk * B_CHUNKS
    if B_ALONG:
        if k + 4 * place >= end:
            return full(B_LOADS, int32(-1))
        return each(row_along, numbers(B_LOADS), (n + chunk, B_APART, rows - 1))
    last = int32(end if n + 4 * place < rows else 0)
    return each(row_across, numbers(B_LOADS), (k + chunk, B_APART, last))


@device
def out_row(r, first, count, width, before):
    row = int32(first + 8 * r)
    return int64(row) * int64(width) + int64(before) if row < count else int64(-1)


@kernel(threads=256, min_blocks=2, variants=VARIANTS, simulated_threads=64,
        least_capability=(8, 0), instructions=instructions)
def product_kernel(a: Ptr[float32], b: Ptr[float32], bias: Ptr[float32], out: Ptr[float32],
                   M: int32, N: int32, K: int32, a_width: int32, b_width: int32, width: int32,
                   a_batch: int64, b_batch: int64, batch: int64, length: int32, part: int64,
                   biased: int32, even: int32, least: float32):
    """blockIdx.x counts tiles, y matrices, z parts of `length` of K steps."""
    t, matrix = int32(cuda.threadIdx.x), int64(cuda.blockIdx.y)
    m, n = block_corner(N)
    tile = cuda.shared.array(0, float32, 16)
    k = int32(cuda.blockIdx.z * length)
    end = int32(min(k + length, K))
    steps = int32((end - k + DEPTH - 1) >> 5)
    piece_a = 4 * (t - quotient(t, A_CHUNKS) * A_CHUNKS)
    piece_b = 4 * (t - quotient(t, B_CHUNKS) * B_CHUNKS)
    before_a = matrix * a_batch + piece_a + int64(0 if A_ALONG else m)
    before_b = matrix * b_batch + piece_b + int64(0 if B_ALONG else n)
    sums, slot, step = full(SUMS, float32(0)), int32(0), int32(1 - STAGES)
    while step < steps:
        wait_for(step)
        if step + STAGES - 1 < steps:
            copy_a(tile, slot, t, a, rows_of_a(t, m, k, end, M), a_width,
                   before_a + (k if A_ALONG else 0))
            copy_b(tile, slot, t, b, rows_of_b(t, n, k, end, N), b_width,
                   before_b + (k if B_ALONG else 0))
            k += int32(DEPTH)
        cp_commit()
        slot = next_slot(slot)
        if step >= 0:
            sums = multiply(sums, tile, slot, t)
        step += int32(1)
    m, n = sums_corner(m, n, t)
    before = matrix * batch + int64(cuda.blockIdx.z) * part
    rows = each(out_row, numbers(TILE_ROWS), (m, M, width, before))
    add = pairs(bias, n, TILE_PAIRS, N if biased else 0)
    if even:
        store_tile(out, rows, n, N, sums, add, least, 1)
    else:
        store_tile(out, rows, n, N, sums, add, least, 0)


@kernel(variants=({},))
def product_sum_kernel(parts: Ptr[float32], bias: Ptr[float32], out: Ptr[float32], count: int32,
                       N: int32, size: int64, biased: int32):
    """A thread for each number of `out` adds its `count` parts, `size` numbers apart."""
    i = thread_of_grid()
    if i >= size:
        return
    total = float32(0)
    for part in range(count):
        total += parts[part * size + i]
    if biased:
        total += bias[i - quotient(i, N) * int64(N)]
    out[i] = total


class _Factor(NamedTuple):
    """A factor as the kernel reads it: element (i, k) of matrix b at b * batch + i * width + k, or
    + k * width + i if it does not lie along."""

    array: Any
    along: bool
    width: int
    batch: int


def _factor(x):
    """x (B, rows, K), in memory that 16 bytes at a time can be read from."""
    batch, *strides = [s // x.itemsize for s in x.strides]
    along = strides[1] == 1 or strides[0] != 1
    unit, width, length = (*strides[::-1], x.shape[2]) if along else (*strides, x.shape[1])
    if unit != 1 or (length % 4, width % 4, batch % 4) != (0, 0, 0) or width < 1 or not aligned(x):
        lines = x if along else x.swapaxes(1, 2)
        width = padded(lines.shape[2])
        y = xp.zeros((*lines.shape[:2], width), x.dtype)
        y[:, :, :lines.shape[2]] = lines
        return _Factor(y, along, width, lines.shape[1] * width)
    return _Factor(x, along, width, batch)


def matmul(a, b, bias, out):
    if out.ndim == 2:
        a, b, out = a[None], b[None], out[None]
    high = precision.mode == "high"
    (B, M, K), N = a.shape, b.shape[2]
    x, y = _factor(a), _factor(b.swapaxes(1, 2))
    found = choose(M, N, B, x.along, y.along, high)
    blocks = blocks_of(found, M, N)
    parts, length = split_depth(-(-K // DEPTH), blocks * B)
    target, biased = (out, bias is not None) if parts == 1 and out.flags.c_contiguous else (
        xp.empty((parts, B, M, N), out.dtype), False)
    run(product_kernel, (blocks, B, parts),
        (x.array, y.array, bias, target, M, N, K, x.width, y.width, N, x.batch, y.batch, M * N,
         length, B * M * N, biased, N % 2 == 0 and aligned(target, 8), -inf), found)
    if target is not out:
        whole = out if out.flags.c_contiguous else xp.empty(out.shape, out.dtype)
        product_sum_kernel.launch(product_sum_kernel.blocks(out.size),
                                  (target, bias, whole, parts, N, out.size, bias is not None))
        if whole is not out:
            out[...] = whole


def serves_product(a, b):
    """Whether a @ b is worth and fit for tensor cores; shapes as in matmul."""
    if a.dtype != numpy.float32 or not capable():
        return False
    (M, K), N, B = a.shape[-2:], b.shape[-1], a.shape[0] if a.ndim == 3 else 1
    least = TILES[-1]
    use = M / (-(-M // least.BM) * least.BM) * N / (-(-N // least.BN) * least.BN) if M * N else 0
    fits = max(M, N, K, M * N) < MOST and B < 2**16
    return fits and B * M * N * K >= LEAST_WORK and use >= LEAST_USE
