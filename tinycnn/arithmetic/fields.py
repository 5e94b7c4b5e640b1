"""Receptive fields: which inputs a unit sees.

Along one axis, unit i of a layer sees `size` inputs around the place `start + i * jump`. Inputs are
counted from 0, so a half means between two; the border is ignored, a field may reach beyond it.

    a window of k taps, stride s, padding p in front, dilation d, effective size e = d (k - 1) + 1:
    size += (e - 1) jump        start += ((e - 1) / 2 - p) jump        jump *= s

Source: Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural networks",
        Distill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from .._core.checks import fail, int_of, require
from .._core.shapes import conv_padding
from .sizes import Padding, effective_kernel_size, length, one, output_size

Number = int | float | Fraction


def tidy(value: Number) -> Number:
    """An int if it is whole, a float if that is exact (a half), else a Fraction."""
    exact = Fraction(value)
    if exact.denominator == 1:
        return int(exact)
    return float(exact) if Fraction(float(exact)) == exact else exact


class Field(NamedTuple):
    """What the units of a layer see along one axis. A new one is that of the input itself.

    size   inputs that a unit sees, from the first to the last
    jump   inputs from the field of one unit to that of the next; 0 if all see the same
    start  centre of the first unit's field

    Example: >>> Field().through(kernel=3, stride=2, padding=1)
             Field(size=3, jump=2, start=0)
    Source:  Araujo, Norris & Sim 2019, Distill.
    """

    size: Number = 1
    jump: Number = 1
    start: Number = 0

    def through(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Field:
        """The field behind a convolution or pooling; `padding` is that in front of the input.

        Example: >>> Field().through(3).through(3)
                 Field(size=5, jump=1, start=2)
        """
        span = effective_kernel_size(kernel, dilation) - 1
        stride = one("Field.through", "stride", stride, 1)
        jump = Fraction(self.jump)
        return Field(tidy(self.size + span * jump), tidy(jump * stride),
                     tidy(self.start + (Fraction(span, 2) - padding) * jump))

    def through_transposed(self, kernel: int, stride: int = 1, padding: int = 0,
                           dilation: int = 1) -> Field:
        """The field behind a transposed convolution. Its units see different numbers of inputs:
        size is the largest, start the centre of what the padded formula gives.

        output o sees input i if o = i stride + t dilation - padding for a tap t

        Example: >>> Field().through(2, stride=2).through_transposed(2, stride=2)
                 Field(size=2, jump=1, start=0)
        """
        span = effective_kernel_size(kernel, dilation) - 1
        stride = one("Field.through_transposed", "stride", stride, 1)
        jump = Fraction(self.jump)
        return Field(tidy(self.size + span // stride * jump), tidy(jump / stride),
                     tidy(self.start + (padding - Fraction(span, 2)) / stride * jump))

    def inputs(self, unit: int) -> tuple[Number, Number]:
        """First and last input that a unit sees; those below 0 or behind the end are padding.

        Example: >>> Field().through(3, stride=2, padding=1).inputs(0)
                 (-1, 1)
        """
        centre, half = self.start + unit * Fraction(self.jump), Fraction(self.size - 1) / 2
        return tidy(centre - half), tidy(centre + half)

    def of_all(self, units: int, size: int) -> Field:
        """What `units` units see together, within an input of length `size`. It has no jump.

        Example: >>> Field().through(5).of_all(3, size=7)
                 Field(size=7, jump=0, start=3)
        """
        first = max(self.inputs(0)[0], 0)
        last = min(self.inputs(max(units, 1) - 1)[1], size - 1)
        return Field(tidy(max(last - first + 1, 0)), 0, tidy(Fraction(first + last) / 2))

    def union(self, other: Field) -> Field:
        """What units see that read from both, at the same place: sums, concatenations.

        Raises:  ValueError: if the jumps differ; then no one field serves all units.
        Example: >>> Field().union(Field().through(3, padding=1))
                 Field(size=3, jump=1, start=0)
        """
        require(self.jump == other.jump, "union", f"fields of one jump, {self.jump}",
                str(other.jump), "Units of both must lie at the same places.")
        ends = [field.inputs(0) for field in (self, other)]
        first, last = min(ends[0][0], ends[1][0]), max(ends[0][1], ends[1][1])
        return Field(tidy(last - first + 1), self.jump, tidy(Fraction(first + last) / 2))


Layer = int | tuple[Any, ...] | Mapping[str, Any]
_NAMES = ("kernel", "stride", "padding", "dilation")


def _settings(function: str, layer: Layer) -> tuple[int, int, Padding, int]:
    """(kernel, stride, padding, dilation) of a layer, however it was written."""
    if isinstance(layer, Mapping):
        unknown = [name for name in layer if name not in _NAMES]
        if unknown or "kernel" not in layer:
            fail(function, "a layer with kernel and, if wanted, stride, padding, dilation",
                 f"{dict(layer)!r}", "Pass for example dict(kernel=3, stride=2).")
        values = [layer.get(name) for name in _NAMES]
    else:
        values = list(layer) if isinstance(layer, (tuple, list)) else [layer]
        if not 0 < len(values) < 5:
            fail(function, "a layer (kernel, stride, padding, dilation)", repr(layer),
                 "Leave out what has its default, from the end.")
        values += [None] * (4 - len(values))
    kernel, stride, padding, dilation = [
        default if value is None else value for value, default in zip(values, (None, 1, 0, 1))]
    return (one(function, "kernel", kernel, 1), one(function, "stride", stride, 1), padding,
            one(function, "dilation", dilation, 1))


def _walk(function: str, layers: Iterable[Layer], size: int | None) -> tuple[Field, int | None]:
    """The field behind all layers, and how many units there are, if `size` is known."""
    field = Field()
    if isinstance(layers, (str, Mapping)) or not isinstance(layers, Iterable):
        fail(function, "a list of layers", repr(layers), "Pass for example [(3, 2), 3].", TypeError)
    for layer in layers:
        kernel, stride, padding, dilation = _settings(function, layer)
        if padding == "same" and stride > 1 and size is None:
            fail(function, "size, for padding='same' with a stride", "none",
                 "How much is padded in front depends on it: pass size=..., or numbers.")
        pair = isinstance(padding, (tuple, list))
        front = conv_padding(function, (tuple(padding),) if pair else padding,  # type: ignore
                             (size or 0,), (kernel,), (stride,), (dilation,))[0][0]
        if size is not None:
            size = output_size(size, kernel, stride, padding, dilation)
        elif padding == "same":
            front = dilation * (kernel - 1) // 2
        field = field.through(kernel, stride, front, dilation)
    return field, size


def receptive_field(layers: Iterable[Layer], size: int | None = None) -> Field:
    """What the units of the last of several layers see along one axis.

    From size = 1, jump = 1, start = 0, layer by layer, with e = dilation (kernel - 1) + 1:
    size += (e - 1) jump, start += ((e - 1) / 2 - padding) jump, jump *= stride

    Args:    layers (list): convolutions and poolings in order, each an int (kernel), a tuple
                 (kernel, stride, padding, dilation) that may be shorter, or a dict with these
                 names. padding as in output_size; of a pair the front counts.
             size (int or None): length of the input. It is needed for padding="same" with a
                 stride, and lets the sizes be checked.
    Returns: Field (size, jump, start).
    Raises:  ValueError: if a layer is none, or a window does not fit. TypeError: if no integer is
             where one is due.
    Example: >>> alexnet = [(11, 4), (3, 2), (5, 1, 2), (3, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1),
             ...            (3, 2)]
             >>> receptive_field(alexnet)
             Field(size=195, jump=32, start=33)
    Source:  Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural
             networks", Distill.
    """
    size = None if size is None else length("receptive_field", "size", size)
    return _walk("receptive_field", layers, size)[0]


def input_range(layers: Iterable[Layer], unit: int,
                size: int | None = None) -> tuple[Number, Number]:
    """Which inputs one unit of the last of several layers sees: first and last.

    first = start + unit * jump - (size - 1) / 2, last = first + size - 1

    Args:    layers (list): as receptive_field.
             unit (int): which output, from 0.
             size (int or None): length of the input. Without it, numbers below 0 (padding) and
                 behind the end may come out; with it, the range is cut to 0 .. size - 1.
    Returns: (first, last), both seen.
    Raises:  ValueError: as receptive_field; if there is no such unit; if it sees padding only.
             TypeError: if no integer is where one is due.
    Example: >>> input_range([(3, 2, 1), (3, 2, 1)], unit=0)
             (-3, 3)
             >>> input_range([(3, 2, 1), (3, 2, 1)], unit=0, size=8)
             (0, 3)
    """
    function = "input_range"
    unit = int_of(function, "unit", unit, "Pass the place of an output, from 0.")
    inputs = None if size is None else length(function, "size", size)
    field, units = _walk(function, layers, inputs)
    if unit < 0 or (units is not None and unit >= units):
        fail(function, "a unit from 0" + ("" if units is None else f" to {units - 1}"), repr(unit),
             "Pass the place of an output.")
    first, last = field.inputs(unit)
    if inputs is None:
        return first, last
    first, last = max(first, 0), min(last, inputs - 1)
    require(first <= last, function, "a unit that sees inputs", f"unit {unit}, which sees padding",
            "Use less padding.")
    return first, last
