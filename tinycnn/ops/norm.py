"""The length of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail
from ..autograd import Function
from ._inputs import check_float, dims_of, kept
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
             dim (int, sequence or None): the axes; None for all.
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
        return Norm.apply(input, dims_of("norm", dim, input.data.ndim), keepdim)
    if p == 1:
        return sum(abs(input), dim, keepdim)
    if p == float("inf"):
        return amax(abs(input), dim, keepdim)
    fail("norm", "p to be 1, 2 or inf", repr(p), "Use (abs(x) ** p).sum() ** (1 / p) for others.")
