"""Reductions: sums, means, extrema over some or all axes.

`dim` is an axis, several, or None for all; `keepdim=True` leaves the axes in place with size 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.dtypes import int64
from ..autograd import Function
from ._inputs import cast, check_float, check_tensor, dim_of, dims_of, kept, reduced_dims

if TYPE_CHECKING:
    from ..tensor import Tensor

class Sum(Function):
    """See sum."""

    @staticmethod
    def forward(ctx, x, dims, keepdim):
        ctx.shape, ctx.dims = x.shape, dims
        return ctx.kernels.sum(x, dims, keepdim)

    @staticmethod
    def backward(ctx, grad):
        k = ctx.kernels
        return k.broadcast_to(kept(k, grad, ctx.shape, ctx.dims), ctx.shape)


def sum(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Sum over axes.

    Args:    input (Tensor): any shape; bool and integers are summed in int64.
             dim (int, sequence or None): the axes; None or () for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor without the axes `dim`; 0 where nothing is summed.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(dim=1)
             tensor([3., 7.])
    """
    check_tensor("sum", "input", input)
    if input.data.dtype.kind != "f":
        input = cast(input, int64)
    return Sum.apply(input, reduced_dims("sum", dim, input.data.ndim), keepdim)


def mean(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Mean over axes.

    y = sum(input) / n

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int, sequence or None): the axes; None or () for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor without the axes `dim`; NaN where n is 0.
    Raises:  TypeError: if `input` is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(dim=0)
             tensor([2., 3.])
    """
    check_float("mean", "input", input)
    return Mean.apply(input, reduced_dims("mean", dim, input.data.ndim), keepdim)


class Mean(Function):
    """See mean."""

    @staticmethod
    def forward(ctx, x, dims, keepdim):
        ctx.shape, ctx.dims = x.shape, dims
        return ctx.kernels.mean(x, dims, keepdim)

    @staticmethod
    def backward(ctx, grad):
        k, shape = ctx.kernels, ctx.shape
        grad = k.divide(grad, math.prod([shape[i] for i in ctx.dims]))
        return k.broadcast_to(kept(k, grad, shape, ctx.dims), shape)


class Var(Function):
    """See var and std."""

    @staticmethod
    def forward(ctx, x, dims, keepdim, correction, root):
        k = ctx.kernels
        ctx.x, ctx.dims, ctx.root = x, dims, root
        ctx.divisor = builtin_max(math.prod([x.shape[i] for i in dims]) - correction, 0)
        y = k.var(x, dims, keepdim, correction)
        ctx.y = y = k.sqrt(y) if root else y
        return y

    @staticmethod
    def backward(ctx, grad):
        k, x, dims = ctx.kernels, ctx.x, ctx.dims
        if ctx.root:  # d std = d var / (2 std), taken as 0 where std is 0
            half = k.divide(grad, k.multiply(ctx.y, 2))
            grad = k.where(k.equal(ctx.y, 0), k.zeros_like(half), half)
        grad = k.divide(k.multiply(grad, 2), ctx.divisor)
        centered = k.subtract(x, k.mean(x, dims, True))
        return k.multiply(centered, kept(k, grad, x.shape, dims))


builtin_max = max


def _spread(function, input, dim, unbiased, keepdim, correction, root):
    check_float(function, "input", input)
    if type(dim) is bool:  # PyTorch's var(input, unbiased)
        dim, unbiased = None, dim
    correction = int(unbiased) if correction is None else correction
    dims = reduced_dims(function, dim, input.data.ndim)
    return Var.apply(input, dims, keepdim, correction, root)


def var(
    input: Tensor,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Variance over axes.

    y = sum((input - mean)^2) / max(n - correction, 0)

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int, sequence or None): the axes; None or () for all.
             unbiased (bool): correction 1 (Bessel's) if true, else 0.
             keepdim (bool): leave the axes in place with size 1.
             correction (number or None): in place of `unbiased`.
    Returns: Tensor without the axes `dim`; NaN for a single number with correction 1.
    Raises:  TypeError: if `input` is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0, 3.0]).var()
             tensor(1.)
    """
    return _spread("var", input, dim, unbiased, keepdim, correction, False)


