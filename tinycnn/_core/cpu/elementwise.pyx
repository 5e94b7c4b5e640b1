"""Activation functions, the gated linear unit and the sum of gradients.

Mirrors reference/elementwise.py. Arrays are dense and of one layout, so they are read as flat
memory (simd/elementwise.hh), in chunks of 4096 numbers that threads share. The formulas are in
simd/activation.hh, and named in simd/elementwise.cc.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from ..reference.elementwise import add_gradients as add_any_gradients
from .memory import dense, empty_like
from .runtime cimport isa, threads_for, wide

cdef extern from "simd/elementwise_api.hh" nogil:
    enum:
        MOST_SETTINGS
    ctypedef void (*ElementwiseKernel)(
        const void*, const void*, void*, const double*, int64_t) noexcept nogil
    struct Activation:
        const char* name
        ElementwiseKernel forward, backward
        int forward_cost, backward_cost
    struct GluPart:
        int64_t length, row, rows, column, columns
    ctypedef void (*GluKernel)(const GluPart*, const void*, const void*, void*) noexcept nogil
    struct ElementwiseKernels:
        const Activation* activations
        int count
        ElementwiseKernel sum
        GluKernel glu_forward, glu_backward
    const ElementwiseKernels* elementwise_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t CHUNK = 4096


cdef dict _numbers():
    cdef const ElementwiseKernels* kernels = elementwise_kernels_for(0, 0)
    cdef int i
    return {kernels.activations[i].name.decode(): i for i in range(kernels.count)}


cdef dict NUMBERS = _numbers()  # of activations in the tables of all instruction sets
cdef int RELU = NUMBERS["relu"]


cdef int _run(ElementwiseKernel kernel, cnp.ndarray a, cnp.ndarray b, cnp.ndarray out,
              tuple settings, int64_t cost) except -1:
    cdef int w = wide(out), i
    cdef int64_t count = cnp.PyArray_SIZE(out), chunks = (count + CHUNK - 1) // CHUNK, chunk, at
    cdef int64_t size = 8 if w else 4
    cdef int threads = threads_for(chunks, count * cost)
    cdef const char* a_data = <const char*>cnp.PyArray_DATA(a)
    cdef const char* b_data = <const char*>cnp.PyArray_DATA(b)
    cdef char* out_data = <char*>cnp.PyArray_DATA(out)
    cdef double[MOST_SETTINGS] s
    if len(settings) > MOST_SETTINGS:
        raise ValueError(f"elementwise: expected at most {MOST_SETTINGS} settings, got {settings}.")
    if wide(a) != w or wide(b) != w or cnp.PyArray_SIZE(a) != count or cnp.PyArray_SIZE(b) != count:
        raise ValueError("elementwise: expected arrays of one size and dtype.")
    s[0], s[1], s[2] = 0, 0, 0
    for i in range(len(settings)):
        s[i] = settings[i]
    if threads == 1:
        with nogil:
            kernel(a_data, b_data, out_data, s, count)
        return 0
    for chunk in prange(chunks, num_threads=threads, schedule="static", nogil=True):
        at = chunk * CHUNK
        kernel(a_data + at * size, b_data + at * size, out_data + at * size, s,
               min(CHUNK, count - at))
    return 0


cdef const Activation* _activation(int number, cnp.ndarray x) except NULL:
    return elementwise_kernels_for(isa(), wide(x)).activations + number


def activation_forward(
    str kind not None,
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
    tuple settings not None,
):
    cdef const Activation* f = _activation(NUMBERS[kind], x)
    _run(f.forward, x, x, y, settings, f.forward_cost)


def activation_backward(
    str kind not None,
    cnp.ndarray x not None,       # IN   x or y: see reference/elementwise.py
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
    tuple settings not None,
):
    cdef const Activation* f = _activation(NUMBERS[kind], x)
    _run(f.backward, x, grad_y, grad_x, settings, f.backward_cost)


def relu_forward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
):
    _run(_activation(RELU, x).forward, x, x, y, (), 1)


def relu_backward(
    cnp.ndarray y not None,       # IN
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
):
    _run(_activation(RELU, y).backward, y, grad_y, grad_x, (), 1)


cdef void _glu_block(GluKernel kernel, int64_t block, int64_t across, int64_t height, int64_t rows,
                     int64_t length, const void* x, const void* grad_y, void* out) noexcept nogil:
    cdef GluPart part
    part.length, part.row, part.column = length, block // across * height, block % across * CHUNK
    part.rows, part.columns = min(height, rows - part.row), min(CHUNK, length - part.column)
    kernel(&part, x, grad_y, out)


cdef int _run_glu(GluKernel kernel, cnp.ndarray x, cnp.ndarray y, cnp.ndarray out,
                  int halves) except -1:
    """y: y itself, or grad_y; out: y itself, or grad_x, which has two halves."""
    cdef int64_t rows = x.shape[0], length = x.shape[2], block
    cdef int64_t height = max(CHUNK // max(length, 1), 1), across = (length + CHUNK - 1) // CHUNK
    cdef int64_t blocks = (rows + height - 1) // height * across
    cdef int threads = threads_for(blocks, rows * length * 8)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* y_data = cnp.PyArray_DATA(y)
    cdef void* out_data = cnp.PyArray_DATA(out)
    if (x.shape[1] != 2 or cnp.PyArray_SIZE(y) != rows * length or wide(y) != wide(x)
            or cnp.PyArray_SIZE(out) != halves * rows * length or wide(out) != wide(x)):
        raise ValueError("glu: expected x and grad_x (R, 2, L), y and grad_y (R, L), of one dtype.")
    if threads == 1:
        with nogil:
            for block in range(blocks):
                _glu_block(kernel, block, across, height, rows, length, x_data, y_data, out_data)
        return 0
    for block in prange(blocks, num_threads=threads, schedule="static", nogil=True):
        _glu_block(kernel, block, across, height, rows, length, x_data, y_data, out_data)
    return 0


def glu_forward(
    cnp.ndarray x not None,       # IN   (R, 2, L)
    cnp.ndarray y not None,       # OUT  (R, L)
):
    _run_glu(elementwise_kernels_for(isa(), wide(x)).glu_forward, x, y, y, 1)


def glu_backward(
    cnp.ndarray x not None,       # IN   (R, 2, L)
    cnp.ndarray grad_y not None,  # IN   (R, L)
    cnp.ndarray grad_x not None,  # OUT  (R, 2, L)
):
    _run_glu(elementwise_kernels_for(isa(), wide(x)).glu_backward, x, grad_y, grad_x, 2)


# Numbers from which on a sum is shared by threads, and its memory recycled; fewer are NumPy's.
cdef int64_t LARGE = 16384


cdef bint _lie_alike(cnp.ndarray a, cnp.ndarray b) except -1:
    """Whether both are dense arrays of floats of one dtype, shape and layout."""
    cdef int i, kind = cnp.PyArray_TYPE(a)
    if kind != cnp.PyArray_TYPE(b) or kind not in (cnp.NPY_FLOAT32, cnp.NPY_FLOAT64):
        return False
    if cnp.PyArray_NDIM(a) != cnp.PyArray_NDIM(b):
        return False
    for i in range(cnp.PyArray_NDIM(a)):
        if a.shape[i] != b.shape[i] or a.strides[i] != b.strides[i]:
            return False
    return dense(a) is a


def add_gradients(
    cnp.ndarray a not None,   # IN, OUT if own
    cnp.ndarray b not None,   # IN
    bint own,
):
    if cnp.PyArray_SIZE(a) < LARGE or not _lie_alike(a, b):
        return add_any_gradients(a, b, own)
    cdef cnp.ndarray out = a if own else empty_like(a)
    _run(elementwise_kernels_for(isa(), wide(a)).sum, a, b, out, (), 1)
    return out
