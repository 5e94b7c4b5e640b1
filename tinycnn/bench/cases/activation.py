"""Activations: a feature map of ResNet-50, and one so small that a call's own cost counts."""

from dataclasses import dataclass
from functools import partial
from math import prod

from ..ceiling import Work
from ..libraries import numbers, passes
from ..session import Bench, Suite

SHAPES = [(32, 64, 56, 56), (1, 16, 8, 8)]


@dataclass(frozen=True)
class Activation:
    """A function of nn.functional, and its operations for each result: forward, and backward from
    x and the gradient of y alone."""

    name: str
    function: str
    forward: int
    backward: int
    settings: tuple[tuple[str, str], ...] = ()

    def y_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """GLU halves the channels, others leave a shape as it is."""
        N, C, *size = shape
        return (N, C // 2, *size) if self.function == "glu" else shape


ACTIVATIONS = [
    Activation("relu6", "relu6", 2, 3),
    Activation("leaky_relu", "leaky_relu", 2, 3),
    Activation("prelu", "prelu", 2, 6),  # gradients of x and of a weight for each channel
    Activation("sigmoid", "sigmoid", 3, 6),
    Activation("tanh", "tanh", 1, 4),
    Activation("silu", "silu", 3, 8),
    Activation("gelu", "gelu", 5, 11),
    Activation("gelu by tanh", "gelu", 9, 18, (("approximate", "tanh"),)),
    Activation("mish", "mish", 5, 11),
    Activation("softplus", "softplus", 4, 5),
    Activation("hardswish", "hardswish", 5, 5),
    Activation("glu", "glu", 4, 8),
]


def contestants(activation: Activation, shape: tuple[int, ...], library) -> dict:
    """The passes of an activation over (N, C, ...) in a library."""
    function, settings = getattr(library.F, activation.function), dict(activation.settings)
    if activation.function == "glu":
        settings["dim"] = 1
    params = [numbers(shape[1], seed=2)] if activation.function == "prelu" else []
    grad = numbers(*activation.y_shape(shape), seed=1)
    return passes(library, partial(function, **settings), numbers(*shape), params, grad)


def works(activation: Activation, shape: tuple[int, ...]) -> dict[str, Work]:
    """Forward x and y, backward x and both gradients, each once."""
    count, results = prod(shape), prod(activation.y_shape(shape))
    return {"forward": Work(activation.forward * results, 4 * (count + results)),
            "backward": Work(activation.backward * results, 4 * (2 * count + results))}


def run(bench: Bench) -> None:
    for shape in SHAPES:
        for activation in ACTIVATIONS:
            bench.layer(f"{activation.name}, {'x'.join(map(str, shape))}",
                        partial(contestants, activation, shape), works(activation, shape),
                        len(shape))


SUITE = Suite(
    "activation",
    "Activations, float32; bytes: x and y forward, x and both gradients backward, each once; exp, "
    "log, tanh, erf and a division count as one operation each", "B", run)
