"""Sigmoids: activations that go from one level to another, smoothly or in straight lines, what
they are integrals of, and what they leave of x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of
from ._pointwise import pointwise

if TYPE_CHECKING:
    from ..tensor import Tensor


def sigmoid(input: Tensor) -> Tensor:
    """Logistic function: any number to one between 0 and 1.

    y = 1 / (1 + exp(-x))

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> sigmoid(tinycnn.tensor([-200.0, 0.0, 200.0]))
             tensor([0.0000, 0.5000, 1.0000])
    """
    return pointwise("sigmoid", input, by_result=True)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Sigmoid of three straight lines.

    y = min(max(x + 3, 0), 6) / 6

    Args:    input (Tensor): any shape, float32 or float64.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> hardsigmoid(tinycnn.tensor([-4.0, 0.0, 1.5]))
             tensor([0.0000, 0.5000, 0.7500])
    Source:  Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
    """
    return pointwise("hardsigmoid", input)


def logsigmoid(input: Tensor) -> Tensor:
    """Logarithm of the sigmoid, without overflow.

    y = log(1 / (1 + exp(-x)))

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> logsigmoid(tinycnn.tensor([-200.0, 0.0, 200.0]))
             tensor([-200.0000,   -0.6931,    0.0000])
    """
    return pointwise("logsigmoid", input, by_result=True)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Smooth ReLU, the integral of the sigmoid.

    y = log(1 + exp(beta * x)) / beta where beta * x <= threshold, else x

    Args:    input (Tensor): any shape, float32 or float64.
             beta (float): how sharp the bend is.
             threshold (float): where the straight line is close enough.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or beta or threshold no number.
             ValueError: if one is past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> softplus(tinycnn.tensor([-100.0, 0.0, 100.0]))
             tensor([  0.0000,   0.6931, 100.0000])
    Source:  Dugas, Bengio, Belisle, Nadeau & Garcia 2001, "Incorporating second-order functional
             knowledge for better option pricing".
    """
    settings = [float_of("softplus", name, given, "Pass for example 1.0.")
                for name, given in (("beta", beta), ("threshold", threshold))]
    return pointwise("softplus", input, tuple(settings))


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent: any number to one between -1 and 1.

    y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> tanh(tinycnn.tensor([-100.0, 0.0, 100.0]))
             tensor([-1.,  0.,  1.])
    """
    return pointwise("tanh", input, by_result=True)


def scaled_tanh(input: Tensor, amplitude: float = 1.7159, slope: float = 2 / 3) -> Tensor:
    """LeCun's hyperbolic tangent: f(1) = 1, f(-1) = -1, and the bend is sharpest there.

    y = amplitude * tanh(slope * x)

    Args:    input (Tensor): any shape, float32 or float64.
             amplitude (float): the level that it approaches.
             slope (float): of the argument.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or amplitude or slope no number.
             ValueError: if one is past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> scaled_tanh(tinycnn.tensor([-1.0, 0.0, 1.0]))
             tensor([-1.0000,  0.0000,  1.0000])
    Source:  LeCun 1989, "Generalization and network design strategies"; LeCun, Bottou, Bengio &
             Haffner 1998, "Gradient-based learning applied to document recognition", appendix A.
    """
    a, s = [float_of("scaled_tanh", name, given, "Pass for example 1.0.")
            for name, given in (("amplitude", amplitude), ("slope", slope))]
    return pointwise("scaled_tanh", input, (a, s, s / a if a else 0.0), by_result=True)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Tanh of three straight lines: what lies outside of the limits moves to them.

    y = min(max(x, min_val), max_val); the derivative is 0 at the limits.

    Args:    input (Tensor): any shape, float32 or float64.
             min_val, max_val (float): the limits.
             inplace (bool): accepted for PyTorch's sake; the input is never overwritten.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or a limit no number.
             ValueError: if min_val is greater than max_val, one is NaN, or past what a float32
             input can hold.
    Example: >>> import tinycnn
             >>> hardtanh(tinycnn.tensor([-3.0, 0.5, 3.0]))
             tensor([-1.0000,  0.5000,  1.0000])
    Source:  Collobert 2004, "Large scale machine learning".
    """
    low, high = [float_of("hardtanh", name, given, "Pass for example 1.0.")
                 for name, given in (("min_val", min_val), ("max_val", max_val))]
    if not low <= high:
        fail("hardtanh", "min_val up to max_val", f"min_val={min_val!r}, max_val={max_val!r}",
             "Exchange them.")
    return pointwise("hardtanh", input, (low, high), by_result=True)


def softsign(input: Tensor) -> Tensor:
    """Sigmoid that approaches its levels slowly, without an exponential.

    y = x / (1 + |x|)

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> softsign(tinycnn.tensor([-1.0, 0.0, 3.0]))
             tensor([-0.5000,  0.0000,  0.7500])
    Source:  Turian, Bergstra & Bengio 2009, "Quadratic features and deep architectures for
             chunking".
    """
    return pointwise("softsign", input)


def tanhshrink(input: Tensor) -> Tensor:
    """What tanh takes away.

    y = x - tanh(x)

    Args:    input (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> tanhshrink(tinycnn.tensor([-1.0, 0.0, 1.0]))
             tensor([-0.2384,  0.0000,  0.2384])
    """
    return pointwise("tanhshrink", input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Small numbers become 0.

    y = x where |x| > lambd, else 0

    Args:    input (Tensor): any shape, float32 or float64.
             lambd (float): the largest that is small.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or lambd no number.
             ValueError: if it is past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> hardshrink(tinycnn.tensor([-1.0, 0.25, 2.0]))
             tensor([-1.,  0.,  2.])
    Source:  Donoho & Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage".
    """
    lambd = float_of("hardshrink", "lambd", lambd, "Pass for example 0.5.")
    return pointwise("hardshrink", input, (lambd,))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Every number moves towards 0 by as much, small ones become 0.

    y = x - lambd where x > lambd, x + lambd where x < -lambd, else 0

    Args:    input (Tensor): any shape, float32 or float64.
             lambd (float): by how much, at least 0.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or lambd no number.
             ValueError: if lambd is negative, infinite, NaN, or past what a float32 input can hold.
    Example: >>> import tinycnn
             >>> softshrink(tinycnn.tensor([-1.0, 0.25, 2.0]))
             tensor([-0.5000,  0.0000,  1.5000])
    Source:  Donoho & Johnstone 1994, see hardshrink.
    """
    number = float_of("softshrink", "lambd", lambd, "Pass for example 0.5.")
    if not 0 <= number < float("inf"):
        fail("softshrink", "a finite lambd of at least 0", repr(lambd), "Pass for example 0.5.")
    return pointwise("softshrink", input, (number,))
