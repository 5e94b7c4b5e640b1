"""What autograd does: a derivative by hand, by the tape, and by finite differences.

f(x) = tanh(w x + b), squared distance to a target. Prints the three gradients side by side, then
walks downhill for a few steps.

    python examples/01_autograd.py
"""

import argparse
import math

from tqdm import trange

import tinycnn


def loss_of(w, b, x, target):
    return ((w * x + b).tanh() - target) ** 2


def by_hand(w, b, x, target):
    """Chain rule, from the outside in: (y - t)^2, then tanh, then w x + b."""
    y = math.tanh(w * x + b)
    d_sum = 2 * (y - target) * (1 - y * y)
    return d_sum * x, d_sum


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    args = parser.parse_args()
    x, target = 1.5, 0.25
    w = tinycnn.tensor(0.8, requires_grad=True)
    b = tinycnn.tensor(-0.4, requires_grad=True)

    loss = loss_of(w, b, x, target)
    loss.backward()
    h = 1e-3
    with tinycnn.no_grad():
        differences = [
            (loss_of(w + dw, b + db, x, target) - loss_of(w - dw, b - db, x, target)) / (2 * h)
            for dw, db in ((h, 0.0), (0.0, h))
        ]
    print(f"{'':>20}       d/dw       d/db")
    for name, grads in (
        ("by hand", by_hand(w.item(), b.item(), x, target)),
        ("by the tape", (w.grad.item(), b.grad.item())),
        ("finite differences", [d.item() for d in differences]),
    ):
        print(f"{name:>20} {grads[0]:10.6f} {grads[1]:10.6f}")

    for _ in trange(args.steps, desc="downhill"):
        w.grad = b.grad = None
        loss = loss_of(w, b, x, target)
        loss.backward()
        w.data -= 0.5 * w.grad.data  # the arrays, so that the tape does not record the step
        b.data -= 0.5 * b.grad.data
    print(f"loss after {args.steps} steps: {loss_of(w, b, x, target).item():.6f}")


if __name__ == "__main__":
    main()
