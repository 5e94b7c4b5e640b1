"""Types of attributes and variables, with which autograd.py is compiled."""

import cython


cdef class Variable:
    cdef public object data, grad, creator
    cdef public bint requires_grad
    cdef public Py_ssize_t index
    cdef object __weakref__


cdef class Context:
    cdef public object function, kernels, edges, needs, retained
    cdef public long long order
    cdef public Py_ssize_t result_count
    cdef dict __dict__


cpdef Variable wrap(array, creator=*, Py_ssize_t index=*)

@cython.locals(recording=bint, wanted=bint, values=list, arrays=list, needs=list, edges=list,
               variable=Variable, ctx=Context)
cdef _apply(function, tuple args)
