"""Unpooling: values go back to where max pooling found them.

Size letters: N images, C channels, L / H W / D H W input size, K.. window, O.. output size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.dtypes import int64
from .._core.shapes import remembered, tuple_of
from ..autograd import Function
from ._inputs import check_float, check_tensor
from .reshaping import sizes_of

if TYPE_CHECKING:
    from ..tensor import Tensor

_AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


class MaxUnpool(Function):
    """See max_unpool2d."""

    @staticmethod
    def forward(ctx, x, indices, function, size):
        k, dims, ctx.batched = ctx.kernels, len(size), x.ndim == len(size) + 2
        x, index = [k.pixels(a if ctx.batched else a[None], dims) for a in (x, indices)]
        y = k.empty((len(x), *(1,) * (3 - dims), *size, x.shape[4]), x.dtype)
        if not k.max_unpool_forward(x, index, y):
            _fail_index(k, function, indices, size)
        ctx.index, ctx.dims = index, dims
        y = k.channels_first(y, dims)
        return y if ctx.batched else y[0]

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_y = k.pixels(grad_y if ctx.batched else grad_y[None], ctx.dims)
        grad_x = k.empty(ctx.index.shape, grad_y.dtype)
        k.max_unpool_backward(grad_y, ctx.index, grad_x)
        grad_x = k.channels_first(grad_x, ctx.dims)
        return grad_x if ctx.batched else grad_x[0], None


def _fail_index(k, function, indices, size):
    """Name the first index that is out of range."""
    flat = k.reshape(indices, (indices.size,))
    wrong = k.bitwise_or(k.less(flat, 0), k.greater_equal(flat, math.prod(size)))
    first = k.argmax(wrong).item()
    fail(function, f"indices from 0 to {math.prod(size) - 1} for the output size "
         f"{shape_text(size)}", f"{flat[first].item()} at element {first} of indices "
         f"{shape_text(indices.shape)}",
         "Pass the indices of max_pool, and the size of its input as output_size.")


@remembered
def unpool_size(function, dims, shape, kernel_size, stride, padding, output_size):
    """The output size, checked: (in - 1) * stride - 2 * padding + kernel_size, or one near that."""
    kernel = tuple_of(kernel_size, dims, function, "kernel_size", 1)
    stride = kernel if stride is None else tuple_of(stride, dims, function, "stride", 1)
    padding = tuple_of(padding, dims, function, "padding", 0)
    if len(shape) not in (dims + 1, dims + 2) or 0 in shape[-dims:]:
        fail(function, f"input (N, C, {_AXES[dims]}) or (C, {_AXES[dims]}), with pixels",
             shape_text(shape), "Pass what max_pool returned.")
    usual = tuple([(n - 1) * s - 2 * p + k for n, k, s, p in
                   zip(shape[-dims:], kernel, stride, padding)])
    size = usual
    if output_size is not None:
        if len(output_size) not in (dims, dims + 2, len(shape)):
            fail(function, f"output_size of {dims} numbers, or a whole shape of {dims + 2}",
                 shape_text(output_size), "Pass the size of what was pooled.")
        size = tuple(output_size[-dims:])
        if not all(u - s < n < u + s for u, s, n in zip(usual, stride, size)):
            least = tuple([u - s + 1 for u, s in zip(usual, stride)])
            most = tuple([u + s - 1 for u, s in zip(usual, stride)])
            fail(function, f"output_size from {shape_text(least)} to {shape_text(most)}",
                 shape_text(size), "Pass the size of what was pooled, and its kernel_size, stride "
                 "and padding.")
    if min(size) < 1:
        fail(function, "an output of at least one pixel along each axis", shape_text(size),
             "Use less padding.")
    return size


def _max_unpool(function, dims, input, indices, kernel_size, stride, padding, output_size):
    check_float(function, "input", input)
    check_tensor(function, "indices", indices)
    x, index = input.data, indices.data
    if index.dtype != int64:
        fail(function, "indices of dtype int64", f"{index.dtype} {shape_text(index.shape)}",
             "Pass the indices of max_pool, called with return_indices=True.", TypeError)
    if index.shape != x.shape:
        fail(function, f"indices of the input's shape {shape_text(x.shape)}",
             shape_text(index.shape), "Pass the indices of max_pool, one for each value.")
    if output_size is not None:
        output_size = sizes_of(function, output_size)
    size = unpool_size(function, dims, x.shape, kernel_size, stride, padding, output_size)
    return MaxUnpool.apply(input, indices, function, size)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None, padding: int | tuple[int, ...] = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """What max_pool1d undoes in part: max_unpool2d along one axis.

    y[n, c, indices[n, c, i]] = x[n, c, i], 0 elsewhere

    Args:    input, indices (Tensor): (N, C, L) or (C, L); the rest as in max_unpool2d.
    Returns: Tensor (N, C, OL), OL = (L - 1) * stride - 2 * padding + K unless told.
    Raises:  ValueError, TypeError: as max_unpool2d.
    Example: >>> import tinycnn
             >>> x, where = tinycnn.tensor([[3.0, 2.0]]), tinycnn.tensor([[1, 2]])
             >>> max_unpool1d(x, where, 2)
             tensor([[0., 3., 2., 0.]])
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None, padding: int | tuple[int, ...] = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Values where max_pool2d found the largest, and 0 elsewhere.

    y[n, c, h, w] = x[n, c, i, j] where indices[n, c, i, j] = h * OW + w, 0 elsewhere

    Where several indices are equal, as those of overlapping windows may be, the last value stays,
    in the order of rows; the gradient at that pixel goes to all of them, as in PyTorch.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             indices (Tensor): of that shape, int64, as max_pool2d returns them.
             kernel_size (int or pair), stride (int, pair or None), padding (int or pair): of the
             pooling; None means kernel_size. They say how large the output is, and nothing else.
             output_size (ints or None): OH, OW, or a whole shape: which of the sizes that
             pooling maps to one; less than a stride away from the usual one.
    Returns: Tensor (N, C, OH, OW), OH = (H - 1) * stride - 2 * padding + KH unless told.
    Raises:  ValueError: if an index lies outside of the output, shapes differ, or output_size
             cannot be. TypeError: if input is no float tensor or indices are not int64.
    Example: >>> import tinycnn
             >>> import tinycnn.nn.functional as F
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 6.0]]])
             >>> y, where = F.max_pool2d(x, 2, return_indices=True)
             >>> max_unpool2d(y, where, 2)
             tensor([[[0., 0., 0., 0.],
                      [4., 0., 0., 6.]]])
    Source:  Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", 2.1;
             Badrinarayanan et al. 2017, "SegNet", III.
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: int | tuple[int, ...],
    stride: int | tuple[int, ...] | None = None, padding: int | tuple[int, ...] = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """What max_pool3d undoes in part: max_unpool2d with D in front.

    y[n, c, d, h, w] = x[n, c, k, i, j] where indices[n, c, k, i, j] = (d * OH + h) * OW + w

    Args:    input, indices (Tensor): (N, C, D, H, W) or (C, D, H, W); the rest as in max_unpool2d,
             with triples.
    Returns: Tensor (N, C, OD, OH, OW), sizes as in max_unpool2d.
    Raises:  ValueError, TypeError: as max_unpool2d.
    Example: >>> import tinycnn
             >>> x, where = tinycnn.tensor([[[[4.0]]]]), tinycnn.tensor([[[[2]]]])
             >>> max_unpool3d(x, where, (2, 1, 2))
             tensor([[[[0., 0.]],
                      [[4., 0.]]]])
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
