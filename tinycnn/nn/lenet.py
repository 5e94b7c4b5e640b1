"""Layers of LeNet-5 that later networks do without: trainable subsampling, convolution with a
connection table, distances to fixed codes.

Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document
recognition", II-B.
"""

from collections.abc import Sequence
from typing import Any

import numpy

from .._core import to_device, to_host
from .._core.checks import fail, require, shape_text
from .._core.dtypes import dtype_of, int64, to_array
from .._core.shapes import frozen, tuple_of
from ..autograd import no_grad, wrap
from ..ops.rbf import rbf
from ..ops.subsampling import subsampling2d
from ..ops.table_conv import connections, table_convolution
from ..random import chosen
from ..tensor import Tensor
from . import init
from .conv import Padding, Size, _positive, _tidy
from .module import Module
from .parameter import Parameter, empty_parameter


class Subsampling2d(Module):
    """The sum of every window, times a trained coefficient of its map, plus a trained bias.

    y[n, c, i, j] = weight[c] * (sum of the window) + bias[c]

    Two parameters a map. weight starts uniform in [-b, b), b = 1 / (KH * KW), the size of the
    coefficients of an average; bias likewise.

    Args:    channels (int): C.
             kernel_size (int or pair): KH, KW.
             stride (int or pair): pixels from window to window; None means kernel_size.
             device, dtype: of the parameters; float32 unless told.
    Shape:   input (N, C, H, W) or (C, H, W) to (N, C, OH, OW), OH = floor((H - KH) / stride) + 1;
             weight (C,), bias (C,).
    Raises:  ValueError: if a size is out of its range.
    Example: >>> import tinycnn
             >>> layer = Subsampling2d(6)
             >>> layer(tinycnn.zeros(1, 6, 28, 28)).shape
             (1, 6, 14, 14)
             >>> sum(p.numel() for p in layer.parameters())
             12
    Source:  LeCun et al. 1998, II-B, layers S2 and S4.
    """

    def __init__(self, channels: int, kernel_size: Size = 2, stride: Size | None = None,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        name = "Subsampling2d"
        self.channels = _positive(name, "channels", channels)
        self.kernel_size = tuple_of(kernel_size, 2, name, "kernel_size", 1)
        self.stride = (self.kernel_size if stride is None
                       else tuple_of(stride, 2, name, "stride", 1))
        self.weight = empty_parameter(name, (self.channels,), device, dtype)
        self.bias = empty_parameter(name, (self.channels,), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / (self.kernel_size[0] * self.kernel_size[1])
        for parameter in self.weight, self.bias:
            init.uniform_(parameter, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return subsampling2d(input, self.weight, self.bias, self.kernel_size, self.stride)

    def extra_repr(self) -> str:
        return f"{self.channels}, kernel_size={self.kernel_size}, stride={self.stride}"


class TableConv2d(Module):
    """Convolution in which every output map sees the input maps that a table names.

    y[n, k, i, j] = bias[k] + sum over c in table[k], p, q of
                    x[n, c, i * stride + p * dilation - padding, ...] * weight[(k, c), p, q]

    weight and bias start uniform in [-b, b), b = 1 / sqrt(len(table[k]) * KH * KW).

    Args:    table (sequence of sequences of int): for each output map the input maps it sees.
             kernel_size (int or pair): KH, KW.
             stride, padding, dilation: as Conv2d.
             bias (bool): whether to add a bias.
             in_channels (int or None): C; None means as many as the table names.
             device, dtype: of the parameters; float32 unless told.
    Shape:   input (N, C, H, W) or (C, H, W) to (N, OC, OH, OW), OC = len(table), OH as Conv2d;
             weight (connections, KH, KW) in the order of the table, bias (OC,).
    Raises:  ValueError: if the table names a map that is not there, one twice, or none for an
             output; if a size is out of its range.
    Example: >>> import tinycnn
             >>> layer = TableConv2d([[0, 1], [1, 2], [0, 1, 2]], kernel_size=5)
             >>> layer(tinycnn.zeros(1, 3, 14, 14)).shape
             (1, 3, 10, 10)
             >>> layer.weight.shape
             (7, 5, 5)
    Source:  LeCun et al. 1998, II-B, layer C3 and table I.
    """

    def __init__(self, table: Sequence[Sequence[int]], kernel_size: Size, stride: Size = 1,
                 padding: Padding = 0, dilation: Size = 1, bias: bool = True, *,
                 in_channels: int | None = None, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        name = "TableConv2d"
        if in_channels is not None:
            in_channels = _positive(name, "in_channels", in_channels)
        (self.out_channels, self.in_channels), places = connections(name, table, in_channels)
        self.table = frozen(table)
        self.kernel_size = tuple_of(kernel_size, 2, name, "kernel_size", 1)
        self.stride = tuple_of(stride, 2, name, "stride", 1)
        self.dilation = tuple_of(dilation, 2, name, "dilation", 1)
        self.padding = _tidy(padding, 2)
        self.weight = empty_parameter(name, (len(places), *self.kernel_size), device, dtype)
        self.register_parameter("bias", empty_parameter(name, (self.out_channels,), device, dtype)
                                if bias else None)
        place = numpy.array(places, int64)
        self.register_buffer(
            "place", wrap(place if device is None else to_device(place, device)), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        window = self.kernel_size[0] * self.kernel_size[1]
        bounds = numpy.array([(len(row) * window) ** -0.5 for row in self.table])
        each = numpy.repeat(bounds, [len(row) for row in self.table])[:, None, None]
        for parameter, bound in (self.weight, each), (self.bias, bounds):
            if parameter is not None:
                init.uniform_(parameter, -1, 1)
                with no_grad():
                    bound = to_device(bound.astype(parameter.dtype), parameter.device)
                    parameter.mul_(wrap(bound))

    def forward(self, input: Tensor) -> Tensor:
        return table_convolution(
            "TableConv2d", input, self.weight, self.place, (self.out_channels, self.in_channels),
            self.bias, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        words = [f"{self.in_channels}, {self.out_channels}, connections={len(self.weight)}",
                 f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        words += [f"padding={self.padding}"] * (self.padding != (0, 0))
        words += [f"dilation={self.dilation}"] * (self.dilation != (1, 1))
        words += ["bias=False"] * (self.bias is None)
        return ", ".join(words)


class RBF(Module):
    """The square of the distance to the code of each class: the smallest output is the answer.

    y[..., o] = sum over i of (x[..., i] - centers[o, i])^2

    Args:    in_features, out_features (int): I, O.
             centers (Tensor, array or None): (O, I); None draws codes of -1 and 1 at random.
             trainable (bool): whether the centres are a parameter; else they are a buffer.
             device, dtype: of the centres; float32 unless told.
    Shape:   input (..., in_features) to output (..., out_features); centers (out_features,
             in_features).
    Raises:  ValueError: if centers have another shape.
    Example: >>> import tinycnn
             >>> layer = RBF(2, 2, centers=[[1.0, 1.0], [-1.0, 1.0]])
             >>> layer(tinycnn.tensor([[1.0, 0.0]]))
             tensor([[1., 5.]])
             >>> list(layer.parameters())
             []
    Source:  LeCun et al. 1998, II-B, equation 7 and figure 3.
    """

    centers: Tensor

    def __init__(self, in_features: int, out_features: int, centers: Any = None,
                 trainable: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = _positive("RBF", "in_features", in_features)
        self.out_features = _positive("RBF", "out_features", out_features)
        dtype = numpy.dtype("float32") if dtype is None else dtype_of("RBF", dtype)
        require(dtype.kind == "f", "RBF", "dtype float32 or float64", str(dtype),
                "Distances are differentiated, so they must be floating.", TypeError)
        shape = (self.out_features, self.in_features)
        if centers is None:
            array = chosen("RBF", None).integers(0, 2, shape) * 2 - 1
        else:
            given = to_host(centers.data) if isinstance(centers, Tensor) else centers
            array = to_array("RBF", given, copy=False)
            if array.shape != shape:
                fail("RBF", f"centers (out_features, in_features) = {shape_text(shape)}",
                     shape_text(array.shape), "Pass one code for each class.")
        array = array.astype(dtype)  # always a copy: it is the layer's own
        tensor = wrap(array if device is None else to_device(array, device))
        if trainable:
            self.centers = Parameter(tensor)
        else:
            self.register_buffer("centers", tensor)

    def forward(self, input: Tensor) -> Tensor:
        return rbf(input, self.centers)

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"trainable={isinstance(self.centers, Parameter)}")
