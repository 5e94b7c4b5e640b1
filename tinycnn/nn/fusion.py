"""Layers that follow one another and run as one: what Sequential does with chains of them.

    Conv, ReLU               the convolution writes max(0, y) in its last pass
    Linear, ReLU             one operation
    BatchNorm, ReLU          one pass forward, one backward
    Conv, BatchNorm, ReLU    in training as Conv, then BatchNorm with ReLU
    Conv, ReLU, MaxPool      in training as Conv, then MaxPool with ReLU: the largest of a window is
                             the same, and the ReLU and its gradient pass over fewer numbers

Which layers run as one follows from their types, and is found out once (`chains`); whether they do
is asked in every call. `chain` runs layers that are in no Sequential in the same way, and adds a
residual in the pass of batch norm and ReLU.

In evaluation, where nothing is recorded, batch norm is a fixed scale and shift of every channel,
and so a part of the convolution in front of it:

    (w * x + b - mean) s + beta  =  (w s) * x + (b - mean) s + beta,   s = gamma / sqrt(var + eps)

The folded weights are made anew in every call, and only where the maps have more pixels than a
filter has weights, so that this costs less than a pass over the maps: there is nothing to keep up
to date, whatever happens to parameters and running statistics.
"""

from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from math import prod
from threading import local
from typing import Any

from .._core.checks import fail
from ..autograd import is_grad_enabled
from ..ops.elementary import sqrt
from ..tensor import Tensor
from .activation import ReLU
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .conv import Conv1d, Conv2d, Conv3d
from .linear import Linear
from .module import Module
from .pooling import MaxPool1d, MaxPool2d, MaxPool3d

# These types, no subclasses: a forward of one's own is always called.
_KINDS: dict[type, str] = {
    **dict.fromkeys((Conv1d, Conv2d, Conv3d), "conv"), Linear: "linear",
    **dict.fromkeys((BatchNorm1d, BatchNorm2d, BatchNorm3d), "norm"),
    **dict.fromkeys((MaxPool1d, MaxPool2d, MaxPool3d), "pool"), ReLU: "relu",
}
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


Chain = tuple[Callable[..., Any] | None, Sequence[Module]]  # what runs these modules as one


def chains(modules: Sequence[Module]) -> list[Chain]:
    """The modules in order, those that may run as one together."""
    found: list[Chain] = []
    place = 0
    while place < len(modules):
        together = _chain(modules[place : place + 3])
        found.append(together or (None, modules[place : place + 1]))
        place += len(found[-1][1])
    return found


def run(chains: list[Chain], input: Any) -> Any:
    """`input` through the modules, one after the other, chains as one."""
    fusing = _mode.fusing
    for as_one, modules in chains:
        if as_one is None:
            input = modules[0](input)
        elif fusing and not any(map(_is_called_itself, modules)):
            input = as_one(input, *modules)
        else:
            input = _separately(modules, input)
    return input


def chain(input: Any, *modules: Module, residual: Any = None) -> Any:
    """The modules one after the other, as Sequential runs them: for a network that keeps its parts
    under names of their own, and not in a Sequential.

    chain(x, conv, norm, relu) = relu(norm(conv(x))); with a residual, this is added to what goes
    into the last module: relu(norm(conv(x)) + residual).

    Args:    input (Tensor): what the first module takes.
             modules (Modules): in order of use.
             residual (Tensor or None): shape of what the last module takes.
    Returns: Tensor, what the last module returns.
    Raises:  ValueError: if there is a residual and no module.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> class Block(nn.Module):
             ...     def __init__(self):
             ...         super().__init__()
             ...         self.conv1, self.bn1 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
             ...         self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
             ...         self.relu = nn.ReLU()
             ...     def forward(self, x):
             ...         y = nn.chain(x, self.conv1, self.bn1, self.relu)
             ...         return nn.chain(y, self.conv2, self.bn2, self.relu, residual=x)
             >>> Block()(tinycnn.ones(1, 4, 8, 8)).shape
             (1, 4, 8, 8)
    Source:  He et al. 2016, "Deep residual learning for image recognition", equation 1.
    """
    if residual is None:
        return run(chains(modules), input)
    if not modules:
        fail("chain", "a module behind the sum with the residual", "none", "Pass for example "
             "nn.ReLU(), or write y + residual.")
    last = modules[-2:]
    together = tuple([_KINDS.get(type(module)) for module in last]) == ("norm", "relu")
    if together and _mode.fusing and not any(map(_is_called_itself, last)):
        return last[0].forward_relu(run(chains(modules[:-2]), input), residual)
    return last[-1](run(chains(modules[:-1]), input) + residual)


def _separately(modules: Sequence[Module], input: Any) -> Any:
    """A chain of which one is to be called itself, or all: those in front of it may still fuse."""
    count = 0
    while _mode.fusing and not _is_called_itself(modules[count]):
        count += 1
    front = _chain(modules[:count])
    if front is not None:
        input = front[0](input, *front[1])
    for module in modules[len(front[1]) if front else 0 :]:
        input = module(input)
    return input


def _is_called_itself(module: Module) -> bool:
    """Whether it has hooks, or a forward of its own."""
    return bool(module._hooks) or "forward" in module.__dict__


def _chain(modules: Sequence[Module]) -> Chain | None:
    """The first of these modules, up to three, that may run as one."""
    kinds = [_KINDS.get(type(module)) for module in modules]
    for count in 3, 2:
        as_one = _CHAINS.get(tuple(kinds[:count]))
        if as_one is not None and len(kinds) >= count:
            return as_one, modules[:count]
    return None


def _with_relu(input: Tensor, layer: Any, _relu: Module) -> Tensor:
    return layer.forward_relu(input)


def _conv_relu_pool(input: Tensor, conv: Any, _relu: Module, pool: Any) -> Any:
    if is_grad_enabled() and not pool.return_indices:
        return pool.forward_relu(conv(input))
    return pool(conv.forward_relu(input))


def _conv_norm_relu(input: Tensor, conv: Any, norm: Any, _relu: Module) -> Tensor:
    return _conv_norm(input, conv, norm, True)


def _conv_norm(input: Tensor, conv: Any, norm: Any, relu: bool = False) -> Tensor:
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


_CHAINS: dict[tuple[str | None, ...], Callable[..., Any]] = {
    ("conv", "relu"): _with_relu,
    ("linear", "relu"): _with_relu,
    ("norm", "relu"): _with_relu,
    ("conv", "relu", "pool"): _conv_relu_pool,
    ("conv", "norm"): _conv_norm,
    ("conv", "norm", "relu"): _conv_norm_relu,
}
