"""Adaptive pooling: windows that share out an input of any size among `output_size` results.

Size letters as in pooling.py, whose two operations these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._inputs import check_float
from .pool_plan import adaptive_plan
from .pooling import AvgPool, MaxPool

if TYPE_CHECKING:
    from ..tensor import Tensor


def _plan_of(function, dims, input, output_size):
    check_float(function, "input", input)
    return adaptive_plan(function, dims, input.data.shape, output_size)


def adaptive_max_pool1d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of each of `output_size` windows along one axis: adaptive_max_pool2d without H.

    Window i reaches from floor(i * L / OL) to ceil((i + 1) * L / OL).

    Args:    input (Tensor): (N, C, L) or (C, L); the rest as in adaptive_max_pool2d.
    Returns: Tensor (N, C, OL); with return_indices also int64 (N, C, OL).
    Raises:  ValueError: as adaptive_max_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_max_pool1d(tinycnn.tensor([[1.0, 3.0, 2.0]]), 2)
             tensor([[3., 3.]])
    """
    plan = _plan_of("adaptive_max_pool1d", 1, input, output_size)
    return MaxPool.apply(input, plan, bool(return_indices))


def adaptive_max_pool2d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of each window, of which there are `output_size` for any size of input.

    Window i reaches from floor(i * H / OH) to ceil((i + 1) * H / OH), along W likewise.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             output_size (int or pair): OH, OW; None keeps the size of that axis.
             return_indices (bool): also return h * W + w of each largest value.
    Returns: Tensor (N, C, OH, OW); with return_indices also int64 (N, C, OH, OW).
    Raises:  ValueError: if input has no pixels or another number of axes, if a size is negative.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]])
             >>> adaptive_max_pool2d(x, (1, 2))
             tensor([[[4., 5.]]])
    """
    plan = _plan_of("adaptive_max_pool2d", 2, input, output_size)
    return MaxPool.apply(input, plan, bool(return_indices))


def adaptive_max_pool3d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Largest value of each of `output_size` windows: adaptive_max_pool2d with D in front.

    Window i reaches from floor(i * D / OD) to ceil((i + 1) * D / OD), along H and W likewise.

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W); the rest as in adaptive_max_pool2d.
    Returns: Tensor (N, C, OD, OH, OW); with return_indices also int64 of that shape.
    Raises:  ValueError: as adaptive_max_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_max_pool3d(tinycnn.tensor([[[[1.0, 2.0]], [[4.0, 3.0]]]]), 1)
             tensor([[[[4.]]]])
    """
    plan = _plan_of("adaptive_max_pool3d", 3, input, output_size)
    return MaxPool.apply(input, plan, bool(return_indices))


def adaptive_avg_pool1d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None
) -> Tensor:
    """Average of each of `output_size` windows along one axis: adaptive_avg_pool2d without H.

    Window i reaches from floor(i * L / OL) to ceil((i + 1) * L / OL).

    Args:    input (Tensor): (N, C, L) or (C, L); the rest as in adaptive_avg_pool2d.
    Returns: Tensor (N, C, OL).
    Raises:  ValueError: as adaptive_avg_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_avg_pool1d(tinycnn.tensor([[1.0, 3.0, 2.0]]), 2)
             tensor([[2.0000, 2.5000]])
    """
    return AvgPool.apply(input, _plan_of("adaptive_avg_pool1d", 1, input, output_size), None)


def adaptive_avg_pool2d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None
) -> Tensor:
    """Average of each window, of which there are `output_size` for any size of input.

    Window i reaches from floor(i * H / OH) to ceil((i + 1) * H / OH), along W likewise. With
    output_size=1 it is the global average.

    Args:    input (Tensor): (N, C, H, W) or (C, H, W), float32 or float64.
             output_size (int or pair): OH, OW; None keeps the size of that axis.
    Returns: Tensor (N, C, OH, OW).
    Raises:  ValueError: if input has no pixels or another number of axes, if a size is negative.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]])
             >>> adaptive_avg_pool2d(x, 1)
             tensor([[[2.5000]]])
    Source:  Lin, Chen & Yan 2014, "Network in Network", section 3.2 (global average pooling).
    """
    return AvgPool.apply(input, _plan_of("adaptive_avg_pool2d", 2, input, output_size), None)


def adaptive_avg_pool3d(
    input: Tensor, output_size: int | tuple[int | None, ...] | None
) -> Tensor:
    """Average of each of `output_size` windows: adaptive_avg_pool2d with D in front.

    Window i reaches from floor(i * D / OD) to ceil((i + 1) * D / OD), along H and W likewise.

    Args:    input (Tensor): (N, C, D, H, W) or (C, D, H, W); the rest as in adaptive_avg_pool2d.
    Returns: Tensor (N, C, OD, OH, OW).
    Raises:  ValueError: as adaptive_avg_pool2d.
    Example: >>> import tinycnn
             >>> adaptive_avg_pool3d(tinycnn.tensor([[[[1.0, 2.0]], [[4.0, 3.0]]]]), 1)
             tensor([[[[2.5000]]]])
    """
    return AvgPool.apply(input, _plan_of("adaptive_avg_pool3d", 3, input, output_size), None)
