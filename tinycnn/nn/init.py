"""First values of parameters. Each function fills the tensor that it is given and returns it.

fan_in is the number of inputs that one output sums over, fan_out the number of outputs that one
input reaches: (OUT, IN, *kernel) has fan_in = IN * prod(kernel), fan_out = OUT * prod(kernel).
"""

import math
from threading import local
from typing import Any

import numpy

from .._core import to_device
from .._core.checks import fail, require, shape_text
from ..random import chosen
from ..tensor import Tensor

_GAINS = {"sigmoid": 1.0, "linear": 1.0, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 0.75}
_GAINS |= {f"conv{kind}{dims}d": 1.0 for kind in ("", "_transpose") for dims in (1, 2, 3)}
_TABLE = 4097  # points at which trunc_normal_ tabulates the distribution function
_BLOCK = 1 << 15  # numbers drawn at a time: they stay in the cache until they are scaled


class _Mode(local):
    drawing = True  # False inside utils.skip_init


mode = _Mode()


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights must grow so that the signal keeps its size past a
    non-linearity.

    linear, convolutions, sigmoid: 1; tanh: 5 / 3; relu: sqrt(2); selu: 3 / 4;
    leaky_relu: sqrt(2 / (1 + slope^2)).

    Args:    nonlinearity (str): one of these names, as in nn.functional.
             param (float or None): the slope of leaky_relu, 0.01 unless told.
    Raises:  ValueError: if the name is none of these.
    Example: >>> calculate_gain("leaky_relu", 0.0) == calculate_gain("relu")
             True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            fail("calculate_gain", "a number as slope of leaky_relu", repr(param),
                 "Pass for example 0.01.")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        fail("calculate_gain", f"one of {', '.join([*_GAINS, 'leaky_relu'])}", repr(nonlinearity),
             "Pass the name of the function that follows the layer.")
    return _GAINS[nonlinearity]


