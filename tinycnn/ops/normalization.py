"""Normalisation by the statistics of the batch: each channel to mean 0 and variance 1.

Size letters: N images, C channels, D H W size, M = N * D * H * W values of a channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ._inputs import check_float, check_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor


class BatchNorm(Function):
    """See batch_norm and batch_norm_relu."""

    @staticmethod
    def forward(
        ctx, x, running_mean, running_var, weight, bias, residual, relu, training, momentum, eps
    ):
        kernels, C = ctx.kernels, x.shape[1]
        rows = _rows(kernels, x)
        M = len(rows)
        if training:
            mean, var = kernels.empty((C,), x.dtype), kernels.empty((C,), x.dtype)
            kernels.batch_norm_statistics(rows, mean, var)
            if running_mean is not None and M > 0:
                kernels.batch_norm_move(running_mean, mean, 1, momentum)
                kernels.batch_norm_move(running_var, var, M / max(M - 1, 1), momentum)  # unbiased
        else:
            mean, var = kernels.contiguous(running_mean), running_var
            if any(ctx.needs):
                mean = mean.copy()  # a training step may move the running mean before backward
        invstd = kernels.empty((C,), x.dtype)
        kernels.batch_norm_invstd(var, eps, invstd)
        y = kernels.empty(rows.shape, x.dtype)
        weight = None if weight is None else kernels.contiguous(weight)
        bias = None if bias is None else kernels.contiguous(bias)
        residual = None if residual is None else _rows(kernels, residual)
        kernels.batch_norm_apply(rows, mean, invstd, weight, bias, residual, relu, y)
        ctx.rows, ctx.mean, ctx.invstd, ctx.weight = rows, mean, invstd, weight
        ctx.bias, ctx.relu, ctx.training = bias, relu, training
        ctx.y = None if residual is None else y  # where a ReLU was open; else x tells
        return _like(kernels, y, x)

    @staticmethod
    def backward(ctx, grad_y):
        kernels, grads = ctx.kernels, _rows(ctx.kernels, grad_y)
        grad_x = kernels.empty(grads.shape, grads.dtype) if ctx.needs[0] else None
        grad_weight = grad_bias = None
        if ctx.training or ctx.needs[3] or ctx.needs[4]:  # in training grad_x depends on them
            grad_weight = kernels.empty(ctx.mean.shape, grads.dtype)
            grad_bias = kernels.empty(ctx.mean.shape, grads.dtype)
        grad_residual = None if ctx.y is None else kernels.empty(grads.shape, grads.dtype)
        kernels.batch_norm_backward(
            ctx.rows, grads, ctx.y, ctx.mean, ctx.invstd, ctx.weight, ctx.bias, ctx.relu,
            ctx.training, grad_x, grad_weight, grad_bias, grad_residual,
        )
        return (
            None if grad_x is None else _like(kernels, grad_x, grad_y),
            None,
            None,
            grad_weight if ctx.needs[3] else None,
            grad_bias if ctx.needs[4] else None,
            _like(kernels, grad_residual, grad_y) if ctx.needs[5] else None,
        )


def _rows(kernels, x):
    """(N, C, *spatial) as the kernels' (M, C): every pixel of every image a row."""
    N, C, *size = x.shape
    x = kernels.pixels(x, len(size)) if size else kernels.contiguous(x)
    M = N
    for n in size:
        M *= n
    return x.reshape((M, C))


