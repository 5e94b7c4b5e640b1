"""Optimiser updates: every parameter of a group moved by one call.

Mirrors reference/update.py. All parameters of a call are laid end to end in thought and cut into
chunks of 4096 numbers, which threads share; each chunk is one pass over memory (simd/update.hh).

Where arrays are dense, aligned and in one layout, which is the rule, they are used as they are. Any
others pass through copies; arrays that do not belong together raise reference/update.py's sentence.
"""

from cython.parallel cimport prange
from libc.math cimport pow, sqrt
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport PACKED, buffer, isa, threads_for, wide

import numpy

from ..reference.update import check_update
from .memory import dense

cdef extern from "simd/update_api.hh" nogil:
    enum UpdateRule:
        SGD
        SGD_MOMENTUM
        ADAM
        ADAM_AMSGRAD
        RMSPROP
        RMSPROP_MOMENTUM
        RMSPROP_CENTERED
        RMSPROP_CENTERED_MOMENTUM
        ADAGRAD
        ADADELTA
    struct UpdateSettings:
        double sign, weight_decay, shrink, momentum, gain, decay1, decay2, eps
        int nesterov
    ctypedef void (*UpdateKernel)(const Update*, const UpdateSettings*, int64_t, int64_t) noexcept nogil
    struct Update:
        void* p
        const void* grad
        void* state[3]
        int64_t first, size
        double rate, scale
        UpdateKernel kernel
    struct UpdateKernels:
        UpdateKernel rule[10]
    const UpdateKernels* update_kernels_for(int isa, int wide)
    int64_t UPDATE_CHUNK
    void update_chunk(const Update*, int64_t, const UpdateSettings*, int64_t) noexcept

cnp.import_array()

cdef enum:
    ANY_ORDER = cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS
    WRITABLE = cnp.NPY_ARRAY_ALIGNED | cnp.NPY_ARRAY_WRITEABLE


cdef bint _fits(object array, cnp.ndarray p, int flags) noexcept:
    """True if `array` has the type and shape of `p` and its layout, C or Fortran order."""
    if not cnp.PyArray_Check(array):
        return False
    cdef cnp.ndarray a = <cnp.ndarray>array
    return (
        cnp.PyArray_TYPE(a) == cnp.PyArray_TYPE(p)
        and cnp.PyArray_ISNOTSWAPPED(a)
        and (cnp.PyArray_FLAGS(a) & flags) == flags
        and (cnp.PyArray_FLAGS(a) & cnp.PyArray_FLAGS(p) & ANY_ORDER) != 0
        and cnp.PyArray_SAMESHAPE(a, p)
    )


cdef bint _fits_step(object array) noexcept:
    """True if `array` is one float32 number that may be written."""
    if not cnp.PyArray_Check(array):
        return False
    cdef cnp.ndarray a = <cnp.ndarray>array
    return (
        cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT32
        and cnp.PyArray_ISNOTSWAPPED(a)
        and cnp.PyArray_SIZE(a) == 1
        and (cnp.PyArray_FLAGS(a) & WRITABLE) == WRITABLE
    )


cdef bint _usual(list params, list grads, list lists, list steps, Py_ssize_t i) noexcept:
    """True if the arrays of parameter i belong together and can be used as they are."""
    if not cnp.PyArray_Check(params[i]):
        return False
    cdef cnp.ndarray p = <cnp.ndarray>params[i]
    if cnp.PyArray_TYPE(p) != cnp.NPY_FLOAT32 and cnp.PyArray_TYPE(p) != cnp.NPY_FLOAT64:
        return False
    if not (_fits(p, p, WRITABLE) and _fits(grads[i], p, cnp.NPY_ARRAY_ALIGNED)):
        return False
    for arrays in lists:
        if not _fits((<list>arrays)[i], p, WRITABLE):
            return False
    return steps is None or _fits_step(steps[i])


cdef inline void* _address(object array) noexcept:
    return cnp.PyArray_DATA(<cnp.ndarray>array)


cdef list _in_one_layout(list arrays, list copies):
    """A parameter, its gradient and its state as dense arrays of one layout.

    Arrays that lie otherwise are copied; `copies` gets (original, copy) of those to be written.
    """
    like = dense(arrays[0]) if arrays[0].flags.aligned else arrays[0].copy("K")
    cdef list result = []
    for i, a in enumerate(arrays):
        own = like
        if i > 0:
            own = a
            if a.strides != like.strides or not a.flags.aligned:
                own = numpy.empty_like(like)
                own[...] = a
        if own is not a and i != 1:
            copies.append((a, own))
        result.append(own)
    return result


cdef int _set_rate(Update* u, UpdateRule rule, const UpdateSettings* s, double lr, list steps,
                   Py_ssize_t i) except -1:
    """Count the step, and set what depends on it: the learning rate, and the factor of sqrt(v)."""
    cdef double step
    cdef float* counter
    u.rate, u.scale = lr, 1
    if steps is None:
        return 0
    counter = <float*>_address(steps[i])
    counter[0] += 1
    step = counter[0]
    if rule == ADAM or rule == ADAM_AMSGRAD:
        u.rate = lr / (1 - pow(s.decay1, step))
        u.scale = 1 / sqrt(1 - pow(s.decay2, step))
    elif rule == ADAGRAD:
        u.rate = lr / (1 + (step - 1) * s.decay1)
    return 0


