"""ZFNet: AlexNet with a finer first layer, found by looking at what its layers see.

Source: Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks" (arXiv
        1311.2901, 2013).
"""

from typing import Any

from .. import nn
from ..tensor import Tensor
from ._shared import counts, image_size, initialise, response_norm, small_normal


class ZFNet(nn.Module):
    """The network of the paper's figure 3.

    layer       kind                         output         parameters
    1           7x7 / 2                       96 x 110 x 110    14,208
                max 3x3 / 2, LRN              96 x 55 x 55
    2           5x5 / 2                      256 x 26 x 26     614,656
                max 3x3 / 2, LRN             256 x 13 x 13
    3           3x3                          384 x 13 x 13     885,120
    4           3x3                          384 x 13 x 13   1,327,488
    5           3x3                          256 x 13 x 13     884,992
                max 3x3 / 2                  256 x 6 x 6
    6           linear, dropout                       4096  37,752,832
    7           linear, dropout                       4096  16,781,312
    output      linear                                1000   4,097,000
                                                            62,357,608

    Sizes are those of the figure: layer 1 is padded by 1, and a last window of a pooling that
    reaches over the edge counts.

    Args:    num_classes, in_channels (int): at least 1.
             dropout (float): behind layers 6 and 7.
    Shape:   (N, in_channels, 224, 224) to (N, num_classes).
    Raises:  ValueError: if a number is below 1; forward: if the images have another size.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> net = nn.utils.skip_init(ZFNet, num_classes=10)
             >>> net.features(tinycnn.zeros(1, 3, 224, 224)).shape
             (1, 256, 6, 6)
    Source:  Zeiler & Fergus 2014, figure 3 and section 3. The contrast normalisation across maps
             has the constants of Krizhevsky et al. 2012.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5, *, in_channels: int = 3):
        super().__init__()
        counts("ZFNet", num_classes=num_classes, in_channels=in_channels)
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 96, 7, stride=2, padding=1), nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True), response_norm(),
            nn.Conv2d(96, 256, 5, stride=2), nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True), response_norm(),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        self.size = (in_channels, 224, 224)
        initialise(self, conv=small_normal, linear=small_normal)

    def forward(self, x: Tensor) -> Tensor:
        image_size("ZFNet", x, self.size, "Resize or crop them.")
        return self.classifier(self.features(x).flatten(1))


def zfnet(**options: Any) -> ZFNet:
    """ZFNet(**options).

    Example: >>> from tinycnn import nn
             >>> nn.utils.skip_init(zfnet).features[0]
             Conv2d(3, 96, kernel_size=(7, 7), stride=(2, 2), padding=(1, 1))
    """
    return ZFNet(**options)
