"""Random numbers that depend on a seed and a position, never on threads or on batch sizes.

A counter-based generator is a function: words = philox(seed, index, ...). Whoever asks for the
numbers of sample 7 gets the same ones, in any order, on any thread. Transforms call `uniform`;
inside a DataLoader it uses the epoch's seed and each sample's position in the epoch.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox 4x32-10).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..random import chosen

_WORD = 0xFFFFFFFF
_MULTIPLY = (0xD2511F53, 0xCD9E8D57)
_KEY_STEP = (0x9E3779B9, 0xBB67AE85)


def _rounds(c0, c1, c2, c3, k0, k1):
    """Ten Philox rounds on 32-bit words, held in Python ints or in uint64 arrays alike."""
    for _ in range(10):
        p0, p1 = c0 * _MULTIPLY[0], c2 * _MULTIPLY[1]
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & _WORD, (p0 >> 32) ^ c3 ^ k1, p0 & _WORD
        k0, k1 = (k0 + _KEY_STEP[0]) & _WORD, (k1 + _KEY_STEP[1]) & _WORD
    return c0, c1, c2, c3


def philox(seed: int, index: np.ndarray, count: int, stream: int = 0) -> np.ndarray:
    """`count` random 32-bit words for every index.

    A block of four words has the counter (index low, index high, block, stream); seed is the key.

    Args:    seed (int): taken modulo 2**64.
             index (array): (N,) integers from 0 to 2**63 - 1.
             count (int): words per index.
             stream (int): 0 to 2**32 - 1, for independent numbers under one seed and index.
    Returns: array (N, count) of uint64, each below 2**32.
    Example: >>> [hex(word) for word in philox(0, np.array([0]), 4)[0]]
             ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    index = np.asarray(index, np.int64)
    key = seed & _WORD, seed >> 32 & _WORD
    blocks = -(-count // 4)
    if index.size * blocks == 1:  # one sample at a time: Python ints are faster than tiny arrays
        i = int(index[0])
        words = np.array([_rounds(i & _WORD, i >> 32, 0, stream, *key)], np.uint64)
    else:
        c0 = (index & _WORD).astype(np.uint64)[:, None] + np.zeros(blocks, np.uint64)
        c1 = (index >> 32).astype(np.uint64)[:, None]
        c2 = np.arange(blocks, dtype=np.uint64) + np.zeros_like(c0)
        c3 = np.full_like(c0, stream)
        words = np.stack(_rounds(c0, c1, c2, c3, *key), axis=-1)
    return words.reshape(index.size, 4 * blocks)[:, :count]


def draw_seed(
    generator: "np.random.Generator | None" = None, function: str = "DataLoader"
) -> int:
    """The next seed, 63 bits, from a NumPy generator or from that of `tinycnn.manual_seed`.

    Raises:  TypeError: if it is no generator; the sentence begins with `function`.
    Example: >>> draw_seed(np.random.default_rng(0)) == draw_seed(np.random.default_rng(0))
             True
    """
    return int(chosen(function, generator).integers(1 << 63))


def permutation(seed: int, n: int) -> np.ndarray:
    """The numbers 0 to n - 1 in an order that depends on the seed alone.

    Args:    seed (int): taken modulo 2**64.
             n (int): how many.
    Returns: array (n,) of int64.
    Example: >>> sorted(permutation(1, 5).tolist())
             [0, 1, 2, 3, 4]
    """
    words = philox(seed, np.arange(-(-n // 2)), 4).reshape(-1, 2)[:n]
    return np.argsort(words[:, 0] << 32 | words[:, 1], kind="stable")


class _Samples(threading.local):
    """Whose numbers are drawn on this thread: an epoch's seed, and the samples' positions in it."""

    seed: int | None = None
    positions: np.ndarray = np.arange(0)
    calls = 0


_samples = _Samples()


@contextmanager
def samples(seed: int, positions: np.ndarray) -> Iterator[None]:
    """Inside, `uniform` draws the numbers of the samples at `positions` of the epoch `seed`."""
    before = _samples.seed, _samples.positions, _samples.calls
    _samples.seed, _samples.positions, _samples.calls = seed, positions, 0
    try:
        yield
    finally:
        _samples.seed, _samples.positions, _samples.calls = before


def for_each_sample(function: Callable[[Any], Any], items: Sequence[Any]) -> list:
    """[function(item) for item in items], where the k-th call draws the k-th sample's numbers."""
    seed, positions, calls = _samples.seed, _samples.positions, _samples.calls
    if seed is None or len(positions) != len(items):
        return [function(item) for item in items]
    results = []
    try:
        for k, item in enumerate(items):
            _samples.positions, _samples.calls = positions[k : k + 1], calls
            results.append(function(item))
    finally:
        _samples.positions = positions
    return results


def uniform(n: int, count: int = 1) -> np.ndarray:
    """Uniform random numbers in [0, 1) for the n samples that are being made.

    In a DataLoader they depend on its generator, the epoch, the sample's position in the epoch, and
    how many calls were made for this sample; a batch draws what its samples draw one by one.
    Elsewhere they follow `tinycnn.manual_seed`.

    Args:    n (int): samples at hand: the batch's size, or 1.
             count (int): numbers per sample.
    Returns: array (n, count) of float64.
    Example: >>> uniform(2, 3).shape
             (2, 3)
    """
    if _samples.seed is None:
        seed, positions, call = draw_seed(), np.arange(n), 0
    else:
        seed, positions, call = _samples.seed, _samples.positions, _samples.calls
        _samples.calls += 1
    if len(positions) == n:
        words = philox(seed, positions, count, call)
    else:  # a part of the batch: its numbers hang on the batch's first sample and the call
        first = int(positions[0]) if len(positions) else 0
        words = philox(seed ^ _PART, np.full(1, first), n * count, call).reshape(n, count)
    return words * 2.0**-32


_PART = 0x9E3779B97F4A7C15  # another key than that of whole batches
