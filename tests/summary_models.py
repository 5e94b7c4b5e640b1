"""Models that the tests of summary() look at."""

import tinycnn.nn.functional as F
from tinycnn import nn


class Calls(nn.Module):
    """A module whose forward is a function of it and its input."""

    def __init__(self, function, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = function

    def forward(self, *args, **kwargs):
        return self.function(self, *args, **kwargs)


def conv(i=1, o=1, k=3, **options):
    return nn.Conv2d(i, o, k, **options)


def alexnet():
    return nn.Sequential(
        conv(3, 96, 11, stride=4), nn.ReLU(), nn.MaxPool2d(3, 2),
        conv(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        conv(256, 384, padding=1), nn.ReLU(), conv(384, 384, padding=1, groups=2), nn.ReLU(),
        conv(384, 256, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2))


def vgg_16():
    layers, channels = [], 3
    for out, count in (64, 2), (128, 2), (256, 3), (512, 3), (512, 3):
        for _ in range(count):
            layers += [conv(channels, out, padding=1), nn.ReLU()]
            channels = out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def block(i, o, stride):
    """A residual block, written with `+=` and functions, as is usual."""

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        y += x if self.down is None else self.down(x)
        return F.relu(y)

    return Calls(
        forward, conv1=conv(i, o, stride=stride, padding=1, bias=False), norm1=nn.BatchNorm2d(o),
        conv2=conv(o, o, padding=1, bias=False), norm2=nn.BatchNorm2d(o),
        down=nn.Sequential(conv(i, o, 1, stride=stride, bias=False), nn.BatchNorm2d(o))
        if stride > 1 else None)


def resnet(blocks):
    stages = []
    for stage, count in enumerate(blocks):
        i, o = 64 * 2 ** max(stage - 1, 0), 64 * 2**stage
        stages += [block(i if n == 0 else o, o, 2 if stage and n == 0 else 1)
                   for n in range(count)]
    return nn.Sequential(
        conv(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(512, 1000))


def resnet_like():
    return nn.Sequential(conv(1, 4, padding=1), block(4, 4, 1), block(4, 8, 2))
