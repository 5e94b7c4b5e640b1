from libc.stdint cimport int64_t
cimport numpy as cnp

cdef extern from "simd/scratch.hh" nogil:
    enum Purpose:
        PACKED
        TILE
        PARTIAL
    void* scratch(int purpose, int64_t bytes)
    void** scratch_of_threads(int threads, int64_t bytes)

# What every kernel asks for: the instruction set in use, and how many threads `tasks` are worth.
cdef int isa() noexcept nogil
cdef int threads_for(int64_t tasks, int64_t numbers) noexcept nogil

# Number types: entry of a kernel table.
cdef int wide(cnp.ndarray array) except -1

# Scratch of the calling thread, until it asks again for the same purpose; MemoryError if there is none.
cdef void* buffer(int purpose, int64_t numbers, int wide) except NULL

# Memory for a task of each of some threads, that of `threadid()` at per_thread(...)[threadid()].
cdef void** per_thread(int threads, int64_t bytes) except NULL


cdef inline void* data_or_null(array) noexcept:
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray>array)
