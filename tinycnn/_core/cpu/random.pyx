"""Random numbers that are a function of (seed, position): Philox 4x32-10.

Mirrors reference/random.py, bit for bit. Threads share chunks of 4096 elements of flat memory; what
an element gets depends on its place alone.
"""

from cython.parallel cimport prange
from libc.math cimport ceil
from libc.stdint cimport int64_t, uint32_t, uint64_t
cimport numpy as cnp
from .runtime cimport isa, threads_for, wide

cdef extern from "simd/random_api.hh" nogil:
    struct RandomKernels:
        void (*uniform)(uint64_t, uint64_t, void*, int64_t) noexcept nogil
        void (*dropout)(uint64_t, uint64_t, uint32_t, double, const void*, void*, int64_t) noexcept nogil
    const RandomKernels* random_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t CHUNK = 4096
cdef int64_t WORD_COSTS = 4  # times as much as a multiplication, roughly


def random_uniform(
    cnp.ndarray out not None,  # OUT  dense
    uint64_t seed,
    uint64_t offset,
):
    """Uniform numbers in [0, 1)."""
    cdef int w = wide(out)
    cdef const RandomKernels* k = random_kernels_for(isa(), w)
    cdef int64_t count = cnp.PyArray_SIZE(out), chunks = (count + CHUNK - 1) // CHUNK, chunk, at
    cdef int64_t size = 8 if w else 4
    cdef int threads = threads_for(chunks, count * WORD_COSTS)
    cdef char* data = <char*>cnp.PyArray_DATA(out)
    if threads == 1:
        k.uniform(seed, offset, data, count)
        return
    for chunk in prange(chunks, num_threads=threads, schedule="static", nogil=True):
        at = chunk * CHUNK
        k.uniform(seed, offset + <uint64_t>at, data + at * size, min(CHUNK, count - at))


def dropout(
    cnp.ndarray x not None,  # IN   dense
    cnp.ndarray y not None,  # OUT  dense, in the layout of x
    double p,
    uint64_t seed,
    uint64_t offset,
):
    """y = x / (1 - p) where a word / 2^32 >= p, else 0 * x. The gradient is the same call."""
    cdef int w = wide(y)
    cdef const RandomKernels* k = random_kernels_for(isa(), w)
    cdef int64_t count = cnp.PyArray_SIZE(y), chunks = (count + CHUNK - 1) // CHUNK, chunk, at
    cdef int64_t size = 8 if w else 4
    cdef int threads = threads_for(chunks, count * WORD_COSTS)
    cdef double least = ceil(p * 4294967296.0)  # the least word that is kept
    cdef bint none_kept = least > 4294967295.0
    cdef uint32_t threshold = 0 if none_kept else <uint32_t>least
    cdef double scale = 0 if none_kept else 1 / (1 - p)
    cdef const char* x_data = <const char*>cnp.PyArray_DATA(x)
    cdef char* y_data = <char*>cnp.PyArray_DATA(y)
    if wide(x) != w or cnp.PyArray_SIZE(x) != count or not 0 <= p <= 1:
        raise ValueError("dropout: expected arrays of one size and dtype, and p from 0 to 1.")
    if threads == 1:
        k.dropout(seed, offset, threshold, scale, x_data, y_data, count)
        return
    for chunk in prange(chunks, num_threads=threads, schedule="static", nogil=True):
        at = chunk * CHUNK
        k.dropout(seed, offset + <uint64_t>at, threshold, scale, x_data + at * size,
                  y_data + at * size, min(CHUNK, count - at))
