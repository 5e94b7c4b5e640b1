"""Winograd's convolution of 3x3 and 5x5 windows moved by one pixel: where it is used, and how it is
shared out.

The arithmetic is in simd/winograd.hh. Threads share panels of weights, then blocks of tiles by
groups of written channels; each number is made by one thread, in one order.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport Gather
from .runtime cimport PACKED, PARTIAL, buffer, isa, per_thread, threads_for, wide

cdef extern from "simd/winograd_api.hh" nogil:
    struct Winograd:
        int64_t blocks, panels, groups
        bint packs
    struct WinogradSums:
        int64_t rounds
        int64_t sees() noexcept nogil
        int64_t tasks() noexcept nogil
        int64_t blocks() noexcept nogil
        bint finishes() noexcept nogil
    struct WinogradKernels:
        Winograd (*plan)(const Gather*, int64_t threads) noexcept nogil
        int64_t (*packed_size)(const Gather*, const Winograd*) noexcept nogil
        int64_t (*scratch)(const Gather*, const Winograd*) noexcept nogil
        void (*pack)(const Gather*, const Winograd*, int64_t, const void*, void*) noexcept nogil
        void (*tile)(const Gather*, const Winograd*, int64_t, const void*, const void*, const void*,
                     const void*, void*, void*) noexcept nogil
        WinogradSums (*weight_plan)(const Gather*) noexcept nogil
        int64_t (*weight_seen)(const WinogradSums*) noexcept nogil
        int64_t (*weight_partial)(const WinogradSums*) noexcept nogil
        int64_t (*weight_scratch)(const WinogradSums*) noexcept nogil
        void (*weight_see)(const Gather*, const WinogradSums*, int64_t, int64_t, const void*,
                           const void*, void*) noexcept nogil
        void (*weight_sum)(const Gather*, const WinogradSums*, int64_t, int64_t, const void*,
                           const void*, void*, void*, void*, void*) noexcept nogil
        void (*weight_finish)(const Gather*, const WinogradSums*, int64_t, const void*, void*) noexcept nogil
    bint winograd_fits(const Gather&)
    bint winograd_pays(const Gather&)
    const WinogradKernels* winograd_kernels_for(int isa, int wide)

cnp.import_array()


cdef int64_t winograd_tile(const Gather* g, str algorithm) except -1:
    """Outputs of a tile along each axis, 2 or 4; 0 where another algorithm is faster, or named."""
    if not winograd_fits(g[0]) or algorithm not in ("auto", "winograd"):
        return 0
    if algorithm == "auto" and not winograd_pays(g[0]):
        return 0
    return 2 if g.axis[1].taps == 5 else 4


cdef int run_winograd(const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y) except -1:
    """Forward pass, or gradient of the input. Threads share blocks of tiles by groups of panels."""
    cdef int w = wide(x)
    cdef const WinogradKernels* k = winograd_kernels_for(isa(), w)
    cdef int64_t work = g.pixels() * g.oc * g.c
    cdef Winograd plan = k.plan(g, threads_for(work, work))
    cdef int64_t tasks = plan.blocks * plan.groups, panels = plan.panels if plan.packs else 0, task
    cdef int threads = threads_for(tasks, work), packers = threads_for(panels, g.oc * g.c * g.taps())
    cdef void** own = per_thread(threads, k.scratch(g, &plan) * (8 if w else 4))
    cdef void* packed = buffer(PACKED, k.packed_size(g, &plan), w)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* w_data = cnp.PyArray_DATA(weight)
    cdef void* bias_data = NULL if bias is None else cnp.PyArray_DATA(<cnp.ndarray>bias)
    cdef void* y_data = cnp.PyArray_DATA(y)
    with nogil:
        for task in prange(panels, num_threads=packers, schedule="static", use_threads_if=packers > 1):
            k.pack(g, &plan, task, w_data, packed)
        for task in prange(tasks, num_threads=threads, schedule="dynamic", use_threads_if=threads > 1):
            k.tile(g, &plan, task, x_data, w_data, packed, bias_data, y_data, own[threadid()])
    return 0


cdef int run_winograd_weight(const Gather* g, cnp.ndarray x, cnp.ndarray grad_y,
                             cnp.ndarray grad_weight) except -1:
    """The gradient of the weights. Threads share what tiles see, where tasks do, then blocks of channels
    by chunks of tiles or parts of positions."""
    cdef int w = wide(x)
    cdef const WinogradKernels* k = winograd_kernels_for(isa(), w)
    cdef WinogradSums plan = k.weight_plan(g)
    cdef int64_t sees = plan.sees(), blocks = plan.blocks(), tasks = plan.tasks(), turn, task
    cdef int threads = threads_for(tasks, g.pixels() * g.oc * g.c)
    cdef void** own = per_thread(threads, k.weight_scratch(&plan) * (8 if w else 4))
    cdef void* seen = buffer(PACKED, k.weight_seen(&plan), w)
    cdef void* partial = buffer(PARTIAL, k.weight_partial(&plan), w)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_weight_data = cnp.PyArray_DATA(grad_weight)
    with nogil:
        for turn in range(plan.rounds):
            for task in prange(sees, num_threads=threads, schedule="static", use_threads_if=threads > 1):
                k.weight_see(g, &plan, turn, task, x_data, grad_y_data, seen)
            for task in prange(tasks, num_threads=threads, schedule="dynamic", use_threads_if=threads > 1):
                k.weight_sum(g, &plan, turn, task, x_data, grad_y_data, seen, partial,
                             grad_weight_data, own[threadid()])
        if not plan.finishes():
            for task in prange(blocks, num_threads=threads, schedule="static", use_threads_if=threads > 1):
                k.weight_finish(g, &plan, task, partial, grad_weight_data)
    return 0
