"""Local response normalisation: a thread for each number. Mirrors reference/local_response.py.

The numbers of a window lie side by side, and neighbouring threads share all but one of them: they
come from the cache. Backward leaves what windows share in memory before it adds that up.
"""

from __future__ import annotations

from .backend import xp
from .kernel import FLOATS, kernel
from .primitives import Ptr, T, device, exp, int64, log, sqrt, thread_of_grid

THREE_QUARTERS, HALF, WHOLE, LOGARITHM = range(4)
POWERS = {0.75: THREE_QUARTERS, 0.5: HALF, 1.0: WHOLE}
POWER = THREE_QUARTERS
VARIANTS = [{**floats, "POWER": power} for floats in FLOATS for power in range(4)]


@device
def inverse_power(d, beta):
    """1 / d^beta"""
    if POWER == WHOLE:
        return T(1) / d
    if POWER == HALF:
        return T(1) / sqrt(d)
    if POWER == THREE_QUARTERS:
        root = sqrt(d)
        return T(1) / (root * sqrt(root))
    return exp(-beta * log(d))


@device
def divisor_of(x, i, C, before, after, alpha, k):
    """d = k + alpha * sum of x^2 over the window of number i; alpha is divided by its size."""
    c = i % C
    total = T(0)
    for at in range(i - min(before, c), i + min(after, C - 1 - c) + 1):
        total += x[at] * x[at]
    return k + alpha * total


def _over(kernel, arrays, size, settings, **constants):
    """Launch over the numbers of arrays (M, C)."""
    C, n = arrays[0].shape[1], arrays[0].size
    kernel.launch(kernel.blocks(n), (*arrays, size // 2, (size - 1) // 2, *settings, C, n),
                  T=arrays[0].dtype, **constants)


@kernel(variants=VARIANTS)
def response_forward_kernel(x: Ptr[T], y: Ptr[T], before: int64, after: int64, alpha: T, beta: T,
                            k: T, C: int64, n: int64):
    i = thread_of_grid()
    if i < n:
        y[i] = x[i] * inverse_power(divisor_of(x, i, C, before, after, alpha, k), beta)


def local_response_forward(x, y, size, alpha, beta, k):
    _over(response_forward_kernel, (x, y), size, (alpha / size, beta, k),
          POWER=POWERS.get(beta, LOGARITHM))


@kernel(variants=VARIANTS)
def response_direct_kernel(x: Ptr[T], grad_y: Ptr[T], grad_x: Ptr[T], shared: Ptr[T], before: int64,
                           after: int64, alpha: T, beta: T, k: T, C: int64, n: int64):
    """grad_x = g / d^beta, what comes straight through, and shared = g x / d^(beta + 1)."""
    i = thread_of_grid()
    if i < n:
        d = divisor_of(x, i, C, before, after, alpha, k)
        direct = grad_y[i] * inverse_power(d, beta)
        grad_x[i] = direct
        shared[i] = direct * x[i] / d


@kernel()
def response_windows_kernel(x: Ptr[T], shared: Ptr[T], grad_x: Ptr[T], before: int64, after: int64,
                            twice: T, C: int64, n: int64):
    """grad_x[i] -= twice * x[i] * sum of shared over the channels whose windows see i."""
    i = thread_of_grid()
    if i < n:
        c = i % C
        total = T(0)
        for at in range(i - min(after, c), i + min(before, C - 1 - c) + 1):
            total += shared[at]
        grad_x[i] -= twice * x[i] * total


def local_response_backward(x, grad_y, grad_x, size, alpha, beta, k):
    shared = xp.empty(x.shape, x.dtype)
    _over(response_direct_kernel, (x, grad_y, grad_x, shared), size, (alpha / size, beta, k),
          POWER=POWERS.get(beta, LOGARITHM))
    _over(response_windows_kernel, (x, shared, grad_x), size, (2 * alpha / size * beta,))
