"""Optimizers: one step over all parameters of a network."""

from math import prod

from tinycnn import nn

from ..ceiling import Work
from ..libraries import Tinycnn, Torch, numbers
from ..models import lenet5, vgg11_shapes
from ..session import Bench, Suite

# name, class and its arguments, operations of each parameter, numbers read and written for each
OPTIMIZERS = [
    ("SGD, momentum", "SGD", {"lr": 1e-6, "momentum": 0.9}, 4, 5),
    ("Adam", "Adam", {"lr": 1e-6}, 12, 7),
]


def step(library, shapes: list[tuple[int, ...]], optimizer: str, arguments: dict):
    """One step of an optimizer, with gradients that stay."""
    params = [library.parameter(numbers(*shape), True) for shape in shapes]
    for p in params:
        p.grad = library.parameter(numbers(*p.shape, seed=1))
    return getattr(library.optim, optimizer)(params, **arguments).step


def run(bench: Bench) -> None:
    lenet = [p.shape for p in lenet5(nn).parameters()]
    for network, shapes in (("LeNet-5", lenet), ("VGG-11 with batch norm", vgg11_shapes())):
        count = sum(map(prod, shapes))
        case = f"{network}, {count:,}"
        for what, optimizer, arguments, operations, moved in OPTIMIZERS:
            if not bench.wants(case, what):
                continue
            ours = step(Tinycnn(), shapes, optimizer, arguments)
            theirs = {
                form: step(Torch("contiguous"), shapes, optimizer, arguments | extra)
                for form, extra in (("default", {}), ("fused", {"fused": True}))
                if bench.torch
            }
            bench.row(case, what, ours, theirs, Work(operations * count, 4 * moved * count))


SUITE = Suite(
    "optim", "Optimizers, float32; bytes: parameter, gradient and state read, all but the gradient "
    "written", "B", run)
