"""PReLU, forward and backward.

Mirrors reference/prelu.py; the arithmetic is in simd/prelu.hh. Threads share chunks of rows, each
of which leaves its part of grad_weight: these are added up in one order, by one thread.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport PACKED, PARTIAL, buffer, data_or_null, isa, per_thread, threads_for, wide

cdef extern from "simd/prelu_api.hh" nogil:
    struct PreluPlan:
        int64_t rows, c, width, chunks
    PreluPlan prelu_plan(int64_t rows, int64_t c)
    struct PreluKernels:
        void (*tile)(const PreluPlan*, const void*, void*) noexcept nogil
        void (*forward)(const PreluPlan*, int64_t, const void*, const void*, void*) noexcept nogil
        void (*backward)(const PreluPlan*, int64_t, const void*, const void*, const void*, void*,
                         double*, void*) noexcept nogil
        void (*merge)(const PreluPlan*, const double*, void*) noexcept nogil
    const PreluKernels* prelu_kernels_for(int isa, int wide)

cnp.import_array()


cdef int _require(cnp.ndarray x, object other, int64_t size) except -1:
    if other is not None and (cnp.PyArray_SIZE(<cnp.ndarray>other) != size
                              or wide(<cnp.ndarray>other) != wide(x)):
        raise ValueError(f"prelu: expected {size} numbers of dtype {x.dtype}, got {other.dtype} "
                         f"{other.shape}.")
    return 0


cdef PreluPlan _plan(cnp.ndarray x, cnp.ndarray weight) except *:
    cdef int64_t c = cnp.PyArray_SIZE(weight), size = cnp.PyArray_SIZE(x)
    _require(x, weight, c)
    if size % max(c, 1):
        raise ValueError(f"prelu: expected rows of {c} numbers, got {(<object>x).shape}.")
    return prelu_plan(size // max(c, 1), max(c, 1))


def prelu_forward(
    cnp.ndarray x not None,       # IN   dense, M * C numbers
    cnp.ndarray weight not None,  # IN   C numbers
    cnp.ndarray y not None,       # OUT  like x
):
    cdef PreluPlan p = _plan(x, weight)
    _require(x, y, cnp.PyArray_SIZE(x))
    cdef int w = wide(x)
    cdef const PreluKernels* k = prelu_kernels_for(isa(), w)
    cdef int threads = threads_for(p.chunks, p.rows * p.c)
    cdef void* tiled = buffer(PACKED, p.width, w)
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* y_data = cnp.PyArray_DATA(y)
    cdef int64_t chunk
    if p.chunks == 0:
        return
    k.tile(&p, cnp.PyArray_DATA(weight), tiled)
    with nogil:
        if threads == 1:
            for chunk in range(p.chunks):
                k.forward(&p, chunk, x_data, tiled, y_data)
        else:
            for chunk in prange(p.chunks, num_threads=threads, schedule="static"):
                k.forward(&p, chunk, x_data, tiled, y_data)


def prelu_backward(
    cnp.ndarray x not None,       # IN   dense, M * C numbers
    cnp.ndarray weight not None,  # IN   C numbers
    cnp.ndarray grad_y not None,  # IN   like x
    grad_x,                       # OUT  like x, or None
    grad_weight,                  # OUT  C numbers, or None
):
    cdef PreluPlan p = _plan(x, weight)
    _require(x, grad_y, cnp.PyArray_SIZE(x))
    _require(x, grad_x, cnp.PyArray_SIZE(x))
    _require(x, grad_weight, cnp.PyArray_SIZE(weight))
    cdef int w = wide(x)
    cdef const PreluKernels* k = prelu_kernels_for(isa(), w)
    cdef int threads = threads_for(p.chunks, p.rows * p.c)
    cdef void* tiled = buffer(PACKED, p.width, w)
    cdef double* partial = <double*>buffer(PARTIAL, max(p.chunks, 1) * p.c, 1)
    cdef void** own = per_thread(threads, p.width * (8 if w else 4))
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* g_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_x_data = data_or_null(grad_x)
    cdef int64_t chunk
    if cnp.PyArray_SIZE(weight) == 0:
        return
    k.tile(&p, cnp.PyArray_DATA(weight), tiled)
    with nogil:
        if threads == 1:
            for chunk in range(p.chunks):
                k.backward(&p, chunk, x_data, g_data, tiled, grad_x_data, partial, own[0])
        else:
            for chunk in prange(p.chunks, num_threads=threads, schedule="static"):
                k.backward(&p, chunk, x_data, g_data, tiled, grad_x_data, partial, own[threadid()])
    if grad_weight is not None:
        k.merge(&p, partial, cnp.PyArray_DATA(<cnp.ndarray>grad_weight))
