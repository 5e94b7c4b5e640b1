"""Schedules along a cosine: once, or again and again."""

import math

from ..._core.checks import fail
from ..optimizer import Optimizer
from .scheduler import LRScheduler, check_positive_int


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2.

    It is computed from the learning rate before, so that it can be combined with another schedule.
    After T_max epochs it rises again.

    Args:    optimizer (Optimizer): whose learning rates are set.
             T_max (int): epochs from the largest to the smallest learning rate, at least 1.
             eta_min (float): the smallest.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if T_max is below 1.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
             >>> optimizer.step()
             >>> schedule.step()
             >>> round(schedule.get_last_lr()[0], 6)
             0.5
    Source:  Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check_positive_int("CosineAnnealingLR", "T_max", T_max)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._lrs()
        if self._step_count == 1 and self.last_epoch > 0:  # the first step of a later part
            return self.get_closed_lr()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # at the bottom: 0 / 0
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            pairs = zip(self._lrs(), self.base_lrs)
            return [lr + (base - self.eta_min) * rise for lr, base in pairs]
        ratio = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / (
            1 + math.cos(math.pi * (self.last_epoch - 1) / self.T_max)
        )
        return [ratio * (lr - self.eta_min) + self.eta_min for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        height = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2.

    T_cur counts epochs since the last restart; a restart comes after T_i epochs. The first T_i is
    T_0, and each restart multiplies it by T_mult.

    Args:    optimizer (Optimizer): whose learning rates are set.
             T_0 (int): epochs to the first restart, at least 1.
             T_mult (int): how much longer each round is than the one before, at least 1.
             eta_min (float): the smallest learning rate.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if T_0 or T_mult is below 1.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
             >>> optimizer.step()
             >>> schedule.step(2.5)
             >>> round(schedule.get_last_lr()[0], 4)
             0.8536
    Source:  Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_positive_int("CosineAnnealingWarmRestarts", "T_0", T_0)
        check_positive_int("CosineAnnealingWarmRestarts", "T_mult", T_mult)
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Set the next learning rates; a fractional `epoch`, as epoch + batch / batches, is served.

        Raises:  ValueError: if epoch is negative.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._place(epoch)
        self._step_count += 1
        self._set_lr(math.floor(epoch))

    def _place(self, epoch: float) -> None:
        """T_i and T_cur of an epoch: rounds 0 .. n - 1 take T_0 * (T_mult^n - 1) / (T_mult - 1)."""
        if not epoch >= 0:
            fail("CosineAnnealingWarmRestarts.step", "epoch of at least 0", repr(epoch),
                 "Count epochs from 0.")
        self.T_i = self.T_0
        begin: float = 0
        if self.T_mult == 1:
            begin = epoch // self.T_0 * self.T_0
        else:
            while epoch >= begin + self.T_i:
                begin += self.T_i
                self.T_i *= self.T_mult
        self.T_cur = epoch - begin
