"""Early stopping: training ends when it no longer helps, with the weights that were best."""

from __future__ import annotations

import math
from typing import Any

from .._core.checks import fail, require


class EarlyStopping:
    """Says when a metric has not improved for `patience` epochs, and keeps the best weights.

    Better than `best` is metric < best - min_delta for mode "min", metric > best + min_delta for
    "max". NaN is never better.

    Args:    patience (int): epochs without improvement that are tolerated, at least 0.
             mode (str): "min" if the metric should fall, "max" if it should rise.
             min_delta (float): least change that counts as improvement, at least 0.
             model (Module or None): whose parameters and buffers are copied at every improvement,
             for `restore`.
    Raises:  ValueError: if a setting is out of its range.
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
        require(patience >= 0, name, "patience of at least 0", repr(patience),
                "Pass for example patience=10.")
        require(min_delta >= 0, name, "min_delta of at least 0", repr(min_delta),
                "Pass for example min_delta=1e-4.")
        self.patience, self.mode, self.min_delta, self.model = patience, mode, min_delta, model
        self.best = math.inf if mode == "min" else -math.inf
        self.epoch = self.best_epoch = 0  # counted from 1
        self._state: dict[str, Any] | None = None

    def step(self, metric: Any) -> bool:
        """Look at the metric of this epoch.

        Args:    metric (float or Tensor of one number): the value to watch.
        Returns: bool, True if it is time to stop.
        """
        value = float(metric)
        self.epoch += 1
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch = value, self.epoch
            if self.model is not None:
                state = self.model.state_dict()
                self._state = {key: tensor.detach().clone() for key, tensor in state.items()}
        return self.epoch - self.best_epoch > self.patience

    def restore(self) -> None:
        """Give the model its best weights back.

        Raises:  ValueError: if there is no model, or no epoch was better than none.
        """
        if self._state is None:
            fail("EarlyStopping.restore", "a model and an epoch that improved its metric",
                 f"model {type(self.model).__name__}, {self.epoch} epochs",
                 "Pass model=..., and call step after each epoch.")
        self.model.load_state_dict(self._state)
