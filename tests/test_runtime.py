"""Threads, instruction sets, forked children, the interpreter's lock."""

import hashlib
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn._core import cpu
from tinycnn._core.cpu import runtime

ISAS = runtime.ISA_NAMES[: runtime.ISA_NAMES.index(runtime.config()["isa_best"]) + 1]
OPENMP = tinycnn.config()["openmp"]

# A training step, large enough for several threads; prints a digest of every number it makes.
STEP = """
import hashlib, numpy as np, tinycnn
from tinycnn import nn
import tinycnn.nn.functional as F

def digest():
    tinycnn.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(3, 9, 3, padding=1), nn.BatchNorm2d(9), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.3), nn.Conv2d(9, 17, 3, stride=2), nn.Flatten(), nn.Linear(425, 10))
    x = tinycnn.tensor(np.random.default_rng(0).standard_normal((16, 3, 24, 24)).astype("f4"))
    optimizer = tinycnn.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), tinycnn.tensor(np.arange(16) % 10))
        loss.backward()
        optimizer.step()
    arrays = [p.detach().numpy() for p in net.parameters()] + [loss.detach().numpy()]
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()
"""


def step_digest():
    scope = {}
    exec(STEP, scope)
    return scope["digest"]()


# --- threads -----------------------------------------------------------------------------------


def test_threads_can_be_set_and_told(set_threads):
    for count in 1, 2, 7:
        set_threads(count)
        assert tinycnn.get_num_threads() == (count if OPENMP else 1)
        assert tinycnn.config()["threads"] == tinycnn.get_num_threads()


def test_a_training_step_has_the_same_bits_for_every_number_of_threads(set_threads):
    digests = set()
    for threads in 1, 2, 3, 5:
        set_threads(threads)
        digests.add(step_digest())
    assert len(digests) == 1


def test_the_same_seed_gives_the_same_bits_in_another_process(run_python):
    run = run_python(STEP + "print(digest())")
    assert run.stdout.strip() == step_digest(), run.stderr


@pytest.mark.skipif(not OPENMP, reason="built without OpenMP: there is one thread always")
def test_threads_honour_omp_num_threads(run_python):
    run = run_python("import tinycnn; print(tinycnn.get_num_threads())", OMP_NUM_THREADS="3")
    assert (run.stdout, run.stderr) == ("3\n", "")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor affinity here")
def test_threads_honour_the_processors_of_the_process(run_python):
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); import tinycnn; " \
           "print(tinycnn.get_num_threads())"
    run = run_python(code, OMP_NUM_THREADS="")
    assert run.stdout == "1\n", run.stderr


def test_show_config_tells_what_runs(capsys):
    tinycnn.show_config()
    text = capsys.readouterr().out
    config = tinycnn.config()
    assert text.splitlines()[0].startswith(f"tinycnn          {tinycnn.__version__} (Python 3.")
    assert f"instruction set  {runtime.config()['isa']} " in text
    assert ("OpenMP           yes" in text) == config["openmp"]
    assert f"threads          {tinycnn.get_num_threads()} " in text
    assert "devices          cpu" in text
    assert f"gpu              {config['gpu']}" in text
    assert config["instruction_sets"].split(", ") == list(ISAS)


# --- instruction sets --------------------------------------------------------------------------

SMALL = """
import numpy as np, tinycnn
import tinycnn.nn.functional as F
rng = np.random.default_rng(0)
x, w = [tinycnn.tensor(rng.integers(-3, 4, s).astype(t), requires_grad=True)
        for t in ("f4",) for s in [(2, 5, 9, 11), (17, 5, 3, 2)]]
y = F.conv2d(x, w, stride=(1, 2), padding=1)
y.backward(tinycnn.tensor(rng.integers(-3, 4, y.shape).astype("f4")))
print(tinycnn.config()["instruction_set"], [float((a.numpy() ** 2).sum(dtype="f8"))
                                            for a in (y.detach(), x.grad, w.grad)])
"""


def test_the_environment_names_an_instruction_set(run_python):
    runs = [run_python(SMALL, TINYCNN_ISA=isa) for isa in ISAS]
    assert [run.stdout.split(" ", 1)[0] for run in runs] == list(ISAS)
    assert len({run.stdout.split(" ", 1)[1] for run in runs}) == 1  # integers: exact everywhere


def test_the_best_instruction_set_is_used_unless_told(run_python):
    assert run_python(SMALL, TINYCNN_ISA="").stdout.split(" ", 1)[0] == ISAS[-1]


def test_a_wrong_instruction_set_in_the_environment_says_what_there_is(run_python):
    run = run_python("import tinycnn", TINYCNN_ISA="avx1024")
    assert run.returncode == 1
    assert (f"ValueError: TINYCNN_ISA: expected one of {', '.join(ISAS)} on this machine, got "
            "'avx1024'. Unset it to use the best.") in run.stderr


