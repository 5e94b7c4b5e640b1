"""Sampling feature maps at the places of a grid, and the gradients.

Mirrors reference/grid_sample.py. Arrays lie as (N, D, H, W, C); the arithmetic is in
simd/grid_sample.hh. Threads share places of y, but images and blocks of channels for the gradient
of x, which has the sums of each in one order.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport isa, threads_for, wide

cdef extern from "simd/grid_sample_api.hh" nogil:
    struct GridPlan:
        int64_t images, c, places
        int64_t size[3]
        int64_t row
        int axes, padding, align_corners
    ctypedef void (*Forward "GridKernels::Forward")(
        const GridPlan*, int64_t, const void*, const void*, void*) noexcept nogil
    ctypedef void (*Scatter "GridKernels::Scatter")(
        const GridPlan*, int64_t, const void*, const void*, void*) noexcept nogil
    ctypedef void (*Slopes "GridKernels::Slopes")(
        const GridPlan*, int64_t, const void*, const void*, const void*, void*) noexcept nogil
    struct GridKernels:
        Forward forward[3]
        Scatter scatter[3]
        Slopes slopes[3]
    const GridKernels* grid_kernels_for(int isa, int wide)
    int64_t GRID_CHANNELS

cnp.import_array()

cdef tuple MODES = ("nearest", "bilinear", "bicubic")
cdef tuple PADDINGS = ("zeros", "border", "reflection")
cdef int64_t BLOCK_NUMBERS = 4096  # of a task, about


cdef GridPlan _plan(cnp.ndarray x, cnp.ndarray grid, padding, bint align_corners) except *:
    cdef GridPlan p
    cdef int i
    p.images, p.c, p.places = x.shape[0], x.shape[4], grid.shape[1] * grid.shape[2] * grid.shape[3]
    for i in range(3):
        p.size[i] = x.shape[1 + i]
    p.row = max(BLOCK_NUMBERS // max(p.c, 1), 1)
    p.axes, p.padding, p.align_corners = <int>grid.shape[4], PADDINGS.index(padding), align_corners
    return p


def grid_sample_forward(
    cnp.ndarray x not None,       # IN   (N, D, H, W, C)
    cnp.ndarray grid not None,    # IN   (N, OD, OH, OW, 2 or 3)
    cnp.ndarray y not None,       # OUT  (N, OD, OH, OW, C)
    mode,                         #      "nearest", "bilinear", "bicubic"
    padding,                      #      "zeros", "border", "reflection"
    bint align_corners,
):
    cdef GridPlan p = _plan(x, grid, padding, align_corners)
    cdef Forward kernel = grid_kernels_for(isa(), wide(x)).forward[<int>MODES.index(mode)]
    cdef int64_t tasks = (p.images * p.places + p.row - 1) // p.row, task
    cdef int threads = threads_for(tasks, 4 * cnp.PyArray_SIZE(y))
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* grid_data = cnp.PyArray_DATA(grid)
    cdef void* y_data = cnp.PyArray_DATA(y)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                kernel(&p, task, x_data, grid_data, y_data)
        else:
            for task in prange(tasks, num_threads=threads, schedule="static"):
                kernel(&p, task, x_data, grid_data, y_data)


def grid_sample_backward(
    cnp.ndarray x not None,       # IN   (N, D, H, W, C)
    cnp.ndarray grid not None,    # IN   (N, OD, OH, OW, 2 or 3)
    cnp.ndarray grad_y not None,  # IN   (N, OD, OH, OW, C)
    grad_x,                       # OUT  as x, or None
    grad_grid,                    # OUT  as grid, or None
    mode,                         #      "nearest", "bilinear", "bicubic"
    padding,                      #      "zeros", "border", "reflection"
    bint align_corners,
):
    cdef GridPlan p = _plan(x, grid, padding, align_corners)
    cdef int taps = MODES.index(mode)
    if grad_x is not None:
        _scatter(&p, taps, grid, grad_y, grad_x)
    if grad_grid is not None:
        _slopes(&p, taps, x, grid, grad_y, grad_grid)


cdef int _scatter(const GridPlan* p, int mode, cnp.ndarray grid, cnp.ndarray grad_y,
                  cnp.ndarray grad_x) except -1:
    cdef Scatter kernel = grid_kernels_for(isa(), wide(grad_x)).scatter[mode]
    cdef int64_t tasks = p.images * ((p.c + GRID_CHANNELS - 1) // GRID_CHANNELS), task
    cdef int threads = threads_for(tasks, 4 * cnp.PyArray_SIZE(grad_y))
    cdef void* grid_data = cnp.PyArray_DATA(grid)
    cdef void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                kernel(p, task, grid_data, grad_y_data, grad_x_data)
        else:
            for task in prange(tasks, num_threads=threads, schedule="static"):
                kernel(p, task, grid_data, grad_y_data, grad_x_data)
    return 0


cdef int _slopes(const GridPlan* p, int mode, cnp.ndarray x, cnp.ndarray grid, cnp.ndarray grad_y,
                 cnp.ndarray grad_grid) except -1:
    cdef Slopes kernel = grid_kernels_for(isa(), wide(x)).slopes[mode]
    cdef int64_t tasks = (p.images * p.places + p.row - 1) // p.row, task
    cdef int threads = threads_for(tasks, 4 * cnp.PyArray_SIZE(grad_y))
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* grid_data = cnp.PyArray_DATA(grid)
    cdef void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_grid_data = cnp.PyArray_DATA(grad_grid)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                kernel(p, task, x_data, grid_data, grad_y_data, grad_grid_data)
        else:
            for task in prange(tasks, num_threads=threads, schedule="static"):
                kernel(p, task, x_data, grid_data, grad_y_data, grad_grid_data)
    return 0
