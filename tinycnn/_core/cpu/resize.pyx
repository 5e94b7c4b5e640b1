"""Resizing feature maps, and the gradient, which is the same sum with the tables transposed.

Mirrors reference/resize.py. Arrays lie as (N, D, H, W, C); the arithmetic is in simd/resize.hh.
Threads share the rows of what is written.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t
cimport numpy as cnp
from .runtime cimport isa, per_thread, threads_for, wide

from ..reference.resize_table import resize_table

cdef extern from "simd/resize_api.hh" nogil:
    struct ResizeTable:
        int64_t size, out, most
        const int32_t* spans
        const void* weights
    struct ResizePlan:
        ResizeTable axis[3]
        int64_t images, c
    ctypedef void (*Row "decltype(ResizeKernels::row)")(
        const ResizePlan*, int64_t, const void*, void*, void*) noexcept nogil
    struct ResizeKernels:
        int64_t (*scratch)(const ResizePlan*) noexcept
        Row row
    const ResizeKernels* resize_kernels_for(int isa, int wide)

cnp.import_array()


cdef tuple _plan(ResizePlan* p, cnp.ndarray x, cnp.ndarray y, axes, bint transposed):
    """Sizes and tables; returns what must live as long as the plan."""
    cdef cnp.ndarray spans, weights
    cdef int a
    tables = tuple([resize_table(axis, x.dtype, transposed) for axis in axes])
    for a in range(3):
        spans, weights = tables[a]
        size, out = axes[a][:2][::-1] if transposed else axes[a][:2]
        if size != x.shape[1 + a] or out != y.shape[1 + a]:
            raise ValueError(f"resize: expected tables for {y.shape[1 + a]} places of "
                             f"{x.shape[1 + a]} pixels, got them for {out} of {size}.")
        p.axis[a].size, p.axis[a].out, p.axis[a].most = size, out, weights.shape[1]
        p.axis[a].spans = <const int32_t*>cnp.PyArray_DATA(spans)
        p.axis[a].weights = cnp.PyArray_DATA(weights)
    p.images, p.c = x.shape[0], x.shape[4]
    return tables


cdef int _resize(cnp.ndarray x, cnp.ndarray y, axes, bint transposed) except -1:
    cdef ResizePlan p
    cdef const ResizeKernels* k = resize_kernels_for(isa(), wide(x))
    cdef Row kernel = k.row
    cdef int64_t rows = y.shape[0] * y.shape[1] * y.shape[2], row
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* y_data = cnp.PyArray_DATA(y)
    cdef void** own
    cdef int threads
    if cnp.PyArray_SIZE(y) == 0:
        return 0
    tables = _plan(&p, x, y, axes, transposed)
    threads = threads_for(rows, cnp.PyArray_SIZE(x) + cnp.PyArray_SIZE(y))
    own = per_thread(threads, k.scratch(&p))
    with nogil:
        if threads == 1:
            for row in range(rows):
                kernel(&p, row, x_data, y_data, own[0])
        else:
            for row in prange(rows, num_threads=threads, schedule="static"):
                kernel(&p, row, x_data, y_data, own[threadid()])
    return 0


def resize_forward(
    cnp.ndarray x not None,       # IN   (N, D, H, W, C)
    cnp.ndarray y not None,       # OUT  (N, OD, OH, OW, C)
    axes,                         #      three shapes.ResizeAxis
):
    _resize(x, y, axes, False)


def resize_backward(
    cnp.ndarray grad_y not None,  # IN   (N, OD, OH, OW, C)
    cnp.ndarray grad_x not None,  # OUT  (N, D, H, W, C)
    axes,                         #      three shapes.ResizeAxis
):
    _resize(grad_y, grad_x, axes, True)
