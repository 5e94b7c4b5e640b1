"""How convolutions are computed: the choice is made for each one, or by name."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator

from .._core.checks import fail

ALGORITHMS = ("auto", "im2col", "direct", "winograd")


class _Preferred(threading.local):
    name = "auto"


_preferred = _Preferred()


def as_preferred(window):
    """The window, to be slid by the algorithm that was asked for in this thread."""
    name = _preferred.name
    return window if name == "auto" else window._replace(algorithm=name)


def check_algorithm(function, name):
    """Raise ValueError unless this is the name of an algorithm."""
    if name not in ALGORITHMS:
        fail(function, f"one of {', '.join(map(repr, ALGORITHMS))}", repr(name),
             "'auto' takes the fastest.")


class conv_algorithm(ContextDecorator):
    """Context manager and decorator: convolutions inside, and their gradients, use one algorithm.

    im2col    windows are copied to rows, a tile at a time; a matrix product follows
    direct    windows are read where they lie
    winograd  F(4x4, 3x3): a quarter of the multiplications, for 3x3 windows moved by one pixel,
              not dilated, groups 1. Its rounding error is about five times that of the others:
              1e-5 of the largest output at most, in float32. An infinity or a NaN in x spreads
              over a tile of 4x4 outputs
    auto      whichever was measured to be the fastest

    Where the named algorithm does not serve a convolution, the choice is automatic.

    Args:    name (str): one of the above.
    Raises:  ValueError: if there is no algorithm of that name.
    Example: >>> import tinycnn
             >>> x, weight = tinycnn.rand(1, 32, 8, 8), tinycnn.rand(32, 32, 3, 3)
             >>> with tinycnn.conv_algorithm("im2col"):
             ...     exact = tinycnn.nn.functional.conv2d(x, weight)
             >>> fast = tinycnn.nn.functional.conv2d(x, weight)
             >>> bool((fast - exact).abs().max() < 1e-5 * exact.abs().max())
             True
    Source:  Chellapilla, Puri & Simard 2006 (im2col); Lavin & Gray 2016 (Winograd).
    """

    def __init__(self, name: str) -> None:
        check_algorithm("conv_algorithm", name)
        self._name, self._before = name, []  # a stack: one object may be entered twice

    def __enter__(self) -> conv_algorithm:
        self._before.append(_preferred.name)
        _preferred.name = self._name
        return self

    def __exit__(self, *_exception) -> None:
        _preferred.name = self._before.pop()
