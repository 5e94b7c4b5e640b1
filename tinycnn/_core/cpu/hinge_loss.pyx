"""Hinge losses of classes, forward and backward.

Mirrors reference/hinge_loss.py; the arithmetic is in simd/hinge_loss.hh. Threads share blocks of rows.
A mean or sum is taken from one value for each row, in one order, by one thread.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .blocks cimport Blocks, blocks_of, require_numbers, write_number
from .runtime cimport PARTIAL, buffer, data_or_null, isa, wide

cdef extern from "simd/hinge_loss_api.hh" nogil:
    struct MultiMargin:
        int64_t rows, classes
        const int64_t* target
        const void* weight
        int squared
        double margin
    struct HingeLossKernels:
        void (*multi_margin)(const MultiMargin*, const void*, void*, int64_t,
                             int64_t) noexcept nogil
        void (*multi_margin_backward)(const MultiMargin*, const void*, const void*, int64_t, double,
                                      void*, int64_t, int64_t) noexcept nogil
        void (*multilabel_margin)(const void*, const int64_t*, int64_t, void*, void*, int64_t,
                                  int64_t) noexcept nogil
        void (*multilabel_margin_backward)(const void*, const void*, int64_t, const void*, int64_t,
                                           double, void*, int64_t, int64_t) noexcept nogil
        double (*sum)(const void*, int64_t) noexcept nogil
    const HingeLossKernels* hinge_loss_kernels_for(int isa, int wide)
    int64_t first_bad_row(const int64_t*, int64_t, int64_t, int64_t, int64_t)

cnp.import_array()


cdef const int64_t* _labels(cnp.ndarray target, int64_t size) except? NULL:
    if cnp.PyArray_TYPE(target) != cnp.NPY_INT64 or cnp.PyArray_SIZE(target) != size:
        raise ValueError(f"loss: expected {size} labels of dtype int64, got {target.dtype} "
                         f"{(<object>target).shape}.")
    return <const int64_t*>cnp.PyArray_DATA(target)


cdef MultiMargin _multi_margin(cnp.ndarray x, cnp.ndarray target, weight, int p,
                               double margin) except *:
    cdef MultiMargin s
    s.rows, s.classes = x.shape[0], x.shape[1]
    s.target = _labels(target, s.rows)
    require_numbers(x, weight, s.classes)
    s.weight, s.squared, s.margin = data_or_null(weight), p == 2, margin
    return s


def multi_margin_forward(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray target not None,  # IN   (M,) int64
    weight,                       # IN   (C,) or None
    int p,                        #      1 or 2
    double margin,
    str reduction not None,
    cnp.ndarray loss not None,    # OUT  (M,) or (1,)
):
    """The first row whose label is out of range, or -1."""
    cdef MultiMargin s = _multi_margin(x, target, weight, p, margin)
    cdef int w = wide(x)
    cdef const HingeLossKernels* k = hinge_loss_kernels_for(isa(), w)
    cdef Blocks b = blocks_of(s.rows, s.classes)
    cdef bint each = reduction == "none"
    cdef int64_t bad = first_bad_row(s.target, s.rows, 1, 0, s.classes), block, at
    require_numbers(x, loss, s.rows if each else 1)
    if bad >= 0:
        return bad
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef void* losses = cnp.PyArray_DATA(loss) if each else buffer(PARTIAL, s.rows, w)
    if b.threads == 1:
        k.multi_margin(&s, x_data, losses, 0, s.rows)
    else:
        for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
            at = block * b.length
            k.multi_margin(&s, x_data, losses, at, min(b.length, s.rows - at))
    if not each:
        write_number(loss, k.sum(losses, s.rows) / (s.rows if reduction == "mean" else 1))
    return -1


def multi_margin_backward(
    cnp.ndarray x not None,          # IN   (M, C)
    cnp.ndarray target not None,     # IN   (M,) int64
    weight,                          # IN   (C,) or None
    int p,                           #      1 or 2
    double margin,
    str reduction not None,
    cnp.ndarray grad_loss not None,  # IN   (M,) or (1,)
    cnp.ndarray grad_x not None,     # OUT  (M, C)
):
    cdef MultiMargin s = _multi_margin(x, target, weight, p, margin)
    cdef const HingeLossKernels* k = hinge_loss_kernels_for(isa(), wide(x))
    cdef Blocks b = blocks_of(s.rows, s.classes)
    cdef int64_t each = reduction == "none", block, at
    cdef double divisor = s.rows if reduction == "mean" else 1
    require_numbers(x, grad_loss, s.rows if each else 1)
    require_numbers(x, grad_x, s.rows * s.classes)
    if first_bad_row(s.target, s.rows, 1, 0, s.classes) >= 0:
        raise ValueError("loss: expected labels that forward has checked.")
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    if b.threads == 1:
        k.multi_margin_backward(&s, x_data, gain, each, divisor, grad_x_data, 0, s.rows)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        k.multi_margin_backward(&s, x_data, gain, each, divisor, grad_x_data, at,
                                min(b.length, s.rows - at))


def multilabel_margin_forward(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray target not None,  # IN   (M, C) int64
    str reduction not None,
    cnp.ndarray loss not None,    # OUT  (M,) or (1,)
    cnp.ndarray counts not None,  # OUT  (M, C)
):
    """The first row with a class out of range, or -1."""
    cdef int64_t rows = x.shape[0], classes = x.shape[1], block, at
    cdef const int64_t* labels = _labels(target, rows * classes)
    cdef int w = wide(x)
    cdef const HingeLossKernels* k = hinge_loss_kernels_for(isa(), w)
    cdef Blocks b = blocks_of(rows, 4 * classes)  # about four labels in a list
    cdef bint each = reduction == "none"
    cdef int64_t bad = first_bad_row(labels, rows, classes, -1, classes)
    require_numbers(x, loss, rows if each else 1)
    require_numbers(x, counts, rows * classes)
    if bad >= 0:
        return bad
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef void* losses = cnp.PyArray_DATA(loss) if each else buffer(PARTIAL, rows, w)
    cdef void* counts_data = cnp.PyArray_DATA(counts)
    if b.threads == 1:
        k.multilabel_margin(x_data, labels, classes, losses, counts_data, 0, rows)
    else:
        for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
            at = block * b.length
            k.multilabel_margin(x_data, labels, classes, losses, counts_data, at,
                                min(b.length, rows - at))
    if not each:
        write_number(loss, k.sum(losses, rows) / (rows if reduction == "mean" else 1))
    return -1


def multilabel_margin_backward(
    cnp.ndarray x not None,          # IN   (M, C)
    cnp.ndarray counts not None,     # IN   (M, C)
    str reduction not None,
    cnp.ndarray grad_loss not None,  # IN   (M,) or (1,)
    cnp.ndarray grad_x not None,     # OUT  (M, C)
):
    cdef int64_t rows = x.shape[0], classes = x.shape[1], each = reduction == "none", block, at
    cdef const HingeLossKernels* k = hinge_loss_kernels_for(isa(), wide(x))
    cdef Blocks b = blocks_of(rows, 4 * classes)
    cdef double divisor = rows if reduction == "mean" else 1
    require_numbers(x, counts, rows * classes)
    require_numbers(x, grad_loss, rows if each else 1)
    require_numbers(x, grad_x, rows * classes)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* counts_data = cnp.PyArray_DATA(counts)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    if b.threads == 1:
        k.multilabel_margin_backward(x_data, counts_data, classes, gain, each, divisor, grad_x_data,
                                     0, rows)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        k.multilabel_margin_backward(x_data, counts_data, classes, gain, each, divisor, grad_x_data,
                                     at, min(b.length, rows - at))
