"""Resizing feature maps: more or fewer pixels for the same picture.

Size letters: N images, C channels, L / H W / D H W input size, O.. output size. Which pixels count
for which, and how much, is told in _core/reference/resize_table.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .._core.checks import fail, float_of, shape_text
from .._core.shapes import ResizeAxis, remembered, tuple_of
from ..autograd import Function
from ._inputs import check_float
from .adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

if TYPE_CHECKING:
    from ..tensor import Tensor

_FILTERS = {  # mode: (filter along each axis, spatial axes of the input)
    "nearest": ("nearest", (1, 2, 3)),
    "nearest-exact": ("nearest-exact", (1, 2, 3)),
    "area": ("area", (1, 2, 3)),
    "linear": ("linear", (1,)),
    "bilinear": ("linear", (2,)),
    "trilinear": ("linear", (3,)),
    "bicubic": ("cubic", (2,)),
    "lanczos": ("lanczos", (2,)),
}
_CORNERLESS = ("nearest", "nearest-exact", "area")
_ANTIALIASED = ("bilinear", "bicubic", "lanczos")
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}
_ONE = ResizeAxis(1, 1)  # an axis that is not there


class ResizePlan(NamedTuple):
    """What is known from the shape of the input and the settings alone."""

    dims: int
    out: tuple  # spatial sizes
    axes: tuple | None  # three shapes.ResizeAxis; None: windows are averaged


class Resize(Function):
    """See interpolate."""

    @staticmethod
    def forward(ctx, x, plan):
        k, ctx.plan = ctx.kernels, plan
        x = k.pixels(x, plan.dims)
        ctx.size = x.shape
        out = tuple([axis.out for axis in plan.axes])
        y = k.empty((x.shape[0], *out, x.shape[4]), x.dtype)
        k.resize_forward(x, y, plan.axes)
        return k.channels_first(y, plan.dims)

    @staticmethod
    def backward(ctx, grad_y):
        k, plan = ctx.kernels, ctx.plan
        grad_y = k.pixels(grad_y, plan.dims)
        grad_x = k.empty(ctx.size, grad_y.dtype)
        k.resize_backward(grad_y, grad_x, plan.axes)
        return k.channels_first(grad_x, plan.dims)


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize feature maps to a size, or by a factor.

    y[n, c, i, j] = sum over (p, q) of weight(i, p) * weight(j, q) * x[n, c, p, q]

    Pixel i of y lies at (i + 0.5) / scale - 0.5 of x, scale = OH / H; with align_corners, which
    puts the first pixel on the first and the last on the last, at i * (H - 1) / (OH - 1). Weights
    fall off with the distance from there: 1 for the nearest pixel alone, linear over 2, or cubic
    over 4 pixels.

    Args:    input (Tensor): (N, C, L), (N, C, H, W) or (N, C, D, H, W), float32 or float64.
             size (int or sequence): of the output, one number for all axes or one for each.
             scale_factor (float or sequence): instead of size: OH = floor(H * scale_factor). The
             pixels then lie 1 / scale_factor apart, though H / OH may be a little more.
             mode (str): "nearest" (pixel floor(i / scale), for any input), "nearest-exact" (the one
             whose middle is nearest), "linear" (N, C, L), "bilinear", "bicubic" (N, C, H, W),
             "trilinear" (N, C, D, H, W), "area" (adaptive_avg_pool), "lanczos" with antialias.
             align_corners (bool or None): as above; not for nearest and area. None means False.
             recompute_scale_factor (bool or None): with scale_factor: let pixels lie H / OH apart.
             antialias (bool): going down, let every pixel of x count: the weights of "bilinear",
             "bicubic" or "lanczos" become as many times wider. As in Pillow.
    Returns: Tensor (N, C, OL), (N, C, OH, OW) or (N, C, OD, OH, OW).
    Raises:  ValueError: if a mode, a size or a combination of settings is none of these; if input
             or output have no pixels, or no channels.
             TypeError: if input is no float tensor, or a setting no number.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[0.0, 4.0]]])
             >>> interpolate(x, scale_factor=2)
             tensor([[[0., 0., 4., 4.]]])
             >>> interpolate(x, 4, mode="linear")
             tensor([[[0., 1., 3., 4.]]])
    Source:  Keys 1981, "Cubic convolution interpolation for digital image processing"; Odena,
             Dumoulin & Olah 2016, "Deconvolution and checkerboard artifacts" (resize, then
             convolve).
    """
    check_float("interpolate", "input", input)
    plan = resize_plan("interpolate", input.data.shape, size, scale_factor, mode, align_corners,
                       recompute_scale_factor, antialias)
    if plan.axes is None:
        return _AREA[plan.dims](input, plan.out)
    return Resize.apply(input, plan)


