"""One run of a model, call by call: shapes, products, memory and receptive fields."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from .._core.checks import shape_text
from ..autograd import enable_grad, no_grad, wrap
from ..nn import Module
from ..ops import clone
from ..tensor import Tensor
from .fields import States
from .observe import observing, unchanged
from .seen import at_input

_BIASED = ("Convolution", "TransposedConvolution", "Linear", "LocallyConnected")
_WEIGHTED = (*_BIASED, "MatMul", "RBF")


class Call:
    """One call of a module, and the calls inside it."""

    def __init__(self, module: Module, name: str) -> None:
        self.module = module
        self.name = name
        self.children: list[Call] = []
        self.multiply_adds = 0  # of operations outside of the calls inside
        self.biases = 0  # that these add to their results
        self.shapes: list[tuple[int, ...]] | None = None  # of the results; None: never called
        self.memory = 0  # bytes of results, those counted already left out
        self.state: Any = None  # what the first result sees


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in a module's arguments or result, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(item)


def replaced(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """The same structure with other tensors."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: replaced(item, function) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [replaced(item, function) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def name_of(function: type) -> str:
    """An operation's name if it is tinycnn's, else nothing."""
    return function.__name__ if function.__module__.startswith("tinycnn.") else ""


def products(name: str, args: tuple, result: Tensor, weights: int) -> int:
    """Multiply-adds of one operation: those of convolutions and matrix products.

    Every pixel of a convolution's output takes part in as many as there are `weights`, every pixel
    of a transposed one's input; every number of a matrix product, or of the distances to centres,
    takes as many as a row has.
    """
    if name in ("Convolution", "TransposedConvolution"):
        maps = result if name == "Convolution" else args[0]
        return maps.data.size // max(maps.shape[1], 1) * weights
    if name in ("Linear", "MatMul", "RBF"):
        return result.data.size * args[0].shape[-1]
    if name == "LocallyConnected":
        return args[0].shape[0] * args[1].data.size
    return 0


class Trace:
    """Runs a model once, in evaluation mode, and keeps a tree of `Call`s.

    `forward` of every module is replaced for so long, and what goes by the name of forward_...: a
    hook would miss a layer that is run without being called. Results are recorded as in training,
    so that `x += y` makes a new tensor and not an old one whose field is another; what is recorded
    is dropped at once. A model that changes tensors in place, which is refused then, runs a second
    time without, and without its receptive fields.
    """

    def __init__(self, model: Module, args: tuple, kwargs: dict[str, Any]) -> None:
        self.model = model
        self.names: dict[Module, str] = {m: name for name, m in model.named_modules()}
        self.input_shapes = [x.shape for x in tensors_in((args, kwargs))]
        self.input_bytes = sum(x.data.nbytes for x in tensors_in((args, kwargs)))
        self.axes = States()  # tells what the axes of the input are, also if fields are not known
        if self._fails(args, kwargs, self.axes, enable_grad()):
            error = self._fails(args, kwargs, None, no_grad())
            if error:
                raise RuntimeError(self._what_failed(error)) from error

    def _fails(self, *run):
        """What a run raises, or None."""
        try:
            self._run(*run)
        except Exception as error:
            return error
        return None

    def _what_failed(self, error):
        place = " in ".join([f"{call.name or 'the model'} ({type(call.module).__name__})"
                             for call in reversed(self._failed)])
        shapes = ", ".join(map(shape_text, self.input_shapes))
        return (f"summary: expected a model that runs on an input {shapes}, got "
                f"{type(error).__name__} in {place or 'the model'}: {error} Check input_size: it "
                f"has all axes of the input, the batch included, unless batch_dim says where that "
                f"is to be put in.")

    def _run(self, args, kwargs, states: States | None, mode: AbstractContextManager) -> None:
        self.states = states
        self._top = Call(self.model, "")
        self._stack = [self._top]
        self._failed: list[Call] = []
        self._table: tuple[Any, int] = (None, 0)  # the last dense filter of one, its connections
        self._counted: dict[int, Any] = {}  # arrays whose bytes are counted, by id
        with unchanged(self.model), mode, observing(self._seen):
            for module in self.names:
                module.__dict__["training"] = False
                self._watch(module)
            args, kwargs = replaced((args, kwargs), self._input)
            self.model(*args, **kwargs)
        self.calls = self._top.children

    def _input(self, x):
        """A copy of an input that the model may change, and that is no leaf."""
        leaf = wrap(x.data)
        if x.data.dtype.kind == "f":
            leaf.requires_grad_()
        if self.states is not None and (
            self.states.shape is None or x.shape[2:] == self.states.shape[2:]
        ):
            self.states.shape = x.shape
            self.states.set(leaf, at_input(x.shape))
        x = clone(leaf)
        self._is_new(x)
        return x

    def _watch(self, module):
        for name in dir(type(module)):
            named = name == "forward" or name.startswith("forward_")
            if named and callable(getattr(type(module), name)):
                module.__dict__[name] = self._watched(module, getattr(module, name))

    def _watched(self, module, method):
        def call(*args, **kwargs):
            if self._stack[-1].module is module and len(self._stack) > 1:
                return method(*args, **kwargs)  # forward_relu that calls forward, say
            this = Call(module, self.names[module])
            self._stack[-1].children.append(this)
            self._stack.append(this)
            try:
                output = method(*args, **kwargs)
            except Exception:
                self._failed = self._failed or self._stack[1:]
                raise
            finally:
                self._stack.pop()
            results = list(tensors_in(output))
            this.shapes = [x.shape for x in results]
            this.memory = sum([x.data.nbytes for x in results if self._is_new(x)])
            if results and self.states is not None:
                this.state = self.states.get(results[0])
            return output

        return call

    def _count(self, name, args, result):
        """Products and biases; a filter made by a connection table has weights where the table
        connects."""
        call = self._stack[-1]
        if name == "TableWeight":
            self._table = result, args[0].data.size
        elif name in _WEIGHTED:
            dense, weights = self._table
            weights = weights if args[1] is dense else args[1].data.size
            call.multiply_adds += products(name, args, result, weights)
            if name in _BIASED and args[2] is not None:
                call.biases += result.data.size

    def _is_new(self, x):
        """Whether no result was counted that lies in the same memory; now it is counted."""
        array = x.data
        while getattr(array, "base", None) is not None:
            array = array.base
        place = id(array)
        if place in self._counted:
            return False
        self._counted[place] = weakref.ref(array, lambda _: self._counted.pop(place, None))
        return True

    def _seen(self, function, args, result):
        """Called after every operation."""
        results = result if isinstance(result, tuple) else (result,)
        self._count(name_of(function), args, results[0])
        if self.states is None:
            return
        self.states.follow(function, args, results)
        for x in results:
            if x.creator is not None:
                x.creator.free()  # nothing is going to be differentiated
