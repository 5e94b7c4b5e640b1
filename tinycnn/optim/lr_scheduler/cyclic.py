"""The cyclic schedule: up and down again and again, with momentum the other way."""

import math
from collections.abc import Callable
from typing import Any

from ..._core.checks import fail
from ..optimizer import Optimizer
from .functions import attributes_of
from .scheduler import (
    LRScheduler,
    check_momentum,
    check_optimizer,
    check_positive_int,
    for_each_group,
    set_momentum,
)

_MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(LRScheduler):
    """lr = base_lr + (max_lr - base_lr) * height * scale; momentum mirrored. Call it every batch.

    height rises from 0 to 1 in step_size_up steps and falls to 0 in step_size_down. scale is 1 for
    "triangular", 1 / 2^(cycle - 1) for "triangular2" (cycles count from 1), gamma^step for
    "exp_range".

    Args:    optimizer (Optimizer): whose learning rates, and momentum or beta1, are set.
             base_lr, max_lr (float or list of float): the ends; one for all groups or one each.
             step_size_up (int): steps of the rise, at least 1.
             step_size_down (int): steps of the fall; as many as of the rise if None.
             mode (str): "triangular", "triangular2" or "exp_range".
             gamma (float): see above.
             scale_fn (callable): another scale, in place of `mode`: of the cycle or the step.
             scale_mode (str): "cycle" or "iterations": what scale_fn is given.
             cycle_momentum (bool): move momentum (or Adam's beta1) too.
             base_momentum, max_momentum (float or list): its value at max_lr, at base_lr.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if a number is out of its range, a mode is unknown, or the optimizer has no
                 momentum to move.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=0.1, momentum=0.9)
             >>> schedule = tinycnn.optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=2)
             >>> rates = []
             >>> for _ in range(6):
             ...     rates += schedule.get_last_lr()
             ...     optimizer.step()
             ...     schedule.step()
             >>> rates
             [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    Source:  Smith 2017, "Cyclical learning rates for training neural networks".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name = "CyclicLR"
        check_optimizer(name, optimizer)
        _check(step_size_up, step_size_down, mode, scale_fn, scale_mode)
        self.total_size = float(step_size_up + (step_size_down or step_size_up))
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        by_cycle = scale_mode == "cycle" if scale_fn else mode != "exp_range"
        self.scale_mode = "cycle" if by_cycle else "iterations"
        self.cycle_momentum = cycle_momentum
        lows = for_each_group(name, "base_lr", base_lr, optimizer)
        self.max_lrs = for_each_group(name, "max_lr", max_lr, optimizer)
        if cycle_momentum:
            self.use_beta1 = check_momentum(name, optimizer)
            self.base_momentums = for_each_group(name, "base_momentum", base_momentum, optimizer)
            self.max_momentums = for_each_group(name, "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, lows):
                group["lr"] = lr
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, or at a step: see `scale_mode`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "exp_range":
            return self.gamma**x
        return 1.0 if self.mode == "triangular" else 1 / 2.0 ** (x - 1)

    def get_lr(self) -> list[float]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        ratio = self.step_ratio
        height = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            ends = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums)
            for group, low, high in ends:
                set_momentum(group, high - (high - low) * height * scale, self.use_beta1)
        pairs = zip(self.base_lrs, self.max_lrs)
        return [low + (high - low) * height * scale for low, high in pairs]

    def state_dict(self) -> dict[str, Any]:
        """As LRScheduler's; of scale_fn only the attributes of a callable object are kept."""
        function = self._scale_fn_custom
        saved = None if function is None else attributes_of(function)
        return {**super().state_dict(), "_scale_fn_custom": saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._check_state(state_dict)
        function, saved = self._scale_fn_custom, state_dict["_scale_fn_custom"]
        if function is not None and saved:
            function.__dict__.update(saved)
        self.__dict__.update(state_dict, _scale_fn_custom=function)


def _check(step_size_up, step_size_down, mode, scale_fn, scale_mode):
    check_positive_int("CyclicLR", "step_size_up", step_size_up)
    if step_size_down is not None:
        check_positive_int("CyclicLR", "step_size_down", step_size_down)
    if mode not in _MODES and scale_fn is None:
        fail("CyclicLR", f"mode {', '.join(map(repr, _MODES))}", repr(mode),
             "Choose one of them, or pass scale_fn.")
    if scale_mode not in ("cycle", "iterations"):
        fail("CyclicLR", "scale_mode 'cycle' or 'iterations'", repr(scale_mode),
             "Choose one of them.")
