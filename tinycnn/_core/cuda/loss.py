"""Class losses, forward and backward. Mirrors reference/loss.py, whose softmax is in softmax.py.

A team of threads takes a row, see rows.py. A label out of range cannot be refused: that would mean
to wait for the GPU. Its row has NaN as loss and gradient, and late_errors.py raises the sentence
when somebody waits.
"""

from __future__ import annotations

from . import late_errors
from .nll import (  # noqa: F401
    NAN,
    nll_backward,
    nll_forward,
    one_hot,
    weight_at,
    weight_of,
    weights_of,
    word_of,
)
from .primitives import Ptr, T, cuda, device, exp, int32, int64, log
from .rows import (
    LANES,
    fill_empty,
    first_row,
    lane_of_team,
    lanes_for,
    launch_rows,
    leave_sums,
    reduce_rows,
    rows_kernel,
    rows_of_grid,
    team_of_block,
    team_sum,
)
from .softmax import (  # noqa: F401
    largest_of,
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
    sum_of_exp,
)


@rows_kernel
def cross_entropy_kernel(
    x: Ptr[T], target: Ptr[int64], weight: Ptr[T], weighted: int32, ignore_index: int64, sharp: T,
    spread: T, statistics: Ptr[T], late: Ptr[int64], each: int32, partial: Ptr[T], loss: Ptr[T],
    total: Ptr[T], divisor: T, M: int64, C: int64,
):
    """sharp = 1 - label_smoothing, spread = label_smoothing / C; from `each` on as in rows.Sums."""
    scratch = cuda.shared.array(32, T)
    lane, loss_sum, weight_sum = lane_of_team(), T(0), T(0)
    for first in range(first_row(), M, rows_of_grid()):
        row = first + team_of_block()
        at = min(row, M - 1) * C  # a team without a row goes along: warps and blocks work together
        largest = largest_of(x, at, C, scratch)
        log_total = log(sum_of_exp(x, at, C, largest, scratch))
        everywhere = T(0)
        if spread != T(0):
            for c in range(lane, C, LANES):
                everywhere += weight_at(weight, weighted, c) * (x[at + c] - largest - log_total)
            everywhere = team_sum(everywhere, scratch)
        if row < M and lane == 0:
            statistics[2 * row] = largest
            statistics[2 * row + 1] = log_total
            label, this = target[row], T(0)
            w = weight_of(label, weight, weighted, ignore_index, C, row, late)
            if label != ignore_index:
                score = x[at + label] if 0 <= label < C else T(NAN)
                this = -(score - largest - log_total) * w * sharp - spread * everywhere
            loss_sum += this
            weight_sum += w
            if each:
                loss[row] = this
    leave_sums(loss_sum, weight_sum, each, partial, loss, total, divisor, scratch)


def cross_entropy_forward(
    x, target, weight, ignore_index, label_smoothing, reduction, loss, statistics, total
):
    M, C = x.shape
    if M == 0:
        return fill_empty(reduction, loss, total)
    arguments = (x, target, *weights_of(weight, x), ignore_index, 1 - label_smoothing,
                 label_smoothing / C, statistics, word_of("cross_entropy", C, ignore_index))
    reduce_rows(cross_entropy_kernel, M, C, lanes_for(M, C), arguments, reduction, loss, total, 0)
    late_errors.check_if_simulated()
    return -1


@rows_kernel
def cross_entropy_backward_kernel(
    x: Ptr[T], target: Ptr[int64], weight: Ptr[T], weighted: int32, ignore_index: int64, sharp: T,
    spread: T, statistics: Ptr[T], total: Ptr[T], grad_loss: Ptr[T], each: int32, grad_x: Ptr[T],
    M: int64, C: int64,
):
    scratch = cuda.shared.array(32, T)
    lane, row = lane_of_team(), first_row() + team_of_block()
    spreads = spread * T(C)
    if weighted and spread != T(0):
        spreads = T(0)
        for c in range(lane, C, LANES):
            spreads += spread * weight[c]
        spreads = team_sum(spreads, scratch)
    if row < M:
        at, label = row * C, target[row]
        fits = 0 <= label < C
        gain = grad_loss[row if each else 0] / total[0]
        if fits:
            own = sharp * weight_at(weight, weighted, label)
        else:
            own = T(NAN)
        for c in range(lane, C, LANES):
            grad = T(0)
            if label != ignore_index:
                p = exp(x[at + c] - statistics[2 * row] - statistics[2 * row + 1])
                grad = (own + spreads) * p - spread * weight_at(weight, weighted, c)
                grad = gain * (grad - own if c == label else grad)
            grad_x[at + c] = grad


