"""`tinycnn bench --device cuda`: options, refusals, tables, and every call once. How fast a GPU is,
is not tested here; without one, calls run in the simulator."""

import contextlib
import json
from argparse import ArgumentParser
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from nvidia_driver import has_driver

import tinycnn
from tinycnn.__main__ import main
from tinycnn.bench import command, forms, gpu_session, libraries, models, timer
from tinycnn.bench.cases import GPU_SUITES, batchnorm, conv, pooling
from tinycnn.bench.cases import gpu as cases
from tinycnn.bench.cases.train_step import Network, training_step
from tinycnn.bench.ceiling import Work
from tinycnn.bench.gpu import COPY, GpuCeiling
from tinycnn.bench.gpu_session import GpuBench
from tinycnn.bench.libraries import Tinycnn
from tinycnn.bench.session import Suite
from tinycnn.bench.timer import Timing

NO_TORCH = "compares with PyTorch, which is not installed"
CEILING = GpuCeiling(1e5, "a product", {COPY: 4000.0}, {"float32": 5e4, "TF32": 1e5})
LAYER = conv.Layer(2, 3, (3, 3), (3, 4), 1, padding=1)
GPU = {"gpu": "a GPU", "driver": "580.1", "cuda": "13.0", "cupy": "14.2", "numba": "0.30"}
without_gpu = pytest.mark.skipif(has_driver(), reason="this machine has an NVIDIA driver")


def stopped(capsys, *argv):
    """What is said when the command ends with code 2, printing nothing."""
    with pytest.raises(SystemExit) as end:
        main(["bench", *argv])
    assert end.value.code == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    return " ".join(said.split())


def options(*argv):
    parser = ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(["--device", "cuda", "--seconds", "0.01", "--rounds", "1", *argv])


# The command


@without_gpu
@pytest.mark.parametrize(("mode", "reason"), [
    ("", "There is no NVIDIA driver on this machine."),
    ("simulator", "expected a GPU, got the simulator, where kernels run as plain Python: nothing "
                  "can be measured there. Leave TINYCNN_CUDA=simulator out."),
])
def test_without_a_gpu_the_command_says_why(mode, reason, run_python):
    code = "from tinycnn.bench import script; script('conv', ['--device', 'cuda'])"
    done = run_python(code, TINYCNN_CUDA=mode)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"--device cuda: {reason}\n"


@pytest.mark.parametrize(("argv", "message"), [
    (["optim", "--device", "cuda"], "--device cuda: expected suites among train_step, conv, "
     "pooling, batchnorm, got 'optim', which is measured on the CPU only."),
    (["--device", "cuda", "--against", "torch,onnxruntime"],
     "--device cuda: ONNX Runtime takes part on the CPU only; use --against torch."),
    (["--precision", "TF32"], "--precision TF32: products on the CPU are always of float32"),
    (["--device", "cuda:1"], "--device: invalid choice: 'cuda:1'"),
    (["--device", "cuda", "--precision", "half"], "--precision: invalid choice: 'half'"),
])
def test_options_that_do_not_fit_the_device(argv, message, capsys):
    assert message in stopped(capsys, *argv)


def test_a_suite_plans_the_rows_that_it_measures():
    for suite in GPU_SUITES.values():
        names = GpuBench(options(), "")._plan(suite)
        assert len(names) == len(set(names)) > 3


# Rows


def timings(**medians):
    names = {"ours": "tinycnn", "captured": "tinycnn, captured", "default": "torch, default",
             "best": "torch, best", "linear": "torch, best, linear C5"}
    return {names[key]: Timing(median, median, 0.02, 30) for key, median in medians.items()}


def test_ratios_compare_like_with_like():
    times = timings(ours=4e-3, captured=1e-3, default=6e-3, best=3e-3, linear=2e-3)
    row = gpu_session.measures(times, CEILING, Work(5e10, 1e6), GPU_SUITES["conv"])
    assert row["ratios"] == pytest.approx({"torch": 2, "torch, default": 1.5, "torch, best": 2})
    assert row["best"] == "torch, best, linear C5"
    assert (row["speed"], row["of_ceiling"]) == pytest.approx((5e4, 0.5))  # of the faster form
    alone = gpu_session.measures(timings(ours=1e-3), CEILING, Work(1, 4e9), GPU_SUITES["pooling"])
    assert (alone["ratios"], alone["best"], alone["bound"]) == ({}, "", "bandwidth")
    assert alone["of_ceiling"] == pytest.approx(1)


