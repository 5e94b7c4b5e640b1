"""What a data set is: samples behind an index, and whole batches where that is cheaper."""

import bisect
import numbers
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from .._core.checks import fail, require
from .._core.dtypes import to_array
from ..autograd import wrap
from ..tensor import Tensor
from . import random
from .collate import default_collate


class Dataset:
    """Samples behind an index. Subclass it and write `__getitem__(index)` and `__len__()`.

    Two methods may be added for speed. `__getitems__(indices)` returns a list of samples, as in
    PyTorch. `get_batch(indices)` returns what `default_collate` would make of these samples; a set
    whose data lies in one array makes a batch by one indexing operation, and a DataLoader asks for
    nothing else. A subclass that writes a new `__getitem__` is asked for samples again.

    Example: >>> class Squares(Dataset):
             ...     def __len__(self):
             ...         return 5
             ...     def __getitem__(self, index):
             ...         return index * index
             >>> Squares().get_batch([1, 2, 3]).numpy().tolist()
             [1, 4, 9]
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__getitem__" in cls.__dict__ and "get_batch" not in cls.__dict__:
            cls.get_batch = Dataset.get_batch  # an inherited fast path would bypass the new method

    def __getitem__(self, index: int) -> Any:
        fail(type(self).__name__, "a __getitem__ method", "none",
             "Write __getitem__(self, index) that returns one sample.", TypeError)

    def __add__(self, other: "Dataset") -> "ConcatDataset":
        return ConcatDataset([self, other])

    def get_batch(self, indices: Sequence[int]) -> Any:
        """The samples at `indices` as one batch.

        Args:    indices (sequence of int): N of them.
        Returns: what `default_collate` makes of the samples: Tensors with a first axis of N.
        """
        return default_collate(get_samples(self, indices))


def get_samples(dataset: Any, indices: Sequence[int]) -> list:
    """The samples at `indices`, by `dataset.__getitems__` where there is one."""
    if hasattr(dataset, "__getitems__"):
        return dataset.__getitems__(list(indices))
    return random.for_each_sample(dataset.__getitem__, indices)


def get_batch(dataset: Any, indices: Sequence[int]) -> Any:
    """A collated batch of any indexable object, the fast way if it is a Dataset that has one."""
    if isinstance(dataset, Dataset):
        return dataset.get_batch(indices)
    return default_collate(get_samples(dataset, indices))


def take(array: np.ndarray, indices: Sequence[int]) -> np.ndarray:
    """array[indices] along the first axis, with the memory order of the other axes kept.

    NumPy's own indexing of a channels-last view copies element by element; rows that are put in
    their memory order first are copied whole.
    """
    index = np.asarray(indices, np.int64)
    axes = (0, *sorted(range(1, array.ndim), key=lambda a: -abs(array.strides[a])))
    back = np.argsort(axes)
    return array.transpose(axes).take(index, axis=0).transpose(back)


class TensorDataset(Dataset):
    """Samples are the rows of tensors: item i is (tensors[0][i], tensors[1][i], ...).

    Args:    tensors (Tensor or array): (N, ...) each, all with the same N.
    Raises:  ValueError: if there are none, one has no axis, or sizes differ.
             TypeError: if one is neither tensor nor array.
             IndexError: if an index is out of range.
    Example: >>> import tinycnn
             >>> data = TensorDataset(tinycnn.tensor([[1.0], [2.0]]), tinycnn.tensor([0, 1]))
             >>> len(data), data[1][1].item()
             (2, 1)
    """

    def __init__(self, *tensors: Any):
        for t in tensors:
            require(hasattr(t, "shape"), "TensorDataset", "tensors or arrays", type(t).__name__,
                    "Make one with tinycnn.tensor(...).", TypeError)
        shapes = [tuple(t.shape) for t in tensors]
        require(tensors and all(shapes) and len({s[0] for s in shapes}) == 1, "TensorDataset",
                "tensors with one size of the first axis", ", ".join(map(str, shapes)) or "none",
                "Pass for example (images, labels) with as many images as labels.")
        self.tensors = tuple(
            t if isinstance(t, Tensor) else wrap(to_array("TensorDataset", t, copy=False))
            for t in tensors
        )

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: Any) -> tuple:
        try:
            return tuple(wrap(np.asarray(t.data[index])) for t in self.tensors)
        except IndexError:
            fail("TensorDataset", f"an index of {len(self)} samples", repr(index),
                 "Count from 0, or from the end with -1.", IndexError)

    def get_batch(self, indices: Sequence[int]) -> tuple:
        return tuple(wrap(take(t.data, indices)) for t in self.tensors)


class Subset(Dataset):
    """The part of a data set at the given indices.

    Args:    dataset (Dataset): or anything with `__getitem__`.
             indices (sequence of int): which samples, in this order.
    Example: >>> Subset(["a", "b", "c"], [2, 0])[0]
             'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset = dataset
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def __getitems__(self, indices: Sequence[int]) -> list:
        return get_samples(self.dataset, [int(self.indices[i]) for i in indices])

    def get_batch(self, indices: Sequence[int]) -> Any:
        return get_batch(self.dataset, [int(self.indices[i]) for i in indices])


