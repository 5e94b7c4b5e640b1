"""Pooling layers: they keep the arguments and call the operation of ops/pooling.py or
ops/adaptive_pooling.py."""

from collections.abc import Callable
from typing import Any

from .._core.shapes import tuple_of
from ..ops.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from ..ops.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_pool_relu,
)
from ..tensor import Tensor
from .module import Module

Size = int | tuple[int, ...]


class _MaxPool(Module):
    dims: int
    operation: Callable[..., Any]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
                 dilation: Size = 1, return_indices: bool = False,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode
        _check_sizes(self, kernel_size=1, stride=1, padding=0, dilation=1)

    def forward(self, input: Tensor) -> Any:
        return self.operation(input, self.kernel_size, self.stride, self.padding, self.dilation,
                              self.ceil_mode, self.return_indices)

    def forward_relu(self, input: Tensor) -> Tensor:
        """relu(self(input)) as one operation, without indices."""
        return max_pool_relu(f"max_pool{self.dims}d", self.dims, input, self.kernel_size,
                             self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class MaxPool1d(_MaxPool):
    """Largest value of every window along one axis, (N, C, L) to (N, C, OL). See MaxPool2d.

    Example: >>> import tinycnn
             >>> MaxPool1d(2)(tinycnn.tensor([[1.0, 3.0, 2.0, 0.0]]))
             tensor([[3., 2.]])
    """

    dims = 1
    operation = staticmethod(max_pool1d)


class MaxPool2d(_MaxPool):
    """Largest value of every window, (N, C, H, W) to (N, C, OH, OW).

    OH = floor((H + 2 * padding - dilation * (KH - 1) - 1) / stride) + 1

    Args:    kernel_size (int or pair): KH, KW.
             stride (int or pair): pixels from window to window; None means kernel_size.
             padding (int or pair): pixels added on each side, at most half of kernel_size.
             dilation (int or pair): pixels from one place of a window to the next.
             return_indices (bool): return (output, h * W + w of each largest value).
             ceil_mode (bool): round OH, OW up.
    Raises:  ValueError: if a size is out of its range.
    Example: >>> import tinycnn
             >>> MaxPool2d(2)(tinycnn.tensor([[[1.0, 3.0], [2.0, 0.0]]]))
             tensor([[[3.]]])
    """

    dims = 2
    operation = staticmethod(max_pool2d)


class MaxPool3d(_MaxPool):
    """Largest value of every window, (N, C, D, H, W) to (N, C, OD, OH, OW). See MaxPool2d.

    Example: >>> import tinycnn
             >>> MaxPool3d((1, 2, 2))(tinycnn.tensor([[[[1.0, 3.0], [2.0, 0.0]]]]))
             tensor([[[[3.]]]])
    """

    dims = 3
    operation = staticmethod(max_pool3d)


class AvgPool1d(Module):
    """Average of every window along one axis, (N, C, L) to (N, C, OL). See AvgPool2d.

    Example: >>> import tinycnn
             >>> AvgPool1d(2)(tinycnn.tensor([[1.0, 3.0, 2.0, 0.0]]))
             tensor([[2., 1.]])
    """

    dims = 1
    operation: Callable[..., Any] = staticmethod(avg_pool1d)

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
                 ceil_mode: bool = False, count_include_pad: bool = True) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        _check_sizes(self, kernel_size=1, stride=1, padding=0)

    def forward(self, input: Tensor) -> Tensor:
        return self.operation(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                              self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(AvgPool1d):
    """Average of every window, (N, C, H, W) to (N, C, OH, OW).

    OH = floor((H + 2 * padding - KH) / stride) + 1

    Args:    kernel_size (int or pair): KH, KW.
             stride (int or pair): pixels from window to window; None means kernel_size.
             padding (int or pair): zeros added on each side, at most half of kernel_size.
             ceil_mode (bool): round OH, OW up.
             count_include_pad (bool): count the zeros of the padding, too.
             divisor_override (int or None): divide by this instead of the count.
    Raises:  ValueError: if a size is out of its range.
    Example: >>> import tinycnn
             >>> AvgPool2d(2)(tinycnn.tensor([[[1.0, 3.0], [2.0, 0.0]]]))
             tensor([[[1.5000]]])
    """

    dims = 2
    operation = staticmethod(avg_pool2d)

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
                 ceil_mode: bool = False, count_include_pad: bool = True,
                 divisor_override: int | None = None) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return self.operation(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                              self.count_include_pad, self.divisor_override)


