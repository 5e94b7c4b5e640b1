"""Local response normalisation of rows. Mirrors reference/local_response.py; the arithmetic is in
simd/local_response.hh. Rows have nothing to do with each other: threads share blocks of them."""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport isa, per_thread, threads_for, wide

cdef extern from "simd/local_response_api.hh" nogil:
    enum LocalResponsePower:
        THREE_QUARTERS
        HALF
        WHOLE
        LOGARITHM
        LIBRARY
    struct LocalResponse:
        int64_t rows, c, before, after
        double alpha, beta, k
        int power
    struct LocalResponseKernels:
        int64_t (*scratch)(const LocalResponse*) noexcept nogil
        void (*forward)(const LocalResponse*, int64_t, int64_t, const void*, void*, void*) noexcept nogil
        void (*backward)(const LocalResponse*, int64_t, int64_t, const void*, const void*, void*,
                         void*) noexcept nogil
    const LocalResponseKernels* local_response_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t BLOCK = 16384  # numbers of a block of rows, about


cdef LocalResponse _plan(cnp.ndarray x, int64_t size, double alpha, double beta, double k) noexcept:
    cdef LocalResponse p
    p.rows, p.c = x.shape[0], x.shape[1]
    p.before, p.after = min(size // 2, p.c - 1), min((size - 1) // 2, p.c - 1)
    p.alpha, p.beta, p.k = alpha / size, beta, k
    if beta == 0.75:
        p.power = THREE_QUARTERS
    elif beta == 0.5:
        p.power = HALF
    elif beta == 1:
        p.power = WHOLE
    else:
        p.power = LOGARITHM if k > 1e-30 and alpha >= 0 and beta != 0 else LIBRARY
    return p


def local_response_forward(
    cnp.ndarray x not None,  # IN   (M, C)
    cnp.ndarray y not None,  # OUT  (M, C)
    int64_t size,
    double alpha,
    double beta,
    double k,
):
    cdef LocalResponse p = _plan(x, size, alpha, beta, k)
    cdef const LocalResponseKernels* table = local_response_kernels_for(isa(), wide(x))
    cdef int64_t rows = max(BLOCK // max(p.c, 1), 1), block, blocks = (p.rows + rows - 1) // rows
    cdef int threads = threads_for(blocks, p.rows * p.c)
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* y_data = cnp.PyArray_DATA(y)
    cdef void** own
    if p.rows * p.c == 0:
        return
    own = per_thread(threads, table.scratch(&p))
    for block in prange(blocks, num_threads=threads, schedule="static", nogil=True):
        table.forward(&p, block * rows, min((block + 1) * rows, p.rows), x_data, y_data,
                      own[threadid()])


def local_response_backward(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray grad_y not None,  # IN   (M, C)
    cnp.ndarray grad_x not None,  # OUT  (M, C)
    int64_t size,
    double alpha,
    double beta,
    double k,
):
    cdef LocalResponse p = _plan(x, size, alpha, beta, k)
    cdef const LocalResponseKernels* table = local_response_kernels_for(isa(), wide(x))
    cdef int64_t rows = max(BLOCK // max(p.c, 1), 1), block, blocks = (p.rows + rows - 1) // rows
    cdef int threads = threads_for(blocks, p.rows * p.c)
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    cdef void** own
    if p.rows * p.c == 0:
        return
    own = per_thread(threads, table.scratch(&p))
    for block in prange(blocks, num_threads=threads, schedule="static", nogil=True):
        table.backward(&p, block * rows, min((block + 1) * rows, p.rows), x_data, grad_y_data,
                       grad_x_data, own[threadid()])
