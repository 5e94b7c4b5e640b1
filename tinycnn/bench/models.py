"""The networks that are timed: one text for both libraries, so that they cannot differ."""


def lenet5(nn, linear_c5: bool = False):
    """LeNet-5 for 28 x 28 digits: 61,706 parameters, the layers of tinycnn.models.LeNet5.

    Args:    nn (module): tinycnn.nn or torch.nn.
             linear_c5 (bool): C5 sees 5 x 5 maps through a 5 x 5 window, so that a linear layer
                 does the same arithmetic; in PyTorch it is the faster form.
    """
    if linear_c5:
        c5 = [nn.Flatten(), nn.Linear(400, 120), nn.ReLU()]
    else:
        c5 = [nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        *c5,
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )


# Widths of the convolutions of VGG-11; "pool" halves the map.
_VGG11 = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool")


def vgg11_bn(nn):
    """VGG-11 with batch norm for 32 x 32 images in 10 classes: 9,231,114 parameters.

    Simonyan & Zisserman 2015, table 1, column A, with one linear layer.
    """
    layers, channels = [], 3
    for width in _VGG11:
        if width == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def vgg11(nn):
    """VGG-11 of the paper for 224 x 224 images in 1000 classes: 132,863,336 parameters.

    Simonyan & Zisserman 2015, table 1, column A.
    """
    layers, channels = [], 3
    for width in _VGG11:
        if width == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    return nn.Sequential(
        *layers, nn.Flatten(),
        nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 1000),
    )


def vgg11_shapes() -> list[tuple[int, ...]]:
    """Shapes of the parameters of `vgg11_bn`."""
    shapes: list[tuple[int, ...]] = []
    channels = 3
    for width in _VGG11:
        if width != "pool":
            shapes += [(width, channels, 3, 3), (width,), (width,), (width,)]
            channels = width
    return [*shapes, (10, 512), (10,)]


# Width and stride of the residual blocks of ResNet-18.
_RESNET18 = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))


def resnet18(nn):
    """ResNet-18 for 32 x 32 images in 10 classes: a 3 x 3 stem, no pooling; 11,173,962 parameters.

    He et al. 2016, "Deep residual learning for image recognition", table 1, with the stem of
    section 4.2.
    """

    class Block(nn.Module):
        def __init__(self, channels, width, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.shortcut = nn.Sequential()
            if (channels, stride) != (width, 1):
                self.shortcut = nn.Sequential(
                    nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
                )

        def forward(self, x):
            y = rectified(self.bn1, self.conv1(x))
            return rectified(self.bn2, self.conv2(y), self.shortcut(x))

        def write(self, graph, modules, x):
            """The block as nodes of an ONNX graph: the name of its result."""
            y = graph.node("Relu", modules(graph, self.bn1, modules(graph, self.conv1, x)))
            y = modules(graph, self.bn2, modules(graph, self.conv2, y))
            return graph.node("Relu", graph.node("Add", (y, modules(graph, self.shortcut, x))))

    layers = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    channels = 64
    for width, stride in _RESNET18:
        layers.append(Block(channels, width, stride))
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def rectified(norm, x, residual=None):
    """relu(norm(x) + residual), as each library does it best: one pass, or in place."""
    if hasattr(norm, "forward_relu"):
        return norm.forward_relu(x, residual)
    y = norm(x)
    if residual is not None:
        y += residual
    return y.relu_()


def _vgg11_multiplications(size: int, linear: list[int]) -> list[int]:
    found, channels = [], 3
    for width in _VGG11:
        if width == "pool":
            size //= 2
        else:
            found.append(width * channels * 9 * size**2)
            channels = width
    return [*found, *linear]


def _resnet18_multiplications() -> list[int]:
    found, channels, size = [64 * 3 * 9 * 32**2], 64, 32
    for width, stride in _RESNET18:
        size //= stride
        shortcut = width * channels if (channels, stride) != (width, 1) else 0
        found.append((width * (channels + width) * 9 + shortcut) * size**2)
        channels = width
    return [*found, 5120]


def flop(multiplications: list[int], training: bool) -> int:
    """Operations for one image, of a forward pass or a training step; the first layer needs no
    gradient of the image."""
    total = sum(multiplications)
    return 2 * (3 * total - multiplications[0] if training else total)


LENET5 = [6 * 28 * 28 * 25, 16 * 10 * 10 * 6 * 25, 120 * 16 * 25, 120 * 84, 84 * 10]
VGG11 = _vgg11_multiplications(32, [512 * 10])
VGG11_224 = _vgg11_multiplications(224, [512 * 7 * 7 * 4096, 4096 * 4096, 4096 * 1000])
RESNET18 = _resnet18_multiplications()
