"""Group norm, and with it layer, instance and RMS norm. Mirrors reference/group_norm.py.

A team of threads takes a group (rows.py): for the mean, the variance and the result it goes over
the M pixels of the image and the K = C / G channels of the group, neighbours in memory by
neighbouring lanes. Sums are of distances, from the group's first number and then from the mean that
this gives, so that nothing cancels; they are added in an order that depends on sizes only.
"""

from __future__ import annotations

from .backend import xp
from .primitives import Ptr, T, cuda, device, int32, int64, sqrt
from .row_sums import add_rows
from .rows import (
    BLOCK,
    LANES,
    first_row,
    lane_of_team,
    lanes_for,
    rows_kernel,
    team_of_block,
    team_sum,
)

WEIGHT, BIAS, CENTERED, GRAD_X, PRODUCTS = 1, 2, 4, 8, 16  # flags


@device
def start_of(group, M, C, G):
    """Where a group begins."""
    n = group // G
    return n * M * C + (group - n * G) * (C // G)


@device
def stepped(pixel, k, K):
    """The number of a group that is LANES further."""
    k += int64(LANES) % K
    pixel += int64(LANES) // K
    if k >= K:
        k -= K
        pixel += 1
    return pixel, k


@device
def distances(x, start, M, C, K, center, scratch):
    """The sums of x - center and of its squares over a group."""
    total, square = T(0), T(0)
    lane = lane_of_team()
    pixel, k = lane // K, lane % K
    while pixel < M:
        distance = x[start + pixel * C + k] - center
        total += distance
        square += distance * distance
        pixel, k = stepped(pixel, k, K)
    return team_sum(total, scratch), team_sum(square, scratch)


@rows_kernel
def group_forward_kernel(x: Ptr[T], weight: Ptr[T], bias: Ptr[T], mean: Ptr[T], var: Ptr[T],
                         y: Ptr[T], flags: int32, eps: T, M: int64, C: int64, G: int64,
                         groups: int64):
    scratch = cuda.shared.array(32, T)
    row = first_row() + team_of_block()
    group = min(row, groups - 1)  # a team without a group goes along, as warps work together
    start, K = start_of(group, M, C, G), C // G
    part, center = T(1) / T(M * K), T(0)
    if flags & CENTERED:
        first = x[start]
        first = first if first - first == T(0) else T(0)  # not infinity, not NaN
        center = first + distances(x, start, M, C, K, first, scratch)[0] * part
    off, square = distances(x, start, M, C, K, center, scratch)
    if flags & CENTERED:
        square -= off * part * off
        center += off * part
        square = T(0) if square < T(0) else square  # by rounding
    spread = square * part
    lane = lane_of_team()
    if row < groups:
        if lane == 0:
            var[group] = spread
            if flags & CENTERED:
                mean[group] = center
        invstd = T(1) / sqrt(spread + eps)
        first_channel = (group % G) * K
        pixel, k = lane // K, lane % K
        while pixel < M:
            at, c = start + pixel * C + k, first_channel + k
            scale = invstd * weight[c] if flags & WEIGHT else invstd
            value = (x[at] - center) * scale
            y[at] = value + bias[c] if flags & BIAS else value
            pixel, k = stepped(pixel, k, K)


def group_norm_forward(x, weight, bias, eps, mean, var, y):
    if not x.size:
        for statistic in (mean, var):
            if statistic is not None:
                statistic.fill(0)
        return
    flags = (WEIGHT * (weight is not None) + BIAS * (bias is not None)
             + CENTERED * (mean is not None))
    _launch(group_forward_kernel, x, var.shape[1], (x, weight, bias, mean, var, y, flags, eps))


def _launch(kernel, x, G, arguments):
    """A team for each of the N * G groups."""
    N, M, C = x.shape
    lanes = lanes_for(N * G, M * C // G)
    kernel.launch((-(-N * G // (BLOCK // lanes)), 1, 1), (*arguments, M, C, G, N * G), T=x.dtype,
                  LANES=lanes)


@rows_kernel
def group_backward_kernel(x: Ptr[T], grad_y: Ptr[T], weight: Ptr[T], mean: Ptr[T], var: Ptr[T],
                          grad_x: Ptr[T], products: Ptr[T], flags: int32, eps: T, M: int64,
                          C: int64, G: int64, groups: int64):
    """grad_x, and products = grad_y * normal, each if it is wanted."""
    scratch = cuda.shared.array(32, T)
    row = first_row() + team_of_block()
    group = min(row, groups - 1)
    start, K = start_of(group, M, C, G), C // G
    first_channel = (group % G) * K
    center = mean[group] if flags & CENTERED else T(0)
    invstd, part = T(1) / sqrt(var[group] + eps), T(1) / T(M * K)
    total, product = T(0), T(0)
    lane = lane_of_team()
    pixel, k = lane // K, lane % K
    while pixel < M:
        at, c = start + pixel * C + k, first_channel + k
        g = grad_y[at] * weight[c] if flags & WEIGHT else grad_y[at]
        total += g
        product += g * ((x[at] - center) * invstd)
        pixel, k = stepped(pixel, k, K)
    total = team_sum(total, scratch) * part
    product = team_sum(product, scratch) * part
    if not flags & CENTERED:
        total = T(0)
    pixel, k = lane // K, lane % K
    while pixel < M and row < groups:
        at, c = start + pixel * C + k, first_channel + k
        normal = (x[at] - center) * invstd
        if flags & PRODUCTS:
            products[at] = grad_y[at] * normal
        if flags & GRAD_X:
            g = grad_y[at] * weight[c] if flags & WEIGHT else grad_y[at]
            grad_x[at] = invstd * (g - total - normal * product)
        pixel, k = stepped(pixel, k, K)


def group_norm_backward(x, grad_y, weight, eps, mean, var, grad_x, grad_weight, grad_bias):
    N, M, C = x.shape
    if x.size and (grad_x is not None or grad_weight is not None):
        products = None if grad_weight is None else xp.empty(x.shape, x.dtype)
        flags = (WEIGHT * (weight is not None) + CENTERED * (mean is not None)
                 + GRAD_X * (grad_x is not None) + PRODUCTS * (products is not None))
        _launch(group_backward_kernel, x, var.shape[1],
                (x, grad_y, weight, mean, var, grad_x, products, flags, eps))
    if grad_weight is not None:
        add_rows(products if x.size else x, N * M if x.size else 0, C, grad_weight)
    if grad_bias is not None:
        add_rows(grad_y, N * M, C, grad_bias)
