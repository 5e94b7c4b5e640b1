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

@cython.locals(recording=bint, values=list, arrays=list, needs=list, edges=list, i=Py_ssize_t,
               variable=Variable, ctx=Context)
cdef _apply(function, tuple args)

@cython.locals(first=Context, ctx=Context, pending=dict, heap=list, slots=list, index=Py_ssize_t)
cpdef backward(Variable variable, gradient, retain_graph=*)

@cython.locals(variable=Variable)
cdef tuple _step(Context ctx, list slots)
