"""Losses of distributions: how unlikely a target is under what the network says of it.

Input and target are of shapes that broadcast. For `size_average`, `reduce` and `reduction` see
loss.py.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from .._core import is_recording
from .._core.checks import fail, float_of, shape_text
from .._core.dtypes import promote
from ..autograd import Function
from ._inputs import as_tensor, cast, check_float, sum_to
from .arithmetic import add, mul, sub
from .comparison import le, where
from .division import div
from .elementary import log
from .pair_loss import PairLoss, frames_inside, reduced, reduction_of, spread_pair
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence of a distribution, given as logarithms, from a target.

    loss = t * (log(t) - x), 0 where t = 0;  with log_target: exp(t) * (t - x)

    Args:    input (Tensor): log probabilities of any shape, float32 or float64.
             target (Tensor): probabilities, with log_target their logarithms.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "batchmean" divides the sum by the first size, which gives the mean
                 divergence of a batch (N, C); "mean" divides it by the number of elements, and
                 warns as in PyTorch; or "sum", "none".
             log_target (bool): whether the target is given as logarithms.
    Returns: Tensor (), or with "none" of the common shape.
    Raises:  ValueError: if the shapes do not broadcast or reduction is unknown.
             TypeError: if input or target is no float tensor.
    Example: >>> import tinycnn
             >>> x, t = tinycnn.tensor([[0.5, 0.5]]).log(), tinycnn.tensor([[0.0, 1.0]])
             >>> kl_div(x, t, reduction="batchmean")
             tensor(0.6931)
    Source:  Kullback & Leibler 1951, "On information and sufficiency".
    """
    name = "kl_div"
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn("kl_div: 'mean' divides by the number of all elements. 'batchmean' gives the "
                      "divergence of a batch.", stacklevel=frames_inside())
    reduction = reduction_of(name, reduction, size_average, reduce, also=("batchmean",))
    check_float(name, "input", input)
    check_float(name, "target", target)
    shape = input.data.shape
    input, target = spread_pair(name, input, target)
    kind = "kl_log" if log_target else "kl"
    if reduction != "batchmean":
        return PairLoss.apply(input, target, None, None, kind, reduction)
    loss = PairLoss.apply(input, target, None, None, kind, "sum")
    return div(loss, shape[0]) if shape else loss


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of counts, under a Poisson distribution whose mean is predicted.

    loss = exp(x) - t * x;  without log_input: x - t * log(x + eps)
    full: + t * log(t) - t + log(2 * pi * t) / 2 where t > 1, Stirling's formula for log(t!)

    Args:    input (Tensor): logarithms of the means, or the means; any shape, float32 or float64.
             target (Tensor): counts.
             log_input (bool): whether input holds logarithms.
             full (bool): whether to add the part that depends on the target only.
             size_average, reduce (bool or None): see loss.py.
             eps (float): keeps log from 0 where log_input is False.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the common shape.
    Raises:  ValueError: if the shapes do not broadcast or reduction is unknown.
             TypeError: if input is no float tensor.
    Example: >>> import tinycnn
             >>> poisson_nll_loss(tinycnn.tensor([0.0]), tinycnn.tensor([3.0]))
             tensor(1.)
    """
    name = "poisson_nll_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    eps = float_of(name, "eps", eps, "Pass for example eps=1e-8.")
    input, target = spread_pair(name, input, target)
    if log_input:
        if not full:
            return PairLoss.apply(input, target, None, None, "poisson", reduction)
        losses = PairLoss.apply(input, target, None, None, "poisson", "none")
    else:
        losses = sub(input, mul(target, log(add(input, eps))))
    return reduced(add(losses, _log_factorial(target)) if full else losses, reduction)


def _log_factorial(target):
    """log(t!) by Stirling's formula, 0 where t <= 1."""
    small = le(target, 1)
    t = where(small, 1.0, target)  # so that no logarithm of 0 reaches a gradient
    stirling = add(sub(mul(t, log(t)), t), mul(log(mul(t, 2 * math.pi)), 0.5))
    return where(small, 0.0, stirling)


