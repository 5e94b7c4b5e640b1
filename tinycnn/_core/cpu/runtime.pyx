"""Instruction set, threads, number types: what the kernels share.

The best instruction set is chosen once, at import; the environment variable TINYCNN_ISA names a
lesser one. Threads: OpenMP's, if the build has it; a forked child goes on with one thread, because
the pool of its parent is not there.
"""

import os

cimport numpy as cnp
from libc.stdint cimport int64_t

cdef extern from "simd/cpu.hh" nogil:
    int best_isa()
    bint has_openmp()
    int default_threads()

cnp.import_array()

ISA_NAMES = ("baseline", "avx2", "avx512")

cdef int _isa = best_isa()
cdef int _threads = default_threads()
cdef bint _pooled = False  # whether OpenMP's pool of threads was ever woken
cdef bint _orphan = False  # a child of such a process: waking the pool, which is gone, would hang

# Below this many numbers an operation runs on one thread: waking another takes 5 to 20 us, in which
# one core streams some 100,000 numbers.
cdef int64_t WORTH_A_THREAD = 65536


cdef int isa() noexcept nogil:
    return _isa


cdef int threads_for(int64_t tasks, int64_t numbers) noexcept nogil:
    """Threads for `tasks` independent tasks that touch or multiply `numbers` numbers in all."""
    global _pooled
    if numbers < WORTH_A_THREAD or tasks < 2 or _threads == 1:
        return 1
    _pooled = True
    return _threads if _threads < tasks else <int>tasks


cdef int wide(cnp.ndarray array) except -1:
    """0 for float32, 1 for float64: the entry of a kernel table."""
    cdef int kind = cnp.PyArray_TYPE(array)
    if kind == cnp.NPY_FLOAT32:
        return 0
    if kind == cnp.NPY_FLOAT64:
        return 1
    raise TypeError(
        f"kernels: expected float32 or float64, got {array.dtype}. Convert with .to('float32')."
    )


cdef int _out_of_memory(int64_t bytes) except -1:
    raise MemoryError(f"kernels: {bytes} bytes of scratch are not to be had. Use smaller batches.")


cdef void* buffer(int purpose, int64_t numbers, int wide) except NULL:
    cdef int64_t bytes = numbers * (8 if wide else 4)
    cdef void* memory = scratch(purpose, bytes)
    if memory == NULL:
        _out_of_memory(bytes)
    return memory


cdef void** per_thread(int threads, int64_t bytes) except NULL:
    cdef void** memory = scratch_of_threads(threads, bytes)
    if memory == NULL:
        _out_of_memory(bytes)
    return memory


def get_num_threads():
    return _threads


def set_num_threads(int count):
    global _threads
    _threads = count if has_openmp() and not _orphan else 1


def config():
    """What this build and this machine offer: {"isa", "isa_best", "openmp", "threads"}."""
    return {
        "isa": ISA_NAMES[_isa],
        "isa_best": ISA_NAMES[best_isa()],
        "openmp": bool(has_openmp()),
        "threads": _threads,
    }


def set_isa(name):
    """Use a named instruction set from now on; ValueError if this machine has no such thing."""
    global _isa
    usable = ISA_NAMES[: best_isa() + 1]
    if name not in usable:
        raise ValueError(
            f"TINYCNN_ISA: expected one of {', '.join(usable)} on this machine, got {name!r}. "
            f"Unset it to use the best."
        )
    _isa = ISA_NAMES.index(name)


if os.environ.get("TINYCNN_ISA"):
    set_isa(os.environ["TINYCNN_ISA"])


def _in_child():
    global _threads, _orphan
    _threads, _orphan = 1, _orphan or _pooled


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
