"""Every benchmark runs and reports what it should. How fast anything is, is not tested here."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinycnn
from tinycnn.bench import libraries, models
from tinycnn.bench.cases import conv

FOLDER = Path(__file__).parents[1] / "benchmarks"
QUICK = ["--seconds", "0.01"]
NO_TORCH = "compares with PyTorch, which is not installed"

SCRIPTS = [  # script, --only, the row it names: case, what, unit
    ("bench_conv", "1->6 5x5, 28x28, batch 1, forward + backward",
     ("1->6 5x5, 28x28, batch 1", "forward + backward", "FLOP")),
    ("bench_conv", "64->64 9, 1024, batch 16, gradient of input",
     ("64->64 9, 1024, batch 16", "gradient of input", "FLOP")),
    ("bench_pooling", "64x16x10x10, backward", ("max 2x2, 64x16x10x10", "backward", "B")),
    ("bench_batchnorm", "128x512, evaluation", ("128x512", "evaluation", "B")),
    ("bench_norm", "layer norm, 128x768, backward", ("layer norm, 128x768", "backward", "B")),
    ("bench_activation", "gelu by tanh, 1x16x8x8, forward",
     ("gelu by tanh, 1x16x8x8", "forward", "B")),
    ("bench_resample", "64x1x28x28, backward", ("grid_sample, 64x1x28x28", "backward", "B")),
    ("bench_loss", "ctc, 26x64x37, backward", ("ctc, 26x64x37", "backward", "B")),
    ("bench_optim", "61,706, Adam", ("LeNet-5, 61,706", "Adam", "B")),
    ("bench_train_step", "batch 1, training",
     ("LeNet-5, 28x28, batch 1", "training step", "FLOP")),
    ("bench_train_step", "VGG-11 with batch norm, 32x32, batch 32, forward",
     ("VGG-11 with batch norm, 32x32, batch 32", "forward", "FLOP")),
    ("bench_overhead", "relu, recorded", ("relu", "recorded", "")),
]


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """benchmarks/ importable as it is for its scripts; afterwards all is as it was."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = tinycnn.get_num_threads()
    yield
    tinycnn.set_num_threads(before)
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


def load(name):
    return importlib.import_module(name)


def run(script, *argv):
    load(script).main([*QUICK, *argv])


@pytest.mark.parametrize(("script", "only", "row"), SCRIPTS)
def test_script_prints_environment_ceiling_and_rows(script, only, row, capsys, tmp_path):
    run(script, "--only", only, "--json", str(tmp_path / "found.json"))
    text = capsys.readouterr().out
    assert tinycnn.config()["instruction_set"] in text
    assert f"tinycnn {tinycnn.__version__}" in text
    assert "1 thread;" in " ".join(text.split())
    assert "Ceiling: " in text
    assert "tinycnn.matmul" in text
    assert "64 MB" in text
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["environment"]["threads"] == 1
    assert found["environment"]["torch"] is found["environment"]["onnxruntime"] is None
    assert len(found["rows"]) == 1
    (line,) = (line for line in text.splitlines() if line.startswith(row[0]))
    assert row[1] in line
    check_row(found["rows"][0], row, found["ceiling"])


def check_row(found, row, ceiling):
    """The numbers of a row follow from its medians."""
    assert (found["case"], found["what"], found["unit"]) == row
    mine = found["times"]["tinycnn"]
    assert 0 < mine["best"] <= mine["median"]
    assert mine["rounds"] >= 3
    if found["unit"]:
        work = found["flop" if found["unit"] == "FLOP" else "bytes"]
        assert found["speed"] == pytest.approx(work / mine["median"] / 1e9)
        tops = [ceiling["gflops"]] if found["bound"] == "compute" else ceiling["copies"].values()
        limit = found["flop" if found["bound"] == "compute" else "bytes"] / mine["median"] / 1e9
        assert any(found["of_ceiling"] == pytest.approx(limit / top) for top in tops)
    else:
        assert found["beyond"] == mine["median"] - found["times"]["NumPy"]["median"]


@pytest.mark.parametrize(("script", "only", "row"), SCRIPTS)
def test_script_compares_with_torch(script, only, row, capsys, tmp_path):
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    before = torch.get_num_threads()
    try:
        run(script, "--only", only, "--against", "torch", "--json", str(tmp_path / "found.json"))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    text = capsys.readouterr().out
    assert f"PyTorch {torch.__version__}" in " ".join(text.split())
    assert "ratio" in text
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["rows"][0]
    theirs = {name: time["median"] for name, time in found["times"].items() if "torch" in name}
    best = min(theirs, key=theirs.get)
    assert best == found["best"]
    mine = found["times"]["tinycnn"]["median"]
    assert found["ratios"] == {"torch": pytest.approx(theirs[best] / mine)}
    forms = {"bench_overhead": 1}.get(script, 4 if row[0].startswith("LeNet-5, 28x28") else 2)
    one_layout = "64->64 9,", "128x512", "layer norm, 128", "ctc"  # 3 or 2 axes
    no_choice = row[0].startswith(one_layout)
    assert len(theirs) == (1 if no_choice else forms)


def test_markdown_is_one_table(capsys):
    run("bench_pooling", "--only", "64x16x10x10", "--markdown")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(lines) == 5
    assert {line.count("|") for line in lines} == {7}
    assert set(lines[1]) == set("| -:")


