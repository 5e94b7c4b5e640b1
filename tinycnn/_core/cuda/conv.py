"""Convolution and its gradients. Mirrors reference/conv.py.

Each is asked of the first that serves it: kernels for depthwise convolution, which are bound by
memory, kernels for tensor cores, and plain ones for everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import depthwise, plain_conv, tensor_core_conv, tensor_core_weight
from .row_sums import sum_rows as sum_rows


class Path(NamedTuple):
    """Kernels for the three passes."""

    name: str
    forward: Callable
    backward_input: Callable
    backward_weight: Callable


DEPTHWISE = Path("depthwise", depthwise.forward, depthwise.backward_input,
                 depthwise.backward_weight)
TENSOR_CORES = Path("tensor cores", tensor_core_conv.forward, tensor_core_conv.backward_input,
                    tensor_core_weight.backward_weight)
PLAIN = Path("plain", plain_conv.forward, plain_conv.backward_input, plain_conv.backward_weight)


def _path(x, weight, window, groups):
    """The kernels for a convolution; x is its input, or has its shape."""
    if depthwise.serves(weight, groups):
        return DEPTHWISE
    return TENSOR_CORES if tensor_core_conv.serves(x, weight, window, groups) else PLAIN


def conv_forward(x, weight, bias, y, window, groups, relu=False):
    _path(x, weight, window, groups).forward(x, weight, bias, y, window, groups, relu)


def conv_backward_input(grad_y, weight, bias, grad_x, window, groups):
    path = _path(grad_x, weight, window, groups)
    path.backward_input(grad_y, weight, bias, grad_x, window, groups)


def conv_backward_weight(x, grad_y, grad_weight, window, groups):
    path = _path(x, grad_weight, window, groups)
    path.backward_weight(x, grad_y, grad_weight, window, groups)


def conv_backward(x, grad_y, weight, grad_x, grad_weight, window, groups):
    if grad_x is not None:
        conv_backward_input(grad_y, weight, None, grad_x, window, groups)
    if grad_weight is not None:
        conv_backward_weight(x, grad_y, grad_weight, window, groups)


def conv_algorithms(x, weight, y, window, groups):
    return (_path(x, weight, window, groups).name,) * 3
