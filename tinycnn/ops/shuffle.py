"""Channels that become pixels, pixels that become channels, and channels in another order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, int_of, shape_text
from ..autograd import Function
from ._inputs import check_tensor
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


class PixelShuffle(Function):
    """See pixel_shuffle: r * r channels to a square of pixels; `down`: back."""

    @staticmethod
    def forward(ctx, x, r, down):
        ctx.r, ctx.down = r, down
        return (_gather if down else _spread)(ctx.kernels, x, r)

    @staticmethod
    def backward(ctx, grad_y):
        return (_spread if ctx.down else _gather)(ctx.kernels, grad_y, ctx.r)


def _spread(k, x, r):
    """(N, C * r * r, H, W) to (N, C, H * r, W * r), in memory channels last."""
    N, C, H, W = x.shape
    C //= r * r
    y = k.empty((N, H, r, W, r, C), x.dtype)
    y[...] = k.reshape(x, (N, C, r, r, H, W)).transpose(0, 4, 2, 5, 3, 1)
    return k.reshape(y, (N, H * r, W * r, C)).transpose(0, 3, 1, 2)


def _gather(k, x, r):
    """(N, C, H * r, W * r) to (N, C * r * r, H, W), in memory channels last."""
    N, C, H, W = x.shape
    H, W = H // r, W // r
    y = k.empty((N, H, W, C, r, r), x.dtype)
    y[...] = k.reshape(x, (N, C, H, r, W, r)).transpose(0, 2, 4, 1, 3, 5)
    return k.reshape(y, (N, H, W, C * r * r)).transpose(0, 3, 1, 2)


class ChannelShuffle(Function):
    """See channel_shuffle. The inverse has C / G groups."""

    @staticmethod
    def forward(ctx, x, groups):
        ctx.groups = x.shape[1] // max(groups, 1)
        return _deal(ctx.kernels, x, groups)

    @staticmethod
    def backward(ctx, grad_y):
        return _deal(ctx.kernels, grad_y, ctx.groups)


def _deal(k, x, groups):
    """Channel g * (C / G) + i to place i * G + g."""
    N, C, *rest = x.shape
    y = k.empty_like(x)
    if x.size:
        parts = k.reshape(x, (N, groups, C // groups, *rest))
        k.reshape(y, (N, C // groups, groups, *rest))[...] = parts.swapaxes(1, 2)
    return y


def _check_images(function, input):
    check_tensor(function, "input", input)
    shape = input.data.shape
    if len(shape) < 3:
        fail(function, "input (..., C, H, W)", shape_text(shape),
             "Add the missing axes with unsqueeze or reshape.")
    return shape


def _shuffled(input, shape, r, down):
    """PixelShuffle of (..., C, H, W), the leading axes taken for images."""
    if len(shape) == 4:
        return PixelShuffle.apply(input, r, down)
    y = PixelShuffle.apply(reshape(input, (math.prod(shape[:-3]), *shape[-3:])), r, down)
    return reshape(y, (*shape[:-3], *y.data.shape[1:]))


def _factor(function, name, value, bits=15):
    r = int_of(function, name, value, "Pass for example 2.")
    if not 0 < r < 2**bits:  # 15: the square is still a number of channels
        fail(function, f"{name} of at least 1, and below 2**{bits}", repr(value),
             "Pass for example 2.")
    return r


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Every r * r channels become a square of r x r pixels.

    y[..., c, h * r + i, w * r + j] = x[..., c * r * r + i * r + j, h, w],  r = upscale_factor

    Args:    input (Tensor): (..., C * r * r, H, W), any dtype.
             upscale_factor (int): r.
    Returns: Tensor (..., C, H * r, W * r).
    Raises:  ValueError: if r * r does not divide the channels. TypeError: if r is no int.
    Example: >>> import tinycnn
             >>> pixel_shuffle(tinycnn.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
             tensor([[[1., 2.],
                      [3., 4.]]])
    Source:  Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
             sub-pixel convolutional neural network", equation 4.
    """
    shape = _check_images("pixel_shuffle", input)
    r = _factor("pixel_shuffle", "upscale_factor", upscale_factor)
    if shape[-3] % (r * r):
        fail("pixel_shuffle", f"channels that {r} * {r} divides", f"{shape[-3]} in input "
             f"{shape_text(shape)}", "Give the layer in front C * r * r outputs.")
    return _shuffled(input, shape, r, False)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Every square of r x r pixels becomes r * r channels: pixel_shuffle undone.

    y[..., c * r * r + i * r + j, h, w] = x[..., c, h * r + i, w * r + j],  r = downscale_factor

    Args:    input (Tensor): (..., C, H * r, W * r), any dtype.
             downscale_factor (int): r.
    Returns: Tensor (..., C * r * r, H, W).
    Raises:  ValueError: if r does not divide the height and the width. TypeError: if r is no int.
    Example: >>> import tinycnn
             >>> pixel_unshuffle(tinycnn.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2).flatten()
             tensor([1., 2., 3., 4.])
    Source:  Shi et al. 2016, as pixel_shuffle.
    """
    shape = _check_images("pixel_unshuffle", input)
    r = _factor("pixel_unshuffle", "downscale_factor", downscale_factor)
    if shape[-2] % r or shape[-1] % r:
        fail("pixel_unshuffle", f"a height and a width that {r} divides", shape_text(shape),
             "Pad or crop the image.")
    return _shuffled(input, shape, r, True)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels of G groups dealt out in turn, so that each new group has some of every old one.

    y[n, i * G + g, ...] = x[n, g * (C / G) + i, ...],  G = groups

    Args:    input (Tensor): (N, C, *spatial), any dtype.
             groups (int): G, divides C.
    Returns: Tensor of the input's shape.
    Raises:  ValueError: if G does not divide C. TypeError: if G is no int.
    Example: >>> import tinycnn
             >>> channel_shuffle(tinycnn.tensor([[[1.0], [2.0], [3.0], [4.0]]]), 2).flatten()
             tensor([1., 3., 2., 4.])
    Source:  Zhang et al. 2018, "ShuffleNet", section 3.1.
    """
    check_tensor("channel_shuffle", "input", input)
    shape = input.data.shape
    if len(shape) < 3:
        fail("channel_shuffle", "input (N, C, *spatial)", shape_text(shape),
             "Add the missing axes with unsqueeze or reshape.")
    G = _factor("channel_shuffle", "groups", groups, 31)
    if shape[1] % G:
        fail("channel_shuffle", f"channels that groups={G} divides", f"{shape[1]} in input "
             f"{shape_text(shape)}", "Use a divisor of the number of channels.")
    return ChannelShuffle.apply(input, G)
