"""LeNet-5 as it was published in 1998 learns to read digits.

It has a connection table, trainable subsampling, scaled tanh, and outputs that measure how far the
last layer is from a drawing of each digit.

    python examples/lenet1998_mnist.py                some minutes
    python examples/lenet1998_mnist.py --epochs 2     about a minute

The paper lowered the learning rate by hand after some epochs. Here 5,000 of the training digits are
kept apart, the rate falls when the error on them saturates, and training ends when that no longer
helps. MNIST is searched in $TINYCNN_DATA and the user's cache, then downloaded (11 MB); if it is
nowhere to be had, digits drawn from strokes take its place. The model goes to --out.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tinycnn
from tinycnn.data import MNIST, DataLoader, DatasetNotFound, Subset, SyntheticDigits
from tinycnn.data.transforms import Compose, Lambda, ToFloat
from tinycnn.models import LeNet1998, discriminative_loss
from tinycnn.optim import SGD, EarlyStopping
from tinycnn.optim.lr_scheduler import ReduceLROnPlateau

SETS = {"mnist": MNIST, "synthetic": SyntheticDigits}


def load(name, digits):
    """Training, validation and test set: 32 x 32, -0.1 for paper and 1.175 for ink, as in 1998."""
    def frame(x):
        return np.pad(1.275 * x - 0.1, [(0, 0), (0, 0), (2, 2), (2, 2)], constant_values=-0.1)

    transform = Compose([ToFloat(), Lambda(frame, batched=True)])
    try:
        train, test = (SETS[name](train=train, transform=transform) for train in (True, False))
    except DatasetNotFound:
        print("MNIST is neither on this machine nor to be downloaded, so LeNet-5 learns synthetic "
              "digits instead.")
        return load("synthetic", digits)
    count = min(digits or len(train), len(train))
    kept = count // 12
    return Subset(train, range(kept, count)), Subset(train, range(kept)), test


def train_epoch(model, batches, optimizer, title):
    """One pass over the training set."""
    bar = tqdm(batches, desc=title, unit="batch", mininterval=0.2, leave=False)
    for step, (images, labels) in enumerate(bar):
        loss = discriminative_loss(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


@tinycnn.no_grad()
def error(model, batches):
    """Percent of digits that are misread: the smallest penalty is the answer."""
    wrong = [(model(images).argmin(1) != labels).to(tinycnn.float32) for images, labels in batches]
    return 100 * tinycnn.cat(wrong).mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=SETS, default="mnist")
    parser.add_argument("--digits", type=int, help="use this many training digits only")
    parser.add_argument("--epochs", type=int, default=22, help="at most")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3, help="the first learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the model")
    args = parser.parse_args()
    if (args.digits or 20) < 20 or args.epochs < 1:
        parser.error("--digits must be at least 20 and --epochs at least 1")

    args.out.mkdir(parents=True, exist_ok=True)
    tinycnn.manual_seed(args.seed)
    train, validation, test = load(args.data, args.digits)
    train_batches = DataLoader(train, args.batch_size, shuffle=True)
    validation_batches, test_batches = DataLoader(validation, 500), DataLoader(test, 500)

    model = LeNet1998()
    optimizer = SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=3e-3)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.3, patience=2)
    stopping = EarlyStopping(patience=5, model=model)
    for epoch in range(1, args.epochs + 1):
        title = f"epoch {epoch}/{args.epochs}"
        train_epoch(model, train_batches, optimizer, title)
        misread = error(model, validation_batches)
        print(f"{title}: learning rate {optimizer.param_groups[0]['lr']:.2g}, "
              f"validation error {misread:.2f} %")
        scheduler.step(misread)
        if stopping.step(misread):
            break

    stopping.restore()
    tinycnn.save(model.state_dict(), args.out / "lenet1998.safetensors")
    print(f"model of epoch {stopping.best_epoch}: {args.out / 'lenet1998.safetensors'}")
    print(f"test error: {error(model, test_batches):.2f} %")


if __name__ == "__main__":
    main()
