"""Activation functions, and the sum of gradients, element by element.

Mirrors reference/elementwise.py. Arrays are dense and of one layout, so they are read as flat
memory (simd/elementwise.hh), in chunks of 4096 numbers that threads share.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from ..reference.elementwise import add_gradients as add_any_gradients
from .memory import dense, empty_like
from .runtime cimport isa, threads_for, wide

cdef extern from "simd/elementwise_api.hh" nogil:
    enum ElementwiseOperation:
        RELU_FORWARD
        RELU_BACKWARD
        LEAKY_RELU_FORWARD
        LEAKY_RELU_BACKWARD
        ELU_FORWARD
        ELU_BACKWARD
        SIGMOID_FORWARD
        SIGMOID_BACKWARD
        TANH_FORWARD
        TANH_BACKWARD
        SUM
    ctypedef void (*Kernel "ElementwiseKernels::Kernel")(
        const void*, const void*, void*, double, int64_t) noexcept nogil
    struct ElementwiseKernels:
        Kernel operation[11]
    const ElementwiseKernels* elementwise_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t CHUNK = 4096
cdef int64_t EXP_COSTS = 8  # times as much as a comparison, roughly


cdef int _run(int operation, cnp.ndarray a, cnp.ndarray b, cnp.ndarray out, double setting,
              int64_t cost) except -1:
    cdef int w = wide(out)
    cdef Kernel kernel = elementwise_kernels_for(isa(), w).operation[operation]
    cdef int64_t count = cnp.PyArray_SIZE(out), chunks = (count + CHUNK - 1) // CHUNK, chunk, at
    cdef int64_t size = 8 if w else 4
    cdef int threads = threads_for(chunks, count * cost)
    cdef const char* a_data = <const char*>cnp.PyArray_DATA(a)
    cdef const char* b_data = <const char*>cnp.PyArray_DATA(b)
    cdef char* out_data = <char*>cnp.PyArray_DATA(out)
    if wide(a) != w or wide(b) != w or cnp.PyArray_SIZE(a) != count or cnp.PyArray_SIZE(b) != count:
        raise ValueError("elementwise: expected arrays of one size and dtype.")
    if threads == 1:
        with nogil:
            kernel(a_data, b_data, out_data, setting, count)
        return 0
    for chunk in prange(chunks, num_threads=threads, schedule="static", nogil=True):
        at = chunk * CHUNK
        kernel(a_data + at * size, b_data + at * size, out_data + at * size, setting,
               min(CHUNK, count - at))
    return 0


def relu_forward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
):
    _run(RELU_FORWARD, x, x, y, 0, 1)


def relu_backward(
    cnp.ndarray y not None,       # IN
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
):
    _run(RELU_BACKWARD, y, grad_y, grad_x, 0, 1)


def leaky_relu_forward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
    double slope,
):
    _run(LEAKY_RELU_FORWARD, x, x, y, slope, 1)


def leaky_relu_backward(
    cnp.ndarray x not None,       # IN   only its sign is used
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
    double slope,
):
    _run(LEAKY_RELU_BACKWARD, x, grad_y, grad_x, slope, 1)


def elu_forward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
    double alpha,
):
    _run(ELU_FORWARD, x, x, y, alpha, EXP_COSTS)


def elu_backward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
    double alpha,
):
    _run(ELU_BACKWARD, x, grad_y, grad_x, alpha, EXP_COSTS)


def sigmoid_forward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
):
    _run(SIGMOID_FORWARD, x, x, y, 0, EXP_COSTS)


def sigmoid_backward(
    cnp.ndarray y not None,       # IN
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
):
    _run(SIGMOID_BACKWARD, y, grad_y, grad_x, 0, 1)


def tanh_forward(
    cnp.ndarray x not None,       # IN
    cnp.ndarray y not None,       # OUT
):
    _run(TANH_FORWARD, x, x, y, 0, EXP_COSTS)


def tanh_backward(
    cnp.ndarray y not None,       # IN
    cnp.ndarray grad_y not None,  # IN
    cnp.ndarray grad_x not None,  # OUT
):
    _run(TANH_BACKWARD, y, grad_y, grad_x, 0, 1)


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
    _run(SUM, a, b, out, 0, 1)
    return out
