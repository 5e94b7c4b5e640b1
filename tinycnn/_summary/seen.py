"""What a tensor sees of the input, and what several see together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..arithmetic import Field


class Seen(NamedTuple):
    """What a tensor sees along one axis of the input."""

    axis: int | None  # the tensor's axis along which the field moves; None: all see the same
    field: Field
    size: int  # of the input

    def of_all(self, units: int) -> Seen:
        """What that many units see together."""
        if self.axis is None:
            return self
        return Seen(None, self.field.of_all(units, self.size), self.size)


State = tuple[Seen, ...]
UNKNOWN: Any = "unknown"  # in place of a State: an operation without a rule


def at_input(shape: tuple[int, ...]) -> State:
    """Every unit of the input sees itself."""
    return tuple([Seen(axis, Field(), n) for axis, n in enumerate(shape)])


def joined(states: list[tuple[State, tuple[int, ...]]], shape: tuple[int, ...]) -> Any:
    """The state of a result of this shape, of which each unit reads all of several tensors at its
    own place: (state, shape) of each, broadcast to the result."""
    if any(state is UNKNOWN for state, _ in states):
        return UNKNOWN
    aligned = []
    for state, own in states:
        shift, moved = len(shape) - len(own), []
        for seen in state:
            if seen.axis is not None and own[seen.axis] != shape[seen.axis + shift]:
                seen = seen.of_all(own[seen.axis])  # one unit is read at every place
            moved.append(seen if seen.axis is None else seen._replace(axis=seen.axis + shift))
        aligned.append(moved)
    return tuple([_union(seens, shape) for seens in zip(*aligned)])


def _union(seens: tuple[Seen, ...], shape: tuple[int, ...]) -> Seen:
    if len({(seen.axis, seen.field.jump) for seen in seens}) > 1:  # they move differently
        seens = tuple([s if s.axis is None else s.of_all(shape[s.axis]) for s in seens])
    field = seens[0].field
    for seen in seens[1:]:
        field = field.union(seen.field)
    return seens[0]._replace(field=field)


def collapsed(state: Any, shape: tuple[int, ...], keep: Any = ()) -> Any:
    """The state behind an operation that reads everything along all axes but those kept."""
    if state is UNKNOWN:
        return UNKNOWN
    return tuple([s if s.axis is None or s.axis in keep else s.of_all(shape[s.axis])
                  for s in state])


def moved(state: State, shape: tuple[int, ...], to: dict[int, Any]) -> State:
    """The state where axis a has become axis to[a] of the result, a new Seen, or is gone."""
    result = []
    for seen in state:
        new = seen.axis if seen.axis is None else to.get(seen.axis)
        if seen.axis is None or isinstance(new, Seen):
            result.append(seen if seen.axis is None else new)
        else:
            result.append(seen.of_all(shape[seen.axis]) if new is None else
                          seen._replace(axis=new))
    return tuple(result)


def each(state: State, change: Callable[[Seen], Seen]) -> State:
    return tuple([seen if seen.axis is None else change(seen) for seen in state])
