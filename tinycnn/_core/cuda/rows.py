"""What losses share: teams of threads that take a row each, and sums over all rows.

A row of C numbers belongs to a team of LANES threads, a part of a warp, a warp, or the whole block:
lane l takes the columns l, l + LANES, .... Sums are added in one order, whatever runs when: of a
lane's numbers, of the lanes, of a block's rows, and at last of the blocks, by `finish_kernel`.
"""

from __future__ import annotations

import numpy

from .backend import xp
from .kernel import FLOATS, kernel
from .mode import SIMULATED
from .primitives import (
    Ptr,
    T,
    cuda,
    device,
    int32,
    int64,
    warp_sum,
    warp_xor,
)

WARP = 32
BLOCK = 64 if SIMULATED else 256  # threads
LANES = WARP
TEAM_SIZES = 4, WARP, BLOCK
TEAMS = [{**floats, "LANES": lanes} for floats in FLOATS for lanes in TEAM_SIZES]
MOST_BLOCKS = 2048  # whose sums are added by one block
ROUNDS = 2  # rows of a team in a sum, at least: fewer blocks leave less to add up


def rows_kernel(function):
    """Decorator of a kernel in which a team takes a row."""
    return kernel(BLOCK, variants=TEAMS, simulated_threads=BLOCK)(function)


def lanes_for(M, C):
    """Threads for a row of C numbers, where there are M rows."""
    if C <= 32:
        return 4
    return WARP if C <= 512 or (C <= 8192 and M >= 4096) else BLOCK


