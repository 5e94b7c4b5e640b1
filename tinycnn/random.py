"""Random numbers: one seed, two streams.

`generator()` gives host numbers (initial weights, shuffling, randn). `next_offset()` hands out
places in a counter-based stream, from which a kernel makes any number on its own: the mask of a
dropout depends on seed and position, never on threads. A fresh process starts from seed 0.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._core import is_recording
from ._core.checks import fail

if TYPE_CHECKING:
    from numpy.random import Generator

_BITS = (1 << 64) - 1


class _State:
    """The seed, and how far each stream has come."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seed = 0
        self.offset = 0
        self.generator = None  # made when first wanted: numpy.random takes time to import


_state = _State()


def manual_seed(seed: int) -> None:
    """Start both streams of random numbers anew.

    A stream of one's own, PyTorch's `torch.Generator`, is `numpy.random.default_rng(seed)`: pass it
    as `generator=` to a DataLoader, a sampler, random_split or a function of nn.init. The stream
    that is started here is `tinycnn.random.generator()`.

    Args:    seed (int): from -2^63 to 2^64 - 1.
    Raises:  TypeError: if it is no integer.
             ValueError: if it is out of range.
    Example: >>> import tinycnn
             >>> tinycnn.manual_seed(1)
             >>> first = tinycnn.randn(3)
             >>> tinycnn.manual_seed(1)
             >>> bool((tinycnn.randn(3) == first).all())
             True
    """
    if not hasattr(seed, "__index__"):
        fail("manual_seed", "an integer", repr(seed), "Pass for example 0.", TypeError)
    seed = seed.__index__()
    if not -(1 << 63) <= seed <= _BITS:
        fail("manual_seed", "a seed from -2**63 to 2**64 - 1", repr(seed), "Pass for example 0.")
    with _state.lock:
        _state.seed, _state.offset, _state.generator = seed & _BITS, 0, None


def generator() -> Generator:
    """The NumPy generator of initial weights, shuffling, and `randn`.

    Returns: numpy.random.Generator over Philox; the same one until the next `manual_seed`.
    Example: >>> generator().random(3).shape
             (3,)
    """
    if is_recording():
        fail("generator", "a captured step without random numbers from the host", "one that draws",
             "A replay would repeat them: draw before, and pass the Tensor to the step.",
             RuntimeError)
    with _state.lock:
        if _state.generator is None:
            from numpy.random import Generator, Philox

            _state.generator = Generator(Philox(key=_state.seed))
        return _state.generator


def chosen(function: str, given: Any = None) -> Generator:
    """The generator that a user has passed, or for None `generator()`.

    Raises:  TypeError: if it is none of NumPy's.
    Example: >>> chosen("mine") is generator()
             True
    """
    if given is None:
        return generator()
    if not hasattr(given, "integers"):
        fail(function, "generator to be a numpy.random.Generator", repr(given),
             "Pass numpy.random.default_rng(seed), or None for tinycnn.random.generator(), which "
             "tinycnn.manual_seed starts anew.", TypeError)
    return given


def next_offset(count: int) -> tuple[int, int]:
    """Reserve `count` numbers of the counter-based stream.

    Args:    count (int): how many numbers a kernel is going to make.
    Returns: (seed, offset): 64-bit integers; offset is a multiple of 4, as one counter makes 4.
    Example: >>> manual_seed(7)
             >>> next_offset(10), next_offset(1), next_offset(1)
             ((7, 0), (7, 12), (7, 16))
    """
    with _state.lock:
        offset = _state.offset
        _state.offset = (offset + (count + 3) // 4 * 4) & _BITS
        return _state.seed, offset


def rewind(offset: int) -> None:
    """Hand out the counter-based stream again from `offset` on, as if it had not been used since.

    Example: >>> manual_seed(7)
             >>> first = next_offset(10)
             >>> rewind(first[1])
             >>> next_offset(10) == first
             True
    """
    with _state.lock:
        _state.offset = offset


@contextmanager
def fork_rng() -> Iterator[None]:
    """Context manager: afterwards both streams go on as if nothing had been drawn inside.

    PyTorch's `torch.random.fork_rng`.

    Example: >>> manual_seed(7)
             >>> with fork_rng():
             ...     _ = generator().random(), next_offset(10)
             >>> next_offset(1)
             (7, 0)
    """
    with _state.lock:
        seed, offset, kept = _state.seed, _state.offset, _state.generator
        drawn = kept and kept.bit_generator.state
    try:
        yield
    finally:
        with _state.lock:
            _state.seed, _state.offset, _state.generator = seed, offset, kept
            if kept is not None:
                kept.bit_generator.state = drawn
