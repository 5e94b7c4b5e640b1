"""Losses of pairs: a number and what it should be. See loss.py for the words they share."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.dtypes import promote
from ..autograd import Function, is_grad_enabled
from ._inputs import broadcast_shape, cast, check_float, check_tensor, operands
from .arithmetic import mul, sub
from .division import div
from .elementary import abs as absolute
from .reduction import mean
from .reduction import sum as sum_of
from .reshaping import expand

if TYPE_CHECKING:
    from ..tensor import Tensor


class PairLoss(Function):
    """See mse_loss, l1_loss, binary_cross_entropy and others; `setting` is what the kind needs:
    pos_weight, a number, or None."""

    @staticmethod
    def forward(ctx, x, target, weight, setting, kind, reduction):
        k = ctx.kernels
        x = k.dense(x)
        others = [
            k.same_layout(k.broadcast_to(a, x.shape), x) if hasattr(a, "dtype") else a
            for a in (target, weight, setting)
        ]
        ctx.saved = kind, x, *others, reduction
        loss = k.empty_like(x) if reduction == "none" else k.empty((), x.dtype)
        if not k.pair_loss_forward(*ctx.saved, loss):
            _fail_share(k, x, target)
        return loss

    @staticmethod
    def backward(ctx, grad):
        k, x, reduction = ctx.kernels, ctx.saved[1], ctx.saved[-1]
        if reduction == "none":
            grad = k.same_layout(grad, x)
        grads = tuple([k.empty_like(x) if needed else None for needed in ctx.needs[:2]])
        k.pair_loss_backward(*ctx.saved, grad, *grads)
        return (*grads, None, None)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error.

    loss = (x - target)^2;  with weight: w * (x - target)^2, mean: sum of loss / sum of w

    Args:    input, target (Tensor): of one shape; input float32 or float64.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
             weight (Tensor or None): of the input's shape.
    Returns: Tensor (), or with "none" of the input's shape.
    Raises:  ValueError: if the shapes differ (they are never broadcast), or reduction is unknown.
             TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> mse_loss(tinycnn.tensor([1.0, 4.0]), tinycnn.tensor([0.0, 1.0]))
             tensor(5.)
    """
    reduction = reduction_of("mse_loss", reduction, size_average, reduce)
    input, target = check_pair("mse_loss", input, target, "biuf")
    if weight is None:
        return PairLoss.apply(input, target, None, None, "mse", reduction)
    error = sub(input, target)
    return _weighted("mse_loss", mul(error, error), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute error.

    loss = |x - target|;  with weight: w * |x - target|, mean: sum of loss / sum of w

    Args:    input, target (Tensor): of one shape; input float32 or float64.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
             weight (Tensor or None): of the input's shape.
    Returns: Tensor (), or with "none" of the input's shape.
    Raises:  ValueError: if the shapes differ (they are never broadcast), or reduction is unknown.
             TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> l1_loss(tinycnn.tensor([1.0, 4.0]), tinycnn.tensor([0.0, 1.0]))
             tensor(2.)
    """
    reduction = reduction_of("l1_loss", reduction, size_average, reduce)
    input, target = check_pair("l1_loss", input, target, "biuf")
    if weight is None:
        return PairLoss.apply(input, target, None, None, "l1", reduction)
    return _weighted("l1_loss", absolute(sub(input, target)), weight, reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of yes-or-no answers, from probabilities.

    loss = -w * (t * log(x) + (1 - t) * log(1 - x)), each logarithm at least -100

    Args:    input (Tensor): probabilities of any shape, 0 to 1.
             target (Tensor): of the same shape, 0 to 1, float.
             weight (Tensor or None): broadcasts to the input's shape; mean divides by the count.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the input's shape.
    Raises:  ValueError: if shapes differ, a number is outside 0 to 1 or NaN, or weight requires a
             gradient.
             TypeError: if a dtype does not fit.
    Example: >>> import tinycnn
             >>> binary_cross_entropy(tinycnn.tensor([0.0]), tinycnn.tensor([1.0]))
             tensor(100.)
    """
    name = "binary_cross_entropy"
    reduction = reduction_of(name, reduction, size_average, reduce)
    input, target = check_pair(name, input, target, "f")
    weight = _spread(name, "weight", weight, input)
    return PairLoss.apply(input, target, weight, None, "bce", reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Negative log likelihood of yes-or-no answers, from scores: sigmoid and loss in one, stable.

    loss = -w * (pos_weight * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))

    Args:    input (Tensor): scores of any shape, float32 or float64.
             target (Tensor): of the same shape, usually 0 to 1, float.
             weight (Tensor or None): broadcasts to the input's shape; mean divides by the count.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
             pos_weight (Tensor or None): weight of "yes"; broadcasts to the input's shape.
    Returns: Tensor (), or with "none" of the input's shape.
    Raises:  ValueError: if shapes do not fit, reduction is unknown, or a weight requires a
             gradient.
             TypeError: if a dtype does not fit.
    Example: >>> import tinycnn
             >>> x, t = tinycnn.tensor([1000.0, -1000.0]), tinycnn.tensor([1.0, 1.0])
             >>> binary_cross_entropy_with_logits(x, t)
             tensor(500.)
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(name, reduction, size_average, reduce)
    input, target = check_pair(name, input, target, "f")
    weight = _spread(name, "weight", weight, input)
    pos_weight = _spread(name, "pos_weight", pos_weight, input)
    return PairLoss.apply(input, target, weight, pos_weight, "bce_logits", reduction)


def reduction_of(function, reduction, size_average=None, reduce=None, also=()):
    """"mean", "sum" or "none", or one of `also`, from PyTorch's new or old arguments."""
    if size_average is not None or reduce is not None:
        each = reduce is not None and not reduce
        reduction = "none" if each else "sum" if not (
            size_average is None or size_average) else "mean"
        warnings.warn(f"{function}: size_average and reduce are old words. Pass "
                      f"reduction={reduction!r}.", stacklevel=frames_inside())
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none", *also):
        more = "".join([f"{name!r}, " for name in also])
        fail(function, f"reduction {more}'mean', 'sum' or 'none'", repr(reduction),
             "Pass one of these.")
    return reduction


def reduced(loss, reduction):
    """The mean or the sum of single losses, or these."""
    if reduction == "none":
        return loss
    return mean(loss) if reduction == "mean" else sum_of(loss)


def spread_pair(function, input, target):
    """Both in one float dtype, spread to their common shape."""
    check_float(function, "input", input)
    check_tensor(function, "target", target)
    x, t = operands(function, input, target)
    shape = broadcast_shape(function, x.data.shape, t.data.shape)
    return [a if a.data.shape == shape else expand(a, shape) for a in (x, t)]


def frames_inside():
    """The stacklevel that names the line outside of tinycnn in a warning of the function that asks:
    compiled functions leave no frame, so that it cannot be counted in the text."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("tinycnn."):
        frame, level = frame.f_back, level + 1
    return level


def check_constant(function, name, weight):
    """Raise unless `weight` is a float tensor whose gradient, which no loss computes, nobody asks
    for."""
    check_float(function, name, weight)
    if weight.requires_grad and is_grad_enabled():
        fail(function, f"a {name} that requires no gradient",
             f"one {shape_text(weight.data.shape)} that requires one", f"Pass {name}.detach().")


def check_pair(function, input, target, kinds):
    """Both in one float dtype; TypeError or ValueError if they are no pair."""
    check_float(function, "input", input)
    check_tensor(function, "target", target)
    x, t = input.data, target.data
    if t.dtype.kind not in kinds:
        fail(function, "target to be of dtype float32 or float64",
             f"{t.dtype} {shape_text(t.shape)}", "Convert it with .to(tinycnn.float32).", TypeError)
    if x.shape != t.shape:
        fail(function, f"target of the input's shape {shape_text(x.shape)}", shape_text(t.shape),
             "Reshape one of them: shapes are not broadcast here, for that is mostly a mistake.")
    if x.dtype is not t.dtype:
        dtype = promote(x.dtype, x.ndim, t.dtype, t.ndim)
        return cast(input, dtype), cast(target, dtype)
    return input, target


def _weighted(function, loss, weight, reduction):
    """The reduction of `loss` with a weight for each element."""
    check_float(function, "weight", weight)
    if weight.data.shape != loss.data.shape:
        fail(function, f"weight of the input's shape {shape_text(loss.data.shape)}",
             shape_text(weight.data.shape), "Give each pair one weight.")
    loss = mul(loss, weight)
    if reduction == "none":
        return loss
    return div(sum_of(loss), sum_of(weight)) if reduction == "mean" else sum_of(loss)


def _spread(function, name, weight, input):
    """A weight that broadcasts to the input's shape, in its dtype, or None."""
    if weight is None:
        return None
    check_constant(function, name, weight)
    shape = input.data.shape
    if broadcast_shape(function, weight.data.shape, shape) != shape:
        fail(function, f"{name} that broadcasts to the input's shape {shape_text(shape)}",
             shape_text(weight.data.shape), "Leave out its leading axes, or make them 1.")
    return cast(weight, input.data.dtype)


def _fail_share(k, x, target):
    """Name the one of input and target that is not between 0 and 1."""
    for name, a in ("input", x), ("target", target):
        low, high = k.min(a).item(), k.max(a).item()
        if not (low >= 0 and high <= 1):
            fail("binary_cross_entropy", f"{name} between 0 and 1",
                 f"values from {low:g} to {high:g} in {shape_text(a.shape)}",
                 "Apply sigmoid first, or use binary_cross_entropy_with_logits.")
