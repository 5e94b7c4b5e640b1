"""Softmax and losses, forward and backward.

Mirrors reference/loss.py; the arithmetic is in simd/loss.hh (rows of class scores) and
simd/loss_pairs.hh. Threads share blocks of rows, or of 4096 pairs. A mean or sum is taken from one
value for each row or block, in one order, by one thread.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport PARTIAL, TILE, buffer, isa, threads_for, wide

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
    struct PairLoss:
        const void* x
        const void* target
        const void* weight
        const void* pos_weight
    enum PairKind:
        MSE
        L1
        BCE
        BCE_LOGITS

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
ctypedef int (*PairForward)(const PairLoss*, void*, double*, int64_t, int64_t) noexcept nogil
ctypedef void (*PairBackward)(
    const PairLoss*, const void*, int64_t, double, void*, void*, int64_t,
    int64_t) noexcept nogil

cdef extern from "simd/loss_api.hh" nogil:
    struct LossKernels:
        RowsForward softmax, log_softmax
        RowsBackward softmax_backward, log_softmax_backward
        int64_t (*check)(const ClassLoss*, double*) noexcept nogil
        ClassForward cross_entropy
        ClassBackward cross_entropy_backward
        SoftForward soft_cross_entropy
        SoftBackward soft_cross_entropy_backward
        PairForward pair[4]
        PairBackward pair_backward[4]
        double (*sum)(const void*, int64_t) noexcept nogil
    const LossKernels* loss_kernels_for(int isa, int wide)

cnp.import_array()

cdef int64_t BLOCK = 4096  # numbers of a task, about
cdef int64_t EXP_COSTS = 8  # times as much as a multiplication, roughly
cdef dict KINDS = {"mse": MSE, "l1": L1, "bce": BCE, "bce_logits": BCE_LOGITS}


cdef struct Blocks:
    int64_t length, count  # rows of a block, and how many blocks there are
    int threads


cdef Blocks _blocks(int64_t rows, int64_t width) noexcept:
    cdef Blocks b
    b.length = max(BLOCK // max(width, 1), 1)
    b.count = (rows + b.length - 1) // b.length
    b.threads = threads_for(b.count, rows * width * EXP_COSTS)
    return b


cdef void* _data(object array) noexcept:
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray>array)


cdef int _write(cnp.ndarray out, double value) except -1:
    """value into the one element of `out`"""
    if wide(out):
        (<double*>cnp.PyArray_DATA(out))[0] = value
    else:
        (<float*>cnp.PyArray_DATA(out))[0] = <float>value
    return 0


cdef double _read(cnp.ndarray array) except *:
    """the one element of `array`"""
    if wide(array):
        return (<double*>cnp.PyArray_DATA(array))[0]
    return (<float*>cnp.PyArray_DATA(array))[0]


cdef int _require(cnp.ndarray x, object other, int64_t size) except -1:
    """Kernels read plain memory: what does not fit is refused, whoever called."""
    if other is not None and (cnp.PyArray_SIZE(<cnp.ndarray>other) != size
                              or wide(<cnp.ndarray>other) != wide(x)):
        raise ValueError(f"loss: expected {size} numbers of dtype {x.dtype}, got {other.dtype} "
                         f"{other.shape}.")
    return 0


cdef int _rows(RowsForward kernel, cnp.ndarray x, cnp.ndarray y) except -1:
    cdef int64_t rows = x.shape[0], classes = x.shape[1], block, at
    cdef Blocks b = _blocks(rows, classes)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef void* y_data = cnp.PyArray_DATA(y)
    _require(x, y, rows * classes)
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
    cdef Blocks b = _blocks(rows, classes)
    cdef const void* y_data = cnp.PyArray_DATA(y)
    cdef const void* grad_y_data = cnp.PyArray_DATA(grad_y)
    cdef void* grad_x_data = cnp.PyArray_DATA(grad_x)
    _require(y, grad_y, rows * classes)
    _require(y, grad_x, rows * classes)
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
    _require(x, weight, s.classes)
    s.target = <const int64_t*>cnp.PyArray_DATA(target)
    s.weight = _data(weight)
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
    cdef Blocks b = _blocks(s.rows, s.classes)
    cdef bint each = reduction == "none"
    cdef int64_t bad, block, at
    cdef double divisor = 0
    _require(x, loss, s.rows if each else 1)
    _require(x, statistics, 2 * s.rows)
    _require(x, total, 1)
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
    _write(total, divisor)
    if not each:
        _write(loss, k.sum(losses, s.rows) / divisor)
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
    cdef Blocks b = _blocks(s.rows, s.classes)
    cdef int64_t each = reduction == "none", block, at
    cdef double divisor = _read(total)
    _require(x, statistics, 2 * s.rows)
    _require(x, grad_loss, s.rows if each else 1)
    _require(x, grad_x, s.rows * s.classes)
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
    _require(x, target, s.rows * s.classes)
    _require(x, weight, s.classes)
    s.target, s.weight, s.smoothing = cnp.PyArray_DATA(target), _data(weight), label_smoothing
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
    cdef Blocks b = _blocks(s.rows, s.classes)
    cdef bint each = reduction == "none"
    cdef int64_t block, at
    _require(x, loss, s.rows if each else 1)
    _require(x, statistics, 2 * s.rows)
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
        _write(loss, k.sum(losses, s.rows) / (s.rows if reduction == "mean" else 1))


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
    cdef Blocks b = _blocks(s.rows, s.classes)
    cdef int64_t each = reduction == "none", block, at
    cdef double divisor = s.rows if reduction == "mean" else 1
    _require(x, statistics, 2 * s.rows)
    _require(x, grad_loss, s.rows if each else 1)
    _require(x, grad_x, s.rows * s.classes)
    _require(x, grad_target, s.rows * s.classes)
    cdef const void* x_data = cnp.PyArray_DATA(x)
    cdef const void* statistics_data = cnp.PyArray_DATA(statistics)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = _data(grad_x)
    cdef void* grad_target_data = _data(grad_target)
    if b.threads == 1:
        k.soft_cross_entropy_backward(&s, x_data, statistics_data, gain, each, divisor, grad_x_data,
                                      grad_target_data, 0, s.rows)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        k.soft_cross_entropy_backward(&s, x_data, statistics_data, gain, each, divisor, grad_x_data,
                                      grad_target_data, at, min(b.length, s.rows - at))


cdef PairLoss _pair_loss(cnp.ndarray x, cnp.ndarray target, weight, pos_weight) except *:
    cdef PairLoss s
    cdef int64_t size = cnp.PyArray_SIZE(x)
    _require(x, target, size)
    _require(x, weight, size)
    _require(x, pos_weight, size)
    s.x, s.target = cnp.PyArray_DATA(x), cnp.PyArray_DATA(target)
    s.weight, s.pos_weight = _data(weight), _data(pos_weight)
    return s


def pair_loss_forward(
    str kind not None,           #      "mse", "l1", "bce" or "bce_logits"
    cnp.ndarray x not None,      # IN   dense
    cnp.ndarray target not None, # IN   like x
    weight,                      # IN   like x, or None
    pos_weight,                  # IN   like x, or None
    str reduction not None,
    cnp.ndarray loss not None,   # OUT  like x, or 1 number
):
    """False if x or target of bce is not between 0 and 1."""
    cdef PairLoss s = _pair_loss(x, target, weight, pos_weight)
    cdef const LossKernels* k = loss_kernels_for(isa(), wide(x))
    cdef PairForward kernel = k.pair[<int>KINDS[kind]]
    cdef int64_t size = cnp.PyArray_SIZE(x), block, at
    cdef Blocks b = _blocks(size, 1)
    cdef bint each = reduction == "none"
    _require(x, loss, size if each else 1)
    cdef void* losses = cnp.PyArray_DATA(loss) if each else NULL
    cdef double* sums = <double*>buffer(PARTIAL, b.count, 1)
    cdef int* fine = <int*>buffer(TILE, b.count, 0)
    if b.threads == 1:  # block by block too: each has a sum of its own
        for block in range(b.count):
            at = block * b.length
            fine[block] = kernel(&s, losses, sums + block, at, min(b.length, size - at))
    else:
        for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
            at = block * b.length
            fine[block] = kernel(&s, losses, sums + block, at, min(b.length, size - at))
    for block in range(b.count):
        if not fine[block]:
            return False
    if not each:
        _write(loss, loss_kernels_for(isa(), 1).sum(sums, b.count)
               / (size if reduction == "mean" else 1))
    return True


def pair_loss_backward(
    str kind not None,              #      "mse", "l1", "bce" or "bce_logits"
    cnp.ndarray x not None,         # IN   dense
    cnp.ndarray target not None,    # IN   like x
    weight,                         # IN   like x, or None
    pos_weight,                     # IN   like x, or None
    str reduction not None,
    cnp.ndarray grad_loss not None, # IN   like x, or 1 number
    grad_x,                         # OUT  like x, or None
    grad_target,                    # OUT  like x, or None
):
    cdef PairLoss s = _pair_loss(x, target, weight, pos_weight)
    cdef PairBackward kernel = loss_kernels_for(isa(), wide(x)).pair_backward[<int>KINDS[kind]]
    cdef int64_t size = cnp.PyArray_SIZE(x), each = reduction == "none", block, at
    cdef Blocks b = _blocks(size, 1)
    cdef double divisor = size if reduction == "mean" else 1
    _require(x, grad_loss, size if each else 1)
    _require(x, grad_x, size)
    _require(x, grad_target, size)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = _data(grad_x)
    cdef void* grad_target_data = _data(grad_target)
    if b.threads == 1:
        kernel(&s, gain, each, divisor, grad_x_data, grad_target_data, 0, size)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        kernel(&s, gain, each, divisor, grad_x_data, grad_target_data, at,
               min(b.length, size - at))
