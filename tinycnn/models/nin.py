"""Network in Network: small perceptrons instead of filters, an average instead of linear layers.

Source: Lin, Chen & Yan 2014, "Network in network" (arXiv 1312.4400, 2013).
"""

from typing import Any

from .. import nn
from ..tensor import Tensor
from ._shared import check_images, counts, initialise, small_normal


class NIN(nn.Sequential):
    """The CIFAR form: three perceptron layers, each a convolution and two of 1x1, then an average.

    layer    kind                                    output         parameters
    mlp1     5x5, 1x1, 1x1: 192, 160, 96 maps         96 x 32 x 32      60,928
             max 3x3 / 2, dropout                     96 x 16 x 16
    mlp2     5x5, 1x1, 1x1: 192 maps                 192 x 16 x 16     535,104
             average 3x3 / 2, dropout                192 x 8 x 8
    mlp3     3x3, 1x1, 1x1: 192, 192, 10 maps         10 x 8 x 8       370,954
             average of each map                              10
                                                                       966,986

    A 1x1 convolution is a layer of a perceptron that slides over the maps. The last maps are one
    for each class, so their averages need no weights.

    Args:    num_classes, in_channels (int): at least 1.
             dropout (float): behind the two poolings.
    Shape:   (N, in_channels, H, W) to (N, num_classes), any H and W from 4; 32 x 32 in the paper.
    Raises:  ValueError: if a number is below 1, or images are smaller.
    Example: >>> import tinycnn
             >>> NIN()(tinycnn.zeros(2, 3, 32, 32)).shape
             (2, 10)
    Source:  Lin et al. 2014, section 4 and figure 2; widths and first values, N(0, 0.05), from the
             network that the authors published. There a last window of a pooling that reaches over
             the edge counts, and the last maps are rectified, too.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, dropout: float = 0.5):
        counts("NIN", num_classes=num_classes, in_channels=in_channels)
        super().__init__(
            *_mlpconv(in_channels, 192, 160, 96, kernel_size=5, padding=2),
            nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(dropout),
            *_mlpconv(96, 192, 192, 192, kernel_size=5, padding=2),
            nn.AvgPool2d(3, 2, ceil_mode=True), nn.Dropout(dropout),
            *_mlpconv(192, 192, 192, num_classes, kernel_size=3, padding=1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        initialise(self, conv=_normal)

    def forward(self, input: Tensor) -> Tensor:
        check_images("NIN", input, least=4)
        return super().forward(input)


class NINImageNet(nn.Sequential):
    """The ImageNet form: four perceptron layers.

    layer    kind                                    output         parameters
    mlp1     11x11 / 4, 1x1, 1x1: 96 maps             96 x 54 x 54      53,568
             max 3x3 / 2                              96 x 27 x 27
    mlp2     5x5, 1x1, 1x1: 256 maps                 256 x 27 x 27     746,240
             max 3x3 / 2                             256 x 13 x 13
    mlp3     3x3, 1x1, 1x1: 384 maps                 384 x 13 x 13   1,180,800
             max 3x3 / 2, dropout                    384 x 6 x 6
    mlp4     3x3, 1x1, 1x1: 1024, 1024, 1000 maps   1000 x 6 x 6     5,614,568
             average of each map                            1000
                                                                     7,595,176

    Args:    num_classes, in_channels (int): at least 1.
             dropout (float): behind the last max pooling.
    Shape:   (N, in_channels, H, W) to (N, num_classes), any H and W from 39; 224 x 224 in training.
    Raises:  ValueError: if a number is below 1, or images are smaller.
    Example: >>> import tinycnn
             >>> NINImageNet(num_classes=7)(tinycnn.zeros(1, 3, 64, 64)).shape
             (1, 7)
    Source:  Lin et al. 2014; the paper has CIFAR, SVHN and MNIST, this is the network that the
             authors published for ImageNet later. First values
             N(0, 0.05), but N(0, 0.01) in the first convolutions of mlp1 and mlp3 and in the last.
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5):
        counts("NINImageNet", num_classes=num_classes, in_channels=in_channels)
        super().__init__(
            *_mlpconv(in_channels, 96, 96, 96, kernel_size=11, stride=4),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            *_mlpconv(96, 256, 256, 256, kernel_size=5, padding=2),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            *_mlpconv(256, 384, 384, 384, kernel_size=3, padding=1),
            nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(dropout),
            *_mlpconv(384, 1024, 1024, num_classes, kernel_size=3, padding=1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        initialise(self, conv=_normal)
        for finer in 0, 14, 26:  # first of mlp1, first of mlp3, last of mlp4
            small_normal(self[finer].weight)

    def forward(self, input: Tensor) -> Tensor:
        check_images("NINImageNet", input, least=39)
        return super().forward(input)


def _normal(weight: Any) -> None:
    nn.init.normal_(weight, 0.0, 0.05)


def _mlpconv(channels: int, first: int, second: int, third: int, **window: Any) -> list[nn.Module]:
    """A convolution and two of 1x1, each with ReLU: a perceptron that slides (figure 1b)."""
    return [
        nn.Conv2d(channels, first, **window), nn.ReLU(),
        nn.Conv2d(first, second, 1), nn.ReLU(),
        nn.Conv2d(second, third, 1), nn.ReLU(),
    ]


def nin(**options: Any) -> NIN:
    """NIN(**options), for CIFAR.

    Example: >>> nin(num_classes=100)[20]
             Conv2d(192, 100, kernel_size=(1, 1), stride=(1, 1))
    """
    return NIN(**options)


def nin_imagenet(**options: Any) -> NINImageNet:
    """NINImageNet(**options).

    Example: >>> nin_imagenet()[0]
             Conv2d(3, 96, kernel_size=(11, 11), stride=(4, 4))
    """
    return NINImageNet(**options)
