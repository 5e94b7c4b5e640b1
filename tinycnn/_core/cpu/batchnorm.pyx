"""Batch norm: statistics, the normalisation itself, and its gradients.

Mirrors reference/batchnorm.py. The rows of x (M, C) are cut into chunks that depend on M and C alone;
threads share the chunks, and what the chunks found is combined in their order (simd/batchnorm.hh).
"""

from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport (
    PACKED, PARTIAL, buffer, data_or_null, isa, per_thread, threads_for, wide,
)

cdef extern from "simd/batchnorm_api.hh" nogil:
    enum NormTiled:
        NORM_TILED
    enum:
        NORM_ROOM
    struct NormPlan:
        int64_t rows, c, fold, width, chunk_rows, chunks
    NormPlan norm_plan(int64_t rows, int64_t c)
    struct NormKernels:
        void (*statistics)(const NormPlan*, int64_t, const void*, double*, void*) noexcept nogil
        void (*merge_statistics)(const NormPlan*, int64_t, int64_t, double*, void*, void*) noexcept nogil
        void (*tile_apply)(const NormPlan*, const void*, const void*, const void*, const void*,
                           void*) noexcept nogil
        void (*apply)(const NormPlan*, int64_t, int64_t, const void*, const void*, const void*, int,
                      void*) noexcept nogil
        void (*sums)(const NormPlan*, int64_t, const void*, const void*, const void*, const void*, int,
                     void*, double*, void*) noexcept nogil
        void (*merge_sums)(const NormPlan*, int64_t, int64_t, double*, const void*, void*,
                           void*) noexcept nogil
        void (*tile_gradient)(const NormPlan*, const void*, const double*, void*) noexcept nogil
        void (*gradient)(const NormPlan*, int64_t, int64_t, const void*, const void*, const void*, int,
                         int, void*) noexcept nogil
    const NormKernels* norm_kernels_for(int isa, int wide)

cnp.import_array()

ctypedef fused number:
    float
    double

cdef int64_t MERGED = 256  # channels that one thread combines


cdef int64_t _task_bytes(const NormPlan* p, int wide) noexcept:
    return 3 * (p.width + <int64_t>NORM_ROOM) * (8 if wide else 4)


def batch_norm_statistics(
    cnp.ndarray x not None,     # IN   (M, C)
    cnp.ndarray mean not None,  # OUT  (C,)
    cnp.ndarray var not None,   # OUT  (C,), biased
):
    cdef NormPlan p = norm_plan(x.shape[0], x.shape[1])
    cdef int w = wide(x)
    cdef const NormKernels* k = norm_kernels_for(isa(), w)
    cdef int threads = threads_for(p.chunks, p.rows * p.c), mergers
    cdef double* partial = <double*>buffer(PARTIAL, p.chunks * 2 * p.c, 1)
    cdef int64_t chunk, block, blocks = (p.c + MERGED - 1) // MERGED
    cdef void** own = per_thread(threads, _task_bytes(&p, w))
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* mean_data = cnp.PyArray_DATA(mean)
    cdef void* var_data = cnp.PyArray_DATA(var)
    if p.c == 0:
        return
    mergers = threads_for(blocks, p.chunks * p.c)
    with nogil:
        if threads == 1:
            for chunk in range(p.chunks):
                k.statistics(&p, chunk, x_data, partial, own[0])
        else:
            for chunk in prange(p.chunks, num_threads=threads, schedule="static"):
                k.statistics(&p, chunk, x_data, partial, own[threadid()])
        if mergers == 1:
            k.merge_statistics(&p, 0, p.c, partial, mean_data, var_data)
        else:
            for block in prange(blocks, num_threads=mergers, schedule="static"):
                k.merge_statistics(&p, block * MERGED, min(p.c, (block + 1) * MERGED), partial,
                                   mean_data, var_data)


def batch_norm_invstd(
    cnp.ndarray var not None,     # IN   (C,)
    double eps,
    cnp.ndarray invstd not None,  # OUT  (C,)
):
    if wide(var):
        _invstd[double](var, eps, invstd)
    else:
        _invstd[float](var, <float>eps, invstd)


def batch_norm_move(
    cnp.ndarray running not None,  # IN, OUT  (C,), any strides
    cnp.ndarray batch not None,    # IN       (C,)
    double scale,
    double momentum,
):
    if not cnp.PyArray_ISWRITEABLE(running):
        raise ValueError(
            "batch_norm: expected running statistics that can be written in training, got a read-only "
            "array. Make the tensor from a copy."
        )
    if wide(batch):
        _move[double](running, batch, scale, momentum)
    else:
        _move[float](running, batch, scale, momentum)


cdef void _invstd(cnp.ndarray var, number eps, cnp.ndarray invstd) noexcept:
    cdef int64_t c
    cdef const char* source = cnp.PyArray_BYTES(var)
    cdef number* out = <number*>cnp.PyArray_DATA(invstd)
    for c in range(var.shape[0]):
        out[c] = <number>(1 / sqrt((<number*>(source + c * var.strides[0]))[0] + eps))


