"""Inception-ResNet v2: residual blocks whose residual is an Inception module.

Source: Szegedy, Ioffe, Vanhoucke & Alemi 2017, "Inception-v4, Inception-ResNet and the impact of
        residual connections on learning" (arXiv 1602.07261, 2016).
"""

from typing import Any

from .. import nn
from ..nn.functional import relu
from ..ops.joining import cat
from ..tensor import Tensor
from ._inception import Branches, Classifier, ConvNorm, average, check_arguments, path


class _Residual(nn.Module):
    """relu(x + scale * conv2d(branches of x)): figures 16, 17 and 19.

    Scaled down, section 3.3: unscaled residuals of so many channels let a network die early.
    """

    def __init__(self, channels: int, joined: int, scale: float, activate: bool,
                 *branches: nn.Module):
        super().__init__()
        self.scale, self.activate = scale, activate
        for i, branch in enumerate(branches):
            self.add_module(f"branch{i}", branch)
        self.conv2d = nn.Conv2d(joined, channels, 1)

    def forward(self, input: Tensor) -> Tensor:
        *branches, conv2d = self.children()
        residual = conv2d(cat([branch(input) for branch in branches], 1))
        output = input + residual * self.scale
        return relu(output) if self.activate else output


def _mixed_5b() -> Branches:
    """A module of Inception v3, at 35 x 35."""
    return Branches(
        branch0=path(192, (96, 1)),
        branch1=path(192, (48, 1), (64, 5)),
        branch2=path(192, (64, 1), (96, 3), (96, 3)),
        branch3=path(192, average(), (64, 1)),
    )


def _block35() -> _Residual:
    """Figure 16: 35 x 35."""
    return _Residual(
        320, 128, 0.17, True,
        path(320, (32, 1)),
        path(320, (32, 1), (32, 3)),
        path(320, (32, 1), (48, 3), (64, 3)),
    )


def _mixed_6a() -> Branches:
    """Figure 7 with k = l = 256, m = n = 384 of table 1: from 35 x 35 to 17 x 17."""
    return Branches(
        branch0=path(320, (384, 3, 2, 0)),
        branch1=path(320, (256, 1), (256, 3), (384, 3, 2, 0)),
        branch2=nn.MaxPool2d(3, stride=2),
    )


def _block17() -> _Residual:
    """Figure 17: 17 x 17."""
    return _Residual(
        1088, 384, 0.10, True,
        path(1088, (192, 1)),
        path(1088, (128, 1), (160, (1, 7)), (192, (7, 1))),
    )


def _mixed_7a() -> Branches:
    """Figure 18: from 17 x 17 to 8 x 8."""
    return Branches(
        branch0=path(1088, (256, 1), (384, 3, 2, 0)),
        branch1=path(1088, (256, 1), (288, 3, 2, 0)),
        branch2=path(1088, (256, 1), (288, 3), (320, 3, 2, 0)),
        branch3=nn.MaxPool2d(3, stride=2),
    )


def _block8(scale: float = 0.20, activate: bool = True) -> _Residual:
    """Figure 19: 8 x 8."""
    return _Residual(
        2080, 448, scale, activate,
        path(2080, (192, 1)),
        path(2080, (192, 1), (224, (1, 3)), (256, (3, 1))),
    )


class InceptionResnetV2(Classifier):
    """Inception-ResNet v2 as its authors published it with TF-Slim, and as Keras and timm have it.

    layer            kind                    output            parameters
    conv2d_1a        3x3 / 2                   32 x 149 x 149         928
    conv2d_2a        3x3                       32 x 147 x 147       9,280
    conv2d_2b        3x3, padded               64 x 147 x 147      18,560
    maxpool_3a       max 3x3 / 2               64 x 73 x 73
    conv2d_3b        1x1                       80 x 73 x 73         5,280
    conv2d_4a        3x3                      192 x 71 x 71       138,624
    maxpool_5a       max 3x3 / 2              192 x 35 x 35
    mixed_5b         as in Inception v3       320 x 35 x 35       268,320
    repeat           10 times figure 16       320 x 35 x 35     1,231,680
    mixed_6a         figure 7                1088 x 17 x 17     2,664,960
    repeat_1         20 times figure 17      1088 x 17 x 17    22,535,680
    mixed_7a         figure 18               2080 x 8 x 8       3,880,960
    repeat_2         9 times figure 19       2080 x 8 x 8      18,318,816
    block8           figure 19, no ReLU      2080 x 8 x 8       2,035,424
    conv2d_7b        1x1                     1536 x 8 x 8       3,197,952
    global_pool      average                 1536 x 1 x 1
    classif          dropout, linear                 1000       1,537,000
                                                               55,843,464

    This is not quite the network of the figures: the stem is that of Inception v3, not figure 3,
    there are twice as many blocks as in figure 15, and maps have 320, 1088, 2080 channels, not 384,
    1152, 2144.

    Args:    num_classes (int): at least 1.
             dropout (float): in front of the linear layer.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), H and W at least 75, trained at 299.
    Raises:  ValueError: if a number is below 1; forward: if images are too small, or of other
             channels.
    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(InceptionResnetV2, num_classes=10).classif
             Linear(in_features=1536, out_features=10, bias=True)
    Source:  Szegedy et al. 2017, figures 7 and 15 to 19, section 3.3; parameter keys as in timm.
             13.156e9 multiply-adds. Values start as those of any layer: the paper does not say.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.2, *, in_channels: int = 3):
        check_arguments("InceptionResnetV2", num_classes, in_channels)
        super().__init__({
            "conv2d_1a": ConvNorm(in_channels, 32, 3, 2, 0),
            "conv2d_2a": ConvNorm(32, 32, 3, 1, 0),
            "conv2d_2b": ConvNorm(32, 64, 3),
            "maxpool_3a": nn.MaxPool2d(3, stride=2),
            "conv2d_3b": ConvNorm(64, 80, 1),
            "conv2d_4a": ConvNorm(80, 192, 3, 1, 0),
            "maxpool_5a": nn.MaxPool2d(3, stride=2),
            "mixed_5b": _mixed_5b(),
            "repeat": nn.Sequential(*(_block35() for _ in range(10))),
            "mixed_6a": _mixed_6a(),
            "repeat_1": nn.Sequential(*(_block17() for _ in range(20))),
            "mixed_7a": _mixed_7a(),
            "repeat_2": nn.Sequential(*(_block8() for _ in range(9))),
            "block8": _block8(scale=1.0, activate=False),
            "conv2d_7b": ConvNorm(2080, 1536, 1),
            "global_pool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "head_drop": nn.Dropout(dropout),
            "classif": nn.Linear(1536, num_classes),
        }, in_channels, least=75)


def inception_resnet_v2(**options: Any) -> InceptionResnetV2:
    """InceptionResnetV2(**options): 55,843,464 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(inception_resnet_v2).repeat_1)
             20
    """
    return InceptionResnetV2(**options)