cdef int _run(str function, UpdateRule rule, const UpdateSettings* settings, double lr, list params,
              list grads, list steps, dict state) except -1:
    """Check all arrays, gather their addresses in a table, then work through it in chunks.

    Nothing is written before everything is found to fit.
    """
    cdef list lists = [arrays for arrays in state.values() if arrays is not None]
    cdef list everything = lists + [grads] + ([] if steps is None else [steps])
    cdef list copies = [], kept = [], row
    cdef Py_ssize_t count = len(params), i
    cdef int64_t numbers = 0, chunks, chunk
    cdef int k, kinds = len(lists), threads
    cdef cnp.ndarray p
    cdef Update* table = <Update*>buffer(PACKED, count * (sizeof(Update) // 8), 1)
    cdef Update* u
    for arrays in everything:
        if len(<list>arrays) != count:
            check_update(function, params, grads, steps, **state)
    for i in range(count):
        u = table + i
        if _usual(params, grads, lists, steps, i):
            p = <cnp.ndarray>params[i]
            u.grad = _address(grads[i])
            for k in range(kinds):
                u.state[k] = _address((<list>lists[k])[i])
        else:
            if not kept:
                check_update(function, params, grads, steps, **state)
            row = _in_one_layout([params[i], grads[i]] + [arrays[i] for arrays in lists], copies)
            kept.append(row)
            p = <cnp.ndarray>row[0]
            u.grad = _address(row[1])
            for k in range(kinds):
                u.state[k] = _address(row[2 + k])
        u.p = _address(p)
        u.first, u.size = numbers, cnp.PyArray_SIZE(p)
        u.kernel = update_kernels_for(isa(), wide(p)).rule[<int>rule]
        numbers += u.size
    for i in range(count):
        _set_rate(table + i, rule, settings, lr, steps, i)
    chunks = (numbers + UPDATE_CHUNK - 1) // UPDATE_CHUNK
    threads = threads_for(chunks, numbers)
    with nogil:
        if threads == 1:
            for chunk in range(chunks):
                update_chunk(table, count, settings, chunk)
        else:
            for chunk in prange(chunks, num_threads=threads, schedule="static"):
                update_chunk(table, count, settings, chunk)
    for original, own in copies:
        original[...] = own
    return 0


cdef UpdateSettings _settings(double weight_decay, bint maximize, double eps) noexcept:
    cdef UpdateSettings s
    s.sign = -1 if maximize else 1
    s.weight_decay, s.eps = weight_decay, eps
    s.shrink = s.gain = 1
    s.momentum = s.decay1 = s.decay2 = 0
    s.nesterov = False
    return s


def sgd_update(
    list params not None,   # IN/OUT
    list grads not None,    # IN
    list buffers,           # IN/OUT or None: no momentum
    double lr,
    double momentum,
    double dampening,
    double weight_decay,
    bint nesterov,
    bint maximize,
):
    cdef UpdateSettings s = _settings(weight_decay, maximize, 0)
    s.momentum, s.gain, s.nesterov = momentum, 1 - dampening, nesterov
    _run("sgd_update", SGD if buffers is None else SGD_MOMENTUM, &s, lr, params, grads, None,
         {"momentum_buffer": buffers})


def adam_update(
    list params not None,       # IN/OUT
    list grads not None,        # IN
    list exp_avgs not None,     # IN/OUT
    list exp_avg_sqs not None,  # IN/OUT
    list max_exp_avg_sqs,       # IN/OUT or None: no AMSGrad
    list steps not None,        # IN/OUT
    double lr,
    double beta1,
    double beta2,
    double eps,
    double weight_decay,
    bint decoupled,
    bint maximize,
):
    cdef UpdateSettings s = _settings(0 if decoupled else weight_decay, maximize, eps)
    s.decay1, s.decay2 = beta1, beta2
    if decoupled:
        s.shrink = 1 - lr * weight_decay
    _run("adam_update", ADAM if max_exp_avg_sqs is None else ADAM_AMSGRAD, &s, lr, params, grads,
         steps, {"exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs, "max_exp_avg_sq": max_exp_avg_sqs})


def rmsprop_update(
    list params not None,       # IN/OUT
    list grads not None,        # IN
    list square_avgs not None,  # IN/OUT
    list grad_avgs,             # IN/OUT or None: not centered
    list buffers,               # IN/OUT or None: no momentum
    list steps not None,        # IN/OUT
    double lr,
    double alpha,
    double eps,
    double weight_decay,
    double momentum,
    bint maximize,
):
    cdef UpdateSettings s = _settings(weight_decay, maximize, eps)
    cdef UpdateRule rule
    s.decay2, s.momentum = alpha, momentum
    if grad_avgs is None:
        rule = RMSPROP if buffers is None else RMSPROP_MOMENTUM
    else:
        rule = RMSPROP_CENTERED if buffers is None else RMSPROP_CENTERED_MOMENTUM
    _run("rmsprop_update", rule, &s, lr, params, grads, steps,
         {"square_avg": square_avgs, "grad_avg": grad_avgs, "momentum_buffer": buffers})


def adagrad_update(
    list params not None,   # IN/OUT
    list grads not None,    # IN
    list sums not None,     # IN/OUT
    list steps not None,    # IN/OUT
    double lr,
    double lr_decay,
    double eps,
    double weight_decay,
    bint maximize,
):
    cdef UpdateSettings s = _settings(weight_decay, maximize, eps)
    s.decay1 = lr_decay
    _run("adagrad_update", ADAGRAD, &s, lr, params, grads, steps, {"sum": sums})


def adadelta_update(
    list params not None,       # IN/OUT
    list grads not None,        # IN
    list square_avgs not None,  # IN/OUT
    list acc_deltas not None,   # IN/OUT
    list steps not None,        # IN/OUT
    double lr,
    double rho,
    double eps,
    double weight_decay,
    bint maximize,
):
    cdef UpdateSettings s = _settings(weight_decay, maximize, eps)
    s.decay2 = rho
    _run("adadelta_update", ADADELTA, &s, lr, params, grads, steps,
         {"square_avg": square_avgs, "acc_delta": acc_deltas})
