"""ResNet: layers that learn what to add to their input.

Source: He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition" (arXiv 1512.03385,
        2015).
"""

from collections.abc import Callable, Sequence
from typing import Any

from .. import nn
from .._core.checks import fail
from ..tensor import Tensor
from ._shared import check_images, counts, he


class BasicBlock(nn.Module):
    """Two 3x3 convolutions: relu(F(x) + x), the left of figure 5.

    Args:    in_channels, channels (int): of the input, of the two convolutions.
             stride (int): of the first convolution.
             downsample (Module or None): makes the input's shape that of the output.
             groups, width_per_group (int): 1 and 64, there is no other form.
             stride_in_1x1 (bool): without effect, there is no 1x1.
             norm_layer (callable or None): channels to batch norm; None means nn.BatchNorm2d.
    Shape:   (N, in_channels, H, W) to (N, channels, H / stride, W / stride).
    Raises:  ValueError: if groups or width_per_group asks for another form.
    Example: >>> import tinycnn
             >>> BasicBlock(8, 8)(tinycnn.zeros(1, 8, 6, 6)).shape
             (1, 8, 6, 6)
    """

    expansion = 1  # output channels / channels

    def __init__(self, in_channels: int, channels: int, stride: int = 1,
                 downsample: nn.Module | None = None, groups: int = 1, width_per_group: int = 64,
                 stride_in_1x1: bool = False, norm_layer: Callable[[int], Any] | None = None):
        super().__init__()
        if (groups, width_per_group) != (1, 64):
            fail("BasicBlock", "groups=1 and width_per_group=64",
                 f"groups={groups} and width_per_group={width_per_group}",
                 "Take Bottleneck for other widths.")
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        norm_layer = norm_layer or nn.BatchNorm2d
        self.bn1 = norm_layer(channels)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = norm_layer(channels)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = nn.chain(x, self.conv1, self.bn1, self.relu)
        return nn.chain(y, self.conv2, self.bn2, self.relu, residual=shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1, of which the last has four times the channels: the right of figure 5.

    Args:    as BasicBlock. The 3x3 has channels * width_per_group / 64 channels in each of groups.
             stride_in_1x1 (bool): stride in the first 1x1, as the paper has it, not in the 3x3.
    Shape:   (N, in_channels, H, W) to (N, 4 * channels, H / stride, W / stride).
    Example: >>> import tinycnn
             >>> Bottleneck(32, 8)(tinycnn.zeros(1, 32, 6, 6)).shape
             (1, 32, 6, 6)
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1,
                 downsample: nn.Module | None = None, groups: int = 1, width_per_group: int = 64,
                 stride_in_1x1: bool = False, norm_layer: Callable[[int], Any] | None = None):
        super().__init__()
        width = channels * width_per_group // 64 * groups
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, width, 1, first, bias=False)
        norm_layer = norm_layer or nn.BatchNorm2d
        self.bn1 = norm_layer(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, padding=1, groups=groups, bias=False)
        self.bn2 = norm_layer(width)
        self.conv3 = nn.Conv2d(width, channels * self.expansion, 1, bias=False)
        self.bn3 = norm_layer(channels * self.expansion)
        self.relu = nn.ReLU()
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = nn.chain(x, self.conv1, self.bn1, self.relu)
        y = nn.chain(y, self.conv2, self.bn2, self.relu)
        return nn.chain(y, self.conv3, self.bn3, self.relu, residual=shortcut)


