"""Windows of an image written out, and added up again.

Mirrors reference/windows.py, whose layouts are drawn there. Numbers are moved in runs: along a row of
places where pixels lie side by side, through a row of a window where channels do. Threads share the
planes of channels, or the rows of places or pixels; a sum is always added up in the order of places.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset
cimport numpy as cnp
from .runtime cimport threads_for, wide

cnp.import_array()

ctypedef fused number:
    float
    double

cdef struct Axis:
    int64_t size, out, kernel, stride, low, dilation

cdef struct Plan:
    Axis d, h, w
    int64_t images, c, tasks


cdef inline int64_t _first(const Axis* a, int64_t tap) noexcept nogil:
    """The first window whose place `tap` lies in the image."""
    cdef int64_t before = a.low - tap * a.dilation
    return min((before + a.stride - 1) // a.stride, a.out) if before > 0 else 0


cdef inline int64_t _end(const Axis* a, int64_t tap) noexcept nogil:
    """Where such windows end; not below `_first`."""
    cdef int64_t last = a.size - 1 + a.low - tap * a.dilation, first = _first(a, tap)
    return first if last < 0 else max(first, min(last // a.stride + 1, a.out))


cdef inline int64_t _pixel(const Axis* a, int64_t window, int64_t tap) noexcept nogil:
    return window * a.stride + tap * a.dilation - a.low


cdef inline int64_t _window(const Axis* a, int64_t pixel, int64_t tap) noexcept nogil:
    """The window whose place `tap` is that pixel, or -1."""
    cdef int64_t at = pixel + a.low - tap * a.dilation
    return at // a.stride if at >= 0 and at % a.stride == 0 and at // a.stride < a.out else -1


cdef Axis _axis(int64_t size, int64_t out, tuple window, int i) except *:
    cdef Axis a
    cdef tuple pad = (<tuple>window[2])[i]
    a.size, a.out, a.kernel, a.stride = size, out, (<tuple>window[0])[i], (<tuple>window[1])[i]
    a.low, a.dilation = pad[0], (<tuple>window[3])[i]
    if a.stride < 1 or a.dilation < 1:
        raise ValueError("windows: expected a stride and a dilation of at least 1.")
    return a


cdef Plan _plan(cnp.ndarray x, int64_t images, int64_t c, int first, cnp.ndarray y, int out, window) except *:
    """Sizes of x, whose spatial axes begin at `first`, and y, where those of places begin at `out`."""
    cdef Plan p
    cdef tuple w = <tuple>window
    p.images, p.c = images, c
    p.d = _axis(x.shape[first], y.shape[out], w, 0)
    p.h = _axis(x.shape[first + 1], y.shape[out + 1], w, 1)
    p.w = _axis(x.shape[first + 2], y.shape[out + 2], w, 2)
    if wide(x) != wide(y) or cnp.PyArray_SIZE(y) != (
            images * c * p.d.kernel * p.h.kernel * p.w.kernel * p.d.out * p.h.out * p.w.out):
        raise ValueError("windows: expected y with a number for each place of each window of x.")
    return p


cdef void _unfold_plane(const Plan* p, int64_t plane, const number* x, number* y) noexcept nogil:
    """One channel of an image. Rows of x are read while they are near."""
    cdef const Axis* D = &p.d
    cdef const Axis* H = &p.h
    cdef const Axis* W = &p.w
    cdef int64_t kd, kh, kw, od, oh, ow, d, h, begin, end, step = H.out * W.out
    cdef const number* row
    cdef number* out
    x += plane * D.size * H.size * W.size
    y += plane * D.kernel * H.kernel * W.kernel * D.out * step
    for kd in range(D.kernel):
        for kh in range(H.kernel):
            for od in range(D.out):
                d = _pixel(D, od, kd)
                for oh in range(H.out):
                    h = _pixel(H, oh, kh)
                    for kw in range(W.kernel):
                        out = y + ((kd * H.kernel + kh) * W.kernel + kw) * D.out * step
                        out += od * step + oh * W.out
                        if not (0 <= d < D.size and 0 <= h < H.size):
                            memset(out, 0, W.out * sizeof(number))
                            continue
                        begin, end = _first(W, kw), _end(W, kw)
                        row = x + (d * H.size + h) * W.size
                        memset(out, 0, begin * sizeof(number))
                        if end > begin and W.stride == 1:
                            memcpy(out + begin, row + _pixel(W, begin, kw), (end - begin) * sizeof(number))
                        else:
                            for ow in range(begin, end):
                                out[ow] = row[_pixel(W, ow, kw)]
                        memset(out + end, 0, (W.out - end) * sizeof(number))


cdef void _fold_plane(const Plan* p, int64_t plane, const number* y, number* x) noexcept nogil:
    cdef const Axis* D = &p.d
    cdef const Axis* H = &p.h
    cdef const Axis* W = &p.w
    cdef int64_t kd, kh, kw, od, oh, ow, begin, end, step = H.out * W.out
    cdef const number* given
    cdef number* row
    x += plane * D.size * H.size * W.size
    y += plane * D.kernel * H.kernel * W.kernel * D.out * step
    memset(x, 0, D.size * H.size * W.size * sizeof(number))
    for kd in range(D.kernel):
        for kh in range(H.kernel):
            for od in range(_first(D, kd), _end(D, kd)):
                for oh in range(_first(H, kh), _end(H, kh)):
                    row = x + (_pixel(D, od, kd) * H.size + _pixel(H, oh, kh)) * W.size
                    for kw in range(W.kernel):
                        given = y + ((kd * H.kernel + kh) * W.kernel + kw) * D.out * step
                        given += od * step + oh * W.out
                        begin, end = _first(W, kw), _end(W, kw)
                        if W.stride == 1:
                            for ow in range(begin, end):
                                row[ow + kw * W.dilation - W.low] += given[ow]
                        else:
                            for ow in range(begin, end):
                                row[_pixel(W, ow, kw)] += given[ow]


cdef void _unfold_row(const Plan* p, int64_t task, const number* x, number* y) noexcept nogil:
    """The windows of one row of places, of all images."""
    cdef const Axis* D = &p.d
    cdef const Axis* H = &p.h
    cdef const Axis* W = &p.w
    cdef int64_t od = task // H.out, oh = task % H.out, ow, n, kd, kh, kw, d, h, w, C = p.c
    cdef int64_t run = W.kernel * C
    cdef const number* row
    y += task * W.out * p.images * D.kernel * H.kernel * run
    for ow in range(W.out):
        w = _pixel(W, ow, 0)
        for n in range(p.images):
            for kd in range(D.kernel):
                d = _pixel(D, od, kd)
                for kh in range(H.kernel):
                    h = _pixel(H, oh, kh)
                    row = x + ((n * D.size + d) * H.size + h) * W.size * C
                    if not (0 <= d < D.size and 0 <= h < H.size):
                        memset(y, 0, run * sizeof(number))
                    elif W.dilation == 1 and w >= 0 and w + W.kernel <= W.size:
                        memcpy(y, row + w * C, run * sizeof(number))
                    else:
                        for kw in range(W.kernel):
                            if 0 <= w + kw * W.dilation < W.size:
                                memcpy(y + kw * C, row + (w + kw * W.dilation) * C, C * sizeof(number))
                            else:
                                memset(y + kw * C, 0, C * sizeof(number))
                    y += run


cdef void _fold_row(const Plan* p, int64_t task, const number* y, number* x) noexcept nogil:
    """One row of pixels of one image."""
    cdef const Axis* D = &p.d
    cdef const Axis* H = &p.h
    cdef const Axis* W = &p.w
    cdef int64_t h = task % H.size, d = task // H.size % D.size, n = task // (H.size * D.size)
    cdef int64_t kd, kh, kw, od, oh, ow, c, C = p.c
    cdef int64_t places = D.kernel * H.kernel * W.kernel
    cdef const number* given
    cdef number* pixel
    x += task * W.size * C
    memset(x, 0, W.size * C * sizeof(number))
    for kd in range(D.kernel):
        od = _window(D, d, kd)
        for kh in range(H.kernel):
            oh = _window(H, h, kh)
            if od < 0 or oh < 0:
                continue
            for kw in range(W.kernel):
                for ow in range(_first(W, kw), _end(W, kw)):
                    given = y + (((od * H.out + oh) * W.out + ow) * p.images + n) * places * C
                    given += ((kd * H.kernel + kh) * W.kernel + kw) * C
                    pixel = x + _pixel(W, ow, kw) * C
                    for c in range(C):
                        pixel[c] += given[c]


ctypedef enum Work:
    UNFOLD
    FOLD
    UNFOLD_PIXELS
    FOLD_PIXELS


cdef void _do(Work work, const Plan* p, int64_t task, number* x, number* y) noexcept nogil:
    if work == UNFOLD:
        _unfold_plane(p, task, x, y)
    elif work == FOLD:
        _fold_plane(p, task, y, x)
    elif work == UNFOLD_PIXELS:
        _unfold_row(p, task, x, y)
    else:
        _fold_row(p, task, y, x)


cdef void _do_all(Work work, const Plan* p, int64_t numbers, number* x, number* y) noexcept nogil:
    cdef int64_t task
    cdef int threads = threads_for(p.tasks, numbers)
    if threads == 1:
        for task in range(p.tasks):
            _do(work, p, task, x, y)
    else:
        for task in prange(p.tasks, num_threads=threads, schedule="static"):
            _do(work, p, task, x, y)


cdef int _run(Work work, Plan p, int64_t tasks, cnp.ndarray x, cnp.ndarray y) except -1:
    p.tasks = tasks if p.c else 0
    if wide(x):
        _do_all[double](work, &p, cnp.PyArray_SIZE(y), <double*>cnp.PyArray_DATA(x),
                        <double*>cnp.PyArray_DATA(y))
    else:
        _do_all[float](work, &p, cnp.PyArray_SIZE(y), <float*>cnp.PyArray_DATA(x),
                       <float*>cnp.PyArray_DATA(y))
    return 0


def unfold(
    cnp.ndarray x not None,  # IN   (N, C, D, H, W)
    cnp.ndarray y not None,  # OUT  (N, C, places, OD, OH, OW)
    window,                  #      shapes.Window
):
    cdef Plan p = _plan(x, x.shape[0], x.shape[1], 2, y, 3, window)
    _run(UNFOLD, p, p.images * p.c, x, y)


def fold(
    cnp.ndarray y not None,  # IN   (N, C, places, OD, OH, OW)
    cnp.ndarray x not None,  # OUT  (N, C, D, H, W)
    window,                  #      shapes.Window
):
    cdef Plan p = _plan(x, x.shape[0], x.shape[1], 2, y, 3, window)
    _run(FOLD, p, p.images * p.c, x, y)


def unfold_pixels(
    cnp.ndarray x not None,  # IN   (N, D, H, W, C)
    cnp.ndarray y not None,  # OUT  (OD, OH, OW, N, places, C)
    window,                  #      shapes.Window
):
    cdef Plan p = _plan(x, x.shape[0], x.shape[4], 1, y, 0, window)
    _run(UNFOLD_PIXELS, p, p.d.out * p.h.out, x, y)


def fold_pixels(
    cnp.ndarray y not None,  # IN   (OD, OH, OW, N, places, C)
    cnp.ndarray x not None,  # OUT  (N, D, H, W, C)
    window,                  #      shapes.Window
):
    cdef Plan p = _plan(x, x.shape[0], x.shape[4], 1, y, 0, window)
    _run(FOLD_PIXELS, p, p.images * p.d.size * p.h.size, x, y)
