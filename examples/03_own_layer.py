"""An own layer: Swish with a learnt slope, y = x * sigmoid(beta * x), from operations there are.

A layer is a Module: parameters made in __init__, arithmetic in forward. The derivative comes from
the tape. Here it learns the slope back from samples.

    python examples/03_own_layer.py

Source: Ramachandran, Zoph & Le 2017, "Searching for activation functions".
"""

import argparse

from tqdm import trange

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.optim import SGD


class Swish(nn.Module):
    """y = x * sigmoid(beta * x), with one learnt beta."""

    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(tinycnn.tensor(float(beta)))

    def forward(self, x):
        return x * F.sigmoid(self.beta * x)

    def extra_repr(self):
        return f"beta={self.beta.item():.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    tinycnn.manual_seed(0)
    x = tinycnn.randn(256)
    wanted = Swish(beta=2.5)(x).detach()
    layer = Swish()
    print("before:", layer)
    optimizer = SGD(layer.parameters(), lr=1.0, momentum=0.9)
    for _ in trange(args.steps, desc="learning beta", leave=False):
        loss = F.mse_loss(layer(x), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("after: ", layer)


if __name__ == "__main__":
    main()
