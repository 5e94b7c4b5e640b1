"""Convolution and the gradient of its input on tensor cores. Mirrors reference/conv.py.

Both are a gather (gather.py) and a product of matrices: rows are output pixels of a phase, columns
output channels of a group, and the sum runs over (tap, channel), channels filled up with zeros to
a multiple of 4, so that 16 bytes belong to one tap. A block makes BM x BN of it, see
tensor_core_tiles.py. The matrix of inputs is never written: each thread keeps the pixels of its
rows under the current tap, and copies their channels to shared memory.

The kernel reads weights as rows of (tap, channel), see tensor_core_pack.py.
"""

from __future__ import annotations

from functools import cache
from math import inf, prod

import numpy

from .. import precision
from . import gather
from .kept import upload
from .kernel import kernel
from .primitives import (
    Ptr,
    cuda,
    device,
    divided,
    divisor,
    each,
    float32,
    full,
    int32,
    int64,
    numbers,
    quotient,
    uint32,
)
from .tensor_core import cp_commit, pairs, store_tile
from .tensor_core_pack import aligned, pack_pixels, pack_weights, padded
from .tensor_core_tiles import (
    A_APART,
    A_LOADS,
    B_APART,
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
    sums_corner,
    tiles,
    wait_for,
)

PLAN_FIELDS = 24  # of a phase: see Plan
LEAST_WORK = 1 << 24  # multiplications, below which more launches should not pay: an estimate
LEAST_USE = 1 / 8  # of a block's work, below which plain products should be as fast: an estimate
MOST = 2**31 - 2**16  # indices are int32


@device
def phase_shape(plan, at):
    """What `decode` needs of a phase."""
    return (plan[at], plan[at + 1], plan[at + 2], plan[at + 9], plan[at + 10], plan[at + 11],
            plan[at + 12], plan[at + 13], plan[at + 14])


@device
def decode(m, shape):
    """Image, d, h, w of output m of a phase."""
    q = divided(m, shape[3], shape[4])
    r = divided(q, shape[5], shape[6])
    image = divided(r, shape[7], shape[8])
    return image, r - image * shape[0], q - r * shape[1], m - q * shape[2]


@device
def pixel_seen(m, shape, stride, depth, height, width):
    """(number, d, h, w) of the pixel that output m sees under a tap without offset; it may lie
    outside."""
    image, d, h, w = decode(m, shape)
    d, h, w = d * stride[0], h * stride[1], w * stride[2]
    return int32(((image * depth + d) * height + h) * width + w), int32(d), int32(h), int32(w)


@device
def place_of_load(j, first, last, shape, stride, depth, height, width):
    m = int32(min(first + j * A_APART, last))
    return pixel_seen(m, shape, stride, depth, height, width)


@device
def pixel_under(place, d, h, w, depth, height, width):
    """The pixel d, h, w away from a place, -1 if it lies outside."""
    inside = ((uint32(int32(place[1] + d)) < uint32(depth))  # negative ones are large
              & (uint32(int32(place[2] + h)) < uint32(height))
              & (uint32(int32(place[3] + w)) < uint32(width)))
    return int32(place[0] + (d * height + h) * width + w if inside else -1)


@device
def pixels_under(places, tap, end, taps, depth, height, width):
    if tap >= end:
        return full(A_LOADS, int32(-1))
    d, h, w = taps[4 * tap], taps[4 * tap + 1], taps[4 * tap + 2]
    return each(pixel_under, places, (d, h, w, depth, height, width))


@device
def weight_row(j, first, last, before):
    return int32(min(first + j * B_APART, last) + before)


@device
def output_row(r, first, count, shape, plan, at, y_width, before):
    """Where the channels of output first + 8 r begin in y, -1 beyond the last."""
    m = int32(first + 8 * r)
    if m >= count:
        return int64(-1)
    image, d, h, w = decode(m, shape)
    d = plan[at + 3] + d * plan[at + 18]
    h = plan[at + 4] + h * plan[at + 19]
    w = plan[at + 5] + w * plan[at + 20]
    pixel = ((image * plan[at + 21] + d) * plan[at + 22] + h) * plan[at + 23] + w
    return int64(pixel) * int64(y_width) + int64(before)


