"""Schedules by functions that the user writes."""

import types
from collections.abc import Callable, Sequence
from typing import Any

from ..._core.checks import fail
from ..optimizer import Optimizer
from .scheduler import LRScheduler, check_optimizer, for_each_group


class LambdaLR(LRScheduler):
    """lr = initial_lr * lr_lambda(epoch).

    Args:    optimizer (Optimizer): whose learning rates are set.
             lr_lambda (callable or list of them): epoch to factor; one for all groups or one each.
             last_epoch (int): as in LRScheduler.
    Raises:  ValueError: if there are not as many functions as groups.
             TypeError: if one is none.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
             >>> optimizer.step()
             >>> schedule.step()
             >>> schedule.get_last_lr()
             [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        self.lr_lambdas = for_each_group(name, "lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                fail(name, "lr_lambda to be a function of the epoch", repr(function),
                     "Pass for example lambda epoch: 0.95**epoch.", TypeError)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * f(self.last_epoch) for lr, f in zip(self.base_lrs, self.lr_lambdas)]

    def state_dict(self) -> dict[str, Any]:
        """As LRScheduler's; of the functions only the attributes of callable objects are kept."""
        return {**super().state_dict(), "lr_lambdas": [*map(attributes_of, self.lr_lambdas)]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._check_state(state_dict)
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if saved:
                function.__dict__.update(saved)
        self.__dict__.update(state_dict, lr_lambdas=self.lr_lambdas)


class MultiplicativeLR(LambdaLR):
    """lr = lr * lr_lambda(epoch): the factors of all epochs so far, one on the other.

    Args:    optimizer, lr_lambda, last_epoch: as in LambdaLR; there is no factor for epoch 0.
    Raises:  ValueError, TypeError: as LambdaLR.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=1.0)
             >>> schedule = tinycnn.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
             >>> for _ in range(2):
             ...     optimizer.step()
             ...     schedule.step()
             >>> schedule.get_last_lr()
             [0.25]
    """

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._lrs()
        return [lr * f(self.last_epoch) for lr, f in zip(self._lrs(), self.lr_lambdas)]


def attributes_of(function: Any) -> dict[str, Any] | None:
    """What a schedule's state keeps of a function: the attributes of a callable object."""
    is_plain = isinstance(function, types.FunctionType)
    return None if is_plain else dict(getattr(function, "__dict__", {}))
