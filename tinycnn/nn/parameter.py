"""Parameter: a tensor that a module owns and an optimiser changes."""

from typing import Any

import numpy

from .._core import is_writeable, to_device
from .._core.checks import fail, shape_text
from .._core.dtypes import dtype_of, to_array
from ..autograd import wrap
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that counts as a parameter of the module it is assigned to.

    Args:    data (Tensor, array or nested lists of numbers): its first value, shared and not
             copied if it is a tensor or a writeable array.
             requires_grad (bool): whether it is learnt; False freezes it.
    Raises:  TypeError: if it is to be learnt and is not floating.
    Example: >>> from tinycnn import nn
             >>> nn.Parameter([1.0, 2.0])
             Parameter([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        array = data.data if isinstance(data, Tensor) else to_array("Parameter", data, copy=False)
        if requires_grad and array.dtype.kind != "f":
            fail("Parameter", "data of dtype float32 or float64",
                 f"{array.dtype} {shape_text(array.shape)}",
                 "Convert it, or pass requires_grad=False.", TypeError)
        self.data = array if is_writeable(array) else array.copy()  # optimisers write into it
        self.grad = None
        self.requires_grad = bool(requires_grad)
        self.creator = None
        self.index = 0


def empty_parameter(function: str, shape: tuple[int, ...], device: Any, dtype: Any) -> Parameter:
    """A parameter of a layer before `reset_parameters` has filled it; float32 unless told."""
    if max(shape, default=0) >= 2**31:
        fail(function, "sizes below 2**31", shape_text(shape), "No memory holds such a layer.")
    array = numpy.empty(shape, numpy.float32 if dtype is None else dtype_of(function, dtype))
    if array.dtype.kind != "f":
        fail(function, "dtype float32 or float64", str(array.dtype),
             "Parameters are differentiated, so they must be floating.", TypeError)
    return Parameter(wrap(array if device is None else to_device(array, device)))
