"""The one timer: every number of a benchmark is taken here.

A case has contestants: calls that do the same work in different libraries. They run in one process,
taking turns, so that whatever disturbs the machine disturbs all of them:

    round    tinycnn | PyTorch | PyTorch, channels last
    round    PyTorch, channels last | PyTorch | tinycnn        every second round in reverse
    ...      until the time budget is used

A turn is one untimed call, which brings back caches and threads, and then a timed loop of about a
millisecond (one call, if a call takes longer). What is reported is the median of the turns.

On a GPU, which computes behind Python's back, the clock is the same: it starts when the GPU has
nothing to do, and stops when the GPU has done all calls of the loop. So what Python and launching
cost beyond the GPU's own time counts, in each library. A loop takes about 4 milliseconds there, of
which starting and waiting are a fraction of a percent, and there are at least 30 rounds.
"""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat

import numpy as np

import tinycnn

TURN = 1e-3  # seconds that a timed loop should take at least
LONG = 1e-2  # calls of so many seconds need no untimed call: they warm themselves
LEAST_ROUNDS = 3
GPU_TURN, GPU_LEAST_ROUNDS = 4e-3, 30
LOOK, PATIENT_LOOK = 5e-4, 5e-3  # seconds without work that count as sleep
PATIENT_WARM_UP = 2e-2


@dataclass(frozen=True)
class Timing:
    """Seconds of one call over all rounds."""

    median: float
    best: float
    spread: float  # (third quartile - first quartile) / median: where the middle half lies
    rounds: int

    @classmethod
    def of(cls, turns: list[float]) -> "Timing":
        low, middle, high = np.percentile(turns, (25, 50, 75)).tolist()
        return cls(middle, min(turns), (high - low) / middle, len(turns))


def race(
    contestants: dict[str, Callable[[], object]], seconds: float, rounds: int | None = None,
    patient: bool = False, finish: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, Timing]:
    """Time calls against each other, turn by turn.

    Args:    contestants (dict): name to a call without arguments.
             seconds (float): budget of all of them together; at least 3 rounds are run, on a GPU
                 30.
             rounds (int or None): run exactly so many rounds instead.
             patient (bool): for a contestant whose threads spin for long after a call. A look at
                 idle threads then takes more than a tick of the clock by which systems count a
                 running thread's time; and as threads wake up slowly from so long a sleep, a turn
                 begins with 20 ms of untimed calls.
             finish (dict): on a GPU, name to what waits until it has done all that it was told.
    Returns: dict, name to Timing.
    """
    wait = finish or {}
    turn, least = (GPU_TURN, GPU_LEAST_ROUNDS) if finish else (TURN, LEAST_ROUNDS)
    calls = {name: _warm_up(_finished(call, wait[name]) if finish else call, seconds / 20)
             for name, call in contestants.items()}
    loops = {name: max(1, round(min(turn, seconds / 20) / calls[name])) for name in calls}
    turns: dict[str, list[float]] = {name: [] for name in contestants}
    threaded = tinycnn.get_num_threads() > 1 and not finish
    gc.collect()
    deadline, done = time.perf_counter() + seconds, 0
    while done < (rounds or least) or (not rounds and time.perf_counter() < deadline):
        for name in list(contestants)[:: -1 if done % 2 else 1]:
            call = contestants[name]
            if threaded:
                _wait_for_idle_threads(PATIENT_LOOK if patient else LOOK)
            if threaded and patient:
                _warm_up(call, PATIENT_WARM_UP)
            elif calls[name] < LONG:
                call()
            turns[name].append(_loop(call, loops[name], wait.get(name)))
        done += 1
    return {name: Timing.of(found) for name, found in turns.items()}


def _loop(call, count, finish=None):
    """Seconds of one call, from a loop of `count`."""
    if finish:
        finish()
    start = time.perf_counter()
    for _ in repeat(None, count):
        call()
    if finish:
        finish()
    return (time.perf_counter() - start) / count


def _finished(call, finish):
    """The call, and waiting for what it told the GPU."""

    def run():
        call()
        finish()

    return run


def _warm_up(call, seconds):
    """Call at least twice and for some time; seconds of the fastest call."""
    call()
    deadline, best = time.perf_counter() + seconds, _loop(call, 1)
    while time.perf_counter() < deadline:
        best = min(best, _loop(call, 1))
    return best


def _wait_for_idle_threads(look):
    """Wait until the threads of the last contestant sleep: OpenMP lets them spin for a while, and
    libraries with a pool each would disturb one another.

    Args:    look (float): seconds without work of this process that count as sleep.
    """
    for _ in range(50):
        before = time.process_time()
        time.sleep(look)
        if time.process_time() - before < 0.4 * look:
            return
