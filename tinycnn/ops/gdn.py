"""Generalised divisive normalisation, of networks that compress images, and how its parameters are
kept from becoming negative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_float
from .group_norm import check_parameter, from_images, to_images

if TYPE_CHECKING:
    from ..tensor import Tensor

PEDESTAL = 2.0**-36  # what a stored parameter's square is above its value: see nonnegative


class GDN(Function):
    """See gdn. d = beta + x^2 @ gamma.T for every pixel, a row of C channels."""

    @staticmethod
    def forward(ctx, x, beta, gamma, inverse):
        k = ctx.kernels
        rows = _rows(k, x)
        d = k.empty(rows.shape, x.dtype)
        k.matmul(k.square(rows), k.contiguous(gamma).T, k.contiguous(beta), d)
        root = k.sqrt(d)
        ctx.saved, ctx.inverse = (rows, root, gamma), inverse
        return from_images(k.multiply(rows, root) if inverse else k.divide(rows, root), x.shape)

    @staticmethod
    def backward(ctx, grad_y):
        """t = grad_y x / d^(3/2), or grad_y x / d^(1/2) of the inverse, is what moves d by -1/2 or
        1/2; d moves with beta, with gamma[i, j] by x[j]^2, and with x[j] by 2 gamma[i, j] x[j]."""
        k, (x, root, gamma) = ctx.kernels, ctx.saved
        need_x, need_beta, need_gamma = ctx.needs[:3]
        grads = _rows(k, grad_y)
        direct = k.multiply(grads, root) if ctx.inverse else k.divide(grads, root)
        t = k.divide(k.multiply(direct, x), k.square(root))
        sign, half = (1.0, 0.5) if ctx.inverse else (-1.0, -0.5)
        grad_x = grad_beta = grad_gamma = None
        if need_x:
            through = k.empty(x.shape, x.dtype)
            k.matmul(t, k.contiguous(gamma), None, through)
            through = k.multiply(through, x)
            grad_x = k.add(direct, through) if sign > 0 else k.subtract(direct, through)
            grad_x = from_images(grad_x, grad_y.shape)
        if need_beta:
            grad_beta = k.empty(x.shape[1:], x.dtype)
            k.sum_rows(t, grad_beta)
            grad_beta = k.multiply(grad_beta, half)
        if need_gamma:
            grad_gamma = k.empty(gamma.shape, x.dtype)
            k.matmul(t.T, k.square(x), None, grad_gamma)
            grad_gamma = k.multiply(grad_gamma, half)
        return grad_x, grad_beta, grad_gamma


def _rows(k, x):
    """(N, C, *spatial) as (M, C): every pixel of every image a row."""
    images = to_images(k, x)
    return images.reshape((math.prod(images.shape[:2]), images.shape[2]))


def gdn(input: Tensor, beta: Tensor, gamma: Tensor, inverse: bool = False) -> Tensor:
    """Generalised divisive normalisation: each channel of a pixel divided by a learnt measure of
    how strong all channels of that pixel are; or multiplied, which undoes it approximately.

    y[i] = x[i] / sqrt(beta[i] + sum over j of gamma[i, j] * x[j]^2),
    with inverse y[i] = x[i] * sqrt(beta[i] + sum over j of gamma[i, j] * x[j]^2)

    Args:    input (Tensor): (N, C, *spatial) or (N, C), float32 or float64.
             beta (Tensor): (C,), above 0.
             gamma (Tensor): (C, C), at least 0. See nonnegative for how both stay so.
             inverse (bool): multiply.
    Returns: Tensor, shape of input.
    Raises:  ValueError: if input has no channel axis; if beta or gamma has another shape or dtype.
             TypeError: if an argument is no float tensor.
    Example: >>> import tinycnn
             >>> x, beta = tinycnn.tensor([[1.0, 2.0]]), tinycnn.tensor([0.0, 5.0])
             >>> gdn(x, beta, tinycnn.tensor([[0.0, 1.0], [0.0, 1.0]]))
             tensor([[0.5000, 0.6667]])
    Source:  Balle, Laparra & Simoncelli 2016, "Density modeling of images using a generalized
             normalization transformation"; 2017, "End-to-end optimized image compression".
    """
    check_float("gdn", "input", input)
    shape = input.data.shape
    if len(shape) < 2:
        fail("gdn", "input (N, C, *spatial)", shape_text(shape),
             "Add the axes with reshape or unsqueeze.")
    C = shape[1]
    for name, value, wanted, what in (("beta", beta, (C,), "one number per channel"),
                                      ("gamma", gamma, (C, C), "one number per pair of channels")):
        check_float("gdn", name, value)
        check_parameter("gdn", name, value, input, wanted, what)
    return GDN.apply(input, beta, gamma, bool(inverse))


class NonNegative(Function):
    """See nonnegative."""

    @staticmethod
    def forward(ctx, stored, bound):
        k = ctx.kernels
        ctx.low, ctx.root = k.less(stored, bound), k.maximum(stored, bound)
        return k.subtract(k.square(ctx.root), PEDESTAL)

    @staticmethod
    def backward(ctx, grad):
        k = ctx.kernels
        grad = k.multiply(k.multiply(grad, ctx.root), 2.0)
        stuck = k.bitwise_and(ctx.low, k.greater_equal(grad, 0))  # a step would go further down
        return k.where(stuck, k.zeros_like(grad), grad)


def nonnegative(stored: Tensor, minimum: float = 0.0) -> Tensor:
    """The value of a parameter that is stored as a square root, and so stays above a minimum.

    value = max(stored, bound)^2 - 2^-36, bound = sqrt(minimum + 2^-36)

    Where `stored` is below the bound, its gradient is the one at the bound if that pushes it up (is
    negative), else 0: it can come back, but not sink further. The pedestal 2^-36 keeps the slope
    2 * stored of a parameter of value 0 from being 0.

    Args:    stored (Tensor): any shape, float32 or float64.
             minimum (float): of the value, at least 0.
    Returns: Tensor of the same shape, at least `minimum` but for rounding.
    Raises:  TypeError: if stored is no float tensor.
             ValueError: if minimum is negative.
    Example: >>> import tinycnn
             >>> nonnegative(tinycnn.tensor([2.0, -3.0]), minimum=1.0)
             tensor([4., 1.])
    Source:  Balle 2018, "Efficient nonlinear transforms for lossy image compression", section 2.
    """
    check_float("nonnegative", "stored", stored)
    if not minimum >= 0:
        fail("nonnegative", "minimum of at least 0", repr(minimum), "Pass for example 1e-6.")
    return NonNegative.apply(stored, math.sqrt(minimum + PEDESTAL))


def stored_form(value: Tensor) -> Tensor:
    """What `nonnegative` makes `value` of: sqrt(max(value + 2^-36, 2^-36)).

    Args:    value (Tensor): any shape, float32 or float64.
    Returns: Tensor of the same shape.
    Example: >>> import tinycnn
             >>> stored_form(tinycnn.tensor([4.0]))
             tensor([2.])
    """
    return (value + PEDESTAL).clamp(min=PEDESTAL).sqrt()