@pytest.mark.parametrize("torch", [False, True])
@pytest.mark.parametrize("suite", GPU_SUITES.values(), ids=list(GPU_SUITES))
def test_a_row_has_a_cell_for_each_title(suite, torch):
    both = {"default": 2.5e-4, "best": 1.25e-4} if torch else {}
    times = timings(ours=2e-4, captured=1e-4, **both)
    row = {"case": "a layer", "what": "forward + backward", "precision": "TF32",
           "errors": {"tinycnn": 3e-4, "torch, default": 2e-4, "torch, best": 4e-4},
           **gpu_session.measures(times, CEILING, Work(4e9, 1e5), suite)}
    titles = gpu_session.columns(40, 20, suite, torch)
    cells = gpu_session.cells(row, times, suite, torch)
    assert len(cells) == len(titles)
    assert all(len(cell) <= max(abs(width), len(title))
               for cell, (title, width) in zip(cells, titles))
    shown = [(title, cell) for (title, _), cell in zip(titles, cells)]
    for expected in [("tinycnn", "200 us"), ("captured", "100 us"), ("precision", "TF32")]:
        assert expected in shown
    assert (("vs default", "1.25") in shown) == (("vs best", "1.25") in shown) == torch
    assert [cell for title, cell in shown if title == "error"] == (
        ["3e-04", "4e-04"][: 1 + torch] if suite.errors else [])


def test_a_ceiling_names_both_precisions():
    assert str(CEILING) == ("float32 50.0 TFLOP/s, TF32 100.0 TFLOP/s (a product); copy, "
                            "read + write: 512 MB 4000 GB/s")


# The timer


def test_a_gpu_is_waited_for_before_and_after_each_loop():
    heard = []
    found = timer.race({"only": lambda: heard.append("call")}, 0.01,
                       finish={"only": lambda: heard.append("wait")})
    assert found["only"].rounds >= timer.GPU_LEAST_ROUNDS == 30
    turns = "".join(word[0] for word in heard).rpartition("ccw")[0]
    assert "wcc" in turns  # a loop of several calls, waited for before
    assert turns.count("cw") > 2 * 30  # an untimed call, and a loop


def test_calls_that_share_a_loop_are_counted():
    calls = []
    both = forms.in_turn([lambda: calls.append(1), lambda: calls.append(2)])
    both(), both()
    assert calls == [1, 2, 1, 2]
    assert gpu_session.per_call(Timing(6.0, 4.0, 0.1, 30), 2) == Timing(3.0, 2.0, 0.1, 30)
    assert forms.copies(forms.ROTATED) == forms.copies(4 * forms.ROTATED) == 1
    assert forms.copies(forms.ROTATED / 2.5) == 3
    assert forms.copies(1) == forms.MOST


def test_numbers_repeat_but_no_plane_does(monkeypatch):
    monkeypatch.setattr(libraries, "PERIOD", 17)
    x = libraries.numbers(2, 3, 4, 4).reshape(6, 16)
    assert len(np.unique(x, axis=0)) == 6
    assert len(np.unique(x)) == 17


# A run


class Fake:
    """A form of tinycnn on the CPU."""

    def __init__(self, name, broken=""):
        self.name, self.library, self.broken = name, Tinycnn(), broken
        self.finish = self.empty_cache = lambda: None

    def named(self, way):
        return Fake(f"{self.name}, {way}") if way else self

    def make(self, function):
        return function(self.library)

    def ready(self, call):
        if self.broken:
            raise RuntimeError(self.broken)
        call()
        return call


