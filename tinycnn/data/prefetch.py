"""Results of a function over tasks, in order, computed ahead by threads."""

import atexit
import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_threads: "weakref.WeakSet[threading.Thread]" = weakref.WeakSet()
_EXIT_SECONDS = 1.0


class Prefetcher(Iterator):
    """Iterator over function(*task) for every task, in the order of the tasks.

    At most `depth` tasks are begun ahead of the consumer. What a call raises is raised here, at its
    place in the order, with the thread's traceback. The threads end with the last task, or when the
    iterator is dropped: they hold no reference to it, so a loop that is left early ends them too.

    Args:    function (callable): called with the entries of one task, on any thread.
             tasks (iterable of tuples): consumed on the consumer's thread.
             workers (int): threads; 0 computes each result when it is asked for.
             depth (int): tasks begun ahead.
    """

    def __init__(self, function: Callable, tasks: Iterable[tuple], workers: int, depth: int):
        self._function, self._tasks = function, iter(tasks)
        self._depth = depth
        self._pending: deque[_Result] = deque()
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=_work, args=(function, self._inbox), daemon=True,
                             name=f"tinycnn-data-{i}")
            for i in range(workers)
        ]
        if workers:
            self.close = weakref.finalize(self, _dismiss, self._inbox, workers)
            for thread in self._threads:
                _threads.add(thread)
                thread.start()

    def __next__(self) -> Any:
        if not self._threads:
            return _call(self._function, next(self._tasks))
        while len(self._pending) < self._depth and (task := next(self._tasks, None)) is not None:
            result = _Result()
            self._pending.append(result)
            self._inbox.put((result, task))
        if not self._pending:
            self.close()
            raise StopIteration
        return self._pending.popleft().get()


class _Result:
    """What a thread owes: a value or an error."""

    def __init__(self):
        self.ready = threading.Event()
        self.value = self.error = None

    def get(self):
        self.ready.wait()
        try:
            if self.error is not None:
                raise self.error
            return self.value
        finally:
            self.error = None  # the error's traceback refers to this frame: let both go


def _call(function, task):
    try:
        return function(*task)
    except StopIteration as error:  # it would end the loop over the batches without a word
        raise RuntimeError("DataLoader: the data set raised StopIteration for an index below its "
                           "length.") from error


def _work(function, inbox):
    while (work := inbox.get()) is not None:
        result, task = work
        try:
            result.value = _call(function, task)
        except BaseException as error:
            result.error = error
        result.ready.set()
        del work, result, task  # keep no batch alive while waiting


def _dismiss(inbox, workers):
    """Let the threads end: take back what they have not begun, then one None for each."""
    try:
        while True:
            inbox.get_nowait()
    except queue.Empty:
        for _ in range(workers):
            inbox.put(None)


@atexit.register
def _wait_at_exit():
    """Give threads in the middle of a batch a moment; one that hangs does not hold up the exit."""
    end = time.monotonic() + _EXIT_SECONDS
    for thread in list(_threads):
        if thread.is_alive():
            thread.join(max(0.0, end - time.monotonic()))
