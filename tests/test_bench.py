"""`tinycnn bench`: its options, its numbers, its comparison of two runs, its picture. How fast
anything is, is not tested here."""

import json
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

import tinycnn
from tinycnn import nn
from tinycnn.__main__ import main
from tinycnn.bench import command, libraries, models, plot, session, table, timer
from tinycnn.bench.cases import SUITES, batchnorm, conv, pooling
from tinycnn.bench.ceiling import COPIES, Ceiling, Work
from tinycnn.bench.compare import changes
from tinycnn.bench.onnxrt import OnnxRuntime
from tinycnn.bench.timer import Timing

QUICK = ["--seconds", "0.01"]
ROW = "64x16x10x10, forward"  # names two rows: forward, forward + backward
CEILING = Ceiling(100.0, "a product", dict(zip(COPIES, (20.0, 10.0, 5.0))))


@pytest.fixture(autouse=True)
def _threads():
    before = tinycnn.get_num_threads()
    yield
    tinycnn.set_num_threads(before)


@pytest.fixture
def onnxruntime():
    """ONNX Runtime with one thread."""
    for name in ("onnx", "onnxruntime"):
        pytest.importorskip(name, reason="compares with ONNX Runtime, which is not installed")
    return OnnxRuntime(1)


def bench(*argv):
    main(["bench", *argv])


def stopped(capsys, *argv):
    """What is said when the command ends with code 2, printing nothing."""
    with pytest.raises(SystemExit) as end:
        bench(*argv)
    assert end.value.code == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    return said


# The roofline


@pytest.mark.parametrize(("work", "bound", "limit"), [
    (Work(1e9, 1e6), "compute", 1e-2),  # 1 GFLOP at 100 GFLOP/s; 1 MB at 20 GB/s: 0.05 ms
    (Work(1e6, 1e6), "bandwidth", 5e-5),  # 1 MFLOP: 0.01 ms
    (Work(5e6, 1e6), "compute", 5e-5),  # the ridge: 100 GFLOP/s = 5 FLOP/B * 20 GB/s
    (Work(0, 1e9), "bandwidth", 0.2),  # 1 GB at 5 GB/s
])
def test_the_larger_limit_counts(work, bound, limit):
    assert CEILING.bound(work) == bound
    assert CEILING.reached(work, limit) == pytest.approx(1)
    assert CEILING.reached(work, 4 * limit) == pytest.approx(0.25)
    assert work.intensity == work.flop / work.bytes


@pytest.mark.parametrize(("moved", "speed"), [
    (10, 1.0), (1 << 20, 1.0), (3 << 20, 2.0), (8 << 20, 2.0), (100 << 20, 3.0), (1e12, 3.0),
])
def test_bytes_are_compared_with_the_copy_of_about_as_many(moved, speed):
    ceiling = Ceiling(100.0, "a product", dict(zip(COPIES, (1.0, 2.0, 3.0))))
    assert ceiling.gbs(moved) == speed


def test_a_row_follows_from_its_times():
    times = {name: Timing(median, median, 0.0, 3) for name, median in
             {"tinycnn": 2e-2, "torch, contiguous": 5e-2, "torch, channels last": 3e-2,
              "onnxruntime": 1e-2}.items()}
    row = session.measures(times, CEILING, Work(1e9, 1e6), SUITES["conv"])
    assert (row["bound"], row["best"]) == ("compute", "torch, channels last")
    assert row["of_ceiling"] == pytest.approx(0.5)
    assert row["speed"] == pytest.approx(50)
    assert row["ratios"] == {"torch": pytest.approx(1.5), "onnxruntime": pytest.approx(0.5)}
    moved = session.measures(times, CEILING, Work(1e3, 1e6), SUITES["pooling"])
    assert (moved["bound"], moved["speed"]) == ("bandwidth", pytest.approx(0.05))
    assert moved["of_ceiling"] == pytest.approx(0.05 / 20)
    base = session.measures({"tinycnn": times["tinycnn"], "NumPy": times["onnxruntime"]},
                            CEILING, None, SUITES["overhead"])
    assert (base["beyond"], base["ratios"]) == (pytest.approx(1e-2), {})
    assert "of_ceiling" not in base


