"""Convolution layers: they own weight and bias and call the operation of ops/conv.py."""

import math
from collections.abc import Callable
from operator import index
from typing import Any

from .._core.checks import fail, require, shape_text
from .._core.shapes import conv_padding, frozen, transposed_window, tuple_of
from ..ops.algorithm import check_algorithm, conv_algorithm
from ..ops.conv import conv_transpose1d, conv_transpose2d, conv_transpose3d, convolution
from ..ops.padding import pad
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty_parameter

Size = int | tuple[int, ...]
Padding = int | tuple[int, ...] | tuple[tuple[int, int], ...] | str
_NAMES = {1: "conv1d", 2: "conv2d", 3: "conv3d"}
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What all six have in common: arguments, parameters, text."""

    dims: int
    transposed = False
    output_padding: tuple[int, ...] = ()

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Padding = 0, dilation: Size = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: Any = None, dtype: Any = None, *,
                 algorithm: str = "auto") -> None:
        super().__init__()
        name, dims = type(self).__name__, self.dims
        in_channels, out_channels, groups = _channels(name, in_channels, out_channels, groups)
        require(padding_mode in PADDING_MODES, name,
                f"padding_mode {', '.join(map(repr, PADDING_MODES))}", repr(padding_mode),
                "Choose one of them.")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = tuple_of(kernel_size, dims, name, "kernel_size", 1)
        self.stride = tuple_of(stride, dims, name, "stride", 1)
        self.dilation = tuple_of(dilation, dims, name, "dilation", 1)
        self.padding = _tidy(padding, dims)
        self.groups = groups
        self.padding_mode = padding_mode
        check_algorithm(name, algorithm)
        self.algorithm = algorithm
        self._pairs((1,) * dims)  # raises if padding makes no sense
        channels = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (channels[0], channels[1] // groups, *self.kernel_size)
        self.weight = empty_parameter(name, shape, device, dtype)
        self.register_parameter("bias", empty_parameter(name, (out_channels,), device, dtype)
                                if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.fan_in_uniform_(self.weight, self.bias)

    def _pairs(self, size: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """(low, high) padding per axis for an input of this size."""
        return conv_padding(type(self).__name__, self.padding, size, self.kernel_size, self.stride,
                            self.dilation)

    def extra_repr(self) -> str:
        none = (0,) * self.dims
        words = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
                 f"stride={self.stride}"]
        words += [f"padding={self.padding}"] * (self.padding != none)
        words += [f"dilation={self.dilation}"] * (self.dilation != (1,) * self.dims)
        words += [f"output_padding={self.output_padding}"] * (self.output_padding not in ((), none))
        words += [f"groups={self.groups}"] * (self.groups != 1)
        words += ["bias=False"] * (self.bias is None)
        words += [f"padding_mode={self.padding_mode}"] * (self.padding_mode != "zeros")
        words += [f"algorithm={self.algorithm}"] * (self.algorithm != "auto")
        return ", ".join(words)


class _Convolution(_Conv):
    """What the three that slide kernels have in common."""

    def forward(self, input: Tensor) -> Tensor:
        return self.convolve(input, self.weight, self.bias)

    def forward_relu(self, input: Tensor) -> Tensor:
        """relu(self(input)), of which the convolution does both in its last pass."""
        return self.convolve(input, self.weight, self.bias, relu=True)

    def convolve(self, input: Tensor, weight: Tensor, bias: Tensor | None,
                 relu: bool = False) -> Tensor:
        """What this layer does, with other weights of the same shapes."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            pairs = self._pairs(input.shape[-self.dims:])
            flat = [width for pair in reversed(pairs) for width in pair]
            input, padding = pad(input, flat, mode=self.padding_mode), 0
        arguments = (_NAMES[self.dims], self.dims, input, weight, bias, self.stride, padding,
                     self.dilation, self.groups, relu)
        if self.algorithm == "auto":  # or what is preferred around this layer
            return convolution(*arguments)
        with conv_algorithm(self.algorithm):
            return convolution(*arguments)


class Conv1d(_Convolution):
    """Slides kernels along sequences, (N, C, L) to (N, OC, OL). Arguments as Conv2d.

    Example: >>> import tinycnn
             >>> Conv1d(4, 8, 3)(tinycnn.zeros(2, 4, 10)).shape
             (2, 8, 8)
    """

    dims = 1


