"""Borders around a tensor: constant, reflected, replicated, circular."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_tensor
from .reshaping import sizes_of

if TYPE_CHECKING:
    from ..tensor import Tensor

_ALL = slice(None)


def _source_reflect(i, size):
    return -i if i < 0 else 2 * (size - 1) - i


def _source_replicate(i, size):
    return 0 if i < 0 else size - 1


def _source_circular(i, size):
    return i % size


_SOURCES = {
    "reflect": _source_reflect,
    "replicate": _source_replicate,
    "circular": _source_circular,
}


class Pad(Function):
    """See pad. Borders are copied axis by axis, so that corners see the borders of earlier axes."""

    @staticmethod
    def forward(ctx, x, widths, mode, value):
        k = ctx.kernels
        ctx.widths, ctx.mode, ctx.x_shape = widths, mode, x.shape
        shape = tuple([n + low + high for n, (low, high) in zip(x.shape, widths)])
        y = k.empty_like(x, shape=shape)
        if mode == "constant":
            y[...] = value
        y[_center(shape, widths)] = x[_crop(x.shape, widths)]
        for axis, at, source in _borders(x.shape, widths, mode):
            y[_slab(axis, at)] = y[_slab(axis, source)]
        return y

    @staticmethod
    def backward(ctx, grad):
        k, widths, shape = ctx.kernels, ctx.widths, ctx.x_shape
        borders = list(_borders(shape, widths, ctx.mode))
        if borders:
            grad = k.copy(grad)
        for axis, at, source in reversed(borders):
            grad[_slab(axis, source)] += grad[_slab(axis, at)]
        grad_x = k.zeros(shape, grad.dtype)
        grad_x[_crop(shape, widths)] = grad[_center(grad.shape, widths)]
        return grad_x


def _center(shape, widths):
    """Where the input lies in the output."""
    return tuple([
        slice(max(low, 0), n - max(high, 0)) for n, (low, high) in zip(shape, widths)
    ])


def _crop(shape, widths):
    """What negative widths leave of the input."""
    return tuple([
        slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(shape, widths)
    ])


def _slab(axis, i):
    return (_ALL,) * axis + (i,)


def _borders(shape, widths, mode):
    """(axis, index in the border, index that it copies), in the output's indices."""
    if mode == "constant":
        return
    source = _SOURCES[mode]
    for axis, (size, (low, high)) in enumerate(zip(shape, widths)):
        for i in (*range(-low, 0), *range(size, size + high)):
            yield axis, i + low, source(i, size) + low


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Borders around a tensor.

    `pad` counts from the last axis: (left, right, top, bottom, front, back, ...). Outside of
    0 .. n-1, index i reads: reflect -i and 2(n-1)-i; replicate 0 and n-1; circular i mod n.

    Args:    input (Tensor): any shape; in the modes that copy (N, C, *spatial) or (C, *spatial).
             pad (ints): two per padded axis, last axis first; negative ones cut off.
             mode (str): "constant", "reflect", "replicate" or "circular".
             value (number or None): what a constant border holds; None for 0.
    Returns: Tensor, every padded axis longer by its two widths.
    Raises:  ValueError: if the widths do not come in pairs, fit no axis, cut off too much, or
             are too large for the mode (reflect: n - 1, circular: n, replicate: n at least 1).
    Example: >>> import tinycnn
             >>> tinycnn.ops.pad(tinycnn.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
             tensor([[3., 2., 1., 2., 3., 2.]])
    """
    check_tensor("pad", "input", input)
    shape = input.data.shape
    flat = sizes_of("pad", pad)
    if len(flat) % 2 or len(flat) > 2 * len(shape):
        fail("pad", f"pairs of widths for at most {len(shape)} axes", f"pad={pad!r} for "
             f"{shape_text(shape)}", "Give (low, high) for the last axis first.")
    if mode != "constant" and mode not in _SOURCES:
        fail("pad", "mode 'constant', 'reflect', 'replicate' or 'circular'", repr(mode),
             "Choose one of them.")
    if value is not None and mode != "constant":
        fail("pad", f"no value in mode {mode!r}", repr(value), "Leave it out.")
    pairs = [flat[i : i + 2] for i in range(0, len(flat), 2)]
    widths = ((0, 0),) * (len(shape) - len(pairs)) + tuple(reversed(pairs))
    _check_widths(shape, widths, mode, pad)
    if not any(flat):
        mode = "constant"
    return Pad.apply(input, widths, mode, 0 if value is None else value)


def _check_widths(shape, widths, mode, pad):
    limit = {"constant": lambda n: None, "reflect": lambda n: n - 1, "circular": lambda n: n,
             "replicate": lambda n: None if n else 0}[mode]
    for n, (low, high) in zip(shape, widths):
        most = limit(n)
        if n + low + high < 0 or max(-low, 0) + max(-high, 0) > n:
            fail("pad", "widths that leave at least 0 pixels", f"pad={pad!r} for "
                 f"{shape_text(shape)}", "Cut off less.")
        if most is not None and max(low, high) > max(most, 0):
            fail("pad", f"widths of at most {max(most, 0)} in mode {mode!r} for an axis of "
                 f"size {n}", f"pad={pad!r} for {shape_text(shape)}",
                 "Pad less, or use mode='replicate'.")
