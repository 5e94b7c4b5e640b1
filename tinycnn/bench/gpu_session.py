"""One run on a GPU: every case in the forms of forms.py, and how exact it is."""

import argparse
import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import tinycnn

from . import libraries
from .ceiling import Ceiling, Work
from .environment import environment
from .forms import copies, forms, in_turn
from .gpu import GpuCeiling, torch_version, use_precision, versions
from .session import Bench, Suite
from .table import digits, duration, paragraph
from .timer import Timing, race

FORMS = ("vs default: PyTorch contiguous and eager / tinycnn. vs best: PyTorch with channels last, "
         "cudnn.benchmark and a CUDA graph / tinycnn captured. Above 1, tinycnn is faster.")


class GpuBench(Bench):
    """The measurements of one run on a GPU. What fails is told below its table, the rest is
    measured, and the process ends with code 1.

    Args:    options (Namespace): see options.py.
             command (str): that repeats this run.
    """

    def __init__(self, options: argparse.Namespace, command: str):
        super().__init__(options, command)
        self.device, self.precision = options.device, options.precision or "TF32"
        self.failures: list[str] = []

    def run(self, suites: Sequence[Suite]) -> None:
        super().run(suites)
        if self.failures:
            print(f"{len(self.failures)} contestants failed; see below the tables.",
                  file=sys.stderr)
            sys.exit(1)

    def _prepare(self):
        threads = self.options.threads
        self.torch = libraries.import_torch(threads) if "torch" in self.options.against else None
        tinycnn.set_num_threads(threads)
        use_precision(tinycnn, self.precision)
        self.environment = environment(
            self.command, torch=self.torch and torch_version(self.torch, self.device),
            precision=self.precision, **versions(self.device))
        self.forms = forms(self.device, self.precision, self.torch)

    def _reached_at_best(self, seconds):
        return GpuCeiling.of(self.device, self.precision, seconds, self.torch)

    def layer(
        self, case: str, make: Callable, work: Mapping[str, Work], axes: int = 4, onnx: Any = None,
        algorithm: Any = None, precision: str = "float32",
        errors: Callable[[list, Any], dict[str, dict[str, float]]] | None = None,
    ) -> None:
        """A row for each pass of a layer. Calls go through tensors larger than the cache in turn.

        Args:    case, make, work: as in Bench; `axes`, `onnx` and `algorithm` do not matter here.
                 precision (str): of the layer's products, if it has any.
                 errors (callable): forms and PyTorch to {pass: {form: relative error}}.
        """
        wanted = [what for what in work if self.wants(case, what)]
        if not wanted:
            return
        count = copies(work["forward"].bytes)
        made = {form: self._attempt(form.name, case, self._several, form, make, count)
                for form in self.forms}
        wrong = errors and self._attempt("errors", case, errors, self.forms, self.torch)
        for what in wanted:
            contestants = {
                form: self._attempt(form.name, f"{case}, {what}", form.ready,
                                    in_turn([calls[what] for calls in copied]))
                for form, copied in made.items() if copied}
            self.timed(case, what, contestants, work[what], count, precision,
                       (wrong or {}).get(what))
        self._forget(made, contestants)

    def step(
        self, case: str, what: str, makes: Mapping[Any, Callable], work: Work, precision: str
    ) -> None:
        """A row for a step of a network.

        Args:    case, what (str): its names.
                 makes (dict): form to what makes its call of a library.
                 work (Work): of one step.
                 precision (str): of its products.
        """
        def ready(form, make):
            return form.ready(form.make(make))

        contestants = {form: self._attempt(form.name, f"{case}, {what}", ready, form, make)
                       for form, make in makes.items()}
        self.timed(case, what, contestants, work, 1, precision)
        self._forget(contestants)

    def timed(
        self, case: str, what: str, contestants: Mapping[Any, Callable | None], work: Work,
        count: int, precision: str, errors: Mapping[str, float] | None = None,
    ) -> None:
        """Time one case and print its row.

        Args:    contestants (dict): form to its call; None if there is none.
                 count (int): how many times a call does it.
                 errors (dict): form's name to its relative error.
                 others: as above.
        """
        self._bar.set_description(f"{case}, {what}")
        calls = {form.name: call for form, call in contestants.items() if call}
        finish = {form.name: form.finish for form in contestants}
        times = self._attempt("timing", f"{case}, {what}", race, calls, self.options.seconds,
                              self.options.rounds, False, finish)
        times = {name: per_call(timing, count) for name, timing in (times or {}).items()}
        self._bar.update()
        if not any(name.startswith("tinycnn") for name in times):
            return
        row = {"suite": self._suite.name, "case": case, "what": what, "unit": self._suite.unit,
               "precision": precision, "errors": dict(errors or {}),
               **measures(times, self.ceiling, work, self._suite)}
        self.rows.append(row)
        self._table.row(cells(row, times, self._suite, bool(self.torch)))

    def _measure(self, suite, names, first):
        super()._measure(suite, names, first)
        if self.torch:
            self._write("\n" + paragraph(FORMS, self.options.markdown))

    def _columns(self, case, what):
        return columns(case, what, self._suite, bool(self.torch))

    def _several(self, form, make, count):
        return [form.make(make) for _ in range(count)]

    def _attempt(self, name, what, function, *arguments):
        """What the function returns; None if it fails: the others are worth having."""
        try:
            return function(*arguments)
        except Exception as error:
            self.failures.append(f"{name}, {what}: {type(error).__name__}: {error}")
            self.remark(f"Failed: {self.failures[-1]}")

    def _forget(self, *held):
        """Let go of a case's tensors, and of the memory that both libraries keep."""
        for mapping in held:
            mapping.clear()
        gc.collect()
        for form in self.forms:
            form.empty_cache()


