"""Losses of pairs: x and target of one shape and layout, a value for each of their numbers.

`reduction` is "none" (loss has one value for each pair), "sum" or "mean" (loss has one).
"""

import numpy

from .loss import _reduce

_quiet = numpy.errstate(all="ignore")


@_quiet
def pair_loss_forward(kind, x, target, weight, pos_weight, reduction, loss):
    """A loss of each pair (x, t), times weight: mean squared error, absolute error, cross entropy.

    mse          (x - t)^2
    l1           |x - t|
    bce          -t * log(x) - (1 - t) * log(1 - x), logs at least -100; 0 <= x <= 1
    bce_logits   (1 - t) * x + (1 + (pos_weight - 1) * t) * log(1 + exp(-x))

    x, target                    IN
    weight, pos_weight or None   IN   for bce and bce_logits; for bce_logits
    loss of x's shape, or ()     OUT
    returns                           False if x or target of bce is not between 0 and 1
    """
    if kind == "bce" and not ((x >= 0) & (x <= 1) & (target >= 0) & (target <= 1)).all():
        return False
    losses = _PAIR_LOSS[kind](x, target, pos_weight)
    if weight is not None:
        losses = losses * weight
    _reduce(losses, reduction, x.size if reduction == "mean" else 1, loss)
    return True


@_quiet
def pair_loss_backward(
    kind, x, target, weight, pos_weight, reduction, grad_loss, grad_x, grad_target
):
    """grad_x = g * weight * d loss / d x, grad_target likewise; either OUT may be None.

    mse          2 * (x - t)                              -2 * (x - t)
    l1           sign(x - t)                              -sign(x - t)
    bce          (x - t) / max(x * (1 - x), 1e-12)        log(1 - x) - log(x)
    bce_logits   (1 - t) * p - pos_weight * t * (1 - p)   (pos_weight - 1) * log(1 + exp(-x)) - x
                 p = 1 / (1 + exp(-x))
    """
    g = grad_loss if weight is None else grad_loss * weight
    if reduction == "mean":
        g = g / x.dtype.type(x.size)
    by_x, by_target = _PAIR_GRADIENT[kind]
    if grad_x is not None:
        grad_x[...] = g * by_x(x, target, pos_weight)
    if grad_target is not None:
        grad_target[...] = g * by_target(x, target, pos_weight)


def _side(x, t):
    """1 where x > t, -1 where x < t, else 0 (NaN included)"""
    return numpy.subtract(x > t, x < t, dtype=x.dtype)


def _bce(x, t, _):
    return (t - 1) * numpy.maximum(numpy.log1p(-x), -100) - t * numpy.maximum(numpy.log(x), -100)


def _bce_logits(x, t, pos_weight):
    extra = 0 if pos_weight is None else (pos_weight - 1) * t
    return (1 - t) * x + (1 + extra) * _softplus(-x)


def _bce_logits_by_x(x, t, pos_weight):
    e = numpy.exp(-numpy.abs(x))
    small, large = e / (1 + e), 1 / (1 + e)
    p, q = numpy.where(x < 0, small, large), numpy.where(x < 0, large, small)
    return (1 - t) * p - (t if pos_weight is None else pos_weight * t) * q


def _bce_logits_by_target(x, t, pos_weight):
    return -x if pos_weight is None else (pos_weight - 1) * _softplus(-x) - x


def _softplus(x):
    """log(1 + exp(x)) without overflow"""
    return numpy.log1p(numpy.exp(-numpy.abs(x))) + numpy.maximum(x, 0)


_PAIR_LOSS = {
    "mse": lambda x, t, _: numpy.square(x - t),
    "l1": lambda x, t, _: numpy.abs(x - t),
    "bce": _bce,
    "bce_logits": _bce_logits,
}
_PAIR_GRADIENT = {
    "mse": (lambda x, t, _: 2 * (x - t), lambda x, t, _: 2 * (t - x)),
    "l1": (lambda x, t, _: _side(x, t), lambda x, t, _: _side(t, x)),
    "bce": (
        lambda x, t, _: (x - t) / numpy.maximum(x * (1 - x), 1e-12),
        lambda x, t, _: numpy.log1p(-x) - numpy.log(x),
    ),
    "bce_logits": (_bce_logits_by_x, _bce_logits_by_target),
}
