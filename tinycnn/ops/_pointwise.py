"""Activations of one number each: one Function for all of them, for a kernel knows the formula by
its name. To add one, write its formula in _core/reference/elementwise.py,
_core/cpu/simd/activation.hh (with its name in elementwise.cc) and
_core/cuda/activation_formulas.py, and a public function that calls `pointwise`."""

from __future__ import annotations

import math

from .._core.checks import fail
from .._core.dtypes import float32
from ..autograd import Function
from ._inputs import check_float

_FLOAT32_MAX = (2 - 2.0**-23) * 2.0**127


class Pointwise(Function):
    """y = f(x), element by element."""

    @staticmethod
    def forward(ctx, x, kind, settings, by_result):
        k = ctx.kernels
        x = k.dense(x)
        y = k.empty_like(x)
        k.activation_forward(kind, x, y, settings)
        ctx.kind, ctx.settings, ctx.known = kind, settings, y if by_result else x
        return y

    @staticmethod
    def backward(ctx, grad_y):
        k, known = ctx.kernels, ctx.known
        grad_x = k.empty_like(known)
        k.activation_backward(ctx.kind, known, k.same_layout(grad_y, known), grad_x, ctx.settings)
        return grad_x


def pointwise(function, input, settings=(), *, kind=None, by_result=False):
    """The public `function` of `input`.

    Args:    settings (tuple of floats): the formula's numbers.
             kind (str or None): the formula's name, if it is not the function's.
             by_result (bool): whether its gradient is a function of y; else it is one of x.
    """
    check_float(function, "input", input)
    if settings and input.data.dtype == float32:
        for value in settings:  # infinity is one; what would become infinity is none
            if _FLOAT32_MAX < abs(value) < math.inf:
                fail(function, "numbers that float32 can hold, up to 3.4e38", repr(value),
                     "Pass a smaller one, or a float64 input.")
    return Pointwise.apply(input, kind or function, settings, by_result)
