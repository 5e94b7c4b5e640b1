"""Where data files are: given folder, $TINYCNN_DATA, user's cache; and whether they are whole."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


class DatasetNotFound(FileNotFoundError):
    """A data set is in none of the folders, and could not be downloaded."""


def cache_folder() -> Path:
    """The user's cache folder of tinycnn, by the rules of the operating system.

    Returns: Path; it need not exist.
    Example: >>> cache_folder().parts[-1].lower() in ("tinycnn", "cache")
             True
    """
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(local) / "tinycnn" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tinycnn"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinycnn"


def search_folders(root: str | os.PathLike | None) -> list[Path]:
    """Where data is looked for, in this order: `root`, $TINYCNN_DATA, the user's cache.

    Raises:  ValueError: if root is a file.
    """
    if root is not None and Path(root).is_file():
        raise ValueError(f"root: expected a folder, got the file {root}. Pass the folder it is in.")
    given = [root, os.environ.get("TINYCNN_DATA"), cache_folder()]
    return list(dict.fromkeys(Path(folder).expanduser() for folder in given if folder))


def find(folders: Sequence[Path], inside: Sequence[str], names: Sequence[str]) -> Path | None:
    """The first file that exists among folders x sub-folders x names; None if none does.

    Raises:  ValueError: if there is a folder in its place.
    """
    for path in (folder / sub / name for folder in folders for sub in inside for name in names):
        if os.path.isdir(path):
            raise ValueError(f"find: expected a file, got the folder {path}. Move it away.")
        if os.path.exists(path):
            return path
    return None


def obtain(
    dataset: str,
    names: Sequence[str],
    root: str | os.PathLike | None,
    inside: Sequence[str],
    mirrors: Sequence[str],
    checksum: str | None,
    may_download: bool,
) -> Path:
    """The path of a data file, found in a folder or else downloaded.

    Args:    dataset (str): the data set's name, for messages.
             names (sequence of str): the file's possible names; the first is that on the mirrors.
             root (path or None): searched first, and where a download goes; else the user's cache.
             inside (sequence of str): sub-folders to look in; a download goes into the first.
             mirrors, checksum: as in `download`.
             may_download (bool): False looks in folders only.
    Raises:  DatasetNotFound: if it is nowhere to be had; says where it was looked for, what was
               tried and what can be done.
    """
    folders = search_folders(root)
    path = find(folders, inside, names)
    if path is not None:
        return path
    home = folders[0] if root is not None else cache_folder()
    why = "downloading was not allowed (download=False)"
    if may_download:
        from .download import download

        try:
            return download(names[0], mirrors, home / inside[0], checksum)
        except DatasetNotFound as error:
            why = f"could not be downloaded ({error})"
    raise DatasetNotFound(
        f"{dataset}: {names[0]} is in none of the folders {', '.join(map(str, folders))}, and "
        f"{why}. Check the network, or put the file into one of these folders, or set TINYCNN_DATA "
        f"to the folder that holds it. tinycnn.data.SyntheticDigits needs no files."
    )


def read_verified(path: Path, checksum: str | None) -> bytes:
    """The bytes of a file whose checksum is right.

    Args:    path (Path): the file.
             checksum (str): "md5:...", "sha1:..." or "sha256:..."; None if it is not known.
    Raises:  ValueError: if it is another.
    """
    content = path.read_bytes()
    if checksum is not None:
        found = digest(checksum, [content])
        if found != checksum:
            raise damaged(path, f"a file with {checksum}", found, None)
    return content


def damaged(path: Path, expected: str, got: str, checksum: str | None) -> ValueError:
    """The error for a file that is not what it should be."""
    known = f" (of a file with {checksum})" if checksum else ""
    return ValueError(
        f"{path}: expected {expected}{known}, got {got}. The file is damaged, or belongs to "
        f"another data set: delete or move it, and it is looked for elsewhere."
    )


def digest(checksum: str, chunks: Iterable[bytes]) -> str:
    """The checksum of chunks of bytes, by the algorithm that `checksum` names.

    Example: >>> digest("md5:?", [b"a", b"bc"])
             'md5:900150983cd24fb0d6963f7d28e17f72'
    """
    import hashlib  # here, as everything that only files and mirrors need: the import stays quick

    algorithm = checksum.partition(":")[0]
    state = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in chunks:
        state.update(chunk)
    return f"{algorithm}:{state.hexdigest()}"
