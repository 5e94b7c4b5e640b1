"""Unpooling layers: they keep the arguments and call the operation of ops/unpooling.py."""

from collections.abc import Callable, Sequence
from typing import Any

from .._core.shapes import tuple_of
from ..ops.unpooling import max_unpool1d, max_unpool2d, max_unpool3d
from ..tensor import Tensor
from .module import Module

Size = int | tuple[int, ...]


class _MaxUnpool(Module):
    dims: int
    operation: Callable[..., Any]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        name, dims = type(self).__name__, self.dims
        self.kernel_size = tuple_of(kernel_size, dims, name, "kernel_size", 1)
        self.stride = (self.kernel_size if stride is None
                       else tuple_of(stride, dims, name, "stride", 1))
        self.padding = tuple_of(padding, dims, name, "padding", 0)

    def forward(self, input: Tensor, indices: Tensor,
                output_size: Sequence[int] | None = None) -> Tensor:
        """`indices`: of MaxPool with return_indices=True; `output_size`: of what was pooled."""
        return self.operation(input, indices, self.kernel_size, self.stride, self.padding,
                              output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Values where MaxPool1d found them, (N, C, L) to (N, C, OL). See MaxUnpool2d.

    Example: >>> import tinycnn
             >>> MaxUnpool1d(2)(tinycnn.tensor([[3.0, 2.0]]), tinycnn.tensor([[1, 2]]))
             tensor([[0., 3., 2., 0.]])
    """

    dims = 1
    operation = staticmethod(max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Values where MaxPool2d found them, and 0 elsewhere.

    y[n, c, h, w] = x[n, c, i, j] where indices[n, c, i, j] = h * OW + w, 0 elsewhere

    Args:    kernel_size, stride, padding: of the pooling.
    Shape:   input and indices (N, C, H, W) or (C, H, W) to (N, C, OH, OW),
             OH = (H - 1) * stride - 2 * padding + KH unless output_size says another.
    Raises:  ValueError: if a size is out of its range; forward: if an index is.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> pool, unpool = nn.MaxPool2d(2, return_indices=True), MaxUnpool2d(2)
             >>> x = tinycnn.tensor([[[1.0, 3.0, 7.0], [2.0, 0.0, 8.0]]])
             >>> y, where = pool(x)
             >>> unpool(y, where, output_size=x.shape)
             tensor([[[0., 3., 0.],
                      [0., 0., 0.]]])
    Source:  Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", 2.1;
             Badrinarayanan et al. 2017, "SegNet", III.
    """

    dims = 2
    operation = staticmethod(max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Values where MaxPool3d found them, (N, C, D, H, W) to (N, C, OD, OH, OW). See MaxUnpool2d.

    Example: >>> import tinycnn
             >>> x, where = tinycnn.tensor([[[[4.0]]]]), tinycnn.tensor([[[[1]]]])
             >>> MaxUnpool3d((1, 1, 2))(x, where)
             tensor([[[[0., 4.]]]])
    """

    dims = 3
    operation = staticmethod(max_unpool3d)
