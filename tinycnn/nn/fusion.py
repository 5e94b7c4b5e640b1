"""Layers that follow one another and run as one: what Sequential does with chains of them.

    Conv, ReLU               the convolution writes max(0, y) in its last pass
    BatchNorm, ReLU          one pass forward, one backward
    Conv, BatchNorm, ReLU    in training as Conv, then BatchNorm with ReLU
    Conv, ReLU, MaxPool      in training as Conv, MaxPool, ReLU: the largest of a window is the
                             same, and the ReLU and its gradient pass over fewer numbers

In evaluation, where nothing is recorded, batch norm is a fixed scale and shift of every channel,
and so a part of the convolution in front of it:

    (w * x + b - mean) s + beta  =  (w s) * x + (b - mean) s + beta,   s = gamma / sqrt(var + eps)

The folded weights are made anew in every call, and only where the maps have more pixels than a
filter has weights, so that this costs less than a pass over the maps: there is nothing to keep up
to date, whatever happens to parameters and running statistics.
"""

from collections.abc import Sequence
from contextlib import ContextDecorator
from math import prod
from threading import local
from typing import Any

from ..autograd import is_grad_enabled
from ..ops.activation import relu
from ..ops.elementary import sqrt
from ..tensor import Tensor
from .activation import ReLU
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .conv import Conv1d, Conv2d, Conv3d
from .module import Module
from .pooling import MaxPool1d, MaxPool2d, MaxPool3d

# These types, no subclasses: a forward of one's own is always called.
_CONVS = frozenset({Conv1d, Conv2d, Conv3d})
_NORMS = frozenset({BatchNorm1d, BatchNorm2d, BatchNorm3d})
_POOLS = frozenset({MaxPool1d, MaxPool2d, MaxPool3d})
_STARTS = _CONVS | _NORMS


class _Mode(local):
    fusing = True


_mode = _Mode()


class no_fusion(ContextDecorator):
    """Context manager and decorator: inside, Sequential calls its layers one by one.

    The results differ by rounding only. A layer with a hook, or with a forward of its own, is
    called by itself anyway.

    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.ReLU())
             >>> x = tinycnn.ones(2, 1, 2, 2)
             >>> with nn.no_fusion():
             ...     y = net(x)
             >>> tinycnn.allclose(y, net(x))
             True
    """

    def __enter__(self) -> "no_fusion":
        self._before = getattr(self, "_before", [])  # a stack: one object may be entered twice
        self._before.append(_mode.fusing)
        _mode.fusing = False
        return self

    def __exit__(self, *_exception: object) -> None:
        _mode.fusing = self._before.pop()


def run(modules: Sequence[Module], input: Any) -> Any:
    """`input` through the modules, one after the other, chains as one."""
    place = 0
    while place < len(modules):
        module = modules[place]
        kinds = _chain(modules, place) if _mode.fusing and type(module) in _STARTS else ()
        if len(kinds) < 2:
            input = module(input)
        elif kinds[-1] in _POOLS:
            input = relu(modules[place + 2](module(input)))
        elif kinds[1] in _NORMS:
            input = _conv_norm(module, modules[place + 1], kinds[-1] is ReLU, input)
        else:
            input = module.forward_relu(input)
        place += len(kinds) or 1
    return input


def _chain(modules: Sequence[Module], place: int) -> tuple[type, ...]:
    """Types of the layers from `place` on that run as one."""
    kinds = []
    for module in modules[place : place + 3]:
        if module._hooks or "forward" in module.__dict__:  # they want to be called themselves
            break
        kinds.append(type(module))
    if kinds[1:2] == [ReLU]:
        pools = kinds[0] in _CONVS and kinds[-1] in _POOLS and is_grad_enabled()
        return tuple(kinds if pools and not modules[place + 2].return_indices else kinds[:2])
    if len(kinds) > 1 and kinds[0] in _CONVS and kinds[1] in _NORMS:
        return tuple(kinds if kinds[2:] == [ReLU] else kinds[:2])
    return ()


def _conv_norm(conv: Any, norm: Any, relu: bool, input: Tensor) -> Tensor:
    if not is_grad_enabled() and _folds(conv, norm, input):
        return conv.convolve(input, *folded(conv, norm), relu)
    output = conv(input)
    return norm.forward_relu(output) if relu else norm(output)


def _folds(conv: Any, norm: Any, input: Tensor) -> bool:
    """Whether batch norm is a fixed map of the convolution's channels, and folding it pays."""
    if norm.training or norm.running_mean is None or input.ndim != conv.dims + 2:
        return False
    fits = input.ndim in norm.axes and norm.num_features == conv.out_channels
    pixels = input.numel() // max(conv.in_channels * prod(conv.stride), 1)
    return (fits and norm.running_mean.dtype == conv.weight.dtype
            and pixels > conv.weight.numel() // max(conv.out_channels, 1))


def folded(conv: Any, norm: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of one convolution that does what `conv` and then `norm` do."""
    scale = 1 / sqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    mean = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
    bias = -mean * scale if norm.bias is None else norm.bias - mean * scale
    return conv.weight * scale.reshape(-1, *(1,) * (conv.dims + 1)), bias
