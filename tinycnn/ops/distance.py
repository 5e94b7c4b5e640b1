"""How far, and how alike in direction, vectors are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ._inputs import broadcast_shape, check_tensor, dim_of, kept, operands
from .arithmetic import add, sub
from .elementary import abs as absolute
from .extrema import amin
from .norm import norm
from .reshaping import expand, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


class PowerNorm(Function):
    """(sum over the last axis of |x|^p)^(1/p), for p other than 0, 1, 2 and infinities."""

    @staticmethod
    def forward(ctx, x, p, keepdim):
        k = ctx.kernels
        ctx.size, ctx.x, ctx.p, ctx.dims = k.absolute(x), x, p, (x.ndim - 1,)
        ctx.y = k.power(k.sum(k.power(ctx.size, p), ctx.dims, keepdim), 1 / p)
        return ctx.y

    @staticmethod
    def backward(ctx, grad):
        """sign(x) * (|x| / y)^(p - 1), taken as 0 where y is 0, and where x is for p < 1"""
        k, p = ctx.kernels, ctx.p
        y, grad = (kept(k, a, ctx.x.shape, ctx.dims) for a in (ctx.y, grad))
        none = k.zeros_like(ctx.x)
        slope = k.power(ctx.size, p - 1)
        if p < 1:
            slope = k.where(k.equal(ctx.x, 0), none, slope)
        scale = k.divide(grad, k.power(y, p - 1))
        scale = k.where(k.equal(y, 0), k.zeros_like(scale), scale)
        return k.multiply(k.multiply(k.sign(ctx.x), slope), scale)


class Count(Function):
    """How many numbers along the last axis are not 0; the gradient is 0."""

    @staticmethod
    def forward(ctx, x, keepdim):
        k = ctx.kernels
        ctx.shape = x.shape
        return k.sum(k.astype(k.not_equal(x, 0), x.dtype), (x.ndim - 1,), keepdim)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.zeros(ctx.shape, grad.dtype)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Distance of vectors along the last axis.

    y = (sum |x1 - x2 + eps|^p)^(1/p);  p = inf: the largest, 0: how many are not 0

    Args:    x1, x2 (Tensor): (N, D), (D,), or any shapes that broadcast, float32 or float64.
             p (float): the norm.
             eps (float): added to differences, so that the gradient of equal vectors is not NaN.
             keepdim (bool): leave the last axis in place with size 1.
    Returns: Tensor (N,), (N, 1) with keepdim.
    Raises:  ValueError: if the shapes do not broadcast.
             TypeError: if no operand is a float tensor, or p or eps is no number.
    Example: >>> import tinycnn
             >>> pairwise_distance(tinycnn.tensor([[3.0, 4.0]]), tinycnn.zeros(1, 2))
             tensor([5.0000])
    """
    name = "pairwise_distance"
    p = float_of(name, "p", p, "Pass for example p=2.")
    eps = float_of(name, "eps", eps, "Pass for example eps=1e-6.")
    x1, x2 = _vectors(name, x1, x2)
    difference = add(sub(x1, x2), eps)
    if difference.data.ndim == 0:  # a number is a vector of one
        difference, keepdim = reshape(difference, (1,)), False
    if p < 0 and difference.data.shape[-1] == 0:
        fail(name, "at least one number along the last axis for p < 0",
             shape_text(difference.data.shape), "Nothing has no least element.")
    if p in (1, 2, math.inf):
        return norm(difference, p, -1, keepdim)
    if p == -math.inf:
        return amin(absolute(difference), -1, keepdim)
    if p == 0:
        return Count.apply(difference, keepdim)
    return PowerNorm.apply(difference, p, keepdim)


class CosineSimilarity(Function):
    """See cosine_similarity; as in PyTorch, gradients pass the lower limit of the lengths."""

    @staticmethod
    def forward(ctx, x1, x2, dims, eps):
        k = ctx.kernels
        ctx.lengths = [k.sqrt(k.sum(k.square(x), dims, True)) for x in (x1, x2)]
        ctx.divisors = [k.maximum(n, eps) for n in ctx.lengths]
        ctx.units = [k.divide(x, n) for x, n in zip((x1, x2), ctx.divisors)]
        ctx.dims, ctx.y = dims, k.sum(k.multiply(*ctx.units), dims, True)
        return k.reshape(ctx.y, [n for i, n in enumerate(x1.shape) if i not in dims])

    @staticmethod
    def backward(ctx, grad):
        """(u2 - y * u1 * n1 / |x1|) / n1,  u = x / n, n = max(|x|, eps); n / |x| is 0 where x is"""
        k = ctx.kernels
        grad = kept(k, grad, ctx.units[0].shape, ctx.dims)
        grads = []
        for i, needed in enumerate(ctx.needs[:2]):
            if not needed:
                grads.append(None)
                continue
            n, length = ctx.divisors[i], ctx.lengths[i]
            share = k.where(k.equal(length, 0), k.zeros_like(n), k.divide(n, length))
            along = k.multiply(ctx.units[i], k.multiply(ctx.y, share))
            slope = k.divide(k.subtract(ctx.units[1 - i], along), n)
            grads.append(k.multiply(slope, grad))
        return *grads, None, None


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Cosine of the angle between vectors along an axis: 1 alike, 0 at right angles, -1 opposite.

    y = sum(x1 / max(|x1|, eps) * x2 / max(|x2|, eps))

    Args:    x1, x2 (Tensor): (N, D, ...), of shapes that broadcast, float32 or float64.
             dim (int): the axis of the vectors, in the common shape.
             eps (float): the least length that is divided by.
    Returns: Tensor of the common shape without the axis `dim`.
    Raises:  ValueError: if the shapes do not broadcast, there is no such axis, or eps is negative.
             TypeError: if no operand is a float tensor, or eps is no number.
    Example: >>> import tinycnn
             >>> cosine_similarity(tinycnn.tensor([[1.0, 1.0]]), tinycnn.tensor([[0.0, 2.0]]))
             tensor([0.7071])
    """
    name = "cosine_similarity"
    eps = float_of(name, "eps", eps, "Pass for example eps=1e-8.")
    if not eps >= 0:
        fail(name, "eps of at least 0", repr(eps), "Pass for example eps=1e-8.")
    x1, x2 = _vectors(name, x1, x2)
    shape = broadcast_shape(name, x1.data.shape, x2.data.shape)
    dim = dim_of(name, dim, len(shape))
    x1, x2 = (x if x.data.shape == shape else expand(x, shape) for x in (x1, x2))
    return CosineSimilarity.apply(x1, x2, (dim,) if shape else (), eps)


def _vectors(function, x1, x2):
    """Both in one float dtype."""
    check_tensor(function, "x1", x1)
    check_tensor(function, "x2", x2)
    x1, x2 = operands(function, x1, x2)
    if x1.data.dtype.kind != "f":
        fail(function, "a tensor of dtype float32 or float64", " and ".join([
            f"{x.data.dtype} {shape_text(x.data.shape)}" for x in (x1, x2)]),
             "Convert one with .to(tinycnn.float32).", TypeError)
    return x1, x2
