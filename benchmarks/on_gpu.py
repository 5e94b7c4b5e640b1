"""Everything that a GPU must show, in one command, for whoever has one.

python benchmarks/on_gpu.py                              all of it, written to gpu_results.md
python benchmarks/on_gpu.py --only tests,bench --out x.md

    tests       the device tests on the GPU, and its kernels as machine code
    sanitizer   compute-sanitizer's memcheck and racecheck on a step of two small networks
    train       LeNet-5 reads MNIST with 99 %; ResNet-18 learns CIFAR-10, or the part that is there
    equality    loss and gradients of LeNet-5 and ResNet-18, GPU against CPU, in both precisions
    bench       tinycnn bench --device cuda --against torch

A part that fails is told, and the next one runs; the exit code is 1 then, and 2 without a GPU.
"""

import argparse
import contextlib
import datetime
import io
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import tinycnn
from tinycnn.bench.gpu import require, versions

HERE = Path(__file__).parent
ROOT = HERE.parent
LEFT_OUT = 77  # a command's code where something that it needs is not there
SHOWN = 120  # lines of output that are kept
SUITES = ("train_step", "conv", "pooling", "batchnorm")


@dataclass
class Command:
    """A part's command.

    Args:    part (str): it belongs to.
             words (list of str): the command; "python" is this Python.
             minutes (float): that it may take.
             missing (str): why it cannot run, "" if it can.
             least (float): of the accuracy in the last line, in percent.
             tables (bool): whether it prints Markdown.
    """

    part: str
    words: list[str]
    minutes: float = 3.0
    missing: str = ""
    least: float = 0.0
    tables: bool = False


def tests() -> list[Command]:
    capability = re.search(r"capability (\d+)\.(\d+)", tinycnn.config()["gpu"])
    own = f"sm_{capability[1]}{capability[2]} or " if capability else ""
    compiled = "tests/test_cuda_compile.py"
    pytest = ["python", "-m", "pytest", "-q"]
    return [Command("tests", [*pytest, "tests", "-k", "cuda or device", f"--ignore={compiled}"], 5),
            Command("tests", [*pytest, compiled, "-k", f"{own}not sm_"], 5)]


def sanitizer() -> list[Command]:
    missing = "" if shutil.which("compute-sanitizer") else (
        "compute-sanitizer is not on PATH: it comes with the CUDA toolkit.")
    return [Command("sanitizer", ["compute-sanitizer", "--tool", tool, "--error-exitcode", "1",
                                  "python", "benchmarks/gpu_steps.py", "short"], 3, missing)
            for tool in ("memcheck", "racecheck")]


def train() -> list[Command]:
    out = tempfile.gettempdir()
    return [Command("train", ["python", "examples/lenet_mnist.py", "--device", "cuda", "--out",
                              out], least=99.0),
            Command("train", ["python", "benchmarks/gpu_steps.py", "cifar"])]


def equality() -> list[Command]:
    return [Command("equality", ["python", "benchmarks/gpu_steps.py", "equality"])]


def bench(seconds: float) -> list[Command]:
    against = ["--against", "torch"] if find_spec("torch") else []
    base = ["python", "-m", "tinycnn", "bench"]
    options = ["--device", "cuda", *against, "--seconds", str(seconds), "--markdown"]
    return [Command("bench", [*base, *suites, *options, "--precision", precision], 6, tables=True)
            for precision, suites in (("TF32", SUITES), ("float32", ("train_step", "conv")))]


def run(command: Command) -> tuple[str, str]:
    """Its verdict ("ok", "failed: why" or "left out: why") and what it printed."""
    if command.missing:
        return f"left out: {command.missing}", ""
    words = [sys.executable if word == "python" else word for word in command.words]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=60 * command.minutes,
            env={**os.environ, "TINYCNN_CUDA": "gpu", "PYTHONPATH": path})
    except subprocess.TimeoutExpired as error:
        printed = (error.stdout or b"").decode(errors="replace")
        return f"failed: it took more than {command.minutes:g} minutes", printed
    except OSError as error:
        return f"failed: {error}", ""
    return verdict(command, done.returncode, done.stdout), done.stdout


def verdict(command: Command, code: int, printed: str) -> str:
    """What an exit code and a last line mean."""
    if code == LEFT_OUT:
        return f"left out: {last(printed).removeprefix('Left out: ')}"
    if code:
        return f"failed: exit code {code}"
    reached = re.search(r"([\d.]+) %$", last(printed))
    if command.least and (not reached or float(reached[1]) < command.least):
        return f"failed: expected {command.least:g} %, got {last(printed)!r}"
    return "ok"


def last(printed: str) -> str:
    return (printed.strip().splitlines() or [""])[-1]


def section(command: Command, found: str, printed: str, seconds: float) -> str:
    """A command's section of the report."""
    lines = printed.strip("\n").splitlines()
    text = "\n".join([f"({len(lines) - SHOWN} lines before)", *lines[-SHOWN:]]
                     if len(lines) > SHOWN and not command.tables else lines)
    if text and not (command.tables and found == "ok"):
        text = f"```\n{text}\n```"
    return (f"## {command.part}: {found}\n\n`{shlex.join(command.words)}`, {seconds:.0f} s\n\n"
            f"{text}\n").rstrip("\n") + "\n"


def heading(command: str) -> str:
    """Machine, versions, date and command."""
    found = versions("cuda")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        tinycnn.show_config()
    return (f"# tinycnn on {found['gpu']}\n\n`{command}`, {datetime.date.today().isoformat()}: "
            f"driver {found['driver']}, CUDA {found['cuda']}, CuPy {found['cupy']}, numba-cuda "
            f"{found['numba']}; {platform.system()}, Python {platform.python_version()}.\n\n"
            f"```\n{shown.getvalue()}```\n")


def parts(text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= {*PARTS, "bench"}:
        raise argparse.ArgumentTypeError(
            f"expected some of {','.join(PARTS)},bench, got {text!r}")
    return names


PARTS = {"tests": tests, "sanitizer": sanitizer, "train": train, "equality": equality}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=parts, default=[*PARTS, "bench"], metavar="PARTS",
                        help="some of tests,sanitizer,train,equality,bench")
    parser.add_argument("--out", type=Path, default=HERE / "gpu_results.md", metavar="FILE.md")
    parser.add_argument("--seconds", type=float, default=0.2, metavar="S",
                        help="time budget of a benchmark's row (default: 0.2)")
    known = parser.parse_args(argv)
    require("cuda")
    words = sys.argv[1:] if argv is None else argv
    report = [heading(shlex.join(["python", "benchmarks/on_gpu.py", *words]))]
    print(report[0], flush=True)
    plan = [command for name in known.only
            for command in (bench(known.seconds) if name == "bench" else PARTS[name]())]
    failed = 0
    for number, command in enumerate(plan, 1):
        print(f"[{number}/{len(plan)}] {shlex.join(command.words)}", flush=True)
        start = time.perf_counter()
        found, printed = run(command)
        seconds = time.perf_counter() - start
        failed += found.startswith("failed")
        report.append(section(command, found, printed, seconds))
        known.out.write_text("\n".join(report), encoding="utf-8")  # what there is, if it is stopped
        print(f"    {found} ({seconds:.0f} s)", flush=True)
    print(f"{failed} of {len(plan)} failed; report: {known.out}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