def test_the_work_of_a_layer_is_that_of_its_formula():
    layer = conv.Layer(4, 6, (3, 3), (8, 8), 2, stride=2, padding=1, groups=2)
    flop = 2 * (2 * 6 * 4 * 4) * (2 * 3 * 3)
    moved = 4 * (2 * 4 * 8 * 8 + 6 * 2 * 3 * 3 + 2 * 6 * 4 * 4)
    assert layer.work == Work(flop, moved)
    work = pooling.works("max_pool2d", (3, 2, 1), (2, 4, 8, 8), (4, 4))
    moved = 4 * 2 * 4 * (64 + 16)
    assert work["forward"] == Work(2 * 4 * 16 * 9, moved)
    assert work["backward"] == Work(2 * 4 * 16, moved)
    assert batchnorm.works((2, 3, 4, 5))["evaluation"] == Work(2 * 120, 2 * 4 * 120)


# The timer


def test_contestants_take_turns_and_every_second_round_is_reversed():
    turns = []

    def contestant(name):
        def call():
            if turns[-1:] != [name]:
                turns.append(name)
        return call

    found = timer.race({name: contestant(name) for name in "abc"}, 0.01, rounds=4)
    # warm-up, then abc, cba, abc, cba, where two turns in a row show as one
    assert "".join(turns) == "abc" + "abc" + "ba" + "bc" + "ba"
    assert {timing.rounds for timing in found.values()} == {4}


def test_long_calls_are_timed_one_at_a_time():
    """A call above the length of a turn is neither looped over nor repeated untimed."""
    calls = []

    def call():
        calls.append(0)
        time.sleep(1.5 * timer.LONG)

    timer.race({"only": call}, 0.01, rounds=2)
    assert len(calls) == 2 + 2  # warm-up, rounds


@pytest.mark.parametrize("patient", [False, True])
def test_patience_is_for_several_threads(patient, set_threads, monkeypatch):
    """A turn then begins with untimed calls for a while."""
    for threads in (1, 2):
        set_threads(threads)
        warm = []
        monkeypatch.setattr(timer, "_warm_up", lambda call, seconds, warm=warm:
                            warm.append(seconds) or 1e-4)
        timer.race({"only": lambda: None}, 1e-3, rounds=2, patient=patient)
        several = patient and tinycnn.get_num_threads() > 1
        assert warm == [1e-3 / 20] + [timer.PATIENT_WARM_UP] * 2 * several


def test_timing_reports_median_and_quartiles():
    timing = Timing.of([4.0, 1.0, 2.0, 3.0, 5.0])
    assert (timing.median, timing.best, timing.rounds) == (3.0, 1.0, 5)
    assert timing.spread == pytest.approx(2 / 3)


# Tables


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0.00 us"), (1.234e-7, "0.12 us"), (9.876e-6, "9.88 us"), (4.2e-5, "42.0 us"),
    (1e-3, "1.00 ms"), (0.1234, "123 ms"), (12.0, "12.0 s"), (-2e-6, "-2.00 us"),
])
def test_durations_have_three_digits(seconds, text):
    assert table.duration(seconds) == text


def test_a_wide_table_names_its_first_column_once_for_rows_that_share_it():
    lines = []
    narrow = table.Table([("case", -4), ("time", 6)], False, lines.append)
    narrow.heading()
    narrow.row(["a", "1 s"])
    wide = table.Table([("case", -4), ("time", 117)], False, lines.append)
    wide.heading()
    for case, cell in (("a", "1 s"), ("a", "2 s"), ("b", "3 s")):
        wide.row([case, cell])
    assert lines == ["case    time", "a        1 s", "case", " " * 114 + "time", "a",
                     " " * 115 + "1 s", " " * 115 + "2 s", "b", " " * 115 + "3 s"]


def test_rows_with_everything_fit_a_terminal(onnxruntime, capsys):
    pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    bench(*QUICK, "--rounds", "1", "--against", "torch,onnxruntime", "--only", "batch 1, forward")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= table.WIDTH
    (lenet, *_) = (i for i, line in enumerate(lines) if line == "LeNet-5, 28x28, batch 1")
    assert len(lines[lenet + 1].split()) > 10
    names = " direct ", " planar ", " mixed "
    assert sum(any(name in line for name in names) for line in lines) == 4


# The command


def test_one_process_measures_all_suites(capsys, tmp_path):
    path = tmp_path / "found.json"
    bench(*QUICK, "--rounds", "1", "--json", str(path), "--only", "batch 1, forward")
    assert capsys.readouterr().out.count("Ceiling: ") == 1
    found = json.loads(path.read_text(encoding="utf-8"))
    assert {row["suite"] for row in found["rows"]} == {"train_step", "conv"}
    assert found["environment"]["command"].startswith("tinycnn bench --seconds 0.01 --rounds 1")
    assert "The rows are: LeNet-5, 61,706, SGD" in stopped(capsys, "optim", "--only", "batch 1")
    assert set(found["ceiling"]) == {"gflops", "product", "copies"}


