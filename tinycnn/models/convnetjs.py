"""The networks of ConvNetJS's pages, which train in a browser while you watch.

Source: Karpathy 2014, ConvNetJS, demo/mnist.html and demo/cifar10.html.
"""

from math import sqrt

from .. import nn
from ._shared import FixedSize, counts


def convnetjs_mnist(num_classes: int = 10, in_channels: int = 1) -> nn.Sequential:
    """The digits network of ConvNetJS; it sees 24 x 24 crops of 28 x 28 digits.

    kind                    output         parameters
    5x5, 8 maps, ReLU       8 x 24 x 24           208
    max 2x2                 8 x 12 x 12
    5x5, 16 maps, ReLU     16 x 12 x 12         3,216
    max 3x3 / 3            16 x 4 x 4
    linear                           10         2,570
                                                5,994

    Args:    num_classes (int): outputs.
             in_channels (int): of the images.
    Returns: Sequential, (N, in_channels, 24, 24) to (N, num_classes). Weights start normal with
             deviation 1 / sqrt(fan-in); biases 0.1 in front of a ReLU, else 0.
    Raises:  ValueError: if images have another size, or a number is below 1.
    Example: >>> import tinycnn
             >>> from tinycnn.models import convnetjs_mnist
             >>> convnetjs_mnist()(tinycnn.zeros(2, 1, 24, 24)).shape
             (2, 10)
    Source:  demo/mnist.html: Adadelta, batches of 20, weight decay 0.001.
    """
    counts("convnetjs_mnist", num_classes=num_classes, in_channels=in_channels)
    return _initialised(FixedSize(
        nn.Conv2d(in_channels, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3),
        nn.Flatten(), nn.Linear(16 * 4 * 4, num_classes),
        size=(in_channels, 24, 24), name="convnetjs_mnist", advice="Crop digits of 28 x 28."))


def convnetjs_cifar10(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """The CIFAR-10 network of ConvNetJS.

    kind                    output         parameters
    5x5, 16 maps, ReLU     16 x 32 x 32         1,216
    max 2x2                16 x 16 x 16
    5x5, 20 maps, ReLU     20 x 16 x 16         8,020
    max 2x2                20 x 8 x 8
    5x5, 20 maps, ReLU     20 x 8 x 8          10,020
    max 2x2                20 x 4 x 4
    linear                           10         3,210
                                               22,466

    Args:    num_classes (int): outputs.
             in_channels (int): of the images.
    Returns: Sequential, (N, in_channels, 32, 32) to (N, num_classes); starts as convnetjs_mnist.
    Raises:  ValueError: if images have another size, or a number is below 1.
    Example: >>> import tinycnn
             >>> from tinycnn.models import convnetjs_cifar10
             >>> convnetjs_cifar10()(tinycnn.zeros(2, 3, 32, 32)).shape
             (2, 10)
    Source:  demo/cifar10.html: Adadelta, batches of 4, weight decay 0.0001, flips and shifts.
    """
    counts("convnetjs_cifar10", num_classes=num_classes, in_channels=in_channels)
    return _initialised(FixedSize(
        nn.Conv2d(in_channels, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(20 * 4 * 4, num_classes),
        size=(in_channels, 32, 32), name="convnetjs_cifar10"))


def _initialised(net):
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, 0.0, sqrt(1 / fan_in))
            nn.init.constant_(layer.bias, 0.1 if isinstance(layer, nn.Conv2d) else 0.0)
    return net
