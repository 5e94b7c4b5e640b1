"""Optimiser updates: one launch moves every parameter of a group. Mirrors reference/update.py.

All parameters are cut into chunks, one for each block. Where the arrays are stands in a table of
addresses, in device memory as the numbers of a rule are (learning rate, momentum, ...); both are
kept as long as they recur, so that a step uploads nothing.

    table    parameters, gradients, the rule's states, steps: a row of addresses each
    chunks   (parameter, number of the chunk in it) for each block
    hyper    the rule's numbers, in the order of HYPER

The last block of a parameter to end writes its step, which all of them have read before: what is
counted for that is 0 again afterwards.
"""

from __future__ import annotations

import math
from itertools import compress
from typing import Any, NamedTuple

import numpy

from ..reference.memory import _is_dense
from ..reference.update import check_update
from .kept import Kept, address, aligned, upload
from .kernel import kernel
from .memory import dense, same_layout
from .mode import SIMULATED
from .primitives import (
    Ptr,
    T,
    atomic_add,
    cuda,
    float32,
    full,
    int32,
    int64,
    load,
    pointer_at,
    store,
)
from .update_rules import (
    ADADELTA,
    ADAGRAD,
    ADAM,
    AMSGRAD,
    CENTERED,
    CENTERED_MOMENTUM,
    HYPER,
    MOMENTUM,
    RMSPROP,
    RMSPROP_MOMENTUM,
    SGD,
    STATES,
    moved,
    rate_and_scale,
)

CHUNK = 64 if SIMULATED else 4096  # numbers of a block
RULE, COUNT = SGD, 0  # the rule, and how many states it has
VARIANTS = [{"T": numpy.dtype(name), "RULE": rule, "COUNT": count}
            for name in ("float32", "float64") for rule, count in enumerate(STATES)]

capture = None  # while a step is captured, what gives `numbers` a place that a replay can overwrite
_numbers, _plans = Kept(), Kept()


