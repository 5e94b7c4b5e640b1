"""Loads the OpenMP runtime so that its threads do not spin for long.

A thread that waits for the others spins first and sleeps later. GNU OpenMP spins for about a
millisecond: with every processor free that is the quickest way to notice the end of a region, but
when any other program runs, the spinning thread takes the processor from the one it is waiting for.
Measured, a LeNet-5 step of batch 64 on two threads of two processors, mean of three seconds: beside
two busy programs 65 ms, and 8 ms when threads spin for 3000 turns; beside one 13 and 8 ms; with
both processors free 3.8 and 4.4 ms.

The variable is read once, when the library is loaded; it is restored at once, so that other
libraries with an OpenMP runtime of their own see what the user set. OMP_WAIT_POLICY or
GOMP_SPINCOUNT, set by the user, win.
"""

import importlib
import os
from pathlib import Path

_VARIABLE = "GOMP_SPINCOUNT"


def _load_openmp():
    """Import the first extension module, which brings the OpenMP runtime with it."""
    try:
        importlib.import_module(".runtime", __package__)
    except ModuleNotFoundError as error:
        folder = Path(__file__).parents[2]
        raise ImportError(
            f"tinycnn: expected compiled kernels in {folder}, found only their sources. If tinycnn "
            f"is installed, start Python in another folder than {folder.parent}; to work on the "
            f"sources here, run: pip install -e ."
        ) from error


if _VARIABLE in os.environ or "OMP_WAIT_POLICY" in os.environ:
    _load_openmp()
else:
    os.environ[_VARIABLE] = "3000"
    try:
        _load_openmp()
    finally:
        del os.environ[_VARIABLE]
