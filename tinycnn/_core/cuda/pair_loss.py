"""Losses of pairs (x, t), element by element: a thread takes four at a time. Mirrors
reference/pair_loss.py. A mean or sum is added up as in rows.py."""

from __future__ import annotations

from . import late_errors
from .kept import aligned
from .kernel import FLOATS, kernel
from .late_errors import leave
from .primitives import (
    Ptr,
    T,
    cuda,
    device,
    exp,
    full,
    int32,
    int64,
    load,
    log,
    log1p,
    store,
    thread_of_grid,
)
from .rows import BLOCK, ROUNDS, Sums, fill_empty, leave_sums

MSE, L1, BCE, BCE_LOGITS, SMOOTH_L1, HUBER, KL, KL_LOG, POISSON, SOFT_MARGIN, EMBEDDING = range(11)
KINDS = {"mse": MSE, "l1": L1, "bce": BCE, "bce_logits": BCE_LOGITS, "smooth_l1": SMOOTH_L1,
         "huber": HUBER, "kl": KL, "kl_log": KL_LOG, "poisson": POISSON,
         "soft_margin": SOFT_MARGIN, "embedding": EMBEDDING}
KIND = MSE
VARIANTS = [{**floats, "KIND": kind} for floats in FLOATS for kind in KINDS.values()]
NAN = float("nan")
WORDS = [
    ("binary_cross_entropy", f"{name} between 0 and 1", "another number at element {place}",
     "Apply sigmoid first, or use binary_cross_entropy_with_logits.")
    for name in ("input", "target")
]


@device
def at_least(least, value):
    """max(least, value), NaN if value is."""
    return least if value < least else value


@device
def softplus(x):
    """log(1 + exp(x)) without overflow"""
    return log1p(exp(-abs(x))) + at_least(T(0), x)


@device
def share(x):
    """1 / (1 + exp(x)) without overflow"""
    e = exp(-abs(x))
    return e / (T(1) + e) if x > T(0) else T(1) / (T(1) + e)


@device
def value_of(x, t, s):
    """The loss of a pair; s: its setting."""
    d = abs(x - t)
    if KIND == SMOOTH_L1:
        return T(0.5) * (d * d / s) if d < s else d - T(0.5) * s
    if KIND == HUBER:
        return T(0.5) * d * d if d <= s else s * (d - T(0.5) * s)
    if KIND == KL:
        return (t * log(t) if t != T(0) else T(0)) - t * x
    if KIND == KL_LOG:
        return exp(t) * (t - x)
    if KIND == POISSON:
        return exp(x) - t * x
    if KIND == SOFT_MARGIN:
        return softplus(-t * x)
    if KIND == EMBEDDING:
        apart = at_least(T(0), s - x)
        return (x if t != T(-1) else T(0)) + (apart if t != T(1) else T(0))
    if KIND == MSE:
        return (x - t) * (x - t)
    if KIND == L1:
        return abs(x - t)
    if KIND == BCE:
        rest = (t - T(1)) * at_least(T(-100), log1p(-x))
        return rest - t * at_least(T(-100), log(x))
    return (T(1) - t) * x + (T(1) + (s - T(1)) * t) * softplus(-x)


@device
def side(x, t):
    """1 where x > t, -1 where x < t, else 0 (NaN included)"""
    return T(1) if x > t else T(-1) if x < t else T(0)


@device
def smooth_l1_by_x(x, t, beta):
    return side(x, t) if abs(x - t) >= beta else (x - t) / beta


@device
def huber_by_x(x, t, delta):
    return side(x, t) * delta if abs(x - t) > delta else x - t


@device
def by_x(x, t, s):
    """The derivative of `value_of` by x."""
    if KIND == SMOOTH_L1:
        return smooth_l1_by_x(x, t, s)
    if KIND == HUBER:
        return huber_by_x(x, t, s)
    if KIND == KL:
        return -t
    if KIND == KL_LOG:
        return -exp(t)
    if KIND == POISSON:
        return exp(x) - t
    if KIND == SOFT_MARGIN:
        return -t * share(t * x)
    if KIND == EMBEDDING:
        near = t != T(1) and s - x >= T(0)
        return (T(1) if t != T(-1) else T(0)) - (T(1) if near else T(0))
    if KIND == MSE:
        return T(2) * (x - t)
    if KIND == L1:
        return side(x, t)
    if KIND == BCE:
        return (x - t) / at_least(T(1e-12), x * (T(1) - x))
    e = exp(-abs(x))
    small, large = e / (T(1) + e), T(1) / (T(1) + e)
    p, q = (small, large) if x < T(0) else (large, small)
    return (T(1) - t) * p - s * t * q


@device
def by_target(x, t, s):
    """The derivative of `value_of` by t."""
    if KIND == SMOOTH_L1:
        return smooth_l1_by_x(t, x, s)
    if KIND == HUBER:
        return huber_by_x(t, x, s)
    if KIND == KL:
        return log(t) + T(1) - x
    if KIND == KL_LOG:
        return exp(t) * (t - x + T(1))
    if KIND == POISSON:
        return -x
    if KIND == SOFT_MARGIN:
        return -x * share(t * x)
    if KIND == EMBEDDING:
        return T(0)
    if KIND == MSE:
        return T(2) * (t - x)
    if KIND == L1:
        return side(t, x)
    if KIND == BCE:
        return log1p(-x) - log(x)
    more = s - T(1)
    return (more * softplus(-x) if more != T(0) else T(0)) - x  # 0 * infinity would be NaN


@device
def checked(i, x, t, s, late_x, late_target):
    """value_of, for `bce` with a look at what must lie between 0 and 1."""
    value = value_of(x, t, s)
    if KIND == BCE:
        if not T(0) <= x <= T(1):
            leave(late_x, i, 0)
            value = T(NAN)
        if not T(0) <= t <= T(1):
            leave(late_target, i, 0)
            value = T(NAN)
    return value