def tiny(bench):
    """A suite of a layer with errors, and a step."""
    work = dict.fromkeys(("forward", *conv.GRADIENTS, "forward + backward"), LAYER.work)
    bench.layer("a layer", partial(conv.contestants, LAYER), work, precision=bench.precision,
                errors=partial(cases.errors, LAYER))
    if bench.wants("a network", "training step"):
        bench.step("a network", "training step", cases.steps(NETWORK, bench.forms),
                   NETWORK.work(True), bench.precision)


def network(nn):
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(8, 10))


NETWORK = Network("tiny", network, (1, 6, 6), 2, [576, 80], {"another way": network})
TINY = Suite("conv", "A title", "FLOP", tiny, errors=True)


@pytest.fixture
def measured(monkeypatch, capsys, tmp_path):
    """measured(contestants, option, ...): a run of TINY with them: bench, what is printed, JSON."""
    def run(contestants, *argv, torch=None):
        monkeypatch.setattr(gpu_session, "versions", lambda device: GPU)
        monkeypatch.setattr(gpu_session, "use_precision", lambda library, precision: None)
        monkeypatch.setattr(gpu_session, "forms", lambda *arguments: contestants)
        monkeypatch.setattr(GpuBench, "_reached_at_best", lambda self, seconds: CEILING)
        monkeypatch.setattr(forms, "ROTATED", 1)
        bench = GpuBench(options("--json", str(tmp_path / "x.json"), *argv), "a command")
        with contextlib.suppress(SystemExit):
            bench.run([TINY])
        found = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
        return bench, capsys.readouterr(), found

    return run


def test_a_run_says_where_and_how(measured):
    bench, (text, _), found = measured([Fake("tinycnn"), Fake("tinycnn, captured")])
    words = " ".join(text.split())
    assert bench.failures == []
    assert "; a GPU, driver 580.1, CUDA 13.0, CuPy 14.2, numba-cuda 0.30; " in words
    assert "Ceiling: float32 50.0 TFLOP/s, TF32 100.0" in words
    assert [row["precision"] for row in found["rows"]] == ["TF32"] * 5
    assert found["environment"]["precision"] == "TF32"
    wrong = [row["errors"].get("tinycnn") for row in found["rows"]]
    assert all(0 < error < 1e-6 for error in wrong[:4])
    assert wrong[3] == max(wrong[:3])
    assert wrong[4] is None


def test_what_fails_is_told_and_the_rest_is_measured(measured):
    bench, (text, said), found = measured(
        [Fake("tinycnn"), Fake("tinycnn, captured", "no graph here")], "--only", "a layer, forward",
        "--markdown")
    assert [list(row["times"]) for row in found["rows"]] == [["tinycnn"]] * 2
    assert "Failed: tinycnn, captured, a layer, forward: RuntimeError: no graph here" in text
    assert said == "2 contestants failed; see below the tables.\n"
    assert len(bench.failures) == 2
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


# PyTorch's forms, on the CPU, with a GPU's functions that only listen


@pytest.fixture
def torch_on_cpu():
    """A PyTorch whose "cpu" has streams and graphs; it notes what happens in them."""
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    cudnn, heard = torch.backends.cudnn, []

    @contextlib.contextmanager
    def stream(stream):
        heard.append(("stream", cudnn.benchmark))
        yield
        heard.append("end")

    @contextlib.contextmanager
    def graph(graph, stream):
        heard.append(("graph", cudnn.benchmark))
        yield

    there = SimpleNamespace(
        Stream=lambda: "a stream", stream=stream, graph=graph, synchronize=lambda: None,
        empty_cache=lambda: None, CUDAGraph=lambda: SimpleNamespace(replay=lambda: "replayed"))
    before = (cudnn.benchmark, cudnn.allow_tf32, torch.get_float32_matmul_precision())
    threads = torch.get_num_threads()
    yield SimpleNamespace(
        cpu=there, heard=heard, backends=torch.backends, __version__=torch.__version__,
        set_float32_matmul_precision=torch.set_float32_matmul_precision,
        matmul_precision=torch.get_float32_matmul_precision)
    cudnn.benchmark, cudnn.allow_tf32 = before[:2]
    torch.set_float32_matmul_precision(before[2])
    torch.set_num_threads(threads)


