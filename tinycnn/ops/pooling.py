"""Pooling: one value per window and channel, the largest or the average.

Size letters: N images, C channels, L / H W / D H W input size, K.. window, O.. output size. What is
known from sizes alone is in pool_plan.py; adaptive windows are in adaptive_pooling.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from .._core.dtypes import int64
from ..autograd import Function
from ._inputs import check_float
from .pool_plan import fixed_plan

if TYPE_CHECKING:
    from ..tensor import Tensor


class MaxPool(Function):
    """See max_pool2d, adaptive_max_pool2d; with relu, max(0, y) of it."""

    @staticmethod
    def forward(ctx, x, plan, return_indices, relu=False):
        k, ctx.plan = ctx.kernels, plan
        x = _as_images(k, x, plan)
        y = k.empty((len(x), *plan.out, x.shape[4]), x.dtype)
        ctx.size, ctx.position = x.shape, None
        if ctx.needs[0] or return_indices:
            ctx.position = k.empty(y.shape, plan.position)
        k.max_pool_forward(x, y, ctx.position, plan.axes)
        if relu:
            k.relu_forward(y, y)
        ctx.y = y if relu else None  # says where the ReLU was open
        if not return_indices:
            return _as_given(k, y, plan)
        indices = k.empty(y.shape, int64)
        k.max_pool_indices(ctx.position, indices, plan.axes, x.shape[1:4])
        return _as_given(k, y, plan), _as_given(k, indices, plan)

    @staticmethod
    def backward(ctx, grad_y, grad_indices=None):
        k, plan = ctx.kernels, ctx.plan
        grad_y = _as_images(k, grad_y, plan)
        if ctx.y is not None:
            opened = k.empty_like(ctx.y)
            k.relu_backward(ctx.y, grad_y, opened)
            grad_y = opened
        grad_x = k.empty(ctx.size, grad_y.dtype)
        k.max_pool_backward(grad_y, ctx.position, grad_x, plan.axes)
        return _as_given(k, grad_x, plan)


class AvgPool(Function):
    """See avg_pool2d, adaptive_avg_pool2d."""

    @staticmethod
    def forward(ctx, x, plan, divisor):
        k, ctx.plan, ctx.divisor = ctx.kernels, plan, divisor
        x = _as_images(k, x, plan)
        y = k.empty((len(x), *plan.out, x.shape[4]), x.dtype)
        ctx.size = x.shape
        k.avg_pool_forward(x, y, plan.axes, divisor)
        return _as_given(k, y, plan)

    @staticmethod
    def backward(ctx, grad_y):
        k, plan = ctx.kernels, ctx.plan
        grad_y = _as_images(k, grad_y, plan)
        grad_x = k.empty(ctx.size, grad_y.dtype)
        k.avg_pool_backward(grad_y, grad_x, plan.axes, ctx.divisor)
        return _as_given(k, grad_x, plan)


def _as_images(kernels, x, plan):
    """(C, *spatial) or (N, C, *spatial) as the kernels' (N, D, H, W, C)."""
    return kernels.pixels(x if plan.batched else x[None], plan.dims)


def _as_given(kernels, y, plan):
    """The kernels' (N, D, H, W, C) as the caller's (C, *spatial) or (N, C, *spatial)."""
    y = kernels.channels_first(y, plan.dims)
    return y if plan.batched else y[0]


def _max_pool(function, dims, input, kernel_size, stride, padding, dilation, ceil_mode,
              return_indices):
    check_float(function, "input", input)
    plan = fixed_plan(function, dims, input.data.shape, kernel_size, stride, padding, dilation,
                       ceil_mode, True)
    return MaxPool.apply(input, plan, bool(return_indices))


def max_pool_relu(function, dims, input, kernel_size, stride, padding, dilation, ceil_mode):
    """relu of max_pool1d, max_pool2d or max_pool3d, as `dims` says, as one operation."""
    check_float(function, "input", input)
    plan = fixed_plan(function, dims, input.data.shape, kernel_size, stride, padding, dilation,
                       ceil_mode, True)
    return MaxPool.apply(input, plan, False, True)


def _avg_pool(
    function, dims, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
    divisor_override=None
):
    check_float(function, "input", input)
    if divisor_override is not None and (
        not hasattr(divisor_override, "__index__") or divisor_override.__index__() == 0
    ):
        fail(function, "divisor_override None or an int other than 0", repr(divisor_override),
             "Leave it out to divide by the size of the window.")
    plan = fixed_plan(function, dims, input.data.shape, kernel_size, stride, padding, 1,
                       ceil_mode, count_include_pad)
    return AvgPool.apply(input, plan, divisor_override)


