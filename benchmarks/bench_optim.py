"""Optimizers: one step over all parameters of a network.

python benchmarks/bench_optim.py --threads 1 --against torch
"""

from math import prod

from bench import Bench
from libraries import Tinycnn, Torch, numbers
from models import lenet5, vgg11_shapes

import tinycnn

OPTIMIZERS = [  # name, class and its arguments, numbers read and written for each parameter
    ("SGD, momentum", "SGD", {"lr": 1e-6, "momentum": 0.9}, 5),
    ("Adam", "Adam", {"lr": 1e-6}, 7),
]


def step(library, shapes: list[tuple[int, ...]], optimizer: str, arguments: dict):
    """One step of an optimizer, with gradients that stay."""
    params = [library.parameter(numbers(*shape), True) for shape in shapes]
    for p in params:
        p.grad = library.parameter(numbers(*p.shape, seed=1))
    return getattr(library.optim, optimizer)(params, **arguments).step


def main(argv: list[str] | None = None) -> None:
    bench = Bench("Optimizers, float32; bytes: parameter, gradient and state read, all but the "
                  "gradient written", argv)
    lenet = [p.shape for p in lenet5(tinycnn.nn).parameters()]
    for network, shapes in (("LeNet-5", lenet), ("VGG-11 with batch norm", vgg11_shapes())):
        count = sum(map(prod, shapes))
        case = f"{network}, {count:,}"
        for what, optimizer, arguments, moved in OPTIMIZERS:
            if not bench.wants(case, what):
                continue
            ours = step(Tinycnn(), shapes, optimizer, arguments)
            theirs = {
                form: step(Torch("contiguous"), shapes, optimizer, arguments | extra)
                for form, extra in (("default", {}), ("fused", {"fused": True}))
                if bench.torch
            }
            bench.row(case, what, ours, theirs, 4 * moved * count, "B")
    bench.finish()


if __name__ == "__main__":
    main()
