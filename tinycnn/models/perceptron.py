"""The perceptron: one unit that learns from its mistakes.

Source: Rosenblatt 1958, "The perceptron: a probabilistic model for information storage and
        organization in the brain"; the Mark I machine learnt by this rule.
"""

from .. import nn
from .._core.checks import fail, float_of
from ..tensor import Tensor
from ._shared import counts


class Perceptron(nn.Linear):
    """One threshold unit, with the learning rule of the Mark I perceptron.

    y = 1 where w . x + b > 0, else -1

    After each example that is misread, w += rate * t * x and b += rate * t; a right answer changes
    nothing. This is a step of gradient descent on max(0, -t * (w . x + b)). If a plane separates
    the two classes, the number of mistakes is finite (Novikoff 1962); if none does, as for XOR, the
    rule never ends.

    Args:    in_features (int): n, numbers in an example.
    Shape:   (N, n) to (N,), -1 or 1. Parameters: weight (1, n) and bias (1,), which start at 0.
    Example: >>> import tinycnn
             >>> from tinycnn.models import Perceptron
             >>> x = tinycnn.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
             >>> both = tinycnn.tensor([-1.0, -1.0, -1.0, 1.0])
             >>> unit = Perceptron(2)
             >>> [unit.learn(x, both) for _ in range(6)]
             [1, 3, 3, 2, 1, 0]
             >>> unit(x).tolist()
             [-1.0, -1.0, -1.0, 1.0]
    Source:  Rosenblatt 1958; Minsky & Papert 1969, "Perceptrons", for what it cannot learn.
    """

    def __init__(self, in_features: int):
        counts("Perceptron", in_features=in_features)
        super().__init__(in_features, 1)

    def reset_parameters(self):
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, input):
        return answer(super().forward(input)[..., 0])

    def learn(self, input, target, rate: float = 1.0) -> int:
        """One pass over the examples, in order.

        Args:    input (Tensor): (N, n) examples.
                 target (Tensor): (N,), -1 or 1 for each.
                 rate (float): how far a mistake moves the weights.
        Returns: int, how many examples were misread when their turn came.
        Raises:  ValueError: if a target is neither -1 nor 1, or there is not one for each example.
        Example: >>> import tinycnn
                 >>> from tinycnn.models import Perceptron
                 >>> Perceptron(1).learn(tinycnn.tensor([[2.0]]), tinycnn.tensor([1.0]))
                 1
        """
        check_targets("Perceptron.learn", input, target)
        rate = float_of("Perceptron.learn", "rate", rate, "Pass for example 1.0.")
        mistakes = 0
        for x, t in zip(input, target):
            if self(x).item() != t.item():
                self.weight.data += rate * t.item() * x.data
                self.bias.data += rate * t.item()
                mistakes += 1
        return mistakes


def answer(score):
    """1 where a score is above 0, else -1."""
    return (score > 0).to(score.dtype) * 2 - 1


def check_targets(function, input, target):
    """Raise unless there is one -1 or 1 for each example."""
    for name, value in ("input", input), ("target", target):
        if not isinstance(value, Tensor):
            fail(function, f"{name} to be a Tensor", type(value).__name__,
                 "Make one with tinycnn.tensor(...).", TypeError)
    if input.ndim != 2 or target.shape != input.shape[:1]:
        fail(function, "input (N, n) and target (N,)", f"{input.shape} and {target.shape}",
             "Give each example one target.")
    if not (target.abs() == 1).all().item():
        fail(function, "targets of -1 or 1", f"{target[target.abs() != 1][0].item():g}",
             "Turn classes 0 and 1 into targets by 2 * class - 1.")
