"""LeNet-5 as it was published: connection table, trainable subsampling, radial basis outputs.

Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document
        recognition", section II-B. See lenet.py for the form that is used today.
"""

from .. import nn
from .._core.checks import fail, float_of
from ..nn import functional as F
from ..tensor import Tensor
from ._shared import FixedSize

# Table I of the paper: which maps of S2 each map of C3 sees.
C3_TABLE = [
    *([i, (i + 1) % 6, (i + 2) % 6] for i in range(6)),
    *([i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6] for i in range(6)),
    [0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5],
    [0, 1, 2, 3, 4, 5],
]

# Stylised digits of 7 x 12 pixels, in the manner of figure 3: F6 is to draw the right one.
DIGITS = """
..###..  ...##..  .#####.  .#####.  ....##.  #######  ..####.  #######  .#####.  .#####.
.##.##.  ..###..  ##...##  ##...##  ...###.  ##.....  .##....  ##...##  ##...##  ##...##
##...##  .####..  .....##  .....##  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  .##.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  ....##.  ....##.  ##..##.  ######.  ##.###.  ....##.  .##.##.  ##...##
##...##  ...##..  ...##..  ..###..  ##..##.  ....###  ###.###  ...##..  ..###..  ###.###
##...##  ...##..  ..##...  ....##.  #######  .....##  ##...##  ...##..  .##.##.  .###.##
##...##  ...##..  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  ##...##  ....##.  ##...##  ##...##  .##....  ##...##  .....##
.##.##.  ...##..  ##...##  ##...##  ....##.  ##...##  .##.##.  .##....  ##...##  ....##.
..###..  .######  #######  .#####.  ....##.  .#####.  ..###..  .##....  .#####.  .####..
"""
CODES = [[1.0 if pixel == "#" else -1.0 for pixel in "".join(rows)]
         for rows in zip(*(line.split() for line in DIGITS.split("\n") if line))]


class LeNet1998(FixedSize):
    """LeNet-5 as published in 1998, with 60,000 trainable parameters and 340,908 connections.

    layer    kind                        output      parameters   connections
    C1       5x5, 6 maps                6 x 28 x 28         156       122,304
    S2       subsampling 2x2            6 x 14 x 14          12         5,880
    C3       5x5, 16 maps, table I     16 x 10 x 10       1,516       151,600
    S4       subsampling 2x2           16 x 5 x 5            32         2,000
    C5       5x5, 120 maps            120 x 1 x 1        48,120        48,120
    F6       linear                             84       10,164        10,164
    output   radial basis functions             10            0           840
                                                         60,000       340,908

    All layers but the last end in scaled tanh. An output is a penalty, the squared distance between
    F6 and a drawing of the digit: the smallest is the answer. Weights start uniform in
    [-2.4 / F, 2.4 / F], F inputs of a unit; subsampling starts as the average.

    Shape:   (N, 1, 32, 32) to (N, 10), values at least 0. Pixels were -0.1 (white) to 1.175
             (black), so that their mean is about 0 and their variance about 1.
    Raises:  ValueError: if images have another size.
    Example: >>> import tinycnn
             >>> from tinycnn.models import LeNet1998
             >>> LeNet1998()(tinycnn.zeros(2, 1, 32, 32)).shape
             (2, 10)
    Source:  LeCun et al. 1998, section II-B, table I and figure 3; the drawings here are ours.
    """

    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 6, 5), nn.ScaledTanh(), nn.Subsampling2d(6, 2), nn.ScaledTanh(),
            nn.TableConv2d(C3_TABLE, 5), nn.ScaledTanh(), nn.Subsampling2d(16, 2), nn.ScaledTanh(),
            nn.Conv2d(16, 120, 5), nn.ScaledTanh(),
            nn.Flatten(),
            nn.Linear(120, 84), nn.ScaledTanh(),
            nn.RBF(84, 10, centers=CODES),
            size=(1, 32, 32), advice="Pad digits of 28 x 28 by two pixels on every side.",
        )
        for layer in self:
            if isinstance(layer, nn.TableConv2d):  # one filter for each connection of its map
                start = 0
                for inputs in C3_TABLE:
                    bound = 2.4 / (25 * len(inputs))
                    stop = start + len(inputs)
                    nn.init.uniform_(layer.weight[start:stop].detach(), -bound, bound)
                    start = stop
            elif isinstance(layer, (nn.Conv2d, nn.Linear)):
                bound = 2.4 / layer.weight[0].numel()
                nn.init.uniform_(layer.weight, -bound, bound)
            elif isinstance(layer, nn.Subsampling2d):
                nn.init.constant_(layer.weight, 0.25)
            if getattr(layer, "bias", None) is not None:
                nn.init.zeros_(layer.bias)


def discriminative_loss(penalties, target, j: float = 1.0):
    """The loss LeNet-5 was trained with: a small penalty for the right class, large ones beside it.

    loss = mean of (y[t] + log(exp(-j) + sum over i of exp(-y[i])))

    It is cross-entropy of the scores -y and of one more class, rubbish, whose score is -j; so
    penalties that are large already are not pushed further.

    Args:    penalties (Tensor): (N, 10), as LeNet1998 returns them.
             target (Tensor): (N,), classes.
             j (float): the penalty of rubbish, above 0.
    Returns: Tensor ().
    Raises:  ValueError: if a class is out of range, or j not above 0.
    Example: >>> import tinycnn
             >>> from tinycnn.models import discriminative_loss
             >>> y = tinycnn.tensor([[0.0, 50.0], [60.0, 0.0]])
             >>> round(discriminative_loss(y, tinycnn.tensor([0, 1]), j=50.0).item(), 4)
             0.0
    Source:  LeCun et al. 1998, equation 9.
    """
    if not isinstance(penalties, Tensor):
        fail("discriminative_loss", "penalties (N, 10)", type(penalties).__name__,
             "Pass what LeNet1998 returns.", TypeError)
    if not float_of("discriminative_loss", "j", j, "Pass for example 1.0.") > 0:
        fail("discriminative_loss", "j above 0", repr(j), "It is the penalty of rubbish.")
    others = F.pad(-penalties, (0, 1), value=-j).logsumexp(1)
    return F.nll_loss(-penalties, target) + others.mean()
