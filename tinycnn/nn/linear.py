"""The fully connected layer."""

from typing import Any

from .._core.checks import require
from ..ops.linear import linear
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty_parameter


class Linear(Module):
    """Every output is a weighted sum of all inputs, plus a bias.

    y = x @ weight.T + bias

    weight and bias start uniform in [-b, b), b = 1 / sqrt(in_features).

    Args:    in_features (int): size of the last axis of the input.
             out_features (int): size of the last axis of the output.
             bias (bool): whether to add a bias.
             device, dtype: of the parameters; float32 unless told.
    Shape:   input (..., in_features) to output (..., out_features); weight (out_features,
             in_features), bias (out_features,).
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> nn.Linear(2, 3)(tinycnn.tensor([[1.0, 2.0]])).shape
             (1, 3)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        for name, value in ("in_features", in_features), ("out_features", out_features):
            require(hasattr(value, "__index__"), "Linear", f"{name} to be an int", repr(value),
                    "Pass a number of features.", TypeError)
            require(value >= 0, "Linear", f"{name} to be at least 0", repr(value),
                    "Pass a number of features.")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = empty_parameter("Linear", (out_features, in_features), device, dtype)
        self.register_parameter("bias", empty_parameter(
            "Linear", (out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.fan_in_uniform_(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")
