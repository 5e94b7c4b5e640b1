"""Matrix products, in all transposes: matrices are read where they lie.

Mirrors reference/gemm.py; the arithmetic is in simd/gemm.hh. Threads share blocks of 4 * MR rows by
panels of NR columns, or the members of a batch that has many.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport PACKED, buffer, isa, per_thread, threads_for
from .runtime cimport wide as number_type

cdef extern from "simd/gemm_api.hh" nogil:
    struct GemmKernels:
        int64_t (*packed_size)(const Gemm*) noexcept nogil
        int64_t (*first_packed)(const Gemm*) noexcept nogil
        int64_t (*panels)(const Gemm*) noexcept nogil
        void (*pack)(const Gemm*, int64_t, const void*, void*) noexcept nogil
        int64_t (*tasks)(const Gemm*) noexcept nogil
        int64_t (*task_scratch)(const Gemm*) noexcept nogil
        void (*multiply)(const Gemm*, int64_t, const void*, const void*, const void*, const void*,
                         void*, void*) noexcept nogil
    const GemmKernels* gemm_kernels_for(int isa, int wide)

cnp.import_array()


cdef int multiply(const Gemm* g, int wide, const char* a, const char* b, const char* bias, char* c) except -1:
    """One product. One thread enters no parallel region: that takes as long as a small product."""
    cdef const GemmKernels* kernels = gemm_kernels_for(isa(), wide)
    cdef int64_t tasks = kernels.tasks(g), first = kernels.first_packed(g), panels = kernels.panels(g)
    cdef int threads = threads_for(tasks, g.m * g.n * (g.k // 8 + 1))
    cdef void** own = per_thread(threads, kernels.task_scratch(g) * (8 if wide else 4))
    cdef int64_t task
    cdef void* packed = buffer(PACKED, kernels.packed_size(g) if first < panels else 1, wide)
    with nogil:
        if threads == 1:
            for task in range(first, panels):
                kernels.pack(g, task, b, packed)
            for task in range(tasks):
                kernels.multiply(g, task, a, b, packed, bias, c, own[0])
        else:
            for task in prange(first, panels, num_threads=threads, schedule="static"):
                kernels.pack(g, task, b, packed)
            for task in prange(tasks, num_threads=threads, schedule="dynamic"):
                kernels.multiply(g, task, a, b, packed, bias, c, own[threadid()])
    return 0


cdef int _each(const Gemm* g, int wide, int64_t batch, const char* a, int64_t a_step, const char* b,
               int64_t b_step, const char* bias, char* c) except -1:
    """The product of each member. Threads share many of them, one each, and wait once; of few members
    they share each product."""
    cdef const GemmKernels* kernels = gemm_kernels_for(isa(), wide)
    cdef int64_t first = kernels.first_packed(g), panels = kernels.panels(g), i, task
    cdef int64_t size = 8 if wide else 4, packed = 0, c_step = g.m * g.n * size
    cdef int threads = threads_for(batch, batch * g.m * g.n * (g.k // 8 + 1))
    cdef void** own
    if threads == 1 or batch < 4 * threads:
        for i in range(batch):
            multiply(g, wide, a + i * a_step, b + i * b_step, bias, c + i * c_step)
        return 0
    if first < panels:
        packed = (kernels.packed_size(g) * size + 63) // 64 * 64  # bytes; scratch lies behind them
    own = per_thread(threads, packed + kernels.task_scratch(g) * size)
    for i in prange(batch, num_threads=threads, schedule="static", nogil=True):
        for task in range(first, panels):
            kernels.pack(g, task, b + i * b_step, own[threadid()])
        for task in range(kernels.tasks(g)):
            kernels.multiply(g, task, a + i * a_step, b + i * b_step, own[threadid()], bias,
                             c + i * c_step, <char*>own[threadid()] + packed)
    return 0


def matmul(
    cnp.ndarray a not None,    # IN   (M, K) or (B, M, K), a unit stride in one of the last two axes
    cnp.ndarray b not None,    # IN   (K, N) or (B, K, N), likewise
    bias,                      # IN   (N,) or None
    cnp.ndarray out not None,  # OUT  (M, N) or (B, M, N)
):
    cdef Gemm g
    cdef int w = number_type(a), last = cnp.PyArray_NDIM(a) - 1
    cdef int64_t size = cnp.PyArray_ITEMSIZE(a)
    cdef char* bias_data = NULL
    if bias is not None:
        bias_data = <char*>cnp.PyArray_DATA(<cnp.ndarray>bias)
    g.m, g.n, g.k = a.shape[last - 1], b.shape[last], a.shape[last]
    # An axis of length 1 may have any stride: it counts as contiguous.
    g.a_row = 1 if g.m == 1 and g.k != 1 and a.strides[last] != size else a.strides[last - 1] // size
    g.a_k = 1 if g.k == 1 and g.a_row != 1 else a.strides[last] // size
    g.b_n = 1 if g.n == 1 and b.strides[last - 1] != size else b.strides[last] // size
    g.b_k = 1 if g.k == 1 and g.b_n != 1 else b.strides[last - 1] // size
    if g.m == 0 or g.n == 0:
        return
    if last == 1:
        multiply(&g, w, <const char*>cnp.PyArray_DATA(a), <const char*>cnp.PyArray_DATA(b), bias_data,
                 <char*>cnp.PyArray_DATA(out))
    else:
        _each(&g, w, a.shape[0], <const char*>cnp.PyArray_DATA(a), a.strides[0],
              <const char*>cnp.PyArray_DATA(b), b.strides[0], bias_data, <char*>cnp.PyArray_DATA(out))
