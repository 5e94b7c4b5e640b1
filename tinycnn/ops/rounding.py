"""Functions that are constant between their jumps: sign, floor, ceil, round; gradient 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Function
from ._inputs import check_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor


class Step(Function):
    """See sign, floor, ceil, round."""

    @staticmethod
    def forward(ctx, x, name):
        return getattr(ctx.kernels, name)(x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.kernels.zeros_like(grad)


def _step(function, name, input):
    check_tensor(function, "input", input)
    return Step.apply(input, name)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1: the sign of every element; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.sign(tinycnn.tensor([-3.0, 0.0, 2.0]))
             tensor([-1.,  0.,  1.])
    """
    return _step("sign", "sign", input)


def floor(input: Tensor) -> Tensor:
    """The largest integer that is not larger; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.floor(tinycnn.tensor([-1.5, 1.5]))
             tensor([-2.,  1.])
    """
    return _step("floor", "floor", input)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer that is not smaller; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.ceil(tinycnn.tensor([-1.5, 1.5]))
             tensor([-1.,  2.])
    """
    return _step("ceil", "ceil", input)


def round(input: Tensor) -> Tensor:
    """The nearest integer, halves to the even one; its gradient is 0.

    Args:    input (Tensor): any shape.
    Returns: Tensor of the same shape and dtype.
    Raises:  TypeError: if `input` is no tensor.
    Example: >>> import tinycnn
             >>> tinycnn.round(tinycnn.tensor([0.5, 1.5, 1.6]))
             tensor([0., 2., 2.])
    """
    return _step("round", "rint", input)
