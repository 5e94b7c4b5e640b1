"""Convolution: forward, gradient of the input, gradient of the weights, gradient of the bias.

Mirrors reference/conv.py. Arrays lie as (N, D, H, W, C); the arithmetic is in simd/conv.hh and
simd/conv_weight.hh. Threads share tiles of output pixels (forward, gradient of the input), or chunks
of pixels and blocks of taps (gradient of the weights); each sum is made by one thread, in one order.

Arguments are plain ndarrays, read through NumPy's C interface: acquiring five typed memoryviews and
choosing a fused signature costs some microseconds in every call, which is what a small layer takes.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .depthwise cimport depthwise_fits, run_depthwise, run_depthwise_backward
from .elementwise import relu_forward
from .gather cimport AUTO, DIRECT, IM2COL, Gather, backward_axis, forward_axis
from .gemm cimport Gemm, multiply
from .grouped_winograd cimport (
    grouped_winograd_tile, run_grouped_winograd, run_grouped_winograd_weight,
)
from .runtime cimport (
    PACKED, PARTIAL, TILE, buffer, isa, out_of_memory, scratch, threads_for, wide,
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

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewLikeArray(cnp.ndarray like, cnp.NPY_ORDER order, void* dtype, int subclass)

cnp.import_array()


cdef int _describe_weight(Gather* g, cnp.ndarray weight, int64_t groups) except -1:
    """Channels of a group, and strides in numbers, of `weight` (OC, KD, KH, KW, C/g)."""
    cdef int64_t size = cnp.PyArray_ITEMSIZE(weight)
    cdef int i
    g.groups = groups
    g.oc = weight.shape[0] // groups
    g.c = weight.shape[4]
    g.w_out = weight.strides[0] // size
    g.w_in = weight.strides[4] // size
    g.w_group = g.oc * g.w_out
    for i in range(3):
        g.w_tap[i] = weight.strides[1 + i] // size
    return 0


cdef int _algorithm(window) except -1:
    """The one that is asked for by name, if a gather knows it.

    A Window is a tuple of its own type: it is read as one, as looking for its methods takes longer
    than all that is done with the numbers.
    """
    cdef str name = _name_of(window)
    return IM2COL if name == "im2col" else DIRECT if name == "direct" else AUTO


cdef str _name_of(window):
    return (<tuple>window)[4]


cdef Gather _forward_plan(
    cnp.ndarray x, cnp.ndarray weight, cnp.ndarray y, window, int64_t groups
) except *:
    cdef Gather g
    cdef int i
    cdef tuple w = <tuple>window, kernel = w[0], stride = w[1], padding = w[2], dilation = w[3]
    _describe_weight(&g, weight, groups)
    g.algorithm = _algorithm(window)
    g.images = x.shape[0]
    for i in range(3):
        g.axis[i] = forward_axis(x.shape[1 + i], y.shape[1 + i], kernel[i], stride[i],
                                 (<tuple>padding[i])[0], dilation[i])
    return g


cdef int _tile(const ConvKernels* k, const Gather* g, int64_t task, int64_t scratch_bytes, const void* x,
               const void* packed, const void* bias, void* y) noexcept nogil:
    """One tile: 0, or 1 if there was no memory for it."""
    cdef void* memory = scratch(TILE, scratch_bytes)
    if memory == NULL:
        return 1
    k.gather(g, task, x, packed, bias, y, memory)
    return 0


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
    cdef int64_t tasks = k.tasks(g), panels = k.panels(g), scratch_bytes, task
    cdef int threads = threads_for(tasks, g.pixels() * g.groups * g.oc * (g.depth() // 8 + 1)), failed = 0
    # A tile asks for the memory of the next one, which the same thread should compute.
    cdef int64_t chunk = max(1, tasks // (8 * threads))
    cdef void* packed = buffer(PACKED, k.packed_size(g), w)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* w_data = cnp.PyArray_DATA(weight)
    cdef void* bias_data = NULL
    cdef void* y_data = cnp.PyArray_DATA(y)
    if tasks == 0 or g.oc == 0:
        return 0
    if bias is not None:
        bias_data = cnp.PyArray_DATA(<cnp.ndarray>bias)
    scratch_bytes = k.task_scratch(g) * (8 if w else 4)
    with nogil:
        if threads == 1:
            for task in range(panels):
                k.pack(g, task, w_data, packed)
            for task in range(tasks):
                failed += _tile(k, g, task, scratch_bytes, x_data, packed, bias_data, y_data)
        else:
            for task in prange(panels, num_threads=threads, schedule="static"):
                k.pack(g, task, w_data, packed)
            for task in prange(tasks, num_threads=threads, schedule="dynamic", chunksize=chunk):
                failed += _tile(k, g, task, scratch_bytes, x_data, packed, bias_data, y_data)
    return out_of_memory() if failed else 0


cdef bint _sees_all(cnp.ndarray x, cnp.ndarray y, window) except -1:
    """Whether there is one window, and it is the whole input: a linear layer in other words, whose
    three products need no im2col, and multiply no padding. An algorithm by name goes before."""
    cdef int i
    cdef tuple w = <tuple>window, kernel = w[0], padding = w[2]
    if _algorithm(window) != AUTO:
        return False
    for i in range(3):
        if y.shape[1 + i] != 1 or x.shape[1 + i] != kernel[i] or padding[i] != (0, 0):
            return False
    return y.shape[0] > 0 and x.shape[4] > 0


cdef cnp.ndarray _channels_first(cnp.ndarray x):
    """(N, D, H, W, C) as (N, C, D, H, W), the order in which weights lie: a view."""
    cdef cnp.npy_intp[5] axes = [0, 4, 1, 2, 3]
    cdef cnp.PyArray_Dims order
    order.ptr, order.len = axes, 5
    return cnp.PyArray_Transpose(x, &order)


cdef cnp.ndarray _in_order(cnp.ndarray x):
    """`_channels_first`, in contiguous memory: no copy of weights, which lie so, and one of pixels."""
    return cnp.PyArray_GETCONTIGUOUS(_channels_first(x))


cdef int64_t _row(cnp.ndarray x) except -1:
    """Numbers in x[0]: what a window that sees all sees."""
    return x.shape[1] * x.shape[2] * x.shape[3] * x.shape[4]


cdef int _linear(cnp.ndarray a, int64_t a_row, int64_t a_k, cnp.ndarray b, int64_t b_k, int64_t b_n,
                 bias, cnp.ndarray c, int64_t m, int64_t n, int64_t k) except -1:
    """c (m, n) = a (m, k) b (k, n) + bias, by the strides of a and b in numbers."""
    cdef Gemm g
    if m == 0 or n == 0:
        return 0
    g.m, g.n, g.k, g.a_row, g.a_k, g.b_k, g.b_n = m, n, k, a_row, a_k, b_k, b_n
    cdef char* bias_data = NULL
    if bias is not None:
        bias_data = <char*>cnp.PyArray_DATA(<cnp.ndarray>bias)
    return multiply(&g, wide(a), <const char*>cnp.PyArray_DATA(a), <const char*>cnp.PyArray_DATA(b),
                    bias_data, <char*>cnp.PyArray_DATA(c))


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
    cdef int64_t n, depth
    if groups == 1 and _sees_all(x, y, window):
        n, depth = weight.shape[0], _row(x)
        _linear(_in_order(x), depth, 1, _in_order(weight), 1, depth, bias, y, x.shape[0], n, depth)
        if relu:
            relu_forward(y, y)
        return
    g = _forward_plan(x, weight, y, window, groups)
    g.relu = relu
    if depthwise_fits(&g, wide(x)):
        run_depthwise(&g, x, weight, bias, y)
        return
    _run_gather(&g, x, weight, bias, y, _name_of(window))


cdef int _scatter(const ConvKernels* k, const Gather* g, int64_t image, int64_t scratch_bytes,
                  const void* grad_y, const void* packed, void* grad_x) noexcept nogil:
    """The share of one image: 0, or 1 if there was no memory for it."""
    cdef void* memory = scratch(TILE, scratch_bytes)
    if memory == NULL:
        return 1
    k.scatter(g, image, grad_y, packed, grad_x, memory)
    return 0


cdef int _run_scatter(const Gather* g, cnp.ndarray grad_y, cnp.ndarray weight, cnp.ndarray grad_x) except -1:
    """Pack the weights, then hand the shares of every image out."""
    cdef int w = wide(grad_y)
    cdef const ConvKernels* k = conv_kernels_for(isa(), w)
    cdef int64_t images = g.images, panels = k.scatter_panels(g), task
    cdef int64_t scratch_bytes = k.scatter_scratch(g) * (8 if w else 4)
    cdef int threads = threads_for(images, g.pixels() * g.oc * (g.depth() // 8 + 1)), failed = 0
    cdef void* packed = buffer(PACKED, k.scatter_packed_size(g), w)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef const void* w_data = cnp.PyArray_DATA(weight)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    with nogil:
        for task in range(panels):
            k.scatter_pack(g, task, w_data, packed)
        if threads == 1:
            for task in range(images):
                failed += _scatter(k, g, task, scratch_bytes, grad_y_data, packed, grad_x_data)
        else:
            for task in prange(images, num_threads=threads, schedule="static"):
                failed += _scatter(k, g, task, scratch_bytes, grad_y_data, packed, grad_x_data)
    return out_of_memory() if failed else 0


cdef int _turn_round(Gather* g, cnp.ndarray grad_y) except -1:
    """Make a forward plan one for the gradient of the input, which reads the channels that the forward
    pass wrote. Its axes are set phase by phase."""
    g.oc, g.c = g.c, g.oc
    g.w_out, g.w_in = g.w_in, g.w_out
    g.images = grad_y.shape[0]
    return 0


cdef int64_t _phases(cnp.ndarray grad_x, window) except -1:
    """Gathers that an input gradient falls into: a phase of the stride along each axis. Later phases
    lie behind the last pixel."""
    cdef tuple stride = (<tuple>window)[1]
    return (min(stride[0], grad_x.shape[1]) * min(stride[1], grad_x.shape[2])
            * min(stride[2], grad_x.shape[3]))


cdef bint _set_phase(
    Gather* g, cnp.ndarray grad_x, cnp.ndarray grad_y, window, int64_t phase
) except -1:
    """Set the axes of a phase; False if it has no outputs."""
    cdef tuple w = <tuple>window, kernel = w[0], stride = w[1], padding = w[2], dilation = w[3]
    cdef int64_t i, phases
    for i in range(2, -1, -1):
        phases = min(stride[i], grad_x.shape[1 + i])
        g.axis[i] = backward_axis(grad_x.shape[1 + i], grad_y.shape[1 + i], kernel[i], stride[i],
                                  (<tuple>padding[i])[0], dilation[i], phase % phases)
        phase = phase // phases
    return g.axis[0].out > 0 and g.axis[1].out > 0 and g.axis[2].out > 0


def conv_backward_input(
    cnp.ndarray grad_y not None,    # IN   (N, OD, OH, OW, OC)
    cnp.ndarray weight not None,    # IN   (OC, KD, KH, KW, C/g), any strides
    bias,                           # IN   (C,) or None: for a transposed convolution
    cnp.ndarray grad_x not None,    # OUT  (N, D, H, W, C)
    window,                         #      shapes.Window
    int64_t groups,
):
    cdef Gather g
    cdef int64_t phase, n, depth
    cdef cnp.ndarray seen
    if groups == 1 and bias is None and _sees_all(grad_x, grad_y, window):
        n, depth = weight.shape[0], _row(grad_x)
        seen = PyArray_NewLikeArray(_channels_first(grad_x), cnp.NPY_CORDER, NULL, 0)
        _linear(grad_y, n, 1, _in_order(weight), depth, 1, None, seen, grad_y.shape[0], depth, n)
        cnp.PyArray_CopyInto(_channels_first(grad_x), seen)
        return
    g = _forward_plan(grad_x, weight, grad_y, window, groups)
    if depthwise_fits(&g, wide(grad_y)):
        run_depthwise_backward(&g, None, grad_y, weight, bias, grad_x, NULL, None)
        return
    if bias is None and conv_kernels_for(isa(), wide(grad_y)).scatters(&g):
        _run_scatter(&g, grad_y, weight, grad_x)
        return
    _turn_round(&g, grad_y)
    for phase in range(_phases(grad_x, window)):
        if _set_phase(&g, grad_x, grad_y, window, phase):
            _run_gather(&g, grad_y, weight, bias, grad_x, _name_of(window))


cdef int _weight_task(const ConvKernels* k, const Gather* g, const WeightTasks* t, int64_t task,
                      int64_t scratch_bytes, const void* x, const void* grad_y, void* partial) noexcept nogil:
    """A chunk of pixels and a block of taps: 0, or 1 if there was no memory for it."""
    cdef void* memory = scratch(TILE, scratch_bytes)
    if memory == NULL:
        return 1
    k.weight_gather(g, t, task, x, grad_y, partial, memory)
    return 0


def conv_backward_weight(
    cnp.ndarray x not None,           # IN   (N, D, H, W, C)
    cnp.ndarray grad_y not None,      # IN   (N, OD, OH, OW, OC)
    cnp.ndarray grad_weight not None, # OUT  (OC, KD, KH, KW, C/g), any strides
    window,                           #      shapes.Window
    int64_t groups,
):
    cdef int64_t n = grad_weight.shape[0], depth = _row(grad_weight)
    if (groups == 1 and _sees_all(x, grad_y, window)
            and cnp.PyArray_IS_C_CONTIGUOUS(_channels_first(grad_weight))):
        _linear(grad_y, 1, n, _in_order(x), depth, 1, None, grad_weight, n, depth, x.shape[0])
        return
    cdef Gather g = _forward_plan(x, grad_weight, grad_y, window, groups)
    cdef int w = wide(x)
    cdef const ConvKernels* k = conv_kernels_for(isa(), w)
    if depthwise_fits(&g, w):
        run_depthwise_backward(&g, x, grad_y, None, None, None, &g, grad_weight)
        return
    if g.pixels() == 0 or g.c == 0:
        grad_weight[...] = 0
        return
    if winograd_tile(&g, _name_of(window)):
        run_winograd_weight(&g, x, grad_y, grad_weight)
        return
    if grouped_winograd_tile(&g, w, _name_of(window)):
        run_grouped_winograd_weight(&g, x, grad_y, grad_weight)
        return
    cdef WeightTasks t = k.weight_tasks(&g)
    cdef int64_t tasks = t.group_tasks * t.chunks * t.tap_blocks, task
    cdef int64_t panels = t.group_tasks * t.panels
    cdef int64_t scratch_bytes = k.weight_scratch(&g, &t) * (8 if w else 4)
    cdef int threads = threads_for(tasks, g.pixels() * groups * g.oc * (g.depth() // 8 + 1)), failed = 0
    cdef void* partial = buffer(PARTIAL, k.weight_partial(&g, &t), w)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_weight_data = cnp.PyArray_DATA(grad_weight)
    with nogil:
        if threads == 1:
            for task in range(tasks):
                failed += _weight_task(k, &g, &t, task, scratch_bytes, x_data, grad_y_data, partial)
            for task in range(panels):
                k.weight_finish(&g, &t, task, partial, grad_weight_data)
        else:
            for task in prange(tasks, num_threads=threads, schedule="dynamic"):
                failed += _weight_task(k, &g, &t, task, scratch_bytes, x_data, grad_y_data, partial)
            for task in prange(panels, num_threads=threads, schedule="static"):
                k.weight_finish(&g, &t, task, partial, grad_weight_data)
    if failed:
        out_of_memory()


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
        g = _forward_plan(x, weight, grad_y, window, groups)
        if depthwise_fits(&g, wide(x)):
            of_weight = _forward_plan(x, grad_weight, grad_y, window, groups)
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
    cdef Gather g = _forward_plan(x, weight, y, window, groups)
    cdef int w = wide(x)
    cdef str forward, of_input, of_weight
    cdef int64_t phase
    if groups == 1 and _sees_all(x, y, window):
        return ("matmul",) * 3
    forward = of_weight = of_input = _name(&g, w, _name_of(window))
    if conv_kernels_for(isa(), w).scatters(&g):
        return forward, "scatter", of_weight
    _turn_round(&g, y)
    for phase in range(_phases(x, window)):
        if _set_phase(&g, x, y, window, phase):
            of_input = _name(&g, w, _name_of(window))
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
