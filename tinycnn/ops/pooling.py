"""Pooling: one value per window and channel, the largest or the average; fixed or adaptive windows.

Size letters: N images, C channels, L / H W / D H W input size, K.. window, O.. output size. Windows
are listed per axis by `shapes.PoolAxis`, so every function here is one of two operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._core.checks import fail, shape_text
from .._core.dtypes import int32, int64, uint8
from .._core.shapes import adaptive_pool_axis, pool_axis, pool_output_size, remembered, tuple_of
from ..autograd import Function
from ._inputs import check_float

if TYPE_CHECKING:
    from ..tensor import Tensor

_AXES = {1: "L", 2: "H, W", 3: "D, H, W"}
_MOST_OUTPUTS = 2**26  # of adaptive pooling; kernels list an axis' windows, 24 bytes each
_ONE = pool_axis(1, 1, 1, 0)  # an axis that is not there


class _Plan(NamedTuple):
    """What pooling knows from the shape of its input and its settings alone."""

    dims: int
    batched: bool  # (N, C, *spatial), not (C, *spatial)
    axes: tuple  # three shapes.PoolAxis
    out: tuple  # (OD, OH, OW)
    position: Any  # dtype of a place within a window


def _plan(shape, axes):
    dims, axes = len(axes), (_ONE,) * (3 - len(axes)) + tuple(axes)
    places = axes[0].kernel * axes[1].kernel * axes[2].kernel
    return _Plan(dims, len(shape) == dims + 2, axes, tuple([axis.out for axis in axes]),
                 uint8 if places <= 255 else int32)


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
    plan = _fixed_plan(function, dims, input.data.shape, kernel_size, stride, padding, dilation,
                       ceil_mode, True)
    return MaxPool.apply(input, plan, bool(return_indices))


def max_pool_relu(function, dims, input, kernel_size, stride, padding, dilation, ceil_mode):
    """relu of max_pool1d, max_pool2d or max_pool3d, as `dims` says, as one operation."""
    check_float(function, "input", input)
    plan = _fixed_plan(function, dims, input.data.shape, kernel_size, stride, padding, dilation,
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
    plan = _fixed_plan(function, dims, input.data.shape, kernel_size, stride, padding, 1,
                       ceil_mode, count_include_pad)
    return AvgPool.apply(input, plan, divisor_override)


def _check_shape(function, dims, shape):
    if len(shape) not in (dims + 1, dims + 2):
        fail(function, f"input (N, C, {_AXES[dims]}) or (C, {_AXES[dims]})",
             shape_text(shape), "Add the missing axes with unsqueeze or reshape.")
    if 0 in shape[-dims:]:
        fail(function, f"at least one pixel along each of {_AXES[dims]}", shape_text(shape),
             "Only the number of images N and of channels C may be 0.")


@remembered
def _fixed_plan(
    function, dims, shape, kernel, stride, padding, dilation, ceil_mode, count_include_pad
):
    """The plan of windows of one size, checked: each holds at least one pixel of the input."""
    _check_shape(function, dims, shape)
    kernel = tuple_of(kernel, dims, function, "kernel_size", 1)
    stride = kernel if stride is None else tuple_of(stride, dims, function, "stride", 1)
    padding = tuple_of(padding, dims, function, "padding", 0)
    dilation = tuple_of(dilation, dims, function, "dilation", 1)
    said = (
        f"kernel_size {shape_text(kernel)}, padding {shape_text(padding)}, dilation "
        f"{shape_text(dilation)} for input {shape_text(shape)}"
    )
    axes = []
    for n, K, S, P, D in zip(shape[-len(kernel):], kernel, stride, padding, dilation):
        if P > K // 2:
            fail(function, "padding of at most half of kernel_size", said,
                 "Use a smaller padding; a larger border can be made with pad.")
        out = pool_output_size(n, K, S, P, D, ceil_mode)
        if out < 1:
            fail(function, "a window that fits into the padded input", said,
                 "Use a smaller window or a larger input.")
        # a window that starts in front must reach the input before it leaves it behind
        if n < D and any((i * S - P) % D >= n for i in range(min(out, -(-P // S)))):
            fail(function, "at least one pixel of the input in every window", said,
                 "One lies wholly in the padding: use a smaller dilation or padding.")
        axes.append(pool_axis(n, K, S, P, D, ceil_mode, count_include_pad))
    return _plan(shape, axes)


def _adaptive_plan(function, dims, input, output_size):
    check_float(function, "input", input)
    return _checked_adaptive_plan(function, dims, input.data.shape, output_size)


@remembered
def _checked_adaptive_plan(function, dims, shape, output_size):
    _check_shape(function, dims, shape)
    size = shape[-dims:]
    if output_size is None:
        output_size = size
    elif isinstance(output_size, (tuple, list)) and len(output_size) == dims:
        output_size = tuple([n if out is None else out for n, out in zip(size, output_size)])
    output_size = tuple_of(output_size, dims, function, "output_size", 0)
    if max(output_size) > max(_MOST_OUTPUTS, *size):
        fail(function, f"output_size of at most {_MOST_OUTPUTS} along each axis",
             shape_text(output_size), "Values can be repeated without a copy by expand.")
    return _plan(shape, [adaptive_pool_axis(n, out) for n, out in zip(size, output_size)])


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


def adaptive_max_pool1d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of each of `output_size` windows along one axis: adaptive_max_pool2d without H.

    Window i reaches from floor(i * L / OL) to ceil((i + 1) * L / OL).

    Args:    input (Tensor): (N, C, L) or (C, L); the rest as in adaptive_max_pool2d.
    Returns: Tensor (N, C, OL); with return_indices also int64 (N, C, OL).
    Raises:  ValueError: as adaptive_max_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_max_pool1d(tinycnn.tensor([[1.0, 3.0, 2.0]]), 2)
             tensor([[3., 3.]])
    """
    plan = _adaptive_plan("adaptive_max_pool1d", 1, input, output_size)
    return MaxPool.apply(input, plan, bool(return_indices))


