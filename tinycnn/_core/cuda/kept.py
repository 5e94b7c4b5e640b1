"""Small tables and numbers that kernels read: uploaded when they are new, and kept.

Uploads and their memory have a stream of their own: a step may be captured into a graph meanwhile,
and what the current stream's pool hands out may still be in use by kernels launched before. What is
dropped may be in use as well, so that everything is waited for first.
"""

from . import backend
from .mode import SIMULATED

_stream = None


def upload(values):
    """A host array's numbers in device memory, there when this returns."""
    global _stream
    if SIMULATED:
        return backend.to_device(values)
    if _stream is None:
        _stream = backend.xp.cuda.Stream(non_blocking=True)
    with _stream:
        there = backend.xp.empty(values.shape, values.dtype)
        there.data.copy_from_host_async(values.ctypes.data, values.nbytes)
    _stream.synchronize()
    return there


def address(x):
    """Where an array's first element is."""
    return x.ctypes.data if SIMULATED else x.data.ptr


def aligned(*arrays):
    """Whether all start at multiples of 16 bytes, so that `load` can take as much at a time."""
    return not any(address(x) % 16 for x in arrays)


class Kept:
    """A dict of things on the device that are made when first asked for.

    Args:    most (int): what it holds before it is emptied.
    """

    def __init__(self, most=256):
        self._most = most
        self._things: dict = {}
        self._for_ever: dict = {}  # what a graph holds the address of

    def get(self, key, make, for_ever=False):
        """The thing of this key, else make().

        Args:    for_ever (bool): never to drop it: a graph is being captured.
        """
        found = self._for_ever.get(key)
        if found is not None:
            return found
        found = self._things.get(key)
        if found is None:
            if len(self._things) >= self._most and not for_ever:
                self._drop()
            found = self._things[key] = make()
        if for_ever:
            self._for_ever[key] = found
        return found

    def _drop(self):
        if not SIMULATED:
            backend.xp.cuda.Device().synchronize()
        self._things.clear()
