"""Convolution and transposed convolution in one, two and three dimensions.

Size letters: N images, C input channels, OC output channels, L or H W or D H W input size, K..
kernel. Kernels see three axes, channels last; k.pixels converts, and missing axes are 1 long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.shapes import conv_window, remembered, transposed_window
from ..autograd import Function, Variable
from ._inputs import check_float_dtype, check_tensor
from .algorithm import preferred
from .reshaping import squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

IntOrTuple = int | tuple[int, ...]
Padding = int | tuple[int, ...] | tuple[tuple[int, int], ...] | str

_LAYOUTS = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}
_KERNELS = {1: "K", 2: "KH, KW", 3: "KD, KH, KW"}


def _gradients(ctx, grad_y, backward):
    """Gradients of input, weight and bias, those that are needed.

    backward(x, grad_y, kernel, grad_x, grad_kernel, ...) fills those of input and kernel that are
    not None, from grad_y as pixels and the input that was seen.
    """
    k, (x_shape, weight, *plan, dims) = ctx.kernels, ctx.saved
    need_x, need_weight, need_bias = ctx.needs[:3]
    grad_x = grad_weight = grad_kernel = grad_bias = None
    if need_x:
        grad_x = k.empty(x_shape, grad_y.dtype)
    if need_weight:
        grad_weight = k.empty(weight.shape, grad_y.dtype)
        grad_kernel = k.channels_last(grad_weight, dims)
    backward(ctx.x, grad_y, k.channels_last(weight, dims), grad_x, grad_kernel, *plan)
    if need_x:
        grad_x = k.channels_first(grad_x, dims)
    if need_bias:
        grad_bias = k.empty(grad_y.shape[4:], grad_y.dtype)
        k.sum_rows(grad_y, grad_bias)
    return grad_x, grad_weight, grad_bias


class Convolution(Function):
    """See conv2d; with relu, max(0, y) of it."""

    @staticmethod
    def forward(ctx, x, weight, bias, plan, relu):
        k, (dims, window, groups, size) = ctx.kernels, plan
        x = k.pixels(x, dims)
        y = k.empty((len(x), *size, len(weight)), x.dtype)
        if bias is not None:
            bias = k.contiguous(bias)
        k.conv_forward(x, k.channels_last(weight, dims), bias, y, window, groups, relu)
        ctx.saved = x.shape, weight, window, groups, dims
        ctx.x = x if ctx.needs[1] else None
        ctx.y = y if relu else None  # says where the ReLU was open
        return k.channels_first(y, dims)

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_y = k.pixels(grad_y, ctx.saved[-1])
        if ctx.y is not None:
            opened = k.empty_like(grad_y)
            k.relu_backward(ctx.y, grad_y, opened)
            grad_y = opened
        return _gradients(ctx, grad_y, k.conv_backward)


class TransposedConvolution(Function):
    """See conv_transpose2d. Forward is a convolution's input gradient, backward its forward."""

    @staticmethod
    def forward(ctx, x, weight, bias, plan):
        k, (dims, window, groups, size) = ctx.kernels, plan
        x = k.pixels(x, dims)
        y = k.empty((len(x), *size, weight.shape[1] * groups), x.dtype)
        if bias is not None:
            bias = k.contiguous(bias)
        k.conv_backward_input(x, k.channels_last(weight, dims), bias, y, window, groups)
        ctx.saved = x.shape, weight, window, groups, dims
        ctx.x = x if ctx.needs[1] else None
        return k.channels_first(y, dims)

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels

        def backward(x, grad_y, kernel, grad_x, grad_kernel, window, groups):
            if grad_x is not None:
                k.conv_forward(grad_y, kernel, None, grad_x, window, groups)
            if grad_kernel is not None:
                k.conv_backward_weight(grad_y, x, grad_kernel, window, groups)

        return _gradients(ctx, k.pixels(grad_y, ctx.saved[-1]), backward)


def _check_tensors(function, input, weight, bias):
    if not (isinstance(input, Variable) and isinstance(weight, Variable)
            and (bias is None or isinstance(bias, Variable))):
        check_tensor(function, "input", input)
        check_tensor(function, "weight", weight)
        check_tensor(function, "bias", bias)


