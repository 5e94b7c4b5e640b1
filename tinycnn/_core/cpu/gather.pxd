"""Sizes of a convolution, as simd/conv_api.hh has them."""

from libc.stdint cimport int64_t
cimport numpy as cnp

cdef extern from "simd/conv_api.hh" nogil:
    struct Axis:
        int64_t out "out"
        int64_t taps
    enum Algorithm:
        AUTO
        IM2COL
        DIRECT
    struct Gather:
        Axis axis[3]
        int64_t images, groups, c, oc, w_group, w_out, w_in
        int64_t w_tap[3]
        bint relu
        int algorithm
        int64_t pixels()
        int64_t depth()
        int64_t taps()
    Axis forward_axis(int64_t size, int64_t out, int64_t kernel, int64_t stride, int64_t low,
                      int64_t dilation)
    Axis backward_axis(int64_t x_size, int64_t y_size, int64_t kernel, int64_t stride, int64_t low,
                       int64_t dilation, int64_t phase)

cdef str name_of(window)
cdef int algorithm_of(window) except -1
cdef Gather forward_gather(cnp.ndarray x, cnp.ndarray weight, cnp.ndarray y, window, int64_t groups) except *
cdef int turn_round(Gather* g, cnp.ndarray grad_y) except -1
cdef int64_t phases_of(cnp.ndarray grad_x, window) except -1
cdef bint set_phase(Gather* g, cnp.ndarray grad_x, cnp.ndarray grad_y, window, int64_t phase) except -1
