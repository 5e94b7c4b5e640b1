"""Sampling feature maps at given places, and grids of such places: what a spatial transformer is
made of.

Size letters: N images, C channels, D H W of the input, OD OH OW of the grid.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core import device_of, to_device
from .._core.checks import fail, shape_text
from .._core.dtypes import to_array
from .._core.shapes import tuple_of
from ..autograd import Function, wrap
from ._inputs import check_float
from .arithmetic import add, mul
from .indexing import index

if TYPE_CHECKING:
    from ..tensor import Tensor

_MODES = ("bilinear", "nearest", "bicubic")
_PADDING_MODES = ("zeros", "border", "reflection")
_MOST = 2**31  # places of an image; kernels count them


class GridSample(Function):
    """See grid_sample."""

    @staticmethod
    def forward(ctx, x, grid, mode, padding, align_corners):
        k, dims = ctx.kernels, x.ndim - 2
        x = k.pixels(x, dims)
        grid = k.contiguous(grid)
        if dims == 2:
            grid = grid[:, None]
        ctx.dims, ctx.saved = dims, (x, grid)
        ctx.settings = mode, padding, align_corners
        y = k.empty((*grid.shape[:4], x.shape[4]), x.dtype)
        k.grid_sample_forward(x, grid, y, *ctx.settings)
        return k.channels_first(y, dims)

    @staticmethod
    def backward(ctx, grad_y):
        k, (x, grid) = ctx.kernels, ctx.saved
        grad_y = k.pixels(grad_y, ctx.dims)
        grad_x, grad_grid = [k.empty(a.shape, a.dtype) if needed else None
                             for a, needed in zip(ctx.saved, ctx.needs)]
        k.grid_sample_backward(x, grid, grad_y, grad_x, grad_grid, *ctx.settings)
        if grad_x is not None:
            grad_x = k.channels_first(grad_x, ctx.dims)
        if grad_grid is not None and ctx.dims == 2:
            grad_grid = grad_grid[:, 0]
        return grad_x, grad_grid


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Read feature maps at the places that a grid names, between pixels where they lie so.

    y[n, c, i, j] = sum over pixels (p, q) of weight(grid[n, i, j], p, q) * x[n, c, p, q]

    A place is (x, y), or (x, y, z), along W, H (and D): -1 is one edge of the input, 1 the other.
    Gradients of the input are added up in one order, whatever the number of threads.

    Args:    input (Tensor): (N, C, H, W) or (N, C, D, H, W), float32 or float64.
             grid (Tensor): (N, OH, OW, 2) or (N, OD, OH, OW, 3), of the input's dtype.
             mode (str): "bilinear" (of 4 pixels, or of 8), "nearest", "bicubic" (16; no D).
             padding_mode (str): what lies outside: "zeros", the pixel on the "border", or the
             "reflection" of the picture.
             align_corners (bool or None): -1 and 1 are the middle of the first and the last pixel;
             else, and with None after a warning, their outer sides.
    Returns: Tensor (N, C, OH, OW) or (N, C, OD, OH, OW). A place that is no number reads zeros with
             padding "zeros", else a pixel on the border.
    Raises:  ValueError: if shapes do not fit, the input has no pixels, or a mode is unknown.
             TypeError: if input or grid is no float tensor, or they are not of one dtype.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[[0.0, 4.0]]]])
             >>> grid = tinycnn.tensor([[[[-0.5, 0.0], [0.0, 0.0], [0.25, 0.0]]]])
             >>> grid_sample(x, grid, align_corners=False)
             tensor([[[[0., 2., 3.]]]])
    Source:  Jaderberg et al. 2015, "Spatial transformer networks", section 3.3.
    """
    check_float("grid_sample", "input", input)
    check_float("grid_sample", "grid", grid)
    x, places = input.data, grid.data
    _check_shapes(x.shape, places.shape, mode)
    if x.dtype != places.dtype:
        fail("grid_sample", f"grid in the dtype of input, {x.dtype}", str(places.dtype),
             "Convert one of them with .to(...).", TypeError)
    if not isinstance(padding_mode, str) or padding_mode not in _PADDING_MODES:
        fail("grid_sample", f"padding_mode {', '.join(map(repr, _PADDING_MODES))}",
             repr(padding_mode), "Use one of these.")
    align_corners = _settled("grid_sample", align_corners)
    return GridSample.apply(input, grid, mode, padding_mode, align_corners)


