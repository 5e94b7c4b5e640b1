"""Losses of class scores, of errors, and of sequences."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..ceiling import Work
from ..libraries import numbers, passes
from ..session import Bench, Suite

Shape = tuple[int, ...]
LABELS = 30  # in each sequence of ctc_loss


def scores(shape: Shape) -> np.ndarray:
    return numbers(*shape)


def log_softmax(shape: Shape, seed: int = 0) -> np.ndarray:
    """Logarithms of what sums to 1 along the last axis."""
    x = numbers(*shape, seed=seed)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def sequence_scores(shape: Shape) -> np.ndarray:
    """log_softmax (T, N, C) as the matrix (T, N * C): three axes would be taken for a feature map,
    whose second axis lies last."""
    return log_softmax(shape).reshape(shape[0], -1)


def of_classes(name: str, library: Any, shape: Shape) -> Callable:
    """A loss of scores (N, C, ...), and a label for each place."""
    N, C, *size = shape
    labels = library.numbers((np.arange(N * prod(size)) % C).reshape(N, *size))
    loss = getattr(library.F, name)
    return lambda x: loss(x, labels)


def of_errors(name: str, library: Any, shape: Shape) -> Callable:
    """A loss of numbers and targets of one shape."""
    target, loss = library.feature_map(numbers(*shape, seed=1)), getattr(library.F, name)
    return lambda x: loss(x, target)


def of_distributions(library: Any, shape: Shape) -> Callable:
    """kl_div from the scores of a teacher."""
    target = library.feature_map(np.exp(log_softmax(shape, seed=1)))
    return lambda x: library.F.kl_div(x, target, reduction="batchmean")


def of_sequences(library: Any, shape: Shape) -> Callable:
    """ctc_loss of the matrix of sequence_scores."""
    T, N, C = shape
    count = min(LABELS, T // 2)
    labels = library.numbers((np.arange(N * count) * 7 % (C - 1) + 1).reshape(N, count))
    lengths = (T,) * N, (count,) * N
    return lambda x: library.F.ctc_loss(x.reshape(T, N, C), labels, *lengths)


@dataclass(frozen=True)
class Loss:
    """A loss, its operations for each number of the input and what it reads beside them."""

    name: str
    make: Callable[..., Callable]  # library and shape to the call
    forward: int
    backward: int
    x: Callable[[Shape], np.ndarray] = scores
    targets: str = "labels"  # 8 bytes for each place, or "numbers": 4 for each number

    def target_bytes(self, shape: Shape) -> int:
        if self.targets == "numbers":
            return 4 * prod(shape)
        return 8 * prod(shape) // shape[1]


CROSS_ENTROPY = Loss("cross_entropy", partial(of_classes, "cross_entropy"), 4, 4)
MARGIN = Loss("multi_margin", partial(of_classes, "multi_margin_loss"), 4, 4)
SMOOTH_L1 = Loss("smooth_l1", partial(of_errors, "smooth_l1_loss"), 5, 4, targets="numbers")
HUBER = Loss("huber", partial(of_errors, "huber_loss"), 5, 4, targets="numbers")
KL_DIV = Loss("kl_div", of_distributions, 4, 1, log_softmax, "numbers")
CTC = Loss("ctc", of_sequences, 0, 0, sequence_scores)  # see ctc_work

CASES = [
    (CROSS_ENTROPY, (128, 1000)),  # ImageNet
    (CROSS_ENTROPY, (8, 21, 128, 128)),  # each pixel: segmentation
    (SMOOTH_L1, (32 * 8732, 4)),  # boxes of SSD
    (HUBER, (32 * 8732, 4)),
    (KL_DIV, (128, 1000)),
    (MARGIN, (128, 1000)),
    (CTC, (128, 32, 80)),  # steps, sequences, characters
    (CTC, (26, 64, 37)),  # words in pictures
]


def contestants(loss: Loss, shape: Shape, library) -> dict:
    """The passes of a loss in a library."""
    return passes(library, loss.make(library, shape), loss.x(shape), [], None)


def works(loss: Loss, shape: Shape) -> dict[str, Work]:
    """The input once each way, its gradient written, the targets read."""
    count = prod(shape)
    operations = loss.forward * count, loss.backward * count
    moved = 4 * count, 8 * count
    targets = (loss.target_bytes(shape),) * 2
    if loss is CTC:
        operations, targets = ctc_work(shape)
    elif loss is KL_DIV:
        moved = 4 * count, 4 * count  # its gradient is made of targets alone
    forward, backward = (Work(flop, numbers + read)
                         for flop, numbers, read in zip(operations, moved, targets))
    return {"forward": forward, "backward": backward,
            "forward + backward": Work(forward.flop + backward.flop,
                                       forward.bytes + backward.bytes)}


def ctc_work(shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
    """Operations forward and backward, and bytes of labels. A step of each of the 2 S + 1 states
    adds three predecessors and multiplies: 3; backward that again from the end, its product with
    the forward one and the sum for each class: 5; and a gradient for each score: 2."""
    T, N, _ = shape
    count = min(LABELS, T // 2)
    states = T * N * (2 * count + 1)
    return (3 * states, 5 * states + 2 * prod(shape)), (8 * N * count,) * 2


def run(bench: Bench) -> None:
    for loss, shape in CASES:
        bench.layer(f"{loss.name}, {'x'.join(map(str, shape))}",
                    partial(contestants, loss, shape), works(loss, shape), len(shape))


SUITE = Suite(
    "loss",
    "Losses, float32, means over all; bytes: the input each way, its gradient written, the targets "
    "each way", "B", run)
