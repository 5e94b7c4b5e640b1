"""Convolutions: every pass of the layers that networks are made of."""

from dataclasses import dataclass
from functools import partial
from math import prod

import tinycnn

from ..ceiling import Work
from ..libraries import numbers, passes
from ..onnxrt import OnnxRuntime, pads
from ..session import Bench, Suite

GRADIENTS = ("gradient of input", "gradient of weight")


@dataclass(frozen=True)
class Layer:
    """A convolution without bias. GFLOP/s count its multiplications and additions as the formula
    has them, whatever an algorithm saves."""

    C: int
    OC: int
    kernel: tuple[int, ...]
    size: tuple[int, ...]
    batch: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1

    def __str__(self):
        sizes = "x".join(map(str, self.kernel)), "x".join(map(str, self.size))
        stride = f" stride {self.stride}" * (self.stride > 1)
        dilated = f" dilation {self.dilation}" * (self.dilation > 1)
        groups = f" in {self.groups} groups" * (self.groups > 1)
        if self.groups > 1 and self.groups == self.C:
            groups = " depthwise"
        kind = sizes[0] + stride + dilated + groups
        return f"{self.C}->{self.OC} {kind}, {sizes[1]}, batch {self.batch}"

    @property
    def output(self):
        return tuple(
            (n + 2 * self.padding - self.dilation * (k - 1) - 1) // self.stride + 1
            for n, k in zip(self.size, self.kernel)
        )

    @property
    def x_shape(self):
        return (self.batch, self.C, *self.size)

    @property
    def weight_shape(self):
        return (self.OC, self.C // self.groups, *self.kernel)

    @property
    def y_shape(self):
        return (self.batch, self.OC, *self.output)

    @property
    def work(self):
        """Of one pass: each reads two of x, weight and y (or their gradients), writes the third."""
        shapes = self.x_shape, self.weight_shape, self.y_shape
        flop = 2 * prod(self.y_shape) * prod(self.weight_shape[1:])
        return Work(flop, 4 * sum(map(prod, shapes)))


LAYERS = [
    Layer(64, 64, (3, 3), (32, 32), 32, padding=1),
    Layer(128, 128, (3, 3), (16, 16), 32, padding=1),
    Layer(256, 256, (3, 3), (8, 8), 32, padding=1),
    Layer(512, 512, (3, 3), (4, 4), 32, padding=1),
    Layer(64, 128, (3, 3), (32, 32), 32, stride=2, padding=1),
    Layer(64, 64, (3, 3), (56, 56), 8, padding=1),
    Layer(256, 256, (3, 3), (14, 14), 8, padding=1),
    Layer(64, 64, (3, 3), (224, 224), 8, padding=1),
    Layer(3, 64, (3, 3), (32, 32), 32, padding=1),
    Layer(3, 64, (7, 7), (224, 224), 8, stride=2, padding=3),
    Layer(3, 96, (11, 11), (227, 227), 8, stride=4),
    Layer(256, 512, (3, 3), (8, 8), 32, stride=2, padding=1),
    Layer(64, 64, (5, 5), (28, 28), 16, padding=2),
    Layer(64, 64, (3, 3), (56, 56), 8, padding=2, dilation=2),
    Layer(256, 64, (1, 1), (56, 56), 8),
    Layer(64, 256, (1, 1), (56, 56), 8),
    Layer(256, 512, (1, 1), (28, 28), 8, stride=2),
    Layer(64, 64, (3, 3), (56, 56), 8, padding=1, groups=64),
    Layer(256, 256, (3, 3), (28, 28), 8, stride=2, padding=1, groups=256),
    Layer(128, 128, (3, 3), (56, 56), 8, padding=1, groups=32),  # as in ResNeXt-50 32x4d, C2 .. C5
    Layer(256, 256, (3, 3), (28, 28), 8, padding=1, groups=32),
    Layer(512, 512, (3, 3), (14, 14), 8, padding=1, groups=32),
    Layer(1024, 1024, (3, 3), (7, 7), 8, padding=1, groups=32),
    Layer(1, 6, (5, 5), (28, 28), 64, padding=2),
    Layer(6, 16, (5, 5), (14, 14), 64),
    Layer(1, 6, (5, 5), (28, 28), 1, padding=2),
    Layer(6, 16, (5, 5), (14, 14), 1),
    Layer(64, 64, (9,), (1024,), 16, padding=4),
    Layer(16, 32, (3, 3, 3), (16, 16, 16), 4, padding=1),
]


def convolution(layer: Layer, library):
    """This layer in a library: x and weight to y."""
    convolve = getattr(library.F, f"conv{len(layer.size)}d")

    def call(x, weight):
        return convolve(x, weight, None, layer.stride, layer.padding, layer.dilation,
                        layer.groups)

    return call


def contestants(layer: Layer, library) -> dict:
    """The passes of this layer in a library."""
    x, weight = numbers(*layer.x_shape), numbers(*layer.weight_shape)
    return passes(library, convolution(layer, library), x, [weight], numbers(*layer.y_shape))


def onnx_forward(layer: Layer, runtime: OnnxRuntime):
    """This layer in ONNX Runtime."""
    axes = len(layer.size)
    return runtime.layer(
        "Conv", numbers(*layer.x_shape), numbers(*layer.weight_shape),
        strides=[layer.stride] * axes, pads=pads((layer.padding,) * axes),
        dilations=[layer.dilation] * axes, group=layer.groups)


def chosen_algorithm(layer: Layer, what: str) -> str:
    """The name of the algorithm that tinycnn chooses for a pass."""
    chosen = tinycnn.conv_algorithms(layer.x_shape, layer.weight_shape, layer.stride, layer.padding,
                                     layer.dilation, layer.groups)
    names = {name for part, name in chosen.items() if what in (part, "forward + backward")}
    return names.pop() if len(names) == 1 else "mixed"


def run(bench: Bench) -> None:
    for layer in LAYERS:
        work = dict.fromkeys(("forward", *GRADIENTS), layer.work)
        work["forward + backward"] = Work(3 * layer.work.flop, 3 * layer.work.bytes)
        bench.layer(
            str(layer), partial(contestants, layer), work, 2 + len(layer.size),
            onnx={"forward": partial(onnx_forward, layer)},
            algorithm=partial(chosen_algorithm, layer))


SUITE = Suite("conv", "Convolutions, float32, without bias", "FLOP", run, algorithms=True)
