"""Group norm, and with it layer, instance and RMS norm.

Mirrors reference/group_norm.py; the arithmetic is in simd/group_norm.hh, and in simd/row_norm.hh for
rows that are a group each. Threads share blocks of images, of a size that depends on sizes alone,
and each reads an image again while it is in its cache; where there are too few images for that, they
share chunks of pixels. The sums for weight and bias of all blocks are added up in their order.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport PACKED, PARTIAL, buffer, data_or_null, isa, per_thread, threads_for, wide

cdef extern from "simd/batchnorm_api.hh" nogil:
    struct NormPlan:
        int64_t rows, c, fold, width, chunk_rows, chunks
    NormPlan norm_plan(int64_t rows, int64_t c)

cdef extern from "simd/group_norm_api.hh" nogil:
    struct GroupNorm:
        NormPlan image
        int64_t images, groups
        double eps
    struct GroupNormArrays:
        const void* x
        const void* grad_y
        const void* weight
        const void* bias
        void* mean
        void* var
        void* y
        void* grad_x
    struct GroupNormKernels:
        int64_t (*scratch)(const GroupNorm*) noexcept nogil
        void (*forward)(const GroupNorm*, int64_t, int64_t, const GroupNormArrays*, void*) noexcept nogil
        void (*backward)(const GroupNorm*, int64_t, int64_t, const GroupNormArrays*, double*,
                         void*) noexcept nogil
        void (*statistics)(const GroupNorm*, int64_t, const GroupNormArrays*, double*, void*) noexcept nogil
        void (*merge_statistics)(const GroupNorm*, int64_t, const GroupNormArrays*, double*) noexcept nogil
        void (*apply)(const GroupNorm*, int64_t, const GroupNormArrays*, void*) noexcept nogil
        void (*sums)(const GroupNorm*, int64_t, const GroupNormArrays*, double*, void*) noexcept nogil
        void (*merge_sums)(const GroupNorm*, int64_t, const GroupNormArrays*, double*,
                           double*) noexcept nogil
        void (*gradient)(const GroupNorm*, int64_t, const GroupNormArrays*, const double*,
                         void*) noexcept nogil
        void (*row_forward)(const GroupNorm*, int64_t, int64_t, const GroupNormArrays*, int) noexcept nogil
        void (*row_backward)(const GroupNorm*, int64_t, int64_t, const GroupNormArrays*, int, double*,
                             void*) noexcept nogil
    const GroupNormKernels* group_norm_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t BLOCK = 16384  # numbers of a block of images, at least


cdef struct Shares:
    int64_t images, count  # of a block; blocks
    int threads
    bint rows    # an image is a row
    bint chunks  # threads share chunks, not blocks


cdef GroupNorm _plan(cnp.ndarray x, cnp.ndarray var, double eps) noexcept:
    cdef GroupNorm p
    p.image = norm_plan(x.shape[1], x.shape[2])
    p.images, p.groups, p.eps = x.shape[0], var.shape[1], eps
    return p


cdef Shares _shares(const GroupNorm* p) noexcept:
    cdef Shares s
    cdef int64_t numbers = p.image.rows * p.image.c, blocks = max(p.images * numbers // BLOCK, 1)
    s.images = max((p.images + blocks - 1) // blocks, 1)
    s.count = (p.images + s.images - 1) // s.images
    s.rows = p.image.rows == 1 and p.groups == 1
    s.threads = threads_for(max(s.count, p.images * p.image.chunks), p.images * numbers)
    s.chunks = (s.threads > 1 and not s.rows and p.image.chunks > 1 and s.images == 1
                and s.count < 4 * s.threads)
    return s


cdef int _check_center(const Shares* s, mean) except -1:
    if mean is None and not s.rows:
        raise ValueError("group_norm: expected a mean, or images (N, 1, C) of one group.")
    return 0


def group_norm_forward(
    cnp.ndarray x not None,    # IN   (N, M, C)
    weight,                    # IN   (C,) or None
    bias,                      # IN   (C,) or None
    double eps,
    mean,                      # OUT  (N, G), or None: nothing is subtracted
    cnp.ndarray var not None,  # OUT  (N, G)
    cnp.ndarray y not None,    # OUT  (N, M, C)
):
    cdef GroupNorm p = _plan(x, var, eps)
    cdef const GroupNormKernels* k = group_norm_kernels_for(isa(), wide(x))
    cdef Shares s = _shares(&p)
    cdef GroupNormArrays a
    cdef void** own
    cdef double* partial = NULL
    cdef int64_t i, tasks = p.images * p.image.chunks
    cdef int centered = mean is not None
    _check_center(&s, mean)
    if cnp.PyArray_SIZE(x) == 0:
        for statistic in (mean, var):
            if statistic is not None:
                statistic.fill(0)
        return
    a.x, a.weight, a.bias = cnp.PyArray_DATA(x), data_or_null(weight), data_or_null(bias)
    a.mean, a.var, a.y = data_or_null(mean), cnp.PyArray_DATA(var), cnp.PyArray_DATA(y)
    a.grad_y, a.grad_x = NULL, NULL
    own = per_thread(s.threads, k.scratch(&p))
    if s.chunks:
        partial = <double*>buffer(PARTIAL, tasks * 2 * p.image.c, 1)
    with nogil:
        if s.rows:
            for i in prange(s.count, num_threads=s.threads, schedule="static"):
                k.row_forward(&p, i * s.images, min((i + 1) * s.images, p.images), &a, centered)
        elif not s.chunks:
            for i in prange(s.count, num_threads=s.threads, schedule="static"):
                k.forward(&p, i * s.images, min((i + 1) * s.images, p.images), &a, own[threadid()])
        else:
            for i in prange(tasks, num_threads=s.threads, schedule="static"):
                k.statistics(&p, i, &a, partial, own[threadid()])
            for i in range(p.images):
                k.merge_statistics(&p, i, &a, partial)
            for i in prange(tasks, num_threads=s.threads, schedule="static"):
                k.apply(&p, i, &a, own[threadid()])


def group_norm_backward(
    cnp.ndarray x not None,       # IN   (N, M, C)
    cnp.ndarray grad_y not None,  # IN   (N, M, C)
    weight,                       # IN   (C,) or None
    double eps,
    mean,                         # IN   (N, G) or None
    cnp.ndarray var not None,     # IN   (N, G)
    grad_x,                       # OUT  (N, M, C) or None
    grad_weight,                  # OUT  (C,) or None
    grad_bias,                    # OUT  (C,) or None
):
    cdef GroupNorm p = _plan(x, var, eps)
    cdef const GroupNormKernels* k = group_norm_kernels_for(isa(), wide(x))
    cdef Shares s = _shares(&p)
    cdef GroupNormArrays a
    cdef void** own
    cdef double* partial = NULL
    cdef double* totals
    cdef int64_t i, tasks = p.images * p.image.chunks, width = 2 * p.image.c
    cdef bint summed = grad_weight is not None or grad_bias is not None
    _check_center(&s, mean)
    if cnp.PyArray_SIZE(x) == 0:
        for grad in (grad_weight, grad_bias):
            if grad is not None:
                grad.fill(0)
        return
    a.x, a.grad_y, a.weight = cnp.PyArray_DATA(x), cnp.PyArray_DATA(grad_y), data_or_null(weight)
    a.mean, a.var, a.grad_x = data_or_null(mean), cnp.PyArray_DATA(var), data_or_null(grad_x)
    a.bias, a.y = NULL, NULL
    if not summed and grad_x is None:
        return
    own = per_thread(s.threads, k.scratch(&p))
    totals = <double*>buffer(PACKED, s.count * width, 1)
    if s.chunks:
        partial = <double*>buffer(PARTIAL, tasks * width, 1)
    with nogil:
        if s.rows:
            _rows_backward(&p, &s, k, &a, mean is not None, totals if summed else NULL, own)
        elif not s.chunks:
            for i in prange(s.count, num_threads=s.threads, schedule="static"):
                k.backward(&p, i * s.images, min((i + 1) * s.images, p.images), &a,
                           totals + i * width, own[threadid()])
        else:
            for i in prange(tasks, num_threads=s.threads, schedule="static"):
                k.sums(&p, i, &a, partial, own[threadid()])
            for i in range(p.images):
                k.merge_sums(&p, i, &a, partial, totals + i * width)
            if a.grad_x != NULL:
                for i in prange(tasks, num_threads=s.threads, schedule="static"):
                    k.gradient(&p, i, &a, partial, own[threadid()])
    for grad, place in (grad_bias, 0), (grad_weight, p.image.c):
        if grad is not None:
            _add_up(totals + <int64_t>place, s.count, width, grad)


cdef void _rows_backward(const GroupNorm* p, const Shares* s, const GroupNormKernels* k,
                         const GroupNormArrays* a, int centered, double* totals,
                         void** own) noexcept nogil:
    cdef int64_t i
    for i in prange(s.count, num_threads=s.threads, schedule="static"):
        k.row_backward(p, i * s.images, min((i + 1) * s.images, p.images), a, centered,
                       totals + i * 2 * p.image.c if totals != NULL else NULL, own[threadid()])


cdef int _add_up(double* totals, int64_t blocks, int64_t step, cnp.ndarray grad) except -1:
    """grad[c] = the sum of totals[block][c] over the blocks, in their order."""
    cdef int64_t block, c, channels = grad.shape[0]
    cdef int w = wide(grad)
    cdef void* out = cnp.PyArray_DATA(grad)
    for block in range(1, blocks):
        for c in range(channels):
            totals[c] += totals[block * step + c]
    for c in range(channels):
        if w:
            (<double*>out)[c] = totals[c]
        else:
            (<float*>out)[c] = <float>totals[c]
    return 0
