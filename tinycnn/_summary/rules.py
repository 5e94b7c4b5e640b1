"""Receptive fields operation by operation: what each makes of what its input sees.

A rule is told the state of the first tensor, its shape, the arguments, and the shape of the result;
it returns the state of the result. Operations without a rule keep the field if they keep the shape,
but for the channels.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from .._core.shapes import PoolAxis, Window
from ..arithmetic import Field
from .seen import State, collapsed, each, joined, moved


def _slid(state, shape, args, out, through=Field.through):
    """Convolution, and the locally connected one: the window is in the plan."""
    window = next(part for part in args[3] if isinstance(part, Window))

    def change(seen):
        if seen.axis == 0:
            return seen
        if seen.axis == 1:  # an output channel reads them all; within its group, strictly
            return seen.of_all(shape[1])
        i = seen.axis - len(shape) + 3
        return seen._replace(field=through(seen.field, window.kernel[i], window.stride[i],
                                           window.padding[i][0], window.dilation[i]))

    return each(state, change)


def _slid_back(state, shape, args, out):
    """Transposed convolution."""
    return _slid(state, shape, args, out, Field.through_transposed)


def _pooled(state, shape, args, out):
    plan = args[1]
    first = len(shape) - plan.dims  # spatial axis

    def change(seen):
        if seen.axis < first:
            return seen
        axis: PoolAxis = plan.axes[seen.axis - len(shape) + 3]
        n, out = axis.size, axis.out
        if out == 1 and axis.before >= 0 and axis.behind >= n:  # one window over everything
            return seen.of_all(n)
        if axis.share == 1:
            kernel = (axis.before + axis.behind - 1) // axis.step + 1
            return seen._replace(field=seen.field.through(kernel, axis.stride, axis.before,
                                                          axis.step))
        if n % out:  # windows of several lengths
            return seen.of_all(n)
        return seen._replace(field=seen.field.through(n // out, n // out))

    return each(state, change)


def _unpooled(state, shape, args, out):
    """Max-unpooling: an output sees what the input of its window sees."""
    dims = len(args[3])

    def change(seen):
        if seen.axis < len(shape) - dims:
            return seen
        times = -(-out[seen.axis] // shape[seen.axis])
        return seen._replace(field=seen.field.through_transposed(times, times))

    return each(state, change)


def _shuffled(state, shape, args, out):
    """Channels to squares of r x r pixels, or back."""
    through = Field.through if args[2] else Field.through_transposed
    return each(state, lambda seen: seen._replace(field=through(seen.field, args[1], args[1]))
                if seen.axis > 1 else seen.of_all(shape[seen.axis]))


def _resized(state, shape, args, out):
    """Interpolation: a place of the result lies between `taps` pixels."""
    plan, taps = args[1], {"linear": 2, "cubic": 4, "lanczos": 6}

    def change(seen):
        i = seen.axis - len(shape) + plan.dims
        if i < 0 or shape[seen.axis] == out[seen.axis]:
            return seen
        axis = plan.axes[i + 3 - plan.dims]
        if out[seen.axis] % shape[seen.axis] or axis.align_corners:  # no even steps
            return seen.of_all(shape[seen.axis])
        times = out[seen.axis] // shape[seen.axis]
        field = seen.field.through_transposed(times, times)
        more = (taps.get(axis.filter, 1) - 1) * seen.field.jump
        return seen._replace(field=field._replace(size=field.size + more))

    return each(state, change)


def _reshaped(state, shape, args, out):
    to: dict[int, Any] = {}
    tracked = {seen.axis: seen for seen in state if seen.axis is not None}
    for axis in sorted(tracked, reverse=True):
        to[axis] = _reshaped_axis(axis, shape, out, tracked, to)
    return moved(state, shape, to)


def _reshaped_axis(axis, shape, out, tracked, to):
    """Where an axis went: it stayed, was split (new, part), or merged with a part behind it."""
    front, n = prod(shape[:axis]), shape[axis]
    for new in reversed(range(len(out))):
        if prod(out[:new]) == front and out[new] == n and new not in to.values():
            return new
    for new in range(len(out) if n > 1 else 0):
        if prod(out[:new]) != front or not out[new]:
            continue
        times = out[new] // n
        if out[new] % n == 0 and any(
            prod(shape[axis + 1 : end]) == times and not tracked.keys() & range(axis + 1, end)
            for end in range(axis + 2, len(shape) + 1)
        ):
            field = tracked[axis].field.through_transposed(times, times)
            return tracked[axis]._replace(axis=new, field=field)
        part = n // out[new]
        if n % out[new] == 0 and out[new] > 1 and any(
            prod(out[new + 1 : end]) == part for end in range(new + 2, len(out) + 1)
        ):
            return tracked[axis]._replace(axis=new, field=tracked[axis].field.through(part, part))
    return None


def _permuted(state, shape, args, out):
    return moved(state, shape, {old: new for new, old in enumerate(args[1])})


def _expanded(state, shape, args, out):
    return joined([(state, shape)], out)


def _along(position: int):
    """Softmax, sorting, running sums: everything along one axis is read."""

    def rule(state, shape, args, out):
        axes = args[position] if isinstance(args[position], tuple) else (args[position],)
        return collapsed(state, shape, set(range(len(shape))) - set(axes))

    return rule


def _reduced(state, shape, args, out):
    dims, keepdim = args[1] if isinstance(args[1], tuple) else (args[1],), args[2]
    left = [axis for axis in range(len(shape)) if axis not in dims]
    return moved(state, shape, {a: a if keepdim else i for i, a in enumerate(left)})


def _indexed(state, shape, args, out):
    """Slices and integers move and fix fields; what arrays pick may be anything."""
    key = args[1]
    if any(hasattr(part, "dtype") for part in key):
        return collapsed(state, shape)
    used = sum(part is not None and part is not Ellipsis for part in key)
    rest = [slice(None)] * (len(shape) - used)
    at = key.index(Ellipsis) if Ellipsis in key else len(key)
    parts = [*key[:at], *rest, *key[at + 1 :]]
    tracked = {seen.axis: seen for seen in state if seen.axis is not None}
    to: dict[int, Any] = {}
    axis = new = 0
    for part in parts:
        if part is None:
            new += 1
            continue
        if axis in tracked:
            to[axis] = _sliced(tracked[axis], shape[axis], part, new)
        axis, new = axis + 1, new + (type(part) is slice)
    return moved(state, shape, to)


def _sliced(seen, n, part, new):
    if type(part) is slice:
        start, _, step = part.indices(n)
        if step > 0:
            return seen._replace(axis=new, field=seen.field.through(1, step, -start))
        return seen.of_all(n)
    return seen._replace(field=seen.field.through(1, 1, -(part % n))).of_all(1)


def _padded(state, shape, args, out):
    return each(state, lambda seen: seen._replace(
        field=seen.field.through(1, 1, args[1][seen.axis][0])))


def _mixed(state, shape, args, out):
    """Windows written out one behind the other, or added up."""
    return collapsed(state, shape)


def _last_axis(state, shape, args, out):
    """Linear layers: an output reads all of a row."""
    return collapsed(state, shape, range(len(shape) - 1))


RULES: dict[str, Callable[[State, tuple, tuple, tuple], State]] = {  # of operations of tinycnn
    "Convolution": _slid, "LocallyConnected": _slid, "TransposedConvolution": _slid_back,
    "MaxPool": _pooled, "AvgPool": _pooled, "MaxUnpool": _unpooled, "Resize": _resized,
    "LpPool": _pooled, "PixelShuffle": _shuffled,
    "Reshape": _reshaped, "Permute": _permuted, "Expand": _expanded, "Index": _indexed,
    "Pad": _padded, "Linear": _last_axis, "RBF": _last_axis,
    "Softmax": _along(1), "LogSoftmax": _along(1), "CumSum": _along(1), "Sort": _along(1),
    "Flip": _along(1), "Unfold": _mixed, "Fold": _mixed,
    **dict.fromkeys(("Sum", "Mean", "Var", "Prod", "LogSumExp", "Quantifier", "Norm", "Extremum",
                     "ExtremumAlong", "ArgExtremum"), _reduced),
}