@remembered
def resize_plan(function, shape, size, scale_factor, mode, align_corners, recompute, antialias):
    """The plan for arguments as users write them, checked."""
    dims = len(shape) - 2
    filter = _filter_of(function, shape, mode, align_corners, antialias)
    if (size is None) == (scale_factor is None):
        fail(function, "one of size and scale_factor", f"size={size!r}, scale_factor="
             f"{scale_factor!r}", "Pass for example scale_factor=2.")
    spatial, scales = shape[2:], (None,) * dims
    if size is not None:
        if recompute:
            fail(function, "recompute_scale_factor with scale_factor only", f"size={size!r}",
                 "Leave it out: a size settles the scale.")
        _check_length(function, "size", size, shape)
        out = tuple_of(size, dims, function, "size", 0 if mode == "area" else 1)
    else:
        factors = _factors_of(function, scale_factor, shape)
        out = tuple([int(n * factor) for n, factor in zip(spatial, factors)])
        if not recompute:
            scales = factors
    if mode == "area":
        if min(out) < 0:
            _no_pixels(function, shape, out)
        return ResizePlan(dims, out, None)
    if 0 in shape[1:] or min(out) < 1:
        _no_pixels(function, shape, out)
    axes = [ResizeAxis(n, o, filter, scale, bool(align_corners), bool(antialias))
            for n, o, scale in zip(spatial, out, scales)]
    return ResizePlan(dims, out, (_ONE,) * (3 - dims) + tuple(axes))


def _filter_of(function, shape, mode, align_corners, antialias):
    if not isinstance(mode, str) or mode not in _FILTERS:
        fail(function, f"mode {', '.join(map(repr, _FILTERS))}", repr(mode), "Use one of these.")
    filter, fits = _FILTERS[mode]
    dims = len(shape) - 2
    if dims not in fits:
        wanted = " or ".join({1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}[d]
                             for d in fits)
        fail(function, f"input {wanted} for mode {mode!r}", shape_text(shape),
             "Add the missing axes with unsqueeze, or use the mode of these axes.")
    if align_corners is not None and mode in _CORNERLESS:
        fail(function, "align_corners with linear, bilinear, bicubic and trilinear only",
             f"align_corners={align_corners!r} with mode {mode!r}", "Leave it out.")
    if antialias and mode not in _ANTIALIASED:
        fail(function, "antialias with bilinear, bicubic and lanczos only", f"mode {mode!r}",
             "Leave it out, or average with mode 'area'.")
    if mode == "lanczos" and (align_corners or not antialias):
        fail(function, "antialias=True, and no align_corners, with mode 'lanczos'",
             f"antialias={antialias!r}, align_corners={align_corners!r}", "Pass antialias=True.")
    return filter


def _check_length(function, name, value, shape):
    dims = len(shape) - 2
    if isinstance(value, (tuple, list)) and len(value) != dims:
        fail(function, f"one {name} for each of {dims} spatial axes of input {shape_text(shape)}",
             f"{name}={value!r}", "Name every axis, or pass one number for all.")


def _factors_of(function, scale_factor, shape):
    _check_length(function, "scale_factor", scale_factor, shape)
    dims = len(shape) - 2
    given = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * dims
    factors = [float_of(function, "scale_factor", factor, "Pass for example scale_factor=2.")
               for factor in given]
    for n, factor in zip(shape[2:], factors):
        if not math.isfinite(factor) or n * factor >= 2**31:
            fail(function, "a scale_factor with fewer than 2**31 pixels along each axis",
                 f"{scale_factor!r} for input {shape_text(shape)}", "Use a smaller one.")
    return tuple(factors)


def _no_pixels(function, shape, out):
    fail(function, "at least one channel, and one pixel along each axis of input and output",
         f"input {shape_text(shape)} for output size {shape_text(out)}",
         "Only the number of images N may be 0.")
