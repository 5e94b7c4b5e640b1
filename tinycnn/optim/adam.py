"""Adam: steps of a size that the gradient's own scale does not change."""

from typing import Any

from ._rules import at_least_zero, below_one, refuse
from .optimizer import Optimizer, Params


class Adam(Optimizer):
    """Adam: gradient descent along running means, each coordinate scaled by its own size.

    g = gradient + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g^2
    p = p - lr * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps)

    Args:    params (iterable): Tensors, (name, Tensor) pairs, or dicts that define groups.
             lr (float): learning rate, at least 0: about the largest change of a number in a step.
             betas (tuple of two floats): beta1, beta2: how long m and v remember, in [0, 1).
             eps (float): keeps the quotient finite, at least 0.
             weight_decay (float): strength of the penalty weight_decay / 2 * sum(p^2).
             amsgrad (bool): divide by the largest v so far.
             maximize (bool): go up instead of down.
             decoupled_weight_decay (bool): shrink p by lr * weight_decay * p instead (AdamW).
             foreach, fused (bool or None): accepted for PyTorch's sake; every step is fused.
             capturable, differentiable (bool): False.
    Raises:  TypeError, ValueError: as Optimizer; and if betas are not two numbers.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.Adam([w], lr=0.1)
             >>> (1000 * w).sum().backward()
             >>> optimizer.step()
             >>> round(w.item(), 4)
             0.9
    Source:  Kingma & Ba 2015, algorithm 1; Reddi et al. 2018, algorithm 2 (AMSGrad).
    """

    rules = {
        "lr": at_least_zero,
        "betas": below_one,
        "eps": at_least_zero,
        "weight_decay": at_least_zero,
    }
    state_names = ("step", "exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        refuse(type(self).__name__, capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        })

    def check_group(self, group: dict[str, Any]) -> None:
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(
                f"{type(self).__name__}: expected betas to be two numbers, got {betas!r}. "
                f"Pass betas=(0.9, 0.999)."
            )
        super().check_group(group)

    def update(self, kernels, group: dict[str, Any], live: list, arrays: list, grads: list) -> None:
        steps, exp_avgs, exp_avg_sqs = self.state_arrays(live, *self.state_names)
        largest = self.state_arrays(live, "max_exp_avg_sq")[0] if group["amsgrad"] else None
        beta1, beta2 = group["betas"]
        kernels.adam_update(
            arrays, grads, exp_avgs, exp_avg_sqs, largest, steps, group["lr"], beta1, beta2,
            group["eps"], group["weight_decay"], group["decoupled_weight_decay"],
            group["maximize"],
        )
