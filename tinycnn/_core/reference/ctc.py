"""Connectionist temporal classification, forward and backward (Graves et al. 2006, section 4).

A path names a class for each of T steps; it reads as what is left when repeats are merged and
blanks (-) dropped: "aa-ab" reads as "aab". A target of L labels is written with blanks around each
label, 2 L + 1 symbols; a path moves along these from step to step:

    symbols of "ab":   -  a  -  b  -      it stays, goes on by one, or skips a blank between two
    positions s:       0  1  2  3  4      different labels; it starts at 0 or 1, ends at 2 L or
                                          2 L - 1

alpha[t, s]: log of the probability of all beginnings of paths that are at s in step t
beta[t, s]:  the same of all ends, from step t on

log_probs (T, N, C); targets: labels of all images, those of image n from starts[n] on.
"""

import numpy

_quiet = numpy.errstate(all="ignore")


@_quiet
def ctc_forward(
    log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha, losses
):
    """losses[n] = -log(sum of the probabilities of all paths that read as target n)

    log_probs (T, N, C)           IN
    targets (any,) int64          IN
    starts, input_lengths, target_lengths (N,) int64  IN
    log_alpha (N, T, 2 S + 1)     OUT  for backward; S is the longest target's length
    losses (N,)                   OUT  infinity where no path reads so
    returns                            the first image with a label out of range, or blank; or -1
    """
    C = log_probs.shape[2]
    for n, T in enumerate(input_lengths):
        symbols = _symbols(targets, starts[n], target_lengths[n], blank)
        labels = symbols[1::2]
        if ((labels < 0) | (labels >= C) | (labels == blank)).any():
            return n
        log_alpha[n] = -numpy.inf
        alpha = log_alpha[n, :, : len(symbols)]
        if T == 0:
            losses[n] = 0 if len(labels) == 0 else numpy.inf
            continue
        step = log_probs[:, n, symbols]  # (T, 2 L + 1)
        alpha[0, :2] = step[0, :2]
        skips = _skips(symbols)
        for t in range(1, T):
            alpha[t] = _after_a_step(alpha[t - 1], skips) + step[t]
        losses[n] = -numpy.logaddexp.reduce(alpha[T - 1, -2:])
    return -1


@_quiet
def ctc_backward(
    log_probs, targets, starts, input_lengths, target_lengths, blank, log_alpha, losses,
    zero_infinity, grad_losses, grad
):
    """grad[t, n, c] = g[n] * (exp(log_probs[t, n, c]) - the share of paths at class c in step t)

    The share is the sum over s with symbol c of exp(alpha + beta - log_probs + losses[n]), where
    log_probs is in alpha and in beta. This is the gradient with respect to scores whose log_softmax
    log_probs is; from the input_length on it is 0. Without a path it is NaN, 0 if zero_infinity.

    log_alpha, losses              IN   as forward left them
    grad_losses (N,)               IN   g
    grad (T, N, C)                 OUT
    """
    for n, T in enumerate(input_lengths):
        symbols = _symbols(targets, starts[n], target_lengths[n], blank)
        g = grad[:, n]
        g[...] = 0
        if losses[n] == numpy.inf:
            g[:T] = 0 if zero_infinity else numpy.nan
            continue
        step = log_probs[:, n, symbols]
        skips = _skips(symbols[::-1])
        g[:T] = numpy.exp(log_probs[:T, n])
        ahead = numpy.full(len(symbols), -numpy.inf, log_probs.dtype)  # beta[t] - step[t]
        ahead[-2:] = 0
        for t in range(T - 1, -1, -1):
            share = numpy.exp(log_alpha[n, t, : len(symbols)] + ahead + losses[n])
            numpy.subtract.at(g[t], symbols, share)
            ahead = _after_a_step((ahead + step[t])[::-1], skips)[::-1]
        g *= grad_losses[n]


def _symbols(targets, start, length, blank):
    """The labels of a target with blanks around them."""
    symbols = numpy.full(2 * length + 1, blank)
    symbols[1::2] = targets[start : start + length]
    return symbols


def _skips(symbols):
    """Where a path may come from two positions before: not where this would merge two labels."""
    skips = numpy.zeros(len(symbols), bool)
    skips[3::2] = symbols[3::2] != symbols[1:-2:2]
    return skips


def _after_a_step(log_p, skips):
    """Logs of probabilities of positions, after each path has stayed, gone on or skipped."""
    none = numpy.full(2, -numpy.inf, log_p.dtype)
    before = numpy.concatenate([none, log_p])
    skipped = numpy.where(skips, before[:-2], -numpy.inf)
    return numpy.logaddexp(numpy.logaddexp(log_p, before[1:-1]), skipped)
