"""Power-average pooling layers: they keep the arguments and call the operation of
ops/lp_pooling.py."""

from collections.abc import Callable
from typing import Any

from .._core.shapes import tuple_of
from ..ops.lp_pooling import lp_pool1d, lp_pool2d, lp_pool3d
from ..tensor import Tensor
from .module import Module

Size = int | tuple[int, ...]


class _LPPool(Module):
    dims: int
    operation: Callable[..., Any]

    def __init__(self, norm_type: float, kernel_size: Size, stride: Size | None = None,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode
        tuple_of(kernel_size, self.dims, type(self).__name__, "kernel_size", 1)
        if stride is not None:
            tuple_of(stride, self.dims, type(self).__name__, "stride", 1)

    def forward(self, input: Tensor) -> Tensor:
        return self.operation(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
                f"stride={self.stride}, ceil_mode={self.ceil_mode}")


class LPPool1d(_LPPool):
    """Norm of every window along one axis, (N, C, L) to (N, C, OL). See LPPool2d.

    Example: >>> import tinycnn
             >>> LPPool1d(2, 2)(tinycnn.tensor([[3.0, 4.0, 0.0, 2.0]]))
             tensor([[5., 2.]])
    """

    dims = 1
    operation = staticmethod(lp_pool1d)


class LPPool2d(_LPPool):
    """Norm of every window, (N, C, H, W) to (N, C, OH, OW): (sum of x^p)^(1 / p).

    OH = floor((H - KH) / stride) + 1

    Args:    norm_type (float): p, finite and not 0.
             kernel_size (int or pair): KH, KW.
             stride (int or pair): pixels from window to window; None means kernel_size.
             ceil_mode (bool): round OH, OW up.
    Raises:  ValueError: if a size is out of its range.
    Example: >>> import tinycnn
             >>> LPPool2d(2, 2)(tinycnn.tensor([[[3.0, 0.0], [0.0, 4.0]]]))
             tensor([[[5.]]])
    Source:  Sermanet, Chintala & LeCun 2012, "Convolutional neural networks applied to house
             numbers digit classification", III-A.
    """

    dims = 2
    operation = staticmethod(lp_pool2d)


class LPPool3d(_LPPool):
    """Norm of every window, (N, C, D, H, W) to (N, C, OD, OH, OW). See LPPool2d.

    Example: >>> import tinycnn
             >>> LPPool3d(2, (1, 2, 2))(tinycnn.tensor([[[[3.0, 0.0], [0.0, 4.0]]]]))
             tensor([[[[5.]]]])
    """

    dims = 3
    operation = staticmethod(lp_pool3d)
