"""The formulas of activation functions, as in reference/elementwise.py: y as a function of x, and
grad_x as a function of (x or y, g); both are followed by three settings."""

from __future__ import annotations

from .primitives import T, device, erfc, exp, expm1, log1p, tanh

# What formulas share ---------------------------------------------------------------------------


@device
def sigmoid_of(x):
    e = exp(-abs(x))
    return (e if x < T(0) else T(1)) / (T(1) + e)


@device
def softplus_of(x):
    """log(1 + exp(x)) without overflow"""
    return log1p(exp(-abs(x))) + (T(0) if x < T(0) else x)


@device
def between(low, x, high):
    """The nearest of low..high, NaN if x is."""
    return low if x < low else high if x > high else x


@device
def normal(x):
    """P(X <= x) for a normal X of mean 0 and variance 1"""
    return T(0.5) * erfc(T(-0.7071067811865476) * x)


@device
def density(x):
    """exp(-x^2 / 2) / sqrt(2 pi)"""
    return T(0.3989422804014327) * exp(T(-0.5) * x * x)


# Piecewise linear ------------------------------------------------------------------------------


@device
def relu(x, a, b, c):
    return T(0) if x <= T(0) else x  # NaN stays


@device
def relu_grad(y, g, a, b, c):
    return T(0) if y <= T(0) else g


@device
def leaky_relu(x, slope, b, c):
    return x if x > T(0) else slope * x


@device
def leaky_relu_grad(x, g, slope, b, c):
    return g if x > T(0) else slope * g


@device
def hardtanh(x, low, high, c):
    return between(low, x, high)


@device
def hardtanh_grad(y, g, low, high, c):
    return T(0) if y <= low or y >= high else g


@device
def threshold(x, threshold, value, c):
    return value if x <= threshold else x


@device
def threshold_grad(x, g, threshold, value, c):
    return T(0) if x <= threshold else g


@device
def hardsigmoid(x, a, b, c):
    return between(T(0), x + T(3), T(6)) / T(6)


@device
def hardsigmoid_grad(x, g, a, b, c):
    return g / T(6) if T(-3) < x < T(3) else T(0)


@device
def hardswish(x, a, b, c):
    return x * hardsigmoid(x, a, b, c)


@device
def hardswish_grad(x, g, a, b, c):
    return T(0) if x <= T(-3) else g if x >= T(3) else g * (x / T(3) + T(0.5))


@device
def hardshrink(x, limit, b, c):
    return T(0) if -limit <= x <= limit else x


@device
def hardshrink_grad(x, g, limit, b, c):
    return T(0) if -limit <= x <= limit else g


@device
def softshrink(x, limit, b, c):
    return x - limit if x > limit else x + limit if x < -limit else T(0) * x


# Exponential -----------------------------------------------------------------------------------


@device
def elu(x, a, b, c):
    return a * expm1(c * x) if x <= T(0) else b * x


@device
def elu_grad(x, g, a, b, c):
    return a * c * exp(c * x) * g if x <= T(0) else b * g


@device
def sigmoid(x, a, b, c):
    return T(1) / (T(1) + exp(-x))


@device
def sigmoid_grad(y, g, a, b, c):
    return g * (T(1) - y) * y


@device
def tanh_value(x, a, b, c):
    return tanh(x)


@device
def tanh_grad(y, g, a, b, c):
    return g * (T(1) - y) * (T(1) + y)


@device
def scaled_tanh(x, amplitude, slope, slope_by_amplitude):
    return amplitude * tanh(slope * x)


@device
def scaled_tanh_grad(y, g, amplitude, slope, slope_by_amplitude):
    return g * (amplitude - y) * (amplitude + y) * slope_by_amplitude


@device
def tanhshrink(x, a, b, c):
    return x - tanh(x)


@device
def tanhshrink_grad(x, g, a, b, c):
    t = tanh(x)
    return g * (t * t)


@device
def softsign(x, a, b, c):
    return x / (T(1) + abs(x))


@device
def softsign_grad(x, g, a, b, c):
    d = T(1) + abs(x)
    return g / (d * d)


@device
def softplus(x, beta, threshold, c):
    return x if beta * x > threshold else softplus_of(beta * x) / beta


@device
def softplus_grad(x, g, beta, threshold, c):
    return g if beta * x > threshold else g * sigmoid_of(beta * x)


@device
def logsigmoid(x, a, b, c):
    return -softplus_of(-x)


@device
def logsigmoid_grad(y, g, a, b, c):
    return -g * expm1(y)


# x times a gate --------------------------------------------------------------------------------


@device
def silu(x, a, b, c):
    return x * sigmoid_of(x)


@device
def silu_grad(x, g, a, b, c):
    return g * sigmoid_of(x) * (T(1) + x * sigmoid_of(-x))


@device
def mish(x, a, b, c):
    return x * tanh(softplus_of(x))


@device
def mish_grad(x, g, a, b, c):
    t = tanh(softplus_of(x))
    return g * (t + x * sigmoid_of(x) * (T(1) - t) * (T(1) + t))


@device
def gelu(x, a, b, c):
    return x * normal(x)


@device
def gelu_grad(x, g, a, b, c):
    return g * (normal(x) + x * density(x))


@device
def twice_u(z):
    """2 u, u = sqrt(2 / pi) * (z + 0.044715 * z^3)"""
    return T(1.5957691216057308) * (z + T(0.044715) * z * z * z)


@device
def gelu_tanh(x, a, b, c):
    return x * sigmoid_of(twice_u(between(T(-30), x, T(30))))


@device
def gelu_tanh_grad(x, g, a, b, c):
    z = between(T(-30), x, T(30))
    slope = T(1.5957691216057308) * (T(1) + T(0.134145) * z * z)
    return g * sigmoid_of(twice_u(z)) * (T(1) + x * sigmoid_of(-twice_u(z)) * slope)


FORMULAS = {
    "elu": (elu, elu_grad), "gelu": (gelu, gelu_grad), "gelu_tanh": (gelu_tanh, gelu_tanh_grad),
    "hardshrink": (hardshrink, hardshrink_grad), "hardsigmoid": (hardsigmoid, hardsigmoid_grad),
    "hardswish": (hardswish, hardswish_grad), "hardtanh": (hardtanh, hardtanh_grad),
    "leaky_relu": (leaky_relu, leaky_relu_grad), "logsigmoid": (logsigmoid, logsigmoid_grad),
    "mish": (mish, mish_grad), "relu": (relu, relu_grad),
    "scaled_tanh": (scaled_tanh, scaled_tanh_grad), "sigmoid": (sigmoid, sigmoid_grad),
    "silu": (silu, silu_grad), "softplus": (softplus, softplus_grad),
    "softshrink": (softshrink, hardshrink_grad), "softsign": (softsign, softsign_grad),
    "tanh": (tanh_value, tanh_grad), "tanhshrink": (tanhshrink, tanhshrink_grad),
    "threshold": (threshold, threshold_grad),
}