def max_pool1d(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of every window along one axis: max_pool2d without H.

    y[n, c, i] = max over p of x[n, c, i * stride + p * dilation - padding]

    Args:    input (Tensor): (N, C, L) or (C, L), float32 or float64; the rest as in max_pool2d.
    Returns: Tensor (N, C, OL); with return_indices also int64 (N, C, OL): places along L.
             OL = floor((L + 2 * padding - dilation * (K - 1) - 1) / stride) + 1.
    Raises:  ValueError: as max_pool2d.
    Example: >>> import tinycnn
             >>> max_pool1d(tinycnn.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
             tensor([[3., 2.]])
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode,
                     return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of every window; the gradient flows to that pixel alone, the first if equal.

    y[n, c, i, j] = max over (p, q) of x[n, c, i * stride + p * dilation - padding, ...]

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             kernel_size (int or pair): KH, KW in pixels.
             stride (int or pair): pixels from window to window; None means kernel_size.
             padding (int or pair): pixels added on each side, never the largest; at most half of
             kernel_size.
             dilation (int or pair): pixels from one place of a window to the next.
             ceil_mode (bool): round OH, OW up; the last window still starts inside the input or
             the padding in front of it.
             return_indices (bool): also return where the largest values were.
    Returns: Tensor (N, C, OH, OW), OH = floor((H + 2 * padding - dilation * (KH - 1) - 1) / stride)
             + 1; with return_indices also int64 (N, C, OH, OW), h * W + w of the pixel.
    Raises:  ValueError: if a window does not fit, or lies wholly in the padding; if the padding is
             more than half of kernel_size; if input has no pixels or another number of axes.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 6.0]]])
             >>> y, where = max_pool2d(x, 2, return_indices=True)
             >>> y
             tensor([[[4., 6.]]])
             >>> where
             tensor([[[4, 7]]])
    Source:  Ranzato et al. 2007, "Unsupervised Learning of Invariant Feature Hierarchies".
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode,
                     return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of every window along three axes: max_pool2d with D in front.

    y[n, c, k, i, j] = max over (o, p, q) of x[n, c, k * stride + o * dilation - padding, ...]

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W), float32 or float64; the rest as in
             max_pool2d, with triples.
    Returns: Tensor (N, C, OD, OH, OW), sizes as in max_pool2d; with return_indices also int64 of
             that shape, (d * H + h) * W + w of the pixel.
    Raises:  ValueError: as max_pool2d.
    Example: >>> import tinycnn
             >>> max_pool3d(tinycnn.tensor([[[[1.0, 2.0]], [[4.0, 3.0]]]]), (2, 1, 2))
             tensor([[[[4.]]]])
    """
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode,
                     return_indices)


def avg_pool1d(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average of every window along one axis: avg_pool2d without H.

    y[n, c, i] = sum over p of x[n, c, i * stride + p - padding] / count

    Args:    input (Tensor): (N, C, L) or (C, L), float32 or float64; the rest as in avg_pool2d.
    Returns: Tensor (N, C, OL), OL = floor((L + 2 * padding - K) / stride) + 1.
    Raises:  ValueError: as avg_pool2d.
    Example: >>> import tinycnn
             >>> avg_pool1d(tinycnn.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
             tensor([[2., 1.]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode,
                     count_include_pad)


def avg_pool2d(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Average of every window.

    y[n, c, i, j] = sum over (p, q) of x[n, c, i * stride + p - padding, ...] / count

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             kernel_size (int or pair): KH, KW in pixels.
             stride (int or pair): pixels from window to window; None means kernel_size.
             padding (int or pair): zeros added on each side, at most half of kernel_size.
             ceil_mode (bool): round OH, OW up; the last window still starts inside the input or
             the padding in front of it.
             count_include_pad (bool): count = pixels of the window with the padding's, or without.
             Pixels past the padding, which ceil_mode reaches, never count.
             divisor_override (int or None): count, if given; not 0.
    Returns: Tensor (N, C, OH, OW), OH = floor((H + 2 * padding - KH) / stride) + 1.
    Raises:  ValueError: if a window does not fit; if the padding is more than half of kernel_size;
             if divisor_override is 0; if input has no pixels or another number of axes.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 7.0]]])
             >>> avg_pool2d(x, 2)
             tensor([[[2.5000, 3.0000]]])
    Source:  LeCun et al. 1998, "Gradient-Based Learning", section II-B (sub-sampling).
    """
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode,
                     count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None,
    padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Average of every window along three axes: avg_pool2d with D in front.

    y[n, c, k, i, j] = sum over (o, p, q) of x[n, c, k * stride + o - padding, ...] / count

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W), float32 or float64; the rest as in
             avg_pool2d, with triples.
    Returns: Tensor (N, C, OD, OH, OW), sizes as in avg_pool2d.
    Raises:  ValueError: as avg_pool2d.
    Example: >>> import tinycnn
             >>> avg_pool3d(tinycnn.tensor([[[[1.0, 2.0]], [[4.0, 3.0]]]]), (2, 1, 2))
             tensor([[[[2.5000]]]])
    """
    return _avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode,
                     count_include_pad, divisor_override)
