"""Elements picked by index, and borders added around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._core.checks import fail, shape_text
from ..autograd import Function
from ._inputs import check_tensor, kernels_of
from .reshaping import sizes_of

if TYPE_CHECKING:
    from ..tensor import Tensor

_ALL = slice(None)


class Index(Function):
    """See index."""

    @staticmethod
    def forward(ctx, x, key):
        ctx.shape, ctx.key = x.shape, key
        return ctx.kernels.getitem(x, key)

    @staticmethod
    def backward(ctx, grad):
        k, key = ctx.kernels, ctx.key
        grad_x = k.zeros(ctx.shape, grad.dtype)
        if any([hasattr(part, "dtype") and part.dtype.kind != "b" for part in key]):
            k.add_at(grad_x, key, grad)  # an element may have been picked several times
        else:
            grad_x[key] = grad
        return grad_x


def index(input: Tensor, key: Any) -> Tensor:
    """Elements picked by integers, slices, None, ..., or tensors, arrays and lists of indices.

    As PyTorch: integers, slices and None are served first and give a view; then tensors of integers
    (broadcast together) or of bool pick elements, and the result is a copy.

    Args:    input (Tensor): any shape.
             key: what stands in the brackets of `input[key]`.
    Returns: Tensor.
    Raises:  IndexError: if an index is out of range, or there are more of them than axes.
             TypeError: if an index is no integer, slice, None, ... or tensor of bool or integers.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]])
             >>> x[:, 1], x[x > 2]
             (tensor([2., 4.]), tensor([3., 4.]))
    """
    check_tensor("index", "input", input)
    key = index_key(key)
    first, then = _in_two_steps(key, input.data.ndim)
    try:
        y = Index.apply(input, first)
        return y if then is None else Index.apply(y, then)
    except (IndexError, ValueError) as error:
        text = ", ".join([
            shape_text(p.shape) if hasattr(p, "shape") else repr(p) for p in key
        ])
        fail("index", f"indices that exist in a tensor {shape_text(input.data.shape)}",
             f"[{text}] ({error})", "Check the indices and the order of the axes.", IndexError)


def index_key(key):
    """A key of plain integers, slices, None, ... and arrays."""
    if type(key) is int or type(key) is slice:
        return (key,)
    return tuple([_part(p) for p in (key if type(key) is tuple else (key,))])


def _part(part):
    if part is None or part is Ellipsis or type(part) in (int, slice):
        return part
    if hasattr(part, "creator"):
        part = part.data
    elif isinstance(part, (list, tuple, range)):
        part = kernels_of().asarray(part, int if len(part) == 0 else None)
    if hasattr(part, "dtype") and hasattr(part, "shape"):
        if part.dtype.kind in "iu":
            return part if part.shape else int(part)
        if part.dtype.kind == "b":
            return part
        fail("index", "indices of bool or integers", f"{part.dtype} {shape_text(part.shape)}",
             "Convert them with .to(tinycnn.int64).", TypeError)
    if type(part) is bool:
        return kernels_of().asarray(part)
    if hasattr(part, "__index__"):
        return part.__index__()
    fail("index", "an integer, slice, None, ... or a tensor of bool or integers",
         type(part).__name__, "See the help of tinycnn.ops.index.", TypeError)


def _in_two_steps(key, ndim):
    """Integers beside arrays: first everything but the arrays, then the arrays.

    NumPy would take an integer for one more array, which moves axes.
    """
    arrays = [hasattr(p, "dtype") for p in key]
    if not any(arrays) or not any([type(p) is int for p in key]):
        return key, None
    width = [
        0 if p is None or p is Ellipsis else p.ndim if a and p.dtype.kind == "b" else 1
        for p, a in zip(key, arrays)
    ]
    first, then = [], []
    for part, array, axes in zip(key, arrays, width):
        if array:
            first += [_ALL] * axes
            then.append(part)
        elif part is Ellipsis:
            first += [_ALL] * (ndim - sum(width))
            then += [_ALL] * (ndim - sum(width))
        else:
            first.append(part)
            then += [] if type(part) is int else [_ALL]
    return tuple(first), tuple(then)


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
