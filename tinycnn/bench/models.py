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


# Multiplications of a forward pass for one image; backward has the same twice, less the gradient
# of the image.
_LENET5_FIRST = 6 * 28 * 28 * 25
_LENET5 = _LENET5_FIRST + 16 * 10 * 10 * 6 * 25 + 120 * 16 * 25 + 120 * 84 + 84 * 10
LENET5_FORWARD_FLOP = 2 * _LENET5
LENET5_STEP_FLOP = 2 * (3 * _LENET5 - _LENET5_FIRST)


def vgg11_shapes() -> list[tuple[int, ...]]:
    """Shapes of the parameters of VGG-11 with batch norm for CIFAR-10: 9,231,114 numbers."""
    shapes: list[tuple[int, ...]] = []
    channels = 3
    for width in (64, 128, 256, 256, 512, 512, 512, 512):
        shapes += [(width, channels, 3, 3), (width,), (width,), (width,)]
        channels = width
    return [*shapes, (10, 512), (10,)]
