"""Whether this machine has an NVIDIA driver, found out without importing tinycnn: what tinycnn's
environment variables say counts when it is imported."""

import ctypes


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False
