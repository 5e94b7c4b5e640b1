"""Activation functions, element by element.

x, y, grad_y and grad_x are dense arrays of one shape, one float dtype and one layout. NaN stays
NaN. `kind` names one of the formulas below and `settings` are its numbers: `value` is y as a
function of x, `grad` is grad_x as a function of grad_y and of x. Where the derivative is a function
of y that loses no digits, `grad` reads y instead, for the next operation keeps that array anyway.
"""

import math

import numpy

from .array import add

_quiet = numpy.errstate(all="ignore")
_erfc = numpy.vectorize(math.erfc, otypes=["d"])


@_quiet
def activation_forward(kind, x, y, settings):
    """y = value(x, *settings)"""
    y[...] = FORMULAS[kind].value(x, *map(x.dtype.type, settings))


@_quiet
def activation_backward(kind, x, grad_y, grad_x, settings):
    """grad_x = grad(x, grad_y, *settings), or grad(y, grad_y, *settings) with y in place of x"""
    grad_x[...] = FORMULAS[kind].grad(x, grad_y, *map(x.dtype.type, settings))


def relu_forward(x, y):
    """y = max(x, 0)"""
    numpy.maximum(x, 0, out=y)


def relu_backward(y, grad_y, grad_x):
    """grad_x = 0 where y <= 0, else grad_y"""
    grad_x[...] = numpy.where(y <= 0, 0, grad_y)


@_quiet
def glu_forward(x, y):
    """y = a * sigmoid(b), where every row of x (R, 2, L) is a and b; y is (R, L), contiguous too"""
    y[...] = x[:, 0] * _sigmoid(x[:, 1])


@_quiet
def glu_backward(x, grad_y, grad_x):
    """grad_a = grad_y * sigmoid(b),  grad_b = grad_y * a * sigmoid(b) * sigmoid(-b)"""
    a, b = x[:, 0], x[:, 1]
    gate = _sigmoid(b)
    grad_x[:, 0] = grad_y * gate
    grad_x[:, 1] = grad_y * a * gate * _sigmoid(-b)


@_quiet
def add_gradients(a, b, own):
    """a + b, two gradients of one tensor: in the memory of `a` if it is `own` and fits.
    The arrays may lie in any order."""
    if own and a.shape == b.shape and a.dtype == b.dtype:
        return numpy.add(a, b, out=a)
    return add(a, b)


# What formulas share ---------------------------------------------------------------------------


def _sigmoid(x):
    """1 / (1 + exp(-x))"""
    e = numpy.exp(-numpy.abs(x))
    return numpy.where(x < 0, e, 1) / (1 + e)


def _softplus(x):
    """log(1 + exp(x)) without overflow"""
    return numpy.maximum(x, 0) + numpy.log1p(numpy.exp(-numpy.abs(x)))


def _normal(x):
    """P(X <= x) for a normal X of mean 0 and variance 1"""
    return (_erfc(-x / math.sqrt(2)) / 2).astype(x.dtype)


def _density(x):
    """The derivative of _normal, exp(-x^2 / 2) / sqrt(2 pi)"""
    return numpy.exp(-x * x / 2) / math.sqrt(2 * math.pi)


# Piecewise linear ------------------------------------------------------------------------------


class Relu:
    def value(x):
        return numpy.maximum(x, 0)

    def grad(y, g):
        return numpy.where(y <= 0, 0, g)


class LeakyRelu:
    def value(x, slope):
        return numpy.where(x > 0, x, slope * x)

    def grad(x, g, slope):
        """x may be y if slope >= 0: only its sign counts"""
        return numpy.where(x > 0, g, slope * g)


class Hardtanh:
    def value(x, low, high):
        return numpy.minimum(numpy.maximum(x, low), high)

    def grad(y, g, low, high):
        return numpy.where((y <= low) | (y >= high), 0, g)


class Threshold:
    def value(x, threshold, value):
        return numpy.where(x <= threshold, value, x)

    def grad(x, g, threshold, value):
        return numpy.where(x <= threshold, 0, g)


class Hardsigmoid:
    def value(x):
        return numpy.minimum(numpy.maximum(x + 3, 0), 6) / 6

    def grad(x, g):
        return numpy.where((x > -3) & (x < 3), g / 6, 0)


class Hardswish:
    def value(x):
        return x * Hardsigmoid.value(x)

    def grad(x, g):
        """0 up to -3, 1 from 3 on, between them the derivative of x (x + 3) / 6"""
        return numpy.where(x <= -3, 0, numpy.where(x >= 3, g, g * (x / 3 + 0.5)))


