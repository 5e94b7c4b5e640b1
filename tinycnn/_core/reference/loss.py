"""Softmax and class losses, forward and backward.

They work on rows: x (M, C) C-contiguous, one row of C scores for each of M predictions; memory is
channels-last, so a feature map's scores lie like that already.

`reduction` is "none" (loss has one value for each row), "sum" or "mean" (loss has one). Sums run
over rows in one fixed order. Forward functions return the first row whose label is out of range, -1
if there is none; `loss` is not filled if there is one.
"""

import numpy

_quiet = numpy.errstate(all="ignore")


@_quiet
def softmax_forward(x, y):
    """y[m, c] = exp(x[m, c]) / sum over k of exp(x[m, k])"""
    if x.size:
        e = numpy.exp(x - x.max(axis=1, keepdims=True))
        numpy.divide(e, e.sum(axis=1, keepdims=True), out=y)


@_quiet
def softmax_backward(y, grad_y, grad_x):
    """grad_x = y * (grad_y - sum over c of y * grad_y)"""
    numpy.multiply(y, grad_y - (y * grad_y).sum(axis=1, keepdims=True), out=grad_x)


@_quiet
def log_softmax_forward(x, y):
    """y[m, c] = x[m, c] - log(sum over k of exp(x[m, k]))"""
    if x.size:
        y[...] = _log_softmax(x, _statistics(x))


@_quiet
def log_softmax_backward(y, grad_y, grad_x):
    """grad_x = grad_y - softmax * sum over c of grad_y"""
    numpy.subtract(grad_y, numpy.exp(y) * grad_y.sum(axis=1, keepdims=True), out=grad_x)


def _statistics(x):
    """The largest score of each row, and the log of the sum of exp(x - largest): (M, 2)."""
    largest = x.max(axis=1)
    return numpy.stack([largest, numpy.log(numpy.exp(x - largest[:, None]).sum(axis=1))], axis=1)


def _log_softmax(x, statistics):
    # Subtracted one by one: their sum would round away log(sum) where scores are large.
    return x - statistics[:, :1] - statistics[:, 1:]


@_quiet
def cross_entropy_forward(
    x, target, weight, ignore_index, label_smoothing, reduction, loss, statistics, total
):
    """Softmax and negative log likelihood of class indices, in one pass.

    loss[m] = -(1 - s) * w[t] * logp[m, t] - s / C * sum over c of w[c] * logp[m, c],  t = target[m]
    s = label_smoothing; 0 where t = ignore_index; mean: sum of loss / sum of w[t].

    x (M, C)                IN
    target (M,) int64       IN
    weight (C,) or None     IN
    loss (M,) or (1,)       OUT
    statistics (M, 2)       OUT  for backward: largest score, log of the sum of exp
    total ()                OUT  for backward: what the sum is divided by
    """
    counted, label, row_weight = _rows_counted(x, target, weight, ignore_index)
    bad = _first_bad_label(x, target, ignore_index)
    if bad >= 0:
        return bad
    statistics[...] = _statistics(x)
    logp = _log_softmax(x, statistics)
    losses = -logp[numpy.arange(len(x)), label] * row_weight * (1 - label_smoothing)
    if label_smoothing:
        everywhere = (logp if weight is None else logp * weight).sum(axis=1)
        losses -= label_smoothing / x.shape[1] * everywhere
    losses[~counted] = 0
    total[...] = row_weight.sum() if reduction == "mean" else 1
    _reduce(losses, reduction, total, loss)
    return -1


@_quiet
def cross_entropy_backward(
    x, target, weight, ignore_index, label_smoothing, reduction, statistics, total, grad_loss,
    grad_x,
):
    """grad_x[m, c] = g * (a * softmax[m, c] - (1 - s) * w[t] * [c = t] - s / C * w[c])

    a = (1 - s) * w[t] + s / C * sum of w; g = grad_loss[m], or grad_loss / total; 0 where ignored.
    """
    counted, label, row_weight = _rows_counted(x, target, weight, ignore_index)
    w = numpy.ones(x.shape[1], x.dtype) if weight is None else weight
    spread = label_smoothing / x.shape[1] * w
    sharp = (1 - label_smoothing) * row_weight
    g = grad_loss if reduction == "none" else grad_loss / total
    grad = (sharp + spread.sum())[:, None] * numpy.exp(_log_softmax(x, statistics)) - spread
    grad[numpy.arange(len(x)), label] -= sharp
    grad_x[...] = numpy.where(counted[:, None], grad * numpy.reshape(g, (-1, 1)), 0)


