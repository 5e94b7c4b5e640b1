"""A fully connected layer is a convolution whose window covers its whole input; a convolution is a
linear map whose matrix is mostly zeros and repeats its weights. Both ways, as layers.

Source: Matan, Burges, LeCun & Denker 1992, "Multi-digit recognition using a space displacement
        neural network"; Long, Shelhamer & Darrell 2015, "Fully convolutional networks for semantic
        segmentation", section 3.1.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy

from ..._core import to_device
from ..._core.checks import fail, shape_text
from ..._core.shapes import tuple_of
from ...autograd import no_grad, wrap
from ...tensor import Tensor
from .. import activation as act
from ..batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ..container import Flatten, Identity, Sequential
from ..conv import Conv1d, Conv2d, Conv3d
from ..dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from ..linear import Linear
from ..module import Module
from ..pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
)
from .parameters import skip_init

_CONV: dict[int, type] = {1: Conv1d, 2: Conv2d, 3: Conv3d}
_AVERAGE: dict[int, type] = {1: AvgPool1d, 2: AvgPool2d, 3: AvgPool3d}
_CONVS = (Conv1d, Conv2d, Conv3d)
_ADAPTIVE = (AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d)
_NORM: dict[int, type] = {0: BatchNorm1d, 1: BatchNorm1d, 2: BatchNorm2d, 3: BatchNorm3d}
_DROPOUTS = (Dropout, Dropout1d, Dropout2d, Dropout3d)
_ALONG_CHANNELS = (act.Softmax, act.LogSoftmax, act.Softmin, act.GLU)  # by their argument dim
# The same for (N, C) as for (N, C, 1, 1): one number at a time, or with the channels along axis 1.
_ANY_SHAPE = (
    Identity, AlphaDropout, FeatureAlphaDropout,
    *(getattr(act, name) for name in act.__all__ if name not in
      ("Softmax", "LogSoftmax", "Softmin", "GLU", "Softmax2d", "Maxout")))


def to_conv(module: Module, input_size: Sequence[int]) -> Module:
    """A classifier that also takes larger images: its linear layers become convolutions.

    A Linear behind a Flatten of maps (C, H, W) becomes a convolution with windows of H x W, the
    Linear layers behind it 1x1 convolutions. Global average pooling becomes average pooling with
    that window and stride 1; adaptive pooling that changes nothing is left out. On images of
    `input_size` the outputs are the same with axes of size 1 behind them; on larger ones they are
    the classifier's answers at every place that its layers' strides allow.

    Args:    module (Linear or Sequential): what to convert; it stays as it is, the new layers get
             copies of its weights, all other layers are shared. Behind the linear layers there may
             be activations, batch norm and dropout. Sequentials in it are opened; a net
             that flattens in its own forward is given as Sequential(net.features, net.avgpool,
             Flatten(), net.classifier).
             input_size (sequence of int): (C, L), (C, H, W) or (C, D, H, W) of the input, no batch.
    Returns: Conv1d, Conv2d or Conv3d for a Linear, else Sequential; (N, C, H, W) to (N, classes,
             OH, OW).
    Raises:  ValueError: if a Linear does not fit the maps in front of it, or pooling other than
             global would tie the net to one size.
             TypeError: if module is neither Linear nor Sequential.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))
             >>> wide = nn.utils.to_conv(net, (1, 8, 8))
             >>> x = tinycnn.rand(2, 1, 8, 8)
             >>> tinycnn.allclose(wide(x)[:, :, 0, 0], net(x), atol=1e-5)
             True
             >>> wide(tinycnn.rand(2, 1, 8, 20)).shape
             (2, 10, 1, 13)
    Source:  Long, Shelhamer & Darrell 2015, section 3.1.
    """
    size = _size("to_conv", input_size)
    if isinstance(module, Linear):
        return _as_conv(module, size)
    layers: list[Module] = []
    maps, flat = size, False  # (C, H, W) in front of the next layer, also past a Flatten
    for layer in _opened("to_conv", module):
        if isinstance(layer, Flatten):
            flat = True
            continue
        if isinstance(layer, Linear):
            new: Module | None = _as_conv(layer, maps)
        elif isinstance(layer, _ADAPTIVE):
            new = _as_pooling(layer, maps)
        else:
            new = _for_dims("to_conv", layer, len(maps) - 1) if flat else layer
        if new is not None:
            layers.append(new)
            maps = _output_size(new, maps)
    return Sequential(*layers)


def to_linear(module: Module, input_size: Sequence[int]) -> Module:
    """A convolution as the linear layer it is; or a convolutional classifier with linear layers.

    For one convolution: y.flatten(1) = W x.flatten(1) + b, where row (oc, i, j) of W holds the
    filter oc at the places that window (i, j) covers, and zeros elsewhere. For a Sequential, the
    inverse of `to_conv`: from the first convolution on that covers its whole input, Flatten, then
    convolutions become Linear layers.

    Args:    module (Conv1d to Conv3d, or Sequential): what to convert; it stays as it is.
             input_size (sequence of int): (C, L), (C, H, W) or (C, D, H, W) of the input, no batch.
    Returns: Linear for a convolution, with OC * OH * OW outputs; else Sequential, (N, C, H, W) to
             (N, classes).
    Raises:  ValueError: if no convolution of a Sequential covers its whole input.
             TypeError: if module is neither a convolution nor Sequential.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)
             >>> nn.utils.to_linear(conv, (1, 5)).weight.ne(0).sum()
             tensor(13)
             >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 10, 6))
             >>> nn.utils.to_linear(net, (1, 8, 8))
             Sequential(
               (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1))
               (1): ReLU()
               (2): Flatten(start_dim=1, end_dim=-1)
               (3): Linear(in_features=144, out_features=10, bias=True)
             )
    Source:  Dumoulin & Visin 2016, "A guide to convolution arithmetic", section 4.1.
    """
    size = _size("to_linear", input_size)
    if isinstance(module, _CONVS):
        return _as_linear(module, size)
    layers: list[Module] = []
    maps, flat = size, False
    for layer in _opened("to_linear", module):
        output = _output_size(layer, maps)
        if isinstance(layer, _CONVS) and prod(output[1:]) == 1 and _covers(layer, maps):
            layers += [] if flat else [Flatten()]
            layers.append(_as_linear(layer, maps))
            flat = True
        elif flat and prod(output[1:]) == 1 and isinstance(layer, (*_ADAPTIVE, *_AVERAGE.values())):
            pass  # the average of one number
        else:
            layers.append(_for_dims("to_linear", layer, 0) if flat else layer)
        maps = output
    if not flat:
        fail("to_linear", f"a convolution that covers its whole input, of an image "
             f"{shape_text(size)}", f"maps {shape_text(maps)} at the end",
             "Pass the input_size for which the net gives one answer.")
    return Sequential(*layers)


def _size(function: str, input_size: Any) -> tuple[int, ...]:
    if not isinstance(input_size, Sequence) or len(input_size) not in (2, 3, 4):
        fail(function, "input_size (C, L), (C, H, W) or (C, D, H, W)", repr(input_size),
             "Leave the number of images out.")
    return tuple_of(input_size, len(input_size), function, "input_size", 1)


def _opened(function: str, module: Module) -> list[Module]:
    """The layers of a Sequential in order, those of Sequentials in it among them."""
    if not isinstance(module, Sequential):
        layer = "Linear" if function == "to_conv" else "Conv1d, Conv2d, Conv3d"
        fail(function, f"{layer} or Sequential", type(module).__name__, "Write for example "
             "Sequential(net.features, net.avgpool, Flatten(), net.classifier).", TypeError)
    layers: list[Module] = []
    for layer in module:
        layers += _opened(function, layer) if isinstance(layer, Sequential) else [layer]
    return layers


@no_grad()
def _output_size(layer: Module, size: tuple[int, ...]) -> tuple[int, ...]:
    """What one layer makes of an image, found by showing it none: a batch of size 0."""
    parameter = next(layer.parameters(), None)
    array = numpy.empty((0, *size), "float32" if parameter is None else parameter.dtype)
    device = None if parameter is None else parameter.device
    modes = [(module, module.training) for module in layer.modules()]
    layer.eval()
    try:
        return layer(wrap(array if device is None else to_device(array, device))).shape[1:]
    finally:
        for module, training in modes:
            module.training = training


def _for_dims(function: str, layer: Any, dims: int) -> Module:
    """A layer behind the classifier's first linear one, fit for maps of 1 pixel with `dims` spatial
    axes, or for rows if it is 0: the channels stay axis 1."""
    if isinstance(layer, _ALONG_CHANNELS) and layer.dim in (
            None, 1, -1 if dims else 1):
        return type(layer)(dim=1)
    if isinstance(layer, act.Softmax2d):
        return act.Softmax(dim=1)
    if isinstance(layer, act.Maxout) and layer.dim == 1:
        return layer
    if isinstance(layer, tuple(_NORM.values())):
        values = next(iter(layer.state_dict().values()), None)  # none, if it learns and tracks none
        new = _NORM[dims](
            layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats,
            getattr(values, "device", None), getattr(values, "dtype", None),
            bias=layer.bias is not None)
        new.load_state_dict(layer.state_dict())
        return new.train(layer.training)
    if isinstance(layer, _DROPOUTS):  # a channel of one pixel is one number
        return Dropout(layer.p).train(layer.training)
    if not isinstance(layer, _ANY_SHAPE):
        fail(function, "behind the linear layers activations, batch norm and dropout",
             type(layer).__name__, "Convert the layers in front of it, and put it behind yourself.")
    return layer


def _as_conv(linear: Linear, maps: tuple[int, ...]) -> Module:
    if linear.in_features != prod(maps):
        fail("to_conv", f"a Linear of {prod(maps)} inputs behind maps {shape_text(maps)}",
             f"in_features={linear.in_features}", "Pass the input_size the classifier was made "
             "for, and what it does in its forward as layers of the Sequential.")
    bias, dims = linear.bias, len(maps) - 1
    conv = skip_init(_CONV[dims], maps[0], linear.out_features, maps[1:], bias=bias is not None,
                     device=linear.weight.device, dtype=linear.weight.dtype)
    _fill(conv, linear.weight.reshape(conv.weight.shape), bias)
    return conv


@no_grad()
def _as_linear(conv: Any, size: tuple[int, ...]) -> Module:
    """Every column of the matrix is what the convolution makes of one pixel of 1."""
    inputs, weight = prod(size), conv.weight
    if _covers(conv, size):  # the matrix is the weight itself
        columns, outputs = weight.reshape(-1, inputs), conv.out_channels
    else:
        pixels = to_device(numpy.eye(inputs, dtype=weight.dtype), weight.device)
        y = conv.convolve(wrap(pixels).reshape(inputs, *size), weight, None)
        columns, outputs = y.flatten(1).transpose(0, 1), prod(y.shape[1:])
    linear = skip_init(Linear, inputs, outputs, bias=conv.bias is not None,
                       device=weight.device, dtype=weight.dtype)
    bias = None if conv.bias is None else conv.bias.reshape(-1, 1).expand(
        -1, outputs // conv.out_channels).reshape(-1)
    _fill(linear, columns, bias)
    return linear


def _covers(conv: Any, size: tuple[int, ...]) -> bool:
    """Whether one window is the whole image, without padding."""
    plain = conv.padding in ("valid", 0, (0,) * conv.dims) and conv.groups == 1
    return plain and conv.kernel_size == size[1:] and set(conv.dilation) == {1}


def _as_pooling(layer: Any, maps: tuple[int, ...]) -> Module | None:
    output = _output_size(layer, maps)
    if output == maps:
        return None
    if prod(output[1:]) > 1:
        fail("to_conv", f"adaptive pooling to one pixel, or one that changes nothing at maps "
             f"{shape_text(maps)}", f"{layer}", "Pass the input_size at which it changes nothing.")
    return _AVERAGE[len(maps) - 1](maps[1:], stride=1)


@no_grad()
def _fill(layer: Any, weight: Tensor, bias: Tensor | None) -> None:
    layer.weight.copy_(weight)
    if bias is not None:
        layer.bias.copy_(bias)
