"""Matrix products and the linear layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from ..autograd import Function, Variable
from ._inputs import as_tensor, broadcast_shape, check_float
from .reshaping import expand, reshape, squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


def _product(k, a, b, bias=None):
    """a @ b + bias; a copy is made of a matrix without neighbours one element apart."""
    unit, steps_a, steps_b = a.itemsize, a.strides, b.strides
    if steps_a[-1] != unit and steps_a[-2] != unit:
        a = k.contiguous(a)
    if steps_b[-1] != unit and steps_b[-2] != unit:
        b = k.contiguous(b)
    out = k.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    k.matmul(a, b, bias, out)
    return out


class MatMul(Function):
    """See matmul: (M, K) @ (K, N), or (B, M, K) @ (B, K, N)."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.a = a if ctx.needs[1] else None
        ctx.b = b if ctx.needs[0] else None
        return _product(ctx.kernels, a, b)

    @staticmethod
    def backward(ctx, grad):
        k, (need_a, need_b) = ctx.kernels, ctx.needs
        return (
            _product(k, grad, ctx.b.swapaxes(-1, -2)) if need_a else None,
            _product(k, ctx.a.swapaxes(-1, -2), grad) if need_b else None,
        )


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product; leading axes are a batch and broadcast.

    y[..., i, j] = sum over k of input[..., i, k] * other[..., k, j]

    Args:    input (Tensor): (..., M, K), or (K,) for a row.
             other (Tensor): (..., K, N), or (K,) for a column.
    Returns: Tensor (..., M, N), without the axis that a vector does not have.
    Raises:  ValueError: if the sizes K differ, or the leading axes do not broadcast.
             TypeError: if the dtypes differ or are not float.
    Example: >>> import tinycnn
             >>> a = tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]])
             >>> a @ tinycnn.tensor([1.0, -1.0])
             tensor([-1., -1.])
    """
    if isinstance(input, Variable) and isinstance(other, Variable):
        x, w = input.data, other.data
        kind = x.dtype.kind if x.dtype is w.dtype else None
        if kind == "f" and x.ndim == w.ndim == 2 and x.shape[1] == len(w):
            return MatMul.apply(input, other)  # two matrices that fit: nothing else to ask
    elif hasattr(other, "__array__"):
        other = as_tensor(other)
    _check_one_dtype("matmul", "other", input, other)
    a, b = input.data.shape, other.data.shape
    if not a or not b or a[-1] != b[-2 if len(b) > 1 else 0]:
        fail("matmul", "input (..., M, K) and other (..., K, N)",
             f"{shape_text(a)} and {shape_text(b)}", "The last axis of input is the second to "
             "last of other; transpose one of them?")
    if len(a) == len(b) == 2:
        return MatMul.apply(input, other)
    if len(a) == 1:
        return squeeze(matmul(unsqueeze(input, 0), other), -2 if len(b) > 1 else 0)
    if len(b) == 1:
        return squeeze(matmul(input, unsqueeze(other, 1)), -1)
    if len(b) == 2:  # one matrix for the whole batch: rows of all its members below each other
        rows = reshape(input, (math.prod(a[:-1]), a[-1]))
        return reshape(MatMul.apply(rows, other), a[:-1] + b[-1:])
    batch = broadcast_shape("matmul", a[:-2], b[:-2])
    size = math.prod(batch)
    y = MatMul.apply(
        reshape(expand(input, batch + a[-2:]), (size, *a[-2:])),
        reshape(expand(other, batch + b[-2:]), (size, *b[-2:])),
    )
    return reshape(y, (*batch, a[-2], b[-1]))


def _check_one_dtype(function, name, input, other):
    """Raise TypeError unless both are tensors of the same float dtype."""
    if isinstance(input, Variable) and isinstance(other, Variable):
        dtype = input.data.dtype
        if dtype is other.data.dtype and dtype.kind == "f":
            return
    check_float(function, "input", input)
    check_float(function, name, other)
    if input.data.dtype != other.data.dtype:
        fail(function, f"{name} of the input's dtype {input.data.dtype}", str(other.data.dtype),
             f"Convert one of them with .to(tinycnn.{input.data.dtype}).", TypeError)


class Linear(Function):
    """See linear; with relu, max(0, y) of it."""

    @staticmethod
    def forward(ctx, x, weight, bias, relu):
        k, shape = ctx.kernels, x.shape
        flat = len(shape) == 2
        rows = x if flat else k.reshape(x, (math.prod(shape[:-1]), shape[-1]))
        if bias is not None:
            bias = k.contiguous(bias)
        y = _product(k, rows, weight.T, bias)
        if relu:
            k.relu_forward(y, y)
        ctx.rows = rows if ctx.needs[1] else None
        ctx.weight = weight if ctx.needs[0] else None
        ctx.shape = shape
        ctx.y = y if relu else None  # says where the ReLU was open
        return y if flat else k.reshape(y, shape[:-1] + y.shape[1:])

    @staticmethod
    def backward(ctx, grad):
        k, (need_x, need_weight, need_bias, _) = ctx.kernels, ctx.needs
        if len(ctx.shape) != 2:
            grad = k.reshape(grad, (math.prod(grad.shape[:-1]), grad.shape[-1]))
        if ctx.y is not None:
            opened = k.empty_like(ctx.y)
            k.relu_backward(ctx.y, k.contiguous(grad), opened)
            grad = opened
        grad_x = grad_weight = grad_bias = None
        if need_x:
            grad_x = _product(k, grad, ctx.weight)
            if len(ctx.shape) != 2:
                grad_x = k.reshape(grad_x, ctx.shape)
        if need_weight:
            grad_weight = _product(k, grad.T, ctx.rows)
        if need_bias:
            grad_bias = k.empty(grad.shape[1:], grad.dtype)
            k.sum_rows(k.contiguous(grad), grad_bias)
        return grad_x, grad_weight, grad_bias


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A matrix applied to every row.

    y[..., o] = sum over i of input[..., i] * weight[o, i] + bias[o]

    Args:    input (Tensor): (..., I), float32 or float64.
             weight (Tensor): (O, I), of the same dtype.
             bias (Tensor or None): (O,), of the same dtype.
    Returns: Tensor (..., O).
    Raises:  ValueError: if the sizes do not fit.
             TypeError: if the dtypes differ or are not float.
    Example: >>> import tinycnn
             >>> x, weight = tinycnn.ones(2, 3), tinycnn.ones(1, 3)
             >>> tinycnn.ops.linear(x, weight, tinycnn.tensor([1.0]))
             tensor([[4.],
                     [4.]])
    """
    if bias is None and isinstance(weight, Variable) and weight.data.ndim == 1:
        _check_one_dtype("linear", "weight", input, weight)
        return matmul(input, weight)  # PyTorch's one output without an axis
    _check_linear(input, weight, bias)
    return Linear.apply(input, weight, bias, False)


def linear_relu(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """relu(linear(input, weight, bias)) as one operation; weight has two axes."""
    _check_linear(input, weight, bias)
    return Linear.apply(input, weight, bias, True)


def _check_linear(input, weight, bias):
    _check_one_dtype("linear", "weight", input, weight)
    x, w = input.data.shape, weight.data.shape
    if len(w) != 2 or not x or x[-1] != w[1]:
        fail("linear", f"input (..., {w[-1] if w else 'I'}) for weight (O, I) = {shape_text(w)}",
             shape_text(x), "Check in_features of the layer, or flatten the input first.")
    if bias is not None:
        _check_one_dtype("linear", "bias", input, bias)
        if bias.data.shape != w[:1]:
            fail("linear", f"bias ({w[0]},) for weight {shape_text(w)}",
                 shape_text(bias.data.shape), "One number per output.")
