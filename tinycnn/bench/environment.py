"""What the numbers of a run depend on."""

import datetime
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import tinycnn


def environment(command: str, **others: str | None) -> dict[str, Any]:
    """Machine, threads and versions, as a dict.

    Args:    command (str): that repeats this run.
             others (str or None): versions of the libraries that take part.
    """
    found = tinycnn.config()
    return {
        "command": command,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "instruction_set": found["instruction_set"],
        "threads": found["threads"],
        "openmp": found["openmp"],
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tinycnn": found["tinycnn"],
        **others,
        "date": datetime.date.today().isoformat(),
    }


def _processor():
    """The processor's name, as well as this system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def sentence(found: Mapping[str, Any]) -> str:
    """The environment in one line."""
    threads = f"{found['threads']} thread" + "s" * (found["threads"] > 1)
    others = "".join(f", {title} {found[key]}" for key, title in
                     (("torch", "PyTorch"), ("onnxruntime", "ONNX Runtime")) if found.get(key))
    openmp = "" if found["openmp"] else " (built without OpenMP)"
    gpu = "".join(f"{title}{found[key]}" for key, title in (
        ("gpu", "; "), ("driver", ", driver "), ("cuda", ", CUDA "), ("cupy", ", CuPy "),
        ("numba", ", numba-cuda ")) if found.get(key))
    return (
        f"`{found['command']}`, {found['date']}: {found['processor']}, {found['cores']} cores, "
        f"{found['instruction_set']}, {threads}{openmp}{gpu}; "
        f"{found['system']}, Python {found['python']}, NumPy {found['numpy']}, "
        f"tinycnn {found['tinycnn']}{others}."
    )
