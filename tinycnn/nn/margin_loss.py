"""Layers of the losses with margins: they keep the arguments and call ops/margin_loss.py.

`size_average` and `reduce` are PyTorch's old words for `reduction`: accepted, with a warning.
"""

from ..ops.hinge_loss import degree_of, multi_margin_loss, multilabel_margin_loss
from ..ops.margin_loss import (
    hinge_embedding_loss,
    margin_ranking_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from ..tensor import Tensor
from .loss import _Loss, _WeightedLoss


class SoftMarginLoss(_Loss):
    """Logistic loss of a score for 1 or against it, -1: log(1 + exp(-t * x)).

    Args:    reduction (str): "mean", "sum" or "none".
    Shape:   input and target of shapes that broadcast.
    Example: >>> import tinycnn
             >>> SoftMarginLoss()(tinycnn.tensor([0.0]), tinycnn.tensor([1.0]))
             tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return soft_margin_loss(input, target, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    """Distances of alike things are to be 0, those of others at least a margin.

    loss = x where t = 1, max(margin - x, 0) where t = -1

    Args:    margin (float): the distance that is enough.
             reduction (str): "mean", "sum" or "none".
    Shape:   input and target of shapes that broadcast.
    Example: >>> import tinycnn
             >>> HingeEmbeddingLoss()(tinycnn.tensor([0.5, 0.25]), tinycnn.tensor([1, -1]))
             tensor(0.6250)
    """

    def __init__(self, margin: float = 1.0, size_average: bool | None = None,
                 reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """Of two scores the first is to be larger (1) or smaller (-1): max(-t * (x1 - x2) + margin, 0).

    Args:    margin (float): by how much.
             reduction (str): "mean", "sum" or "none".
    Shape:   input1, input2 and target of as many axes, that broadcast.
    Example: >>> import tinycnn
             >>> x, y = tinycnn.tensor([1.0, 1.0]), tinycnn.tensor([0.0, 3.0])
             >>> MarginRankingLoss()(x, y, tinycnn.tensor([1, 1]))
             tensor(1.)
    """

    def __init__(self, margin: float = 0.0, size_average: bool | None = None,
                 reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """The hinge loss of a support vector machine with several classes.

    loss[n] = w[t] / C * sum over c != t of max(margin - x[n, t] + x[n, c], 0)^p,  t = target[n]

    Args:    p (int): 1 or 2.
             margin (float): by how much the right class is to win.
             weight (Tensor or None): (C,), one weight per class.
             reduction (str): "mean", "sum" or "none".
    Shape:   input (N, C) or (C,): scores; target: labels (N,) or ().
    Example: >>> import tinycnn
             >>> MultiMarginLoss()(tinycnn.tensor([[0.5, 0.0]]), tinycnn.tensor([0]))
             tensor(0.2500)
    """

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
                 size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean") -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.p, self.margin = degree_of("MultiMarginLoss", p), margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multi_margin_loss(input, target, self.p, self.margin, self.weight,
                                 reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """Every right class is to win over every other one by 1.

    loss[n] = 1 / C * sum over right classes t, others c, of max(1 - x[n, t] + x[n, c], 0)

    Args:    reduction (str): "mean", "sum" or "none".
    Shape:   input (N, C) or (C,): scores; target of the same shape: the right classes, then -1.
    Example: >>> import tinycnn
             >>> x, t = tinycnn.tensor([[0.5, 0.0, 0.0]]), tinycnn.tensor([[0, -1, -1]])
             >>> MultiLabelMarginLoss()(x, t)
             tensor(0.3333)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Yes-or-no cross entropy of every class, its mean over the classes.

    loss[n] = -1 / C * sum over c of w[c] * (t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))

    Args:    weight (Tensor or None): (C,), one weight per class.
             reduction (str): "mean", "sum" or "none".
    Shape:   input (N, C): scores; target of the same shape, 0 or 1 each.
    Example: >>> import tinycnn
             >>> MultiLabelSoftMarginLoss()(tinycnn.zeros(1, 2), tinycnn.tensor([[1, 0]]))
             tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)
