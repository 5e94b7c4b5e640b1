"""Changes to pictures on their way into a batch: one (C, H, W), or all of (N, C, H, W) at once.

Every transform is a function from an array to a new array; the input is left as it is. Random ones
draw one set of numbers per picture from `data.random.uniform`, so a picture's crop depends on the
loader's generator and the picture's position in the epoch, not on threads or on the batch size.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.checks import fail, require, shape_text
from .._core.shapes import tuple_of
from ..autograd import wrap
from ..tensor import Tensor
from .collate import default_collate
from .random import for_each_sample, uniform


class Transform:
    """Base of the transforms: write `apply(x)` for a batch (N, C, H, W), call it with either form.

    Example: >>> class Invert(Transform):
             ...     def apply(self, x):
             ...         return 1 - x
             >>> Invert()(np.zeros((1, 2, 2)))[0].tolist()
             [[1.0, 1.0], [1.0, 1.0]]
    """

    def __call__(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            return wrap(self(x.data))
        x = np.asarray(x)
        if x.ndim == 3:
            return self.batch(x[None])[0]
        return self.batch(x)

    def batch(self, x: np.ndarray) -> np.ndarray:
        """The transform of every picture of a batch (N, C, H, W)."""
        if x.ndim != 4:
            fail(type(self).__name__, "a picture (C, H, W) or a batch (N, C, H, W)",
                 shape_text(x.shape), "Add the missing axis, for example with x[None].")
        return self.apply(x)

    def apply(self, x: np.ndarray) -> np.ndarray:
        raise TypeError(f"{type(self).__name__}: expected an apply method, got none. "
                        f"Write apply(self, x) for a batch (N, C, H, W).")

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if k[0] != "_")
        return f"{type(self).__name__}({settings})"


def apply_to_batch(transform: Callable, x: np.ndarray) -> np.ndarray:
    """`transform` of every picture of a batch: at once, or one by one if it is a plain function.

    Example: >>> apply_to_batch(lambda picture: picture[:, ::2], np.zeros((5, 1, 8, 8))).shape
             (5, 1, 4, 8)
    """
    if isinstance(transform, Transform):
        return transform.batch(x)
    results = default_collate(for_each_sample(transform, list(x)))
    return results.data if isinstance(results, Tensor) else results


class Compose(Transform):
    """Several transforms, one after the other; plain functions get one picture at a time.

    Args:    transforms (sequence of callables): in order.
    Raises:  TypeError: if one cannot be called.
    Example: >>> Compose([ToFloat(), Normalize(0.5, 0.5)])(np.full((1, 1, 1), 255, np.uint8)).item()
             1.0
    """

    def __init__(self, transforms: Sequence[Callable]):
        self.transforms = list(transforms)
        for t in self.transforms:
            require(callable(t), "Compose", "functions or transforms", repr(t),
                    "Pass a list, for example [ToFloat(), Normalize(0.5, 0.5)].", TypeError)

    def __call__(self, x: Any) -> Any:
        if getattr(x, "ndim", 3) == 4:
            return wrap(self.batch(x.data)) if isinstance(x, Tensor) else self.batch(x)
        for t in self.transforms:
            x = t(x)
        return x

    def batch(self, x: np.ndarray) -> np.ndarray:
        for t in self.transforms:
            x = apply_to_batch(t, x)
        return x


class Lambda(Transform):
    """Any function as a transform.

    Args:    function (callable): from an array (C, H, W) to an array.
             batched (bool): it takes (N, C, H, W) instead, all pictures at once, and keeps N.
    Raises:  TypeError: if it cannot be called.
    Example: >>> Lambda(lambda x: x.reshape(-1))(np.zeros((1, 2, 2))).shape
             (4,)
    """

    def __init__(self, function: Callable[[np.ndarray], np.ndarray], batched: bool = False):
        require(callable(function), "Lambda", "a function", repr(function),
                "Pass for example Lambda(lambda x: 1 - x).", TypeError)
        self.function = function
        self.batched = batched

    def apply(self, x: np.ndarray) -> np.ndarray:
        return self.function(x) if self.batched else apply_to_batch(self.function, x)


class ToFloat(Transform):
    """Grey levels 0 to 255 to float32 in [0, 1]; floating-point pictures only change their type.

    y = x / 255

    Raises:  TypeError: if the picture is neither uint8, bool nor floating-point.
    Example: >>> ToFloat()(np.array([[[0, 51, 255]]], np.uint8)).round(3).tolist()
             [[[0.0, 0.20000000298023224, 1.0]]]
    """

    def apply(self, x: np.ndarray) -> np.ndarray:
        if x.dtype == np.uint8:
            return np.divide(x, np.float32(255), dtype=np.float32)
        if x.dtype.kind not in "fb":
            fail("ToFloat", "uint8, bool or a floating-point type", str(x.dtype),
                 "The largest value of other integers is unknown: divide by it with a Lambda.",
                 TypeError)
        return x.astype(np.float32)


class Normalize(Transform):
    """Subtract a mean and divide by a standard deviation, for each channel.

    y[c] = (x[c] - mean[c]) / std[c]

    Args:    mean (float or sequence): (C,), or one for all channels; in the units of x.
             std (float or sequence): (C,), or one for all channels; not 0.
    Raises:  ValueError: if an std is 0, or the number of channels is another.
             TypeError: if the picture is of an integer type.
    Example: >>> Normalize(mean=0.5, std=0.25)(np.ones((1, 1, 1), np.float32)).item()
             2.0
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]):
        self.mean, self.std = mean, std
        self._mean = np.array(mean, np.float64).reshape(-1, 1, 1)
        self._std = np.array(std, np.float64).reshape(-1, 1, 1)
        require((self._std != 0).all(), "Normalize", "std other than 0", repr(std),
                "Leave out channels that are constant.")

    def apply(self, x: np.ndarray) -> np.ndarray:
        if x.dtype.kind != "f":
            fail("Normalize", "a floating-point picture", str(x.dtype),
                 "Put ToFloat() in front of it.", TypeError)
        if not {len(self._mean), len(self._std)} <= {1, x.shape[1]}:
            fail("Normalize", f"as many channels as mean ({len(self._mean)}) and std "
                 f"({len(self._std)}) have entries", shape_text(x.shape),
                 "Pass one mean and one std per channel.")
        y = np.subtract(x, self._mean.astype(x.dtype), out=np.empty_like(x))
        return np.divide(y, self._std.astype(x.dtype), out=y)


