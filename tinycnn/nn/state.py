"""The state of a module: every parameter and saved buffer under its dotted name, and back."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from .._core import to_device
from .._core.checks import fail, shape_text
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


_SHOWN = 10  # names in a message; a network may have hundreds


class IncompatibleKeys(NamedTuple):
    """The names that `load_state_dict` did not find, and those that it had no use for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (f"IncompatibleKeys(missing_keys={self.missing_keys}, "
                f"unexpected_keys={self.unexpected_keys})")


def entries(module: "Module", prefix: str = "") -> Iterator[tuple[str, Tensor, bool]]:
    """(name, parameter or saved buffer, whether a checkpoint must have it). What is shared comes
    once under every name, so that a checkpoint fits a network that shares nothing, too."""
    for path, owner in module.named_modules(prefix=prefix, remove_duplicate=False):
        for name, value in owner._own("parameter") + owner._own("buffer"):
            if name not in owner._not_saved:
                yield f"{path}.{name}" if path else name, value, name not in owner._may_miss


def load(module: "Module", state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """See Module.load_state_dict."""
    owner = f"load_state_dict of {type(module).__name__}"
    if not isinstance(state, Mapping):
        fail(owner, "a dict of names to tensors", type(state).__name__,
             "Pass what state_dict() or tinycnn.load(path) returned.", TypeError)
    missing, wrong, values = [], [], []
    known = set()
    for name, target, required in entries(module):
        known.add(name)
        if name in state:
            values.append((target, _array(owner, name, state[name])))
            wrong += _misfit(name, *values[-1])
        elif required:
            missing.append(name)
    unexpected = [name for name in state if name not in known]
    problems = [_listed(wrong, "; ")] if wrong else []
    if strict and missing:
        problems.append(f"missing {_listed(missing, ', ')}")
    if strict and unexpected:
        problems.append(f"unexpected {_listed(unexpected, ', ')}")
    if problems:
        fail(owner, "every name with its shape", "; ".join(problems), "Nothing was loaded. "
             + _advice(state, known, bool(wrong)))
    for target, array in values:
        target.data[...] = to_device(array, target.device)
    return IncompatibleKeys(missing, unexpected)


def _listed(names: list[Any], separator: str) -> str:
    """The first of them, and how many there are if this is not all."""
    text = separator.join(map(str, names[:_SHOWN]))
    return text if len(names) <= _SHOWN else f"{text} and {len(names) - _SHOWN} more"


def _advice(state: Mapping[str, Any], known: set[str], wrong: bool) -> str:
    """What to do about names and shapes that do not fit, guessed from how they differ."""
    inner = [name for name, value in state.items() if isinstance(value, Mapping)]
    if inner:
        return f"The values of this dict lie in another one: pass state[{inner[0]!r}]."
    names = [str(name) for name in state]
    for prefix in {name[: -len(end)] for name in names[:1] for end in known if name.endswith(end)}:
        if prefix and all(name.startswith(prefix) and name[len(prefix):] in known
                          for name in names):
            return (f"All names fit behind {prefix!r}: pass {{name.removeprefix({prefix!r}): value "
                    "for name, value in state.items()}.")
    return "Build the network as it was when it was saved" + (
        "." if wrong else ", or pass strict=False to load what fits.")


def _array(owner: str, name: str, value: Any) -> Any:
    """The array behind a value of a state: of a tensor, or of whatever NumPy can read."""
    if isinstance(value, Tensor):
        return value.data
    array = numpy.asarray(value)
    if array.dtype.kind not in "fiub":
        fail(owner, f"a Tensor or array as {name!r}", type(value).__name__,
             "Pass what state_dict() or tinycnn.load(path) returned.", TypeError)
    return array


def _misfit(name: str, target: Tensor, array: Any) -> list[str]:
    if array.shape != target.shape:
        return [f"{name} {shape_text(array.shape)} where {shape_text(target.shape)} belongs"]
    if not numpy.can_cast(array.dtype, target.dtype, "same_kind"):
        return [f"{name} of dtype {array.dtype} where {target.dtype} belongs"]
    return []
