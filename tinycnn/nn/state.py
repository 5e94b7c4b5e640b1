"""The state of a module: every parameter and saved buffer under its dotted name, and back."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from .._core import to_device
from .._core.checks import fail, shape_text
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


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
    problems = list(wrong)
    if strict and missing:
        problems.append(f"missing {', '.join(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected {', '.join(map(str, unexpected))}")
    if problems:
        advice = "Build the network as it was when it was saved" + (
            "." if wrong else ", or pass strict=False to load what fits.")
        fail(owner, "every name with its shape", "; ".join(problems), f"Nothing was loaded. "
             f"{advice}")
    for target, array in values:
        target.data[...] = to_device(array, target.device)
    return IncompatibleKeys(missing, unexpected)


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
