"""Gradient of the weights of a convolution on tensor cores. Mirrors reference/conv.py.

    grad_weight[oc, tap, c] = sum over output pixels p of grad_y[p, oc] * x[pixel p sees by tap, c]

A product of matrices again: rows are output channels, columns (tap, channel), and the sum runs over
pixels, which is split over blockIdx.z: there are many pixels and few weights. Each part is written
for itself; a second kernel adds the parts in their order, so that two runs give equal bits.

Both tiles lie `across` (tensor_core_tiles.py): a pixel's channels lie side by side.
"""

from __future__ import annotations

from math import inf

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
from .tensor_core import cp_commit, store_tile
from .tensor_core_conv import forward_plan, pixel_seen, pixel_under
from .tensor_core_pack import aligned, pack_pixels, padded
from .tensor_core_tiles import (
    A_APART,
    A_CHUNKS,
    A_LOADS,
    B_APART,
    B_CHUNKS,
    B_LOADS,
    DEPTH,
    STAGES,
    SUMS,
    TILE_COLUMNS,
    TILE_ROWS,
    block_corner,
    blocks_of,
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

VARIANTS = [constants(tile, False, False, high) for high in (True, False) for tile in tiles(high)]


@device
def line_and_piece(t, chunks, before):
    """Which line of a tile thread t copies to, and the channel there, of those from `before` on."""
    line = quotient(t, chunks)
    return line, int32(before + 4 * (t - line * chunks))


@device
def output_pixel(j, first, end):
    p = int32(first + j * A_APART)
    return int32(p if p < end else -1)


@device
def input_pixel(j, first, end, d, h, w, shape, stride, depth, height, width):
    """The pixel that output pixel first + j * B_APART sees by the tap at d, h, w."""
    p = int32(first + j * B_APART)
    if p >= end:
        return int32(-1)
    place = pixel_seen(p, shape, stride, depth, height, width)
    return pixel_under(place, d, h, w, depth, height, width)


@device
def part_row(r, first, count, before, columns):
    row = int32(first + 8 * r)
    return (int64(before) + int64(row)) * int64(columns) if row < count else int64(-1)


@kernel(threads=256, min_blocks=2, variants=VARIANTS, simulated_threads=64,
        least_capability=(8, 0), instructions=instructions)
def weight_kernel(x: Ptr[float32], grad_y: Ptr[float32], parts: Ptr[float32], taps: Ptr[int32],
                  plan: Ptr[int32], count: int32, depth: int32, height: int32, width: int32,
                  x_width: int32, channels: int32, y_width: int32, y_channels: int32,
                  outputs: int32, columns: int32, length: int32, out_d: int32, out_h: int32,
                  out_w: int32, stride_d: int32, stride_h: int32, stride_w: int32, least: float32):
    """blockIdx.x counts tiles, y groups, z parts of `length` of `count` pixels."""
    t, group, part = int32(cuda.threadIdx.x), int32(cuda.blockIdx.y), int32(cuda.blockIdx.z)
    m, n = block_corner(columns)
    tile = cuda.shared.array(0, float32, 16)
    a, oc = line_and_piece(t, A_CHUNKS, m)
    b, column = line_and_piece(t, B_CHUNKS, n)
    first, end = int32(part * length), int32(min(part * length + length, count))
    end_a = int32(end if oc < y_channels else 0)
    end_b = int32(end if column < columns else 0)
    tap = quotient(min(column, columns - 1), channels)
    d, h, w = taps[4 * tap], taps[4 * tap + 1], taps[4 * tap + 2]
    oc += group * y_channels
    channel = int32(column + (group - tap) * channels)
    shape = out_d, out_h, out_w, plan[9], plan[10], plan[11], plan[12], plan[13], plan[14]
    stride = stride_d, stride_h, stride_w  # as arguments they need no registers
    steps = int32((end - first + DEPTH - 1) >> 5)
    sums, slot, step = full(SUMS, float32(0)), int32(0), int32(1 - STAGES)
    while step < steps:
        wait_for(step)
        if step + STAGES - 1 < steps:
            rows = each(output_pixel, numbers(A_LOADS), (first + a, end_a))
            copy_a(tile, slot, t, grad_y, rows, y_width, oc)
            pixels = each(input_pixel, numbers(B_LOADS),
                          (first + b, end_b, d, h, w, shape, stride, depth, height, width))
            copy_b(tile, slot, t, x, pixels, x_width, channel)
            first += int32(DEPTH)
        cp_commit()
        slot = next_slot(slot)
        if step >= 0:
            sums = multiply(sums, tile, slot, t)
        step += int32(1)
    m, n = sums_corner(m, n, t)
    before = (part * cuda.gridDim.y + group) * outputs
    rows = each(part_row, numbers(TILE_ROWS), (m, outputs, before, columns))
    store_tile(parts, rows, n, columns, sums, full(TILE_COLUMNS, float32(0)), least, 1)


@kernel(variants=({},))
def weight_sum_kernel(parts: Ptr[float32], grad_weight: Ptr[float32], count: int32, size: int64,
                      channels: int32, width: int32, kernel_h: int32, kernel_w: int32,
                      stride_oc: int64, stride_d: int64, stride_h: int64, stride_w: int64,
                      stride_c: int64, taps: int32):
    """A thread for each (oc, tap, channel) adds its `count` parts, `size` numbers apart."""
    i = thread_of_grid()
    if i >= size:
        return
    above = quotient(i, width)
    c = int32(i - above * width)
    oc = quotient(above, taps)
    place = int32(above - oc * taps)
    if c >= channels:
        return
    total = float32(0)
    for part in range(count):
        total += parts[part * size + i]
    row = quotient(place, kernel_w)
    d = quotient(row, kernel_h)
    grad_weight[int64(oc) * stride_oc + int64(d) * stride_d + int64(row - d * kernel_h) * stride_h
                + int64(place - row * kernel_w) * stride_w + int64(c) * stride_c] = total


def backward_weight(x, grad_y, grad_weight, window, groups):
    high = precision.mode == "high"
    OC, _, KH, KW, C = grad_weight.shape
    outputs, size, count = OC // groups, grad_y.shape[1:4], grad_y.size // OC
    plan = forward_plan(window, x.shape[1:4], size, C)
    if C % 4 or not aligned(x):
        x = pack_pixels(x, groups, high)
    if outputs % 4 or not aligned(grad_y):
        grad_y = pack_pixels(grad_y, groups, high)
    taps = len(plan.taps)
    columns = taps * padded(C)
    found = choose(outputs, columns, groups, False, False, high)
    blocks = blocks_of(found, outputs, columns)
    parts, length = split_depth(-(-count // DEPTH), blocks * groups)
    sums = xp.empty((parts, OC, columns), x.dtype)
    run(weight_kernel, (blocks, groups, parts),
        (x, grad_y, sums, plan.taps, plan.table, count, *plan.read, x.shape[4], padded(C),
         grad_y.shape[4], padded(outputs), outputs, columns, length, *size,
         *window.stride, -inf), found)
    strides = [s // grad_weight.itemsize for s in grad_weight.strides]
    weight_sum_kernel.launch(
        weight_sum_kernel.blocks(OC * columns),
        (sums, grad_weight, parts, OC * columns, C, padded(C), KH, KW, *strides, taps))
