"""Xception: the Inception idea taken to its limit, a branch for each channel.

Source: Chollet 2017, "Xception: Deep learning with depthwise separable convolutions"
        (arXiv 1610.02357, 2016).
"""

from typing import Any

from .. import nn
from ..tensor import Tensor
from ._inception import Classifier, ConvNorm, HalvingMaxPool, check_arguments


def _separable(number: int, in_channels: int, out_channels: int) -> dict[str, nn.Module]:
    """A box "SeparableConv" of figure 5, which is followed by batch norm."""
    return {
        f"sepconv{number}": nn.SeparableConv2d(in_channels, out_channels, 3, padding=1),
        f"bn{number}": nn.BatchNorm2d(out_channels, eps=0.001),
    }


class _Block(nn.Module):
    """Separable convolutions, each behind a ReLU, and a shortcut around them.

    Args:    widths (ints): channels of the input and behind every separable convolution.
             halve (bool): pool at the end, and have a 1x1 convolution of stride 2 as shortcut.
             relu_first (bool): False leaves out the first ReLU, where the input comes from one.
    """

    def __init__(self, *widths: int, halve: bool = True, relu_first: bool = True):
        super().__init__()
        parts: dict[str, nn.Module] = {}
        for i in range(1, len(widths)):
            if i > 1 or relu_first:
                parts[f"relu{i}"] = nn.ReLU()
            parts |= _separable(i, widths[i - 1], widths[i])
        if halve:
            parts["pool"] = HalvingMaxPool()
        self.residual = nn.Sequential(parts)
        self.shortcut = nn.Sequential({
            "conv": nn.Conv2d(widths[0], widths[-1], 1, stride=2, bias=False),
            "bn": nn.BatchNorm2d(widths[-1], eps=0.001),
        }) if halve else nn.Identity()

    def forward(self, input: Tensor) -> Tensor:
        return self.residual(input) + self.shortcut(input)


class Xception(Classifier):
    """Xception as its author published it, in Keras.

    layer            kind                    output            parameters
    block1           3x3 / 2, 3x3              64 x 147 x 147      19,488
    block2           2 separable, max / 2     128 x 74 x 74        35,264
    block3           2 separable, max / 2     256 x 37 x 37       136,064
    block4           2 separable, max / 2     728 x 19 x 19       915,944
    block5           3 separable              728 x 19 x 19     1,613,976  each, to block12
    block13          2 separable, max / 2    1024 x 10 x 10     2,039,584
    block14          2 separable             2048 x 10 x 10     4,748,800
    avgpool          average                 2048 x 1 x 1
    fc               linear                          1000       2,049,000
                                                               22,855,952

    36 convolutions, of which 34 are separable, 3x3: a depthwise one, then 1x1, nothing in between.
    Blocks 2 to 13 have a shortcut around them: 1x1 with stride 2, or in 5 to 12 nothing at all.

    Args:    num_classes (int): at least 1.
             dropout (float): in front of the linear layer; 0.5 in the paper, Keras has none.
             in_channels (int): of the images.
    Shape:   (N, in_channels, H, W) to (N, num_classes), H and W at least 7, trained at 299.
    Raises:  ValueError: if a number is below 1; forward: if images are too small, or of other
             channels.
    Example: >>> import tinycnn
             >>> net = Xception(num_classes=10).eval()
             >>> net(tinycnn.zeros(1, 3, 64, 64)).shape
             (1, 10)
    Source:  Chollet 2017, figure 5 and section 4; first values (Glorot's) and block numbers as in
             Keras. 8.357e9 multiply-adds.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.0, *, in_channels: int = 3):
        check_arguments("Xception", num_classes, in_channels)
        super().__init__({
            "block1": nn.Sequential({"conv1": ConvNorm(in_channels, 32, 3, 2, 0),
                                     "conv2": ConvNorm(32, 64, 3, 1, 0)}),
            "block2": _Block(64, 128, 128, relu_first=False),
            "block3": _Block(128, 256, 256),
            "block4": _Block(256, 728, 728),
            **{f"block{i}": _Block(728, 728, 728, 728, halve=False) for i in range(5, 13)},
            "block13": _Block(728, 728, 1024),
            "block14": nn.Sequential({**_separable(1, 1024, 1536), "relu1": nn.ReLU(),
                                      **_separable(2, 1536, 2048), "relu2": nn.ReLU()}),
            "avgpool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "dropout": nn.Dropout(dropout),
            "fc": nn.Linear(2048, num_classes),
        }, in_channels, least=7)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(self.fc.bias)


def xception(**options: Any) -> Xception:
    """Xception(**options): 22,855,952 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(xception, num_classes=10).fc
             Linear(in_features=2048, out_features=10, bias=True)
    """
    return Xception(**options)