class Hardshrink:
    def value(x, limit):
        return numpy.where((x >= -limit) & (x <= limit), 0, x)

    def grad(x, g, limit):
        return numpy.where((x >= -limit) & (x <= limit), 0, g)


class Softshrink:
    def value(x, limit):
        return numpy.where(x > limit, x - limit, numpy.where(x < -limit, x + limit, 0 * x))

    def grad(x, g, limit):
        return numpy.where((x >= -limit) & (x <= limit), 0, g)


# Exponential -----------------------------------------------------------------------------------


class Elu:
    """For elu (a, 1, 1), selu (a * scale, scale, 1) and celu (a, 1, 1 / a)."""

    def value(x, a, b, c):
        return numpy.where(x <= 0, a * numpy.expm1(c * x), b * x)

    def grad(x, g, a, b, c):
        return numpy.where(x <= 0, a * c * numpy.exp(c * x) * g, b * g)


class Sigmoid:
    def value(x):
        return _sigmoid(x)

    def grad(y, g):
        return g * (1 - y) * y


class Tanh:
    def value(x):
        return numpy.tanh(x)

    def grad(y, g):
        """g * (1 - y^2), as (1 - y) * (1 + y), which keeps its digits near |y| = 1"""
        return g * (1 - y) * (1 + y)


class ScaledTanh:
    def value(x, amplitude, slope, slope_by_amplitude):
        return amplitude * numpy.tanh(slope * x)

    def grad(y, g, amplitude, slope, slope_by_amplitude):
        """g * amplitude * slope * (1 - t^2) for t = y / amplitude"""
        return g * (amplitude - y) * (amplitude + y) * slope_by_amplitude


class Tanhshrink:
    def value(x):
        return x - numpy.tanh(x)

    def grad(x, g):
        return g * numpy.tanh(x) ** 2


class Softsign:
    def value(x):
        return x / (1 + numpy.abs(x))

    def grad(x, g):
        return g / (1 + numpy.abs(x)) ** 2


class Softplus:
    def value(x, beta, threshold):
        return numpy.where(beta * x > threshold, x, _softplus(beta * x) / beta)

    def grad(x, g, beta, threshold):
        return numpy.where(beta * x > threshold, g, g * _sigmoid(beta * x))


class LogSigmoid:
    def value(x):
        return -_softplus(-x)

    def grad(y, g):
        """1 - sigmoid(x) = 1 - exp(y)"""
        return -g * numpy.expm1(y)


# x times a gate --------------------------------------------------------------------------------


class Silu:
    def value(x):
        return x * _sigmoid(x)

    def grad(x, g):
        return g * _sigmoid(x) * (1 + x * _sigmoid(-x))


class Mish:
    def value(x):
        return x * numpy.tanh(_softplus(x))

    def grad(x, g):
        t = numpy.tanh(_softplus(x))
        return g * (t + x * _sigmoid(x) * (1 - t) * (1 + t))


class Gelu:
    def value(x):
        return x * _normal(x)

    def grad(x, g):
        return g * (_normal(x) + x * _density(x))


class GeluTanh:
    """0.5 * (1 + tanh(u)) = sigmoid(2 u) for u = sqrt(2 / pi) * (x + 0.044715 * x^3)"""

    scale = 2 * math.sqrt(2 / math.pi)
    near = 30  # beyond it the gate is 0 or 1, and x^3 might overflow

    def value(x):
        z = numpy.clip(x, -GeluTanh.near, GeluTanh.near)
        return x * _sigmoid(GeluTanh.scale * (z + 0.044715 * z * z * z))

    def grad(x, g):
        z = numpy.clip(x, -GeluTanh.near, GeluTanh.near)
        u2 = GeluTanh.scale * (z + 0.044715 * z * z * z)
        slope = GeluTanh.scale * (1 + 3 * 0.044715 * z * z)
        return g * _sigmoid(u2) * (1 + x * _sigmoid(-u2) * slope)


FORMULAS = {
    "elu": Elu, "gelu": Gelu, "gelu_tanh": GeluTanh, "hardshrink": Hardshrink,
    "hardsigmoid": Hardsigmoid, "hardswish": Hardswish, "hardtanh": Hardtanh,
    "leaky_relu": LeakyRelu, "logsigmoid": LogSigmoid, "mish": Mish, "relu": Relu,
    "scaled_tanh": ScaledTanh, "sigmoid": Sigmoid, "silu": Silu, "softplus": Softplus,
    "softshrink": Softshrink, "softsign": Softsign, "tanh": Tanh, "tanhshrink": Tanhshrink,
    "threshold": Threshold,
}
