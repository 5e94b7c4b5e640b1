"""Windows of an image as columns of a matrix, and columns added up to an image.

Size letters: N images, C channels, H W image size, KH KW window, OH OW places of the window,
L = OH * OW columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.shapes import conv_window, remembered, tuple_of
from ..autograd import Function
from ._inputs import check_float
from .reshaping import squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

Size = int | tuple[int, ...]


class Unfold(Function):
    """See unfold."""

    @staticmethod
    def forward(ctx, x, plan):
        ctx.plan, ctx.size = plan, x.shape[2:]
        return _unfolded(ctx.kernels, x, *plan)

    @staticmethod
    def backward(ctx, grad_y):
        return _folded(ctx.kernels, grad_y, ctx.size, *ctx.plan)


class Fold(Function):
    """See fold: forward is the gradient of unfold, and backward its forward."""

    @staticmethod
    def forward(ctx, x, size, plan):
        ctx.plan = plan
        return _folded(ctx.kernels, x, size, *plan)

    @staticmethod
    def backward(ctx, grad_y):
        return _unfolded(ctx.kernels, grad_y, *ctx.plan)


def _unfolded(k, x, window, out):
    """(N, C, H, W) to (N, C * KH * KW, OH * OW)."""
    N, C, H, W = x.shape
    places = math.prod(window.kernel)
    y = k.empty((N, C, places, *out), x.dtype)
    k.unfold(k.reshape(k.contiguous(x), (N, C, 1, H, W)), y, window)
    return k.reshape(y, (N, C * places, math.prod(out)))


def _folded(k, y, size, window, out):
    """(N, C * KH * KW, OH * OW) to (N, C, H, W)."""
    places = math.prod(window.kernel)
    N, C = len(y), y.shape[1] // places
    x = k.empty((N, C, 1, *size), y.dtype)
    k.fold(k.reshape(k.contiguous(y), (N, C, places, *out)), x, window)
    return k.reshape(x, (N, C, *size))


@remembered
def _plan(function, size, kernel_size, dilation, padding, stride):
    """(`Window`, (1, OH, OW)) for an image of `size`, after all checks."""
    kernel = tuple_of(kernel_size, 2, function, "kernel_size", 1)
    padding = tuple_of(padding, 2, function, "padding", 0)
    window = conv_window(function, size, kernel, stride, padding, dilation)
    return window, window.output_size((1, *size))


def unfold(
    input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """The windows of an image as columns ("im2col"): a convolution is a matrix product of them.

    y[n, (c * KH + p) * KW + q, i * OW + j] = x[n, c, i * stride + p * dilation - padding, ...]

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             kernel_size (int or pair): KH, KW.
             dilation (int or pair): pixels between neighbouring places of a window.
             padding (int or pair): zeros on both sides.
             stride (int or pair): pixels from one window to the next.
    Returns: Tensor (N, C * KH * KW, L) or (C * KH * KW, L), L = OH * OW,
             OH = floor((H + 2 * padding - dilation * (KH - 1) - 1) / stride) + 1.
    Raises:  ValueError: if input has another number of axes or no pixels, or no window fits it.
             TypeError: if input is no float tensor, or a size no int.
    Example: >>> import tinycnn
             >>> unfold(tinycnn.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), 2)
             tensor([[1., 2.],
                     [2., 3.],
                     [4., 5.],
                     [5., 6.]])
    Source:  Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for
             document processing", section 2.
    """
    check_float("unfold", "input", input)
    shape = input.data.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        fail("unfold", "input (N, C, H, W) or (C, H, W), with channels and pixels",
             shape_text(shape), "Only the number of images N may be 0.")
    plan = _plan("unfold", shape[-2:], kernel_size, dilation, padding, stride)
    if len(shape) == 4:
        return Unfold.apply(input, plan)
    return squeeze(Unfold.apply(unsqueeze(input, 0), plan), 0)


def fold(
    input: Tensor, output_size: Size | Sequence[int], kernel_size: Size, dilation: Size = 1,
    padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Columns added up to an image ("col2im"): every pixel is the sum of what windows have of it.

    y[n, c, h, w] = sum of input[n, (c * KH + p) * KW + q, i * OW + j] over all i, j, p, q with
                    h = i * stride + p * dilation - padding, w likewise

    The transpose of unfold: fold(unfold(x)) is x times the number of windows that hold each pixel.

    Args:    input (Tensor): (N, C * KH * KW, L) or (C * KH * KW, L), float32 or float64.
             output_size (int or pair): H, W.
             kernel_size, dilation, padding, stride: of the windows, as in unfold.
    Returns: Tensor (N, C, H, W) or (C, H, W).
    Raises:  ValueError: if KH * KW does not divide the rows, or L is not the number of windows.
             TypeError: if input is no float tensor, or a size no int.
    Example: >>> import tinycnn
             >>> fold(tinycnn.ones(1, 4, 2), (2, 3), 2)
             tensor([[[[1., 2., 1.],
                       [1., 2., 1.]]]])
    Source:  Chellapilla, Puri & Simard 2006, as unfold.
    """
    check_float("fold", "input", input)
    shape = input.data.shape
    size = tuple_of(output_size, 2, "fold", "output_size", 1)
    window, out = plan = _plan("fold", size, kernel_size, dilation, padding, stride)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        fail("fold", "input (N, C * KH * KW, L) or (C * KH * KW, L), with rows and columns",
             shape_text(shape), "Only the number of images N may be 0.")
    places = math.prod(window.kernel)
    if shape[-2] % places:
        fail("fold", f"rows that KH * KW = {places} divides", f"{shape[-2]} in input "
             f"{shape_text(shape)}", "Check kernel_size.")
    if shape[-1] != math.prod(out):
        fail("fold", f"{math.prod(out)} columns, one for each of {out[1]} * {out[2]} windows",
             f"{shape[-1]} in input {shape_text(shape)}",
             "Check output_size, and the windows' size, stride, padding and dilation.")
    if len(shape) == 3:
        return Fold.apply(input, size, plan)
    return squeeze(Fold.apply(unsqueeze(input, 0), size, plan), 0)
