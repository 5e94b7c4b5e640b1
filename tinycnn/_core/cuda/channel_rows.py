"""How the threads of batch norm share rows (M, C): blocks take columns and rows.

A thread takes VECTOR channels, as many as 16 bytes hold where that divides C, else one, and of its
block's rows every `side`-th. Threads with the same channels form a column of the block:

    lanes                 threads side by side, next to each other in memory
    side                  threads of a column, THREADS // lanes; the last few threads may be idle
    column_sums           adds up what the threads of each column have, by halves

The order of a sum depends on sizes only, and none has many terms: a thread's rows, the threads of a
column, the blocks. That keeps float32 sums exact to about its last digit.
"""

from __future__ import annotations

from typing import NamedTuple

from .kept import aligned
from .kernel import FLOATS
from .mode import SIMULATED
from .primitives import cuda, device, each, int32, numbered, numbers, quotient

THREADS = 32 if SIMULATED else 256
MOST_LANES = 8 if SIMULATED else 32
MOST_BLOCKS = 6 if SIMULATED else 1056  # 8 on each of 132 multiprocessors
LEAST_ROWS = 2 if SIMULATED else 4  # of a thread that adds them up
VECTOR = 1
NUMBERS = THREADS  # of shared memory: VECTOR for each thread


def constants(vector):
    """What kernels that share rows are launched with."""
    return {"VECTOR": vector, "THREADS": THREADS, "NUMBERS": vector * THREADS}


VARIANTS = [{**floats, **constants(vector)} for floats in FLOATS
            for vector in (1, 16 // floats["T"].itemsize)]


class Shares(NamedTuple):
    """A grid over rows (M, C), and what its kernels need to know."""

    vector: int
    lanes: int
    rows: int  # of a block
    grid: tuple  # blocks of columns, blocks of rows, 1

    @property
    def numbers(self):
        return self.rows, self.lanes


def shares(M, C, itemsize, arrays, least_rows):
    """How M > 0 rows of C > 0 channels are shared.

    Args:    arrays (iterable of arrays or None): all that are read and written by VECTOR.
             least_rows (int): of a thread; fewer blocks leave fewer sums to add up.
    """
    most = 16 // itemsize
    vector = most if C % most == 0 and aligned(*[a for a in arrays if a is not None]) else 1
    chunks = C // vector
    column_blocks = -(-chunks // MOST_LANES)
    lanes = -(-chunks // column_blocks)
    column_blocks = -(-chunks // lanes)
    row_blocks = min(-(-M // (THREADS // lanes * least_rows)), max(MOST_BLOCKS // column_blocks, 1))
    rows = -(-M // row_blocks)
    return Shares(vector, lanes, rows, (column_blocks, -(-M // rows), 1))


@device
def place_of(lanes):
    """(thread, row of the block, its first channel / VECTOR) of this thread; row `side` and further
    are of idle threads."""
    t = int32(cuda.threadIdx.x)
    row = quotient(t, lanes)
    return t, row, int32(int32(cuda.blockIdx.x) * lanes + (t - row * lanes))


@device
def plus(a, b):
    return a + b


@device
def times(a, b):
    return a * b


@device
def put_number(item, sums, t):
    sums[item[0] * THREADS + t] = item[1]


@device
def add_number(k, sums, t, other):
    sums[k * THREADS + t] += sums[k * THREADS + other]


@device
def number_at(k, sums, t):
    return sums[k * THREADS + t]


@device
def column_sums(values, sums, t, row, lanes):
    """The sums over the threads of each column, in each of them; sums: shared memory."""
    cuda.syncthreads()  # what was in it has been read
    each(put_number, numbered(values), (sums, t))
    side = quotient(THREADS, lanes)
    while side > 1:
        cuda.syncthreads()
        half = int32((side + 1) >> 1)
        if row + half < side:
            each(add_number, numbers(VECTOR), (sums, t, int32(t + half * lanes)))
        side = half
    cuda.syncthreads()
    return each(number_at, numbers(VECTOR), (sums, int32(t - row * lanes)))
