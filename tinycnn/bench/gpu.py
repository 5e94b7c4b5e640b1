"""The GPU that is measured: whether it can be, what it is, and what it reaches at best."""

import subprocess
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from pathlib import Path

import tinycnn

from .ceiling import Ceiling, size
from .errors import stop
from .libraries import Tinycnn, Torch, numbers
from .timer import race

PRODUCTS = (4096, 8192)  # square matrices that fill a GPU
COPY = 512 << 20  # bytes, more than any cache


def require(device: str) -> None:
    """End the process with code 2 and the reason if nothing can be measured on the GPU."""
    found = tinycnn.config()["gpu"]
    if found.startswith("none: "):
        stop(f"--device {device}: {found.removeprefix('none: ')}")
    if found.startswith("simulated"):
        stop(f"--device {device}: expected a GPU, got the simulator, where kernels run as plain "
             f"Python: nothing can be measured there. Leave TINYCNN_CUDA=simulator out.")


def versions(device: str) -> dict[str, str]:
    """The GPU in words, its driver, CUDA, and the packages that tinycnn needs for it."""
    import cupy

    runtime = import_module(f"cupy.{device}").runtime
    number = runtime.runtimeGetVersion()
    return {"gpu": tinycnn.config()["gpu"].partition(" (")[0], "driver": _driver(),
            "cuda": f"{number // 1000}.{number % 1000 // 10}", "cupy": cupy.__version__,
            "numba": metadata.version(f"numba-{device}")}


def torch_version(torch, device: str) -> str:
    """PyTorch's version, with CUDA's and cuDNN's that it brings along."""
    return (f"{torch.__version__} (CUDA {getattr(torch.version, device)}, "
            f"cuDNN {torch.backends.cudnn.version()})")


def _driver():
    """The driver's version, as well as this system tells it."""
    ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        path = Path("/proc/driver/nvidia/version")
        words = path.read_text(encoding="utf-8").split() if path.exists() else []
        return next((word for word in words if word[:1].isdecimal() and "." in word), "unknown")


def use_precision(library, precision: str) -> None:
    """Multiply with "TF32" or "float32" from now on.

    Args:    library (module): tinycnn or torch.
             precision (str): one of the two.
    """
    library.set_float32_matmul_precision("high" if precision == "TF32" else "highest")


@dataclass(frozen=True)
class GpuCeiling(Ceiling):
    """What this GPU reaches at best; `gflops` is that of the precision that is measured."""

    products: dict[str, float]  # precision: GFLOP/s

    @classmethod
    def of(cls, device: str, precision: str, seconds: float, torch=None) -> "GpuCeiling":
        """The fastest product of two square matrices in both precisions, and the copy of an array
        larger than the caches: by PyTorch if it is given, else by tinycnn.

        Args:    device (str): of the GPU.
                 precision (str): "TF32" or "float32", which counts.
                 seconds (float): budget of each of them.
                 torch (module or None): PyTorch.
        """
        library = torch or tinycnn
        make = Torch("contiguous", device) if torch else Tinycnn(device)
        wait = getattr(library, device).synchronize
        products, best = {}, {}
        for name in ("float32", "TF32"):
            use_precision(library, name)
            timings = {n: _timing(_product(library, make, n), wait, seconds) for n in PRODUCTS}
            reached = {n: 2e-9 * n**3 / timing.median for n, timing in timings.items()}
            best[name] = max(PRODUCTS, key=lambda n, reached=reached: reached[n])
            products[name] = reached[best[name]]
        use_precision(library, precision)
        title = f"{library.__name__}.matmul of {best[precision]} x {best[precision]}"
        x = make.numbers(numbers(COPY // 4))
        copied = _timing(partial(_copy, x), wait, seconds)
        return cls(products[precision], title, {COPY: 2e-9 * COPY / copied.median}, products)

    def __str__(self):
        reached = ", ".join(f"{name} {gflops / 1e3:.1f} TFLOP/s"
                            for name, gflops in self.products.items())
        copies = ", ".join(f"{size(n)} {speed:.0f} GB/s" for n, speed in self.copies.items())
        return f"{reached} ({self.product}); copy, read + write: {copies}"


def _timing(call, wait, seconds):
    return race({"only": call}, seconds, finish={"only": wait})["only"]


def _product(library, make, n):
    a, b = (make.numbers(numbers(n, n, seed=seed)) for seed in (0, 1))
    return lambda: library.matmul(a, b)


def _copy(x):
    x.clone()
