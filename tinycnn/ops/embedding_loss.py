"""Losses of embeddings: vectors of alike things near each other, those of others apart.

For `size_average`, `reduce` and `reduction` see loss.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from ._inputs import check_float, check_tensor
from .arithmetic import add, mul, sub
from .comparison import eq, where
from .distance import pairwise_distance
from .division import div
from .elementary import clamp, sqrt
from .extrema import minimum
from .pair_loss import reduced, reduction_of
from .reduction import sum as sum_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """An anchor is to be nearer to what is alike than to what is not, by a margin.

    loss = max(d(a, p) - d(a, n) + margin, 0),  d = pairwise_distance
    swap: with min(d(a, n), d(p, n)) for d(a, n)

    Args:    anchor, positive, negative (Tensor): (N, D) or (D,), of as many axes, that broadcast.
             margin (float): above 0.
             p, eps (float): see pairwise_distance.
             swap (bool): whether the negative must be far from the positive, too.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" (N,).
    Raises:  ValueError: if margin is not positive, shapes do not fit or reduction is unknown.
             TypeError: if a tensor is not of floats.
    Example: >>> import tinycnn
             >>> a, n = tinycnn.tensor([[0.0, 0.0]]), tinycnn.tensor([[0.0, 0.25]])
             >>> triplet_margin_loss(a, a, n)
             tensor(0.7500)
    Source:  Balntas, Riba, Ponsa & Mikolajczyk 2016, "Learning local feature descriptors with
             triplets and shallow convolutional neural networks", section 3.
    """
    reduction = reduction_of("triplet_margin_loss", reduction, size_average, reduce)
    return _triplet_loss("triplet_margin_loss", anchor, positive, negative, margin, swap, reduction,
                         lambda x, y: pairwise_distance(x, y, p, eps))


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss with a distance of one's own.

    loss = max(d(a, p) - d(a, n) + margin, 0);  swap: with min(d(a, n), d(p, n)) for d(a, n)

    Args:    anchor, positive, negative (Tensor): of as many axes, as the distance takes them.
             distance_function (callable or None): two tensors to a tensor of distances;
                 pairwise_distance by default.
             margin (float): above 0.
             swap (bool): whether the negative must be far from the positive, too.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the distances' shape.
    Raises:  ValueError: if margin is not positive, shapes do not fit or reduction is unknown.
             TypeError: if a tensor is not of floats.
    Example: >>> import tinycnn
             >>> a, n = tinycnn.tensor([[0.0, 0.0]]), tinycnn.tensor([[0.0, 2.0]])
             >>> triplet_margin_with_distance_loss(
             ...     a, a, n, distance_function=lambda x, y: (x - y).abs().sum(1), margin=3.0)
             tensor(1.)
    """
    name = "triplet_margin_with_distance_loss"
    reduction = reduction_of(name, reduction)
    distance = pairwise_distance if distance_function is None else distance_function
    if not callable(distance):
        fail(name, "distance_function to be a function of two tensors", repr(distance),
             "Pass for example tinycnn.nn.functional.pairwise_distance.", TypeError)
    return _triplet_loss(name, anchor, positive, negative, margin, swap, reduction, distance)


def _triplet_loss(function, anchor, positive, negative, margin, swap, reduction, distance):
    margin = float_of(function, "margin", margin, "Pass for example margin=1.0.")
    if not margin > 0:
        fail(function, "margin above 0", repr(margin), "Without one, equal vectors cost nothing.")
    for name, x in ("anchor", anchor), ("positive", positive), ("negative", negative):
        check_float(function, name, x)
    if not anchor.data.ndim == positive.data.ndim == negative.data.ndim:
        fail(function, "anchor, positive and negative of as many axes", ", ".join([
            shape_text(x.data.shape) for x in (anchor, positive, negative)]),
             "Give each anchor one of both.")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp(add(sub(near, far), margin), 0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Vectors of alike things are to point the same way, others are not.

    loss = 1 - c where t = 1, max(c - margin, 0) where t = -1, else 0
    c = sum(x1 * x2) / sqrt((sum(x1^2) + 1e-12) * (sum(x2^2) + 1e-12))

    Args:    input1, input2 (Tensor): (N, D) or (D,), of shapes that broadcast.
             target (Tensor): 1 or -1 each, (N,) or ().
             margin (float): the cosine that others may have.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" (N,).
    Raises:  ValueError: if shapes do not fit or reduction is unknown.
             TypeError: if an input is no float tensor.
    Example: >>> import tinycnn
             >>> x, y = tinycnn.tensor([[1.0, 0.0]]), tinycnn.tensor([[0.0, 1.0]])
             >>> cosine_embedding_loss(x, y, tinycnn.tensor([1]))
             tensor(1.)
    """
    name = "cosine_embedding_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    margin = float_of(name, "margin", margin, "Pass for example margin=0.0.")
    check_float(name, "input1", input1)
    check_float(name, "input2", input2)
    check_tensor(name, "target", target)
    axes, one = target.data.ndim, [x.data.ndim for x in (input1, input2)]
    if axes > 1 or one != [axes + 1] * 2:
        fail(name, "inputs (N, D) with a target (N,), or (D,) with ()", ", ".join([
            shape_text(x.data.shape) for x in (input1, input2, target)]),
             "Give each pair of vectors one target.")
    product = sum_of(mul(input1, input2), -1)
    squares = [add(sum_of(mul(x, x), -1), 1e-12) for x in (input1, input2)]
    cosine = div(product, sqrt(mul(*squares)))
    alike = where(eq(target, 1), sub(1, cosine), 0.0)
    return reduced(add(alike, where(eq(target, -1), clamp(sub(cosine, margin), 0), 0.0)), reduction)
