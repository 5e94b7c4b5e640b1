"""Adadelta: steps in the parameter's own units, without a learning rate to choose."""

from typing import Any

from ._rules import at_least_zero, refuse, zero_to_one
from .optimizer import Optimizer, Params


class Adadelta(Optimizer):
    """Gradient descent, scaled by the ratio of running root mean squares of step and gradient.

    g = gradient + weight_decay * p
    v = rho * v + (1 - rho) * g^2
    d = sqrt(u + eps) / sqrt(v + eps) * g
    u = rho * u + (1 - rho) * d^2
    p = p - lr * d

    Args:    params (iterable): Tensors, (name, Tensor) pairs, or dicts that define groups.
             lr (float): factor of each step, at least 0; the paper has 1.
             rho (float): how long u and v remember, from 0 to 1.
             eps (float): where the first steps get their size from, at least 0.
             weight_decay (float): strength of the penalty weight_decay / 2 * sum(p^2).
             maximize (bool): go up instead of down.
             foreach, fused (bool or None): accepted for PyTorch's sake; every step is fused.
             capturable, differentiable (bool): False.
    Raises:  TypeError, ValueError: as Optimizer.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.Adadelta([w], rho=0.75, eps=0.01)
             >>> (1000 * w).sum().backward()
             >>> optimizer.step()
             >>> round(w.item(), 4)
             0.8
    Source:  Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1.
    """

    rules = {
        "lr": at_least_zero,
        "rho": zero_to_one,
        "eps": at_least_zero,
        "weight_decay": at_least_zero,
    }
    state_names = ("step", "square_avg", "acc_delta")

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        refuse(type(self).__name__, capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
        })

    def update(self, kernels, group: dict[str, Any], live: list, arrays: list, grads: list) -> None:
        steps, square_avgs, acc_deltas = self.state_arrays(live, *self.state_names)
        kernels.adadelta_update(
            arrays, grads, square_avgs, acc_deltas, steps, group["lr"], group["rho"],
            group["eps"], group["weight_decay"], group["maximize"],
        )
