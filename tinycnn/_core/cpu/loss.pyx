"""Softmax and class losses, forward and backward.

Mirrors reference/loss.py; the arithmetic is in simd/softmax.hh and simd/loss.hh. Threads share blocks
of rows. A mean or sum is taken from one value for each row, in one order, by one thread.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .blocks cimport (
    Blocks, blocks_of, read_number, require_numbers, write_number,
)
from .runtime cimport PARTIAL, buffer, data_or_null, isa, wide

cdef extern from "simd/loss_api.hh" nogil:
    struct ClassLoss:
        int64_t rows, classes
        const int64_t* target
        const void* weight
        int64_t ignore_index
        double smoothing
    struct SoftLoss:
        int64_t rows, classes
        const void* target
        const void* weight
        double smoothing

ctypedef void (*RowsForward)(const void*, void*, int64_t, int64_t, int64_t) noexcept nogil
ctypedef void (*RowsBackward)(
    const void*, const void*, void*, int64_t, int64_t, int64_t) noexcept nogil
ctypedef void (*ClassForward)(
    const ClassLoss*, const void*, void*, void*, int64_t, int64_t) noexcept nogil
ctypedef void (*ClassBackward)(
    const ClassLoss*, const void*, const void*, const void*, int64_t, double, void*, int64_t,
    int64_t) noexcept nogil
ctypedef void (*SoftForward)(
    const SoftLoss*, const void*, void*, void*, int64_t, int64_t) noexcept nogil
ctypedef void (*SoftBackward)(
    const SoftLoss*, const void*, const void*, const void*, int64_t, double, void*, void*,
    int64_t, int64_t) noexcept nogil

cdef extern from "simd/loss_api.hh" nogil:
    struct LossKernels:
        RowsForward softmax, log_softmax
        RowsBackward softmax_backward, log_softmax_backward
        int64_t (*check)(const ClassLoss*, double*) noexcept nogil
        ClassForward cross_entropy
        ClassBackward cross_entropy_backward
        SoftForward soft_cross_entropy
        SoftBackward soft_cross_entropy_backward
        double (*sum)(const void*, int64_t) noexcept nogil
    const LossKernels* loss_kernels_for(int isa, int wide)

cnp.import_array()


cdef int _rows(RowsForward kernel, cnp.ndarray x, cnp.ndarray y) except -1:
    cdef int64_t rows = x.shape[0], classes = x.shape[1], block, at
    cdef Blocks b = blocks_of(rows, classes)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef void* y_data = cnp.PyArray_DATA(y)
    require_numbers(x, y, rows * classes)
    if b.threads == 1:
        kernel(x_data, y_data, classes, 0, rows)
        return 0
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        kernel(x_data, y_data, classes, at, min(b.length, rows - at))
    return 0


cdef int _rows_backward(RowsBackward kernel, cnp.ndarray y, cnp.ndarray grad_y,
                        cnp.ndarray grad_x) except -1:
    cdef int64_t rows = y.shape[0], classes = y.shape[1], block, at
    cdef Blocks b = blocks_of(rows, classes)
    cdef const void* y_data = cnp.PyArray_DATA(y)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    require_numbers(y, grad_y, rows * classes)
    require_numbers(y, grad_x, rows * classes)
    if b.threads == 1:
        kernel(y_data, grad_y_data, grad_x_data, classes, 0, rows)
        return 0
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        kernel(y_data, grad_y_data, grad_x_data, classes, at, min(b.length, rows - at))
    return 0


def softmax_forward(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray y not None,       # OUT  (M, C)
):
    _rows(loss_kernels_for(isa(), wide(x)).softmax, x, y)


def softmax_backward(
    cnp.ndarray y not None,       # IN   (M, C)
    cnp.ndarray grad_y not None,  # IN   (M, C)
    cnp.ndarray grad_x not None,  # OUT  (M, C)
):
    _rows_backward(loss_kernels_for(isa(), wide(y)).softmax_backward, y, grad_y, grad_x)


def log_softmax_forward(
    cnp.ndarray x not None,       # IN   (M, C)
    cnp.ndarray y not None,       # OUT  (M, C)
):
    _rows(loss_kernels_for(isa(), wide(x)).log_softmax, x, y)


def log_softmax_backward(
    cnp.ndarray y not None,       # IN   (M, C)
    cnp.ndarray grad_y not None,  # IN   (M, C)
    cnp.ndarray grad_x not None,  # OUT  (M, C)
):
    _rows_backward(loss_kernels_for(isa(), wide(y)).log_softmax_backward, y, grad_y, grad_x)


cdef ClassLoss _class_loss(cnp.ndarray x, cnp.ndarray target, weight, int64_t ignore_index,
                           double label_smoothing) except *:
    cdef ClassLoss s
    s.rows, s.classes = x.shape[0], x.shape[1]
    if cnp.PyArray_TYPE(target) != cnp.NPY_INT64 or cnp.PyArray_SIZE(target) != s.rows:
        raise ValueError(f"loss: expected {s.rows} labels of dtype int64, got {target.dtype} "
                         f"{(<object>target).shape}.")
    require_numbers(x, weight, s.classes)
    s.target = <const int64_t*>cnp.PyArray_DATA(target)
    s.weight = data_or_null(weight)
    s.ignore_index, s.smoothing = ignore_index, label_smoothing
    return s


def cross_entropy_forward(
    cnp.ndarray x not None,           # IN   (M, C)
    cnp.ndarray target not None,      # IN   (M,) int64
    weight,                           # IN   (C,) or None
    int64_t ignore_index,
    double label_smoothing,
    str reduction not None,
    cnp.ndarray loss not None,        # OUT  (M,) or (1,)
    cnp.ndarray statistics not None,  # OUT  (M, 2)
    cnp.ndarray total not None,       # OUT  ()
):
    """The first row whose label is out of range, or -1."""
    cdef ClassLoss s = _class_loss(x, target, weight, ignore_index, label_smoothing)
    cdef int w = wide(x)
    cdef const LossKernels* k = loss_kernels_for(isa(), w)
    cdef Blocks b = blocks_of(s.rows, s.classes)
    cdef bint each = reduction == "none"
    cdef int64_t bad, block, at
    cdef double divisor = 0
    require_numbers(x, loss, s.rows if each else 1)
    require_numbers(x, statistics, 2 * s.rows)
    require_numbers(x, total, 1)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef void* losses = cnp.PyArray_DATA(loss) if each else buffer(PARTIAL, s.rows, w)
    cdef void* statistics_data = cnp.PyArray_DATA(statistics)
    with nogil:
        bad = k.check(&s, &divisor)
    if bad >= 0:
        return bad
    if b.threads == 1:
        k.cross_entropy(&s, x_data, losses, statistics_data, 0, s.rows)
    else:
        for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
            at = block * b.length
            k.cross_entropy(&s, x_data, losses, statistics_data, at, min(b.length, s.rows - at))
    if reduction != "mean":
        divisor = 1
    write_number(total, divisor)
    if not each:
        write_number(loss, k.sum(losses, s.rows) / divisor)
    return -1


def cross_entropy_backward(
    cnp.ndarray x not None,           # IN   (M, C)
    cnp.ndarray target not None,      # IN   (M,) int64
    weight,                           # IN   (C,) or None
    int64_t ignore_index,
    double label_smoothing,
    str reduction not None,
    cnp.ndarray statistics not None,  # IN   (M, 2)
    cnp.ndarray total not None,       # IN   ()
    cnp.ndarray grad_loss not None,   # IN   (M,) or (1,)
    cnp.ndarray grad_x not None,      # OUT  (M, C)
):
    cdef ClassLoss s = _class_loss(x, target, weight, ignore_index, label_smoothing)
    cdef const LossKernels* k = loss_kernels_for(isa(), wide(x))
    cdef Blocks b = blocks_of(s.rows, s.classes)
    cdef int64_t each = reduction == "none", block, at
    cdef double divisor = read_number(total)
    require_numbers(x, statistics, 2 * s.rows)
    require_numbers(x, grad_loss, s.rows if each else 1)
    require_numbers(x, grad_x, s.rows * s.classes)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* statistics_data = cnp.PyArray_DATA(statistics)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    if b.threads == 1:
        k.cross_entropy_backward(&s, x_data, statistics_data, gain, each, divisor, grad_x_data, 0,
                                 s.rows)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        k.cross_entropy_backward(&s, x_data, statistics_data, gain, each, divisor, grad_x_data, at,
                                 min(b.length, s.rows - at))


cdef SoftLoss _soft_loss(cnp.ndarray x, cnp.ndarray target, weight,
                         double label_smoothing) except *:
    cdef SoftLoss s
    s.rows, s.classes = x.shape[0], x.shape[1]
    require_numbers(x, target, s.rows * s.classes)
    require_numbers(x, weight, s.classes)
    s.target, s.weight, s.smoothing = cnp.PyArray_DATA(target), data_or_null(weight), label_smoothing
    return s


def soft_cross_entropy_forward(
    cnp.ndarray x not None,           # IN   (M, C)
    cnp.ndarray target not None,      # IN   (M, C)
    weight,                           # IN   (C,) or None
    double label_smoothing,
    str reduction not None,
    cnp.ndarray loss not None,        # OUT  (M,) or (1,)
    cnp.ndarray statistics not None,  # OUT  (M, 2)
):
    cdef SoftLoss s = _soft_loss(x, target, weight, label_smoothing)
    cdef int w = wide(x)
    cdef const LossKernels* k = loss_kernels_for(isa(), w)
    cdef Blocks b = blocks_of(s.rows, s.classes)
    cdef bint each = reduction == "none"
    cdef int64_t block, at
    require_numbers(x, loss, s.rows if each else 1)
    require_numbers(x, statistics, 2 * s.rows)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef void* losses = cnp.PyArray_DATA(loss) if each else buffer(PARTIAL, s.rows, w)
    cdef void* statistics_data = cnp.PyArray_DATA(statistics)
    if b.threads == 1:
        k.soft_cross_entropy(&s, x_data, losses, statistics_data, 0, s.rows)
    else:
        for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
            at = block * b.length
            k.soft_cross_entropy(&s, x_data, losses, statistics_data, at, min(b.length, s.rows - at))
    if not each:
        write_number(loss, k.sum(losses, s.rows) / (s.rows if reduction == "mean" else 1))


def soft_cross_entropy_backward(
    cnp.ndarray x not None,           # IN   (M, C)
    cnp.ndarray target not None,      # IN   (M, C)
    weight,                           # IN   (C,) or None
    double label_smoothing,
    str reduction not None,
    cnp.ndarray statistics not None,  # IN   (M, 2)
    cnp.ndarray grad_loss not None,   # IN   (M,) or (1,)
    grad_x,                           # OUT  (M, C) or None
    grad_target,                      # OUT  (M, C) or None
):
    cdef SoftLoss s = _soft_loss(x, target, weight, label_smoothing)
    cdef const LossKernels* k = loss_kernels_for(isa(), wide(x))
    cdef Blocks b = blocks_of(s.rows, s.classes)
    cdef int64_t each = reduction == "none", block, at
    cdef double divisor = s.rows if reduction == "mean" else 1
    require_numbers(x, statistics, 2 * s.rows)
    require_numbers(x, grad_loss, s.rows if each else 1)
    require_numbers(x, grad_x, s.rows * s.classes)
    require_numbers(x, grad_target, s.rows * s.classes)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* statistics_data = cnp.PyArray_DATA(statistics)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = data_or_null(grad_x)
    cdef void* grad_target_data = data_or_null(grad_target)
    if b.threads == 1:
        k.soft_cross_entropy_backward(&s, x_data, statistics_data, gain, each, divisor, grad_x_data,
                                      grad_target_data, 0, s.rows)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        k.soft_cross_entropy_backward(&s, x_data, statistics_data, gain, each, divisor, grad_x_data,
                                      grad_target_data, at, min(b.length, s.rows - at))
