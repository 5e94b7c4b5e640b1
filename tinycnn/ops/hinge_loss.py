"""Hinge losses of classes: right classes are to win by a margin, and cost nothing when they do.

Scores are (N, C), or (C,) for one prediction. For `size_average`, `reduce` and `reduction` see
loss.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, shape_text
from .._core.dtypes import int64
from ..autograd import Function
from ._inputs import cast, check_float, check_integer
from .pair_loss import check_constant, reduction_of
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


class MultiMargin(Function):
    """See multi_margin_loss; x is (N, C)."""

    @staticmethod
    def forward(ctx, x, target, weight, p, margin, reduction):
        k, rows = ctx.kernels, ctx.kernels.contiguous(x)
        loss = k.empty(target.shape if reduction == "none" else (), x.dtype)
        weight = None if weight is None else k.contiguous(weight)
        ctx.saved = rows, k.contiguous(target), weight, p, margin, reduction
        bad = k.multi_margin_forward(*ctx.saved, loss.reshape(-1))
        if bad >= 0:
            _fail_class("multi_margin_loss", target[bad], x.shape[1], "")
        return loss

    @staticmethod
    def backward(ctx, grad):
        grad_x = ctx.kernels.empty_like(ctx.saved[0])
        grad = ctx.kernels.contiguous(grad).reshape(-1)
        ctx.kernels.multi_margin_backward(*ctx.saved, grad, grad_x)
        return grad_x, None, None


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The hinge loss of a support vector machine with several classes.

    loss[n] = w[t] / C * sum over c != t of max(margin - x[n, t] + x[n, c], 0)^p,  t = target[n]

    The lectures' loss is C times that. Where a score is NaN, so is the loss: PyTorch's is not.

    Args:    input (Tensor): scores (N, C) or (C,), float32 or float64.
             target (Tensor): classes from 0 to C - 1, integers (N,) or ().
             p (int): 1 or 2.
             margin (float): by how much the right class is to win.
             weight (Tensor or None): (C,), one for each class; mean divides by N all the same.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" (N,).
    Raises:  ValueError: if shapes do not fit, a class is out of range, p is neither 1 nor 2, or
             weight requires a gradient.
             TypeError: if a dtype does not fit.
    Example: >>> import tinycnn
             >>> multi_margin_loss(tinycnn.tensor([[3.0, 2.5, 1.0, 4.0]]), tinycnn.tensor([0]))
             tensor(0.6250)
    Source:  Weston & Watkins 1999, "Support vector machines for multi-class pattern recognition".
    """
    name = "multi_margin_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    margin = float_of(name, "margin", margin, "Pass for example margin=1.0.")
    p = degree_of(name, p)
    _check_scores(name, input)
    check_integer(name, "target", target)
    shape = input.data.shape
    if target.data.shape != shape[:-1]:
        fail(name, f"target {shape_text(shape[:-1])} for input {shape_text(shape)}",
             shape_text(target.data.shape), "Give each prediction one class.")
    if weight is not None:
        check_constant(name, "weight", weight)
        if weight.data.shape != shape[-1:]:
            fail(name, f"weight {shape_text(shape[-1:])}, one for each class",
                 shape_text(weight.data.shape), f"The input has {shape[-1]} classes.")
        weight = cast(weight, input.data.dtype)
    target = cast(target, int64)
    if len(shape) == 2:
        return MultiMargin.apply(input, target, weight, p, margin, reduction)
    alone = "sum" if reduction == "none" else reduction  # a loss () of one prediction
    return MultiMargin.apply(reshape(input, (1, -1)), reshape(target, (1,)), weight, p, margin,
                             alone)


class MultiLabelMargin(Function):
    """See multilabel_margin_loss; x is (N, C)."""

    @staticmethod
    def forward(ctx, x, target, reduction):
        k, rows = ctx.kernels, ctx.kernels.contiguous(x)
        loss = k.empty(x.shape[:1] if reduction == "none" else (), x.dtype)
        counts = k.empty_like(rows)
        target = k.contiguous(target)
        bad = k.multilabel_margin_forward(rows, target, reduction, loss.reshape(-1), counts)
        if bad >= 0:
            C = x.shape[1]
            label = next(c for c in target[bad].tolist() if not -1 <= c < C)
            _fail_class("multilabel_margin_loss", label, C, ", then -1")
        ctx.saved = rows, counts, reduction
        return loss

    @staticmethod
    def backward(ctx, grad):
        grad_x = ctx.kernels.empty_like(ctx.saved[0])
        grad = ctx.kernels.contiguous(grad).reshape(-1)
        ctx.kernels.multilabel_margin_backward(*ctx.saved, grad, grad_x)
        return grad_x, None


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Every right class is to win over every other one by 1.

    loss[n] = 1 / C * sum over right classes t, others c, of max(1 - x[n, t] + x[n, c], 0)

    Args:    input (Tensor): scores (N, C) or (C,), float32 or float64.
             target (Tensor): integers of the same shape: in each row the right classes, then -1,
                 behind which nothing counts.
             size_average, reduce (bool or None): see loss.py.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" (N,).
    Raises:  ValueError: if shapes do not fit, a class is out of range or reduction is unknown.
             TypeError: if a dtype does not fit.
    Example: >>> import tinycnn
             >>> x, t = tinycnn.tensor([[0.1, 0.2, 0.4, 0.8]]), tinycnn.tensor([[3, 0, -1, 1]])
             >>> multilabel_margin_loss(x, t)
             tensor(0.8500)
    """
    name = "multilabel_margin_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    _check_scores(name, input)
    check_integer(name, "target", target)
    shape = input.data.shape
    if target.data.shape != shape:
        fail(name, f"target of the input's shape {shape_text(shape)}",
             shape_text(target.data.shape), "Fill each row up with -1.")
    target = cast(target, int64)
    if len(shape) == 2:
        return MultiLabelMargin.apply(input, target, reduction)
    alone = "sum" if reduction == "none" else reduction
    return MultiLabelMargin.apply(reshape(input, (1, -1)), reshape(target, (1, -1)), alone)


def degree_of(function, p):
    """1 or 2."""
    if not hasattr(p, "__float__") or getattr(p, "ndim", 0) or p not in (1, 2):
        fail(function, "p of 1 or 2", repr(p), "1 is the hinge, 2 its square.")
    return int(p)


def _check_scores(function, input):
    check_float(function, "input", input)
    shape = input.data.shape
    if len(shape) not in (1, 2) or shape[-1] < 1:
        fail(function, "input (N, C) or (C,) with at least one class", shape_text(shape),
             "Give it one score for each class.")


def _fail_class(function, label, C, more):
    fail(function, f"classes from 0 to {C - 1}{more} (the input has {C} classes)",
         f"class {label}", "Give the last layer more outputs, or correct the targets.")