def _check(function, dims, transposed, groups, x, x_dtype, w, w_dtype, bias):
    """Everything about shapes and dtypes that does not need the window.

    bias: (shape, dtype) or None.
    """
    check_float_dtype(function, "input", x, x_dtype)
    check_float_dtype(function, "weight", w, w_dtype)
    layout = _LAYOUTS[dims]
    if len(x) not in (dims + 1, dims + 2):
        fail(function, f"input {layout}, or one image without N", f"{shape_text(x)}",
             f"Reshape it to {dims + 2} axes.")
    kind = ("C, OC/groups" if transposed else "OC, C/groups") + ", " + _KERNELS[dims]
    if len(w) != dims + 2 or 0 in w:
        fail(function, f"weight ({kind}), no size 0", shape_text(w),
             "Check the layer's channels and kernel_size.")
    if not hasattr(groups, "__index__") or groups < 1 or w[0] % groups:
        fail(function, f"groups to divide {w[0]} channels of weight {shape_text(w)}",
             f"groups={groups!r}", "Use groups=1, or channels that it divides.")
    channels = w[0] if transposed else w[1] * groups
    if x[-dims - 1] != channels:
        fail(function, f"input with {channels} channels, for weight {shape_text(w)} and "
             f"groups={groups}", f"{x[-dims - 1]} channels in input {shape_text(x)}",
             f"Check in_channels of the layer, or the layout: input must be {layout}.")
    if w_dtype != x_dtype:
        fail(function, f"weight in the dtype of input, {x_dtype}", str(w_dtype),
             "Convert one of them with .to(...).", TypeError)
    if bias is not None:
        check_float_dtype(function, "bias", *bias)
        outputs = w[1] * groups if transposed else w[0]
        if bias != ((outputs,), x_dtype):
            fail(function, f"bias ({outputs},) of {x_dtype}",
                 f"{shape_text(bias[0])} of {bias[1]}", "One number for each output channel.")


@remembered
def _plan(function, dims, stride, padding, dilation, groups, x, x_dtype, w, w_dtype, bias):
    """(dims, `Window`, groups, output size (OD, OH, OW)), after all checks."""
    _check(function, dims, False, groups, x, x_dtype, w, w_dtype, bias)
    window = conv_window(function, x[-dims:], w[2:], stride, padding, dilation)
    return dims, window, groups, window.output_size((1,) * (3 - dims) + x[-dims:])


def _as_preferred(plan):
    """The plan, with the algorithm that was asked for around this call."""
    name = preferred.name
    if name == "auto":
        return plan
    dims, window, *rest = plan
    return dims, window._replace(algorithm=name), *rest


def convolution(function, dims, input, weight, bias, stride, padding, dilation, groups, relu=False):
    """conv1d, conv2d or conv3d, as `dims` says; rectified in its last pass with relu."""
    _check_tensors(function, input, weight, bias)
    x, w, b = input.data, weight.data, None if bias is None else bias.data
    plan = _as_preferred(_plan(
        function, dims, stride, padding, dilation, groups, x.shape, x.dtype, w.shape, w.dtype,
        None if b is None else (b.shape, b.dtype)))
    if x.ndim == dims + 2:
        return Convolution.apply(input, weight, bias, plan, relu)
    return squeeze(Convolution.apply(unsqueeze(input, 0), weight, bias, plan, relu), 0)