class GaussianNLL(Function):
    """See gaussian_nll_loss; as in PyTorch, the gradient of var passes its lower limit."""

    @staticmethod
    def forward(ctx, x, target, var, eps, full):
        k = ctx.kernels
        ctx.var_shape, v = var.shape, k.maximum(var, eps)
        error = k.subtract(x, target)
        ctx.ratio, ctx.v = k.divide(error, v), v
        loss = k.add(k.log(v), k.multiply(error, ctx.ratio))
        return k.multiply(k.add(loss, math.log(2 * math.pi)) if full else loss, 0.5)

    @staticmethod
    def backward(ctx, grad):
        """d / v, -d / v, (1 / v - (d / v)^2) / 2;  d = x - target"""
        k = ctx.kernels
        grad_x = k.multiply(grad, ctx.ratio)
        grad_var = None
        if ctx.needs[2]:
            slope = k.subtract(k.divide(1, ctx.v), k.square(ctx.ratio))
            grad_var = sum_to(k, k.multiply(grad, k.multiply(slope, 0.5)), ctx.var_shape)
        return grad_x, k.negative(grad_x) if ctx.needs[1] else None, grad_var


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood under a normal distribution whose mean and variance are predicted.

    loss = (log(v) + (x - t)^2 / v) / 2,  v = max(var, eps);  full: + log(2 * pi) / 2

    Args:    input (Tensor): means of any shape, float32 or float64.
             target (Tensor): what came.
             var (Tensor or float): variances of at least 0: of the input's shape, without its last
                 axis, with one axis of size 1, or one number.
             full (bool): whether to add the constant.
             eps (float): the least variance; the gradient of var is as if there was no limit.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" of the common shape.
    Raises:  ValueError: if a variance is negative, shapes do not fit or reduction is unknown.
             TypeError: if input or var is no float tensor.
    Example: >>> import tinycnn
             >>> gaussian_nll_loss(tinycnn.tensor([1.0]), tinycnn.tensor([3.0]), 1.0)
             tensor(2.)
    Source:  Nix & Weigend 1994, "Estimating the mean and variance of the target probability
             distribution".
    """
    name = "gaussian_nll_loss"
    reduction = reduction_of(name, reduction)
    eps = float_of(name, "eps", eps, "Pass for example eps=1e-6.")
    check_float(name, "input", input)
    shape = input.data.shape
    x, t = spread_pair(name, input, target)
    var = _variance(name, var, input)
    if var.data.dtype != x.data.dtype:
        dtype = promote(x.data.dtype, len(shape), var.data.dtype, var.data.ndim)
        x, t, var = (cast(a, dtype) for a in (x, t, var))
    return reduced(GaussianNLL.apply(x, t, var, eps, bool(full)), reduction)


def _variance(function, var, input):
    """The variances, of a shape that broadcasts with the input's."""
    shape = input.data.shape
    if type(var) in (int, float):
        if not var < 0:
            return as_tensor(float(var), like=input)
        fail(function, "variances of at least 0", repr(var), _ADVICE)
    check_float(function, "var", var)
    # A step that is being recorded cannot wait for an answer.
    if not is_recording() and (var.data < 0).any():
        fail(function, "variances of at least 0", "a negative one in var "
             f"{shape_text(var.data.shape)}", _ADVICE)
    own = var.data.shape
    if own == shape:
        return var
    if own == shape[:-1]:
        return reshape(var, (*own, 1))
    differing = [n for n, m in zip(own, shape) if n != m]
    if len(own) == len(shape) and differing == [1]:
        return var
    fail(function, f"var of the input's shape {shape_text(shape)}, without its last axis, or with "
         "one axis of size 1", shape_text(own), "Give each mean one variance.")


_ADVICE = "Predict the logarithm and take exp, or use softplus."
