"""Layers of distances, and of the losses that are made of them: they keep the arguments and call
ops/distance.py and ops/embedding_loss.py."""

from collections.abc import Callable

from ..ops.distance import cosine_similarity, pairwise_distance
from ..ops.embedding_loss import (
    cosine_embedding_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from ..tensor import Tensor
from .loss import _Loss
from .module import Module


class PairwiseDistance(Module):
    """Distance of vectors along the last axis.

    y = (sum |x1 - x2 + eps|^p)^(1/p);  p = inf: the largest, 0: how many are not 0

    Args:    p (float): the norm.
             eps (float): added to differences, so that the gradient of equal vectors is not NaN.
             keepdim (bool): leave the last axis in place with size 1.
    Shape:   x1, x2 (N, D) or (D,), that broadcast; output (N,) or (), (N, 1) or (1,) with keepdim.
    Example: >>> import tinycnn
             >>> PairwiseDistance()(tinycnn.tensor([[3.0, 4.0]]), tinycnn.zeros(1, 2))
             tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """Cosine of the angle between vectors along an axis: 1 alike, 0 at right angles, -1 opposite.

    y = sum(x1 / max(|x1|, eps) * x2 / max(|x2|, eps))

    Args:    dim (int): the axis of the vectors.
             eps (float): the least length that is divided by.
    Shape:   x1, x2 (N, D, ...), that broadcast; output without the axis `dim`.
    Example: >>> import tinycnn
             >>> CosineSimilarity()(tinycnn.tensor([[1.0, 1.0]]), tinycnn.tensor([[0.0, 2.0]]))
             tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)


class CosineEmbeddingLoss(_Loss):
    """Vectors of alike things are to point the same way, others are not.

    loss = 1 - cos where t = 1, max(cos - margin, 0) where t = -1

    Args:    margin (float): the cosine that others may have.
             reduction (str): "mean", "sum" or "none".
    Shape:   input1, input2 (N, D) or (D,); target: 1 or -1 each, (N,) or ().
    Example: >>> import tinycnn
             >>> x, y = tinycnn.tensor([[1.0, 0.0]]), tinycnn.tensor([[0.0, 1.0]])
             >>> CosineEmbeddingLoss()(x, y, tinycnn.tensor([1]))
             tensor(1.)
    """

    def __init__(self, margin: float = 0.0, size_average: bool | None = None,
                 reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """An anchor is to be nearer to what is alike than to what is not, by a margin.

    loss = max(d(a, p) - d(a, n) + margin, 0),  d = PairwiseDistance

    Args:    margin (float): above 0.
             p, eps (float): see PairwiseDistance.
             swap (bool): whether the negative must be far from the positive, too.
             reduction (str): "mean", "sum" or "none".
    Shape:   anchor, positive, negative (N, D) or (D,); output (), or with "none" (N,).
    Example: >>> import tinycnn
             >>> a, n = tinycnn.tensor([[0.0, 0.0]]), tinycnn.tensor([[0.0, 0.25]])
             >>> TripletMarginLoss()(a, a, n)
             tensor(0.7500)
    """

    def __init__(self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
                 size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return triplet_margin_loss(anchor, positive, negative, self.margin, self.p, self.eps,
                                   self.swap, reduction=self.reduction)


class TripletMarginWithDistanceLoss(_Loss):
    """TripletMarginLoss with a distance of one's own, which may be a layer.

    loss = max(d(a, p) - d(a, n) + margin, 0)

    Args:    distance_function (callable or None): two tensors to a tensor of distances;
                 PairwiseDistance by default.
             margin (float): above 0.
             swap (bool): whether the negative must be far from the positive, too.
             reduction (str): "mean", "sum" or "none".
    Shape:   anchor, positive, negative as the distance takes them.
    Example: >>> import tinycnn
             >>> a, n = tinycnn.tensor([[0.0, 0.0]]), tinycnn.tensor([[0.0, 0.25]])
             >>> TripletMarginWithDistanceLoss()(a, a, n)
             tensor(0.7500)
    """

    def __init__(self, *, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
                 margin: float = 1.0, swap: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.distance_function = distance_function or PairwiseDistance()
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction)
