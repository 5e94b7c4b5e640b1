"""Two runs side by side: what became faster, what slower, and what is noise.

    change = new median / old median - 1             of tinycnn's time
    noise  = sqrt(old spread^2 + new spread^2)       the middle halves of both runs
    others = the same change of the fastest other library: what the machine did meanwhile
"""

import json
import math
from pathlib import Path
from typing import Any

from .errors import stop
from .table import Table, duration, paragraph

SAME = ("processor", "cores", "instruction_set", "threads", "openmp", "python", "numpy", "torch",
        "onnxruntime", "gpu", "driver", "precision")  # what both runs should have in common


def compare(old: Path, new: Path, markdown: bool = False) -> None:
    """Print a table of changes between two JSON files of this command."""
    before, after = read(old), read(new)
    rows = changes(before, after)
    if not rows:
        stop(f"--compare: expected rows that both files have, got none. {old} has "
             f"{len(before['rows'])} rows, {new} has {len(after['rows'])}: measure the same suites "
             f"with the same --only.")
    for title, found in (("Old", before), ("New", after)):
        known = found["environment"]
        print(paragraph(f"{title}: `{known['command']}`, {known['date']}, "
                        f"tinycnn {known['tinycnn']}", markdown) + "\n")
    for key in SAME:
        values = [str(found["environment"].get(key)) for found in (before, after)]
        if values[0] != values[1]:
            print(paragraph(f"Not the same {key.replace('_', ' ')}: {values[0]}, then {values[1]}. "
                            f"The changes are not tinycnn's alone.", markdown) + "\n")
    widths = [max(len(row[key]) for row in rows) for key in ("case", "what")]
    table = Table([("case", -widths[0]), ("what", -widths[1]), ("old", 7), ("new", 7),
                   ("change", 6), ("noise", 5), ("others", 6), ("", -6)], markdown, print)
    table.heading()
    for row in rows:
        others = "" if row["others"] is None else f"{row['others']:+.0%}"
        table.row([row["case"], row["what"], duration(row["old"]), duration(row["new"]),
                   f"{row['change']:+.0%}", f"{row['noise']:.0%}", others, row["verdict"]])
    alone = len(before["rows"]) + len(after["rows"]) - 2 * len(rows)
    counts = [sum(row["verdict"] == word for row in rows) for word in ("faster", "slower")]
    print(f"\n{counts[0]} faster, {counts[1]} slower, {len(rows) - sum(counts)} within the noise"
          + f"; {alone} in one file only" * bool(alone) + ".")


def read(path: Path) -> dict[str, Any]:
    """A file that --json wrote; the process ends with code 2 if it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        found["environment"]["command"], found["ceiling"]["gflops"]
        for row in found["rows"]:
            row["suite"], row["case"], row["what"], row["times"]["tinycnn"]["median"]
    except OSError as error:
        stop(f"--compare: {path} cannot be read: {error.strerror}.")
    except (ValueError, KeyError, TypeError):
        stop(f"--compare: expected a file that tinycnn bench --json wrote, got {path}.")
    return found


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """A dict for each row that both runs have, in the order of the first."""
    new = {_key(row): row for row in after["rows"]}
    return [_change(row, new[_key(row)]) for row in before["rows"] if _key(row) in new]


def _key(row):
    return row["suite"], row["case"], row["what"]


def _change(old, new):
    times = [row["times"]["tinycnn"] for row in (old, new)]
    change = times[1]["median"] / times[0]["median"] - 1
    noise = math.hypot(times[0]["spread"], times[1]["spread"])
    verdict = "" if abs(change) <= noise else "slower" if change > 0 else "faster"
    others = [min((time["median"] for name, time in row["times"].items()
                   if name.partition(",")[0] in row["ratios"]), default=None)
              for row in (old, new)]
    return {
        "case": old["case"], "what": old["what"], "old": times[0]["median"],
        "new": times[1]["median"], "change": change, "noise": noise, "verdict": verdict,
        "others": others[1] / others[0] - 1 if None not in others else None,
    }
