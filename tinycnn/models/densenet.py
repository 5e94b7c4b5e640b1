"""DenseNet: every layer sees the maps of all layers before it.

Source: Huang, Liu, van der Maaten & Weinberger 2017, "Densely connected convolutional networks"
        (arXiv 1608.06993, 2016).
"""

from collections.abc import Sequence
from typing import Any

from .. import nn
from .._core.checks import fail, float_of, int_of, require
from ..ops.joining import cat
from ..tensor import Tensor
from ._shared import check_images, counts, initialise, one_of


class DenseNet(nn.Module):
    """The ImageNet networks of the paper's Table 1, and those for CIFAR.

    stage          output     121      169      201      161
    conv0          112 x 112  7x7 / 2, batch norm, ReLU
    pool0           56 x 56   max 3x3 / 2
    denseblock1     56 x 56   6        6        6        6        layers: 1x1 to bn_size * k maps,
    transition1     28 x 28   1x1 to half the maps, average 2x2   3x3 to k = growth_rate maps
    denseblock2     28 x 28   12       12       12       12
    transition2     14 x 14
    denseblock3     14 x 14   24       32       48       36
    transition3      7 x 7
    denseblock4      7 x 7    16       32       32       24
    classifier       1000     of the average of each map
    growth rate k             32       32       32       48
    parameters                7,978,856         20,013,928
                                       14,149,480        28,681,000
    multiply-adds in 10^9     2.834    3.360    4.291    7.728

    Batch norm and ReLU come in front of every convolution; a layer's k new maps are put behind
    those that it saw.

    Args:    growth_rate (int): k, the new maps of a layer.
             block_config (sequence of int): layers of each block.
             num_init_features (int): maps of conv0.
             bn_size (int or None): the 1x1 of a layer makes bn_size * k maps; None: there is none.
             drop_rate (float): dropout of the new maps.
             num_classes (int): at least 1.
             memory_efficient (bool): accepted, as torchvision accepts it, and without effect.
             in_channels (int): of the images.
             compression (float): the part of the maps that a transition keeps, above 0 to 1.
             stem (str): "imagenet" is conv0 and pool0 as above, "cifar" one 3x3 convolution.
    Shape:   (N, in_channels, H, W) to (N, num_classes), any H and W from 29, for "cifar" from 4.
    Raises:  ValueError: if a number is out of its range, there is no such stem, or images are too
             small.
    Example: >>> import tinycnn
             >>> net = DenseNet(8, (2, 2), 16, num_classes=5, stem="cifar")
             >>> net(tinycnn.zeros(2, 3, 32, 32)).shape
             (2, 5)
    Source:  Huang et al. 2017, section 3; parameter keys as in torchvision.
    """

    def __init__(self, growth_rate: int = 32, block_config: Sequence[int] = (6, 12, 24, 16),
                 num_init_features: int = 64, bn_size: int | None = 4, drop_rate: float = 0.0,
                 num_classes: int = 1000, memory_efficient: bool = False, *, in_channels: int = 3,
                 compression: float = 0.5, stem: str = "imagenet"):
        super().__init__()
        if not isinstance(block_config, (tuple, list)) or not block_config:
            fail("DenseNet", "block_config to be the numbers of layers of the blocks",
                 repr(block_config), "DenseNet-121 has (6, 12, 24, 16).", TypeError)
        counts("DenseNet", growth_rate=growth_rate, num_init_features=num_init_features,
               bn_size=1 if bn_size is None else bn_size, num_classes=num_classes,
               in_channels=in_channels,
               **{f"block_config[{i}]": count for i, count in enumerate(block_config)})
        require(0 < float_of("DenseNet", "compression", compression, "Pass for example 0.5.") <= 1,
                "DenseNet", "compression above 0 and up to 1", repr(compression),
                "Pass for example 0.5, or 1 to keep all maps.")
        one_of("DenseNet", "stem", stem, _STEMS, "Take cifar for images of about 32 x 32.")
        halved = 2 ** (len(block_config) - 1)  # by the transitions, which drop what is odd
        self.least = halved if stem == "cifar" else 4 * (halved - 1) + 1
        channels = num_init_features
        parts = _STEMS[stem](in_channels, channels)
        for number, layers in enumerate(block_config, 1):
            if number > 1:
                kept = int(channels * compression)
                parts[f"transition{number - 1}"] = _Transition(channels, kept)
                channels = kept
            block = _DenseBlock(layers, channels, growth_rate, bn_size, drop_rate)
            parts[f"denseblock{number}"] = block
            channels += layers * growth_rate
        parts[f"norm{len(block_config) + 1}"] = nn.BatchNorm2d(channels)
        parts["relu"] = nn.ReLU()
        self.features = nn.Sequential(parts)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, num_classes)
        initialise(self, conv=nn.init.kaiming_normal_)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        check_images("DenseNet", x, least=self.least)
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _imagenet_stem(in_channels: int, channels: int) -> dict[str, nn.Module]:
    return {"conv0": nn.Conv2d(in_channels, channels, 7, stride=2, padding=3, bias=False),
            "norm0": nn.BatchNorm2d(channels), "relu0": nn.ReLU(),
            "pool0": nn.MaxPool2d(3, stride=2, padding=1)}