def per_call(timing: Timing, count: int) -> Timing:
    """The timing of one of `count` calls."""
    return replace(timing, median=timing.median / count, best=timing.best / count)


def measures(
    times: Mapping[str, Timing], ceiling: Ceiling, work: Work, suite: Suite
) -> dict[str, Any]:
    """What follows from the times of a row. Speed and part of the ceiling are of tinycnn's faster
    form; ratios compare like with like: eager with eager, recorded with recorded."""
    ours = {name: timing.median for name, timing in times.items() if name.startswith("tinycnn")}
    mine = min(ours.values())
    theirs = {name: timing.median for name, timing in times.items() if name.startswith("torch")}
    best = min((name for name in theirs if name.startswith("torch, best")),
               key=lambda name: theirs[name], default="")
    ratios = {"torch": min(theirs.values()) / mine} if theirs else {}
    if "tinycnn" in ours and "torch, default" in theirs:
        ratios["torch, default"] = theirs["torch, default"] / ours["tinycnn"]
    if "tinycnn, captured" in ours and best:
        ratios["torch, best"] = theirs[best] / ours["tinycnn, captured"]
    return {
        "times": {name: asdict(timing) for name, timing in times.items()},
        "flop": work.flop, "bytes": work.bytes, "intensity": work.intensity,
        "speed": (work.flop if suite.unit == "FLOP" else work.bytes) / mine / 1e9,
        "bound": ceiling.bound(work), "of_ceiling": ceiling.reached(work, mine),
        "best": best, "ratios": ratios,
    }


def columns(case: int, what: int, suite: Suite, torch: bool) -> list[tuple[str, int]]:
    """The titles of a table and their widths; negative for text to the left."""
    error = [("error", 7)] * suite.errors
    theirs = [("default", 7), ("vs default", 10), ("best", 7), ("vs best", 7), *error]
    return [("case", -case), ("what", -what), ("tinycnn", 7), ("captured", 8), ("spread", 6),
            ("TFLOP/s" if suite.unit == "FLOP" else "GB/s", 7), ("of ceiling", 10),
            ("precision", -9), *error, *theirs * torch]


def cells(
    row: Mapping[str, Any], times: Mapping[str, Timing], suite: Suite, torch: bool
) -> list[str]:
    """A row of these columns."""
    def time(name):
        return duration(times[name].median) if name in times else ""

    def ratio(name):
        return f"{row['ratios'][name]:.2f}" if name in row["ratios"] else ""

    def error(library):
        found = [e for name, e in row["errors"].items() if name.startswith(library)]
        return [f"{max(found):.0e}" if found else ""] * suite.errors

    bound = "FLOP/s" if row["bound"] == "compute" else "B/s"
    speed = row["speed"] / (1e3 if suite.unit == "FLOP" else 1)
    found = [row["case"], row["what"], time("tinycnn"), time("tinycnn, captured"),
             f"{max(timing.spread for timing in times.values()):.0%}", digits(speed),
             f"{row['of_ceiling']:.0%} {bound}", row["precision"], *error("tinycnn")]
    if torch:
        found += [time("torch, default"), ratio("torch, default"), time(row["best"]),
                  ratio("torch, best"), *error("torch")]
    return found
