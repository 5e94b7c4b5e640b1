"""Convolutions whose one window is the whole input: a linear layer in other words. Its three products
need no im2col, and multiply no padding."""

from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport AUTO, algorithm_of
from .gemm cimport Gemm, multiply
from .runtime cimport data_or_null, wide

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewLikeArray(cnp.ndarray like, cnp.NPY_ORDER order, void* dtype, int subclass)

cnp.import_array()


cdef bint sees_all(cnp.ndarray x, cnp.ndarray y, window) except -1:
    """Whether there is one window, and it is the whole input. An algorithm by name goes before."""
    cdef int i
    cdef tuple w = <tuple>window, kernel = w[0], padding = w[2]
    if algorithm_of(window) != AUTO:
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
    return multiply(&g, wide(a), <const char*>cnp.PyArray_DATA(a), <const char*>cnp.PyArray_DATA(b),
                    <const char*>data_or_null(bias), <char*>cnp.PyArray_DATA(c))


cdef int linear_forward(cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y) except -1:
    cdef int64_t n = weight.shape[0], depth = _row(x)
    return _linear(_in_order(x), depth, 1, _in_order(weight), 1, depth, bias, y, x.shape[0], n, depth)


cdef int linear_backward_input(cnp.ndarray grad_y, cnp.ndarray weight, cnp.ndarray grad_x) except -1:
    cdef int64_t n = weight.shape[0], depth = _row(grad_x)
    cdef cnp.ndarray seen = PyArray_NewLikeArray(_channels_first(grad_x), cnp.NPY_CORDER, NULL, 0)
    _linear(grad_y, n, 1, _in_order(weight), depth, 1, None, seen, grad_y.shape[0], depth, n)
    return cnp.PyArray_CopyInto(_channels_first(grad_x), seen)


cdef bint lies_in_order(cnp.ndarray grad_weight) except -1:
    """Whether the gradient of the weights can be written where it lies."""
    return cnp.PyArray_IS_C_CONTIGUOUS(_channels_first(grad_weight))


cdef int linear_backward_weight(cnp.ndarray x, cnp.ndarray grad_y, cnp.ndarray grad_weight) except -1:
    cdef int64_t n = grad_weight.shape[0], depth = _row(grad_weight)
    return _linear(grad_y, 1, n, _in_order(x), depth, 1, None, grad_weight, n, depth, x.shape[0])
