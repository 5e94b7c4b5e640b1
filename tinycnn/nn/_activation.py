"""What activation layers are: they keep the arguments and call the operation of ops/.

`inplace` is accepted where PyTorch accepts it. The input is never overwritten: a recorded operation
may still need it, and the result would be the same.
"""

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .module import Module


class Activation(Module):
    """An operation as a layer; `settings` are the attributes that it is called with."""

    operation: Callable[..., Any]
    settings: tuple[str, ...] = ()
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        if not self.settings:
            return self.operation(input)
        return self.operation(input, *[getattr(self, name) for name in self.settings])

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.settings]
        return ", ".join(shown + ["inplace=True"] * bool(self.inplace))


class InplaceActivation(Activation):
    """One whose only argument is `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace
