from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport Gather

cdef bint depthwise_fits(const Gather* g, int wide) noexcept
cdef int run_depthwise(const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y) except -1
cdef int run_depthwise_backward(const Gather* g, x, cnp.ndarray grad_y, weight, bias, grad_x,
                                const Gather* of_weight, grad_weight) except -1
