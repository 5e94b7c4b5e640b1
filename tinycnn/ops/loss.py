"""Losses: how wrong a prediction is, as one number to make smaller.

Class losses take scores (N, C, d1, ...) with the classes along axis 1, or (C,) for one prediction.
`reduction` is "mean", "sum", or "none" for one loss for each prediction. `size_average` and
`reduce` are PyTorch's old words for it: accepted, with a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, float_of, int_of, shape_text
from .._core.dtypes import fits, int64, promote
from ..autograd import Function
from ._inputs import cast, check_float, check_integer, check_tensor, kernels_of
from .pair_loss import (  # noqa: F401
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    check_constant,
    l1_loss,
    mse_loss,
    reduction_of,
)

if TYPE_CHECKING:
    from ..tensor import Tensor


class CrossEntropy(Function):
    """See cross_entropy: targets are class indices."""

    @staticmethod
    def forward(ctx, x, target, weight, ignore_index, label_smoothing, reduction):
        k = ctx.kernels
        rows = _rows(k, x)
        ctx.shape, loss = x.shape, k.empty(target.shape if reduction == "none" else (), x.dtype)
        statistics, total = k.empty((len(rows), 2), x.dtype), k.empty((), x.dtype)
        labels = k.contiguous(target).reshape(len(rows))
        settings = labels, _plain(k, weight), ignore_index, label_smoothing, reduction
        bad = k.cross_entropy_forward(rows, *settings, loss.reshape(-1), statistics, total)
        if bad >= 0:
            _fail_label("cross_entropy", labels[bad], x.shape, ignore_index)
        ctx.saved = rows, *settings, statistics, total
        return loss

    @staticmethod
    def backward(ctx, grad):
        grads = ctx.kernels.empty_like(ctx.saved[0])
        grad = ctx.kernels.contiguous(grad).reshape(-1)
        ctx.kernels.cross_entropy_backward(*ctx.saved, grad, grads)
        return _from_rows(grads, ctx.shape), None, None


class SoftCrossEntropy(Function):
    """See cross_entropy: targets are probabilities of classes."""

    @staticmethod
    def forward(ctx, x, target, weight, label_smoothing, reduction):
        k = ctx.kernels
        rows, shape = _rows(k, x), x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
        ctx.shape, loss = x.shape, k.empty(shape if reduction == "none" else (), x.dtype)
        statistics = k.empty((len(rows), 2), x.dtype)
        weight = _plain(k, weight)
        ctx.saved = rows, _rows(k, target), weight, label_smoothing, reduction, statistics
        k.soft_cross_entropy_forward(*ctx.saved[:5], loss.reshape(-1), statistics)
        return loss

    @staticmethod
    def backward(ctx, grad):
        k, rows = ctx.kernels, ctx.saved[0]
        grads = [k.empty_like(rows) if needed else None for needed in ctx.needs[:2]]
        k.soft_cross_entropy_backward(*ctx.saved, k.contiguous(grad).reshape(-1), *grads)
        return tuple([None if g is None else _from_rows(g, ctx.shape) for g in grads])


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Negative logarithm of the share that softmax gives to the right class.

    loss[n] = -w[t] * log(softmax(x[n])[t]),  t = target[n];  mean: sum of loss / sum of w[t]
    With probabilities q as target: -sum over c of w[c] * q[n, c] * log(softmax(x[n])[c]); mean:
    sum of loss / number of predictions.

    Args:    input (Tensor): scores (N, C), (N, C, d1, ...) or (C,), float32 or float64.
             target (Tensor): classes from 0 to C - 1, integers (N,), (N, d1, ...) or (); or
             probabilities, floats of the input's shape.
             weight (Tensor or None): (C,), one for each class.
             size_average, reduce (bool or None): PyTorch's old words for reduction; accepted, with
             a warning.
             ignore_index (int): a class that counts for nothing, in integer targets.
             reduction (str): "mean", "sum" or "none".
             label_smoothing (float): s in q = (1 - s) * target + s / C, 0 to 1.
    Returns: Tensor (), or with "none" (N, d1, ...). The mean over no prediction is NaN.
    Raises:  ValueError: if shapes do not fit, a class is out of range, a setting is unknown, or
             weight requires a gradient.
             TypeError: if a dtype does not fit, or a setting is no number.
    Example: >>> import tinycnn
             >>> scores = tinycnn.tensor([[2.0, 0.0], [0.0, 2.0]])
             >>> round(cross_entropy(scores, tinycnn.tensor([0, 1])).item(), 4)
             0.1269
    Source:  Bridle 1990; label smoothing: Szegedy, Vanhoucke, Ioffe, Shlens & Wojna 2016,
             "Rethinking the Inception architecture for computer vision", section 7.
    """
    name = "cross_entropy"
    reduction = reduction_of(name, reduction, size_average, reduce)
    _check_scores(name, input)
    check_tensor(name, "target", target)
    ignore_index = _ignored(name, ignore_index)
    smoothing = float_of(name, "label_smoothing", label_smoothing, "0 smooths nothing.")
    if not 0 <= smoothing <= 1:
        fail(name, "label_smoothing between 0 and 1", repr(label_smoothing), "0 smooths nothing.")
    if target.data.dtype.kind == "f":
        _check_probabilities(name, input.data, target.data, ignore_index)
        dtype = promote(input.data.dtype, 1, target.data.dtype, 1)
        input, target = cast(input, dtype), cast(target, dtype)
        weight = _class_weight(name, weight, input)
        return SoftCrossEntropy.apply(input, target, weight, smoothing, reduction)
    target = _labels(name, input.data.shape, target)
    weight = _class_weight(name, weight, input)
    return CrossEntropy.apply(input, target, weight, ignore_index, smoothing, reduction)


