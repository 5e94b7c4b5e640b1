"""Dropout layers: they keep the probability and call the operation of ops/dropout.py."""

from collections.abc import Callable
from typing import Any

from .._core.checks import float_of, require
from ..ops.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from ..tensor import Tensor
from .module import Module


class Dropout(Module):
    """In training sets each value to 0 with probability p and divides the others by 1 - p.

    In evaluation the input passes unchanged. Any shape.

    Args:    p (float): probability of a zero, 0 to 1.
             inplace (bool): accepted, as PyTorch accepts it; the input stays as it is.
    Raises:  ValueError: if p is no probability.
             TypeError: if p is no number.
    Example: >>> import tinycnn
             >>> Dropout(0.5).eval()(tinycnn.tensor([1.0, 2.0]))
             tensor([1., 2.])
    Source:  Hinton et al. 2012, "Improving neural networks by preventing co-adaptation of feature
             detectors".
    """

    operation: Callable[..., Any] = staticmethod(dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        name, advice = type(self).__name__, "It is the probability of a zero: pass for example 0.5."
        require(0 <= float_of(name, "p", p, advice) <= 1, name, "p from 0 to 1", repr(p), advice)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return self.operation(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """In training sets whole channels of (N, C, L) or (C, L) to 0. See Dropout.

    Example: >>> import tinycnn
             >>> Dropout1d(1.0)(tinycnn.tensor([[1.0, 2.0]]))
             tensor([[0., 0.]])
    """

    operation = staticmethod(dropout1d)


class Dropout2d(Dropout):
    """In training sets whole channels of (N, C, H, W) to 0. See Dropout.

    Neighbouring pixels are alike, so dropping single ones would hide little.

    Example: >>> import tinycnn
             >>> Dropout2d(1.0)(tinycnn.tensor([[[[1.0, 2.0]]]]))
             tensor([[[[0., 0.]]]])
    Source:  Tompson et al. 2015, "Efficient object localization using convolutional networks".
    """

    operation = staticmethod(dropout2d)


class Dropout3d(Dropout):
    """In training sets whole channels of (N, C, D, H, W) or (C, D, H, W) to 0. See Dropout2d.

    Example: >>> import tinycnn
             >>> Dropout3d(1.0)(tinycnn.tensor([[[[1.0, 2.0]]]]))
             tensor([[[[0., 0.]]]])
    """

    operation = staticmethod(dropout3d)


class AlphaDropout(Dropout):
    """Dropout for SELU networks: in training sets values to SELU's lowest with probability p and
    scales and shifts all, so that mean 0 and variance 1 are kept. See Dropout.

    Example: >>> import tinycnn
             >>> y = AlphaDropout(0.1)(tinycnn.randn(100, 1000))
             >>> abs(y.mean().item()) < 0.02, abs(y.std().item() - 1) < 0.02
             (True, True)
    Source:  Klambauer et al. 2017, "Self-normalizing neural networks".
    """

    operation = staticmethod(alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """AlphaDropout of whole channels of (N, C, ...).

    Example: >>> import tinycnn
             >>> FeatureAlphaDropout(1.0)(tinycnn.tensor([[[1.0, 2.0]]]))
             tensor([[[0., 0.]]])
    Source:  Klambauer et al. 2017, see AlphaDropout; Tompson et al. 2015, see Dropout2d.
    """

    operation = staticmethod(feature_alpha_dropout)
