"""Loads the OpenMP runtime so that its threads do not spin for long.

A thread that waits for the others spins first and sleeps later. GNU OpenMP spins for about a
millisecond: with every processor free that is the quickest way to notice the end of a region, but
when any other program runs, the spinning thread takes the processor from the one it is waiting for.
Measured, a LeNet-5 training step on two threads beside one busy program: 830 ms, and 6 ms when
threads spin for a thousand turns (about 5 us).

The variable is read once, when the library is loaded; it is restored at once, so that other
libraries with an OpenMP runtime of their own see what the user set. OMP_WAIT_POLICY or
GOMP_SPINCOUNT, set by the user, win.
"""

import os

_VARIABLE = "GOMP_SPINCOUNT"

if _VARIABLE in os.environ or "OMP_WAIT_POLICY" in os.environ:
    from . import runtime as runtime
else:
    os.environ[_VARIABLE] = "1000"
    try:
        from . import runtime as runtime
    finally:
        del os.environ[_VARIABLE]
