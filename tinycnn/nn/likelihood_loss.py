"""Layers of the losses of distributions: they keep the arguments and call ops/likelihood_loss.py.

`size_average` and `reduce` are PyTorch's old words for `reduction`: accepted, with a warning.
"""

from ..ops.ctc import ctc_loss
from ..ops.likelihood_loss import gaussian_nll_loss, kl_div, poisson_nll_loss
from ..ops.pair_loss import reduction_of
from ..tensor import Tensor
from .loss import _Loss
from .module import Module


class KLDivLoss(Module):
    """Kullback-Leibler divergence of a distribution, given as logarithms, from a target.

    loss = t * (log(t) - x), 0 where t = 0;  with log_target: exp(t) * (t - x)

    Args:    reduction (str): "batchmean" for the mean divergence of a batch; "mean" divides by the
                 number of elements and warns, as in PyTorch; "sum" or "none".
             log_target (bool): whether the target is given as logarithms.
    Shape:   input: log probabilities; target: probabilities, or their logarithms.
    Example: >>> import tinycnn
             >>> x, t = tinycnn.tensor([[0.5, 0.5]]).log(), tinycnn.tensor([[0.0, 1.0]])
             >>> KLDivLoss(reduction="batchmean")(x, t)
             tensor(0.6931)
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__()
        self.reduction = reduction_of("KLDivLoss", reduction, size_average, reduce, ("batchmean",))
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """Negative log likelihood of counts, under a Poisson distribution whose mean is predicted.

    loss = exp(x) - t * x;  without log_input: x - t * log(x + eps)

    Args:    log_input (bool): whether input holds logarithms of the means.
             full (bool): whether to add Stirling's formula for log(t!).
             eps (float): keeps log from 0 where log_input is False.
             reduction (str): "mean", "sum" or "none".
    Shape:   input and target of shapes that broadcast.
    Example: >>> import tinycnn
             >>> PoissonNLLLoss()(tinycnn.tensor([0.0]), tinycnn.tensor([3.0]))
             tensor(1.)
    """

    def __init__(self, log_input: bool = True, full: bool = False,
                 size_average: bool | None = None, eps: float = 1e-8,
                 reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return poisson_nll_loss(log_input, target, self.log_input, self.full, eps=self.eps,
                                reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """Negative log likelihood under a normal distribution whose mean and variance are predicted.

    loss = (log(v) + (x - t)^2 / v) / 2,  v = max(var, eps);  full: + log(2 * pi) / 2

    Args:    full (bool): whether to add the constant.
             eps (float): the least variance.
             reduction (str): "mean", "sum" or "none".
    Shape:   input and target of shapes that broadcast; var of the input's, without its last axis,
             with one axis of size 1, or one number.
    Example: >>> import tinycnn
             >>> x, t, var = (tinycnn.tensor([a]) for a in (1.0, 3.0, 1.0))
             >>> GaussianNLLLoss()(x, t, var)
             tensor(2.)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class CTCLoss(_Loss):
    """Connectionist temporal classification: label sequences whose places are not known.

    loss[n] = -log(sum, over all paths that read as target n, of the product of probabilities)

    Args:    blank (int): the class that stands for no label.
             reduction (str): "mean" divides each loss by the length of its target; "sum", "none".
             zero_infinity (bool): whether targets that no path can read count for nothing.
    Shape:   log_probs (T, N, C) or (T, C); targets (N, S) or (sum of target_lengths,); lengths (N,)
             or (); output (), or with "none" (N,).
    Example: >>> import tinycnn
             >>> logp = tinycnn.full((2, 1, 2), 0.5).log()
             >>> CTCLoss()(logp, tinycnn.tensor([[1]]), (2,), (1,))
             tensor(0.2877)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean",
                 zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths, target_lengths) -> Tensor:
        return ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank,
                        self.reduction, self.zero_infinity)
