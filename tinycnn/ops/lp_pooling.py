"""Power-average pooling: the p-norm of every window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of
from .._core.shapes import tuple_of
from ..autograd import Function
from ._inputs import check_float
from .pool_plan import fixed_plan
from .pooling import _as_given, _as_images

if TYPE_CHECKING:
    from ..tensor import Tensor

Size = int | tuple[int, ...]


class LpPool(Function):
    """See lp_pool2d: a root of the average of powers."""

    @staticmethod
    def forward(ctx, x, plan, p, window):
        k, ctx.plan, ctx.p, ctx.window = ctx.kernels, plan, p, window
        x = _as_images(k, x, plan)
        total = k.empty((len(x), *plan.out, x.shape[4]), x.dtype)
        k.avg_pool_forward(_power(k, x, p), total, plan.axes, None)
        total = k.multiply(total, window)
        ctx.x, ctx.total = x, total
        return _as_given(k, _power(k, total, 1 / p), plan)

    @staticmethod
    def backward(ctx, grad_y):
        k, p, total = ctx.kernels, ctx.p, ctx.total
        grad_y = k.multiply(_as_images(k, grad_y, ctx.plan), _power(k, total, 1 / p - 1))
        grad = k.where(k.equal(total, 0), k.zeros_like(grad_y), k.multiply(grad_y, ctx.window))
        grad_x = k.empty(ctx.x.shape, grad.dtype)
        k.avg_pool_backward(k.contiguous(grad), grad_x, ctx.plan.axes, None)
        return _as_given(k, k.multiply(grad_x, _power(k, ctx.x, p - 1)), ctx.plan)


def _power(k, x, exponent):
    """x^exponent; the powers that nets use without a power function."""
    if exponent == 1:
        return x
    if exponent == 2:
        return k.square(x)
    if exponent == 0.5:
        return k.sqrt(x)
    if exponent == -0.5:
        return k.divide(1, k.sqrt(x))
    return k.power(x, exponent)


def _lp_pool(function, dims, input, norm_type, kernel_size, stride, ceil_mode):
    check_float(function, "input", input)
    p = float_of(function, "norm_type", norm_type, "Pass for example 2.")
    if p == 0 or not math.isfinite(p):
        fail(function, "a finite norm_type other than 0", repr(norm_type),
             "The limit of infinity is max_pool of the absolute values.")
    plan = fixed_plan(function, dims, input.data.shape, kernel_size, stride, 0, 1, ceil_mode, True)
    kernel = tuple_of(kernel_size, dims, function, "kernel_size", 1)
    return LpPool.apply(input, plan, p, math.prod(kernel))


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Norm of every window along one axis: lp_pool2d without H.

    y[n, c, i] = (sum over q of x[n, c, i * stride + q]^p)^(1 / p)

    Args:    input (Tensor): (N, C, L) or (C, L), float32 or float64; the rest as in lp_pool2d.
    Returns: Tensor (N, C, OL), OL = floor((L - K) / stride) + 1.
    Raises:  ValueError, TypeError: as lp_pool2d.
    Example: >>> import tinycnn
             >>> lp_pool1d(tinycnn.tensor([[3.0, 4.0, 0.0, 2.0]]), 2, 2)
             tensor([[5., 2.]])
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Norm of every window: 1 is its sum, 2 its length, larger powers approach its maximum.

    y[n, c, i, j] = (sum over (q, r) of x[n, c, i * stride + q, j * stride + r]^p)^(1 / p)

    As in PyTorch the powers are those of x, not of |x|: a negative sum, as odd p can have, becomes
    NaN; and a window that ceil_mode cuts off counts as a whole one with the same average. The
    gradient of a window whose sum is 0 is 0.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             norm_type (float): p, finite and not 0.
             kernel_size (int or pair): KH, KW in pixels.
             stride (int or pair): pixels from window to window; None means kernel_size.
             ceil_mode (bool): round OH, OW up.
    Returns: Tensor (N, C, OH, OW), OH = floor((H - KH) / stride) + 1.
    Raises:  ValueError: if norm_type is 0, infinite or NaN, or a window does not fit.
             TypeError: if input is no float tensor, or norm_type no number.
    Example: >>> import tinycnn
             >>> lp_pool2d(tinycnn.tensor([[[3.0, 0.0, 1.0], [0.0, 4.0, 1.0]]]), 2, 2)
             tensor([[[5.]]])
    Source:  Sermanet, Chintala & LeCun 2012, "Convolutional neural networks applied to house
             numbers digit classification", III-A.
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Norm of every window along three axes: lp_pool2d with D in front.

    y[n, c, k, i, j] = (sum over (o, q, r) of x[n, c, k * stride + o, ...]^p)^(1 / p)

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W), float32 or float64; the rest as in
             lp_pool2d, with triples.
    Returns: Tensor (N, C, OD, OH, OW), sizes as in lp_pool2d.
    Raises:  ValueError, TypeError: as lp_pool2d.
    Example: >>> import tinycnn
             >>> lp_pool3d(tinycnn.tensor([[[[3.0, 0.0]], [[0.0, 4.0]]]]), 2, (2, 1, 2))
             tensor([[[[5.]]]])
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
