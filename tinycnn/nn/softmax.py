"""Softmax layers: see ops/softmax.py."""

from .._core.checks import fail, shape_text
from ..ops.softmax import log_softmax, softmax, softmin
from ..tensor import Tensor
from .module import Module

_STACKLEVEL = 5  # a warning names the line that called the layer


class Softmax(Module):
    """exp(x) / sum of exp(x) along one axis: positive numbers that add up to 1.

    Args:    dim (int): the axis.
    Example: >>> import tinycnn
             >>> Softmax(dim=1)(tinycnn.tensor([[1.0, 1.0]]))
             tensor([[0.5000, 0.5000]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim, _STACKLEVEL)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    """Softmax of -x: the smallest number gets the largest share.

    Args:    dim (int): the axis.
    Example: >>> import tinycnn
             >>> Softmin(dim=1)(tinycnn.tensor([[0.0, 1000.0]]))
             tensor([[1., 0.]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmin(input, self.dim, _STACKLEVEL)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels of every pixel.

    Shape:   (N, C, H, W) or (C, H, W); output as input.
    Example: >>> import tinycnn
             >>> Softmax2d()(tinycnn.zeros(1, 4, 1, 1)).flatten()
             tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            fail("Softmax2d", "input (N, C, H, W) or (C, H, W)", shape_text(input.shape),
                 "Use Softmax(dim=...) for other shapes.")
        return softmax(input, -3)


class LogSoftmax(Module):
    """x - log(sum of exp(x)) along one axis: the logarithm of softmax, without its overflow.

    Args:    dim (int): the axis.
    Example: >>> import tinycnn
             >>> LogSoftmax(dim=1)(tinycnn.tensor([[1.0, 1.0]]))
             tensor([[-0.6931, -0.6931]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim, _STACKLEVEL)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
