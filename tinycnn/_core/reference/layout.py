"""The one place where feature maps change between what users index and what kernels read.

Users see (N, C, *spatial). Kernels read C-contiguous (N, D, H, W, C): the channels of a pixel lie
side by side, so that vector loads run over channels in every kernel and every pass. There are 1, 2
or 3 spatial axes; the missing ones come in front, of size 1.
"""

import numpy

_CHANNELS_LAST = {n: (0, *range(2, n + 2), 1) for n in (1, 2, 3)}
_CHANNELS_FIRST = {n: (0, n + 1, *range(1, n + 1)) for n in (1, 2, 3)}


def channels_last(x, dims):
    """(N, C, *spatial) as (N, D, H, W, C): a view. Weights (OC, C, *kernel) are seen so, too."""
    return x.transpose(_CHANNELS_LAST[dims])[(slice(None), *(None,) * (3 - dims))]


def pixels(x, dims):
    """`channels_last` in contiguous memory; no copy if memory lies so."""
    return numpy.ascontiguousarray(channels_last(x, dims))


def channels_first(y, dims):
    """(N, D, H, W, C) as (N, C, *spatial): a view without the axes that are not there."""
    return y[(slice(None), *(0,) * (3 - dims))].transpose(_CHANNELS_FIRST[dims])
