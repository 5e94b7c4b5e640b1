"""A two-layer network learns what one layer cannot: the exclusive or, and two spirals.

    python examples/02_two_layer_network.py

Source: Minsky & Papert 1969, "Perceptrons"; Rumelhart, Hinton & Williams 1986.
"""

import argparse

import numpy as np
from tqdm import trange

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.optim import Adam


def exclusive_or():
    """Four points; no straight line parts the classes."""
    points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return points, np.array([0, 1, 1, 0])


def spirals(count=200):
    """Two spirals, half a turn apart."""
    t = np.linspace(0.25, 2, count)[:, None] * np.pi
    arm = np.concatenate([t * np.cos(t), t * np.sin(t)], 1) / 6
    return np.concatenate([arm, -arm]).astype(np.float32), np.repeat([0, 1], count)


def fit(model, points, labels, steps, title):
    """Train on all points at once, and return the accuracy in percent."""
    x, target = tinycnn.tensor(points), tinycnn.tensor(labels)
    optimizer = Adam(model.parameters(), lr=0.02)
    for _ in trange(steps, desc=title, leave=False):
        loss = F.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with tinycnn.no_grad():
        right = (model(x).argmax(1) == target).numpy()
    return 100 * right.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for name, (points, labels) in (("exclusive or", exclusive_or()), ("two spirals", spirals())):
        tinycnn.manual_seed(args.seed)
        one = nn.Linear(2, 2)
        two = nn.Sequential(nn.Linear(2, args.hidden), nn.Tanh(), nn.Linear(args.hidden, 2))
        for title, model in (("one layer", one), ("two layers", two)):
            accuracy = fit(model, points, labels, args.steps, f"{name}, {title}")
            print(f"{name}, {title}: {accuracy:.1f} % right")


if __name__ == "__main__":
    main()
