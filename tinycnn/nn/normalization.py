"""Normalisation layers of groups, rows and neighbours. See ops/group_norm.py and
ops/local_response.py."""

from collections.abc import Sequence
from typing import Any

from .._core.checks import fail, int_of, require, shape_text
from ..ops.group_norm import check_eps, group_norm, layer_norm, rms_norm
from ..ops.local_response import local_response_norm
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty_parameter


class _Scaled(Module):
    """Has a weight and, but for RMS norm, a bias, or None where they are not wanted."""

    def _learn(self, shape: tuple[int, ...], device: Any, dtype: Any, **wanted: bool) -> None:
        for name, learnt in wanted.items():
            self.register_parameter(name, empty_parameter(
                type(self).__name__, shape, device, dtype) if learnt else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        for name, fill in ("weight", init.ones_), ("bias", init.zeros_):
            parameter = getattr(self, name, None)
            if parameter is not None:
                fill(parameter)


class GroupNorm(_Scaled):
    """Normalises each group of channels of each image over these channels and all pixels.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    Args:    num_groups (int): G, which divides C.
             num_channels (int): C.
             eps (float): added to the variance.
             affine (bool): learn weight and bias of each channel, which start at 1 and 0.
             device, dtype: of the parameters; float32 unless told.
             bias (bool): with affine, learn a bias, too.
    Shape:   (N, C) or (N, C, *spatial), output as input; weight, bias (C,).
    Raises:  ValueError: if G does not divide C.
    Example: >>> import tinycnn
             >>> GroupNorm(2, 4, eps=0)(tinycnn.tensor([[1.0, 3.0, 8.0, 4.0]])).tolist()
             [[-1.0, 1.0, 1.0, -1.0]]
    Source:  Wu & He 2018, "Group normalization".
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
                 device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__()
        advice = "Pass for example GroupNorm(8, 64)."
        self.num_groups = int_of("GroupNorm", "num_groups", num_groups, advice)
        self.num_channels = int_of("GroupNorm", "num_channels", num_channels, advice)
        if num_groups < 1 or num_channels < 0 or num_channels % num_groups:
            fail("GroupNorm", "num_groups that divides num_channels",
                 f"{num_groups} and {num_channels}", advice)
        check_eps("GroupNorm", eps)
        self.eps = eps
        self.affine = affine
        self._learn((self.num_channels,), device, dtype, weight=affine, bias=affine and bias)

    def forward(self, input: Tensor) -> Tensor:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")


def _normalized(name: str, shape: Any) -> tuple[int, ...]:
    """normalized_shape of a layer: one int or several."""
    sizes = [shape] if hasattr(shape, "__index__") else shape
    require(isinstance(sizes, (list, tuple)), name, "normalized_shape to be an int or ints",
            repr(shape), "Pass the sizes of the last axes.", TypeError)
    found = tuple([int_of(name, "every size of normalized_shape", n, "Pass for example 64.")
                   for n in sizes])
    require(found and min(found) >= 0, name, "normalized_shape of at least one size, none below 0",
            shape_text(found), "Pass the sizes of the last axes.")
    return found


class LayerNorm(_Scaled):
    """Normalises the last axes: every row of features, or every image.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    Channels of a feature map are axis 1: permute it to (N, H, W, C) to normalise each pixel. That
    moves nothing in memory.

    Args:    normalized_shape (int or sequence of ints): the sizes of the last axes.
             eps (float): added to the variance.
             elementwise_affine (bool): learn a weight and a bias for each number of these axes,
             which start at 1 and 0.
             bias (bool): with elementwise_affine, learn a bias, too.
             device, dtype: of the parameters; float32 unless told.
    Shape:   (*, *normalized_shape), output as input; weight, bias normalized_shape.
    Example: >>> import tinycnn
             >>> LayerNorm(2, eps=0)(tinycnn.tensor([[1.0, 3.0], [8.0, 4.0]])).tolist()
             [[-1.0, 1.0], [1.0, -1.0]]
    Source:  Ba, Kiros & Hinton 2016, "Layer normalization".
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5,
                 elementwise_affine: bool = True, bias: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        self.normalized_shape = _normalized("LayerNorm", normalized_shape)
        check_eps("LayerNorm", eps)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._learn(self.normalized_shape, device, dtype, weight=elementwise_affine,
                       bias=elementwise_affine and bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine="
                f"{self.elementwise_affine}, bias={self.bias is not None}")


class RMSNorm(_Scaled):
    """Divides the last axes by their root mean square.

    y = x / sqrt(mean(x^2) + eps) * weight

    Args:    normalized_shape (int or sequence of ints): the sizes of the last axes.
             eps (float or None): added to the mean; None means 2^-23 in float32, 2^-52 in float64.
             elementwise_affine (bool): learn a weight for each number of these axes, 1 at first.
             device, dtype: of the parameter; float32 unless told.
    Shape:   (*, *normalized_shape), output as input; weight normalized_shape.
    Example: >>> import tinycnn
             >>> RMSNorm(2)(tinycnn.tensor([[1.0, 7.0]])).shape
             (1, 2)
    Source:  Zhang & Sennrich 2019, "Root mean square layer normalization".
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None,
                 elementwise_affine: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.normalized_shape = _normalized("RMSNorm", normalized_shape)
        if eps is not None:
            check_eps("RMSNorm", eps)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._learn(self.normalized_shape, device, dtype, weight=elementwise_affine)

    def forward(self, input: Tensor) -> Tensor:
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine="
                f"{self.elementwise_affine}")


class LocalResponseNorm(Module):
    """Divides each channel of a pixel by the strength of the channels beside it.

    y[c] = x[c] / (k + alpha / size * sum of x[j]^2)^beta, j from c - size // 2 to
    c + (size - 1) // 2

    Args:    size (int): channels of a window.
             alpha, beta, k (float): see the formula. AlexNet has size=5, alpha=5e-4, beta=0.75,
             k=2.
    Shape:   (N, C, *spatial), output as input.
    Example: >>> import tinycnn
             >>> LocalResponseNorm(2, alpha=2.0, beta=0.5)(tinycnn.ones(1, 3, 1)).shape
             (1, 3, 1)
    Source:  Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional
             neural networks", section 3.3.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
