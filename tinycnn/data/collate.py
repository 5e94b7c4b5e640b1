"""Samples to batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .._core.checks import fail, shape_text
from .._core.dtypes import to_array
from ..autograd import wrap
from ..tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples of one form as one batch of that form, with a new first axis in every array.

    Numbers, arrays and tensors become a Tensor; tuples, lists, named tuples and mappings are kept,
    with their entries collated; strings and bytes stay a list. Integers become int64 and Python
    floats float32, as in `tinycnn.tensor`; arrays keep their dtype.

    Args:    batch (sequence): N samples.
    Returns: for samples of shape (...), a Tensor (N, ...).
    Raises:  ValueError: if the batch is empty, or shapes, lengths or keys differ.
             TypeError: if samples hold something else; pass your own `collate_fn` then.
    Example: >>> x, labels = default_collate([(np.zeros((1, 4, 4)), 3), (np.ones((1, 4, 4)), 7)])
             >>> x.shape, labels.numpy().tolist()
             ((2, 1, 4, 4), [3, 7])
    """
    if len(batch) == 0:
        fail("default_collate", "at least one sample", "none", "Leave empty batches out.")
    first = batch[0]
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        _same(batch, "keys", lambda s: sorted(map(str, s)))
        return _rebuild(first, {k: default_collate([sample[k] for sample in batch]) for k in first})
    if isinstance(first, (tuple, list)):
        _same(batch, "length", len)
        columns = [default_collate(column) for column in zip(*batch)]
        return type(first)(*columns) if hasattr(first, "_fields") else type(first)(columns)
    if not _numeric(first):
        fail("default_collate", "numbers, arrays, Tensors, strings, tuples or mappings",
             type(first).__name__,
             "Pass collate_fn=, a function from a list of samples to a batch.", TypeError)
    if isinstance(first, (bool, int, float)):
        return wrap(to_array("default_collate", list(batch)))
    return wrap(_stack(batch))


def default_convert(sample: Any) -> Any:
    """One sample with its arrays as Tensors, everything else as it is; no batch axis.

    Example: >>> default_convert((np.zeros(3), "name"))[0].shape
             (3,)
    """
    return convert(sample, lambda x: wrap(to_array("default_convert", x)))


def convert(sample: Any, function: Callable[[Any], Any],
            kinds: Any = (np.ndarray, np.generic)) -> Any:
    """`sample` with `function` applied to everything of these kinds in it, by default to arrays and
    not to Tensors, however deep."""
    if isinstance(sample, Mapping):
        return _rebuild(sample, {k: convert(v, function, kinds) for k, v in sample.items()})
    if isinstance(sample, (tuple, list)):
        entries = [convert(v, function, kinds) for v in sample]
        return type(sample)(*entries) if hasattr(sample, "_fields") else type(sample)(entries)
    return function(sample) if isinstance(sample, kinds) else sample


def as_array(x: Any) -> np.ndarray:
    """The NumPy array behind a Tensor, an array, or anything else that converts to one."""
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def _stack(batch):
    arrays = [as_array(x) for x in batch]
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            fail("default_collate", f"samples of one shape {shape_text(arrays[0].shape)}",
                 f"{shape_text(array.shape)} (sample {i} of the batch)",
                 "Crop or pad them to one size, or pass collate_fn=.")
    return to_array("default_collate", np.stack(arrays), copy=False)


def _same(batch, what, of):
    for i, sample in enumerate(batch):
        if type(sample) is not type(batch[0]) or of(sample) != of(batch[0]):
            wanted, got = type(batch[0]).__name__, type(sample).__name__
            if wanted == got:
                wanted, got = f"{wanted} of {what} {of(batch[0])}", f"{got} of {what} {of(sample)}"
            fail("default_collate", f"samples of one form, {wanted}",
                 f"{got} (sample {i} of the batch)",
                 "Return the same form for every index, or pass collate_fn=.")


def _rebuild(mapping, entries):
    """A mapping of the same type; a plain dict where that type has another constructor."""
    try:
        return type(mapping)(entries)
    except TypeError:
        return entries


def _numeric(x):
    return isinstance(x, (bool, int, float, Tensor)) or hasattr(x, "__array__")
