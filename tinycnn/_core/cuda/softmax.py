"""Softmax and its logarithm, forward and backward: the part of reference/loss.py that is no loss.

A team of threads takes a row (rows.py): it finds the largest score, adds up the exponentials, and
goes over the row once more for what is asked. A row stays in the cache meanwhile.
"""

from __future__ import annotations

from .primitives import Ptr, T, cuda, device, exp, int64, log
from .rows import (
    LANES,
    first_row,
    lane_of_team,
    larger,
    launch_rows,
    rows_kernel,
    team_max,
    team_of_block,
    team_sum,
)

INFINITY = float("inf")


@device
def largest_of(x, at, C, scratch):
    """The largest of the C numbers from x[at] on. NaN may get lost: it comes back in the sum."""
    lane = lane_of_team()
    largest = T(-INFINITY)
    for c in range(lane, C, LANES):
        largest = larger(x[at + c], largest)
    return team_max(largest, scratch)


@device
def sum_of_exp(x, at, C, largest, scratch):
    total = T(0)
    for c in range(lane_of_team(), C, LANES):
        total += exp(x[at + c] - largest)
    return team_sum(total, scratch)


@rows_kernel
def softmax_kernel(x: Ptr[T], y: Ptr[T], M: int64, C: int64):
    scratch = cuda.shared.array(32, T)
    row = first_row() + team_of_block()
    at = min(row, M - 1) * C  # a team without a row goes along, as warps and blocks work together
    largest = largest_of(x, at, C, scratch)
    total = sum_of_exp(x, at, C, largest, scratch)
    if row < M:
        for c in range(lane_of_team(), C, LANES):
            y[at + c] = exp(x[at + c] - largest) / total


def softmax_forward(x, y):
    if x.size:
        launch_rows(softmax_kernel, *x.shape, x, y)


@rows_kernel
def softmax_backward_kernel(y: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], M: int64, C: int64):
    scratch = cuda.shared.array(32, T)
    row = first_row() + team_of_block()
    at = min(row, M - 1) * C
    total = T(0)
    for c in range(lane_of_team(), C, LANES):
        total += y[at + c] * grad_y[at + c]
    total = team_sum(total, scratch)
    if row < M:
        for c in range(lane_of_team(), C, LANES):
            grad_x[at + c] = y[at + c] * (grad_y[at + c] - total)


def softmax_backward(y, grad_y, grad_x):
    if y.size:
        launch_rows(softmax_backward_kernel, *y.shape, y, grad_y, grad_x)


@rows_kernel
def log_softmax_kernel(x: Ptr[T], y: Ptr[T], M: int64, C: int64):
    scratch = cuda.shared.array(32, T)
    row = first_row() + team_of_block()
    at = min(row, M - 1) * C
    largest = largest_of(x, at, C, scratch)
    log_total = log(sum_of_exp(x, at, C, largest, scratch))
    if row < M:
        for c in range(lane_of_team(), C, LANES):
            y[at + c] = x[at + c] - largest - log_total


def log_softmax_forward(x, y):
    if x.size:
        launch_rows(log_softmax_kernel, *x.shape, x, y)


@rows_kernel
def log_softmax_backward_kernel(y: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], M: int64, C: int64):
    scratch = cuda.shared.array(32, T)
    row = first_row() + team_of_block()
    at = min(row, M - 1) * C
    total = T(0)
    for c in range(lane_of_team(), C, LANES):
        total += grad_y[at + c]
    total = team_sum(total, scratch)
    if row < M:
        for c in range(lane_of_team(), C, LANES):
            grad_x[at + c] = grad_y[at + c] - exp(y[at + c]) * total


def log_softmax_backward(y, grad_y, grad_x):
    if y.size:
        launch_rows(log_softmax_backward_kernel, *y.shape, y, grad_y, grad_x)
