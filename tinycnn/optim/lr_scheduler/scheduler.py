"""LRScheduler: the base of schedules, and checks that they share."""

import warnings
from typing import Any

from ..._core.checks import fail
from ..optimizer import Optimizer


class LRScheduler:
    """The base of all schedules: a subclass says in `get_lr` what the next learning rates are.

    The first value is set at once. A schedule changes the learning rates that it finds, so that
    several on one optimizer multiply, unless it says that it starts from `base_lrs`.

    Args:    optimizer (Optimizer): its groups' "lr" is changed; "initial_lr" keeps where it began.
             last_epoch (int): -1 to begin; otherwise the epoch after which training goes on, with
                 an optimizer whose groups have "initial_lr" (from load_state_dict).
    Raises:  TypeError: if `optimizer` is none.  KeyError: if "initial_lr" is not there.
    Example: >>> import tinycnn
             >>> class Halve(tinycnn.optim.lr_scheduler.LRScheduler):
             ...     def get_lr(self):
             ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> scheduler = Halve(optimizer)
             >>> optimizer.step()
             >>> scheduler.step()
             >>> scheduler.get_last_lr()
             [0.5]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(type(self).__name__, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                fail(type(self).__name__, f'"initial_lr" in param_groups[{i}] with last_epoch='
                     f"{last_epoch}", f"the keys {list(group)}",
                     "Load the optimizer's state_dict first, or leave out last_epoch.", KeyError)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def _begin(self) -> None:
        """Set the first learning rates: the step from last_epoch = -1 to 0."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The learning rate of each group at `last_epoch`, from what they are now.

        It is meant for `step`; `get_last_lr` says what the learning rates are.
        """
        raise TypeError(f"{type(self).__name__}.get_lr: a subclass of LRScheduler must define it.")

    def get_closed_lr(self) -> list[float]:
        """The same from `base_lrs` alone, for a jump to any epoch."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group, as the last `step` has set it.

        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([1.0], requires_grad=True)
                 >>> optimizer = tinycnn.optim.SGD([w], lr=0.1)
                 >>> tinycnn.optim.lr_scheduler.ExponentialLR(optimizer, 0.9).get_last_lr()
                 [0.1]
        """
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rates; call it after `optimizer.step()`.

        Args:    epoch (int): jump to this epoch instead.
        Warns:   UserWarning: if the optimizer has not made a step yet.
        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([1.0], requires_grad=True)
                 >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
                 >>> scheduler = tinycnn.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
                 >>> for _ in range(3):
                 ...     optimizer.step()
                 ...     scheduler.step()
                 >>> optimizer.param_groups[0]["lr"]
                 0.125
        """
        if self._step_count == 1:
            self._warn_if_first()
        self._step_count += 1
        self._set_lr(epoch)

    def _warn_if_first(self) -> None:
        known = type(self.optimizer).step is Optimizer.step  # an own step() may not tell
        if known and not self.optimizer.stepped:
            warnings.warn(
                "lr_scheduler.step: called before optimizer.step, so that the first learning rate "
                "of the schedule is skipped. Call optimizer.step() first, then scheduler.step().",
                UserWarning,
                stacklevel=3,
            )

    def _set_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            lrs = self.get_lr()
        else:
            self.last_epoch = epoch
            lrs = self.get_closed_lr()
        for group, lr in zip(self.optimizer.param_groups, lrs):
            group["lr"] = lr
        self._last_lr = self._lrs()

    def _lrs(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule remembers, as a dict; save the optimizer's with it.

        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([1.0], requires_grad=True)
                 >>> optimizer = tinycnn.optim.SGD([w], lr=0.1)
                 >>> tinycnn.optim.lr_scheduler.StepLR(optimizer, 30).state_dict()["step_size"]
                 30
        """
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where the schedule was whose `state_dict` this is.

        Raises:  ValueError: if it is not of a schedule of this kind.
        """
        self._check_state(state_dict)
        self.__dict__.update(state_dict)

    def _check_state(self, state_dict: dict[str, Any]) -> None:
        if missing := self.state_dict().keys() - state_dict.keys():
            fail(f"{type(self).__name__}.load_state_dict", f"the keys {sorted(self.state_dict())}",
                 f"a dict without {sorted(missing)}",
                 f"Load what another {type(self).__name__} has saved.")


def check_optimizer(function: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        fail(function, "an Optimizer", type(optimizer).__name__,
             "Pass the optimizer whose learning rate is to change.", TypeError)


def check_positive_int(function: str, name: str, value: Any) -> None:
    """Raises:  TypeError: if it is no integer.  ValueError: if it is below 1."""
    if not hasattr(value, "__index__") or isinstance(value, bool):
        fail(function, f"{name} to be an int", repr(value), "Pass a whole number.", TypeError)
    if value < 1:
        fail(function, f"{name} to be at least 1", repr(value), "Pass a larger number.")


def check_momentum(function: str, optimizer: Optimizer) -> bool:
    """Whether the optimizer's momentum is its beta1.

    Raises:  ValueError: if it has none.
    """
    use_beta1 = "betas" in optimizer.defaults
    if not use_beta1 and "momentum" not in optimizer.defaults:
        fail(function, "an optimizer with momentum or betas", type(optimizer).__name__,
             "Pass cycle_momentum=False.")
    return use_beta1


def set_momentum(group: dict[str, Any], momentum: float, use_beta1: bool) -> None:
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def for_each_group(function: str, name: str, value: Any, optimizer: Optimizer) -> list:
    """One value per group: a list or tuple as it is, anything else repeated.

    Raises:  ValueError: if the list is not as long as there are groups.
    """
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        fail(function, f"one {name} for each of {count} param_groups", f"{len(value)}",
             "Pass one value for all groups, or a list of that length.")
    return list(value)