class Conv2d(_Convolution):
    """Slides kernels over images, (N, C, H, W) to (N, OC, OH, OW).

    y[n, k, i, j] = bias[k] + sum over c, p, q of
                    x[n, c, i * stride + p * dilation - padding, ...] * weight[k, c, p, q]

    OH = floor((H + 2 * padding - dilation * (KH - 1) - 1) / stride) + 1. weight and bias start
    uniform in [-b, b), b = 1 / sqrt(C / groups * KH * KW).

    Args:    in_channels, out_channels (int): C, OC.
             kernel_size (int or pair): KH, KW.
             stride (int or pair): pixels from one window to the next.
             padding (int, pair, pair of (low, high) pairs, or str): pixels around the image.
                 "valid": none. "same": OH = ceil(H / stride), an odd pixel goes to the end.
                 "full": dilation * (KH - 1) on both sides, every overlap counts.
             dilation (int or pair): pixels between neighbouring taps.
             groups (int): output channels of group g see the input channels of group g only;
                 groups = C is a depthwise convolution. Divides C and OC.
             bias (bool): whether to add a bias.
             padding_mode (str): what the padding holds: "zeros", "reflect", "replicate" or
                 "circular".
             device, dtype: of the parameters; float32 unless told.
             algorithm (str): how it is computed, a name of tinycnn.conv_algorithm.
    Shape:   input (N, C, H, W) or (C, H, W); weight (OC, C / groups, KH, KW), bias (OC,).
    Raises:  ValueError: if groups does not divide the channels, or a size is out of its range.
             TypeError: if an argument is no number where one is due.
    Example: >>> import tinycnn
             >>> layer = Conv2d(1, 6, kernel_size=5, padding="same")
             >>> layer(tinycnn.zeros(2, 1, 28, 28)).shape
             (2, 6, 28, 28)
             >>> layer
             Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=same)
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition", II-A.
    """

    dims = 2


class Conv3d(_Convolution):
    """Slides kernels through volumes, (N, C, D, H, W) to (N, OC, OD, OH, OW). Arguments as Conv2d.

    Example: >>> import tinycnn
             >>> Conv3d(1, 2, (1, 3, 3))(tinycnn.zeros(1, 4, 5, 5)).shape
             (2, 4, 3, 3)
    """

    dims = 3