def test_a_suite_plans_the_rows_that_it_measures():
    """Names are heard before anything is measured: --only and the progress bar rely on them."""
    for suite in SUITES.values():
        names = session.Bench(options("--only", ""), "")._plan(suite)
        assert len(names) == len(set(names)) > 3


def options(*argv):
    parser = ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(argv)


def test_the_chosen_algorithm_is_told(capsys, tmp_path):
    wide = conv.LAYERS[0]
    assert conv.chosen_algorithm(wide, "forward") == "winograd F(4x4, 3x3)"
    assert conv.chosen_algorithm(wide, "forward + backward") == "winograd F(4x4, 3x3)"
    with tinycnn.conv_algorithm("im2col"):
        assert conv.chosen_algorithm(wide, "gradient of weight") == "im2col"
    first = next(layer for layer in conv.LAYERS if layer.x_shape[1] == 3)
    assert conv.chosen_algorithm(first, "gradient of input") == "scatter"
    assert conv.chosen_algorithm(first, "forward + backward") == "mixed"
    only = "6->16 5x5, 14x14, batch 1, forward"
    bench(*QUICK, "conv", "--only", only, "--json", str(tmp_path / "x.json"))
    rows = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["rows"]
    assert [row["algorithm"] for row in rows] == ["direct", "mixed"]
    assert "algorithm" in capsys.readouterr().out


@pytest.mark.parametrize(("argv", "message"), [
    (["nothing"], "expected suites among train_step, conv, pooling, batchnorm, norm, activation, "
                  "resample, loss, optim, overhead, got 'nothing'"),
    (["--only", "no such row"], "--only: no row contains 'no such row'. The rows are: LeNet-5"),
    (["--threads", "0"], "--threads: expected a whole number of at least 1, got '0'"),
    (["--against", "numpy"], "--against: expected none, torch, onnxruntime or torch,onnxruntime, "
                             "got 'numpy'"),
    (["--against", "torch,none"], "torch,onnxruntime, got 'torch,none'"),
    (["--plot", "picture.txt"], "--plot: expected a name ending in .png, .svg or .pdf, got "
                                "'picture.txt'"),
    (["--plot", "missing/x.png"], "expected a file in a folder that exists, got 'missing/x.png'"),
    (["--compare", "one.json"], "--compare: expected 2 arguments"),
])
def test_options_that_cannot_be_served(argv, message, capsys):
    assert message in " ".join(stopped(capsys, *argv).split())


@pytest.mark.parametrize(("module", "argv", "message"), [
    ("torch", ["--against", "torch"], "PyTorch is not installed: install it (pip install torch), "
     "or leave out --against torch.\n"),
    ("onnx", ["--against", "onnxruntime"], "ONNX Runtime is not installed: install it (pip install "
     "onnx onnxruntime), or leave out onnxruntime of --against.\n"),
    ("matplotlib", ["--plot", "x.png"], "--plot: Matplotlib is not installed: install the extra "
     "viz (pip install 'tinycnn[viz]'), or leave out --plot.\n"),
])
def test_what_is_not_installed_is_told_in_one_sentence(module, argv, message, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)  # import raises ImportError
    assert stopped(capsys, *argv) == message


def test_python_m_tinycnn(run_python, tmp_path):
    done = subprocess.run([sys.executable, "-m", "tinycnn", "--version"], capture_output=True,
                          text=True, cwd=Path(tinycnn.__file__).parents[1])
    assert (done.stdout, done.stderr) == (f"tinycnn {tinycnn.__version__}\n", "")
    done = run_python("import sys; from tinycnn.__main__ import main; main(['bench', '--only', "
                      "'64x16x10x10, backward', '--seconds', '0.01'])")
    assert "max 2x2, 64x16x10x10" in done.stdout
    assert done.stderr == ""  # no progress bar where nobody looks


# Two runs


