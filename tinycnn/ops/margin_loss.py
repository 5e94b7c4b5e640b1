"""Losses that are satisfied by a margin, or nearly: of scores for or against, and of rankings.

For `size_average`, `reduce` and `reduction` see loss.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ._inputs import broadcast_shape, cast, check_float, check_tensor
from .arithmetic import add, mul, neg, sub
from .elementary import clamp
from .pair_loss import PairLoss, reduced, reduction_of, spread_pair
from .reduction import mean

if TYPE_CHECKING:
    from ..tensor import Tensor


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Logistic loss of a score for 1 or against it, -1.

    loss = log(1 + exp(-t * x))

    It is computed without overflow: where PyTorch has inf and a gradient of NaN, for t * x below
    -88 in float32, this has -t * x and a gradient of -t.

    Args:    input (Tensor): scores of any shape, float32 or float64.
             target (Tensor): 1 or -1 each, of a shape that broadcasts with it.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the common shape.
    Raises:  ValueError: if the shapes do not broadcast or reduction is unknown.
             TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> soft_margin_loss(tinycnn.tensor([0.0]), tinycnn.tensor([1.0]))
             tensor(0.6931)
    """
    reduction = reduction_of("soft_margin_loss", reduction, size_average, reduce)
    input, target = spread_pair("soft_margin_loss", input, target)
    return PairLoss.apply(input, target, None, None, "soft_margin", reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Distances of alike things are to be 0, those of others at least a margin.

    loss = x where t = 1, max(margin - x, 0) where t = -1

    Args:    input (Tensor): distances of any shape, float32 or float64.
             target (Tensor): 1 or -1 each, of a shape that broadcasts with it.
             margin (float): the distance that is enough.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the common shape.
    Raises:  ValueError: if the shapes do not broadcast or reduction is unknown.
             TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> x, t = tinycnn.tensor([0.5, 0.25]), tinycnn.tensor([1, -1])
             >>> hinge_embedding_loss(x, t, reduction="none")
             tensor([0.5000, 0.7500])
    Source:  Hadsell, Chopra & LeCun 2006, "Dimensionality reduction by learning an invariant
             mapping", section 2.1, with distances that are not squared.
    """
    name = "hinge_embedding_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    margin = float_of(name, "margin", margin, "Pass for example margin=1.0.")
    check_float(name, "input", input)
    check_tensor(name, "target", target)
    input, target = spread_pair(name, input, cast(target, input.data.dtype))
    return PairLoss.apply(input, target, None, margin, "embedding", reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Of two scores the first is to be larger (1) or smaller (-1), by a margin.

    loss = max(-t * (x1 - x2) + margin, 0)

    Args:    input1, input2 (Tensor): scores of as many axes, that broadcast, float32 or float64.
             target (Tensor): 1 or -1 each, of as many axes.
             margin (float): by how much.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the common shape.
    Raises:  ValueError: if shapes do not fit or reduction is unknown.
             TypeError: if an input is no float tensor.
    Example: >>> import tinycnn
             >>> x, y = tinycnn.tensor([1.0, 1.0]), tinycnn.tensor([0.0, 3.0])
             >>> margin_ranking_loss(x, y, tinycnn.tensor([1, 1]), reduction="none")
             tensor([0., 2.])
    """
    name = "margin_ranking_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    margin = float_of(name, "margin", margin, "Pass for example margin=0.0.")
    check_float(name, "input1", input1)
    check_float(name, "input2", input2)
    check_tensor(name, "target", target)
    shapes = [x.data.shape for x in (input1, input2, target)]
    if len({len(shape) for shape in shapes}) > 1:
        fail(name, "input1, input2 and target of as many axes", ", ".join(map(shape_text, shapes)),
             "Reshape one of them.")
    broadcast_shape(name, *shapes)
    return reduced(clamp(add(mul(neg(target), sub(input1, input2)), margin), 0), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Yes-or-no cross entropy of every class, its mean over the classes.

    loss[n] = -1 / C * sum over c of w[c] * (t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))

    Args:    input (Tensor): scores (N, C), or any shape with the classes along its last axis.
             target (Tensor): 0 or 1 each, of a shape that broadcasts with it.
             weight (Tensor or None): (C,), or another shape that broadcasts.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" (N,).
    Raises:  ValueError: if shapes do not fit or reduction is unknown.
             TypeError: if input or weight is no float tensor.
    Example: >>> import tinycnn
             >>> multilabel_soft_margin_loss(tinycnn.zeros(1, 2), tinycnn.tensor([[1, 0]]))
             tensor(0.6931)
    """
    name = "multilabel_soft_margin_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    input, target = spread_pair(name, input, target)
    if input.data.ndim == 0:
        fail(name, "an input with classes along its last axis", "()", "Add an axis.")
    losses = PairLoss.apply(input, target, None, None, "bce_logits", "none")
    if weight is not None:
        check_float(name, "weight", weight)
        losses = mul(losses, weight)
    return reduced(mean(losses, -1), reduction)
