"""Rectifier layers: see ops/rectifier.py and ops/maxout.py."""

from typing import Any

from .._core.checks import float_of, int_of, require
from ..ops.maxout import maxout
from ..ops.rectifier import celu, elu, leaky_relu, prelu, relu, relu6, selu, threshold
from ..tensor import Tensor
from . import init as first_values
from ._activation import Activation, InplaceActivation
from .module import Module
from .parameter import empty_parameter


class ReLU(InplaceActivation):
    """max(x, 0), element by element.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> ReLU()(tinycnn.tensor([-1.0, 2.0]))
             tensor([0., 2.])
    Source:  Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """

    operation = staticmethod(relu)


class ReLU6(InplaceActivation):
    """min(max(x, 0), 6), element by element.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> ReLU6()(tinycnn.tensor([-1.0, 2.0, 8.0]))
             tensor([0., 2., 6.])
    Source:  Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10".
    """

    operation = staticmethod(relu6)


class LeakyReLU(Activation):
    """x where x > 0, else negative_slope * x.

    Args:    negative_slope (float): the slope below 0.
             inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> LeakyReLU(0.5)(tinycnn.tensor([-1.0, 2.0]))
             tensor([-0.5000,  2.0000])
    Source:  Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic
             models".
    """

    operation = staticmethod(leaky_relu)
    settings = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class PReLU(Module):
    """x where x > 0, else weight[c] * x: a leaky ReLU that learns its slopes.

    Weight decay would make it a plain ReLU: leave it out for this weight.

    Args:    num_parameters (int): 1 slope for all channels, or C.
             init (float): its first value.
             device, dtype: of the weight; float32 unless told.
    Shape:   input (N, C, ...), or any with one slope; output as input; weight (num_parameters,).
    Example: >>> import tinycnn
             >>> PReLU()(tinycnn.tensor([-2.0, 2.0])).tolist()
             [-0.5, 2.0]
    Source:  He et al. 2015, "Delving deep into rectifiers", section 2.1.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        advice = "Pass 1, or the number of channels."
        number = int_of("PReLU", "num_parameters", num_parameters, advice)
        require(number >= 0, "PReLU", "num_parameters of at least 0", repr(number), advice)
        self.num_parameters = number
        self.init = float_of("PReLU", "init", init, "Pass for example 0.25.")
        self.weight = empty_parameter("PReLU", (number,), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Every slope becomes `init`."""
        first_values.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Threshold(Activation):
    """x where x > threshold, else value.

    Args:    threshold (float): the largest number that is replaced.
             value (float): what it is replaced by.
             inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Threshold(0.5, -9.0)(tinycnn.tensor([-1.0, 2.0]))
             tensor([-9.,  2.])
    """

    operation = staticmethod(threshold)
    settings = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class ELU(Activation):
    """x where x > 0, else alpha * (exp(x) - 1).

    Args:    alpha (float): the value it approaches, negated, far below 0.
             inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> ELU()(tinycnn.tensor([0.0, 2.0]))
             tensor([0., 2.])
    Source:  Clevert, Unterthiner & Hochreiter 2015, "Fast and accurate deep network learning by
             exponential linear units".
    """

    operation = staticmethod(elu)
    settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class CELU(Activation):
    """x where x > 0, else alpha * (exp(x / alpha) - 1).

    Args:    alpha (float): the value it approaches, negated, far below 0; not 0.
             inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> CELU(0.5)(tinycnn.tensor([-1000.0, 2.0]))
             tensor([-0.5000,  2.0000])
    Source:  Barron 2017, "Continuously differentiable exponential linear units".
    """

    operation = staticmethod(celu)
    settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class SELU(InplaceActivation):
    """1.0507 * ELU with alpha 1.6733: activations keep mean 0 and variance 1.

    For weights of mean 0 and variance 1 / fan_in (init.kaiming_normal_ with nonlinearity="linear"),
    and AlphaDropout instead of Dropout.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> SELU()(tinycnn.tensor([-1000.0, 1.0]))
             tensor([-1.7581,  1.0507])
    Source:  Klambauer et al. 2017, "Self-normalizing neural networks".
    """

    operation = staticmethod(selu)


class Maxout(Activation):
    """The largest of each group of `pieces` consecutive channels: with a linear layer or a
    convolution before it, any convex function that is made of so many straight lines, learnt.

    Args:    pieces (int): channels of a group.
             dim (int): the axis of the channels.
    Shape:   (N, C, ...) to (N, C / pieces, ...).
    Example: >>> import tinycnn
             >>> Maxout(2)(tinycnn.tensor([[1.0, 3.0, -2.0, -5.0]]))
             tensor([[ 3., -2.]])
    Source:  Goodfellow et al. 2013, "Maxout networks".
    """

    operation = staticmethod(maxout)
    settings = ("pieces", "dim")

    def __init__(self, pieces: int, dim: int = 1) -> None:
        super().__init__()
        advice = "Pass for example 2."
        require(int_of("Maxout", "pieces", pieces, advice) > 0, "Maxout", "pieces of at least 1",
                repr(pieces), advice)
        self.pieces = pieces
        self.dim = dim
