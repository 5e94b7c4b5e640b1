"""From a kernel's Python source to machine code: Numba, NVVM and nvJitLink; no driver is needed.

    Python --Numba--> LLVM --NVVM--> PTX --nvJitLink--> cubin --CuPy--> a function on the GPU

Cubins are kept in a folder (TINYCNN_CACHE, or the user's cache), under a name that is a hash of all
that they are made from: the sources of this package, the constants, the compute capability, and the
versions of the tools.
"""

import hashlib
import os
import re
import secrets
import tempfile
import threading
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numba.cuda.dispatcher
from cuda.bindings import nvjitlink
from numba import cuda, types
from numba.cuda.extending import register_jitable

from . import backend
from .template import Ptr, T, parameters

NAME = "tinycnn_kernel"  # of the entry point, instead of Numba's two hundred letters
_POINTER = type(Ptr[T])
_lock = threading.RLock()


def load(kernel, constants):
    """The instance of a kernel, and it as a function on the current GPU."""
    function = kernel.instance(constants, register_jitable)
    version = backend.xp.cuda.Device().compute_capability
    capability = int(version[:-1]), int(version[-1])
    path = _folder() / f"{_key(kernel, constants, capability)}.cubin"
    if not path.exists():
        _write(path, cubin(kernel, constants, capability)[0])
    return function, backend.xp.RawModule(path=str(path)).get_function(NAME)


def cubin(kernel, constants, capability):
    """Machine code of one instance of a kernel.

    Args:    kernel (Kernel), constants (dict): what to build.
             capability (pair of ints): the GPU's compute capability, such as (9, 0).
    Returns: (cubin as bytes, ptxas' report of registers and spills).
    """
    function = kernel.instance(constants, register_jitable)
    signature = types.void(*[_type(annotation) for _, annotation in parameters(function)])
    bounds = kernel.most_threads if kernel.min_blocks is None else (
        kernel.most_threads, kernel.min_blocks)
    with _lock, _device_of(capability):
        ptx, _ = cuda.compile(function, signature, cc=capability, device=False, abi="numba",
                              output="ptx", launch_bounds=bounds)
    ptx = ptx.decode() if isinstance(ptx, bytes) else ptx
    (entry,) = re.findall(r"\.visible \.entry (\w+)", ptx)
    return _link(ptx.replace(entry, NAME).encode(), capability)


class _device_of:
    """Numba asks the driver for the current device when a kernel calls functions: tell it."""

    def __init__(self, capability):
        self._device = SimpleNamespace(compute_capability=capability)

    def __enter__(self):
        self._before = numba.cuda.dispatcher.get_current_device
        numba.cuda.dispatcher.get_current_device = lambda: self._device

    def __exit__(self, *_exception):
        numba.cuda.dispatcher.get_current_device = self._before


def _type(annotation):
    """Numba's type of a parameter."""
    if not isinstance(annotation, _POINTER):
        return annotation
    if isinstance(annotation.item, _POINTER):
        return types.CPointer(types.int64)
    return types.CPointer(annotation.item)


def _link(ptx, capability):
    linker = nvjitlink.create(2, [f"-arch=sm_{capability[0]}{capability[1]}", "-verbose"])
    try:
        nvjitlink.add_data(linker, nvjitlink.InputType.PTX, ptx, len(ptx), NAME)
        nvjitlink.complete(linker)
        code = bytearray(nvjitlink.get_linked_cubin_size(linker))
        nvjitlink.get_linked_cubin(linker, code)
        return bytes(code), _log(linker, nvjitlink.get_info_log_size, nvjitlink.get_info_log)
    except nvjitlink.nvJitLinkError as error:
        said = _log(linker, nvjitlink.get_error_log_size, nvjitlink.get_error_log)
        raise RuntimeError(f"nvJitLink refuses a kernel for {capability}: {said}") from error
    finally:
        nvjitlink.destroy(linker)


def _log(linker, size, get):
    text = bytearray(size(linker))
    get(linker, text)
    return text.rstrip(b"\0").decode()


def _key(kernel, constants, capability):
    text = f"{kernel.function.__module__}.{kernel.name} {sorted(constants.items())} {capability}"
    own = Path(kernel.function.__code__.co_filename).read_bytes()  # may stand outside the package
    return hashlib.sha256((_sources() + text).encode() + own).hexdigest()[:40]


@lru_cache(maxsize=1)
def _sources():
    """A hash of what every kernel is made from."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    for package in metadata.distributions():
        name = (package.metadata["Name"] or "").lower()
        if name in ("numba", "numba-cuda", "llvmlite") or name.startswith("nvidia-nv"):
            found.update(f"{name} {package.version}\n".encode())
    return found.hexdigest()


@lru_cache(maxsize=1)
def _folder():
    """Where cubins are kept; a new temporary folder if that cannot be written."""
    base = os.environ.get("TINYCNN_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "tinycnn" / "cuda"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f".{secrets.token_hex(8)}", b"").unlink()
        return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="tinycnn-cuda-"))


def _write(path, content):
    """A whole file or none, also where two processes build the same kernel."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    temporary.write_bytes(content)
    return temporary.replace(path)
