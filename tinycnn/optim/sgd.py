"""Stochastic gradient descent with momentum."""

from itertools import compress
from typing import Any

from ._rules import any_number, at_least_zero, refuse
from .optimizer import Optimizer, Params


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum or Nesterov's momentum.

    g = gradient + weight_decay * p
    b = momentum * b + (1 - dampening) * g         (the first time b = g)
    p = p - lr * b                                 (nesterov: p - lr * (g + momentum * b))

    Args:    params (iterable): Tensors, (name, Tensor) pairs, or dicts that define groups.
             lr (float): learning rate, at least 0.
             momentum (float): share of b that is kept, at least 0.
             dampening (float): share of g that is left out of b.
             weight_decay (float): strength of the penalty weight_decay / 2 * sum(p^2).
             nesterov (bool): look ahead along b; needs momentum and no dampening.
             maximize (bool): go up instead of down.
             foreach, fused (bool or None): accepted for PyTorch's sake; every step is fused.
             capturable, differentiable (bool): False.
    Raises:  TypeError, ValueError: as Optimizer; and if nesterov lacks what it needs.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=0.1, momentum=0.5)
             >>> for _ in range(2):
             ...     optimizer.zero_grad()
             ...     w.sum().backward()
             ...     optimizer.step()
             >>> round(w.item(), 4)
             0.75
    Source:  Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum".
    """

    rules = {
        "lr": at_least_zero,
        "momentum": at_least_zero,
        "dampening": any_number,
        "weight_decay": at_least_zero,
    }

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        refuse(type(self).__name__, capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening,
            "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
        })

    def check_group(self, group: dict[str, Any]) -> None:
        super().check_group(group)
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError(
                f"SGD: expected momentum above 0 and dampening 0 with nesterov=True, got momentum="
                f"{group['momentum']} and dampening={group['dampening']}. Pass momentum=0.9."
            )

    def update(self, kernels, group: dict[str, Any], live: list, arrays: list, grads: list) -> None:
        dampening = group["dampening"]
        if dampening != 0 and group["momentum"] != 0:
            new = ["momentum_buffer" not in self.state[p] for p in live]
            if any(new):  # these begin with b = g: dampening 0 on a buffer of zeros
                for chosen, damp in ((new, 0), ([not is_new for is_new in new], dampening)):
                    parts = [list(compress(x, chosen)) for x in (live, arrays, grads)]
                    self._call(kernels, group, parts[0], parts[1], parts[2], damp)
                return
        self._call(kernels, group, live, arrays, grads, dampening)

    def _call(self, kernels, group, live, arrays, grads, dampening):
        momentum = group["momentum"]
        buffers = self.state_arrays(live, "momentum_buffer")[0] if momentum != 0 else None
        kernels.sgd_update(
            arrays, grads, buffers, group["lr"], momentum, dampening,
            group["weight_decay"], group["nesterov"], group["maximize"],
        )
