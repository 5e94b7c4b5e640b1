"""Unpooling: values put back to where they were the largest. Mirrors reference/unpooling.py.

Several values may go to one pixel, and threads come in any order. So places are bid for first: a
pixel keeps the last one, by an atomic minimum of whole numbers; then each pixel takes the value of
the place that it kept.
"""

from __future__ import annotations

from math import prod

from . import late_errors
from .backend import xp
from .kernel import kernel
from .late_errors import leave
from .primitives import Ptr, T, atomic_min, int32, int64, thread_of_grid


@kernel(variants=({},))
def claim_kernel(
    index: Ptr[int64], winner: Ptr[int32], late: Ptr[int64], places: int64, pixels: int64, C: int64,
    n: int64,
):
    """winner = -1 - (the last place whose value goes to a pixel), 0 where there is none."""
    i = thread_of_grid()
    if i < n:
        row = i // C
        c = i - row * C
        image = row // places
        place = row - image * places
        pixel = index[i]
        if 0 <= pixel < pixels:
            atomic_min(winner, (image * pixels + pixel) * C + c, -1 - place)
        else:
            leave(late, (image * C + c) * places + place, pixel)


@kernel()
def take_winner_kernel(
    x: Ptr[T], winner: Ptr[int32], y: Ptr[T], places: int64, pixels: int64, C: int64, n: int64
):
    i = thread_of_grid()
    if i < n:
        row = i // C
        place = -1 - int64(winner[i])
        y[i] = x[(row // pixels * places + place) * C + i - row * C] if place >= 0 else T(0)


def max_unpool_forward(x, index, y):
    places, pixels, C = prod(x.shape[1:4]), prod(y.shape[1:4]), x.shape[4]
    word = late_errors.word_for(
        "max_unpool", f"indices from 0 to {pixels - 1} for the output size "
        f"({', '.join(map(str, y.shape[1:4]))})", "{what} at element {place}",
        "Pass the indices of max_pool, and the size of its input as output_size.")
    winner = xp.zeros(y.shape, "int32")
    claim_kernel.launch(claim_kernel.blocks(x.size), (index, winner, word, places, pixels, C,
                                                      x.size))
    take_winner_kernel.launch(take_winner_kernel.blocks(y.size),
                              (x, winner, y, places, pixels, C, y.size), T=x.dtype)
    late_errors.check_if_simulated()
    return True


@kernel()
def max_unpool_backward_kernel(
    grad_y: Ptr[T], index: Ptr[int64], grad_x: Ptr[T], places: int64, pixels: int64, C: int64,
    n: int64,
):
    i = thread_of_grid()
    if i < n:
        row, pixel = i // C, index[i]
        fits = 0 <= pixel < pixels
        at = (row // places * pixels + pixel) * C + i - row * C
        grad_x[i] = grad_y[at if fits else 0] if fits else T(0)


def max_unpool_backward(grad_y, index, grad_x):
    max_unpool_backward_kernel.launch(
        max_unpool_backward_kernel.blocks(grad_x.size),
        (grad_y, index, grad_x, prod(grad_x.shape[1:4]), prod(grad_y.shape[1:4]), grad_x.shape[4],
         grad_x.size), T=grad_x.dtype)
