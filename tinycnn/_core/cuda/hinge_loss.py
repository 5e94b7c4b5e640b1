"""Hinge losses of classes: a team of threads takes a row, see rows.py. Mirrors
reference/hinge_loss.py."""

from __future__ import annotations

from . import late_errors
from .kernel import kernel
from .late_errors import leave
from .nll import weight_at, weights_of
from .primitives import Ptr, T, cuda, device, int32, int64, thread_of_grid
from .rows import (
    BLOCK,
    LANES,
    TEAMS,
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

NAN = float("nan")
ADVICE = "Give the last layer more outputs, or correct the targets."
P = 1
MARGINS = [{**team, "P": p} for team in TEAMS for p in (1, 2)]


@device
def rectified(x):
    """max(x, 0), NaN if x is."""
    return T(0) if x <= T(0) else x


@device
def score_of(x, at, label, C):
    """x[label]; NaN if there is no such class, which is not looked up."""
    return x[at + label] if 0 <= label < C else T(NAN)


@kernel(BLOCK, variants=MARGINS, simulated_threads=BLOCK)
def multi_margin_kernel(
    x: Ptr[T], target: Ptr[int64], weight: Ptr[T], weighted: int32, margin: T, late: Ptr[int64],
    each: int32, partial: Ptr[T], loss: Ptr[T], total: Ptr[T], divisor: T, M: int64, C: int64,
):
    scratch = cuda.shared.array(32, T)
    lane, loss_sum = lane_of_team(), T(0)
    for first in range(first_row(), M, rows_of_grid()):
        row = first + team_of_block()
        m = min(row, M - 1)
        at, label, this = m * C, target[m], T(0)
        lead = margin - score_of(x, at, label, C)
        for c in range(lane, C, LANES):
            excess = T(0) if c == label else rectified(lead + x[at + c])
            this += excess if P == 1 else excess * excess
        this = team_sum(this, scratch)
        if row < M and lane == 0:
            if not 0 <= label < C:
                leave(late, row, label)
                this = T(NAN)
            elif weighted:
                this *= weight[label]
            this /= T(C)
            loss_sum += this
            if each:
                loss[row] = this
    leave_sums(loss_sum, T(0), each, partial, loss, total, divisor, scratch)


def multi_margin_forward(x, target, weight, p, margin, reduction, loss):
    M, C = x.shape
    if M == 0:
        return fill_empty(reduction, loss)
    word = late_errors.word_for("multi_margin_loss", f"classes from 0 to {C - 1}",
                                "class {what} of prediction {place}", ADVICE)
    arguments = x, target, *weights_of(weight, x), margin, word
    _reduce(multi_margin_kernel, M, C, arguments, reduction, loss, P=p)
    late_errors.check_if_simulated()
    return -1


def _reduce(kernel, M, C, arguments, reduction, loss, **constants):
    reduce_rows(kernel, M, C, lanes_for(M, C), arguments, reduction, loss, None, M, **constants)


@kernel(BLOCK, variants=MARGINS, simulated_threads=BLOCK)
def multi_margin_backward_kernel(
    x: Ptr[T], target: Ptr[int64], weight: Ptr[T], weighted: int32, margin: T, grad_loss: Ptr[T],
    each: int32, divisor: T, grad_x: Ptr[T], M: int64, C: int64,
):
    scratch = cuda.shared.array(32, T)
    lane, row = lane_of_team(), first_row() + team_of_block()
    m = min(row, M - 1)
    at, label, total = m * C, target[m], T(0)
    fits = 0 <= label < C
    lead = margin - score_of(x, at, label, C)
    gain = grad_loss[m if each else 0] / divisor / T(C)
    gain *= weight_at(weight, weighted, label) if fits else T(NAN)
    for c in range(lane, C, LANES):
        excess = T(0) if c == label else rectified(lead + x[at + c])
        slope = T(2) * excess if P == 2 else T(0) if excess == T(0) else T(1)
        total += gain * slope
        if row < M:
            grad_x[at + c] = gain * slope
    total = team_sum(total, scratch)
    if row < M and fits and label % int64(LANES) == lane:  # who has written it
        grad_x[at + label] = -total


def multi_margin_backward(x, target, weight, p, margin, reduction, grad_loss, grad_x):
    if x.size:
        M, C = x.shape
        launch_rows(multi_margin_backward_kernel, M, C, x, target, *weights_of(weight, x), margin,
                    grad_loss, reduction == "none", M if reduction == "mean" else 1, grad_x, P=p)


@kernel()
def count_kernel(
    target: Ptr[int64], counts: Ptr[T], late: Ptr[int64], M: int64, C: int64,
):
    """counts[m, c]: how often class c is in the list of row m; NaN if the list is no good."""
    i = thread_of_grid()
    if i < M * C:
        row, c = i // C, i % C
        found, listed = T(0), True
        for k in range(C):
            label = target[row * C + k]
            listed = listed and label >= 0
            if listed and label == c:
                found += T(1)
            if not int64(-1) <= label < C:
                found = T(NAN)
                if c == 0:
                    leave(late, row, label)
        counts[i] = found


@rows_kernel
def multilabel_margin_kernel(
    x: Ptr[T], target: Ptr[int64], counts: Ptr[T], each: int32, partial: Ptr[T], loss: Ptr[T],
    total: Ptr[T], divisor: T, M: int64, C: int64,
):
    scratch = cuda.shared.array(32, T)
    lane, loss_sum = lane_of_team(), T(0)
    for first in range(first_row(), M, rows_of_grid()):
        row = first + team_of_block()
        m = min(row, M - 1)
        at, this = m * C, T(0)
        for c in range(lane, C, LANES):
            if counts[at + c] == T(0):
                k = int64(0)
                while k < C and target[at + k] >= 0:
                    this += rectified(T(1) - x[at + target[at + k]] + x[at + c])
                    k += int64(1)
            elif not counts[at + c] > T(0):
                this = T(NAN)
        this = team_sum(this, scratch) / T(C)
        if row < M and lane == 0:
            loss_sum += this
            if each:
                loss[row] = this
    leave_sums(loss_sum, T(0), each, partial, loss, total, divisor, scratch)


def multilabel_margin_forward(x, target, reduction, loss, counts):
    M, C = x.shape
    if M == 0:
        return fill_empty(reduction, loss)
    word = late_errors.word_for("multilabel_margin_loss", f"classes from 0 to {C - 1}, then -1",
                                "class {what} of prediction {place}", ADVICE)
    count_kernel.launch(count_kernel.blocks(M * C), (target, counts, word, M, C), T=x.dtype)
    _reduce(multilabel_margin_kernel, M, C, (x, target, counts), reduction, loss)
    late_errors.check_if_simulated()
    return -1


@rows_kernel
def multilabel_margin_backward_kernel(
    x: Ptr[T], counts: Ptr[T], grad_loss: Ptr[T], each: int32, divisor: T, grad_x: Ptr[T], M: int64,
    C: int64,
):
    row = first_row() + team_of_block()
    if row < M:
        at = row * C
        gain = grad_loss[row if each else 0] / divisor / T(C)
        for c in range(lane_of_team(), C, LANES):
            own, exceed = counts[at + c], T(0)
            for k in range(C):
                other = counts[at + k]
                if own == T(0) and other > T(0) and T(1) - x[at + k] + x[at + c] > T(0):
                    exceed += other
                if own > T(0) and other == T(0) and T(1) - x[at + c] + x[at + k] > T(0):
                    exceed -= own
            grad_x[at + c] = gain * (exceed if own >= T(0) else own)


def multilabel_margin_backward(x, counts, reduction, grad_loss, grad_x):
    if x.size:
        M, C = x.shape
        launch_rows(multilabel_margin_backward_kernel, M, C, x, counts, grad_loss,
                    reduction == "none", M if reduction == "mean" else 1, grad_x)


