"""Inception v3: large convolutions made of small and of one-sided ones.

Source: Szegedy, Vanhoucke, Ioffe, Shlens & Wojna 2016, "Rethinking the Inception architecture for
        computer vision" (arXiv 1512.00567, 2015).
"""

from typing import Any, NamedTuple

from .. import nn
from ..tensor import Tensor
from ._inception import (
    ConvNorm,
    NumberedBranches,
    check_arguments,
    to_inception_scale,
    truncated_normal,
)
from ._shared import check_images


class InceptionOutputs(NamedTuple):
    """What Inception v3 returns in training: class scores of the main and the auxiliary head.

    Args:    logits (Tensor): (N, num_classes), as in evaluation.
             aux_logits (Tensor): (N, num_classes), of Mixed_6e.
    Example: >>> InceptionOutputs("main", "auxiliary").aux_logits
             'auxiliary'
    """

    logits: Tensor
    aux_logits: Tensor


def _average() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, stride=1, padding=1)


def _figure_5(channels: int, pool: int) -> NumberedBranches:
    """At 35 x 35: two 3x3 for one 5x5; the published network has that, too, in another branch."""
    return NumberedBranches(
        channels,
        branch1x1=[(64, 1)],
        branch5x5=[(48, 1), (64, 5)],
        branch3x3dbl=[(64, 1), (96, 3), (96, 3)],
        branch_pool=[_average(), (pool, 1)],
    )


def _figure_10(channels: int) -> NumberedBranches:
    """From 35 x 35 to 17 x 17: convolutions beside the pooling, so that nothing becomes narrow."""
    return NumberedBranches(
        channels,
        branch3x3=[(384, 3, 2, 0)],
        branch3x3dbl=[(64, 1), (96, 3), (96, 3, 2, 0)],
        branch_pool=[nn.MaxPool2d(3, stride=2)],
    )


def _figure_6(channels: int, narrow: int) -> NumberedBranches:
    """At 17 x 17: 1x7 and 7x1 for one 7x7."""
    return NumberedBranches(
        channels,
        branch1x1=[(192, 1)],
        branch7x7=[(narrow, 1), (narrow, (1, 7)), (192, (7, 1))],
        branch7x7dbl=[(narrow, 1), (narrow, (7, 1)), (narrow, (1, 7)), (narrow, (7, 1)),
                      (192, (1, 7))],
        branch_pool=[_average(), (192, 1)],
    )


def _second_reduction(channels: int) -> NumberedBranches:
    """From 17 x 17 to 8 x 8, as figure 10."""
    return NumberedBranches(
        channels,
        branch3x3=[(192, 1), (320, 3, 2, 0)],
        branch7x7x3=[(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, 0)],
        branch_pool=[nn.MaxPool2d(3, stride=2)],
    )


def _figure_7(channels: int) -> NumberedBranches:
    """At 8 x 8: 1x3 beside 3x1, many channels where there are few pixels."""
    return NumberedBranches(
        channels,
        branch1x1=[(320, 1)],
        branch3x3=[(384, 1), [(384, (1, 3)), (384, (3, 1))]],
        branch3x3dbl=[(448, 1), (384, 3), [(384, (1, 3)), (384, (3, 1))]],
        branch_pool=[_average(), (192, 1)],
    )


def _figure_8(channels: int, num_classes: int) -> nn.Sequential:
    """The auxiliary head on the last 17 x 17 map."""
    return nn.Sequential({
        "pool": nn.AvgPool2d(5, stride=3),
        "conv0": ConvNorm(channels, 128, 1),
        "conv1": ConvNorm(128, 768, 5, 1, 0),
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(768, num_classes),
    })


