"""Windows as columns and back: layers that keep the arguments and call ops/windows.py."""

from .._core.shapes import tuple_of
from ..ops.windows import fold, unfold
from ..tensor import Tensor
from .module import Module

Size = int | tuple[int, ...]


class _Windows(Module):
    def __init__(self, kernel_size: Size, dilation: Size, padding: Size, stride: Size) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride
        for word, least in ("kernel_size", 1), ("dilation", 1), ("padding", 0), ("stride", 1):
            tuple_of(getattr(self, word), 2, name, word, least)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
                f"padding={self.padding}, stride={self.stride}")


class Unfold(_Windows):
    """The windows of an image as columns.

    y[n, (c * KH + p) * KW + q, i * OW + j] = x[n, c, i * stride + p * dilation - padding, ...]

    Args:    kernel_size (int or pair): KH, KW.
             dilation, padding, stride (int or pair): of the windows, as Conv2d.
    Shape:   input (N, C, H, W) or (C, H, W) to (N, C * KH * KW, L) or (C * KH * KW, L), L windows.
    Raises:  ValueError: if a size is out of its range.
    Example: >>> import tinycnn
             >>> Unfold(3, padding=1)(tinycnn.zeros(1, 2, 4, 5)).shape
             (1, 18, 20)
    Source:  Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for
             document processing", section 2.
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0,
                 stride: Size = 1) -> None:
        super().__init__(kernel_size, dilation, padding, stride)

    def forward(self, input: Tensor) -> Tensor:
        return unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Windows):
    """Columns added up to an image: the transpose of Unfold.

    Args:    output_size (int or pair): H, W.
             kernel_size (int or pair): KH, KW.
             dilation, padding, stride (int or pair): of the windows, as Unfold.
    Shape:   input (N, C * KH * KW, L) or (C * KH * KW, L) to (N, C, H, W) or (C, H, W).
    Raises:  ValueError: if a size is out of its range; forward: if L is not the number of windows.
    Example: >>> import tinycnn
             >>> Fold((2, 3), 2)(tinycnn.ones(1, 4, 2))
             tensor([[[[1., 2., 1.],
                       [1., 2., 1.]]]])
    """

    def __init__(self, output_size: Size, kernel_size: Size, dilation: Size = 1,
                 padding: Size = 0, stride: Size = 1) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        tuple_of(output_size, 2, "Fold", "output_size", 1)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return fold(input, self.output_size, self.kernel_size, self.dilation, self.padding,
                    self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
