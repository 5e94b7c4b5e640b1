"""Losses of errors that count little when they are large: a few wrong targets pull less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ..autograd import is_grad_enabled
from ._inputs import check_float, check_tensor
from .arithmetic import mul
from .pair_loss import PairLoss, check_pair, reduced, reduction_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared error of small errors, absolute error of large ones; slopes end at 1.

    loss = d^2 / (2 * beta) where d < beta, else d - beta / 2,  d = |x - target|

    Args:    input, target (Tensor): of one shape; input float32 or float64.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
             beta (float): where the square ends, at least 0; 0 gives l1_loss.
    Returns: Tensor (), or with "none" of the input's shape.
    Raises:  ValueError: if the shapes differ, beta is negative or reduction unknown.
             TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> smooth_l1_loss(tinycnn.tensor([0.5, 3.0]), tinycnn.zeros(2), reduction="none")
             tensor([0.1250, 2.5000])
    Source:  Girshick 2015, "Fast R-CNN", section 2.3.
    """
    name = "smooth_l1_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    beta = float_of(name, "beta", beta, "Pass for example beta=1.0.")
    if not beta >= 0:
        fail(name, "beta of at least 0", repr(beta), "0 gives l1_loss.")
    input, target = check_pair(name, input, target, "biuf")
    kind, setting = ("smooth_l1", beta) if beta else ("l1", None)
    return PairLoss.apply(input, target, None, setting, kind, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error of small errors, absolute error of large ones; slopes end at delta.

    loss = w * d^2 / 2 where d <= delta, else w * delta * (d - delta / 2),  d = |x - target|
    It is delta * smooth_l1_loss with beta = delta. Mean: sum of loss / number of elements.

    Args:    input, target (Tensor): of one shape; input float32 or float64.
             reduction (str): "mean", "sum" or "none".
             delta (float): where the square ends, above 0.
             weight (Tensor or None): w, of the input's shape; 1 by default.
    Returns: Tensor (), or with "none" of the input's shape.
    Raises:  ValueError: if shapes do not fit, delta is not positive or reduction unknown.
             TypeError: if input or weight is no float tensor.
    Example: >>> import tinycnn
             >>> huber_loss(tinycnn.tensor([0.5, 3.0]), tinycnn.zeros(2), "none", delta=2.0)
             tensor([0.1250, 4.0000])
    Source:  Huber 1964, "Robust estimation of a location parameter".
    """
    name = "huber_loss"
    reduction = reduction_of(name, reduction)
    delta = float_of(name, "delta", delta, "Pass for example delta=1.0.")
    if not delta > 0:
        fail(name, "delta above 0", repr(delta), "It is where the square ends.")
    if weight is not None:
        _check_weight(name, weight, input)
    input, target = check_pair(name, input, target, "biuf")
    plain = weight is None or (
        weight.data.shape == input.data.shape and weight.data.dtype == input.data.dtype
        and not (weight.requires_grad and is_grad_enabled()))
    if plain:
        return PairLoss.apply(input, target, weight, delta, "huber", reduction)
    losses = PairLoss.apply(input, target, None, delta, "huber", "none")
    return reduced(mul(losses, weight), reduction)


def _check_weight(function, weight, input):
    check_float(function, "weight", weight)
    check_tensor(function, "input", input)
    if weight.data.shape != input.data.shape:
        fail(function, f"weight of the input's shape {shape_text(input.data.shape)}",
             shape_text(weight.data.shape), "Give each pair one weight.")