def run_of(*rows, threads=1):
    """What --json writes for rows of (what, median, spread, PyTorch's median or None)."""
    def times(median, spread, torch):
        others = {} if torch is None else {"torch, contiguous": {"median": torch, "spread": 0.0}}
        return {"tinycnn": {"median": median, "spread": spread}, **others}

    return {
        "environment": {"command": "tinycnn bench", "date": "2026-01-31", "tinycnn": "0.1.0",
                        "threads": threads},
        "ceiling": {"gflops": 100.0, "product": "a product", "copies": {}},
        "rows": [{"suite": "conv", "case": "a layer", "what": what,
                  "times": times(median, spread, torch),
                  "ratios": {} if torch is None else {"torch": torch / median}}
                 for what, median, spread, torch in rows],
    }


def test_a_change_counts_beyond_the_noise_of_both_runs():
    old = run_of(("a", 1.0, 0.03, 2.0), ("b", 1.0, 0.03, None), ("c", 1.0, 0.03, 2.0),
                 ("gone", 1.0, 0.0, None))
    new = run_of(("c", 0.94, 0.04, 1.0), ("b", 1.06, 0.04, 2.0), ("a", 0.951, 0.04, 2.2),
                 ("new", 1.0, 0.0, None))
    found = changes(old, new)
    assert [row["what"] for row in found] == ["a", "b", "c"]
    assert [row["verdict"] for row in found] == ["", "slower", "faster"]
    assert [row["change"] for row in found] == pytest.approx([-0.049, 0.06, -0.06])
    assert [row["noise"] for row in found] == pytest.approx([0.05] * 3)
    assert found[0]["others"] == pytest.approx(0.1)
    assert found[1]["others"] is None
    assert found[2]["others"] == pytest.approx(-0.5)


def write(folder, **runs):
    for name, run in runs.items():
        (folder / f"{name}.json").write_text(json.dumps(run), encoding="utf-8")
    return [str(folder / f"{name}.json") for name in runs]


@pytest.mark.parametrize("markdown", [False, True])
def test_compare_prints_what_changed(markdown, capsys, tmp_path):
    paths = write(tmp_path, old=run_of(("a", 1.0, 0.03, 2.0), ("b", 1.0, 0.03, None)),
                  new=run_of(("a", 0.5, 0.04, 2.2), threads=2))
    bench("--compare", *paths, *["--markdown"] * markdown)
    text = capsys.readouterr().out
    assert "Not the same threads: 1, then 2." in text
    (line,) = (line for line in text.splitlines() if "a layer" in line)
    assert line.replace("|", "").split() == [
        "a", "layer", "a", "1.00", "s", "500", "ms", "-50%", "5%", "+10%", "faster"]
    assert text.endswith("\n1 faster, 0 slower, 0 within the noise; 1 in one file only.\n")


def test_a_run_compared_with_itself_has_not_changed(capsys, tmp_path):
    path = str(tmp_path / "found.json")
    bench(*QUICK, "pooling", "--only", ROW, "--json", path)
    capsys.readouterr()
    bench("--compare", path, path)
    text = capsys.readouterr().out
    assert "Not the same" not in text
    assert text.count("+0%") == 2
    assert text.endswith("\n0 faster, 0 slower, 2 within the noise.\n")


@pytest.mark.parametrize(("content", "message"), [
    (None, "cannot be read: No such file or directory."),
    ("not JSON", "expected a file that tinycnn bench --json wrote, got "),
    ("[1, 2]", "expected a file that tinycnn bench --json wrote, got "),
    ('{"rows": []}', "expected a file that tinycnn bench --json wrote, got "),
])
def test_compare_needs_two_files_of_this_command(content, message, capsys, tmp_path):
    (good,) = write(tmp_path, good=run_of(("a", 1.0, 0.0, None)))
    if content is not None:
        (tmp_path / "bad.json").write_text(content, encoding="utf-8")
    for paths in ((good, str(tmp_path / "bad.json")), (str(tmp_path / "bad.json"), good)):
        said = stopped(capsys, "--compare", *paths)
        assert said.startswith("--compare: ")
        assert message in said


def test_compare_needs_rows_in_common(capsys, tmp_path):
    paths = write(tmp_path, old=run_of(("a", 1.0, 0.0, None)), new=run_of(("b", 1.0, 0.0, None)))
    assert "expected rows that both files have, got none" in stopped(capsys, "--compare", *paths)


# The picture


def test_the_roof_bends_where_bandwidth_meets_the_peak():
    assert plot.roof(100.0, 20.0, 1.0, 50.0) == ([1.0, 5.0, 50.0], [20.0, 100.0, 100.0])
    assert plot.roof(100.0, 20.0, 1.0, 2.0) == ([1.0, 2.0], [20.0, 40.0])
    assert plot.roof(100.0, 20.0, 10.0, 20.0) == ([10.0, 20.0], [100.0, 100.0])