# --- fork --------------------------------------------------------------------------------------

FORK = STEP + """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks beside threads

def in_child(function):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, repr(function()).encode())
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        result = eval(pipe.read())
    os.waitpid(child, 0)
    return result

def with_threads(count):
    threads = [tinycnn.get_num_threads()]
    tinycnn.set_num_threads(count)
    threads.append(tinycnn.get_num_threads())
    return digest(), threads
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_after_threads_ran_finishes_with_the_same_bits(run_python):
    """Whatever it asks for it gets one thread: waking those of the parent would wait for ever."""
    run = run_python(FORK + """
tinycnn.set_num_threads(2)
before = digest()
after, threads = in_child(lambda: with_threads(2))
grandchild = in_child(lambda: in_child(lambda: with_threads(2)))
print(before == after == grandchild[0] == digest(), threads, grandchild[1])
""", timeout=30)
    assert (run.stdout, run.stderr) == ("True [1, 1] [1, 1]\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_before_threads_ran_may_have_its_own(run_python):
    run = run_python(FORK + """
tinycnn.set_num_threads(1)
before = digest()
after, threads = in_child(lambda: with_threads(2))
print(before == after, threads)
""", timeout=30)
    assert (run.stdout, run.stderr) == (f"True [1, {2 if OPENMP else 1}]\n", "")


# --- Python's threads --------------------------------------------------------------------------


def in_threads(functions):
    """Results of functions that run in threads of their own, at once."""
    results = [None] * len(functions)
    start = threading.Barrier(len(functions))

    def run(i):
        start.wait()
        results[i] = functions[i]()

    workers = [threading.Thread(target=run, args=(i,)) for i in range(len(functions))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


@pytest.mark.parametrize("kernel_threads", [1, 2])
def test_threads_of_python_may_compute_at_once(kernel_threads, set_threads, rng):
    """Scratch memory belongs to a thread: nothing one writes shows in what another reads."""
    set_threads(kernel_threads)

    def work(seed):
        own = np.random.default_rng(seed)
        shapes = [(4, 5 + seed, 20, 21), (9 + seed, 5 + seed, 3, 3)]
        x, w = [tinycnn.tensor(own.standard_normal(s), requires_grad=True) for s in shapes]
        bits = []
        for _ in range(5):
            x.grad = w.grad = None
            y = F.conv2d(x, w, padding=1)
            (y.mean((2, 3)) @ w.flatten(1)).sum().backward()
            bits.append(hashlib.sha256(y.detach().numpy().tobytes() + x.grad.numpy().tobytes()
                                       + w.grad.numpy().tobytes()).hexdigest())
        assert len(set(bits)) == 1
        return bits[0]

    alone = [work(seed) for seed in range(4)]
    assert in_threads([lambda seed=seed: work(seed) for seed in range(4)]) == alone


def test_kernels_release_the_lock_of_the_interpreter(set_threads):
    """While one long kernel runs, another thread of Python keeps counting."""
    set_threads(1)
    a, b = np.ones((1500, 1500), np.float32), np.ones((1500, 1500), np.float32)
    out, running, ticks = np.empty_like(a), threading.Event(), []

    def count():
        running.wait()
        while running.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    counter = threading.Thread(target=count)
    counter.start()
    running.set()
    time.sleep(0.01)
    begin = time.perf_counter()
    cpu.matmul(a, b, None, out)
    end = time.perf_counter()
    running.clear()
    counter.join()
    assert out[0, 0] == 1500
    inside = [t for t in ticks if begin + 0.002 < t < end - 0.002]
    assert len(inside) >= 3, f"{len(inside)} ticks in {end - begin:.3f} s"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which Linux has")
def test_scratch_of_threads_that_end_is_given_back(run_python):
    """Each thread of Python has scratch of its own, 8 MB here; 100 of them leave nothing behind."""
    run = run_python("""
import threading, numpy as np, tinycnn
from tinycnn._core import cpu
tinycnn.set_num_threads(1)
a, out = np.ones((200, 1000), "f4"), np.empty((200, 2000), "f4")
b = np.ones((2000, 1000), "f4").T
def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
for i in range(100):
    if i == 10:
        before = resident()
    thread = threading.Thread(target=lambda: cpu.matmul(a, b, None, out))
    thread.start()
    thread.join()
print(resident() - before)
""")
    assert run.stderr == ""
    assert int(run.stdout) < 40e6


def test_sources_without_kernels_say_what_to_do(run_python, tmp_path):
    """Who starts Python beside the sources imports them, not what was installed."""
    package = Path(tinycnn.__file__).parent
    shutil.copytree(package, tmp_path / "tinycnn",
                    ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    result = run_python("import tinycnn")
    assert result.returncode != 0
    assert "tinycnn: expected compiled kernels in" in result.stderr
    assert "run: pip install -e ." in result.stderr
