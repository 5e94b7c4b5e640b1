"""Whole networks: LeNet-5 on 28 x 28 digits, a training step and a forward pass."""

from functools import partial

import numpy as np

from ..ceiling import Work
from ..libraries import Tinycnn, Torch, numbers
from ..models import LENET5_FORWARD_FLOP, LENET5_STEP_FLOP, lenet5
from ..onnxrt import OnnxRuntime
from ..session import Bench, Suite

BATCHES = (64, 1)


def training_step(library, batch: int, linear_c5: bool = False, **sgd):
    """Forward, cross-entropy, backward, SGD with momentum."""
    model = library.model(lenet5(library.nn, linear_c5))
    optimizer = library.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, **sgd)
    images = library.feature_map(numbers(batch, 1, 28, 28))
    labels = library.numbers(np.arange(batch) % 10)

    def run():
        optimizer.zero_grad()
        library.F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return run


def forward(library, batch: int, linear_c5: bool = False):
    """The class scores, nothing recorded."""
    model = library.model(lenet5(library.nn, linear_c5)).eval()
    images = library.feature_map(numbers(batch, 1, 28, 28))

    def run():
        with library.no_grad():
            model(images)

    return run


def onnx_forward(batch: int, runtime: OnnxRuntime):
    """The class scores by ONNX Runtime."""
    model = lenet5(Tinycnn().nn).eval()
    return runtime.network(model, numbers(batch, 1, 28, 28))


def run(bench: Bench) -> None:
    forms = {
        layout + ", linear C5" * linear_c5: (Torch(layout), linear_c5)
        for layout in bench.layouts()
        for linear_c5 in (False, True)
    }
    params = sum(p.numel() for p in lenet5(Tinycnn().nn).parameters())
    for batch in BATCHES:
        case = f"LeNet-5, 28x28, batch {batch}"
        images = batch * 28 * 28
        if bench.wants(case, "training step"):
            theirs = {form: training_step(library, batch, linear_c5, fused=True)
                      for form, (library, linear_c5) in forms.items()}
            bench.row(case, "training step", training_step(Tinycnn(), batch), theirs,
                      Work(batch * LENET5_STEP_FLOP, 4 * (5 * params + images)))
        if bench.wants(case, "forward"):
            theirs = {form: forward(library, batch, linear_c5)
                      for form, (library, linear_c5) in forms.items()}
            bench.row(case, "forward", forward(Tinycnn(), batch), theirs,
                      Work(batch * LENET5_FORWARD_FLOP, 4 * (params + images)),
                      onnx=partial(onnx_forward, batch))


SUITE = Suite(
    "train_step",
    "Whole networks, float32; a training step is forward, loss, backward and SGD with momentum "
    "(fused in PyTorch); bytes: images and parameters, those of a step five times", "FLOP", run)
