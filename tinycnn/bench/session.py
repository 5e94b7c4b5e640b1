"""One run: its contestants, its rows, its tables."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

import tinycnn

from . import libraries
from .ceiling import Ceiling, Work
from .environment import environment, sentence
from .errors import stop
from .onnxrt import OnnxRuntime
from .table import Table, digits, duration, paragraph
from .timer import Timing, race

CEILING_SECONDS = 0.25  # for each of its parts, or --seconds if that is less


@dataclass(frozen=True)
class Suite:
    """Cases that share a table.

    Args:    name (str): for the command line.
             title (str): what is measured and how it is counted, one line.
             unit (str): of the speed: "FLOP", "B", or "" for rows whose work is not counted.
             run (callable): hands its cases to a Bench.
             base (str): a third kind of contestant whose time is subtracted: "NumPy".
             algorithms (bool): whether a row has an algorithm to name.
             errors (bool): whether a row says how exact it is.
    """

    name: str
    title: str
    unit: str
    run: Callable[["Bench"], None]
    base: str = ""
    algorithms: bool = False
    errors: bool = False


class Bench:
    """The measurements of one run.

    A suite runs twice: first to hear the names of its rows, then to measure those that are wanted.

    Args:    options (Namespace): see options.py.
             command (str): that repeats this run.
    """

    def __init__(self, options: argparse.Namespace, command: str):
        self.options, self.command = options, command
        self.rows: list[dict[str, Any]] = []
        self.torch = self.onnx = None  # until they are known to be wanted
        self._suite: Suite
        self._names: list[tuple[str, str]] = []  # of the suite's rows, wanted or not
        self._planning = False
        self._remarks: list[str] = []

    def run(self, suites: Sequence[Suite]) -> None:
        """Measure, print, and write the JSON file."""
        plan = [(suite, self._plan(suite)) for suite in suites]
        wanted = [(suite, [name for name in names if self._named(*name)]) for suite, names in plan]
        total = sum(len(names) for _, names in wanted)
        if not total:
            stop(f"--only: no row contains {self.options.only!r}. The rows are: "
                 + "; ".join(f"{case}, {what}" for _, names in plan for case, what in names))
        self._prepare()
        with tqdm(total=total, disable=None, file=sys.stderr, unit="row", leave=False) as self._bar:
            self._bar.set_description("ceiling")
            self.ceiling = self._reached_at_best(min(CEILING_SECONDS, self.options.seconds))
            for number, (suite, names) in enumerate(pair for pair in wanted if pair[1]):
                self._measure(suite, names, first=not number)
        if self.options.json:
            self.options.json.write_text(json.dumps(self.found(), indent=1) + "\n",
                                         encoding="utf-8")

    def found(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"environment": self.environment, "ceiling": asdict(self.ceiling),
                "rows": self.rows}

    def _prepare(self):
        threads, against = self.options.threads, self.options.against
        self.torch = libraries.import_torch(threads) if "torch" in against else None
        self.onnx = OnnxRuntime(threads) if "onnxruntime" in against else None
        tinycnn.set_num_threads(threads)
        self.environment = environment(
            self.command, torch=self.torch and self.torch.__version__,
            onnxruntime=self.onnx and self.onnx.version)

    def _reached_at_best(self, seconds):
        return Ceiling.measure(tinycnn.get_num_threads(), seconds, self.torch)

    def _plan(self, suite):
        """The (case, what) of all rows of a suite."""
        self._names, self._planning = [], True
        suite.run(self)
        self._planning = False
        return self._names

    def _named(self, case, what):
        return self.options.only in f"{case}, {what}"

    def _measure(self, suite, names, first):
        self._suite, self._remarks = suite, []
        widths = [max(len(name[i]) for name in names) for i in range(2)]
        markdown = self.options.markdown
        self._table = Table(self._columns(*widths), markdown, self._write)
        if not first:
            self._write(f"\n## {suite.title}\n" if markdown else "")
        if first or not markdown:
            self._write(paragraph(suite.title, markdown) + "\n")
        if first:
            self._write(paragraph(sentence(self.environment), markdown) + "\n")
            self._write(paragraph(f"Ceiling: {self.ceiling}.", markdown) + "\n")
        self._table.heading()
        suite.run(self)
        for remark in self._remarks:
            self._write(f"\n{remark}")

    def _columns(self, case, what):
        columns = [("case", -case), ("what", -what), ("tinycnn", 7), ("spread", 6)]
        if self._suite.base:
            base = self._suite.base
            columns += [(base, 7), (f"beyond {base}", 12)]
        else:
            columns += [(f"G{self._suite.unit}/s", 7), ("of ceiling", 11)]
        if self._suite.algorithms:
            columns += [("algorithm", -12)]
        if self.onnx:
            columns += [("ONNX RT", 7), ("ratio", 5)]
        if self.torch:
            columns += [("PyTorch", 7), ("ratio", 5), ("its best form", -24)]
        return columns

    def wants(self, case: str, what: str) -> bool:
        """Whether this row is to be measured now."""
        if self._planning:
            self._names.append((case, what))
            return False
        if self._named(case, what):
            self._bar.set_description(f"{case}, {what}")
            return True
        return False

    def layouts(self, axes: int = 4) -> tuple[str, ...]:
        """PyTorch's layouts for tensors of so many axes; none if it does not take part."""
        return libraries.layouts(axes) if self.torch else ()

    def remark(self, text: str) -> None:
        """A sentence below the table."""
        self._remarks.append(text)

    def layer(
        self, case: str, make: Callable, work: Mapping[str, Work], axes: int = 4,
        onnx: Mapping[str, Callable[[OnnxRuntime], Callable]] | None = None,
        algorithm: Callable[[str], str] | None = None,
    ) -> None:
        """A row for each pass of a layer.

        Args:    case (str): the layer and its sizes.
                 make (callable): library to {pass: call without arguments}.
                 work (dict): pass to Work.
                 axes (int): of the input: 4 for (N, C, H, W).
                 onnx (dict): pass to what makes ONNX Runtime's call.
                 algorithm (callable): pass to the name of tinycnn's algorithm.
        """
        wanted = [what for what in work if self.wants(case, what)]
        if not wanted:
            return
        ours = make(libraries.Tinycnn())
        theirs = {layout: make(libraries.Torch(layout)) for layout in self.layouts(axes)}
        for what in wanted:
            self.row(case, what, ours[what], {form: theirs[form][what] for form in theirs},
                     work[what], onnx=(onnx or {}).get(what),
                     algorithm=algorithm(what) if algorithm else "")

    def row(
        self, case: str, what: str, ours: Callable, theirs: Mapping[str, Callable],
        work: Work | None = None, base: Callable | None = None,
        onnx: Callable[[OnnxRuntime], Callable] | None = None, algorithm: str = "",
    ) -> None:
        """Time one case and print its row.

        Args:    case, what (str): its names.
                 ours (callable): tinycnn's call.
                 theirs (dict): form to PyTorch's call in this form; the fastest counts.
                 work (Work): of one call.
                 base (callable or None): the same in the suite's base.
                 onnx (callable or None): makes ONNX Runtime's call.
                 algorithm (str): that tinycnn chose.
        """
        self._bar.set_description(f"{case}, {what}")
        contestants = {"tinycnn": ours} | ({self._suite.base: base} if base else {})
        contestants |= {f"torch, {form}": call for form, call in theirs.items()}
        if onnx and self.onnx:
            contestants["onnxruntime"] = onnx(self.onnx)
        times = race(contestants, self.options.seconds, self.options.rounds,
                     patient="onnxruntime" in contestants)
        row = {"suite": self._suite.name, "case": case, "what": what, "unit": self._suite.unit,
               **measures(times, self.ceiling, work, self._suite)}
        if algorithm:
            row["algorithm"] = algorithm
        self.rows.append(row)
        self._table.row(self._cells(row, times))
        self._bar.update()

    def _cells(self, row, times):
        counted = {"tinycnn", self._suite.base, "onnxruntime", row["best"]} & set(times)
        cells = [row["case"], row["what"], duration(times["tinycnn"].median),
                 f"{max(times[name].spread for name in counted):.0%}"]
        if self._suite.base:
            cells += [duration(times[self._suite.base].median), duration(row["beyond"])]
        else:
            bound = "FLOP/s" if row["bound"] == "compute" else "B/s"
            cells += [digits(row["speed"]), f"{row['of_ceiling']:.0%} {bound}"]
        if self._suite.algorithms:
            cells += [row.get("algorithm", "")]
        for library, name in (("onnxruntime", "onnxruntime"), ("torch", row["best"])):
            if library in self.options.against:
                there = name in times
                cells += [duration(times[name].median) if there else "",
                          f"{row['ratios'][library]:.2f}" if there else ""]
        if self.torch:
            cells += [row["best"].removeprefix("torch, ")]
        return cells

    def _write(self, line):
        self._bar.write(line, file=sys.stdout)
        sys.stdout.flush()


def measures(
    times: Mapping[str, Timing], ceiling: Ceiling, work: Work | None, suite: Suite
) -> dict[str, Any]:
    """What follows from the times of a row: speed, part of the ceiling, ratios."""
    mine = times["tinycnn"].median
    found: dict[str, Any] = {"times": {name: asdict(timing) for name, timing in times.items()}}
    if work:
        found |= {
            "flop": work.flop, "bytes": work.bytes, "intensity": work.intensity,
            "speed": (work.flop if suite.unit == "FLOP" else work.bytes) / mine / 1e9,
            "bound": ceiling.bound(work), "of_ceiling": ceiling.reached(work, mine),
        }
    if suite.base in times:
        found["beyond"] = mine - times[suite.base].median
    forms = [name for name in times if name.startswith("torch")]
    best = min(forms, key=lambda name: times[name].median, default="")
    found["best"] = best
    found["ratios"] = {
        name.partition(",")[0]: times[name].median / mine
        for name in (best, "onnxruntime") if name in times
    }
    return found
