"""Sampling feature maps at the places of a grid, and the gradients. Mirrors
reference/grid_sample.py.

Forward, a thread takes one channel of one place. The gradient of x is added up place after place,
by a thread for each channel of an image, so that its sums have one order; few images of few
channels leave a GPU idle. For the gradient of the grid, a warp takes a place and adds up channels.
"""

from __future__ import annotations

from .kernel import FLOATS, kernel
from .primitives import Ptr, T, device, int32, int64, thread_of_grid, warp_sum

TAPS = 2  # pixels that a place reads along each axis: 1 nearest, 2 bilinear, 4 bicubic
WARP = 32
FAR = 1e9
ZEROS, BORDER, REFLECTION = 0, 1, 2
_TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
_PADDINGS = {"zeros": ZEROS, "border": BORDER, "reflection": REFLECTION}
VARIANTS = [{**floats, "TAPS": taps} for floats in FLOATS for taps in (1, 2, 4)]


@device
def floor_of(v):
    low = int32(v)
    return int32(low - 1) if T(low) > v else low


@device
def clipped(place, size, sign):
    """(place between the first and the last pixel, its derivative times `sign`)."""
    last = T(size - 1)
    if not place > T(0):
        return T(0), T(0)
    if place >= last:
        return last, T(0)
    return place, sign


@device
def reflected(place, size, align):
    """(the place that shows at a place outside, its derivative), not clipped."""
    edge = T(0) if align else T(-0.5)
    span = T(size - 1) if align else T(size)
    place, sign = place - edge, T(1)
    if place < T(0):
        place, sign = -place, T(-1)
    turns = floor_of(place / max(span, T(1)))
    place -= T(turns) * span
    if turns & 1:
        place, sign = span - place, -sign
    return place + edge, sign


@device
def padded(place, size, padding, align):
    """(place inside the picture, its derivative) for places outside; as they are with zeros."""
    if padding == ZEROS:
        return place, T(1)
    if padding == REFLECTION:
        place, sign = reflected(place, size, align)
        return clipped(place, size, sign)
    return clipped(place, size, T(1))


@device
def place_of(coordinate, size, padding, align):
    """(first tap, or the pixel in front of the place; the rest of the place; its derivative)."""
    if align:
        place, slope = (coordinate + T(1)) / T(2) * T(size - 1), T(size - 1) / T(2)
    else:
        place, slope = ((coordinate + T(1)) * T(size) - T(1)) / T(2), T(size) / T(2)
    if padding == REFLECTION:
        if not (place > T(-FAR) and place < T(FAR)):
            place = T(0)
    else:  # from further away the same is seen; NaN counts as low
        if not place > T(-4):
            place = T(-4)
        if not place < T(size + 4):
            place = T(size + 4)
    if TAPS < 4:
        place, sign = padded(place, size, padding, align)
        slope *= sign
    low = floor_of(place)
    rest = place - T(low)
    if TAPS == 1 and (rest > T(0.5) or (rest == T(0.5) and low & 1)):
        low = int32(low + 1)
    return low, rest, slope


@device
def pixel_of(low, k, size, padding, align):
    """The pixel of tap k, or -1 if there is none."""
    pixel = int32(low + k)
    if TAPS == 4:
        place, _ = padded(T(int32(pixel - 1)), size, padding, align)
        pixel = floor_of(place)
    return pixel if pixel >= 0 and pixel < size else int32(-1)


@device
def weight_of(t, k):
    """What tap k counts for at a place t behind the pixel in front of it."""
    if TAPS == 1:
        return T(1)
    if TAPS == 2:
        return t if k else T(1) - t
    d = abs(t + T(1) - T(k))
    if k == 1 or k == 2:
        return (T(1.25) * d - T(2.25)) * d * d + T(1)
    return ((d - T(5)) * d + T(8)) * d * T(-0.75) + T(3)


