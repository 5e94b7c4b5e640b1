"""VGG: nothing but 3x3 convolutions, and many of them.

Source: Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image
        recognition" (arXiv 1409.1556, 2014), Table 1.
"""

from typing import Any

from .. import nn
from ..tensor import Tensor
from ._shared import check_images, counts, he, initialise, one_of, response_norm, small_normal

# The columns of the paper's Table 1: channels of the 3x3 convolutions of each stage, which max
# pooling ends; "512:1" is a 1x1 convolution.
_VARIANTS = {
    "A":     "64     | 128     | 256 256         | 512 512         | 512 512",
    "A-LRN": "64 LRN | 128     | 256 256         | 512 512         | 512 512",
    "B":     "64 64  | 128 128 | 256 256         | 512 512         | 512 512",
    "C":     "64 64  | 128 128 | 256 256 256:1   | 512 512 512:1   | 512 512 512:1",
    "D":     "64 64  | 128 128 | 256 256 256     | 512 512 512     | 512 512 512",
    "E":     "64 64  | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}


class VGG(nn.Module):
    """The networks of the paper's Table 1: A, A-LRN, B, C, D and E.

    stage     output           A    A-LRN      B    C           D    E
    1          64 x 112 x 112  1    1 + LRN    2    2           2    2    3x3, then max 2x2
    2         128 x  56 x 56   1    1          2    2           2    2
    3         256 x  28 x 28   2    2          2    2 + a 1x1   3    4
    4         512 x  14 x 14   2    2          2    2 + a 1x1   3    4
    5         512 x   7 x 7    2    2          2    2 + a 1x1   3    4
    fc6, fc7             4096  with ReLU and dropout
    fc8                  1000
    torchvision's vgg..        11   -         13    -           16   19
    parameters in millions    132.9 132.9    133.0 133.6       138.4 143.7
    multiply-adds in 10^9       7.6   7.6     11.3  11.8        15.5  19.6

    Two 3x3 see what one 5x5 sees, three what one 7x7 sees, with fewer weights and more ReLU.

    Args:    variant (str): a column of the table.
             batch_norm (bool): batch norm behind every convolution, which the paper has not.
             num_classes, in_channels (int): at least 1.
             init_weights (bool): He's values for convolutions, N(0, 0.01) for the linear layers and
                 0 for biases, as torchvision has it; False leaves the layers as they begin.
             dropout (float): behind fc6 and fc7.
    Shape:   (N, in_channels, H, W) to (N, num_classes), H and W at least 32: what leaves stage 5 is
             averaged to 7 x 7, which changes nothing at 224 x 224.
    Raises:  ValueError: if there is no such variant, or a number is below 1; if images are smaller.
    Example: >>> from tinycnn import nn
             >>> net = nn.utils.skip_init(VGG, "C", num_classes=10)
             >>> [layer.kernel_size for layer in net.features if isinstance(layer, nn.Conv2d)][-3:]
             [(3, 3), (3, 3), (1, 1)]
    Source:  Simonyan & Zisserman 2015; keys of the parameters as in torchvision.
    """

    def __init__(self, variant: str = "D", batch_norm: bool = False, num_classes: int = 1000,
                 in_channels: int = 3, init_weights: bool = True, dropout: float = 0.5):
        super().__init__()
        one_of("VGG", "variant", variant, _VARIANTS, "D is VGG-16, E is VGG-19.")
        counts("VGG", num_classes=num_classes, in_channels=in_channels)
        self.features = _features(_VARIANTS[variant], in_channels, batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialise(self, conv=he, linear=small_normal)

    def forward(self, x: Tensor) -> Tensor:
        check_images("VGG", x, least=32)
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _features(stages: str, channels: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for stage in stages.split("|"):
        for word in stage.split():
            if word == "LRN":
                layers.append(response_norm())
                continue
            out_channels, _, one = word.partition(":")
            size = 1 if one else 3
            layers.append(nn.Conv2d(channels, int(out_channels), size, padding=size // 2))
            channels = int(out_channels)
            layers += [nn.BatchNorm2d(channels)] * batch_norm + [nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def vgg11(**options: Any) -> VGG:
    """VGG("A", **options): 8 convolutions, 132,863,336 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(vgg11, num_classes=10).features[0]
             Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """
    return VGG("A", **options)


def vgg13(**options: Any) -> VGG:
    """VGG("B", **options): 10 convolutions, 133,047,848 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(vgg13).features)
             25
    """
    return VGG("B", **options)


def vgg16(**options: Any) -> VGG:
    """VGG("D", **options): 13 convolutions, 138,357,544 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(vgg16).features)
             31
    """
    return VGG("D", **options)


def vgg19(**options: Any) -> VGG:
    """VGG("E", **options): 16 convolutions, 143,667,240 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(vgg19).features)
             37
    """
    return VGG("E", **options)


def vgg11_bn(**options: Any) -> VGG:
    """VGG("A", batch_norm=True, **options): 132,868,840 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(vgg11_bn).features[:3]
             Sequential(
               (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
               (1): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
               (2): ReLU()
             )
    """
    return VGG("A", batch_norm=True, **options)


def vgg13_bn(**options: Any) -> VGG:
    """VGG("B", batch_norm=True, **options): 133,053,736 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(vgg13_bn).features)
             35
    """
    return VGG("B", batch_norm=True, **options)


def vgg16_bn(**options: Any) -> VGG:
    """VGG("D", batch_norm=True, **options): 138,365,992 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(vgg16_bn).features)
             44
    """
    return VGG("D", batch_norm=True, **options)


def vgg19_bn(**options: Any) -> VGG:
    """VGG("E", batch_norm=True, **options): 143,678,248 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(vgg19_bn).features)
             53
    """
    return VGG("E", batch_norm=True, **options)
