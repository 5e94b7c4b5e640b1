"""Norms other than batch norm: layer norm as in ConvNeXt and in transformers, group norm, instance
norm as in style transfer, and AlexNet's local response norm."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from ..ceiling import Work
from ..libraries import numbers, passes
from ..session import Bench, Suite

LRN_SIZE = 5


def layer_norm(F: Any, x, weight, bias):
    """Over all numbers of a row."""
    return F.layer_norm(x, x.shape[1:], weight, bias)


def layer_norm_of_pixels(F: Any, x, weight, bias):
    """Over the channels of each pixel. With channels last, permute moves no number."""
    y = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], weight, bias)
    return y.permute(0, 3, 1, 2)


def group_norm(F: Any, x, weight, bias):
    return F.group_norm(x, 32, weight, bias)


def instance_norm(F: Any, x, weight, bias):
    return F.instance_norm(x, None, None, weight, bias)


def local_response_norm(F: Any, x):
    """With the constants of AlexNet."""
    return F.local_response_norm(x, LRN_SIZE, 1e-4, 0.75, 2.0)


@dataclass(frozen=True)
class Norm:
    """A norm, and its operations for each number."""

    name: str
    call: Callable[..., Any]  # nn.functional, x and the parameters to y
    forward: int
    backward: int
    affine: bool = True  # whether it has a weight and a bias for each channel


# Forward: sum 1, squared distance to the mean 3, scale and shift 2, or 4 where weights go along
# with the numbers of a sum. Backward: normalize again 2, two sums 3, result 4; there also the
# weighted gradient 1 and the parameters' own sums 3.
LAYER = Norm("layer norm", layer_norm, 8, 13)
PIXELS = Norm("layer norm of pixels", layer_norm_of_pixels, 8, 13)
GROUPS = Norm("group norm, 32 groups", group_norm, 6, 9)
INSTANCE = Norm("instance norm", instance_norm, 6, 9)
# Square, window, scale and shift, power, product; backward all but the product again, then another
# window, of gradient * x * y / denominator.
RESPONSE = Norm("local response norm", local_response_norm, LRN_SIZE + 5, 2 * LRN_SIZE + 10,
                affine=False)

CASES = [
    (LAYER, (128, 768)), (PIXELS, (32, 96, 56, 56)), (PIXELS, (32, 768, 7, 7)),
    (GROUPS, (8, 256, 56, 56)), (GROUPS, (32, 512, 7, 7)),
    (INSTANCE, (4, 128, 64, 64)), (INSTANCE, (4, 32, 256, 256)),
    (RESPONSE, (32, 96, 55, 55)),
]


def contestants(norm: Norm, shape: tuple[int, ...], library) -> dict:
    """The passes of a norm over (N, C, ...) in a library."""
    params = [numbers(shape[1], seed=1), numbers(shape[1], seed=2)] if norm.affine else []
    return passes(library, partial(norm.call, library.F), numbers(*shape), params,
                  numbers(*shape, seed=3))


def works(norm: Norm, shape: tuple[int, ...]) -> dict[str, Work]:
    """Forward x and y, backward x and both gradients, each once."""
    count = prod(shape)
    return {"forward": Work(norm.forward * count, 8 * count),
            "backward": Work(norm.backward * count, 12 * count),
            "forward + backward": Work((norm.forward + norm.backward) * count, 20 * count)}


def run(bench: Bench) -> None:
    for norm, shape in CASES:
        bench.layer(f"{norm.name}, {'x'.join(map(str, shape))}",
                    partial(contestants, norm, shape), works(norm, shape), len(shape))


SUITE = Suite(
    "norm",
    "Norms, float32; bytes: x and y forward, x and both gradients backward, each once, as an image "
    "can stay in a cache between its sums and its result", "B", run)
