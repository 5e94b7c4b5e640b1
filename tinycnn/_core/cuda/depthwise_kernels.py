"""Kernels of depthwise convolution: every channel has windows of its own.

Little is computed for what is read, so threads follow the memory: neighbouring threads have
neighbouring channels, WIDE of them each, and the rows of a block of threads neighbouring pixels.
Weights lie before them as (tap, output channel).

With several outputs for each input channel, output channel c sees input channel c // outputs.
"""

from __future__ import annotations

from .gather_product import BIAS, OUTSIDE, RELU, read
from .kernel import FLOATS, Ptr, T, kernel
from .mode import SIMULATED
from .plain_tiles import numbered, positive
from .primitives import (
    cuda,
    device,
    each,
    fma,
    full,
    int32,
    int64,
    load,
    numbers,
    quotient,
    store,
    uint32,
)

THREADS = 32 if SIMULATED else 128
WIDE = 1  # channels of a thread: 16 bytes where channels are a multiple of that
TAPS = 9  # taps whose gradients a thread adds up at a time
SHARED_TAPS, SHARED_SUMS = 36, THREADS  # 4 numbers for each tap; WIDE numbers for each thread

# `sizes`: one int32 table of everything that depends on shapes only
X_SIZE, Y_SIZE = 0, 4  # depth, height, width, channels
STRIDE, IMAGES, STEP = 8, 11, 12  # of reading d h w, then the images; of writing d h w
LANES, ROW_BLOCKS, REPEAT, OUTPUTS = 16, 17, 18, 19


def constants(wide):
    return {"WIDE": wide, "THREADS": THREADS, "SHARED_SUMS": THREADS * wide}


