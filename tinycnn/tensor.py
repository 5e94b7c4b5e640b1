"""Tensor: an array that remembers how it was made. Operators and methods are functions of `ops`."""

from __future__ import annotations

import builtins

import numpy

from . import ops
from ._core.checks import fail, shape_text
from ._exchange import Exchange
from ._printing import tensor_text
from .autograd import Variable, backward, is_grad_enabled, wrap
from .ops import activation
from .ops._inputs import as_tensor, broadcast_shape
from .ops.indexing import index_key


class Tensor(Exchange):
    """Numbers in a regular grid, with gradients on request.

    Make one with `tinycnn.tensor(data)`. `data` is the NumPy array behind it (PyTorch has a tensor
    there: assign `w.data = other.data`, or write into it with `copy_`), `grad` the gradient that
    `backward` left (a Tensor or None), `requires_grad` whether one is wanted, `creator` the recorded
    call that made it (None for a leaf).

    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0, 2.0], requires_grad=True)
             >>> (x * x).sum().backward()
             >>> x.grad
             tensor([2., 4.])
    """

    __slots__ = ()
    __hash__ = object.__hash__  # by identity, as == compares elements

    data: numpy.ndarray
    grad: Tensor | None

    def __init__(self, *_arguments):
        fail("Tensor", "to be made by a function", "a call of the class",
             "Use tinycnn.tensor(data), or zeros, ones, randn, from_numpy, ...", TypeError)

    # --- what it is

    @property
    def shape(self) -> tuple[builtins.int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> numpy.dtype:
        return self.data.dtype

    @property
    def ndim(self) -> builtins.int:
        return self.data.ndim

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def is_leaf(self) -> builtins.bool:
        return self.creator is None

    def size(self, dim: builtins.int | None = None) -> tuple[builtins.int, ...] | builtins.int:
        return self.data.shape if dim is None else self.data.shape[dim]

    def dim(self) -> builtins.int:
        return self.data.ndim

    def numel(self) -> builtins.int:
        return self.data.size

    def __len__(self) -> builtins.int:
        if not self.data.ndim:
            fail("len", "a tensor with at least one axis", "a tensor ()", "Use .item().", TypeError)
        return self.data.shape[0]

    def __repr__(self) -> str:
        return tensor_text(self)

    # --- gradients

    def backward(self, gradient: Tensor | None = None, retain_graph: builtins.bool = False) -> None:
        """Add d(sum of self * gradient) / d(leaf) to `leaf.grad` of every leaf that made this.

        Args:    gradient (Tensor or None): same shape and dtype; None for 1, if there is 1 element.
                 retain_graph (bool): keep what was saved, so that backward may run again.
        Raises:  RuntimeError: if nothing was recorded, or the graph was freed.
                 ValueError: if `gradient` is missing or of another shape.
                 TypeError: if `gradient` is of another dtype.
        Example: >>> import tinycnn
                 >>> x = tinycnn.tensor(3.0, requires_grad=True)
                 >>> (x * x).backward()
                 >>> x.grad
                 tensor(6.)
        """
        data = self.data
        if not self.requires_grad:
            fail("backward", "a tensor that requires a gradient", "one that does not",
                 "Set requires_grad=True on what it is computed from, outside of no_grad.",
                 RuntimeError)
        if gradient is None:
            if data.size != 1:
                fail("backward", "a tensor of one element, or a gradient", shape_text(data.shape),
                     "Reduce it first, for example with .sum(), or pass gradient=.")
            array = numpy.ones_like(data)
        else:
            array = as_tensor(gradient).data
            if array.shape != data.shape:
                fail("backward", f"a gradient {shape_text(data.shape)}", shape_text(array.shape),
                     "It must have the shape of the tensor.")
            if array.dtype != data.dtype:
                fail("backward", f"a gradient of dtype {data.dtype}", str(array.dtype),
                     f"Convert it with .to(tinycnn.{data.dtype}).", TypeError)
        backward(self, array, retain_graph)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Say whether a gradient is wanted, and return the tensor itself."""
        if self.creator is not None:
            if not requires_grad:
                fail("requires_grad_", "a leaf", "the result of an operation",
                     "Use .detach() for a tensor without its history.", RuntimeError)
        elif requires_grad:
            check_differentiable("requires_grad_", self.data)
            self.requires_grad = True
        else:
            self.requires_grad = False
        return self

    def retain_grad(self) -> None:
        """Have `backward` leave the gradient in `grad`, although this is no leaf."""
        if not self.requires_grad:
            fail("retain_grad", "a tensor that requires a gradient", "one that does not",
                 "Set requires_grad=True on what it is computed from.", RuntimeError)
        if self.creator is not None:
            if self.creator.retained is None:
                self.creator.retained = {}
            self.creator.retained[self.index] = self

    def detach(self) -> Tensor:
        """The same memory without history: no gradient flows back through it."""
        return wrap(self.data)

    # --- elements, and changes in place

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __contains__(self, value) -> builtins.bool:
        return bool(ops.eq(self, value).data.any())

    def __setitem__(self, key, value) -> None:
        value = as_tensor(value, self)
        _check_in_place("x[...] = value", self, value)
        key = index_key(key)
        try:
            self.data[key] = value.data
        except (IndexError, ValueError) as error:
            fail("x[...] = value", f"indices and a value that fit {shape_text(self.data.shape)}",
                 f"a value {shape_text(value.data.shape)} ({error})", "Check both shapes.",
                 type(error))

    def copy_(self, other) -> Tensor:
        """Overwrite every element, in place, and return the tensor itself.

        As every change in place it is not recorded, and operations recorded before do not notice
        it: see `tinycnn.no_grad`.
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

    def __iadd__(self, other):  # type: ignore[misc]
        return _in_place("+=", ops.add, self, other)

    def __isub__(self, other):  # type: ignore[misc]
        return _in_place("-=", ops.sub, self, other)

    def __imul__(self, other):  # type: ignore[misc]
        return _in_place("*=", ops.mul, self, other)

    def __itruediv__(self, other):  # type: ignore[misc]
        return _in_place("/=", ops.div, self, other)

    # --- operators: the functions of ops themselves, as a further call would cost time

    __add__ = __radd__ = ops.add
    __sub__ = ops.sub
    __mul__ = __rmul__ = ops.mul
    __truediv__ = ops.div
    __floordiv__ = ops.floor_divide
    __mod__ = ops.remainder
    __pow__ = ops.pow
    __matmul__ = ops.matmul
    __neg__ = ops.neg
    __abs__ = ops.abs
    __invert__ = ops.bitwise_not
    __and__ = __rand__ = ops.bitwise_and
    __or__ = __ror__ = ops.bitwise_or
    __xor__ = __rxor__ = ops.bitwise_xor
    __lt__, __le__, __gt__, __ge__ = ops.lt, ops.le, ops.gt, ops.ge
    __getitem__ = ops.index

    def __eq__(self, other):
        return ops.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other):
        return ops.ne(self, other) if _comparable(other) else NotImplemented

    def __rsub__(self, other):
        return ops.sub(other, self)

    def __rtruediv__(self, other):
        return ops.div(other, self)

    def __rfloordiv__(self, other):
        return ops.floor_divide(other, self)

    def __rmod__(self, other):
        return ops.remainder(other, self)

    def __rpow__(self, other):
        return ops.pow(other, self)

    def __rmatmul__(self, other):
        return ops.matmul(as_tensor(other), self)

    # --- methods

    add, sub, mul, div, pow, neg, matmul = (
        ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.neg, ops.matmul,
    )
    maximum, minimum, clamp, abs, sign = (
        ops.maximum, ops.minimum, ops.clamp, ops.abs, ops.sign,
    )
    exp, log, sqrt, floor, ceil, round = (
        ops.exp, ops.log, ops.sqrt, ops.floor, ops.ceil, ops.round,
    )
    relu, sigmoid, tanh, softmax, log_softmax = (
        activation.relu, activation.sigmoid, activation.tanh, activation.softmax,
        activation.log_softmax,
    )
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite
    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    sum, mean, var, std, prod, logsumexp = (
        ops.sum, ops.mean, ops.var, ops.std, ops.prod, ops.logsumexp,
    )
    max, min, amax, amin, argmax, argmin = (
        ops.max, ops.min, ops.amax, ops.amin, ops.argmax, ops.argmin,
    )
    all, any = ops.all, ops.any
    flatten, unflatten, squeeze, unsqueeze = (
        ops.flatten, ops.unflatten, ops.squeeze, ops.unsqueeze,
    )
    transpose, split, chunk = ops.transpose, ops.split, ops.chunk
    clone = ops.clone

    def reshape(self, *shape) -> Tensor:
        """See tinycnn.ops.reshape; sizes may stand alone or in a tuple."""
        return ops.reshape(self, _sizes(shape))

    view = reshape

    def permute(self, *dims) -> Tensor:
        """See tinycnn.ops.permute; axes may stand alone or in a tuple."""
        return ops.permute(self, _sizes(dims))

    def expand(self, *size) -> Tensor:
        """See tinycnn.ops.expand; sizes may stand alone or in a tuple."""
        return ops.expand(self, _sizes(size))

    def flip(self, *dims) -> Tensor:
        """See tinycnn.ops.flip; axes may stand alone or in a tuple."""
        return ops.flip(self, _sizes(dims))

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return ops.permute(self, tuple(range(self.data.ndim))[::-1])


Variable.result_type = Tensor


def check_differentiable(function, array):
    """Raise TypeError unless a gradient of this array makes sense."""
    if array.dtype.kind != "f":
        fail(function, "requires_grad=True for float32 or float64 only", str(array.dtype),
             "Convert the data to float first.", TypeError)


def _sizes(sizes):
    return sizes[0] if len(sizes) == 1 else sizes


def _comparable(other):
    return isinstance(other, (Variable, int, float)) or hasattr(other, "__array__")


def _recorded(*tensors):
    return is_grad_enabled() and any(t.requires_grad for t in tensors)


def _check_in_place(function, tensor, value):
    """Refuse to change what a recorded operation may still need."""
    if _recorded(tensor, value):
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


def _write(function, x, y):
    if y.data.dtype.kind == "f" and x.data.dtype.kind != "f":
        fail(function, f"a result of dtype {x.data.dtype}", str(y.data.dtype),
             "Convert the tensor with .to(tinycnn.float32) first.", TypeError)
    if broadcast_shape(function, x.data.shape, y.data.shape) != x.data.shape:
        fail(function, f"a result {shape_text(x.data.shape)}", shape_text(y.data.shape),
             "The tensor cannot grow in place.")
    x.data[...] = y.data
    return x
