"""Batch norm: training and evaluation.

python benchmarks/bench_batchnorm.py --threads 1 --against torch
"""

from functools import partial
from math import prod

import numpy as np
from bench import Bench
from libraries import numbers, passes

SHAPES = [
    (64, 6, 28, 28), (32, 64, 32, 32), (32, 512, 4, 4), (8, 64, 112, 112), (8, 256, 28, 28),
    (128, 512),
]


def contestants(shape: tuple[int, ...], library) -> dict:
    """The passes of batch norm over (N, C, ...) in a library."""
    C = shape[1]
    mean = library.numbers(np.zeros(C, np.float32))
    var = library.numbers(np.ones(C, np.float32))

    def call(training):
        def run(x, weight, bias):
            return library.F.batch_norm(x, mean, var, weight, bias, training)

        params = [numbers(C, seed=1), numbers(C, seed=2)]
        return passes(library, run, numbers(*shape), params, numbers(*shape, seed=3))

    training = call(True)
    return {
        "forward": training["forward"],
        "backward": training["backward"],
        "forward + backward": training["forward + backward"],
        "evaluation": call(False)["forward"],
    }


def main(argv: list[str] | None = None) -> None:
    bench = Bench(
        "Batch norm, float32; bytes: x twice and y once forward; x and its gradient twice and one "
        "result backward; x and y in evaluation", argv,
    )
    for shape in SHAPES:
        array = 4 * prod(shape)
        work = {"forward": 3 * array, "backward": 5 * array, "forward + backward": 8 * array,
                "evaluation": 2 * array}
        bench.layer("x".join(map(str, shape)), partial(contestants, shape), work, "B", len(shape))
    bench.finish()


if __name__ == "__main__":
    main()