@kernel(variants=VARIANTS)
def update_kernel(
    table: Ptr[Ptr[T]], sizes: Ptr[int64], chunks: Ptr[int32], ended: Ptr[int32], hyper: Ptr[T],
    count: int64, aligned: int32,
):
    """Moves one chunk of one of `count` parameters."""
    block, thread = int64(cuda.blockIdx.x), int64(cuda.threadIdx.x)
    k, size = int64(chunks[2 * block]), sizes[chunks[2 * block]]
    first = int64(chunks[2 * block + 1]) * CHUNK
    end = min(first + CHUNK, size)
    p, grad = pointer_at(table, k, T), pointer_at(table, count + k, T)
    a = pointer_at(table, (2 * count if COUNT > 0 else 0) + k, T)
    b = pointer_at(table, (3 * count if COUNT > 1 else 0) + k, T)
    c = pointer_at(table, (4 * count if COUNT > 2 else 0) + k, T)
    h, step = load(hyper, 0, 12), float32(0)
    if RULE > MOMENTUM:
        steps = pointer_at(table, (2 + COUNT) * count + k, float32)
        step = steps[0] + float32(1)
    rate, scale = rate_and_scale(h, T(step))
    i = first + 4 * thread
    while aligned and i + 4 <= end:
        x, g, none = load(p, i, 4), load(grad, i, 4), full(4, T(0))
        s = load(a, i, 4) if COUNT > 0 else none
        t = load(b, i, 4) if COUNT > 1 else none
        u = load(c, i, 4) if COUNT > 2 else none
        x0, s0, t0, u0 = moved(x[0], g[0], s[0], t[0], u[0], h, rate, scale)
        x1, s1, t1, u1 = moved(x[1], g[1], s[1], t[1], u[1], h, rate, scale)
        x2, s2, t2, u2 = moved(x[2], g[2], s[2], t[2], u[2], h, rate, scale)
        x3, s3, t3, u3 = moved(x[3], g[3], s[3], t[3], u[3], h, rate, scale)
        store(p, i, (x0, x1, x2, x3))
        if COUNT > 0:
            store(a, i, (s0, s1, s2, s3))
        if COUNT > 1:
            store(b, i, (t0, t1, t2, t3))
        if COUNT > 2:
            store(c, i, (u0, u1, u2, u3))
        i += 4 * int64(cuda.blockDim.x)
    rest = first + (end - first) // 4 * 4 if aligned else first  # what did not go four at a time
    for j in range(rest + thread, end, int64(cuda.blockDim.x)):
        y, s4, t4, u4 = moved(
            p[j], grad[j], a[j] if COUNT > 0 else T(0), b[j] if COUNT > 1 else T(0),
            c[j] if COUNT > 2 else T(0), h, rate, scale)
        p[j] = y
        if COUNT > 0:
            a[j] = s4
        if COUNT > 1:
            b[j] = t4
        if COUNT > 2:
            c[j] = u4
    if RULE > MOMENTUM:
        cuda.syncthreads()  # every thread has read the step
        if thread == 0 and atomic_add(ended, k, 1) == max((size - 1) // CHUNK, 0):
            steps[0], ended[k] = step, 0


def numbers(values, dtype):
    """Numbers in device memory, at a multiple of 16 bytes.

    Args:    values (tuple of floats), dtype.
    """
    if capture is not None:
        return capture.numbers(values, dtype)
    return _numbers.get((values, dtype.char), lambda: upload(numpy.array(values, dtype)))


class _Plan(NamedTuple):
    """What a launch for parameters of one dtype needs to know of where they are."""

    dtype: Any
    table: Any  # addresses on the device; in the simulator a list of arrays
    sizes: Any  # (count,) int64
    chunks: Any  # (blocks, 2) int32
    ended: Any  # (count,) int32, zeros: how many blocks of a parameter have ended
    aligned: bool


def _plan(dtype, lists, steps):
    """A plan for lists of arrays, all dense and in one layout for each parameter."""
    sizes = [p.size for p in lists[0]]
    chunks = [(k, j) for k, size in enumerate(sizes) for j in range(max(-(-size // CHUNK), 1))]
    arrays = [a for part in lists for a in part]
    table = [*arrays, *steps]
    if not SIMULATED:
        table = upload(numpy.array([address(a) for a in table], numpy.uint64))
    return _Plan(
        dtype, table, upload(numpy.array(sizes, numpy.int64)),
        upload(numpy.array(chunks, numpy.int32)), upload(numpy.zeros(len(sizes), numpy.int32)),
        aligned(*arrays))


def _plans_of(lists, steps):
    """A plan for each dtype, or None if arrays must be copied to lie as their parameter does."""
    for p, *others in zip(*lists):
        if not _is_dense(p) or not all(_lies_as(a, p) for a in others):
            return None
    plans = []
    for dtype in dict.fromkeys([p.dtype for p in lists[0]]):
        chosen = [p.dtype == dtype and (p.size > 0 or steps is not None) for p in lists[0]]
        if any(chosen):
            parts = [list(compress(arrays, chosen)) for arrays in [*lists, steps or []]]
            plans.append(_plan(dtype, parts[:-1], parts[-1]))
    return plans


def _lies_as(a, like):
    """Whether elements of two arrays of a shape lie in memory in the same order, without gaps in
    the second."""
    return a.size == 0 or all(
        n == 1 or step == other for n, step, other in zip(a.shape, a.strides, like.strides))


def _run(function, rule, hyper, params, grads, steps, **state):
    """Check all arrays, then move them; nothing is written before everything is found to fit."""
    lists = [params, grads, *[arrays for arrays in state.values() if arrays is not None]]
    every = lists if steps is None else [*lists, steps]
    try:
        key = rule, tuple(map(len, every)), tuple([
            (address(a), a.dtype, a.shape, a.strides) for arrays in every for a in arrays])
    except AttributeError:  # something that is no array of this device
        check_update(function, params, grads, steps, **state)
        raise

    def make():
        check_update(function, params, grads, steps, **state)
        return _plans_of(lists, steps)

    plans = _plans.get(key, make, for_ever=capture is not None)
    if plans is None:
        _run_copies(function, rule, hyper, lists, steps, state)
        return
    for plan in plans:
        values = {**hyper, "tiny": numpy.finfo(plan.dtype).tiny}
        values = tuple([float(values.get(name, 0)) for name in HYPER])
        update_kernel.launch(
            (len(plan.chunks), 1, 1),
            (plan.table, plan.sizes, plan.chunks, plan.ended, numbers(values, plan.dtype),
             len(plan.sizes), plan.aligned), T=plan.dtype, RULE=rule, COUNT=STATES[rule])


def _run_copies(function, rule, hyper, lists, steps, state):
    """`_run` on copies that are dense and in one layout, of those arrays that are not."""
    rows, written = [], []
    for p, grad, *states in zip(*lists):
        like = dense(p)
        row = [like, same_layout(grad, like), *[same_layout(a, like) for a in states]]
        written += [(a, own) for a, own in zip((p, *states), (row[0], *row[2:])) if own is not a]
        rows.append(row)
    params, grads, *states = [list(arrays) for arrays in zip(*rows)]
    rest = iter(states)
    state = {name: None if arrays is None else next(rest) for name, arrays in state.items()}
    _run(function, rule, hyper, params, grads, steps, **state)
    for array, own in written:
        array[...] = own


def _common(lr, weight_decay, maximize, eps=0, **more):
    """The numbers that every rule has, and others."""
    return {"lr": lr, "weight_decay": weight_decay, "sign": -1 if maximize else 1, "eps": eps,
            "shrink": 1, **more}


def sgd_update(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize):
    hyper = _common(lr, weight_decay, maximize, momentum=momentum, gain=1 - dampening,
                    more=nesterov)
    _run("sgd_update", SGD if buffers is None else MOMENTUM, hyper, params, grads, None,
         momentum_buffer=buffers)


def _log(x):
    return math.log(x) if x > 0 else -math.inf


def adam_update(
    params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps,
    lr, beta1, beta2, eps, weight_decay, decoupled, maximize,
):
    hyper = _common(lr, 0 if decoupled else weight_decay, maximize, eps, decay=beta2,
                    gain=1 - beta2, more=1 - beta1, log1=_log(beta1), log2=_log(beta2))
    if decoupled:
        hyper["shrink"] = 1 - lr * weight_decay
    _run("adam_update", ADAM if max_exp_avg_sqs is None else AMSGRAD, hyper, params, grads, steps,
         exp_avg=exp_avgs, exp_avg_sq=exp_avg_sqs, max_exp_avg_sq=max_exp_avg_sqs)


def rmsprop_update(
    params, grads, square_avgs, grad_avgs, buffers, steps,
    lr, alpha, eps, weight_decay, momentum, maximize,
):
    hyper = _common(lr, weight_decay, maximize, eps, decay=alpha, gain=1 - alpha,
                    momentum=momentum)
    rules = (RMSPROP, RMSPROP_MOMENTUM) if grad_avgs is None else (CENTERED, CENTERED_MOMENTUM)
    _run("rmsprop_update", rules[buffers is not None], hyper, params, grads, steps,
         square_avg=square_avgs, grad_avg=grad_avgs, momentum_buffer=buffers)


def adagrad_update(params, grads, sums, steps, lr, lr_decay, eps, weight_decay, maximize):
    hyper = _common(lr, weight_decay, maximize, eps, decay=lr_decay)
    _run("adagrad_update", ADAGRAD, hyper, params, grads, steps, sum=sums)


def adadelta_update(params, grads, square_avgs, acc_deltas, steps, lr, rho, eps, weight_decay,
                    maximize):
    hyper = _common(lr, weight_decay, maximize, eps, decay=rho, gain=1 - rho)
    _run("adadelta_update", ADADELTA, hyper, params, grads, steps,
         square_avg=square_avgs, acc_delta=acc_deltas)


def each_replay(call):
    """Call this, and while a step is captured, have it called again before every replay."""
    call()
    if capture is not None:
        capture.each_replay(call)
