"""The average of whole images, where the threads of a block share the pixels of one.

A thread for each output, as pooling.py has it, would leave most of a GPU idle: there are few.
"""

from __future__ import annotations

from math import prod

from .channel_rows import (
    NUMBERS,
    THREADS,
    VARIANTS,
    VECTOR,
    column_sums,
    constants,
    place_of,
    plus,
    shares,
)
from .kernel import kernel
from .primitives import (
    Ptr,
    T,
    combine,
    cuda,
    device,
    each,
    full,
    int32,
    int64,
    load,
    quotient,
    store,
)

MOST_IMAGES = 65535  # blocks along an axis other than the first


def is_global(axes):
    """Whether each output is the average of all pixels of an image."""
    return all(axis.out == 1 and axis.step == 1 and axis.windows()[0][:2] == (0, axis.size)
               for axis in axes)


@device
def over(total, divisor):
    return total / divisor


@kernel(variants=VARIANTS, simulated_threads=THREADS)
def global_average_kernel(x: Ptr[T], y: Ptr[T], divisor: T, P: int64, C: int64, lanes: int32):
    """y[n, c] = sum over p of x[n, p, c] / divisor."""
    memory = cuda.shared.array(NUMBERS, T)
    t, row, chunk = place_of(lanes)
    column, side, n = int64(chunk) * VECTOR, quotient(THREADS, lanes), int64(cuda.blockIdx.y)
    alive = row < side and column < C
    total = full(VECTOR, T(0))
    r, end = n * P + row, (n + 1) * P if alive else int64(0)
    while r < end:
        total = combine(plus, (total, load(x, r * C + column, VECTOR)), ())
        r += side
    total = column_sums(total, memory, t, row, lanes)
    if alive and row == 0:
        store(y, n * C + column, each(over, total, (divisor,)))


def global_average(x, y, axes, divisor):
    if not y.size:
        return
    P, C = prod(x.shape[1:4]), x.shape[4]
    if divisor is None:
        divisor = float(prod(axis.windows()[0][2] for axis in axes))
    plan = shares(P, C, x.itemsize, (x, y), 1)
    for first in range(0, len(x), MOST_IMAGES):
        x_part, y_part = [a[first:first + MOST_IMAGES] for a in (x, y)]
        global_average_kernel.launch(
            (plan.grid[0], len(x_part), 1), (x_part, y_part, divisor, P, C, plan.lanes), T=x.dtype,
            **constants(plan.vector))
