"""Labelled pictures in one array: what the digit, clothing and object sets have in common."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.checks import require
from ..autograd import wrap
from .collate import default_collate
from .dataset import Dataset, take
from .random import for_each_sample
from .transforms import ToFloat, apply_to_batch


class ImageDataset(Dataset):
    """Pictures in memory, with labels. Item i is (picture after transform, label).

    The transform gets uint8 arrays (C, H, W); without one, pictures become float32 in [0, 1]. A
    batch is one indexing operation and one call of each transform, see `get_batch`; transforms that
    are plain functions are called picture by picture. A picture's memory is channels-last.

    Args:    data (array): (N, H, W) or (N, H, W, C) of uint8.
             targets (array): (N,) labels, 0 to len(classes) - 1.
             classes (sequence of str): the names of the labels.
             transform (callable): from an array (C, H, W) to an array; `ToFloat()` if None.
             target_transform (callable): from the label, an int, to what is wanted instead.
    Raises:  ValueError: if there are not as many labels as pictures, or a label has no class.
    Example: >>> data = ImageDataset(np.zeros((2, 4, 4), np.uint8), [1, 0], ["cat", "dog"])
             >>> data[0][0].shape, data.classes[data[0][1]]
             ((1, 4, 4), 'dog')
    """

    def __init__(self, data: np.ndarray, targets: Sequence[int] | np.ndarray,
                 classes: Sequence[str], transform: Callable | None = None,
                 target_transform: Callable | None = None):
        self.data = np.asarray(data)
        self.targets = np.asarray(targets, np.int64)
        self.classes = list(classes)
        self.transform, self.target_transform = transform, target_transform
        name = type(self).__name__
        require(self.data.ndim in (3, 4), name, "pictures (N, H, W) or (N, H, W, C)",
                str(self.data.shape), "Stack them into one array.")
        require(self.targets.shape == self.data.shape[:1], name, f"{len(self.data)} labels",
                str(self.targets.shape), "Pass one label per picture.")
        low, high = (self.targets.min(), self.targets.max()) if len(self.targets) else (0, 0)
        require(low >= 0 and high < len(self.classes), name,
                f"labels from 0 to {len(self.classes) - 1}", f"{low} to {high}",
                "Pass one class name per label.")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Class name to label."""
        return {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture = _channels_first(self.data[index][None])[0]
        picture = (self.transform or _to_float)(picture)
        target = int(self.targets[index])
        return (wrap(picture) if isinstance(picture, np.ndarray) else picture,
                self.target_transform(target) if self.target_transform else target)

    def get_batch(self, indices: Sequence[int]) -> tuple[Any, Any]:
        """The pictures and labels at `indices` as one batch.

        Args:    indices (sequence of int): N of them.
        Returns: (Tensor (N, C, H, W), Tensor (N,) of int64), without transforms that change this.
        """
        pictures = _channels_first(take(self.data, indices))
        pictures = apply_to_batch(self.transform or _to_float, pictures)
        targets = self.targets[np.asarray(indices, np.int64)]
        if self.target_transform:
            targets = default_collate(for_each_sample(self.target_transform, targets.tolist()))
        return tuple(wrap(x) if isinstance(x, np.ndarray) else x for x in (pictures, targets))

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.data.shape[1:]))
        return f"{type(self).__name__}({len(self)} pictures of {size}, {len(self.classes)} classes)"


_to_float = ToFloat()


def _channels_first(pictures):
    """(N, H, W) or (N, H, W, C) as a view (N, C, H, W)."""
    return pictures[:, None] if pictures.ndim == 3 else pictures.transpose(0, 3, 1, 2)
