"""Tensor: an array that remembers how it was made. Operators and methods are functions of `ops`."""

from __future__ import annotations

import builtins

import numpy

from . import ops
from ._core import device_of, kernels_for
from ._core.checks import fail, shape_text
from ._in_place import InPlace
from ._printing import tensor_text
from .autograd import Variable, backward, make_results, wrap
from .ops import activation
from .ops._inputs import as_tensor, check_tensor, dim_of


class Tensor(InPlace):
    """Numbers in a regular grid, with gradients on request.

    Make one with `tinycnn.tensor(data)`. `data` is the array behind it, NumPy's, or CuPy's on a GPU
    (a tensor in PyTorch: assign `w.data = other.data`, or write into it with `copy_`), `grad` the
    gradient that `backward` left (a Tensor or None), `requires_grad` whether one is wanted,
    `creator` the recorded call that made it (None for a leaf).

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
        """Where the numbers are: "cpu" or "cuda"."""
        return device_of(self.data)

    @property
    def is_cuda(self) -> builtins.bool:
        return self.device != "cpu"

    @property
    def is_leaf(self) -> builtins.bool:
        return self.creator is None

    def size(self, dim: builtins.int | None = None) -> tuple[builtins.int, ...] | builtins.int:
        """The shape, or its entry along one axis."""
        if dim is None:
            return self.data.shape
        return self.data.shape[dim_of("size", dim, self.data.ndim)]

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
            array = kernels_for((data,)).empty_like(data)
            array.fill(1)
        else:
            array = as_tensor(gradient).data
            if array.shape != data.shape:
                fail("backward", f"a gradient {shape_text(data.shape)}", shape_text(array.shape),
                     "It must have the shape of the tensor.")
            if array.dtype != data.dtype:
                fail("backward", f"a gradient of dtype {data.dtype}", str(array.dtype),
                     f"Convert it with .to(tinycnn.{data.dtype}).", TypeError)
            kernels_for((data, array))  # raises, unless they are on one device
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

    # --- elements

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __contains__(self, value) -> builtins.bool:
        return bool(ops.eq(self, value).data.any())

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
    square, reciprocal, log1p, sin, cos = (
        ops.square, ops.reciprocal, ops.log1p, ops.sin, ops.cos,
    )
    relu, sigmoid, tanh, softmax, log_softmax = (
        activation.relu, activation.sigmoid, activation.tanh, activation.softmax,
        activation.log_softmax,
    )
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite
    isclose, allclose, equal, masked_fill = (
        ops.isclose, ops.allclose, ops.equal, ops.masked_fill,
    )
    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    sum, mean, var, std, prod, logsumexp = (
        ops.sum, ops.mean, ops.var, ops.std, ops.prod, ops.logsumexp,
    )
    max, min, amax, amin, argmax, argmin = (
        ops.max, ops.min, ops.amax, ops.amin, ops.argmax, ops.argmin,
    )
    all, any, norm = ops.all, ops.any, ops.norm
    sort, argsort, topk, cumsum = ops.sort, ops.argsort, ops.topk, ops.cumsum
    mm, bmm, dot = ops.mm, ops.bmm, ops.dot
    flatten, unflatten, squeeze, unsqueeze = (
        ops.flatten, ops.unflatten, ops.squeeze, ops.unsqueeze,
    )
    transpose, split, chunk, t, unbind = (
        ops.transpose, ops.split, ops.chunk, ops.t, ops.unbind,
    )
    clone = ops.clone

    def contiguous(self) -> Tensor:
        """The tensor itself: how its memory lies is no matter to any operation here."""
        return self

    def reshape(self, *shape) -> Tensor:
        """See tinycnn.ops.reshape; sizes may stand alone or in a tuple."""
        return ops.reshape(self, _sizes(shape))

    def view(self, *shape) -> Tensor:
        """The same elements, last axis fastest, in another shape, as `reshape`.

        It shares memory where the layout allows, else it is a copy; PyTorch raises there. Feature
        maps lie in memory channels last, so that merging their axes copies. To write into a part
        of a tensor, index it: x[...] = value.

        Example: >>> import tinycnn
                 >>> tinycnn.zeros(2, 3).view(-1).shape
                 (6,)
        """
        try:
            return ops.reshape(self, _sizes(shape))
        except (TypeError, ValueError) as error:
            raise type(error)(str(error).replace("reshape:", "view:", 1)) from None

    def view_as(self, other: Tensor) -> Tensor:
        """In the shape of another tensor, see `view`."""
        check_tensor("view_as", "other", other)
        return self.view(other.data.shape)

    def reshape_as(self, other: Tensor) -> Tensor:
        """In the shape of another tensor, see tinycnn.ops.reshape."""
        check_tensor("reshape_as", "other", other)
        return ops.reshape(self, other.data.shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """Expanded to the shape of another tensor, see tinycnn.ops.expand."""
        check_tensor("expand_as", "other", other)
        return ops.expand(self, other.data.shape)

    def repeat(self, *sizes) -> Tensor:
        """See tinycnn.ops.repeat; numbers may stand alone or in a tuple."""
        return ops.repeat(self, _sizes(sizes))

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


make_results(Tensor)


def check_differentiable(function, array):
    """Raise TypeError unless a gradient of this array makes sense."""
    if array.dtype.kind != "f":
        fail(function, "requires_grad=True for float32 or float64 only", str(array.dtype),
             "Convert the data to float first.", TypeError)


def _sizes(sizes):
    return sizes[0] if len(sizes) == 1 else sizes


def _comparable(other):
    return isinstance(other, (Variable, int, float)) or hasattr(other, "__array__")
