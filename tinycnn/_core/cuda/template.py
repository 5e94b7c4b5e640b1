"""Kernels as templates: a Python function whose global names are filled in when it is built.

    from __future__ import annotations

    @kernel(threads=256)
    def double_kernel(x: Ptr[T], y: Ptr[T], n: int64):
        i = thread_of_grid()
        if i < n:
            y[i] = T(2) * x[i]

    double_kernel.launch(double_kernel.blocks(n), (x, y, n), T=x.dtype)

`T` is a global of the module and stands for a number type; `launch` copies the function with
T = float32 or float64 among its globals, as a C++ compiler instantiates a template. Any other
constant, a tile size or a flag, is filled in the same way: to the compiler it is a number that
never changes. `@device` marks functions that kernels call; they are instantiated alike, and may be
such a constant themselves (elementwise.py).

The same source runs twice: Numba compiles it for a GPU (compiler.py), or threads that are greenlets
run it as plain Python (simulator.py). What the two have in common is listed in primitives.py.
"""

from functools import cache
from types import FunctionType
from typing import Any, TypeVar

T = TypeVar("T")  # the number type of a kernel


class Ptr:
    """Annotation: `x: Ptr[float32]` is the address of float32 numbers."""

    def __class_getitem__(cls, item):
        return _Pointer(item)


class _Pointer:
    def __init__(self, item):
        self.item = item


class Device:
    """A function that kernels call, to be instantiated with them."""

    def __init__(self, function):
        self.function = function
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    def __repr__(self):  # names the instance of a kernel that is given it as a constant
        return self.__name__


def device(function):
    """Decorator of a function that is called in kernels."""
    return Device(function)


def instantiate(function, constants, finish):
    """`function` with `constants` among its globals, and with the device functions that it calls
    instantiated alike.

    Args:    constants (dict): name to number type or number.
             finish (callable): makes a device function ready to be called from a kernel.
    """
    names = {**function.__globals__, **constants}
    for name in _names_in(function.__code__):
        if isinstance(names.get(name), Device):
            inner = instantiate(names[name].function, constants, finish)
            names[name] = finish(inner)
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__,
                        function.__closure__)
    copy.__annotations__ = function.__annotations__
    return copy


@cache
def _names_in(code):
    return tuple(dict.fromkeys(code.co_names))


def parameters(function) -> list[tuple[str, Any]]:
    """(name, annotation) of each parameter of an instantiated kernel, its names filled in."""
    found = []
    count = function.__code__.co_argcount
    for name in function.__code__.co_varnames[:count]:
        text = function.__annotations__[name]
        if not isinstance(text, str):
            raise TypeError(
                f"{function.__name__}: write `from __future__ import annotations` in the file of a "
                f"kernel: what T is must not be settled when it is read.")
        found.append((name, eval(text, function.__globals__)))
    return found
