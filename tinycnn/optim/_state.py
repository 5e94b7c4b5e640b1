"""What an optimizer remembers for each parameter, and how it is read from a state_dict."""

from collections import defaultdict
from typing import Any

import numpy

from .._core import device_of, kernels_for, to_device
from .._core.checks import fail, shape_text
from ..autograd import Variable, wrap


def filled(like, name, value):
    """New state for a parameter: its shape, dtype and layout; one float32 number for "step"."""
    kernels = kernels_for([like])
    array = kernels.zeros((), numpy.float32) if name == "step" else kernels.empty_like(like)
    array[...] = value
    return wrap(array)


def check_saved(function, saved):
    """Raise unless `saved` is built as a state_dict is."""
    advice = "Pass what optimizer.state_dict() returned."
    _check_type(function, "a dict", saved, dict, advice)
    if not {"state", "param_groups"} <= set(saved):
        fail(function, 'the keys "state" and "param_groups"', f"{list(saved)}", advice)
    _check_type(function, '"state" to be a dict', saved["state"], dict, advice)
    groups = saved["param_groups"]
    _check_type(function, '"param_groups" to be a list', groups, (list, tuple), advice)
    for group in groups:
        _check_type(function, "every group to be a dict", group, dict, advice)
        if "params" not in group:
            fail(function, 'groups with the key "params"', f"{list(group)}", advice)
        _check_type(function, '"params" to be a list', group["params"], (list, tuple), advice)


def _check_type(function, expected, value, types, advice):
    if not isinstance(value, types):
        fail(function, expected, type(value).__name__, advice, TypeError)


def loaded_state(function, parameters, saved, needed):
    """Copies of the saved state as each parameter needs it; `parameters`: number to Tensor."""
    state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
    for number, values in saved.items():
        if number not in parameters:
            fail(function, f"state of parameters numbered {list(parameters)}", repr(number),
                 "Make the optimizer from the same model and groups first.")
        _check_type(function, f"state of parameter {number} to be a dict", values, dict,
                    "Pass what optimizer.state_dict() returned.")
        # None stands for what was not needed yet, as PyTorch's momentum_buffer without momentum.
        values = {name: value for name, value in values.items() if value is not None}
        if values and (missing := [name for name in needed if name not in values]):
            fail(function, f"state of parameter {number} with {', '.join(needed)}",
                 f"none of the name {missing[0]}", "Load what an optimizer of this kind has saved.")
        for name, value in values.items():
            new = filled(parameters[number].data, name, 0.0)
            _load(function, f"{name} of parameter {number}", new.data, value, name == "step")
            state[parameters[number]][name] = new
    return state


def _load(function, what, out, value, counts):
    """out = the numbers of `value`."""
    array = value.data if isinstance(value, Variable) else numpy.asarray(value)
    if array.dtype.kind not in "biuf":
        fail(function, f"{what} to hold numbers", f"{type(value).__name__} {value!r:.50}",
             "Pass what optimizer.state_dict() returned.", TypeError)
    if array.shape != out.shape and not array.size == out.size == 1:
        fail(function, f"{what} to be {shape_text(out.shape)}", shape_text(array.shape),
             "Load into an optimizer of the same model.")
    if counts and not 0 <= array.item() < numpy.inf:
        fail(function, f"{what} to be a count of steps", repr(array.item()),
             "Load what an optimizer of this kind has saved.")
    out[...] = to_device(array.reshape(out.shape), device_of(out))
