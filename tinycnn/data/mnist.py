"""MNIST: handwritten digits, and the idx files that it comes in."""

import gzip
import math
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .files import damaged, obtain, read_verified
from .image_dataset import ImageDataset

_IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: str | os.PathLike, checksum: str | None = None) -> np.ndarray:
    """The array in an idx file, plain or gzipped.

    The file is: two zero bytes, one for the type (8 = uint8), one for the number of axes; each
    axis's size as a big-endian 32-bit integer; the numbers, row by row.

    Args:    path (path): the file.
             checksum (str): of the file as it lies there, "md5:..."; None if it is not known.
    Returns: array of the sizes and type that the header states, in the machine's byte order.
    Raises:  ValueError: if the checksum is another, or the file is cut off, too long or not idx.
    Source:  The MNIST database, section "File formats".
    """
    path = Path(path)
    content = read_verified(path, checksum)
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(path, "a whole gzip file", str(error), checksum) from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        raise damaged(path, "an idx file", f"one that begins with {content[:4]!r}", checksum)
    dtype, axes = np.dtype(_IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise damaged(path, f"an idx header of {start} bytes", f"{len(content)} bytes", checksum)
    shape = tuple(np.frombuffer(content, ">u4", axes, 4).tolist())
    size = start + math.prod(shape) * dtype.itemsize
    if len(content) != size:
        raise damaged(path, f"{size} bytes for the shape {shape}", f"{len(content)}", checksum)
    numbers = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return numbers.astype(dtype.newbyteorder("="))


class MNIST(ImageDataset):
    """60,000 + 10,000 handwritten digits, 28 x 28 grey levels; ink is bright.

    Item i is (Tensor (1, 28, 28) of float32 after the transform, int label); see `ImageDataset` for
    transforms and batches. Searched for in `root`, $TINYCNN_DATA and the user's cache, each also in
    the sub-folders mnist, MNIST and MNIST/raw; then downloaded (11 MB) to `root` or the cache.
    Every file's checksum is verified each time.

    A data set of the same form is a subclass with other `mirrors`, `folders`, `checksums`, `names`.

    Args:    root (path): a folder to search first and to download to.
             train (bool): the 60,000 training digits, or the 10,000 test digits.
             transform (callable): from uint8 (1, 28, 28) to an array; `ToFloat()` if None.
             target_transform (callable): from the label to what is wanted instead.
             download (bool): download if it is in no folder.
    Raises:  DatasetNotFound: if it is nowhere to be had.
             ValueError: if a file is damaged.
    Example: >>> image, label = MNIST("folder")[0]  # doctest: +SKIP
             >>> image.shape  # doctest: +SKIP
             (1, 28, 28)
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition".
    """

    mirrors: tuple[str, ...] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    folders: tuple[str, ...] = ("mnist", "MNIST", "MNIST/raw", "raw", "")
    names: tuple[str, ...] = tuple("0123456789")
    checksums: dict[str, str] = {
        "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        "train-images-idx3-ubyte": "md5:6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "md5:a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "md5:2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "md5:27ae3e4e09519cfbb04c329615203637",
    }

    def __init__(
        self,
        root: str | os.PathLike | None = None,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = True,
    ):
        self.train = train
        part = "train" if train else "t10k"
        images, image_path = self._read(f"{part}-images-idx3-ubyte", 3, root, download)
        labels, label_path = self._read(f"{part}-labels-idx1-ubyte", 1, root, download)
        if len(images) != len(labels):
            raise damaged(label_path, f"{len(images)} labels, as there are images in {image_path}",
                          f"{len(labels)}", self.checksums.get(label_path.name))
        if len(labels) and labels.max() >= len(self.names):
            raise damaged(label_path, f"labels below {len(self.names)}", f"{labels.max()}",
                          self.checksums.get(label_path.name))
        super().__init__(images, labels, self.names, transform, target_transform)

    def _read(self, name, axes, root, download):
        """The array in the file `name`, gzipped or not, and where it was."""
        names = [f"{name}.gz", name]
        path = obtain(type(self).__name__, names, root, self.folders, self.mirrors,
                      self.checksums.get(names[0]), download)
        checksum = self.checksums.get(path.name)
        array = read_idx(path, checksum)
        if array.ndim != axes or array.dtype != np.uint8:
            raise damaged(path, f"uint8 with {axes} axes", f"{array.dtype} {array.shape}", checksum)
        return array, path