def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrTuple = 1,
           padding: Padding = 0, dilation: IntOrTuple = 1, groups: int = 1) -> Tensor:
    """Slide a kernel along sequences: `conv2d` with one axis.

    y[n, k, o] = bias[k] + sum over c, t of
                 x[n, c, o * stride + t * dilation - padding] * weight[k, c, t]

    Args:    input (Tensor): (N, C, L) or (C, L), float32 or float64.
             weight (Tensor): (OC, C/groups, K).
             others: as conv2d.
    Returns: Tensor (N, OC, OL),
             OL = floor((L + 2 * padding - dilation * (K - 1) - 1) / stride) + 1.
    Raises:  ValueError, TypeError: as conv2d.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> x = tinycnn.tensor([[[1.0, 2.0, 3.0, 4.0]]])
             >>> F.conv1d(x, tinycnn.tensor([[[1.0, 0.0, -1.0]]]))
             tensor([[[-2., -2.]]])
    Source:  Waibel et al. 1989, "Phoneme recognition using time-delay neural networks".
    """
    return convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrTuple = 1,
           padding: Padding = 0, dilation: IntOrTuple = 1, groups: int = 1) -> Tensor:
    """Slide kernels over images: one weighted sum per position and output channel.

    y[n, k, i, j] = bias[k] + sum over c, p, q of
                    x[n, c, i * stride + p * dilation - padding, ...] * weight[k, c, p, q]

    (In signal processing this is a cross-correlation: the kernel is not flipped.)

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             weight (Tensor): (OC, C/groups, KH, KW), the dtype of input.
             bias (Tensor or None): (OC,).
             stride (int or pair): pixels from one window to the next, at least 1.
             padding (int, pair, pair of (low, high) pairs, or str): zeros around the image.
                 "valid": none. "same": out = ceil(in / stride), an odd pixel goes to the end.
                 "full": dilation * (K - 1) on both sides, every overlap counts.
             dilation (int or pair): pixels between neighbouring taps, at least 1.
             groups (int): output channels of group g see the input channels of group g only;
                 groups = C with C output channels is a depthwise convolution.
    Returns: Tensor (N, OC, OH, OW),
             OH = floor((H + 2 * padding - dilation * (KH - 1) - 1) / stride) + 1.
    Raises:  ValueError: if channels, groups or bias do not fit, or the window is larger than the
             padded input. TypeError: if an argument is not a float tensor, or dtypes differ.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> image = tinycnn.ones(1, 1, 3, 3)
             >>> F.conv2d(image, tinycnn.ones(1, 1, 3, 3), padding=1)
             tensor([[[[4., 6., 4.],
                       [6., 9., 6.],
                       [4., 6., 4.]]]])
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition", II-A;
             dilation: Yu & Koltun 2016; groups: Krizhevsky et al. 2012.
    """
    return convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrTuple = 1,
           padding: Padding = 0, dilation: IntOrTuple = 1, groups: int = 1) -> Tensor:
    """Slide kernels through volumes: `conv2d` with a third axis.

    y[n, k, h, i, j] = bias[k] + sum over c, o, p, q of
                       x[n, c, h * stride + o * dilation - padding, ...] * weight[k, c, o, p, q]

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W), float32 or float64.
             weight (Tensor): (OC, C/groups, KD, KH, KW).
             others: as conv2d, with one or three numbers.
    Returns: Tensor (N, OC, OD, OH, OW), sizes as conv2d.
    Raises:  ValueError, TypeError: as conv2d.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> F.conv3d(tinycnn.ones(1, 1, 2, 2, 2), tinycnn.ones(1, 1, 2, 2, 2))
             tensor([[[[[8.]]]]])
    Source:  Ji et al. 2013, "3D convolutional neural networks for human action recognition".
    """
    return convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@remembered
def _transposed_plan(function, dims, stride, padding, output_padding, dilation, groups,
                     x, x_dtype, w, w_dtype, bias):
    """As `_plan`, for a transposed convolution."""
    _check(function, dims, True, groups, x, x_dtype, w, w_dtype, bias)
    window, size = transposed_window(function, x[-dims:], w[2:], stride, padding, output_padding,
                                     dilation)
    return dims, window, groups, size


def _conv_transpose(function, dims, input, weight, bias, stride, padding, output_padding, groups,
                    dilation):
    _check_tensors(function, input, weight, bias)
    x, w, b = input.data, weight.data, None if bias is None else bias.data
    plan = _as_preferred(_transposed_plan(
        function, dims, stride, padding, output_padding, dilation, groups,
        x.shape, x.dtype, w.shape, w.dtype, None if b is None else (b.shape, b.dtype)))
    if x.ndim == dims + 2:
        return TransposedConvolution.apply(input, weight, bias, plan)
    return squeeze(TransposedConvolution.apply(unsqueeze(input, 0), weight, bias, plan), 0)


