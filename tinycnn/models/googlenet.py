"""GoogLeNet, the first Inception network, in two forms.

Source: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke & Rabinovich 2015, "Going
        deeper with convolutions" (arXiv 1409.4842, 2014).
"""

from typing import Any, NamedTuple

from .. import nn
from ..tensor import Tensor
from ._inception import (
    Branches,
    ConvNorm,
    check_arguments,
    to_inception_scale,
    truncated_normal,
)
from ._shared import check_images

TABLE_1 = {  # channels in; #1x1; #3x3 reduce, #3x3; #5x5 reduce, #5x5; pool proj
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


class GoogLeNetOutputs(NamedTuple):
    """What a GoogLeNet returns in training: class scores of the main and the auxiliary heads.

    Args:    logits (Tensor): (N, num_classes), as in evaluation.
             aux_logits2, aux_logits1 (Tensor): (N, num_classes), of inception4d and inception4a.
    Example: >>> import tinycnn
             >>> from tinycnn.models import GoogLeNet
             >>> logits, aux2, aux1 = GoogLeNet(num_classes=10)(tinycnn.zeros(2, 3, 32, 32))
             >>> logits.shape, aux2.shape, aux1.shape
             ((2, 10), (2, 10), (2, 10))
    """

    logits: Tensor
    aux_logits2: Tensor
    aux_logits1: Tensor


class _Convolution(nn.Sequential):
    """Convolution with bias, ReLU; keeps the size of the map."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1):
        super().__init__({
            "conv": nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2),
            "relu": nn.ReLU(),
        })


def _inception(unit: Any, five: int, channels: int, one: int, three_reduce: int, three: int,
               five_reduce: int, five_channels: int, pool: int) -> Branches:
    """Figure 2b with a row of table 1; `five` is the window of the branch that is drawn 5x5."""
    return Branches(
        branch1=unit(channels, one, 1),
        branch2=nn.Sequential(unit(channels, three_reduce, 1), unit(three_reduce, three, 3)),
        branch3=nn.Sequential(unit(channels, five_reduce, 1),
                              unit(five_reduce, five_channels, five)),
        branch4=nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
                              unit(channels, pool, 1)),
    )


def _auxiliary(unit: Any, channels: int, num_classes: int, pool: nn.Module,
               dropout: float) -> nn.Sequential:
    """One of the two towers beside the trunk of figure 3; `pool` leaves 4 x 4."""
    return nn.Sequential({
        "pool": pool,
        "conv": unit(channels, 128, 1),
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(128 * 4 * 4, 1024),
        "relu": nn.ReLU(),
        "dropout": nn.Dropout(dropout),
        "fc2": nn.Linear(1024, num_classes),
    })


class _GoogLeNet(nn.Module):
    """What both forms have in common: the order of table 1."""

    aux1: nn.Module | None = None
    aux2: nn.Module | None = None

    def __init__(self, unit: Any, five: int, pool4: int, num_classes: int, in_channels: int,
                 dropout: float):
        super().__init__()
        self.in_channels = in_channels
        self.conv1 = unit(in_channels, 64, 7, 2)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = unit(64, 64, 1)
        self.conv3 = unit(64, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for name, row in TABLE_1.items():
            if name == "4a":
                self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            if name == "5a":
                self.maxpool4 = nn.MaxPool2d(pool4, stride=2, ceil_mode=True)
            self.add_module(f"inception{name}", _inception(unit, five, *row))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)

    def forward(self, input: Tensor) -> Tensor | GoogLeNetOutputs:
        x = self.maxpool1(self.conv1(input))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x4a = self.inception4a(x)
        x4d = self.inception4d(self.inception4c(self.inception4b(x4a)))
        x = self.maxpool4(self.inception4e(x4d))
        x = self.inception5b(self.inception5a(x))
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 is not None and self.aux2 is not None:
            return GoogLeNetOutputs(logits, self.aux2(x4d), self.aux1(x4a))
        return logits


class GoogLeNet(_GoogLeNet):
    """GoogLeNet as torchvision has it: batch norm, and 3x3 where the paper has 5x5.

    layer        kind                        output            parameters
    conv1        7x7 / 2                       64 x 112 x 112       9,536
    maxpool1     max 3x3 / 2                   64 x 56 x 56
    conv2        1x1                           64 x 56 x 56         4,224
    conv3        3x3                          192 x 56 x 56       110,976
    maxpool2     max 3x3 / 2                  192 x 28 x 28
    inception3a  1x1, 3x3, 3x3, pool          256 x 28 x 28       155,872
    inception3b                               480 x 28 x 28       340,224
    maxpool3     max 3x3 / 2                  480 x 14 x 14
    inception4a                               512 x 14 x 14       364,512
    inception4b                               512 x 14 x 14       425,232
    inception4c                               512 x 14 x 14       486,192
    inception4d                               528 x 14 x 14       573,312
    inception4e                               832 x 14 x 14       803,840
    maxpool4     max 2x2 / 2                  832 x 7 x 7
    inception5a                               832 x 7 x 7         978,944
    inception5b                              1024 x 7 x 7       1,347,040
    avgpool      average                     1024 x 1 x 1
    fc           dropout, linear                      1000      1,025,000
                                                                6,624,904
    aux1         average, 1x1, linear twice           1000      3,188,968
    aux2                                              1000      3,191,016
                                                               13,004,888

    In training the auxiliary heads, of inception4a and inception4d, are returned beside the main
    one. The paper adds their losses with a weight of 0.3, which is up to the training script:
    loss = cross_entropy(logits, y) + 0.3 * (cross_entropy(aux_logits1, y) + ...).

    Args:    num_classes (int): at least 1.
             aux_logits (bool): have the auxiliary heads.
             transform_input (bool): images are normalised with ImageNet's means and deviations,
             the weights were trained on images between -1 and 1.
             init_weights (bool): draw weights from a normal distribution with deviation 0.01, as
             torchvision; otherwise they start as those of any layer.
             dropout, dropout_aux (float): of the main and the auxiliary heads.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), in training with aux_logits to three of
             them (GoogLeNetOutputs); H and W at least 15, trained at 224.
    Raises:  ValueError: if a number is below 1, or transform_input is not for colours; forward: if
             images are too small, or of other channels.
    Example: >>> import tinycnn
             >>> net = GoogLeNet(num_classes=10, aux_logits=False).eval()
             >>> net(tinycnn.zeros(1, 3, 64, 64)).shape
             (1, 10)
    Source:  Szegedy et al. 2015, table 1; parameter keys as in torchvision. 1.498e9 multiply-adds.
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True,
                 transform_input: bool = False, init_weights: bool = True, *,
                 dropout: float = 0.2, dropout_aux: float = 0.7, in_channels: int = 3):
        check_arguments("GoogLeNet", num_classes, in_channels, transform_input)
        super().__init__(ConvNorm, 3, 2, num_classes, in_channels, dropout)
        self.transform_input = transform_input
        if aux_logits:
            for name, channels in ("aux1", 512), ("aux2", 528):
                self.add_module(name, _auxiliary(ConvNorm, channels, num_classes,
                                                 nn.AdaptiveAvgPool2d(4), dropout_aux))
        if init_weights:
            truncated_normal(self, 0.01)

    def forward(self, input: Tensor) -> Tensor | GoogLeNetOutputs:
        check_images("GoogLeNet", input, self.in_channels, 15)
        return super().forward(to_inception_scale(input) if self.transform_input else input)


