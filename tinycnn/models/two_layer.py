"""The network with one hidden layer, trained by back-propagation.

Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

from .. import nn
from ._shared import counts


class TwoLayerNet(nn.Sequential):
    """One hidden layer of sigmoid units, one layer of outputs: the least net that can learn XOR.

    y = V sigmoid(W x + b) + c

    layer    kind       output          parameters
    hidden   sigmoid    hidden          (in_features + 1) * hidden
    output   linear     num_classes     (hidden + 1) * num_classes

    Args:    in_features (int): numbers in an example.
             hidden (int): hidden units.
             num_classes (int): outputs, scores for a loss such as cross_entropy.
    Shape:   (N, in_features) to (N, num_classes).
    Raises:  ValueError: if a number is below 1.
    Example: >>> import tinycnn
             >>> from tinycnn.models import TwoLayerNet
             >>> TwoLayerNet(2, 3, 1)(tinycnn.zeros(4, 2)).shape
             (4, 1)
    Source:  Rumelhart, Hinton & Williams 1986; XOR with two hidden units: the same authors,
             "Learning internal representations by error propagation", figure 2.
    """

    def __init__(self, in_features: int, hidden: int, num_classes: int):
        counts("TwoLayerNet", in_features=in_features, hidden=hidden, num_classes=num_classes)
        super().__init__(
            nn.Linear(in_features, hidden), nn.Sigmoid(), nn.Linear(hidden, num_classes))
