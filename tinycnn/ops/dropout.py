"""Dropout: train a different thinned network in every step.

Which numbers are dropped is a function of the seed and of a position in one stream of random
numbers (see tinycnn.random): the same for every number of threads, and the gradient asks for it
again instead of keeping a mask. `inplace` is accepted and changes no result.

Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, "Dropout: a simple way to
prevent neural networks from overfitting".
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import Function
from ..random import next_offset
from ._inputs import check_float
from .arithmetic import add, mul, sub
from .rectifier import SELU_ALPHA, SELU_SCALE
from .reshaping import squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


class Dropout(Function):
    """See dropout."""

    @staticmethod
    def forward(ctx, x, p):
        k = ctx.kernels
        x = k.dense(x)
        ctx.p, ctx.place = p, next_offset(x.size)
        ctx.y = k.empty_like(x)
        k.dropout(x, ctx.y, p, *ctx.place)
        return ctx.y

    @staticmethod
    def backward(ctx, grad_y):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.y)
        k.dropout(k.same_layout(grad_y, ctx.y), grad_x, ctx.p, *ctx.place)
        return grad_x


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, set each number to 0 with probability p; scale the others to keep the mean.

    y = 0 with probability p, else x / (1 - p)

    Args:    input (Tensor): any shape, float32 or float64.
             p (float): share of the numbers to drop, 0 to 1.
             training (bool): False returns the input as it is.
             inplace (bool): no effect.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or p no number.
             ValueError: if p is not between 0 and 1.
    Example: >>> import tinycnn
             >>> x = tinycnn.ones(1000)
             >>> y = dropout(x, 0.25)
             >>> 650 < (y > 0).sum().item() < 850, round(y.max().item(), 4)
             (True, 1.3333)
             >>> dropout(x, 0.25, training=False) is x
             True
    """
    check_float("dropout", "input", input)
    p = _share("dropout", p)
    return Dropout.apply(input, p) if training and p > 0 else input


class ChannelDropout(Function):
    """See dropout1d, dropout2d, dropout3d: one draw for each (image, channel)."""

    @staticmethod
    def forward(ctx, x, p):
        k = ctx.kernels
        ones = k.ones(x.shape[:2] + (1,) * (x.ndim - 2), x.dtype)
        ctx.scale = k.empty_like(ones)
        k.dropout(ones, ctx.scale, p, *next_offset(ones.size))
        return k.multiply(x, ctx.scale)

    @staticmethod
    def backward(ctx, grad_y):
        return ctx.kernels.multiply(grad_y, ctx.scale)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, set whole channels (1-D feature maps) to 0 with probability p.

    y[n, c] = 0 with probability p, else x[n, c] / (1 - p)

    Args:    input (Tensor): (N, C, L) or (C, L), float32 or float64.
             p (float): share of the channels to drop, 0 to 1.
             training (bool): False returns the input as it is.
             inplace (bool): no effect.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or p no number.
             ValueError: if p is not between 0 and 1, or the input has not 2 or 3 axes.
    Example: >>> import tinycnn
             >>> y = dropout1d(tinycnn.ones(1, 3, 4))
             >>> bool((y[:, :, :1] == y).all())
             True
    Source:  Tompson, Goroshin, Jain, LeCun & Bregler 2015, "Efficient object localization using
             convolutional networks".
    """
    return _drop_channels("dropout1d", 1, input, p, training)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, set whole channels (2-D feature maps) to 0 with probability p.

    y[n, c] = 0 with probability p, else x[n, c] / (1 - p)

    Args:    input (Tensor): (N, C, H, W), float32 or float64. Three axes are taken for (N, C, L),
             as in PyTorch, with a warning: they might have been meant as (C, H, W).
             p (float): share of the channels to drop, 0 to 1.
             training (bool): False returns the input as it is.
             inplace (bool): no effect.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or p no number.
             ValueError: if p is not between 0 and 1, or the input has not 3 or 4 axes.
    Example: >>> import tinycnn
             >>> y = dropout2d(tinycnn.ones(1, 3, 4, 4))
             >>> bool((y[:, :, :1, :1] == y).all())
             True
    Source:  Tompson et al. 2015, see dropout1d.
    """
    return _drop_channels("dropout2d", 2, input, p, training)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, set whole channels (3-D feature maps) to 0 with probability p.

    y[n, c] = 0 with probability p, else x[n, c] / (1 - p)

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W), float32 or float64.
             p (float): share of the channels to drop, 0 to 1.
             training (bool): False returns the input as it is.
             inplace (bool): no effect.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or p no number.
             ValueError: if p is not between 0 and 1, or the input has not 4 or 5 axes.
    Example: >>> import tinycnn
             >>> y = dropout3d(tinycnn.ones(3, 2, 4, 4))
             >>> bool((y[:, :1, :1, :1] == y).all())
             True
    Source:  Tompson et al. 2015, see dropout1d.
    """
    return _drop_channels("dropout3d", 3, input, p, training)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for SELU networks: what is dropped becomes SELU's lowest value, and a linear map
    gives back mean 0 and variance 1 where the input had them.

    y = c * (d - alpha), where d is the dropout of x + alpha, c = (1 - p) a and
    a = 1 / sqrt((1 - p) (1 + p alpha^2)); -alpha = -1.7581 is SELU's limit for small numbers.
    That is a * x + b where x is kept, -a * alpha + b where it is dropped, b = p a alpha.

    Args:    input (Tensor): any shape, float32 or float64.
             p (float): share of the numbers to drop, 0 to 1; 1 makes all of them 0.
             training (bool): False, which is the default here, returns the input as it is.
             inplace (bool): no effect.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or p no number.
             ValueError: if p is not between 0 and 1.
    Example: >>> import tinycnn
             >>> y = alpha_dropout(tinycnn.randn(100, 1000), 0.25, training=True)
             >>> abs(y.mean().item()) < 0.02, abs(y.var().item() - 1) < 0.02
             (True, True)
    Source:  Klambauer, Unterthiner, Mayr & Hochreiter 2017, "Self-normalizing neural networks",
             section "New dropout technique".
    """
    check_float("alpha_dropout", "input", input)
    return _keep_moments(Dropout.apply, input, _share("alpha_dropout", p), training)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """alpha_dropout of whole channels.

    Args:    input (Tensor): (N, C, ...), float32 or float64.
             p (float): share of the channels to drop, 0 to 1; 1 makes all of them 0.
             training (bool): False, which is the default here, returns the input as it is.
             inplace (bool): no effect.
    Returns: Tensor of the same shape.
    Raises:  TypeError: if input is no float tensor, or p no number.
             ValueError: if p is not between 0 and 1, or the input has less than 2 axes.
    Example: >>> import tinycnn
             >>> y = feature_alpha_dropout(tinycnn.ones(1, 3, 4, 4), training=True)
             >>> bool((y[:, :, :1, :1] == y).all())
             True
    Source:  Klambauer et al. 2017, see alpha_dropout; Tompson et al. 2015, see dropout1d.
    """
    check_float("feature_alpha_dropout", "input", input)
    share, shape = _share("feature_alpha_dropout", p), input.data.shape
    if len(shape) < 2:
        fail("feature_alpha_dropout", "input (N, C, ...)", shape_text(shape),
             "Use alpha_dropout where there are no channels.")
    return _keep_moments(ChannelDropout.apply, input, share, training)


def _keep_moments(drop, input, p, training):
    if not training or p == 0:
        return input
    if p == 1:
        return drop(input, p)
    alpha = SELU_ALPHA * SELU_SCALE
    c = math.sqrt((1 - p) / (1 + p * alpha**2))
    return mul(sub(drop(add(input, alpha), p), alpha), c)


def _drop_channels(function, dims, input, p, training):
    check_float(function, "input", input)
    p = _share(function, p)
    shape = input.data.shape
    if len(shape) not in (dims + 1, dims + 2):
        fail(function, f"input (N, C, ...) with {dims + 2} axes, or {dims + 1}",
             f"{len(shape)} axes {shape_text(shape)}",
             "Choose dropout1d, dropout2d or dropout3d by the number of axes after (N, C).")
    if dims == 2 and len(shape) == 3:
        warnings.warn(
            f"dropout2d: input {shape_text(shape)} is taken for (N, C, L). If it is (C, H, W), "
            f"pass input.unsqueeze(0).", stacklevel=3)
    elif len(shape) == dims + 1:
        return squeeze(_drop_channels(function, dims, unsqueeze(input, 0), p, training), 0)
    return ChannelDropout.apply(input, p) if training and p > 0 else input


def _share(function, p):
    share = float_of(function, "p", p, "It is the share that is dropped: pass for example 0.5.")
    if not 0 <= share <= 1:
        fail(function, "p between 0 and 1", repr(p), "p is the share that is dropped.")
    return share
