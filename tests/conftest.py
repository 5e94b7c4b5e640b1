"""What the tests share: seeds, threads, instruction sets, fresh processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nvidia_driver import has_driver

if not has_driver():  # then the GPU's kernels run in the simulator
    os.environ.setdefault("TINYCNN_CUDA", "simulator")

import tinycnn
from tinycnn._core.cpu import runtime

ISAS = runtime.ISA_NAMES[: runtime.ISA_NAMES.index(runtime.config()["isa_best"]) + 1]


def pytest_configure():
    """In a checkout, a file that setup.py has compiled hides changes made to it since."""
    if Path(tinycnn.__file__).parents[1] != Path(__file__).parents[1]:
        return
    for module in [m for name, m in sys.modules.items() if name.startswith("tinycnn.")]:
        built = Path(module.__file__)
        source = built.parent / (built.name.partition(".")[0] + ".py")
        if built != source and source.exists() and source.stat().st_mtime > built.stat().st_mtime:
            raise pytest.UsageError(f"{source} was changed after it was compiled: run "
                                    f"python setup.py build_ext --inplace")


@pytest.fixture(autouse=True)
def _seed():
    """Every test starts from the same random numbers, whichever ran before."""
    tinycnn.manual_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def set_threads():
    """set_threads(n) for one test; afterwards as many as before."""
    before = tinycnn.get_num_threads()
    yield tinycnn.set_num_threads
    tinycnn.set_num_threads(before)


@pytest.fixture(params=ISAS)
def isa(request):
    """The test runs once with each instruction set of this machine."""
    before = runtime.config()["isa"]
    runtime.set_isa(request.param)
    yield request.param
    runtime.set_isa(before)


@pytest.fixture
def guard():
    """guard(array): its copy in memory between NaNs, which are still there when the test is over.

    A number that is read outside the copy shows in what is computed, one that is written is gone.
    """
    guarded = []

    def between_nans(array):
        memory = np.full(array.size + 256, np.nan, array.dtype)
        guarded.append((memory, array.size))
        inner = memory[128 : 128 + array.size].reshape(array.shape)
        inner[...] = array
        return inner

    yield between_nans
    for memory, size in guarded:
        assert np.isnan(memory[:128]).all()
        assert np.isnan(memory[128 + size :]).all()


@pytest.fixture
def run_python(tmp_path):
    """run_python(code, NAME="value"): a fresh process that imports the same tinycnn as this one."""

    def run(code, timeout=60, **environment):
        path = [str(Path(tinycnn.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True,
            timeout=timeout, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), **environment},
        )

    return run
