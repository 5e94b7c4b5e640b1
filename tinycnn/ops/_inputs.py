"""What the public functions share: checks of their inputs, common dtypes, broadcasting."""

from __future__ import annotations

from numbers import Number

from .._core import device_kernels, device_of, kernels_for, to_device
from .._core.checks import fail, int_of, shape_text
from .._core.dtypes import dtype_of, fits, promote, promote_number, to_array
from ..autograd import Function, Variable, wrap

_NUMBERS = (int, float, bool)


def as_tensor(value, like=None):
    """`value` if it is a tensor, else a tensor of it that requires no gradient.

    Args:    value (Tensor, array, number or nested lists): what to convert; arrays are shared.
             like (Tensor or None): a Python number takes the dtype it would meet this tensor in.
    Raises:  TypeError: if it is not numeric.
    """
    if isinstance(value, Variable):
        return value
    dtype = None
    if like is not None and type(value) in _NUMBERS:
        dtype = promote_number(like.data.dtype, value)
    array = to_array("as_tensor", value, dtype, copy=False)
    if dtype is not None:  # a number follows the tensor that it meets
        array = to_device(array, device_of(like.data))
    return wrap(array)


def check_tensor(function, name, value):
    """Raise TypeError unless `value` is a tensor."""
    if not isinstance(value, Variable):
        fail(function, f"{name} to be a Tensor", type_name(value),
             "Make one with tinycnn.tensor(...).", TypeError)


def type_name(value):
    """The name of a value's type, for errors; another library's Tensor with its library."""
    kind = type(value)
    return f"{kind.__module__}.Tensor" if kind.__name__ == "Tensor" else kind.__name__


def check_float(function, name, value):
    """Raise TypeError unless `value` is a tensor of float32 or float64."""
    if not isinstance(value, Variable):
        check_tensor(function, name, value)
    if value.data.dtype.kind != "f":
        check_float_dtype(function, name, value.data.shape, value.data.dtype)


def check_float_dtype(function, name, shape, dtype):
    """Raise TypeError unless `dtype` is float32 or float64."""
    if dtype.kind != "f":
        fail(function, f"{name} to be of dtype float32 or float64", f"{dtype} {shape_text(shape)}",
             "Convert it with .to(tinycnn.float32).", TypeError)


def check_integer(function, name, value):
    """Raise TypeError unless `value` is a tensor of integers."""
    check_tensor(function, name, value)
    if value.data.dtype.kind not in "iu":
        fail(function, f"{name} to hold integers",
             f"{value.data.dtype} {shape_text(value.data.shape)}",
             "Convert it with .to(tinycnn.int64).", TypeError)


class Cast(Function):
    """See cast."""

    @staticmethod
    def forward(ctx, x, dtype):
        ctx.dtype = x.dtype
        return ctx.kernels.astype(x, dtype)

    @staticmethod
    def backward(ctx, grad_y):
        return ctx.kernels.astype(grad_y, ctx.dtype)


def cast(input, dtype):
    """`input` in another dtype, itself if it has it; the gradient comes back in its own dtype."""
    check_tensor("to", "input", input)
    dtype = dtype_of("to", dtype)
    return input if input.data.dtype == dtype else Cast.apply(input, dtype)


class Move(Function):
    """See move."""

    @staticmethod
    def forward(ctx, x, device):
        ctx.device = device_of(x)
        return to_device(x, device)

    @staticmethod
    def backward(ctx, grad_y):
        return to_device(grad_y, ctx.device)


def move(input, device):
    """`input` on another device, itself if it is there; the gradient comes back to its own."""
    if kernels_for((input.data,)) is device_kernels(device):
        return input
    return Move.apply(input, device)


def operands(function, x, y):
    """Both operands of an elementwise operation, fit for a kernel: in one dtype, of shapes that
    broadcast. One of them may stay a Python number.

    Raises:  TypeError: if one is neither tensor, array nor number, or none is a tensor.
             ValueError: if the shapes do not broadcast.
    """
    if isinstance(x, Variable):
        if isinstance(y, Variable):
            a, b = x.data, y.data
            if type(a) is not type(b) and not (a.ndim and b.ndim):  # one number follows the other
                x, y = (move(x, y.device), y) if a.ndim == 0 else (x, move(y, x.device))
                a, b = x.data, y.data
            if a.dtype is not b.dtype:
                dtype = promote(a.dtype, a.ndim, b.dtype, b.ndim)
                x, y = cast(x, dtype), cast(y, dtype)
            if a.shape != b.shape:
                broadcast_shape(function, a.shape, b.shape)
            return x, y
        if type(y) in _NUMBERS:
            return _with_number(function, x, y)
    elif type(x) in _NUMBERS and isinstance(y, Variable):
        return _with_number(function, y, x)[::-1]
    return _with_foreign(function, x, y)


