"""Sums of rows: the gradient of a bias, and the last step of sums that many blocks share.

A block adds up some rows, each thread of it every n-th number of a column, then the threads of a
column one another, by halves. Blocks write rows of sums, and these are added in the same way: the
order depends on sizes only, and no partial sum has many terms, which keeps float32 exact enough.
"""

from __future__ import annotations

from .backend import xp
from .kernel import FLOATS, Ptr, T, kernel
from .mode import SIMULATED
from .primitives import cuda, int32, int64, quotient

THREADS = 32 if SIMULATED else 256
LEAST_ROWS = 4 if SIMULATED else 32  # for a thread
MOST_BLOCKS = 3 if SIMULATED else 256  # that share the rows
VARIANTS = [{**floats, "THREADS": 256} for floats in FLOATS]


@kernel(threads=256, variants=VARIANTS, simulated_threads=THREADS)
def sum_rows_kernel(x: Ptr[T], y: Ptr[T], rows: int64, C: int64, rows_of_block: int64,
                    lanes: int32):
    """y[block, c] = sum of x[r, c] over the block's rows; lanes: columns side by side."""
    sums = cuda.shared.array(THREADS, T)
    t = int32(cuda.threadIdx.x)
    side = quotient(THREADS, lanes)  # threads of a column
    row = quotient(t, lanes)
    c = int64(cuda.blockIdx.x) * int64(lanes) + int64(t - row * lanes)
    r = int64(cuda.blockIdx.y) * rows_of_block
    end = min(r + rows_of_block, rows) if row < side and c < C else int64(0)
    r += row
    total = T(0)
    while r < end:
        total += x[r * C + c]
        r += side
    sums[t] = total
    while side > 1:
        cuda.syncthreads()
        half = int32((side + 1) >> 1)
        if row + half < side:
            sums[t] += sums[t + half * lanes]
        side = half
    if row == 0 and c < C:
        y[int64(cuda.blockIdx.y) * C + c] = sums[t]


def add_rows(x, rows, C, out):
    """out[c] = sum over r of x[r, c]; x and out are contiguous."""
    if not rows:
        out.fill(0)
        return
    lanes = min(C, 32 if C >= 32 else C) or 1
    side = THREADS // lanes
    blocks = max(min(rows // (side * LEAST_ROWS), MOST_BLOCKS), 1)
    share = -(-rows // blocks)
    blocks = -(-rows // share)
    y = out if blocks == 1 else xp.empty((blocks, C), x.dtype)
    sum_rows_kernel.launch((-(-C // lanes), blocks, 1), (x, y, rows, C, share, lanes), T=x.dtype,
                           THREADS=THREADS)
    if blocks > 1:
        add_rows(y, blocks, C, out)


def sum_rows(x, out):
    add_rows(x, x.size // max(x.shape[-1], 1), x.shape[-1], out)
