"""Elements picked and set by index: what CuPy does, made to keep NumPy's promises.

CuPy wraps indices round that are out of range, and adds in any order where an element is named
several times.
"""

from __future__ import annotations

import numpy

from . import backend
from .backend import ndarray, to_device, xp
from .kernel import kernel
from .primitives import Ptr, T, int64, thread_of_grid


def _key(key):
    """A key whose arrays are on the device."""
    if isinstance(key, tuple):
        return tuple([_key(part) for part in key])
    return to_device(key) if isinstance(key, numpy.ndarray) and type(key) is not ndarray else key


def getitem(x, key):
    key = _key(key)
    _check_inside(x, key)
    return x[key]


def setitem(x, key, values):
    """x[key] = values, in place."""
    key = _key(key)
    _check_inside(x, key)
    if type(values) is ndarray and _owner(values) is _owner(x):
        values = values.copy()  # threads would read what others have written
    x[key] = values


def _owner(x):
    return x if x.base is None else x.base


def _check_inside(x, key):
    """Raise IndexError for an index out of range, where CuPy would wrap it round. This waits for
    the device, as indexing by arrays of bool does anyway; a step that is recorded cannot, and its
    indices were looked at when it was run before."""
    key = key if isinstance(key, tuple) else (key,)
    if backend.recording:
        for part in key:
            if type(part) is ndarray and part.dtype.kind == "b":
                backend.refuse_while_recording()
        return
    axis = 0
    for part in key:
        if part is Ellipsis:
            taken = sum(_axes_of(p) for p in key if p is not Ellipsis)
            axis += x.ndim - taken
            continue
        if type(part) is ndarray and part.dtype.kind in "iu" and part.size and axis < x.ndim:
            n, least, most = x.shape[axis], int(part.min()), int(part.max())
            if least < -n or most >= n:
                raise IndexError(f"index {least if least < -n else most} is out of bounds for axis "
                                 f"{axis} with size {n}")
        axis += _axes_of(part)


def _axes_of(part):
    """How many axes of an array an entry of a key takes."""
    if part is None:
        return 0
    return part.ndim if type(part) is ndarray and part.dtype.kind == "b" else 1


@kernel()
def add_runs_kernel(
    x: Ptr[T], place: Ptr[int64], order: Ptr[int64], values: Ptr[T], n: int64
):
    """x[place[i]] += the sum of values[order[i]] over a run of equal places, in order."""
    i = thread_of_grid()
    if i < n and (i == 0 or place[i - 1] != place[i]):
        total, j = x[place[i]], i
        while j < n and place[j] == place[i]:
            total += values[order[j]]
            j += 1
        x[place[i]] = total


def add_at(x, key, values):
    """x[key] += values, where an element named several times is added to every time, in order: one
    thread for each element that is named, as additions of many threads would come in any order."""
    place = xp.arange(x.size).reshape(x.shape)[_key(key)].reshape(-1)
    order = xp.argsort(place, kind="stable")
    values = xp.ascontiguousarray(values).reshape(-1)
    flat = x if x.flags.c_contiguous else xp.ascontiguousarray(x)
    add_runs_kernel.launch(add_runs_kernel.blocks(place.size),
                           (flat, place[order], order, values, place.size), T=x.dtype)
    if flat is not x:
        x[...] = flat
