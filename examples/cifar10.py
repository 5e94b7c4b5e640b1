"""Three networks learn to tell airplanes from frogs: ResNet-20, VGG-11, and ConvNetJS's small one.

    python examples/cifar10.py                                  ResNet-20
    python examples/cifar10.py --model vgg11_bn
    python examples/cifar10.py --model convnetjs --patience 4   Adadelta, batches of four

One minute is enough for --images 4000 --epochs 3, with VGG-11 for --images 3000 --epochs 2, with
ConvNetJS's network for --epochs 5.

Pictures are flipped and moved at random. As in the papers of ResNet and VGG the learning rate falls
when the accuracy on pictures kept apart saturates; no epoch is wasted once that no longer helps.
CIFAR-10 (or a part of it) is searched in $TINYCNN_DATA and the user's cache, then downloaded (170
MB); if it is nowhere to be had, coloured digits take its place. The model goes to --out, with
matplotlib also a picture of how training went.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import models, nn
from tinycnn.data import CIFAR10, DataLoader, DatasetNotFound, Subset, SyntheticDigits
from tinycnn.data.transforms import (
    Compose,
    Lambda,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    RandomShift,
    ToFloat,
)
from tinycnn.optim import SGD, Adadelta, EarlyStopping
from tinycnn.optim.lr_scheduler import ReduceLROnPlateau

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def small_vgg():
    """VGG-11 for small pictures: after five poolings one pixel is left, and one layer reads it."""
    return nn.Sequential(models.vgg11_bn().features, nn.Flatten(), nn.Linear(512, 10))


# model, pixels that pictures move, batch size, epochs at most, optimiser
SETTINGS = {
    "resnet20": (models.resnet20, RandomCrop(32, padding=4), 64, 60,
                 lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)),
    "vgg11_bn": (small_vgg, RandomCrop(32, padding=4), 64, 40,
                 lambda p: SGD(p, lr=0.02, momentum=0.9, weight_decay=5e-4, nesterov=True)),
    # At Adadelta's own rate, 1, batches of four are so noisy that ten in a hundred fewer are right.
    "convnetjs": (models.convnetjs_cifar10, RandomShift(2), 4, 60,
                  lambda p: Adadelta(p, lr=0.2, rho=0.95, eps=1e-6, weight_decay=1e-4)),
}


def load(moves, images):
    """Training set with random changes, pictures kept apart, test set."""
    plain = [ToFloat(), Normalize(MEAN, STD)]
    try:
        train = CIFAR10(transform=Compose([RandomHorizontalFlip(), moves, *plain]))
        kept, test = (CIFAR10(train=t, transform=Compose(plain)) for t in (True, False))
    except DatasetNotFound:
        print("CIFAR-10 is neither on this machine nor to be downloaded, so coloured digits are "
              "learnt instead.")
        frame = Lambda(lambda x: np.pad(np.repeat(x, 3, 1), [(0, 0), (0, 0), (2, 2), (2, 2)]), True)
        train = SyntheticDigits(transform=Compose([frame, moves, *plain]))
        plain = Compose([frame, *plain])
        kept, test = (SyntheticDigits(train=t, transform=plain) for t in (True, False))
    count = min(images or len(train), len(train))
    apart = count // 10
    return Subset(train, range(apart, count)), Subset(kept, range(apart)), test


def train_epoch(model, batches, optimizer, device, title):
    """One pass over the training set; the mean loss."""
    model.train()
    losses = []
    bar = tqdm(batches, desc=title, unit="batch", mininterval=0.5, leave=False)
    for step, (images, labels) in enumerate(bar):
        loss = F.cross_entropy(model(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            losses.append(loss.item())
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    return sum(losses) / len(losses)


@tinycnn.no_grad()
def accuracy(model, batches, device):
    """Percent of pictures that are named rightly."""
    model.eval()
    right = [(model(images.to(device)).argmax(1).to("cpu") == labels).to(tinycnn.float32)
             for images, labels in batches]
    return 100 * tinycnn.cat(right).mean().item()


def draw(history, title, path):
    """Loss and accuracy over the epochs."""
    try:
        import matplotlib
    except ImportError:
        print('No picture: it needs matplotlib (pip install "tinycnn[viz]").')
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5))
    losses, kept = zip(*history)
    left.plot(range(1, len(losses) + 1), losses)
    left.set(title=f"{title}: training loss", xlabel="epoch")
    right.plot(range(1, len(kept) + 1), kept)
    right.set(title="accuracy on pictures kept apart, %", xlabel="epoch")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"how training went: {path}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=SETTINGS, default="resnet20")
    parser.add_argument("--images", type=int, help="use this many training pictures only")
    parser.add_argument("--epochs", type=int, help="at most")
    parser.add_argument("--patience", type=int, default=3,
                        help="epochs without gain before the rate falls to a fifth")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for model and picture")
    args = parser.parse_args()
    if (args.images or 20) < 20 or (args.epochs or 1) < 1:
        parser.error("--images must be at least 20 and --epochs at least 1")
    return args


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    tinycnn.manual_seed(args.seed)
    build, moves, batch_size, epochs, optimise = SETTINGS[args.model]
    train, kept, test = load(moves, args.images)
    train_batches = DataLoader(train, batch_size, shuffle=True, drop_last=True)
    kept_batches, test_batches = DataLoader(kept, 250), DataLoader(test, 250)

    model = build().to(args.device)
    optimizer = optimise(model.parameters())
    scheduler = ReduceLROnPlateau(optimizer, mode="max", factor=0.2, patience=args.patience)
    stopping = EarlyStopping(patience=3 * args.patience, mode="max", model=model)
    history = []
    for epoch in range(1, (args.epochs or epochs) + 1):
        title = f"epoch {epoch}/{args.epochs or epochs}"
        rate = optimizer.param_groups[0]["lr"]
        loss = train_epoch(model, train_batches, optimizer, args.device, title)
        right = accuracy(model, kept_batches, args.device)
        print(f"{title}: learning rate {rate:.2g}, loss {loss:.3f}, kept apart {right:.2f} %",
              flush=True)
        history.append((loss, right))
        scheduler.step(right)
        if stopping.step(right):
            break

    stopping.restore()
    path = args.out / f"cifar10_{args.model}.safetensors"
    tinycnn.save(model.state_dict(), path)
    print(f"model of epoch {stopping.best_epoch}: {path}")
    draw(history, args.model, path.with_suffix(".png"))
    print(f"test accuracy: {accuracy(model, test_batches, args.device):.2f} %")


if __name__ == "__main__":
    main()
