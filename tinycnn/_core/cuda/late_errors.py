"""Errors that a kernel finds in its data, such as a label out of range: raised late.

The GPU computes behind Python's back. To ask it for what it has found would mean to wait for it in
every step; so a kernel leaves the first thing that is wrong in a word of device memory, and makes
its result NaN. Whoever waits for the GPU anyway calls `check`, which raises and forgets.

    word = place << 32 | what + 2^31      place: row or element; what: 32 bits of what is there

The least word is kept: the first place, whichever thread comes first.
"""

from __future__ import annotations

import numpy

from ..checks import fail
from . import backend
from .kept import upload
from .mode import SIMULATED
from .primitives import Ptr, atomic_min, device, int64

NOTHING = 2**63 - 1
MOST = 2**31 - 1
WORDS = 256  # kinds of errors; further ones share the last word

_memory = None  # the words, on the device
_kinds: dict = {}  # (function, expected, got, advice): its word
_pending = False  # whether a kernel may have left something since the last look
_recorded = False  # whether there are kernels that a replay launches without a word


@device
def leave(word: Ptr[int64], place, what):
    """In a kernel: something is wrong at `place`."""
    clipped = max(int64(-MOST), min(int64(what), int64(MOST)))
    atomic_min(word, 0, (min(int64(place), int64(MOST)) << int64(32)) + clipped + int64(2**31))


def word_for(function, expected, got, advice):
    """Where a kernel that is about to be launched leaves what is wrong: one int64 on the device.

    Args:    function, expected, advice (str): of the sentence, see checks.py.
             got (str): the same, with {place} and {what} for what is found.
    """
    global _memory, _pending, _recorded
    _pending, _recorded = True, _recorded or backend.recording
    kind = function, expected, got, advice
    word = _kinds.get(kind)
    if word is None:
        if _memory is None:
            _memory = upload(numpy.full(WORDS, NOTHING))
        number = min(len(_kinds), WORDS - 1)
        word = _kinds[kind] = _memory[number : number + 1]
    return word


def check_if_simulated():
    """In the simulator, which does not compute ahead, errors come where they are made."""
    if SIMULATED:
        check()


def check():
    """Raise what kernels have found since the last look, if anything; this waits for the GPU.

    Raises:  ValueError: it says that it was found late. It is forgotten then.
    """
    global _pending
    if not (_pending or _recorded) or backend.recording:
        return
    words, _pending = numpy.asarray(_memory.get()), False
    if (words == NOTHING).all():
        return
    _memory.fill(NOTHING)
    number = int((words != NOTHING).argmax())
    function, expected, got, advice = list(_kinds)[number]
    found = int(words[number])
    place, what = found >> 32, (found & 0xFFFFFFFF) - 2**31
    what = f"{what} or beyond" if abs(what) == MOST else what
    fail(function, expected, got.format(place=place, what=what),
         f"{advice} (The GPU computes ahead: this was found when its results were waited for.)")
