"""A GPU in plain Python: every thread of a block is a greenlet that runs the kernel's own source.

Threads take turns: each runs until it reaches a barrier or its end, so that a run is the same
every time. What a GPU leaves undefined is an error here: reading shared memory that nobody wrote,
reading or writing outside of an array, a barrier that not every thread of the block reaches, and
two threads that touch one number of shared memory, one of them writing, with no barrier in between.

Slow, some 15 ms for the ReLU of 1,024 numbers: for tests on tiny arrays, and for stepping through a
kernel with a debugger.
"""

from contextvars import copy_context
from itertools import product

import numpy

try:
    from greenlet import getcurrent, greenlet
except ImportError as error:
    raise ImportError("The GPU simulator needs greenlet: pip install greenlet.") from error

from .simulated_array import do

WARP = 32
_now = None  # the _Thread that is running


def thread():
    """The simulated thread that is running."""
    return _now


class Memory:
    """Numbers as a kernel sees them behind a pointer; indices outside are an error."""

    def __init__(self, numbers, name=""):
        self.numbers, self.name, self.size = numbers, name, len(numbers)
        self._integer = numbers.dtype.kind in "iub"

    def __getitem__(self, i):
        if not 0 <= i < self.size:
            self._outside(i, "read")
        value = self.numbers[i]
        return int(value) if self._integer else value

    def __setitem__(self, i, value):
        if not 0 <= i < self.size:
            self._outside(i, "written")
        if type(value) is numpy.float64 and self.numbers.dtype == numpy.float32:
            raise TypeError(f"a float64 number is written to {self.name}, which is float32. "
                            f"{where()}")
        self.numbers[i] = value

    def _outside(self, i, what):
        raise IndexError(f"element {i} of {self.name} is {what}, which has {self.size}. {where()}")


class Shared(Memory):
    """Shared memory: nothing in it at first, and no two threads at one place between barriers."""

    def __init__(self, size, dtype, name="shared memory"):
        super().__init__(numpy.zeros(size, dtype), name)
        self._written = [None] * size  # (thread, its barriers, its warp's barriers)
        self._read = [None] * size

    def __getitem__(self, i):
        value = super().__getitem__(i)
        if self._written[i] is None:
            raise RuntimeError(f"element {i} of {self.name} is read before it is written. "
                               f"{where()}")
        self._check(i, self._written[i], "read here and written by")
        self._read[i] = self._stamp()
        return value

    def __setitem__(self, i, value):
        super().__setitem__(i, value)
        for before, what in (self._written[i], "written"), (self._read[i], "read"):
            self._check(i, before, f"written here and {what} by")
        self._written[i] = self._stamp()

    def _stamp(self):
        return _now, _now.barriers, _now.warp_barriers

    def _check(self, i, before, what):
        if before is None or before[0] is _now:
            return
        other, barriers, warp_barriers = before
        if barriers == _now.barriers and (
            other.warp is not _now.warp or warp_barriers == _now.warp_barriers
        ):
            raise RuntimeError(f"element {i} of {self.name} is {what} thread {other.place} with no "
                               f"barrier in between. {where()}")


def where():
    """The running thread, for messages."""
    return f"Thread {_now.place} of block {_now.block.place}." if _now else ""


