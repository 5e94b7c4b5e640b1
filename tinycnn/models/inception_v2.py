"""Inception v2, also BN-Inception: the network with which batch normalisation came.

Source: Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training by reducing
        internal covariate shift".
"""

from typing import Any

from .. import nn
from ._inception import (
    Branches,
    Classifier,
    ConvNorm,
    HalvingMaxPool,
    average,
    check_arguments,
    path,
)
from ._shared import one_of


def _inception(channels: int, one: int, three_reduce: int, three: int, double_reduce: int,
               double: int, pool: nn.Module, projection: int) -> Branches:
    """A row of figure 5."""
    return Branches(
        branch1=path(channels, (one, 1)),
        branch2=path(channels, (three_reduce, 1), (three, 3)),
        branch3=path(channels, (double_reduce, 1), (double, 3), (double, 3)),
        branch4=path(channels, pool, (projection, 1)),
    )


def _reduction(channels: int, three_reduce: int, three: int, double_reduce: int,
               double: int) -> Branches:
    """A row with "stride 2": no 1x1 branch, and what is pooled passes through."""
    return Branches(
        branch2=path(channels, (three_reduce, 1), (three, 3, 2)),
        branch3=path(channels, (double_reduce, 1), (double, 3), (double, 3, 2)),
        branch4=HalvingMaxPool(),
    )


class InceptionV2(Classifier):
    """BN-Inception: GoogLeNet with batch norm, and two 3x3 where that has one 5x5.

    layer        kind                        output            parameters
    conv1        7x7 / 2, separable            64 x 112 x 112       2,840
    maxpool1     max 3x3 / 2                   64 x 56 x 56
    conv2        1x1                           64 x 56 x 56         4,224
    conv3        3x3                          192 x 56 x 56       110,976
    maxpool2     max 3x3 / 2                  192 x 28 x 28
    inception3a  1x1, 3x3, two 3x3, average   256 x 28 x 28       219,072
    inception3b                               320 x 28 x 28       260,160
    inception3c  3x3, two 3x3, max, all / 2   576 x 14 x 14       385,088
    inception4a  1x1, 3x3, two 3x3, average   576 x 14 x 14       609,984
    inception4b                               576 x 14 x 14       665,344
    inception4c                               576 x 14 x 14       895,936
    inception4d                               576 x 14 x 14     1,108,032
    inception4e  3x3, two 3x3, max, all / 2  1024 x 7 x 7       1,439,744
    inception5a  1x1, 3x3, two 3x3, average  1024 x 7 x 7       2,182,272
    inception5b  1x1, 3x3, two 3x3, max      1024 x 7 x 7       2,279,616
    avgpool      average                     1024 x 1 x 1
    fc           linear                               1000      1,025,000
                                                               11,188,288

    The paper contradicts itself in two places. Behind the pooling of 4c and 4d it has 128
    channels, with which the sizes that it prints for 4c, 4d and 4e do not come out; 96 make them,
    and are what Google's own code has. And it speaks of 13.6 million parameters.

    Args:    num_classes (int): at least 1.
             dropout (float): in front of the linear layer; the paper does without.
             separable (bool): conv1 as the paper has it, 8 kernels for each colour and a 1x1
             behind them; otherwise an ordinary convolution, with 9,536 parameters.
             projection (int): channels behind the pooling of 4c and 4d: 96 or 128.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), H and W at least 7, trained at 224.
    Raises:  ValueError: if a number is below 1, or projection another; forward: if images are too
             small, or of other channels.
    Example: >>> import tinycnn
             >>> net = InceptionV2(num_classes=10).eval()
             >>> net(tinycnn.zeros(1, 3, 64, 64)).shape
             (1, 10)
    Source:  Ioffe & Szegedy 2015, appendix, figure 5. 1.935e9 multiply-adds. The paper does not say
             how values start: here as those of any layer.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.0, *, separable: bool = True,
                 projection: int = 96, in_channels: int = 3):
        check_arguments("InceptionV2", num_classes, in_channels)
        one_of("InceptionV2", "projection", projection, (96, 128),
               "The paper prints 128, and sizes that 96 make.")
        conv1 = ConvNorm(in_channels, 64, 7, 2)
        if separable:
            conv1.conv = nn.SeparableConv2d(in_channels, 64, 7, 2, 3, depth_multiplier=8)
        depth = 480 + projection  # of 4c and 4d, to which 4e adds 448
        super().__init__({
            "conv1": conv1,
            "maxpool1": nn.MaxPool2d(3, stride=2, ceil_mode=True),
            "conv2": ConvNorm(64, 64, 1),
            "conv3": ConvNorm(64, 192, 3),
            "maxpool2": nn.MaxPool2d(3, stride=2, ceil_mode=True),
            "inception3a": _inception(192, 64, 64, 64, 64, 96, average(), 32),
            "inception3b": _inception(256, 64, 64, 96, 64, 96, average(), 64),
            "inception3c": _reduction(320, 128, 160, 64, 96),
            "inception4a": _inception(576, 224, 64, 96, 96, 128, average(), 128),
            "inception4b": _inception(576, 192, 96, 128, 96, 128, average(), 128),
            "inception4c": _inception(576, 160, 128, 160, 128, 160, average(), projection),
            "inception4d": _inception(depth, 96, 128, 192, 160, 192, average(), projection),
            "inception4e": _reduction(depth, 128, 192, 192, 256),
            "inception5a": _inception(448 + depth, 352, 192, 320, 160, 224, average(), 128),
            "inception5b": _inception(1024, 352, 192, 320, 192, 224,
                                      nn.MaxPool2d(3, stride=1, padding=1), 128),
            "avgpool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "dropout": nn.Dropout(dropout),
            "fc": nn.Linear(1024, num_classes),
        }, in_channels, least=7)


def inception_v2(**options: Any) -> InceptionV2:
    """InceptionV2(**options): 11,188,288 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(inception_v2, num_classes=10).fc
             Linear(in_features=1024, out_features=10, bias=True)
    """
    return InceptionV2(**options)
