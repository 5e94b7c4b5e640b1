"""Where it began: perceptron, Adaline, Madaline and two layers learn and, or and exclusive or.

One unit learns what a line can divide and fails at exclusive or; Madaline and two layers solve it.

    python examples/05_beginnings.py
"""

import argparse

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.models import Adaline, Madaline, Perceptron, TwoLayerNet
from tinycnn.optim import SGD

CORNERS = tinycnn.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
TASKS = {
    "and": tinycnn.tensor([-1.0, -1.0, -1.0, 1.0]),
    "or": tinycnn.tensor([-1.0, 1.0, 1.0, 1.0]),
    "exclusive or": tinycnn.tensor([-1.0, 1.0, 1.0, -1.0]),
}


def perceptron(x, t, passes):
    """Rosenblatt: only mistakes teach."""
    unit = Perceptron(x.shape[1])
    for _ in range(passes):
        if unit.learn(x, t) == 0:
            break
    return unit(x)


def adaline(x, t, passes):
    """Widrow and Hoff: the error of the sum teaches, right answers too."""
    unit = Adaline(x.shape[1])
    for _ in range(passes):
        unit.learn(x, t, rate=0.02)
    return unit(x)


def madaline(x, t, passes):
    """Two Adalines and a fixed "and": the least certain one gives way."""
    net = Madaline(x.shape[1], units=2, vote="and")
    for _ in range(passes):
        if net.learn(x, t) == 0:
            break
    return net(x)


def two_layers(x, t, passes):
    """Rumelhart, Hinton and Williams: the error travels back through sigmoids."""
    net = TwoLayerNet(x.shape[1], hidden=4, num_classes=1)
    optimizer = SGD(net.parameters(), lr=0.5, momentum=0.9)
    for _ in range(passes):
        loss = F.mse_loss(net(x)[:, 0], t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net(x)[:, 0].sign()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=200, help="over the examples, at most")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.passes < 1:
        parser.error("--passes must be at least 1")

    tinycnn.manual_seed(args.seed)
    names = "perceptron", "Adaline", "Madaline", "two layers"
    print(f"{'answered rightly':18}" + "".join(f"{name:>12}" for name in names))
    points = tinycnn.randn(200, 2)
    points = points[(points[:, 0] + points[:, 1] - 0.3).abs() > 0.2]  # a gap along the line
    line = (points[:, 0] + points[:, 1] - 0.3).sign()
    rows = {"points, a line": (points, line), **{name: (CORNERS, t) for name, t in TASKS.items()}}
    for name, (x, t) in rows.items():
        right = [100 * (learn(x, t, args.passes) == t).to(tinycnn.float32).mean().item()
                 for learn in (perceptron, adaline, madaline, two_layers)]
        print(f"{name:18}" + "".join(f"{percent:>10.0f} %" for percent in right))


if __name__ == "__main__":
    main()
