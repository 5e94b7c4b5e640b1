"""The length of vectors, and vectors of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ._inputs import check_float, check_tensor, kept, reduced_dims
from .elementary import abs
from .extrema import amax
from .reduction import sum

if TYPE_CHECKING:
    from ..tensor import Tensor


class Norm(Function):
    """See norm, for p = 2."""

    @staticmethod
    def forward(ctx, x, dims, keepdim):
        k = ctx.kernels
        ctx.x, ctx.dims = x, dims
        ctx.y = y = k.sqrt(k.sum(k.square(x), dims, keepdim))
        return y

    @staticmethod
    def backward(ctx, grad):
        """d norm / d x = x / norm, taken as 0 where the norm is 0."""
        k, shape = ctx.kernels, ctx.x.shape
        scale = k.where(k.equal(ctx.y, 0), k.zeros_like(grad), k.divide(grad, ctx.y))
        return k.multiply(ctx.x, kept(k, scale, shape, ctx.dims))


def norm(
    input: Tensor, p: float | str = 2, dim: int | Sequence[int] | None = None, keepdim: bool = False
) -> Tensor:
    """Length of the vector of all elements, or of those along axes.

    p = 2: sqrt(sum(input^2)), p = 1: sum(|input|), p = inf: max(|input|)

    Args:    input (Tensor): any shape, float32 or float64.
             p (number or str): 1, 2 (also named "fro") or inf.
             dim (int, sequence or None): the axes; None or () for all.
             keepdim (bool): leave them in place with size 1.
    Returns: Tensor without the axes `dim`.
    Raises:  TypeError: if `input` is no float tensor.
             ValueError: if there is no such axis or no such p.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([3.0, -4.0]).norm()
             tensor(5.)
    """
    check_float("norm", "input", input)
    if p in (2, "fro"):
        return Norm.apply(input, reduced_dims("norm", dim, input.data.ndim), keepdim)
    if p == 1:
        return sum(abs(input), dim, keepdim)
    if p == float("inf"):
        return amax(abs(input), dim, keepdim)
    fail("norm", "p to be 1, 2 or inf", repr(p), "Use (abs(x) ** p).sum() ** (1 / p) for others.")


class Normalize(Function):
    """See normalize."""

    @staticmethod
    def forward(ctx, x, p, dims, eps):
        k = ctx.kernels
        length = _length(k, x, p, dims)
        ctx.saved = x, length, k.maximum(length, eps)
        ctx.settings = p, dims, eps
        return k.divide(x, ctx.saved[2])

    @staticmethod
    def backward(ctx, grad_y):
        """grad_x = grad_y / d - (d length / d x) * sum(grad_y * x) / d^2, d = max(length, eps);
        the second part only where length >= eps."""
        k, (x, length, d), (p, dims, eps) = ctx.kernels, ctx.saved, ctx.settings
        direct = k.divide(grad_y, d)
        share = k.divide(k.sum(k.multiply(direct, x), dims, True), d)
        share = k.where(k.less(length, eps), k.zeros_like(share), share)
        return k.subtract(direct, k.multiply(_slope(k, x, p, length, dims), share))


def _length(k, x, p, dims):
    """The p-norm over axes, which stay with size 1."""
    size = k.absolute(x)
    if p == 2:
        return k.sqrt(k.sum(k.square(x), dims, True))
    if p == 0:
        return k.sum(k.astype(k.not_equal(x, 0), x.dtype), dims, True)
    if p in (float("inf"), -float("inf")):
        return k.max(size, dims, True) if p > 0 else k.min(size, dims, True)
    if p == 1:
        return k.sum(size, dims, True)
    return k.power(k.sum(k.power(size, p), dims, True), 1 / p)


def _slope(k, x, p, length, dims):
    """d length / d x: sign(x) * (|x| / length)^(p - 1), 0 where x or length is 0. Of the largest
    numbers, for p = inf, each has the same share."""
    if p == 0:
        return k.zeros_like(x)
    sign, size = k.sign(x), k.absolute(x)
    if p == 1:
        return sign
    if p in (float("inf"), -float("inf")):
        chosen = k.astype(k.equal(size, length), x.dtype)
        return k.divide(k.multiply(sign, chosen), k.sum(chosen, dims, True))
    ratio = k.divide(size, length)
    slope = k.multiply(sign, ratio if p == 2 else k.power(ratio, p - 1))
    nothing = k.bitwise_or(k.equal(x, 0), k.equal(length, 0))
    return k.where(nothing, k.zeros_like(slope), slope)


def normalize(
    input: Tensor, p: float = 2.0, dim: int | Sequence[int] | None = 1, eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    """Vectors along axes divided by their length, so that it becomes 1.

    y = x / max((sum of |x|^p)^(1 / p), eps)

    Args:    input (Tensor): any shape, float32 or float64.
             p (float): 2 for the usual length; inf takes the largest, 0 counts numbers unlike 0.
             dim (int, sequence or None): the axes; None or () for all.
             eps (float): the least divisor.
             out (Tensor or None): write the result there and return it; no gradient may be wanted.
    Returns: Tensor, shape of input.
    Raises:  TypeError: if input is no float tensor, or p or eps no number.
             ValueError: if there is no such axis; for infinite p if it is empty; if out is not like
             input, or a gradient is wanted.
    Example: >>> import tinycnn
             >>> normalize(tinycnn.tensor([[3.0, -4.0]]))
             tensor([[ 0.6000, -0.8000]])
    """
    check_float("normalize", "input", input)
    p = float_of("normalize", "p", p, "Pass for example p=2.0.")
    eps = float_of("normalize", "eps", eps, "Pass for example eps=1e-12.")
    shape = input.data.shape
    dims = reduced_dims("normalize", dim, len(shape))
    if p in (float("inf"), -float("inf")) and 0 in [shape[i] for i in dims]:
        fail("normalize", "axes with numbers for an infinite p", shape_text(shape),
             "Nothing is the largest of no numbers.")
    y = Normalize.apply(input, p, dims, eps)
    return y if out is None else _written("normalize", y, out)


def _written(function, y, out):
    """`out` with the numbers of y in it."""
    check_tensor(function, "out", out)
    if out.data.shape != y.data.shape or out.data.dtype != y.data.dtype:
        fail(function, f"out {shape_text(y.data.shape)} of {y.data.dtype}, as input",
             f"{shape_text(out.data.shape)} of {out.data.dtype}", "Leave it out to get a new one.")
    if y.requires_grad or out.requires_grad:
        fail(function, "nothing that requires a gradient together with out", "a tensor that does",
             "Leave out away, or compute within tinycnn.no_grad().")
    out.data[...] = y.data
    return out