def _variants(of):
    return [{**floats, **of(wide)} for floats in FLOATS
            for wide in (1, 16 // floats["T"].itemsize)]


def _wanted(constants):
    return (r"LDG\S*\.128",) if constants["WIDE"] > 1 else ()


@device
def pixel_of(row, depth, height, width):
    """(image, d, h, w) of a row of a phase."""
    line = quotient(row, width)
    plane = quotient(line, height)
    image = quotient(plane, depth)
    return (image, int32(plane - image * depth), int32(line - plane * height),
            int32(row - line * width))


@device
def next_pixel(pixel, depth, height, width):
    image, d, h, w = pixel
    w = int32(w + 1)
    if w == width:
        w, h = int32(0), int32(h + 1)
    if h == height:
        h, d = int32(0), int32(d + 1)
    if d == depth:
        d, image = int32(0), int32(image + 1)
    return image, d, h, w


@device
def read_from(pixel, stride, size, images):
    """(d, h, w, number of the pixel) where a window begins."""
    image, d, h, w = pixel
    d, h, w = int32(d * stride[0]), int32(h * stride[1]), int32(w * stride[2])
    number = int32(((image * size[0] + d) * size[1] + h) * size[2] + w)
    return d if image < images else int32(OUTSIDE), h, w, number


@device
def under(place, offset, size):
    """The pixel under a tap, -1 outside; place: where the window begins."""
    d, h, w, number = place
    inside = ((uint32(int32(d + offset[0])) < uint32(size[0]))
              & (uint32(int32(h + offset[1])) < uint32(size[1]))
              & (uint32(int32(w + offset[2])) < uint32(size[2])))
    return int32(number + offset[3]) if inside else int32(-1)


@device
def multiply_one(item, a, sums):
    v, value = item
    return fma(a[v], value, sums[v])


@device
def multiply_channels(item, a, sums):
    """sums[j] + a * values, channel by channel."""
    j, values = item
    return each(multiply_one, numbered(values), (a, sums[j]))


@device
def add_one(item, a):
    v, value = item
    return value + a[v]


@device
def write_pixel(item, y, pixels, phase, sizes, channel, extra, relu):
    j, values = item
    image, d, h, w = pixels[j]
    if image < sizes[IMAGES]:
        OD, OH, OW, C = load(sizes, Y_SIZE, 4)
        step_d, step_h, step_w, _ = load(sizes, STEP, 4)
        place = int32(image * OD + phase[3] + d * step_d)
        place = int32((place * OH + phase[4] + h * step_h) * OW + phase[5] + w * step_w)
        values = each(positive, each(add_one, numbered(values), (extra,)), (relu,))
        store(y, int64(place) * int64(C) + int64(channel), values)
    return j


@kernel(threads=128, min_blocks=4, variants=_variants(lambda wide: {"WIDE": wide}),
        simulated_threads=32, instructions=_wanted)
def depthwise_kernel(x: Ptr[T], weight: Ptr[T], bias: Ptr[T], y: Ptr[T], phases: Ptr[int32],
                     taps: Ptr[int32], sizes: Ptr[int32], flags: int32):
    """A thread makes four pixels of a phase, which follow each other. Its channel of y sees the
    channels of x from channel * REPEAT // OUTPUTS on, REPEAT of them."""
    lanes, row_blocks, repeat, outputs = load(sizes, LANES, 4)
    size, stride, channels = load(sizes, X_SIZE, 4), load(sizes, STRIDE, 4), sizes[Y_SIZE + 3]
    t = int32(cuda.threadIdx.x)
    row = quotient(t, lanes)
    channel = int32((cuda.blockIdx.y * lanes + t - row * lanes) * WIDE)
    at = quotient(int32(cuda.blockIdx.x), row_blocks)
    phase = load(phases, int32(8 * at), 8)
    depth, height, width = phase[0], phase[1], phase[2]
    side = quotient(int32(cuda.blockDim.x), lanes)
    row = int32(4 * ((cuda.blockIdx.x - at * row_blocks) * side + row))
    if t >= side * lanes or channel >= channels or depth * height * width == 0:
        return
    first = pixel_of(row, depth, height, width)
    second = next_pixel(first, depth, height, width)
    third = next_pixel(second, depth, height, width)
    pixels = (first, second, third, next_pixel(third, depth, height, width))
    places = each(read_from, pixels, (stride, size, sizes[IMAGES]))
    sums = full(4, full(WIDE, T(0)))
    for tap in range(phase[6], phase[6] + phase[7]):
        od, oh, ow, place = load(taps, int32(4 * tap), 4)
        offset = od, oh, ow, int32((od * size[1] + oh) * size[2] + ow)
        under_tap = each(under, places, (offset, size))
        for m in range(repeat):
            seen = int32(quotient(int32(channel * repeat), outputs) + m)
            values = each(read, under_tap, (x, size[3], seen))
            own = load(weight, int64(place) * int64(channels * repeat)
                       + int64(channel * repeat + m), WIDE)
            sums = each(multiply_channels, numbered(values), (own, sums))
    extra = full(WIDE, T(0))
    if flags & BIAS:
        extra = load(bias, channel, WIDE)
    each(write_pixel, numbered(sums),
         (y, pixels, phase, sizes, channel, extra, flags & RELU != 0))


@device
def share_tap(t, tap, tap_count, taps, offsets, size):
    """A tap's offset and the shift of pixels under it go to shared memory."""
    od, oh, ow, _ = full(4, int32(OUTSIDE))
    if tap < tap_count:
        od, oh, ow, _ = load(taps, int32(4 * tap), 4)
    store(offsets, int32(4 * t), (od, oh, ow, int32((od * size[1] + oh) * size[2] + ow)))


@device
def under_shared(j, place, offsets, size):
    """The pixel under the j-th tap of the block."""
    return under(place, load(offsets, int32(4 * j), 4), size)


@device
def keep(item, scratch, t):
    v, value = item
    scratch[int32(v * THREADS + t)] = value
    return v


@device
def reduce_tap(item, scratch, t, lanes, side, y, at, tap_step, first, end, taps):
    """The sum of a tap over the rows of the block, by halves, is written by its first row."""
    j, values = item
    cuda.syncthreads()  # scratch has been read
    each(keep, numbered(values), (scratch, t))
    while side > 1:
        cuda.syncthreads()
        half = int32((side + 1) >> 1)
        if t + half * lanes < side * lanes:
            for v in range(WIDE):
                scratch[v * THREADS + t] += scratch[v * THREADS + t + half * lanes]
        side = half
    if t < lanes and at[0] >= 0 and first + j < end:
        place = int64(taps[int32(4 * (first + j) + 3)]) * int64(tap_step)
        for v in range(WIDE):
            y[at[0] + int64(v) * at[1] + place] = scratch[v * THREADS + t]
    return j


@kernel(threads=128, min_blocks=3, variants=_variants(constants), simulated_threads=32,
        instructions=_wanted)
def depthwise_weight_kernel(x: Ptr[T], grad_y: Ptr[T], y: Ptr[T], taps: Ptr[int32],
                            sizes: Ptr[int32], share: int32, output_step: int64, tap_step: int64,
                            tap_count: int32, count: int64):
    """Blocks along x share the pixels, `share` for each row of threads; blocks along y have the
    channels, and along z TAPS taps each."""
    offsets = cuda.shared.array(SHARED_TAPS, int32, 16)
    scratch = cuda.shared.array(SHARED_SUMS, T)
    lanes, _, _, outputs = load(sizes, LANES, 4)
    size, stride, channels = load(sizes, X_SIZE, 4), load(sizes, STRIDE, 4), sizes[Y_SIZE + 3]
    OD, OH, OW, _ = load(sizes, Y_SIZE, 4)
    t, first_tap = int32(cuda.threadIdx.x), int32(cuda.blockIdx.z * TAPS)
    if t < TAPS:
        share_tap(t, int32(first_tap + t), tap_count, taps, offsets, size)
    cuda.syncthreads()
    row, side = quotient(t, lanes), quotient(THREADS, lanes)
    channel = int32((cuda.blockIdx.y * lanes + t - row * lanes) * WIDE)
    pixels = int32(sizes[IMAGES] * OD * OH * OW)
    first = int64(cuda.blockIdx.x * side + row) * int64(share)
    end = int32(min(first + share, pixels) if row < side and channel < channels else 0)
    first = int32(min(first, pixels))
    pixel = pixel_of(first, OD, OH, OW)
    sums = full(TAPS, full(WIDE, T(0)))
    for p in range(first, end):
        place = read_from(pixel, stride, size, sizes[IMAGES])
        under_taps = each(under_shared, numbers(TAPS), (place, offsets, size))
        values = each(read, under_taps, (x, size[3], quotient(channel, outputs)))
        own = load(grad_y, int64(p) * int64(channels) + int64(channel), WIDE)
        sums = each(multiply_channels, numbered(values), (own, sums))
        pixel = next_pixel(pixel, OD, OH, OW)
    at = int64(-1), output_step
    if channel < channels:
        at = int64(cuda.blockIdx.x) * count + int64(channel) * output_step, output_step
    each(reduce_tap, numbered(sums),
         (scratch, t, lanes, side, y, at, tap_step, first_tap, tap_count, taps))
