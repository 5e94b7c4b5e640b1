"""Threads, and what this build and this machine have."""

import sys

import numpy

from ._core import devices, gpu_text, memory, runtime
from ._core import precision as _precision
from ._core.checks import fail
from ._version import __version__


def set_num_threads(count: int) -> None:
    """Use `count` threads in kernels from now on. Results do not depend on it: not by one bit.

    Args:    count (int): at least 1. Without OpenMP there is always one thread; so there is in
                 a child forked after its parent computed with several: they are not there.
    Raises:  TypeError: if it is no int. ValueError: if it is below 1.
    Example: >>> import tinycnn
             >>> before = tinycnn.get_num_threads()
             >>> tinycnn.set_num_threads(1)
             >>> tinycnn.get_num_threads()
             1
             >>> tinycnn.set_num_threads(before)
    """
    if type(count) is not int:
        fail("set_num_threads", "an int", repr(count), "Pass for example 2.", TypeError)
    if count < 1 or count > 4096:
        fail("set_num_threads", "a count between 1 and 4096", repr(count), "Pass for example 2.")
    runtime.set_num_threads(count)


def get_num_threads() -> int:
    """Threads that kernels use: OMP_NUM_THREADS at start, else the processors of this process.

    A forked child starts with 1, because the threads of its parent are not there.

    Example: >>> import tinycnn
             >>> tinycnn.get_num_threads() >= 1
             True
    """
    return runtime.get_num_threads()


def empty_cache() -> None:
    """Give the memory of arrays that are gone, kept for the next ones, back to the system.

    A training loop asks for the same sizes in every step, so the memory of large results is kept
    when they go: at most a quarter of the machine's, and nothing that 4096 others have outlived.
    Results do not depend on it. A GPU's memory: tinycnn.cuda.empty_cache().

    Example: >>> import tinycnn
             >>> tinycnn.empty_cache()
    """
    memory.empty_cache()


def set_float32_matmul_precision(precision: str) -> None:
    """Choose how exactly a GPU's tensor cores multiply float32 numbers, from now on.

    "high" (the default): TF32, both factors rounded to 10 bits after the point, sums in float32; in
    the simulator it errs by up to 4e-4 of the largest result. "highest": three TF32 products for
    each, which err by 5e-7, as float32 does; an infinite factor gives NaN. It counts for
    convolutions, Linear and matmul alike (PyTorch has "high" for convolutions and "highest" for
    products), and for nothing on the CPU, which multiplies in float32.

    Args:    precision (str): "high" or "highest".
    Raises:  ValueError: if it is neither.
    Example: >>> set_float32_matmul_precision("highest")
             >>> get_float32_matmul_precision()
             'highest'
             >>> set_float32_matmul_precision("high")
    Source:  Ootomo & Yokota 2022, "Recovering single precision accuracy from tensor cores".
    """
    _precision.set_mode(precision)


def get_float32_matmul_precision() -> str:
    """"high" or "highest", see set_float32_matmul_precision.

    Example: >>> get_float32_matmul_precision()
             'high'
    """
    return _precision.mode


def config() -> dict[str, str | int | bool]:
    """What this build and this machine have, as a dict; `show_config` prints it.

    Example: >>> import tinycnn
             >>> sorted(tinycnn.config())[:3]
             ['gpu', 'instruction_set', 'instruction_sets']
    """
    kernels = runtime.config()
    best = runtime.ISA_NAMES.index(kernels["isa_best"])
    return {
        "tinycnn": __version__,
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "instruction_set": kernels["isa"],
        "instruction_sets": ", ".join(runtime.ISA_NAMES[: best + 1]),
        "openmp": kernels["openmp"],
        "threads": kernels["threads"],
        "gpu": gpu_text(),
    }


def show_config() -> None:
    """Print version, instruction set, threads, OpenMP, devices, and the GPU or why there is none.

    Example: >>> import tinycnn
             >>> tinycnn.show_config()  # doctest: +ELLIPSIS
             tinycnn          ...
             gpu              ...
    """
    found = config()
    print(f"tinycnn          {found['tinycnn']} (Python {found['python']}, NumPy {found['numpy']})")
    print(f"instruction set  {found['instruction_set']} (usable here: {found['instruction_sets']}; "
          f"TINYCNN_ISA picks another)")
    print(f"OpenMP           {'yes' if found['openmp'] else 'no: built without it, one thread'}")
    print(f"threads          {found['threads']} (set_num_threads, OMP_NUM_THREADS)")
    print(f"devices          {', '.join(devices())}")
    print(f"gpu              {found['gpu']}")