class ResNet(nn.Module):
    """The ImageNet networks of the paper's Table 1.

    stage     output           18         34         50          101         152
    conv1      64 x 112 x 112  7x7 / 2, batch norm, ReLU
    maxpool    64 x 56 x 56    3x3 / 2
    layer1          56 x 56    2 basic    3 basic    3 bottle    3 bottle    3 bottle      64
    layer2          28 x 28    2          4          4           4           8            128
    layer3          14 x 14    2          6          6           23          36           256
    layer4           7 x 7     2          3          3           3           3            512
    avgpool          1 x 1     512 channels          2048 channels
    fc                 1000
    parameters                 11,689,512 21,797,672 25,557,032  44,549,160  60,192,808
    multiply-adds in 10^9           1.814      3.664      4.089       7.801      11.514

    The last column: channels of the blocks' 3x3. The first block of layers 2 to 4 halves the size;
    where shapes differ, the shortcut is a 1x1 convolution with batch norm (the paper's option B).

    Args:    block (class): BasicBlock or Bottleneck.
             layers (sequence of int): blocks of layer1, layer2, layer3, layer4.
             num_classes (int): at least 1.
             zero_init_residual (bool): let every block begin as its shortcut (Goyal et al. 2017).
             groups, width_per_group (int): of the 3x3 of a Bottleneck, see ResNeXt.
             norm_layer (callable or None): channels to batch norm; None means nn.BatchNorm2d.
             in_channels (int): of the images.
             stride_in_1x1 (bool): True is the paper's network, "v1", False "v1.5", torchvision's,
                 which halves the size in the 3x3 and so drops no pixel unseen.
    Shape:   (N, in_channels, H, W) to (N, num_classes), any H and W; 224 x 224 in the table.
    Raises:  ValueError: if a number is below 1, or layers are not four.
    Example: >>> import tinycnn
             >>> ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)(tinycnn.zeros(1, 3, 64, 64)).shape
             (1, 5)
    Source:  He et al. 2016, section 4.1 and Table 1; parameter keys as in torchvision.
    """

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], layers: Sequence[int],
                 num_classes: int = 1000, zero_init_residual: bool = False, groups: int = 1,
                 width_per_group: int = 64, *, norm_layer: Callable[[int], Any] | None = None,
                 in_channels: int = 3, stride_in_1x1: bool = False):
        super().__init__()
        counts("ResNet", num_classes=num_classes, in_channels=in_channels, groups=groups,
               width_per_group=width_per_group)
        if not isinstance(block, type) or not hasattr(block, "expansion"):
            fail("ResNet", "block to be BasicBlock or Bottleneck", repr(block),
                 "Pass the class itself.", TypeError)
        if not isinstance(layers, Sequence) or len(layers) != 4:
            fail("ResNet", "four numbers of blocks as layers", repr(layers),
                 "ResNet-50 has [3, 4, 6, 3].")
        counts("ResNet", **{f"layers[{i}]": count for i, count in enumerate(layers)})
        norm_layer = norm_layer or nn.BatchNorm2d
        if not callable(norm_layer):
            fail("ResNet", "norm_layer to be a class or a function of the channels",
                 repr(norm_layer), "Pass for example nn.BatchNorm2d.", TypeError)
        options = {"groups": groups, "width_per_group": width_per_group,
                   "stride_in_1x1": stride_in_1x1, "norm_layer": norm_layer}
        self.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm_layer(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        out = block.expansion
        self.layer1 = _stage(block, layers[0], 64, 64, 1, options)
        self.layer2 = _stage(block, layers[1], 64 * out, 128, 2, options)
        self.layer3 = _stage(block, layers[2], 128 * out, 256, 2, options)
        self.layer4 = _stage(block, layers[3], 256 * out, 512, 2, options)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * out, num_classes)
        for module in self.modules():
            if type(module) is nn.Conv2d:
                he(module.weight)
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
                nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        check_images("ResNet", x)
        x = self.maxpool(nn.chain(x, self.conv1, self.bn1, self.relu))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _stage(block: Any, blocks: int, in_channels: int, channels: int, stride: int,
           options: dict[str, Any]) -> nn.Sequential:
    """Blocks of one size; the first one comes to that size, and to these channels."""
    out_channels = channels * block.expansion
    downsample = None
    if stride != 1 or in_channels != out_channels:
        downsample = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                                   options["norm_layer"](out_channels))
    first = block(in_channels, channels, stride, downsample, **options)
    return nn.Sequential(first, *(block(out_channels, channels, **options)
                                  for _ in range(1, blocks)))


def resnet18(**options: Any) -> ResNet:
    """ResNet(BasicBlock, [2, 2, 2, 2], **options): 11,689,512 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(resnet18, num_classes=10).fc
             Linear(in_features=512, out_features=10, bias=True)
    """
    return ResNet(BasicBlock, [2, 2, 2, 2], **options)


def resnet34(**options: Any) -> ResNet:
    """ResNet(BasicBlock, [3, 4, 6, 3], **options): 21,797,672 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(resnet34).layer3)
             6
    """
    return ResNet(BasicBlock, [3, 4, 6, 3], **options)


def resnet50(**options: Any) -> ResNet:
    """ResNet(Bottleneck, [3, 4, 6, 3], **options): 25,557,032 parameters.

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(resnet50, stride_in_1x1=True).layer2[0].conv1.stride
             (2, 2)
    """
    return ResNet(Bottleneck, [3, 4, 6, 3], **options)


def resnet101(**options: Any) -> ResNet:
    """ResNet(Bottleneck, [3, 4, 23, 3], **options): 44,549,160 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(resnet101).layer3)
             23
    """
    return ResNet(Bottleneck, [3, 4, 23, 3], **options)


def resnet152(**options: Any) -> ResNet:
    """ResNet(Bottleneck, [3, 8, 36, 3], **options): 60,192,808 parameters.

    Example: >>> from tinycnn import nn
             >>> len(nn.utils.skip_init(resnet152).layer3)
             36
    """
    return ResNet(Bottleneck, [3, 8, 36, 3], **options)
