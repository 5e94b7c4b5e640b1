"""How many weights, connections and products a layer has.

A *connection* is a pair of an output and an input that it reads; a *weight* may be shared by many
of them. Sizes are ints for one axis, or tuples with an entry for each axis.
"""

from __future__ import annotations

from math import prod

from .._core.checks import fail, int_of, require, shape_text
from .._core.shapes import tuple_of
from .sizes import Padding, length, output_size, window_of

Size = int | tuple[int, ...]


def _count(function: str, name: str, value: int, least: int = 0) -> int:
    advice = f"Pass a number of {name}."
    value = int_of(function, name, value, advice)
    require(value >= least, function, f"{name} of at least {least}", repr(value), advice)
    return value


def _filters(function: str, in_channels: int, out_channels: int, kernel: tuple[int, ...],
             groups: int) -> tuple[int, int]:
    """Weights of one filter, C / groups * KH * KW; and how many filters there are."""
    in_channels = _count(function, "in_channels", in_channels, 1)
    out_channels = _count(function, "out_channels", out_channels, 1)
    groups = _count(function, "groups", groups, 1)
    if in_channels % groups or out_channels % groups:
        fail(function, "groups to divide in_channels and out_channels",
             f"groups={groups} for {in_channels} and {out_channels}", "Use a divisor of both.")
    return in_channels // groups * prod(kernel), out_channels


def _kernel(function: str, kernel_size: Size) -> tuple[int, ...]:
    """KH, KW: an int is a square window, as in Conv2d."""
    dims = len(kernel_size) or 2 if isinstance(kernel_size, (tuple, list)) else 2
    return tuple_of(kernel_size, dims, function, "kernel_size", 1)


def _sizes(function: str, name: str, size: Size) -> tuple[int, ...]:
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    require(len(sizes) > 0, function, f"{name} to be an int or a tuple of ints", repr(size),
            "Pass for example (28, 28).")
    return tuple([length(function, name, n) for n in sizes])


def dense_parameters(in_features: int, out_features: int, bias: bool = True) -> int:
    """Weights and biases of a fully connected layer.

    in_features * out_features + out_features

    Args:    in_features, out_features (int): I, O.
             bias (bool): whether there is one for each output.
    Returns: int.
    Raises:  ValueError: if a number is negative. TypeError: if it is no integer.
    Example: >>> dense_parameters(28 * 28, 26, bias=False)
             20384
    """
    function = "dense_parameters"
    weights = dense_connections(in_features, out_features, function)
    return weights + (_count(function, "out_features", out_features) if bias else 0)


def dense_connections(in_features: int, out_features: int,
                      function: str = "dense_connections") -> int:
    """Connections of a fully connected layer, each with a weight of its own: every pair.

    in_features * out_features

    Args:    in_features, out_features (int): I, O.
             function (str): who is asking, for the error messages.
    Returns: int.
    Raises:  ValueError: if a number is negative. TypeError: if it is no integer.
    Example: >>> dense_connections(5, 5)
             25
    """
    return (_count(function, "in_features", in_features)
            * _count(function, "out_features", out_features))


def dense_multiply_adds(in_features: int, out_features: int) -> int:
    """Products that a fully connected layer sums for one row; a bias adds none.

    in_features * out_features

    Args:    in_features, out_features (int): I, O.
    Returns: int.
    Raises:  ValueError: if a number is negative. TypeError: if it is no integer.
    Example: >>> dense_multiply_adds(120, 84)
             10080
    """
    return dense_connections(in_features, out_features, "dense_multiply_adds")


def conv_parameters(in_channels: int, out_channels: int, kernel_size: Size, groups: int = 1,
                    bias: bool = True) -> int:
    """Weights and biases of a convolution: they do not depend on the size of the images.

    out_channels * (in_channels / groups * KH * KW + 1)

    Args:    in_channels, out_channels (int): C, OC.
             kernel_size (int or tuple): KH, KW; an int is a square window. (K,) in one dimension.
             groups (int): divides both numbers of channels.
             bias (bool): whether there is one for each output channel: the + 1.
    Returns: int.
    Raises:  ValueError: if groups does not divide the channels, or a number is out of its range.
             TypeError: if one is no integer.
    Example: >>> conv_parameters(3, 10, kernel_size=5)
             760
             >>> conv_parameters(1, 4, kernel_size=2)
             20
    """
    function = "conv_parameters"
    taps, filters = _filters(function, in_channels, out_channels, _kernel(function, kernel_size),
                             groups)
    return filters * (taps + bool(bias))


