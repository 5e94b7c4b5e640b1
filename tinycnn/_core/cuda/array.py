"""Array functions: CuPy's own, made to keep the promises of reference/array.py.

A result is always a device array. Elementwise results lie in memory as their operands do: CuPy
would write them in C order, and read a feature map, which lies channels last, across its rows. So
operands are turned to the order of their memory first, and the result back.
"""

from __future__ import annotations

import builtins

import numpy

from . import backend
from .backend import ndarray as ndarray
from .backend import to_device, xp
from .indexing import add_at, getitem, setitem


def asarray(x, dtype=None):
    """A device array of numbers from wherever they are; itself if it is one."""
    if type(x) is not ndarray:
        return to_device(numpy.asarray(x, dtype))
    return x if dtype is None or x.dtype == dtype else xp.asarray(x, dtype)


def _memory_order(x):
    """Axes from the one that varies slowest in memory on, or None where that is their order."""
    if x.flags.c_contiguous or x.ndim < 2:
        return None
    steps = x.strides
    order = sorted(range(x.ndim), key=lambda axis: -steps[axis])
    return None if order == list(range(x.ndim)) else order


def _back(order):
    back = [0] * len(order)
    for place, axis in enumerate(order):
        back[axis] = place
    return back


def _unary(name):
    ufunc = getattr(xp, name)

    def function(x):
        order = _memory_order(x)
        if order is None:
            return ufunc(x)
        return ufunc(x.transpose(order)).transpose(_back(order))

    return _named(function, name)


def _binary(name, of=None):
    ufunc = getattr(xp, name)

    def function(x, y):
        if type(y) is not ndarray:
            y = _number(y, x.dtype)
        elif type(x) is not ndarray:
            x = _number(x, y.dtype)
        main = x if type(x) is ndarray and x.ndim >= getattr(y, "ndim", 0) else y
        order = _memory_order(main)
        if order is None:
            return ufunc(x, y)
        x, y = [_turned(v, order) for v in (x, y)]
        return ufunc(x, y).transpose(_back(order))

    return _named(function, of or name)


@numpy.errstate(all="ignore")  # 1e300 is inf in float32
def _number(value, dtype):
    """A Python number in the dtype of the array that it meets."""
    return dtype.type(value)


def _turned(x, order):
    if type(x) is not ndarray:
        return x
    if x.ndim < len(order):
        x = x.reshape((1,) * (len(order) - x.ndim) + x.shape)
    return x.transpose(order)


def _named(function, name):
    function.__name__ = function.__qualname__ = name
    return function


absolute, ceil, cos, exp, floor = map(_unary, ("absolute", "ceil", "cos", "exp", "floor"))
isfinite, isinf, isnan, log, log1p = map(_unary, ("isfinite", "isinf", "isnan", "log", "log1p"))
negative, rint, sin, sqrt, square = map(_unary, ("negative", "rint", "sin", "sqrt", "square"))

add, subtract, multiply = map(_binary, ("add", "subtract", "multiply"))
divide, floor_divide = _binary("true_divide", "divide"), _binary("floor_divide")
power, remainder = map(_binary, ("power", "remainder"))
bitwise_and, bitwise_or, bitwise_xor = map(_binary, ("bitwise_and", "bitwise_or", "bitwise_xor"))
equal, not_equal, maximum, minimum = map(_binary, ("equal", "not_equal", "maximum", "minimum"))
greater, greater_equal = map(_binary, ("greater", "greater_equal"))
less, less_equal = map(_binary, ("less", "less_equal"))


def where(condition, x, y):
    arrays = [v for v in (condition, x, y) if type(v) is ndarray]
    order = _memory_order(builtins.max(arrays, key=lambda v: (v.ndim, v.size)))
    if order is None:
        return xp.where(condition, x, y)
    return xp.where(*[_turned(v, order) for v in (condition, x, y)]).transpose(_back(order))


def _reduction(name):
    reduce = getattr(xp, name)

    def function(x, axis=None, keepdims=False):
        return reduce(x, axis=axis, keepdims=keepdims)

    return _named(function, name)


all, any, max, min, prod = map(_reduction, ("all", "any", "max", "min", "prod"))


