"""PReLU: a thread for each element, and a sum over rows for the slopes. Mirrors
reference/prelu.py."""

from __future__ import annotations

from .backend import xp
from .kernel import kernel
from .primitives import Ptr, T, int32, int64, thread_of_grid
from .row_sums import add_rows


@kernel()
def prelu_kernel(x: Ptr[T], weight: Ptr[T], y: Ptr[T], C: int64, n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = x[i] if x[i] > T(0) else weight[i % C] * x[i]


def prelu_forward(x, weight, y):
    prelu_kernel.launch(prelu_kernel.blocks(x.size), (x, weight, y, weight.size, x.size), T=x.dtype)


@kernel()
def prelu_backward_kernel(
    x: Ptr[T], weight: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], wants_x: int32, products: Ptr[T],
    wants_weight: int32, C: int64, n: int64
):
    i = thread_of_grid()
    if i < n:
        g = grad_y[i]
        if wants_x:
            grad_x[i] = g if x[i] > T(0) else weight[i % C] * g
        if wants_weight:
            products[i] = T(0) if x[i] > T(0) else x[i] * g


def prelu_backward(x, weight, grad_y, grad_x, grad_weight):
    n, C = x.size, weight.size
    products = None if grad_weight is None else xp.empty(n, x.dtype)
    prelu_backward_kernel.launch(
        prelu_backward_kernel.blocks(n),
        (x, weight, grad_y, grad_x, grad_x is not None, products, products is not None, C, n),
        T=x.dtype)
    if grad_weight is not None:
        add_rows(products, n // max(C, 1), C, grad_weight)
