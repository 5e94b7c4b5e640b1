"""Convolutions: every pass of the layers that networks are made of.

python benchmarks/bench_conv.py --threads 1 --against torch
"""

from dataclasses import dataclass
from functools import partial
from math import prod

from bench import Bench
from libraries import numbers, passes


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
    groups: int = 1

    def __str__(self):
        sizes = "x".join(map(str, self.kernel)), "x".join(map(str, self.size))
        stride = f" stride {self.stride}" * (self.stride > 1)
        depthwise = " depthwise" * (self.groups > 1)
        return f"{self.C}->{self.OC} {sizes[0]}{stride}{depthwise}, {sizes[1]}, batch {self.batch}"

    @property
    def output(self):
        return tuple(
            (n + 2 * self.padding - k) // self.stride + 1 for n, k in zip(self.size, self.kernel)
        )

    @property
    def flop(self):
        depth = self.C // self.groups * prod(self.kernel)
        return 2 * self.batch * self.OC * prod(self.output) * depth


LAYERS = [
    Layer(64, 64, (3, 3), (32, 32), 32, padding=1),
    Layer(128, 128, (3, 3), (16, 16), 32, padding=1),
    Layer(256, 256, (3, 3), (8, 8), 32, padding=1),
    Layer(512, 512, (3, 3), (4, 4), 32, padding=1),
    Layer(64, 128, (3, 3), (32, 32), 32, stride=2, padding=1),
    Layer(64, 64, (3, 3), (56, 56), 8, padding=1),
    Layer(256, 256, (3, 3), (14, 14), 8, padding=1),
    Layer(64, 64, (3, 3), (224, 224), 8, padding=1),
    Layer(3, 96, (11, 11), (227, 227), 8, stride=4),
    Layer(256, 64, (1, 1), (56, 56), 8),
    Layer(64, 64, (3, 3), (56, 56), 8, padding=1, groups=64),
    Layer(1, 6, (5, 5), (28, 28), 64, padding=2),
    Layer(6, 16, (5, 5), (14, 14), 64),
    Layer(1, 6, (5, 5), (28, 28), 1, padding=2),
    Layer(6, 16, (5, 5), (14, 14), 1),
    Layer(64, 64, (9,), (1024,), 16, padding=4),
    Layer(16, 32, (3, 3, 3), (16, 16, 16), 4, padding=1),
]


def contestants(layer: Layer, library) -> dict:
    """The passes of this layer in a library."""
    convolve = getattr(library.F, f"conv{len(layer.size)}d")

    def call(x, weight):
        return convolve(x, weight, None, layer.stride, layer.padding, 1, layer.groups)

    x = numbers(layer.batch, layer.C, *layer.size)
    weight = numbers(layer.OC, layer.C // layer.groups, *layer.kernel)
    return passes(library, call, x, [weight], numbers(layer.batch, layer.OC, *layer.output))


def main(argv: list[str] | None = None) -> None:
    bench = Bench("Convolutions, float32, without bias", argv)
    for layer in LAYERS:
        work = {
            "forward": layer.flop,
            "gradient of input": layer.flop,
            "gradient of weight": layer.flop,
            "forward + backward": 3 * layer.flop,
        }
        bench.layer(str(layer), partial(contestants, layer), work, "FLOP", 2 + len(layer.size))
    bench.finish()


if __name__ == "__main__":
    main()
