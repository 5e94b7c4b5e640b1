"""Elements picked by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_tensor, kernels_of

if TYPE_CHECKING:
    from ..tensor import Tensor

_ALL = slice(None)


class Index(Function):
    """See index."""

    @staticmethod
    def forward(ctx, x, key):
        ctx.shape, ctx.key = x.shape, key
        return ctx.kernels.getitem(x, key)

    @staticmethod
    def backward(ctx, grad):
        k, key = ctx.kernels, ctx.key
        grad_x = k.zeros(ctx.shape, grad.dtype)
        if any(hasattr(part, "dtype") and part.dtype.kind != "b" for part in key):
            k.add_at(grad_x, key, grad)  # an element may have been picked several times
        else:
            k.setitem(grad_x, key, grad)
        return grad_x


def index(input: Tensor, key: Any) -> Tensor:
    """Elements picked by integers, slices, None, ..., or tensors, arrays and lists of indices.

    As PyTorch: integers, slices and None are served first and give a view; then tensors of integers
    (broadcast together) or of bool pick elements, and the result is a copy.

    Args:    input (Tensor): any shape.
             key: what stands in the brackets of `input[key]`.
    Returns: Tensor.
    Raises:  IndexError: if an index is out of range, or there are more of them than axes.
             TypeError: if an index is no integer, slice, None, ... or tensor of bool or integers.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]])
             >>> x[:, 1], x[x > 2]
             (tensor([2., 4.]), tensor([3., 4.]))
    """
    check_tensor("index", "input", input)
    key = index_key(key)
    first, then = _in_two_steps(key, input.data.ndim)
    try:
        y = Index.apply(input, first)
        return y if then is None else Index.apply(y, then)
    except (IndexError, ValueError) as error:
        text = ", ".join([
            shape_text(p.shape) if hasattr(p, "shape") else repr(p) for p in key
        ])
        fail("index", f"indices that exist in a tensor {shape_text(input.data.shape)}",
             f"[{text}] ({error})", "Check the indices and the order of the axes.", IndexError)


def index_key(key):
    """A key of plain integers, slices, None, ... and arrays."""
    if type(key) is int or type(key) is slice:
        return (key,)
    return tuple([_part(p) for p in (key if type(key) is tuple else (key,))])


def _part(part):
    if part is None or part is Ellipsis or type(part) in (int, slice):
        return part
    if hasattr(part, "creator"):
        part = part.data
    elif isinstance(part, (list, tuple, range)):
        part = kernels_of().asarray(part, int if len(part) == 0 else None)
    if hasattr(part, "dtype") and hasattr(part, "shape"):
        if part.dtype.kind in "iu":
            return part if part.shape else int(part)
        if part.dtype.kind == "b":
            return part
        fail("index", "indices of bool or integers", f"{part.dtype} {shape_text(part.shape)}",
             "Convert them with .to(tinycnn.int64).", TypeError)
    if type(part) is bool:
        return kernels_of().asarray(part)
    if hasattr(part, "__index__"):
        return part.__index__()
    fail("index", "an integer, slice, None, ... or a tensor of bool or integers",
         type(part).__name__, "See the help of tinycnn.ops.index.", TypeError)


def _in_two_steps(key, ndim):
    """Integers beside arrays: first everything but the arrays, then the arrays.

    NumPy would take an integer for one more array, which moves axes.
    """
    arrays = [hasattr(p, "dtype") for p in key]
    if not any(arrays) or not any(type(p) is int for p in key):
        return key, None
    width = [
        0 if p is None or p is Ellipsis else p.ndim if a and p.dtype.kind == "b" else 1
        for p, a in zip(key, arrays)
    ]
    first, then = [], []
    for part, array, axes in zip(key, arrays, width):
        if array:
            first += [_ALL] * axes
            then.append(part)
        elif part is Ellipsis:
            first += [_ALL] * (ndim - sum(width))
            then += [_ALL] * (ndim - sum(width))
        else:
            first.append(part)
            then += [] if type(part) is int else [_ALL]
    return tuple(first), tuple(then)
