"""ResNeXt: a ResNet whose 3x3 convolutions have groups.

Source: Xie, Girshick, Dollár, Tu & He 2017, "Aggregated residual transformations for deep neural
        networks" (arXiv 1611.05431, 2016).

A block adds up `groups` small bottlenecks of `width_per_group` channels ("cardinality x width d"),
which is one Bottleneck with a grouped 3x3 (figure 3c). 32 x 4d, stage by stage, at 224 x 224:

    stage    output    ResNet-50             ResNeXt-50 32x4d
    layer1   56 x 56   [ 64,  64,  256] x 3  [ 128,  128 in 32 groups,  256] x 3
    layer2   28 x 28   [128, 128,  512] x 4  [ 256,  256 in 32 groups,  512] x 4
    layer3   14 x 14   [256, 256, 1024] x 6  [ 512,  512 in 32 groups, 1024] x 6
    layer4    7 x 7    [512, 512, 2048] x 3  [1024, 1024 in 32 groups, 2048] x 3
    parameters             25,557,032            25,028,904
    multiply-adds               4.089 * 10^9          4.230 * 10^9
"""

from typing import Any

from .resnet import Bottleneck, ResNet


def resnext50_32x4d(**options: Any) -> ResNet:
    """ResNeXt-50 of 32 groups of 4 channels: 25,028,904 parameters. Options as ResNet.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(resnext50_32x4d).layer1[0].conv2.groups
             32
    Source:  Xie et al. 2017, Table 1.
    """
    return ResNet(Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=4, **options)


def resnext101_32x4d(**options: Any) -> ResNet:
    """ResNeXt-101 of 32 groups of 4 channels: 44,177,704 parameters. Options as ResNet.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(resnext101_32x4d).layer1[0].conv2.weight.shape
             (128, 4, 3, 3)
    Source:  Xie et al. 2017, Table 3.
    """
    return ResNet(Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=4, **options)


def resnext101_32x8d(**options: Any) -> ResNet:
    """ResNeXt-101 of 32 groups of 8 channels, torchvision's: 88,791,336 parameters. Options as
    ResNet.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(resnext101_32x8d).layer1[0].conv2.weight.shape
             (256, 8, 3, 3)
    Source:  Xie et al. 2017; this size is in Mahajan et al. 2018, "Exploring the limits of weakly
             supervised pretraining".
    """
    return ResNet(Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=8, **options)


def resnext101_64x4d(**options: Any) -> ResNet:
    """ResNeXt-101 of 64 groups of 4 channels: 83,455,272 parameters. Options as ResNet.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(resnext101_64x4d).layer1[0].conv2.weight.shape
             (256, 4, 3, 3)
    Source:  Xie et al. 2017, Table 4.
    """
    return ResNet(Bottleneck, [3, 4, 23, 3], groups=64, width_per_group=4, **options)
