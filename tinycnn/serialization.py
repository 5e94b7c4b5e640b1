"""Checkpoints: safetensors files, written whole or not at all. Nothing is ever unpickled.

A tensor is stored under its path in the nested dicts and lists, joined by "/": in
{"model": {"conv.weight": w}} it is "model/conv.weight"; a plain state_dict keeps its names, so that
any other reader of safetensors finds them. The metadata entry "tinycnn" holds the structure as
JSON, with numbers and texts in place. A node of it is a plain value or a dict of one entry:

    {"tensor": name}   {"dict": [[key, node], ...]}   {"list": [node, ...]}   {"tuple": [node, ...]}
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy

from ._core import device_kernels, to_device, to_host
from ._core.checks import fail
from ._core.dtypes import BY_NAME, to_array
from .autograd import wrap
from .tensor import Tensor

SEPARATOR = "/"
_ENTRY = "tinycnn"
def save(state: Any, path: str | os.PathLike) -> None:
    """Write a network, or nested dicts and lists of tensors and plain values, to one file.

    It is written beside `path` under another name, flushed to the disk, then renamed: whatever
    happens, `path` holds the old file or the whole new one.

    Args:    state: a Module or optimiser (its state_dict is saved), a Tensor or array, a str, int,
             float, bool or None, or dicts (with keys str or int), lists and tuples of all these.
             path (str or path): where to; the folder must exist.
    Raises:  TypeError: if something in `state` cannot be saved; it says where.
             ValueError: if two tensors get one name, or `path` is a folder.
             FileNotFoundError: if its folder does not exist.
    Example: >>> import os, tempfile, tinycnn
             >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.safetensors")
             >>> save({"model": tinycnn.nn.Linear(2, 1), "epoch": 3}, path)
             >>> checkpoint = load(path)
             >>> checkpoint["epoch"], checkpoint["model"]["weight"].shape
             (3, (1, 2))
    """
    from safetensors.numpy import save as serialise

    target = _path("save", path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"save: expected a folder {str(target.parent)!r} to write {target.name!r} to, got "
            f"none. Make it first, for example with os.makedirs."
        )
    arrays: dict[str, Any] = {}
    try:
        structure = _encode(state, (), arrays)
    except RecursionError:
        fail("save", "dicts and lists of moderate depth", "one that is nested too deeply",
             "Look for one that contains itself.")
    _write_whole(target, serialise(arrays, {_ENTRY: json.dumps(structure)}))


def load(
    path: str | os.PathLike, map_location: str | None = None, weights_only: bool = True
) -> Any:
    """Read what `save` wrote: the same structure, arrays and tensors as tensors.

    Other safetensors files come as a dict of name to Tensor; float16 becomes float32.

    Args:    path (str or path): the file.
             map_location (str or None): "cpu" or "cuda", where all tensors go; None for the CPU,
                 wherever they were saved from.
             weights_only (bool): accepted as in PyTorch; without effect, as no code is ever loaded.
    Returns: what was saved; of a Module or optimiser its state_dict, for load_state_dict.
    Raises:  FileNotFoundError: if there is no such file.
             ValueError: if it is a folder, is truncated or damaged, or is no safetensors file; or
                 if there is no such device.
    Example: >>> import os, tempfile, tinycnn
             >>> path = os.path.join(tempfile.mkdtemp(), "net.safetensors")
             >>> net = tinycnn.nn.Linear(2, 1)
             >>> save(net, path)
             >>> net.load_state_dict(load(path))
             <All keys matched successfully>
    """
    from safetensors import SafetensorError, safe_open

    device = "cpu" if map_location is None else map_location
    device_kernels(device)  # raises before a file is read
    target = _path("load", path)
    if not target.exists():
        raise FileNotFoundError(f"load: expected a file, got {str(path)!r}, which does not exist. "
                                f"Check the path; the current folder is {os.getcwd()!r}.")
    try:
        with safe_open(target, "numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: wrap(to_device(_read(file, name, path), device))
                       for name in sorted(file.keys())}
    except SafetensorError as error:
        fail("load", "a complete safetensors file", f"{str(path)!r} ({error})",
             "Save or copy it again; a file of another format, such as a pickle, is never opened: "
             "convert it with safetensors.torch.save_file.")
    if _ENTRY not in metadata:
        return tensors
    unused = set(tensors)
    try:
        state = _decode(json.loads(metadata[_ENTRY]), tensors, unused)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        _fail_structure(path, f"unreadable: {error!r}")
    if unused:
        _fail_structure(path, f"without {', '.join(sorted(unused))}")
    return state


def _path(function: str, path: Any) -> Path:
    """The file itself, past symbolic links."""
    if not isinstance(path, (str, os.PathLike)):
        fail(function, "a path (str or os.PathLike)", type(path).__name__,
             "Pass for example 'net.safetensors'.", TypeError)
    if os.path.isdir(path) or not os.fspath(path):
        fail(function, "the path of a file", f"{str(path)!r}, a folder",
             "Put the name of a file behind it, for example 'net.safetensors'.")
    return Path(os.path.realpath(path))


def _encode(value: Any, place: tuple, arrays: dict[str, Any]) -> Any:
    """The node of `value`; its arrays go into `arrays` under their names."""
    if isinstance(value, (Tensor, numpy.ndarray)):
        return {"tensor": _add(value, place, arrays)}
    if isinstance(value, numpy.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if hasattr(value, "state_dict"):
        value = value.state_dict()
    if isinstance(value, Mapping):
        for key in value:
            if type(key) not in (str, int):
                fail("save", f"keys that are str or int in {_name(place)!r}", repr(key),
                     "Use its name as key.", TypeError)
        return {"dict": [[k, _encode(v, (*place, k), arrays)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_encode(v, (*place, i), arrays) for i, v in enumerate(value)]}
    fail("save", "tensors, arrays, numbers, texts, and dicts, lists and tuples of them",
         f"{type(value).__name__} at {_name(place)!r}",
         "Leave it out, or turn it into one of these.", TypeError)


def _name(place: tuple) -> str:
    return SEPARATOR.join(map(str, place))


def _add(value: Any, place: tuple, arrays: dict[str, Any]) -> str:
    name = _name(place)
    array: Any = numpy.asarray(
        to_host(value.data) if isinstance(value, Tensor) else value, order="C")
    if array.dtype.newbyteorder("=").name not in BY_NAME:
        fail("save", f"arrays of a dtype that tensors have, {', '.join(BY_NAME)}",
             f"{array.dtype} at {name!r}", "Convert it first.", TypeError)
    if name in arrays or name == "__metadata__":
        fail("save", "names that differ", f"{name!r} twice" if name in arrays else
             f"{name!r}, which the file format uses itself",
             f"Names join the keys with {SEPARATOR!r}: change one of the keys.")
    arrays[name] = array
    return name


def _decode(node: Any, tensors: dict[str, Any], unused: set[str]) -> Any:
    if not isinstance(node, dict):
        return node
    ((kind, value),) = node.items()
    if kind == "tensor":
        unused.discard(value)
        return tensors[value]
    if kind == "dict":
        return {key: _decode(item, tensors, unused) for key, item in value}
    if kind in ("list", "tuple"):
        items = [_decode(item, tensors, unused) for item in value]
        return items if kind == "list" else tuple(items)
    raise ValueError(f"a node of the unknown kind {kind!r}")


def _read(file: Any, name: str, path: Any) -> Any:
    stored = file.get_slice(name).get_dtype()
    if stored == "F16":  # exact in float32, which the kernels serve
        return file.get_tensor(name).astype(numpy.float32)
    try:
        array = numpy.array(file.get_tensor(name))  # a copy: the file's own memory is mapped
        return to_array("load", array, copy=False)
    except (TypeError, AttributeError):
        fail("load", "tensors of dtypes that tinycnn has, or float16", f"{stored} at {name!r} in "
             f"{str(path)!r}", "Convert it, for example to float32, where it was made.", TypeError)


def _fail_structure(path: Any, what: str) -> None:
    fail("load", f"the structure of its tensors in the metadata of {str(path)!r}", what,
         "The file was changed by another program: save it again.")


def _write_whole(target: Path, content: bytes) -> None:
    """Put `content` at `target` in one step that cannot be seen half done."""
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name itself must reach the disk, too
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