@device
def first_piece(t, plan, at, channels):
    """(k, tap, channel) of the first 16 bytes that thread t copies."""
    piece = 4 * (t & 7)
    taps = quotient(piece, channels)
    return (int32(plan[at + 8] + piece), int32(plan[at + 6] + taps),
            int32(piece - taps * channels))


@device
def next_tap(tap, channel, channels):
    """The same place for a channel that is beyond the last."""
    taps = quotient(channel, channels)
    return int32(tap + taps), int32(channel - taps * channels)


@device
def write_outputs(sums, y, bias, m, n, count, shape, plan, at, y_width, outputs, before, biased,
                  even, least):
    """Add the bias, apply ReLU, store; (m, n): the first of the thread's sums."""
    rows = each(output_row, numbers(TILE_ROWS), (m, count, shape, plan, at, y_width, before))
    add = pairs(bias, before + n, TILE_PAIRS, before + outputs if biased else 0)
    if even:
        store_tile(y, rows, n, outputs, sums, add, least, 1)
    else:
        store_tile(y, rows, n, outputs, sums, add, least, 0)


VARIANTS = [constants(tile, True, True, high, b_rounded=True)
            for high in (True, False) for tile in tiles(high)]


@kernel(threads=256, min_blocks=2, variants=VARIANTS, simulated_threads=64,
        least_capability=(8, 0), instructions=instructions)
def conv_kernel(x: Ptr[float32], weights: Ptr[float32], bias: Ptr[float32], y: Ptr[float32],
                taps: Ptr[int32], plan: Ptr[int32], images: int32, depth: int32, height: int32,
                width: int32, x_width: int32, channels: int32, y_width: int32, outputs: int32,
                row_length: int32, groups: int32, biased: int32, even: int32, least: float32):
    """blockIdx.x counts tiles, z phases and groups."""
    phase = quotient(cuda.blockIdx.z, groups)
    group, at = int32(cuda.blockIdx.z - phase * groups), int32(phase * PLAN_FIELDS)
    shape = phase_shape(plan, at)
    count = int32(images * shape[0] * shape[1] * shape[2])
    t, (m, n) = int32(cuda.threadIdx.x), block_corner(outputs)
    if m >= count:
        return
    tile = cuda.shared.array(0, float32, 16)
    stride = plan[at + 15], plan[at + 16], plan[at + 17]
    places = each(place_of_load, numbers(A_LOADS),
                  (m + (t >> 3), count - 1, shape, stride, depth, height, width))
    rows = each(weight_row, numbers(B_LOADS), (n + (t >> 3), outputs - 1, group * outputs))
    end = plan[at + 6] + plan[at + 7]
    steps = quotient(plan[at + 7] * channels + DEPTH - 1, DEPTH)
    k, tap, channel = first_piece(t, plan, at, channels)
    pixels = pixels_under(places, tap, end, taps, depth, height, width)
    sums, slot, step = full(SUMS, float32(0)), int32(0), int32(1 - STAGES)
    while step < steps:
        wait_for(step)
        if step + STAGES - 1 < steps:
            copy_a(tile, slot, t, x, pixels, x_width, int32(group * channels + channel))
            copy_b(tile, slot, t, weights, rows, row_length, k)
            k += int32(DEPTH)
            channel += int32(DEPTH)
            if channel >= channels:
                tap, channel = next_tap(tap, channel, channels)
                pixels = pixels_under(places, tap, end, taps, depth, height, width)
        cp_commit()
        slot = next_slot(slot)
        if step >= 0:
            sums = multiply(sums, tile, slot, t)
        step += int32(1)
    m, n = sums_corner(m, n, t)
    write_outputs(sums, y, bias, m, n, count, shape, plan, at, y_width, outputs, group * outputs,
                  biased, even, least)


