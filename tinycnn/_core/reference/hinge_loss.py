"""Hinge losses of classes, forward and backward: right classes are to win by a margin.

They work on rows as in loss.py: x (M, C), a row of C scores for each of M predictions. `reduction`
is "none" (loss has one value for each row), "sum" or "mean" (loss has one). Forward functions
return the first row with a class out of range, -1 if there is none.
"""

import numpy

from .loss import _first_bad_label, _reduce

_quiet = numpy.errstate(all="ignore")


@_quiet
def multi_margin_forward(x, target, weight, p, margin, reduction, loss):
    """loss[m] = w[t] / C * sum over c != t of max(margin - x[m, t] + x[m, c], 0)^p,  t = target[m]

    mean: sum of loss / M.

    x (M, C)             IN
    target (M,) int64    IN
    weight (C,) or None  IN
    loss (M,) or (1,)    OUT
    """
    bad = _first_bad_label(x, target, x.shape[1])  # no class to ignore
    if bad >= 0:
        return bad
    excess = _excess(x, target, margin) ** p
    w = 1 if weight is None else weight[target]
    losses = excess.sum(axis=1) * w / x.shape[1]
    _reduce(losses, reduction, len(x) if reduction == "mean" else 1, loss)
    return -1


@_quiet
def multi_margin_backward(x, target, weight, p, margin, reduction, grad_loss, grad_x):
    """grad_x[m, c] = g * w[t] / C * p * excess^(p - 1) where excess > 0; at t minus their sum

    excess = margin - x[m, t] + x[m, c]; g = grad_loss[m], or grad_loss, or grad_loss / M.
    """
    rows = numpy.arange(len(x))
    excess = _excess(x, target, margin)
    slope = 2 * excess if p == 2 else numpy.where(excess == 0, 0, numpy.ones_like(x))
    g = grad_loss / len(x) if reduction == "mean" else grad_loss
    g = g * (1 if weight is None else weight[target]) / x.shape[1]
    slope *= numpy.reshape(g, (-1, 1))
    slope[rows, target] = -slope.sum(axis=1)
    grad_x[...] = slope


def _excess(x, target, margin):
    """max(margin - x[m, t] + x[m, c], 0), 0 at t; a bad target takes any class."""
    rows = numpy.arange(len(x))
    excess = numpy.maximum(x.dtype.type(margin) - x[rows, target][:, None] + x, 0)
    excess[rows, target] = 0
    return excess


@_quiet
def multilabel_margin_forward(x, target, reduction, loss, counts):
    """loss[m] = 1 / C * sum over t in the list, c not in it, of max(1 - x[m, t] + x[m, c], 0)

    The list of a row is what stands in front of its first -1; a class may be named several times.
    mean: sum of loss / M.

    x (M, C)                   IN
    target (M, C) int64        IN   classes, or -1
    loss (M,) or (1,)          OUT
    counts (M, C)              OUT  for backward: how often each class is in the list
    """
    M, C = x.shape
    bad = ((target < -1) | (target >= C)).any(axis=1)
    if bad.any():
        return int(bad.argmax())
    listed = numpy.minimum.accumulate(target, axis=1) >= 0
    counts[...] = 0
    numpy.add.at(counts, (numpy.nonzero(listed)[0], target[listed]), 1)
    losses = numpy.empty(M, x.dtype)
    for m in range(M):
        right, others = counts[m] > 0, counts[m] == 0
        excess = numpy.maximum(1 - x[m, right][:, None] + x[m, others], 0)
        losses[m] = (excess.sum(axis=1) * counts[m, right]).sum() / C
    _reduce(losses, reduction, M if reduction == "mean" else 1, loss)
    return -1


@_quiet
def multilabel_margin_backward(x, counts, reduction, grad_loss, grad_x):
    """grad_x[m, c] = g / C * how often a class of the list exceeds: 1 - x[m, t] + x[m, c] > 0

    at t in the list: -g / C * counts[m, t] * how many others exceed it; g as in multi_margin.
    """
    M, C = x.shape
    g = numpy.broadcast_to(grad_loss / M if reduction == "mean" else grad_loss, M) / C
    for m in range(M):
        right, others = counts[m] > 0, counts[m] == 0
        exceeds = 1 - x[m, right][:, None] + x[m, others] > 0
        grad_x[m, others] = g[m] * (exceeds * counts[m, right][:, None]).sum(axis=0)
        grad_x[m, right] = -g[m] * counts[m, right] * exceeds.sum(axis=1)
