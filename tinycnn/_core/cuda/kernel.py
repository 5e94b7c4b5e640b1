"""Launching kernels: what @kernel makes of a function.

A kernel is built when it is launched for the first time with these constants: on a GPU compiled and
loaded (compiler.py), in the simulator only instantiated. Arguments become what the annotations say:
an array the address of its first element, a number a number of that size. An array must start at
its smallest address: kernels count strides forwards. None is the null pointer.
"""

import numpy

from . import backend, mode
from .primitives import float32, float64, int32, uint8
from .template import Ptr, T, instantiate, parameters

if mode.SIMULATED:
    from . import simulator

kernels = []  # every Kernel, for whoever builds or checks all of them
FLOATS = ({"T": numpy.dtype("float32")}, {"T": numpy.dtype("float64")})
muted = False  # a replay asks updates for their numbers: then nothing is launched

__all__ = ["FLOATS", "Ptr", "T", "kernel", "kernels"]


def kernel(threads=256, min_blocks=None, variants=FLOATS, simulated_threads=32,
           least_capability=(7, 5), instructions=None):
    """Decorator of a kernel; see template.py for an example.

    Args:    threads (int): of a block, at most; the compiler shares out registers by it.
             min_blocks (int or None): that a multiprocessor is to hold at once.
             variants (sequence of dicts): the constants it is launched with; what builds all
                 kernels ahead builds these.
             simulated_threads (int): of a block in the simulator, where a thread is slow.
             least_capability (pair of ints): the compute capability that it needs.
             instructions (callable or None): constants to the machine instructions that must come
                 out, as regular expressions; a test looks for them.
    """
    return lambda function: Kernel(function, threads, min_blocks, variants, simulated_threads,
                                   least_capability, instructions or (lambda constants: ()))


class Kernel:
    """A kernel and its instances, one for each choice of constants."""

    def __init__(self, function, threads, min_blocks, variants, simulated_threads,
                 least_capability, instructions):
        self.least_capability, self.instructions = least_capability, instructions
        self.function, self.name = function, function.__name__
        self.__doc__ = function.__doc__
        self.most_threads, self.min_blocks, self.variants = threads, min_blocks, variants
        self.threads = min(threads, simulated_threads) if mode.SIMULATED else threads
        self._instances = {}
        kernels.append(self)

    def blocks(self, count):
        """A grid with a thread for each of `count` things."""
        return (-(-count // self.threads), 1, 1)

    def launch(self, grid, arguments, *, threads=None, shared=0, **constants):
        """Run over a grid of blocks, behind whatever was launched before.

        Args:    grid (tuple of 3 ints): blocks along x, y, z; nothing is run if one is 0.
                 arguments (tuple): one for each parameter.
                 threads (int or None): of a block, None for `self.threads`.
                 shared (int): bytes of shared memory beside what the kernel declares.
                 constants: what the kernel's globals are to be; dtypes for number types.
        """
        if 0 in grid or muted:
            return
        key = tuple(constants.items())
        instance = self._instances.get(key)
        if instance is None:
            instance = self._instances[key] = _Instance(self, constants)
        instance(grid, (threads or self.threads, 1, 1), arguments, shared)

    def instance(self, constants, finish):
        """The function with its constants filled in."""
        fill = {name: number_type(value) if isinstance(value, numpy.dtype) else value
                for name, value in constants.items()}
        return instantiate(self.function, fill, finish)


def number_type(dtype):
    """The primitives' number type for a dtype."""
    return {"float32": float32, "float64": float64, "int32": int32, "uint8": uint8}[dtype.name]


class _Instance:
    """A kernel with its constants, ready to run."""

    def __init__(self, kernel, constants):
        if mode.SIMULATED:
            self._function = kernel.instance(constants, lambda inner: inner)
        else:
            from . import compiler

            self._function, loaded = compiler.load(kernel, constants)
            self._loaded, self._most_shared = loaded, 48 * 1024
        self._parameters = [(name, _dtype(annotation), isinstance(annotation, _POINTER))
                            for name, annotation in parameters(self._function)]

    def __call__(self, grid, block, arguments, shared):
        if mode.SIMULATED:
            given = [_simulated(a, *p) for a, p in zip(arguments, self._parameters, strict=True)]
            simulator.run(self._function, grid, block, given, shared)
            return
        if shared > self._most_shared:
            self._loaded.max_dynamic_shared_size_bytes = self._most_shared = shared
        given = [(_NULL if a is None else a) if pointer else dtype.type(a)
                 for a, (_, dtype, pointer) in zip(arguments, self._parameters)]
        self._loaded(grid, block, tuple(given), shared_mem=shared)


_POINTER = type(Ptr[T])
_NULL = numpy.uint64(0)


def _dtype(annotation):
    """The NumPy dtype of a parameter, or of what it points to."""
    item = annotation.item if isinstance(annotation, _POINTER) else annotation
    if isinstance(item, _POINTER):  # a table of addresses
        return numpy.dtype("uint64")
    return numpy.dtype(getattr(item, "name", item))  # Numba's types have names


def _simulated(value, name, dtype, pointer):
    """An argument as a simulated thread sees it."""
    if not pointer:
        return int(value) if dtype.kind in "iu" else dtype.type(value)
    if value is None:
        return simulator.Memory(numpy.zeros(0, dtype), f"{name} (a null pointer)")
    if isinstance(value, list):  # a table of addresses
        return [_simulated(v, f"{name}[{i}]", v.dtype, True) for i, v in enumerate(value)]
    if type(value) is not backend.ndarray or value.dtype != dtype:
        raise TypeError(f"{name}: expected a device array of {dtype}, got {type(value).__name__} "
                        f"of {getattr(value, 'dtype', None)}")
    return simulator.Memory(_from_first(value), name)


def _from_first(x):
    """The memory of an array from its first element to its last, as a host array."""
    if min(x.strides, default=0) < 0:
        raise ValueError(f"a kernel was given an array with strides {x.strides}")
    extent = sum([(n - 1) * s for n, s in zip(x.shape, x.strides)]) // x.itemsize + 1
    return numpy.lib.stride_tricks.as_strided(
        x.view(numpy.ndarray), (extent if x.size else 0,), (x.itemsize,))
