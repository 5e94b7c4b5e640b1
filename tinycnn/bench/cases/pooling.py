"""Pooling: the layers of LeNet, VGG and ResNet."""

from functools import partial
from math import prod

from ..ceiling import Work
from ..libraries import numbers, passes
from ..onnxrt import OnnxRuntime, pads
from ..session import Bench, Suite

OPS = {"max_pool2d": "MaxPool", "avg_pool2d": "AveragePool",
       "adaptive_avg_pool2d": "GlobalAveragePool"}
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


def onnx_forward(function: str, arguments: tuple, shape: tuple, runtime: OnnxRuntime):
    """This pooling in ONNX Runtime."""
    attributes: dict = {}
    if function != "adaptive_avg_pool2d":
        kernel, stride, padding = arguments if len(arguments) == 3 else (*arguments * 2, 0)
        attributes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2,
                      "pads": pads((padding,) * 2)}
        if function == "avg_pool2d":
            attributes["count_include_pad"] = 1
    return runtime.layer(OPS[function], numbers(*shape), **attributes)


def works(function: str, arguments: tuple, shape: tuple, output: tuple) -> dict[str, Work]:
    """Input and output, each once; an operation for each number of a window, but for the gradient
    of a maximum, which goes to one number of it."""
    results = prod(shape[:2] + output)
    window = arguments[0] ** 2 if function != "adaptive_avg_pool2d" else prod(shape[2:])
    moved = 4 * (prod(shape) + results)
    forward = results * window
    backward = results * (1 if function == "max_pool2d" else window)
    return {"forward": Work(forward, moved), "backward": Work(backward, moved),
            "forward + backward": Work(forward + backward, 2 * moved)}


def run(bench: Bench) -> None:
    for name, function, arguments, shape, output in CASES:
        bench.layer(
            f"{name}, {'x'.join(map(str, shape))}",
            partial(contestants, function, arguments, shape, output),
            works(function, arguments, shape, output),
            onnx={"forward": partial(onnx_forward, function, arguments, shape)})


SUITE = Suite("pooling", "Pooling, float32; bytes: input and output, each once", "B", run)
