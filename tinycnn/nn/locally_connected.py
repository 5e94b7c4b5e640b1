"""Locally connected layers: they own weight and bias and call the operation of
ops/locally_connected.py."""

import math
from collections.abc import Callable
from typing import Any

from .._core.shapes import tuple_of
from ..autograd import wrap
from ..ops.locally_connected import local_plan, locally_connected1d, locally_connected2d
from ..tensor import Tensor
from . import init
from .conv import Padding, Size, _positive, _tidy
from .module import Module
from .parameter import Parameter, empty_parameter


class _LocallyConnected(Module):
    dims: int
    operation: Callable[..., Any]

    def __init__(self, in_channels: int, out_channels: int, input_size: Size, kernel_size: Size,
                 stride: Size = 1, padding: Padding = 0, dilation: Size = 1, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        name, dims = type(self).__name__, self.dims
        self.in_channels = _positive(name, "in_channels", in_channels)
        self.out_channels = _positive(name, "out_channels", out_channels)
        self.input_size = tuple_of(input_size, dims, name, "input_size", 1)
        self.kernel_size = tuple_of(kernel_size, dims, name, "kernel_size", 1)
        self.stride = tuple_of(stride, dims, name, "stride", 1)
        self.dilation = tuple_of(dilation, dims, name, "dilation", 1)
        self.padding = _tidy(padding, dims)
        plan = local_plan(name, dims, self.input_size, self.kernel_size, self.stride, self.padding,
                          self.dilation)
        self.output_size = plan[-1][3 - dims :]
        self.weight = self._empty_weight(device, dtype)
        self.register_parameter("bias", empty_parameter(
            name, (self.out_channels, *self.output_size), device, dtype) if bias else None)
        self.reset_parameters()

    def _empty_weight(self, device, dtype):
        """(*places, OC, C, *kernel), in memory channels last, as the operation reads it."""
        dims = self.dims
        shape = (*self.output_size, self.out_channels, *self.kernel_size, self.in_channels)
        memory = empty_parameter(type(self).__name__, shape, device, dtype).data
        order = (*range(dims + 1), 2 * dims + 1, *range(dims + 1, 2 * dims + 1))
        return Parameter(wrap(memory.transpose(order)))

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in_channels * math.prod(self.kernel_size))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return self.operation(input, self.weight, self.bias, self.stride, self.padding,
                              self.dilation)

    def extra_repr(self) -> str:
        words = [f"{self.in_channels}, {self.out_channels}, input_size={self.input_size}",
                 f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        words += [f"padding={self.padding}"] * (self.padding != (0,) * self.dims)
        words += [f"dilation={self.dilation}"] * (self.dilation != (1,) * self.dims)
        words += ["bias=False"] * (self.bias is None)
        return ", ".join(words)


class LocallyConnected1d(_LocallyConnected):
    """Conv1d without shared weights, (N, C, L) to (N, OC, OL). Arguments as LocallyConnected2d;
    weight (OL, OC, C, K), bias (OC, OL).

    Example: >>> import tinycnn
             >>> LocallyConnected1d(4, 8, input_size=10, kernel_size=3)(
             ...     tinycnn.zeros(2, 4, 10)).shape
             (2, 8, 8)
    """

    dims = 1
    operation = staticmethod(locally_connected1d)


class LocallyConnected2d(_LocallyConnected):
    """Convolution without shared weights: every place has kernels and biases of its own.

    y[n, k, i, j] = bias[k, i, j] + sum over c, p, q of
                    x[n, c, i * stride + p * dilation - padding, ...] * weight[i, j, k, c, p, q]

    weight and bias start uniform in [-b, b), b = 1 / sqrt(C * KH * KW), as Conv2d.

    Args:    in_channels, out_channels (int): C, OC.
             input_size (int or pair): H, W: every size of input needs its own weights.
             kernel_size (int or pair): KH, KW.
             stride, padding, dilation, bias, device, dtype: as Conv2d.
    Shape:   input (N, C, H, W) or (C, H, W) to (N, OC, OH, OW), OH as Conv2d;
             weight (OH, OW, OC, C, KH, KW), bias (OC, OH, OW).
    Raises:  ValueError: if a size is out of its range, or a window does not fit input_size.
             TypeError: if an argument is no number where one is due.
    Example: >>> import tinycnn
             >>> layer = LocallyConnected2d(1, 2, input_size=8, kernel_size=5, stride=3)
             >>> layer(tinycnn.zeros(4, 1, 8, 8)).shape, layer.weight.shape
             ((4, 2, 2, 2), (2, 2, 2, 1, 5, 5))
    Source:  LeCun 1989, "Generalization and network design strategies", network 3.
    """

    dims = 2
    operation = staticmethod(locally_connected2d)