class NLL(Function):
    """See nll_loss."""

    @staticmethod
    def forward(ctx, x, target, weight, ignore_index, reduction):
        k = ctx.kernels
        rows = _rows(k, x)
        loss = k.empty(target.shape if reduction == "none" else (), x.dtype)
        total = k.empty((), x.dtype)
        labels = k.contiguous(target).reshape(len(rows))
        settings = labels, _plain(k, weight), ignore_index, reduction
        bad = k.nll_forward(rows, *settings, loss.reshape(-1), total)
        if bad >= 0:
            _fail_label("nll_loss", labels[bad], x.shape, ignore_index)
        ctx.shape, ctx.rows_shape, ctx.saved = x.shape, rows.shape, (*settings, total)
        return loss

    @staticmethod
    def backward(ctx, grad):
        grads = ctx.kernels.empty(ctx.rows_shape, grad.dtype)
        ctx.kernels.nll_backward(*ctx.saved, ctx.kernels.contiguous(grad).reshape(-1), grads)
        return _from_rows(grads, ctx.shape), None, None


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of the right class, from log probabilities.

    loss[n] = -w[t] * x[n, t],  t = target[n];  mean: sum of loss / sum of w[t]

    Args:    input (Tensor): log probabilities (N, C), (N, C, d1, ...) or (C,), as log_softmax
             returns them.
             target (Tensor): classes from 0 to C - 1, integers (N,), (N, d1, ...) or ().
             weight (Tensor or None): (C,), one for each class.
             size_average, reduce (bool or None): PyTorch's old words for reduction; accepted, with
             a warning.
             ignore_index (int): a class that counts for nothing.
             reduction (str): "mean", "sum" or "none".
    Returns: Tensor (), or with "none" (N, d1, ...). The mean over no prediction is NaN.
    Raises:  ValueError: if shapes do not fit, a class is out of range, a setting is unknown, or
             weight requires a gradient.
             TypeError: if a dtype does not fit, or a setting is no number.
    Example: >>> import tinycnn
             >>> nll_loss(tinycnn.tensor([[-1.0, -3.0], [-2.0, -4.0]]), tinycnn.tensor([0, 1]))
             tensor(2.5000)
    """
    name = "nll_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    _check_scores(name, input)
    check_tensor(name, "target", target)
    ignore_index = _ignored(name, ignore_index)
    target = _labels(name, input.data.shape, target)
    weight = _class_weight(name, weight, input)
    return NLL.apply(input, target, weight, ignore_index, reduction)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Classes to rows that are 1 at the class and 0 elsewhere.

    y[..., c] = 1 where c = tensor[...], else 0

    Args:    tensor (Tensor): classes from 0 on, integers of any shape.
             num_classes (int): C; -1 takes the largest class + 1.
    Returns: Tensor (..., C), int64.
    Raises:  ValueError: if a class is out of range, or C is to be found in an empty tensor.
             TypeError: if the classes or their number are no integers.
    Example: >>> import tinycnn
             >>> one_hot(tinycnn.tensor([0, 2]))
             tensor([[1, 0, 0],
                     [0, 0, 1]])
    """
    check_integer("one_hot", "tensor", tensor)
    num_classes = int_of("one_hot", "num_classes", num_classes, "Pass the number of classes.")
    labels, k = tensor.data, kernels_of(tensor)
    if num_classes == -1:
        if labels.size == 0:
            fail("one_hot", "num_classes for a tensor without elements", "-1",
                 "Pass the number of classes.")
        num_classes = max(k.max(labels).item() + 1, 1)
    if not 0 < num_classes < 2**31:
        fail("one_hot", "num_classes of at least 1, or -1, and below 2**31", repr(num_classes),
             "Pass the number of classes.")
    return OneHot.apply(tensor, num_classes)


