"""Synthetic digits: pictures in the form of MNIST, drawn from strokes, with no file and no network.

A digit is a glyph's points, bent by an elastic wave field, turned, slanted, scaled and shifted,
and then inked by a pen. Digit i depends on the seed and i alone: any can be drawn at any time.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from .._core.checks import int_of, require
from .glyphs import POINTS, glyphs
from .image_dataset import ImageDataset
from .random import philox

SIZE = 28
_WAVES = 3
_CHUNK = 128  # digits drawn at once: their points' profiles stay in the cache
_TEST = 1 << 40  # index of the first test digit: no training set reaches it


def draw_digits(seed: int, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The synthetic digits at `indices` of the endless sequence `seed`.

    Args:    seed (int): which sequence.
             indices (sequence of int): (N,), from 0 to 2**63 - 1.
    Returns: (images, labels): uint8 (N, 28, 28), ink is bright; int64 (N,), 0 to 9.
    Example: >>> images, labels = draw_digits(seed=0, indices=[7, 8])
             >>> again, _ = draw_digits(seed=0, indices=[8])
             >>> images.shape, bool((images[1] == again[0]).all())
             ((2, 28, 28), True)
    """
    index = np.asarray(indices, np.int64)
    table = glyphs()
    images = np.empty((len(index), SIZE, SIZE), np.uint8)
    labels = np.empty(len(index), np.int64)
    for start in range(0, len(index), _CHUNK):
        part = slice(start, start + _CHUNK)
        words = philox(seed, index[part], 2 + 8 + 4 * _WAVES, stream=0x6469)
        u = (words * 2.0**-32).astype(np.float32)
        u = np.minimum(u, np.float32(1 - 2.0**-24))  # rounding to float32 may reach 1
        labels[part] = digit = (u[:, 0] * 10).astype(np.int64)
        glyph = table.first[digit] + (u[:, 1] * table.styles[digit]).astype(np.int64)
        points, scale = _place(_bend(table.paths[glyph], u[:, 10:]), u[:, 2:8])
        images[part] = _ink(points, table.spacing[glyph] * scale, u[:, 8:10])
    return images, labels


def _between(u, low, high):
    return low + u * np.float32(high - low)


def _bend(points, u):
    """Elastic jitter: every point (N, POINTS, 2) is moved by a few long waves over the box.

    p' = p + sum over waves of a * sin(k . p + phase), |k| about one period per box
    """
    u = u.reshape(len(points), _WAVES, 4, 1)
    turn, phase = 2 * np.pi * u[:, :, 0], 2 * np.pi * u[:, :, 1]
    k = _between(u[:, :, 2], 3.0, 8.0)
    x, y = points[:, None, :, 0], points[:, None, :, 1]
    wave = np.sin(k * (np.cos(turn) * x + np.sin(turn) * y) + phase)
    away = 2 * np.pi * u[:, :, 3]
    size = 0.3 / k  # long waves move far, short ones little: strokes stay smooth
    shift = [(size * f(away) * wave).sum(1) for f in (np.cos, np.sin)]
    return points + np.stack(shift, axis=2)


def _place(points, u):
    """Affine jitter, to pixels: (points, pixels per unit along a stroke).

    p' = scale * rotation * slant * p + shift, with the points' centroid near the picture's centre
    """
    turn, slant = _between(u[:, 0], -0.18, 0.18), _between(u[:, 1], -0.15, 0.5)
    height, width = _between(u[:, 2], 15.5, 19.0), _between(u[:, 3], 0.75, 1.1)
    x, y = (points - points.mean(1, keepdims=True)).transpose(2, 0, 1)
    x = (x * width[:, None] - y * slant[:, None]) * height[:, None]
    y = y * height[:, None]
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    center = (SIZE - 1) / 2 + _between(u[:, 4:6], -1.0, 1.0)
    moved = np.stack([c * x - s * y + center[:, :1], s * x + c * y + center[:, 1:]], axis=2)
    return moved, height


