"""Batch norm's sums over rows: mean and variance, and two sums of the gradient.

Each is a kernel that leaves a row of sums for each block of rows, and one that adds these up.

Mean and variance are never sum(x^2) / M - mean^2, which cancels. A thread adds up distances from
its first number and their squares; (count, mean, squared distances from the mean) of threads are
merged, and then those of blocks. Means are kept as distances from a number of the block, for they
would lose digits where they are much larger than the deviation.

Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
"""

from __future__ import annotations

from .backend import xp
from .channel_rows import (
    LEAST_ROWS,
    NUMBERS,
    THREADS,
    VARIANTS,
    VECTOR,
    column_sums,
    constants,
    place_of,
    plus,
    shares,
    times,
)
from .kernel import FLOATS, kernel
from .primitives import (
    Ptr,
    T,
    combine,
    cuda,
    device,
    each,
    fma,
    full,
    int32,
    int64,
    load,
    quotient,
    store,
)

FEW_LANES = 8  # columns of a block where sums of blocks are added: there are few rows
ADDED = [{**floats, **constants(1)} for floats in FLOATS]


@device
def finite(value):
    """The number, or 0 instead of infinity and NaN: something to count distances from."""
    return value if value - value == T(0) else T(0)


@device
def minus(a, b):
    return a - b


@device
def square_added(distance, total):
    return fma(distance, distance, total)


@device
def weighted(shift, base, total, count):
    """count * mean, the mean as a distance from `base`."""
    return fma(count, shift - base, total)


@device
def spread(shift, base, total, squares, mean, count, part):
    """Squared distances from the mean of all, of `count` = 1 / part numbers."""
    own = squares - total * part * total
    own = T(0) if own < T(0) else own  # by rounding
    away = (shift - base) + total * part - mean
    return fma(count * away, away, own)


@kernel(variants=VARIANTS, simulated_threads=THREADS)
def statistics_kernel(x: Ptr[T], bases: Ptr[T], means: Ptr[T], squares: Ptr[T], M: int64, C: int64,
                      rows: int64, lanes: int32, last: int32):
    """For each block of rows, a number near the mean, the mean minus it, and the squared distances;
    with `last`, where there is one block, means and squares are the mean and the variance."""
    memory = cuda.shared.array(NUMBERS, T)
    t, row, chunk = place_of(lanes)
    column = int64(chunk) * VECTOR
    alive = row < quotient(THREADS, lanes) and column < C
    first = int64(cuda.blockIdx.y) * rows
    end = min(first + rows, M)
    r = first + row if alive else end
    base = full(VECTOR, T(0))
    if alive:
        base = each(finite, load(x, first * C + column, VECTOR), ())
    shift = base
    if r < end:
        shift = each(finite, load(x, r * C + column, VECTOR), ())
    total, square, count = full(VECTOR, T(0)), full(VECTOR, T(0)), int32(0)
    while r < end:
        distance = combine(minus, (load(x, r * C + column, VECTOR), shift), ())
        total = combine(plus, (total, distance), ())
        square = combine(square_added, (distance, square), ())
        count = int32(count + 1)
        r += quotient(THREADS, lanes)
    n, all_rows = T(count), T(1) / T(end - first)
    part = T(1) / n if count else T(0)
    mean = column_sums(combine(weighted, (shift, base, total), (n,)), memory, t, row, lanes)
    mean = each(times, mean, (all_rows,))
    square = combine(spread, (shift, base, total, square, mean), (n, part))
    square = column_sums(square, memory, t, row, lanes)
    if alive and row == 0:
        if last:
            store(means, column, combine(plus, (base, mean), ()))
            store(squares, column, each(times, square, (all_rows,)))
        else:
            at = int64(cuda.blockIdx.y) * C + column
            store(bases, at, base)
            store(means, at, mean)
            store(squares, at, square)


@kernel(variants=ADDED, simulated_threads=THREADS)
def merge_statistics_kernel(bases: Ptr[T], means: Ptr[T], squares: Ptr[T], mean: Ptr[T],
                            var: Ptr[T], M: int64, C: int64, rows: int64, blocks: int32,
                            lanes: int32):
    memory = cuda.shared.array(NUMBERS, T)
    t, row, column = place_of(lanes)
    side = quotient(THREADS, lanes)
    alive = row < side and column < C
    block = row if alive else blocks
    base = finite(bases[column] + means[column]) if alive else T(0)
    total = T(0)
    while block < blocks:
        at = int64(block) * C + column
        count = T(min(rows, M - block * rows))
        total = fma(count, (bases[at] - base) + means[at], total)
        block = int32(block + side)
    middle = column_sums((total,), memory, t, row, lanes)[0] / T(M)
    block, total = row if alive else blocks, T(0)
    while block < blocks:
        at = int64(block) * C + column
        count = T(min(rows, M - block * rows))
        away = (bases[at] - base) + means[at] - middle
        total += fma(count * away, away, squares[at])
        block = int32(block + side)
    total = column_sums((total,), memory, t, row, lanes)[0]
    if alive and row == 0:
        mean[column] = base + middle
        var[column] = total / T(M)


def statistics(x, mean, var):
    """mean and var of each channel of rows x, both of at least one number."""
    M, C = x.shape
    plan = shares(M, C, x.itemsize, (x, mean, var), LEAST_ROWS)
    blocks = plan.grid[1]
    last = blocks == 1
    sums = (None, mean, var) if last else xp.empty((3, blocks, C), x.dtype)
    sums = [sums[i] for i in range(3)]
    statistics_kernel.launch(plan.grid, (x, *sums, M, C, *plan.numbers, last), T=x.dtype,
                             **constants(plan.vector))
    if not last:
        lanes = min(C, FEW_LANES)
        merge_statistics_kernel.launch(
            (-(-C // lanes), 1, 1), (*sums, mean, var, M, C, plan.rows, blocks, lanes), T=x.dtype,
            **constants(1))


@kernel(variants=ADDED, simulated_threads=THREADS)
def add_blocks_kernel(grads: Ptr[T], products: Ptr[T], sum_grad: Ptr[T], sum_product: Ptr[T],
                      C: int64, blocks: int32, lanes: int32):
    """Sums over blocks of two tables (blocks, C)."""
    memory = cuda.shared.array(NUMBERS, T)
    t, row, column = place_of(lanes)
    side = quotient(THREADS, lanes)
    alive = row < side and column < C
    block, grad, product = row if alive else blocks, T(0), T(0)
    while block < blocks:
        at = int64(block) * C + column
        grad += grads[at]
        product += products[at]
        block = int32(block + side)
    grad = column_sums((grad,), memory, t, row, lanes)[0]
    product = column_sums((product,), memory, t, row, lanes)[0]
    if alive and row == 0:
        sum_grad[column] = grad
        sum_product[column] = product


def add_blocks(grads, products, sum_grad, sum_product):
    blocks, C = grads.shape
    lanes = min(C, FEW_LANES)
    add_blocks_kernel.launch(
        (-(-C // lanes), 1, 1), (grads, products, sum_grad, sum_product, C, blocks, lanes),
        T=grads.dtype, **constants(1))
