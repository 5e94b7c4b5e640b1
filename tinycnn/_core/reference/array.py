"""Array functions: NumPy's own, under NumPy's names, made to keep three promises.

A result is always an array (NumPy turns 0-d results into scalars). A Python number takes the dtype
of the array it meets (NumPy 1 looked at its value). Overflow, 0 / 0 and log(0) give inf and NaN
without a warning. Elementwise results lie in memory as their operands do.
"""

import math

import numpy
from numpy import (  # noqa: F401
    asarray,
    broadcast_to,
    concatenate,
    flip,
    ndarray,
    ones,
    ones_like,
    where,
    zeros,
    zeros_like,
)

_quiet = numpy.errstate(all="ignore")  # half a microsecond: not for what never warns


def _unary(ufunc):
    def function(x):
        y = ufunc(x)
        return y if type(y) is ndarray else asarray(y)

    return _named(function, ufunc.__name__)


def _binary(ufunc, number=asarray):
    def function(x, y):
        if type(y) is not ndarray:
            y = number(y, x.dtype)
        elif type(x) is not ndarray:
            x = number(x, y.dtype)
        z = ufunc(x, y)
        return z if type(z) is ndarray else asarray(z)

    return _named(function, ufunc.__name__)


_quiet_number = _quiet(asarray)  # 1e300 is inf in float32


def _choice(ufunc):
    """A binary function that never warns, but its number may."""
    return _binary(ufunc, _quiet_number)


def _reduction(ufunc, name):
    reduce = ufunc.reduce

    def function(x, axis=None, keepdims=False):
        y = reduce(x, axis, None, None, keepdims)
        return y if type(y) is ndarray else asarray(y)

    return _named(function, name)


def _named(function, name):
    function.__name__ = function.__qualname__ = name
    return function


absolute = _unary(numpy.absolute)
ceil = _unary(numpy.ceil)
cos = _quiet(_unary(numpy.cos))
exp = _quiet(_unary(numpy.exp))
floor = _unary(numpy.floor)
isfinite = _unary(numpy.isfinite)
isinf = _unary(numpy.isinf)
isnan = _unary(numpy.isnan)
log = _quiet(_unary(numpy.log))
log1p = _quiet(_unary(numpy.log1p))
negative = _unary(numpy.negative)
rint = _unary(numpy.rint)
sin = _quiet(_unary(numpy.sin))
sqrt = _quiet(_unary(numpy.sqrt))
square = _quiet(_unary(numpy.square))

add = _quiet(_binary(numpy.add))
bitwise_and = _binary(numpy.bitwise_and)
bitwise_or = _binary(numpy.bitwise_or)
bitwise_xor = _binary(numpy.bitwise_xor)
divide = _quiet(_binary(numpy.true_divide))
equal = _choice(numpy.equal)
floor_divide = _quiet(_binary(numpy.floor_divide))
greater = _choice(numpy.greater)
greater_equal = _choice(numpy.greater_equal)
less = _choice(numpy.less)
less_equal = _choice(numpy.less_equal)
maximum = _choice(numpy.maximum)
minimum = _choice(numpy.minimum)
multiply = _quiet(_binary(numpy.multiply))
not_equal = _choice(numpy.not_equal)
power = _quiet(_binary(numpy.power))
remainder = _quiet(_binary(numpy.remainder))
subtract = _quiet(_binary(numpy.subtract))

all = _reduction(numpy.logical_and, "all")
any = _reduction(numpy.logical_or, "any")
max = _reduction(numpy.maximum, "max")
min = _reduction(numpy.minimum, "min")
prod = _quiet(_reduction(numpy.multiply, "prod"))


@_quiet
def sum(x, axis=None, keepdims=False):
    """Sum over `axis`. Many float32 rows are added up in float64: one after the other, a million
    tenths would give 100958. (Along memory NumPy adds in pairs, which is as good.)"""
    if x.size >= 4096 and x.dtype == numpy.float32 and _rows(x, axis) > 256:
        return asarray(_add_up(x, axis, numpy.float64, None, keepdims), x.dtype)
    y = _add_up(x, axis, None, None, keepdims)
    return y if type(y) is ndarray else asarray(y)


_add_up = numpy.add.reduce


def _rows(x, axis):
    """How many sums along memory are themselves added up one after the other."""
    ndim = x.ndim
    axes = range(ndim) if axis is None else [i % ndim for i in numpy.atleast_1d(axis)]
    along, step = 1, x.itemsize
    for stride, size, i in sorted(zip(x.strides, x.shape, range(ndim))):
        if size > 1:
            if stride != step or i not in axes:
                break
            along, step = along * size, step * size
    return math.prod([x.shape[i] for i in axes]) // along


def sign(x):
    """-1, 0 or 1; 0 for NaN."""
    y = asarray(numpy.sign(x))
    if y.dtype.kind == "f":
        numpy.copyto(y, 0, where=numpy.isnan(x))
    return y


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
    return asarray(numpy.argmax(x, axis), numpy.int64)


def argmin(x, axis=None):
    """Index of the first smallest value, or of the first NaN, int64."""
    return asarray(numpy.argmin(x, axis), numpy.int64)


def argsort(x, axis, descending=False):
    """Indices that put an axis in order, equal values as they stand; NaN counts as largest."""
    if not descending:
        return numpy.argsort(x, axis, kind="stable")
    order = numpy.argsort(numpy.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - numpy.flip(order, axis)


@_quiet
def cumprod(x, axis):
    return numpy.multiply.accumulate(x, axis)


@_quiet
def cumsum(x, axis):
    """Sums of all elements up to each, added up in float64 where they are floats."""
    dtype = numpy.float64 if x.dtype.kind == "f" else None
    return numpy.add.accumulate(x, axis, dtype).astype(x.dtype, copy=False)


@_quiet
def astype(x, dtype):
    return x.astype(dtype)


def contiguous(x):
    """`x` itself if it is C-contiguous, else a copy that is."""
    return x if x.flags.c_contiguous else asarray(x, order="C")


def copy(x):
    """A copy that lies in memory as `x` does."""
    return x.copy("K")


def reshape(x, shape):
    return x.reshape(shape)


def take_along_axis(x, index, axis):
    return numpy.take_along_axis(x, index, axis)


def put_along_axis(x, index, values, axis):
    """x[.., index[.., i, ..], ..] = values[.., i, ..], in place."""
    numpy.put_along_axis(x, index, values, axis)


def getitem(x, key):
    y = x[key]
    return y if type(y) is ndarray else asarray(y)


def setitem(x, key, values):
    """x[key] = values, in place."""
    x[key] = values


def add_at(x, key, values):
    """x[key] += values, where an element named several times is added to every time, in order."""
    numpy.add.at(x, key, values)


__all__ = [
    name for name, value in globals().items()
    if callable(value) and not name.startswith("_") and name != "ndarray"
]
