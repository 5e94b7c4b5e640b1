"""Wide ResNets: the bottlenecks' 3x3 with twice the channels.

Source: Zagoruyko & Komodakis 2016, "Wide residual networks" (arXiv 1605.07146).

    stage    output    ResNet-50             wide ResNet-50-2
    layer1   56 x 56   [ 64,  64,  256] x 3  [ 128,  128,  256] x 3
    layer2   28 x 28   [128, 128,  512] x 4  [ 256,  256,  512] x 4
    layer3   14 x 14   [256, 256, 1024] x 6  [ 512,  512, 1024] x 6
    layer4    7 x 7    [512, 512, 2048] x 3  [1024, 1024, 2048] x 3
    parameters             25,557,032            68,883,240
"""

from typing import Any

from .resnet import Bottleneck, ResNet


def wide_resnet50_2(**options: Any) -> ResNet:
    """ResNet-50 with 3x3 convolutions twice as wide: 68,883,240 parameters. Options as ResNet.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(wide_resnet50_2).layer1[0].conv2.weight.shape
             (128, 128, 3, 3)
    Source:  Zagoruyko & Komodakis 2016, section 3.4.
    """
    return ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=128, **options)


def wide_resnet101_2(**options: Any) -> ResNet:
    """ResNet-101 with 3x3 convolutions twice as wide: 126,886,696 parameters. Options as ResNet.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(wide_resnet101_2).layer1[0].conv2.weight.shape
             (128, 128, 3, 3)
    Source:  as wide_resnet50_2; the paper has no such depth, torchvision has.
    """
    return ResNet(Bottleneck, [3, 4, 23, 3], width_per_group=128, **options)