def local_parameters(input_size: Size, in_channels: int, out_channels: int, kernel_size: Size,
                     stride: Size = 1, padding: Padding = 0, groups: int = 1,
                     bias: bool = True) -> int:
    """Weights and biases of a locally connected layer: a convolution whose outputs share nothing.

    OH * OW * out_channels * (in_channels / groups * KH * KW + 1)

    Taps that lie in the padding count: such a layer stores them. `conv_connections` leaves them
    out.

    Args:    input_size (int or tuple): H, W; an int is one axis.
             in_channels, out_channels (int): C, OC.
             kernel_size, stride (int or tuple): one number, or one for each axis.
             padding (int, pair (front, back), or str): of every axis, as output_size.
             groups, bias: as conv_parameters.
    Returns: int.
    Raises:  ValueError, TypeError: as conv_parameters and output_size.
    Example: >>> local_parameters(7, 1, 1, kernel_size=3, stride=2, bias=False)
             9
    Source:  LeCun 1989, "Generalization and network design strategies".
    """
    function = "local_parameters"
    size = _sizes(function, "input_size", input_size)
    kernel = tuple_of(kernel_size, len(size), function, "kernel_size", 1)
    strides = tuple_of(stride, len(size), function, "stride", 1)
    taps, filters = _filters(function, in_channels, out_channels, kernel, groups)
    units = prod([output_size(n, k, s, padding) for n, k, s in zip(size, kernel, strides)])
    return units * filters * (taps + bool(bias))


def conv_connections(input_size: Size, kernel_size: Size, stride: Size = 1, padding: Padding = 0,
                     dilation: Size = 1, in_channels: int = 1, out_channels: int = 1,
                     groups: int = 1, bias: bool = False, borders: bool = False) -> int:
    """Connections of a convolution or a locally connected layer, which have equally many.

    out_channels * (in_channels / groups * product over axes of pairs + OH * OW)
    pairs = number of (o, t) with 0 <= o * stride + t * dilation - padding < n

    Without sharing, each is a weight of its own; a convolution has conv_parameters weights.

    Args:    input_size (int or tuple): H, W; an int is one axis.
             kernel_size, stride, dilation (int or tuple): one number, or one for each axis.
             padding (int, pair (front, back), or str): of every axis, as output_size.
             in_channels, out_channels, groups (int): C, OC, G.
             bias (bool): whether an output's bias counts as a connection: the + OH * OW.
             borders (bool): whether taps that read the zeros of the padding count.
    Returns: int.
    Raises:  ValueError, TypeError: as conv_parameters and output_size.
    Example: >>> conv_connections(5, 3, padding="same"), dense_connections(5, 5)
             (13, 25)
             >>> conv_connections(5, 3, padding="same", borders=True)
             15
             >>> conv_connections((32, 32), 5, out_channels=6, bias=True)  # C1 of LeNet-5
             122304
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition", II-B.
    """
    function = "conv_connections"
    size = _sizes(function, "input_size", input_size)
    dims = len(size)
    kernel = tuple_of(kernel_size, dims, function, "kernel_size", 1)
    strides = tuple_of(stride, dims, function, "stride", 1)
    dilations = tuple_of(dilation, dims, function, "dilation", 1)
    channels, filters = _filters(function, in_channels, out_channels, (1,), groups)
    pairs = units = 1
    for n, k, s, d in zip(size, kernel, strides, dilations):
        window = window_of(function, n, k, s, padding, d)
        out, front = window.output_size((1, 1, n))[2], window.padding[2][0]
        units *= out
        pairs *= out * k if borders else sum(
            [_inside(t * d - front, s, out, n) for t in range(k)])
    return filters * (channels * pairs + (units if bias else 0))


def _inside(first: int, step: int, count: int, n: int) -> int:
    """How many of `count` places, first, first + step, ..., lie from 0 to n - 1."""
    before = min(max(-(first // step), 0), count)  # places below 0
    return max(min(-((first - n) // step), count) - before, 0)


def conv_multiply_adds(in_channels: int, out_channels: int, kernel_size: Size, output_size: Size,
                       groups: int = 1) -> int:
    """Products that a convolution sums for one image, those with the padding's zeros included.

    OH * OW * out_channels * in_channels / groups * KH * KW

    Biases are not counted. A transposed convolution has as many as the convolution that it is the
    transpose of: pass the size of its input as output_size, and its channels exchanged.

    Args:    in_channels, out_channels (int): C, OC.
             kernel_size (int or tuple): KH, KW; an int is a square window. (K,) in one dimension.
             output_size (int or tuple): OH, OW; an int is a square image.
             groups (int): divides both numbers of channels.
    Returns: int.
    Raises:  ValueError, TypeError: as conv_parameters.
    Example: >>> conv_multiply_adds(1, 6, kernel_size=5, output_size=28)
             117600
    """
    function = "conv_multiply_adds"
    kernel = _kernel(function, kernel_size)
    if not isinstance(output_size, (tuple, list)):
        output_size = (output_size,) * len(kernel)
    out = _sizes(function, "output_size", output_size)
    require(len(out) == len(kernel), function, f"output_size with {len(kernel)} entries, as the "
            f"kernel {shape_text(kernel)}", shape_text(out), "Pass one number for each axis.")
    taps, filters = _filters(function, in_channels, out_channels, kernel, groups)
    return prod(out) * filters * taps
