"""Negative log likelihood and one_hot, and what losses of labels share: the part of
reference/loss.py that needs no exponentials."""

from __future__ import annotations

from . import late_errors
from .kernel import FLOATS, kernel
from .late_errors import leave
from .primitives import Ptr, T, cuda, device, int32, int64
from .rows import (
    BLOCK,
    LANES,
    TEAM_SIZES,
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
)

NAN = float("nan")


@device
def weight_at(weight, weighted, c):
    """The weight of class c; 1 where there are none."""
    return weight[c] if weighted else T(1)


@device
def weight_of(label, weight, weighted, ignore_index, C, row, late):
    """The weight of a label: 0 if it is ignored, NaN if there is no such class: an error."""
    if label == ignore_index:
        return T(0)
    if 0 <= label < C:
        return weight_at(weight, weighted, label)
    leave(late, row, label)
    return T(NAN)


def weights_of(weight, x):
    """The weights and whether there are any; without them some address that is not read."""
    return (x, 0) if weight is None else (weight, 1)


def word_of(function, C, ignore_index):
    return late_errors.word_for(
        function, f"classes from 0 to {C - 1} or ignore_index={ignore_index}",
        "class {what} of prediction {place}",
        "Give the last layer more outputs, or correct the targets.")


@kernel(BLOCK, variants=[{**floats, "LANES": 1} for floats in FLOATS], simulated_threads=BLOCK)
def nll_kernel(
    x: Ptr[T], target: Ptr[int64], weight: Ptr[T], weighted: int32, ignore_index: int64,
    late: Ptr[int64], each: int32, partial: Ptr[T], loss: Ptr[T], total: Ptr[T], divisor: T,
    M: int64, C: int64,
):
    """A thread takes a row: it reads one number of it."""
    scratch = cuda.shared.array(32, T)
    loss_sum, weight_sum = T(0), T(0)
    for first in range(first_row(), M, rows_of_grid()):
        row = first + team_of_block()
        if row < M:
            label, this = target[row], T(0)
            w = weight_of(label, weight, weighted, ignore_index, C, row, late)
            if label != ignore_index:
                this = -(x[row * C + label] if 0 <= label < C else T(NAN)) * w
            loss_sum += this
            weight_sum += w
            if each:
                loss[row] = this
    leave_sums(loss_sum, weight_sum, each, partial, loss, total, divisor, scratch)


def nll_forward(x, target, weight, ignore_index, reduction, loss, total):
    M, C = x.shape
    if M == 0:
        return fill_empty(reduction, loss, total)
    arguments = (x, target, *weights_of(weight, x), ignore_index,
                 word_of("nll_loss", C, ignore_index))
    reduce_rows(nll_kernel, M, C, 1, arguments, reduction, loss, total, 0)
    late_errors.check_if_simulated()
    return -1


@rows_kernel
def nll_backward_kernel(
    target: Ptr[int64], weight: Ptr[T], weighted: int32, ignore_index: int64, total: Ptr[T],
    grad_loss: Ptr[T], each: int32, grad_x: Ptr[T], M: int64, C: int64,
):
    row = first_row() + team_of_block()
    if row < M:
        label = target[row]
        fits = 0 <= label < C
        grad = T(0)
        if label != ignore_index:
            w = weight_at(weight, weighted, label) if fits else T(NAN)
            grad = -w * (grad_loss[row if each else 0] / total[0])
        for c in range(lane_of_team(), C, LANES):
            grad_x[row * C + c] = grad if c == label or not fits else T(0)


def nll_backward(target, weight, ignore_index, reduction, total, grad_loss, grad_x):
    if grad_x.size:
        launch_rows(nll_backward_kernel, *grad_x.shape, target, *weights_of(weight, grad_x),
                    ignore_index, total, grad_loss, reduction == "none", grad_x)


@kernel(BLOCK, variants=[{"LANES": n} for n in TEAM_SIZES], simulated_threads=BLOCK)
def one_hot_kernel(target: Ptr[int64], out: Ptr[int64], late: Ptr[int64], M: int64, C: int64):
    row, lane = first_row() + team_of_block(), lane_of_team()
    if row < M:
        label = target[row]
        for c in range(lane, C, LANES):
            out[row * C + c] = int64(1) if c == label else int64(0)
        if lane == 0 and not 0 <= label < C:
            leave(late, row, label)


def one_hot(target, out):
    M, C = out.shape
    lanes = lanes_for(M, C)
    word = late_errors.word_for(
        "one_hot", f"classes from 0 to {C - 1} (num_classes={C})", "{what} at element {place}",
        "Pass num_classes of at least the largest class + 1.")
    one_hot_kernel.launch((-(-M // (BLOCK // lanes)), 1, 1), (target, out, word, M, C), LANES=lanes)
    late_errors.check_if_simulated()
    return -1