class Plan:
    """What the kernels know of a convolution of one shape, but for the number of images.

    A row of `table` for each phase; d h w is depth, height, width:
        0 outputs d h w             3 where they begin in y d h w      6 first tap, number of taps
        8 where its weights begin   9 divisors of width, height, depth of the outputs
        15 step of reading d h w    18 step of writing d h w           21 size of y d h w

    Args:    found (Gather), sizes (pairs of 3 ints): what is read and what is written.
             channels (int): of a group, that are read.
    """

    fields = PLAN_FIELDS

    def __init__(self, found, read, written, channels):
        self.phases, self.taps = found.host_phases, found.taps
        self.most_outputs, self.read = found.most_outputs, read
        rows, self.row_length = [], 0
        for outs, origin, first, count in [(p[:3], p[3:6], *p[6:]) for p in found.host_phases]:
            divisors = [number for n in reversed(outs) for number in divisor(max(n, 1))]
            rows.append((*outs, *origin, first, count, self.row_length, *divisors, *found.stride,
                         *found.step, *written))
            self.row_length += -(-count * padded(channels) // DEPTH) * DEPTH
        self.table = upload(numpy.array(rows, numpy.int32).reshape(-1, PLAN_FIELDS))


@cache
def forward_plan(window, x_size, y_size, channels):
    return Plan(gather.forward(window, x_size, y_size), x_size, y_size, channels)


@cache
def backward_plan(window, x_size, y_size, channels):
    """Of the gradient of the input, which reads grad_y."""
    return Plan(gather.backward(window, x_size, y_size), y_size, x_size, channels)


def _convolve(x, weight, bias, y, plan, groups, transposed, relu=False):
    """Gather x, multiply, and write y: forward pass, or transposed."""
    high = precision.mode == "high"
    weights = pack_weights(weight, groups, transposed, plan, high)
    channels, outputs = x.shape[4] // groups, y.shape[4] // groups
    if channels % 4 or not aligned(x):
        x = pack_pixels(x, groups, high)
    rows, others = x.shape[0] * plan.most_outputs, groups * len(plan.phases)
    found = choose(rows, outputs, others, True, True, high, False, True)
    even = outputs % 2 == 0 and aligned(y, 8)
    run(conv_kernel, (blocks_of(found, rows, outputs), 1, others),
        (x, weights, bias, y, plan.taps, plan.table, x.shape[0], *plan.read, x.shape[4],
         padded(channels), y.shape[4], outputs, plan.row_length, groups, bias is not None, even,
         0.0 if relu else -inf), found)


def forward(x, weight, bias, y, window, groups, relu=False):
    plan = forward_plan(window, x.shape[1:4], y.shape[1:4], x.shape[4] // groups)
    _convolve(x, weight, bias, y, plan, groups, False, relu)


def backward_input(grad_y, weight, bias, grad_x, window, groups):
    """With a bias: the forward pass of a transposed convolution."""
    plan = backward_plan(window, grad_x.shape[1:4], grad_y.shape[1:4], grad_y.shape[4] // groups)
    _convolve(grad_y, weight, bias, grad_x, plan, groups, True)


def serves(x, weight, window, groups):
    """Whether a convolution of these arrays is worth and fit for tensor cores, in all passes.

    Args:    x (array): (N, D, H, W, C), weight (array): (OC, KD, KH, KW, C / groups).
    """
    if x.dtype != numpy.float32 or not capable():
        return False
    C, OC = weight.shape[4], weight.shape[0] // groups
    size = window.output_size(x.shape[1:4])
    taps, pixels, outputs = prod(window.kernel), prod(x.shape[:4]), x.shape[0] * prod(size)
    work = outputs * OC * C * taps * groups
    phases = prod([min(s, n) for s, n in zip(window.stride, x.shape[1:4])])
    fits = max(pixels, outputs, weight.size * 8) < MOST and max(phases * groups, OC, C) < 2**16
    use = C / padded(C) * OC / (-(-OC // TILES[-1].BN) * TILES[-1].BN)
    return min(size) > 0 and fits and work >= LEAST_WORK and use >= LEAST_USE
