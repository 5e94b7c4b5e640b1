"""What pooling knows from the shape of its input and its settings alone, computed once for each.

Windows are listed per axis by `shapes.PoolAxis`: windows of one size, or adaptive ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._core.checks import fail, shape_text
from .._core.dtypes import int32, uint8
from .._core.shapes import adaptive_pool_axis, pool_axis, pool_output_size, remembered, tuple_of

_AXES = {1: "L", 2: "H, W", 3: "D, H, W"}
_MOST_OUTPUTS = 2**26  # of adaptive pooling; kernels list an axis' windows, 24 bytes each
_ONE = pool_axis(1, 1, 1, 0)  # an axis that is not there


class PoolPlan(NamedTuple):
    """How images lie, and the windows along each axis."""

    dims: int
    batched: bool  # (N, C, *spatial), not (C, *spatial)
    axes: tuple  # three shapes.PoolAxis
    out: tuple  # (OD, OH, OW)
    position: Any  # dtype of a place within a window


def _plan(shape, axes):
    dims, axes = len(axes), (_ONE,) * (3 - len(axes)) + tuple(axes)
    places = axes[0].kernel * axes[1].kernel * axes[2].kernel
    return PoolPlan(dims, len(shape) == dims + 2, axes, tuple([axis.out for axis in axes]),
                 uint8 if places <= 255 else int32)


def _check_shape(function, dims, shape):
    if len(shape) not in (dims + 1, dims + 2):
        fail(function, f"input (N, C, {_AXES[dims]}) or (C, {_AXES[dims]})",
             shape_text(shape), "Add the missing axes with unsqueeze or reshape.")
    if 0 in shape[-dims:]:
        fail(function, f"at least one pixel along each of {_AXES[dims]}", shape_text(shape),
             "Only the number of images N and of channels C may be 0.")


@remembered
def fixed_plan(
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


@remembered
def adaptive_plan(function, dims, shape, output_size):
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
