"""Sizes of a convolution as a gather (simd/conv_api.hh): forward, and phase by phase for the gradient
of the input."""

from libc.stdint cimport int64_t
cimport numpy as cnp

cnp.import_array()


cdef int describe_weight(Gather* g, cnp.ndarray weight, int64_t groups) except -1:
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


cdef int algorithm_of(window) except -1:
    """The one that is asked for by name, if a gather knows it.

    A Window is a tuple of its own type: it is read as one, as looking for its methods takes longer
    than all that is done with the numbers.
    """
    cdef str name = name_of(window)
    return IM2COL if name == "im2col" else DIRECT if name == "direct" else AUTO


cdef str name_of(window):
    return (<tuple>window)[4]


cdef Gather forward_gather(
    cnp.ndarray x, cnp.ndarray weight, cnp.ndarray y, window, int64_t groups
) except *:
    cdef Gather g
    cdef int i
    cdef tuple w = <tuple>window, kernel = w[0], stride = w[1], padding = w[2], dilation = w[3]
    describe_weight(&g, weight, groups)
    g.algorithm = algorithm_of(window)
    g.images = x.shape[0]
    for i in range(3):
        g.axis[i] = forward_axis(x.shape[1 + i], y.shape[1 + i], kernel[i], stride[i],
                                 (<tuple>padding[i])[0], dilation[i])
    return g


cdef int turn_round(Gather* g, cnp.ndarray grad_y) except -1:
    """Make a forward plan one for the gradient of the input, which reads the channels that the forward
    pass wrote. Its axes are set phase by phase."""
    g.oc, g.c = g.c, g.oc
    g.w_out, g.w_in = g.w_in, g.w_out
    g.images = grad_y.shape[0]
    return 0


cdef int64_t phases_of(cnp.ndarray grad_x, window) except -1:
    """Gathers that an input gradient falls into: a phase of the stride along each axis. Later phases
    lie behind the last pixel."""
    cdef tuple stride = (<tuple>window)[1]
    return (min(stride[0], grad_x.shape[1]) * min(stride[1], grad_x.shape[2])
            * min(stride[2], grad_x.shape[3]))


cdef bint set_phase(
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
