from libc.stdint cimport int64_t
cimport numpy as cnp
from .gather cimport Gather

cdef int64_t grouped_winograd_tile(const Gather* g, int wide, str algorithm) except -1
cdef int run_grouped_winograd(const Gather* g, cnp.ndarray x, cnp.ndarray weight, bias,
                              cnp.ndarray y) except -1
cdef int run_grouped_winograd_weight(const Gather* g, cnp.ndarray x, cnp.ndarray grad_y,
                                     cnp.ndarray grad_weight) except -1
