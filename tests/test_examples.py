"""Every example runs as a user would run it, in its own process, on its smallest setting."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import tinycnn

EXAMPLES = Path(__file__).parent.parent / "examples"
OPTIONS = {
    "01_autograd.py": ["--steps", "5"],
    "02_two_layer_network.py": ["--steps", "400"],
    "03_own_layer.py": ["--steps", "50"],
    "04_own_operation.py": [],
    "05_beginnings.py": [],
    "06_neocognitron.py": ["--data", "synthetic"],
    "lecture_quiz.py": [],
    "quiz_arithmetic.py": [],
    "quiz_gradients.py": [],
    "quiz_pictures.py": [],
}


def start(name, *options, **environment):
    here = str(Path(tinycnn.__file__).parent.parent)  # the package under test, installed or not
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": here, **environment}
    with tempfile.TemporaryDirectory() as folder:  # where pictures go, unless told otherwise
        return subprocess.run(
            [sys.executable, str(EXAMPLES / name), *map(str, options)],
            env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
            cwd=folder,
        )


def run(name, *options, **environment):
    result = start(name, *options, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_all_examples_are_tested():
    trained = {"lenet_mnist.py", "lenet1998_mnist.py", "cifar10.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*OPTIONS, *trained}


def test_autograd_agrees_by_hand_by_tape_and_by_differences():
    rows = re.findall(r"(-?\d+\.\d{6}) +(-?\d+\.\d{6})", run("01_autograd.py", "--steps", 5))
    assert len(rows) == 3
    for row in rows[1:]:
        assert [float(v) for v in row] == pytest.approx([float(v) for v in rows[0]], abs=1e-3)


def test_two_layers_learn_what_one_cannot():
    said = run("02_two_layer_network.py", "--steps", 400)
    accuracy = dict(re.findall(r"^(.*): ([\d.]+) % right$", said, re.M))
    assert float(accuracy["exclusive or, one layer"]) <= 75
    assert float(accuracy["exclusive or, two layers"]) == 100
    assert float(accuracy["two spirals, two layers"]) > float(accuracy["two spirals, one layer"])


def test_own_layer_finds_its_slope():
    slope = float(re.search(r"after: +Swish\(beta=([\d.]+)\)", run("03_own_layer.py")).group(1))
    assert slope == pytest.approx(2.5, abs=0.05)


def test_own_operation_passes_its_check():
    assert "agrees with finite differences" in run("04_own_operation.py")


def test_what_one_unit_learns_and_what_it_cannot():
    rows = dict(re.findall(r"^(.*?)  +(\d.*)$", run("05_beginnings.py"), re.M))
    right = {name: [int(n) for n in re.findall(r"(\d+) %", row)] for name, row in rows.items()}
    assert right["and"] == right["or"] == [100] * 4
    assert max(right["exclusive or"][:2]) <= 75
    assert right["exclusive or"][2:] == [100, 100]


def test_the_neocognitron_sees_more_than_before_and_than_pixels_show():
    said = run("06_neocognitron.py", "--data", "synthetic", "--shown", 300)
    right = {name: float(n) for name, n in re.findall(r"^right from (.*): ([\d.]+) %$", said, re.M)}
    assert right["cells"] > max(50, right["pixels"], right["cells before learning"] + 20)


def offline(tmp_path):
    """The environment of a machine without the data sets and without a network."""
    return {"TINYCNN_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path),
            "https_proxy": "http://127.0.0.1:9"}


def test_lenet_of_1998_trains_and_tells_its_error(tmp_path):
    said = run("lenet1998_mnist.py", "--epochs", 1, "--digits", 3600, "--out", tmp_path,
               **offline(tmp_path))
    assert said.startswith("MNIST is neither on this machine nor to be downloaded, so LeNet-5")
    error = re.search(r"^test error: ([\d.]+) %$", said, re.M).group(1)
    assert float(error) < 20
    saved = tinycnn.load(tmp_path / "lenet1998.safetensors")
    assert sum(value.numel() for value in saved.values()) == 60_000 + 840


@pytest.mark.parametrize("model", ["resnet20", "convnetjs"])
def test_cifar10_trains_saves_and_tells_its_accuracy(model, tmp_path):
    said = run("cifar10.py", "--model", model, "--images", 200, "--epochs", 1, "--out", tmp_path,
               **offline(tmp_path))
    assert said.startswith("CIFAR-10 is neither on this machine nor to be downloaded")
    assert re.fullmatch(r"test accuracy: \d+\.\d\d %", said.splitlines()[-1])
    assert (tmp_path / f"cifar10_{model}.safetensors").exists()


def test_the_quiz_gives_the_answers_of_the_lectures(tmp_path):
    """Every answer that the script asserts by formula and by layers is printed."""
    said = run("lecture_quiz.py", "--out", tmp_path)
    for answer in ("valid  5", "same   7", "full   9", "760", "dense 25", "local 13", "dense  21",
                   "local  9", "shared 3", "20,384", "see 5x5", "see 7x7", "128", "it is c)",
                   "max pool 2x2: 3", "sees  32 pixels", "sees 195 pixels", "sees 212 pixels"):
        assert f" {answer}" in said
    questions = re.findall(r"^(\d+)\. ", said, re.M)
    assert questions == [str(i + 1) for i in range(len(questions))]
    assert len(questions) == 20
    if importlib.util.find_spec("matplotlib"):
        assert {path.name for path in tmp_path.iterdir()} == {
            "home_task.png", "filter_matching.png", "equivariance_or_invariance.png"}


@pytest.mark.parametrize("theme", ["arithmetic", "gradients", "pictures"])
def test_each_theme_of_the_quiz_runs_alone(theme):
    assert run(f"quiz_{theme}.py").startswith("1. ")


@pytest.mark.parametrize("data", ["synthetic", "mnist"])
def test_lenet_trains_saves_and_tells_its_accuracy(data, tmp_path):
    """With a folder that has no MNIST, and nothing to download from, digits are drawn."""
    place = {"https_proxy": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if data == "mnist" and "TINYCNN_DATA" not in os.environ:
        place["TINYCNN_DATA"] = str(tmp_path)
    out = tmp_path / "out"
    said = run("lenet_mnist.py", "--data", data, "--epochs", 1, "--out", out, **place)
    last = said.splitlines()[-1]
    assert re.fullmatch(r"test accuracy: \d+\.\d\d %", last)
    assert float(last.split()[2]) > 95
    assert (out / "lenet.safetensors").stat().st_size > 61_706 * 4


def test_lenet_says_in_one_sentence_that_there_is_no_mnist(tmp_path):
    said = run("lenet_mnist.py", "--epochs", 1, "--shift", 2, "--out", tmp_path,
               **offline(tmp_path))
    assert said.startswith("MNIST is neither on this machine nor to be downloaded, so LeNet-5")


def test_wrong_arguments_are_explained():
    result = start("lenet_mnist.py", "--epochs", "0")
    assert result.returncode == 2
    assert "--epochs and --batch-size must be at least 1" in result.stderr
    for name, option in ("lenet1998_mnist.py", "--digits"), ("cifar10.py", "--images"):
        result = start(name, option, 3)
        assert result.returncode == 2
        assert f"{option} must be at least 20" in result.stderr
