"""The first LeNet, which read zip codes.

Source: LeCun, Boser, Denker, Henderson, Howard, Hubbard & Jackel 1989, "Backpropagation applied to
        handwritten zip code recognition", Neural Computation 1.
"""

from math import prod

from .. import nn
from ..nn import functional as F
from ._shared import FixedSize, counts

# Each map of H2 sees eight of the twelve maps of H1. Which, the paper does not say; here all are
# seen as often.
H2_TABLE = [[(i + k) % 12 for k in range(8)] for i in range(12)]


class SharedWeights(nn.Module):
    """A convolution whose units share their weights but not their biases, then scaled tanh.

    y[k, i, j] = A tanh(S (sum of w[k] * window + bias[k, i, j]))

    Args:    convolution (Module): without a bias, on padded images.
             places (triple of int): maps, height and width of the output: one bias each.
    Shape:   (N, C, H, W) to (N, *places). Beyond its border an image is background, -1.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> from tinycnn.models.lenet1989 import SharedWeights
             >>> layer = SharedWeights(nn.Conv2d(1, 12, 5, 2, bias=False), (12, 8, 8))
             >>> layer(tinycnn.zeros(1, 1, 16, 16)).shape
             (1, 12, 8, 8)
    Source:  LeCun et al. 1989, section 3.
    """

    def __init__(self, convolution, places):
        super().__init__()
        self.convolution = convolution
        self.bias = nn.Parameter([0.0] * prod(places))
        self.places = places

    def forward(self, input):
        output = self.convolution(F.pad(input, (2, 2, 2, 2), value=-1.0))
        return F.scaled_tanh(output + self.bias.reshape(self.places))


class LeNet1989(FixedSize):
    """The network of 1989: strided convolutions instead of pooling, a bias for every unit.

    layer    kind                              output      parameters
    H1       5x5 / 2, 12 maps, 768 biases     12 x 8 x 8        1,068
    H2       5x5 / 2, 12 maps of 8, 192 biases 12 x 4 x 4       2,592
    H3       linear                                 30          5,790
    output   linear                                 10            310
                                                                9,760

    Every layer ends in scaled tanh. Weights start uniform in [-2.4 / F, 2.4 / F], F inputs of a
    unit. The loss was the mean squared error, with targets of -1 and 1.

    Args:    num_classes (int): outputs, at least 1.
    Shape:   (N, 1, 16, 16), values from -1 (background) to 1, to (N, num_classes).
    Raises:  ValueError: if images have another size, or num_classes is below 1.
    Example: >>> import tinycnn
             >>> from tinycnn.models import LeNet1989
             >>> LeNet1989()(tinycnn.zeros(2, 1, 16, 16)).shape
             (2, 10)
    Source:  LeCun et al. 1989, section 3: 1,256 units, 64,660 connections, 9,760 parameters.
    """

    def __init__(self, num_classes: int = 10):
        counts("LeNet1989", num_classes=num_classes)
        super().__init__(
            SharedWeights(nn.Conv2d(1, 12, 5, stride=2, bias=False), (12, 8, 8)),
            SharedWeights(nn.TableConv2d(H2_TABLE, 5, stride=2, bias=False), (12, 4, 4)),
            nn.Flatten(),
            nn.Linear(12 * 4 * 4, 30), nn.ScaledTanh(),
            nn.Linear(30, num_classes), nn.ScaledTanh(),
            size=(1, 16, 16),
        )
        for module, inputs in (self[0].convolution, 25), (self[1].convolution, 200), (
                self[3], 192), (self[5], 30):
            nn.init.uniform_(module.weight, -2.4 / inputs, 2.4 / inputs)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