def test_points_are_the_rows_whose_work_is_counted():
    times = {"tinycnn": {"median": 0.5}}
    rows = [{"suite": "conv", "flop": 4e9, "bytes": 1e9, "intensity": 4.0, "times": times},
            {"suite": "resample", "flop": 0, "bytes": 1e9, "intensity": 0.0, "times": times},
            {"suite": "overhead", "times": times}]
    assert plot.points(rows) == {"conv": [(4.0, 8.0)]}


@pytest.mark.parametrize("only", [ROW, "relu, recorded"])
def test_plot_draws_a_picture(only, tmp_path):
    pytest.importorskip("matplotlib", reason="draws with Matplotlib, which is not installed")
    bench(*QUICK, "--rounds", "1", "--only", only, "--plot", str(tmp_path / "roofline.png"))
    assert (tmp_path / "roofline.png").read_bytes().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules


# ONNX Runtime


def check(theirs, ours):
    (found,) = theirs()
    np.testing.assert_allclose(found, ours.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [
    conv.Layer(3, 4, (3, 3), (8, 7), 2, stride=2, padding=1),
    conv.Layer(4, 4, (3, 3), (5, 6), 1, padding=1, groups=4),
    conv.Layer(2, 3, (5,), (9,), 2, padding=2),
    conv.Layer(2, 3, (3, 2, 1), (4, 4, 4), 1),
], ids=str)
def test_onnx_runtime_convolves_the_same(layer, onnxruntime):
    ours = conv.contestants(layer, libraries.Tinycnn())["forward"]()
    check(conv.onnx_forward(layer, onnxruntime), ours)


@pytest.mark.parametrize(("function", "arguments", "output"), [
    (function, arguments, (4, 4) if arguments == (2,) else (8, 8) if arguments[1:] == (1, 1)
     else (1, 1) if arguments == (1,) else (4, 4))
    for function, arguments in sorted({case[1:3] for case in pooling.CASES})
])
def test_onnx_runtime_pools_the_same(function, arguments, output, onnxruntime):
    shape = (2, 3, 8, 8)
    ours = pooling.contestants(function, arguments, shape, output, libraries.Tinycnn())["forward"]()
    assert ours.shape == (*shape[:2], *output)
    check(pooling.onnx_forward(function, arguments, shape, onnxruntime), ours)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (6, 3)])
def test_onnx_runtime_normalizes_the_same(shape, onnxruntime):
    arrays = (libraries.numbers(*shape), np.zeros(3, np.float32), np.ones(3, np.float32),
              libraries.numbers(3, seed=1), libraries.numbers(3, seed=2))
    ours = nn.functional.batch_norm(*map(tinycnn.from_numpy, arrays))
    check(batchnorm.onnx_evaluation(shape, onnxruntime), ours)


def test_onnx_runtime_runs_the_same_network(onnxruntime):
    x = libraries.numbers(3, 3, 16, 16)
    for model, images in [
        (models.lenet5(nn), libraries.numbers(2, 1, 28, 28)),
        (models.resnet18(nn), libraries.numbers(1, 3, 32, 32)),
        (nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4),
                       nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                       nn.Linear(4, 5)), x),
    ]:
        if isinstance(model[1], nn.BatchNorm2d):
            model(tinycnn.from_numpy(x))  # running statistics other than 0 and 1
        model.eval()
        check(onnxruntime.network(model, images), model(tinycnn.from_numpy(images)))


def test_a_module_without_a_rule_is_named(onnxruntime):
    x = libraries.numbers(1, 2, 4, 4)
    with pytest.raises(TypeError, match=r"expected one of Conv2d, .* or Sequential, got Sigmoid"):
        onnxruntime.network(nn.Sequential(nn.Sigmoid()), x)
    with pytest.raises(TypeError, match="expected an average pooling to size 1, got"):
        onnxruntime.network(nn.AdaptiveAvgPool2d(2), x)


def test_onnx_runtime_takes_part_in_forward_rows_only(onnxruntime, tmp_path):
    bench(*QUICK, "pooling", "--only", "64x16x10x10", "--against", "onnxruntime", "--json",
          str(tmp_path / "x.json"))
    found = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert found["environment"]["onnxruntime"] == onnxruntime.version
    assert {row["what"]: "onnxruntime" in row["ratios"] for row in found["rows"]} == {
        "forward": True, "backward": False, "forward + backward": False}
