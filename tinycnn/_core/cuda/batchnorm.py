"""Batch norm: each channel shifted and scaled to mean 0 and variance 1. Mirrors
reference/batchnorm.py; x and its like are contiguous rows (M, C), the rest (C,).

Statistics and gradients of the weights are sums over rows, see batchnorm_sums.py; everything else
is one pass over memory. Threads share rows as channel_rows.py says, so that each reads what belongs
to its channels once. Backward computes y anew, with the very same instructions, where it needs to
know whether a ReLU was open.
"""

from __future__ import annotations

from . import batchnorm_sums
from .backend import xp
from .channel_rows import (
    LEAST_ROWS,
    NUMBERS,
    THREADS,
    VARIANTS,
    VECTOR,
    column_sums,
    constants,
    place_of,
    plus,
    shares,
    times,
)
from .kernel import kernel
from .primitives import (
    Ptr,
    T,
    combine,
    cuda,
    device,
    each,
    fma,
    full,
    int32,
    int64,
    load,
    quotient,
    sqrt,
    store,
    thread_of_grid,
)

WEIGHT, BIAS, RELU = 1, 2, 4  # flags
MASK = 0
FROM_X, FROM_Y = 1, 2  # MASK: what says where the ReLU was open; 0: there was none
TRAINING = 0


def batch_norm_statistics(x, mean, var):
    if x.size:
        batchnorm_sums.statistics(x, mean, var)
    else:
        mean.fill(0)
        var.fill(0)


@kernel()
def invstd_kernel(var: Ptr[T], invstd: Ptr[T], eps: T, step: int64, C: int64):
    c = thread_of_grid()
    if c < C:
        invstd[c] = T(1) / sqrt(var[c * step] + eps)