def adaptive_max_pool2d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of each window, of which there are `output_size` for any size of input.

    Window i reaches from floor(i * H / OH) to ceil((i + 1) * H / OH), along W likewise.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             output_size (int or pair): OH, OW; None keeps the size of that axis.
             return_indices (bool): also return h * W + w of each largest value.
    Returns: Tensor (N, C, OH, OW); with return_indices also int64 (N, C, OH, OW).
    Raises:  ValueError: if input has no pixels or another number of axes, if a size is negative.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]])
             >>> adaptive_max_pool2d(x, (1, 2))
             tensor([[[4., 5.]]])
    """
    plan = _adaptive_plan("adaptive_max_pool2d", 2, input, output_size)
    return MaxPool.apply(input, plan, bool(return_indices))


def adaptive_max_pool3d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of each of `output_size` windows: adaptive_max_pool2d with D in front.

    Window i reaches from floor(i * D / OD) to ceil((i + 1) * D / OD), along H and W likewise.

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W); the rest as in adaptive_max_pool2d.
    Returns: Tensor (N, C, OD, OH, OW); with return_indices also int64 of that shape.
    Raises:  ValueError: as adaptive_max_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_max_pool3d(tinycnn.tensor([[[[1.0, 2.0]], [[4.0, 3.0]]]]), 1)
             tensor([[[[4.]]]])
    """
    plan = _adaptive_plan("adaptive_max_pool3d", 3, input, output_size)
    return MaxPool.apply(input, plan, bool(return_indices))


def adaptive_avg_pool1d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None
) -> Tensor:
    """Average of each of `output_size` windows along one axis: adaptive_avg_pool2d without H.

    Window i reaches from floor(i * L / OL) to ceil((i + 1) * L / OL).

    Args:    input (Tensor): (N, C, L) or (C, L); the rest as in adaptive_avg_pool2d.
    Returns: Tensor (N, C, OL).
    Raises:  ValueError: as adaptive_avg_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_avg_pool1d(tinycnn.tensor([[1.0, 3.0, 2.0]]), 2)
             tensor([[2.0000, 2.5000]])
    """
    return AvgPool.apply(input, _adaptive_plan("adaptive_avg_pool1d", 1, input, output_size), None)


def adaptive_avg_pool2d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None
) -> Tensor:
    """Average of each window, of which there are `output_size` for any size of input.

    Window i reaches from floor(i * H / OH) to ceil((i + 1) * H / OH), along W likewise. With
    output_size=1 it is the global average.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             output_size (int or pair): OH, OW; None keeps the size of that axis.
    Returns: Tensor (N, C, OH, OW).
    Raises:  ValueError: if input has no pixels or another number of axes, if a size is negative.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]])
             >>> adaptive_avg_pool2d(x, 1)
             tensor([[[2.5000]]])
    Source:  Lin, Chen & Yan 2014, "Network in Network", section 3.2 (global average pooling).
    """
    return AvgPool.apply(input, _adaptive_plan("adaptive_avg_pool2d", 2, input, output_size), None)


def adaptive_avg_pool3d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None
) -> Tensor:
    """Average of each of `output_size` windows: adaptive_avg_pool2d with D in front.

    Window i reaches from floor(i * D / OD) to ceil((i + 1) * D / OD), along H and W likewise.

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W); the rest as in adaptive_avg_pool2d.
    Returns: Tensor (N, C, OD, OH, OW).
    Raises:  ValueError: as adaptive_avg_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_avg_pool3d(tinycnn.tensor([[[[1.0, 2.0]], [[4.0, 3.0]]]]), 1)
             tensor([[[[2.5000]]]])
    """
    return AvgPool.apply(input, _adaptive_plan("adaptive_avg_pool3d", 3, input, output_size), None)
