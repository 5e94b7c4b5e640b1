"""Feature maps made larger, smaller or rearranged: resizing, sampling at places, unpooling, windows
as columns, channels as pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import tinycnn.nn.functional as F
from tinycnn import tensor

from ..ceiling import Work
from ..libraries import numbers, passes
from ..session import Bench, Suite

Shape = tuple[int, ...]


def resize(library: Any, shape: Shape, **settings: Any) -> Callable:
    return partial(library.F.interpolate, **settings)


def sample(library: Any, shape: Shape) -> Callable:
    """At places that arrive as a matrix: a grid has no channels that could lie last."""
    N, _, H, W = shape
    return lambda x, places: library.F.grid_sample(x, places.reshape(N, H, W, 2),
                                                   align_corners=False)


def unpool(library: Any, shape: Shape) -> Callable:
    """To where a pooling found its largest values."""
    pooled = library.feature_map(numbers(*doubled(shape), seed=2))
    _, indices = library.F.max_pool2d(pooled, 2, return_indices=True)
    return lambda x: library.F.max_unpool2d(x, indices, 2)


def unfold(library: Any, shape: Shape) -> Callable:
    """To columns as one matrix, which lies in memory as a product wants it."""
    return lambda x: library.F.unfold(x, 3, padding=1).reshape(columns(shape))


def fold(library: Any, shape: Shape) -> Callable:
    N, C, H, W = shape
    return lambda x: library.F.fold(x.reshape(N, 9 * C, H * W), (H, W), 3, padding=1)


def shuffle(library: Any, shape: Shape) -> Callable:
    return lambda x: library.F.pixel_shuffle(x, 2)


def same(shape: Shape) -> Shape:
    return shape


def doubled(shape: Shape) -> Shape:
    N, C, H, W = shape
    return N, C, 2 * H, 2 * W


def halved(shape: Shape) -> Shape:
    N, C, H, W = shape
    return N, C, H // 2, W // 2


def shuffled(shape: Shape) -> Shape:
    N, C, H, W = shape
    return N, C // 4, 2 * H, 2 * W


def columns(shape: Shape) -> Shape:
    """Windows of 3 x 3 around all pixels: (N * 9 * C, H * W)."""
    N, C, H, W = shape
    return 9 * N * C, H * W


@dataclass(frozen=True)
class Resampling:
    """How a feature map changes; operations for each number of the larger of x and y."""

    name: str
    make: Callable[..., Callable]  # library and shape to the call
    y: Callable[[Shape], Shape]
    forward: int
    backward: int
    x: Callable[[Shape], Shape] = same


BILINEAR = {"mode": "bilinear", "align_corners": False}
BICUBIC = {"mode": "bicubic", "align_corners": False}
NEAREST = Resampling("nearest x2", partial(resize, scale_factor=2), doubled, 0, 1)
LINEAR = Resampling("bilinear x2", partial(resize, scale_factor=2, **BILINEAR), doubled, 8, 8)
CUBIC = Resampling("bicubic x2", partial(resize, scale_factor=2, **BICUBIC), doubled, 32, 32)
AREA = Resampling("area x1/2", partial(resize, scale_factor=0.5, mode="area"), halved, 1, 1)
SAMPLE = Resampling("grid_sample", sample, same, 8, 16)  # gradients of x and of the places
UNPOOL = Resampling("max_unpool2d", unpool, doubled, 0, 0)
UNFOLD = Resampling("unfold 3x3", unfold, columns, 0, 1)
FOLD = Resampling("fold 3x3", fold, same, 1, 0, columns)
SHUFFLE = Resampling("pixel_shuffle 2", shuffle, shuffled, 0, 0)

CASES = [
    (NEAREST, (8, 64, 56, 56)), (LINEAR, (8, 64, 56, 56)), (LINEAR, (8, 21, 65, 65)),
    (CUBIC, (8, 3, 128, 128)), (AREA, (8, 64, 112, 112)), (SAMPLE, (8, 64, 56, 56)),
    (SAMPLE, (64, 1, 28, 28)), (UNPOOL, (8, 64, 56, 56)), (UNFOLD, (8, 64, 28, 28)),
    (FOLD, (8, 64, 28, 28)), (SHUFFLE, (8, 256, 56, 56)),
]


def places(shape: Shape):
    """What every pixel of a picture that is turned by some 17 degrees reads: (N * H * W, 2)."""
    turn = tensor([[[0.96, -0.28, 0.0], [0.28, 0.96, 0.0]]] * shape[0])
    return F.affine_grid(turn, shape, align_corners=False).numpy().reshape(-1, 2)


def contestants(case: Resampling, shape: Shape, library) -> dict:
    """The passes of a resampling of a feature map (N, C, H, W) in a library."""
    params = [places(shape)] if case is SAMPLE else []
    return passes(library, case.make(library, shape), numbers(*case.x(shape)), params,
                  numbers(*case.y(shape), seed=1))


def works(case: Resampling, shape: Shape) -> dict[str, Work]:
    """x and y once each way; also the places, with x again and their gradient backward, or the
    indices of unpooling, of 8 bytes."""
    x, y = prod(case.x(shape)), prod(case.y(shape))
    forward = backward = 4 * (x + y)
    if case is SAMPLE:
        count = x // shape[1]  # of places, two numbers each
        forward, backward = forward + 8 * count, backward + 4 * x + 16 * count
    if case is UNPOOL:
        forward, backward = forward + 8 * x, backward + 8 * x
    most = max(x, y)
    return {"forward": Work(case.forward * most, forward),
            "backward": Work(case.backward * most, backward),
            "forward + backward": Work((case.forward + case.backward) * most, forward + backward)}


def run(bench: Bench) -> None:
    for case, shape in CASES:
        bench.layer(f"{case.name}, {'x'.join(map(str, shape))}",
                    partial(contestants, case, shape), works(case, shape))


SUITE = Suite(
    "resample",
    "Resampling, float32; bytes: x and y, each once; also the places, and x again backward, of "
    "grid_sample, and the indices of unpooling; a copy has no operations", "B", run)
