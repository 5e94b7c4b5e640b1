"""Where arrays lie. Mirrors reference/memory.py.

Results of kernels are arrays whose memory is used again when they are gone (simd/recycle.hh).

An array made here is NumPy's like any other; it only remembers to give its memory back to the
recycler (NumPy's data memory handlers, NEP 49). Small ones are left to NumPy and malloc, which
keep them anyway.
"""

from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_INCREF
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memset, strcpy
cimport numpy as cnp
import numpy

cdef extern from "simd/recycle.hh" nogil:
    cppclass Recycler:
        Recycler(int64_t limit)
        void* allocate(int64_t bytes)
        void* reallocate(void* numbers, int64_t bytes)
        void free(void* numbers)
        void release()
        int64_t held()
    int64_t physical_memory()

cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyDataMemAllocator:
        void* ctx
        void* (*malloc)(void* ctx, size_t size) noexcept nogil
        void* (*calloc)(void* ctx, size_t count, size_t size) noexcept nogil
        void* (*realloc)(void* ctx, void* memory, size_t size) noexcept nogil
        void (*free)(void* ctx, void* memory, size_t size) noexcept nogil
    ctypedef struct PyDataMem_Handler:
        char name[127]
        uint8_t version
        PyDataMemAllocator allocator
    object PyDataMem_SetHandler(object handler)
    object PyArray_NewLikeArray(cnp.ndarray like, cnp.NPY_ORDER order, void* dtype, int subclass)
    object PyArray_Empty(int axes, const cnp.npy_intp* sizes, cnp.PyArray_Descr* dtype, int fortran)

cnp.import_array()

# Bytes from which on memory is recycled. Fresh memory of this size comes from the system page by
# page: malloc gives the end of its heap back when 128 KB of it are free.
cdef int64_t LARGE = 65536

# At most a quarter of the machine's memory waits to be used again. Lives as long as the process:
# arrays outlive this module at exit.
cdef Recycler* _recycler = new Recycler(physical_memory() // 4)


cdef void* _malloc(void* ctx, size_t size) noexcept nogil:
    return (<Recycler*>ctx).allocate(<int64_t>size)


cdef void* _calloc(void* ctx, size_t count, size_t size) noexcept nogil:
    cdef void* memory = (<Recycler*>ctx).allocate(<int64_t>(count * size))
    if memory != NULL:
        memset(memory, 0, count * size)
    return memory


cdef void* _realloc(void* ctx, void* memory, size_t size) noexcept nogil:
    return (<Recycler*>ctx).reallocate(memory, <int64_t>size)


cdef void _free(void* ctx, void* memory, size_t size) noexcept nogil:
    (<Recycler*>ctx).free(memory)


cdef PyDataMem_Handler _handler
strcpy(_handler.name, b"tinycnn")
_handler.version = 1
_handler.allocator.ctx = _recycler
_handler.allocator.malloc = _malloc
_handler.allocator.calloc = _calloc
_handler.allocator.realloc = _realloc
_handler.allocator.free = _free
cdef object _recycling = PyCapsule_New(&_handler, "mem_handler", NULL)


cdef bint _is_large(tuple shape, int64_t bytes) except -1:
    """Whether so many numbers of so many bytes are worth recycling; stops before it overflows."""
    for size in shape:
        bytes *= size
        if bytes >= LARGE:
            return True
    return False


cdef _recycled(function, tuple arguments, dict options):
    """What the NumPy function returns, in recycled memory."""
    cdef object before = PyDataMem_SetHandler(_recycling)
    try:
        return function(*arguments, **options)
    finally:
        PyDataMem_SetHandler(before)


cdef _small(tuple shape, cnp.dtype dtype):
    """numpy.empty, of up to eight axes, without the reading of its arguments."""
    cdef cnp.npy_intp[8] sizes
    cdef int i, axes = len(shape)
    if axes > 8:
        return numpy.empty(shape, dtype)
    for i in range(axes):
        sizes[i] = shape[i]
    Py_INCREF(dtype)  # the new array takes this reference
    return PyArray_Empty(axes, sizes, <cnp.PyArray_Descr*>dtype, 0)


def empty(tuple shape not None, cnp.dtype dtype not None):
    """An array of whatever the memory held."""
    if _is_large(shape, dtype.itemsize):
        return _recycled(numpy.empty, (shape, dtype), {})
    return _small(shape, dtype)


def empty_like(cnp.ndarray x not None, dtype=None, shape=None):
    """An array that lies in memory as `x` does."""
    if shape is not None:
        if not _is_large(shape, cnp.PyArray_ITEMSIZE(x)):
            return numpy.empty_like(x, dtype, shape=shape)
    elif cnp.PyArray_NBYTES(x) < LARGE:
        if dtype is None:
            return PyArray_NewLikeArray(x, cnp.NPY_KEEPORDER, NULL, 0)
        return numpy.empty_like(x, dtype)
    return _recycled(numpy.empty_like, (x, dtype), {"shape": shape})


cdef bint _is_dense(cnp.ndarray x) noexcept:
    """True if the elements of `x` fill one block of memory, in whatever order of axes."""
    cdef int64_t step = cnp.PyArray_ITEMSIZE(x)
    cdef int axes = cnp.PyArray_NDIM(x), i
    cdef bint found = True
    if cnp.PyArray_SIZE(x) == 0:
        return True
    while found:  # the axis whose elements are one `step` apart, then the next one
        found = False
        for i in range(axes):
            if x.shape[i] != 1 and x.strides[i] == step:
                step *= x.shape[i]
                found = True
    return step == cnp.PyArray_NBYTES(x)


def dense(cnp.ndarray x not None):
    """`x` itself if its elements fill one block of memory, else a copy that does."""
    return x if _is_dense(x) else cnp.PyArray_NewCopy(x, cnp.NPY_KEEPORDER)


def same_layout(cnp.ndarray x not None, cnp.ndarray like not None):
    """`x` with the strides of the dense array `like` of its shape; `x` itself if it has them."""
    cdef int i
    if cnp.PyArray_IS_C_CONTIGUOUS(x) and cnp.PyArray_IS_C_CONTIGUOUS(like):
        return x
    for i in range(cnp.PyArray_NDIM(x)):
        if x.strides[i] != like.strides[i]:
            y = empty_like(like, x.dtype)
            y[...] = x
            return y
    return x


def empty_cache():
    """Give memory that waits to be used again back to the system."""
    _recycler.release()


def cached_bytes():
    """Bytes that wait to be used again."""
    return _recycler.held()