def sum(x, axis=None, keepdims=False):
    """Sum over `axis`; many float32 numbers are added up in float64."""
    if x.dtype != numpy.float32 or x.size < 4096:
        return xp.sum(x, axis=axis, keepdims=keepdims)
    return xp.sum(x, axis=axis, dtype=numpy.float64, keepdims=keepdims).astype(x.dtype)


def sign(x):
    """-1, 0 or 1; 0 for NaN."""
    y = xp.sign(x)
    return where(isnan(x), zeros_like(y), y) if y.dtype.kind == "f" else y


def mean(x, axis=None, keepdims=False):
    """Sum over `axis` divided by the number of summands; NaN where there is none."""
    total = sum(x, axis, keepdims)
    return divide(total, x.size // total.size if total.size else 1)


def var(x, axis=None, keepdims=False, correction=0):
    """sum((x - mean)^2) / (n - correction), in two passes; NaN where n <= correction and n > 0."""
    total = sum(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)
    count = x.size // total.size if total.size else 1
    return divide(total, count - correction if count > correction else 0)


def argmax(x, axis=None):
    """Index of the first largest value, or of the first NaN, int64."""
    return _first_nan_or(xp.argmax(x, axis), x, axis)


def argmin(x, axis=None):
    """Index of the first smallest value, or of the first NaN, int64."""
    return _first_nan_or(xp.argmin(x, axis), x, axis)


def _first_nan_or(index, x, axis):
    """CuPy finds any of several NaN."""
    index = index.astype(numpy.int64, copy=False)
    if x.dtype.kind != "f":
        return index
    wrong = xp.isnan(x)
    return xp.where(xp.any(wrong, axis), xp.argmax(wrong, axis), index)


def argsort(x, axis, descending=False):
    """Indices that put an axis in order, equal values as they stand; NaN counts as largest."""
    if not descending:
        return xp.argsort(x, axis, kind="stable")
    order = xp.argsort(xp.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - xp.flip(order, axis)


def cumprod(x, axis):
    return xp.cumprod(x, axis)


def cumsum(x, axis):
    """Sums of all elements up to each, added up in float64 where they are floats."""
    dtype = numpy.float64 if x.dtype.kind == "f" else None
    return xp.cumsum(x, axis, dtype=dtype).astype(x.dtype, copy=False)


def astype(x, dtype):
    return x.astype(dtype, order="K")


def contiguous(x):
    """`x` itself if it is C-contiguous, else a copy that is."""
    return x if x.flags.c_contiguous else xp.ascontiguousarray(x)


def copy(x):
    """A copy that lies in memory as `x` does."""
    return x.copy("K")


def reshape(x, shape):
    return x.reshape(shape)


def broadcast_to(x, shape):
    return xp.broadcast_to(x, shape)


def concatenate(arrays, axis=0):
    arrays = list(arrays)
    while backend.recording and len(arrays) > 8:  # CuPy would upload a table of their addresses
        arrays = [xp.concatenate(arrays[i : i + 8], axis) for i in range(0, len(arrays), 8)]
    return xp.concatenate(arrays, axis)


def flip(x, axis=None):
    return xp.flip(x, axis)


def ones(shape, dtype=float):
    return xp.ones(shape, dtype)


def ones_like(x, dtype=None):
    return xp.ones_like(x, dtype)


def zeros(shape, dtype=float):
    return xp.zeros(shape, dtype)


def zeros_like(x, dtype=None):
    return xp.zeros_like(x, dtype)


def take_along_axis(x, index, axis):
    return xp.take_along_axis(x, index, axis)


def put_along_axis(x, index, values, axis):
    """x[.., index[.., i, ..], ..] = values[.., i, ..], in place."""
    xp.put_along_axis(x, index, values, axis)


__all__ = [
    "absolute", "add", "add_at", "all", "any", "argmax", "argmin", "argsort", "asarray", "astype",
    "bitwise_and", "bitwise_or", "bitwise_xor", "broadcast_to", "ceil", "concatenate", "contiguous",
    "copy", "cos", "cumprod", "cumsum", "divide", "equal", "exp", "flip", "floor", "floor_divide",
    "getitem", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal",
    "log", "log1p", "max", "maximum", "mean", "min", "minimum", "multiply", "negative",
    "not_equal", "ones", "ones_like", "power", "prod", "put_along_axis", "remainder", "reshape",
    "rint", "setitem", "sign", "sin", "sqrt", "square", "subtract", "sum", "take_along_axis", "var",
    "where", "zeros", "zeros_like",
]
