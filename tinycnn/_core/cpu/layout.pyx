"""Feature maps as users index them, and as kernels read them.

Mirrors reference/layout.py. A view is made in one step, from sizes and strides: NumPy's transpose
and index, one after the other, take longer than the arithmetic of a small layer.
"""

cimport numpy as cnp
from cpython.ref cimport Py_INCREF, PyTypeObject

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewFromDescr(PyTypeObject* subtype, cnp.PyArray_Descr* descr, int nd, const cnp.npy_intp* dims,
                                const cnp.npy_intp* strides, void* data, int flags, void* obj)

cnp.import_array()


cdef cnp.ndarray _view(cnp.ndarray x, int axes, const cnp.npy_intp* sizes, const cnp.npy_intp* strides):
    """The memory of `x` by other sizes and strides."""
    cdef cnp.PyArray_Descr* dtype = cnp.PyArray_DESCR(x)
    Py_INCREF(<object>dtype)  # the new array takes this reference
    cdef cnp.ndarray view = PyArray_NewFromDescr(
        <PyTypeObject*>cnp.ndarray, dtype, axes, sizes, strides, cnp.PyArray_DATA(x),
        cnp.PyArray_FLAGS(x) & cnp.NPY_ARRAY_WRITEABLE, NULL)
    cnp.set_array_base(view, x)
    return view


cdef int _check(cnp.ndarray x, int axes, int dims) except -1:
    if not 1 <= dims <= 3 or cnp.PyArray_NDIM(x) != axes:
        raise ValueError(f"layout: expected an array of {axes} axes for {dims} spatial ones, got "
                         f"{cnp.PyArray_NDIM(x)}.")
    return 0


def channels_last(
    cnp.ndarray x not None,  # IN   (N, C, *spatial)
    int dims,                #      spatial axes
):
    """(N, C, *spatial) as (N, D, H, W, C): a view. Weights (OC, C, *kernel) are seen so, too."""
    cdef cnp.npy_intp[5] sizes = [1, 1, 1, 1, 1]
    cdef cnp.npy_intp[5] strides
    cdef int i
    _check(x, dims + 2, dims)
    sizes[0], strides[0] = x.shape[0], x.strides[0]
    sizes[4], strides[4] = x.shape[1], x.strides[1]
    for i in range(1, 4):
        strides[i] = x.strides[0]
    for i in range(dims):
        sizes[4 - dims + i], strides[4 - dims + i] = x.shape[2 + i], x.strides[2 + i]
    return _view(x, 5, sizes, strides)


def pixels(
    cnp.ndarray x not None,  # IN   (N, C, *spatial)
    int dims,                #      spatial axes
):
    """`channels_last` in contiguous memory; no copy if memory lies so."""
    return cnp.PyArray_GETCONTIGUOUS(channels_last(x, dims))


def channels_first(
    cnp.ndarray y not None,  # IN   (N, D, H, W, C)
    int dims,                #      spatial axes; those in front have size 1
):
    """(N, D, H, W, C) as (N, C, *spatial): a view without the axes that are not there."""
    cdef cnp.npy_intp[5] sizes, strides
    cdef int i
    _check(y, 5, dims)
    sizes[0], strides[0] = y.shape[0], y.strides[0]
    sizes[1], strides[1] = y.shape[4], y.strides[4]
    for i in range(dims):
        sizes[2 + i], strides[2 + i] = y.shape[4 - dims + i], y.strides[4 - dims + i]
    return _view(y, dims + 2, sizes, strides)
