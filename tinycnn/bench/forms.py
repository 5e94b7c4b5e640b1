"""The forms in which a GPU computes a case: two of tinycnn, two of PyTorch.

    tinycnn             each call as Python makes it
    tinycnn, captured   the calls recorded by tinycnn.cuda.capture, and replayed
    torch, default      contiguous, eager, cudnn.benchmark off, TF32 as shipped (in convolutions)
    torch, best         channels last, cudnn.benchmark on, TF32 in products of matrices too, the
                        calls recorded in a CUDA graph, and replayed

A form makes contestants (`make`), and gets them ready to be timed (`ready`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

import tinycnn

from .gpu import use_precision
from .libraries import Tinycnn, Torch

WARM_UPS = 3  # calls before one is recorded
ROTATED = 256 << 20  # bytes that calls of a memory-bound case go through: more than any cache
MOST = 64  # copies of the tensors of a case


class Ours:
    """tinycnn as it is.

    Args:    device (str): where it computes.
    """

    name = "tinycnn"

    def __init__(self, device: str):
        self.library: Any = Tinycnn(device)
        self.finish = tinycnn.cuda.synchronize
        self.empty_cache = tinycnn.cuda.empty_cache

    def named(self, way: str):
        """This form, under another name if there is a way to write what it computes."""
        return _named(self, way)

    def make(self, function: Callable):
        """What `function` makes of the library."""
        return function(self.library)

    def ready(self, call: Callable[[], object]) -> Callable[[], object]:
        """The call as it is to be timed, after its first time."""
        call()
        self.finish()
        return call


class OursCaptured(Ours):
    """tinycnn, recorded and replayed."""

    name = "tinycnn, captured"

    def ready(self, call):
        captured = tinycnn.cuda.capture(_nothing(call))
        for _ in range(WARM_UPS):
            captured()
        self.finish()
        return captured


class TorchDefault:
    """PyTorch as it comes.

    Args:    torch (module): PyTorch.
             device (str): where it computes.
             precision (str): "TF32" leaves the settings as shipped, "float32" turns TF32 off.
    """

    name = "torch, default"
    layout, best = "contiguous", False

    def __init__(self, torch, device: str, precision: str):
        self.torch, self.precision = torch, precision
        self.gpu = getattr(torch, device)
        self.library: Any = Torch(self.layout, device)
        self.finish, self.empty_cache = self.gpu.synchronize, self.gpu.empty_cache

    def named(self, way):
        return _named(self, way)

    def make(self, function):
        self._set(self.best)
        return function(self.library)

    def ready(self, call):
        self._set(False)  # what is called later finds these settings
        call()
        self.finish()
        return call

    def _set(self, best):
        self.torch.backends.cudnn.benchmark = best
        self.torch.backends.cudnn.allow_tf32 = self.precision == "TF32"
        use_precision(self.torch, self.precision if best else "float32")


class TorchBest(TorchDefault):
    """PyTorch, recorded and replayed. All of its work is on one stream: backward passes run on that
    of their forward pass, and a graph can be recorded on no other."""

    name = "torch, best"
    layout, best = "channels last", True

    def __init__(self, torch, device, precision):
        super().__init__(torch, device, precision)
        self._stream = self.gpu.Stream()

    def make(self, function):
        with self._settings(), self.gpu.stream(self._stream):
            made = function(self.library)
        self.finish()
        return made

    def ready(self, call):
        graph = self.gpu.CUDAGraph()
        with self._settings():
            with self.gpu.stream(self._stream):
                for _ in range(WARM_UPS):
                    call()
            self.finish()
            with self.gpu.graph(graph, stream=self._stream):
                call()
        graph.replay()
        self.finish()
        return graph.replay

    @contextmanager
    def _settings(self) -> Iterator[None]:
        self._set(True)
        try:
            yield
        finally:
            self._set(False)


def forms(device: str, precision: str, torch=None) -> list:
    """All forms that take part.

    Args:    device (str): of the GPU.
             precision (str): "TF32" or "float32".
             torch (module or None): PyTorch, if it does.
    """
    theirs = [TorchDefault, TorchBest] if torch else []
    return [Ours(device), OursCaptured(device),
            *(form(torch, device, precision) for form in theirs)]


def copies(moved: float) -> int:
    """How many times a case that moves so many bytes needs its tensors, so that a call does not
    find them in the GPU's cache."""
    return max(1, min(MOST, -int(-ROTATED // moved)))


def in_turn(calls: Sequence[Callable[[], object]]) -> Callable[[], object]:
    """One call of several that do the same to other tensors."""
    return calls[0] if len(calls) == 1 else lambda: [call() for call in calls]


def _named(form, way):
    if not way:
        return form
    other = copy(form)
    other.name = f"{form.name}, {way}"
    return other


def _nothing(call):
    """The call without its result: what a recorded step returns would have to be kept."""

    def run():
        call()

    return run
