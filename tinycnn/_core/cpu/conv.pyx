"""Convolution: forward, gradient of the input, gradient of the weights, gradient of the bias.

Mirrors reference/conv.py. Arrays lie as (N, D, H, W, C); the arithmetic is in simd/conv.hh and
simd/conv_weight.hh. Threads share tiles of output pixels (forward, gradient of the input), or chunks
of pixels and blocks of taps (gradient of the weights); each sum is made by one thread, in one order.

Arguments are plain ndarrays, read through NumPy's C interface: acquiring five typed memoryviews and
choosing a fused signature costs some microseconds in every call, which is what a small layer takes.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .conv_linear cimport (
    lies_in_order, linear_backward_input, linear_backward_weight, linear_forward, sees_all,
)
from .depthwise cimport depthwise_fits, run_depthwise, run_depthwise_backward
from .elementwise import relu_forward
from .gather cimport Gather, forward_gather, name_of, phases_of, set_phase, turn_round
from .grouped_winograd cimport (
    grouped_winograd_tile, run_grouped_winograd, run_grouped_winograd_weight,
)
from .runtime cimport (
    PACKED, PARTIAL, buffer, data_or_null, isa, per_thread, threads_for, wide,
)
from .winograd cimport run_winograd, run_winograd_weight, winograd_tile

cdef extern from "simd/conv_api.hh" nogil:
    struct WeightTasks:
        int64_t chunks, tap_blocks, panels, group_tasks
    struct ConvKernels:
        const char* (*name)(const Gather*) noexcept nogil
        int64_t (*packed_size)(const Gather*) noexcept nogil
        int64_t (*panels)(const Gather*) noexcept nogil
        void (*pack)(const Gather*, int64_t, const void*, void*) noexcept nogil
        int64_t (*tasks)(const Gather*) noexcept nogil
        int64_t (*task_scratch)(const Gather*) noexcept nogil
        void (*gather)(const Gather*, int64_t, const void*, const void*, const void*, void*, void*) noexcept nogil
        WeightTasks (*weight_tasks)(const Gather*) noexcept nogil
        int64_t (*weight_scratch)(const Gather*, const WeightTasks*) noexcept nogil
        int64_t (*weight_partial)(const Gather*, const WeightTasks*) noexcept nogil
        void (*weight_gather)(const Gather*, const WeightTasks*, int64_t, const void*, const void*,
                              void*, void*) noexcept nogil
        void (*weight_finish)(const Gather*, const WeightTasks*, int64_t, const void*, void*) noexcept nogil
        int64_t (*scatters)(const Gather*) noexcept nogil
        int64_t (*scatter_panels)(const Gather*) noexcept nogil
        int64_t (*scatter_packed_size)(const Gather*) noexcept nogil
        int64_t (*scatter_scratch)(const Gather*) noexcept nogil
        void (*scatter_pack)(const Gather*, int64_t, const void*, void*) noexcept nogil
        void (*scatter)(const Gather*, int64_t, const void*, const void*, void*, void*) noexcept nogil
        void (*sum_rows)(const void*, int64_t, int64_t, int64_t, void*) noexcept nogil
        void (*sum_partials)(const void*, int64_t, int64_t, void*) noexcept nogil
    const ConvKernels* conv_kernels_for(int isa, int wide)

cnp.import_array()


cdef int _run_gather(
    const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y, str algorithm
) except -1:
    """Pack the weights, then compute every tile of the gather."""
    if winograd_tile(g, algorithm):
        return run_winograd(g, x, weight, bias, y)
    cdef int w = wide(x)
    if grouped_winograd_tile(g, w, algorithm):
        return run_grouped_winograd(g, x, weight, bias, y)
    cdef const ConvKernels* k = conv_kernels_for(isa(), w)
    cdef int64_t tasks = k.tasks(g), panels = k.panels(g), task
    cdef int threads = threads_for(tasks, g.pixels() * g.groups * g.oc * (g.depth() // 8 + 1))
    # A tile asks for the memory of the next one, which the same thread should compute.
    cdef int64_t chunk = max(1, tasks // (8 * threads))
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* w_data = cnp.PyArray_DATA(weight)
    cdef void* bias_data = data_or_null(bias)
    cdef void* y_data = cnp.PyArray_DATA(y)
    if tasks == 0 or g.oc == 0:
        return 0
    cdef void* packed = buffer(PACKED, k.packed_size(g), w)
    cdef void** own = per_thread(threads, k.task_scratch(g) * (8 if w else 4))
    with nogil:
        if threads == 1:
            for task in range(panels):
                k.pack(g, task, w_data, packed)
            for task in range(tasks):
                k.gather(g, task, x_data, packed, bias_data, y_data, own[0])
        else:
            for task in prange(panels, num_threads=threads, schedule="static"):
                k.pack(g, task, w_data, packed)
            for task in prange(tasks, num_threads=threads, schedule="dynamic", chunksize=chunk):
                k.gather(g, task, x_data, packed, bias_data, y_data, own[threadid()])
    return 0


def conv_forward(
    cnp.ndarray x not None,         # IN   (N, D, H, W, C)
    cnp.ndarray weight not None,    # IN   (OC, KD, KH, KW, C/g), any strides
    bias,                           # IN   (OC,) or None
    cnp.ndarray y not None,         # OUT  (N, OD, OH, OW, OC)
    window,                         #      shapes.Window
    int64_t groups,
    bint relu=False,                #      negative results become 0
):
    cdef Gather g
    if groups == 1 and sees_all(x, y, window):
        linear_forward(x, weight, bias, y)
        if relu:
            relu_forward(y, y)
        return
    g = forward_gather(x, weight, y, window, groups)
    g.relu = relu
    if depthwise_fits(&g, wide(x)):
        run_depthwise(&g, x, weight, bias, y)
        return
    _run_gather(&g, x, weight, bias, y, name_of(window))


cdef int _run_scatter(const Gather* g, cnp.ndarray grad_y, cnp.ndarray weight, cnp.ndarray grad_x) except -1:
    """Pack the weights, then hand the shares of every image out."""
    cdef int w = wide(grad_y)
    cdef const ConvKernels* k = conv_kernels_for(isa(), w)
    cdef int64_t images = g.images, panels = k.scatter_panels(g), task
    cdef int threads = threads_for(images, g.pixels() * g.oc * (g.depth() // 8 + 1))
    cdef void** own = per_thread(threads, k.scatter_scratch(g) * (8 if w else 4))
    cdef void* packed = buffer(PACKED, k.scatter_packed_size(g), w)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef const void* w_data = cnp.PyArray_DATA(weight)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    with nogil:
        for task in range(panels):
            k.scatter_pack(g, task, w_data, packed)
        if threads == 1:
            for task in range(images):
                k.scatter(g, task, grad_y_data, packed, grad_x_data, own[0])
        else:
            for task in prange(images, num_threads=threads, schedule="static"):
                k.scatter(g, task, grad_y_data, packed, grad_x_data, own[threadid()])
    return 0


def conv_backward_input(
    cnp.ndarray grad_y not None,    # IN   (N, OD, OH, OW, OC)
    cnp.ndarray weight not None,    # IN   (OC, KD, KH, KW, C/g), any strides
    bias,                           # IN   (C,) or None: for a transposed convolution
    cnp.ndarray grad_x not None,    # OUT  (N, D, H, W, C)
    window,                         #      shapes.Window
    int64_t groups,
):
    cdef Gather g
    cdef int64_t phase
    if groups == 1 and bias is None and sees_all(grad_x, grad_y, window):
        linear_backward_input(grad_y, weight, grad_x)
        return
    g = forward_gather(grad_x, weight, grad_y, window, groups)
    if depthwise_fits(&g, wide(grad_y)):
        run_depthwise_backward(&g, None, grad_y, weight, bias, grad_x, NULL, None)
        return
    if bias is None and conv_kernels_for(isa(), wide(grad_y)).scatters(&g):
        _run_scatter(&g, grad_y, weight, grad_x)
        return
    turn_round(&g, grad_y)
    for phase in range(phases_of(grad_x, window)):
        if set_phase(&g, grad_x, grad_y, window, phase):
            _run_gather(&g, grad_y, weight, bias, grad_x, name_of(window))


def conv_backward_weight(
    cnp.ndarray x not None,           # IN   (N, D, H, W, C)
    cnp.ndarray grad_y not None,      # IN   (N, OD, OH, OW, OC)
    cnp.ndarray grad_weight not None, # OUT  (OC, KD, KH, KW, C/g), any strides
    window,                           #      shapes.Window
    int64_t groups,
):
    if groups == 1 and sees_all(x, grad_y, window) and lies_in_order(grad_weight):
        linear_backward_weight(x, grad_y, grad_weight)
        return
    cdef Gather g = forward_gather(x, grad_weight, grad_y, window, groups)
    cdef int w = wide(x)
    cdef const ConvKernels* k = conv_kernels_for(isa(), w)
    if depthwise_fits(&g, w):
        run_depthwise_backward(&g, x, grad_y, None, None, None, &g, grad_weight)
        return
    if g.pixels() == 0 or g.c == 0:
        grad_weight[...] = 0
        return
    if winograd_tile(&g, name_of(window)):
        run_winograd_weight(&g, x, grad_y, grad_weight)
        return
    if grouped_winograd_tile(&g, w, name_of(window)):
        run_grouped_winograd_weight(&g, x, grad_y, grad_weight)
        return
    cdef WeightTasks t = k.weight_tasks(&g)
    cdef int64_t tasks = t.group_tasks * t.chunks * t.tap_blocks, task
    cdef int64_t panels = t.group_tasks * t.panels
    cdef int threads = threads_for(tasks, g.pixels() * groups * g.oc * (g.depth() // 8 + 1))
    cdef void** own = per_thread(threads, k.weight_scratch(&g, &t) * (8 if w else 4))
    cdef void* partial = buffer(PARTIAL, k.weight_partial(&g, &t), w)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_weight_data = cnp.PyArray_DATA(grad_weight)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                k.weight_gather(&g, &t, task, x_data, grad_y_data, partial, own[0])
            for task in range(panels):
                k.weight_finish(&g, &t, task, partial, grad_weight_data)
        else:
            for task in prange(tasks, num_threads=threads, schedule="dynamic"):
                k.weight_gather(&g, &t, task, x_data, grad_y_data, partial, own[threadid()])
            for task in prange(panels, num_threads=threads, schedule="static"):
                k.weight_finish(&g, &t, task, partial, grad_weight_data)


def conv_backward(
    cnp.ndarray x,                  # IN   (N, D, H, W, C), None without grad_weight
    cnp.ndarray grad_y not None,    # IN   (N, OD, OH, OW, OC)
    cnp.ndarray weight not None,    # IN   (OC, KD, KH, KW, C/g), any strides
    cnp.ndarray grad_x,             # OUT  (N, D, H, W, C) or None
    cnp.ndarray grad_weight,        # OUT  (OC, KD, KH, KW, C/g), any strides, or None
    window,                         #      shapes.Window
    int64_t groups,
):
    """The gradients that are wanted; in one pass where that is faster."""
    cdef Gather g, of_weight
    if grad_x is not None and grad_weight is not None:
        g = forward_gather(x, weight, grad_y, window, groups)
        if depthwise_fits(&g, wide(x)):
            of_weight = forward_gather(x, grad_weight, grad_y, window, groups)
            run_depthwise_backward(&g, x, grad_y, weight, None, grad_x, &of_weight, grad_weight)
            return
    if grad_x is not None:
        conv_backward_input(grad_y, weight, None, grad_x, window, groups)
    if grad_weight is not None:
        conv_backward_weight(x, grad_y, grad_weight, window, groups)


cdef str _name(const Gather* g, int wide, str algorithm):
    cdef int64_t tile = winograd_tile(g, algorithm) or grouped_winograd_tile(g, wide, algorithm)
    if tile:
        return f"winograd F({tile}x{tile}, {g.axis[1].taps}x{g.axis[1].taps})"
    return conv_kernels_for(isa(), wide).name(g).decode()


def conv_algorithms(
    cnp.ndarray x not None,         #      (N, D, H, W, C), only its shape and dtype count
    cnp.ndarray weight not None,    #      (OC, KD, KH, KW, C/g)
    cnp.ndarray y not None,         #      (N, OD, OH, OW, OC)
    window,                         #      shapes.Window
    int64_t groups,
):
    """Names of the algorithms of the forward pass and of the gradients of input and weight. A strided
    input gradient falls into several convolutions; the first one is named."""
    cdef Gather g = forward_gather(x, weight, y, window, groups)
    cdef int w = wide(x)
    cdef str forward, of_input, of_weight
    cdef int64_t phase
    if groups == 1 and sees_all(x, y, window):
        return ("matmul",) * 3
    forward = of_weight = of_input = _name(&g, w, name_of(window))
    if conv_kernels_for(isa(), w).scatters(&g):
        return forward, "scatter", of_weight
    turn_round(&g, y)
    for phase in range(phases_of(x, window)):
        if set_phase(&g, x, y, window, phase):
            of_input = _name(&g, w, name_of(window))
            break
    return forward, of_input, of_weight


cdef int64_t CHUNK_ROWS = 1024


cdef void _sum_chunk(const ConvKernels* k, const char* x, int64_t rows, int64_t c, int64_t size,
                     int64_t chunk, void* partial) noexcept nogil:
    cdef int64_t first = chunk * CHUNK_ROWS
    k.sum_rows(x + first * c * size, min(CHUNK_ROWS, rows - first), c, chunk, partial)


def sum_rows(
    cnp.ndarray x not None,   # IN   (..., C)
    cnp.ndarray out not None, # OUT  (C,)
):
    """Sum over all axes but the last: in chunks of rows, then the chunks in order."""
    cdef int w = wide(x)
    cdef const ConvKernels* k = conv_kernels_for(isa(), w)
    cdef int64_t c = out.shape[0], rows, chunks, chunk
    cdef int64_t size = 8 if w else 4
    if c == 0:
        return
    rows = cnp.PyArray_SIZE(x) // c
    chunks = (rows + CHUNK_ROWS - 1) // CHUNK_ROWS
    cdef char* data = <char*>cnp.PyArray_DATA(x)
    cdef void* out_data = cnp.PyArray_DATA(out)
    cdef void* partial = buffer(PARTIAL, chunks * c, w)
    cdef int threads = threads_for(chunks, rows * c)
    with nogil:
        if threads == 1:
            for chunk in range(chunks):
                _sum_chunk(k, data, rows, c, size, chunk, partial)
        else:
            for chunk in prange(chunks, num_threads=threads, schedule="static"):
                _sum_chunk(k, data, rows, c, size, chunk, partial)
        k.sum_partials(partial, chunks, c, out_data)
