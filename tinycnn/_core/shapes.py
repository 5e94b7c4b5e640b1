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


class PoolAxis(NamedTuple):
    """Where pooling looks along one axis: output i sees start[i], start[i] + step, ... < stop[i].

    Only pixels of the input are listed, never padding, so a kernel needs no bounds check. Fixed
    windows, clipped windows and adaptive windows are all of this form.
    """

    start: tuple
    stop: tuple
    step: int
    count: tuple  # what an average along this axis divides by: may include padding
    kernel: int  # places of the longest window; position = (d * KH + h) * KW + w counts in these


def pool_output_size(size, kernel, stride, padding, dilation=1, ceil_mode=False):
    """out = floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1 along one axis.

    With `ceil_mode` ceil instead of floor, but the last window must start inside the input or the
    padding in front of it.
    """
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    return out - 1 if ceil_mode and (out - 1) * stride >= size + padding else out


@lru_cache(maxsize=128)
def pool_axis(
    size, kernel, stride, padding, dilation=1, ceil_mode=False, count_include_pad=True
) -> PoolAxis:
    """The windows of pooling with a fixed size, clipped to the input (0 <= place < size).

    The count includes padding on both sides if `count_include_pad`, but never the pixels past it
    that `ceil_mode` adds. With dilation a window may hold no pixel at all: start[i] >= stop[i].
    """
    start, stop, count = [], [], []
    for i in range(pool_output_size(size, kernel, stride, padding, dilation, ceil_mode)):
        first = i * stride - padding
        last = first + dilation * (kernel - 1)
        skipped = max(0, -(first // dilation))  # places in the padding in front
        start.append(first + skipped * dilation)
        stop.append(min(last + 1, size))
        inside = len(range(start[i], stop[i], dilation))
        padded = len(range(first, min(last + 1, size + padding), dilation))
        count.append(padded if count_include_pad else inside)
    longest = max(len(range(a, b, dilation)) for a, b in zip(start, stop)) if start else 0
    return PoolAxis(tuple(start), tuple(stop), dilation, tuple(count), longest)


@lru_cache(maxsize=128)
def adaptive_pool_axis(size, out) -> PoolAxis:
    """The windows of adaptive pooling: from floor(i * in / out) to ceil((i + 1) * in / out)."""
    start = tuple([i * size // out for i in range(out)])
    stop = tuple([-((i + 1) * -size // out) for i in range(out)])
    count = tuple([b - a for a, b in zip(start, stop)])
    return PoolAxis(start, stop, 1, count, max(count, default=0))
