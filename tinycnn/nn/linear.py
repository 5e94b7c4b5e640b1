"""The fully connected layer."""

from typing import Any

from .._core.checks import int_of, require
from ..ops.linear import linear, linear_relu
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
        self.in_features = _features("in_features", in_features)
        self.out_features = _features("out_features", out_features)
        self.weight = empty_parameter(
            "Linear", (self.out_features, self.in_features), device, dtype)
        self.register_parameter("bias", empty_parameter(
            "Linear", (self.out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.fan_in_uniform_(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def forward_relu(self, input: Tensor) -> Tensor:
        """relu(self(input)) as one operation."""
        return linear_relu(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")


def _features(name, value):
    n = int_of("Linear", name, value, "Pass a number of features.")
    require(n >= 0, "Linear", f"{name} to be at least 0", repr(value), "Pass a number of features.")
    return n
