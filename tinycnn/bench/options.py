"""The options of the command, and what they accept."""

import argparse
from pathlib import Path

LIBRARIES = ("torch", "onnxruntime")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `tinycnn bench` and the scripts in benchmarks/ understand."""
    add = parser.add_argument
    add("--threads", type=_count, default=1, metavar="N", help="of all libraries (default: 1)")
    add("--device", choices=("cpu", "cuda"), default="cpu",
        help="where to compute; on a GPU: train_step, conv, pooling and batchnorm, against two "
             "forms of torch (default: cpu)")
    add("--precision", choices=("TF32", "float32"),
        help="of products on a GPU, in both libraries (default: TF32)")
    add("--against", type=_libraries, default=(), metavar="NAMES",
        help="time these as well, in the same process: torch, onnxruntime (forward only) or "
             "torch,onnxruntime (default: none)")
    add("--seconds", type=_seconds, default=1.0, metavar="S",
        help="time budget of a row, for all contestants together (default: 1)")
    add("--rounds", type=_count, metavar="N", help="exactly so many rounds, whatever they take")
    add("--only", default="", metavar="TEXT", help="rows that contain this text")
    add("--markdown", action="store_true", help="print tables for a README")
    add("--json", type=_new_file, metavar="FILE", help="write everything there too")
    add("--plot", type=_picture, metavar="FILE.png",
        help="draw a roofline (needs Matplotlib: pip install 'tinycnn[viz]')")
    add("--compare", type=Path, nargs=2, metavar=("OLD.json", "NEW.json"),
        help="measure nothing: print what changed between two runs")


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _libraries(text):
    names = tuple(dict.fromkeys(text.split(",")))
    if names == ("none",):
        return ()
    if not set(names) <= set(LIBRARIES):
        raise argparse.ArgumentTypeError(
            f"expected none, torch, onnxruntime or torch,onnxruntime, got {text!r}")
    return names


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


def _picture(text):
    path = _new_file(text)
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise argparse.ArgumentTypeError(f"expected a name ending in .png, .svg or .pdf, "
                                         f"got {text!r}")
    return path