@device
def slope_of(t, k):
    """The derivative of weight_of."""
    if TAPS == 1:
        return T(0)
    if TAPS == 2:
        return T(1) if k else T(-1)
    d = abs(t + T(1) - T(k))
    side = T(1) if k < 2 else T(-1)
    if k == 1 or k == 2:
        return side * (T(3.75) * d - T(4.5)) * d
    return side * ((T(3) * d - T(10)) * d + T(8)) * T(-0.75)


@device
def depth_of(grid, at, axes, D, padding, align):
    """place_of along D: for a grid of two numbers, pixel 0."""
    if axes == 3:
        return place_of(grid[at + 2], D, padding, align)
    return int32(0), T(0), T(0)


@device
def line_of(n, d, h, D, H, W):
    """The first pixel of a row of x."""
    return ((int64(n) * int64(D) + int64(d)) * int64(H) + int64(h)) * int64(W)


@kernel(variants=VARIANTS)
def grid_forward_kernel(x: Ptr[T], grid: Ptr[T], y: Ptr[T], places: int32, D: int32, H: int32,
                        W: int32, C: int32, axes: int32, padding: int32, align: int32,
                        count: int64):
    i = thread_of_grid()
    if i >= count:
        return
    o = i // C
    n, c, at = o // places, i - o * C, o * axes
    low_w, t_w, _ = place_of(grid[at], W, padding, align)
    low_h, t_h, _ = place_of(grid[at + 1], H, padding, align)
    low_d, t_d, _ = depth_of(grid, at, axes, D, padding, align)
    total, kd = T(0), int32(0)
    while kd < (TAPS if axes == 3 else 1):
        d = pixel_of(low_d, kd, D, padding, align) if axes == 3 else int32(0)
        weight_d = weight_of(t_d, kd) if axes == 3 else T(1)
        kh = int32(0) if d >= 0 else int32(TAPS)
        while kh < TAPS:
            h = pixel_of(low_h, kh, H, padding, align)
            weight_h = weight_d * weight_of(t_h, kh)
            kw = int32(0) if h >= 0 else int32(TAPS)
            while kw < TAPS:
                w = pixel_of(low_w, kw, W, padding, align)
                if w >= 0:
                    value = x[(line_of(n, d, h, D, H, W) + w) * C + c]
                    total += weight_h * weight_of(t_w, kw) * value
                kw = int32(kw + 1)
            kh = int32(kh + 1)
        kd = int32(kd + 1)
    y[i] = total


@kernel(variants=VARIANTS)
def grid_scatter_kernel(grid: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], places: int32, D: int32,
                        H: int32, W: int32, C: int32, axes: int32, padding: int32, align: int32,
                        count: int64):
    """A thread adds to one channel of an image; grad_x is zero before."""
    i = thread_of_grid()
    if i >= count:
        return
    n = i // C
    c, o = i - n * C, int32(0)
    while o < places:
        row = n * places + o
        at = row * axes
        grad = grad_y[row * C + c]
        low_w, t_w, _ = place_of(grid[at], W, padding, align)
        low_h, t_h, _ = place_of(grid[at + 1], H, padding, align)
        low_d, t_d, _ = depth_of(grid, at, axes, D, padding, align)
        kd = int32(0)
        while kd < (TAPS if axes == 3 else 1):
            d = pixel_of(low_d, kd, D, padding, align) if axes == 3 else int32(0)
            weight_d = weight_of(t_d, kd) if axes == 3 else T(1)
            kh = int32(0) if d >= 0 else int32(TAPS)
            while kh < TAPS:
                h = pixel_of(low_h, kh, H, padding, align)
                weight_h = weight_d * weight_of(t_h, kh)
                kw = int32(0) if h >= 0 else int32(TAPS)
                while kw < TAPS:
                    w = pixel_of(low_w, kw, W, padding, align)
                    if w >= 0:
                        to = (line_of(n, d, h, D, H, W) + w) * C + c
                        grad_x[to] += weight_h * weight_of(t_w, kw) * grad
                    kw = int32(kw + 1)
                kh = int32(kh + 1)
            kd = int32(kd + 1)
        o = int32(o + 1)