def _like(kernels, rows, x):
    """(M, C) back to the shape of x."""
    N, C, *size = x.shape
    if not size:
        return rows
    return kernels.channels_first(rows.reshape((N, *(1,) * (3 - len(size)), *size, C)), len(size))


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel shifted to mean 0 and scaled to variance 1, then scaled and shifted as learnt.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    In training mean and var are those of the batch, over N and all pixels, var divided by M; and
    running = (1 - momentum) * running + momentum * batch, in place, with the variance divided by
    M - 1. Otherwise they are running_mean and running_var.

    Args:    input (Tensor): (N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W), float32 or float64.
             running_mean, running_var (Tensor or None): (C,), both or, in training, neither.
             weight, bias (Tensor or None): (C,); None means 1 and 0.
             training (bool): normalise by the batch and move the running statistics.
             momentum (float): weight of this batch in the running statistics.
             eps (float): added to the variance, at least 0.
    Returns: Tensor, shape of input.
    Raises:  ValueError: if input has no channel axis; if an argument is not (C,) or of another
             dtype; if running statistics are missing; if a channel has one value in training.
             TypeError: if input is no float tensor, or momentum or eps no number.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[1.0, 8.0], [3.0, 4.0]])
             >>> batch_norm(x, None, None, training=True, eps=0)
             tensor([[-1.,  1.],
                     [ 1., -1.]])
    Source:  Ioffe & Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training".
    """
    return BatchNorm.apply(*_checked(
        "batch_norm", input, running_mean, running_var, weight, bias, None, False, training,
        momentum, eps,
    ))


def batch_norm_relu(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    residual: Tensor | None = None,
) -> Tensor:
    """Batch norm, the sum with a residual if there is one, and ReLU, in one pass over memory.

    y = max(0, (x - mean) / sqrt(var + eps) * weight + bias + residual)

    The numbers are those of relu(batch_norm(...) + residual); neither of the results in between is
    ever written to memory, and backward finds again where the ReLU was open from x, or from y.

    Args:    residual (Tensor or None): what is added, of the shape and dtype of input.
             others: as batch_norm.
    Returns: Tensor, shape of input.
    Raises:  ValueError: as batch_norm; if residual is of another shape or dtype.
             TypeError: as batch_norm; if residual is no tensor.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[1.0, 8.0], [3.0, 4.0]])
             >>> batch_norm_relu(x, None, None, training=True, eps=0)
             tensor([[0., 1.],
                     [1., 0.]])
    Source:  He et al. 2016, "Deep residual learning for image recognition", figure 2.
    """
    return BatchNorm.apply(*_checked(
        "batch_norm_relu", input, running_mean, running_var, weight, bias, residual, True, training,
        momentum, eps,
    ))


def _checked(function, input, running_mean, running_var, weight, bias, residual, relu, training,
             momentum, eps):
    """The arguments of BatchNorm.apply."""
    check_float(function, "input", input)
    shape, dtype = input.data.shape, input.data.dtype
    if not 2 <= len(shape) <= 5:
        fail(function, "input (N, C) or (N, C, *spatial) with up to 3 spatial axes",
             shape_text(shape), "Add the axes with reshape or unsqueeze.")
    for name, value in (
        ("running_mean", running_mean), ("running_var", running_var),
        ("weight", weight), ("bias", bias),
    ):
        if value is None:
            continue
        check_tensor(function, name, value)
        if value.data.shape != shape[1:2]:
            fail(function, f"{name} ({shape[1]},), one number per channel",
                 f"{shape_text(value.shape)} for input {shape_text(shape)}",
                 "Check num_features of the layer; channels are axis 1.")
        if value.data.dtype != dtype:
            fail(function, f"{name} of input's dtype {dtype}", f"{value.dtype}",
                 "Convert one of them with .to(dtype).")
    if (running_mean is None or running_var is None) and not (
        training and running_mean is running_var
    ):
        fail(function, "running_mean and running_var (in training both or neither)",
             f"{_said(running_mean)} and {_said(running_var)} with training={training}",
             "Pass both, or normalise by the batch with training=True.")
    if training and input.data.size == shape[1] > 0:  # C values, one each
        fail(function, "more than one value per channel in training",
             f"input {shape_text(shape)}",
             "Use a larger batch, drop_last=True in the loader, or eval mode.")
    momentum = float_of(function, "momentum", momentum,
                        "Pass 1 / number of batches seen for a plain average.")
    eps = float_of(function, "eps", eps, "Pass for example eps=1e-5.")
    if not eps >= 0:
        fail(function, "eps >= 0", repr(eps), "Pass for example eps=1e-5.")
    if residual is not None:
        check_tensor(function, "residual", residual)
        if residual.data.shape != shape or residual.data.dtype != dtype:
            fail(function, f"residual of the shape and dtype of input, {shape_text(shape)} of "
                 f"{dtype}", f"{shape_text(residual.shape)} of {residual.dtype}",
                 "Bring both branches to one size, as a 1 x 1 convolution does.")
    return (input, running_mean, running_var, weight, bias, residual, relu, bool(training),
            momentum, eps)


def _said(value):
    return "None" if value is None else "a tensor"
