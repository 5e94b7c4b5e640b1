"""What an operation costs beyond NumPy's own: 10 numbers, with and without recording."""

import numpy as np

from ..libraries import Tinycnn, Torch, numbers
from ..session import Bench, Suite
from ..table import duration

BUDGET = 3e-6  # seconds beyond NumPy, for each operation

# name: the operation on two tensors, on two arrays; both libraries' tensors have the same methods
OPERATIONS = {
    "add": (lambda F, x, y: x + y, lambda x, y: x + y),
    "add a number": (lambda F, x, y: x + 2.0, lambda x, y: x + np.float32(2)),
    "mul": (lambda F, x, y: x * y, lambda x, y: x * y),
    "div": (lambda F, x, y: x / y, lambda x, y: x / y),
    "exp": (lambda F, x, y: x.exp(), lambda x, y: np.exp(x)),
    "relu": (lambda F, x, y: F.relu(x), lambda x, y: np.maximum(x, 0)),
    "sigmoid": (lambda F, x, y: F.sigmoid(x), lambda x, y: 1 / (1 + np.exp(-x))),
    "sum": (lambda F, x, y: x.sum(), lambda x, y: x.sum()),
    "mean": (lambda F, x, y: x.mean(), lambda x, y: x.mean()),
    "reshape": (lambda F, x, y: x.reshape(5, 2), lambda x, y: x.reshape(5, 2)),
    "transpose": (lambda F, x, y: x.transpose(0, 1), lambda x, y: x.transpose(1, 0)),
    "index": (lambda F, x, y: x[0], lambda x, y: x[0]),
    "linear": (lambda F, x, y: F.linear(x, y), lambda x, y: x @ y.T),
}


def run(bench: Bench) -> None:
    x, y = numbers(2, 5), numbers(2, 5, seed=1) ** 2 + 1
    worst = (0.0, "")
    for what, recorded in (("not recorded", False), ("recorded", True)):
        for name, (ours, base) in OPERATIONS.items():
            if not bench.wants(name, what):
                continue

            def contestant(library, operation=ours, recorded=recorded):
                a, b = (library.parameter(array, recorded) for array in (x, y))
                return lambda: operation(library.F, a, b)

            theirs: dict = {"eager": contestant(Torch("contiguous"))} if bench.torch else {}
            bench.row(name, what, contestant(Tinycnn()), theirs, base=lambda base=base: base(x, y))
            worst = max(worst, (bench.rows[-1]["beyond"], f"{name}, {what}"))
    bench.remark(f"Most beyond NumPy: {duration(worst[0])} ({worst[1]}); "
                 f"the budget is {duration(BUDGET)}.")


SUITE = Suite("overhead", "Overhead: operations on 10 float32 numbers, (2, 5)", "", run,
              base="NumPy")
