"""Arrays only: kernels for each device, and the one place that picks among them.

A kernel module (`reference`, `cpu`, `cuda`) is a set of functions on that device's arrays, with the
same names and parameters in each. `reference` is the contract: plain NumPy, slow, obvious. `cuda`
is imported when somebody asks for the device.
"""

import numpy

from . import cpu, gpu
from .checks import fail
from .cpu import memory as memory
from .cpu import runtime as runtime

_numpy_array = numpy.ndarray
_forced = None  # tests and curious readers run everything on `reference` by setting this
_cuda = None  # the GPU's kernels, once there are arrays for them
_cuda_array = None  # the type of these arrays


def kernels_for(arrays):
    """The kernel module that serves these arrays. The only dispatch there is.

    Args:    arrays (sequence of arrays): all arguments of one operation.
    Raises:  TypeError: if an argument is no array of a device that tinycnn knows.
             ValueError: if they are on different devices.
    """
    for array in arrays:
        if type(array) is not _numpy_array:
            return _elsewhere(arrays)
    return _forced or cpu


def _elsewhere(arrays):
    """As kernels_for, where not all arrays are NumPy's."""
    for array in arrays:
        if type(array) is not _numpy_array and type(array) is not _cuda_array:
            raise TypeError(
                f"kernels_for: expected NumPy arrays on the CPU, got {type(array).__name__}. "
                f"Make tensors with tinycnn.tensor(...); what is assigned to a tensor's .data must "
                f"be an array, as in w.data = other.data."
            )
    devices = [device_of(array) for array in arrays]
    if len(set(devices)) > 1:
        shapes = ", ".join(f"{tuple(a.shape)} on {d!r}" for a, d in zip(arrays, devices))
        fail("operation", "tensors on one device", shapes,
             "Move them together: x = x.to(device), model.to(device).")
    return _cuda


def device_of(array):
    """The name of the device that an array is on."""
    return "cpu" if type(array) is _numpy_array else "cuda"


def device_kernels(device):
    """The kernel module of a device, "cpu" or "cuda" ("cuda:0" means the same).

    Raises:  ValueError: if there is no such device, or it cannot be used here.
    """
    global _cuda, _cuda_array
    name = str(device)
    if name == "cpu":
        return _forced or cpu
    if name not in ("cuda", "cuda:0"):
        fail("to", f"device {' or '.join(map(repr, devices()))}", repr(name),
             "CUDA_VISIBLE_DEVICES says which GPU 'cuda' is." if name.startswith("cuda:") else
             "A GPU is 'cuda'.")
    if _cuda is None:
        if gpu.why_none():
            fail("to", "device 'cpu'", repr(name), f"{gpu.why_none()} Use device='cpu'.")
        from . import cuda
        from .cuda.backend import ndarray

        _cuda, _cuda_array = cuda, ndarray
    return _cuda


def to_device(array, device):
    """The array on `device` ("cpu" or "cuda"), itself if it is there already.

    Raises:  ValueError: if there is no such device, or it cannot be used here.
    """
    kernels = device_kernels(device)
    there, here = kernels is _cuda, type(array) is not _numpy_array
    if there == here:
        return array
    from .cuda import backend

    return backend.to_device(array) if there else backend.to_host(array)


def to_host(array):
    """A NumPy array of the numbers: the array itself if it is one."""
    return array if type(array) is _numpy_array else to_device(array, "cpu")


def pinned(array):
    """A copy of a host array in page-locked memory if there is a GPU to copy it to, else itself."""
    if gpu.why_none():
        return array
    device_kernels("cuda")
    from .cuda import backend

    return backend.pinned(array)


def new_graph():
    """A recorder of steps on the GPU.

    Raises:  ValueError: if there is none.
    """
    device_kernels("cuda")
    from .cuda.graph import Graph

    return Graph()


def is_recording():
    """Whether a step is being recorded on the GPU."""
    return _cuda is not None and gpu_memory().recording


def gpu_memory():
    """What waits for the GPU and looks after its memory: a module.

    Raises:  ValueError: if there is none.
    """
    device_kernels("cuda")
    from .cuda import backend

    return backend


def is_writeable(array):
    """True unless writing to an array is refused, or would write one number for several, as in what
    broadcasting makes."""
    if type(array) is _numpy_array:
        return array.flags.writeable
    return not any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape))


def devices():
    """Names of the devices that can be used here."""
    return ("cpu",) if gpu.why_none() else ("cpu", "cuda")


def gpu_text():
    """The GPU in words, or why there is none."""
    return gpu.described()
