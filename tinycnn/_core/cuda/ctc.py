"""Connectionist temporal classification: a block takes an image, its threads the positions of the
target, step after step. Mirrors reference/ctc.py, where the words are explained.

The gradient is gathered: a thread takes one number of it, and adds up the shares of the positions
that hold its class, in their order.
"""

from __future__ import annotations

from . import late_errors
from .backend import xp
from .kernel import kernel
from .late_errors import leave
from .mode import SIMULATED
from .primitives import Ptr, T, cuda, device, exp, int32, int64, log, thread_of_grid

BLOCK = 32 if SIMULATED else 128
NAN, INF = float("nan"), float("inf")


@device
def symbol(targets, start, s, blank):
    """The class at a position: every other one is blank."""
    return targets[start + s // int64(2)] if s % int64(2) == 1 else blank


@device
def log_sum(a, b, c):
    """log(exp(a) + exp(b) + exp(c)), -inf of three times -inf"""
    most = a if a > b else b
    most = most if most > c else c
    top = T(0) if most == T(-INF) else most
    return top + log(exp(a - top) + exp(b - top) + exp(c - top))


@device
def known(label, C, blank):
    return 0 <= label < C and label != blank


@kernel(BLOCK, simulated_threads=BLOCK)
def ctc_check_kernel(
    targets: Ptr[int64], starts: Ptr[int64], target_lengths: Ptr[int64], blank: int64,
    losses: Ptr[T], late: Ptr[int64], N: int64, C: int64,
):
    """0 or NaN in losses[n]: NaN where there is a label that the kernels must not follow."""
    n = thread_of_grid()
    if n < N:
        found = T(0)
        for i in range(starts[n], starts[n] + target_lengths[n]):
            if not known(targets[i], C, blank):
                leave(late, n, targets[i])
                found = T(NAN)
        losses[n] = found


@kernel(BLOCK, simulated_threads=BLOCK)
def ctc_forward_kernel(
    log_probs: Ptr[T], targets: Ptr[int64], starts: Ptr[int64], input_lengths: Ptr[int64],
    target_lengths: Ptr[int64], blank: int64, log_alpha: Ptr[T], losses: Ptr[T], steps: int64,
    N: int64, C: int64, row: int64,
):
    n, lane = int64(cuda.blockIdx.x), int64(cuda.threadIdx.x)
    start, width = starts[n], int64(2) * target_lengths[n] + int64(1)
    known_labels = losses[n] == T(0)  # not NaN
    cuda.syncthreads()  # all have read it
    if known_labels:
        for t in range(input_lengths[n]):
            now = (n * steps + t) * row
            before = now - row
            for s in range(lane, width, int64(cuda.blockDim.x)):
                c = symbol(targets, start, s, blank)
                if t == 0:
                    from_here = T(0) if s < 2 else T(-INF)
                else:
                    one = log_alpha[before + s - 1] if s > 0 else T(-INF)
                    two = T(-INF)
                    if s > 2 and c != blank and c != symbol(targets, start, s - 2, blank):
                        two = log_alpha[before + s - 2]
                    from_here = log_sum(log_alpha[before + s], one, two)
                log_alpha[now + s] = from_here + log_probs[(t * N + n) * C + c]
            cuda.syncthreads()
        if lane == 0:
            if input_lengths[n] == 0:
                losses[n] = T(0) if width == 1 else T(INF)
            else:
                last = (n * steps + input_lengths[n] - 1) * row + width - 1
                other = log_alpha[last - 1] if width > 1 else T(-INF)
                losses[n] = -log_sum(log_alpha[last], other, T(-INF))


def ctc_forward(
    log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha, losses
):
    steps, N, C = log_probs.shape
    word = late_errors.word_for(
        "ctc_loss", f"labels from 0 to {C - 1} other than blank={blank}",
        "label {what} in the target of image {place}",
        "Give the last layer more outputs, or correct the targets.")
    ctc_check_kernel.launch(ctc_check_kernel.blocks(N), (
        targets, starts, target_lengths, blank, losses, word, N, C), T=log_probs.dtype)
    late_errors.check_if_simulated()
    ctc_forward_kernel.launch((N, 1, 1), (
        log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha, losses, steps,
        N, C, log_alpha.shape[2]), T=log_probs.dtype)
    return -1


@kernel(BLOCK, simulated_threads=BLOCK)
def ctc_shares_kernel(
    log_probs: Ptr[T], targets: Ptr[int64], starts: Ptr[int64], input_lengths: Ptr[int64],
    target_lengths: Ptr[int64], blank: int64, log_alpha: Ptr[T], losses: Ptr[T], ahead: Ptr[T],
    shares: Ptr[T], steps: int64, N: int64, C: int64, row: int64,
):
    """shares[n, t, s]: of the probability of all paths, that of those at s in step t.

    ahead (N, 2, row): log probabilities of what follows, of this step and, in turn, the next.
    """
    n, lane = int64(cuda.blockIdx.x), int64(cuda.threadIdx.x)
    start, width = starts[n], int64(2) * target_lengths[n] + int64(1)
    loss, own = losses[n], 2 * n * row
    if loss < T(INF):  # neither impossible nor NaN
        for back in range(input_lengths[n]):
            t = input_lengths[n] - int64(1) - back
            now, then = own + t % int64(2) * row, own + (t + int64(1)) % int64(2) * row
            at = (n * steps + t) * row
            for s in range(lane, width, int64(cuda.blockDim.x)):
                if back == 0:
                    after = T(0) if s > width - 3 else T(-INF)
                else:
                    c = symbol(targets, start, s, blank)
                    one = ahead[then + s + 1] if s < width - 1 else T(-INF)
                    two = T(-INF)
                    if s < width - 3 and c != blank and c != symbol(targets, start, s + 2, blank):
                        two = ahead[then + s + 2]
                    after = log_sum(ahead[then + s], one, two)
                shares[at + s] = exp(log_alpha[at + s] + after + loss)
                c = symbol(targets, start, s, blank)
                ahead[now + s] = after + log_probs[(t * N + n) * C + c]
            cuda.syncthreads()


@kernel()
def ctc_gradient_kernel(
    log_probs: Ptr[T], targets: Ptr[int64], starts: Ptr[int64], input_lengths: Ptr[int64],
    target_lengths: Ptr[int64], blank: int64, losses: Ptr[T], zero_infinity: int32, shares: Ptr[T],
    grad_losses: Ptr[T], grad: Ptr[T], steps: int64, N: int64, C: int64, row: int64, size: int64,
):
    i = thread_of_grid()
    if i < size:
        c, n = i % C, i // C % N
        t, loss = i // (C * N), losses[n]
        g = T(0)
        if t < input_lengths[n] and not (loss == T(INF) and zero_infinity):
            g = T(NAN)
            if loss < T(INF):
                g = exp(log_probs[i])
                at, start = (n * steps + t) * row, starts[n]
                for k in range(target_lengths[n]):
                    if c == blank:
                        g -= shares[at + 2 * k]
                    elif targets[start + k] == c:
                        g -= shares[at + 2 * k + 1]
                if c == blank:
                    g -= shares[at + 2 * target_lengths[n]]
                g *= grad_losses[n]
        grad[i] = g


def ctc_backward(
    log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha, losses,
    zero_infinity, grad_losses, grad
):
    steps, N, C = log_probs.shape
    row = log_alpha.shape[2]
    given = log_probs, targets, starts, input_lengths, target_lengths, blank
    shares, ahead = xp.empty_like(log_alpha), xp.empty((N, 2, row), log_probs.dtype)
    ctc_shares_kernel.launch((N, 1, 1), (
        *given, log_alpha, losses, ahead, shares, steps, N, C, row), T=log_probs.dtype)
    ctc_gradient_kernel.launch(ctc_gradient_kernel.blocks(grad.size), (
        *given, losses, zero_infinity, shares, grad_losses, grad, steps, N, C, row, grad.size),
        T=log_probs.dtype)
