"""A machine without a GPU: everything else works, and whoever asks is told why there is none."""

import pytest
from nvidia_driver import has_driver

pytestmark = pytest.mark.skipif(has_driver(), reason="this machine has an NVIDIA driver")


def run(run_python, code):
    done = run_python(f"import tinycnn\n{code}", TINYCNN_CUDA="")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_none_and_show_config_says_why(run_python):
    text = run(run_python, "print(tinycnn.cuda.is_available(), tinycnn.cuda.device_count())\n"
                           "tinycnn.show_config()")
    assert text.startswith("False 0\n")
    assert "devices          cpu\n" in text
    assert "gpu              none: There is no NVIDIA driver on this machine.\n" in text


@pytest.mark.parametrize("call", [
    "tinycnn.ones(2).to('cuda')", "tinycnn.zeros(2, device='cuda')", "tinycnn.ones(2).cuda()",
    "tinycnn.nn.Linear(2, 2).cuda()", "tinycnn.cuda.synchronize()",
    "tinycnn.cuda.get_device_name()",
])
def test_what_needs_one_says_why_not(run_python, call):
    code = f"try:\n    {call}\nexcept ValueError as error:\n    print(error)"
    assert run(run_python, code) == (
        "to: expected device 'cpu', got 'cuda'. There is no NVIDIA driver on this machine. Use "
        "device='cpu'.\n")


def test_asking_imports_nothing_of_cuda(run_python):
    code = ("import sys\ntinycnn.cuda.is_available(); tinycnn.cuda.empty_cache()\n"
            "print([m for m in ('cupy', 'numba', 'tinycnn._core.cuda') if m in sys.modules])")
    assert run(run_python, code) == "[]\n"
