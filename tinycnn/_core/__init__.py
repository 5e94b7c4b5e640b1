"""Arrays only: kernels for each device, and the one place that picks among them.

A kernel module (`reference`, `cpu`, later a GPU's) is a set of functions on that device's arrays,
with the same names and parameters in each. `reference` is the contract: plain NumPy, slow, obvious.
"""

import numpy

from . import cpu
from .cpu import memory as memory
from .cpu import runtime as runtime

_numpy_array = numpy.ndarray
_forced = None  # tests and curious readers run everything on `reference` by setting this


def kernels_for(arrays):
    """The kernel module that serves these arrays. The only dispatch there is.

    Args:    arrays (sequence of arrays): all arguments of one operation.
    Raises:  TypeError: if an argument is no array of a device that tinycnn knows.
    """
    for array in arrays:
        if type(array) is not _numpy_array:
            raise TypeError(
                f"kernels_for: expected NumPy arrays on the CPU, got {type(array).__name__}. "
                f"Make tensors with tinycnn.tensor(...); what is assigned to a tensor's .data must "
                f"be an array, as in w.data = other.data."
            )
    return _forced or cpu


def to_device(array, device):
    """The array on `device` ("cpu"), itself if it is there already.

    Raises:  ValueError: if there is no such device, or it cannot be used here.
    """
    name = str(device)
    if name != "cpu":
        raise ValueError(
            f"to: expected device 'cpu', got {name!r}. {gpu_reason()} Use device='cpu'."
        )
    return array


def devices():
    """Names of the devices that can be used here."""
    return ("cpu",)


def gpu_reason():
    """One sentence that says why no GPU is used."""
    return "This version of tinycnn has no GPU kernels yet."
