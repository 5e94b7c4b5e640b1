"""Activation functions, element by element: a thread for each. Mirrors reference/elementwise.py."""

from __future__ import annotations

from .array import add
from .backend import xp
from .kernel import kernel
from .primitives import Ptr, T, device, exp, expm1, int64, tanh, thread_of_grid


def _over(kernel, x, *arguments):
    """Launch over the elements of a dense array."""
    kernel.launch(kernel.blocks(x.size), (x, *arguments, x.size), T=x.dtype)


@kernel()
def relu_kernel(x: Ptr[T], y: Ptr[T], n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = T(0) if x[i] <= T(0) else x[i]  # NaN stays


def relu_forward(x, y):
    _over(relu_kernel, x, y)


@kernel()
def relu_backward_kernel(y: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], n: int64):
    i = thread_of_grid()
    if i < n:
        grad_x[i] = T(0) if y[i] <= T(0) else grad_y[i]


def relu_backward(y, grad_y, grad_x):
    _over(relu_backward_kernel, y, grad_y, grad_x)


@kernel()
def leaky_relu_kernel(x: Ptr[T], y: Ptr[T], slope: T, n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = x[i] if x[i] > T(0) else slope * x[i]


def leaky_relu_forward(x, y, slope):
    _over(leaky_relu_kernel, x, y, slope)


@kernel()
def leaky_relu_backward_kernel(x: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], slope: T, n: int64):
    i = thread_of_grid()
    if i < n:
        grad_x[i] = grad_y[i] if x[i] > T(0) else slope * grad_y[i]


def leaky_relu_backward(x, grad_y, grad_x, slope):
    _over(leaky_relu_backward_kernel, x, grad_y, grad_x, slope)


@kernel()
def elu_kernel(x: Ptr[T], y: Ptr[T], alpha: T, n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = alpha * expm1(x[i]) if x[i] <= T(0) else x[i]


def elu_forward(x, y, alpha):
    _over(elu_kernel, x, y, alpha)


@kernel()
def elu_backward_kernel(x: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], alpha: T, n: int64):
    i = thread_of_grid()
    if i < n:
        grad_x[i] = alpha * exp(x[i]) * grad_y[i] if x[i] <= T(0) else grad_y[i]


def elu_backward(x, grad_y, grad_x, alpha):
    _over(elu_backward_kernel, x, grad_y, grad_x, alpha)


@device
def sigmoid(x):
    return T(1) / (T(1) + exp(-x))


@kernel()
def sigmoid_kernel(x: Ptr[T], y: Ptr[T], n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = sigmoid(x[i])


def sigmoid_forward(x, y):
    _over(sigmoid_kernel, x, y)


@kernel()
def sigmoid_backward_kernel(y: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], n: int64):
    i = thread_of_grid()
    if i < n:
        grad_x[i] = grad_y[i] * (T(1) - y[i]) * y[i]


def sigmoid_backward(y, grad_y, grad_x):
    _over(sigmoid_backward_kernel, y, grad_y, grad_x)


@kernel()
def tanh_kernel(x: Ptr[T], y: Ptr[T], n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = tanh(x[i])


def tanh_forward(x, y):
    _over(tanh_kernel, x, y)


@kernel()
def tanh_backward_kernel(y: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], n: int64):
    i = thread_of_grid()
    if i < n:
        grad_x[i] = grad_y[i] * (T(1) - y[i]) * (T(1) + y[i])


def tanh_backward(y, grad_y, grad_x):
    _over(tanh_backward_kernel, y, grad_y, grad_x)


def add_gradients(a, b, own):
    if own and a.shape == b.shape and a.dtype == b.dtype:
        return xp.add(a, b, out=a)
    return add(a, b)
