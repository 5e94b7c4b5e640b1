"""Largest and smallest: of two tensors, over axes, with their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .._core.checks import fail, shape_text
from .._core.dtypes import int64
from ..autograd import Function
from ._binary import Binary, keep_shapes
from ._inputs import check_tensor, dim_of, kept, operands, reduced_dims

if TYPE_CHECKING:
    from ..tensor import Tensor


class Maximum(Binary):
    """See maximum."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
        ctx.x, ctx.y = x, y
        return ctx.kernels.maximum(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return _shared_at_ties(k, grad, ctx.x, ctx.y, k.less, k.greater)


class Minimum(Binary):
    """See minimum."""

    @staticmethod
    def forward(ctx, x, y):
        keep_shapes(ctx, x, y)
        ctx.x, ctx.y = x, y
        return ctx.kernels.minimum(x, y)

    @staticmethod
    def partials(ctx, k, grad):
        return _shared_at_ties(k, grad, ctx.x, ctx.y, k.greater, k.less)


def _shared_at_ties(k, grad, x, y, x_loses, y_loses):
    """The gradient goes to the operand that was taken; half to each where they are equal."""
    grad = k.where(k.equal(x, y), k.multiply(grad, 0.5), grad)
    none = k.zeros_like(grad)
    return k.where(x_loses(x, y), none, grad), k.where(y_loses(x, y), none, grad)


def maximum(input: Tensor, other: Tensor | float) -> Tensor:
    """The larger of two elements; NaN if one of them is. Equal ones share the gradient.

    y[i] = max(input[i], other[i])

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.maximum(tinycnn.tensor([1.0, 5.0]), tinycnn.tensor([3.0, 2.0]))
             tensor([3., 5.])
    """
    return Maximum.apply(*operands("maximum", input, other))


def minimum(input: Tensor, other: Tensor | float) -> Tensor:
    """The smaller of two elements; NaN if one of them is. Equal ones share the gradient.

    y[i] = min(input[i], other[i])

    Args:    input (Tensor): any shape.
             other (Tensor or number): a shape that broadcasts with it.
    Returns: Tensor of the common shape.
    Raises:  ValueError: if the shapes do not broadcast.
    Example: >>> import tinycnn
             >>> tinycnn.minimum(tinycnn.tensor([1.0, 5.0]), tinycnn.tensor([3.0, 2.0]))
             tensor([1., 2.])
    """
    return Minimum.apply(*operands("minimum", input, other))


class ValuesAndIndices(NamedTuple):
    """What `max` and `min` along one axis return."""

    values: Tensor
    indices: Tensor


class Extremum(Function):
    """Largest or smallest values over axes; equal ones share the gradient."""

    @staticmethod
    def forward(ctx, x, dims, keepdim, name):
        ctx.x, ctx.dims = x, dims
        ctx.y = y = getattr(ctx.kernels, name)(x, dims, keepdim)
        return y

    @staticmethod
    def backward(ctx, grad):
        k, x, dims = ctx.kernels, ctx.x, ctx.dims
        y = kept(k, ctx.y, x.shape, dims)
        taken = k.equal(x, y)
        taken = k.bitwise_or(taken, k.bitwise_and(k.isnan(x), k.isnan(y)))
        share = k.astype(taken, x.dtype)
        share = k.divide(share, k.sum(share, dims, True))
        return k.multiply(share, kept(k, grad, x.shape, dims))


class ExtremumAlong(Function):
    """Largest or smallest value along one axis, and its index; the gradient goes there."""

    @staticmethod
    def forward(ctx, x, dim, keepdim, name):
        k = ctx.kernels
        if x.ndim == 0:
            ctx.index, ctx.shape = None, ()
            return k.copy(x), k.zeros((), int64)
        index = k.reshape(
            getattr(k, name)(x, dim), tuple([1 if i == dim else n for i, n in enumerate(x.shape)])
        )
        ctx.index, ctx.dim, ctx.shape = index, dim, x.shape
        y = k.take_along_axis(x, index, dim)
        if not keepdim:
            shape = x.shape[:dim] + x.shape[dim + 1 :]
            y, index = k.reshape(y, shape), k.reshape(index, shape)
        return y, index

    @staticmethod
    def backward(ctx, grad, _grad_index):
        if ctx.index is None:
            return grad
        k = ctx.kernels
        grad_x = k.zeros(ctx.shape, grad.dtype)
        k.put_along_axis(grad_x, ctx.index, k.reshape(grad, ctx.index.shape), ctx.dim)
        return grad_x


def _check_not_empty(function, input, dims):
    shape = input.data.shape
    if 0 in [shape[i] for i in dims]:
        fail(function, "at least one element along every reduced axis", shape_text(shape),
             "An empty set has no extremum; check how the tensor was cut.")


def _extremum(function, input, dim, keepdim, pairwise):
    check_tensor(function, "input", input)
    if hasattr(dim, "creator"):  # PyTorch's max(input, other)
        return pairwise(input, dim)
    dims = reduced_dims(function, dim, input.data.ndim)
    _check_not_empty(function, input, dims)
    if dim is None:
        return Extremum.apply(input, dims, keepdim, function)
    axis = dim_of(function, dim, input.data.ndim)
    return ValuesAndIndices(*ExtremumAlong.apply(input, axis, keepdim, "arg" + function))


def max(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False
) -> Tensor | ValuesAndIndices:
    """Largest element of all, or along one axis together with its index.

    Over all axes equal largest elements share the gradient; along one axis the first one gets it.

    Args:    input (Tensor): any shape with at least one element.
             dim (int, Tensor or None): the axis; None for all; a tensor means `maximum`.
             keepdim (bool): leave the axis in place with size 1.
    Returns: Tensor (), or (values, indices) without the axis `dim`. NaN counts as largest.
    Raises:  ValueError: if there is no such axis, or nothing to compare.
    Example: >>> import tinycnn
             >>> values, indices = tinycnn.tensor([[1.0, 5.0], [4.0, 2.0]]).max(dim=1)
             >>> values, indices
             (tensor([5., 4.]), tensor([1, 0]))
    """
    return _extremum("max", input, dim, keepdim, maximum)


def min(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False
) -> Tensor | ValuesAndIndices:
    """Smallest element of all, or along one axis together with its index.

    Over all axes equal smallest elements share the gradient; along one axis the first one gets it.

    Args:    input (Tensor): any shape with at least one element.
             dim (int, Tensor or None): the axis; None for all; a tensor means `minimum`.
             keepdim (bool): leave the axis in place with size 1.
    Returns: Tensor (), or (values, indices) without the axis `dim`. NaN counts as smallest.
    Raises:  ValueError: if there is no such axis, or nothing to compare.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 5.0], [4.0, 2.0]]).min()
             tensor(1.)
    """
    return _extremum("min", input, dim, keepdim, minimum)


def _extrema(function, input, dim, keepdim, name):
    check_tensor(function, "input", input)
    dims = reduced_dims(function, dim, input.data.ndim)
    _check_not_empty(function, input, dims)
    return Extremum.apply(input, dims, keepdim, name)


def amax(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Largest elements over axes; equal ones share the gradient.

    Args:    input (Tensor): any shape.
             dim (int, sequence or None): the axes; None or () for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor without the axes `dim`.
    Raises:  ValueError: if there is no such axis, or nothing to compare.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 5.0], [4.0, 2.0]]).amax(dim=0)
             tensor([4., 5.])
    """
    return _extrema("amax", input, dim, keepdim, "max")


def amin(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Smallest elements over axes; equal ones share the gradient.

    Args:    input (Tensor): any shape.
             dim (int, sequence or None): the axes; None or () for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor without the axes `dim`.
    Raises:  ValueError: if there is no such axis, or nothing to compare.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 5.0], [4.0, 2.0]]).amin(dim=0)
             tensor([1., 2.])
    """
    return _extrema("amin", input, dim, keepdim, "min")


