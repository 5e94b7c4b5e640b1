"""A step captured once and replayed: a CUDA graph, and the numbers that it reads anew.

A graph holds the launches of a step with their arguments as they were: addresses, and numbers such
as a padding. What changes from step to step must lie in device memory: step counters of optimisers
do anyway; learning rates and the place in the stream of random numbers are put there while a step
is captured, and written again before a replay where they have changed.

    hyperparameters   `numbers` gives each call of a captured update a place of its own. Before a
                      replay the updates are called again with launches turned off (kernel.muted),
                      and write what they would have computed with to these places
    random numbers    every kernel counts from the same [seed, shift]; shift grows by what a step
                      consumes

In the simulator a graph is a list of what was done to arrays, done again.
"""

from contextlib import suppress

import numpy

from . import backend, kept, kernel, random, update
from .mode import SIMULATED

if SIMULATED:
    from . import simulated_array

active = None  # the Graph that is being captured


class Graph:
    """What `capture` has recorded of a function, to be replayed.

    All of its arrays come from a pool of memory of its own, so that nothing else is ever put where
    the graph writes.
    """

    def __init__(self):
        self._places = []  # of hyperparameters: [device array, its values as bytes]
        self._next = 0
        self._refreshers = []
        self._stream_words = backend.to_device(numpy.zeros(2, numpy.uint64))  # [seed, shift]
        self._known = None  # what was last written there
        self._begin = 0
        self._stream = None if SIMULATED else backend.xp.cuda.Stream(non_blocking=True)
        self._pool = None if SIMULATED else backend.graph_pool()
        self._held = []  # constants of the step
        self._graph = None

    def warm_up(self, function):
        """Run the function as it will be captured: tables are made, memory is in the pool."""
        return self._run(function)

    def capture(self, function, seed, offset):
        """Record the function's launches, with the random numbers from `offset` on; none of them
        runs before the first replay."""
        global active
        self._begin = offset
        active = update.capture = self
        random.override, backend.recording = self._stream_words, True
        backend.held = self._held = []
        try:
            return self._run(function, record=True)
        except BaseException:
            self._places, self._refreshers = [], []
            raise
        finally:
            active = update.capture = random.override = None
            backend.recording, backend.held = False, []

    def _run(self, function, record=False):
        if SIMULATED:
            if not record:
                return function()
            with simulated_array.recording() as self._graph:
                return function()
        xp, outside = backend.xp, backend.xp.cuda.get_current_stream()
        self._stream.wait_event(outside.record())
        with self._stream, xp.cuda.using_allocator(backend.allocator(self._pool)):
            result = self._captured(function) if record else function()
        outside.wait_event(self._stream.record())
        return result

    def _captured(self, function):
        refused = backend.xp.cuda.runtime.CUDARuntimeError
        self._stream.begin_capture()
        try:
            result = function()
        except BaseException as error:
            with suppress(refused):
                self._stream.end_capture()  # the stream must not stay in this mode
            if isinstance(error, refused):
                backend.refuse_while_recording(error)
            raise
        self._graph = self._stream.end_capture()
        return result

    def numbers(self, values, dtype):
        """A place in device memory for the numbers of the next update in order."""
        values = numpy.array(values, dtype)
        if active is self:
            self._places.append([kept.upload(values), values.tobytes()])
            return self._places[-1][0]
        place = self._places[self._next]
        self._next += 1
        if place[1] != values.tobytes():
            self._write(place[0], values)
            place[1] = values.tobytes()
        return place[0]

    def each_replay(self, call):
        """Have `call` tell `numbers` its numbers again before every replay."""
        self._refreshers.append(call)

    def replay(self, seed, offset):
        """Run what was captured, with the random numbers from `offset` of the stream on."""
        self._refresh()
        shift = (offset - self._begin) & (2**64 - 1)
        if self._known != (seed, shift):
            self._write(self._stream_words, numpy.array([seed, shift], numpy.uint64))
            self._known = seed, shift
        if SIMULATED:
            for step in self._graph:
                step()
        else:
            outside = backend.xp.cuda.get_current_stream()
            self._stream.wait_event(outside.record())
            self._graph.launch(self._stream)
            outside.wait_event(self._stream.record())

    def _write(self, there, values):
        """Overwrite numbers that the graph reads, between the last replay and the next. The host
        does not wait: of memory that is not page-locked CUDA has a copy when this returns."""
        if SIMULATED:
            simulated_array.on_host(there)[...] = values
        else:
            there.data.copy_from_host_async(values.ctypes.data, values.nbytes, self._stream)

    def _refresh(self):
        self._next, kernel.muted, update.capture = 0, True, self
        try:
            for call in self._refreshers:
                call()
        finally:
            kernel.muted, update.capture = False, None
