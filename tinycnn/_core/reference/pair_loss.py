"""Losses of pairs: x and target of one shape and layout, a value for each of their numbers.

`reduction` is "none" (loss has one value for each pair), "sum" or "mean" (loss has one).
"""

import numpy

from .loss import _reduce

_quiet = numpy.errstate(all="ignore")


@_quiet
def pair_loss_forward(kind, x, target, weight, setting, reduction, loss):
    """A loss of each pair (x, t), times weight: errors, cross entropies, likelihoods, a margin.

    mse          (x - t)^2
    l1           |x - t|
    bce          -t * log(x) - (1 - t) * log(1 - x), logs at least -100; 0 <= x <= 1
    bce_logits   (1 - t) * x + (1 + (s - 1) * t) * log(1 + exp(-x)),  s = pos_weight
    smooth_l1    d^2 / (2 s) where d < s, else d - s / 2,  d = |x - t|, s = beta
    huber        d^2 / 2 where d <= s, else s * (d - s / 2),  s = delta
    kl           t * log(t) - t * x, 0 * log(0) = 0
    kl_log       exp(t) * (t - x)
    poisson      exp(x) - t * x
    soft_margin  log(1 + exp(-t * x))
    embedding    (x unless t = -1) + (max(s - x, 0) unless t = 1),  s = margin

    x, target                    IN
    weight or None               IN   of x's shape
    setting                      IN   s: of x's shape or None (1) for bce_logits; a number for
                                      smooth_l1, huber and embedding
    loss of x's shape, or ()     OUT
    returns                           False if x or target of bce is not between 0 and 1
    """
    if kind == "bce" and not ((x >= 0) & (x <= 1) & (target >= 0) & (target <= 1)).all():
        return False
    losses = _PAIR_LOSS[kind](x, target, setting)
    if weight is not None:
        losses = losses * weight
    _reduce(losses, reduction, x.size if reduction == "mean" else 1, loss)
    return True


@_quiet
def pair_loss_backward(
    kind, x, target, weight, setting, reduction, grad_loss, grad_x, grad_target
):
    """grad_x = g * weight * d loss / d x, grad_target likewise; either OUT may be None.

    mse          2 * (x - t)                              -2 * (x - t)
    l1           sign(x - t)                              -sign(x - t)
    bce          (x - t) / max(x * (1 - x), 1e-12)        log(1 - x) - log(x)
    bce_logits   (1 - t) * p - s * t * (1 - p)            (s - 1) * log(1 + exp(-x)) - x
                 p = 1 / (1 + exp(-x))
    smooth_l1    (x - t) / s where d < s, else sign(x - t)      the same, negative
    huber        x - t where d <= s, else s * sign(x - t)       the same, negative
    kl           -t                                       log(t) + 1 - x
    kl_log       -exp(t)                                  exp(t) * (t - x + 1)
    poisson      exp(x) - t                               -x
    soft_margin  -t / (1 + exp(t * x))                    -x / (1 + exp(t * x))
    embedding    (1 unless t = -1) - (1 unless t = 1 or x > s)  0
    """
    g = grad_loss if weight is None else grad_loss * weight
    if reduction == "mean":
        g = g / x.dtype.type(x.size)
    by_x, by_target = _PAIR_GRADIENT[kind]
    if grad_x is not None:
        grad_x[...] = g * by_x(x, target, setting)
    if grad_target is not None:
        grad_target[...] = g * by_target(x, target, setting)


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


def _smooth_l1(x, t, beta):
    d, beta = numpy.abs(x - t), x.dtype.type(beta)
    return numpy.where(d < beta, d * d / beta / 2, d - beta / 2)


def _smooth_l1_by_x(x, t, beta):
    beta = x.dtype.type(beta)
    return numpy.where(numpy.abs(x - t) >= beta, _side(x, t), (x - t) / beta)


def _huber(x, t, delta):
    d, delta = numpy.abs(x - t), x.dtype.type(delta)
    return numpy.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def _huber_by_x(x, t, delta):
    delta = x.dtype.type(delta)
    return numpy.where(numpy.abs(x - t) > delta, _side(x, t) * delta, x - t)


def _kl(x, t, _):
    return numpy.where(t == 0, 0, t * numpy.log(t)) - t * x


def _share(x):
    """1 / (1 + exp(x))"""
    return numpy.exp(-_softplus(x))


def _embedding(x, t, margin):
    apart = numpy.maximum(x.dtype.type(margin) - x, 0)
    return numpy.where(t != -1, x, 0) + numpy.where(t != 1, apart, 0)


def _embedding_by_x(x, t, margin):
    near = (t != 1) & (x.dtype.type(margin) - x >= 0)
    return numpy.subtract(t != -1, near, dtype=x.dtype)


def _softplus(x):
    """log(1 + exp(x)) without overflow"""
    return numpy.log1p(numpy.exp(-numpy.abs(x))) + numpy.maximum(x, 0)


_PAIR_LOSS = {
    "mse": lambda x, t, _: numpy.square(x - t),
    "l1": lambda x, t, _: numpy.abs(x - t),
    "bce": _bce,
    "bce_logits": _bce_logits,
    "smooth_l1": _smooth_l1,
    "huber": _huber,
    "kl": _kl,
    "kl_log": lambda x, t, _: numpy.exp(t) * (t - x),
    "poisson": lambda x, t, _: numpy.exp(x) - t * x,
    "soft_margin": lambda x, t, _: _softplus(-t * x),
    "embedding": _embedding,
}
_PAIR_GRADIENT = {
    "mse": (lambda x, t, _: 2 * (x - t), lambda x, t, _: 2 * (t - x)),
    "l1": (lambda x, t, _: _side(x, t), lambda x, t, _: _side(t, x)),
    "bce": (
        lambda x, t, _: (x - t) / numpy.maximum(x * (1 - x), 1e-12),
        lambda x, t, _: numpy.log1p(-x) - numpy.log(x),
    ),
    "bce_logits": (_bce_logits_by_x, _bce_logits_by_target),
    "smooth_l1": (_smooth_l1_by_x, lambda x, t, beta: _smooth_l1_by_x(t, x, beta)),
    "huber": (_huber_by_x, lambda x, t, delta: _huber_by_x(t, x, delta)),
    "kl": (lambda x, t, _: -t, lambda x, t, _: numpy.log(t) + 1 - x),
    "kl_log": (lambda x, t, _: -numpy.exp(t), lambda x, t, _: numpy.exp(t) * (t - x + 1)),
    "poisson": (lambda x, t, _: numpy.exp(x) - t, lambda x, t, _: -x),
    "soft_margin": (lambda x, t, _: -t * _share(t * x), lambda x, t, _: -x * _share(t * x)),
    "embedding": (_embedding_by_x, lambda x, t, _: numpy.zeros_like(t)),
}