class Inception3(nn.Module):
    """Inception v3 as its authors published it and torchvision has it.

    layer          kind                      output            parameters
    Conv2d_1a_3x3  3x3 / 2                     32 x 149 x 149         928
    Conv2d_2a_3x3  3x3                         32 x 147 x 147       9,280
    Conv2d_2b_3x3  3x3, padded                 64 x 147 x 147      18,560
    maxpool1       max 3x3 / 2                 64 x 73 x 73
    Conv2d_3b_1x1  1x1                         80 x 73 x 73         5,280
    Conv2d_4a_3x3  3x3                        192 x 71 x 71       138,624
    maxpool2       max 3x3 / 2                192 x 35 x 35
    Mixed_5b       figure 5                   256 x 35 x 35       255,904
    Mixed_5c                                  288 x 35 x 35       277,472
    Mixed_5d                                  288 x 35 x 35       285,152
    Mixed_6a       figure 10                  768 x 17 x 17     1,153,280
    Mixed_6b       figure 6                   768 x 17 x 17     1,297,408
    Mixed_6c                                  768 x 17 x 17     1,691,008
    Mixed_6d                                  768 x 17 x 17     1,691,008
    Mixed_6e                                  768 x 17 x 17     2,141,952
    Mixed_7a       as figure 10              1280 x 8 x 8       1,698,304
    Mixed_7b       figure 7                  2048 x 8 x 8       5,044,608
    Mixed_7c                                 2048 x 8 x 8       6,076,800
    avgpool        average                   2048 x 1 x 1
    fc             dropout, linear                    1000      2,049,000
                                                               23,834,568
    AuxLogits      figure 8                           1000      3,326,696
                                                               27,161,264

    In training the auxiliary head is returned beside the main one; the weight of its loss, 0.3 or
    0.4 as a rule, is up to the training script.

    Args:    num_classes (int): at least 1.
             aux_logits (bool): have the auxiliary head.
             transform_input (bool): images are normalised with ImageNet's means and deviations,
             the weights were trained on images between -1 and 1.
             init_weights (bool): draw weights from a normal distribution with deviation 0.1, in the
             auxiliary head 0.01 (conv1) and 0.001 (fc); otherwise they start as those of any layer.
             dropout (float): in front of fc.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), in training with aux_logits to two of them
             (InceptionOutputs). H and W at least 75; in training with aux_logits 299, from which a
             5x5 fits into the head. Trained at 299.
    Raises:  ValueError: if a number is below 1, or transform_input is not for colours; forward: if
             images are too small, or of other channels.
    Example: >>> import tinycnn
             >>> net = Inception3(num_classes=10, aux_logits=False).eval()
             >>> net(tinycnn.zeros(1, 3, 75, 75)).shape
             (1, 10)
    Source:  Szegedy et al. 2016, table 1; parameter keys as in torchvision. 5.713e9 multiply-adds.
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True,
                 transform_input: bool = False, init_weights: bool = True, *,
                 dropout: float = 0.5, in_channels: int = 3):
        super().__init__()
        check_arguments("Inception3", num_classes, in_channels, transform_input)
        self.in_channels, self.transform_input = in_channels, transform_input
        self.Conv2d_1a_3x3 = ConvNorm(in_channels, 32, 3, 2, 0)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3, 1, 0)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3, 1, 0)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b = _figure_5(192, 32)
        self.Mixed_5c = _figure_5(256, 64)
        self.Mixed_5d = _figure_5(288, 64)
        self.Mixed_6a = _figure_10(288)
        self.Mixed_6b = _figure_6(768, 128)
        self.Mixed_6c = _figure_6(768, 160)
        self.Mixed_6d = _figure_6(768, 160)
        self.Mixed_6e = _figure_6(768, 192)
        self.Mixed_7a = _second_reduction(768)
        self.Mixed_7b = _figure_7(1280)
        self.Mixed_7c = _figure_7(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        self.AuxLogits = _figure_8(768, num_classes) if aux_logits else None
        if init_weights:
            truncated_normal(self, 0.1)
            if self.AuxLogits is not None:
                nn.init.trunc_normal_(self.AuxLogits.conv1.conv.weight, std=0.01)
                nn.init.trunc_normal_(self.AuxLogits.fc.weight, std=0.001)

    def forward(self, input: Tensor) -> Tensor | InceptionOutputs:
        head = self.AuxLogits if self.training else None
        if head is not None:
            check_images("Inception3", input, self.in_channels, 299, advice="Resize them, or build "
                         "the network with aux_logits=False to train on smaller ones, from 75.")
        else:
            check_images("Inception3", input, self.in_channels, 75)
        x = to_inception_scale(input) if self.transform_input else input
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(self.maxpool2(x))))
        x17 = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x17)))
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return logits if head is None else InceptionOutputs(logits, head(x17))


def inception_v3(**options: Any) -> Inception3:
    """Inception3(**options): 27,161,264 parameters, 23,834,568 of them without the auxiliary head.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(inception_v3, num_classes=10).fc
             Linear(in_features=2048, out_features=10, bias=True)
    """
    return Inception3(**options)
