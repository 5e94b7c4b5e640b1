"""Unpooling: values put back to where they were the largest, and the gradient.

Mirrors reference/unpooling.py. Numbers are only moved, to places that differ from channel to channel:
there is nothing for vectors to do. Threads share images, of few images blocks of channels: all values
that may meet in one pixel are put there by one thread, in order.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset
cimport numpy as cnp
from .runtime cimport threads_for, wide

cnp.import_array()

ctypedef fused number:
    float
    double

cdef int64_t FEW_IMAGES = 8
cdef int64_t BLOCK = 64  # channels of a task where there are few images

cdef struct Sizes:
    int64_t places, pixels, c  # of an image: numbers of a channel of x and of y; channels
    int64_t block, tasks       # channels of a task


cdef Sizes _sizes(cnp.ndarray x, cnp.ndarray index, cnp.ndarray y) except *:
    cdef Sizes s
    cdef int64_t images = x.shape[0], blocks
    s.places, s.c = x.shape[1] * x.shape[2] * x.shape[3], x.shape[4]
    s.pixels = y.shape[1] * y.shape[2] * y.shape[3]
    if (cnp.PyArray_SIZE(index) != cnp.PyArray_SIZE(x) or cnp.PyArray_TYPE(index) != cnp.NPY_INT64
            or y.shape[0] != images or y.shape[4] != s.c or wide(y) != wide(x)):
        raise ValueError("unpooling: expected an int64 index for each number of x, and y of as many "
                         "images and channels.")
    s.block = max(s.c if images >= FEW_IMAGES else BLOCK, 1)
    blocks = (s.c + s.block - 1) // s.block
    s.tasks = images * blocks
    return s


cdef bint _put(const Sizes* s, int64_t task, const number* x, const int64_t* index, number* y) noexcept nogil:
    """The channels `first` to `end` of an image; False if an index is out of range."""
    cdef int64_t blocks = (s.c + s.block - 1) // s.block, image = task // blocks
    cdef int64_t first = task % blocks * s.block, end = min(first + s.block, s.c), i, c, place
    cdef bint fine = True
    y += image * s.pixels * s.c
    x += image * s.places * s.c
    index += image * s.places * s.c
    if s.block >= s.c:
        memset(y, 0, s.pixels * s.c * sizeof(number))
    else:
        for i in range(s.pixels):
            memset(y + i * s.c + first, 0, (end - first) * sizeof(number))
    for i in range(s.places):
        for c in range(i * s.c + first, i * s.c + end):
            place = index[c]
            if 0 <= place < s.pixels:
                y[place * s.c + c - i * s.c] = x[c]
            else:
                fine = False
    return fine


cdef void _take(const Sizes* s, int64_t task, const number* y, const int64_t* index, number* x) noexcept nogil:
    cdef int64_t blocks = (s.c + s.block - 1) // s.block, image = task // blocks
    cdef int64_t first = task % blocks * s.block, end = min(first + s.block, s.c), i, c, place
    y += image * s.pixels * s.c
    x += image * s.places * s.c
    index += image * s.places * s.c
    for i in range(s.places):
        for c in range(i * s.c + first, i * s.c + end):
            place = index[c]
            x[c] = y[place * s.c + c - i * s.c] if 0 <= place < s.pixels else 0


cdef bint _put_all(const Sizes* s, const number* x, const int64_t* index, number* y) noexcept nogil:
    cdef int64_t task, wrong = 0
    cdef int threads = threads_for(s.tasks, s.tasks * s.block * s.pixels)
    if threads == 1:
        for task in range(s.tasks):
            wrong += not _put(s, task, x, index, y)
    else:
        for task in prange(s.tasks, num_threads=threads, schedule="static"):
            wrong += not _put(s, task, x, index, y)
    return wrong == 0


cdef void _take_all(const Sizes* s, const number* y, const int64_t* index, number* x) noexcept nogil:
    cdef int64_t task
    cdef int threads = threads_for(s.tasks, s.tasks * s.block * s.places)
    if threads == 1:
        for task in range(s.tasks):
            _take(s, task, y, index, x)
    else:
        for task in prange(s.tasks, num_threads=threads, schedule="static"):
            _take(s, task, y, index, x)


def max_unpool_forward(
    cnp.ndarray x not None,      # IN   (N, D, H, W, C)
    cnp.ndarray index not None,  # IN   int64 as x: pixels of y
    cnp.ndarray y not None,      # OUT  (N, OD, OH, OW, C)
):
    """False if an index is out of range."""
    cdef Sizes s = _sizes(x, index, y)
    cdef const int64_t* places = <const int64_t*>cnp.PyArray_DATA(index)
    if wide(x):
        return bool(_put_all[double](&s, <const double*>cnp.PyArray_DATA(x), places,
                                     <double*>cnp.PyArray_DATA(y)))
    return bool(_put_all[float](&s, <const float*>cnp.PyArray_DATA(x), places,
                                <float*>cnp.PyArray_DATA(y)))


def max_unpool_backward(
    cnp.ndarray grad_y not None,  # IN   (N, OD, OH, OW, C)
    cnp.ndarray index not None,   # IN   int64 as grad_x: pixels of grad_y
    cnp.ndarray grad_x not None,  # OUT  (N, D, H, W, C)
):
    cdef Sizes s = _sizes(grad_x, index, grad_y)
    cdef const int64_t* places = <const int64_t*>cnp.PyArray_DATA(index)
    if wide(grad_x):
        _take_all[double](&s, <const double*>cnp.PyArray_DATA(grad_y), places,
                          <double*>cnp.PyArray_DATA(grad_x))
    else:
        _take_all[float](&s, <const float*>cnp.PyArray_DATA(grad_y), places,
                         <float*>cnp.PyArray_DATA(grad_x))
