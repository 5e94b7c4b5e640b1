"""How long the output of a window is. One axis: call a function once for each axis.

The rules themselves stand in _core/shapes.py, where the layers read them, too.
"""

from __future__ import annotations

from .._core.checks import int_of, require
from .._core.shapes import Window, conv_window, pool_output_size, transposed_window, tuple_of

Padding = int | str | tuple[int, int]


def one(function: str, name: str, value: int, least: int) -> int:
    """`value` as an int of at least `least`."""
    return tuple_of(value, 1, function, name, least)[0]


def length(function: str, name: str, value: int) -> int:
    """The length of an axis as an int, 0 or more."""
    value = int_of(function, name, value, "Pass the number of pixels along one axis.")
    require(value >= 0, function, f"{name} of at least 0", repr(value),
            "Pass the number of pixels along one axis.")
    return value


def window_of(function: str, n: int, kernel: int, stride: int, padding: Padding,
              dilation: int) -> Window:
    """The checked window over an axis of length n; what its fields hold last is this axis'."""
    kernel = one(function, "kernel", kernel, 1)
    pair = isinstance(padding, (tuple, list))
    return conv_window(function, (n,), (kernel,), stride, (tuple(padding),) if pair else padding,
                       dilation)


def output_size(n: int, kernel: int, stride: int = 1, padding: Padding = 0, dilation: int = 1,
                ceil_mode: bool = False) -> int:
    """Outputs of a convolution or a pooling along one axis.

    out = floor((n + front + back - dilation * (kernel - 1) - 1) / stride) + 1

    padding        front, back                                out, with stride 1 and dilation 1
    "valid", 0     0, 0                                       n - kernel + 1
    "same"         so that out = ceil(n / stride)             n
    "full"         dilation * (kernel - 1), the same again    n + kernel - 1

    Args:    n (int): inputs, at least 0.
             kernel (int): taps of the window.
             stride (int): inputs from one window to the next.
             padding (int, pair (front, back), or str): zeros around the input.
             dilation (int): inputs from one tap to the next.
             ceil_mode (bool): ceil instead of floor, as pooling layers offer; the last window
                 still starts inside the input or the padding in front of it.
    Returns: int.
    Raises:  ValueError: if the window does not fit into the padded input, or an argument is out of
             its range. TypeError: if one is no integer.
    Example: >>> [output_size(7, 3, padding=rule) for rule in ("valid", "same", "full")]
             [5, 7, 9]
             >>> output_size(5, kernel=3, stride=2, padding=1)
             3
    Source:  Dumoulin & Visin 2016, chapter 2, relationship 6.
    """
    n = length("output_size", "n", n)
    window = window_of("output_size", n, kernel, stride, padding, dilation)
    if not ceil_mode:
        return window.output_size((1, 1, n))[2]
    front, back = window.padding[2]  # the same span, and the last start below n + front:
    return pool_output_size(n + front - back, window.kernel[2], window.stride[2], back,
                            window.dilation[2], True)


def transposed_output_size(n: int, kernel: int, stride: int = 1, padding: Padding = 0,
                           output_padding: int = 0, dilation: int = 1) -> int:
    """Outputs of a transposed convolution along one axis: the input that a convolution had.

    out = (n - 1) * stride - front - back + dilation * (kernel - 1) + output_padding + 1

    Args:    n (int): inputs, at least 0.
             kernel, stride, dilation (int): of the convolution that is transposed.
             padding (int, pair (front, back), or str): outputs cut off. "valid": none. "same":
                 out = n * stride. "full": dilation * (kernel - 1) on both sides.
             output_padding (int): outputs added behind, below stride or dilation.
    Returns: int.
    Raises:  ValueError: if nothing is left of the output, or an argument is out of its range.
             TypeError: if one is no integer.
    Example: >>> transposed_output_size(3, kernel=3, stride=2, padding=1, output_padding=1)
             6
             >>> output_size(6, kernel=3, stride=2, padding=1)
             3
    Source:  Dumoulin & Visin 2016, chapter 4, relationship 14.
    """
    function = "transposed_output_size"
    n, kernel = length(function, "n", n), one(function, "kernel", kernel, 1)
    if isinstance(padding, (tuple, list)):
        padding = (tuple(padding),)  # type: ignore[assignment]
    return transposed_window(function, (n,), (kernel,), stride, padding, output_padding,
                             dilation)[1][2]


def effective_kernel_size(kernel: int, dilation: int = 1) -> int:
    """How far a dilated window reaches: the length of a dense one with the same first and last tap.

    span = dilation * (kernel - 1) + 1

    Args:    kernel (int): taps.
             dilation (int): inputs from one tap to the next.
    Returns: int.
    Raises:  ValueError: if one is below 1. TypeError: if one is no integer.
    Example: >>> effective_kernel_size(7, dilation=3)
             19
    Source:  Yu & Koltun 2016, "Multi-scale context aggregation by dilated convolutions".
    """
    function = "effective_kernel_size"
    return one(function, "dilation", dilation, 1) * (one(function, "kernel", kernel, 1) - 1) + 1