class ConcatDataset(Dataset):
    """Several data sets, one behind the other.

    Args:    datasets (iterable of Dataset): at least one, each with a length.
    Raises:  ValueError: if there are none.
             IndexError: if an index is out of range.
    Example: >>> both = ConcatDataset([["a", "b"], ["c"]])
             >>> len(both), both[2], both[-3]
             (3, 'c', 'a')
    """

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)
        require(self.datasets, "ConcatDataset", "at least one data set", "none", "Pass a list.")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def _locate(self, index):
        """(which data set, index in it)."""
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"ConcatDataset: expected an index below {len(self)}, got {index}.")
        which = bisect.bisect_right(self.cumulative_sizes, position)
        return which, position - ([0, *self.cumulative_sizes][which])

    def __getitem__(self, index: int) -> Any:
        which, position = self._locate(index)
        return self.datasets[which][position]

    def get_batch(self, indices: Sequence[int]) -> Any:
        places = [self._locate(index) for index in indices]
        parts = {which for which, _ in places}
        if len(parts) == 1:  # no border inside the batch: the part's own fast path
            return get_batch(self.datasets[parts.pop()], [position for _, position in places])
        return default_collate(get_samples(self, indices))


def random_split(
    dataset: Any,
    lengths: Sequence[int] | Sequence[float],
    generator: "np.random.Generator | None" = None,
) -> list[Subset]:
    """A data set cut at random into parts that do not overlap.

    Args:    dataset (Dataset): N samples.
             lengths (sequence): the parts' sizes, which add up to N; or fractions that add up to 1,
               where what rounding leaves over goes one by one to the first parts.
             generator (numpy.random.Generator): where the order comes from; by default that of
               `tinycnn.manual_seed`.
    Returns: list of Subset, one per length.
    Raises:  ValueError: if the lengths do not add up, or one is negative.
             TypeError: if a length is no number, or the generator is none of NumPy's.
    Example: >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
             [8, 2]
    """
    n = len(dataset)
    require(isinstance(lengths, Iterable), "random_split", "a list of lengths", repr(lengths),
            f"Pass for example [{n - n // 5}, {n // 5}].", TypeError)
    lengths = list(lengths)
    require(all(isinstance(length, numbers.Real) for length in lengths), "random_split",
            "lengths to be numbers", repr(lengths),
            f"Pass for example [{n - n // 5}, {n // 5}].", TypeError)
    if abs(sum(lengths) - 1) < 1e-6 and all(0 <= length <= 1 for length in lengths):
        sizes = [int(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(length) if length % 1 == 0 else -1 for length in lengths]  # NaN, inf: -1
    require(sum(sizes) == n and min(sizes, default=0) >= 0, "random_split",
            f"lengths that add up to {n}, or fractions that add up to 1", repr(lengths),
            f"Pass for example [{n - n // 5}, {n // 5}].")
    order = random.permutation(random.draw_seed(generator, "random_split"), n).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends)]
