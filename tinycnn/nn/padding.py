"""Padding layers: they keep the widths and call the operation `pad`."""

from typing import Any

from .._core.checks import fail
from ..ops.padding import pad
from ..tensor import Tensor
from .module import Module

Widths = int | tuple[int, ...]


class _Pad(Module):
    """A border around the last `dims` axes of (N, C, *spatial) or (C, *spatial)."""

    dims: int
    mode: str

    def __init__(self, padding: Widths) -> None:
        super().__init__()
        widths = (padding,) * (2 * self.dims) if hasattr(padding, "__index__") else padding
        if not isinstance(widths, (tuple, list)) or len(widths) != 2 * self.dims or not all(
                hasattr(width, "__index__") for width in widths):
            fail(type(self).__name__, f"padding to be one int or {2 * self.dims} ints",
                 repr(padding), "Pass (left, right, top, bottom, front, back), as far as it has "
                 "these sides.", ValueError if isinstance(padding, (tuple, list)) else TypeError)
        self.padding = tuple([width.__index__() for width in widths])

    def forward(self, input: Tensor) -> Tensor:
        self._check_axes(input)
        return pad(input, self.padding, self.mode)

    def _check_axes(self, input: Any) -> None:
        if isinstance(input, Tensor) and input.ndim not in (self.dims + 1, self.dims + 2):
            fail(type(self).__name__, f"input of {self.dims + 1} or {self.dims + 2} axes",
                 str(input.shape), "Add the missing axes, or take the layer that fits.")

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    def __init__(self, padding: Widths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)  # any number of axes in front

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Widths) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class ZeroPad1d(_ZeroPad):
    """A border of zeros around (N, C, L).

    Args:    padding (int or 2 ints): (left, right), in pixels. Negative ones cut off.
    Example: >>> import tinycnn
             >>> ZeroPad1d((2, 0))(tinycnn.tensor([[1.0, 2.0, 3.0]]))
             tensor([[0., 0., 1., 2., 3.]])
    """

    dims = 1


class ZeroPad2d(_ZeroPad):
    """A border of zeros around (N, C, H, W).

    Args:    padding (int or 4 ints): (left, right, top, bottom), in pixels. Negative ones cut off.
    Example: >>> import tinycnn
             >>> ZeroPad2d((2, 0, 0, 0))(tinycnn.tensor([[[1.0, 2.0, 3.0]]]))
             tensor([[[0., 0., 1., 2., 3.]]])
    """

    dims = 2


class ZeroPad3d(_ZeroPad):
    """A border of zeros around (N, C, D, H, W).

    Args:    padding (int or 6 ints): (left, right, top, bottom, front, back), in pixels.
             Negative ones cut off.
    Example: >>> import tinycnn
             >>> ZeroPad3d((2, 0, 0, 0, 0, 0))(tinycnn.tensor([[[[1.0, 2.0, 3.0]]]]))
             tensor([[[[0., 0., 1., 2., 3.]]]])
    """

    dims = 3


class ConstantPad1d(_ConstantPad):
    """A border of one value around (N, C, L).

    Args:    padding (int or 2 ints): (left, right), in pixels. Negative ones cut off.
             value (float): what the border holds.
    Example: >>> import tinycnn
             >>> ConstantPad1d((2, 0), 9.0)(tinycnn.tensor([[1.0, 2.0, 3.0]]))
             tensor([[9., 9., 1., 2., 3.]])
    """

    dims = 1


class ConstantPad2d(_ConstantPad):
    """A border of one value around (N, C, H, W).

    Args:    padding (int or 4 ints): (left, right, top, bottom), in pixels. Negative ones cut off.
             value (float): what the border holds.
    Example: >>> import tinycnn
             >>> ConstantPad2d((2, 0, 0, 0), 9.0)(tinycnn.tensor([[[1.0, 2.0, 3.0]]]))
             tensor([[[9., 9., 1., 2., 3.]]])
    """

    dims = 2


