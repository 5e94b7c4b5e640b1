"""The one timer: every number in benchmarks/ is taken here.

A case has contestants: calls that do the same work in different libraries. They run in one process,
taking turns, so that whatever disturbs the machine disturbs all of them:

    round    tinycnn | PyTorch | PyTorch, channels last
    round    PyTorch, channels last | PyTorch | tinycnn        every second round in reverse
    ...      until the time budget is used

A turn is one untimed call, which brings back caches and threads, and then a timed loop of about a
millisecond (one call, if a call takes longer). What is reported is the median of the turns.
"""

import gc
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np

import tinycnn

TURN = 1e-3  # seconds that a timed loop should take at least
LONG = 1e-2  # calls of so many seconds need no untimed call: they warm themselves
LEAST_ROUNDS = 3
COPIES = (512 << 10, 4 << 20, 64 << 20)  # bytes: second-level cache, third-level cache, memory
PRODUCTS = (256, 384, 512)  # matrices of this size fit the second- or third-level cache


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
    contestants: dict[str, Callable[[], object]], seconds: float, rounds: int | None = None
) -> dict[str, Timing]:
    """Time calls against each other, turn by turn.

    Args:    contestants (dict): name to a call without arguments.
             seconds (float): budget of all of them together; at least 3 rounds are run.
             rounds (int or None): run exactly so many rounds instead.
    Returns: dict, name to Timing.
    """
    calls = {name: _warm_up(call, seconds / 20) for name, call in contestants.items()}
    loops = {name: max(1, round(min(TURN, seconds / 20) / calls[name])) for name in calls}
    turns: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    deadline, done = time.perf_counter() + seconds, 0
    while done < (rounds or LEAST_ROUNDS) or (not rounds and time.perf_counter() < deadline):
        for name in list(contestants)[:: -1 if done % 2 else 1]:
            call = contestants[name]
            _wait_for_idle_threads()
            if calls[name] < LONG:
                call()
            turns[name].append(_loop(call, loops[name]))
        done += 1
    return {name: Timing.of(found) for name, found in turns.items()}


def _loop(call, count):
    """Seconds of one call, from a loop of `count`."""
    start = time.perf_counter()
    for _ in repeat(None, count):
        call()
    return (time.perf_counter() - start) / count


def _warm_up(call, seconds):
    """Call at least twice and for some time; seconds of the fastest call."""
    call()
    deadline, best = time.perf_counter() + seconds, _loop(call, 1)
    while time.perf_counter() < deadline:
        best = min(best, _loop(call, 1))
    return best


def _wait_for_idle_threads():
    """Wait until the threads of the last contestant sleep: OpenMP lets them spin for a while, and
    two libraries with a pool each would disturb one another."""
    if tinycnn.get_num_threads() == 1:
        return
    for _ in range(50):
        before = time.process_time()
        time.sleep(5e-4)
        if time.process_time() - before < 2e-4:
            return


@dataclass(frozen=True)
class Ceiling:
    """What this machine reaches at best, with so many threads: measured, not looked up."""

    gflops: float
    product: str  # where it was reached
    copies: dict[int, float]  # bytes of the buffer: GB/s, read + write

    @classmethod
    def measure(cls, threads: int, seconds: float, torch=None) -> "Ceiling":
        """The fastest product of two square float32 matrices, and copies of three sizes.

        Args:    threads (int): that share the work.
                 seconds (float): budget of each of them.
                 torch (module or None): its product is tried as well.
        """
        gflops, product = 0.0, ""
        for n in PRODUCTS:
            array = np.random.default_rng(0).standard_normal((n, n), dtype=np.float32)
            contestants = {"tinycnn.matmul": _product(tinycnn, array)}
            if torch is not None:
                contestants["torch.matmul"] = _product(torch, array)
            for name, timing in race(contestants, seconds).items():
                reached = 2e-9 * n**3 / timing.best
                if reached > gflops:
                    gflops, product = reached, f"{name} of {n} x {n}"
        return cls(gflops, product, {size: _copy(size, threads, seconds) for size in COPIES})

    def gbs(self, moved: float) -> float:
        """GB/s of the copy that moves about so many bytes: the nearest in proportion."""
        return self.copies[min(self.copies, key=lambda n: abs(math.log(2 * n / moved)))]

    def __str__(self):
        copies = ", ".join(f"{_size(n)} {speed:.0f} GB/s" for n, speed in self.copies.items())
        return f"{self.gflops:.0f} GFLOP/s ({self.product}, float32); copy, read + write: {copies}"


def _product(library, array):
    a = library.from_numpy(array)
    return lambda: library.matmul(a, a)


def _size(count):
    return f"{count >> 10} KB" if count < 1 << 20 else f"{count >> 20} MB"


def _copy(size, threads, seconds):
    """GB/s of copying `size` bytes, each thread its share. NumPy's copy and its negation move the
    same bytes; which of them is faster depends on the system's memcpy."""
    share = size // threads // 4
    times = max(1, (128 << 20) // size)  # so that starting the threads is no matter
    pairs = [(_shifted(share, times), _shifted(share, times)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        def contestant(move):
            return lambda: list(pool.map(move, *zip(*pairs)))

        found = race({"copy": contestant(lambda x, y: np.copyto(y, x)),
                      "negation": contestant(lambda x, y: np.negative(x, out=y))}, seconds)
    return 8e-9 * share * times * threads / min(timing.best for timing in found.values())


def _shifted(count, times):
    """`times` rows of `count` float32 numbers in the same memory, each one cache line further on:
    NumPy then copies it `times` times in one call, without the interpreter's lock."""
    memory = np.ones(count + 16 * times, np.float32)
    return np.lib.stride_tricks.as_strided(memory, (times, count), (64, 4))
