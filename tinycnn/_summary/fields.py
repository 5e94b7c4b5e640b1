"""Receptive fields through any model: what each operation makes of what its inputs see.

A tensor that depends on the input has one `Seen` for each axis of the input: which of its own axes
leads along that axis, and the field of the units along it. A convolution widens a field, a sum or a
concatenation joins several, a permutation moves axes. Where units no longer lie along an axis, as
behind a flattening or a global pooling, there is one field for all, as far as the input reaches.

Operations that keep the shape of maps keep the field. So the statistics of a normalisation, for
which every pixel of a map counts a little, are left out: as is usual.
"""

from __future__ import annotations

import weakref
from typing import Any

from ..tensor import Tensor
from .rules import RULES
from .seen import UNKNOWN, collapsed, each, joined

WINDOWED = {"Convolution", "LocallyConnected", "TransposedConvolution", "MaxPool", "AvgPool",
            "LpPool"}


class States:
    """What every tensor sees, for as long as it lives."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}  # id of an array: (reference to it, state)
        self.shape: tuple[int, ...] | None = None  # of the input
        self.spatial: tuple[int, ...] | None = None  # axes of the input, from the first window
        self.batched = True

    def get(self, tensor: Tensor) -> Any:
        """The State of a tensor, UNKNOWN, or None if it does not depend on the input."""
        return self._known.get(id(tensor.data), (None, None))[1]

    def set(self, tensor: Tensor, state: Any) -> None:
        array = tensor.data
        place = id(array)
        self._known[place] = (weakref.ref(array, lambda _: self._known.pop(place, None)), state)

    def follow(self, function: type, args: tuple, results: tuple[Tensor, ...]) -> None:
        """Take note of one operation."""
        sources = {}  # place among the arguments: (state, shape)
        for place, arg in enumerate(args):
            state = self.get(arg) if isinstance(arg, Tensor) else None
            if state is not None:
                sources[place] = state, arg.shape
        if not sources:
            return
        name = function.__name__ if function.__module__.startswith("tinycnn.") else ""
        if name in WINDOWED and self.spatial is None and 0 in sources:
            self._note_axes(*sources[0], args[1 if name.endswith("Pool") else 3])
        for number, result in enumerate(results):
            self.set(result, _behind(name, sources, args, result.shape, number))

    def _note_axes(self, state, shape, plan):
        """The first window tells which axes of the input are spatial, and whether images come in
        batches."""
        if state is not UNKNOWN:
            dims = plan.dims if hasattr(plan, "dims") else plan[0]
            axes = [seen.axis for seen in state]
            self.spatial = tuple([i for i, axis in enumerate(axes)
                                  if axis is not None and axis >= len(shape) - dims])
            self.batched = len(shape) == dims + 2 and axes[0] == 0


def _behind(name, sources, args, shape, number):
    """The state of one result, of this shape, of an operation."""
    if any(state is UNKNOWN for state, _ in sources.values()):
        return UNKNOWN
    if name == "Cat":
        return joined([(collapsed(s, n, set(range(len(n))) - {args[0]}), shape)
                       for s, n in sources.values()], shape)
    if name == "Split":
        before = sum(args[1][:number])
        return each(sources[0][0], lambda seen: seen if seen.axis != args[2] else
                     seen._replace(field=seen.field.through(1, 1, -before)))
    if name == "MatMul":  # an element reads a row of the first and a column of the second
        kept = {0: {*range(len(shape) - 1)}, 1: {*range(len(shape))} - {len(shape) - 2}}
        return joined([(collapsed(s, n, kept[place]), n) for place, (s, n) in sources.items()],
                      shape)
    if name in RULES:  # of weights that are made from the input, too, every one counts
        return joined([(RULES[name](s, n, args, shape), shape)
                       if place == 0 or name == "MaxUnpool" else  # whose indices are maps, too
                       (collapsed(s, n), ()) for place, (s, n) in sources.items()], shape)
    shapes = [n for _, n in sources.values()]
    if len(shapes) == 1 and _same_maps(shapes[0], shape):
        return collapsed(*sources.popitem()[1], {*range(len(shape))} - {1})
    if shape in shapes and all(_fits(n, shape) for n in shapes):
        return joined(list(sources.values()), shape)
    if shape == ():
        return joined([(collapsed(s, n), ()) for s, n in sources.values()], ())
    return UNKNOWN


def _same_maps(own, shape):
    """Whether the shapes differ in the number of channels only, as those of a maxout do."""
    return len(own) == len(shape) > 2 and own[1] != shape[1] and (
        own[:1] + own[2:] == shape[:1] + shape[2:])


def _fits(own, shape):
    """Whether a tensor broadcasts to this shape."""
    return len(own) <= len(shape) and all(
        n in (1, m) for n, m in zip(reversed(own), reversed(shape)))
