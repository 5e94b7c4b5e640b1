"""Schedules that multiply: by a factor now and then, along a line, along a power."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from ..._core.checks import fail
from ..optimizer import Optimizer
from .scheduler import LRScheduler, check_positive_int


class StepLR(LRScheduler):
    """lr = initial_lr * gamma^floor(epoch / step_size).

    Args:    optimizer (Optimizer): whose learning rates are set.
             step_size (int): epochs between changes, at least 1.
             gamma (float): the factor of each change.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if step_size is below 1.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
             >>> for _ in range(5):
             ...     optimizer.step()
             ...     schedule.step()
             >>> schedule.get_last_lr()
             [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_positive_int("StepLR", "step_size", step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._lrs()
        return [lr * self.gamma for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr = initial_lr * gamma^(number of milestones up to this epoch).

    Args:    optimizer (Optimizer): whose learning rates are set.
             milestones (iterable of int): the epochs of the changes; one named twice counts twice.
             gamma (float): the factor of each change.
             last_epoch (int): as in LRScheduler.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3], gamma=0.5)
             >>> for _ in range(3):
             ...     optimizer.step()
             ...     schedule.step()
             >>> schedule.get_last_lr()
             [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch not in self.milestones:
            return self._lrs()
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]


class ExponentialLR(LRScheduler):
    """lr = initial_lr * gamma^epoch.

    Args:    optimizer (Optimizer): whose learning rates are set.
             gamma (float): the factor of every epoch.
             last_epoch (int): as in LRScheduler.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
             >>> optimizer.step()
             >>> schedule.step()
             >>> schedule.get_last_lr()
             [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._lrs() if self._is_initial else [lr * self.gamma for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class ConstantLR(LRScheduler):
    """lr = initial_lr * factor before epoch total_iters, then initial_lr.

    Args:    optimizer (Optimizer): whose learning rates are set.
             factor (float): above 0, at most 1.
             total_iters (int): how many epochs the factor holds, at least 1.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if factor or total_iters is out of its range.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> tinycnn.optim.lr_scheduler.ConstantLR(optimizer, factor=0.25).get_last_lr()
             [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _check_factor("ConstantLR", "factor", factor)
        check_positive_int("ConstantLR", "total_iters", total_iters)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._lrs()]
        if self.last_epoch != self.total_iters:
            return self._lrs()
        return [lr * (1.0 / self.factor) for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        factor = 1.0 if self.last_epoch >= self.total_iters else self.factor
        return [lr * factor for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """lr = initial_lr * (start_factor + (end_factor - start_factor) * min(1, epoch / total_iters)).

    Args:    optimizer (Optimizer): whose learning rates are set.
             start_factor (float): above 0, at most 1.
             end_factor (float): from 0 to 1.
             total_iters (int): epochs from one to the other, at least 1.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if a factor or total_iters is out of its range.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)
             >>> optimizer.step()
             >>> schedule.step()
             >>> schedule.get_last_lr()
             [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _check_factor("LinearLR", "start_factor", start_factor)
        if not 0 <= end_factor <= 1:
            fail("LinearLR", "end_factor from 0 to 1", repr(end_factor), _LARGEST)
        check_positive_int("LinearLR", "total_iters", total_iters)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._lrs()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._lrs()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1.0 + rise / before) for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        share = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * share
        return [lr * factor for lr in self.base_lrs]


class PolynomialLR(LRScheduler):
    """lr = initial_lr * (1 - min(1, epoch / total_iters))^power.

    Args:    optimizer (Optimizer): whose learning rates are set.
             total_iters (int): epochs until the learning rate is 0, at least 1.
             power (float): 1 is a straight line; above, the fall is steeper at first.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if total_iters is below 1.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.PolynomialLR(optimizer, 4, power=2.0)
             >>> for _ in range(2):
             ...     optimizer.step()
             ...     schedule.step()
             >>> round(schedule.get_last_lr()[0], 6)
             0.25
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        check_positive_int("PolynomialLR", "total_iters", total_iters)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._lrs()
        left = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return [lr * (left / before) ** self.power for lr in self._lrs()]

    def get_closed_lr(self) -> list[float]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * left**self.power for lr in self.base_lrs]


_LARGEST = "Give the optimizer the largest learning rate."


def _check_factor(function, name, value):
    if not 0 < value <= 1:
        fail(function, f"{name} above 0 and at most 1", repr(value), _LARGEST)