def std(
    input: Tensor,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Standard deviation over axes: the square root of the variance.

    y = sqrt(sum((input - mean)^2) / max(n - correction, 0))

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int, sequence or None): the axes; None or () for all.
             unbiased (bool): correction 1 (Bessel's) if true, else 0.
             keepdim (bool): leave the axes in place with size 1.
             correction (number or None): in place of `unbiased`.
    Returns: Tensor without the axes `dim`.
    Raises:  TypeError: if `input` is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1.0, 2.0, 3.0]).std(unbiased=False)
             tensor(0.8165)
    """
    return _spread("std", input, dim, unbiased, keepdim, correction, True)


class Prod(Function):
    """See prod."""

    @staticmethod
    def forward(ctx, x, dim, keepdim):
        ctx.x, ctx.dim = x, dim
        return ctx.kernels.prod(x, dim, keepdim)

    @staticmethod
    def backward(ctx, grad):
        """d/dx[i] = everything before x[i] times everything after it: right beside zeros too."""
        k, dim = ctx.kernels, ctx.dim
        x = k.reshape(ctx.x, (-1,)) if dim is None else ctx.x
        axis = 0 if dim is None else dim
        others = k.multiply(_before(k, x, axis), k.flip(_before(k, k.flip(x, axis), axis), axis))
        if dim is None:
            return k.reshape(k.multiply(others, k.reshape(grad, (1,))), ctx.x.shape)
        return k.multiply(others, kept(k, grad, x.shape, (dim,)))


def _before(k, x, axis):
    """Products of all elements before each along an axis: 1, x[0], x[0] x[1], ..."""
    y = k.ones_like(x)
    later, earlier = ((slice(None),) * axis + (s,) for s in (slice(1, None), slice(None, -1)))
    y[later] = k.cumprod(x, axis)[earlier]
    return y


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Product of all elements, or along one axis.

    Args:    input (Tensor): any shape; bool and integers are multiplied in int64.
             dim (int or None): the axis; None for all.
             keepdim (bool): leave it in place with size 1.
    Returns: Tensor without the axis `dim`; 1 where nothing is multiplied.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]]).prod(dim=1)
             tensor([ 2., 12.])
    """
    check_tensor("prod", "input", input)
    if input.data.dtype.kind != "f":
        input = cast(input, int64)
    ndim = input.data.ndim
    axis = None if dim is None or ndim == 0 else dim_of("prod", dim, ndim)
    return Prod.apply(input, axis, keepdim)


class LogSumExp(Function):
    """See logsumexp."""

    @staticmethod
    def forward(ctx, x, dims, keepdim):
        k = ctx.kernels
        if 0 in [x.shape[i] for i in dims]:  # log of an empty sum
            y = k.log(k.sum(x, dims, True))
        else:
            top = k.max(x, dims, True)
            top = k.where(k.isfinite(top), top, k.zeros_like(top))
            y = k.add(k.log(k.sum(k.exp(k.subtract(x, top)), dims, True)), top)
        ctx.x, ctx.y = x, y
        ctx.dims = dims
        if keepdim:
            return y
        return k.reshape(y, tuple([n for i, n in enumerate(x.shape) if i not in dims]))

    @staticmethod
    def backward(ctx, grad):
        k, softmax = ctx.kernels, ctx.kernels.exp(ctx.kernels.subtract(ctx.x, ctx.y))
        return k.multiply(softmax, kept(k, grad, ctx.x.shape, ctx.dims))


def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """Logarithm of a sum of exponentials, without overflow.

    y = m + log(sum(exp(input - m))), m = max(input)

    Args:    input (Tensor): any shape, float32 or float64.
             dim (int or sequence): the axes.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor without the axes `dim`; -inf where nothing is summed.
    Raises:  TypeError: if `input` is no float tensor.
             ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([1000.0, 1000.0]).logsumexp(dim=0)
             tensor(1000.6932)
    """
    check_float("logsumexp", "input", input)
    return LogSumExp.apply(input, dims_of("logsumexp", dim, input.data.ndim), keepdim)


class Quantifier(Function):
    """See all and any; no gradient."""

    @staticmethod
    def forward(ctx, x, dims, keepdim, name):
        return getattr(ctx.kernels, name)(ctx.kernels.astype(x, bool), dims, keepdim)


def all(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """True where every element is true (not 0); true of none.

    Args:    input (Tensor): any shape.
             dim (int, sequence or None): the axes; None for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor of bool without the axes `dim`.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> (tinycnn.tensor([1.0, 2.0]) > 1).all()
             tensor(False)
    """
    check_tensor("all", "input", input)
    return Quantifier.apply(input, dims_of("all", dim, input.data.ndim), keepdim, "all")


def any(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """True where at least one element is true (not 0); false of none.

    Args:    input (Tensor): any shape.
             dim (int, sequence or None): the axes; None for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor of bool without the axes `dim`.
    Raises:  ValueError: if there is no such axis.
    Example: >>> import tinycnn
             >>> (tinycnn.tensor([1.0, 2.0]) > 1).any()
             tensor(True)
    """
    check_tensor("any", "input", input)
    return Quantifier.apply(input, dims_of("any", dim, input.data.ndim), keepdim, "any")
