"""What a module is made of: attributes that are parameters, buffers or modules.

They are ordinary attributes; `_kinds` remembers which of them are what, in the order in which they
were registered. So reading `self.weight` costs what any attribute costs, and no value is kept in
two places.
"""

from inspect import isroutine
from typing import Any

from .._core.checks import fail
from ..tensor import Tensor
from .parameter import Parameter

PARAMETER, BUFFER, MODULE = "parameter", "buffer", "module"
_RESERVED = frozenset({"training", "_kinds", "_not_saved", "_hooks", "_may_miss", "_chains"})


class Registry:
    """Base class of Module: keeps its parts, and explains itself where one is misused."""

    _kinds: dict[str, str]  # name: PARAMETER, BUFFER or MODULE
    _not_saved: set[str]  # buffers that do not belong to the state

    def __init__(self) -> None:
        self.__dict__.update(_kinds={}, _not_saved=set())

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Parameter, Registry)):
            kind = MODULE if isinstance(value, Registry) else PARAMETER
            self._register(type(self).__name__, kind, name, value)
        elif name in self.__dict__.get("_kinds", ()):
            kind = self._kinds[name]
            if value is not None and not (kind == BUFFER and isinstance(value, Tensor)):
                fail(f"{type(self).__name__}.{name}",
                     f"a {_NAME[kind]} or None (it is a {kind})", type(value).__name__,
                     _ADVICE[kind], TypeError)
            self.__dict__[name] = value
            self._parts_changed()
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        getattr(self, name)  # raises, and says what there is
        self.__dict__.get("_kinds", {}).pop(name, None)
        self.__dict__.get("_not_saved", set()).discard(name)
        object.__delattr__(self, name)
        self._parts_changed()

    def _parts_changed(self) -> None:
        """Called after a part came, went or was replaced, for those who remember its parts."""

    def __getattr__(self, name: str) -> Any:
        """Called only where ordinary look-up failed."""
        if hasattr(type(self), name):  # a property that raised AttributeError: its own words
            return object.__getattribute__(self, name)
        owner = type(self).__name__
        if "_kinds" not in self.__dict__:
            raise AttributeError(_no_init(owner, name))
        raise AttributeError(
            f"{owner}: expected the name of an attribute, got {name!r}. Assign it in __init__; "
            f"{owner} has the parts {', '.join(self._kinds) or '(none)'}.", name=name, obj=self)

    def _register(self, function: str, kind: str, name: str, value: Any) -> None:
        """Keep a parameter, buffer or module, or None in its place, as an attribute."""
        if "_kinds" not in self.__dict__:
            raise AttributeError(_no_init(type(self).__name__, name))
        if not isinstance(name, str):
            fail(function, f"a str as name of a {kind}", repr(name), "Pass for example 'weight'.",
                 TypeError)
        if not name or "." in name:
            fail(function, f"a name of a {kind} that is not empty and has no dot", repr(name),
                 "Leave the dot out: it separates the names of module and part in state_dict.")
        existing = getattr(type(self), name, None)
        if isroutine(existing) or isinstance(existing, property) or name in _RESERVED:
            fail(function, f"a name of a {kind} that the class does not use itself", repr(name),
                 "Choose another name.")
        if kind == PARAMETER and value is not None and value.creator is not None:
            fail(function, f"a parameter {name!r} that no operation has made",
                 f"the result of {value.creator.function.__name__}",
                 "Make it with nn.Parameter(x.detach()).")
        if self._kinds.get(name) != kind:
            self._kinds.pop(name, None)  # so that it moves behind the others of its new kind
        self._not_saved.discard(name)
        self._kinds[name] = kind
        self.__dict__[name] = value
        self._parts_changed()

    def _add(self, function: str, kind: str, name: str, value: Any) -> None:
        """As `_register`, where assignment does not tell the kind: checks it, and the name."""
        function = f"{type(self).__name__}.{function}"
        if value is not None and not isinstance(value, _CLASS[kind]):
            fail(function, f"a {_NAME[kind]} or None as {name!r}", type(value).__name__,
                 _ADVICE[kind], TypeError)
        if "_kinds" in self.__dict__ and name in self.__dict__ and name not in self._kinds:
            fail(function, f"a name of a {kind} that is free", f"{name!r}, an attribute already",
                 "Choose another name, or delete the attribute first.")
        self._register(function, kind, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make `param` the parameter `name`; None says that there is none under this name."""
        self._add("register_parameter", PARAMETER, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` part of the module's state that no optimiser changes.

        Args:    name (str): the attribute's name.
                 tensor (Tensor or None): any shape and dtype.
                 persistent (bool): whether it belongs to `state_dict`.
        """
        self._add("register_buffer", BUFFER, name, tensor)
        if not persistent:
            self._not_saved.add(name)

    def add_module(self, name: str, module: "Registry | None") -> None:
        """Make `module` the submodule `name`, as assigning it to an attribute does."""
        self._add("add_module", MODULE, name, module)

    register_module = add_module

    def _own(self, kind: str) -> list[tuple[str, Any]]:
        """(name, value) of this module's own parameters, buffers or modules; None left out."""
        values = self.__dict__
        return [(name, values[name]) for name, own_kind in self._kinds.items()
                if own_kind == kind and values[name] is not None]


_CLASS = {PARAMETER: Parameter, BUFFER: Tensor, MODULE: Registry}
_NAME = {PARAMETER: "Parameter", BUFFER: "Tensor", MODULE: "Module"}
_ADVICE = {
    PARAMETER: "Wrap it in nn.Parameter, or write into .data of the one that is there.",
    BUFFER: "Make a tensor with tinycnn.tensor(...).",
    MODULE: "Pass an instance of a layer, or delete the attribute first.",
}


def _no_init(owner: str, name: str) -> str:
    return (f"{owner}: expected super().__init__() to have run, got the use of {name!r} before it. "
            f"Call super().__init__() first in {owner}.__init__.")
