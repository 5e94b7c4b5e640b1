"""Group norm: the numbers of each group of an image shifted and scaled to mean 0 and variance 1.

An image has M pixels of C channels; its channels are cut into G groups of C / G side by side, and a
group has its own mean and variance, over its M * C / G numbers. Layer norm is one group (of images
with one pixel, where the numbers lie in a row), instance norm a group for each channel.

Shapes: x, y, grad_y, grad_x (N, M, C); mean, var (N, G); weight, bias and their gradients (C,).
weight and bias may be None, which means 1 and 0. mean is None for norms that subtract none (RMS
norm): var is then the mean of x^2. Sums run in float64, the plainest way to be accurate.

Source: Wu & He 2018, "Group normalization"; Ba, Kiros & Hinton 2016, "Layer normalization";
Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization"; Zhang & Sennrich 2019, "Root mean
square layer normalization".
"""

import numpy as np


def _grouped(x, G):
    """(N, M, C) as (N, M, G, C / G)."""
    N, M, C = x.shape
    return x.reshape(N, M, G, C // G)


def _per_channel(values, C):
    """(N, G) as (N, 1, C): each group's number for every channel of it."""
    return np.repeat(values, C // max(values.shape[1], 1), axis=1)[:, None, :]


def _invstd(var, eps):
    """1 / sqrt(var + eps)."""
    return (1 / np.sqrt(var.astype(np.float64) + eps)).astype(var.dtype)


@np.errstate(all="ignore")  # NaN and infinity pass through quietly
def group_norm_forward(x, weight, bias, eps, mean, var, y):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, and the mean and biased variance of groups.

    Where there is no pixel they are 0.
    """
    N, M, C = x.shape
    G = var.shape[1]
    exact = _grouped(x.astype(np.float64), G)
    count = max(M * C // max(G, 1), 1)
    center = exact.sum(axis=(1, 3)) / count if mean is not None else np.zeros((N, G))
    var[...] = ((exact - center[:, None, :, None]) ** 2).sum(axis=(1, 3)) / count
    if mean is not None:
        mean[...] = center
        x = x - _per_channel(mean, C)
    scale = _per_channel(_invstd(var, eps), C)
    y[...] = x * (scale if weight is None else scale * weight)
    if bias is not None:
        y += bias


@np.errstate(all="ignore")
def group_norm_backward(x, grad_y, weight, eps, mean, var, grad_x, grad_weight, grad_bias):
    """Gradients of group_norm_forward; those that are None nobody wants.

    normal = (x - mean) * invstd, g = grad_y * weight, averages over the numbers of a group:
    grad_bias = sum(grad_y), grad_weight = sum(grad_y * normal) over N and M
    grad_x = invstd * (g - average(g) - normal * average(g * normal))

    Without a mean to subtract, average(g) is left out.
    """
    M, C = x.shape[1:]
    G = var.shape[1]
    invstd = _per_channel(_invstd(var, eps), C).astype(np.float64)
    normal = (x if mean is None else x.astype(np.float64) - _per_channel(mean, C)) * invstd
    if grad_weight is not None:
        grad_weight[...] = (grad_y * normal).sum(axis=(0, 1))
    if grad_bias is not None:
        grad_bias[...] = grad_y.sum(axis=(0, 1), dtype=np.float64)
    if grad_x is None:
        return
    g = grad_y.astype(np.float64) if weight is None else grad_y * weight.astype(np.float64)
    count = max(M * C // max(G, 1), 1)

    def average(values):
        return _per_channel(_grouped(values, G).sum(axis=(1, 3)) / count, C)

    shift = 0 if mean is None else average(g)
    grad_x[...] = invstd * (g - shift - normal * average(g * normal))
