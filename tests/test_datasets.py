"""MNIST and its kin: real files where there are any, small fake ones for everything else."""

import gzip
import hashlib
import io
import lzma
import os
import struct
import tarfile

import numpy as np
import pytest

from tinycnn.data import CIFAR10, MNIST, DataLoader, DatasetNotFound, FashionMNIST
from tinycnn.data.mnist import read_idx

REAL = os.environ.get("TINYCNN_DATA", "")


def real(folder):
    return pytest.mark.skipif(
        not os.path.isdir(os.path.join(REAL, folder)),
        reason=f"no folder {folder} in $TINYCNN_DATA ({REAL or 'not set'})",
    )


@pytest.fixture(autouse=True)
def _nothing_else_to_find(monkeypatch, tmp_path_factory):
    """Tests see the folders they name: no cache, no environment, no network."""
    empty = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("TINYCNN_DATA", raising=False)
    monkeypatch.setattr("tinycnn.data.files.cache_folder", lambda: empty)


# --- the real sets


TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize(
    ("kind", "counts", "mean", "std"),
    [
        pytest.param(MNIST, (TRAIN_COUNTS, TEST_COUNTS), 0.1307, 0.3081, marks=real("mnist")),
        pytest.param(FashionMNIST, ([6000] * 10, [1000] * 10), 0.2860, 0.3530,
                     marks=real("fashion_mnist")),
    ],
)
def test_real_digits_and_clothes(kind, counts, mean, std):
    for train, expected in zip((True, False), counts):
        data = kind(REAL, train=train, download=False)
        assert data.data.shape == (sum(expected), 28, 28)
        assert np.bincount(data.targets).tolist() == expected
        if train:
            levels = data.data / 255.0
            assert round(levels.mean(), 4) == mean
            assert round(levels.std(), 4) == std
    image, label = data[0]
    assert (image.shape, image.dtype) == ((1, 28, 28), np.float32)
    assert data.classes[label] == {MNIST: "7", FashionMNIST: "Ankle boot"}[kind]


@pytest.mark.skipif(not os.path.isdir(os.path.join(REAL, "cifar10_subset")),
                    reason=f"no folder cifar10_subset in $TINYCNN_DATA ({REAL or 'not set'})")
@pytest.mark.parametrize(
    ("train", "count", "pixels"),
    [(True, 2000, "8815a9ff7e54ab020d2460d6723901797646d8448dbfff9c01185a5ba39a764b"),
     (False, 500, "55214137e83a7b232d3fb574454a172f97a3382f3c5fe739a64c26789193d033")],
)
def test_real_photographs(train, count, pixels):
    data = CIFAR10(REAL, train=train, download=False)
    assert data.data.shape == (10 * count, 32, 32, 3)
    assert np.bincount(data.targets).tolist() == [count] * 10
    assert hashlib.sha256(data.data).hexdigest() == pixels
    assert data[0][0].shape == (3, 32, 32)
    assert (data[0][0].numpy()[2] * 255 == data.data[0, :, :, 2]).all()


@real("mnist")
def test_environment_names_the_folder(monkeypatch):
    monkeypatch.setenv("TINYCNN_DATA", REAL)
    assert len(MNIST(train=False, download=False)) == 10_000


# --- fake files


def idx(array):
    code = {1: 8, 2: 11, 4: 12}[array.itemsize]
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


class Small(MNIST):
    """The form of MNIST, with files that have no published checksum."""

    checksums: dict[str, str] = {}
    mirrors = ()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