def _cifar_stem(in_channels: int, channels: int) -> dict[str, nn.Module]:
    return {"conv0": nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)}


_STEMS = {"imagenet": _imagenet_stem, "cifar": _cifar_stem}


class _DenseLayer(nn.Sequential):
    """All maps so far to the new ones: with bn_size by way of a bottleneck."""

    def __init__(self, channels: int, growth_rate: int, bn_size: int | None, drop_rate: float):
        parts: dict[str, nn.Module] = {}
        number = 1
        if bn_size is not None:
            parts |= {"norm1": nn.BatchNorm2d(channels), "relu1": nn.ReLU(),
                      "conv1": nn.Conv2d(channels, bn_size * growth_rate, 1, bias=False)}
            channels, number = bn_size * growth_rate, 2
        parts |= {f"norm{number}": nn.BatchNorm2d(channels), f"relu{number}": nn.ReLU(),
                  f"conv{number}": nn.Conv2d(channels, growth_rate, 3, padding=1, bias=False)}
        if drop_rate:
            parts["dropout"] = nn.Dropout(drop_rate)
        super().__init__(parts)


class _DenseBlock(nn.Module):
    """Layers of one size, figure 1."""

    def __init__(self, layers: int, channels: int, growth_rate: int, bn_size: int | None,
                 drop_rate: float):
        super().__init__()
        for i in range(layers):
            layer = _DenseLayer(channels + i * growth_rate, growth_rate, bn_size, drop_rate)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = cat([x, layer(x)], 1)
        return x


class _Transition(nn.Sequential):
    """Fewer maps, of half the size."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__({"norm": nn.BatchNorm2d(in_channels), "relu": nn.ReLU(),
                          "conv": nn.Conv2d(in_channels, channels, 1, bias=False),
                          "pool": nn.AvgPool2d(2)})


def densenet121(**options: Any) -> DenseNet:
    """DenseNet(32, (6, 12, 24, 16), 64, **options): 7,978,856 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(densenet121, num_classes=10).classifier
             Linear(in_features=1024, out_features=10, bias=True)
    """
    return DenseNet(32, (6, 12, 24, 16), 64, **options)


def densenet161(**options: Any) -> DenseNet:
    """DenseNet(48, (6, 12, 36, 24), 96, **options): 28,681,000 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(densenet161).classifier.in_features
             2208
    """
    return DenseNet(48, (6, 12, 36, 24), 96, **options)


def densenet169(**options: Any) -> DenseNet:
    """DenseNet(32, (6, 12, 32, 32), 64, **options): 14,149,480 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(densenet169).classifier.in_features
             1664
    """
    return DenseNet(32, (6, 12, 32, 32), 64, **options)


def densenet201(**options: Any) -> DenseNet:
    """DenseNet(32, (6, 12, 48, 32), 64, **options): 20,013,928 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(densenet201).classifier.in_features
             1920
    """
    return DenseNet(32, (6, 12, 48, 32), 64, **options)


def densenet_cifar(depth: int = 40, growth_rate: int = 12, bc: bool = False, num_classes: int = 10,
                   **options: Any) -> DenseNet:
    """The networks for CIFAR: three blocks of equally many layers, at 32, 16 and 8 pixels.

    depth   k    bc      parameters   10^6 multiply-adds   test error (paper, CIFAR-10, augmented)
       40   12   False    1,019,722      265                  5.24 %
      100   12   True       769,162      288                  4.51 %
      190   40   True    25,624,430    9,302                  3.46 %

    Args:    depth (int): 3n + 4 for blocks of n layers, with bc 6n + 4.
             growth_rate (int): k.
             bc (bool): DenseNet-BC: layers with a 1x1 in front, transitions that halve the maps,
             and 2k maps to begin with, not 16.
             num_classes (int): at least 1.
             options: as DenseNet's; the paper has drop_rate=0.2 where images are not augmented.
    Returns: DenseNet.
    Raises:  ValueError: if depth is no such number.
    Example: >>> import tinycnn
             >>> densenet_cifar(10, bc=True)(tinycnn.zeros(2, 3, 32, 32)).shape
             (2, 10)
    Source:  Huang et al. 2017, sections 3 and 4, Table 2.
    """
    counts("densenet_cifar", growth_rate=growth_rate)
    depth = int_of("densenet_cifar", "depth", depth, "Pass for example 40.")
    step = 6 if bc else 3
    if depth < 4 + step or depth % step != 4 % step:
        fail("densenet_cifar", f"depth to be {step}n + 4 with bc={bc}, n at least 1", repr(depth),
             "The paper's are 40 and 100, with bc=True 100, 190 and 250.")
    return DenseNet(
        growth_rate, [(depth - 4) // step] * 3, 2 * growth_rate if bc else 16, 4 if bc else None,
        num_classes=num_classes, compression=0.5 if bc else 1.0, stem="cifar", **options)
