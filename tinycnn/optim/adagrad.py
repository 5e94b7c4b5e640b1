"""Adagrad: a learning rate for each coordinate that falls with what it has already moved."""

from typing import Any

from ._rules import at_least_zero, refuse
from .optimizer import Optimizer, Params


class Adagrad(Optimizer):
    """Gradient descent, each coordinate divided by the root of its summed squared gradients.

    g = gradient + weight_decay * p
    s = s + g^2                                    (s begins as initial_accumulator_value)
    p = p - lr / (1 + (step - 1) * lr_decay) * g / (sqrt(s) + eps)

    Args:    params (iterable): Tensors, (name, Tensor) pairs, or dicts that define groups.
             lr (float): learning rate, at least 0.
             lr_decay (float): how fast lr falls with the number of steps, at least 0.
             weight_decay (float): strength of the penalty weight_decay / 2 * sum(p^2).
             initial_accumulator_value (float): where s begins, at least 0.
             eps (float): keeps the quotient finite, at least 0.
             maximize (bool): go up instead of down.
             foreach, fused (bool or None): accepted for PyTorch's sake; every step is fused.
             capturable, differentiable (bool): False.
    Raises:  TypeError, ValueError: as Optimizer.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.Adagrad([w], lr=0.1)
             >>> (1000 * w).sum().backward()
             >>> optimizer.step()
             >>> round(w.item(), 4)
             0.9
    Source:  Duchi, Hazan & Singer 2011, "Adaptive subgradient methods", figure 1.
    """

    rules = {
        "lr": at_least_zero,
        "lr_decay": at_least_zero,
        "weight_decay": at_least_zero,
        "initial_accumulator_value": at_least_zero,
        "eps": at_least_zero,
    }
    state_names = ("step", "sum")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        refuse(type(self).__name__, capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "maximize": maximize,
        })

    def update(self, kernels, group: dict[str, Any], live: list, arrays: list, grads: list) -> None:
        start = group["initial_accumulator_value"]
        steps, sums = self.state_arrays(live, *self.state_names, value=start)
        kernels.adagrad_update(
            arrays, grads, sums, steps, group["lr"], group["lr_decay"], group["eps"],
            group["weight_decay"], group["maximize"],
        )
