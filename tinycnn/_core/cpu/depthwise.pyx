"""Depthwise convolution in patches: how it is shared out.

The arithmetic is in simd/depthwise.hh. Threads share parts of the maps, strips of patches; each number
is made by one thread, in one order.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport Gather
from .runtime cimport PACKED, PARTIAL, buffer, data_or_null, isa, threads_for, wide

cdef extern from "simd/depthwise_api.hh" nogil:
    struct DepthwiseKernels:
        int64_t (*fits)(const Gather*) noexcept nogil
        int64_t (*packed_size)(const Gather*) noexcept nogil
        void (*pack)(const Gather*, const void*, void*) noexcept nogil
        int64_t (*strips)(const Gather*) noexcept nogil
        void (*forward)(const Gather*, int64_t, int64_t, const void*, const void*, const void*,
                        void*) noexcept nogil
        int64_t (*backward_strips)(const Gather*) noexcept nogil
        void (*backward)(const Gather*, int64_t, int64_t, const void*, const void*, const void*,
                         const void*, void*, void*) noexcept nogil
        void (*finish)(const Gather*, int64_t, const void*, void*) noexcept nogil
    const DepthwiseKernels* depthwise_kernels_for(int isa, int wide)

cnp.import_array()

# Parts that sum the gradient of the weights on their own: cut by size, and added in order.
cdef int64_t PARTS = 16


cdef bint depthwise_fits(const Gather* g, int wide) noexcept:
    """Whether the forward gather is one of these."""
    return depthwise_kernels_for(isa(), wide).fits(g)


cdef int run_depthwise(const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y) except -1:
    """Forward pass."""
    cdef int w = wide(x)
    cdef const DepthwiseKernels* k = depthwise_kernels_for(isa(), w)
    cdef int64_t strips = k.strips(g), part
    cdef int threads = threads_for(strips, g.pixels() * g.groups * (g.depth() // 8 + 1))
    # A strip asks for the memory of the next one, which the same thread should compute.
    cdef int64_t parts = min(strips, 8 * threads)
    cdef void* packed = buffer(PACKED, k.packed_size(g), w)
    cdef const void* x_data = data_or_null(x)
    cdef const void* bias_data = data_or_null(bias)
    cdef void* y_data = data_or_null(y)
    k.pack(g, data_or_null(weight), packed)
    with nogil:
        for part in prange(parts, num_threads=threads, schedule="dynamic", use_threads_if=threads > 1):
            k.forward(g, strips * part // parts, strips * (part + 1) // parts, x_data, packed,
                      bias_data, y_data)


cdef int run_depthwise_backward(const Gather* g, x, cnp.ndarray grad_y, weight, bias, grad_x,
                                const Gather* of_weight, grad_weight) except -1:
    """Gradients of input and weights in one pass over grad_y and x, or the one that is not None: that
    of the input needs no x, that of the weights no weight. of_weight has the strides of grad_weight."""
    cdef int w = wide(grad_y)
    cdef const DepthwiseKernels* k = depthwise_kernels_for(isa(), w)
    cdef int64_t strips = k.backward_strips(g), parts = min(strips, PARTS), size = k.packed_size(g), part
    cdef int threads = threads_for(parts, g.pixels() * g.groups * (g.depth() // 8 + 1))
    cdef int64_t step = size * (8 if w else 4)
    cdef void* packed = NULL
    cdef char* partial = NULL
    cdef const void* x_data = data_or_null(x)
    cdef const void* y_data = data_or_null(grad_y)
    cdef const void* bias_data = data_or_null(bias)
    cdef void* grad_x_data = data_or_null(grad_x)
    if grad_x is not None:
        packed = buffer(PACKED, size, w)
        k.pack(g, data_or_null(weight), packed)
    if grad_weight is None:
        step = 0
    else:
        partial = <char*>buffer(PARTIAL, parts * size, w)
    with nogil:
        for part in prange(parts, num_threads=threads, schedule="dynamic", use_threads_if=threads > 1):
            k.backward(g, strips * part // parts, strips * (part + 1) // parts, x_data, y_data, packed,
                       bias_data, grad_x_data, NULL if step == 0 else partial + part * step)
    if grad_weight is None:
        return 0
    if parts == 0:
        (<cnp.ndarray>grad_weight)[...] = 0
    else:
        k.finish(of_weight, parts, partial, data_or_null(grad_weight))
    return 0
