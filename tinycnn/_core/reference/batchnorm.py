"""Batch norm: each channel shifted and scaled to mean 0 and variance 1 over M = N * D * H * W rows.

Shapes: x, y, grad_x, grad_y (M, C); everything else (C,). weight and bias may be None, which
means 1 and 0. Sums run in float64: that is the plainest way to be accurate. For M = 0 they are 0.

Source: Ioffe & Szegedy 2015, "Batch Normalization", algorithms 1 and 2, and section 3.
"""

import numpy as np


@np.errstate(all="ignore")  # NaN and infinity pass through quietly
def batch_norm_statistics(x, mean, var):
    """mean = sum(x) / M and var = sum((x - mean)^2) / M, biased, of each channel."""
    rows = max(len(x), 1)
    exact = x.astype(np.float64)
    exact_mean = exact.sum(axis=0) / rows
    mean[...] = exact_mean
    var[...] = ((exact - exact_mean) ** 2).sum(axis=0) / rows


@np.errstate(all="ignore")
def batch_norm_invstd(var, eps, invstd):
    """invstd = 1 / sqrt(var + eps)."""
    invstd[...] = 1 / np.sqrt(var + var.dtype.type(eps))


@np.errstate(all="ignore")
def batch_norm_move(running, batch, scale, momentum):
    """running = (1 - momentum) * running + momentum * scale * batch, in place, any strides.

    scale = M / (M - 1) turns the biased variance of a batch into the unbiased one.
    """
    running[...] = (1 - momentum) * running + momentum * scale * batch


@np.errstate(all="ignore")
def batch_norm_apply(x, mean, invstd, weight, bias, y):
    """y = (x - mean) * invstd * weight + bias.

    The mean is subtracted first: x * scale + (bias - mean * scale) would cancel where |mean| is
    much larger than the deviation.
    """
    scale = invstd if weight is None else invstd * weight
    y[...] = (x - mean) * scale
    if bias is not None:
        y += bias


@np.errstate(all="ignore")
def batch_norm_backward(
    x, grad_y, mean, invstd, weight, training, grad_x, grad_weight, grad_bias
):
    """Gradients of batch_norm_apply; with `training` mean and invstd are functions of x too.

    normal = (x - mean) * invstd
    grad_bias = sum(grad_y), grad_weight = sum(grad_y * normal)
    grad_x = weight * invstd * (grad_y - grad_bias / M - normal * grad_weight / M) in training,
    grad_x = weight * invstd * grad_y otherwise.

    grad_x may be None if nobody wants it; without training grad_weight and grad_bias too, together.
    """
    normal = (x.astype(np.float64) - mean) * invstd
    sum_grad = grad_y.sum(axis=0, dtype=np.float64)
    sum_product = (grad_y * normal).sum(axis=0)
    if grad_weight is not None:
        grad_bias[...] = sum_grad
        grad_weight[...] = sum_product
    if grad_x is None:
        return
    scale = invstd if weight is None else invstd * weight
    if training:
        grad_x[...] = scale * (grad_y - (sum_grad + normal * sum_product) / max(len(x), 1))
    else:
        grad_x[...] = scale * grad_y
