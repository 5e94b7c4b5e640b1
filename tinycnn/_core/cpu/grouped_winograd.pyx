"""Winograd's convolution of narrow groups: where it is used, and how it is shared out.

The arithmetic is in simd/grouped_winograd.hh. Threads share blocks of tiles by blocks of channels; each
number is made by one thread, in one order.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport Gather
from .runtime cimport PARTIAL, buffer, isa, per_thread, threads_for, wide

cdef extern from "simd/grouped_winograd_api.hh" nogil:
    struct GroupedWinograd:
        int64_t unit_blocks, chunks
    struct GroupedWinogradKernels:
        int64_t (*fits)(const Gather*) noexcept nogil
        GroupedWinograd (*plan)(const Gather*) noexcept nogil
        GroupedWinograd (*weight_plan)(const Gather*) noexcept nogil
        int64_t (*scratch)(const Gather*, const GroupedWinograd*) noexcept nogil
        void (*tiles)(const Gather*, const GroupedWinograd*, int64_t, const void*, const void*,
                      const void*, void*, void*) noexcept nogil
        int64_t (*weight_partial)(const Gather*, const GroupedWinograd*) noexcept nogil
        int64_t (*weight_scratch)(const Gather*, const GroupedWinograd*) noexcept nogil
        void (*weight_sum)(const Gather*, const GroupedWinograd*, int64_t, const void*, const void*,
                           void*, void*, void*) noexcept nogil
        void (*weight_finish)(const Gather*, const GroupedWinograd*, int64_t, const void*,
                              void*) noexcept nogil
    bint grouped_winograd_pays(const Gather&)
    const GroupedWinogradKernels* grouped_winograd_kernels_for(int isa, int wide)

cnp.import_array()


cdef int64_t grouped_winograd_tile(const Gather* g, int wide, str algorithm) except -1:
    """Pixels of a tile along each axis, 4; 0 where another algorithm is faster, or named."""
    if g.groups == 1 or algorithm not in ("auto", "winograd"):
        return 0
    if not grouped_winograd_kernels_for(isa(), wide).fits(g):
        return 0
    return 4 if algorithm == "winograd" or grouped_winograd_pays(g[0]) else 0


cdef int run_grouped_winograd(const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias,
                              cnp.ndarray y) except -1:
    """Forward pass, or gradient of the input."""
    cdef int w = wide(x)
    cdef const GroupedWinogradKernels* k = grouped_winograd_kernels_for(isa(), w)
    cdef GroupedWinograd plan = k.plan(g)
    cdef int64_t tasks = plan.chunks * plan.unit_blocks, task
    cdef int threads = threads_for(tasks, g.pixels() * g.oc * g.groups * 8)
    cdef void** own = per_thread(threads, k.scratch(g, &plan) * (8 if w else 4))
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* w_data = cnp.PyArray_DATA(weight)
    cdef void* bias_data = NULL if bias is None else cnp.PyArray_DATA(<cnp.ndarray>bias)
    cdef void* y_data = cnp.PyArray_DATA(y)
    with nogil:
        for task in prange(tasks, num_threads=threads, schedule="dynamic", use_threads_if=threads > 1):
            k.tiles(g, &plan, task, x_data, w_data, bias_data, y_data, own[threadid()])
    return 0


cdef int run_grouped_winograd_weight(const Gather* g, cnp.ndarray x, cnp.ndarray grad_y,
                                     cnp.ndarray grad_weight) except -1:
    """The gradient of the weights; chunks of tiles are added where there are several."""
    cdef int w = wide(x)
    cdef const GroupedWinogradKernels* k = grouped_winograd_kernels_for(isa(), w)
    cdef GroupedWinograd plan = k.weight_plan(g)
    cdef int64_t blocks = plan.unit_blocks, tasks = plan.chunks * blocks, task
    cdef int threads = threads_for(tasks, g.pixels() * g.oc * g.groups * 8)
    cdef int finishers = threads_for(blocks, g.groups * g.oc * g.c * 36)
    cdef void** own = per_thread(threads, k.weight_scratch(g, &plan) * (8 if w else 4))
    cdef void* partial = buffer(PARTIAL, k.weight_partial(g, &plan), w)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_weight_data = cnp.PyArray_DATA(grad_weight)
    with nogil:
        for task in prange(tasks, num_threads=threads, schedule="dynamic", use_threads_if=threads > 1):
            k.weight_sum(g, &plan, task, x_data, grad_y_data, partial, grad_weight_data, own[threadid()])
        if plan.chunks > 1:
            for task in prange(blocks, num_threads=finishers, schedule="static",
                               use_threads_if=finishers > 1):
                k.weight_finish(g, &plan, task, partial, grad_weight_data)
    return 0
