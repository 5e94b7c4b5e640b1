"""Batch normalisation layers: they keep the running statistics. See ops/normalization.py."""

from collections.abc import Callable
from typing import Any

import numpy

from .._core.checks import fail, float_of, int_of, require, shape_text
from ..autograd import wrap
from ..ops.activation import relu
from ..ops.normalization import batch_norm, batch_norm_relu
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty_parameter


class _BatchNorm(Module):
    axes: dict[int, str]  # number of axes of an input: their letters
    _may_miss = frozenset({"num_batches_tracked"})  # PyTorch before 0.4.1 did not save it

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
                 affine: bool = True, track_running_stats: bool = True, device: Any = None,
                 dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__()
        name = type(self).__name__
        num_features = int_of(name, "num_features", num_features, "Pass the number of channels.")
        require(num_features >= 0, name, "num_features to be at least 0", repr(num_features),
                "Pass the number of channels.")
        require(float_of(name, "eps", eps, "Pass for example 1e-5.") >= 0, name, "eps >= 0",
                repr(eps), "Pass for example 1e-5.")
        advice = "It is the weight of the newest batch: pass for example 0.1."
        require(momentum is None or 0 <= float_of(name, "momentum", momentum, advice) <= 1, name,
                "momentum from 0 to 1, or None", repr(momentum), advice)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def channels() -> Any:
            return empty_parameter(name, (num_features,), device, dtype)

        self.register_parameter("weight", channels() if affine else None)
        self.register_parameter("bias", channels() if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", channels().detach() if tracked else None)
        self.register_buffer("running_var", channels().detach() if tracked else None)
        self.register_buffer("num_batches_tracked",
                             wrap(numpy.zeros((), numpy.int64)) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and no batch seen."""
        self.reset_running_stats()
        for parameter, fill in (self.weight, init.ones_), (self.bias, init.zeros_):
            if parameter is not None:
                fill(parameter)

    def forward(self, input: Tensor) -> Tensor:
        return self._normalise(batch_norm, input)

    def forward_relu(self, input: Tensor, residual: Tensor | None = None) -> Tensor:
        """relu(self(input) + residual) in one pass over memory: the end of a residual block.

        Args:    input (Tensor): as for calling the layer.
                 residual (Tensor or None): what is added before the ReLU, shape of input.
        Returns: Tensor, shape of input.
        Example: >>> import tinycnn
                 >>> layer = BatchNorm1d(1, eps=0)
                 >>> x = tinycnn.tensor([[1.0], [3.0]])
                 >>> layer.forward_relu(x, residual=tinycnn.tensor([[4.0], [-0.5]])).tolist()
                 [[3.0], [0.5]]
        """
        alone = self._hooks or type(self).forward is not _BatchNorm.forward
        if alone:  # what comes out of this layer itself is wanted
            output = self(input)
            return relu(output if residual is None else output + residual)
        return self._normalise(batch_norm_relu, input, residual=residual)

    def _normalise(self, operation: Callable[..., Tensor], input: Tensor, **options: Any) -> Tensor:
        if input.ndim not in self.axes:
            fail(type(self).__name__, f"input {' or '.join(self.axes.values())}",
                 shape_text(input.shape), "Add the missing axes, or take the layer that fits.")
        tracks = self.running_mean is not None
        momentum = self.momentum
        if momentum is None:  # the plain average over all batches so far
            momentum = 1.0 / (self.num_batches_tracked.item() + 1) if tracks else 0.0
        training = self.training or not tracks
        output = operation(input, self.running_mean, self.running_var, self.weight, self.bias,
                           training, momentum, self.eps, **options)
        if training and tracks:
            self.num_batches_tracked.data += 1
        return output

    def extra_repr(self) -> str:
        bias = ", bias=False" if self.affine and self.bias is None else ""
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine="
                f"{self.affine}{bias}, track_running_stats={self.track_running_stats}")


class BatchNorm1d(_BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) over the batch. See BatchNorm2d.

    Example: >>> import tinycnn
             >>> BatchNorm1d(1, eps=0)(tinycnn.tensor([[1.0], [3.0]])).tolist()
             [[-1.0], [1.0]]
    """

    axes = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of (N, C, H, W) over the batch and all pixels.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    In training mean and var are the batch's own, and
    running = (1 - momentum) * running + momentum * batch; in evaluation they are the running ones.

    Args:    num_features (int): C.
             eps (float): added to the variance.
             momentum (float or None): weight of the newest batch in the running statistics; None
             means that all batches count alike.
             affine (bool): learn weight and bias, which start at 1 and 0.
             bias (bool): with affine, learn a bias, too.
             track_running_stats (bool): False means the batch's own statistics in evaluation, too.
             device, dtype: of parameters and running statistics; float32 unless told.
    Shape:   output as input; weight, bias, running_mean, running_var (C,), num_batches_tracked ().
    Example: >>> import tinycnn
             >>> layer = BatchNorm2d(1, eps=0)
             >>> layer(tinycnn.tensor([[[[1.0, 3.0]]]])).tolist()
             [[[[-1.0, 1.0]]]]
             >>> layer.running_mean
             tensor([0.2000])
    Source:  Ioffe & Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training".
    """

    axes = {4: "(N, C, H, W)"}


class BatchNorm3d(_BatchNorm):
    """Normalises each channel of (N, C, D, H, W) over the batch and all voxels. See BatchNorm2d.

    Example: >>> import tinycnn
             >>> BatchNorm3d(1, eps=0)(tinycnn.tensor([[[[[1.0, 3.0]]]]])).tolist()
             [[[[[-1.0, 1.0]]]]]
    """

    axes = {5: "(N, C, D, H, W)"}
