"""In which order samples are visited, and how they are grouped into batches."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, islice
from typing import Generic, TypeVar

import numpy as np

from .._core.checks import fail, int_of, require
from . import random

T = TypeVar("T", covariant=True)


class Sampler(Generic[T]):
    """An order of samples. Subclass it and write `__iter__()`; `__len__()` gives a loader a length.

    A loader takes any iterable; the class is there for scripts that write `Sampler[int]`.

    Example: >>> class Backwards(Sampler[int]):
             ...     def __init__(self, data):
             ...         self.data = data
             ...     def __len__(self):
             ...         return len(self.data)
             ...     def __iter__(self):
             ...         return iter(range(len(self.data) - 1, -1, -1))
             >>> list(Backwards("abc"))
             [2, 1, 0]
    """

    def __iter__(self) -> Iterator[T]:
        fail(type(self).__name__, "an __iter__ method", "none",
             "Write __iter__(self) that returns an iterator over indices.", TypeError)


class SequentialSampler(Sampler[int]):
    """The indices 0, 1, ..., N - 1.

    Example: >>> list(SequentialSampler("abc"))
             [0, 1, 2]
    """

    def __init__(self, data_source: Sized):
        self.data_source = data_source

    def __len__(self) -> int:
        return len(self.data_source)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))


class RandomSampler(Sampler[int]):
    """Every index once, in another random order each time; or random indices with replacement.

    Args:    data_source (Dataset): N samples; only its length is used.
             replacement (bool): draw every index from all N.
             num_samples (int): how many indices; N by default. Without replacement, more than N
               go through the set again in a new order.
             generator (numpy.random.Generator): where the orders come from; by default that of
               `tinycnn.manual_seed`.
    Raises:  ValueError: if num_samples is below 1.
    Example: >>> sorted(RandomSampler("abcd"))
             [0, 1, 2, 3]
    """

    def __init__(self, data_source: Sized, replacement: bool = False,
                 num_samples: int | None = None, generator: "np.random.Generator | None" = None):
        require(num_samples is None or num_samples > 0, "RandomSampler",
                "num_samples to be at least 1", num_samples, "Leave it out to visit every sample.")
        self.data_source = data_source
        self.replacement = replacement
        self.generator = generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __len__(self) -> int:
        return self.num_samples if len(self.data_source) else 0

    def __iter__(self) -> Iterator[int]:
        n, wanted = len(self.data_source), len(self)
        seed = random.draw_seed(self.generator, type(self).__name__)
        if self.replacement:
            words = random.philox(seed, np.arange(wanted), 2)
            return iter(((words[:, 0] << 32 | words[:, 1]) % max(n, 1)).tolist())
        rounds = -(-wanted // n) if n else 0
        orders = (random.permutation(seed + r, n).tolist() for r in range(rounds))
        return islice(chain.from_iterable(orders), wanted)


class SubsetRandomSampler(Sampler[int]):
    """The given indices, each once, in another random order each time.

    Args:    indices (sequence of int): which samples.
             generator (numpy.random.Generator): where the orders come from; by default that of
               `tinycnn.manual_seed`.
    Example: >>> sorted(SubsetRandomSampler([7, 2, 5]))
             [2, 5, 7]
    """

    def __init__(self, indices: Sequence[int],
                 generator: "np.random.Generator | None" = None):
        self.indices = indices
        self.generator = generator

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        seed = random.draw_seed(self.generator, type(self).__name__)
        return (self.indices[i] for i in random.permutation(seed, len(self.indices)).tolist())


class WeightedRandomSampler(Sampler[int]):
    """Random indices, index i with probability weights[i] / sum(weights): for uneven classes.

    Args:    weights (sequence of float): (N,), not negative.
             num_samples (int): how many indices.
             replacement (bool): draw every index from all N.
             generator (numpy.random.Generator): where they come from; by default that of
               `tinycnn.manual_seed`.
    Raises:  ValueError: if a weight is negative or not finite, or all are 0, or without
               replacement fewer than num_samples are above 0.
             TypeError: if num_samples is no int.
    Example: >>> list(WeightedRandomSampler([0.0, 1.0], 3))
             [1, 1, 1]
    """

    def __init__(self, weights: Sequence[float], num_samples: int, replacement: bool = True,
                 generator: "np.random.Generator | None" = None):
        self.weights = np.asarray(weights, np.float64)
        w = self.weights
        require(w.ndim == 1 and np.isfinite(w).all() and (w >= 0).all() and w.any(),
                "WeightedRandomSampler", "a list of finite weights, none below 0, not all 0",
                repr(weights), "Pass one weight per sample.")
        num_samples = int_of("WeightedRandomSampler", "num_samples", num_samples,
                             "Pass how many indices to draw.")
        possible = np.count_nonzero(w)
        require(num_samples > 0 and (replacement or num_samples <= possible),
                "WeightedRandomSampler", "num_samples to be at least 1"
                + ("" if replacement else f" and at most {possible}, the weights above 0"),
                num_samples, "Draw fewer, or with replacement=True.")
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __len__(self) -> int:
        return self.num_samples

    def __iter__(self) -> Iterator[int]:
        seed, n = random.draw_seed(self.generator, type(self).__name__), self.num_samples
        if self.replacement:
            u = random.philox(seed, np.arange(n), 1)[:, 0] * 2.0**-32
            # Relative to the largest weight: the sum is a normal number, which u < 1 makes smaller.
            cumulative = np.cumsum(self.weights / self.weights.max())
            return iter(np.searchsorted(cumulative, u * cumulative[-1], side="right").tolist())
        u = (random.philox(seed, np.arange(len(self.weights)), 1)[:, 0] + 0.5) * 2.0**-32
        with np.errstate(divide="ignore"):  # log(0) = -inf: a weight of 0 comes last
            # the n earliest of exponential clocks of these rates, -log(u) / weight, as logarithms
            order = np.argsort(np.log(-np.log(u)) - np.log(self.weights), kind="stable")
        return iter(order[:n].tolist())


class BatchSampler(Sampler[list[int]]):
    """Groups the indices of a sampler into lists of `batch_size`.

    Args:    sampler (iterable of int): the order.
             batch_size (int): at least 1.
             drop_last (bool): leave out a last batch that is not full.
    Raises:  ValueError: if batch_size is below 1.
    Example: >>> list(BatchSampler(range(5), 2, drop_last=False))
             [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool):
        require(hasattr(batch_size, "__index__") and batch_size > 0,
                "BatchSampler", "batch_size to be an int of at least 1", repr(batch_size),
                "Pass for example batch_size=64.")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch
