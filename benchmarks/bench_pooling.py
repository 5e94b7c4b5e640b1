"""Pooling: the layers of LeNet, VGG and ResNet.

python benchmarks/bench_pooling.py --threads 1 --against torch
"""

from functools import partial
from math import prod

from bench import Bench
from libraries import numbers, passes

# name, function and its arguments, (N, C, H, W), (OH, OW)
CASES: list[tuple[str, str, tuple, tuple, tuple]] = [
    ("max 2x2", "max_pool2d", (2,), (64, 6, 28, 28), (14, 14)),
    ("max 2x2", "max_pool2d", (2,), (64, 16, 10, 10), (5, 5)),
    ("max 2x2", "max_pool2d", (2,), (32, 64, 32, 32), (16, 16)),
    ("max 3x3 stride 2", "max_pool2d", (3, 2, 1), (8, 64, 112, 112), (56, 56)),
    ("average 2x2", "avg_pool2d", (2,), (32, 64, 32, 32), (16, 16)),
    ("average 3x3 stride 1", "avg_pool2d", (3, 1, 1), (8, 192, 28, 28), (28, 28)),
    ("global average", "adaptive_avg_pool2d", (1,), (32, 512, 7, 7), (1, 1)),
]


def contestants(function: str, arguments: tuple, shape: tuple, output: tuple, library) -> dict:
    """The passes of a pooling function in a library."""
    pool = getattr(library.F, function)
    grad = numbers(*shape[:2], *output)
    return passes(library, lambda x: pool(x, *arguments), numbers(*shape), [], grad)


def main(argv: list[str] | None = None) -> None:
    bench = Bench("Pooling, float32; bytes: input and output, each once", argv)
    for name, function, arguments, shape, output in CASES:
        moved = 4 * (prod(shape) + prod(shape[:2] + output))
        work = {"forward": moved, "backward": moved, "forward + backward": 2 * moved}
        make = partial(contestants, function, arguments, shape, output)
        bench.layer(f"{name}, {'x'.join(map(str, shape))}", make, work, "B")
    bench.finish()


if __name__ == "__main__":
    main()
