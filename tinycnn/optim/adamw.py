"""AdamW: Adam with a weight decay that its scaling does not touch."""

from .adam import Adam
from .optimizer import Params


class AdamW(Adam):
    """Adam with decoupled weight decay.

    p = p - lr * weight_decay * p, then as Adam without weight decay

    Args:    params (iterable): Tensors, (name, Tensor) pairs, or dicts that define groups.
             lr, betas, eps, amsgrad: as in Adam.
             weight_decay (float): share of p, times lr, that every step takes away.
             maximize, foreach, fused, capturable, differentiable: as in Adam.
    Raises:  TypeError, ValueError: as Adam.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.AdamW([w], lr=0.1, weight_decay=0.5)
             >>> (0 * w).sum().backward()
             >>> optimizer.step()
             >>> round(w.item(), 4)
             0.95
    Source:  Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad,
            maximize=maximize, foreach=foreach, fused=fused, capturable=capturable,
            differentiable=differentiable, decoupled_weight_decay=True,
        )
