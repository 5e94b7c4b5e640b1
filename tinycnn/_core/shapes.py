"""Sizes: windows, output sizes, padding rules. Integers only, standard library only.

Size letters: N images, C channels, D H W input size, KD KH KW window, OD OH OW output size.
Spatial kernels are written once, for three axes; an operation in one or two dimensions passes its
arrays with axes of length 1 in front, and a window that is 1 there.
"""

from functools import lru_cache
from typing import NamedTuple

from .checks import fail


class Window(NamedTuple):
    """A sliding window over three axes (D, H, W). Each field has one entry per axis."""

    kernel: tuple
    stride: tuple
    padding: tuple  # ((low, high), (low, high), (low, high)), in pixels; negative crops
    dilation: tuple

    def output_size(self, size):
        """out = floor((in + low + high - dilation * (kernel - 1) - 1) / stride) + 1, per axis."""
        return tuple([
            (n + p[0] + p[1] - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(size, self.kernel, self.stride, self.padding, self.dilation)
        ])


def tuple_of(value, dims, function, name, least):
    """`value` as a tuple of `dims` integers: an int is repeated, a sequence must have that length.

    Raises:  TypeError: if it is no integer or sequence of integers.
             ValueError: if its length is not `dims`, or an entry is below `least`.
    """
    if type(value) is int:
        values = (value,) * dims
    else:
        try:
            values = tuple(value) if hasattr(value, "__iter__") else (value,) * dims
            values = tuple([v.__index__() for v in values])
        except (TypeError, AttributeError):
            fail(function, f"{name} to be an int or {dims} ints", repr(value),
                 f"Pass for example {name}={max(least, 1)}.", TypeError)
        if len(values) == 1:
            values *= dims
    if len(values) != dims or min(values) < least:
        fail(function, f"{name} to be one int or {dims} ints, each at least {least}", repr(value),
             f"Pass for example {name}={max(least, 1)}.")
    return values


@lru_cache(maxsize=4096)
def three_axes(kernel, stride, padding, dilation):
    """The `Window` for tuples of one, two or three axes; missing axes in front are 1 wide.

    Args:    padding (tuple of (low, high)): pixels in front of and behind each axis.
    """
    one, none = (1,) * (3 - len(kernel)), ((0, 0),) * (3 - len(kernel))
    return Window(one + kernel, one + stride, none + padding, one + dilation)
