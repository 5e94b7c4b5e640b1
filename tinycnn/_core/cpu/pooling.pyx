"""Pooling: the largest value or the average of each window, and the gradients.

Mirrors reference/pooling.py. Arrays lie as (N, D, H, W, C); the arithmetic is in simd/pooling.hh and
simd/pooling_backward.hh, that of windows side by side in simd/pooling_tiled.hh. Threads share blocks
of rows: of y in a forward pass, of grad_x in a backward pass, where a pixel gathers from the windows
that hold it; nothing is scattered. One thread enters no parallel region.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport PACKED, buffer, isa, per_thread, threads_for, wide

cdef extern from "simd/pooling_api.hh" nogil:
    struct PoolTable:
        int64_t size, out, step, kernel
        const int64_t *start
        const int64_t *stop
        const int64_t *count
        const int64_t *low
        const int64_t *high
    struct PoolPlan:
        PoolTable axis[3]
        int64_t images, c, block
        int tiled
        double divisor
    struct PoolRow:
        int64_t pixel
    enum PoolPosition:
        NO_POSITION
        BYTES
        INTS
    ctypedef void (*Forward "PoolKernels::Forward")(
        const PoolPlan*, int64_t, const void*, void*, void*, PoolRow*) noexcept nogil
    ctypedef void (*Backward "PoolKernels::Backward")(
        const PoolPlan*, int64_t, const void*, const void*, void*, PoolRow*) noexcept nogil
    struct PoolKernels:
        Forward max_forward[3]
        Backward max_backward[3]
        Forward avg_forward
        Backward avg_backward
    const PoolKernels* pool_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t BLOCK_NUMBERS = 4096  # of a task, about: long rows are cut so that threads can share them


cdef int _plan(PoolPlan* p, cnp.ndarray x, cnp.ndarray y, axes, divisor, bint backward) except -1:
    """Sizes, and the tables of `axes` as plain integers, in this thread's scratch."""
    cdef int64_t total = 0, i
    cdef int64_t* table
    cdef int a
    for a in range(3):
        total += 3 * y.shape[1 + a] + 2 * x.shape[1 + a]
    table = <int64_t*>buffer(PACKED, total, 1)
    for a in range(3):
        table = _table(&p.axis[a], axes[a], x.shape[1 + a], y.shape[1 + a], table, backward)
    p.images, p.c = x.shape[0], x.shape[4]
    p.tiled = _tiles(&p.axis[0]) and _tiles(&p.axis[1]) and _tiles(&p.axis[2])
    p.block = max(BLOCK_NUMBERS // max(p.c * (_window_rows(p) * x.shape[3] if p.tiled else 1), 1), 1)
    p.divisor = 0 if divisor is None else divisor
    return 0


cdef int64_t _window_rows(const PoolPlan* p) noexcept:
    return p.axis[0].kernel * p.axis[1].kernel


cdef bint _tiles(const PoolTable* t) noexcept:
    """Whether the windows lie side by side from the first place on, none of them cut."""
    cdef int64_t i, size = t.kernel
    for i in range(t.out):
        if t.start[i] != i * size or t.stop[i] != (i + 1) * size or t.count[i] != size:
            return False
    return t.step == 1 and t.out > 0


cdef int64_t* _table(PoolTable* t, axis, int64_t size, int64_t out, int64_t* at, bint backward) except NULL:
    """The windows of one axis, see shapes.PoolAxis.windows; returns the place behind its tables."""
    cdef int64_t pixels, outputs, stride, share, before, behind, step, border, kernel
    cdef int64_t i, p, first, end
    cdef int64_t* low = at + 3 * out
    cdef int64_t* high = low + size
    pixels, outputs, stride, share, before, behind, step, border, kernel = <tuple>axis
    if pixels != size or outputs != out:
        raise ValueError(f"pooling: expected windows for {out} outputs of {size} pixels, got them "
                         f"for {outputs} of {pixels}.")
    if share < 1 or step < 1:
        raise ValueError(f"pooling: expected share and step of at least 1, got {share}, {step}.")
    t.size, t.out, t.step, t.kernel = size, out, step, kernel
    t.start, t.stop, t.count, t.low, t.high = at, at + out, at + 2 * out, low, high
    for i in range(out):
        first, end = i * stride - before, i * stride + behind
        if share > 1:  # only with before = 0: no division of negative numbers
            first, end = first // share, end // share
        at[i] = _first_from(0, first, step)
        at[out + i] = min(end, size)
        at[2 * out + i] = (min(end, size + border) - _first_from(-border, first, step) + step - 1) // step
        if at[i] < 0 or at[i] >= at[out + i] or at[out + i] > at[i] + kernel * step:
            raise ValueError(f"pooling: window {i}, {at[i]} to {at[out + i]}, is empty or has more "
                             f"than {kernel} places.")
    if backward:
        for p in range(size):
            low[p] = high[p] = 0
        for i in range(out - 1, -1, -1):
            for p in range(t.start[i], t.stop[i]):
                low[p] = i
                if high[p] == 0:
                    high[p] = i + 1
    return at + 3 * out + 2 * size


cdef inline int64_t _first_from(int64_t low, int64_t first, int64_t step) noexcept:
    """The least of first, first + step, ... that is not below `low`."""
    return first if first >= low else first + (low - first + step - 1) // step * step


cdef int _run_forward(const PoolPlan* p, Forward kernel, cnp.ndarray x, cnp.ndarray y, void* position) except -1:
    cdef const PoolTable* W = &p.axis[2]
    cdef int64_t tasks, task, row_bytes
    cdef void** own
    cdef void* x_data = cnp.PyArray_DATA(x)
    cdef void* y_data = cnp.PyArray_DATA(y)
    cdef int threads
    tasks = p.images * p.axis[0].out * p.axis[1].out
    tasks = (tasks + p.block - 1) // p.block if p.tiled else tasks * ((W.out + p.block - 1) // p.block)
    row_bytes = _window_rows(p) * sizeof(PoolRow)
    threads = threads_for(tasks, cnp.PyArray_SIZE(x))
    own = per_thread(threads, row_bytes)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                kernel(p, task, x_data, y_data, position, <PoolRow*>own[0])
        else:
            for task in prange(tasks, num_threads=threads, schedule="static"):
                kernel(p, task, x_data, y_data, position, <PoolRow*>own[threadid()])
    return 0


cdef int64_t _most_windows(const PoolTable* t) noexcept:
    """The largest number of windows that may hold one pixel."""
    cdef int64_t most = 1, p
    for p in range(t.size):
        most = max(most, t.high[p] - t.low[p])
    return most


cdef int _run_backward(const PoolPlan* p, Backward kernel, cnp.ndarray grad_y, void* position,
                       cnp.ndarray grad_x) except -1:
    cdef const PoolTable* W = &p.axis[2]
    cdef int64_t tasks, task, row_bytes
    cdef void** own
    cdef void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    cdef int threads
    if p.tiled:
        tasks = (p.images * p.axis[0].out * p.axis[1].out + p.block - 1) // p.block
        row_bytes = _window_rows(p) * sizeof(PoolRow)
    else:
        tasks = p.images * p.axis[0].size * p.axis[1].size * ((W.size + p.block - 1) // p.block)
        row_bytes = _most_windows(&p.axis[0]) * _most_windows(&p.axis[1]) * sizeof(PoolRow)
    threads = threads_for(tasks, cnp.PyArray_SIZE(grad_x))
    own = per_thread(threads, row_bytes)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                kernel(p, task, grad_y_data, position, grad_x_data, <PoolRow*>own[0])
        else:
            for task in prange(tasks, num_threads=threads, schedule="static"):
                kernel(p, task, grad_y_data, position, grad_x_data,
                       <PoolRow*>own[threadid()])
    return 0


cdef PoolPosition _kind(cnp.ndarray position) except *:
    return BYTES if cnp.PyArray_ITEMSIZE(position) == 1 else INTS


def max_pool_forward(
    cnp.ndarray x not None,  # IN   (N, D, H, W, C)
    cnp.ndarray y not None,  # OUT  (N, OD, OH, OW, C)
    position,                # OUT  uint8 or int32 as y, or None
    axes,                    #      three shapes.PoolAxis
):
    cdef PoolPlan p
    cdef const PoolKernels* k = pool_kernels_for(isa(), wide(x))
    if cnp.PyArray_SIZE(y) == 0:
        return
    _plan(&p, x, y, axes, None, False)
    if position is None:
        _run_forward(&p, k.max_forward[<int>NO_POSITION], x, y, NULL)
    else:
        _run_forward(&p, k.max_forward[<int>_kind(position)], x, y, cnp.PyArray_DATA(<cnp.ndarray>position))


def max_pool_backward(
    cnp.ndarray grad_y not None,    # IN   (N, OD, OH, OW, C)
    cnp.ndarray position not None,  # IN   as max_pool_forward made it
    cnp.ndarray grad_x not None,    # OUT  (N, D, H, W, C)
    axes,                           #      three shapes.PoolAxis
):
    cdef PoolPlan p
    cdef const PoolKernels* k = pool_kernels_for(isa(), wide(grad_y))
    if cnp.PyArray_SIZE(grad_x) == 0:
        return
    _plan(&p, grad_x, grad_y, axes, None, True)
    _run_backward(&p, k.max_backward[<int>_kind(position)], grad_y, cnp.PyArray_DATA(position), grad_x)


def avg_pool_forward(
    cnp.ndarray x not None,  # IN   (N, D, H, W, C)
    cnp.ndarray y not None,  # OUT  (N, OD, OH, OW, C)
    axes,                    #      three shapes.PoolAxis
    divisor,                 #      int, or None: the product of the counts
):
    cdef PoolPlan p
    cdef const PoolKernels* k = pool_kernels_for(isa(), wide(x))
    if cnp.PyArray_SIZE(y) == 0:
        return
    _plan(&p, x, y, axes, divisor, False)
    _run_forward(&p, k.avg_forward, x, y, NULL)


def avg_pool_backward(
    cnp.ndarray grad_y not None,  # IN   (N, OD, OH, OW, C)
    cnp.ndarray grad_x not None,  # OUT  (N, D, H, W, C)
    axes,                         #      three shapes.PoolAxis
    divisor,                      #      int, or None: the product of the counts
):
    cdef PoolPlan p
    cdef const PoolKernels* k = pool_kernels_for(isa(), wide(grad_y))
    if cnp.PyArray_SIZE(grad_x) == 0:
        return
    _plan(&p, grad_x, grad_y, axes, divisor, True)
    _run_backward(&p, k.avg_backward, grad_y, NULL, grad_x)
