"""Every GPU kernel as machine code, built without a GPU: it must not spill registers, and a kernel
for float32 must not compute in float64.

In a process of its own, with the packages of an extra: pip install ".[test,cuda13]", then
TINYCNN_CUDA=gpu pytest tests/test_cuda_compile.py.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tinycnn._core import gpu

if gpu.SIMULATED or os.environ.get("TINYCNN_CUDA") != "gpu":
    pytest.skip("builds for a GPU when TINYCNN_CUDA=gpu says so", allow_module_level=True)
pytest.importorskip("numba.cuda", reason="needs the packages of tinycnn[cuda13]")

import tinycnn._core.cuda as kernels_of_cuda
from tinycnn._core.cuda import array, compiler
from tinycnn._core.cuda.backend import xp
from tinycnn._core.cuda.kernel import kernels

CAPABILITIES = [(7, 5), (8, 0), (8, 6), (9, 0)]
FLOAT64 = re.compile(r"\b(DADD|DMUL|DFMA|DSETP|DMNMX|MUFU\.\w*64H|F2F\.F\d+\.F64|F2F\.F64|I2F\.F64"
                     r"|F2I\.F64|F2I\.\w*\.F64)")
FLOAT_ATOMICS = re.compile(r"\b(RED|ATOM|ATOMG|ATOMS)\.\S*F(16|32|64)")


def instances():
    """Kernels for float32 for all of these GPUs; those for float64, which gradient checks are made
    with, for the oldest and the newest."""
    for kernel in kernels:
        for constants in kernel.variants:
            chosen = CAPABILITIES[::3] if "float64" in text(constants) else CAPABILITIES
            for capability in chosen:
                if capability >= kernel.least_capability:
                    yield kernel, constants, capability


def text(value):
    if isinstance(value, tuple):
        return f"sm_{value[0]}{value[1]}"
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items())
    return value.name


def nvdisasm():
    """The disassembler of the CUDA toolkit's wheel, or of an installed toolkit."""
    import nvidia

    for folder in nvidia.__path__:
        for path in Path(folder).rglob("nvdisasm"):
            return str(path)
    return shutil.which("nvdisasm")


def instructions(code, folder):
    """The machine instructions of a cubin, one a line."""
    if nvdisasm() is None:
        pytest.skip("needs nvdisasm: pip install nvidia-cuda-nvdisasm")
    path = folder / "kernel.cubin"
    path.write_bytes(code)
    done = subprocess.run([nvdisasm(), "-c", str(path)], capture_output=True, text=True, check=True)
    return re.findall(r"/\*[0-9a-f]{4,}\*/\s+(.*?);", done.stdout)


@pytest.mark.parametrize(("kernel", "constants", "capability"), list(instances()), ids=text)
def test_a_kernel_becomes_good_machine_code(kernel, constants, capability, tmp_path):
    code, report = compiler.cubin(kernel, constants, capability)
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in report, report
    lines = instructions(code, tmp_path)
    assert not [line for line in lines if re.search(r"\b(LDL|STL)\b", line)], "local memory"
    if "float64" not in text(constants):
        assert not [line for line in lines if FLOAT64.search(line)], "float64 in a float32 kernel"
    assert not [line for line in lines if FLOAT_ATOMICS.search(line)], "the order is not fixed"
    found = " ".join(lines)
    for wanted in kernel.instructions(constants):
        assert re.search(wanted, found), f"no {wanted}"


def test_there_are_kernels_of_every_family():
    families = {kernel.function.__module__.rpartition(".")[2] for kernel in kernels}
    assert {"elementwise", "pooling", "batchnorm", "random", "update", "loss"} <= families


@pytest.mark.parametrize("name", array.__all__)
def test_array_functions_use_what_cupy_has(name):
    function = getattr(kernels_of_cuda, name)
    used = re.findall(r"xp\.(\w+)", Path(array.__file__).read_text(encoding="utf-8"))
    assert callable(function)
    assert [n for n in used if not hasattr(xp, n)] == []
