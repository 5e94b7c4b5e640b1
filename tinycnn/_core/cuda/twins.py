"""The primitives in the simulator: plain Python, see primitives.py."""

import math

import numpy

from .simulator import WARP, Cuda, warp_exchange

__all__ = [
    "atomic_add",
    "atomic_min",
    "combine",
    "cuda",
    "cut",
    "each",
    "erfc",
    "exp",
    "expm1",
    "float32",
    "float64",
    "fma",
    "full",
    "int32",
    "int64",
    "load",
    "log",
    "log1p",
    "numbered",
    "numbers",
    "outer",
    "pointer_at",
    "quotient",
    "sqrt",
    "store",
    "tanh",
    "uint8",
    "uint32",
    "uint64",
    "warp_xor",
]

cuda = Cuda()
float32, float64 = numpy.float32, numpy.float64


class _Integer:
    """An integer type: a conversion that wraps around, as the machine's."""

    def __init__(self, name):
        self.dtype = numpy.dtype(name)
        self._bits = 8 * self.dtype.itemsize
        self._signed = self.dtype.kind == "i"

    def __call__(self, value):
        value = int(value) & ((1 << self._bits) - 1)
        return value - (1 << self._bits) if self._signed and value >> (self._bits - 1) else value


int32, int64 = _Integer("int32"), _Integer("int64")
uint8, uint32, uint64 = _Integer("uint8"), _Integer("uint32"), _Integer("uint64")

exp, expm1, log, log1p = numpy.exp, numpy.expm1, numpy.log, numpy.log1p
sqrt, tanh = numpy.sqrt, numpy.tanh


def erfc(x):
    return type(x)(math.erfc(x))


def load(x, i, count):
    _check_aligned(x, i, count)
    return tuple([x[i + n] for n in range(count)])


def store(x, i, values):
    _check_aligned(x, i, len(values))
    for n, value in enumerate(values):
        x[i + n] = value


def _check_aligned(x, i, count):
    size = min(16, count * x.numbers.itemsize)
    if (x.numbers.ctypes.data + i * x.numbers.itemsize) % size:
        raise RuntimeError(f"element {i} of {x.name} does not lie at a multiple of {size} bytes.")


def full(count, value):
    return (value,) * count


def outer(sums, a, b):
    products = numpy.multiply.outer(numpy.asarray(a), numpy.asarray(b)).ravel()
    return tuple(numpy.asarray(sums) + products)


def cut(values, count):
    return tuple([values[i:i + count] for i in range(0, len(values), count)])


def numbered(values):
    return tuple(enumerate(values))


def combine(function, tuples, arguments):
    return tuple([function(*items, *arguments) for items in zip(*tuples, strict=True)])


def fma(a, b, c):
    return a * b + c


def warp_xor(value, mask):
    def handed(given):
        lanes = range(len(given))
        return [given[lane ^ mask] if lane ^ mask in lanes else given[lane] for lane in lanes]

    return warp_exchange(value, handed)


def pointer_at(table, i, T):
    return table[i]


def atomic_add(x, i, value):
    before = x[i]
    x[i] = before + value
    return before


def atomic_min(x, i, value):
    before = x[i]
    x[i] = min(before, value)
    return before


def quotient(n, d):
    assert n >= 0
    return n // d


def numbers(count):
    return tuple(range(count))


def each(function, items, arguments):
    return tuple([function(item, *arguments) for item in items])


assert WARP == 32
