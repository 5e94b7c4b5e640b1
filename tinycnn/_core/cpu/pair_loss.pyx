"""Losses of pairs (x, target), element by element, forward and backward.

Mirrors reference/pair_loss.py; the arithmetic is in simd/pair_loss.hh. Threads share blocks of 4096
pairs. A mean or sum is taken from one value for each block, in one order, by one thread.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
cimport numpy as cnp
from .blocks cimport Blocks, blocks_of, require_numbers, write_number
from .runtime cimport PARTIAL, TILE, buffer, data_or_null, isa, wide

cdef extern from "simd/pair_loss_api.hh" nogil:
    struct PairLoss:
        const void* x
        const void* target
        const void* weight
        const void* settings
        double setting
    enum PairKind:
        MSE
        L1
        BCE
        BCE_LOGITS
        SMOOTH_L1
        HUBER
        KL
        KL_LOG
        POISSON
        SOFT_MARGIN
        EMBEDDING
        PAIR_KINDS

ctypedef int (*PairForward)(const PairLoss*, void*, double*, int64_t, int64_t) noexcept nogil
ctypedef void (*PairBackward)(
    const PairLoss*, const void*, int64_t, double, void*, void*, int64_t,
    int64_t) noexcept nogil

cdef extern from "simd/pair_loss_api.hh" nogil:
    struct PairLossKernels:
        PairForward pair[PAIR_KINDS]
        PairBackward pair_backward[PAIR_KINDS]
        double (*sum)(const void*, int64_t) noexcept nogil
    const PairLossKernels* pair_loss_kernels_for(int isa, int wide)

cnp.import_array()

cdef dict KINDS = {
    "mse": MSE, "l1": L1, "bce": BCE, "bce_logits": BCE_LOGITS, "smooth_l1": SMOOTH_L1,
    "huber": HUBER, "kl": KL, "kl_log": KL_LOG, "poisson": POISSON, "soft_margin": SOFT_MARGIN,
    "embedding": EMBEDDING,
}


cdef PairLoss _pair_loss(cnp.ndarray x, cnp.ndarray target, weight, setting) except *:
    cdef PairLoss s
    cdef int64_t size = cnp.PyArray_SIZE(x)
    require_numbers(x, target, size)
    require_numbers(x, weight, size)
    s.x, s.target, s.weight = cnp.PyArray_DATA(x), cnp.PyArray_DATA(target), data_or_null(weight)
    s.settings, s.setting = NULL, 1
    if isinstance(setting, cnp.ndarray):
        require_numbers(x, setting, size)
        s.settings = cnp.PyArray_DATA(setting)
    elif setting is not None:
        s.setting = setting
    return s


def pair_loss_forward(
    str kind not None,           #      a key of KINDS
    cnp.ndarray x not None,      # IN   dense
    cnp.ndarray target not None, # IN   like x
    weight,                      # IN   like x, or None
    setting,                     # IN   like x, a number, or None
    str reduction not None,
    cnp.ndarray loss not None,   # OUT  like x, or 1 number
):
    """False if x or target of bce is not between 0 and 1."""
    cdef PairLoss s = _pair_loss(x, target, weight, setting)
    cdef const PairLossKernels* k = pair_loss_kernels_for(isa(), wide(x))
    cdef PairForward kernel = k.pair[<int>KINDS[kind]]
    cdef int64_t size = cnp.PyArray_SIZE(x), block, at
    cdef Blocks b = blocks_of(size, 1)
    cdef bint each = reduction == "none"
    require_numbers(x, loss, size if each else 1)
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
        write_number(loss, k.sum(sums, b.count) / (size if reduction == "mean" else 1))
    return True


def pair_loss_backward(
    str kind not None,              #      a key of KINDS
    cnp.ndarray x not None,         # IN   dense
    cnp.ndarray target not None,    # IN   like x
    weight,                         # IN   like x, or None
    setting,                        # IN   like x, a number, or None
    str reduction not None,
    cnp.ndarray grad_loss not None, # IN   like x, or 1 number
    grad_x,                         # OUT  like x, or None
    grad_target,                    # OUT  like x, or None
):
    cdef PairLoss s = _pair_loss(x, target, weight, setting)
    cdef PairBackward kernel = pair_loss_kernels_for(isa(), wide(x)).pair_backward[<int>KINDS[kind]]
    cdef int64_t size = cnp.PyArray_SIZE(x), each = reduction == "none", block, at
    cdef Blocks b = blocks_of(size, 1)
    cdef double divisor = size if reduction == "mean" else 1
    require_numbers(x, grad_loss, size if each else 1)
    require_numbers(x, grad_x, size)
    require_numbers(x, grad_target, size)
    cdef const void* gain = cnp.PyArray_DATA(grad_loss)
    cdef void* grad_x_data = data_or_null(grad_x)
    cdef void* grad_target_data = data_or_null(grad_target)
    if b.threads == 1:
        kernel(&s, gain, each, divisor, grad_x_data, grad_target_data, 0, size)
        return
    for block in prange(b.count, num_threads=b.threads, schedule="static", nogil=True):
        at = block * b.length
        kernel(&s, gain, each, divisor, grad_x_data, grad_target_data, at,
               min(b.length, size - at))