class OneHot(Function):
    """See one_hot."""

    @staticmethod
    def forward(ctx, labels, num_classes):
        k = ctx.kernels
        y = k.empty((labels.size, num_classes), int64)
        rows = k.contiguous(labels).reshape(-1)
        bad = k.one_hot(k.astype(rows, int64), y)
        if bad >= 0:
            fail("one_hot", f"classes from 0 to {num_classes - 1} (num_classes={num_classes})",
                 str(rows[bad]), "Pass num_classes of at least the largest class + 1.")
        return y.reshape((*labels.shape, num_classes))


def _rows(k, x):
    """Scores as C-contiguous rows (M, C); no copy, for memory is channels-last already."""
    if x.ndim > 2:
        x = x.transpose((0, *range(2, x.ndim), 1))
    C = x.shape[-1]
    return k.contiguous(x).reshape((x.size // C, C))


def _plain(k, weight):
    return None if weight is None else k.contiguous(weight)


def _from_rows(rows, shape):
    """Undo `_rows`: a view of `rows` in which the classes are axis 1."""
    if len(shape) <= 2:
        return rows.reshape(shape)
    last = len(shape) - 1
    return rows.reshape((shape[0], *shape[2:], shape[1])).transpose((0, last, *range(1, last)))


def _check_scores(function, input):
    check_float(function, "input", input)
    shape = input.data.shape
    if not shape or shape[min(len(shape) - 1, 1)] < 1:
        fail(function, "input (N, C, ...) or (C,) with at least one class", shape_text(shape),
             "Give it one score for each class.")


def _labels(function, shape, target):
    """Class indices as int64, of the shape that scores of `shape` need."""
    labels = target.data
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if labels.dtype.kind not in "iu":
        fail(function, f"target to hold class indices, integers {shape_text(expected)}",
             f"{labels.dtype} {shape_text(labels.shape)}",
             "Convert it with .to(tinycnn.int64).", TypeError)
    if labels.shape != expected:
        if labels.shape == shape:
            fail(function, f"class indices {shape_text(expected)}, or probabilities as floats",
                 f"{labels.dtype} {shape_text(labels.shape)}",
                 "Convert the target with .to(tinycnn.float32), or take its argmax.", TypeError)
        fail(function, f"target {shape_text(expected)} for input {shape_text(shape)}",
             shape_text(labels.shape), "Give each prediction one class.")
    return target if labels.dtype == int64 else cast(target, int64)


def _check_probabilities(function, x, target, ignore_index):
    if target.shape != x.shape:
        indices = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
        if target.shape == indices:
            fail(function, f"class indices {shape_text(indices)} to be integers",
                 f"{target.dtype}", "Convert the target with .to(tinycnn.int64).", TypeError)
        fail(function, f"probabilities of the input's shape {shape_text(x.shape)}, or class "
             f"indices {shape_text(indices)}", shape_text(target.shape),
             "Give each prediction one class, or a probability for each class.")
    if ignore_index >= 0:
        fail(function, "class indices where ignore_index is given", "probabilities",
             "Leave ignore_index out; a row of zeros counts for nothing.")


def _class_weight(function, weight, input):
    """The weights of classes in the input's dtype, or None."""
    if weight is None:
        return None
    check_constant(function, "weight", weight)
    shape = input.data.shape
    C = shape[min(len(shape) - 1, 1)]
    if weight.data.shape != (C,):
        fail(function, f"weight ({C},), one for each class", shape_text(weight.data.shape),
             f"The input {shape_text(shape)} has {C} classes.")
    dtype = input.data.dtype
    return weight if weight.data.dtype == dtype else cast(weight, dtype)


def _ignored(function, ignore_index):
    """ignore_index as the kernels take it."""
    label = int_of(function, "ignore_index", ignore_index, "Leave it out to ignore no class.")
    if not fits(label, int64):
        fail(function, "ignore_index from -2**63 to 2**63 - 1", repr(ignore_index),
             "Leave it out to ignore no class.")
    return label


def _fail_label(function, label, shape, ignore_index):
    C = shape[min(len(shape) - 1, 1)]
    fail(function, f"classes from 0 to {C - 1} (input {shape_text(shape)} has {C} classes) or "
         f"ignore_index={ignore_index}", f"class {label}",
         "Give the last layer more outputs, or correct the targets.")
