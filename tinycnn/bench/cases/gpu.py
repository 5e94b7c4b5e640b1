"""What is measured on a GPU: the suites' own calls, with sizes that fill one."""

from functools import partial
from typing import Any

import numpy as np

from ..ceiling import Work
from ..gpu_session import GpuBench
from ..libraries import Tinycnn, Torch, numbers
from ..models import LENET5, RESNET18, VGG11_224, lenet5, resnet18, vgg11
from ..session import Suite
from . import batchnorm, conv, pooling
from .conv import GRADIENTS, Layer
from .train_step import LINEAR_C5, Network, training_step

CPU_FLOP = 4e9  # of a convolution in float64 that is not too much for the CPU

LAYERS = [
    Layer(64, 64, (3, 3), (56, 56), 64, padding=1),
    Layer(128, 128, (3, 3), (28, 28), 64, padding=1),
    Layer(256, 256, (3, 3), (14, 14), 64, padding=1),
    Layer(512, 512, (3, 3), (7, 7), 64, padding=1),
    Layer(64, 64, (3, 3), (32, 32), 128, padding=1),  # ResNet-18 on 32x32
    Layer(512, 512, (3, 3), (4, 4), 128, padding=1),
    Layer(64, 128, (3, 3), (32, 32), 128, stride=2, padding=1),
    Layer(512, 512, (3, 3), (28, 28), 32, padding=1),  # VGG-11 on 224x224
    Layer(3, 64, (3, 3), (224, 224), 8, padding=1),
    Layer(3, 64, (7, 7), (224, 224), 32, stride=2, padding=3),
    Layer(256, 64, (1, 1), (56, 56), 32),
    Layer(64, 256, (1, 1), (56, 56), 32),
    Layer(64, 64, (3, 3), (56, 56), 32, padding=1, groups=64),
    Layer(256, 256, (3, 3), (28, 28), 32, padding=1, groups=32),
    Layer(1, 6, (5, 5), (28, 28), 128, padding=2),  # LeNet-5
    Layer(6, 16, (5, 5), (14, 14), 128),
    Layer(64, 64, (9,), (1024,), 64, padding=4),
]
POOLS = [  # as in pooling.py
    ("max 2x2", "max_pool2d", (2,), (128, 64, 32, 32), (16, 16)),
    ("max 2x2", "max_pool2d", (2,), (8, 64, 224, 224), (112, 112)),
    ("max 3x3 stride 2", "max_pool2d", (3, 2, 1), (32, 64, 112, 112), (56, 56)),
    ("average 2x2", "avg_pool2d", (2,), (128, 64, 32, 32), (16, 16)),
    ("average 3x3 stride 1", "avg_pool2d", (3, 1, 1), (64, 192, 28, 28), (28, 28)),
    ("global average", "adaptive_avg_pool2d", (1,), (128, 512, 7, 7), (1, 1)),
]
SHAPES = [(128, 64, 32, 32), (128, 512, 4, 4), (64, 256, 28, 28), (32, 64, 112, 112)]
NETWORKS = [
    Network("LeNet-5", lenet5, (1, 28, 28), 64, LENET5, LINEAR_C5),
    Network("LeNet-5", lenet5, (1, 28, 28), 128, LENET5, LINEAR_C5),
    Network("ResNet-18", resnet18, (3, 32, 32), 128, RESNET18, {}),
    Network("VGG-11", vgg11, (3, 224, 224), 64, VGG11_224, {}),
]


def results(layer: Layer, library, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    """What a layer computes in its three passes, as NumPy arrays."""
    x, weight, grad = (numbers(*shape).astype(dtype) for shape in (
        layer.x_shape, layer.weight_shape, layer.y_shape))
    leaves = library.feature_map(x, True), library.parameter(weight, True)
    y = conv.convolution(layer, library)(*leaves)
    y.backward(library.feature_map(grad))
    return {what: tensor.detach().to("cpu").numpy()
            for what, tensor in zip(("forward", *GRADIENTS), (y, leaves[0].grad, leaves[1].grad))}


def errors(layer: Layer, forms: list, torch: Any) -> dict[str, dict[str, float]]:
    """The largest error of each pass relative to its largest number in float64, which PyTorch
    computes on the GPU if it takes part, else tinycnn on the CPU if that does not take too long.

    Returns: dict, pass to {form's name: error}.
    """
    if torch is None and layer.work.flop > CPU_FLOP:
        return {}
    device = forms[0].library.device
    exact = results(layer, Torch("contiguous", device) if torch else Tinycnn(), np.float64)
    found: dict[str, dict[str, float]] = {what: {} for what in exact}
    for form in forms:
        if form.name == "tinycnn, captured":
            continue  # the same numbers, bit for bit
        for what, y in form.make(partial(results, layer)).items():
            wrong = np.abs(y - exact[what]).max() / np.abs(exact[what]).max()
            found[what][form.name] = float(wrong)
    both = {name: max(of[name] for of in found.values()) for name in found["forward"]}
    return found | {"forward + backward": both}


def run_conv(bench: GpuBench) -> None:
    for layer in LAYERS:
        work = dict.fromkeys(("forward", *GRADIENTS), layer.work)
        work["forward + backward"] = Work(3 * layer.work.flop, 3 * layer.work.bytes)
        bench.layer(str(layer), partial(conv.contestants, layer), work,
                    precision=bench.precision, errors=partial(errors, layer))


def run_pooling(bench: GpuBench) -> None:
    for name, *case in POOLS:
        shape = "x".join(map(str, case[2]))
        bench.layer(f"{name}, {shape}", partial(pooling.contestants, *case), pooling.works(*case))


def run_batchnorm(bench: GpuBench) -> None:
    for shape in SHAPES:
        bench.layer("x".join(map(str, shape)), partial(batchnorm.contestants, shape),
                    batchnorm.works(shape))


def run_train_step(bench: GpuBench) -> None:
    for network in NETWORKS:
        if bench.wants(network.case, "training step"):
            bench.step(network.case, "training step", steps(network, bench.forms),
                       network.work(True), bench.precision)


def steps(network: Network, forms: list) -> dict:
    """Form to what makes a training step of a library; PyTorch's best in all ways to write it."""
    found = {}
    for form in forms:
        best = form.name == "torch, best"
        ways = {"": network.make, **(network.forms if best else {})}
        for way, make in ways.items():
            found[form.named(way)] = partial(training_step, network=network, make=make,
                                             **({"fused": True} if best else {}))
    return found


TURN = "calls go through tensors larger than the cache in turn"
SUITES = {suite.name: suite for suite in (
    Suite("train_step", "Training steps: forward, loss, backward and SGD with momentum (fused in "
          "PyTorch's best form); bytes: images, and parameters five times", "FLOP",
          run_train_step),
    Suite("conv", "Convolutions without bias; error: the largest, relative to the largest number "
          f"of a result in float64; {TURN}", "FLOP", run_conv, errors=True),
    Suite("pooling", f"{pooling.SUITE.title}; {TURN}", "B", run_pooling),
    Suite("batchnorm", f"{batchnorm.SUITE.title}; {TURN}", "B", run_batchnorm),
)}
