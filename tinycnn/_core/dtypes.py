"""Numbers from Python: which dtypes are served, how they mix, and arrays from what people pass in.

Mixing follows PyTorch: bool < integer < float; between operands of one kind the wider dtype wins,
where an operand with axes outvotes one without, and any tensor outvotes a Python number.
"""

import numpy

from .checks import fail, shape_text

float32 = numpy.dtype("float32")
float64 = numpy.dtype("float64")
int8 = numpy.dtype("int8")
int16 = numpy.dtype("int16")
int32 = numpy.dtype("int32")
int64 = numpy.dtype("int64")
uint8 = numpy.dtype("uint8")
bool_ = numpy.dtype("bool")

BY_NAME = {str(d): d for d in (float32, float64, int8, int16, int32, int64, uint8, bool_)}
_KIND = {"b": 0, "u": 1, "i": 1, "f": 2}
_PYTHON = {bool: bool_, int: int64, float: float32}  # dtype of a number without a tensor


def dtype_of(function, dtype):
    """`dtype` (a NumPy dtype or its name, float, int or bool) as one of the served dtypes.

    Raises:  TypeError: if it is none of them.
    """
    named = isinstance(dtype, (str, type, numpy.dtype))  # NumPy reads more, (None, None) as float64
    try:
        found = BY_NAME.get(str(numpy.dtype(dtype))) if named else None
    except TypeError:
        found = None
    if found is None:
        fail(function, f"a dtype among {', '.join(BY_NAME)}", repr(dtype),
             "Pass for example dtype=tinycnn.float32.", TypeError)
    return found


def to_array(function, data, dtype=None, copy=True):
    """Numbers (an array, a Python number, nested lists of them) as an array of a served dtype.

    Python floats become float32 and Python integers int64; NumPy arrays keep their dtype.

    Raises:  TypeError: if the data is not numeric, or of a dtype that is not served.
             ValueError: if nested lists are ragged.
    """
    try:
        array = numpy.asarray(data)
    except (ValueError, TypeError) as error:
        fail(function, "numbers or equally long lists of them", f"{type(data).__name__} ({error})",
             "Pad or cut the rows to one length.")
    if dtype is not None:
        dtype = dtype_of(function, dtype)
    own = BY_NAME.get(str(array.dtype.newbyteorder("=")))
    if own is None:
        _refuse(function, data, array)
    if dtype is None:
        dtype = own if _has_dtype(data) else _PYTHON_KIND[own.kind]
    shared = hasattr(data, "__array__") or array.base is not None
    if (array.dtype != dtype or not array.flags.aligned  # kernels count strides in numbers
            or (copy and shared)):
        _check_range(function, array, dtype)
        with numpy.errstate(all="ignore"):
            array = array.astype(dtype, copy=True, order="K")
    return array


def _check_range(function, array, dtype):
    """Raise ValueError unless every number is one of an integer dtype's, fractions cut off."""
    if dtype.kind not in "iu" or numpy.can_cast(array.dtype, dtype) or not array.size:
        return
    low, high = int(numpy.iinfo(dtype).min), int(numpy.iinfo(dtype).max)  # type: ignore[type-var]
    with numpy.errstate(invalid="ignore"):  # NumPy 1 warns of NaN, here and in comparisons
        least, most = array.min().item(), array.max().item()
    if not (low - 1 < least and most < high + 1):  # written so that NaN fails
        fail(function, f"numbers from {low} to {high}, those of {dtype}", f"{least} to {most}",
             "Choose a wider dtype, or clamp the numbers first.")


_PYTHON_KIND = {"b": bool_, "i": int64, "u": int64, "f": float32}


def _has_dtype(data):
    """True for arrays, NumPy numbers and lists of them: they keep their dtype."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return hasattr(data, "dtype")


def _refuse(function, data, array):
    text = f"{array.dtype} {shape_text(array.shape)}" if array.ndim else repr(data)
    advice = {
        "f": "Convert it, for example with .astype('float32').",
        "u": "Convert it, for example with .astype('int64').",
        "c": "Pass real and imaginary part as two channels.",
        "O": "Pass numbers, or arrays of one shape.",
    }.get(array.dtype.kind, "Pass numbers.")
    fail(function, f"numbers of dtype {', '.join(BY_NAME)}", text, advice, TypeError)


def promote(x, x_ndim, y, y_ndim):
    """The dtype in which arrays of dtypes `x` and `y` meet.

    Example: >>> str(promote(float32, 2, float64, 0))
             'float32'
    """
    x_kind, y_kind = _KIND[x.kind], _KIND[y.kind]
    if x_kind != y_kind:
        return x if x_kind > y_kind else y
    if (x_ndim == 0) != (y_ndim == 0):
        return x if x_ndim else y
    return numpy.promote_types(x, y)


def promote_number(x, number):
    """The dtype in which an array of dtype `x` and a Python number meet.

    Example: >>> str(promote_number(int64, 1.5))
             'float32'
    """
    dtype = _PYTHON[type(number)]
    return x if _KIND[x.kind] >= _KIND[dtype.kind] else dtype


def fits(integer, dtype):
    """True if `dtype` can hold this Python integer, rounded where it is a float.

    Example: >>> fits(300, uint8), fits(300, float32)
             (False, True)
    """
    least, most = _RANGE[dtype]
    return least <= integer <= most


_RANGE: dict[numpy.dtype, tuple[int, int]] = {
    bool_: (0, 1),
    uint8: (0, 255),
    int8: (-(2**7), 2**7 - 1),
    int16: (-(2**15), 2**15 - 1),
    int32: (-(2**31), 2**31 - 1),
    int64: (-(2**63), 2**63 - 1),
    float32: (-(10**308), 10**308),
    float64: (-(10**308), 10**308),
}
