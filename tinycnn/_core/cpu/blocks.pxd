"""How losses share their work and read their arguments: blocks of rows, numbers, checked sizes."""

from libc.stdint cimport int64_t
cimport numpy as cnp
from .runtime cimport threads_for, wide

cdef struct Blocks:
    int64_t length, count  # rows of a block, and how many blocks there are
    int threads


cdef inline Blocks blocks_of(int64_t rows, int64_t width) noexcept:
    """Blocks of about 4096 numbers. An exponential costs some eight multiplications."""
    cdef Blocks b
    b.length = max(4096 // max(width, 1), 1)
    b.count = (rows + b.length - 1) // b.length
    b.threads = threads_for(b.count, rows * width * 8)
    return b


cdef inline int write_number(cnp.ndarray out, double value) except -1:
    """value into the one element of `out`"""
    if wide(out):
        (<double*>cnp.PyArray_DATA(out))[0] = value
    else:
        (<float*>cnp.PyArray_DATA(out))[0] = <float>value
    return 0


cdef inline double read_number(cnp.ndarray array) except *:
    """the one element of `array`"""
    if wide(array):
        return (<double*>cnp.PyArray_DATA(array))[0]
    return (<float*>cnp.PyArray_DATA(array))[0]


cdef inline int require_numbers(cnp.ndarray x, object other, int64_t size) except -1:
    """Kernels read plain memory: what does not fit is refused, whoever called."""
    if other is not None and (cnp.PyArray_SIZE(<cnp.ndarray>other) != size
                              or wide(<cnp.ndarray>other) != wide(x)):
        raise ValueError(f"loss: expected {size} numbers of dtype {x.dtype}, got {other.dtype} "
                         f"{other.shape}.")
    return 0