class _Thread:
    """One thread of a block: where it is, and what it waits for."""

    def __init__(self, block, place, number):
        self.block, self.place, self.number = block, place, number
        self.lane = number % WARP
        self.warp = block.warps[number // WARP]
        self.barriers = self.warp_barriers = 0  # how many it has passed
        self.shared_count = 0
        self.waiting = None  # "block" or "warp"
        self.copies, self.groups = [], []  # asynchronous copies: begun, and committed


class _Warp:
    """What the threads of a warp hand to each other."""

    def __init__(self):
        self.threads = []
        self.values = {}  # barrier: {lane: value}
        self.results = {}


def _greenlet(function):
    """A greenlet in this one's context, where NumPy keeps what errstate has set."""
    made = greenlet(function)
    made.gr_context = copy_context()
    return made


class _Block:
    def __init__(self, place, size, shared):
        self.place, self.shared_bytes = place, shared
        count = size[0] * size[1] * size[2]
        self.shared = []  # arrays, in the order in which the source makes them
        self.dynamic = None
        self.warps = [_Warp() for _ in range(-(-count // WARP))]
        self.threads = []
        for number, (z, y, x) in enumerate(product(*map(range, reversed(size)))):
            self.threads.append(_Thread(self, (x, y, z), number))
            self.threads[-1].warp.threads.append(self.threads[-1])

    def run(self, function, arguments):
        global _now
        live = [(t, _greenlet(function)) for t in self.threads]
        started = set()
        while live:
            left, progress = [], False
            for t, g in live:
                if t.waiting is None:
                    progress = True
                    _now = t
                    if t in started:
                        g.switch()
                    else:
                        started.add(t)
                        g.switch(*arguments)
                    if g.dead:
                        t.waiting = "end"
                        continue
                left.append((t, g))
            live = left
            if not progress:
                self._stuck()
            self._open()
        _now = None

    def _open(self):
        """Let go the warps, or the block, of which every thread waits."""
        for warp in self.warps:
            if all(t.waiting == "warp" for t in warp.threads):
                for t in warp.threads:
                    t.waiting = None
        if all(t.waiting == "block" for t in self.threads):
            for t in self.threads:
                t.waiting = None

    def _stuck(self):
        at = {kind: [t.place for t in self.threads if t.waiting == kind]
              for kind in ("block", "warp", "end")}
        raise RuntimeError(f"a barrier is not reached by every thread of block {self.place}: "
                           + ", ".join(f"{len(v)} at {k}" for k, v in at.items() if v))


def _wait(kind):
    _now.waiting = kind
    getcurrent().parent.switch()


def syncthreads():
    """Wait for every thread of the block."""
    me = _now
    me.barriers += 1
    _wait("block")


def warp_exchange(value, function):
    """Hand `value` to the warp; function([value of each lane]) gives the list of results, of which
    each lane gets its own."""
    me = _now
    warp, number = me.warp, me.warp_barriers
    warp.values.setdefault(number, {})[me.lane] = value
    me.warp_barriers += 1
    _wait("warp")
    if number not in warp.results:
        given = warp.values.pop(number)
        warp.results = {number: function([given[lane] for lane in sorted(given)])}
    return warp.results[number][me.lane]


def run(function, grid, block, arguments, shared=0):
    """Run a kernel over a grid of blocks, one block after the other."""
    do(lambda: _run(function, grid, block, arguments, shared))


def _run(function, grid, block, arguments, shared):
    global _now
    try:
        with numpy.errstate(all="ignore"):
            for z, y, x in product(*map(range, reversed(grid))):
                here = _Block((x, y, z), block, shared)
                here.grid, here.size = grid, block
                here.run(function, arguments)
    finally:
        _now = None


class _Axes:
    """threadIdx and its like: x, y, z of the running thread."""

    def __init__(self, read):
        self._read = read

    x = property(lambda self: self._read()[0])
    y = property(lambda self: self._read()[1])
    z = property(lambda self: self._read()[2])


class _Shared:
    """cuda.shared: arrays of a block, of a constant size, or of size 0 for all that the launch
    provides."""

    @staticmethod
    def array(size, dtype, alignment=None):
        block, number = _now.block, _now.shared_count
        _now.shared_count += 1
        if number == len(block.shared):
            if size == 0:
                size = block.shared_bytes // numpy.dtype(dtype).itemsize
            block.shared.append(Shared(size, dtype))
        return block.shared[number]


class _Local:
    """cuda.local: a thread's own arrays."""

    @staticmethod
    def array(size, dtype):
        return Memory(numpy.full(size, -(2**30) if numpy.dtype(dtype).kind == "i" else numpy.nan,
                                 dtype), "a local array")


class Cuda:
    """What kernels use of numba.cuda."""

    threadIdx = _Axes(lambda: _now.place)
    blockIdx = _Axes(lambda: _now.block.place)
    blockDim = _Axes(lambda: _now.block.size)
    gridDim = _Axes(lambda: _now.block.grid)
    shared = _Shared
    local = _Local
    syncthreads = staticmethod(syncthreads)
