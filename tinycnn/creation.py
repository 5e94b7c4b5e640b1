"""New tensors: from data, of one number, of numbers in order, of random numbers."""

from __future__ import annotations

from typing import Any

import numpy

from ._core import to_device, to_host
from ._core.checks import fail, shape_text
from ._core.dtypes import dtype_of, float32, int64, to_array
from .autograd import wrap
from .ops._inputs import check_tensor, kernels_of
from .ops.reshaping import sizes_of
from .tensor import Tensor, check_differentiable


def _finish(function, array, requires_grad, device=None):
    result = wrap(array if device is None else to_device(array, device))
    if requires_grad:
        check_differentiable(function, array)
        result.requires_grad = True
    return result


def tensor(
    data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of a copy of some data.

    Python floats become float32 and Python integers int64; NumPy arrays keep their dtype.

    Args:    data (number, nested lists, array or Tensor): what to copy.
             dtype (dtype or None): convert to it, for example tinycnn.float64.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here; floats only.
    Returns: Tensor of the data's shape.
    Raises:  TypeError: if the data is not numeric, or of a dtype that is not served.
             ValueError: if nested lists are ragged.
    Example: >>> import tinycnn
             >>> tinycnn.tensor([[1, 2], [3, 4]], dtype=tinycnn.float32)
             tensor([[1., 2.],
                     [3., 4.]])
    """
    if isinstance(data, Tensor):
        device = data.device if device is None else device
        data = to_host(data.data)
    return _finish("tensor", to_array("tensor", data, dtype), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """A tensor of some data, which shares its memory where nothing must be converted.

    Args:    data (number, nested lists, array or Tensor): a Tensor may come back itself.
             dtype (dtype or None): convert to it, for example tinycnn.float64.
             device (str or None): "cpu" or "cuda"; None for the CPU.
    Returns: Tensor of the data's shape.
    Raises:  TypeError: if the data is not numeric, or of a dtype that is not served.
             ValueError: if nested lists are ragged.
    Example: >>> import tinycnn
             >>> x = tinycnn.ones(2)
             >>> tinycnn.as_tensor(x) is x
             True
    """
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    return _finish("as_tensor", to_array("as_tensor", data, dtype, copy=False), False, device)


def is_tensor(obj: Any) -> bool:
    """True if something is a Tensor.

    Example: >>> import tinycnn
             >>> tinycnn.is_tensor(tinycnn.ones(2)), tinycnn.is_tensor([1.0])
             (True, False)
    """
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """How many elements a tensor has.

    Args:    input (Tensor): any shape.
    Returns: int.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.numel(tinycnn.zeros(2, 3))
             6
    """
    check_tensor("numel", "input", input)
    return input.data.size


def from_numpy(array: numpy.ndarray) -> Tensor:
    """A tensor that shares an array's memory: what is written to one is seen in the other.

    Args:    array (numpy.ndarray): any shape, of a dtype that is served.
    Returns: Tensor.
    Raises:  TypeError: if it is no array of such a dtype.
             ValueError: if its numbers lie unaligned, or in another byte order.
    Example: >>> import numpy, tinycnn
             >>> tinycnn.from_numpy(numpy.zeros(2))
             tensor([0., 0.], dtype=float64)
    """
    if not isinstance(array, numpy.ndarray):
        fail("from_numpy", "a numpy.ndarray", type(array).__name__,
             "Use tinycnn.tensor(...) for other data.", TypeError)
    array = numpy.asarray(array)
    own = to_array("from_numpy", array, copy=False)
    if own is not array:
        fail("from_numpy", "an array of aligned numbers in the machine's byte order",
             f"{array.dtype.str} with strides {array.strides}",
             "Use tinycnn.tensor(...), which copies.")
    return wrap(own)


def from_dlpack(source: Any) -> Tensor:
    """A tensor that shares the memory of another library's array, by the DLPack protocol.

    Args:    source: an object with `__dlpack__`, on the CPU.
    Returns: Tensor; read-only if the other library says so.
    Raises:  TypeError: if the object has no `__dlpack__`, or a dtype that is not served.
             BufferError: if its memory cannot be shared.
    Example: >>> import numpy, tinycnn
             >>> tinycnn.from_dlpack(numpy.ones(2, "float32"))
             tensor([1., 1.])
    """
    if not hasattr(source, "__dlpack__"):
        fail("from_dlpack", "an object with __dlpack__", type(source).__name__,
             "Use tinycnn.tensor(...) to copy other data.", TypeError)
    return from_numpy(numpy.from_dlpack(source))


def _shape(function, size):
    """Sizes that stand alone or in one tuple."""
    shape = sizes_of(function, size[0] if len(size) == 1 and hasattr(size[0], "__iter__") else size)
    if min(shape, default=0) < 0:
        fail(function, "sizes of at least 0", repr(shape), "Pass for example (2, 3).")
    return shape


def _filled(function, shape, value, dtype, device, requires_grad):
    value = to_array(function, value, dtype)
    if value.ndim:
        fail(function, "one number to fill with", shape_text(value.shape), "Use tinycnn.tensor.")
    array = numpy.full(shape, value)
    return _finish(function, array, requires_grad, device)


def zeros(*size, dtype: Any = float32, device: str | None = None, requires_grad: bool = False):
    """A tensor of zeros.

    Args:    size (ints): the shape, as zeros(2, 3) or zeros((2, 3)).
             dtype (dtype): of the result.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of this shape.
    Raises:  ValueError: if a size is negative.
    Example: >>> import tinycnn
             >>> tinycnn.zeros(2)
             tensor([0., 0.])
    """
    return _filled("zeros", _shape("zeros", size), 0, dtype, device, requires_grad)


def ones(*size, dtype: Any = float32, device: str | None = None, requires_grad: bool = False):
    """A tensor of ones.

    Args:    size (ints): the shape, as ones(2, 3) or ones((2, 3)).
             dtype (dtype): of the result.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of this shape.
    Raises:  ValueError: if a size is negative.
    Example: >>> import tinycnn
             >>> tinycnn.ones(2)
             tensor([1., 1.])
    """
    return _filled("ones", _shape("ones", size), 1, dtype, device, requires_grad)


def empty(*size, dtype: Any = float32, device: str | None = None, requires_grad: bool = False):
    """A tensor of whatever numbers the memory holds, to be overwritten.

    Args:    size (ints): the shape, as empty(2, 3) or empty((2, 3)).
             dtype (dtype): of the result.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of this shape.
    Raises:  ValueError: if a size is negative.
    Example: >>> import tinycnn
             >>> tinycnn.empty(2, 3).shape
             (2, 3)
    """
    array = numpy.empty(_shape("empty", size), dtype_of("empty", dtype))
    return _finish("empty", array, requires_grad, device)


def empty_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Any numbers in the shape, dtype and memory layout of another tensor, to be overwritten.

    Args:    input (Tensor): any shape.
             dtype (dtype or None): of the result; None for the input's.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.empty_like(tinycnn.tensor([1, 2])).dtype
             dtype('int64')
    """
    check_tensor("empty_like", "input", input)
    dtype = input.data.dtype if dtype is None else dtype_of("empty_like", dtype)
    array = kernels_of(input).empty_like(input.data, dtype)
    return _finish("empty_like", array, requires_grad)


def full(
    size, fill_value, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of one number.

    Args:    size (ints): the shape.
             fill_value (number): the number.
             dtype (dtype or None): of the result; None for the number's.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of this shape.
    Raises:  ValueError: if a size is negative.
    Example: >>> import tinycnn
             >>> tinycnn.full((2,), 0.5)
             tensor([0.5000, 0.5000])
    """
    value = to_array("full", fill_value, dtype)
    return _filled("full", _shape("full", (size,)), value, value.dtype, device, requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape, dtype and memory layout of another tensor.

    Args:    input (Tensor): any shape.
             dtype (dtype or None): of the result; None for the input's.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.zeros_like(tinycnn.tensor([1, 2]))
             tensor([0, 0])
    """
    return full_like(input, 0, dtype=dtype, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape, dtype and memory layout of another tensor.

    Args:    input (Tensor): any shape.
             dtype (dtype or None): of the result; None for the input's.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.ones_like(tinycnn.tensor([1, 2]))
             tensor([1, 1])
    """
    return full_like(input, 1, dtype=dtype, requires_grad=requires_grad)


def full_like(
    input: Tensor, fill_value, *, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """One number in the shape, dtype and memory layout of another tensor.

    Args:    input (Tensor): any shape.
             fill_value (number): the number.
             dtype (dtype or None): of the result; None for the input's.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.full_like(tinycnn.zeros(2), 3)
             tensor([3., 3.])
    """
    check_tensor("full_like", "input", input)
    dtype = input.data.dtype if dtype is None else dtype_of("full_like", dtype)
    value = to_array("full_like", fill_value, dtype)
    array = kernels_of(input).empty_like(input.data, dtype)
    array.fill(value.item())
    return _finish("full_like", array, requires_grad)


def arange(
    start, end=None, step=1, *, dtype: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers at equal distances: start, start + step, ... below `end`.

    Args:    start (number): the first; with `end` missing it is the end, and the first is 0.
             end (number or None): not reached any more.
             step (number): the distance; may be negative.
             dtype (dtype or None): of the result; None for int64, or float32 if one is a float.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor (ceil((end - start) / step),).
    Raises:  ValueError: if `step` is 0, or leads away from `end`.
    Example: >>> import tinycnn
             >>> tinycnn.arange(3)
             tensor([0, 1, 2])
    """
    if end is None:
        start, end = 0, start
    for value in start, end, step:
        if not isinstance(value, (int, float)):
            fail("arange", "numbers", repr(value), "Pass for example arange(10).", TypeError)
    if step == 0 or (end - start) * step < 0:
        fail("arange", "a step that leads from start to end", f"{start}, {end}, {step}",
             "Change the sign of the step.")
    if dtype is None:
        dtype = float32 if float in map(type, (start, end, step)) else int64
    values = numpy.arange(start, end, step).astype(dtype_of("arange", dtype))
    return _finish("arange", values, requires_grad, device)


def linspace(
    start: float, end: float, steps: int, *, dtype: Any = float32, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """So many numbers at equal distances from `start` to `end`, both included.

    y[i] = start + i * (end - start) / (steps - 1)

    Args:    start (number): the first.
             end (number): the last.
             steps (int): how many.
             dtype (dtype): of the result.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor (steps,).
    Raises:  ValueError: if `steps` is negative.
             TypeError: if `start` or `end` is no number.
    Example: >>> import tinycnn
             >>> tinycnn.linspace(0, 1, 3)
             tensor([0.0000, 0.5000, 1.0000])
    """
    for value in start, end:
        if not isinstance(value, (int, float)):
            fail("linspace", "numbers", repr(value), "Pass for example linspace(0, 1, 5).",
                 TypeError)
    (count,) = _shape("linspace", (steps,))
    values = numpy.linspace(start, end, count).astype(dtype_of("linspace", dtype))
    return _finish("linspace", values, requires_grad, device)


def eye(
    n: int, m: int | None = None, *, dtype: Any = float32, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix: ones on the diagonal, zeros elsewhere.

    Args:    n (int): rows.
             m (int or None): columns; None for n.
             dtype (dtype): of the result.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor (n, m).
    Raises:  ValueError: if a size is negative.
    Example: >>> import tinycnn
             >>> tinycnn.eye(2)
             tensor([[1., 0.],
                     [0., 1.]])
    """
    shape = _shape("eye", (n, n if m is None else m))
    return _finish("eye", numpy.eye(*shape, dtype=dtype_of("eye", dtype)), requires_grad, device)
