"""One schedule after another."""

from bisect import bisect_right
from typing import Any

from ..._core.checks import fail
from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler


class SequentialLR(LRScheduler):
    """Several schedules in turn: schedule i is in charge from milestones[i - 1] to milestones[i].

    Each begins at its own epoch 0 when its turn comes.

    Args:    optimizer (Optimizer): that of all the schedules.
             schedulers (list of LRScheduler): made for it before, in this order.
             milestones (list of int): the epochs of the changes, one fewer than schedulers.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if the numbers do not fit, a schedule is of another optimizer or is a
                 ReduceLROnPlateau.  TypeError: if an entry is no schedule.
    Example: >>> import tinycnn
             >>> from tinycnn.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> warm_up = ConstantLR(optimizer, factor=0.25, total_iters=2)
             >>> fall = ExponentialLR(optimizer, gamma=0.5)
             >>> schedule = SequentialLR(optimizer, [warm_up, fall], milestones=[2])
             >>> rates = []
             >>> for _ in range(4):
             ...     rates += schedule.get_last_lr()
             ...     optimizer.step()
             ...     schedule.step()
             >>> rates
             [0.25, 0.25, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        _check(optimizer, schedulers, milestones)
        self.optimizer = optimizer
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # undo the first step that each schedule has made
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            _undo(scheduler)
        self._begin()

    def _begin(self) -> None:
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._begin()
        self._last_lr = first.get_last_lr()

    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rates, or those of `epoch`, by the schedule whose turn it is."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        since = self.last_epoch - (self._milestones[turn - 1] if turn > 0 else 0)
        if epoch is not None or (turn > 0 and since == 0):
            scheduler._set_lr(since)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _set_lr(self, epoch: int | None = None) -> None:
        self.step(epoch)

    def state_dict(self) -> dict[str, Any]:
        """As LRScheduler's, with the state of each schedule in "_schedulers"."""
        inner = [scheduler.state_dict() for scheduler in self._schedulers]
        return {**super().state_dict(), "_schedulers": inner}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._check_state(state_dict)
        for scheduler, saved in zip(self._schedulers, state_dict["_schedulers"]):
            scheduler.load_state_dict(saved)
        self.__dict__.update(state_dict, _schedulers=self._schedulers)


def _undo(scheduler: LRScheduler) -> None:
    if isinstance(scheduler, SequentialLR):
        for inner in scheduler._schedulers:
            _undo(inner)
    else:
        scheduler.last_epoch -= 1


def _check(optimizer: Optimizer, schedulers: list, milestones: list) -> None:
    if len(schedulers) != len(milestones) + 1:
        fail("SequentialLR", "one milestone fewer than schedulers",
             f"{len(schedulers)} schedulers and {len(milestones)} milestones",
             "Name the epoch at which each but the first begins.")
    for i, scheduler in enumerate(schedulers):
        if not isinstance(scheduler, LRScheduler):
            fail("SequentialLR", "a list of schedulers", f"{type(scheduler).__name__} at {i}",
                 "Make the schedulers first, all with this optimizer.", TypeError)
        if isinstance(scheduler, ReduceLROnPlateau):
            fail("SequentialLR", "schedulers whose step() needs no metric",
                 f"ReduceLROnPlateau at {i}", "Step it by itself after the others.")
        if scheduler.optimizer is not optimizer:
            fail("SequentialLR", "schedulers of this optimizer", f"another's at {i}",
                 "Make all schedulers with the same optimizer.")
