"""Watching a model at work without a trace: every operation is seen, every change undone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .._core import is_writeable, kernels_for
from ..autograd import Function
from ..nn import Module
from ..random import fork_rng

_one_at_a_time = threading.RLock()


class observing:
    """Inside, `seen(function, args, result)` is called after every operation of this thread.

    Function.apply is replaced for so long: operations need not ask whether somebody is watching,
    and nothing is paid while nobody is. Those of other threads run as ever.
    """

    def __init__(self, seen: Callable[[type, tuple, Any], None]) -> None:
        self._seen = seen

    def __enter__(self) -> None:
        _one_at_a_time.acquire()
        self._apply = usual = Function.__dict__["apply"]
        seen, here = self._seen, threading.get_ident()

        def apply(cls, *args):
            result = usual.__get__(None, cls)(*args)
            if threading.get_ident() == here:
                seen(cls, args, result)
            return result

        Function.apply = classmethod(apply)  # type: ignore[method-assign,assignment]

    def __exit__(self, *_exception: object) -> None:
        Function.apply = self._apply  # type: ignore[method-assign]
        _one_at_a_time.release()


class unchanged:
    """Whatever happens inside, afterwards a model is what it was: attributes, modes, hooks,
    values of buffers, gradients, and the state of the random numbers. Values of parameters are not
    looked after."""

    def __init__(self, model: Module) -> None:
        self._random = fork_rng()
        self._attributes = []
        for module in model.modules():
            values = dict(module.__dict__)
            self._attributes.append((values, module.__dict__))
            for value in values.values():
                if type(value) in (dict, list, set):
                    self._attributes.append((value.copy(), value))
        self._tensors = [(t, t.data, t.grad, t.requires_grad, None) for t in model.parameters()]
        for t in model.buffers():
            copy = kernels_for((t.data,)).copy(t.data)
            self._tensors.append((t, t.data, t.grad, t.requires_grad, copy))

    def __enter__(self) -> None:
        self._random.__enter__()

    def __exit__(self, *exception: Any) -> None:
        for before, now in self._attributes:
            now.clear()
            (now.extend if type(now) is list else now.update)(before)
        for tensor, data, grad, requires_grad, copy in self._tensors:
            tensor.data, tensor.grad, tensor.requires_grad = data, grad, requires_grad
            if copy is not None and is_writeable(data):
                data[...] = copy
        self._random.__exit__(*exception)
