"""A benchmark script: its options, its contestants, its table.

Each script makes one `Bench`, hands it cases and calls `finish`.
"""

import argparse
import datetime
import json
import math
import os
import platform
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import libraries
import numpy as np
from timer import Ceiling, race

import tinycnn

CEILING_SECONDS = 0.25  # for each of its parts, or --seconds if that is less


def options(title: str, argv: list[str] | None) -> argparse.Namespace:
    """What all scripts understand."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--threads", type=_count, default=1, metavar="N", help="default: 1")
    parser.add_argument("--against", choices=("none", "torch"), default="none",
                        help="time PyTorch as well, in the same process (default: none)")
    parser.add_argument("--seconds", type=_seconds, default=1.0, metavar="S",
                        help="time budget of a row, for all contestants together (default: 1)")
    parser.add_argument("--rounds", type=_count, metavar="N",
                        help="exactly so many rounds, whatever time they take")
    parser.add_argument("--only", default="", metavar="NAME", help="rows that contain this text")
    parser.add_argument("--json", type=_new_file, metavar="FILE", help="write everything there too")
    parser.add_argument("--markdown", action="store_true", help="print a table for a README")
    return parser.parse_args(argv)


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return seconds


def _new_file(text):
    """A path that can be written: better now than after the measurements."""
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file in a folder that exists, got {text!r}")
    return path


class Bench:
    """The measurements of one script.

    Args:    title (str): what is measured, one line.
             argv (list or None): command-line arguments; None for the process's.
             base (str): a third kind of contestant whose time is subtracted: "NumPy".
    """

    def __init__(self, title: str, argv: list[str] | None = None, base: str = ""):
        self.options = options(title, argv)
        self.base = base
        self.rows: list[dict[str, Any]] = []
        self.names: list[str] = []  # of all cases, wanted or not
        threads, seconds = self.options.threads, self.options.seconds
        tinycnn.set_num_threads(threads)
        self.torch = libraries.import_torch(threads) if self.options.against == "torch" else None
        self.environment = environment(self.torch)
        self.ceiling = Ceiling.measure(
            tinycnn.get_num_threads(), min(CEILING_SECONDS, seconds), self.torch
        )
        self._heading = f"{title}\n\n{_sentence(self.environment)}\n\nCeiling: {self.ceiling}.\n"
        self._columns = [("case", -41), ("what", -18), ("tinycnn", 9), ("spread", 6)]
        if base:
            self._columns += [(base, 9), (f"beyond {base}", 12)]
        else:
            self._columns += [("speed", 13), ("of ceiling", 10)]
        if self.torch:
            self._columns += [("PyTorch", 9), ("spread", 6), ("its best form", -24), ("ratio", 6)]

    def wants(self, case: str, what: str) -> bool:
        """Whether `--only` names this row."""
        self.names.append(f"{case}, {what}")
        return self.options.only in self.names[-1]

    def layer(
        self, case: str, make: Callable, work: Mapping[str, float], unit: str, axes: int = 4
    ) -> None:
        """A row for each pass of a layer.

        Args:    case (str): the layer and its sizes.
                 make (callable): library to {pass: call without arguments}.
                 work (dict): pass to floating-point operations or bytes.
                 unit (str): "FLOP" or "B".
                 axes (int): of the input: 4 for (N, C, H, W).
        """
        wanted = [what for what in work if self.wants(case, what)]
        if not wanted:
            return
        ours = make(libraries.Tinycnn())
        theirs = {layout: make(libraries.Torch(layout)) for layout in self.layouts(axes)}
        for what in wanted:
            self.row(case, what, ours[what], {form: theirs[form][what] for form in theirs},
                     work[what], unit)

    def layouts(self, axes: int = 4) -> tuple[str, ...]:
        """PyTorch's layouts for tensors of so many axes; none if it does not take part."""
        return libraries.layouts(axes) if self.torch else ()

    def row(
        self, case: str, what: str, ours: Callable, theirs: dict[str, Callable],
        work: float = 0, unit: str = "", base: Callable | None = None,
    ) -> None:
        """Time one case and print its row.

        Args:    case, what (str): its names.
                 ours (callable): tinycnn's call.
                 theirs (dict): form to PyTorch's call in this form; the fastest counts.
                 work (float): floating-point operations or bytes of one call.
                 unit (str): "FLOP" or "B".
                 base (callable or None): the same in NumPy.
        """
        contestants = {"tinycnn": ours} | ({self.base: base} if base else {})
        contestants |= {f"torch, {form}": call for form, call in theirs.items()}
        times = race(contestants, self.options.seconds, self.options.rounds)
        row: dict[str, Any] = {
            "case": case, "what": what, "work": work, "unit": unit,
            "times": {name: asdict(timing) for name, timing in times.items()},
        }
        mine = times["tinycnn"]
        cells = [case, what, duration(mine.median), f"{mine.spread:.0%}"]
        if base:
            row["beyond"] = mine.median - times[self.base].median
            cells += [duration(times[self.base].median), duration(row["beyond"])]
        else:
            row["speed"] = work / mine.median / 1e9
            top = self.ceiling.gflops if unit == "FLOP" else self.ceiling.gbs(work)
            row["of_ceiling"] = row["speed"] / top
            cells += [f"{digits(row['speed'])} G{unit}/s", f"{row['of_ceiling']:.0%}"]
        if theirs:
            form = min(theirs, key=lambda form: times[f"torch, {form}"].median)
            best = times[f"torch, {form}"]
            row["best_form"], row["ratio"] = form, best.median / mine.median
            cells += [duration(best.median), f"{best.spread:.0%}", form, f"{row['ratio']:.2f}"]
        if not self.rows:
            self._print_heading()
        self.rows.append(row)
        self._print_row(cells)

    def finish(self, *remarks: str) -> None:
        """Print remarks and write the JSON file."""
        if not self.rows:
            libraries.stop(f"--only: no row contains {self.options.only!r}. The rows are: "
                           + "; ".join(self.names))
        for remark in remarks:
            print(f"\n{remark}", flush=True)
        if self.options.json:
            self.options.json.write_text(json.dumps({
                "environment": self.environment, "ceiling": asdict(self.ceiling),
                "rows": self.rows,
            }, indent=1) + "\n", encoding="utf-8")

    def _print_heading(self):
        print(self._heading)
        self._print_row([title for title, _ in self._columns])
        if self.options.markdown:
            lines = ["---" if width < 0 else "---:" for _, width in self._columns]
            print("| " + " | ".join(lines) + " |", flush=True)

    def _print_row(self, cells):
        if self.options.markdown:
            print("| " + " | ".join(cells) + " |", flush=True)
            return
        padded = [
            cell.ljust(-width) if width < 0 else cell.rjust(width)
            for cell, (_, width) in zip(cells, self._columns)
        ]
        print("  ".join(padded).rstrip(), flush=True)


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{digits(seconds / size)} {unit}"
    return f"{seconds * 1e6:.2f} us"


def digits(number: float) -> str:
    """Three digits: 1.20, 12.0, 120."""
    return f"{number:.{max(0, 2 - int(math.log10(max(number, 1))))}f}"


def environment(torch=None) -> dict:
    """What the numbers depend on."""
    found = tinycnn.config()
    return {
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "instruction_set": found["instruction_set"],
        "threads": found["threads"],
        "openmp": found["openmp"],
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tinycnn": found["tinycnn"],
        "torch": torch.__version__ if torch else None,
        "date": datetime.date.today().isoformat(),
    }


def _processor():
    """The processor's name, as well as this system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _sentence(found):
    threads = f"{found['threads']} thread" + "s" * (found["threads"] > 1)
    torch = f", PyTorch {found['torch']}" if found["torch"] else ""
    openmp = "" if found["openmp"] else " (built without OpenMP)"
    return (
        f"`{found['command']}`, {found['date']}: {found['processor']}, {found['cores']} cores, "
        f"{found['instruction_set']}, {threads}{openmp}; "
        f"{found['system']}, Python {found['python']}, NumPy {found['numpy']}, "
        f"tinycnn {found['tinycnn']}{torch}."
    )
