"""A schedule that watches: the learning rate falls when a metric no longer improves."""

import math
from typing import Any

from ..._core.checks import fail
from ..optimizer import Optimizer
from .scheduler import LRScheduler, check_optimizer, for_each_group


class ReduceLROnPlateau(LRScheduler):
    """lr = max(lr * factor, min_lr) once a metric has not improved for more than `patience` epochs.

    Better than `best` is, for mode "min": metric < best * (1 - threshold) with "rel",
    metric < best - threshold with "abs"; for "max" metric > best * (1 + threshold) or
    metric > best + threshold.

    Args:    optimizer (Optimizer): whose learning rates are reduced.
             mode (str): "min" if the metric should fall, "max" if it should rise.
             factor (float): what the learning rate is multiplied with, below 1.
             patience (int): epochs without improvement that are tolerated.
             threshold (float), threshold_mode (str): "rel" or "abs": what counts as improvement.
             cooldown (int): epochs after a reduction in which bad ones are not counted.
             min_lr (float or list of float): lower bounds; one for all groups or one each.
             eps (float): a smaller reduction than this is left out.
    Raises:  ValueError: if mode, threshold_mode, factor or the number of min_lr is wrong.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
             >>> for loss in [2.0, 2.0, 2.0]:
             ...     schedule.step(loss)
             >>> schedule.get_last_lr()
             [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        check_optimizer(name, optimizer)
        if not factor < 1:
            fail(name, "factor below 1", repr(factor), "Pass for example factor=0.1.")
        if mode not in ("min", "max"):
            fail(name, "mode 'min' or 'max'", repr(mode), "Choose one of them.")
        if threshold_mode not in ("rel", "abs"):
            fail(name, "threshold_mode 'rel' or 'abs'", repr(threshold_mode), "Choose one of them.")
        self.optimizer = optimizer
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = for_each_group(name, "min_lr", min_lr, optimizer)
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.last_epoch = 0
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = self._lrs()

    @property
    def in_cooldown(self) -> bool:
        """True while bad epochs are not counted."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the metric of this epoch, and reduce the learning rates if it is time.

        Args:    metrics (float or Tensor of one number): the value to watch; NaN is never better.
        """
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._lrs()

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            bound = self.best * (1 + sign * self.threshold)
        else:
            bound = self.best + sign * self.threshold
        return current > bound if self.mode == "max" else current < bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # groups were added since
            if self.default_min_lr is None:
                fail("ReduceLROnPlateau.step", f"one min_lr for each of {len(groups)} param_groups",
                     f"{len(self.min_lrs)}", "Set scheduler.min_lrs for the group that was added.")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs):
            lr = max(group["lr"] * self.factor, least)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr
