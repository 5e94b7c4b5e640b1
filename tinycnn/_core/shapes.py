"""Sizes: windows, output sizes, padding rules. Integers only, standard library only.

Size letters: N images, C channels, D H W input size, KD KH KW window, OD OH OW output size.
Spatial kernels are written once, for three axes; an operation in one or two dimensions passes its
arrays with axes of length 1 in front, and a window that is 1 there.
"""

from functools import lru_cache
from math import gcd
from typing import NamedTuple

from .checks import fail, index_of, shape_text


class Window(NamedTuple):
    """A sliding window over three axes (D, H, W). Each field has one entry per axis; the last
    names the algorithm that is preferred for sliding it."""

    kernel: tuple
    stride: tuple
    padding: tuple  # ((low, high), (low, high), (low, high)), in pixels; negative crops
    dilation: tuple
    algorithm: str = "auto"

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
            values = tuple(map(index_of, values))
        except TypeError:
            fail(function, f"{name} to be an int or {dims} ints", repr(value),
                 f"Pass for example {name}={max(least, 1)}.", TypeError)
        if len(values) == 1:
            values *= dims
    if len(values) != dims or min(values) < least:
        fail(function, f"{name} to be one int or {dims} ints, each at least {least}", repr(value),
             f"Pass for example {name}={max(least, 1)}.")
    if max(values) >= 2**31:
        fail(function, f"{name} below 2**31", repr(value), "No image is that large.")
    return values


def three_axes(kernel, stride, padding, dilation):
    """The `Window` for tuples of one, two or three axes; missing axes in front are 1 wide.

    Args:    padding (tuple of (low, high)): pixels in front of and behind each axis.
    """
    one, none = (1,) * (3 - len(kernel)), ((0, 0),) * (3 - len(kernel))
    return Window(one + kernel, one + stride, none + padding, one + dilation)


def frozen(value):
    """Lists and arrays, also nested ones, as tuples: arguments that a cache can look up."""
    if type(value) is int:
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(map(frozen, value))
    return value if type(value).__hash__ else repr(value)  # a set, a dict: refused later


def remembered(function):
    """Decorator of a function of shapes and settings: it is run once for each of them.

    Lists and arrays cannot be looked up, they are made tuples first. What raises runs again.
    """
    look_up = lru_cache(maxsize=4096, typed=True)(function)

    def call(*arguments):
        try:
            return look_up(*arguments)
        except TypeError:  # no hash; or a mistake, which raises once more
            pass
        return look_up(*map(frozen, arguments))

    call.cache_info = look_up.cache_info
    return call


def conv_padding(function, padding, size, kernel, stride, dilation):
    """(low, high) for each axis, from an int, a tuple of ints or pairs, or a rule by its name.

    "valid" pads nothing. "full" pads dilation * (kernel - 1) on both sides: every overlap counts.
    "same" pads in all max((ceil(in / stride) - 1) * stride + dilation * (kernel - 1) + 1 - in, 0),
    so that out = ceil(in / stride); an odd pixel goes to the end.
    """
    dims = len(kernel)
    if padding == "valid":
        return ((0, 0),) * dims
    spans = [d * (k - 1) for k, d in zip(kernel, dilation)]
    if padding == "full":
        return tuple([(span, span) for span in spans])
    if padding == "same":
        total = [
            max((-(-n // s) - 1) * s + span + 1 - n, 0) for n, s, span in zip(size, stride, spans)
        ]
        return tuple([(t // 2, t - t // 2) for t in total])
    if isinstance(padding, str):
        fail(function, "padding 'valid', 'same', 'full', or numbers", repr(padding),
             "Use one of these names.")
    if isinstance(padding, tuple) and len(padding) == dims and isinstance(padding[0], tuple):
        return tuple([tuple_of(pair, 2, function, "padding", 0) for pair in padding])
    return tuple([(p, p) for p in tuple_of(padding, dims, function, "padding", 0)])


@remembered
def conv_window(function, size, kernel, stride, padding, dilation):
    """The `Window` of a convolution over an input of `size`, from arguments as users write them.

    Raises:  ValueError: if an argument is out of range, or the window is larger than the input.
             TypeError: if an argument is no integer or sequence of integers.
    """
    stride = tuple_of(stride, len(kernel), function, "stride", 1)
    dilation = tuple_of(dilation, len(kernel), function, "dilation", 1)
    pairs = conv_padding(function, padding, size, kernel, stride, dilation)
    padded = tuple([n + low + high for n, (low, high) in zip(size, pairs)])
    spans = tuple([d * (k - 1) + 1 for k, d in zip(kernel, dilation)])
    if any(n < span for n, span in zip(padded, spans)):
        fail(function, f"an input that the window {shape_text(spans)} fits into (kernel "
             f"{shape_text(kernel)}, dilation {shape_text(dilation)})",
             f"{shape_text(size)}, {shape_text(padded)} with padding",
             "Pad more, or use a smaller kernel or dilation.")
    return three_axes(kernel, stride, pairs, dilation)


@remembered
def transposed_window(function, size, kernel, stride, padding, output_padding, dilation):
    """The `Window` of the convolution that a transposed one is the transpose of, and the output
    size (OD, OH, OW).

    Raises:  ValueError, TypeError: as conv_window; also if output_padding is not below stride or
             dilation, or nothing is left of the output.
    """
    dims = len(kernel)
    stride = tuple_of(stride, dims, function, "stride", 1)
    dilation = tuple_of(dilation, dims, function, "dilation", 1)
    extra = tuple_of(output_padding, dims, function, "output_padding", 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        fail(function, "output_padding below stride or dilation",
             f"{output_padding!r} with stride {shape_text(stride)} and dilation "
             f"{shape_text(dilation)}",
             "It picks among output sizes that differ by less than a stride.")
    grown = tuple([n * s for n, s in zip(size, stride)])
    pairs = conv_padding(function, padding, grown, kernel, stride, dilation)
    if padding == "same":
        out = tuple([n + e for n, e in zip(grown, extra)])
    else:
        out = tuple([
            (n - 1) * s - low - high + d * (k - 1) + e + 1
            for n, k, s, (low, high), e, d in zip(size, kernel, stride, pairs, extra, dilation)
        ])
    if min(out) < 1:
        fail(function, "an output of at least one pixel along each axis",
             f"size {shape_text(out)} from input size {shape_text(size)}",
             "Use less padding, or a larger input.")
    return three_axes(kernel, stride, pairs, dilation), (1,) * (3 - dims) + out


class PoolAxis(NamedTuple):
    """Where pooling looks along one axis: output i sees start, start + step, ... below stop.

    first = (i * stride - before) // share, end = (i * stride + behind) // share

    Of these places, start and stop are those inside the input, 0 <= place < size: a kernel needs
    no bounds check. Fixed windows (share 1), clipped windows and adaptive windows (stride = size,
    share = out) are all of this form, which takes the same memory for any number of outputs.
    """

    size: int
    out: int
    stride: int
    share: int
    before: int
    behind: int
    step: int
    border: int  # pixels on both sides of the input that the count of an average includes
    kernel: int  # most places of a window; position = (d * KH + h) * KW + w counts in these

    def windows(self):
        """[(start, stop, count) of each output], count the places in -border .. size + border."""
        result = []
        for i in range(self.out):
            first = (i * self.stride - self.before) // self.share
            end = (i * self.stride + self.behind) // self.share
            counted = self._inside(first, end, self.border)
            start, stop = self._inside(first, end, 0)
            result.append((start, stop, len(range(*counted, self.step))))
        return result

    def _inside(self, first, end, border):
        """The first place of a window at or behind -border, and where its places end."""
        return max(first, (first + border) % self.step - border), min(end, self.size + border)


def pool_output_size(size, kernel, stride, padding, dilation=1, ceil_mode=False):
    """out = floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1 along one axis.

    With `ceil_mode` ceil instead of floor, but the last window must start inside the input or the
    padding in front of it.
    """
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    return out - 1 if ceil_mode and (out - 1) * stride >= size + padding else out


def pool_axis(
    size, kernel, stride, padding, dilation=1, ceil_mode=False, count_include_pad=True
) -> PoolAxis:
    """The windows of pooling with a fixed size, clipped to the input (0 <= place < size).

    The count includes padding on both sides if `count_include_pad`, but never the pixels past it
    that `ceil_mode` adds. With dilation a window may hold no pixel at all: start >= stop.
    """
    return PoolAxis(
        size, max(pool_output_size(size, kernel, stride, padding, dilation, ceil_mode), 0),
        stride, 1, padding, dilation * (kernel - 1) + 1 - padding, dilation,
        padding if count_include_pad else 0, min(kernel, -(-size // dilation)),
    )


@lru_cache(maxsize=128)
def adaptive_pool_axis(size, out) -> PoolAxis:
    """The windows of adaptive pooling: from floor(i * in / out) to ceil((i + 1) * in / out).

    (i * in) mod out is at most out - gcd(in, out): no window is longer than
    ceil((out - gcd + in) / out).
    """
    share = max(out, 1)
    longest = -((gcd(size, share) - share - size) // share) if out else 0
    return PoolAxis(size, out, size, share, 0, size + share - 1, 1, 0, longest)


class ResizeAxis(NamedTuple):
    """How `out` places along one axis are made of `size` pixels; see reference/resize_table.py."""

    size: int
    out: int
    filter: str = "nearest"  # or "nearest-exact", "linear", "cubic", "lanczos"
    scale: float | None = None  # out places per pixel; None: out / size
    align_corners: bool = False  # the first and the last place are the first and the last pixel
    antialias: bool = False  # going down, the filter is as many times wider
