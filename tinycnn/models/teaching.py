"""Pairs of small networks that differ in one idea, for counting, timing and training.

Here: a convolution with and without a 1x1 in front that reduces the channels. The other pair is
ResNetCIFAR with residual=True and residual=False.

Source: Lin et al. 2014, "Network in network", for the 1x1; Szegedy et al. 2015, "Going deeper with
        convolutions", section 4, for the reduction.
"""

from .. import nn
from ._shared import counts


class DirectConvolution(nn.Sequential):
    """A convolution of all channels, and ReLU. The pair of ReducedConvolution.

    weights        OC * C * K * K
    multiply-adds  H * W * OC * C * K * K

    Args:    in_channels, out_channels (int): C, OC, at least 1.
             kernel_size (int): K.
    Shape:   (N, C, H, W) to (N, OC, H, W).
    Raises:  ValueError: if a number is below 1.
    Example: >>> sum(p.numel() for p in DirectConvolution(192, 32, 5).parameters())
             153632
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 5):
        counts("DirectConvolution", kernel_size=kernel_size)
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding="same"), nn.ReLU(),
        )


class ReducedConvolution(nn.Sequential):
    """A 1x1 to few channels, and the convolution of these, each with ReLU.

    weights        R * C + OC * R * K * K
    multiply-adds  H * W * (R * C + OC * R * K * K)

    GoogLeNet's first 5x5: C = 192, OC = 32, at 28 x 28 pixels,

              weights    multiply-adds
    direct    153,600      120,422,400
    R = 16     15,872       12,443,648     a tenth

    Args:    in_channels, reduced, out_channels (int): C, R, OC, at least 1.
             kernel_size (int): K.
    Shape:   (N, C, H, W) to (N, OC, H, W).
    Raises:  ValueError: if a number is below 1.
    Example: >>> sum(p.numel() for p in ReducedConvolution(192, 16, 32, 5).parameters())
             15920
    Source:  Szegedy et al. 2015, section 4 and Table 1.
    """

    def __init__(self, in_channels: int, reduced: int, out_channels: int, kernel_size: int = 5):
        counts("ReducedConvolution", reduced=reduced, kernel_size=kernel_size)
        super().__init__(
            nn.Conv2d(in_channels, reduced, 1), nn.ReLU(),
            nn.Conv2d(reduced, out_channels, kernel_size, padding="same"), nn.ReLU(),
        )
