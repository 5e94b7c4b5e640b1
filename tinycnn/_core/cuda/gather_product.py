"""The kernel of a convolution and of the gradient of its input, without tensor cores.

Both are a gather (gather.py) and a matrix product, whose left side is never in memory: rows are
output pixels of a phase, of all images; columns are output channels of a group; steps of the sum
are (tap, channel) pairs, channels side by side. Rows are looked up once, in shared memory: where
they start reading, and where they are written.

    block = ((phase, block of rows), group, block of columns)
"""

from __future__ import annotations

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
    positive,
    put_one,
    put_vector,
    row_of_sums,
    row_of_tile,
    store_half,
    tile,
    with_bias,
)
from .primitives import (
    cuda,
    device,
    divided,
    each,
    full,
    int32,
    int64,
    load,
    numbers,
    quotient,
    uint32,
)

WIDE = 1  # channels that a thread reads at a time: 4 where groups have a multiple of 4
ROWS = 64  # 4 numbers for each row of a tile
A_LANES, A_PASS = 8, 2  # threads side by side on the steps of the sum, and rows they take at a time
B_PASS = 1  # steps of the sum that the threads of the block take at a time
BIAS, RELU, ALIGNED = 1, 2, 4  # flags; y may be written 16 bytes at a time
OUTSIDE = -(2**30)

# `sizes`: one int32 table of everything that depends on shapes only
X_SIZE, Y_SIZE = 0, 4  # depth, height, width, channels
STRIDE, IMAGES, STEP = 8, 11, 12  # of reading d h w, then the images; of writing d h w
CHANNELS, COLUMNS, GROUPS, COLUMN_BLOCKS = 16, 17, 18, 19  # the first two of a group
ROW_BLOCKS, COLUMN_STEP, GROUP_STEP = 20, 21, 22  # of a phase; in the memory of the weights
FACTOR = 24  # and shift, for division by the channels; steps of channels and taps in the weights


