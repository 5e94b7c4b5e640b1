"""AlexNet, in two forms.

Source: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural
        networks"; Krizhevsky 2014, "One weird trick for parallelizing convolutional neural
        networks" (arXiv 1404.5997).
"""

from typing import Any

from .. import nn
from ..tensor import Tensor
from ._shared import check_images, counts, image_size, initialise, response_norm, small_normal


class AlexNet(nn.Module):
    """AlexNet of 2014, for one GPU, as torchvision has it: fewer filters, no groups, no LRN.

    layer       kind                         output         parameters
    conv1       11x11 / 4                     64 x 55 x 55      23,296
                max 3x3 / 2                   64 x 27 x 27
    conv2       5x5                          192 x 27 x 27     307,392
                max 3x3 / 2                  192 x 13 x 13
    conv3       3x3                          384 x 13 x 13     663,936
    conv4       3x3                          256 x 13 x 13     884,992
    conv5       3x3                          256 x 13 x 13     590,080
                max 3x3 / 2                  256 x 6 x 6
    fc6         dropout, linear                       4096  37,752,832
    fc7         dropout, linear                       4096  16,781,312
    fc8         linear                                1000   4,097,000
                                                            61,100,840

    Args:    num_classes (int): at least 1.
             dropout (float): in front of fc6 and fc7.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), H and W at least 63: what leaves the last
             pooling is averaged to 6 x 6, which changes nothing at 224 x 224.
    Raises:  ValueError: if a number is below 1, or images are smaller.
    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(AlexNet, num_classes=10).classifier[6]
             Linear(in_features=4096, out_features=10, bias=True)
    Source:  Krizhevsky 2014, with 192 and 256 filters in conv2 and conv4; parameter keys as in
             torchvision.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5, *, in_channels: int = 3):
        super().__init__()
        counts("AlexNet", num_classes=num_classes, in_channels=in_channels)
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        check_images("AlexNet", x, least=63)
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet2012(nn.Module):
    """AlexNet as it won in 2012, the halves of its two GPUs as two groups.

    layer       kind                         output         parameters   multiply-adds
    conv1       11x11 / 4                     96 x 55 x 55      34,944     105,415,200
                LRN, max 3x3 / 2              96 x 27 x 27
    conv2       5x5, 2 groups                256 x 27 x 27     307,456     223,948,800
                LRN, max 3x3 / 2             256 x 13 x 13
    conv3       3x3                          384 x 13 x 13     885,120     149,520,384
    conv4       3x3, 2 groups                384 x 13 x 13     663,936     112,140,288
    conv5       3x3, 2 groups                256 x 13 x 13     442,624      74,760,192
                max 3x3 / 2                  256 x 6 x 6
    fc6         linear, dropout                       4096  37,752,832      37,748,736
    fc7         linear, dropout                       4096  16,781,312      16,777,216
    fc8         linear                                1000   4,097,000       4,096,000
                                                            60,965,224     724,406,816

    conv3 and the linear layers see both halves. Pooling overlaps: windows of 3, every 2.

    Args:    num_classes, in_channels (int): at least 1.
             dropout (float): behind fc6 and fc7.
    Shape:   (N, in_channels, 227, 227) to (N, num_classes). The paper writes 224, from which 55
             outputs do not follow.
    Raises:  ValueError: if a number is below 1; forward: if the images have another size.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> net = nn.utils.skip_init(AlexNet2012, num_classes=10)
             >>> net.features(tinycnn.zeros(1, 3, 227, 227)).shape
             (1, 256, 6, 6)
    Source:  Krizhevsky et al. 2012, section 3 and figure 2; first values from section 5.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5, *, in_channels: int = 3):
        super().__init__()
        counts("AlexNet2012", num_classes=num_classes, in_channels=in_channels)
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 96, 11, stride=4), nn.ReLU(),
            response_norm(), nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(),
            response_norm(), nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        self.size = (in_channels, 227, 227)
        initialise(self, conv=small_normal, linear=small_normal)
        for conv in 4, 10, 12:  # conv2, conv4, conv5: ReLUs begin with positive inputs
            nn.init.ones_(self.features[conv].bias)
        for hidden in 0, 3:
            nn.init.ones_(self.classifier[hidden].bias)

    def forward(self, x: Tensor) -> Tensor:
        image_size("AlexNet2012", x, self.size, "Resize them, or take AlexNet, which averages what "
                   "its convolutions return to one size.")
        return self.classifier(self.features(x).flatten(1))


def alexnet(**options: Any) -> AlexNet:
    """AlexNet(**options), under torchvision's name.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(alexnet).features)
             13
    """
    return AlexNet(**options)


def alexnet_2012(**options: Any) -> AlexNet2012:
    """AlexNet2012(**options).

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(alexnet_2012).features[4].groups
             2
    """
    return AlexNet2012(**options)