class ConstantPad3d(_ConstantPad):
    """A border of one value around (N, C, D, H, W).

    Args:    padding (int or 6 ints): (left, right, top, bottom, front, back), in pixels.
             Negative ones cut off.
             value (float): what the border holds.
    Example: >>> import tinycnn
             >>> ConstantPad3d((2, 0, 0, 0, 0, 0), 9.0)(tinycnn.tensor([[[[1.0, 2.0, 3.0]]]]))
             tensor([[[[9., 9., 1., 2., 3.]]]])
    """

    dims = 3


class ReflectionPad1d(_Pad):
    """A border of the pixels mirrored at the outermost one around (N, C, L).

    Args:    padding (int or 2 ints): (left, right),
             each at most the size of the axis - 1.
    Example: >>> import tinycnn
             >>> ReflectionPad1d((2, 0))(tinycnn.tensor([[1.0, 2.0, 3.0]]))
             tensor([[3., 2., 1., 2., 3.]])
    """

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """A border of the pixels mirrored at the outermost one around (N, C, H, W).

    Args:    padding (int or 4 ints): (left, right, top, bottom),
             each at most the size of the axis - 1.
    Example: >>> import tinycnn
             >>> ReflectionPad2d((2, 0, 0, 0))(tinycnn.tensor([[[1.0, 2.0, 3.0]]]))
             tensor([[[3., 2., 1., 2., 3.]]])
    """

    dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """A border of the pixels mirrored at the outermost one around (N, C, D, H, W).

    Args:    padding (int or 6 ints): (left, right, top, bottom, front, back),
             each at most the size of the axis - 1.
    Example: >>> import tinycnn
             >>> ReflectionPad3d((2, 0, 0, 0, 0, 0))(tinycnn.tensor([[[[1.0, 2.0, 3.0]]]]))
             tensor([[[[3., 2., 1., 2., 3.]]]])
    """

    dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """A border of the outermost pixel repeated around (N, C, L).

    Args:    padding (int or 2 ints): (left, right), in pixels.
    Example: >>> import tinycnn
             >>> ReplicationPad1d((2, 0))(tinycnn.tensor([[1.0, 2.0, 3.0]]))
             tensor([[1., 1., 1., 2., 3.]])
    """

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """A border of the outermost pixel repeated around (N, C, H, W).

    Args:    padding (int or 4 ints): (left, right, top, bottom), in pixels.
    Example: >>> import tinycnn
             >>> ReplicationPad2d((2, 0, 0, 0))(tinycnn.tensor([[[1.0, 2.0, 3.0]]]))
             tensor([[[1., 1., 1., 2., 3.]]])
    """

    dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """A border of the outermost pixel repeated around (N, C, D, H, W).

    Args:    padding (int or 6 ints): (left, right, top, bottom, front, back), in pixels.
    Example: >>> import tinycnn
             >>> ReplicationPad3d((2, 0, 0, 0, 0, 0))(tinycnn.tensor([[[[1.0, 2.0, 3.0]]]]))
             tensor([[[[1., 1., 1., 2., 3.]]]])
    """

    dims = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """A border of the pixels from the other end around (N, C, L).

    Args:    padding (int or 2 ints): (left, right),
             each at most the size of the axis.
    Example: >>> import tinycnn
             >>> CircularPad1d((2, 0))(tinycnn.tensor([[1.0, 2.0, 3.0]]))
             tensor([[2., 3., 1., 2., 3.]])
    """

    dims = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """A border of the pixels from the other end around (N, C, H, W).

    Args:    padding (int or 4 ints): (left, right, top, bottom),
             each at most the size of the axis.
    Example: >>> import tinycnn
             >>> CircularPad2d((2, 0, 0, 0))(tinycnn.tensor([[[1.0, 2.0, 3.0]]]))
             tensor([[[2., 3., 1., 2., 3.]]])
    """

    dims = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """A border of the pixels from the other end around (N, C, D, H, W).

    Args:    padding (int or 6 ints): (left, right, top, bottom, front, back),
             each at most the size of the axis.
    Example: >>> import tinycnn
             >>> CircularPad3d((2, 0, 0, 0, 0, 0))(tinycnn.tensor([[[[1.0, 2.0, 3.0]]]]))
             tensor([[[[2., 3., 1., 2., 3.]]]])
    """

    dims = 3
    mode = "circular"
