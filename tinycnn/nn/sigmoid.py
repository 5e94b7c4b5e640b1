"""Sigmoid layers and their kin: see ops/sigmoid.py."""

import warnings

from .._core.checks import fail, float_of
from ..ops.sigmoid import (
    hardshrink,
    hardsigmoid,
    hardtanh,
    logsigmoid,
    scaled_tanh,
    sigmoid,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
)
from ._activation import Activation, InplaceActivation


class Sigmoid(Activation):
    """1 / (1 + exp(-x)), element by element.

    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Sigmoid()(tinycnn.tensor([0.0]))
             tensor([0.5000])
    """

    operation = staticmethod(sigmoid)


class Hardsigmoid(InplaceActivation):
    """min(max(x + 3, 0), 6) / 6, element by element.

    Args:    inplace (bool): accepted; the input stays as it is.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Hardsigmoid()(tinycnn.tensor([-4.0, 1.5]))
             tensor([0.0000, 0.7500])
    Source:  Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
    """

    operation = staticmethod(hardsigmoid)


class LogSigmoid(Activation):
    """log(1 / (1 + exp(-x))), without overflow.

    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> LogSigmoid()(tinycnn.tensor([-200.0, 0.0]))
             tensor([-200.0000,   -0.6931])
    """

    operation = staticmethod(logsigmoid)


class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta where beta * x <= threshold, else x.

    Args:    beta (float): how sharp the bend is.
             threshold (float): where the straight line is close enough.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Softplus()(tinycnn.tensor([0.0, 100.0]))
             tensor([  0.6931, 100.0000])
    Source:  Dugas et al. 2001, "Incorporating second-order functional knowledge for better option
             pricing".
    """

    operation = staticmethod(softplus)
    settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Tanh(Activation):
    """Hyperbolic tangent, element by element.

    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Tanh()(tinycnn.tensor([0.0]))
             tensor([0.])
    """

    operation = staticmethod(tanh)


class ScaledTanh(Activation):
    """amplitude * tanh(slope * x): LeCun's, with f(1) = 1 and f(-1) = -1.

    Args:    amplitude (float): the level that it approaches.
             slope (float): of the argument.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> ScaledTanh()(tinycnn.tensor([-1.0, 1.0]))
             tensor([-1.0000,  1.0000])
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition",
             appendix A.
    """

    operation = staticmethod(scaled_tanh)
    settings = ("amplitude", "slope")

    def __init__(self, amplitude: float = 1.7159, slope: float = 2 / 3) -> None:
        super().__init__()
        self.amplitude = amplitude
        self.slope = slope


class Hardtanh(Activation):
    """min(max(x, min_val), max_val), element by element.

    Args:    min_val, max_val (float): the limits, min_val < max_val.
             inplace (bool): accepted; the input stays as it is.
             min_value, max_value (float or None): older words for the limits.
    Shape:   any; the output has the same.
    Raises:  ValueError: if min_val is not below max_val. TypeError: if one is no number.
    Example: >>> import tinycnn
             >>> Hardtanh()(tinycnn.tensor([-3.0, 0.5]))
             tensor([-1.0000,  0.5000])
    Source:  Collobert 2004, "Large scale machine learning".
    """

    operation = staticmethod(hardtanh)
    settings = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
                 min_value: float | None = None, max_value: float | None = None) -> None:
        super().__init__()
        if min_value is not None or max_value is not None:
            warnings.warn("Hardtanh: min_value and max_value are old words. Pass min_val and "
                          "max_val.", FutureWarning, stacklevel=2)
            min_val = min_val if min_value is None else min_value
            max_val = max_val if max_value is None else max_value
        for name, value in ("min_val", min_val), ("max_val", max_val):
            float_of("Hardtanh", name, value, "Pass for example 1.0.")
        if not min_val < max_val:
            fail("Hardtanh", "min_val < max_val", f"min_val={min_val!r}, max_val={max_val!r}",
                 "Exchange them.")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class Softsign(Activation):
    """x / (1 + |x|), element by element.

    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Softsign()(tinycnn.tensor([-1.0, 3.0]))
             tensor([-0.5000,  0.7500])
    Source:  Turian, Bergstra & Bengio 2009, "Quadratic features and deep architectures for
             chunking".
    """

    operation = staticmethod(softsign)


class Tanhshrink(Activation):
    """x - tanh(x), element by element.

    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Tanhshrink()(tinycnn.tensor([0.0, 1.0]))
             tensor([0.0000, 0.2384])
    """

    operation = staticmethod(tanhshrink)


class _Shrink(Activation):
    """What both have in common: the number lambd."""

    settings = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """x where |x| > lambd, else 0.

    Args:    lambd (float): the largest number that becomes 0.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Hardshrink()(tinycnn.tensor([0.25, 2.0]))
             tensor([0., 2.])
    """

    operation = staticmethod(hardshrink)


class Softshrink(_Shrink):
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0.

    Args:    lambd (float): by how much numbers move towards 0, at least 0.
    Shape:   any; the output has the same.
    Example: >>> import tinycnn
             >>> Softshrink()(tinycnn.tensor([0.25, 2.0]))
             tensor([0.0000, 1.5000])
    """

    operation = staticmethod(softshrink)