def write(folder, images=None, labels=None, part="train", gz=True):
    folder.mkdir(parents=True, exist_ok=True)
    pack, ending = (gzip.compress, ".gz") if gz else (bytes, "")
    images = idx(IMAGES) if images is None else images
    labels = idx(LABELS) if labels is None else labels
    (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(pack(images))
    (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(pack(labels))


@pytest.mark.parametrize("inside", ["", "mnist", "MNIST", "MNIST/raw", "raw"])
@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("train", [True, False])
def test_files_are_found_in_folder_and_sub_folders(tmp_path, inside, gz, train):
    write(tmp_path / inside, part="train" if train else "t10k", gz=gz)
    data = Small(tmp_path, train=train, download=False)
    assert (data.data == IMAGES).all()
    assert data.targets.tolist() == LABELS.tolist()
    assert data.class_to_idx["4"] == 4
    x, y = next(iter(DataLoader(data, 5)))
    assert (x.numpy()[:, 0] == IMAGES.astype(np.float32) / np.float32(255)).all()
    assert y.numpy().tolist() == LABELS.tolist()
    assert repr(data) == "Small(5 pictures of 28 x 28, 10 classes)"


def test_search_order_is_root_environment_cache(tmp_path, monkeypatch):
    places = [tmp_path / name for name in ("root", "environment", "cache")]
    monkeypatch.setenv("TINYCNN_DATA", str(places[1]))
    monkeypatch.setattr("tinycnn.data.files.cache_folder", lambda: places[2])
    for label, place in zip((2, 1, 0), reversed(places)):
        write(place / "mnist", labels=idx(np.full(5, label, np.uint8)))
        assert Small(places[0], download=False).targets[0] == label
    assert Small(download=False).targets[0] == 1


def test_missing_data_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(DatasetNotFound, match="SyntheticDigits needs no files") as caught:
        MNIST(tmp_path / "nowhere", download=False)
    assert isinstance(caught.value, FileNotFoundError)
    for part in ("MNIST: train-images-idx3-ubyte.gz is in none of", str(tmp_path / "nowhere"),
                 "download=False", "TINYCNN_DATA"):
        assert part in str(caught.value)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(DatasetNotFound, match=r"could not be downloaded .there is no mirror"):
        Small(tmp_path / "nowhere")


def test_root_must_be_a_folder_and_files_files(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"root: expected a folder, got the file"):
        Small(file)
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"expected a file, got the folder .*train-images"):
        Small(tmp_path)


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGED = {  # what became of the image file, and what the error says
    "empty": (b"", "an idx file, got one that begins with b''"),
    "no idx": (b"<html>not found</html>", "an idx file, got one that begins with b'<htm'"),
    "no header": (idx(IMAGES)[:9], "an idx header of 16 bytes, got 9 bytes"),
    "cut off": (idx(IMAGES)[:-1], r"3936 bytes for the shape \(5, 28, 28\), got 3935"),
    "too long": (idx(IMAGES) + b"x", "3936 bytes .* got 3937"),
    "huge sizes": (b"\0\0\x08\x03" + b"\xff" * 12, r"for the shape \(4294967295, "),
    "labels": (idx(LABELS), r"uint8 with 3 axes, got uint8 \(5,\)"),
    "wide numbers": (idx(IMAGES.astype(np.int32)), "uint8 with 3 axes, got int32"),
    "another number of images": (idx(IMAGES[:4]), "4 labels, as there are images in .*, got 5"),
    "gzip cut off": (gzip.compress(idx(IMAGES))[:-9], "a whole gzip file"),
    "gzip changed": (flipped(gzip.compress(idx(IMAGES)), 900), "a whole gzip file"),
    "gzip header only": (gzip.compress(b"")[:5], "a whole gzip file"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_are_refused(tmp_path, case):
    content, message = DAMAGED[case]
    write(tmp_path, images=content, gz=False)
    with pytest.raises(ValueError, match=message) as caught:
        Small(tmp_path, download=False)
    assert "train-" in str(caught.value)
    assert "damaged" in str(caught.value)


def test_labels_without_a_class_are_refused(tmp_path):
    write(tmp_path, labels=idx(LABELS + 6))
    with pytest.raises(ValueError, match=r"train-labels.*expected labels below 10, got 11"):
        Small(tmp_path, download=False)


@pytest.mark.parametrize("gz", [True, False])
def test_a_wrong_checksum_names_file_and_expected_checksum(tmp_path, gz):
    write(tmp_path, gz=gz)
    name = "train-images-idx3-ubyte" + (".gz" if gz else "")
    with pytest.raises(ValueError, match=r"expected a file with md5:.*, got md5:") as caught:
        MNIST(tmp_path, download=False)
    assert str(tmp_path / name) in str(caught.value)
    assert MNIST.checksums[name] in str(caught.value)


def test_errors_inside_a_file_name_its_checksum_if_it_is_known(tmp_path):
    write(tmp_path, images=b"nothing")
    path = tmp_path / "train-images-idx3-ubyte.gz"
    md5 = "md5:" + hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    with pytest.raises(ValueError, match=f"expected an idx file .of a file with {md5}"):
        read_idx(path, md5)


@pytest.mark.parametrize(
    ("code", "array"),
    [(8, np.array([[0, 255]], np.uint8)), (9, np.array([-1, 2], np.int8)),
     (11, np.array([-300, 2], np.int16)), (12, np.array([1 << 20], np.int32)),
     (13, np.array([0.5, -2], np.float32)), (14, np.array([0.1], np.float64)),
     (8, np.zeros((0, 28, 28), np.uint8)), (8, np.array(7, np.uint8))],
)
def test_idx_of_every_type(tmp_path, code, array):
    path = tmp_path / "numbers.idx"
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    numbers = array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(bytes([0, 0, code, array.ndim]) + sizes + numbers)
    found = read_idx(path)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert (found == array).all()


# --- CIFAR-10: three forms of the same small set


class SmallCifar(CIFAR10):
    checksums: dict[str, str] = {}
    mirrors = ()


RNG = np.random.default_rng(0)
PHOTOS = RNG.integers(0, 256, (10, 32, 32, 3), np.uint8)
KINDS = np.arange(10, dtype=np.uint8)


def records(photos, kinds):
    planes = photos.transpose(0, 3, 1, 2).reshape(len(photos), -1)
    return np.concatenate([kinds[:, None], planes], axis=1).tobytes()


def cifar_files():
    files = {f"data_batch_{i + 1}.bin": records(PHOTOS[2 * i : 2 * i + 2], KINDS[2 * i : 2 * i + 2])
             for i in range(5)}
    return {**files, "test_batch.bin": records(PHOTOS[::-1], KINDS[::-1])}


def tar_of(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def write_cifar(folder, form):
    folder.mkdir(parents=True, exist_ok=True)
    if form == "archive":
        (folder / "cifar-10-binary.tar.gz").write_bytes(tar_of(cifar_files()))
    elif form == "unpacked":
        (folder / "cifar-10-batches-bin").mkdir()
        for name, content in cifar_files().items():
            (folder / "cifar-10-batches-bin" / name).write_bytes(content)
    else:
        (folder / "cifar10_subset").mkdir()
        for part, step in (("train", 1), ("test", -1)):
            path = folder / "cifar10_subset" / f"{part}_images.npy.xz"
            path.write_bytes(lzma.compress(npy(PHOTOS[::step])))
            path.with_name(f"{part}_labels.npy").write_bytes(npy(KINDS[::step]))


@pytest.mark.parametrize("form", ["archive", "unpacked", "subset"])
@pytest.mark.parametrize("inside", ["", "cifar10"])
def test_cifar_in_every_form(tmp_path, form, inside):
    if form == "subset" and inside:
        inside = ""
    write_cifar(tmp_path / inside, form)
    for train, step in ((True, 1), (False, -1)):
        data = SmallCifar(tmp_path, train=train, download=False)
        assert (data.data == PHOTOS[::step]).all()
        assert data.targets.tolist() == KINDS[::step].tolist()
        assert data[3][0].shape == (3, 32, 32)
        x, _ = next(iter(DataLoader(data, 10)))
        assert (x.numpy() * 255 == PHOTOS[::step].transpose(0, 3, 1, 2)).all()


def test_the_full_set_goes_before_the_subset(tmp_path):
    write_cifar(tmp_path, "subset")
    write_cifar(tmp_path / "cifar10", "archive")
    (tmp_path / "cifar10_subset" / "train_labels.npy").write_bytes(b"never read")
    assert len(SmallCifar(tmp_path, download=False)) == 10


def test_missing_cifar(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(b"one batch of five is no data set")
    with pytest.raises(DatasetNotFound, match=r"CIFAR10: cifar-10-binary\.tar\.gz is in none"):
        CIFAR10(tmp_path, download=False)


WITHOUT = {k: v for k, v in cifar_files().items() if k != "data_batch_3.bin"}
DAMAGED_CIFAR = {
    "archive cut off": ("cifar-10-binary.tar.gz", tar_of(cifar_files())[:-3000], "a whole .tar.gz"),
    "no archive": ("cifar-10-binary.tar.gz", b"<html>", "a whole .tar.gz file"),
    "archive without a batch": ("cifar-10-binary.tar.gz", tar_of(WITHOUT), r"data_batch_3\.bin in"),
    "batch cut off": ("cifar-10-batches-bin/data_batch_2.bin", b"\0" * 3072, "records of 3073 byt"),
    "batch empty": ("cifar-10-batches-bin/data_batch_2.bin", b"", "records of 3073 bytes, got 0"),
    "label too large": ("cifar-10-batches-bin/data_batch_4.bin", b"\x0a" * 3073, "below 10, got"),
    "xz cut off": ("cifar10_subset/train_images.npy.xz", lzma.compress(npy(PHOTOS))[:-20],
                   "a whole .npy file"),
    "npy cut off": ("cifar10_subset/train_images.npy.xz", lzma.compress(npy(PHOTOS)[:-20]),
                    "a whole .npy file"),
    "a pickle": ("cifar10_subset/train_labels.npy", npy(np.array([print])), "a whole .npy file"),
    "too few labels": ("cifar10_subset/train_labels.npy", npy(KINDS[:4]), "10 labels"),
    "floating-point": ("cifar10_subset/train_images.npy.xz", lzma.compress(npy(PHOTOS / 255)),
                       r"uint8 \(N, H, W, C\), got float64"),
    "subset label": ("cifar10_subset/train_labels.npy", npy(KINDS + 1), "labels below 10, got 10"),
}


@pytest.mark.parametrize("case", DAMAGED_CIFAR)
def test_damaged_cifar_is_refused(tmp_path, case):
    name, content, message = DAMAGED_CIFAR[case]
    form = {"cifar-10-binary.tar.gz": "archive", "cifar-10-batches-bin": "unpacked"}
    write_cifar(tmp_path, form.get(name.partition("/")[0], "subset"))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        SmallCifar(tmp_path, download=False)
    assert name.rpartition("/")[2] in str(caught.value)


@pytest.mark.parametrize("form", ["archive", "unpacked", "subset"])
def test_cifar_checksums_are_verified(tmp_path, form):
    write_cifar(tmp_path, form)
    with pytest.raises(ValueError, match=r"expected a file with (md5|sha1|sha256):\w+, got \w+:"):
        CIFAR10(tmp_path, download=False)