cdef void _move(cnp.ndarray running, cnp.ndarray batch, number scale, number momentum) noexcept:
    cdef int64_t c
    cdef char* to = cnp.PyArray_BYTES(running)
    cdef number* value
    cdef const number* source = <const number*>cnp.PyArray_DATA(batch)
    for c in range(running.shape[0]):
        value = <number*>(to + c * running.strides[0])
        value[0] = (1 - momentum) * value[0] + momentum * scale * source[c]


def batch_norm_apply(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray mean not None,    # IN   (C,)
    cnp.ndarray invstd not None,  # IN   (C,)
    weight,                       # IN   (C,) or None
    bias,                         # IN   (C,) or None
    residual,                     # IN   (M, C) or None
    bint relu,
    cnp.ndarray y not None,       # OUT  (M, C)
):
    cdef NormPlan p = norm_plan(x.shape[0], x.shape[1])
    cdef int w = wide(x)
    cdef const NormKernels* k = norm_kernels_for(isa(), w)
    cdef int threads = threads_for(p.chunks, p.rows * p.c)
    cdef void* tiled = buffer(PACKED, <int64_t>NORM_TILED * p.width, w)
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* residual_data = data_or_null(residual)
    cdef void* y_data = cnp.PyArray_DATA(y)
    cdef int64_t share
    k.tile_apply(&p, data_or_null(mean), data_or_null(invstd), data_or_null(weight), data_or_null(bias), tiled)
    with nogil:
        if threads == 1:
            k.apply(&p, 0, p.chunks, x_data, residual_data, tiled, relu, y_data)
        else:
            for share in prange(threads, num_threads=threads, schedule="static"):
                k.apply(&p, share * p.chunks // threads, (share + 1) * p.chunks // threads, x_data,
                        residual_data, tiled, relu, y_data)


def batch_norm_backward(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray grad_y not None,  # IN   (M, C)
    y,                            # IN   (M, C): the result, if it was rectified behind a residual
    cnp.ndarray mean not None,    # IN   (C,)
    cnp.ndarray invstd not None,  # IN   (C,)
    weight,                       # IN   (C,) or None
    bias,                         # IN   (C,) or None
    bint relu,                    #      the result was rectified
    bint training,                #      mean and invstd are functions of x
    grad_x,                       # OUT  (M, C) or None
    grad_weight,                  # OUT  (C,), None only together with grad_bias and without training
    grad_bias,                    # OUT  (C,)
    grad_residual,                # OUT  (M, C), with y
):
    cdef NormPlan p = norm_plan(x.shape[0], x.shape[1])
    cdef int w = wide(x)
    cdef const NormKernels* k = norm_kernels_for(isa(), w)
    cdef int threads = threads_for(p.chunks, p.rows * p.c)
    cdef void* tiled = buffer(PACKED, <int64_t>NORM_TILED * p.width, w)
    cdef double* partial = <double*>buffer(PARTIAL, max(p.chunks, 1) * 2 * p.c, 1)
    cdef void** own = per_thread(threads, _task_bytes(&p, w))
    cdef int64_t chunk, share
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* g_data = cnp.PyArray_DATA(grad_y)
    cdef void* y_data = data_or_null(y)
    cdef void* grad_x_data = data_or_null(grad_x)
    cdef void* masked_data = data_or_null(grad_residual)
    k.tile_apply(&p, data_or_null(mean), data_or_null(invstd), data_or_null(weight), data_or_null(bias),
                 tiled)
    if grad_weight is not None or y is not None:
        with nogil:
            if threads == 1:
                for chunk in range(p.chunks):
                    k.sums(&p, chunk, x_data, g_data, y_data, tiled, relu, masked_data, partial,
                           own[0])
            else:
                for chunk in prange(p.chunks, num_threads=threads, schedule="static"):
                    k.sums(&p, chunk, x_data, g_data, y_data, tiled, relu, masked_data, partial,
                           own[threadid()])
    if grad_weight is not None:
        k.merge_sums(&p, 0, p.c, partial, data_or_null(invstd), data_or_null(grad_weight),
                     data_or_null(grad_bias))
    if grad_x is None:
        return
    if training:
        k.tile_gradient(&p, data_or_null(invstd), partial, tiled)
    if y is not None:  # the first read has rectified the gradient
        g_data, relu = masked_data, False
    with nogil:
        if threads == 1:
            k.gradient(&p, 0, p.chunks, x_data, g_data, tiled, training, relu, grad_x_data)
        else:
            for share in prange(threads, num_threads=threads, schedule="static"):
                k.gradient(&p, share * p.chunks // threads, (share + 1) * p.chunks // threads, x_data,
                           g_data, tiled, training, relu, grad_x_data)
