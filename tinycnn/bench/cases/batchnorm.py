"""Batch norm: training and evaluation; with ReLU, and with a residual sum and ReLU."""

from functools import partial
from math import prod

import numpy as np

from ..ceiling import Work
from ..libraries import numbers, passes
from ..onnxrt import OnnxRuntime
from ..session import Bench, Suite

SHAPES = [
    (64, 6, 28, 28), (32, 64, 32, 32), (32, 512, 4, 4), (8, 64, 112, 112), (8, 256, 28, 28),
    (128, 512),
]


def contestants(shape: tuple[int, ...], library) -> dict:
    """The passes of batch norm over (N, C, ...) in a library."""
    C = shape[1]
    mean = library.numbers(np.zeros(C, np.float32))
    var = library.numbers(np.ones(C, np.float32))

    params = [numbers(C, seed=1), numbers(C, seed=2)]
    residual = library.feature_map(numbers(*shape, seed=4))

    def call(run):
        return passes(library, run, numbers(*shape), params, numbers(*shape, seed=3))

    def plain(training):
        return call(lambda x, *wb: library.F.batch_norm(x, mean, var, *wb, training))

    training = plain(True)
    relu = call(lambda x, *wb: library.batch_norm_relu(x, mean, var, *wb))
    block = call(lambda x, *wb: library.batch_norm_relu(x, mean, var, *wb, residual))
    return {
        "forward": training["forward"],
        "backward": training["backward"],
        "forward + backward": training["forward + backward"],
        "evaluation": plain(False)["forward"],
        "with ReLU, forward + backward": relu["forward + backward"],
        "with sum and ReLU, forward + backward": block["forward + backward"],
    }


def onnx_evaluation(shape: tuple[int, ...], runtime: OnnxRuntime):
    """Evaluation in ONNX Runtime."""
    C = shape[1]
    return runtime.layer("BatchNormalization", numbers(*shape), numbers(C, seed=1),
                         numbers(C, seed=2), np.zeros(C, np.float32), np.ones(C, np.float32))


def works(shape: tuple[int, ...]) -> dict[str, Work]:
    """Operations for each number, forward: sum 1, squared distance to the mean 3, scale and
    shift 2; backward: normalize again 2, two sums 3, result 4. ReLU adds a comparison each
    way and no byte, a residual sum an addition, two arrays read and one written."""
    count = prod(shape)
    return {"forward": Work(6 * count, 12 * count), "backward": Work(9 * count, 20 * count),
            "forward + backward": Work(15 * count, 32 * count),
            "evaluation": Work(2 * count, 8 * count),
            "with ReLU, forward + backward": Work(17 * count, 32 * count),
            "with sum and ReLU, forward + backward": Work(18 * count, 44 * count)}


def run(bench: Bench) -> None:
    for shape in SHAPES:
        bench.layer("x".join(map(str, shape)), partial(contestants, shape), works(shape),
                    len(shape), onnx={"evaluation": partial(onnx_evaluation, shape)})


SUITE = Suite(
    "batchnorm",
    "Batch norm, float32; bytes: x twice and y once forward; x and its gradient twice and one "
    "result backward; x and y in evaluation; a residual sum reads two and writes one more",
    "B", run)
