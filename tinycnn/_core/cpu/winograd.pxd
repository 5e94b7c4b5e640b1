from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport Gather

cdef int64_t winograd_tile(const Gather* g, str algorithm) except -1
cdef int run_winograd(const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y) except -1
cdef int run_winograd_weight(const Gather* g, cnp.ndarray x, cnp.ndarray grad_y,
                             cnp.ndarray grad_weight) except -1