class _ConvTranspose(_Conv):
    transposed = True
    operation: Callable[..., Any]

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Padding = 0, output_padding: Size = 0, groups: int = 1, bias: bool = True,
                 dilation: Size = 1, padding_mode: str = "zeros", device: Any = None,
                 dtype: Any = None, *, algorithm: str = "auto") -> None:
        name = type(self).__name__
        require(padding_mode == "zeros", name, "padding_mode 'zeros'", repr(padding_mode),
                "Its padding cuts pixels from the output: there is nothing to fill.")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         bias, padding_mode, device, dtype, algorithm=algorithm)
        self.output_padding = tuple_of(output_padding, self.dims, name, "output_padding", 0)
        reach = tuple(map(max, self.stride, self.dilation))
        require(all(map(int.__lt__, self.output_padding, reach)), name,
                "output_padding below stride or dilation", repr(output_padding),
                "It picks among output sizes that differ by less than a stride.")

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """`output_size` (OH, OW), or a whole shape: which of the possible sizes to return."""
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(input.shape, frozen(tuple(output_size)))
        arguments = (input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
                     self.dilation)
        if self.algorithm == "auto":
            return self.operation(*arguments)
        with conv_algorithm(self.algorithm):
            return self.operation(*arguments)

    def _extra(self, shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output_padding that leads from an input of this shape to the wanted size."""
        name, dims = type(self).__name__, self.dims
        if len(wanted) not in (dims, len(shape)) or len(shape) not in (dims + 1, dims + 2):
            fail(name, f"output_size of {dims} numbers, or as many axes as the input",
                 f"{wanted} for input {shape_text(shape)}", "Pass the size of the spatial axes.")
        wanted = wanted[-dims:]
        least = transposed_window(name, shape[-dims:], self.kernel_size, self.stride, self.padding,
                                  0, self.dilation)[1][-dims:]
        extra = tuple([w - n for w, n in zip(wanted, least)])
        if any(not 0 <= e < s for e, s in zip(extra, self.stride)):
            most = tuple([n + s - 1 for n, s in zip(least, self.stride)])
            fail(name, f"output_size from {shape_text(least)} to {shape_text(most)} for input "
                 f"{shape_text(shape)}", shape_text(wanted), "Pass a size that the layer can make.")
        return extra


class ConvTranspose1d(_ConvTranspose):
    """The transpose of Conv1d, (N, C, L) to (N, OC, OL). Arguments as ConvTranspose2d.

    Example: >>> import tinycnn
             >>> ConvTranspose1d(8, 4, 2, stride=2)(tinycnn.zeros(1, 8, 5)).shape
             (1, 4, 10)
    """

    dims = 1
    operation = staticmethod(conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of Conv2d: every input pixel stamps the kernel onto the output.

    OH = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1. weight and bias
    start uniform in [-b, b), b = 1 / sqrt(OC / groups * KH * KW): as in PyTorch, the fan-in is that
    of the weight's second axis, which holds outputs here.

    Args:    in_channels, out_channels (int): C, OC.
             kernel_size (int or pair): KH, KW.
             stride (int or pair): output pixels from one stamp to the next.
             padding (int, pair, pair of (low, high) pairs, or str): pixels cut from the output.
                 "valid": none. "same": OH = H * stride. "full": dilation * (KH - 1) on both sides.
             output_padding (int or pair): pixels added at the end, less than stride or dilation.
             groups, bias, dilation, device, dtype: as Conv2d.
             padding_mode (str): "zeros".
    Shape:   input (N, C, H, W) or (C, H, W); weight (C, OC / groups, KH, KW), bias (OC,).
    Raises:  ValueError, TypeError: as Conv2d; forward: if output_size cannot be made.
    Example: >>> import tinycnn
             >>> down, up = Conv2d(3, 8, 3, stride=2), ConvTranspose2d(8, 3, 3, stride=2)
             >>> x = tinycnn.zeros(1, 3, 8, 8)
             >>> up(down(x)).shape, up(down(x), output_size=x.shape).shape
             ((1, 3, 7, 7), (1, 3, 8, 8))
    Source:  Zeiler et al. 2010, "Deconvolutional networks"; Dumoulin & Visin 2016, "A guide to
             convolution arithmetic", chapter 4.
    """

    dims = 2
    operation = staticmethod(conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of Conv3d, (N, C, D, H, W) to (N, OC, OD, OH, OW). Arguments as
    ConvTranspose2d.

    Example: >>> import tinycnn
             >>> ConvTranspose3d(2, 1, 2, stride=2)(tinycnn.zeros(1, 2, 2, 3, 3)).shape
             (1, 1, 4, 6, 6)
    """

    dims = 3
    operation = staticmethod(conv_transpose3d)


def _channels(name: str, in_channels: Any, out_channels: Any, groups: Any) -> tuple[int, int, int]:
    """The three as Python's ints, whatever kind of integer they are given as."""
    in_channels = _positive(name, "in_channels", in_channels)
    out_channels = _positive(name, "out_channels", out_channels)
    groups = _positive(name, "groups", groups)
    if in_channels % groups or out_channels % groups:
        divisor = math.gcd(in_channels, out_channels)
        fail(name, "groups to divide in_channels and out_channels",
             f"groups={groups} for {in_channels} and {out_channels}",
             f"Use a divisor of {divisor}, their greatest common one.")
    return in_channels, out_channels, groups


def _positive(name: str, word: str, value: Any) -> int:
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        fail(name, f"{word} to be an int", repr(value), "Pass for example 1.", TypeError)
    require(number >= 1, name, f"{word} of at least 1", repr(number), "Pass for example 1.")
    return number


def _tidy(padding: Any, dims: int) -> Any:
    """Padding as the layer shows it: the name of a rule, a tuple of ints, or a tuple of pairs."""
    padding = frozen(padding)
    if hasattr(padding, "__index__") and not isinstance(padding, type):
        padding = (index(padding),)
    if isinstance(padding, tuple) and len(padding) == 1 and not isinstance(padding[0], tuple):
        return padding * dims
    return padding
