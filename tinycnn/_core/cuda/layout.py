"""The one place where feature maps change between what users index and what kernels read. Mirrors
reference/layout.py."""

from ..reference import layout as reference
from .array import contiguous


def channels_last(x, dims):
    """(N, C, *spatial) as (N, D, H, W, C): a view. Weights (OC, C, *kernel) are seen so, too."""
    return reference.channels_last(x, dims)


def pixels(x, dims):
    """`channels_last` in contiguous memory; no copy if memory lies so."""
    return contiguous(reference.channels_last(x, dims))


def channels_first(y, dims):
    """(N, D, H, W, C) as (N, C, *spatial): a view without the axes that are not there."""
    return reference.channels_first(y, dims)
