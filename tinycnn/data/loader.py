"""DataLoader: batches of a data set, in order or shuffled, made ahead by threads."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .._core.checks import fail, require
from ..tensor import Tensor
from . import random
from .collate import convert, default_convert
from .collate import default_collate as default_collate
from .dataset import get_batch, get_samples
from .prefetch import Prefetcher
from .sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Iterable over the batches of a data set; every iteration is one epoch.

    Epochs differ and seeds repeat: the order and the random numbers of transforms come from the
    generator (by default from `tinycnn.manual_seed`), the epoch, and a sample's position in it.
    They do not depend on `num_workers`. Workers are threads: nothing is copied between processes,
    and reading files and much of NumPy do not hold Python's lock.

    Args:    dataset (Dataset): anything with `__getitem__` and `__len__`; see `Dataset` for how a
               set makes whole batches at once.
             batch_size (int): samples a batch; None yields single samples without a batch axis.
             shuffle (bool): a new random order every epoch.
             sampler (iterable of int): the order instead; excludes shuffle.
             batch_sampler (iterable of lists of int): the batches' indices instead; excludes
               batch_size, shuffle, sampler and drop_last.
             num_workers (int): threads that make batches ahead; 0 makes each when it is asked for.
             collate_fn (callable): list of samples to batch; `default_collate` if None.
             pin_memory (bool): put batches into page-locked memory, on the threads that make them:
               `.to("cuda")` copies from there while the CPU goes on. No effect without a GPU.
             drop_last (bool): leave out a last batch that is not full.
             generator (numpy.random.Generator): source of seeds; by default `tinycnn.manual_seed`.
             prefetch_factor (int): batches begun ahead per thread.
             persistent_workers (bool): accepted for scripts written for PyTorch; threads start in
               microseconds.
    Raises:  ValueError: if arguments exclude each other or are out of range.
             TypeError: if the data set has no `__getitem__` or no `__len__`.
    Example: >>> import tinycnn
             >>> from tinycnn.data import TensorDataset
             >>> inputs, labels = tinycnn.tensor([[1.0], [2.0], [3.0]]), tinycnn.tensor([0, 1, 2])
             >>> for x, y in DataLoader(TensorDataset(inputs, labels), batch_size=2):
             ...     print(x.shape, y.numpy().tolist())
             (2, 1) [0, 1]
             (1, 1) [2]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        *,
        generator: "np.random.Generator | None" = None,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ):
        _check(dataset, batch_size, shuffle, sampler, batch_sampler, num_workers, drop_last,
               prefetch_factor)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.generator = generator
        self.pin_memory = pin_memory
        self.persistent_workers = persistent_workers
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle \
                else SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        else:
            batch_size, drop_last = None, False
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.batch_size, self.drop_last = batch_size, drop_last
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn

    def __len__(self) -> int:
        """Batches an epoch (samples, if batch_size is None)."""
        order = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(order)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        seed = random.draw_seed(self.generator)
        depth = self.num_workers * self.prefetch_factor
        return Prefetcher(self._fetch, self._tasks(seed), self.num_workers, depth)

    def _tasks(self, seed):
        """(epoch's seed, position of the first sample in the epoch, indices) of every batch."""
        position = 0
        for indices in self.sampler if self.batch_sampler is None else self.batch_sampler:
            yield seed, position, indices
            position += 1 if self.batch_sampler is None else len(indices)

    def _fetch(self, seed, position, indices):
        batch = self._make(seed, position, indices)
        return convert(batch, Tensor.pin_memory, Tensor) if self.pin_memory else batch

    def _make(self, seed, position, indices):
        if self.batch_sampler is None:
            with random.samples(seed, np.array([position])):
                return self.collate_fn(self.dataset[indices])
        with random.samples(seed, np.arange(position, position + len(indices))):
            if self.collate_fn is default_collate:
                return get_batch(self.dataset, indices)
            return self.collate_fn(get_samples(self.dataset, indices))


def _check(dataset, batch_size, shuffle, sampler, batch_sampler, num_workers, drop_last, prefetch):
    """Raise if the arguments of a DataLoader exclude each other or are out of range."""
    ordered = sampler is not None or batch_sampler is not None  # then the length is not needed
    for method in ["__getitem__"] if ordered else ["__getitem__", "__len__"]:
        if not hasattr(dataset, method):
            fail("DataLoader", f"a data set with {method}", type(dataset).__name__,
                 "Pass a Dataset, or anything with __getitem__ and __len__.", TypeError)
    require(sampler is None or not shuffle, "DataLoader", "sampler or shuffle", "both",
            "A sampler sets the order: leave shuffle out.")
    require(batch_sampler is None or (batch_size == 1 and not shuffle and not drop_last
                                      and sampler is None),
            "DataLoader", "batch_sampler alone",
            f"also batch_size={batch_size}, shuffle={shuffle}, drop_last={drop_last}"
            + (", sampler" if sampler is not None else ""),
            "A batch_sampler makes the batches: leave batch_size, shuffle, sampler, drop_last out.")
    require(batch_size is not None or not drop_last, "DataLoader",
            "no drop_last with batch_size=None", "drop_last=True",
            "Single samples leave none over: leave drop_last out.")
    require(isinstance(num_workers, int) and num_workers >= 0, "DataLoader",
            "num_workers to be an int of at least 0", repr(num_workers), "Pass for example 2.")
    require(prefetch is None or (isinstance(prefetch, int) and prefetch > 0), "DataLoader",
            "prefetch_factor to be an int of at least 1", repr(prefetch), "Leave it out for 2.")
