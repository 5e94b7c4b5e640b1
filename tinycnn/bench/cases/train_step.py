"""Whole networks, a training step and a forward pass: LeNet-5 on 28 x 28 digits, ResNet-18 and
VGG-11 with batch norm on 32 x 32 images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..ceiling import Work
from ..libraries import Tinycnn, Torch, numbers
from ..models import LENET5, RESNET18, VGG11, flop, lenet5, resnet18, vgg11_bn
from ..onnxrt import OnnxRuntime
from ..session import Bench, Suite


@dataclass(frozen=True)
class Network:
    """A network, and what it sees."""

    name: str
    make: Callable[..., Any]  # nn to a model
    image: tuple[int, int, int]
    batch: int
    multiplications: list[int]  # layer by layer, for one image
    forms: dict[str, Callable[..., Any]]  # other ways to write it that may be faster in PyTorch

    @property
    def case(self) -> str:
        return f"{self.name}, {self.image[1]}x{self.image[2]}, batch {self.batch}"

    @property
    def images(self) -> np.ndarray:
        return numbers(self.batch, *self.image)

    def work(self, training: bool) -> Work:
        """Bytes: images and parameters, those of a step five times."""
        params = sum(p.numel() for p in self.make(Tinycnn().nn).parameters())
        arrays = (5 if training else 1) * params + self.batch * prod(self.image)
        return Work(self.batch * flop(self.multiplications, training), 4 * arrays)


LINEAR_C5 = {"linear C5": partial(lenet5, linear_c5=True)}
NETWORKS = [
    Network("LeNet-5", lenet5, (1, 28, 28), 64, LENET5, LINEAR_C5),
    Network("LeNet-5", lenet5, (1, 28, 28), 1, LENET5, LINEAR_C5),
    Network("ResNet-18", resnet18, (3, 32, 32), 32, RESNET18, {}),
    Network("VGG-11 with batch norm", vgg11_bn, (3, 32, 32), 32, VGG11, {}),
]


def training_step(library, network: Network, make: Callable[..., Any], **sgd):
    """Forward, cross-entropy, backward, SGD with momentum."""
    model = library.model(make(library.nn))
    optimizer = library.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, **sgd)
    images = library.feature_map(network.images)
    labels = library.numbers(np.arange(network.batch) % 10)

    def run():
        optimizer.zero_grad()
        library.F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return run


def forward(library, network: Network, make: Callable[..., Any]):
    """The class scores, nothing recorded."""
    model = library.model(make(library.nn)).eval()
    images = library.feature_map(network.images)

    def run():
        with library.no_grad():
            model(images)

    return run


def onnx_forward(network: Network, runtime: OnnxRuntime):
    """The class scores by ONNX Runtime."""
    return runtime.network(network.make(Tinycnn().nn).eval(), network.images)


def run(bench: Bench) -> None:
    for network in NETWORKS:
        forms = {
            ", ".join(filter(None, (layout, form))): (Torch(layout), make)
            for layout in bench.layouts()
            for form, make in {"": network.make, **network.forms}.items()
        }
        if bench.wants(network.case, "training step"):
            theirs = {form: training_step(library, network, make, fused=True)
                      for form, (library, make) in forms.items()}
            bench.row(network.case, "training step",
                      training_step(Tinycnn(), network, network.make), theirs, network.work(True))
        if bench.wants(network.case, "forward"):
            theirs = {form: forward(library, network, make)
                      for form, (library, make) in forms.items()}
            bench.row(network.case, "forward", forward(Tinycnn(), network, network.make), theirs,
                      network.work(False), onnx=partial(onnx_forward, network))


SUITE = Suite(
    "train_step",
    "Whole networks, float32; a training step is forward, loss, backward and SGD with momentum "
    "(fused in PyTorch); bytes: images and parameters, those of a step five times", "FLOP", run)