class RandomHorizontalFlip(Transform):
    """Mirror a picture, left to right, with probability p.

    Args:    p (float): 0 to 1.
    Raises:  ValueError: if p is no probability.
    Example: >>> RandomHorizontalFlip(p=1.0)(np.array([[[1, 2, 3]]])).tolist()
             [[[3, 2, 1]]]
    """

    def __init__(self, p: float = 0.5):
        require(0 <= p <= 1, "RandomHorizontalFlip", "p from 0 to 1", p, "Pass for example p=0.5.")
        self.p = p

    def apply(self, x: np.ndarray) -> np.ndarray:
        flipped = uniform(len(x))[:, 0] < self.p
        y = x.copy(order="K")
        y[flipped] = x[flipped][..., ::-1]
        return y


class RandomCrop(Transform):
    """Cut out a random part of a given size, after padding.

    Args:    size (int or (int, int)): height and width of the part, in pixels.
             padding (int or sequence): pixels added on every side; or (left and right, top and
               bottom); or (left, top, right, bottom).
             fill (float): what constant padding is filled with.
             padding_mode (str): "constant", "edge", "reflect" or "symmetric".
    Returns: array (C, size, size) or (N, C, size, size).
    Raises:  ValueError: if the padded picture is smaller than the part.
    Example: >>> RandomCrop(32, padding=4)(np.zeros((3, 32, 32))).shape
             (3, 32, 32)
    """

    def __init__(self, size: int | Sequence[int], padding: int | Sequence[int] | None = None,
                 fill: float = 0, padding_mode: str = "constant"):
        self.size = tuple_of(size, 2, "RandomCrop", "size", 1)
        self.padding = padding
        self.fill, self.padding_mode = fill, padding_mode
        sides = () if padding is None else padding
        sides = (sides,) if isinstance(sides, int) else tuple(sides)
        require(len(sides) in (0, 1, 2, 4) and min(sides, default=0) >= 0, "RandomCrop",
                "padding to be 1, 2 or 4 ints of at least 0", repr(padding),
                "Pass for example padding=4.")
        modes = ("constant", "edge", "reflect", "symmetric")
        require(padding_mode in modes, "RandomCrop", f"padding_mode among {', '.join(modes)}",
                repr(padding_mode), "Pass for example padding_mode='reflect'.")
        left, top, right, bottom = (sides or (0,)) * (4 // (len(sides) or 1))
        self._pad = ((0, 0), (top, bottom), (left, right), (0, 0))

    def apply(self, x: np.ndarray) -> np.ndarray:
        fill = {"constant_values": self.fill} if self.padding_mode == "constant" else {}
        pictures: np.ndarray = np.pad(
            x.transpose(0, 2, 3, 1), self._pad, self.padding_mode, **fill)  # type: ignore[call-overload]
        if pictures.shape[1] < self.size[0] or pictures.shape[2] < self.size[1]:
            fail("RandomCrop", f"a padded picture of at least {shape_text(self.size)} pixels",
                 f"{shape_text(x.shape)} with padding={self.padding!r}",
                 "Use a smaller size or more padding.")
        return _random_part(pictures, self.size)


class RandomShift(Transform):
    """Move a picture by up to `max_shift` pixels along each axis; what comes in is `fill`.

    Args:    max_shift (int or (int, int)): pixels, vertically and horizontally.
             fill (float): the value outside of the picture.
    Raises:  ValueError: if max_shift is negative.
    Example: >>> RandomShift(2)(np.zeros((8, 1, 28, 28))).shape
             (8, 1, 28, 28)
    """

    def __init__(self, max_shift: int | Sequence[int], fill: float = 0):
        self.max_shift = tuple_of(max_shift, 2, "RandomShift", "max_shift", 0)
        self.fill = fill

    def apply(self, x: np.ndarray) -> np.ndarray:
        pad = ((0, 0), *((s, s) for s in self.max_shift), (0, 0))
        pictures = np.pad(x.transpose(0, 2, 3, 1), pad, constant_values=self.fill)
        return _random_part(pictures, x.shape[2:])


def _random_part(pictures, size):
    """A part of `size` out of every picture of (N, H, W, C), any place as likely: (N, C, *size)."""
    room = np.array(pictures.shape[1:3]) - size
    top, left = (uniform(len(pictures), 2) * (room + 1)).astype(np.int64).T
    # parts[n, i, j] is the part of picture n whose corner is at (i, j): a view, nothing is copied
    parts = np.lib.stride_tricks.sliding_window_view(pictures, size, axis=(1, 2))
    parts = parts.transpose(0, 1, 2, 4, 5, 3)
    return parts[np.arange(len(pictures)), top, left].transpose(0, 3, 1, 2)
