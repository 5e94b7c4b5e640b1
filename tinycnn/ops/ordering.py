"""Elements along one axis in order, and their running sums: sort, argsort, topk, cumsum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail
from .._core.dtypes import int64
from ..autograd import Function
from ._inputs import cast, check_tensor, dim_of
from .extrema import ValuesAndIndices
from .reshaping import clone

if TYPE_CHECKING:
    from ..tensor import Tensor


class Sort(Function):
    """The first `count` elements along an axis in order, and their indices; see sort and topk."""

    @staticmethod
    def forward(ctx, x, dim, descending, count):
        k = ctx.kernels
        rows = x if x.ndim else k.reshape(x, (1,))
        first = (slice(None),) * dim + (slice(count),)
        index = k.astype(k.argsort(rows, dim, descending)[first], int64)
        ctx.index, ctx.dim, ctx.shape, ctx.rows = index, dim, x.shape, rows.shape
        y = k.take_along_axis(rows, index, dim)
        return (y, index) if x.ndim else (k.reshape(y, y.shape[1:]), k.reshape(index, ()))

    @staticmethod
    def backward(ctx, grad, _grad_index):
        k = ctx.kernels
        grad_x = k.zeros(ctx.rows, grad.dtype)
        k.put_along_axis(grad_x, ctx.index, k.reshape(grad, ctx.index.shape), ctx.dim)
        return k.reshape(grad_x, ctx.shape)


def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True
) -> ValuesAndIndices:
    """Elements along an axis in order, with the index each one had.

    Args:    input (Tensor): any shape.
             dim (int): the axis.
             descending (bool): the largest first. NaN counts as largest.
             stable (bool): accepted as in PyTorch; equal elements always stay in order.
    Returns: (values, indices) of the shape of `input`; indices are int64.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> values, indices = tinycnn.tensor([3.0, 1.0, 2.0]).sort()
             >>> values, indices
             (tensor([1., 2., 3.]), tensor([1, 2, 0]))
    """
    check_tensor("sort", "input", input)
    axis = dim_of("sort", dim, input.data.ndim)
    return ValuesAndIndices(*Sort.apply(input, axis, descending, None))


def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Indices that put an axis in order: those of `sort`.

    Args:    input (Tensor): any shape.
             dim (int): the axis.
             descending (bool): the largest first. NaN counts as largest.
             stable (bool): accepted as in PyTorch; equal elements always stay in order.
    Returns: Tensor of int64 of the shape of `input`.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.argsort(tinycnn.tensor([3.0, 1.0, 2.0]), descending=True)
             tensor([0, 2, 1])
    """
    return sort(input, dim, descending).indices


def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """The k largest (or smallest) elements along an axis in order, with their indices.

    Args:    input (Tensor): any shape.
             k (int): how many.
             dim (int): the axis.
             largest (bool): the largest, else the smallest. NaN counts as largest.
             sorted (bool): accepted as in PyTorch; they always come in order.
    Returns: (values, indices) of the shape of `input` with size k along `dim`.
    Raises:  ValueError: if there is no such axis, or it has fewer than k elements.
    Example: >>> import tinycnn
             >>> scores, labels = tinycnn.tensor([[1.0, 4.0, 3.0]]), tinycnn.tensor([2])
             >>> (scores.topk(2, dim=1).indices == labels.unsqueeze(1)).any(1)  # accuracy@2
             tensor([True])
    """
    check_tensor("topk", "input", input)
    shape = input.data.shape
    axis = dim_of("topk", dim, len(shape))
    least, size = (0, shape[axis]) if shape else (1, 1)
    if not hasattr(k, "__index__") or not least <= k <= size:
        fail("topk", f"k from {least} to {size}, the size of dim {dim}", repr(k),
             "Take fewer, or check dim.")
    return ValuesAndIndices(*Sort.apply(input, axis, largest, k))


class CumSum(Function):
    """See cumsum."""

    @staticmethod
    def forward(ctx, x, dim):
        ctx.dim = dim
        return ctx.kernels.cumsum(x, dim)

    @staticmethod
    def backward(ctx, grad):
        k, dim = ctx.kernels, ctx.dim
        return k.flip(k.cumsum(k.flip(grad, dim), dim), dim)


def cumsum(input: Tensor, dim: int) -> Tensor:
    """Sums of all elements up to each along an axis.

    y[i] = input[0] + ... + input[i]

    Args:    input (Tensor): any shape; bool and integers are summed in int64.
             dim (int): the axis.
    Returns: Tensor of the same shape.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.cumsum(tinycnn.tensor([1.0, 2.0, 3.0]), dim=0)
             tensor([1., 3., 6.])
    """
    check_tensor("cumsum", "input", input)
    if input.data.dtype.kind != "f":
        input = cast(input, int64)
    axis = dim_of("cumsum", dim, input.data.ndim)
    return CumSum.apply(input, axis) if input.data.ndim else clone(input)
