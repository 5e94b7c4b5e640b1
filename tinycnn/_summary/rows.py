"""From the calls of a run to the rows of a table."""

from __future__ import annotations

from typing import Any

from ..nn import Module
from .calls import Call, Trace
from .report import Row
from .seen import UNKNOWN


def rows_of(trace: Trace, images: int) -> list[Row]:
    """The rows of a run on an input that holds that many images."""
    calls = trace.calls
    _add_uncalled(trace)
    return _Rows(trace, images).of(calls[0], "", 0)


def untraced_rows(model: Module) -> list[Row]:
    """The rows of a model that has not run: the tree of its modules, with their parameters."""

    def call(module, name):
        this = Call(module, name)
        this.children = [call(child, f"{name}.{own}" if name else own)
                         for own, child in module.named_children()]
        return this

    return _Rows(None, 1).of(call(model, ""), "", 0)


def _add_uncalled(trace):
    """A call that never was for each module with parameters of its own that was not called, at the
    end of what its parent called."""
    called: dict[Module, Call] = {}
    pending = list(trace.calls)
    while pending:
        call = pending.pop()
        called.setdefault(call.module, call)
        pending += call.children
    by_name = {name: module for module, name in trace.names.items()}
    for module, name in trace.names.items():
        if module in called or next(module.parameters(recurse=False), None) is None:
            continue
        parent = name.rpartition(".")[0]
        while by_name.get(parent) not in called:
            parent = parent.rpartition(".")[0]
        called[by_name[parent]].children.append(Call(module, name))


_COUNTS = ("parameters", "multiply_adds", "connections", "memory")  # of a Row, as it has them


class _Rows:
    """Makes rows, and remembers which parameters and modules it has come across."""

    def __init__(self, trace: Trace | None, images: int) -> None:
        self._trace, self._images = trace, images
        self._counted: set[int] = set()
        self._met: set[int] = set()

    def of(self, call: Call, parent: str, depth: int) -> list[Row]:
        """The row of a call, and those of the calls inside."""
        own = list(call.module.parameters(recurse=False))
        new = [p for p in own if id(p) not in self._counted]
        shared = id(call.module) in self._met or len(new) < len(own)
        self._counted |= {id(p) for p in new}
        self._met.add(id(call.module))
        inside: list[Row] = []
        for child in call.children:
            inside += self.of(child, call.name, depth + 1)
        below = [row for row in inside if row.depth == depth + 1]
        products = call.multiply_adds // self._images
        counts = (sum(p.numel() for p in new), products, products + call.biases // self._images,
                  call.memory)
        totals = [n + sum(getattr(row, name) for row in below)
                  for n, name in zip(counts, _COUNTS)]
        groups = getattr(call.module, "groups", 1)
        return [Row(
            call.name, _label(call.name, parent), type(call.module).__name__, depth,
            _shape(call.shapes), *totals, *counts,
            *self._field(call.state), groups if isinstance(groups, int) else 1, shared, len(inside),
        ), *inside]

    def _field(self, state: Any) -> tuple:
        """(sizes, jumps, starts, whether that is everything)."""
        states = self._trace and self._trace.states
        if state is None or state is UNKNOWN or states is None:
            return None, None, None, False
        axes = states.spatial
        if axes is None:
            axes = range(2, len(state))
        seen = [state[axis] for axis in axes]
        if not seen:
            return None, None, None, False
        sizes, jumps, starts = zip(*[s.field for s in seen])
        everything = all(s.axis is None and s.field.size == s.size for s in seen)
        return sizes, jumps, starts, everything


def _shape(shapes):
    if shapes is None or not shapes:
        return None
    return shapes[0] if len(shapes) == 1 else shapes


def _label(name, parent):
    """The name as seen from the module that made the call."""
    return name[len(parent) + 1 :] if parent and name.startswith(parent + ".") else name