@pytest.mark.parametrize("precision", ["TF32", "float32"])
def test_pytorch_has_its_settings_in_each_form(precision, torch_on_cpu):
    cudnn, seen = torch_on_cpu.backends.cudnn, []

    def settings(*library):
        seen.append((cudnn.benchmark, cudnn.allow_tf32, torch_on_cpu.matmul_precision()))

    tf32 = precision == "TF32"
    shipped = (False, tf32, "highest")
    default = forms.TorchDefault(torch_on_cpu, "cpu", precision)
    best = forms.TorchBest(torch_on_cpu, "cpu", precision)
    assert (default.library.layout, best.library.layout) == ("contiguous", "channels last")
    for form in (best, default):
        form.make(settings)
        form.ready(settings)
    fast = (True, tf32, "high" if tf32 else "highest")
    assert seen == [fast] * (1 + forms.WARM_UPS + 1) + [shipped] * 2
    assert torch_on_cpu.heard == [("stream", True), "end"] * 2 + [("graph", True)]


def test_both_libraries_are_raced(measured, torch_on_cpu):
    theirs = [form(torch_on_cpu, "cpu", "TF32") for form in (forms.TorchDefault, forms.TorchBest)]
    bench, (text, _), found = measured(
        [Fake("tinycnn"), Fake("tinycnn, captured"), *theirs], "--against", "torch", "--markdown")
    assert bench.failures == []
    assert "| default | vs default | best | vs best | error |" in text
    assert text.count("Above 1, tinycnn is faster.") == 1
    assert found["environment"]["torch"].startswith(torch_on_cpu.__version__ + " (CUDA ")
    assert set(found["rows"][0]["ratios"]) == {"torch", "torch, default", "torch, best"}
    assert set(found["rows"][0]["errors"]) == {"tinycnn", "torch, default", "torch, best"}
    assert set(found["rows"][4]["times"]) == {
        "tinycnn", "tinycnn, captured", "torch, default", "torch, best", "torch, best, another way"}


# tinycnn's forms


CALLS = {
    "conv": partial(conv.contestants, LAYER),
    "maximum": partial(pooling.contestants, "max_pool2d", (2,), (2, 3, 4, 4), (2, 2)),
    "average": partial(pooling.contestants, "avg_pool2d", (3, 1, 1), (2, 3, 4, 4), (4, 4)),
    "global average": partial(pooling.contestants, "adaptive_avg_pool2d", (1,), (2, 3, 4, 4),
                              (1, 1)),
    "batchnorm": partial(batchnorm.contestants, (2, 3, 4, 4)),
    "step": lambda library: {"step": training_step(library, NETWORK, network)},
}


@pytest.mark.skipif(not tinycnn.cuda.is_available(), reason="needs a GPU, or its simulator")
@pytest.mark.parametrize("form", [forms.Ours, forms.OursCaptured])
@pytest.mark.parametrize("calls", CALLS.values(), ids=list(CALLS))
def test_every_call_runs_on_the_device(calls, form):
    form = form("cuda")
    for call in form.make(calls).values():
        form.ready(call)()
    form.finish()


@pytest.mark.skipif(not tinycnn.cuda.is_available(), reason="needs a GPU, or its simulator")
def test_errors_are_small_on_the_device():
    found = cases.errors(LAYER, [forms.Ours("cuda")], None)
    assert set(found) == {"forward", *conv.GRADIENTS, "forward + backward"}
    assert all(0 < of["tinycnn"] < 1e-2 for of in found.values())


def test_vgg11_is_the_one_of_the_paper(monkeypatch):
    shapes = []
    fake = SimpleNamespace(
        Sequential=lambda *layers: None, Conv2d=lambda c, oc, k, padding: shapes.append(
            (oc, c, k, k)), Linear=lambda i, o: shapes.append((o, i)),
        **dict.fromkeys(("MaxPool2d", "ReLU", "Flatten", "Dropout"), lambda *arguments: None))
    models.vgg11(fake)
    assert sum(np.prod(shape) + shape[0] for shape in shapes) == 132_863_336
    assert sum(models.VGG11_224) == 7_609_090_048
