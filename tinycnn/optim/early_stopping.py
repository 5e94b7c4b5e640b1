"""Early stopping: training ends when it no longer helps, with the weights that were best."""

from __future__ import annotations

import math
from typing import Any

from .._core.checks import fail, float_of, int_of, require


class EarlyStopping:
    """Says when a metric has not improved for `patience` epochs, and keeps the best weights.

    Better than `best` is metric < best - min_delta for mode "min", metric > best + min_delta for
    "max". NaN is never better.

    Args:    patience (int): epochs without improvement that are tolerated, at least 0.
             mode (str): "min" if the metric should fall, "max" if it should rise.
             min_delta (float): least change that counts as improvement, at least 0.
             model (Module or None): whose parameters and buffers are copied at every improvement,
             for `restore`.
    Raises:  ValueError: if a setting is out of its range. TypeError: if it is of a wrong type.
    Example: >>> from tinycnn.optim import EarlyStopping
             >>> stopping = EarlyStopping(patience=1, mode="max")
             >>> [stopping.step(accuracy) for accuracy in (0.5, 0.7, 0.6, 0.7)]
             [False, False, False, True]
             >>> stopping.best, stopping.best_epoch
             (0.7, 2)
    Source:  Prechelt 1998, "Early stopping - but when?".
    """

    def __init__(self, patience: int = 10, mode: str = "min", min_delta: float = 0.0,
                 model: Any = None) -> None:
        name = "EarlyStopping"
        if mode not in ("min", "max"):
            fail(name, "mode 'min' or 'max'", repr(mode), "Choose one of them.")
        advice = "Pass for example patience=10."
        patience = int_of(name, "patience", patience, advice)
        require(patience >= 0, name, "patience of at least 0", repr(patience), advice)
        advice = "Pass for example min_delta=1e-4."
        min_delta = float_of(name, "min_delta", min_delta, advice)
        require(min_delta >= 0, name, "min_delta of at least 0", repr(min_delta), advice)
        if model is not None and not hasattr(model, "load_state_dict"):
            fail(name, "a Module as model", type(model).__name__,
                 "Leave it out to keep no weights.", TypeError)
        self.patience, self.mode, self.min_delta, self.model = patience, mode, min_delta, model
        self.best = math.inf if mode == "min" else -math.inf
        self.epoch = self.best_epoch = 0  # counted from 1
        self._state: dict[str, Any] | None = None

    def step(self, metric: Any) -> bool:
        """Look at the metric of this epoch.

        Args:    metric (float or Tensor of one number): the value to watch.
        Returns: bool, True if it is time to stop.
        """
        try:
            value = float(metric)
        except (TypeError, ValueError):
            fail("EarlyStopping.step", "a metric, a number", repr(metric),
                 "Pass for example the validation loss.", TypeError)
        self.epoch += 1
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch = value, self.epoch
            if self.model is not None:
                state = self.model.state_dict()
                self._state = {key: tensor.detach().clone() for key, tensor in state.items()}
        return self.epoch - self.best_epoch > self.patience

    def state_dict(self) -> dict[str, Any]:
        """What training needs to go on later: best, best_epoch, epoch, and the best weights.

        Example: >>> from tinycnn.optim import EarlyStopping
                 >>> stopping = EarlyStopping()
                 >>> stopping.step(0.5)
                 False
                 >>> stopping.state_dict()
                 {'best': 0.5, 'best_epoch': 1, 'epoch': 1, 'weights': None}
        """
        return {"best": self.best, "best_epoch": self.best_epoch, "epoch": self.epoch,
                "weights": self._state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what another one's `state_dict` returned.

        Raises:  ValueError: if something is missing.
        """
        missing = [key for key in self.state_dict() if key not in state_dict]
        if missing:
            fail("EarlyStopping.load_state_dict", "what state_dict() returned",
                 f"nothing for {', '.join(missing)}", "Pass it as it is.")
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self.epoch, self._state = state_dict["epoch"], state_dict["weights"]

    def __repr__(self) -> str:
        return (f"EarlyStopping(patience={self.patience}, mode={self.mode!r}, min_delta="
                f"{self.min_delta}, best={self.best} of epoch {self.best_epoch})")

    def restore(self) -> None:
        """Give the model its best weights back.

        Raises:  ValueError: if there is no model, or no epoch was better than none.
        """
        if self._state is None:
            fail("EarlyStopping.restore", "a model and an epoch that improved its metric",
                 f"model {type(self.model).__name__}, {self.epoch} epochs",
                 "Pass model=..., and call step after each epoch.")
        self.model.load_state_dict(self._state)
