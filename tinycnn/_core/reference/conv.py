"""Convolution, tap by tap: the formula as a loop over the window, everything else at once.

    y[n, o, oc] = bias[oc] + sum over taps t, channels c of
                  x[n, o * stride + t * dilation - padding, c] * weight[oc, t, c]

o and t run over three axes (D, H, W). With groups, output channels of group g see the input
channels of group g only.
"""

from itertools import product

import numpy as np


def _taps(window):
    """Every kernel position (td, th, tw)."""
    return product(*map(range, window.kernel))


def _pad(x, window):
    """x (N, D, H, W, C) with zeros around it; negative padding cuts away."""
    grow = [(max(low, 0), max(high, 0)) for low, high in window.padding]
    x = np.pad(x, [(0, 0), *grow, (0, 0)])
    cut = [slice(max(-low, 0), x.shape[1 + i] - max(-high, 0))
           for i, (low, high) in enumerate(window.padding)]
    return x[(slice(None), *cut)]


def _under_tap(size, window, tap):
    """Where tap `tap` of the window lies, over all outputs: a slice of the padded input an axis."""
    return (slice(None), *[
        slice(t * d, t * d + (o - 1) * s + 1 if o else t * d, s)
        for t, o, s, d in zip(tap, size, window.stride, window.dilation)
    ])


def _groups(channels, groups):
    """The channels of each group, as slices."""
    step = channels // groups
    return [slice(g * step, (g + 1) * step) for g in range(groups)]


def conv_forward(x, weight, bias, y, window, groups, relu=False):
    padded = _pad(x, window)
    y[...] = 0 if bias is None else bias
    for tap in _taps(window):
        seen = padded[_under_tap(y.shape[1:4], window, tap)]
        for c, oc in zip(_groups(x.shape[4], groups), _groups(y.shape[4], groups)):
            y[..., oc] += seen[..., c] @ weight[(oc, *tap)].T
    if relu:
        y[y <= 0] = 0


def conv_backward_input(grad_y, weight, bias, grad_x, window, groups):
    """The transpose of conv_forward: each output hands its gradient back to the pixels it saw.
    With a bias this is the forward pass of a transposed convolution."""
    size = grad_x.shape[1:4]
    shape = [n + max(low, 0) + max(high, 0) for n, (low, high) in zip(size, window.padding)]
    full = np.zeros((grad_x.shape[0], *shape, grad_x.shape[4]), grad_x.dtype)
    cut = [slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(shape, window.padding)]
    padded = full[(slice(None), *cut)]
    for tap in _taps(window):
        seen = padded[_under_tap(grad_y.shape[1:4], window, tap)]
        for c, oc in zip(_groups(grad_x.shape[4], groups), _groups(grad_y.shape[4], groups)):
            seen[..., c] += grad_y[..., oc] @ weight[(oc, *tap)]
    inside = [slice(max(low, 0), max(low, 0) + n) for n, (low, _) in zip(size, window.padding)]
    grad_x[...] = full[(slice(None), *inside)] + (0 if bias is None else bias)


def conv_backward_weight(x, grad_y, grad_weight, window, groups):
    padded = _pad(x, window)
    for tap in _taps(window):
        seen = padded[_under_tap(grad_y.shape[1:4], window, tap)]
        for c, oc in zip(_groups(x.shape[4], groups), _groups(grad_y.shape[4], groups)):
            pixels = ((0, 1, 2, 3),) * 2
            grad_weight[(oc, *tap)] = np.tensordot(grad_y[..., oc], seen[..., c], pixels)


def conv_backward(x, grad_y, weight, grad_x, grad_weight, window, groups):
    """Gradients of input and weights, those that are not None: a device may make both at once."""
    if grad_x is not None:
        conv_backward_input(grad_y, weight, None, grad_x, window, groups)
    if grad_weight is not None:
        conv_backward_weight(x, grad_y, grad_weight, window, groups)


def sum_rows(x, out):
    """Gradient of the bias: x (..., C) summed over all but the last axis."""
    x.sum(axis=tuple(range(x.ndim - 1)), out=out)


def conv_algorithms(x, weight, y, window, groups):
    """Names of the algorithms of the forward pass and of the gradients of input and weight."""
    return ("tap by tap",) * 3
