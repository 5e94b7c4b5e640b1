"""Convolution and its gradients on any GPU, for any channels: launching the kernels of
gather_product.py and weight_product.py. Mirrors reference/conv.py."""

from __future__ import annotations

from functools import cache
from math import prod

import numpy

from . import gather
from .backend import xp
from .gather_product import ALIGNED, BIAS, RELU, constants, gather_product_kernel
from .kept import aligned, upload
from .mode import SIMULATED
from .primitives import divisor
from .row_sums import add_rows
from .weight_product import constants as weight_constants
from .weight_product import weight_product_kernel

MOST_PIXELS = 2**31 - 2**16  # pixels are counted in int32
ENOUGH_BLOCKS = 264  # for a large GPU: two on each of 132 multiprocessors
MANY_WEIGHTS = 4096  # beyond the cache next to a multiprocessor, they are laid out first


def steps_of(weight):
    """Weights with one step from tap to tap, and elements from one output channel, tap and channel
    to the next."""
    if not _one_step(weight) or min(weight.strides) < 0:
        weight = xp.ascontiguousarray(weight)
    taps = [s for s, n in zip(weight.strides[1:4], weight.shape[1:4]) if n > 1]
    steps = weight.strides[0], taps[-1] if taps else 0, weight.strides[4]
    return weight, tuple([s // weight.itemsize for s in steps])


def _one_step(weight):
    """Whether taps lie the same number of bytes apart, in the order of the window."""
    expected = None
    for n, step in zip(weight.shape[3:0:-1], weight.strides[3:0:-1]):
        if n > 1:
            if expected not in (None, step):
                return False
            expected = step * n
        elif expected is not None:
            expected *= n
    return True


def forward(x, weight, bias, y, window, groups, relu):
    many = weight.size > MANY_WEIGHTS and y.size > 8 * weight.size
    if many and weight.strides[0] != weight.itemsize:  # then output channels side by side
        weight = xp.ascontiguousarray(weight.transpose(1, 2, 3, 4, 0)).transpose(4, 0, 1, 2, 3)
    weight, (of_output, of_tap, of_input) = steps_of(weight)
    group = len(weight) // groups * of_output
    flags = RELU * bool(relu) + BIAS * (bias is not None)
    _launch("forward", x, weight, bias, y, window, groups, flags,
            (of_output, group, of_input, of_tap))


def backward_input(grad_y, weight, bias, grad_x, window, groups):
    many = weight.size > MANY_WEIGHTS and grad_x.size > 8 * weight.size
    if many and weight.strides[4] != weight.itemsize:  # then input channels side by side
        weight = xp.ascontiguousarray(weight)
    weight, (of_output, of_tap, of_input) = steps_of(weight)
    group = len(weight) // groups * of_output
    _launch("backward", grad_y, weight, bias, grad_x, window, groups, BIAS * (bias is not None),
            (of_input, group, of_output, of_tap))


def _launch(direction, x, weight, bias, y, window, groups, flags, steps):
    """Launch the gather that makes y, for so many images at a time that int32 counts pixels."""
    if not y.size:
        return
    for first in range(0, len(x), most_images(x, y)):
        x_part, y_part = [a[first:first + most_images(x, y)] for a in (x, y)]
        grid, chosen, table, sizes = _plan(direction, window, x_part.shape, y_part.shape, groups,
                                           steps, x.itemsize, aligned(x_part))
        gather_product_kernel.launch(
            grid, (x_part, weight, bias, y_part, table.phases, table.taps, sizes,
                   flags + ALIGNED * aligned(y_part)),
            threads=chosen["THREADS"], T=x.dtype, **chosen)


def most_images(x, y):
    return max(MOST_PIXELS // max(prod(x.shape[1:4]), prod(y.shape[1:4]), 1), 1)


@cache
def _plan(direction, window, x_shape, y_shape, groups, steps, itemsize, may_be_wide):
    """(grid, the tile's constants, gather, `sizes` on the device)."""
    make = gather.forward if direction == "forward" else gather.backward
    sizes = (x_shape[1:4], y_shape[1:4])
    table = make(window, *(sizes if direction == "forward" else sizes[::-1]))
    channels, columns = x_shape[4] // groups, y_shape[4] // groups
    rows, phases = table.most_outputs * x_shape[0], len(table.host_phases)
    wide = 4 if channels % 4 == 0 and may_be_wide else 1
    chosen = constants("large", itemsize, wide)
    blocks = -(-rows // chosen["BM"]) * -(-columns // chosen["BN"]) * phases * groups
    if columns <= 16:
        chosen = constants("narrow", itemsize, wide)
    elif columns <= 32 or blocks < ENOUGH_BLOCKS:
        chosen = constants("square", itemsize, wide)
    row_blocks, column_blocks = -(-rows // chosen["BM"]), -(-columns // chosen["BN"])
    column_step, group_step, channel_step, tap_step = steps
    numbers = [*x_shape[1:], *y_shape[1:], *table.stride, x_shape[0], *table.step, 0, channels,
               columns, groups, column_blocks, row_blocks, column_step, group_step, 0,
               *divisor(channels), channel_step, tap_step]
    grid = (phases * row_blocks * groups * column_blocks, 1, 1)
    return grid, chosen, table, upload(numpy.array(numbers, numpy.int32))


# --- the gradient of the weights -----------------------------------------------------------------

SHARING_BLOCKS = 8 if SIMULATED else 512  # among which pixels are shared, if they are many
LEAST_STEPS = 1 if SIMULATED else 8  # of BK pixels, for a block
MOST_SHARES = 3 if SIMULATED else 256
MOST_NUMBERS = 1 << 24  # of partial sums


def backward_weight(x, grad_y, grad_weight, window, groups):
    """Chunks of images, which int32 asks for in theory, are added afterwards."""
    if not grad_weight.size:
        return
    if not grad_y.size:
        grad_weight.fill(0)
        return
    most = most_images(x, grad_y)
    for first in range(0, len(x), most):
        out = grad_weight if first == 0 else xp.empty(grad_weight.shape, x.dtype)
        _weight_part(x[first:first + most], grad_y[first:first + most], out, window, groups)
        if first:
            grad_weight += out


def is_dense(grad_weight):
    """Whether its numbers fill their memory, and taps lie the same number of bytes apart."""
    if not _one_step(grad_weight) or min(grad_weight.strides) < 0:
        return False
    extent = sum([(n - 1) * s for n, s in zip(grad_weight.shape, grad_weight.strides)])
    return extent == grad_weight.nbytes - grad_weight.itemsize


def _weight_part(x, grad_y, grad_weight, window, groups):
    dense = grad_weight if is_dense(grad_weight) else xp.empty(grad_weight.shape, x.dtype)
    _, steps = steps_of(dense)
    grid, chosen, table, sizes, shares = _weight_plan(window, x.shape, grad_y.shape, groups, steps,
                                                      x.itemsize, aligned(x, grad_y))
    partial = dense if shares == 1 else xp.empty(shares * dense.size, x.dtype)
    weight_product_kernel.launch(grid, (x, grad_y, partial, table.taps, sizes),
                                 threads=chosen["THREADS"], T=x.dtype, **chosen)
    if shares > 1:
        add_rows(partial, shares, dense.size, dense)
    if dense is not grad_weight:
        grad_weight[...] = dense


@cache
def _weight_plan(window, x_shape, y_shape, groups, steps, itemsize, may_be_wide):
    """(grid, the tile's constants, gather, `sizes` on the device, shares of the pixels)."""
    table = gather.forward(window, x_shape[1:4], y_shape[1:4])
    channels, outputs = x_shape[4] // groups, y_shape[4] // groups
    taps, pixels = len(table.host_taps), prod(y_shape[:4])
    wide = 4 if channels % 4 == outputs % 4 == 0 and may_be_wide else 1
    chosen = weight_constants("narrow" if outputs <= 16 else "square", itemsize, wide)
    row_blocks, column_blocks = -(-outputs // chosen["BM"]), -(-channels * taps // chosen["BN"])
    blocks, count = row_blocks * column_blocks * groups, y_shape[4] * channels * taps
    least = chosen["BK"] * LEAST_STEPS
    shares = max(min(-(-SHARING_BLOCKS // blocks), pixels // least, MOST_SHARES,
                     MOST_NUMBERS // count), 1)
    share = -(-pixels // shares)
    shares = -(-pixels // share)
    of_output, of_tap, of_input = steps
    numbers = [*x_shape[1:], *y_shape[1:], *table.stride, pixels, channels, outputs, groups, taps,
               row_blocks, column_blocks, share, 0, of_output, of_input, of_tap, count]
    return ((shares * blocks, 1, 1), chosen, table, upload(numpy.array(numbers, numpy.int32)),
            shares)