def cross_entropy_backward(
    x, target, weight, ignore_index, label_smoothing, reduction, statistics, total, grad_loss,
    grad_x,
):
    M, C = x.shape
    if x.size:
        launch_rows(cross_entropy_backward_kernel, M, C, x, target, *weights_of(weight, x),
                    ignore_index, 1 - label_smoothing, label_smoothing / C, statistics, total,
                    grad_loss, reduction == "none", grad_x)


@device
def smoothed(target, weight, weighted, sharp, spread, at, c):
    """q[m, c] = w[c] * ((1 - s) * target[m, c] + s / C)"""
    return weight_at(weight, weighted, c) * (sharp * target[at + c] + spread)


@rows_kernel
def soft_cross_entropy_kernel(
    x: Ptr[T], target: Ptr[T], weight: Ptr[T], weighted: int32, sharp: T, spread: T,
    statistics: Ptr[T], each: int32, partial: Ptr[T], loss: Ptr[T], total: Ptr[T], divisor: T,
    M: int64, C: int64,
):
    scratch = cuda.shared.array(32, T)
    lane, loss_sum = lane_of_team(), T(0)
    for first in range(first_row(), M, rows_of_grid()):
        row = first + team_of_block()
        at = min(row, M - 1) * C
        largest = largest_of(x, at, C, scratch)
        log_total = log(sum_of_exp(x, at, C, largest, scratch))
        this = T(0)
        for c in range(lane, C, LANES):
            q = smoothed(target, weight, weighted, sharp, spread, at, c)
            this -= q * (x[at + c] - largest - log_total)
        this = team_sum(this, scratch)
        if row < M and lane == 0:
            statistics[2 * row] = largest
            statistics[2 * row + 1] = log_total
            loss_sum += this
            if each:
                loss[row] = this
    leave_sums(loss_sum, T(0), each, partial, loss, total, divisor, scratch)


def soft_cross_entropy_forward(x, target, weight, label_smoothing, reduction, loss, statistics):
    M, C = x.shape
    if M == 0:
        fill_empty(reduction, loss)
        return
    arguments = (x, target, *weights_of(weight, x), 1 - label_smoothing, label_smoothing / C,
                 statistics)
    reduce_rows(soft_cross_entropy_kernel, M, C, lanes_for(M, C), arguments, reduction, loss, None,
                M)


@rows_kernel
def soft_cross_entropy_backward_kernel(
    x: Ptr[T], target: Ptr[T], weight: Ptr[T], weighted: int32, sharp: T, spread: T,
    statistics: Ptr[T], grad_loss: Ptr[T], each: int32, divisor: T, grad_x: Ptr[T], by_x: int32,
    grad_target: Ptr[T], by_target: int32, M: int64, C: int64,
):
    scratch = cuda.shared.array(32, T)
    lane, row = lane_of_team(), first_row() + team_of_block()
    m = min(row, M - 1)
    at, total = m * C, T(0)
    if by_x:
        for c in range(lane, C, LANES):
            total += smoothed(target, weight, weighted, sharp, spread, at, c)
        total = team_sum(total, scratch)
    gain = grad_loss[m if each else 0] / divisor
    if row < M:
        for c in range(lane, C, LANES):
            logp = x[at + c] - statistics[2 * m] - statistics[2 * m + 1]
            if by_x:
                q = smoothed(target, weight, weighted, sharp, spread, at, c)
                grad_x[at + c] = gain * (exp(logp) * total - q)
            if by_target:
                grad_target[at + c] = -gain * sharp * logp * weight_at(weight, weighted, c)


def soft_cross_entropy_backward(
    x, target, weight, label_smoothing, reduction, statistics, grad_loss, grad_x, grad_target
):
    M, C = x.shape
    outputs = []
    for out in (grad_x, grad_target):
        outputs += [x if out is None else out, out is not None]
    if x.size:
        launch_rows(soft_cross_entropy_backward_kernel, M, C, x, target, *weights_of(weight, x),
                    1 - label_smoothing, label_smoothing / C, statistics, grad_loss,
                    reduction == "none", M if reduction == "mean" else 1, *outputs)
