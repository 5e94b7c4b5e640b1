"""How a tensor looks when printed: as PyTorch prints it."""

import math

import numpy

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


def _float_format(values):
    """Text of a float: 4 digits, whole numbers as "2.", wide ranges with an exponent."""
    finite = numpy.abs(values[numpy.isfinite(values) & (values != 0)]).astype(numpy.float64)
    if finite.size == 0:
        return lambda v: f"{v:.0f}." if math.isfinite(v) else str(float(v))
    low, high = float(finite.min()), float(finite.max())
    whole = bool((finite == numpy.floor(finite)).all())
    if high > 1e8 or not whole and (high / low > 1000 or low < 1e-4):
        return lambda v: f"{v:.{_DIGITS}e}" if math.isfinite(v) else str(float(v))
    if whole:
        return lambda v: f"{v:.0f}." if math.isfinite(v) else str(float(v))
    return lambda v: f"{v:.{_DIGITS}f}" if math.isfinite(v) else str(float(v))


def tensor_text(tensor):
    """tensor([...]), with dtype where it does not follow from the numbers, and its history."""
    array = tensor.data
    prefix = f"{'Parameter' if type(tensor).__name__ == 'Parameter' else 'tensor'}("
    shown = _shown(array)
    to_text = _float_format(shown) if array.dtype.kind == "f" else str
    width = max([len(to_text(v)) for v in shown], default=0)
    body = numpy.array2string(
        array,
        max_line_width=80,
        separator=", ",
        prefix=prefix,
        threshold=_THRESHOLD,
        edgeitems=_EDGE,
        formatter={"all": lambda v: to_text(v).rjust(width)},
    )
    parts = [body if array.size else "[]"]
    if array.size == 0 and array.ndim != 1:
        parts.append(f"size={tuple(array.shape)}")
    if str(array.dtype) not in ("float32", "int64", "bool"):
        parts.append(f"dtype={array.dtype}")
    if tensor.creator is not None:
        parts.append(f"grad_fn=<{tensor.creator.function.__name__}>")
    elif tensor.requires_grad:
        parts.append("requires_grad=True")
    return prefix + ", ".join(parts) + ")"
