"""A tensor that changes in place: elements set, numbers added, random numbers filled in.

Changes in place are not recorded. They are refused where a gradient is wanted, and inside `no_grad`
operations recorded before do not notice them: see `tinycnn.no_grad`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

from . import ops
from ._core import is_writeable, kernels_for, to_device
from ._core.checks import fail, shape_text
from ._exchange import Exchange
from .autograd import is_grad_enabled, wrap
from .ops._inputs import as_tensor, broadcast_shape, check_float
from .ops.indexing import index_key
from .random import generator

if TYPE_CHECKING:
    from .tensor import Tensor


class InPlace(Exchange):
    """What `Tensor` offers to whoever writes into it."""

    __slots__ = ()

    def __setitem__(self, key, value) -> None:
        value = as_tensor(value, self)
        _check_in_place("x[...] = value", self, value)
        key = index_key(key)
        try:
            kernels_for((self.data,)).setitem(self.data, key, to_device(value.data, self.device))
        except (IndexError, ValueError) as error:
            fail("x[...] = value", f"indices and a value that fit {shape_text(self.data.shape)}",
                 f"a value {shape_text(value.data.shape)} ({error})", "Check both shapes.",
                 type(error))

    def copy_(self, other) -> Tensor:
        """Overwrite every element, in place, and return the tensor itself.

        Operations recorded before do not notice, here as in every change in place: see
        `tinycnn.no_grad`.
        """
        other = as_tensor(other, self)
        _check_in_place("copy_", self, other)
        return _write("copy_", self, other)

    def fill_(self, value) -> Tensor:
        """Set every element to a number, in place, and return the tensor itself."""
        return self.copy_(value)

    def zero_(self) -> Tensor:
        """Set every element to 0, in place, and return the tensor itself."""
        return self.copy_(0)

    def add_(self, other, *, alpha: float = 1) -> Tensor:
        """Add alpha * other, in place, and return the tensor itself."""
        return _change("add_", ops.add, self, other, alpha=alpha)

    def sub_(self, other, *, alpha: float = 1) -> Tensor:
        """Subtract alpha * other, in place, and return the tensor itself."""
        return _change("sub_", ops.sub, self, other, alpha=alpha)

    def mul_(self, other) -> Tensor:
        """Multiply by other, in place, and return the tensor itself."""
        return _change("mul_", ops.mul, self, other)

    def div_(self, other) -> Tensor:
        """Divide by other, in place, and return the tensor itself."""
        return _change("div_", ops.div, self, other)

    def clamp_(self, min=None, max=None) -> Tensor:
        """Move every element to the nearest limit, in place, and return the tensor itself."""
        return _change("clamp_", ops.clamp, self, min, max)

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Overwrite with normal random numbers, in place, and return the tensor itself."""
        check_float("normal_", "self", self)
        _check_in_place("normal_", self)
        values = generator().standard_normal(self.data.shape, self.data.dtype)
        return _write("normal_", self, wrap(numpy.asarray(values * std + mean)))

    def uniform_(self, a: float = 0.0, b: float = 1.0) -> Tensor:
        """Overwrite with uniform random numbers in [a, b), in place, and return the tensor."""
        check_float("uniform_", "self", self)
        _check_in_place("uniform_", self)
        values = generator().random(self.data.shape, self.data.dtype)
        return _write("uniform_", self, wrap(numpy.asarray(values * (b - a) + a)))

    def __iadd__(self, other):  # type: ignore[misc]
        return _in_place("+=", ops.add, self, other)

    def __isub__(self, other):  # type: ignore[misc]
        return _in_place("-=", ops.sub, self, other)

    def __imul__(self, other):  # type: ignore[misc]
        return _in_place("*=", ops.mul, self, other)

    def __itruediv__(self, other):  # type: ignore[misc]
        return _in_place("/=", ops.div, self, other)


def _recorded(*tensors):
    return is_grad_enabled() and any(t.requires_grad for t in tensors)


def _check_in_place(function, *tensors):
    """Refuse to change what a recorded operation may still need."""
    if _recorded(*tensors):
        fail(function, "tensors that require no gradient", "one that does",
             "Changes in place are not recorded: use tinycnn.where or tinycnn.cat, or work inside "
             "tinycnn.no_grad().", RuntimeError)


def _in_place(function, op, x, other):
    """x += other: in place, or, where a gradient is recorded, a new tensor under the old name."""
    y = op(x, other)
    if y.requires_grad:
        if x.requires_grad and x.creator is None:
            fail(function, "a tensor that requires no gradient", "a leaf that does",
                 "Update parameters inside tinycnn.no_grad().", RuntimeError)
        return y
    return _write(function, x, y)


def _change(function, op, x, *others, **options):
    """x = op(x, ...) in place: the methods whose names end with an underscore."""
    y = op(x, *others, **options)
    _check_in_place(function, x, y)
    return _write(function, x, y)


def _write(function, x, y):
    if y.data.dtype.kind == "f" and x.data.dtype.kind != "f":
        fail(function, f"a result of dtype {x.data.dtype}", str(y.data.dtype),
             "Convert the tensor with .to(tinycnn.float32) first.", TypeError)
    if broadcast_shape(function, x.data.shape, y.data.shape) != x.data.shape:
        fail(function, f"a result {shape_text(x.data.shape)}", shape_text(y.data.shape),
             "The tensor cannot grow in place.")
    if not is_writeable(x.data):
        fail(function, "memory that may be written", "a read-only tensor, such as expand makes",
             "Use .clone() first.")
    kernels_for((x.data,)).setitem(x.data, ..., to_device(y.data, x.device))
    return x
