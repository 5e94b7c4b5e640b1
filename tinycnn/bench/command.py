"""The command: options in, tables out."""

import argparse
import shlex
import sys
from collections.abc import Sequence

from . import gpu, plot
from .cases import GPU_SUITES, SUITES
from .compare import compare
from .errors import stop
from .gpu_session import GpuBench
from .options import add_options
from .session import Bench


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tinycnn bench`."""
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help=f"any of {', '.join(SUITES)} (default: all)")
    add_options(parser)


def run(
    parser: argparse.ArgumentParser, options: argparse.Namespace, words: Sequence[str]
) -> None:
    """Do what the options say.

    Args:    parser (ArgumentParser): that read them, for its errors.
             options (Namespace): see options.py.
             words (list of str): the command that repeats this run.
    """
    for name in options.suites:
        if name not in SUITES:
            parser.error(f"expected suites among {', '.join(SUITES)}, got {name!r}")
    _run(options, words)


def script(suite: str, argv: list[str] | None = None) -> None:
    """One suite, as a script in benchmarks/.

    Args:    suite (str): its name.
             argv (list or None): command-line arguments; None for the process's.
    """
    parser = argparse.ArgumentParser(description=SUITES[suite].title)
    parser.set_defaults(suites=[suite])
    add_options(parser)
    argv = sys.argv[1:] if argv is None else argv
    _run(parser.parse_args(argv), ["python", f"benchmarks/bench_{suite}.py", *argv])


def _run(options, words):
    if options.compare:
        compare(*options.compare, markdown=options.markdown)
        return
    if options.plot:
        plot.check()  # better now than after the measurements
    on_cpu = options.device == "cpu"
    known = SUITES if on_cpu else GPU_SUITES
    _check(options, on_cpu)
    bench = (Bench if on_cpu else GpuBench)(options, shlex.join(words))
    bench.run([known[name] for name in options.suites or known])
    if options.plot:
        plot.draw(bench.found(), options.plot)


def _check(options, on_cpu):
    """End the process with code 2 where an option does not fit the device."""
    if on_cpu:
        if options.precision:
            stop(f"--precision {options.precision}: products on the CPU are always of float32; use "
                 f"it with --device cuda.")
        return
    for name in options.suites:
        if name not in GPU_SUITES:
            stop(f"--device {options.device}: expected suites among {', '.join(GPU_SUITES)}, got "
                 f"{name!r}, which is measured on the CPU only.")
    if "onnxruntime" in options.against:
        stop(f"--device {options.device}: ONNX Runtime takes part on the CPU only; use --against "
             f"torch.")
    gpu.require(options.device)
