"""Instance normalisation layers. See ops/instance_norm.py."""

import warnings
from typing import Any

from .._core.checks import fail, shape_text
from ..ops.instance_norm import instance_norm
from ..ops.reshaping import reshape
from ..tensor import Tensor
from .batchnorm import _BatchNorm


class _InstanceNorm(_BatchNorm):
    """Parameters and running statistics are those of batch norm, though off by default."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
                 affine: bool = False, track_running_stats: bool = False, device: Any = None,
                 dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype,
                         bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        name, batched = type(self).__name__, max(self.axes)
        if input.ndim not in self.axes:
            fail(name, f"input {' or '.join(self.axes.values())}", shape_text(input.shape),
                 "Add the missing axes, or take the layer that fits.")
        shape = input.shape if input.ndim == batched else (1, *input.shape)
        if shape[1] != self.num_features:
            if self.affine or self.track_running_stats:
                fail(name, f"input with {self.num_features} channels, num_features of the layer",
                     shape_text(input.shape), "Channels are axis 1, or 0 of a single image.")
            warnings.warn(f"{name}: input {shape_text(input.shape)} has {shape[1]} channels, not "
                          f"num_features={self.num_features}, which is not used without affine.",
                          stacklevel=2)
        output = instance_norm(
            reshape(input, shape) if input.ndim < batched else input, self.running_mean,
            self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum, self.eps)
        return reshape(output, input.shape) if input.ndim < batched else output

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
                f"affine={self.affine}, bias={self.bias is not None}, "
                f"track_running_stats={self.track_running_stats}")


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sequence (N, C, L), or of one (C, L). See InstanceNorm2d.

    Example: >>> import tinycnn
             >>> InstanceNorm1d(1, eps=0)(tinycnn.tensor([[1.0, 3.0]]))
             tensor([[-1.,  1.]])
    """

    axes = {2: "(C, L)", 3: "(N, C, L)"}


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image (N, C, H, W) over its pixels, or of one (C, H, W).

    y = (x - mean) / sqrt(var + eps) * weight + bias

    With track_running_stats the averages of mean and variance over the images of a batch move
    running statistics, which are used in evaluation.

    Args:    num_features (int): C.
             eps (float): added to the variance.
             momentum (float or None): weight of the newest batch in the running statistics; None
             means 0 here, as in PyTorch.
             affine (bool): learn weight and bias, which start at 1 and 0.
             track_running_stats (bool): keep running statistics.
             device, dtype: of parameters and running statistics; float32 unless told.
             bias (bool): with affine, learn a bias, too.
    Shape:   output as input; weight, bias, running_mean, running_var (C,), num_batches_tracked (),
             which stays 0, as in PyTorch.
    Example: >>> import tinycnn
             >>> InstanceNorm2d(1, eps=0)(tinycnn.tensor([[[[1.0, 3.0]]]])).tolist()
             [[[[-1.0, 1.0]]]]
    Source:  Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization: the missing ingredient for
             fast stylization".
    """

    axes = {3: "(C, H, W)", 4: "(N, C, H, W)"}


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each volume (N, C, D, H, W), or of one (C, D, H, W). See
    InstanceNorm2d.

    Example: >>> import tinycnn
             >>> InstanceNorm3d(1, eps=0)(tinycnn.tensor([[[[[1.0, 3.0]]]]])).tolist()
             [[[[[-1.0, 1.0]]]]]
    """

    axes = {4: "(C, D, H, W)", 5: "(N, C, D, H, W)"}