def constants(size, itemsize, wide):
    """Constants of the tile "large", "square" or "narrow"."""
    deep = 16 if itemsize == 4 else 8
    bm, bn, bk, m, n = {"large": (128, 64, deep, 4, 4), "square": (64, 64, deep, 4, 2),
                        "narrow": (128, 16, deep, 2, 2)}[size]
    if SIMULATED:
        bm, bn, bk, m, n = (16, 8, 8, 2, 1) if size == "narrow" else (16, 16, 8, 2, 2)
    found = tile(bm, bn, bk, m, n, wide)
    lanes = bk // wide
    return {**found, "WIDE": wide, "ROWS": 4 * bm, "A_LANES": lanes,
            "A_PASS": found["THREADS"] // lanes, "B_PASS": found["THREADS"] // bn}


VARIANTS = [{**floats, **constants(size, floats["T"].itemsize, wide)}
            for floats in FLOATS for size in ("large", "square", "narrow") for wide in (1, 4)]


@device
def look_up(t, row, rows, places, phase, phases, sizes):
    """What row t of the tile reads, (d, h, w, pixel), and the pixel that it is, -1 if there is
    none."""
    depth, height, width, first_d = load(phases, int32(8 * phase), 4)
    first_h, first_w, _, _ = load(phases, int32(8 * phase + 4), 4)
    line = quotient(row, width)
    w = int32(row - line * width)
    plane = quotient(line, height)
    h = int32(line - plane * height)
    image = quotient(plane, depth)
    d = int32(plane - image * depth)

    OD, OH, OW, _ = load(sizes, Y_SIZE, 4)
    step_d, step_h, step_w, _ = load(sizes, STEP, 4)
    place = int32(image * OD + first_d + d * step_d)
    place = int32((place * OH + first_h + h * step_h) * OW + first_w + w * step_w)
    places[t] = place if image < sizes[IMAGES] else int32(-1)

    D, H, W, _ = load(sizes, X_SIZE, 4)
    stride_d, stride_h, stride_w, images = load(sizes, STRIDE, 4)
    d, h, w = int32(d * stride_d), int32(h * stride_h), int32(w * stride_w)
    pixel = int32(((image * D + d) * H + h) * W + w)
    rows[4 * t] = d if image < images else int32(OUTSIDE)
    rows[4 * t + 1] = h
    rows[4 * t + 2] = w
    rows[4 * t + 3] = pixel


@device
def pixel_under(j, rows, first, od, oh, ow, shift, depth, height, width):
    """The pixel that a thread's j-th row sees under a tap, -1 if that is outside."""
    d, h, w, pixel = load(rows, int32(4 * (first + j * A_PASS)), 4)
    inside = ((uint32(int32(d + od)) < uint32(depth)) & (uint32(int32(h + oh)) < uint32(height))
              & (uint32(int32(w + ow)) < uint32(width)))
    return int32(pixel + shift) if inside else int32(-1)


@device
def read(pixel, x, channels, channel):
    if pixel >= 0:
        return load(x, int64(pixel) * int64(channels) + int64(channel), WIDE)
    return full(WIDE, T(0))


@device
def inputs(x, size, tap, channel, rows, first, taps, first_tap, tap_count):
    """Of the input, what a thread brings under its tap and channel."""
    depth, height, width, channels = size
    offset = full(4, int32(OUTSIDE))
    if tap < tap_count:
        offset = load(taps, int32(4 * (first_tap + tap)), 4)
    od, oh, ow, _ = offset
    shift = int32((od * height + oh) * width + ow)
    pixels = each(pixel_under, numbers(A_COUNT),
                  (rows, first, od, oh, ow, shift, depth, height, width))
    return each(read, pixels, (x, channels, channel))


@device
def weight_of(j, weight, own, k, end, taps, first_tap, channels, layout):
    """The j-th weight that a thread brings, j passes further in the sum than k. `own` is where
    those of its group and column begin, -1 if there is no such column."""
    k = int32(k + j * B_PASS)
    if k < end and own >= 0:
        factor, shift, channel_step, tap_step = layout
        tap = divided(k, factor, shift)
        channel = int32(k - tap * channels)
        place = taps[int32(4 * (first_tap + tap) + 3)]
        return weight[own + int64(channel) * int64(channel_step) + int64(place) * int64(tap_step)]
    return T(0)


@device
def side_a(t, channels):
    """Of the inputs, a thread's row, tap and channel, and where they go in shared memory."""
    row = quotient(t, A_LANES)
    k = int32((t - row * A_LANES) * WIDE)
    tap = quotient(k, channels)
    return row, tap, int32(k - tap * channels), int32(k * A_ROW + row)


@device
def put(a, b, inputs, weights, a_at, b_at, buffer):
    """What a thread has read goes to a buffer."""
    each(put_vector, numbered(inputs), (a, int32(a_at + buffer * (BK * A_ROW)), A_PASS, A_ROW))
    each(put_one, numbered(weights), (b, int32(b_at + buffer * (BK * B_ROW)), B_PASS * B_ROW))


@device
def products(t, x, weight, own, first, taps, first_tap, tap_count, sizes, rows):
    """A thread's sums; `first` is the first channel of its group."""
    a = cuda.shared.array(A_SIZE, T, 16)
    b = cuda.shared.array(B_SIZE, T, 16)
    size, layout, channels = load(sizes, X_SIZE, 4), load(sizes, FACTOR, 4), sizes[CHANNELS]
    a_row, tap, channel, a_at = side_a(t, channels)
    k, end, buffer = quotient(t, BN), int32(tap_count * channels), int32(0)
    more_taps = quotient(BK, channels)
    more_channels = int32(BK - more_taps * channels)
    b_at = int32(k * (B_ROW - BN) + t)
    row, column = row_of_tile(t), column_of_tile(t)
    sums = full(SUMS, T(0))
    a_next = inputs(x, size, tap, int32(first + channel), rows, a_row, taps, first_tap, tap_count)
    b_next = each(weight_of, numbers(B_COUNT),
                  (weight, own, k, end, taps, first_tap, channels, layout))
    for _ in range(quotient(int32(end + BK - 1), BK)):
        put(a, b, a_next, b_next, a_at, b_at, buffer)
        cuda.syncthreads()
        tap, channel, k = int32(tap + more_taps), int32(channel + more_channels), int32(k + BK)
        if channel >= channels:
            tap, channel = int32(tap + 1), int32(channel - channels)
        a_next = inputs(x, size, tap, int32(first + channel), rows, a_row, taps, first_tap,
                        tap_count)
        b_next = each(weight_of, numbers(B_COUNT),
                      (weight, own, k, end, taps, first_tap, channels, layout))
        sums = multiply(sums, a, b, buffer, row, column)
        buffer = int32(1 - buffer)
    return sums


@device
def store_row(item, y, places, row, OC, first, column, columns, wide, relu):
    """One row of a thread's sums; `first` is the first channel of the group."""
    j, values = item
    place = places[row_of_sums(j, row)]
    if place >= 0:
        values = each(positive, values, (relu,))
        at = int64(place) * int64(OC) + int64(first + column)
        each(store_half, numbered(cut(values, N)), (y, at, column, columns, wide))
    return j


@device
def block_place(sizes):
    """(phase and block of rows, group, block of columns) of this block. Neighbouring blocks have
    the same rows, which they find in the cache."""
    block = int32(cuda.blockIdx.x)
    rest = quotient(block, sizes[COLUMN_BLOCKS])
    column_block = int32(block - rest * sizes[COLUMN_BLOCKS])
    row_block = quotient(rest, sizes[GROUPS])
    return row_block, int32(rest - row_block * sizes[GROUPS]), column_block


@kernel(threads=128, variants=VARIANTS, simulated_threads=16)
def gather_product_kernel(x: Ptr[T], weight: Ptr[T], bias: Ptr[T], y: Ptr[T], phases: Ptr[int32],
                          taps: Ptr[int32], sizes: Ptr[int32], flags: int32):
    rows = cuda.shared.array(ROWS, int32, 16)
    places = cuda.shared.array(BM, int32)
    t = int32(cuda.threadIdx.x)
    row_block, group, column_block = block_place(sizes)
    phase = quotient(row_block, sizes[ROW_BLOCKS])
    first_row = int32((row_block - phase * sizes[ROW_BLOCKS]) * BM)
    depth, height, width, _ = load(phases, int32(8 * phase), 4)
    if first_row >= depth * height * width * sizes[IMAGES]:
        return
    if t < BM:
        look_up(t, int32(first_row + t), rows, places, phase, phases, sizes)
    cuda.syncthreads()

    columns = sizes[COLUMNS]
    column = int32(column_block * BN + t - quotient(t, BN) * BN)
    own = int64(-1)
    if column < columns:
        own = int64(group) * int64(sizes[GROUP_STEP]) + int64(column) * int64(sizes[COLUMN_STEP])
    sums = products(t, x, weight, own, int32(group * sizes[CHANNELS]), taps,
                    phases[8 * phase + 6], phases[8 * phase + 7], sizes, rows)

    column, first = int32(column_block * BN + column_of_tile(t)), int32(group * columns)
    sums = with_bias(sums, bias, flags & BIAS, first, column, columns)
    wide = flags & ALIGNED != 0 and quotient(columns, N) * N == columns
    each(store_row, numbered(cut(sums, TWICE_N)),
         (y, places, row_of_tile(t), sizes[Y_SIZE + 3], first, column, columns, wide,
          flags & RELU != 0))
