"""What on_gpu.py runs in processes of their own: steps on a GPU through tinycnn's public names.

python benchmarks/gpu_steps.py short       steps of LeNet-5 and of a residual block, for sanitizers
python benchmarks/gpu_steps.py equality    loss and gradients, GPU against CPU, in both precisions
python benchmarks/gpu_steps.py cifar       ResNet-18 learns CIFAR-10, or the part that is there

Exit code: 0 if all is well, 1 if a number is not what it should be, 77 if data are missing.
"""

import argparse
import sys

import numpy as np
from tqdm import tqdm

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.bench.models import lenet5, resnet18
from tinycnn.data import CIFAR10, DataLoader, DatasetNotFound
from tinycnn.data.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToFloat
from tinycnn.optim import SGD
from tinycnn.optim.lr_scheduler import OneCycleLR

LEFT_OUT = 77
# Of the loss, and of the norm of all gradients. What is next to 0 takes the other side of a ReLU if
# it is rounded otherwise, and takes its gradient along: on the CPU, ResNet-18's in float32 differ
# from those in float64 by 0.4 % of their norm (a single number by 10 % of the largest), with
# noise of TF32's size on its weights by 10 %; LeNet-5's by 4e-7 and 2 %.
BOUNDS = {"LeNet-5": {"high": (1e-2, 0.1), "highest": (1e-5, 5e-3)},
          "ResNet-18": {"high": (1e-2, 0.4), "highest": (1e-4, 3e-2)}}
MEAN, DEVIATION = [0.491, 0.482, 0.447], [0.247, 0.243, 0.262]
LEAST_ACCURACY = 60.0  # percent, of ten epochs


class Block(nn.Module):
    """A residual block between two convolutions, on images of 8 x 8."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.stem, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x).relu()
        y = self.norm1.forward_relu(self.first(x))
        y = self.norm2.forward_relu(self.second(y), x)
        return self.head(y.mean((2, 3)))


def batch(device, count, *image):
    """Random images, and labels 0, 1, 2, ..."""
    rng = np.random.default_rng(0)
    images = tinycnn.from_numpy(rng.standard_normal((count, *image), dtype=np.float32))
    return images.to(device), tinycnn.from_numpy(np.arange(count) % 10).to(device)


def short(device):
    """Two steps each, one network after the other."""
    for make, image in ((lambda: lenet5(nn), (1, 28, 28)), (Block, (3, 8, 8))):
        tinycnn.manual_seed(0)
        model = make().to(device)
        optimizer = SGD(model.parameters(), lr=0.01, momentum=0.9)
        images, labels = batch(device, 4, *image)
        for _ in range(2):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
        print(f"{type(model).__name__}: loss {loss.item():.4f}")
    return 0


def gradients(make, device, count, *image):
    """(loss, {name: gradient}) of a step, as NumPy arrays."""
    tinycnn.manual_seed(0)
    model = make(nn).to(device)
    images, labels = batch(device, count, *image)
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    return loss.item(), {name: p.grad.to("cpu").numpy() for name, p in model.named_parameters()}


def differences(found, expected):
    """Of the norm of all gradients, and of the largest number of one parameter's gradient."""
    squares = [sum(np.square(np.float64(g)).sum() for g in gs)
               for gs in ([found[n] - g for n, g in expected.items()], expected.values())]
    return np.sqrt(squares[0] / squares[1]), max(
        abs(found[name] - g).max() / abs(g).max() for name, g in expected.items())


def equality(device):
    """Relative differences between GPU and CPU, a line for each network and precision."""
    worse = 0
    for title, make, shape in (("LeNet-5", lenet5, (64, 1, 28, 28)),
                               ("ResNet-18", resnet18, (16, 3, 32, 32))):
        loss, expected = gradients(make, "cpu", *shape)
        for precision, (of_loss, of_norm) in BOUNDS[title].items():
            tinycnn.set_float32_matmul_precision(precision)
            found_loss, found = gradients(make, device, *shape)
            wrong = abs(found_loss - loss) / abs(loss)
            norm, largest = differences(found, expected)
            ok = wrong <= of_loss and norm <= of_norm
            worse += not ok
            print(f"{title}, precision {precision!r}: loss {wrong:.1e} (at most {of_loss:.0e}), "
                  f"gradients {norm:.1e} of their norm (at most {of_norm:.0e}), {largest:.1e} of "
                  f"the largest number of a parameter{'' if ok else '  WRONG'}")
    return int(worse > 0)


@tinycnn.no_grad()
def accuracy(model, batches, device):
    """In percent."""
    model.eval()
    right = count = 0
    for images, labels in batches:
        read = model(images.to(device)).argmax(1).to("cpu").numpy()
        right, count = right + int((read == labels.numpy()).sum()), count + len(read)
    return 100 * right / count


def cifar(device, epochs=10):
    """ResNet-18 with random crops and flips; the step is captured."""
    plain = [ToFloat(), Normalize(MEAN, DEVIATION)]
    moved = Compose([RandomCrop(32, padding=4), RandomHorizontalFlip(), *plain])
    try:
        sets = [CIFAR10(train=train, transform=transform)
                for train, transform in ((True, moved), (False, Compose(plain)))]
    except DatasetNotFound as error:
        print(f"Left out: {error}")
        return LEFT_OUT
    tinycnn.manual_seed(0)
    batches = DataLoader(sets[0], 128, shuffle=True, drop_last=True, pin_memory=True)
    model = resnet18(nn).to(device)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    scheduler = OneCycleLR(optimizer, 0.1, total_steps=epochs * len(batches))

    @tinycnn.cuda.capture
    def step(images, labels):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    for epoch in range(1, epochs + 1):
        model.train()
        for images, labels in tqdm(batches, desc=f"epoch {epoch}", leave=False, disable=None):
            loss = step(images, labels)
            scheduler.step()
        reached = accuracy(model, DataLoader(sets[1], 500), device)
        print(f"epoch {epoch}: loss {loss.item():.3f}, test accuracy {reached:.2f} %", flush=True)
    return int(reached < LEAST_ACCURACY)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("short", "equality", "cifar"))
    parser.add_argument("--device", default="cuda")
    known = parser.parse_args(argv)
    return {"short": short, "equality": equality, "cifar": cifar}[known.part](known.device)


if __name__ == "__main__":
    sys.exit(main())
