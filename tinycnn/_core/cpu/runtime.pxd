from libc.stdint cimport int64_t
cimport numpy as cnp

cdef extern from "simd/scratch.hh" nogil:
    enum Purpose:
        PACKED
        TILE
        PARTIAL
    void* scratch(int purpose, int64_t bytes)

# What every kernel asks for: the instruction set in use, and how many threads `tasks` are worth.
cdef int isa() noexcept nogil
cdef int threads_for(int64_t tasks, int64_t numbers) noexcept nogil

# Number types: entry of a kernel table, and bytes of a number.
cdef int wide(cnp.ndarray array) except -1
cdef void* buffer(int purpose, int64_t numbers, int wide) except NULL
cdef int out_of_memory() except -1