@device
def four(x, given, i, same):
    """Four numbers, `same` where there are none."""
    return load(x, i, 4) if given else full(4, same)


@device
def one(x, given, i, same):
    return x[i] if given else same


@kernel(BLOCK, variants=VARIANTS, simulated_threads=BLOCK)
def pair_loss_kernel(
    x: Ptr[T], target: Ptr[T], weight: Ptr[T], weighted: int32, settings: Ptr[T], several: int32,
    setting: T, late_x: Ptr[int64], late_target: Ptr[int64], each: int32, partial: Ptr[T],
    loss: Ptr[T], total: Ptr[T], divisor: T, n: int64, aligned: int32,
):
    scratch, loss_sum = cuda.shared.array(32, T), T(0)
    for i in range(4 * thread_of_grid(), n, 4 * int64(cuda.blockDim.x) * int64(cuda.gridDim.x)):
        if aligned and i + 4 <= n:
            a, t, w = load(x, i, 4), load(target, i, 4), four(weight, weighted, i, T(1))
            p = four(settings, several, i, setting)
            v = (w[0] * checked(i, a[0], t[0], p[0], late_x, late_target),
                 w[1] * checked(i + 1, a[1], t[1], p[1], late_x, late_target),
                 w[2] * checked(i + 2, a[2], t[2], p[2], late_x, late_target),
                 w[3] * checked(i + 3, a[3], t[3], p[3], late_x, late_target))
            if each:
                store(loss, i, v)
            loss_sum = loss_sum + v[0] + v[1] + v[2] + v[3]
        else:
            for k in range(i, min(i + 4, n)):
                u = one(weight, weighted, k, T(1)) * checked(
                    k, x[k], target[k], one(settings, several, k, setting), late_x, late_target)
                if each:
                    loss[k] = u
                loss_sum += u
    leave_sums(loss_sum, T(0), each, partial, loss, total, divisor, scratch)


def _given(x, *others):
    """Arrays, each with whether it is there; if not, x in its place, which is not read."""
    return [part for a in others for part in ((x, 0) if a is None else (a, 1))]


def _aligned(*arrays):
    return aligned(*[a for a in arrays if a is not None])


def _settings(setting):
    """A setting as (an array or None, a number in its place)."""
    return (setting, 1) if setting is None or hasattr(setting, "dtype") else (None, setting)


def pair_loss_forward(kind, x, target, weight, setting, reduction, loss):
    n = x.size
    if n == 0:
        fill_empty(reduction, loss)
        return True
    settings, same = _settings(setting)
    words = [late_errors.word_for(*word) if kind == "bce" else None for word in WORDS]
    sums = Sums(-(-n // (4 * BLOCK * ROUNDS)), reduction, loss, None, n)
    pair_loss_kernel.launch(
        (sums.blocks, 1, 1),
        (x, target, *_given(x, weight, settings), same, *words, *sums.arguments, n,
         _aligned(x, target, weight, settings, loss if reduction == "none" else None)),
        T=x.dtype, KIND=KINDS[kind])
    sums.finish()
    late_errors.check_if_simulated()
    return True


@kernel(variants=VARIANTS)
def pair_loss_backward_kernel(
    x: Ptr[T], target: Ptr[T], weight: Ptr[T], weighted: int32, settings: Ptr[T], several: int32,
    setting: T, grad_loss: Ptr[T], each: int32, divisor: T, grad_x: Ptr[T], wants_x: int32,
    grad_target: Ptr[T], wants_target: int32, n: int64, aligned: int32,
):
    i = 4 * thread_of_grid()
    same = T(1) if each else grad_loss[0] / divisor
    if aligned and i + 4 <= n:
        a, t, w = load(x, i, 4), load(target, i, 4), four(weight, weighted, i, T(1))
        p, g = four(settings, several, i, setting), four(grad_loss, each, i, T(1))
        g = (g[0] * same * w[0], g[1] * same * w[1], g[2] * same * w[2], g[3] * same * w[3])
        if wants_x:
            store(grad_x, i, (g[0] * by_x(a[0], t[0], p[0]), g[1] * by_x(a[1], t[1], p[1]),
                              g[2] * by_x(a[2], t[2], p[2]), g[3] * by_x(a[3], t[3], p[3])))
        if wants_target:
            store(grad_target, i, (
                g[0] * by_target(a[0], t[0], p[0]), g[1] * by_target(a[1], t[1], p[1]),
                g[2] * by_target(a[2], t[2], p[2]), g[3] * by_target(a[3], t[3], p[3])))
    else:
        for k in range(i, min(i + 4, n)):
            gain = one(grad_loss, each, k, T(1)) * same * one(weight, weighted, k, T(1))
            q = one(settings, several, k, setting)
            if wants_x:
                grad_x[k] = gain * by_x(x[k], target[k], q)
            if wants_target:
                grad_target[k] = gain * by_target(x[k], target[k], q)


def pair_loss_backward(
    kind, x, target, weight, setting, reduction, grad_loss, grad_x, grad_target
):
    settings, same = _settings(setting)
    n, each = x.size, reduction == "none"
    if n:
        pair_loss_backward_kernel.launch(
            pair_loss_backward_kernel.blocks(-(-n // 4)),
            (x, target, *_given(x, weight, settings), same, grad_loss, each,
             n if reduction == "mean" else 1, *_given(x, grad_x, grad_target), n,
             _aligned(x, target, weight, settings, grad_x, grad_target,
                      grad_loss if each else None)),
            T=x.dtype, KIND=KINDS[kind])