class AvgPool3d(AvgPool2d):
    """Average of every window, (N, C, D, H, W) to (N, C, OD, OH, OW). See AvgPool2d.

    Example: >>> import tinycnn
             >>> AvgPool3d((1, 2, 2))(tinycnn.tensor([[[[1.0, 3.0], [2.0, 0.0]]]]))
             tensor([[[[1.5000]]]])
    """

    dims = 3
    operation = staticmethod(avg_pool3d)


class _AdaptiveAvgPool(Module):
    dims: int
    operation: Callable[..., Any]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size
        _check_output_size(self)

    def forward(self, input: Tensor) -> Any:
        return self.operation(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Averages of OL windows, whatever L: (N, C, L) to (N, C, OL). See AdaptiveAvgPool2d.

    Example: >>> import tinycnn
             >>> AdaptiveAvgPool1d(2)(tinycnn.tensor([[1.0, 3.0, 2.0, 0.0]]))
             tensor([[2., 1.]])
    """

    dims = 1
    operation = staticmethod(adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Averages of OH x OW windows, whatever H and W: (N, C, H, W) to (N, C, OH, OW).

    Window i reaches from floor(i * H / OH) to ceil((i + 1) * H / OH); 1 is the global average.

    Args:    output_size (int or pair): OH, OW; None keeps the size of that axis.
    Example: >>> import tinycnn
             >>> AdaptiveAvgPool2d(1)(tinycnn.tensor([[[1.0, 3.0], [2.0, 0.0]]]))
             tensor([[[1.5000]]])
    Source:  Lin, Chen & Yan 2014, "Network in Network", section 3.2 (global average pooling).
    """

    dims = 2
    operation = staticmethod(adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Averages of OD x OH x OW windows: (N, C, D, H, W) to (N, C, OD, OH, OW). See
    AdaptiveAvgPool2d.

    Example: >>> import tinycnn
             >>> AdaptiveAvgPool3d(1)(tinycnn.tensor([[[[1.0, 3.0], [2.0, 0.0]]]]))
             tensor([[[[1.5000]]]])
    """

    dims = 3
    operation = staticmethod(adaptive_avg_pool3d)


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self.operation(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Largest values of OL windows, whatever L: (N, C, L) to (N, C, OL). See AdaptiveMaxPool2d.

    Example: >>> import tinycnn
             >>> AdaptiveMaxPool1d(2)(tinycnn.tensor([[1.0, 3.0, 2.0, 0.0]]))
             tensor([[3., 2.]])
    """

    dims = 1
    operation = staticmethod(adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Largest values of OH x OW windows, whatever H and W: (N, C, H, W) to (N, C, OH, OW).

    Window i reaches from floor(i * H / OH) to ceil((i + 1) * H / OH).

    Args:    output_size (int or pair): OH, OW; None keeps the size of that axis.
             return_indices (bool): return (output, h * W + w of each largest value).
    Example: >>> import tinycnn
             >>> AdaptiveMaxPool2d(1)(tinycnn.tensor([[[1.0, 3.0], [2.0, 0.0]]]))
             tensor([[[3.]]])
    """

    dims = 2
    operation = staticmethod(adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Largest values of OD x OH x OW windows: (N, C, D, H, W) to (N, C, OD, OH, OW). See
    AdaptiveMaxPool2d.

    Example: >>> import tinycnn
             >>> AdaptiveMaxPool3d(1)(tinycnn.tensor([[[[1.0, 3.0], [2.0, 0.0]]]]))
             tensor([[[[3.]]]])
    """

    dims = 3
    operation = staticmethod(adaptive_max_pool3d)


def _check_sizes(layer: Any, **least: int) -> None:
    """Each argument named in `least` is one int or `dims` ints, not below that number."""
    for name, smallest in least.items():
        tuple_of(getattr(layer, name), layer.dims, type(layer).__name__, name, smallest)


def _check_output_size(layer: Any) -> None:
    size = layer.output_size
    if isinstance(size, (tuple, list)):
        size = [0 if n is None else n for n in size]
    if size is not None:
        tuple_of(size, layer.dims, type(layer).__name__, "output_size", 0)