def _ink(points, spacing, u):
    """Grey levels (N, 28, 28) of strokes drawn with a round pen.

    Each point spreads a Gaussian, which is a product of a row and a column profile, so all points
    of a picture together are one matrix product: field = rows^T @ columns. Along a straight stroke
    field(d) = exp(-d^2 / (2 s^2)) at distance d; the ink ends where it is 1/2, at the pen's radius
    r = s * sqrt(2 ln 2). There it falls by ln 2 / r per pixel: that sets the grey edge's width.
    """
    radius = _between(u[:, 0], 0.85, 1.65)[:, None, None]
    s = radius / np.float32(np.sqrt(2 * np.log(2)))
    columns, rows = _profile(points[:, :, 0], s), _profile(points[:, :, 1], s)
    along = np.linspace(0, 2 * np.pi, POINTS, dtype=np.float32)
    pressure = 1 + 0.25 * np.sin(along + 2 * np.pi * u[:, 1:])
    weight = pressure * spacing[:, None] / (s[:, 0] * np.float32(np.sqrt(2 * np.pi)))
    rows *= weight[:, :, None]
    field = np.matmul(rows.transpose(0, 2, 1), columns)
    steepness = np.maximum(radius * np.float32(0.8 / np.log(2)), 1)  # at least 1: paper stays 0
    ink = 0.5 + (field - 0.5) * steepness
    return (np.clip(ink, 0, 1) * 255).astype(np.uint8)


def _profile(centers, s):
    """exp(-(pixel - center)^2 / (2 s^2)) for 28 pixels, in place. Far from the center it is a tiny
    number instead of one below the normal range, with which processors are slow."""
    z = np.arange(SIZE, dtype=np.float32) - centers[:, :, None]
    z *= np.float32(np.sqrt(0.5)) / s
    np.square(z, out=z)
    np.minimum(z, 40, out=z)
    np.negative(z, out=z)
    return np.exp(z, out=z)


class SyntheticDigits(ImageDataset):
    """Digits drawn from strokes, in the form of `MNIST`, without files.

    Item i is (Tensor (1, 28, 28) of float32 after the transform, int label); see `ImageDataset`.
    Training digits are numbers 0, 1, ... of the sequence `seed`; test digits lie far beyond them.

    Args:    train (bool): training digits or test digits.
             size (int): how many; 60,000 for training and 10,000 for test by default, as in MNIST.
             seed (int): which sequence.
             transform (callable): from uint8 (1, 28, 28) to an array; `ToFloat()` if None.
             target_transform (callable): from the label to what is wanted instead.
    Raises:  ValueError: if size is negative.  TypeError: if it is no int.
    Example: >>> digits = SyntheticDigits(size=10)
             >>> len(digits), digits[3][0].shape
             (10, (1, 28, 28))
    """

    def __init__(self, train: bool = True, size: int | None = None, seed: int = 0,
                 transform: Callable | None = None, target_transform: Callable | None = None):
        if size is None:
            size = 60_000 if train else 10_000
        size = int_of("SyntheticDigits", "size", size, "Leave it out for as many as in MNIST.")
        require(size >= 0, "SyntheticDigits", "size to be at least 0", size,
                "Leave it out for as many as in MNIST.")
        self.train, self.seed = train, seed
        first = 0 if train else _TEST
        images, labels = draw_digits(seed, np.arange(first, first + size))
        super().__init__(images, labels, tuple("0123456789"), transform, target_transform)


def synthetic_digits(seed: int = 0, batch_size: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Digits without end: numbers 0, 1, ... of the sequence `seed`.

    Args:    seed (int): which sequence.
             batch_size (int): digits a batch; None yields them one by one.
    Returns: iterator of (Tensor (1, 28, 28) of float32 in [0, 1], int label), or of batches
             (Tensor (batch_size, 1, 28, 28), Tensor (batch_size,) of int64).
    Raises:  ValueError: if batch_size is below 1.  TypeError: if it is no int.
    Example: >>> image, label = next(synthetic_digits(seed=0))
             >>> image.shape, 0 <= label <= 9
             ((1, 28, 28), True)
    """
    if batch_size is not None:
        batch_size = int_of("synthetic_digits", "batch_size", batch_size,
                            "Leave it out for single digits.")
    require(batch_size is None or batch_size > 0, "synthetic_digits", "batch_size to be at least 1",
            batch_size, "Leave it out for single digits.")
    return _endless(seed, batch_size)


def _endless(seed, batch_size):
    n = batch_size or _CHUNK
    for start in count(0, n):
        images, labels = draw_digits(seed, np.arange(start, start + n))
        part = ImageDataset(images, labels, tuple("0123456789"))
        if batch_size is None:
            yield from (part[i] for i in range(n))
        else:
            yield part.get_batch(range(n))
