"""The one-cycle schedule: up, down, and far down, with momentum the other way."""

import math
from typing import Any

from ..._core.checks import fail
from ..optimizer import Optimizer
from .scheduler import (
    LRScheduler,
    check_momentum,
    check_optimizer,
    check_positive_int,
    for_each_group,
    set_momentum,
)


class OneCycleLR(LRScheduler):
    """Learning rate from max_lr / div_factor up to max_lr and down to nearly 0; momentum mirrored.

    Two phases: up for pct_start * total_steps, then down to max_lr / div_factor / final_div_factor.
    Three phases: up, down as long, then down to the end. Call `step` after every batch.

    Args:    optimizer (Optimizer): whose learning rates, and momentum or beta1, are set.
             max_lr (float or list of float): the peak; one for all groups or one each.
             total_steps (int): length of the cycle; or else epochs and steps_per_epoch.
             pct_start (float): share of the cycle in which the learning rate rises, from 0 to 1.
             anneal_strategy (str): "cos" or "linear".
             cycle_momentum (bool): move momentum (or Adam's beta1) too.
             base_momentum, max_momentum (float or list): its value at the peak, at the ends.
             div_factor, final_div_factor (float): see above.
             three_phase (bool): see above.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if a number is out of its range, `step` is called after the end of the
                 cycle, or the optimizer has no momentum to move.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=0.1, momentum=0.9)
             >>> schedule = tinycnn.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10)
             >>> for _ in range(2):
             ...     optimizer.step()
             ...     schedule.step()
             >>> schedule.get_last_lr()
             [1.0]
    Source:  Smith & Topin 2018, "Super-convergence: very fast training of neural networks".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("OneCycleLR", optimizer)
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            fail("OneCycleLR", "pct_start from 0 to 1", repr(pct_start), "Pass for example 0.3.")
        if anneal_strategy not in ("cos", "linear"):
            fail("OneCycleLR", "anneal_strategy 'cos' or 'linear'", repr(anneal_strategy),
                 "Choose one of them.")
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = check_momentum("OneCycleLR", optimizer)
        peaks = for_each_group("OneCycleLR", "max_lr", max_lr, optimizer)
        lows = for_each_group("OneCycleLR", "base_momentum", base_momentum, optimizer)
        highs = for_each_group("OneCycleLR", "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for group, peak, low, high in zip(optimizer.param_groups, peaks, lows, highs):
                group["initial_lr"] = peak / div_factor
                group["max_lr"] = peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    group["max_momentum"], group["base_momentum"] = high, low
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            fail("OneCycleLR.step", f"at most {self.total_steps} steps", f"step {self.last_epoch}",
                 "Make total_steps the number of batches in all epochs.")
        start = 0.0
        for phase in self._schedule_phases:
            if self.last_epoch <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        length = phase["end_step"] - start
        share = (self.last_epoch - start) / length if length else 1.0
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                momentum = self._between(
                    group[phase["start_momentum"]], group[phase["end_momentum"]], share
                )
                set_momentum(group, momentum, self.use_beta1)
        return lrs

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start


def _total_steps(total_steps, epochs, steps_per_epoch) -> int:
    if total_steps is not None:
        check_positive_int("OneCycleLR", "total_steps", total_steps)
        return total_steps
    if epochs is None or steps_per_epoch is None:
        fail("OneCycleLR", "total_steps, or epochs and steps_per_epoch", "neither",
             "Pass for example epochs=10, steps_per_epoch=len(loader).")
    check_positive_int("OneCycleLR", "epochs", epochs)
    check_positive_int("OneCycleLR", "steps_per_epoch", steps_per_epoch)
    return epochs * steps_per_epoch


def _phases(pct_start: float, total_steps: int, three_phase: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and between which entries of a group it goes."""
    keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    top = pct_start * total_steps
    up = (float(top) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if three_phase:
        rows = [
            up,
            (float(2 * top) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
            (total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
        ]
    else:
        rows = [up, (total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    return [dict(zip(keys, row)) for row in rows]
