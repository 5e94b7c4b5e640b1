"""ResNets for CIFAR, and the plain networks that they were compared with.

Source: He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition" (arXiv 1512.03385,
        2015), section 4.2.
"""

from typing import Any

from .. import nn
from .._core.checks import fail, int_of
from ..nn.functional import pad
from ..tensor import Tensor
from ._shared import check_images, counts, he, initialise


class ResNetCIFAR(nn.Module):
    """Networks of 6n + 2 layers for small images, with shortcuts that have no parameters.

    stage     output          layers       depth   n   parameters   multiply-adds in 10^6
    conv1     16 x 32 x 32    1               20   3      269,722      41
    layer1    16 x 32 x 32    2n              32   5      464,154      69
    layer2    32 x 16 x 16    2n              44   7      658,586      97
    layer3    64 x 8 x 8      2n              56   9      853,018     125
    fc                  10    1              110  18    1,727,962     253

    All convolutions are 3x3. Where a stage halves the size, the shortcut takes every other pixel,
    and zeros for the new channels (the paper's option A).

    With residual=False the same layers have no shortcuts: the plain networks of figure 6, left,
    which learn worse the deeper they are.

    Args:    depth (int): 6n + 2, n at least 1.
             num_classes, in_channels (int): at least 1.
             residual (bool): whether there are shortcuts.
    Shape:   (N, in_channels, H, W) to (N, num_classes), any H and W; 32 x 32 in the table.
    Raises:  ValueError: if depth is no 6n + 2, or a number is below 1.
    Example: >>> import tinycnn
             >>> ResNetCIFAR(8)(tinycnn.zeros(2, 3, 32, 32)).shape
             (2, 10)
    Source:  He et al. 2016, section 4.2 and Table 6.
    """

    def __init__(self, depth: int = 20, num_classes: int = 10, in_channels: int = 3,
                 residual: bool = True):
        super().__init__()
        depth = int_of("ResNetCIFAR", "depth", depth, "Pass for example 20.")
        if depth < 8 or depth % 6 != 2:
            fail("ResNetCIFAR", "depth to be 6n + 2, n at least 1", repr(depth),
                 "The paper's are 20, 32, 44, 56 and 110.")
        counts("ResNetCIFAR", num_classes=num_classes, in_channels=in_channels)
        n = (depth - 2) // 6
        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = _stage(n, 16, 16, residual)
        self.layer2 = _stage(n, 16, 32, residual)
        self.layer3 = _stage(n, 32, 64, residual)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, num_classes)
        initialise(self, conv=he)

    def forward(self, x: Tensor) -> Tensor:
        check_images("ResNetCIFAR", x)
        x = nn.chain(x, self.conv1, self.bn1, self.relu)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


class _Block(nn.Module):
    """Two 3x3 convolutions, and a shortcut or none."""

    def __init__(self, in_channels: int, channels: int, residual: bool):
        super().__init__()
        stride = 1 if in_channels == channels else 2
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = nn.chain(x, self.conv1, self.bn1, self.relu)
        return nn.chain(y, self.conv2, self.bn2, self.relu,
                        residual=self._shortcut(x) if self.residual else None)

    def _shortcut(self, x: Tensor) -> Tensor:
        new = self.conv1.out_channels - self.conv1.in_channels
        return pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, new)) if new else x


def _stage(blocks: int, in_channels: int, channels: int, residual: bool) -> nn.Sequential:
    return nn.Sequential(_Block(in_channels, channels, residual),
                         *(_Block(channels, channels, residual) for _ in range(1, blocks)))


def resnet20(**options: Any) -> ResNetCIFAR:
    """ResNetCIFAR(20, **options): 269,722 parameters, 8.75 % test error on CIFAR-10.

    Example: >>> len(resnet20().layer1)
             3
    """
    return ResNetCIFAR(20, **options)


def resnet32(**options: Any) -> ResNetCIFAR:
    """ResNetCIFAR(32, **options): 464,154 parameters, 7.51 % test error on CIFAR-10.

    Example: >>> len(resnet32().layer1)
             5
    """
    return ResNetCIFAR(32, **options)


def resnet44(**options: Any) -> ResNetCIFAR:
    """ResNetCIFAR(44, **options): 658,586 parameters, 7.17 % test error on CIFAR-10.

    Example: >>> len(resnet44().layer1)
             7
    """
    return ResNetCIFAR(44, **options)


def resnet56(**options: Any) -> ResNetCIFAR:
    """ResNetCIFAR(56, **options): 853,018 parameters, 6.97 % test error on CIFAR-10.

    Example: >>> len(resnet56().layer1)
             9
    """
    return ResNetCIFAR(56, **options)


def resnet110(**options: Any) -> ResNetCIFAR:
    """ResNetCIFAR(110, **options): 1,727,962 parameters, 6.43 % test error on CIFAR-10.

    Example: >>> len(resnet110().layer1)
             18
    """
    return ResNetCIFAR(110, **options)
