"""The one place where feature maps change between what users index and what kernels read.

Users see (N, C, *spatial). Kernels read C-contiguous (N, D, H, W, C): the channels of a pixel lie
side by side, so that vector loads run over channels in every kernel and every pass.
"""

_TO_LAST = {n: (0, *range(2, n + 2), 1) for n in (1, 2, 3)}


def to_channels_last(kernels, x, dims):
    """(N, C, *spatial) array to a C-contiguous (N, D, H, W, C) one; no copy if memory lies so.

    Args:    kernels (module): the device's.
             x (array): (N, C, *spatial), any strides.
             dims (int): 1, 2 or 3 spatial axes; the missing ones come in front, of size 1.
    """
    x = kernels.contiguous(x.transpose(_TO_LAST[dims]))
    if dims == 2:
        return x[:, None]
    return x if dims == 3 else x[:, None, None]


def from_channels_last(y, dims):
    """(N, D, H, W, C) array to its (N, C, *spatial) view.

    Args:    y (array): (N, D, H, W, C).
             dims (int): 1, 2 or 3 spatial axes; the axes in front of them have size 1.
    """
    if dims == 2:
        return y[:, 0].transpose(0, 3, 1, 2)
    if dims == 1:
        return y[:, 0, 0].transpose(0, 2, 1)
    return y.transpose(0, 4, 1, 2, 3)
