"""Normalisation by the statistics of the batch: each channel to mean 0 and variance 1.

Size letters: N images, C channels, D H W size, M = N * D * H * W values of a channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ._inputs import check_float, check_tensor
from .layout import from_channels_last, to_channels_last

if TYPE_CHECKING:
    from ..tensor import Tensor


class BatchNorm(Function):
    """See batch_norm."""

    @staticmethod
    def forward(ctx, x, running_mean, running_var, weight, bias, training, momentum, eps):
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
        kernels.batch_norm_apply(rows, mean, invstd, weight, bias, y)
        ctx.rows, ctx.mean, ctx.invstd = rows, mean, invstd
        ctx.weight, ctx.training = weight, training
        return _like(y, x)

    @staticmethod
    def backward(ctx, grad_y):
        kernels, grads = ctx.kernels, _rows(ctx.kernels, grad_y)
        grad_x = kernels.empty(grads.shape, grads.dtype) if ctx.needs[0] else None
        grad_weight = grad_bias = None
        if ctx.training or ctx.needs[3] or ctx.needs[4]:  # in training grad_x depends on them
            grad_weight = kernels.empty(ctx.mean.shape, grads.dtype)
            grad_bias = kernels.empty(ctx.mean.shape, grads.dtype)
        kernels.batch_norm_backward(
            ctx.rows, grads, ctx.mean, ctx.invstd, ctx.weight, ctx.training,
            grad_x, grad_weight, grad_bias,
        )
        return (
            None if grad_x is None else _like(grad_x, grad_y),
            None,
            None,
            grad_weight if ctx.needs[3] else None,
            grad_bias if ctx.needs[4] else None,
        )


def _rows(kernels, x):
    """(N, C, *spatial) as the kernels' (M, C): every pixel of every image a row."""
    N, C, *size = x.shape
    x = to_channels_last(kernels, x, len(size)) if size else kernels.contiguous(x)
    M = N
    for n in size:
        M *= n
    return x.reshape((M, C))


def _like(rows, x):
    """(M, C) back to the shape of x."""
    N, C, *size = x.shape
    if not size:
        return rows
    return from_channels_last(rows.reshape((N, *(1,) * (3 - len(size)), *size, C)), len(size))


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
    check_float("batch_norm", "input", input)
    shape, dtype = input.data.shape, input.data.dtype
    if not 2 <= len(shape) <= 5:
        fail("batch_norm", "input (N, C) or (N, C, *spatial) with up to 3 spatial axes",
             shape_text(shape), "Add the axes with reshape or unsqueeze.")
    for name, value in (
        ("running_mean", running_mean), ("running_var", running_var),
        ("weight", weight), ("bias", bias),
    ):
        if value is None:
            continue
        check_tensor("batch_norm", name, value)
        if value.data.shape != shape[1:2]:
            fail("batch_norm", f"{name} ({shape[1]},), one number per channel",
                 f"{shape_text(value.shape)} for input {shape_text(shape)}",
                 "Check num_features of the layer; channels are axis 1.")
        if value.data.dtype != dtype:
            fail("batch_norm", f"{name} of input's dtype {dtype}", f"{value.dtype}",
                 "Convert one of them with .to(dtype).")
    if (running_mean is None or running_var is None) and not (
        training and running_mean is running_var
    ):
        fail("batch_norm", "running_mean and running_var (in training both or neither)",
             f"{_said(running_mean)} and {_said(running_var)} with training={training}",
             "Pass both, or normalise by the batch with training=True.")
    if training and input.data.size == shape[1] > 0:  # C values, one each
        fail("batch_norm", "more than one value per channel in training",
             f"input {shape_text(shape)}",
             "Use a larger batch, drop_last=True in the loader, or eval mode.")
    momentum = float_of("batch_norm", "momentum", momentum,
                        "Pass 1 / number of batches seen for a plain average.")
    eps = float_of("batch_norm", "eps", eps, "Pass for example eps=1e-5.")
    if not eps >= 0:
        fail("batch_norm", "eps >= 0", repr(eps), "Pass for example eps=1e-5.")
    return BatchNorm.apply(
        input, running_mean, running_var, weight, bias, bool(training), momentum, eps
    )


def _said(value):
    return "None" if value is None else "a tensor"
