"""Arrays on the device: CuPy's, or in the simulator NumPy's of a type of their own.

`xp` is CuPy, or NumPy with device arrays as results; `ndarray` the type of device arrays.
"""

from collections import deque
from functools import partial

import numpy

from ..gpu import OutOfMemoryError
from .mode import SIMULATED

if SIMULATED:
    from . import simulated_array
    from .simulated_array import Array as ndarray

    class _Xp:
        """NumPy's functions on device arrays, under the names that CuPy has."""

        def __getattr__(self, name):
            function = getattr(numpy, name)
            if not callable(function) or isinstance(function, type):
                return function

            def call(*arguments, out=None, **options):
                options = {key: simulated_array.on_host(value) for key, value in options.items()}
                y = simulated_array.compute(partial(function, **options),
                                            *map(simulated_array.on_host, arguments))
                if out is not None:
                    out[...] = y
                return y if out is None else out

            setattr(self, name, call)
            return call

    xp = _Xp()
else:
    import cupy as xp
    from cupy import ndarray

__all__ = ["ndarray", "to_device", "to_host", "xp"]

recording = False  # while a step is recorded, nothing can be read back
held: list = []  # what a recorded step reads although no array of its own holds it
_OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation
_in_flight: deque = deque()  # (event, page-locked array): copies that may not be done yet


def to_device(array):
    """A copy of a host array's numbers in device memory, laid out alike. The host does not wait for
    it, and may change a page-locked array only when a later copy to the host has come."""
    if SIMULATED:
        return simulated_array.on_device(array.copy("K"))
    if not array.flags.forc:  # CuPy would lay these out in C order
        axes = _slowest_first(array)
        there = to_device(numpy.ascontiguousarray(array.transpose(axes)))
        return there.transpose(numpy.argsort(axes).tolist())
    if recording and array.ndim:  # a single number is an argument of the kernel that writes it
        return _constant(array)
    if not array.ndim or not is_pinned(array):
        return xp.array(array, order="K")
    order = "C" if array.flags.c_contiguous else "F"
    there = xp.empty(array.shape, array.dtype, order)
    there.data.copy_from_host_async(array.ctypes.data, array.nbytes)
    while _in_flight and _in_flight[0][0].done:
        _in_flight.popleft()
    _in_flight.append((xp.cuda.get_current_stream().record(), array))
    return there


def to_host(array):
    """A device array's numbers as a NumPy array, laid out alike; waits for the device."""
    refuse_while_recording()
    if SIMULATED:
        host = array.get()
    elif array.flags.forc:
        host = array.get(order="A")
    else:
        axes = _slowest_first(array)
        host = array.transpose(axes).get().transpose(numpy.argsort(axes))
    _check_late_errors()
    return host


def _slowest_first(array):
    """Axes from the one that varies slowest in memory on."""
    return sorted(range(array.ndim), key=lambda axis: -array.strides[axis])


def _constant(array):
    """A copy of a host array for a step that is recorded. Every replay makes it anew from one that
    is made now: a recorded copy from the host would read what is there then."""
    from .kept import upload  # which is made of this file

    there = upload(array if array.flags.c_contiguous else array.T)
    held.append(there)
    return there.copy() if array.flags.c_contiguous else there.copy().T


def refuse_while_recording(error=None):
    """Say that a step that is recorded cannot be waited for.

    Args:    error (Exception or None): what CUDA has said already.
    """
    if recording:
        raise RuntimeError(
            "capture: expected a step that leaves its numbers on the GPU, got one that asks for "
            "them (item, tolist, numpy, cpu, print, or `if tensor`). Return the tensor from the "
            "step, and ask there." + (f" (CUDA says: {error})" if error else "")) from error


def _check_late_errors():
    from . import late_errors  # which is made of kernels, and these of this file

    late_errors.check()


def pinned(array):
    """A copy of a host array in page-locked memory, from which copies to the device are made while
    host and device do other things."""
    if SIMULATED:
        return array
    from cupyx import empty_like_pinned

    copy = empty_like_pinned(array)
    copy[...] = array
    return copy


def is_pinned(array):
    return not SIMULATED and isinstance(array.base, xp.cuda.PinnedMemoryPointer)


def synchronize():
    """Wait for everything that was launched."""
    refuse_while_recording()
    if not SIMULATED:
        xp.cuda.get_current_stream().synchronize()
    _check_late_errors()


def allocator(pool):
    """pool.malloc, which explains itself where there is not enough memory."""

    def allocate(size):
        try:
            return pool.malloc(size)
        except xp.cuda.memory.OutOfMemoryError:
            free, total = xp.cuda.runtime.memGetInfo()
            raise OutOfMemoryError(size, free, total, pool.used_bytes()) from None

    return allocate


def graph_pool():
    """A pool for the arrays of a graph. Where the memory is full it takes what the default pool
    keeps, but none that the graph has had: that is written in every replay, held or not."""
    return xp.cuda.MemoryPool(_from_driver)


def _from_driver(size):
    try:
        return xp.cuda.MemoryPointer(xp.cuda.Memory(size), 0)
    except xp.cuda.runtime.CUDARuntimeError as error:
        if error.status != _OUT_OF_MEMORY:
            raise
    xp.get_default_memory_pool().free_all_blocks()
    try:
        return xp.cuda.MemoryPointer(xp.cuda.Memory(size), 0)
    except xp.cuda.runtime.CUDARuntimeError as error:
        if error.status != _OUT_OF_MEMORY or not recording:
            raise  # to the pool, which then gives back what it keeps itself
        free, total = xp.cuda.runtime.memGetInfo()
        raise OutOfMemoryError(size, free, total, total - free) from None


def memory_used():
    """Bytes that arrays hold."""
    return 0 if SIMULATED else xp.get_default_memory_pool().used_bytes()


def release_memory():
    """Give memory that no array holds back to the driver."""
    if not SIMULATED:
        xp.get_default_memory_pool().free_all_blocks()
        xp.get_default_pinned_memory_pool().free_all_blocks()


if not SIMULATED:
    xp.cuda.set_allocator(allocator(xp.get_default_memory_pool()))
