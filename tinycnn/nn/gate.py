"""Gated activation layers: see ops/gate.py."""

from ..ops.gate import gelu, glu, hardswish, mish, silu
from ._activation import Activation, InplaceActivation


class SiLU(InplaceActivation):
    """x * sigmoid(x), also known as Swish.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> SiLU()(tinycnn.tensor([-1.0, 1.0]))
             tensor([-0.2689,  0.7311])
    Source:  Elfwing, Uchibe & Doya 2018, "Sigmoid-weighted linear units for neural network function
             approximation in reinforcement learning"; Ramachandran et al. 2017, "Searching for
             activation functions".
    """

    operation = staticmethod(silu)


class Hardswish(InplaceActivation):
    """x * min(max(x + 3, 0), 6) / 6, element by element.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Hardswish()(tinycnn.tensor([-1.0, 1.0]))
             tensor([-0.3333,  0.6667])
    Source:  Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
    """

    operation = staticmethod(hardswish)


class Mish(InplaceActivation):
    """x * tanh(log(1 + exp(x))), element by element.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Mish()(tinycnn.tensor([-1.0, 1.0]))
             tensor([-0.3034,  0.8651])
    Source:  Misra 2020, "Mish: a self regularized non-monotonic activation function".
    """

    operation = staticmethod(mish)


class GELU(Activation):
    """x * P(X <= x) for a normal X of mean 0 and variance 1.

    Args:    approximate (str): "none", or "tanh" for an approximation by tanh.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> GELU()(tinycnn.tensor([-1.0, 1.0]))
             tensor([-0.1587,  0.8413])
    Source:  Hendrycks & Gimpel 2016, "Gaussian error linear units".
    """

    operation = staticmethod(gelu)
    settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GLU(Activation):
    """a * sigmoid(b), where a and b are the halves of the input along dim.

    Args:    dim (int): the axis that is halved; 1 for feature maps.
    Shape:   (..., C, ...) to (..., C / 2, ...).
    Example: >>> import tinycnn
             >>> GLU()(tinycnn.tensor([4.0, 6.0, 0.0, 100.0]))
             tensor([2., 6.])
    Source:  Dauphin et al. 2017, "Language modeling with gated convolutional networks".
    """

    operation = staticmethod(glu)
    settings = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim
