"""LeNet-5 learns to read digits: data, model, training loop and test, from top to bottom.

    python examples/lenet_mnist.py                       ten epochs of MNIST, about half a minute
    python examples/lenet_mnist.py --data synthetic      no files, no network
    python examples/lenet_mnist.py --data fashion --epochs 20
    python examples/lenet_mnist.py --shift 2 --epochs 30    digits moved at random: fewer errors
    python examples/lenet_mnist.py --device cuda         on an NVIDIA GPU

MNIST is searched in $TINYCNN_DATA and the user's cache, then downloaded (11 MB). If it is nowhere
to be had, digits drawn from strokes take its place. The model and a picture go to --out.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.data import MNIST, DataLoader, DatasetNotFound, FashionMNIST, SyntheticDigits
from tinycnn.data.transforms import Compose, Normalize, RandomShift, ToFloat
from tinycnn.models import LeNet5
from tinycnn.optim import SGD
from tinycnn.optim.lr_scheduler import OneCycleLR

SETS = {"mnist": MNIST, "fashion": FashionMNIST, "synthetic": SyntheticDigits}


def load(name, shift):
    """Training and test set, normalised to about mean 0 and deviation 1; training pictures moved by
    up to `shift` pixels."""
    plain = [ToFloat(), Normalize(0.1307, 0.3081)]
    moved = Compose([RandomShift(shift), *plain]) if shift else Compose(plain)
    try:
        return [SETS[name](train=True, transform=moved),
                SETS[name](train=False, transform=Compose(plain))]
    except DatasetNotFound:
        print(f"{SETS[name].__name__} is neither on this machine nor to be downloaded, so LeNet-5 "
              f"learns synthetic digits instead.")
        return load("synthetic", shift)


def train_epoch(model, batches, optimizer, scheduler, device, title):
    """One pass over the training set."""
    model.train()
    bar = tqdm(batches, desc=title, unit="batch", mininterval=0.2, leave=False)
    for step, (images, labels) in enumerate(bar):
        images, labels = images.to(device), labels.to(device)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


@tinycnn.no_grad()
def test(model, batches, device):
    """Accuracy in percent, and the images that were misread with what was read."""
    model.eval()
    right, count, misread = 0, 0, []
    for images, labels in batches:
        read = model(images.to(device)).argmax(1).to("cpu").numpy()
        wrong = read != labels.numpy()
        right, count = right + int((~wrong).sum()), count + len(wrong)
        misread += zip(images.numpy()[wrong], labels.numpy()[wrong], read[wrong])
    return 100 * right / max(count, 1), misread


def draw(model, misread, names, path):
    """The six 5x5 filters of the first layer, and some misread images."""
    try:
        import matplotlib
    except ImportError:
        print('No picture: it needs matplotlib (pip install "tinycnn[viz]").')
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(4, 6, figsize=(9, 7))
    kernels = model[0].weight.detach().cpu().numpy()
    filters = [(kernel[0], f"filter {i}") for i, kernel in enumerate(kernels)]
    digits = [(image[0], f"{names[label]}, read {names[read]}") for image, label, read in misread]
    for axis in axes.flat:
        axis.axis("off")
    for axis, (picture, title) in zip(axes.flat, filters + digits):
        axis.imshow(picture, cmap="gray")
        axis.set_title(title, fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"filters and misread images: {path}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=SETS, default="mnist")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1, help="the highest learning rate")
    parser.add_argument("--shift", type=int, default=0, help="pixels that pictures move, at most")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for model and picture")
    args = parser.parse_args()
    if args.epochs < 1 or args.batch_size < 1:
        parser.error("--epochs and --batch-size must be at least 1")
    if args.device != "cpu" and not tinycnn.cuda.is_available():
        parser.error(f"--device {args.device}: there is no GPU here ({tinycnn.config()['gpu']})")
    if args.out.exists() and not args.out.is_dir():
        parser.error(f"--out must be a folder, {args.out} is a file")
    return args


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    tinycnn.manual_seed(args.seed)
    train_set, test_set = load(args.data, args.shift)
    pinned = args.device != "cpu"  # batches in memory that a GPU copies from by itself
    train_batches = DataLoader(train_set, args.batch_size, shuffle=True, pin_memory=pinned)
    test_batches = DataLoader(test_set, 500)

    model = LeNet5(num_classes=len(train_set.classes)).to(args.device)
    optimizer = SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4)
    scheduler = OneCycleLR(optimizer, args.lr, total_steps=args.epochs * len(train_batches))
    for epoch in range(1, args.epochs + 1):
        title = f"epoch {epoch}/{args.epochs}"
        train_epoch(model, train_batches, optimizer, scheduler, args.device, title)
        accuracy, misread = test(model, test_batches, args.device)
        print(f"{title}: test accuracy {accuracy:.2f} %")

    tinycnn.save(model.state_dict(), args.out / "lenet.safetensors")
    print(f"model: {args.out / 'lenet.safetensors'}")
    draw(model, misread, train_set.classes, args.out / "lenet.png")
    print(f"test accuracy: {accuracy:.2f} %")


if __name__ == "__main__":
    main()
