"""Depthwise convolution and its gradients: launching depthwise_kernels.py. Mirrors
reference/conv.py for groups of one input channel."""

from __future__ import annotations

from functools import cache
from math import prod

import numpy

from . import gather
from .backend import xp
from .depthwise_kernels import TAPS, THREADS, constants, depthwise_kernel, depthwise_weight_kernel
from .gather_product import BIAS, RELU
from .kept import aligned, upload
from .mode import SIMULATED
from .plain_conv import is_dense, most_images, steps_of
from .row_sums import add_rows

MOST_LANES = 32  # few enough that not many of a block's threads are left over
SHARING_BLOCKS = 4 if SIMULATED else 1024  # among which pixels are shared, if they are many
LEAST_PIXELS = 4 if SIMULATED else 16  # of a thread
MOST_NUMBERS = 1 << 24  # of partial sums


def serves(weight, groups):
    """Whether every group has one input channel, and there is more than one group."""
    return groups > 1 and weight.shape[4] == 1


def _laid_out(weight):
    """Weights as (tap, output channel)."""
    return xp.ascontiguousarray(weight[..., 0].transpose(1, 2, 3, 0))


def forward(x, weight, bias, y, window, groups, relu):
    _launch("forward", x, weight, bias, y, window, RELU * bool(relu))


def backward_input(grad_y, weight, bias, grad_x, window, groups):
    _launch("backward", grad_y, weight, bias, grad_x, window, 0)


def _launch(direction, x, weight, bias, y, window, flags):
    if not y.size:
        return
    weight, most = _laid_out(weight), most_images(x, y)
    wide = _most_wide(x, y, weight, *(() if bias is None else (bias,)))
    for first in range(0, len(x), most):
        x_part, y_part = x[first:first + most], y[first:first + most]
        grid, table, sizes, wide = _plan(direction, window, x_part.shape, y_part.shape, wide)
        depthwise_kernel.launch(
            grid, (x_part, weight, bias, y_part, table.phases, table.taps, sizes,
                   flags + BIAS * (bias is not None)),
            T=x.dtype, WIDE=wide)


def _lanes(channels, wide):
    """(threads side by side on the channels, blocks of them)."""
    lanes = -(-channels // wide)
    blocks = -(-lanes // MOST_LANES)
    return -(-lanes // blocks), blocks


def _most_wide(x, *others):
    """Channels that may be read at a time: 16 bytes, where arrays start at a multiple of it."""
    return 16 // x.itemsize if aligned(x, *others) else 1


def _wide(C, OC, wide):
    return wide if C == OC and C % wide == 0 else 1


@cache
def _plan(direction, window, x_shape, y_shape, wide):
    """(grid, gather, `sizes` on the device, channels of a thread)."""
    sizes = (x_shape[1:4], y_shape[1:4])
    make = gather.forward if direction == "forward" else gather.backward
    table = make(window, *(sizes if direction == "forward" else sizes[::-1]))
    C, OC = x_shape[4], y_shape[4]
    wide = _wide(C, OC, wide)
    lanes, blocks = _lanes(OC, wide)
    row_blocks = -(-table.most_outputs * x_shape[0] // (4 * (THREADS // lanes)))
    numbers = [*x_shape[1:], *y_shape[1:], *table.stride, x_shape[0], *table.step, 0, lanes,
               row_blocks, max(C // OC, 1), max(OC // C, 1)]
    grid = (len(table.host_phases) * row_blocks, blocks, 1)
    return grid, table, upload(numpy.array(numbers, numpy.int32)), wide


def backward_weight(x, grad_y, grad_weight, window, groups):
    if not grad_y.size:
        grad_weight.fill(0)
        return
    most = most_images(x, grad_y)
    for first in range(0, len(x), most):
        out = grad_weight if first == 0 else xp.empty(grad_weight.shape, x.dtype)
        _weight_part(x[first:first + most], grad_y[first:first + most], out, window)
        if first:
            grad_weight += out


def _weight_part(x, grad_y, grad_weight, window):
    dense = grad_weight if is_dense(grad_weight) else xp.empty(grad_weight.shape, x.dtype)
    _, (of_output, of_tap, _) = steps_of(dense)
    grid, table, sizes, share, wide = _weight_plan(window, x.shape, grad_y.shape,
                                                   _most_wide(x, grad_y))
    partial = dense if grid[0] == 1 else xp.empty(grid[0] * dense.size, x.dtype)
    depthwise_weight_kernel.launch(
        grid, (x, grad_y, partial, table.taps, sizes, share, of_output, of_tap,
               len(table.host_taps), dense.size),
        T=x.dtype, **constants(wide))
    if grid[0] > 1:
        add_rows(partial, grid[0], dense.size, dense)
    if dense is not grad_weight:
        grad_weight[...] = dense


@cache
def _weight_plan(window, x_shape, y_shape, wide):
    """(grid, gather, `sizes` on the device, pixels of a thread, its channels)."""
    table = gather.forward(window, x_shape[1:4], y_shape[1:4])
    C, OC, pixels, taps = x_shape[4], y_shape[4], prod(y_shape[:4]), len(table.host_taps)
    wide = _wide(C, OC, wide)
    lanes, blocks = _lanes(OC, wide)
    side, tap_blocks = THREADS // lanes, -(-taps // TAPS)
    shares = min(-(-SHARING_BLOCKS // (blocks * tap_blocks)), MOST_NUMBERS // (OC * taps),
                 pixels // (side * LEAST_PIXELS))
    share = -(-pixels // (max(shares, 1) * side))
    numbers = [*x_shape[1:], *y_shape[1:], *table.stride, x_shape[0], *table.step, 0, lanes, 0, 0,
               OC // C]
    grid = (-(-pixels // (share * side)), blocks, tap_blocks)
    return grid, table, upload(numpy.array(numbers, numpy.int32)), share, wide