class ArgExtremum(Function):
    """See argmax and argmin; no gradient."""

    @staticmethod
    def forward(ctx, x, dim, keepdim, name):
        k = ctx.kernels
        if dim is None or x.ndim == 0:
            y = getattr(k, name)(k.reshape(x, (-1,)), 0)
            return k.reshape(y, (1,) * x.ndim if keepdim else ())
        y = getattr(k, name)(x, dim)
        return k.reshape(y, (*x.shape[:dim], 1, *x.shape[dim + 1 :])) if keepdim else y


def _arg_extremum(function, input, dim, keepdim):
    check_tensor(function, "input", input)
    ndim = input.data.ndim
    dims = reduced_dims(function, dim, ndim)
    _check_not_empty(function, input, dims)
    axis = None if dim is None else dim_of(function, dim, ndim)
    return ArgExtremum.apply(input, axis, keepdim, function)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the largest element, the first one among equals; NaN counts as largest.

    Args:    input (Tensor): any shape with at least one element.
             dim (int or None): the axis; None for the place in the flattened tensor.
             keepdim (bool): leave the axis in place with size 1.
    Returns: Tensor of int64 without the axis `dim`.
    Raises:  ValueError: if there is no such axis, or nothing to compare.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 5.0], [4.0, 2.0]]).argmax(dim=1)
             tensor([1, 0])
    """
    return _arg_extremum("argmax", input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the smallest element, the first one among equals; NaN counts as smallest.

    Args:    input (Tensor): any shape with at least one element.
             dim (int or None): the axis; None for the place in the flattened tensor.
             keepdim (bool): leave the axis in place with size 1.
    Returns: Tensor of int64 without the axis `dim`.
    Raises:  ValueError: if there is no such axis, or nothing to compare.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 5.0], [4.0, 2.0]]).argmin(dim=1)
             tensor([0, 1])
    """
    return _arg_extremum("argmin", input, dim, keepdim)
