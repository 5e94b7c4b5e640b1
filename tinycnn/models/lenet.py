"""LeNet-5.

Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document
        recognition", section II-B.
"""

from .. import nn
from .._core.checks import int_of
from ._shared import FixedSize, counts, one_of


class LeNet5(FixedSize):
    """LeNet-5 in its modern form: full connections in C3, ReLU, max pooling, a linear output.

    layer    kind               output        parameters
    C1       5x5, 6 maps        6 x 28 x 28          156
    S2       max 2x2            6 x 14 x 14
    C3       5x5, 16 maps      16 x 10 x 10        2,416
    S4       max 2x2           16 x 5 x 5
    C5       5x5, 120 maps    120 x 1 x 1         48,120
    F6       linear                      84       10,164
    output   linear                      10          850
                                                  61,706

    Args:    num_classes (int): outputs, at least 1.
             in_channels (int): of the images: 1 for digits.
             padding (int): 2 for images of 28 x 28, 1 for 30 x 30, 0 for 32 x 32.
    Shape:   (N, in_channels, 28, 28) to (N, num_classes), with padding=2.
    Raises:  ValueError: if images have another size, or a number is below 1.
    Example: >>> import tinycnn
             >>> from tinycnn.models import LeNet5
             >>> LeNet5()(tinycnn.zeros(2, 1, 28, 28)).shape
             (2, 10)
    Source:  LeCun et al. 1998, section II-B; LeNet1998 is what was published.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, padding: int = 2):
        counts("LeNet5", num_classes=num_classes, in_channels=in_channels)
        advice = "padding=2 is for 28 x 28, padding=0 for 32 x 32."
        one_of("LeNet5", "padding", int_of("LeNet5", "padding", padding, advice), (0, 1, 2), advice)
        side = 32 - 2 * padding
        super().__init__(
            nn.Conv2d(in_channels, 6, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 120, 5), nn.ReLU(),
            nn.Flatten(),
            nn.Linear(120, 84), nn.ReLU(),
            nn.Linear(84, num_classes),
            size=(in_channels, side, side),
            advice=advice,
        )
