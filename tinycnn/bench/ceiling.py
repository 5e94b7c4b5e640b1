"""The roofline: what a machine can do at best, measured, and what that allows for a given work.

    GFLOP/s
       |            ____________  peak: the fastest matrix product
       |          /
       |        /                 bandwidth * intensity: the fastest copy
       |      /
       +------------------------  intensity, FLOP/B (both axes logarithmic)

Work that needs few bytes for its arithmetic is bound by the peak, other work by the bandwidth. The
fewest seconds that some work can take are the larger of FLOP / peak and bytes / bandwidth, and a
kernel's percentage is that time divided by its own.

Source: Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model".
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

import tinycnn

from .timer import race

COPIES = (512 << 10, 4 << 20, 64 << 20)  # bytes: second-level cache, third-level cache, memory
PRODUCTS = (256, 384, 512)  # matrices of this size fit the second- or third-level cache


@dataclass(frozen=True)
class Work:
    """What one call has to do at least.

    Args:    flop (float): multiplications, additions and comparisons of the formula.
             bytes (float): that are read or written if nothing stays in a cache between passes.
    """

    flop: float
    bytes: float

    @property
    def intensity(self) -> float:
        """FLOP for each byte."""
        return self.flop / self.bytes


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

    def limits(self, work: Work) -> dict[str, float]:
        """Seconds that the arithmetic and the bytes take at least."""
        return {"compute": work.flop / self.gflops / 1e9,
                "bandwidth": work.bytes / self.gbs(work.bytes) / 1e9}

    def bound(self, work: Work) -> str:
        """The limit that counts: "compute" or "bandwidth"."""
        limits = self.limits(work)
        return max(limits, key=lambda name: limits[name])

    def reached(self, work: Work, seconds: float) -> float:
        """The part of the ceiling that a call reaches: 1.0 is as fast as this machine can be."""
        return max(self.limits(work).values()) / seconds

    def __str__(self):
        copies = ", ".join(f"{size(n)} {speed:.0f} GB/s" for n, speed in self.copies.items())
        return f"{self.gflops:.0f} GFLOP/s ({self.product}, float32); copy, read + write: {copies}"


def size(count: int) -> str:
    """512 KB, 4 MB."""
    return f"{count >> 10} KB" if count < 1 << 20 else f"{count >> 20} MB"


def _product(library, array):
    a = library.from_numpy(array)
    return lambda: library.matmul(a, a)


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
