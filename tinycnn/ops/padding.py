"""Borders around a tensor: constant, reflected, replicated, circular."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core import to_host
from .._core.checks import fail, shape_text
from .._core.dtypes import to_array
from ..autograd import Function, Variable
from ._inputs import check_tensor
from .reshaping import sizes_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def _reflect(size, low, high):
    last = low + size - 1
    return _backward(2 * low, low), _backward(last - 1, last - 1 - high)


def _replicate(size, low, high):
    return slice(low, low + 1), slice(low + size - 1, low + size)


def _circular(size, low, high):
    return slice(size, size + low), slice(low, low + high)


def _backward(first, stop):
    """first, first - 1, ... down to stop + 1, of which there may be none."""
    return slice(first, stop if stop >= 0 else None, -1)


# mode: (what the borders in front and behind read of an axis between them, the largest width)
_MODES = {
    "reflect": (_reflect, lambda size: size - 1),
    "replicate": (_replicate, lambda size: math.inf if size else 0),
    "circular": (_circular, lambda size: size),
    "constant": (None, lambda size: math.inf),
}


class Pad(Function):
    """See pad. Negative widths crop first; then borders are filled axis by axis, so that corners
    read the borders of earlier axes."""

    @staticmethod
    def forward(ctx, x, widths, mode, value):
        ctx.widths, ctx.mode, ctx.shape = widths, mode, x.shape
        x = x[_crop(x.shape, widths)]
        shape = tuple([n + max(p, 0) + max(q, 0) for n, (p, q) in zip(x.shape, widths)])
        y = ctx.kernels.empty_like(x, shape=shape)
        if mode == "constant":
            y[...] = value
        y[_center(shape, widths)] = x
        for axis, at, source in _borders(x.shape, widths, mode):
            y[_slab(axis, at)] = y[_slab(axis, source)]
        return y

    @staticmethod
    def backward(ctx, grad):
        k, widths = ctx.kernels, ctx.widths
        crop = _crop(ctx.shape, widths)
        grad_x = k.zeros(ctx.shape, grad.dtype)
        borders = list(_borders(grad_x[crop].shape, widths, ctx.mode))
        grad = k.copy(grad) if borders else grad
        for axis, at, source in reversed(borders):
            part = grad[_slab(axis, at)]
            if ctx.mode == "replicate":  # the whole border reads one place
                part = k.sum(part, axis, keepdims=True)
            grad[_slab(axis, source)] += part
        grad_x[crop] = grad[_center(grad.shape, widths)]
        return grad_x


def _crop(shape, widths):
    """What negative widths leave of the input."""
    return tuple([slice(max(-p, 0), n - max(-q, 0)) for n, (p, q) in zip(shape, widths)])


def _center(shape, widths):
    """Where that lies in the output."""
    return tuple([slice(max(p, 0), n - max(q, 0)) for n, (p, q) in zip(shape, widths)])


def _slab(axis, part):
    return (slice(None),) * axis + (part,)


def _borders(shape, widths, mode):
    """(axis, slice of a border, slice that it reads), counted in the output."""
    sources, _ = _MODES[mode]
    if sources is None:
        return
    for axis, (size, (low, high)) in enumerate(zip(shape, widths)):
        low, high = max(low, 0), max(high, 0)
        front, behind = sources(size, low, high)
        if low:
            yield axis, slice(0, low), front
        if high:
            yield axis, slice(low + size, low + size + high), behind


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Borders around a tensor.

    `pad` counts from the last axis: (left, right, top, bottom, front, back, ...). Outside of
    0 .. n-1, index i reads: reflect -i and 2(n-1)-i; replicate 0 and n-1; circular i mod n.

    Args:    input (Tensor): any shape; in the modes that copy (N, C, *spatial) or (C, *spatial).
             pad (ints): two per padded axis, last axis first; negative ones cut off, before
                 the others are added.
             mode (str): "constant", "reflect", "replicate" or "circular".
             value (number or None): what a constant border holds; None for 0.
    Returns: Tensor, every padded axis longer by its two widths.
    Raises:  ValueError: if the widths do not come in pairs, fit no axis, cut off too much, or
             are too large for the mode (reflect: n - 1, circular: n, replicate: n at least 1);
             if value is no number of the tensor's dtype.
             TypeError: if a width is no int, mode no str, or value no number without a gradient.
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
    if not isinstance(mode, str) or mode not in _MODES:
        fail("pad", "mode 'constant', 'reflect', 'replicate' or 'circular'", repr(mode),
             "Choose one of them.", ValueError if isinstance(mode, str) else TypeError)
    if value is not None and mode != "constant":
        fail("pad", f"no value in mode {mode!r}", repr(value), "Leave it out.")
    pairs = [flat[i : i + 2] for i in range(0, len(flat), 2)]
    widths = ((0, 0),) * (len(shape) - len(pairs)) + tuple(reversed(pairs))
    _check_widths(shape, widths, mode, pad)
    return Pad.apply(input, widths, mode, 0 if value is None else _number(value, input.data.dtype))


def _number(value, dtype):
    """What a constant border holds, as a Python number of this dtype."""
    if isinstance(value, Variable) and value.requires_grad:
        fail("pad", "value to be a number", "a tensor that requires a gradient",
             "Pass value.item(); a border that learns can be joined on with cat.", TypeError)
    array = to_array("pad", to_host(value.data) if isinstance(value, Variable) else value, dtype)
    if array.size != 1:
        fail("pad", "value to be one number", f"numbers of shape {shape_text(array.shape)}",
             "A border of several values can be joined on with cat.")
    return array.item()


def _check_widths(shape, widths, mode, pad):
    for n, (low, high) in zip(shape, widths):
        left = n - max(-low, 0) - max(-high, 0)
        if left < 0:
            fail("pad", f"at most {n} pixels to be cut off along an axis",
                 f"pad={pad!r} for {shape_text(shape)}", "Cut off less.")
        most = _MODES[mode][1](left)
        if max(low, high, 0) > max(most, 0):
            fail("pad", f"widths of at most {max(most, 0)} in mode {mode!r} for an axis of {left}",
                 f"pad={pad!r} for {shape_text(shape)}", "Pad less, or use mode='replicate'.")
