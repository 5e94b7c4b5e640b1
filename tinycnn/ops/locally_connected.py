"""Locally connected layers: convolution with weights of its own at every place.

Size letters: N images, C channels, OC output channels, L or H W input size, K.. window, O.. output
size. P places, windows of an image; K numbers of a window, C * KH * KW.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.shapes import conv_window, remembered
from ..autograd import Function
from ._inputs import check_float
from .conv import IntOrTuple, Padding
from .reshaping import squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

_LAYOUTS = {1: ("(N, C, L)", "(OL, OC, C, K)", "(OC, OL)"),
            2: ("(N, C, H, W)", "(OH, OW, OC, C, KH, KW)", "(OC, OH, OW)")}


class LocallyConnected(Function):
    """See locally_connected2d: a batch of P products, (N, K) @ (K, OC) at each place."""

    @staticmethod
    def forward(ctx, x, weight, bias, plan):
        k, (dims, window, size) = ctx.kernels, plan
        x, matrices = k.pixels(x, dims), _matrices(k, weight, dims)
        P, OC, _ = matrices.shape
        ctx.shape, ctx.plan, ctx.matrices = x.shape, plan, matrices if ctx.needs[0] else None
        ctx.x = x if ctx.needs[1] else None
        products = k.empty((P, len(x), OC), x.dtype)
        k.matmul(_windows(k, x, window, size), matrices.swapaxes(1, 2), None, products)
        y = k.empty((len(x), P, OC), x.dtype)
        y[...] = products.swapaxes(0, 1)
        if bias is not None:
            y += k.reshape(bias, (OC, P)).T
        return k.channels_first(k.reshape(y, (len(x), *size, OC)), dims)

    @staticmethod
    def backward(ctx, grad_y):
        k, (dims, window, size) = ctx.kernels, ctx.plan
        need_x, need_weight, need_bias = ctx.needs[:3]
        grad_x = grad_weight = grad_bias = None
        N, P, OC = len(grad_y), math.prod(size), grad_y.shape[1]
        if need_bias:
            grad_bias = k.sum(grad_y, 0)
        grad_y = k.contiguous(k.reshape(k.pixels(grad_y, dims), (N, P, OC)).swapaxes(0, 1))
        if need_x:
            parts = k.empty((P, N, ctx.matrices.shape[2]), grad_y.dtype)
            k.matmul(grad_y, ctx.matrices, None, parts)
            grad_x = k.channels_first(_added(k, parts, ctx.shape, window, size), dims)
        if need_weight:
            grad_weight = k.empty((P, OC, math.prod(window.kernel) * ctx.shape[-1]), grad_y.dtype)
            k.matmul(grad_y.swapaxes(1, 2), _windows(k, ctx.x, window, size), None, grad_weight)
            grad_weight = _as_weight(k, grad_weight, dims, window, size)
        return grad_x, grad_weight, grad_bias, None


def _matrices(k, weight, dims):
    """(*places, OC, C, *kernel) as (P, OC, K), channels last: no copy if memory lies so."""
    last = (*range(dims + 1), *range(dims + 2, 2 * dims + 2), dims + 1)
    shape = weight.shape
    return k.reshape(weight.transpose(last), (math.prod(shape[:dims]), shape[dims],
                                              math.prod(shape[dims + 1 :])))


def _as_weight(k, matrices, dims, window, size):
    """(P, OC, K), channels last, as (*places, OC, C, *kernel): a view."""
    places, kernel, OC = size[3 - dims :], window.kernel[3 - dims :], matrices.shape[1]
    y = k.reshape(matrices, (*places, OC, *kernel, matrices.shape[2] // math.prod(kernel)))
    return y.transpose((*range(dims + 1), 2 * dims + 1, *range(dims + 1, 2 * dims + 1)))


def _windows(k, x, window, size):
    """(P, N, K), the windows of (N, D, H, W, C): a view of (N, P, K), which is copied."""
    N, C = len(x), x.shape[-1]
    y = k.empty((N, *size, math.prod(window.kernel), C), x.dtype)
    padded = _padded_size(x.shape, window)
    if padded != x.shape:
        wide = k.zeros(padded, x.dtype)
        wide[_center(x.shape, window)] = x
        x = wide
    for tap, part in enumerate(_taps(window, size)):
        y[:, :, :, :, tap] = x[part]
    return k.reshape(y, (N, math.prod(size), math.prod(window.kernel) * C)).swapaxes(0, 1)


def _added(k, parts, shape, window, size):
    """The gradient of `_windows`: each pixel the sum over the windows that hold it."""
    N, C = shape[0], shape[-1]
    parts = k.reshape(parts, (*size, N, math.prod(window.kernel), C))
    wide = k.zeros(_padded_size(shape, window), parts.dtype)
    for tap, part in enumerate(_taps(window, size)):
        wide[part] += parts[:, :, :, :, tap].transpose(3, 0, 1, 2, 4)
    return k.contiguous(wide[_center(shape, window)])


def _padded_size(shape, window):
    pads = [low + high for low, high in window.padding]
    return (shape[0], *[n + p for n, p in zip(shape[1:4], pads)], shape[4])


def _center(shape, window):
    return (slice(None), *[slice(low, low + n) for n, (low, _) in zip(shape[1:4], window.padding)])


def _taps(window, size):
    """For each place of a window, what all windows see there in the padded input."""
    for tap in product(*map(range, window.kernel)):
        yield (slice(None), *[slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in
                              zip(tap, window.dilation, size, window.stride)])


@remembered
def local_plan(function, dims, size, kernel, stride, padding, dilation):
    """(dims, `Window`, output size (OD, OH, OW)) for an input of `size`."""
    window = conv_window(function, size, kernel, stride, padding, dilation)
    return dims, window, window.output_size((1,) * (3 - dims) + size)


def locally_connected1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrTuple = 1,
    padding: Padding = 0, dilation: IntOrTuple = 1,
) -> Tensor:
    """`locally_connected2d` with one axis.

    y[n, k, o] = bias[k, o] + sum over c, t of
                 x[n, c, o * stride + t * dilation - padding] * weight[o, k, c, t]

    Args:    input (Tensor): (N, C, L) or (C, L), float32 or float64.
             weight (Tensor): (OL, OC, C, K).
             bias (Tensor or None): (OC, OL).
             others: as conv1d.
    Returns: Tensor (N, OC, OL), size as conv1d.
    Raises:  ValueError, TypeError: as locally_connected2d.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 3.0]]])
             >>> locally_connected1d(x, tinycnn.tensor([[[[1.0, 1.0]]], [[[1.0, -1.0]]]]))
             tensor([[[ 3., -1.]]])
    """
    return _locally_connected("locally_connected1d", 1, input, weight, bias, stride, padding,
                              dilation)


def locally_connected2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrTuple = 1,
    padding: Padding = 0, dilation: IntOrTuple = 1,
) -> Tensor:
    """Convolution without shared weights: every place has kernels and biases of its own.

    y[n, k, i, j] = bias[k, i, j] + sum over c, p, q of
                    x[n, c, i * stride + p * dilation - padding, ...] * weight[i, j, k, c, p, q]

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             weight (Tensor): (OH, OW, OC, C, KH, KW): weight[i, j] is what conv2d takes.
             bias (Tensor or None): (OC, OH, OW).
             stride, padding, dilation: as conv2d.
    Returns: Tensor (N, OC, OH, OW), sizes as conv2d.
    Raises:  ValueError: if weight or bias do not fit the input, or a window is larger than it.
             TypeError: if an argument is not a float tensor, or dtypes differ.
    Example: >>> import tinycnn
             >>> x, weight = tinycnn.ones(1, 1, 2, 2), tinycnn.ones(2, 2, 1, 1, 1, 1)
             >>> locally_connected2d(x, weight, tinycnn.tensor([[[0.0, 1.0], [2.0, 3.0]]]))
             tensor([[[[1., 2.],
                       [3., 4.]]]])
    Source:  LeCun 1989, "Generalization and network design strategies", network 3.
    """
    return _locally_connected("locally_connected2d", 2, input, weight, bias, stride, padding,
                              dilation)


def _locally_connected(function, dims, input, weight, bias, stride, padding, dilation):
    check_float(function, "input", input)
    check_float(function, "weight", weight)
    x, w = input.data.shape, weight.data.shape
    images, weights, biases = _LAYOUTS[dims]
    if len(x) not in (dims + 1, dims + 2):
        fail(function, f"input {images}, or one image without N", shape_text(x),
             f"Reshape it to {dims + 2} axes.")
    if len(w) != 2 * dims + 2 or 0 in w:
        fail(function, f"weight {weights}, no size 0", shape_text(w),
             "Check the layer's channels, input_size and kernel_size.")
    if x[-dims - 1] != w[dims + 1]:
        fail(function, f"input with {w[dims + 1]} channels, for weight {shape_text(w)}",
             f"{x[-dims - 1]} channels in input {shape_text(x)}",
             f"Check in_channels of the layer, or the layout: input must be {images}.")
    plan = local_plan(function, dims, x[-dims:], w[dims + 2 :], stride, padding, dilation)
    if plan[2][3 - dims :] != w[:dims]:
        fail(function, f"weight for {shape_text(plan[2][3 - dims :])} places, as input "
             f"{shape_text(x)} has", f"weight {shape_text(w)}", "Check input_size of the layer.")
    for name, tensor in ("weight", weight), ("bias", bias):
        if tensor is not None:
            check_float(function, name, tensor)
            if tensor.data.dtype != input.data.dtype:
                fail(function, f"{name} in the dtype of input, {input.data.dtype}",
                     str(tensor.data.dtype), "Convert one of them with .to(...).", TypeError)
    if bias is not None and bias.data.shape != (w[dims], *w[:dims]):
        fail(function, f"bias {biases} = {shape_text((w[dims], *w[:dims]))}",
             shape_text(bias.data.shape), "One number for each output channel and place.")
    if len(x) == dims + 2:
        return LocallyConnected.apply(input, weight, bias, plan)
    return squeeze(LocallyConnected.apply(unsqueeze(input, 0), weight, bias, plan), 0)
