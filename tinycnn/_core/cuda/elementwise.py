"""Activation functions, element by element: a thread takes four numbers. Mirrors
reference/elementwise.py. One kernel serves all: it is built with a formula as it is with a number
type."""

from __future__ import annotations

from .activation_formulas import FORMULAS, sigmoid_of
from .array import add
from .backend import xp
from .kept import aligned
from .kernel import FLOATS, kernel
from .primitives import Ptr, T, combine, each, int32, int64, load, store, thread_of_grid

VALUE, GRAD = FORMULAS["relu"]  # constants, filled in when a kernel is launched
VALUES = [{**floats, "VALUE": value} for floats in FLOATS for value, _ in FORMULAS.values()]
GRADS = [{**floats, "GRAD": grad} for floats in FLOATS
         for grad in dict.fromkeys(grad for _, grad in FORMULAS.values())]


@kernel(variants=VALUES)
def activation_kernel(x: Ptr[T], y: Ptr[T], a: T, b: T, c: T, n: int64, aligned: int32):
    i = 4 * thread_of_grid()
    if aligned and i + 4 <= n:
        store(y, i, each(VALUE, load(x, i, 4), (a, b, c)))
    else:
        for k in range(i, min(i + 4, n)):
            y[k] = VALUE(x[k], a, b, c)


def activation_forward(kind, x, y, settings):
    activation_kernel.launch(
        activation_kernel.blocks(-(-x.size // 4)),
        (x, y, *_three(settings), x.size, aligned(x, y)), T=x.dtype, VALUE=FORMULAS[kind][0])


@kernel(variants=GRADS)
def activation_backward_kernel(x: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], a: T, b: T, c: T,
                               n: int64, aligned: int32):
    i = 4 * thread_of_grid()
    if aligned and i + 4 <= n:
        store(grad_x, i, combine(GRAD, (load(x, i, 4), load(grad_y, i, 4)), (a, b, c)))
    else:
        for k in range(i, min(i + 4, n)):
            grad_x[k] = GRAD(x[k], grad_y[k], a, b, c)


def activation_backward(kind, x, grad_y, grad_x, settings):
    activation_backward_kernel.launch(
        activation_backward_kernel.blocks(-(-x.size // 4)),
        (x, grad_y, grad_x, *_three(settings), x.size, aligned(x, grad_y, grad_x)), T=x.dtype,
        GRAD=FORMULAS[kind][1])


def _three(settings):
    return (*settings, 0, 0, 0)[:3]


def relu_forward(x, y):
    activation_forward("relu", x, y, ())


def relu_backward(y, grad_y, grad_x):
    activation_backward("relu", y, grad_y, grad_x, ())


@kernel()
def glu_kernel(x: Ptr[T], y: Ptr[T], length: int64, n: int64):
    i = thread_of_grid()
    if i < n:
        a = i + i // length * length
        y[i] = x[a] * sigmoid_of(x[a + length])


def glu_forward(x, y):
    glu_kernel.launch(glu_kernel.blocks(y.size), (x, y, y.shape[1], y.size), T=x.dtype)


@kernel()
def glu_backward_kernel(x: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], length: int64, n: int64):
    i = thread_of_grid()
    if i < n:
        a = i + i // length * length
        b = a + length
        gate = sigmoid_of(x[b])
        grad_x[a] = grad_y[i] * gate
        grad_x[b] = grad_y[i] * x[a] * gate * sigmoid_of(-x[b])


def glu_backward(x, grad_y, grad_x):
    glu_backward_kernel.launch(
        glu_backward_kernel.blocks(grad_y.size),
        (x, grad_y, grad_x, grad_y.shape[1], grad_y.size), T=x.dtype)


def add_gradients(a, b, own):
    if own and a.shape == b.shape and a.dtype == b.dtype:
        return xp.add(a, b, out=a)
    return add(a, b)