def fans(function: str, tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (OUT, IN, *kernel).

    Example: >>> import tinycnn
             >>> fans("mine", tinycnn.zeros(8, 3, 5, 5))
             (75, 200)
    """
    if not isinstance(tensor, Tensor):
        fail(function, "a Tensor", type(tensor).__name__, "Pass a parameter.", TypeError)
    if tensor.ndim < 2:
        fail(function, "a weight with at least two axes (OUT, IN, ...)", shape_text(tensor.shape),
             "fan_in and fan_out of a bias are not defined: use uniform_, normal_ or zeros_.")
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places


def _fill(function: str, tensor: Tensor, values: Any) -> Tensor:
    if not isinstance(tensor, Tensor):
        fail(function, "a Tensor", type(tensor).__name__, "Pass a parameter.", TypeError)
    if isinstance(values, numpy.ndarray):
        values = to_device(values, tensor.device)
    tensor.data[...] = values
    return tensor


def _drawing(function: str, tensor: Tensor, generator: Any) -> tuple[Any, Any]:
    """The generator to draw from and the dtype to draw in, for a floating tensor."""
    if not isinstance(tensor, Tensor) or tensor.dtype.kind != "f":
        got = str(tensor.dtype) if isinstance(tensor, Tensor) else type(tensor).__name__
        fail(function, "a Tensor of dtype float32 or float64", got, "Pass a parameter.", TypeError)
    return chosen(function, generator), tensor.dtype


def _draw(function: str, tensor: Tensor, draw: Any, scale: float, shift: float) -> Tensor:
    """tensor = draw() * scale + shift, right in its memory where this is the host's."""
    if not mode.drawing:
        return tensor
    own = tensor.data
    if not (isinstance(own, numpy.ndarray) and own.flags.carray):
        return _fill(function, tensor, draw(own.shape, own.dtype) * own.dtype.type(scale)
                     + own.dtype.type(shift))
    values = own.reshape(-1)
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        draw(dtype=own.dtype, out=block)
        block *= scale
        block += shift
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Values drawn uniformly from [a, b).

    Args:    tensor (Tensor): any shape, float32 or float64; filled in place.
             a, b (float): the range, a <= b.
             generator (numpy.random.Generator or None): None means tinycnn's own, which
             tinycnn.manual_seed seeds.
    Returns: Tensor, the one given; so with every function here.
    Raises:  ValueError: if a > b.
             TypeError: if the tensor is none of floats, or the generator none of NumPy's.
    Example: >>> import tinycnn
             >>> uniform_(tinycnn.tensor([0.0] * 100), -2, -1).max().item() < -1
             True
    """
    rng = _drawing("uniform_", tensor, generator)[0]
    require(a <= b, "uniform_", "a <= b", f"a={a}, b={b}", "Swap them.")
    return _draw("uniform_", tensor, rng.random, b - a, a)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Values drawn from the normal distribution with this mean and standard deviation.

    Example: >>> import tinycnn
             >>> normal_(tinycnn.tensor([[0.0] * 3]), std=0.0)
             tensor([[0., 0., 0.]])
    """
    rng = _drawing("normal_", tensor, generator)[0]
    require(std >= 0, "normal_", "std >= 0", repr(std), "Pass for example std=0.01.")
    return _draw("normal_", tensor, rng.standard_normal, std, mean)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0,
                  b: float = 2.0, generator: Any = None) -> Tensor:
    """Values drawn from the normal distribution as it is inside [a, b].

    x = F^-1(F(a) + u * (F(b) - F(a))), u uniform, F the distribution function, tabulated over
    [a, b] and interpolated.

    Args:    a, b (float): the range, in the values' own units, a <= b.
    Example: >>> import tinycnn
             >>> abs(trunc_normal_(tinycnn.tensor([0.0] * 100), a=-0.5, b=0.5)).max().item() <= 0.5
             True
    """
    rng, dtype = _drawing("trunc_normal_", tensor, generator)
    require(std > 0, "trunc_normal_", "std > 0", repr(std), "Use constant_ for a fixed value.")
    require(a <= b, "trunc_normal_", "a <= b", f"a={a}, b={b}", "Swap them.")
    low, high = (a - mean) / std, (b - mean) / std
    if low < -9 and high > 9:  # of 10^18 draws none is cut off
        return normal_(tensor, mean, std, generator)
    low, high = max(low, min(high, 0.0) - 9), min(high, max(low, 0.0) + 9)  # all past it is rare
    table = numpy.linspace(low, high, _TABLE)
    sign = -1.0 if low > 0 else 1.0  # F(x) = 1 - F(-x): far right, 1 - F has the digits
    below = sign * numpy.array([math.erfc(-sign * z / math.sqrt(2)) for z in table])
    u = rng.random(tensor.shape)
    values = mean + std * numpy.interp(below[0] + u * (below[-1] - below[0]), below, table)
    return _fill("trunc_normal_", tensor, numpy.clip(values, a, b).astype(dtype))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every value `val`.

    Example: >>> import tinycnn
             >>> constant_(tinycnn.tensor([0.0, 0.0]), 3.0)
             tensor([3., 3.])
    """
    return _fill("constant_", tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Every value 1.

    Example: >>> import tinycnn
             >>> ones_(tinycnn.tensor([0.0, 0.0]))
             tensor([1., 1.])
    """
    return _fill("ones_", tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Every value 0.

    Example: >>> import tinycnn
             >>> zeros_(tinycnn.tensor([1.0, 1.0]))
             tensor([0., 0.])
    """
    return _fill("zeros_", tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: a linear layer that passes on as many inputs as it can.

    Example: >>> import tinycnn
             >>> eye_(tinycnn.tensor([[5.0, 5.0], [5.0, 5.0]]))
             tensor([[1., 0.],
                     [0., 1.]])
    """
    _check_axes("eye_", tensor, 2, 2)
    return _fill("eye_", tensor, numpy.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution weight that passes on as many channels as it can: 1 in the middle of the
    window from channel i to channel i, in each group.

    Args:    tensor (Tensor): (OC, C / groups, *kernel) with one to three window axes.
             groups (int): of the convolution; OC is a multiple of it.
    Raises:  ValueError: if the weight has no window axis or more than three, or groups does not
             divide OC.
             TypeError: if it is no Tensor.
    Example: >>> import tinycnn
             >>> dirac_(tinycnn.tensor([[[5.0, 5.0, 5.0]]]))
             tensor([[[0., 1., 0.]]])
    """
    _check_axes("dirac_", tensor, 3, 5)
    OC, C, *kernel = tensor.shape
    require(groups >= 1 and OC % groups == 0, "dirac_",
            f"groups to divide the {OC} output channels of {shape_text(tensor.shape)}",
            repr(groups), "Pass the groups of the convolution.")
    _fill("dirac_", tensor, 0)
    for group in range(groups):
        for i in range(min(OC // groups, C)):
            tensor.data[(group * (OC // groups) + i, i, *(k // 2 for k in kernel))] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in [-b, b), b = gain * sqrt(6 / (fan_in + fan_out)).

    Args:    tensor (Tensor): (OUT, IN, *kernel).
             gain (float): see calculate_gain.
    Example: >>> import tinycnn
             >>> weight = xavier_uniform_(tinycnn.zeros(4, 2))
             >>> weight.abs().max().item() <= 1.0  # sqrt(6 / (2 + 4))
             True
    Source:  Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward
             neural networks", equation 16.
    """
    std = gain * math.sqrt(2.0 / max(sum(fans("xavier_uniform_", tensor)), 1))
    return uniform_(tensor, -math.sqrt(3.0) * std, math.sqrt(3.0) * std, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with mean 0, std = gain * sqrt(2 / (fan_in + fan_out)).

    Example: >>> import tinycnn
             >>> weight = xavier_normal_(tinycnn.zeros(100, 100))
             >>> 0.09 < weight.std().item() < 0.11  # sqrt(2 / 200)
             True
    Source:  Glorot & Bengio 2010, equation 12.
    """
    std = gain * math.sqrt(2.0 / max(sum(fans("xavier_normal_", tensor)), 1))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(function: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    require(mode in ("fan_in", "fan_out"), function, "mode 'fan_in' or 'fan_out'", repr(mode),
            "fan_in keeps the size of the signal, fan_out that of the gradient.")
    fan = fans(function, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in",
                     nonlinearity: str = "leaky_relu", generator: Any = None) -> Tensor:
    """Uniform in [-b, b), b = gain * sqrt(3 / fan).

    Args:    tensor (Tensor): (OUT, IN, *kernel).
             a (float): slope of the leaky_relu that follows.
             mode (str): "fan_in" keeps the signal's size, "fan_out" the gradient's.
             nonlinearity (str): see calculate_gain.
    Example: >>> import tinycnn
             >>> weight = kaiming_uniform_(tinycnn.zeros(4, 6), nonlinearity="relu")
             >>> weight.abs().max().item() <= 1.0  # sqrt(2) * sqrt(3 / 6)
             True
    Source:  He et al. 2015, "Delving deep into rectifiers", section 2.2.
    """
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in",
                    nonlinearity: str = "leaky_relu", generator: Any = None) -> Tensor:
    """Normal with mean 0, std = gain / sqrt(fan).

    Args:    as kaiming_uniform_.
    Example: >>> import tinycnn
             >>> weight = kaiming_normal_(tinycnn.zeros(100, 200), nonlinearity="relu")
             >>> 0.09 < weight.std().item() < 0.11  # sqrt(2 / 200)
             True
    Source:  He et al. 2015, equation 10.
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def fan_in_uniform_(weight: Tensor, bias: Tensor | None = None) -> None:
    """How Linear and the convolutions start: weight and bias uniform in [-b, b),
    b = 1 / sqrt(fan_in), which is kaiming_uniform_(weight, a=sqrt(5)); a bias without inputs 0.

    Example: >>> import tinycnn
             >>> weight, bias = tinycnn.ones(2, 4), tinycnn.ones(2)
             >>> fan_in_uniform_(weight, bias)
             >>> weight.abs().max().item() <= 0.5, bias.abs().max().item() <= 0.5
             (True, True)
    """
    kaiming_uniform_(weight, math.sqrt(5))
    if bias is not None:
        fan_in = fans("fan_in_uniform_", weight)[0]
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        uniform_(bias, -bound, bound)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A random matrix with orthonormal rows (or columns, if there are more rows), times gain.

    Args:    tensor (Tensor): (OUT, ...), taken as a matrix of OUT rows.
             gain (float): length of the rows (or columns), see calculate_gain.
             generator (numpy.random.Generator or None): as in uniform_.
    Raises:  ValueError: if the tensor has fewer than two axes.
             TypeError: if it is none of floats, or the generator none of NumPy's.
    Example: >>> import tinycnn
             >>> w = orthogonal_(tinycnn.tensor([[0.0] * 5, [0.0] * 5]))
             >>> round((w[0] * w[1]).sum().item(), 6) + 0.0
             0.0
    Source:  Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep
             linear neural networks".
    """
    fans("orthogonal_", tensor)  # two axes at least
    if tensor.data.size == 0:
        return tensor
    rng, dtype = _drawing("orthogonal_", tensor, generator)
    rows, columns = tensor.shape[0], tensor.data.size // tensor.shape[0]
    tall = rng.standard_normal((max(rows, columns), min(rows, columns)), dtype)
    q, r = numpy.linalg.qr(tall)
    q *= numpy.where(numpy.diag(r) < 0, -1, 1)  # otherwise q would not be uniform: Mezzadri 2007
    return _fill("orthogonal_", tensor, gain * (q if rows >= columns else q.T).reshape(
        tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal with mean 0 and this std, but the share `sparsity` of each column 0.

    Args:    tensor (Tensor): (OUT, IN).
             sparsity (float): 0 to 1; ceil(sparsity * OUT) values of each column become 0.
    Example: >>> import tinycnn
             >>> weight = sparse_(tinycnn.ones(10, 3), sparsity=0.8)
             >>> (weight != 0).sum(0)
             tensor([2, 2, 2])
    Source:  Martens 2010, "Deep learning via Hessian-free optimization", section 5.
    """
    _check_axes("sparse_", tensor, 2, 2)
    require(0 <= sparsity <= 1, "sparse_", "sparsity between 0 and 1", repr(sparsity),
            "Pass for example 0.9.")
    normal_(tensor, 0.0, std, generator)
    rng = _drawing("sparse_", tensor, generator)[0]
    rows, columns = tensor.shape
    for column in range(columns):
        tensor.data[rng.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return tensor


def _check_axes(function: str, tensor: Tensor, least: int, most: int) -> None:
    if not isinstance(tensor, Tensor):
        fail(function, "a Tensor", type(tensor).__name__, "Pass a parameter.", TypeError)
    if not least <= tensor.ndim <= most:
        fail(function, f"{least} axes" if least == most else f"{least} to {most} axes",
             shape_text(tensor.shape), "Pass the weight of a fitting layer.")
