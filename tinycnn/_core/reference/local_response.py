"""Local response normalisation: each channel of a pixel divided by how strong its neighbours are.

Shapes: x, y, grad_y, grad_x (M, C): every pixel a row. The window of channel c reaches from
c - size // 2 to c + (size - 1) // 2; what lies outside of the row counts as 0.

Source: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural
networks", section 3.3; alpha is divided by the size of the window, as PyTorch and Caffe do.
"""

import numpy as np


def _window_sums(values, before, after):
    """sums[m, c] = sum of values[m, c - before], ..., values[m, c + after]"""
    M, C = values.shape
    padded = np.zeros((M, C + before + after), values.dtype)
    padded[:, before : before + C] = values
    return sum(padded[:, i : i + C] for i in range(before + after + 1))


def _reach(size, C):
    """Channels before and after one that its window sees, of C."""
    return min(size // 2, max(C - 1, 0)), min((size - 1) // 2, max(C - 1, 0))


@np.errstate(all="ignore")  # 0 / 0 is NaN
def local_response_forward(x, y, size, alpha, beta, k):
    """y = x / d^beta, d = k + alpha / size * sum of x^2 over the window"""
    d = x.dtype.type(k) + x.dtype.type(alpha / size) * _window_sums(x**2, *_reach(size, x.shape[1]))
    y[...] = x / d**x.dtype.type(beta)


@np.errstate(all="ignore")
def local_response_backward(x, grad_y, grad_x, size, alpha, beta, k):
    """grad_x[j] = g[j] / d[j]^beta - 2 alpha beta / size x[j] sum of t[c], t = g x / d^(beta + 1),
    over the channels c whose window sees j: the window, turned around. d is computed again."""
    before, after = _reach(size, x.shape[1])
    d = x.dtype.type(k) + x.dtype.type(alpha / size) * _window_sums(x**2, before, after)
    direct = grad_y / d ** x.dtype.type(beta)
    shared = _window_sums(direct * x / d, after, before)
    grad_x[...] = direct - x.dtype.type(2 * alpha * beta / size) * x * shared
