"""The arrays of the simulated GPU: NumPy's, of a type of their own; and recorded steps of them.

While a step is recorded, nothing that changes memory is done: it becomes an entry of a list, and a
replay does all entries in order. New arrays are made at once, for their shapes; their numbers come
with the replay.
"""

from contextlib import contextmanager
from functools import partial

import numpy

_record = None  # what is done to arrays while a step is recorded: calls without arguments


@contextmanager
def recording():
    """A list that holds, when the block is over, all that was done to arrays in it, as calls."""
    global _record
    _record = []
    try:
        yield _record
    finally:
        _record = None


def do(call):
    """Call this, which changes memory: now, or while recording in every replay instead."""
    if _record is not None:
        _record.append(call)
    else:
        call()


def compute(function, *arguments):
    """function(*arguments) as a device array, which a replay fills again."""
    with numpy.errstate(all="ignore"):
        y = function(*arguments)
    if _record is not None and not any(
        isinstance(x, numpy.ndarray) and numpy.may_share_memory(x, y) for x in arguments
    ):
        y = numpy.asarray(y)  # of the right shape; its numbers come with the replay
        _record.append(lambda: y.__setitem__(..., compute(function, *arguments)))
    return on_device(y)


class Array(numpy.ndarray):
    """What device arrays are in the simulator: NumPy's, of a type of their own, so that a host
    array among them is noticed."""

    def get(self):
        """The numbers as a host array, as in CuPy."""
        if _record is not None:
            raise RuntimeError("a number is asked for while a step is recorded")
        return numpy.array(self, order="K", subok=False)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if any(type(x) is numpy.ndarray and x.ndim for x in inputs):
            raise TypeError("a host array among device arrays")  # as CuPy has it
        inputs = on_host(inputs)
        function = partial(getattr(ufunc, method), **options)
        if out is None:
            return compute(function, *inputs)
        host = on_host(out)
        with numpy.errstate(all="ignore"):
            do(lambda: function(*inputs, out=host))
        return out[0]

    def __getitem__(self, key):
        host, key = on_host(self), on_host(key)
        y = host[key]
        if isinstance(y, numpy.generic):  # as in CuPy, a view
            y = host[(*(key if isinstance(key, tuple) else (key,)), ...)]
        return y.view(Array) if numpy.may_share_memory(host, y) else compute(lambda: host[key])

    def reshape(self, *shape, order="C"):
        y = on_host(self).reshape(*shape, order=order)
        if numpy.may_share_memory(self, y):
            return y.view(Array)
        return compute(lambda x: x.reshape(*shape, order=order), on_host(self))

    def __setitem__(self, key, value):
        host, key, value = on_host(self), on_host(key), on_host(value)
        do(lambda: host.__setitem__(key, value))

    def fill(self, value):
        self[...] = value

    def copy(self, order="C"):
        return compute(lambda x: x.copy(order), on_host(self))

    def astype(self, dtype, order="K", copy=True):
        if self.dtype == dtype and not copy:
            return self
        return compute(lambda x: x.astype(dtype, order), on_host(self))


def on_host(x):
    """Device arrays, alone or in tuples and lists, as NumPy arrays of the same memory."""
    if isinstance(x, (tuple, list)):
        return type(x)(map(on_host, x))
    return x.view(numpy.ndarray) if isinstance(x, Array) else x


def on_device(y):
    """A host array or number, or a tuple of them, as a device array of the same memory."""
    if isinstance(y, tuple):
        return tuple([on_device(part) for part in y])
    return numpy.asarray(y).view(Array)
