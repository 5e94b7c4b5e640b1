"""benchmarks/on_gpu.py and what it runs: commands, verdicts, the report; without a GPU, why not."""

import importlib
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from nvidia_driver import has_driver

import tinycnn
from tinycnn.bench import command
from tinycnn.bench.cases import GPU_SUITES

FOLDER = Path(__file__).parents[1] / "benchmarks"
GPU = {"gpu": "a GPU", "driver": "580.1", "cuda": "13.0", "cupy": "14.2", "numba": "0.30"}


@pytest.fixture
def on_gpu(monkeypatch):
    """benchmarks/ importable as it is for its scripts; there seems to be a GPU."""
    monkeypatch.syspath_prepend(str(FOLDER))
    module = importlib.import_module("on_gpu")
    monkeypatch.setattr(module, "require", lambda device: None)
    monkeypatch.setattr(module, "versions", lambda device: GPU)
    yield module
    for name in ("on_gpu", "gpu_steps"):
        sys.modules.pop(name, None)


def printing(on_gpu, text, code=0, **options):
    return on_gpu.Command("train", ["python", "-c", f"print({text!r}); exit({code})"], **options)


def test_the_report_says_what_ran_and_what_came_of_it(on_gpu, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(on_gpu, "PARTS", {
        "train": lambda: [printing(on_gpu, "test accuracy: 99.10 %", least=99.0),
                          printing(on_gpu, "test accuracy: 98.90 %", least=99.0)],
        "tests": lambda: [printing(on_gpu, "\n".join(map(str, range(200))), 3)],
        "equality": lambda: [printing(on_gpu, "Left out: no data", on_gpu.LEFT_OUT)],
        "sanitizer": lambda: [printing(on_gpu, "", missing="it is not there.")]})
    out = tmp_path / "report.md"
    assert on_gpu.main(["--only", "train,tests,equality,sanitizer", "--out", str(out)]) == 1
    text, printed = out.read_text(encoding="utf-8"), capsys.readouterr().out
    assert text.startswith("# tinycnn on a GPU\n\n`python benchmarks/on_gpu.py --only train,")
    assert "driver 580.1, CUDA 13.0, CuPy 14.2, numba-cuda 0.30; " in text
    assert f"tinycnn          {tinycnn.__version__}" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## train: ok", "## train: failed: expected 99 %, got 'test accuracy: 98.90 %'",
        "## train: failed: exit code 3", "## train: left out: no data",
        "## train: left out: it is not there."]
    assert "(80 lines before)\n80\n" in text
    assert printed.endswith(f"2 of 5 failed; report: {out}\n")


def test_tables_stay_markdown_and_time_is_limited(on_gpu):
    command = printing(on_gpu, "| a |", tables=True)
    assert on_gpu.section(command, *on_gpu.run(command), 1.0).endswith(" s\n\n| a |\n")
    slow = on_gpu.Command("bench", ["python", "-c", "import time; time.sleep(9)"], 0.005)
    assert on_gpu.run(slow) == ("failed: it took more than 0.005 minutes", "")


def test_every_command_is_one_that_exists(on_gpu):
    parser = ArgumentParser()
    command.add_arguments(parser)
    plan = [c for part in on_gpu.PARTS.values() for c in part()] + on_gpu.bench(0.4)
    assert {c.part for c in plan} == {*on_gpu.PARTS, "bench"}
    for c in plan:
        files = [w for w in c.words if w.startswith(("tests", "examples/", "benchmarks/"))]
        assert all((FOLDER.parent / file).exists() for file in files)
        if c.part == "bench":
            parsed = parser.parse_args(c.words[c.words.index("bench") + 1 :])
            assert set(parsed.suites) <= set(GPU_SUITES)
            assert parsed.device == "cuda"
    assert sum(c.minutes for c in plan[-2:]) <= 12


@pytest.mark.skipif(has_driver(), reason="this machine has an NVIDIA driver")
def test_without_a_gpu_everything_is_left_out(on_gpu, monkeypatch, capsys, tmp_path):
    monkeypatch.undo()
    with pytest.raises(SystemExit) as end:
        on_gpu.main(["--out", str(tmp_path / "x.md")])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("--device cuda: ")
    with pytest.raises(SystemExit):
        on_gpu.main(["--only", "tests,nothing"])
    assert "expected some of tests,sanitizer,train,equality,bench" in capsys.readouterr().err


def test_steps_agree_with_themselves(on_gpu, capsys, monkeypatch):
    """On the CPU, which is no GPU: differences are 0."""
    steps = importlib.import_module("gpu_steps")
    monkeypatch.setattr(tinycnn, "set_float32_matmul_precision", lambda _: None, raising=False)
    assert steps.main(["short", "--device", "cpu"]) == 0
    assert steps.main(["equality", "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "Sequential", "Block", "LeNet-5, precision 'high'", "LeNet-5, precision 'highest'",
        "ResNet-18, precision 'high'", "ResNet-18, precision 'highest'"]
    assert all("loss 0.0e+00" in line and "gradients 0.0e+00" in line for line in lines[2:])


def test_differences_are_relative_to_the_norm_and_to_the_largest_number(on_gpu):
    steps = importlib.import_module("gpu_steps")
    expected = {"a": np.array([3.0, 0.0]), "b": np.array([[-4.0]])}
    found = {"a": np.array([3.0, 0.3]), "b": np.array([[-4.4]])}
    assert steps.differences(found, expected) == pytest.approx((0.1, 0.1))
