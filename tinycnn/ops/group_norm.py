"""Normalisation by statistics of each image on its own: groups of channels, rows, root mean square.

Size letters: N images, C channels, G groups, M pixels of an image, D H W its size. One kernel does
them all: it reads images (N, M, C), and layer norm's rows are images of one pixel and one group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, int_of, shape_text
from .._core.dtypes import float32
from ..autograd import Function
from ._inputs import check_float, check_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor


class GroupNorm(Function):
    """See group_norm."""

    @staticmethod
    def forward(ctx, x, weight, bias, groups, eps):
        k, N = ctx.kernels, x.shape[0]
        images = to_images(k, x)
        mean, var = k.empty((N, groups), x.dtype), k.empty((N, groups), x.dtype)
        y = k.empty(images.shape, x.dtype)
        weight = None if weight is None else k.contiguous(weight)
        bias = None if bias is None else k.contiguous(bias)
        k.group_norm_forward(images, weight, bias, eps, mean, var, y)
        ctx.saved = images, weight, eps, mean, var
        return from_images(y, x.shape)

    @staticmethod
    def backward(ctx, grad_y):
        k, (x, weight, eps, mean, var) = ctx.kernels, ctx.saved
        grads = _empty_gradients(k, ctx.needs, x)
        k.group_norm_backward(x, to_images(k, grad_y), weight, eps, mean, var, *grads)
        grad_x = None if grads[0] is None else from_images(grads[0], grad_y.shape)
        return (grad_x, *grads[1:])


class LayerNorm(Function):
    """See layer_norm; without `centered` see rms_norm."""

    @staticmethod
    def forward(ctx, x, weight, bias, dims, eps, centered):
        k = ctx.kernels
        ctx.axes, ctx.dims = _memory_order(x, dims), dims
        rows = _to_rows(k, x, dims, ctx.axes)
        weight = None if weight is None else _to_vector(k, weight, ctx.axes)
        bias = None if bias is None else _to_vector(k, bias, ctx.axes)
        mean = k.empty((len(rows), 1), x.dtype) if centered else None
        var = k.empty((len(rows), 1), x.dtype)
        y = k.empty(rows.shape, x.dtype)
        k.group_norm_forward(rows, weight, bias, eps, mean, var, y)
        ctx.saved = rows, weight, eps, mean, var
        return _back(y, x.shape, ctx.axes)

    @staticmethod
    def backward(ctx, grad_y):
        k, (x, weight, eps, mean, var) = ctx.kernels, ctx.saved
        grads = _empty_gradients(k, ctx.needs, x)
        rows = _to_rows(k, grad_y, ctx.dims, ctx.axes)
        k.group_norm_backward(x, rows, weight, eps, mean, var, *grads)
        shape, lead = grad_y.shape, grad_y.ndim - ctx.dims
        inner = None if ctx.axes is None else [axis - lead for axis in ctx.axes[lead:]]
        return (
            None if grads[0] is None else _back(grads[0], shape, ctx.axes),
            *[None if g is None else _back(g, shape[lead:], inner) for g in grads[1:]],
        )


def _empty_gradients(k, needs, x):
    """Memory for grad_x, grad_weight and grad_bias, None where none is needed."""
    shapes = x.shape, x.shape[2:], x.shape[2:]
    return [k.empty(s, x.dtype) if needed else None for s, needed in zip(shapes, needs)]


def to_images(k, x):
    """(N, C, *spatial) as the kernels' contiguous (N, M, C)."""
    N, C, *size = x.shape
    if size:
        x = k.contiguous(x.transpose((0, *range(2, x.ndim), 1)))
    else:
        x = k.contiguous(x)
    return x.reshape((N, math.prod(size), C))


def from_images(y, shape):
    """(N, M, C) back to (N, C, *spatial) = shape: a view."""
    N, C, *size = shape
    if not size:
        return y.reshape(shape)
    last = len(size) + 1
    return y.reshape((N, *size, C)).transpose((0, last, *range(1, last)))


