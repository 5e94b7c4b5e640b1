"""Whether there is a GPU to compute on, and if not, why. Importing this imports nothing of CUDA."""

import ctypes
import os
import sys
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec

SIMULATED = os.environ.get("TINYCNN_CUDA", "").lower() == "simulator"  # kernels as plain Python
_LEAST = 75  # compute capability 7.5
_INSTALL = ("pip install 'tinycnn[cuda13]' for a driver of version 580 or newer, or "
            "'tinycnn[cuda12]'")


class OutOfMemoryError(MemoryError):
    """The GPU's memory does not hold an array.

    Args:    asked, free, total, held (int): bytes of the array, of free and of all memory, and
             what other arrays hold.
    Example: >>> print(OutOfMemoryError(2**33, 2**30, 2**34, 2**33))  # doctest: +ELLIPSIS
             GPU: expected 8.00 GiB of free memory, got 1.00 of 16.00 GiB (arrays hold 8.00). ...
    """

    def __init__(self, asked, free, total, held):
        asked, free, total, held = (f"{size / 2**30:.2f}" for size in (asked, free, total, held))
        super().__init__(
            f"GPU: expected {asked} GiB of free memory, got {free} of {total} GiB (arrays hold "
            f"{held}). Use a smaller batch, compute under no_grad, or drop tensors that are no "
            f"longer needed.")


@lru_cache(maxsize=1)
def why_none() -> str:
    """Why no GPU can be used, in one sentence; "" if one can."""
    if SIMULATED:
        return "" if find_spec("greenlet") else (
            "The GPU simulator needs greenlet: pip install greenlet.")
    asked = os.environ.get("TINYCNN_CUDA", "").lower()
    if asked not in ("", "gpu"):
        return f"TINYCNN_CUDA={asked} is unknown: leave it out, or set it to simulator."
    if not _has_driver():
        return "There is no NVIDIA driver on this machine."
    missing = [name for name in ("cupy", "numba_cuda") if find_spec(name) is None]
    if missing:
        return f"There is a driver, but not {' and '.join(missing)}: {_INSTALL}."
    try:
        import cupy

        if not cupy.cuda.runtime.getDeviceCount():
            return "There is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it."
        capability = cupy.cuda.Device(0).compute_capability
    except Exception as error:  # whatever the driver or the packages have to say
        return f"CUDA cannot be used: {error}. Compare driver and packages: {_INSTALL}."
    if int(capability) < _LEAST:
        return f"The GPU has compute capability {_dotted(capability)}; 7.5 is needed."
    return ""


def _has_driver():
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        return True
    except OSError:
        return False


def _dotted(capability):
    return f"{capability[:-1]}.{capability[-1]}"


def described() -> str:
    """The GPU in words, or why there is none."""
    if why_none():
        return f"none: {why_none()}"
    if SIMULATED:
        return "simulated: kernels run as plain Python (TINYCNN_CUDA=simulator)"
    import cupy

    found = cupy.cuda.runtime.getDeviceProperties(0)
    return (f"{found['name'].decode()}, compute capability {found['major']}.{found['minor']}, "
            f"{found['totalGlobalMem'] / 2**30:.0f} GiB (CuPy {cupy.__version__}, numba-cuda "
            f"{metadata.version('numba-cuda')})")
