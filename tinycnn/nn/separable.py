"""Depthwise separable convolution."""

from typing import Any

from ..tensor import Tensor
from .conv import Conv2d, Padding, Size, _positive
from .module import Module


class SeparableConv2d(Module):
    """A convolution of each map with its own kernels, then a 1x1 convolution that mixes them.

    y = pointwise(depthwise(x)): C * KH * KW + C * OC weights in place of C * KH * KW * OC
    (with depth_multiplier=1).

    Args:    in_channels, out_channels (int): C, OC.
             kernel_size (int or pair): KH, KW.
             stride, padding, dilation: of the depthwise convolution, as Conv2d.
             bias (bool): whether the pointwise convolution, the last, adds a bias.
             depth_multiplier (int): kernels for each map of the depthwise convolution.
             device, dtype: of the parameters; float32 unless told.
    Shape:   input (N, C, H, W) or (C, H, W) to (N, OC, OH, OW), OH as Conv2d;
             depthwise.weight (C * depth_multiplier, 1, KH, KW),
             pointwise.weight (OC, C * depth_multiplier, 1, 1), pointwise.bias (OC,).
    Raises:  ValueError, TypeError: as Conv2d.
    Example: >>> import tinycnn
             >>> layer = SeparableConv2d(8, 16, 3, padding=1)
             >>> layer(tinycnn.zeros(1, 8, 5, 5)).shape
             (1, 16, 5, 5)
             >>> sum(p.numel() for p in layer.parameters()) == 8 * 9 + 8 * 16
             True
    Source:  Sifre 2014, "Rigid-motion scattering for image classification", chapter 6; Chollet
             2017, "Xception: Deep learning with depthwise separable convolutions".
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Padding = 0, dilation: Size = 1, bias: bool = False, *,
                 depth_multiplier: int = 1, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        name = "SeparableConv2d"
        channels = _positive(name, "in_channels", in_channels)
        many = _positive(name, "depth_multiplier", depth_multiplier)
        self.depthwise = Conv2d(channels, channels * many, kernel_size, stride, padding, dilation,
                                groups=channels, bias=False, device=device, dtype=dtype)
        self.pointwise = Conv2d(channels * many, out_channels, 1, bias=bias, device=device,
                                dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(input))
