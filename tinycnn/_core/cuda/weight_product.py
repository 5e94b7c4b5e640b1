"""The kernel of the gradient of a convolution's weights, without tensor cores.

    dW[oc, (tap, c)] = sum over pixels p of dY[p, oc] * X[pixel under tap from p, c]

Rows are output channels of a group, columns (tap, channel) pairs, and the sum runs over the output
pixels of all images. Weights are few and pixels many: blocks share the pixels, and write partial
sums which row_sums.py adds. Pixels are looked up in shared memory, two steps ahead of being
multiplied.

    block = (share of the pixels, group, block of rows, block of columns)
"""

from __future__ import annotations

from .gather_product import OUTSIDE, read
from .kernel import FLOATS, Ptr, T, kernel
from .mode import SIMULATED
from .plain_tiles import (
    A_COUNT,
    A_ROW,
    A_SIZE,
    B_COUNT,
    B_ROW,
    B_SIZE,
    BK,
    BM,
    BN,
    SUMS,
    TWICE_N,
    N,
    column_of_tile,
    cut,
    multiply,
    numbered,
    row_of_sums,
    row_of_tile,
    tile,
)
from .primitives import (
    cuda,
    device,
    each,
    full,
    int32,
    int64,
    load,
    numbers,
    quotient,
    store,
    uint32,
)

WIDE = 1  # channels read at a time: 4 where groups have a multiple of 4, on both sides
A_LANES, B_LANES = 16, 16  # threads side by side on a step of the sum
A_PASS, B_PASS = 1, 1  # steps that the threads take at a time
PIXELS = 64  # 2 BK times 4 numbers

# `sizes`: one int32 table of everything that depends on shapes only
X_SIZE, Y_SIZE = 0, 4  # depth, height, width, channels
STRIDE, PIXEL_COUNT = 8, 11  # d h w; output pixels of all images
CHANNELS, OUTPUTS, GROUPS, TAPS = 12, 13, 14, 15  # the first two of a group
ROW_BLOCKS, COLUMN_BLOCKS, SHARE = 16, 17, 18  # pixels of a block
LAYOUT = 20  # steps of output channels, channels, taps in memory; numbers in all


