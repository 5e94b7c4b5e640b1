"""Normalisation of each channel of each image on its own. Size letters as in normalization.py."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ._inputs import check_float
from .group_norm import GroupNorm, check_eps, check_parameter
from .normalization import BatchNorm
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


class InstanceNorm(Function):
    """See instance_norm; with running statistics, which are moved."""

    @staticmethod
    def forward(ctx, x, weight, bias, running_mean, running_var, momentum, eps):
        N, C, *size = x.shape
        k, M = ctx.kernels, math.prod(size)
        y = GroupNorm.forward(ctx, x, weight, bias, C, eps)
        if N * M > 0:
            *_, mean, var = ctx.saved
            k.batch_norm_move(running_mean, k.mean(mean, 0), 1, momentum)
            k.batch_norm_move(running_var, k.mean(var, 0), M / max(M - 1, 1), momentum)
        return y

    backward = GroupNorm.backward


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each image shifted to mean 0 and scaled to variance 1, then every channel
    scaled and shifted as learnt.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    With use_input_stats mean and var are over the pixels of that channel and image, var divided by
    their number M; running statistics, if given, are moved in place,
    running = (1 - momentum) * running + momentum * average over the images, with the variance
    divided by M - 1. Without use_input_stats mean and var are running_mean and running_var.

    Args:    input (Tensor): (N, C, *spatial), float32 or float64; (N, C) without use_input_stats.
             running_mean, running_var (Tensor or None): (C,), both or neither.
             weight, bias (Tensor or None): (C,); None means 1 and 0.
             use_input_stats (bool): normalise by each image.
             momentum (float): weight of this batch in the running statistics.
             eps (float): added to the variance, at least 0.
    Returns: Tensor, shape of input.
    Raises:  ValueError: if a channel has one value and use_input_stats is set; if running
             statistics are missing; if an argument is not (C,) or of another dtype.
             TypeError: if input is no float tensor, or momentum or eps no number.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 3.0], [8.0, 4.0]]])
             >>> instance_norm(x, eps=0)
             tensor([[[-1.,  1.],
                      [ 1., -1.]]])
    Source:  Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization: the missing ingredient for
             fast stylization".
    """
    check_float("instance_norm", "input", input)
    shape = input.data.shape
    if len(shape) < 2:
        fail("instance_norm", "input (N, C, *spatial)", shape_text(shape),
             "Add the axes with reshape or unsqueeze.")
    for name, value in (("running_mean", running_mean), ("running_var", running_var),
                        ("weight", weight), ("bias", bias)):
        check_parameter("instance_norm", name, value, input, shape[1:2], "one number per channel")
    tracks = running_mean is not None
    if tracks != (running_var is not None) or not (tracks or use_input_stats):
        fail("instance_norm", "running_mean and running_var (both or, with use_input_stats, "
             "neither)", f"{_said(running_mean)} and {_said(running_var)} with "
             f"use_input_stats={use_input_stats}", "Pass both, or normalise by each image.")
    momentum = float_of("instance_norm", "momentum", momentum, "Pass for example momentum=0.1.")
    eps = check_eps("instance_norm", eps)
    if not use_input_stats:
        flat = reshape(input, (*shape[:2], -1 if input.data.size else math.prod(shape[2:])))
        y = BatchNorm.apply(flat, running_mean, running_var, weight, bias, None, False, False,
                            momentum, eps)
        return reshape(y, shape)
    if math.prod(shape[2:]) == 1:
        fail("instance_norm", "more than one value per channel of an image",
             f"input {shape_text(shape)}", "Use a larger image, or another norm here.")
    if tracks:
        return InstanceNorm.apply(input, weight, bias, running_mean, running_var, momentum, eps)
    groups = max(shape[1], 1)
    return GroupNorm.apply(input, weight, bias, groups, eps)


def _said(value):
    return "None" if value is None else "a tensor"
