"""Normalisation of each channel of a pixel by the channels beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, int_of, shape_text
from ..autograd import Function
from ._inputs import check_float
from .group_norm import from_images, to_images

if TYPE_CHECKING:
    from ..tensor import Tensor


class LocalResponseNorm(Function):
    """See local_response_norm."""

    @staticmethod
    def forward(ctx, x, size, alpha, beta, k):
        kernels = ctx.kernels
        rows = _rows(kernels, x)
        y = kernels.empty(rows.shape, x.dtype)
        kernels.local_response_forward(rows, y, size, alpha, beta, k)
        ctx.rows, ctx.settings = rows, (size, alpha, beta, k)
        return from_images(y, x.shape)

    @staticmethod
    def backward(ctx, grad_y):
        kernels = ctx.kernels
        grad_x = kernels.empty(ctx.rows.shape, grad_y.dtype)
        kernels.local_response_backward(ctx.rows, _rows(kernels, grad_y), grad_x, *ctx.settings)
        return from_images(grad_x, grad_y.shape)


def _rows(kernels, x):
    """(N, C, *spatial) as the kernels' (M, C): every pixel of every image a row."""
    images = to_images(kernels, x)
    return images.reshape((math.prod(images.shape[:2]), images.shape[2]))


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Each channel of a pixel divided by the strength of the channels beside it.

    y[c] = x[c] / (k + alpha / size * sum of x[j]^2)^beta, j from c - size // 2 to
    c + (size - 1) // 2; channels that are not there count as 0

    AlexNet has size=5, alpha=5e-4, beta=0.75, k=2 in these terms: its paper does not divide alpha
    by the size, which makes it 1e-4.

    Args:    input (Tensor): (N, C, *spatial), at least 3 axes, float32 or float64.
             size (int): channels of a window, at least 1.
             alpha, beta, k (float): see the formula.
    Returns: Tensor, shape of input.
    Raises:  ValueError: if input has fewer than 3 axes, or size is below 1.
             TypeError: if input is no float tensor, size no integer, or another one no number.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[3.0], [4.0]]])
             >>> local_response_norm(x, size=2, alpha=2.0, beta=0.5, k=0.0).tolist()
             [[[1.0], [0.800000011920929]]]
    Source:  Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional
             neural networks", section 3.3.
    """
    check_float("local_response_norm", "input", input)
    if input.data.ndim < 3:
        fail("local_response_norm", "input (N, C, *spatial) of at least 3 axes",
             shape_text(input.shape), "Add an axis with unsqueeze(-1).")
    size = int_of("local_response_norm", "size", size, "Pass for example size=5.")
    if not 0 < size < 2**31:
        fail("local_response_norm", "size of at least 1, and below 2**31", repr(size),
             "Pass for example size=5.")
    settings = [float_of("local_response_norm", name, value, f"Pass for example {name}={example}.")
                for name, value, example in (("alpha", alpha, 1e-4), ("beta", beta, 0.75),
                                             ("k", k, 1.0))]
    return LocalResponseNorm.apply(input, size, *settings)
