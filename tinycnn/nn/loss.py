"""Loss layers: they keep the arguments and call the operation of ops/loss.py.

`size_average` and `reduce` are PyTorch's old words for `reduction`: accepted, with a warning.
"""

from ..ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
)
from ..ops.pair_loss import reduction_of
from ..ops.robust_loss import huber_loss, smooth_l1_loss
from ..tensor import Tensor
from .module import Module


class _Loss(Module):
    def __init__(self, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction_of(type(self).__name__, reduction, size_average, reduce)


class _WeightedLoss(_Loss):
    """`weight` is a buffer: it moves with the layer and belongs to its state."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None,
                 reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    """Negative logarithm of the share that softmax gives to the right class.

    loss[n] = -w[t] * log(softmax(x[n])[t]),  t = target[n];  mean: sum of loss / sum of w[t]

    Args:    weight (Tensor or None): (C,), one weight per class.
             ignore_index (int): a label that counts for nothing.
             reduction (str): "mean", "sum" or "none".
             label_smoothing (float): share of the target that is spread over all classes.
    Shape:   input (N, C), (N, C, d1, ...) or (C,): scores; target: labels (N,), (N, d1, ...) or (),
             or probabilities of the input's shape.
    Example: >>> import tinycnn
             >>> CrossEntropyLoss()(tinycnn.tensor([[0.0, 0.0]]), tinycnn.tensor([1]))
             tensor(0.6931)
    """

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None,
                 ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
                 label_smoothing: float = 0.0) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(input, target, self.weight, ignore_index=self.ignore_index,
                             reduction=self.reduction, label_smoothing=self.label_smoothing)


class NLLLoss(_WeightedLoss):
    """Negative log likelihood of the right class, from log probabilities.

    loss[n] = -w[t] * x[n, t],  t = target[n];  mean: sum of loss / sum of w[t]

    Args:    weight (Tensor or None): (C,), one weight per class.
             ignore_index (int): a label that counts for nothing.
             reduction (str): "mean", "sum" or "none".
    Shape:   input (N, C), (N, C, d1, ...) or (C,): as LogSoftmax returns them; target: labels.
    Example: >>> import tinycnn
             >>> NLLLoss()(tinycnn.tensor([[-1.0, -2.0]]), tinycnn.tensor([1]))
             tensor(2.)
    """

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None,
                 ignore_index: int = -100, reduce: bool | None = None,
                 reduction: str = "mean") -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return nll_loss(input, target, self.weight, ignore_index=self.ignore_index,
                        reduction=self.reduction)


class MSELoss(_Loss):
    """Squared error, (x - target)^2.

    Args:    reduction (str): "mean", "sum" or "none".
    Shape:   input and target of one shape.
    Example: >>> import tinycnn
             >>> MSELoss()(tinycnn.tensor([1.0, 4.0]), tinycnn.tensor([0.0, 1.0]))
             tensor(5.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Absolute error, |x - target|.

    Args:    reduction (str): "mean", "sum" or "none".
    Shape:   input and target of one shape.
    Example: >>> import tinycnn
             >>> L1Loss()(tinycnn.tensor([1.0, 4.0]), tinycnn.tensor([0.0, 1.0]))
             tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Squared error of small errors, absolute error of large ones; slopes end at 1.

    loss = d^2 / (2 * beta) where d < beta, else d - beta / 2,  d = |x - target|

    Args:    reduction (str): "mean", "sum" or "none".
             beta (float): where the square ends, at least 0; 0 gives the absolute error.
    Shape:   input and target of one shape.
    Example: >>> import tinycnn
             >>> SmoothL1Loss()(tinycnn.tensor([0.5, 3.0]), tinycnn.zeros(2))
             tensor(1.3125)
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """Squared error of small errors, absolute error of large ones; slopes end at delta.

    loss = d^2 / 2 where d <= delta, else delta * (d - delta / 2),  d = |x - target|

    Args:    reduction (str): "mean", "sum" or "none".
             delta (float): where the square ends, above 0.
    Shape:   input and target of one shape.
    Example: >>> import tinycnn
             >>> HuberLoss(delta=2.0)(tinycnn.tensor([0.5, 3.0]), tinycnn.zeros(2))
             tensor(2.0625)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_WeightedLoss):
    """Negative log likelihood of yes-or-no answers, from probabilities.

    loss = -w * (t * log(x) + (1 - t) * log(1 - x)), each logarithm at least -100

    Args:    weight (Tensor or None): broadcasts to the input's shape.
             reduction (str): "mean", "sum" or "none".
    Shape:   input (0 to 1) and target of one shape.
    Example: >>> import tinycnn
             >>> BCELoss()(tinycnn.tensor([0.5]), tinycnn.tensor([1.0]))
             tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Negative log likelihood of yes-or-no answers, from scores: sigmoid and loss in one, stable.

    loss = -w * (pos_weight * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))

    Args:    weight (Tensor or None): broadcasts to the input's shape.
             reduction (str): "mean", "sum" or "none".
             pos_weight (Tensor or None): weight of a yes, broadcasts to the input's shape.
    Shape:   input and target of one shape.
    Example: >>> import tinycnn
             >>> BCEWithLogitsLoss()(tinycnn.tensor([0.0]), tinycnn.tensor([1.0]))
             tensor(0.6931)
    """

    pos_weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None,
                 reduce: bool | None = None, reduction: str = "mean",
                 pos_weight: Tensor | None = None) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(input, target, self.weight,
                                                reduction=self.reduction,
                                                pos_weight=self.pos_weight)