def constants(size, itemsize, wide):
    """Constants of the tile "square" or "narrow"."""
    deep = 16 if itemsize == 4 or size == "narrow" else 8
    bm, bn, bk, m, n = (64, 64, deep, 4, 2) if size == "square" else (16, 64, deep, 2, 2)
    if SIMULATED:
        bm, bn, bk, m, n = (16, 16, 8, 2, 2) if size == "square" else (8, 16, 8, 1, 2)
    found = tile(bm, bn, bk, m, n, wide)
    threads = found["THREADS"]
    return {**found, "WIDE": wide, "A_LANES": bm // wide, "B_LANES": bn // wide,
            "A_PASS": threads * wide // bm, "B_PASS": threads * wide // bn,
            "B_COUNT": found["B_COUNT"] // wide, "PIXELS": 8 * bk}


VARIANTS = [{**floats, **constants(size, floats["T"].itemsize, wide)}
            for floats in FLOATS for size in ("square", "narrow") for wide in (1, 4)]


@device
def look_up(t, pixel, pixels, buffer, end, sizes):
    """Where output pixel number `pixel` starts reading: (d, h, w, pixel of x)."""
    D, H, W, _ = load(sizes, X_SIZE, 4)
    OD, OH, OW, _ = load(sizes, Y_SIZE, 4)
    stride_d, stride_h, stride_w, _ = load(sizes, STRIDE, 4)
    line = quotient(pixel, OW)
    w = int32((pixel - line * OW) * stride_w)
    plane = quotient(line, OH)
    h = int32((line - plane * OH) * stride_h)
    image = quotient(plane, OD)
    d = int32((plane - image * OD) * stride_d)
    at = int32(4 * (buffer * BK + t))
    pixels[at] = d if pixel < end else int32(OUTSIDE)
    pixels[at + 1] = h
    pixels[at + 2] = w
    pixels[at + 3] = int32(((image * D + d) * H + h) * W + w)


@device
def gradient(j, grad_y, pixel, end, OC, output):
    """What a thread brings of grad_y; output: its channel, -1 if there is none."""
    pixel = int32(pixel + j * A_PASS)
    return read(pixel if pixel < end and output >= 0 else int32(-1), grad_y, OC, output)


@device
def seen(j, x, pixels, at, offset, size, channel):
    """What a thread brings of x: under its own tap, from the pixels of this step."""
    d, h, w, pixel = load(pixels, int32(4 * (at + j * B_PASS)), 4)
    od, oh, ow, shift = offset
    depth, height, width, C = size
    inside = ((uint32(int32(d + od)) < uint32(depth)) & (uint32(int32(h + oh)) < uint32(height))
              & (uint32(int32(w + ow)) < uint32(width)))
    return read(int32(pixel + shift) if inside else int32(-1), x, C, channel)


@device
def put_row(item, tile, at, step):
    j, values = item
    store(tile, int32(at + j * step), values)
    return j


@device
def under_tap(column, group, taps, size, sizes):
    """(offset and shift of pixels under the tap of a column, its channel of x)."""
    channels = sizes[CHANNELS]
    tap = quotient(column, channels)
    channel = int32(group * channels + column - tap * channels)
    if tap < sizes[TAPS]:
        od, oh, ow, _ = load(taps, int32(4 * tap), 4)
        return (od, oh, ow, int32((od * size[1] + oh) * size[2] + ow)), channel
    return full(4, int32(OUTSIDE)), channel


@device
def products(t, x, grad_y, taps, sizes, first, end, group, output, column):
    """A thread's sums over the pixels from `first` to `end`, for the tile that begins at `output`
    and `column` of a group."""
    a = cuda.shared.array(A_SIZE, T, 16)
    b = cuda.shared.array(B_SIZE, T, 16)
    pixels = cuda.shared.array(PIXELS, int32, 16)
    size, OC, outputs = load(sizes, X_SIZE, 4), sizes[Y_SIZE + 3], sizes[OUTPUTS]
    a_k, b_k = quotient(t, A_LANES), quotient(t, B_LANES)
    a_row, b_column = int32((t - a_k * A_LANES) * WIDE), int32((t - b_k * B_LANES) * WIDE)
    output = int32(output + a_row)
    output = int32(group * outputs + output) if output < outputs else int32(-1)
    offset, channel = under_tap(int32(column + b_column), group, taps, size, sizes)
    row, column = row_of_tile(t), column_of_tile(t)
    buffer, sums = int32(0), full(SUMS, T(0))
    if t < BK:
        look_up(t, int32(first + t), pixels, 0, end, sizes)
        look_up(t, int32(first + BK + t), pixels, 1, end, sizes)
    cuda.syncthreads()
    a_next = each(gradient, numbers(A_COUNT), (grad_y, int32(first + a_k), end, OC, output))
    b_next = each(seen, numbers(B_COUNT), (x, pixels, b_k, offset, size, channel))
    while first < end:
        first = int32(first + BK)
        each(put_row, numbered(a_next),
             (a, int32((buffer * BK + a_k) * A_ROW + a_row), A_PASS * A_ROW))
        each(put_row, numbered(b_next),
             (b, int32((buffer * BK + b_k) * B_ROW + b_column), B_PASS * B_ROW))
        cuda.syncthreads()
        a_next = each(gradient, numbers(A_COUNT), (grad_y, int32(first + a_k), end, OC, output))
        b_next = each(seen, numbers(B_COUNT), (x, pixels, int32((1 - buffer) * BK + b_k), offset,
                                               size, channel))
        if t < BK:
            look_up(t, int32(first + BK + t), pixels, buffer, end, sizes)
        sums = multiply(sums, a, b, buffer, row, column)
        buffer = int32(1 - buffer)
    return sums


@device
def place_of_column(j, column, taps, sizes, layout):
    """Where the weights of a thread's j-th column are, -1 if there is none."""
    half = j // N
    column = int32(column + half * (BN // 2) + j - half * N)
    tap = quotient(column, sizes[CHANNELS])
    if tap >= sizes[TAPS]:
        return int64(-1)
    _, channel_step, tap_step, _ = layout
    channel = int32(column - tap * sizes[CHANNELS])
    return int64(channel) * int64(channel_step) + int64(taps[4 * tap + 3]) * int64(tap_step)


@device
def store_weight(item, y, at, places):
    j, value = item
    if places[j] >= 0:
        y[at + places[j]] = value
    return j


@device
def store_row(item, y, start, places, first, row, outputs, output_step):
    """One row of a thread's sums; `first` is the first output channel of the group, `row` the
    thread's first of it."""
    j, values = item
    output = row_of_sums(j, row)
    if output < outputs:
        each(store_weight, numbered(values),
             (y, start + int64(first + output) * int64(output_step), places))
    return j


@kernel(threads=128, variants=VARIANTS, simulated_threads=16)
def weight_product_kernel(x: Ptr[T], grad_y: Ptr[T], y: Ptr[T], taps: Ptr[int32],
                          sizes: Ptr[int32]):
    t, rest = int32(cuda.threadIdx.x), int32(cuda.blockIdx.x)
    row_blocks, column_blocks, pixels, _ = load(sizes, ROW_BLOCKS, 4)
    outputs, groups = sizes[OUTPUTS], sizes[GROUPS]
    block = quotient(rest, column_blocks)
    column = int32((rest - block * column_blocks) * BN)
    rest = quotient(block, row_blocks)
    output = int32((block - rest * row_blocks) * BM)
    share = quotient(rest, groups)
    group = int32(rest - share * groups)
    first = int32(share * pixels)
    end = int32(min(sizes[PIXEL_COUNT] - first, pixels) + first)
    sums = products(t, x, grad_y, taps, sizes, first, end, group, output, column)

    layout = load(sizes, LAYOUT, 4)
    output_step, _, _, count = layout
    places = each(place_of_column, numbers(TWICE_N),
                  (int32(column + column_of_tile(t)), taps, sizes, layout))
    each(store_row, numbered(cut(sums, TWICE_N)),
         (y, int64(share) * int64(count), places, int32(group * outputs),
          int32(output + row_of_tile(t)), outputs, output_step))