def test_two_threads_and_rounds(capsys, tmp_path):
    run("bench_pooling", "--only", "64x16x10x10, forward", "--threads", "2", "--rounds", "5",
        "--json", str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["environment"]["threads"] == tinycnn.get_num_threads()
    assert [row["times"]["tinycnn"]["rounds"] for row in found["rows"]] == [5, 5]


def test_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, str(FOLDER / "bench_overhead.py"), "--only", "add, recorded", *QUICK],
        env=environment(), capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "`python benchmarks/bench_overhead.py --only 'add, recorded'" in done.stdout
    assert "the budget is 3.00 us" in done.stdout
    assert done.stderr == ""  # no progress bar where nobody looks


def environment():
    """This process's, with the package where it was imported from."""
    return os.environ | {"PYTHONPATH": str(Path(tinycnn.__file__).parents[1])}


def test_missing_torch_is_one_sentence_and_code_2(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)  # import raises ImportError
    with pytest.raises(SystemExit) as stopped:
        run("bench_conv", "--against", "torch")
    assert stopped.value.code == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    assert said == ("PyTorch is not installed: install it (pip install torch), or leave out "
                    "--against torch.\n")


@pytest.mark.parametrize(("argv", "message"), [
    (["--only", "no such row"], "--only: no row contains 'no such row'. The rows are: max 2x2"),
    (["--threads", "0"], "--threads: expected a whole number of at least 1, got '0'"),
    (["--rounds", "many"], "--rounds: expected a whole number of at least 1, got 'many'"),
    (["--seconds", "-1"], "--seconds: expected a number above 0, got '-1'"),
    (["--seconds", "nan"], "--seconds: expected a number above 0, got 'nan'"),
    (["--seconds", "long"], "--seconds: expected a number above 0, got 'long'"),
    (["--json", "."], "--json: expected a file in a folder that exists, got '.'"),
    (["--json", "missing/x.json"], "expected a file in a folder that exists, got 'missing/x.json'"),
    (["--against", "numpy"], "--against: expected none, torch, onnxruntime or"),
])
def test_options_that_cannot_be_served(argv, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        run("bench_pooling", *argv)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_lenet_is_the_one_of_the_package():
    ours, packaged = models.lenet5(tinycnn.nn), tinycnn.models.LeNet5()
    assert [p.shape for p in ours.parameters()] == [p.shape for p in packaged.parameters()]
    assert [type(layer) for layer in ours] == [type(layer) for layer in packaged]
    linear = models.lenet5(tinycnn.nn, linear_c5=True).parameters()
    assert sum(p.numel() for p in linear) == sum(p.numel() for p in ours.parameters()) == 61_706
    assert sum(models.LENET5) == 416_520
    assert models.flop(models.LENET5, training=False) == 2 * 416_520
    assert models.flop(models.LENET5, training=True) == 2 * (3 * 416_520 - 6 * 28 * 28 * 25)


@pytest.mark.parametrize(("name", "parameters", "multiplications"), [
    ("vgg11_bn", 9_231_114, 152_769_536), ("resnet18", 11_173_962, 555_422_720),
])
def test_networks_have_the_size_of_their_papers(name, parameters, multiplications):
    net = getattr(models, name)(tinycnn.nn)
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert sum({"vgg11_bn": models.VGG11, "resnet18": models.RESNET18}[name]) == multiplications
    if name == "vgg11_bn":
        assert [p.shape for p in net.parameters()] == models.vgg11_shapes()


@pytest.mark.parametrize("name", ["vgg11_bn", "resnet18"])
def test_networks_are_the_same_in_both_libraries(name):
    """Same names, same scores in training and in evaluation, same running statistics."""
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    make = getattr(models, name)
    ours, theirs = make(tinycnn.nn), make(torch.nn)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({key: value.numpy() for key, value in state.items()})
    x = np.random.default_rng(0).standard_normal((4, 3, 32, 32)).astype(np.float32)
    for net in ours.train(), theirs.train(), ours.eval(), theirs.eval():
        with tinycnn.no_grad(), torch.no_grad():
            scores = net((tinycnn if net is ours else torch).tensor(x)).numpy()
        if net is ours:
            mine = scores
        else:
            np.testing.assert_allclose(mine, scores, atol=1e-3 * abs(scores).max())
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), atol=1e-4,
                                   rtol=1e-3)


def test_both_libraries_do_the_same_work():
    pytest.importorskip("torch", reason=NO_TORCH)
    layer = conv.Layer(3, 4, (3, 3), (8, 7), 2, stride=2, padding=1)
    ours = conv.contestants(layer, libraries.Tinycnn())["forward"]()
    assert ours.shape == (2, 4, *layer.output)
    for layout in libraries.layouts(4):
        theirs = conv.contestants(layer, libraries.Torch(layout))["forward"]()
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-5)


def test_results_go_between_the_marks(tmp_path):
    results, readme = load("results"), tmp_path / "README.md"
    readme.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, str(FOLDER / "results.py"), "bench_overhead", "--threads", "1",
         "--readme", str(readme), "--only", "add, recorded", *QUICK],
        env=environment(), check=True, capture_output=True,
    )
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{results.BEGIN}\n\n### bench_overhead.py, 1 thread\n")
    assert text.endswith(f"{results.END}\nafter\n")
    assert "| add | recorded |" in text
    assert "old" not in text
    with pytest.raises(ValueError, match="insert: expected the lines"):
        results.insert("no marks", "new")
    with pytest.raises(SystemExit):
        results.main(["bench_nothing", "--readme", str(readme)])
    assert readme.read_text(encoding="utf-8") == text


def test_readme_has_the_marks_and_names_every_script():
    results, text = load("results"), (FOLDER / "README.md").read_text(encoding="utf-8")
    results.insert(text, "")
    assert sorted(results.SCRIPTS) == sorted(path.stem for path in FOLDER.glob("bench_*.py"))
    for script in results.SCRIPTS:
        assert f"`{script}.py`" in text