def _memory_order(x, dims):
    """The order of axes in which rows over the last `dims` axes need no copy, if there is one: the
    other axes, then these, each by their steps in memory. None where it is the order they have."""
    if x.flags.c_contiguous:
        return None
    lead, steps = x.ndim - dims, x.strides
    order = [*sorted(range(lead), key=lambda axis: -steps[axis]),
             *sorted(range(lead, x.ndim), key=lambda axis: -steps[axis])]
    return None if order == list(range(x.ndim)) else order


def _to_rows(k, x, dims, order):
    """(*leading, *normalized) as contiguous rows (R, 1, L), axes taken in this order."""
    lead = x.ndim - dims
    rows, length = math.prod(x.shape[:lead]), math.prod(x.shape[lead:])
    x = k.contiguous(x if order is None else x.transpose(order))
    return x.reshape((rows, 1, length))


def _to_vector(k, weight, order):
    """A weight of the normalised shape as (L,), its axes taken in this order."""
    if order is not None:
        lead = len(order) - weight.ndim
        weight = weight.transpose([axis - lead for axis in order[lead:]])
    return k.contiguous(weight).reshape((weight.size,))


def _back(y, shape, order):
    """Undo _to_rows and _to_vector."""
    if order is None:
        return y.reshape(shape)
    back = [0] * len(order)
    for place, axis in enumerate(order):
        back[axis] = place
    return y.reshape([shape[axis] for axis in order]).transpose(back)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Each group of channels of each image shifted to mean 0 and scaled to variance 1, then every
    channel scaled and shifted as learnt.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    mean and var are over the C / G channels of a group and all pixels, var divided by their number.

    Args:    input (Tensor): (N, C) or (N, C, *spatial), float32 or float64.
             num_groups (int): G, which divides C.
             weight, bias (Tensor or None): (C,); None means 1 and 0.
             eps (float): added to the variance, at least 0.
    Returns: Tensor, shape of input.
    Raises:  ValueError: if input has no channel axis; if G does not divide C; if weight or bias is
             not (C,) or of another dtype; if one image has one value in each group.
             TypeError: if input is no float tensor, or num_groups no integer.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[1.0, 3.0, 8.0, 4.0]])
             >>> group_norm(x, 2, eps=0)
             tensor([[-1.,  1.,  1., -1.]])
    Source:  Wu & He 2018, "Group normalization".
    """
    check_float("group_norm", "input", input)
    shape = input.data.shape
    if len(shape) < 2:
        fail("group_norm", "input (N, C) or (N, C, *spatial)", shape_text(shape),
             "Add the axes with reshape or unsqueeze.")
    groups = int_of("group_norm", "num_groups", num_groups, "Pass for example num_groups=8.")
    if groups < 1 or groups > max(shape[1], 1) or shape[1] % groups:
        fail("group_norm", f"num_groups that divides {shape[1]} channels of input "
             f"{shape_text(shape)}", repr(num_groups), "Channels are axis 1.")
    for name, value in ("weight", weight), ("bias", bias):
        check_parameter("group_norm", name, value, input, shape[1:2], "one number per channel")
    if shape[0] * shape[1] // groups * math.prod(shape[2:]) == 1:
        fail("group_norm", "more than one value per group", f"input {shape_text(shape)} with "
             f"num_groups={groups}", "Use fewer groups, or a larger image.")
    return GroupNorm.apply(input, weight, bias, groups, check_eps("group_norm", eps))


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """The last axes shifted to mean 0 and scaled to variance 1, each of their numbers then scaled
    and shifted as learnt.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    Args:    input (Tensor): (*, *normalized_shape), float32 or float64.
             normalized_shape (sequence of ints): the sizes of the last axes, at least one.
             weight, bias (Tensor or None): of normalized_shape; None means 1 and 0.
             eps (float): added to the variance, which is divided by the count; at least 0.
    Returns: Tensor, shape of input.
    Raises:  ValueError: if input does not end with normalized_shape; if weight or bias has another
             shape or dtype.
             TypeError: if input is no float tensor, or normalized_shape no sequence of ints.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[1.0, 3.0], [8.0, 4.0]])
             >>> layer_norm(x, (2,), eps=0)
             tensor([[-1.,  1.],
                     [ 1., -1.]])
    Source:  Ba, Kiros & Hinton 2016, "Layer normalization".
    """
    shape = _check_normalized("layer_norm", input, normalized_shape)
    for name, value in ("weight", weight), ("bias", bias):
        check_parameter("layer_norm", name, value, input, shape, "the normalized_shape")
    eps = check_eps("layer_norm", eps)
    return LayerNorm.apply(input, weight, bias, len(shape), eps, True)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """The last axes divided by their root mean square, each of their numbers then scaled as learnt.

    y = x / sqrt(mean(x^2) + eps) * weight

    Args:    input (Tensor): (*, *normalized_shape), float32 or float64.
             normalized_shape (sequence of ints): the sizes of the last axes, at least one.
             weight (Tensor or None): of normalized_shape; None means 1.
             eps (float or None): added to the mean; None means 2^-23 in float32, 2^-52 in float64.
    Returns: Tensor, shape of input.
    Raises:  ValueError, TypeError: as layer_norm.
    Example: >>> import tinycnn
             >>> rms_norm(tinycnn.tensor([[1.0, 7.0]]), (2,))
             tensor([[0.2000, 1.4000]])
    Source:  Zhang & Sennrich 2019, "Root mean square layer normalization".
    """
    shape = _check_normalized("rms_norm", input, normalized_shape)
    check_parameter("rms_norm", "weight", weight, input, shape, "the normalized_shape")
    if eps is None:
        eps = 2.0**-23 if input.data.dtype == float32 else 2.0**-52
    return LayerNorm.apply(input, weight, None, len(shape), check_eps("rms_norm", eps), False)


def _check_normalized(function, input, normalized_shape):
    """normalized_shape as a tuple."""
    check_float(function, "input", input)
    if not isinstance(normalized_shape, (list, tuple)):
        fail(function, "normalized_shape to be a sequence of ints", repr(normalized_shape),
             "Pass the sizes of the last axes, for example x.shape[1:].", TypeError)
    wanted = tuple([int_of(function, "every size of normalized_shape", n, "Pass for example (64,).")
                    for n in normalized_shape])
    shape = input.data.shape
    if not wanted or len(wanted) > len(shape) or shape[len(shape) - len(wanted):] != wanted:
        fail(function, "input that ends with normalized_shape, of at least one axis",
             f"input {shape_text(shape)} with normalized_shape {shape_text(wanted)}",
             "Channels of a feature map are axis 1: permute it to (N, H, W, C) to normalise them.")
    return wanted


def check_parameter(function, name, value, input, shape, what):
    """Raise unless `value` is None or a tensor of this shape and of input's dtype."""
    if value is None:
        return
    check_tensor(function, name, value)
    dtype = input.data.dtype
    if value.data.shape != shape:
        fail(function, f"{name} {shape_text(shape)}, {what}",
             f"{shape_text(value.shape)} for input {shape_text(input.shape)}",
             "Check the sizes that the layer was made with.")
    if value.data.dtype != dtype:
        fail(function, f"{name} of input's dtype {dtype}", f"{value.dtype}",
             "Convert one of them with .to(dtype).")


def check_eps(function, eps):
    """eps as a float. Raises ValueError where it is negative or NaN."""
    eps = float_of(function, "eps", eps, "Pass for example eps=1e-5.")
    if not eps >= 0:
        fail(function, "eps >= 0", repr(eps), "Pass for example eps=1e-5.")
    return eps
