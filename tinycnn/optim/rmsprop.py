"""RMSprop: the gradient over its running root mean square."""

from typing import Any

from ._rules import at_least_zero, refuse
from .optimizer import Optimizer, Params


class RMSprop(Optimizer):
    """Gradient descent, each coordinate divided by its gradient's running root mean square.

    g = gradient + weight_decay * p
    v = alpha * v + (1 - alpha) * g^2
    d = g / (sqrt(v) + eps)                        (centered: sqrt(v - a^2), a = running mean of g)
    p = p - lr * d                                 (momentum: b = momentum * b + d; p - lr * b)

    Args:    params (iterable): Tensors, (name, Tensor) pairs, or dicts that define groups.
             lr (float): learning rate, at least 0.
             alpha (float): how long v remembers, at least 0.
             eps (float): keeps the quotient finite, at least 0.
             weight_decay (float): strength of the penalty weight_decay / 2 * sum(p^2).
             momentum (float): share of b that is kept, at least 0.
             centered (bool): divide by the gradient's running standard deviation.
             maximize (bool): go up instead of down.
             foreach, fused (bool or None): accepted for PyTorch's sake; every step is fused.
             capturable, differentiable (bool): False.
    Raises:  TypeError, ValueError: as Optimizer.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.RMSprop([w], lr=0.1, alpha=0.75)
             >>> (1000 * w).sum().backward()
             >>> optimizer.step()
             >>> round(w.item(), 4)
             0.8
    Source:  Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013, equations 38 to 45.
    """

    rules = {
        "lr": at_least_zero,
        "alpha": at_least_zero,
        "eps": at_least_zero,
        "weight_decay": at_least_zero,
        "momentum": at_least_zero,
    }
    state_names = ("step", "square_avg")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        refuse(type(self).__name__, capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
            "momentum": momentum, "centered": centered, "maximize": maximize,
        })

    def update(self, kernels, group: dict[str, Any], live: list, arrays: list, grads: list) -> None:
        momentum = group["momentum"]
        steps, square_avgs = self.state_arrays(live, *self.state_names)
        buffers = self.state_arrays(live, "momentum_buffer")[0] if momentum != 0 else None
        grad_avgs = self.state_arrays(live, "grad_avg")[0] if group["centered"] else None
        kernels.rmsprop_update(
            arrays, grads, square_avgs, grad_avgs, buffers, steps, group["lr"], group["alpha"],
            group["eps"], group["weight_decay"], momentum, group["maximize"],
        )
