"""CIFAR-10: small colour photographs of ten kinds of objects."""

import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .files import damaged, obtain, read_verified, search_folders
from .image_dataset import ImageDataset

_ARCHIVE = "cifar-10-binary.tar.gz"
_RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue plane


class CIFAR10(ImageDataset):
    """50,000 + 10,000 photographs in ten classes, 32 x 32, RGB.

    Item i is (Tensor (3, 32, 32) of float32 after the transform, int label); see `ImageDataset` for
    transforms and batches. Searched for in `root`, $TINYCNN_DATA and the user's cache, each also in
    the sub-folders in `folders`; then downloaded (170 MB) to `root` or the cache. In each folder
    three forms are looked for, the first found is used, and its checksums are verified each time:

        data_batch_1.bin ... test_batch.bin         the binary version, unpacked
        cifar-10-binary.tar.gz                      the binary version, as it comes
        {train,test}_images.npy.xz, *_labels.npy    a subset of 20,000 + 5,000 pictures

    The version for Python is a pickle, which may run any code, and is not read.

    Args:    root, train, transform, target_transform, download: as in `MNIST`; the transform gets
               uint8 (3, 32, 32).
    Raises:  DatasetNotFound: if it is nowhere to be had.
             ValueError: if a file is damaged.
    Example: >>> image, label = CIFAR10("folder")[0]  # doctest: +SKIP
             >>> image.shape  # doctest: +SKIP
             (3, 32, 32)
    Source:  Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """

    mirrors: tuple[str, ...] = (
        "https://www.cs.toronto.edu/~kriz/",
        "https://cave.cs.toronto.edu/kriz/",
    )
    folders: tuple[str, ...] = ("cifar10", "CIFAR10", "cifar-10-batches-bin",
                                "cifar10/cifar-10-batches-bin", "", "cifar10_subset")
    names: tuple[str, ...] = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                              "horse", "ship", "truck")
    checksums: dict[str, str] = {
        _ARCHIVE: "md5:c32a1d4ab5d03f1284b67883e8d87530",
        "data_batch_1.bin": "sha1:aadd24acce27caa71bf4b10992e9e7b2d74c2540",
        "data_batch_2.bin": "sha1:c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
        "data_batch_3.bin": "sha1:1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
        "data_batch_4.bin": "sha1:aab85764eb3584312d3c7f65fd2fd016e36a258e",
        "data_batch_5.bin": "sha1:26e2849e66a845b7f1e4614ae70f4889ae604628",
        "test_batch.bin": "sha1:67eb016db431130d61cd03c7ad570b013799c88c",
        "train_images.npy.xz":
            "sha256:1aa89b969e9044bf987870d13ec4a09d43359243af0c35ef03d38cbdc4d2fae5",
        "train_labels.npy":
            "sha256:edb87823f15af9518ebc10e3e6617c3a72742b4ef9316b0956aa3bf384c49eb2",
        "test_images.npy.xz":
            "sha256:5e77b2e26b6a8bd1efa1651a8b3de9719c384cf83b58d9945da105d90ec28516",
        "test_labels.npy":
            "sha256:52ce48fb83adda9e6a88845a64e3b53f5b8acdd686dfe9cdcfc697746ca6411d",
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
        places = [folder / sub for folder in search_folders(root) for sub in self.folders]
        found = next(filter(None, map(self._load, places)), None)
        if found is None:
            path = obtain("CIFAR10", [_ARCHIVE], root, self.folders, self.mirrors,
                          self.checksums.get(_ARCHIVE), download)
            found = self._load(path.parent)
        pictures, labels = found
        super().__init__(pictures, labels, self.names, transform, target_transform)

    def _load(self, folder):
        """(pictures, labels) in the first form that is in this folder, None if there is none."""
        part = "train" if self.train else "test"
        batches = [f"data_batch_{i}.bin" for i in range(1, 6)] if self.train else ["test_batch.bin"]
        subset = [f"{part}_images.npy.xz", f"{part}_labels.npy"]
        for names, load in ((batches, self._binary), ([_ARCHIVE], self._archive),
                            (subset, self._subset)):
            paths = [folder / name for name in names]
            if all(map(os.path.isfile, paths)):
                return load(paths, batches)
        return None

    def _binary(self, paths, _batches):
        parts = [self._records(p, read_verified(p, self.checksums.get(p.name))) for p in paths]
        return tuple(map(np.concatenate, zip(*parts)))

    def _archive(self, paths, batches):
        import tarfile

        [path] = paths
        checksum = self.checksums.get(_ARCHIVE)
        content = read_verified(path, checksum)
        parts = {}
        try:
            with tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
                for member in archive:
                    name = Path(member.name).name
                    if name in batches and member.isfile():
                        parts[name] = self._records(path, archive.extractfile(member).read())
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise damaged(path, "a whole .tar.gz file", str(error), checksum) from None
        missing = [name for name in batches if name not in parts]
        if missing:
            raise damaged(path, f"{missing[0]} in it", "none", checksum)
        return tuple(map(np.concatenate, zip(*(parts[name] for name in batches))))

    def _records(self, path, content):
        """Pictures (N, 32, 32, 3) and labels (N,) of a file of the binary version."""
        checksum = self.checksums.get(path.name)
        if not content or len(content) % _RECORD:
            raise damaged(path, f"records of {_RECORD} bytes", f"{len(content)} bytes", checksum)
        records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
        pictures = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self._check_labels(path, records[:, 0])
        return np.ascontiguousarray(pictures), records[:, 0]

    def _subset(self, paths, _batches):
        pictures, labels = map(self._array, paths)
        if pictures.ndim != 4 or pictures.dtype != np.uint8:
            raise damaged(paths[0], "uint8 (N, H, W, C)", f"{pictures.dtype} {pictures.shape}",
                          self.checksums.get(paths[0].name))
        if labels.shape != pictures.shape[:1]:
            raise damaged(paths[1], f"{len(pictures)} labels", f"{labels.shape}",
                          self.checksums.get(paths[1].name))
        self._check_labels(paths[1], labels)
        return pictures, labels

    def _array(self, path):
        """The array in an .npy or .npy.xz file."""
        import lzma

        checksum = self.checksums.get(path.name)
        content = read_verified(path, checksum)
        try:
            if path.suffix == ".xz":
                content = lzma.decompress(content)
            return np.load(io.BytesIO(content), allow_pickle=False)
        except (lzma.LZMAError, EOFError, ValueError, OSError) as error:
            raise damaged(path, "a whole .npy file", str(error), checksum) from None

    def _check_labels(self, path, labels):
        if len(labels) and labels.max() >= len(self.names):
            raise damaged(path, f"labels below {len(self.names)}", f"{labels.max()}",
                          self.checksums.get(path.name))
