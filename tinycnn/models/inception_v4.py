"""Inception v4: Inception without residual connections, its modules made uniform.

Source: Szegedy, Ioffe, Vanhoucke & Alemi 2017, "Inception-v4, Inception-ResNet and the impact of
        residual connections on learning" (arXiv 1602.07261, 2016).
"""

from typing import Any

from .. import nn
from ._inception import (
    Branches,
    Classifier,
    ConvNorm,
    NumberedBranches,
    average,
    check_arguments,
    path,
)


def _stem(in_channels: int) -> list[nn.Module]:
    """Figure 3: from 299 x 299 to 35 x 35."""
    return [
        ConvNorm(in_channels, 32, 3, 2, 0),
        ConvNorm(32, 32, 3, 1, 0),
        ConvNorm(32, 64, 3),
        Branches(maxpool=nn.MaxPool2d(3, stride=2), conv=ConvNorm(64, 96, 3, 2, 0)),
        Branches(
            branch0=path(160, (64, 1), (96, 3, 1, 0)),
            branch1=path(160, (64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3, 1, 0)),
        ),
        Branches(conv=ConvNorm(192, 192, 3, 2, 0), maxpool=nn.MaxPool2d(3, stride=2)),
    ]


def _inception_a() -> Branches:
    """Figure 4: 35 x 35."""
    return Branches(
        branch0=path(384, (96, 1)),
        branch1=path(384, (64, 1), (96, 3)),
        branch2=path(384, (64, 1), (96, 3), (96, 3)),
        branch3=path(384, average(), (96, 1)),
    )


def _reduction_a() -> Branches:
    """Figure 7 with k = 192, l = 224, m = 256, n = 384 of table 1: from 35 x 35 to 17 x 17."""
    return Branches(
        branch0=path(384, (384, 3, 2, 0)),
        branch1=path(384, (192, 1), (224, 3), (256, 3, 2, 0)),
        branch2=nn.MaxPool2d(3, stride=2),
    )


def _inception_b() -> Branches:
    """Figure 5: 17 x 17."""
    return Branches(
        branch0=path(1024, (384, 1)),
        branch1=path(1024, (192, 1), (224, (1, 7)), (256, (7, 1))),
        branch2=path(1024, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
        branch3=path(1024, average(), (128, 1)),
    )


def _reduction_b() -> Branches:
    """Figure 8: from 17 x 17 to 8 x 8."""
    return Branches(
        branch0=path(1024, (192, 1), (192, 3, 2, 0)),
        branch1=path(1024, (256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3, 2, 0)),
        branch2=nn.MaxPool2d(3, stride=2),
    )


def _inception_c() -> NumberedBranches:
    """Figure 6: 8 x 8."""
    return NumberedBranches(
        1536,
        first=0,
        branch0=[(256, 1)],
        branch1=[(384, 1), [(256, (1, 3)), (256, (3, 1))]],
        branch2=[(384, 1), (448, (3, 1)), (512, (1, 3)), [(256, (1, 3)), (256, (3, 1))]],
        branch3=[path(1536, average(), (256, 1))],
    )


class InceptionV4(Classifier):
    """Inception v4.

    layer            kind                    output            parameters
    features.0       3x3 / 2                   32 x 149 x 149         928
    features.1       3x3                       32 x 147 x 147       9,280
    features.2       3x3, padded               64 x 147 x 147      18,560
    features.3       max and 3x3, both / 2    160 x 73 x 73        55,488
    features.4       3x3 and 7x7 with 3x3     192 x 71 x 71       189,312
    features.5       3x3 and max, both / 2    384 x 35 x 35       332,160
    features.6       4 times figure 4         384 x 35 x 35       317,632  each, to features.9
    features.10      figure 7                1024 x 17 x 17     2,306,112
    features.11      7 times figure 5        1024 x 17 x 17     2,936,256  each, to features.17
    features.18      figure 8                1536 x 8 x 8       2,747,392
    features.19      3 times figure 6        1536 x 8 x 8       4,553,088  each, to features.21
    global_pool      average                 1536 x 1 x 1
    last_linear      dropout, linear                 1000       1,537,000
                                                               42,679,816

    Args:    num_classes (int): at least 1.
             dropout (float): in front of the linear layer.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), H and W at least 75, trained at 299.
    Raises:  ValueError: if a number is below 1; forward: if images are too small, or of other
             channels.
    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(InceptionV4, num_classes=10).last_linear
             Linear(in_features=1536, out_features=10, bias=True)
    Source:  Szegedy et al. 2017, figures 3 to 9; parameter keys as in timm. 12.254e9 multiply-adds.
             The paper does not say how values start: here as those of any layer.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.2, *, in_channels: int = 3):
        check_arguments("InceptionV4", num_classes, in_channels)
        super().__init__({
            "features": nn.Sequential(
                *_stem(in_channels),
                *(_inception_a() for _ in range(4)), _reduction_a(),
                *(_inception_b() for _ in range(7)), _reduction_b(),
                *(_inception_c() for _ in range(3)),
            ),
            "global_pool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "head_drop": nn.Dropout(dropout),
            "last_linear": nn.Linear(1536, num_classes),
        }, in_channels, least=75)


def inception_v4(**options: Any) -> InceptionV4:
    """InceptionV4(**options): 42,679,816 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(inception_v4).features)
             22
    """
    return InceptionV4(**options)