def _rows_counted(x, target, weight, ignore_index):
    """Which rows count, and their labels and weights (0 where ignored)."""
    counted = target != ignore_index
    label = numpy.where(counted & (target >= 0) & (target < x.shape[1]), target, 0)
    if weight is None:
        return counted, label, counted.astype(x.dtype)
    return counted, label, numpy.where(counted, weight[label], x.dtype.type(0))


def _first_bad_label(x, target, ignore_index):
    bad = (target != ignore_index) & ((target < 0) | (target >= x.shape[1]))
    return int(bad.argmax()) if bad.any() else -1


def _reduce(losses, reduction, divisor, loss):
    loss[...] = losses if reduction == "none" else losses.sum() / divisor


@_quiet
def soft_cross_entropy_forward(x, target, weight, label_smoothing, reduction, loss, statistics):
    """Softmax and cross entropy with class probabilities.

    loss[m] = -sum over c of w[c] * q[m, c] * logp[m, c],  q = (1 - s) * target + s / C
    mean: sum of loss / M.

    x, target (M, C)        IN
    weight (C,) or None     IN
    loss (M,) or (1,)       OUT
    statistics (M, 2)       OUT  for backward: largest score, log of the sum of exp
    """
    statistics[...] = _statistics(x)
    q = _smooth(x, target, weight, label_smoothing)
    losses = -(q * _log_softmax(x, statistics)).sum(axis=1)
    _reduce(losses, reduction, len(x) if reduction == "mean" else 1, loss)


@_quiet
def soft_cross_entropy_backward(
    x, target, weight, label_smoothing, reduction, statistics, grad_loss, grad_x, grad_target
):
    """grad_x = g * (softmax * sum over c of w * q - w * q);  grad_target = -g * (1 - s) * w * logp

    g = grad_loss[m], or grad_loss, or grad_loss / M. Either OUT may be None.
    """
    g = numpy.reshape(grad_loss / len(x) if reduction == "mean" else grad_loss, (-1, 1))
    logp = _log_softmax(x, statistics)
    if grad_x is not None:
        q = _smooth(x, target, weight, label_smoothing)
        grad_x[...] = g * (numpy.exp(logp) * q.sum(axis=1, keepdims=True) - q)
    if grad_target is not None:
        w = 1 if weight is None else weight
        grad_target[...] = g * ((label_smoothing - 1) * w * logp)


def _smooth(x, target, weight, label_smoothing):
    q = (1 - label_smoothing) * target + label_smoothing / x.shape[1]
    return q if weight is None else q * weight


@_quiet
def nll_forward(x, target, weight, ignore_index, reduction, loss, total):
    """loss[m] = -w[t] * x[m, t], 0 where t = ignore_index; mean: sum of loss / sum of w[t]."""
    counted, label, row_weight = _rows_counted(x, target, weight, ignore_index)
    bad = _first_bad_label(x, target, ignore_index)
    if bad >= 0:
        return bad
    losses = numpy.where(counted, -x[numpy.arange(len(x)), label] * row_weight, 0)
    total[...] = row_weight.sum() if reduction == "mean" else 1
    _reduce(losses, reduction, total, loss)
    return -1


@_quiet
def nll_backward(target, weight, ignore_index, reduction, total, grad_loss, grad_x):
    """grad_x[m, t] = -w[t] * g, 0 elsewhere; g = grad_loss[m], or grad_loss / total."""
    counted, label, row_weight = _rows_counted(grad_x, target, weight, ignore_index)
    g = grad_loss if reduction == "none" else grad_loss / total
    grad_x[...] = 0
    grad_x[numpy.arange(len(label)), label] = numpy.where(counted, -row_weight * g, 0)


def one_hot(target, out):
    """out[m, c] = 1 where c = target[m], else 0; returns the first row with no such class, or -1.

    target (M,) int64  IN
    out (M, C) int64   OUT
    """
    bad = (target < 0) | (target >= out.shape[1])
    if bad.any():
        return int(bad.argmax())
    out[...] = 0
    out[numpy.arange(len(target)), target] = 1
    return -1
