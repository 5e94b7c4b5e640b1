"""Arrays laid out as the kernels for tensor cores read them.

    pack_pixels   channels of each group filled up with zeros to a multiple of 4: 16 bytes each
    pack_weights  rows of (tap, channel) for each output channel; the taps of a gather's phases one
                  after the other, each phase filled up to a multiple of 32 steps

In mode "high" both are rounded to TF32 here, once, instead of each time they are read.
"""

from __future__ import annotations

from .backend import xp
from .kept import address
from .kernel import kernel
from .primitives import Ptr, cuda, device, float32, int32, int64, quotient, thread_of_grid
from .tensor_core import rounded

HIGH = 1  # TF32, not 3xTF32
ROUNDING = ({"HIGH": 1}, {"HIGH": 0})


def padded(channels):
    return -(-channels // 4) * 4


def aligned(x, size=16):
    """Whether the memory of `x` begins at a multiple of `size` bytes."""
    return address(x) % size == 0


@device
def as_tf32(value):
    """A number as a tensor core is to get it."""
    if HIGH:
        return rounded(value)
    return value


@kernel(variants=ROUNDING, least_capability=(8, 0))
def pack_pixels_kernel(x: Ptr[float32], y: Ptr[float32], channels: int32, width: int32, n: int64):
    """A thread for each pixel and group."""
    pixel = thread_of_grid()
    if pixel < n:
        for c in range(width):
            value = as_tf32(x[pixel * channels + c]) if c < channels else float32(0)
            y[pixel * width + c] = value


def pack_pixels(x, groups, high):
    """x (..., groups * C), contiguous, as (..., groups * padded(C))."""
    channels = x.shape[-1] // groups
    y = xp.empty((*x.shape[:-1], groups * padded(channels)), x.dtype)
    n = y.size // padded(channels)
    pack_pixels_kernel.launch(pack_pixels_kernel.blocks(n), (x, y, channels, padded(channels), n),
                              HIGH=int(high))
    return y


@kernel(variants=ROUNDING, least_capability=(8, 0))
def pack_weights_kernel(weight: Ptr[float32], y: Ptr[float32], taps: Ptr[int32], plan: Ptr[int32],
                        fields: int32, row_stride: int64, group_stride: int64, kernel_h: int32,
                        kernel_w: int32, stride_d: int64, stride_h: int64, stride_w: int64,
                        step_stride: int64, steps: int32, channels: int32, row_length: int32):
    """A block for each row and group; blockIdx.y counts groups, z phases. A thread walks along the
    row, whose numbers lie near each other: the cache holds them."""
    row = int64(cuda.blockIdx.y) * int64(cuda.gridDim.x) + int64(cuda.blockIdx.x)
    at = cuda.blockIdx.z * fields
    first, count, start = plan[at + 6], plan[at + 7], plan[at + 8]
    before = int64(cuda.blockIdx.y) * group_stride + int64(cuda.blockIdx.x) * row_stride
    length = (count * channels + 31) >> 5 << 5
    k = int32(cuda.threadIdx.x)
    while k < length:
        tap = quotient(k, channels)
        c = k - tap * channels
        value = float32(0)
        if tap < count and c < steps:
            place = taps[4 * (first + tap) + 3]
            above = quotient(place, kernel_w)
            d = quotient(above, kernel_h)
            value = as_tf32(weight[before + c * step_stride + d * stride_d
                                   + (above - d * kernel_h) * stride_h
                                   + (place - above * kernel_w) * stride_w])
        y[row * row_length + start + k] = value
        k += int32(cuda.blockDim.x)


def pack_weights(weight, groups, transposed, plan, high):
    """Weights as rows.

    Args:    weight (array): (OC, KD, KH, KW, C / groups), any strides.
             transposed (bool): rows are input channels, the sum runs over output channels.
             plan (Plan): of the convolution.
    """
    OC, _, KH, KW, C = weight.shape
    stride_oc, *stride_taps, stride_c = [s // weight.itemsize for s in weight.strides]
    rows, steps = (C, OC // groups) if transposed else (OC // groups, C)
    row, step = (stride_c, stride_oc) if transposed else (stride_oc, stride_c)
    y = xp.empty((groups * rows, plan.row_length), weight.dtype)
    pack_weights_kernel.launch(
        (rows, groups, len(plan.phases)),
        (weight, y, plan.taps, plan.table, plan.fields, row, OC // groups * stride_oc, KH, KW,
         *stride_taps, step, steps, padded(steps), plan.row_length), HIGH=int(high))
    return y
