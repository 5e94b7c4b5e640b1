"""What a convolution reads, as a gather: the same table for the forward pass and the gradient of
the input, in one, two or three axes.

    y[origin + o * step, :] = sum over taps of x[o * stride + tap's offset, :] times its weights

o runs over the outputs of a phase. The forward pass has one phase. The gradient of the input of a
convolution with stride s has s phases an axis: pixels a, a + s, a + 2 s, ... were seen through the
same taps, those t with (a + padding - t * dilation) divisible by s, from the output
(a + padding - t * dilation) / s on. No tap is visited in vain, and nothing is added from two sides.

Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic", chapter 4.
"""

from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy

from .kept import upload

PHASE_FIELDS = 8  # out d, h, w; origin d, h, w; first tap; number of taps
TAP_FIELDS = 4  # offset d, h, w; place in the weights' window


class Gather(NamedTuple):
    """A gather's tables, on the device and here, and what all of its phases share."""

    phases: Any  # (phases, PHASE_FIELDS) int32, on the device
    taps: Any  # (taps, TAP_FIELDS) int32, on the device
    host_phases: tuple  # the same as tuples
    host_taps: tuple
    stride: tuple  # of reading, d h w
    step: tuple  # of writing, d h w

    @property
    def most_outputs(self):
        """Outputs of an image in the largest phase."""
        return max((d * h * w for d, h, w, *_ in self.host_phases), default=0)


@cache
def forward(window, x_size, y_size):
    """The gather of the forward pass; sizes (D, H, W)."""
    offsets = [
        [t * d - low for t in range(k)]
        for k, d, (low, _) in zip(window.kernel, window.dilation, window.padding)
    ]
    taps = [(*offset, place) for place, offset in enumerate(product(*offsets))]
    return _gather([(*y_size, 0, 0, 0, 0, len(taps))], taps, window.stride, (1, 1, 1))


@cache
def backward(window, x_size, y_size):
    """The gather of the gradient of the input, which reads grad_y and writes grad_x."""
    places = {t: i for i, t in enumerate(product(*map(range, window.kernel)))}
    phases, taps = [], []
    for first in product(*[range(min(s, n)) for s, n in zip(window.stride, x_size)]):
        seen = []
        for a, k, s, d, (low, _) in zip(first, window.kernel, window.stride, window.dilation,
                                        window.padding):
            reach = [(t, a + low - t * d) for t in range(k)]
            seen.append([(t, r // s) for t, r in reach if r % s == 0])
        count = [-(-(n - a) // s) for n, a, s in zip(x_size, first, window.stride)]
        found = [(*[o for _, o in axes], places[tuple(t for t, _ in axes)])
                 for axes in product(*seen)]
        phases.append((*count, *first, len(taps), len(found)))
        taps += found
    return _gather(phases, taps, (1, 1, 1), window.stride)


def _gather(phases, taps, stride, step):
    def table(rows, fields):
        return upload(numpy.array(rows, numpy.int32).reshape(-1, fields))

    return Gather(table(phases, PHASE_FIELDS), table(taps, TAP_FIELDS), tuple(phases), tuple(taps),
                  tuple(stride), tuple(step))
