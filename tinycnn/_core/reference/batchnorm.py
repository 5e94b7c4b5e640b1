"""Batch norm: each channel shifted and scaled to mean 0 and variance 1 over M = N * D * H * W rows.

Shapes: x, y, residual and their gradients (M, C); everything else (C,). weight and bias may be
None, which means 1 and 0. Sums run in float64: that is the plainest way to be accurate. For M = 0
they are 0.

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


def _normal(x, mean, invstd, weight, bias):
    """(x - mean) * invstd * weight + bias.

    The mean is subtracted first: x * scale + (bias - mean * scale) would cancel where |mean| is
    much larger than the deviation.
    """
    y = (x - mean) * (invstd if weight is None else invstd * weight)
    return y if bias is None else y + bias


@np.errstate(all="ignore")
def batch_norm_apply(x, mean, invstd, weight, bias, residual, relu, y):
    """y = (x - mean) * invstd * weight + bias, + residual if there is one, and its positive part
    with `relu`."""
    y[...] = _normal(x, mean, invstd, weight, bias)
    if residual is not None:
        y += residual
    if relu:
        y[y <= 0] = 0  # NaN stays


@np.errstate(all="ignore")
def batch_norm_backward(
    x, grad_y, y, mean, invstd, weight, bias, relu, training, grad_x, grad_weight, grad_bias,
    grad_residual,
):
    """Gradients of batch_norm_apply; with `training` mean and invstd are functions of x too.

    g = grad_y, with relu where y > 0 and 0 elsewhere
    normal = (x - mean) * invstd
    grad_bias = sum(g), grad_weight = sum(g * normal)
    grad_x = weight * invstd * (g - grad_bias / M - normal * grad_weight / M) in training,
    grad_x = weight * invstd * g otherwise.

    Without a residual y follows from x; with relu behind a residual it must be given, and g is what
    the residual gets: grad_residual. grad_x may be None if nobody wants it; without training
    grad_weight and grad_bias too, together.
    """
    if relu:
        seen = _normal(x, mean, invstd, weight, bias) if y is None else y
        grad_y = np.where(seen <= 0, grad_y.dtype.type(0), grad_y)
    if y is not None:
        grad_residual[...] = grad_y
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
