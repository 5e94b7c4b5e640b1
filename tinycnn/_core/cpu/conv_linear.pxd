cimport numpy as cnp

cdef bint sees_all(cnp.ndarray x, cnp.ndarray y, window) except -1
cdef int linear_forward(cnp.ndarray x, cnp.ndarray weight, bias, cnp.ndarray y) except -1
cdef int linear_backward_input(cnp.ndarray grad_y, cnp.ndarray weight, cnp.ndarray grad_x) except -1
cdef bint lies_in_order(cnp.ndarray grad_weight) except -1
cdef int linear_backward_weight(cnp.ndarray x, cnp.ndarray grad_y, cnp.ndarray grad_weight) except -1