def launch_rows(kernel, M, C, *arguments, **constants):
    """Launch a kernel in which every team takes one row of C numbers; its last array is (M, C)."""
    lanes, arrays = lanes_for(M, C), [a for a in arguments if hasattr(a, "dtype")]
    kernel.launch((-(-M // (BLOCK // lanes)), 1, 1), (*arguments, M, C), T=arrays[-1].dtype,
                  LANES=lanes, **constants)


@device
def lane_of_team():
    return int64(int32(cuda.threadIdx.x) % int32(LANES))


@device
def team_of_block():
    return int64(int32(cuda.threadIdx.x) // int32(LANES))


@device
def first_row():
    """The row of this block's first team."""
    return int64(cuda.blockIdx.x) * int64(int32(cuda.blockDim.x) // int32(LANES))


@device
def rows_of_grid():
    """How many rows the teams of all blocks take at a time."""
    return int64(cuda.gridDim.x) * int64(int32(cuda.blockDim.x) // int32(LANES))


@device
def block_sum(value, scratch):
    """The sum over all threads of the block, in every thread; scratch: shared, a number a warp."""
    value = warp_sum(value)
    cuda.syncthreads()  # scratch has been read
    if int32(cuda.threadIdx.x) % int32(32) == 0:
        scratch[int32(cuda.threadIdx.x) // int32(32)] = value
    cuda.syncthreads()
    total = scratch[0]
    for warp in range(1, int32(cuda.blockDim.x) // int32(32)):
        total += scratch[warp]
    return total


@device
def larger(a, b):
    """NaN may get lost: it is in the sum of exponentials as well."""
    return a if a > b else b


@device
def team_sum(value, scratch):
    """The sum over the lanes of a team, in every lane."""
    if LANES > WARP:
        return block_sum(value, scratch)
    if LANES == WARP:
        return warp_sum(value)
    value += warp_xor(value, 2)
    return value + warp_xor(value, 1)


@device
def team_max(value, scratch):
    """The largest over the lanes of a team, in every lane."""
    if LANES >= WARP:
        value = larger(value, warp_xor(value, 16))
        value = larger(value, warp_xor(value, 8))
        value = larger(value, warp_xor(value, 4))
    value = larger(value, warp_xor(value, 2))
    value = larger(value, warp_xor(value, 1))
    if LANES > WARP:
        cuda.syncthreads()
        if int32(cuda.threadIdx.x) % int32(32) == 0:
            scratch[int32(cuda.threadIdx.x) // int32(32)] = value
        cuda.syncthreads()
        value = scratch[0]
        for warp in range(1, int32(cuda.blockDim.x) // int32(32)):
            value = larger(value, scratch[warp])
    return value


@device
def finish(total_loss, total_weight, loss, total, divisor):
    """The loss of all rows from its sum; divisor 0: the sum of the weights. One thread does it."""
    divisor = total_weight if divisor == T(0) else divisor
    total[0] = divisor
    loss[0] = total_loss / divisor


@device
def leave_sums(loss_sum, weight_sum, each, partial, loss, total, divisor, scratch):
    """A block's sums: the loss itself if there is only this block, else for `finish_kernel`. With
    `each` there is a loss of every row instead."""
    if each:
        if int32(cuda.threadIdx.x) == 0 and int32(cuda.blockIdx.x) == 0:
            total[0] = T(1)
    else:
        loss_sum = block_sum(loss_sum, scratch)
        weight_sum = block_sum(weight_sum, scratch)
        if int32(cuda.threadIdx.x) == 0:
            if int32(cuda.gridDim.x) == 1:
                finish(loss_sum, weight_sum, loss, total, divisor)
            else:
                block = int64(cuda.blockIdx.x)
                partial[2 * block] = loss_sum
                partial[2 * block + 1] = weight_sum


@kernel(BLOCK, simulated_threads=BLOCK)
def finish_kernel(
    partial: Ptr[T], loss: Ptr[T], total: Ptr[T], divisor: T, n: int64
):
    """Add what `leave_sums` of n blocks has left."""
    scratch = cuda.shared.array(32, T)
    loss_sum, weight_sum = T(0), T(0)
    for i in range(int64(cuda.threadIdx.x), n, int64(cuda.blockDim.x)):
        loss_sum += partial[2 * i]
        weight_sum += partial[2 * i + 1]
    loss_sum = block_sum(loss_sum, scratch)
    weight_sum = block_sum(weight_sum, scratch)
    if int32(cuda.threadIdx.x) == 0:
        finish(loss_sum, weight_sum, loss, total, divisor)


class Sums:
    """What a kernel needs whose blocks leave their sums, and the launch that adds these up.

    Args:    blocks (int): as many as have work; there will be `self.blocks`.
             reduction (str): with "none" nothing is added; `total` becomes 1.
             loss, total (arrays): where the results go; total may be None.
             divisor (int): of the mean, 0 for the sum of weights.
    """

    def __init__(self, blocks, reduction, loss, total, divisor):
        self.blocks, self._loss = min(blocks, MOST_BLOCKS), loss
        self._each, self._divisor = reduction == "none", divisor if reduction == "mean" else 1
        self._partial = xp.empty(2 * self.blocks, loss.dtype)
        self._total = self._partial if total is None else total
        self.arguments = self._each, self._partial, loss, self._total, self._divisor

    def finish(self):
        """Add up, unless one block has done it."""
        if not self._each and self.blocks > 1:
            finish_kernel.launch((1, 1, 1), (self._partial, self._loss, self._total, self._divisor,
                                             self.blocks), T=self._loss.dtype)


def reduce_rows(kernel, M, C, lanes, arguments, *results, **constants):
    """Launch a kernel in which teams take rows, and add up what they leave; results as in Sums."""
    sums = Sums(-(-M // (BLOCK // lanes * ROUNDS)), *results)
    kernel.launch((sums.blocks, 1, 1), (*arguments, *sums.arguments, M, C), T=results[1].dtype,
                  LANES=lanes, **constants)
    sums.finish()


def fill_empty(reduction, loss, total=None):
    """The loss of no rows: 0 in the sum, 0 / 0 in the mean. Returns -1: no label is bad."""
    if reduction != "none":
        loss.fill(numpy.nan if reduction == "mean" else 0)
    if total is not None:
        total.fill(0 if reduction == "mean" else 1)
    return -1
