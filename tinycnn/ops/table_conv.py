"""Convolution with a connection table: each output map sees some of the input maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.dtypes import int64
from .._core.shapes import remembered
from ..autograd import Function
from ._inputs import as_tensor, check_float, move
from .conv import IntOrTuple, Padding, convolution

if TYPE_CHECKING:
    from ..tensor import Tensor


class TableWeight(Function):
    """One filter for each connection to a dense weight, zero where there is no connection.

    place (connections, 1): OC * C + C of each connection in the dense weight.
    """

    @staticmethod
    def forward(ctx, weight, place, maps):
        k, window = ctx.kernels, weight.shape[1:]
        ctx.place, ctx.shape = place, weight.shape
        dense = k.zeros((maps[0] * maps[1], window[0] * window[1]), weight.dtype)
        k.put_along_axis(dense, place, k.reshape(weight, (len(weight), -1)), 0)
        return k.reshape(dense, (*maps, *window))

    @staticmethod
    def backward(ctx, grad):
        k, (KH, KW) = ctx.kernels, ctx.shape[1:]
        rows = k.reshape(grad, (grad.shape[0] * grad.shape[1], KH * KW))
        return k.reshape(k.take_along_axis(rows, ctx.place, 0), ctx.shape), None


@remembered
def connections(function, table, in_channels=None):
    """((OC, C), places): numbers of maps, and o * C + c of each connection (o, c), in order.

    Args:    table (tuples of ints): for each output map the input maps that it sees.
             in_channels (int or None): C; None means as many as the table names.
    Raises:  ValueError: if the table is no such thing, or names a map twice or none for an output.
    """
    advice = "Pass for each output map the input maps that it sees, as in [[0, 1], [1, 2]]."
    if not isinstance(table, tuple) or not table or not all(
        isinstance(row, tuple) and row and all(type(c) is int for c in row) for row in table
    ):
        fail(function, "table to be lists of ints, one for each output map and none empty",
             repr(table), advice)
    least, most = min(map(min, table)), max(map(max, table))
    C = most + 1 if in_channels is None else in_channels
    if least < 0 or most >= min(C, 2**31):
        last = "on" if in_channels is None else f"to {C - 1}"
        fail(function, f"table of input maps from 0 {last}",
             f"map {least if least < 0 else most}", advice)
    for o, row in enumerate(table):
        if len(set(row)) != len(row):
            fail(function, "table that names an input map once for each output map",
                 f"{list(row)} for output map {o}", advice)
    return (len(table), C), [[o * C + c] for o, row in enumerate(table) for c in row]


def table_conv2d(
    input: Tensor, weight: Tensor, table: Sequence[Sequence[int]], bias: Tensor | None = None,
    stride: IntOrTuple = 1, padding: Padding = 0, dilation: IntOrTuple = 1,
) -> Tensor:
    """Convolution in which output map k sees the input maps of table[k] only.

    y[n, k, i, j] = bias[k] + sum over c in table[k], p, q of
                    x[n, c, i * stride + p * dilation - padding, ...] * weight[(k, c), p, q]

    Computed as conv2d with a weight that is zero where there is no connection.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64; C as the table says.
             weight (Tensor): (connections, KH, KW), a filter for each, in the table's order.
             table (sequence of sequences of int): for each output map the input maps it sees.
             bias (Tensor or None): (OC,), OC = len(table).
             stride, padding, dilation: as conv2d.
    Returns: Tensor (N, OC, OH, OW), sizes as conv2d.
    Raises:  ValueError: if the table makes no sense, or shapes do not fit.
             TypeError: if an argument is not a float tensor, or dtypes differ.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0]], [[10.0]], [[100.0]]])
             >>> table_conv2d(x, tinycnn.ones(3, 1, 1), [[0, 1], [2]])
             tensor([[[ 11.]],
                     [[100.]]])
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition", II-B,
             table I.
    """
    maps, places = connections("table_conv2d", table)
    return table_convolution("table_conv2d", input, weight, as_tensor(places).to(int64), maps,
                             bias, stride, padding, dilation)


def table_convolution(function, input, weight, place, maps, bias, stride, padding, dilation):
    """See table_conv2d; with the connections that `connections` found, as a tensor."""
    check_float(function, "weight", weight)
    w = weight.data.shape
    if len(w) != 3 or w[0] != len(place) or 0 in w:
        fail(function, f"weight ({len(place)}, KH, KW), a filter for each connection, no size 0",
             shape_text(w), "Check the table and kernel_size.")
    check_float(function, "input", input)
    if input.data.ndim >= 3 and input.data.shape[-3] != maps[1]:
        fail(function, f"input with {maps[1]} maps, as the table reads",
             f"{input.data.shape[-3]} in input {shape_text(input.data.shape)}",
             "Check the table; in_channels is for maps that nothing reads.")
    dense = TableWeight.apply(weight, move(place, weight.device), maps)
    return convolution(function, 2, input, dense, bias, stride, padding, dilation, 1)