@kernel(variants=VARIANTS)
def grid_slopes_kernel(x: Ptr[T], grid: Ptr[T], grad_y: Ptr[T], grad_grid: Ptr[T], places: int32,
                       D: int32, H: int32, W: int32, C: int32, axes: int32, padding: int32,
                       align: int32, count: int64):
    """A warp for each place; its lanes take every 32nd channel."""
    i = thread_of_grid()
    o = i // WARP
    if o >= count:
        return
    lane = i - o * WARP
    n, at = o // places, o * axes
    low_w, t_w, scale_w = place_of(grid[at], W, padding, align)
    low_h, t_h, scale_h = place_of(grid[at + 1], H, padding, align)
    low_d, t_d, scale_d = depth_of(grid, at, axes, D, padding, align)
    sum_w, sum_h, sum_d, kd = T(0), T(0), T(0), int32(0)
    while kd < (TAPS if axes == 3 else 1):
        d = pixel_of(low_d, kd, D, padding, align) if axes == 3 else int32(0)
        weight_d = weight_of(t_d, kd) if axes == 3 else T(1)
        slope_d = slope_of(t_d, kd) if axes == 3 else T(0)
        kh = int32(0) if d >= 0 else int32(TAPS)
        while kh < TAPS:
            h = pixel_of(low_h, kh, H, padding, align)
            weight_h, slope_h = weight_of(t_h, kh), slope_of(t_h, kh)
            kw = int32(0) if h >= 0 else int32(TAPS)
            while kw < TAPS:
                w = pixel_of(low_w, kw, W, padding, align)
                if w >= 0:
                    pixel, c, share = (line_of(n, d, h, D, H, W) + w) * C, lane, T(0)
                    while c < C:
                        share += x[pixel + c] * grad_y[o * C + c]
                        c += WARP
                    weight_w = weight_of(t_w, kw)
                    sum_w += weight_d * weight_h * slope_of(t_w, kw) * share
                    sum_h += weight_d * slope_h * weight_w * share
                    sum_d += slope_d * weight_h * weight_w * share
                kw = int32(kw + 1)
            kh = int32(kh + 1)
        kd = int32(kd + 1)
    sum_w, sum_h, sum_d = warp_sum(sum_w), warp_sum(sum_h), warp_sum(sum_d)
    if lane == 0:
        grad_grid[at] = scale_w * sum_w
        grad_grid[at + 1] = scale_h * sum_h
        if axes == 3:
            grad_grid[at + 2] = scale_d * sum_d


def grid_sample_forward(x, grid, y, mode, padding, align_corners):
    _launch(grid_forward_kernel, y.size, y.size, (x, grid, y), x, grid, mode, padding,
            align_corners)


def grid_sample_backward(x, grid, grad_y, grad_x, grad_grid, mode, padding, align_corners):
    settings = x, grid, mode, padding, align_corners
    if grad_x is not None:
        grad_x.fill(0)
        count = grad_y.size and x.shape[0] * x.shape[4]
        _launch(grid_scatter_kernel, count, count, (grid, grad_y, grad_x), *settings)
    if grad_grid is not None:
        count = grid.size // grid.shape[-1]
        _launch(grid_slopes_kernel, count * WARP, count, (x, grid, grad_y, grad_grid), *settings)


def _launch(kernel, threads, count, arrays, x, grid, mode, padding, align_corners):
    if not threads:
        return
    _, OD, OH, OW, axes = grid.shape
    kernel.launch(kernel.blocks(threads),
                  (*arrays, OD * OH * OW, *x.shape[1:], axes, _PADDINGS[padding],
                   int(align_corners), count), T=x.dtype, TAPS=_TAPS[mode])
