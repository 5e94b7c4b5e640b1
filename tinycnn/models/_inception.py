"""What the papers of the Inception family share: boxes, branches side by side, checks.

Branches are written as the papers draw them, a box as a tuple (channels, kernel, stride, padding).
Without a padding the size of the map stays; a V in a figure, for "valid", is a padding of 0.
"""

from typing import Any

from .. import nn
from .._core.checks import fail
from ..nn.functional import max_pool2d
from ..ops.joining import cat
from ..tensor import Tensor
from ._shared import check_images, counts

Size = int | tuple[int, int]


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; a padding of None keeps the size of the map."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: int = 1,
                 padding: Size | None = None):
        if padding is None:
            padding = tuple(size // 2 for size in kernel_size) if isinstance(
                kernel_size, tuple) else kernel_size // 2
        super().__init__({
            "conv": nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False),
            "bn": nn.BatchNorm2d(out_channels, eps=0.001),
            "relu": nn.ReLU(),
        })


class HalvingMaxPool(nn.Module):
    """3x3 max pooling with stride 2, OH = ceil(H / 2): TensorFlow's "same".

    An odd map is padded by one on both sides, an even one at the end.
    """

    def forward(self, input: Tensor) -> Tensor:
        H, W = input.shape[2:]
        return max_pool2d(input, 3, 2, padding=(H % 2, W % 2), ceil_mode=True)


class Classifier(nn.Sequential):
    """Named layers in order, for images of at least a size.

    Args:    layers (dict of name to Module): in order of use.
             in_channels (int): of the images.
             least (int): smallest height and width.
    Raises:  ValueError: forward: if images are smaller, or of other channels.
    """

    def __init__(self, layers: dict[str, nn.Module], in_channels: int, least: int):
        super().__init__(layers)
        self.in_channels, self.least = in_channels, least

    def forward(self, input: Tensor) -> Tensor:
        check_images(type(self).__name__, input, self.in_channels, self.least)
        return super().forward(input)


def average() -> nn.AvgPool2d:
    """3x3 average pooling that keeps the size of the map and does not count the padding."""
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def path(in_channels: int, *steps: Any) -> nn.Module:
    """One branch: each pool (a Module) or convolution (a tuple) sees the output of the last one."""
    modules = []
    for step in steps:
        if isinstance(step, nn.Module):
            modules.append(step)
        else:
            modules.append(ConvNorm(in_channels, *step))
            in_channels = step[0]
    return nn.Sequential(*modules) if len(modules) > 1 else modules[0]


class Branches(nn.Module):
    """Branches that see the same map; their outputs one behind the other along the channels."""

    def __init__(self, **branches: nn.Module):
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, input: Tensor) -> Tensor:
        return cat([branch(input) for branch in self.children()], 1)


class NumberedBranches(nn.Module):
    """Branches whose convolutions are parts of the module itself, with numbers in their names.

    The only convolution of a branch has the name of the branch; several are name_1, name_2, ...;
    two in a list, which both see the convolution in front, name_3a, name_3b.

    Args:    in_channels (int): of the map that the branches see.
             first (int): the number of the first convolution.
             branches (lists of steps): as for `path`; at the end of one may be a [step, step].
    """

    def __init__(self, in_channels: int, first: int = 1, **branches: list[Any]):
        super().__init__()
        self._branches = [self._make(name, steps, in_channels, first)
                          for name, steps in branches.items()]

    def _make(self, name: str, steps: list[Any], channels: int, number: int) -> list[list[str]]:
        """Make the modules of one branch; their names, a list for each step."""
        names = []
        alone = sum(not isinstance(step, nn.Module) for step in steps) == 1
        for step in steps:
            if isinstance(step, nn.Module):
                names.append([name if len(steps) == 1 else "pool"])
                self.add_module(names[-1][0], step)
                continue
            pair = step if isinstance(step, list) else [step]
            names.append([name if alone else f"{name}_{number}{letter}"
                          for letter in ("ab" if len(pair) == 2 else [""])])
            for label, convolution in zip(names[-1], pair, strict=True):
                self.add_module(label, ConvNorm(channels, *convolution))
            channels, number = pair[0][0], number + 1
        return names

    def forward(self, input: Tensor) -> Tensor:
        outputs = []
        for *front, last in self._branches:
            x = input
            for (name,) in front:
                x = getattr(self, name)(x)
            outputs += [getattr(self, name)(x) for name in last]
        return cat(outputs, 1)


def truncated_normal(network: nn.Module, std: float) -> None:
    """Weights of all convolutions and linear layers normal with mean 0, cut off at -2 and 2."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=std)


def to_inception_scale(input: Tensor) -> Tensor:
    """Colours of ImageNet's means 0 and deviations 1, as if 0.5 and 0.5 had been taken instead."""
    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return cat([input[:, c : c + 1] * (deviations[c] / 0.5) + (means[c] - 0.5) / 0.5
                for c in range(3)], 1)


def check_arguments(network: str, num_classes: int, in_channels: int,
                    transform_input: bool = False) -> None:
    """Raise unless there is a class and a channel, and transform_input has colours to transform."""
    counts(network, num_classes=num_classes, in_channels=in_channels)
    if transform_input and in_channels != 3:
        fail(network, "in_channels=3 with transform_input", in_channels,
             "It brings red, green and blue to another scale: leave it out for other images.")
