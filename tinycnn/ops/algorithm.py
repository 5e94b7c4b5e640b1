"""How convolutions are computed: the choice is made for each one, or by name.

What "auto" takes: the first that fits, by crossovers that were measured (files of _core/cpu/simd).

    matmul                 one window, which is the whole input            conv.pyx: _sees_all
    scatter                gradient of the input, 8 channels and more to   scatter.hh: scatters
                           a few, whose window rows fill vectors better
    winograd F(4x4, 3x3),  3x3 or 5x5, stride 1, one group, 16 channels    winograd_api.hh:
      F(2x2, 5x5)          and 8 tiles at least, if it leaves half the     winograd_pays
                           multiplications or fewer; tiles at the edges
                           of maps are smaller
    winograd F(4x4, 3x3)   3x3, stride 1, groups of 8 to 64 channels       grouped_winograd_api.hh
    direct, by groups      groups of 1, 2, 4 or 8 channels                 grouped.hh: narrow
    planar                 half a vector of channels written, or fewer,    planar.hh: planar
                           to rows that fill vectors better
    direct                 windows of several taps, rows of 7 pixels,      strip.hh: uses_strip
                           fewer than 2 MB of weights or tiles of many
                           pixels
    im2col                 whatever is left
"""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from typing import Any

from .._core import device_kernels
from .._core.checks import fail, shape_text
from .._core.dtypes import dtype_of, float32
from .._core.shapes import conv_window, frozen

ALGORITHMS = ("auto", "im2col", "direct", "winograd")


class _Preferred(threading.local):
    """What was asked for in this thread."""

    name = "auto"


preferred = _Preferred()


def check_algorithm(function, name):
    """Raise ValueError unless this is the name of an algorithm."""
    if name not in ALGORITHMS:
        fail(function, f"one of {', '.join(map(repr, ALGORITHMS))}", repr(name),
             "'auto' takes the fastest.")


class conv_algorithm(ContextDecorator):
    """Context manager and decorator: convolutions inside, and their gradients, use one algorithm.

    im2col    windows are copied to rows, a tile at a time; a matrix product follows
    direct    windows are read where they lie
    winograd  F(4x4, 3x3) with a quarter of the multiplications, F(2x2, 5x5) with 0.36 of them: for
              3x3 and 5x5 windows moved by one pixel, dilated or not, groups 1. Its rounding error
              is about five times that of the others: 1e-5 of the largest output at most, in
              float32. An infinity or a NaN in x spreads over a tile of outputs
    auto      whichever was measured to be the fastest

    Where the named algorithm does not serve a convolution, the choice is automatic; on a GPU it
    always is.

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
        self._before.append(preferred.name)
        preferred.name = self._name
        return self

    def __exit__(self, *_exception) -> None:
        preferred.name = self._before.pop()


def conv_algorithms(x_shape: tuple[int, ...], weight_shape: tuple[int, ...], stride: Any = 1,
                    padding: Any = 0, dilation: Any = 1, groups: int = 1,
                    dtype: Any = float32, device: str = "cpu") -> dict[str, str]:
    """Which algorithm computes a convolution of these sizes, for each of its three passes.

    What `conv_algorithm` asked for counts here, too.

    Args:    x_shape (tuple): (N, C, L), (N, C, H, W) or (N, C, D, H, W).
             weight_shape (tuple): (OC, C/groups, *kernel).
             device (str): "cpu" or "cuda"; a GPU has "tensor cores", "depthwise" and "plain".
             others: as conv2d.
    Returns: dict of "forward", "gradient of input" and "gradient of weight" to a name. "scatter",
             "planar", "matmul" and the tiles of "winograd F(4x4, 3x3)" are chosen where
             they fit.
    Raises:  ValueError: if the shapes do not fit.
    Example: >>> conv_algorithms((8, 64, 32, 32), (64, 64, 3, 3), padding=1)["forward"]
             'winograd F(4x4, 3x3)'
             >>> conv_algorithms((8, 64, 32, 32), (64, 64, 7, 7))["forward"]
             'direct'
    """
    x, w = tuple(x_shape), tuple(weight_shape)
    dims = len(x) - 2
    if dims not in (1, 2, 3) or len(w) != len(x) or x[1] != w[1] * groups or w[0] % groups:
        fail("conv_algorithms", "x_shape (N, C, *size) and weight_shape (OC, C/groups, *kernel)",
             f"{shape_text(x)} and {shape_text(w)} with groups={groups}", "Check the channels.")
    window = conv_window("conv_algorithms", x[2:], w[2:], *map(
        frozen, (stride, padding, dilation)))._replace(algorithm=preferred.name)
    size = (1,) * (3 - dims) + x[2:]
    k = device_kernels(device)
    nothing = k.zeros((), dtype_of("conv_algorithms", dtype))
    arrays = [k.broadcast_to(nothing, shape) for shape in (
        (x[0], *size, x[1]), (w[0], *window.kernel, w[1]),
        (x[0], *window.output_size(size), w[0]))]
    names = k.conv_algorithms(*arrays, window, groups)
    return dict(zip(("forward", "gradient of input", "gradient of weight"), names))
