"""A GPU's kernels for tests that hold NumPy arrays: the same tests on every device.

Without a GPU the kernels run in the simulator, where a thread is slow: on tiny arrays only.
"""

import numpy as np


class Hosted:
    """Kernels of a device that are given host arrays: copied there, and back when they are done."""

    def __init__(self, kernels):
        self._kernels = kernels
        self.__name__ = kernels.__name__

    def __getattr__(self, name):
        function = getattr(self._kernels, name)
        return lambda *arguments, **options: self._call(function, arguments, options)

    def _call(self, function, arguments, options):
        copies = {}
        result = function(*[self._there(a, copies) for a in arguments],
                          **{k: self._there(a, copies) for k, a in options.items()})
        for host, there in copies.values():
            if host.flags.writeable:
                host[...] = _here(there)
        for host, there in copies.values():  # what was changed in place is the host's own array
            if there is result:
                return host
        return _here(result)

    def _there(self, value, copies):
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return type(value)([self._there(v, copies) for v in value])
        if not isinstance(value, np.ndarray):
            return value
        if id(value) not in copies:
            copies[id(value)] = value, _copied(value)
        return copies[id(value)][1]


def _copied(host):
    """A device array of the same numbers and the same strides, which may leave gaps."""
    from tinycnn._core.cuda.backend import ndarray, to_device, xp

    if host.size == 0 or min(host.strides, default=0) < 0 or 0 in host.strides:
        return to_device(np.ascontiguousarray(host)) if host.size else xp.zeros(host.shape,
                                                                                host.dtype)
    extent = sum((n - 1) * s for n, s in zip(host.shape, host.strides)) // host.itemsize + 1
    memory = to_device(np.full(extent, 0, host.dtype))
    there = xp.lib.stride_tricks.as_strided(memory, host.shape, host.strides)
    if type(there) is not ndarray:  # in the simulator
        there = there.view(ndarray)
    there[...] = to_device(np.ascontiguousarray(host))
    return there


def _here(value):
    from tinycnn._core.cuda.backend import ndarray, to_host

    if isinstance(value, ndarray):
        return to_host(value)
    if isinstance(value, (list, tuple)):
        return type(value)([_here(v) for v in value])
    return value
