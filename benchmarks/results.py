"""Run the benchmarks and put their tables into README.md.

python benchmarks/results.py --against torch                 all scripts, 1 and 2 threads
python benchmarks/results.py bench_conv --threads 1          one script, one thread

--against, --seconds, --rounds and --only go to the scripts as they are.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tinycnn.bench.errors import stop

HERE = Path(__file__).parent
SCRIPTS = ("bench_train_step", "bench_conv", "bench_pooling", "bench_batchnorm", "bench_norm",
           "bench_activation", "bench_resample", "bench_loss", "bench_optim", "bench_overhead")
BEGIN, END = "<!-- results: written by results.py -->", "<!-- end of results -->"


def tables(scripts: list[str], threads: list[int], options: list[str]) -> str:
    """What the scripts print, a section each."""
    sections = []
    for count in threads:
        for script in scripts:
            if script == "bench_overhead" and count != threads[0]:
                continue  # 10 numbers are always one thread's
            print(f"{script}, threads {count}", file=sys.stderr, flush=True)
            command = [sys.executable, str(HERE / f"{script}.py"), "--threads", str(count),
                       *options, "--markdown"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if done.returncode:
                stop(f"{script}.py ended with code {done.returncode}; README.md is as it was.")
            sections.append(f"### {script}.py, {count} thread{'s' * (count > 1)}\n\n{done.stdout}")
    return "\n".join(sections)


def insert(text: str, new: str) -> str:
    """`text` with `new` between the two marks.

    Raises:  ValueError: if the marks are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"insert: expected the lines {BEGIN} and {END}, got a text without them. "
                         f"Put them where the results belong.")
    return f"{before}{BEGIN}\n\n{new}\n{END}{after}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Put benchmark tables into README.md")
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=", ".join(SCRIPTS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--readme", type=Path, default=HERE / "README.md", metavar="FILE")
    passed_on = ("--against", "--seconds", "--rounds", "--only")
    for option in passed_on:
        parser.add_argument(option, metavar="VALUE", help="see the scripts")
    known = parser.parse_args(argv)
    values = vars(known)
    options = [part for option in passed_on if values[option[2:]] is not None
               for part in (option, values[option[2:]])]
    for script in known.scripts:
        if script not in SCRIPTS:
            parser.error(f"expected scripts among {', '.join(SCRIPTS)}, got {script!r}")
    text = known.readme.read_text(encoding="utf-8")
    insert(text, "")  # better now than after the measurements
    new = tables(known.scripts or list(SCRIPTS), known.threads, options)
    known.readme.write_text(insert(text, new), encoding="utf-8")


if __name__ == "__main__":
    main()
