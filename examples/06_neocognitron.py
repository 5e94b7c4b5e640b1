"""The neocognitron finds the parts of digits by looking at them; nobody tells it what they are.

    python examples/06_neocognitron.py                     some seconds
    python examples/06_neocognitron.py --data synthetic    no files, no network

Every digit is shifted by up to three pixels. Stage after stage, the S cells learn without a label.
Then a linear classifier reads the last C cells: how many digits does it get right, and how many if
it reads the cells as they were before they learnt, or the pixels themselves?
"""

import argparse

from tqdm import tqdm

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.data import MNIST, DataLoader, DatasetNotFound, SyntheticDigits
from tinycnn.data.transforms import Compose, RandomShift, ToFloat
from tinycnn.models import Neocognitron
from tinycnn.optim import Adam

SETS = {"mnist": MNIST, "synthetic": SyntheticDigits}


def load(name, train, count):
    """The first `count` digits, each shifted, and their labels."""
    transform = Compose([RandomShift(3), ToFloat()])
    try:
        digits = SETS[name](train=train, transform=transform)
    except DatasetNotFound:
        print("MNIST is neither here nor to be downloaded, so synthetic digits are read.")
        return load("synthetic", train, count)
    images, labels = next(iter(DataLoader(digits, batch_size=count)))
    return F.relu(images - 0.2), labels  # the paper: no light, no answer


@tinycnn.no_grad()
def organise(net, images):
    """Show every image to one stage after the other, and tell what became of them."""
    for stage in range(3):
        for i in tqdm(range(len(images)), desc=f"stage {stage + 1}", leave=False):
            net.learn(images[i : i + 1], stage)
        cells = net[2 * stage]
        learnt = int((cells.inhibition > 0).sum().item())
        print(f"stage {stage + 1}: {learnt} of {len(cells.inhibition)} planes have found a feature")


def read(train, test, labels, answers, steps=500):
    """Accuracy in percent of a linear classifier of these features, which does see labels."""
    train, test = (x / (x * x).mean(1, keepdim=True).sqrt().clamp(1e-6) for x in (train, test))
    classifier = nn.Linear(train.shape[1], 10)
    optimizer = Adam(classifier.parameters(), lr=0.01)
    for _ in range(steps):
        loss = F.cross_entropy(classifier(train), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 100 * (classifier(test).argmax(1) == answers).to(tinycnn.float32).mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=SETS, default="mnist")
    parser.add_argument("--shown", type=int, default=500, help="digits the S cells look at")
    parser.add_argument("--labelled", type=int, default=2000, help="digits the classifier learns")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not 0 <= args.shown <= args.labelled or args.labelled < 1:
        parser.error("--labelled must be at least 1, and --shown from 0 to --labelled")

    tinycnn.manual_seed(args.seed)
    images, labels = load(args.data, True, args.labelled)
    test_images, answers = load(args.data, False, 1000)
    net = Neocognitron()
    with tinycnn.no_grad():
        untaught = [net(x).flatten(1) for x in (images, test_images)]
    organise(net, images[: args.shown])
    with tinycnn.no_grad():
        features = [net(x).flatten(1) for x in (images, test_images)]
    for name, (train, test) in {"cells before learning": untaught, "cells": features,
                                "pixels": (images.flatten(1), test_images.flatten(1))}.items():
        print(f"right from {name}: {read(train, test, labels, answers):.1f} %")


if __name__ == "__main__":
    main()
