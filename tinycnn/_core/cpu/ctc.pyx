"""Connectionist temporal classification, forward and backward.

Mirrors reference/ctc.py; the arithmetic is in simd/ctc.hh. Threads share the images, each of which is
computed by one of them, whatever their number.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
cimport numpy as cnp
from .blocks cimport require_numbers
from .runtime cimport isa, per_thread, threads_for, wide

cdef extern from "simd/ctc_api.hh" nogil:
    struct Ctc:
        int64_t steps, images, classes
        int64_t positions
        const int64_t *targets
        const int64_t *starts
        const int64_t *input_lengths
        const int64_t *target_lengths
        int64_t blank
        const void* log_probs
    struct CtcKernels:
        int64_t (*memory)(const Ctc*) noexcept nogil
        void (*forward)(const Ctc*, int64_t, void*, void*, void*) noexcept nogil
        void (*backward)(const Ctc*, int64_t, void*, const void*, const void*, int, const void*,
                         void*) noexcept nogil
    const CtcKernels* ctc_kernels_for(int isa, int wide)
    int64_t ctc_check(const Ctc*)

cnp.import_array()


cdef const int64_t* _integers(cnp.ndarray array, int64_t least) except? NULL:
    if cnp.PyArray_TYPE(array) != cnp.NPY_INT64 or cnp.PyArray_SIZE(array) < least:
        raise ValueError(f"ctc: expected {least} numbers of dtype int64, got {array.dtype} "
                         f"{(<object>array).shape}.")
    return <const int64_t*>cnp.PyArray_DATA(array)


cdef Ctc _ctc(
    cnp.ndarray log_probs, cnp.ndarray targets, cnp.ndarray starts, cnp.ndarray input_lengths,
    cnp.ndarray target_lengths, int64_t blank, cnp.ndarray log_alpha, cnp.ndarray losses,
) except *:
    cdef Ctc s
    cdef int64_t n, end = 0
    s.steps, s.images, s.classes = log_probs.shape[0], log_probs.shape[1], log_probs.shape[2]
    s.positions, s.blank = log_alpha.shape[2], blank
    require_numbers(log_probs, log_alpha, s.images * s.steps * s.positions)
    require_numbers(log_probs, losses, s.images)
    s.starts = _integers(starts, s.images)
    s.input_lengths = _integers(input_lengths, s.images)
    s.target_lengths = _integers(target_lengths, s.images)
    s.log_probs = cnp.PyArray_DATA(log_probs)
    for n in range(s.images):
        end = max(end, s.starts[n] + s.target_lengths[n])
        if not (0 <= s.input_lengths[n] <= s.steps and s.starts[n] >= 0
                and 0 <= 2 * s.target_lengths[n] < s.positions):
            raise ValueError(f"ctc: expected lengths that arrays hold, got those of image {n}.")
    s.targets = _integers(targets, end)
    return s


cdef int _threads(const Ctc* s) noexcept:
    """An exponential costs some eight multiplications; there are three for each position."""
    return threads_for(s.images, s.images * s.steps * (s.positions * 32 + s.classes * 8))


def ctc_forward(
    cnp.ndarray log_probs not None,       # IN   (T, N, C)
    cnp.ndarray targets not None,         # IN   int64
    cnp.ndarray starts not None,          # IN   (N,) int64
    cnp.ndarray input_lengths not None,   # IN   (N,) int64
    cnp.ndarray target_lengths not None,  # IN   (N,) int64
    int64_t blank,
    cnp.ndarray log_alpha not None,       # OUT  (N, T, 2 S + 1)
    cnp.ndarray losses not None,          # OUT  (N,)
):
    """The first image with a label out of range, or blank; or -1."""
    cdef Ctc s = _ctc(log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha,
                      losses)
    cdef const CtcKernels* k = ctc_kernels_for(isa(), wide(log_probs))
    cdef int64_t n, bad = ctc_check(&s)
    if bad >= 0:
        return bad
    cdef int threads = _threads(&s)
    cdef void** memory = per_thread(threads, k.memory(&s))
    cdef void* log_alpha_data = cnp.PyArray_DATA(log_alpha)
    cdef void* losses_data = cnp.PyArray_DATA(losses)
    if threads == 1:
        for n in range(s.images):
            k.forward(&s, n, memory[0], log_alpha_data, losses_data)
    else:
        for n in prange(s.images, num_threads=threads, schedule="dynamic", nogil=True):
            k.forward(&s, n, memory[threadid()], log_alpha_data, losses_data)
    return -1


def ctc_backward(
    cnp.ndarray log_probs not None,       # IN   (T, N, C)
    cnp.ndarray targets not None,         # IN   int64
    cnp.ndarray starts not None,          # IN   (N,) int64
    cnp.ndarray input_lengths not None,   # IN   (N,) int64
    cnp.ndarray target_lengths not None,  # IN   (N,) int64
    int64_t blank,
    cnp.ndarray log_alpha not None,       # IN   (N, T, 2 S + 1)
    cnp.ndarray losses not None,          # IN   (N,)
    bint zero_infinity,
    cnp.ndarray grad_losses not None,     # IN   (N,)
    cnp.ndarray grad not None,            # OUT  (T, N, C)
):
    cdef Ctc s = _ctc(log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha,
                      losses)
    cdef const CtcKernels* k = ctc_kernels_for(isa(), wide(log_probs))
    cdef int threads = _threads(&s)
    cdef int64_t n
    cdef void** memory = per_thread(threads, k.memory(&s))
    require_numbers(log_probs, grad_losses, s.images)
    require_numbers(log_probs, grad, s.steps * s.images * s.classes)
    cdef const void* log_alpha_data = cnp.PyArray_DATA(log_alpha)
    cdef const void* losses_data = cnp.PyArray_DATA(losses)
    cdef const void* grad_losses_data = cnp.PyArray_DATA(grad_losses)
    cdef void* grad_data = cnp.PyArray_DATA(grad)
    if threads == 1:
        for n in range(s.images):
            k.backward(&s, n, memory[0], log_alpha_data, losses_data, zero_infinity,
                       grad_losses_data, grad_data)
    else:
        for n in prange(s.images, num_threads=threads, schedule="dynamic", nogil=True):
            k.backward(&s, n, memory[threadid()], log_alpha_data, losses_data, zero_infinity,
                       grad_losses_data, grad_data)
