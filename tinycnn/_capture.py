"""What tinycnn.cuda.capture makes of a step: runs it twice, records it, replays it."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from . import random
from ._core import is_recording, new_graph
from ._core.checks import fail
from .autograd import is_grad_enabled, wrap
from .config import get_float32_matmul_precision
from .tensor import Tensor

_WARM_UPS = 2


class _Recorded:
    """A step for arguments of certain shapes: its inputs, its results, and its graph."""

    def __init__(self, arguments):
        self.inputs = _map(lambda x: x.to("cuda").clone(), arguments)
        self.graph, self.result = new_graph(), None
        self.calls = 0
        self.consumed = 0  # random numbers of a step


class CapturedStep:
    """See tinycnn.cuda.capture."""

    def __init__(self, step: Callable) -> None:
        if not callable(step):
            fail("capture", "a function", repr(step), "Pass the step itself, without calling it.",
                 TypeError)
        self._step = step
        self._recorded: dict[Any, _Recorded] = {}
        update_wrapper(self, step)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_recording():  # part of a step that is recorded as a whole
            return self._step(*args, **kwargs)
        arguments = args, kwargs
        key = is_grad_enabled(), get_float32_matmul_precision(), _signature(arguments)
        try:
            recorded = self._recorded.get(key)
        except TypeError as error:
            fail("capture", "arguments that are Tensors, numbers, texts, or tuples, lists and dicts"
                 " of them", str(error), "Make Tensors of arrays: tinycnn.tensor(array).",
                 TypeError)
        if recorded is None:
            recorded = self._recorded[key] = _Recorded(arguments)
        _copy(arguments, recorded.inputs)
        recorded.calls += 1
        if recorded.calls <= _WARM_UPS:
            return recorded.graph.warm_up(lambda: self._run(recorded))
        if recorded.result is None:
            self._record(recorded)
        recorded.graph.replay(*random.next_offset(recorded.consumed))
        return recorded.result[0]

    def _record(self, recorded):
        """Record the step; nothing of it runs, and the random numbers are still to come."""
        seed, begin = random.next_offset(0)
        try:
            result = recorded.graph.capture(lambda: self._run(recorded), seed, begin)
            recorded.consumed = random.next_offset(0)[1] - begin
        finally:
            random.rewind(begin)
        recorded.result = (result,)

    def _run(self, recorded):
        args, kwargs = recorded.inputs
        return _map(lambda x: wrap(x.data), self._step(*args, **kwargs))


def _map(function, value):
    """`value` with every Tensor in it replaced."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: _map(function, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_map(function, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def _signature(value):
    """What must agree for a recorded step to serve: shapes, dtypes, and everything else."""
    if isinstance(value, Tensor):
        return value.shape, value.dtype
    if isinstance(value, dict):
        return tuple([(key, _signature(item)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value), *map(_signature, value))
    return type(value), value


def _copy(values, inputs):
    """Put the numbers of Tensors where the recorded step reads them."""
    if isinstance(inputs, Tensor):
        if inputs is not values:
            inputs.data[...] = values.to("cuda").data
    elif isinstance(inputs, dict):
        for key, item in inputs.items():
            _copy(values[key], item)
    elif isinstance(inputs, (list, tuple)):
        for value, item in zip(values, inputs):
            _copy(value, item)
