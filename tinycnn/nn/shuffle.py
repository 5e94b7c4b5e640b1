"""Layers that move numbers between channels and pixels: they call ops/shuffle.py."""

from .._core.checks import int_of, require
from ..ops.shuffle import channel_shuffle, pixel_shuffle, pixel_unshuffle
from ..tensor import Tensor
from .module import Module


class PixelShuffle(Module):
    """Every r * r channels become a square of r x r pixels: a convolution before it upsamples.

    Args:    upscale_factor (int): r.
    Shape:   input (..., C * r * r, H, W) to (..., C, H * r, W * r).
    Raises:  ValueError: if r is below 1; forward: if r * r does not divide the channels.
    Example: >>> import tinycnn
             >>> PixelShuffle(2)(tinycnn.zeros(1, 12, 4, 5)).shape
             (1, 3, 8, 10)
    Source:  Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
             sub-pixel convolutional neural network", equation 4.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = _factor("PixelShuffle", "upscale_factor", upscale_factor)

    def forward(self, input: Tensor) -> Tensor:
        return pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Every square of r x r pixels becomes r * r channels: PixelShuffle undone.

    Args:    downscale_factor (int): r.
    Shape:   input (..., C, H * r, W * r) to (..., C * r * r, H, W).
    Raises:  ValueError: if r is below 1; forward: if r does not divide the height and the width.
    Example: >>> import tinycnn
             >>> PixelUnshuffle(2)(tinycnn.zeros(1, 3, 8, 10)).shape
             (1, 12, 4, 5)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = _factor("PixelUnshuffle", "downscale_factor", downscale_factor)

    def forward(self, input: Tensor) -> Tensor:
        return pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels of several groups dealt out in turn: each new group has some of every old one.

    Args:    groups (int): G, divides C.
    Shape:   input (N, C, *spatial), output the same.
    Raises:  ValueError: if groups is below 1; forward: if it does not divide the channels.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0], [2.0], [3.0], [4.0]]])
             >>> ChannelShuffle(2)(x).flatten()
             tensor([1., 3., 2., 4.])
    Source:  Zhang et al. 2018, "ShuffleNet", section 3.1.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = _factor("ChannelShuffle", "groups", groups)

    def forward(self, input: Tensor) -> Tensor:
        return channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


def _factor(function: str, name: str, value: int) -> int:
    r = int_of(function, name, value, "Pass for example 2.")
    require(r >= 1, function, f"{name} of at least 1", repr(value), "Pass for example 2.")
    return r
