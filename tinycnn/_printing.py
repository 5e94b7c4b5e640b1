"""How a tensor looks when printed: as PyTorch prints it."""

import math

import numpy

from ._core import to_host

_DIGITS = 4
_THRESHOLD = 1000  # more elements than this are summarised
_EDGE = 3  # then so many are shown at each end of an axis


def _shown(array):
    """The elements that are printed, as one flat array."""
    if array.size > _THRESHOLD:
        for axis, size in enumerate(array.shape):
            if size > 2 * _EDGE:
                index = (*range(_EDGE), *range(size - _EDGE, size))
                array = array.take(index, axis)
    return array.reshape(-1)


def _float_text(values):
    """Text of a float, and its usual width: 4 digits, whole numbers as "2.", wide ranges with an
    exponent."""
    finite = values[numpy.isfinite(values) & (values != 0)].astype(numpy.float64)
    whole = bool((finite == numpy.floor(finite)).all())
    spec = ".0f" if whole else f".{_DIGITS}f"
    if finite.size:
        low, high = float(abs(finite).min()), float(abs(finite).max())
        if high / low > 1000 or high > 1e8 or (not whole and low < 1e-4):
            whole, spec = False, f".{_DIGITS}e"

    def to_text(value):
        if not math.isfinite(value):
            return str(float(value))
        return f"{value:{spec}}." if whole else f"{value:{spec}}"

    return to_text, max([len(to_text(v)) for v in finite], default=0)


def tensor_text(tensor):
    """tensor([...]), with dtype where it does not follow from the numbers, and its history."""
    array, name = to_host(tensor.data), type(tensor).__name__
    prefix = f"{'tensor' if name == 'Tensor' else name}("
    shown = _shown(array)
    if array.dtype.kind == "f":
        to_text, width = _float_text(shown)
    else:
        to_text, width = str, max([len(str(v)) for v in shown], default=0)
    body = numpy.array2string(
        array,
        max_line_width=80,
        separator=", ",
        prefix=prefix,
        threshold=_THRESHOLD,
        edgeitems=_EDGE,
        formatter={"all": lambda value: to_text(value).rjust(width if array.ndim else 0)},
    )
    body = body.replace(", ...,", ",  ...,")
    parts = [body if array.size else "[]"]
    if array.size == 0 and array.ndim != 1:
        parts.append(f"size={tuple(array.shape)}")
    if str(array.dtype) not in ("float32", "int64", "bool"):
        parts.append(f"dtype={array.dtype}")
    if tensor.device != "cpu":
        parts.append(f"device={tensor.device!r}")
    if tensor.creator is not None:
        parts.append(f"grad_fn=<{tensor.creator.function.__name__}>")
    elif tensor.requires_grad:
        parts.append("requires_grad=True")
    return prefix + ", ".join(parts) + ")"