def _with_number(function, x, number):
    dtype = x.data.dtype
    if dtype.kind != "f":
        dtype = promote_number(dtype, number)
        x = cast(x, dtype)
    if type(number) is int and not fits(number, dtype):
        fail(function, f"a number that fits the tensor's dtype {dtype}", repr(number),
             "Convert the tensor with .to(...) to a wider dtype.")
    return x, number


def _with_foreign(function, x, y):
    """One operand is a NumPy array or number, or nothing that could be used."""
    converted = []
    for name, value in ("input", x), ("other", y):
        if not isinstance(value, Variable) and type(value) not in _NUMBERS:
            if not hasattr(value, "__array__"):
                fail(function, f"{name} to be a Tensor, an array or a number", type_name(value),
                     "Make a tensor with tinycnn.tensor(...).", TypeError)
            number = hasattr(value, "item") and not hasattr(value, "__len__")
            value = value.item() if number or isinstance(value, Number) else as_tensor(value)
        converted.append(value)
    if not any(isinstance(v, Variable) for v in converted):
        fail(function, "input to be a Tensor", type(x).__name__,
             "Make one with tinycnn.tensor(...).", TypeError)
    return operands(function, *converted)


def broadcast_shape(function, *shapes):
    """The common shape: aligned at the last axis, sizes agree or are 1.

    Raises:  ValueError: if there is none.
    """
    result = []
    for i in range(1, max(map(len, shapes)) + 1):
        sizes = {s[-i] for s in shapes if len(s) >= i} - {1}
        if len(sizes) > 1:
            fail(function, "shapes that broadcast (from the last axis: equal sizes, or 1)",
                 " and ".join(map(shape_text, shapes)),
                 "Reshape, or add axes of size 1 with unsqueeze.")
        result.append(sizes.pop() if sizes else 1)
    return tuple(reversed(result))


def sum_to(kernels, grad, shape):
    """The gradient of broadcasting: `grad` summed over the axes that `shape` was repeated along."""
    if grad.shape == shape:
        return grad
    extra = grad.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        [i + extra for i, n in enumerate(shape) if n == 1 and grad.shape[i + extra] != 1]
    )
    return kernels.reshape(kernels.sum(grad, axes), shape)


def dim_of(function, dim, ndim, name="dim"):
    """An axis counted from the front; 0 and -1 serve tensors without axes.

    Raises:  TypeError: if it is no integer.
             ValueError: if there is no such axis.
    """
    if type(dim) is int and -ndim <= dim < ndim:
        return dim % ndim
    axis = int_of(function, name, dim, f"Pass for example {name}=0.")
    least = max(ndim, 1)
    if not -least <= axis < least:
        fail(function, f"{name} between {-least} and {least - 1} for a tensor of {ndim} axes",
             repr(dim), "Count the axes from 0, or from the end with -1.")
    return axis % least


_EVERY = [tuple(range(n)) for n in range(65)]  # NumPy's largest number of axes is 64


def dims_of(function, dim, ndim):
    """Axes counted from the front: all for None, one for an int, several for a sequence.

    Raises:  ValueError: if one is out of range or named twice.
    """
    if dim is None:
        return _EVERY[ndim]
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim % ndim,)
    if not hasattr(dim, "__iter__"):
        axis = dim_of(function, dim, ndim)
        return (axis,) if ndim else ()
    if isinstance(dim, (str, dict, set)):
        fail(function, "dim to be an int, several, or None", repr(dim), "Pass for example dim=0.",
             TypeError)
    dims = tuple([dim_of(function, d, ndim) for d in dim])
    if len(set(dims)) != len(dims):
        fail(function, "every dim once", repr(dim), "Name each axis once.")
    return dims if ndim else ()


def reduced_dims(function, dim, ndim):
    """`dims_of` for what is summed over: no axis at all, (), means all, as in PyTorch."""
    return dims_of(function, None if isinstance(dim, (tuple, list)) and not dim else dim, ndim)


def kept(k, y, shape, dims):
    """`y`, a result of a reduction of `shape` over `dims`, with these axes back in place."""
    return k.reshape(y, tuple([1 if i in dims else n for i, n in enumerate(shape)]))


def kernels_of(*tensors):
    """The kernel module of these tensors, for the few things that happen outside a Function."""
    return kernels_for([t.data for t in tensors])