def batch_norm_invstd(var, eps, invstd):
    if min(var.strides) < 0:
        var = xp.ascontiguousarray(var)
    invstd_kernel.launch(invstd_kernel.blocks(var.size),
                         (var, invstd, eps, var.strides[0] // var.itemsize, var.size), T=var.dtype)


@kernel()
def move_kernel(running: Ptr[T], batch: Ptr[T], keep: T, share: T, step: int64, C: int64):
    c = thread_of_grid()
    if c < C:
        running[c * step] = keep * running[c * step] + share * batch[c]


def batch_norm_move(running, batch, scale, momentum):
    if min(running.strides) < 0:
        running, batch = running[::-1], xp.ascontiguousarray(batch[::-1])
    move_kernel.launch(
        move_kernel.blocks(batch.size),
        (running, batch, 1 - momentum, momentum * scale, running.strides[0] // running.itemsize,
         batch.size), T=running.dtype)


@device
def scale_of(invstd, weight, column, flags):
    """invstd * weight of a thread's channels."""
    scale = load(invstd, column, VECTOR)
    if flags & WEIGHT:
        scale = combine(times, (scale, load(weight, column, VECTOR)), ())
    return scale


@device
def bias_of(bias, column, flags):
    found = full(VECTOR, T(0))
    if flags & BIAS:
        found = load(bias, column, VECTOR)
    return found


@device
def normal(x, mean, scale, bias):
    """(x - mean) * scale + bias. Forward and backward get the same bits from it."""
    return fma(x - mean, scale, bias)


@device
def positive(y):
    return T(0) if y <= T(0) else y  # NaN stays


@kernel(variants=VARIANTS, simulated_threads=THREADS)
def apply_kernel(x: Ptr[T], residual: Ptr[T], y: Ptr[T], mean: Ptr[T], invstd: Ptr[T],
                 weight: Ptr[T], bias: Ptr[T], flags: int32, with_residual: int32, M: int64,
                 C: int64, rows: int64, lanes: int32):
    _, row, chunk = place_of(lanes)
    column, side = int64(chunk) * VECTOR, quotient(THREADS, lanes)
    if row >= side or column >= C:
        return
    center, scale = load(mean, column, VECTOR), scale_of(invstd, weight, column, flags)
    shift = bias_of(bias, column, flags)
    r = int64(cuda.blockIdx.y) * rows + row
    end = min(int64(cuda.blockIdx.y) * rows + rows, M)
    while r < end:
        at = r * C + column
        value = combine(normal, (load(x, at, VECTOR), center, scale, shift), ())
        if with_residual:
            value = combine(plus, (value, load(residual, at, VECTOR)), ())
        if flags & RELU:
            value = each(positive, value, ())
        store(y, at, value)
        r += side


def _flags(weight, bias, relu=False):
    return WEIGHT * (weight is not None) + BIAS * (bias is not None) + RELU * bool(relu)


def batch_norm_apply(x, mean, invstd, weight, bias, residual, relu, y):
    if not x.size:
        return
    M, C = x.shape
    plan = shares(M, C, x.itemsize, (x, y, mean, invstd, weight, bias, residual), 1)
    apply_kernel.launch(
        plan.grid,
        (x, residual, y, mean, invstd, weight, bias, _flags(weight, bias, relu),
         residual is not None, M, C, *plan.numbers), T=x.dtype, **constants(plan.vector))


@device
def where_open(grad, seen):
    return T(0) if seen <= T(0) else grad


@device
def gradient(x, y, grad_y, at, center, scale, shift):
    """The gradient behind the ReLU, if there is one, of VECTOR numbers."""
    grad = load(grad_y, at, VECTOR)
    if MASK == FROM_X:
        seen = combine(normal, (load(x, at, VECTOR), center, scale, shift), ())
        grad = combine(where_open, (grad, seen), ())
    if MASK == FROM_Y:
        grad = combine(where_open, (grad, load(y, at, VECTOR)), ())
    return grad


@device
def product_added(grad, x, mean, invstd, total):
    return fma(grad, (x - mean) * invstd, total)


SUMMED = [{**variant, "MASK": mask} for variant in VARIANTS for mask in (0, FROM_X, FROM_Y)]


@kernel(variants=SUMMED, simulated_threads=THREADS)
def gradient_sums_kernel(x: Ptr[T], y: Ptr[T], grad_y: Ptr[T], mean: Ptr[T], invstd: Ptr[T],
                         weight: Ptr[T], bias: Ptr[T], grads: Ptr[T], products: Ptr[T],
                         grad_residual: Ptr[T], flags: int32, M: int64, C: int64, rows: int64,
                         lanes: int32):
    """sum(g) and sum(g * normal) of each block of rows; FROM_Y: grad_residual = g."""
    memory = cuda.shared.array(NUMBERS, T)
    t, row, chunk = place_of(lanes)
    column, side = int64(chunk) * VECTOR, quotient(THREADS, lanes)
    alive = row < side and column < C
    center = deviation = scale = shift = grad = product = full(VECTOR, T(0))
    if alive:
        center, deviation = load(mean, column, VECTOR), load(invstd, column, VECTOR)
        if MASK == FROM_X:
            scale = scale_of(invstd, weight, column, flags)
            shift = bias_of(bias, column, flags)
    end = min(int64(cuda.blockIdx.y) * rows + rows, M) if alive else int64(0)
    r = int64(cuda.blockIdx.y) * rows + row
    while r < end:
        at = r * C + column
        g = gradient(x, y, grad_y, at, center, scale, shift)
        if MASK == FROM_Y:
            store(grad_residual, at, g)
        grad = combine(plus, (grad, g), ())
        product = combine(product_added, (g, load(x, at, VECTOR), center, deviation, product), ())
        r += side
    grad = column_sums(grad, memory, t, row, lanes)
    product = column_sums(product, memory, t, row, lanes)
    if alive and row == 0:
        at = int64(cuda.blockIdx.y) * C + column
        store(grads, at, grad)
        store(products, at, product)


@device
def centered(grad, x, mean, share, product_share, scale):
    """scale * (g - sum(g) / M - normal * sum(g * normal) / M)."""
    return scale * fma(mean - x, product_share, grad - share)


APPLIED = [{**variant, "MASK": mask, "TRAINING": training} for variant in VARIANTS
           for training, mask in ((1, 0), (1, FROM_X), (0, 0), (0, FROM_X), (0, FROM_Y))]


@kernel(variants=APPLIED, simulated_threads=THREADS)
def gradient_kernel(x: Ptr[T], y: Ptr[T], grad_y: Ptr[T], mean: Ptr[T], invstd: Ptr[T],
                    weight: Ptr[T], bias: Ptr[T], grads: Ptr[T], products: Ptr[T], grad_x: Ptr[T],
                    grad_residual: Ptr[T], flags: int32, with_x: int32, M: int64, C: int64,
                    rows: int64, lanes: int32):
    """grad_x, if it is wanted; FROM_Y: also grad_residual = g."""
    _, row, chunk = place_of(lanes)
    column, side = int64(chunk) * VECTOR, quotient(THREADS, lanes)
    if row >= side or column >= C:
        return
    scale, shift = scale_of(invstd, weight, column, flags), bias_of(bias, column, flags)
    center, share, product = load(mean, column, VECTOR), shift, shift
    if TRAINING:
        part = full(VECTOR, T(1) / T(M))
        share = combine(times, (load(grads, column, VECTOR), part), ())
        product = combine(times, (load(products, column, VECTOR), part), ())
        product = combine(times, (product, load(invstd, column, VECTOR)), ())
    r = int64(cuda.blockIdx.y) * rows + row
    end = min(int64(cuda.blockIdx.y) * rows + rows, M)
    while r < end:
        at = r * C + column
        g = gradient(x, y, grad_y, at, center, scale, shift)
        if MASK == FROM_Y:
            store(grad_residual, at, g)
        if TRAINING:
            g = combine(centered, (g, load(x, at, VECTOR), center, share, product, scale), ())
        else:
            g = combine(times, (g, scale), ())
        if with_x:
            store(grad_x, at, g)
        r += side


def batch_norm_backward(
    x, grad_y, y, mean, invstd, weight, bias, relu, training, grad_x, grad_weight, grad_bias,
    grad_residual,
):
    if not x.size:
        for grad in (grad_weight, grad_bias):
            if grad is not None:
                grad.fill(0)
        return
    if y is not None and not relu:
        grad_residual[...] = grad_y
        y = None
    mask = (FROM_X if y is None else FROM_Y) if relu else 0
    parameters = mean, invstd, weight, bias
    if grad_weight is not None:
        _sums(mask, x, y, grad_y, parameters, grad_weight, grad_bias, grad_residual)
        if mask == FROM_Y:  # what follows needs no mask
            mask, grad_y = 0, grad_residual
    if grad_x is None and mask != FROM_Y:
        return
    M, C = x.shape
    arrays = x, y, grad_y, *parameters, grad_bias, grad_weight, grad_x, grad_residual
    plan = shares(M, C, x.itemsize, arrays, 1)
    gradient_kernel.launch(
        plan.grid, (*arrays, _flags(weight, bias), grad_x is not None, M, C, *plan.numbers),
        T=x.dtype, **constants(plan.vector), MASK=mask, TRAINING=int(training))


def _sums(mask, x, y, grad_y, parameters, grad_weight, grad_bias, grad_residual):
    """grad_weight, grad_bias and, with a mask from y, grad_residual."""
    M, C = x.shape
    arrays = x, y, grad_y, *parameters
    plan = shares(M, C, x.itemsize, (*arrays, grad_weight, grad_bias, grad_residual), LEAST_ROWS)
    blocks = plan.grid[1]
    sums = (grad_bias, grad_weight) if blocks == 1 else xp.empty((2, blocks, C), x.dtype)
    gradient_sums_kernel.launch(
        plan.grid,
        (*arrays, sums[0], sums[1], grad_residual, _flags(*parameters[2:]), M, C, *plan.numbers),
        T=x.dtype, **constants(plan.vector), MASK=mask)
    if blocks > 1:
        batchnorm_sums.add_blocks(sums[0], sums[1], grad_bias, grad_weight)
