"""How exactly a GPU's tensor cores multiply float32 numbers.

    "high"      TF32: both factors rounded to 10 bits after the point, sums in float32
    "highest"   3xTF32: each factor as the sum of two TF32 numbers, three products of four

One setting for convolutions, Linear and matmul alike. (PyTorch's default is "high" for convolutions
and "highest" for products of matrices.)

Source: Ootomo & Yokota 2022, "Recovering single precision accuracy from tensor cores".
"""

from .checks import fail

MODES = ("high", "highest")
mode = "high"


def set_mode(name):
    """Choose for what is launched from now on; ValueError if there is no such mode."""
    global mode
    if name not in MODES:
        fail("set_float32_matmul_precision", 'precision "high" or "highest"', repr(name),
             '"high" is TF32, "highest" as exact as float32.')
    mode = name