def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None,
                     stride: IntOrTuple = 1, padding: Padding = 0, output_padding: IntOrTuple = 0,
                     groups: int = 1, dilation: IntOrTuple = 1) -> Tensor:
    """`conv_transpose2d` with one axis.

    y[n, k, o] = bias[k] + sum over c, i, t with o = i * stride + t * dilation - padding of
                 x[n, c, i] * weight[c, k, t]

    Args:    input (Tensor): (N, C, L) or (C, L). weight (Tensor): (C, OC/groups, K).
             others: as conv_transpose2d.
    Returns: Tensor (N, OC, OL),
             OL = (L - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1.
    Raises:  ValueError, TypeError: as conv_transpose2d.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> x = tinycnn.tensor([[[1.0, 2.0]]])
             >>> F.conv_transpose1d(x, tinycnn.tensor([[[1.0, 1.0, 1.0]]]), stride=2)
             tensor([[[1., 1., 3., 2., 2.]]])
    Source:  Dumoulin & Visin 2016, "A guide to convolution arithmetic", chapter 4.
    """
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, stride, padding,
                           output_padding, groups, dilation)


def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None,
                     stride: IntOrTuple = 1, padding: Padding = 0, output_padding: IntOrTuple = 0,
                     groups: int = 1, dilation: IntOrTuple = 1) -> Tensor:
    """The transpose of `conv2d`: every input pixel stamps the kernel onto the output.

    y[n, k, o] = bias[k] + sum over c, i, t with o = i * stride + t * dilation - padding of
                 x[n, c, i] * weight[c, k, t]            (o, i, t: positions along both axes)

    Its size undoes that of conv2d with the same arguments; several sizes may lead to one, and
    output_padding picks among them.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             weight (Tensor): (C, OC/groups, KH, KW).
             bias (Tensor or None): (OC,).
             stride (int or pair): output pixels from one stamp to the next.
             padding (int, pair, pair of (low, high) pairs, or str): pixels cut from the output.
                 "valid": none. "same": out = in * stride. "full": dilation * (K - 1) on both sides.
             output_padding (int or pair): pixels added at the end, less than stride or dilation.
             groups, dilation: as conv2d.
    Returns: Tensor (N, OC, OH, OW),
             OH = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1.
    Raises:  ValueError: if channels, groups, bias or output_padding do not fit, or nothing is left
             of the output. TypeError: if an argument is not a float tensor, or dtypes differ.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> x, weight = tinycnn.ones(1, 1, 2, 2), tinycnn.ones(1, 1, 2, 2)
             >>> F.conv_transpose2d(x, weight, stride=2).shape
             (1, 1, 4, 4)
    Source:  Zeiler et al. 2010, "Deconvolutional networks"; Dumoulin & Visin 2016, chapter 4.
    """
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, stride, padding,
                           output_padding, groups, dilation)


def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None,
                     stride: IntOrTuple = 1, padding: Padding = 0, output_padding: IntOrTuple = 0,
                     groups: int = 1, dilation: IntOrTuple = 1) -> Tensor:
    """`conv_transpose2d` with a third axis.

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W).
             weight (Tensor): (C, OC/groups, KD, KH, KW).
             others: as conv_transpose2d, with one or three numbers.
    Returns: Tensor (N, OC, OD, OH, OW), sizes as conv_transpose2d.
    Raises:  ValueError, TypeError: as conv_transpose2d.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> x, weight = tinycnn.ones(1, 1, 1, 1, 1), tinycnn.ones(1, 2, 2, 2, 2)
             >>> F.conv_transpose3d(x, weight).shape
             (1, 2, 2, 2, 2)
    Source:  Dumoulin & Visin 2016, chapter 4.
    """
    return _conv_transpose("conv_transpose3d", 3, input, weight, bias, stride, padding,
                           output_padding, groups, dilation)