class GoogLeNet2014(_GoogLeNet):
    """GoogLeNet as it won in 2014: 5x5 convolutions, biases, local response normalisation.

    layer        kind                        output            parameters
    conv1        7x7 / 2                       64 x 112 x 112       9,472
    maxpool1     max 3x3 / 2, LRN              64 x 56 x 56
    conv2        1x1                           64 x 56 x 56         4,160
    conv3        3x3, LRN                     192 x 56 x 56       110,784
    maxpool2     max 3x3 / 2                  192 x 28 x 28
    inception3a  1x1, 3x3, 5x5, pool          256 x 28 x 28       163,696
    inception3b                               480 x 28 x 28       388,736
    maxpool3     max 3x3 / 2                  480 x 14 x 14
    inception4a                               512 x 14 x 14       376,176
    inception4b                               512 x 14 x 14       449,160
    inception4c                               512 x 14 x 14       510,104
    inception4d                               528 x 14 x 14       605,376
    inception4e                               832 x 14 x 14       868,352
    maxpool4     max 3x3 / 2                  832 x 7 x 7
    inception5a                               832 x 7 x 7       1,043,456
    inception5b                              1024 x 7 x 7       1,444,080
    avgpool      average                     1024 x 1 x 1
    fc           dropout, linear                      1000      1,025,000
                                                                6,998,552
    aux1         average 5x5 / 3, 1x1, linear twice   1000      3,188,840
    aux2                                              1000      3,190,888
                                                               13,378,280

    For the auxiliary heads, and the weight of their losses, see GoogLeNet.

    Args:    as GoogLeNet.
    Shape:   (N, in_channels, H, W) to (N, num_classes), in training with aux_logits to three of
             them (GoogLeNetOutputs). H and W at least 31; in training with aux_logits 223 to 270,
             from which the pooling of the heads leaves 4 x 4.
    Raises:  ValueError: if a number is below 1; forward: if images are too small, or of other
             channels.
    Example: >>> import tinycnn
             >>> net = GoogLeNet2014(num_classes=10, aux_logits=False).eval()
             >>> net(tinycnn.zeros(1, 3, 64, 64)).shape
             (1, 10)
    Source:  Szegedy et al. 2015, table 1, figure 3 and section 5. What the paper leaves open is as
             in its Caffe version: LRN over 5 channels, first values (uniform in [-b, b), b =
             sqrt(3 / fan_in), biases of convolutions 0.2, others 0). 1.583e9 multiply-adds.
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, *, dropout: float = 0.4,
                 dropout_aux: float = 0.7, in_channels: int = 3):
        check_arguments("GoogLeNet2014", num_classes, in_channels)
        super().__init__(_Convolution, 5, 3, num_classes, in_channels, dropout)
        self.maxpool1 = nn.Sequential(self.maxpool1, nn.LocalResponseNorm(5))
        self.conv3.add_module("norm", nn.LocalResponseNorm(5))
        if aux_logits:
            for name, channels in ("aux1", 512), ("aux2", 528):
                self.add_module(name, _auxiliary(_Convolution, channels, num_classes,
                                                 nn.AvgPool2d(5, stride=3), dropout_aux))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
                nn.init.constant_(module.bias, 0.2 if isinstance(module, nn.Conv2d) else 0.0)

    def forward(self, input: Tensor) -> Tensor | GoogLeNetOutputs:
        if self.training and self.aux1 is not None:
            check_images("GoogLeNet2014", input, self.in_channels, 223, 270, "Resize them, or "
                         "build the network with aux_logits=False to train on other sizes.")
        else:
            check_images("GoogLeNet2014", input, self.in_channels, 31)
        return super().forward(input)


def googlenet(**options: Any) -> GoogLeNet:
    """GoogLeNet(**options): 13,004,888 parameters, 6,624,904 of them without the auxiliary heads.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(googlenet, num_classes=10).fc
             Linear(in_features=1024, out_features=10, bias=True)
    """
    return GoogLeNet(**options)


def googlenet_2014(**options: Any) -> GoogLeNet2014:
    """GoogLeNet2014(**options): 13,378,280 parameters, 6,998,552 of them without auxiliary heads.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(googlenet_2014, num_classes=10).fc
             Linear(in_features=1024, out_features=10, bias=True)
    """
    return GoogLeNet2014(**options)
