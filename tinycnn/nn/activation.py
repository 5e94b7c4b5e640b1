"""Activation layers: they keep the arguments and call the operation of ops/activation.py.

`inplace` is accepted where PyTorch accepts it. The input is never overwritten: a recorded operation
may still need it, and the result would be the same.
"""

from ..ops.activation import elu, leaky_relu, log_softmax, relu, sigmoid, softmax, tanh
from ..tensor import Tensor
from .module import Module

_STACKLEVEL = 5  # a warning names the line that called the layer


class ReLU(Module):
    """max(x, 0), element by element; any shape.

    Args:    inplace (bool): accepted; the input stays as it is.
    Example: >>> import tinycnn
             >>> ReLU()(tinycnn.tensor([-1.0, 2.0]))
             tensor([0., 2.])
    Source:  Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return relu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """x where x > 0, else negative_slope * x; any shape.

    Args:    negative_slope (float): the slope below 0.
             inplace (bool): accepted; the input stays as it is.
    Example: >>> import tinycnn
             >>> LeakyReLU(0.5)(tinycnn.tensor([-1.0, 2.0]))
             tensor([-0.5000,  2.0000])
    Source:  Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic
             models".
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """x where x > 0, else alpha * (exp(x) - 1); any shape.

    Args:    alpha (float): the value it approaches, negated, far below 0.
             inplace (bool): accepted; the input stays as it is.
    Example: >>> import tinycnn
             >>> ELU()(tinycnn.tensor([0.0, 2.0]))
             tensor([0., 2.])
    Source:  Clevert, Unterthiner & Hochreiter 2015, "Fast and accurate deep network learning by
             exponential linear units".
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Sigmoid(Module):
    """1 / (1 + exp(-x)), element by element; any shape.

    Example: >>> import tinycnn
             >>> Sigmoid()(tinycnn.tensor([0.0]))
             tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)


class Tanh(Module):
    """Hyperbolic tangent, element by element; any shape.

    Example: >>> import tinycnn
             >>> Tanh()(tinycnn.tensor([0.0]))
             tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)


class Softmax(Module):
    """exp(x) / sum of exp(x) along one axis: positive numbers that add up to 1.

    Args:    dim (int): the axis.
    Example: >>> import tinycnn
             >>> Softmax(dim=1)(tinycnn.tensor([[1.0, 1.0]]))
             tensor([[0.5000, 0.5000]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim, _STACKLEVEL)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """x - log(sum of exp(x)) along one axis: the logarithm of softmax, without its overflow.

    Args:    dim (int): the axis.
    Example: >>> import tinycnn
             >>> LogSoftmax(dim=1)(tinycnn.tensor([[1.0, 1.0]]))
             tensor([[-0.6931, -0.6931]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim, _STACKLEVEL)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
