"""What the tests of networks count: parameters, multiply-adds, output sizes, receptive fields."""

from collections import namedtuple
from math import prod

import tinycnn
from tinycnn import nn

# parameters (int), multiply-adds of one image (int), name of each layer: output shape (dict),
# (size, stride) of the receptive field of the last window (pair)
Counts = namedtuple("Counts", "parameters multiply_adds shapes receptive_field")


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def counts(net, *size):
    """Counts of `net` for one image of this (C, H, W). Shortcuts see less than the layers beside
    them, so they add no receptive field; neither does the average over whole maps."""
    steps, handles = [], []
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d)):
            handles.append(module.register_forward_hook(
                lambda module, args, y, name=name: steps.append((name, module, y.shape[1:]))))
    with tinycnn.no_grad():
        net.eval()(tinycnn.zeros(1, *size))
    for handle in handles:
        handle.remove()
    products, field, jump = 0, 1, 1
    for name, module, shape in steps:
        if hasattr(module, "weight"):
            products += module.weight.numel() * prod(shape[1:])
        if "downsample" not in name and not isinstance(module, nn.Linear):
            size, stride = window(module)
            field, jump = field + (size - 1) * jump, jump * stride
    shapes = {name: shape for name, _, shape in steps}
    return Counts(parameters(net), products, shapes, (field, jump))


def window(module):
    """Kernel size and stride, which are the same both ways here."""
    size, stride = module.kernel_size, module.stride
    return [n[0] if isinstance(n, tuple) else n for n in (size, stride)]
