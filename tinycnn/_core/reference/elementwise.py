"""Activation functions, element by element.

x, y, grad_y and grad_x are dense arrays of one shape, one float dtype and one layout. NaN stays
NaN. A backward pass reads the result y where the derivative is a function of it (relu, sigmoid,
tanh), for the next operation keeps that array anyway; else it reads the input x.
"""

import numpy

from .array import add

_quiet = numpy.errstate(all="ignore")


def relu_forward(x, y):
    """y = max(x, 0)"""
    numpy.maximum(x, 0, out=y)


def relu_backward(y, grad_y, grad_x):
    """grad_x = 0 where y <= 0, else grad_y"""
    grad_x[...] = numpy.where(y <= 0, 0, grad_y)


@_quiet
def leaky_relu_forward(x, y, slope):
    """y = x where x > 0, else slope * x"""
    y[...] = numpy.where(x > 0, x, x.dtype.type(slope) * x)


@_quiet
def leaky_relu_backward(x, grad_y, grad_x, slope):
    """grad_x = grad_y where x > 0, else slope * grad_y"""
    grad_x[...] = numpy.where(x > 0, grad_y, x.dtype.type(slope) * grad_y)


@_quiet
def elu_forward(x, y, alpha):
    """y = alpha * (exp(x) - 1) where x <= 0, else x"""
    y[...] = numpy.where(x <= 0, x.dtype.type(alpha) * numpy.expm1(x), x)


@_quiet
def elu_backward(x, grad_y, grad_x, alpha):
    """grad_x = alpha * exp(x) * grad_y where x <= 0, else grad_y"""
    grad_x[...] = numpy.where(x <= 0, x.dtype.type(alpha) * numpy.exp(x) * grad_y, grad_y)


@_quiet
def sigmoid_forward(x, y):
    """y = 1 / (1 + exp(-x))"""
    numpy.divide(1, 1 + numpy.exp(-x), out=y)


@_quiet
def sigmoid_backward(y, grad_y, grad_x):
    """grad_x = grad_y * y * (1 - y)"""
    numpy.multiply(grad_y * (1 - y), y, out=grad_x)


def tanh_forward(x, y):
    """y = tanh(x)"""
    numpy.tanh(x, out=y)


@_quiet
def tanh_backward(y, grad_y, grad_x):
    """grad_x = grad_y * (1 - y^2), as (1 - y) * (1 + y), which keeps its digits near |y| = 1"""
    numpy.multiply(grad_y * (1 - y), 1 + y, out=grad_x)


@_quiet
def add_gradients(a, b, own):
    """a + b, two gradients of one tensor: in the memory of `a` if it is `own` and fits.
    The arrays may lie in any order."""
    if own and a.shape == b.shape and a.dtype == b.dtype:
        return numpy.add(a, b, out=a)
    return add(a, b)
