"""New tensors of random numbers, from the generator that `manual_seed` starts anew."""

from __future__ import annotations

from typing import Any

import numpy

from ._core.checks import fail
from ._core.dtypes import dtype_of, float32, int64, to_array
from .creation import _finish, _shape
from .ops._inputs import check_float
from .random import generator
from .tensor import Tensor


def _float_dtype(function, dtype):
    dtype = dtype_of(function, dtype)
    if dtype.kind != "f":
        fail(function, "dtype float32 or float64", str(dtype), "Use randint for integers.",
             TypeError)
    return dtype


def rand(
    *size, dtype: Any = float32, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, uniform in [0, 1).

    Args:    size (ints): the shape, as rand(2, 3) or rand((2, 3)).
             dtype (dtype): float32 or float64.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of this shape.
    Raises:  ValueError: if a size is negative.
             TypeError: if `dtype` is no float.
    Example: >>> import tinycnn
             >>> tinycnn.rand(2, 3).shape
             (2, 3)
    """
    dtype = _float_dtype("rand", dtype)
    array = numpy.asarray(generator().random(_shape("rand", size), dtype))
    return _finish("rand", array, requires_grad, device)


def randn(
    *size, dtype: Any = float32, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1.

    Args:    size (ints): the shape, as randn(2, 3) or randn((2, 3)).
             dtype (dtype): float32 or float64.
             device (str or None): "cpu" or "cuda"; None for the CPU.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of this shape.
    Raises:  ValueError: if a size is negative.
             TypeError: if `dtype` is no float.
    Example: >>> import tinycnn
             >>> tinycnn.randn(2, 3).shape
             (2, 3)
    """
    dtype = _float_dtype("randn", dtype)
    array = numpy.asarray(generator().standard_normal(_shape("randn", size), dtype))
    return _finish("randn", array, requires_grad, device)


def randint(
    low: int, high: int | None = None, size: Any = None, *, dtype: Any = int64,
    device: str | None = None,
) -> Tensor:
    """Random integers from `low` to `high` - 1, as randint(high, size) from 0.

    Args:    low (int): the smallest.
             high (int or None): one more than the largest.
             size (ints): the shape.
             dtype (dtype): of the result.
             device (str or None): "cpu" or "cuda"; None for the CPU.
    Returns: Tensor of this shape.
    Raises:  ValueError: if there is no integer to choose, or a size is negative.
             TypeError: if the shape is missing.
    Example: >>> import tinycnn
             >>> bool((tinycnn.randint(10, (100,)) < 10).all())
             True
    """
    if size is None and hasattr(high, "__iter__"):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        fail("randint", "a shape", "none", "Pass for example size=(2, 3).", TypeError)
    if low >= high:
        fail("randint", "low below high", f"{low} and {high}", "Exchange them.")
    to_array("randint", [low, high - 1], dtype)  # raises unless both fit
    array = numpy.asarray(generator().integers(low, high, _shape("randint", (size,))))
    return _finish("randint", array.astype(dtype_of("randint", dtype)), False, device)


def randperm(n: int, *, device: str | None = None) -> Tensor:
    """The integers from 0 to n - 1 in random order.

    Args:    n (int): how many.
             device (str or None): "cpu" or "cuda"; None for the CPU.
    Returns: Tensor (n,) of int64.
    Raises:  ValueError: if `n` is negative.
    Example: >>> import tinycnn
             >>> sorted(tinycnn.randperm(4).tolist())
             [0, 1, 2, 3]
    """
    array = generator().permutation(*_shape("randperm", (n,))).astype(int64)
    return _finish("randperm", array, False, device)


def rand_like(input: Tensor, *, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers in the shape and dtype of another tensor.

    Args:    input (Tensor): any shape, float32 or float64.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is no float tensor.
    Example: >>> import tinycnn
             >>> tinycnn.rand_like(tinycnn.zeros(2)).shape
             (2,)
    """
    check_float("rand_like", "input", input)
    return rand(input.data.shape, dtype=input.data.dtype, device=input.device,  # type: ignore
                requires_grad=requires_grad)


def randn_like(input: Tensor, *, requires_grad: bool = False) -> Tensor:
    """Normal random numbers in the shape and dtype of another tensor.

    Args:    input (Tensor): any shape, float32 or float64.
             requires_grad (bool): whether `backward` leaves a gradient here.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if `input` is no float tensor.
    Example: >>> import tinycnn
             >>> tinycnn.randn_like(tinycnn.zeros(2)).shape
             (2,)
    """
    check_float("randn_like", "input", input)
    return randn(input.data.shape, dtype=input.data.dtype, device=input.device,  # type: ignore
                 requires_grad=requires_grad)
