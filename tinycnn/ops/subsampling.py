"""Trainable subsampling, the pooling of LeNet-5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.checks import fail, shape_text
from .._core.shapes import tuple_of
from ._inputs import check_float, check_tensor
from .conv import convolution
from .reshaping import expand, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


def subsampling2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    kernel_size: int | tuple[int, ...] = 2,
    stride: int | tuple[int, ...] | None = None,
) -> Tensor:
    """The sum of every window, times a coefficient of its map, plus a bias of its map.

    y[n, c, i, j] = weight[c] * (sum over (p, q) of x[n, c, i * stride + p, j * stride + q])
                    + bias[c]

    That is a convolution of each map with a kernel of equal weights, and is computed as one.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             weight (Tensor): (C,), the dtype of input.
             bias (Tensor or None): (C,).
             kernel_size (int or pair): KH, KW.
             stride (int or pair): pixels from window to window; None means kernel_size.
    Returns: Tensor (N, C, OH, OW), OH = floor((H - KH) / stride) + 1.
    Raises:  ValueError: if weight or bias do not fit the channels, or no window fits the input.
             TypeError: if an argument is not a float tensor, or dtypes differ.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0], [3.0, 4.0]]])
             >>> subsampling2d(x, tinycnn.tensor([0.5]), tinycnn.tensor([1.0]))
             tensor([[[6.]]])
    Source:  LeCun et al. 1998, "Gradient-based learning applied to document recognition", II-B.
    """
    name = "subsampling2d"
    check_float(name, "input", input)
    check_float(name, "weight", weight)
    x, w = input.data.shape, weight.data.shape
    if len(x) not in (3, 4):
        fail(name, "input (N, C, H, W) or (C, H, W)", shape_text(x), "Reshape it to 4 axes.")
    if w != x[-3:-2] or not w[0]:
        fail(name, f"weight ({x[-3]},), a number for each channel of input {shape_text(x)}",
             shape_text(w), "Check channels of the layer.")
    if bias is not None:
        check_tensor(name, "bias", bias)
    kernel = tuple_of(kernel_size, 2, name, "kernel_size", 1)
    windows = expand(reshape(weight, (*w, 1, 1, 1)), (*w, 1, *kernel))
    return convolution(name, 2, input, windows, bias, kernel if stride is None else stride, 0, 1,
                       w[0])