def _check_shapes(shape, places, mode):
    if not isinstance(mode, str) or mode not in _MODES:
        fail("grid_sample", f"mode {', '.join(map(repr, _MODES))}", repr(mode), "Use one of these.")
    dims = len(shape) - 2
    said = f"input {shape_text(shape)} and grid {shape_text(places)}"
    if dims not in (2, 3):
        fail("grid_sample", "input (N, C, H, W) or (N, C, D, H, W)", shape_text(shape),
             "Add the missing axes with unsqueeze.")
    if len(places) != len(shape) or places[-1] != dims or places[0] != shape[0]:
        axes = "OH, OW, 2" if dims == 2 else "OD, OH, OW, 3"
        fail("grid_sample", f"grid (N, {axes}) with N of the input, and {dims} numbers for each "
             "place", said, "A grid can be made with affine_grid.")
    if 0 in shape[2:]:
        fail("grid_sample", "input with at least one pixel along each axis", said,
             "There is nothing to sample.")
    if mode == "bicubic" and dims == 3:
        fail("grid_sample", "input (N, C, H, W) for mode 'bicubic'", said, "Use mode 'bilinear'.")
    if math.prod(places[1:-1]) >= _MOST or max(shape[2:]) >= _MOST:
        fail("grid_sample", "fewer than 2**31 places in an image", said, "Sample parts of it.")


def _settled(function, align_corners):
    if align_corners is None:
        warnings.warn(f"{function}: align_corners was not given, False is used, as PyTorch does "
                      "since 1.3. Pass align_corners=False.", stacklevel=3)
    return bool(align_corners)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that an affine map of the picture reads, for grid_sample.

    grid[n, i, j] = theta[n] @ (x_j, y_i, 1)

    (x_j, y_i) is the middle of pixel (i, j) of the output, with -1 and 1 at the edges.

    Args:    theta (Tensor): (N, 2, 3) for images, (N, 3, 4) for volumes, float32 or float64.
             size (sequence of ints): of the output, (N, C, OH, OW) or (N, C, OD, OH, OW).
             align_corners (bool or None): as grid_sample is told.
    Returns: Tensor (N, OH, OW, 2) or (N, OD, OH, OW, 3).
    Raises:  ValueError: if theta and size do not fit, or a size is not positive.
             TypeError: if theta is no float tensor, or size holds no ints.
    Example: >>> import tinycnn
             >>> mirror = tinycnn.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
             >>> affine_grid(mirror, (1, 1, 1, 2), align_corners=False)
             tensor([[[[ 0.5000,  0.0000],
                       [-0.5000,  0.0000]]]])
    Source:  Jaderberg et al. 2015, "Spatial transformer networks", section 3.2.
    """
    check_float("affine_grid", "theta", theta)
    out = _output_size(theta.data.shape, size)
    align_corners = _settled("affine_grid", align_corners)
    if align_corners and min(out) == 1:
        warnings.warn("affine_grid: with align_corners=True and one pixel along an axis, its place "
                      "is 0. Pass align_corners=False.", stacklevel=2)
    dims = len(out)
    grid = None
    for a, pixels in enumerate(reversed(out)):  # x first
        column = index(theta, (slice(None), *(None,) * dims, slice(None), a))  # (N, 1, .., A)
        places = [1] * (dims + 2)
        places[dims - a] = pixels
        share = mul(column, _middles(pixels, places, align_corners, theta.data))
        if a == 0:
            share = add(share, index(theta, (slice(None), *(None,) * dims, slice(None), dims)))
        grid = share if grid is None else add(grid, share)
    return grid


def _output_size(theta, size):
    if not isinstance(size, Sequence) or len(size) not in (4, 5):
        fail("affine_grid", "size (N, C, OH, OW) or (N, C, OD, OH, OW)", repr(size),
             "Pass for example x.shape.")
    size = tuple_of(tuple(size), len(size), "affine_grid", "size", 1)
    dims = len(size) - 2
    if theta != (size[0], dims, dims + 1):
        fail("affine_grid", f"theta {shape_text((size[0], dims, dims + 1))} for size "
             f"{shape_text(size)}", shape_text(theta), "One affine map for each image.")
    return size[2:]


def _middles(pixels, shape, align_corners, like):
    """Where the middles of pixels lie between -1 and 1, as a tensor of `shape`."""
    if align_corners:
        values = [2 * i / (pixels - 1) - 1 for i in range(pixels)] if pixels > 1 else [0.0]
    else:
        values = [(2 * i + 1) / pixels - 1 for i in range(pixels)]
    array = to_array("affine_grid", values, like.dtype).reshape(shape)
    return wrap(to_device(array, device_of(like)))
