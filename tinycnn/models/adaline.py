"""Adaline and Madaline: linear units that learn by least squares, and a net of two layers of them.

Source: Widrow & Hoff 1960, "Adaptive switching circuits"; Madaline Rule I: Ridgway 1962, as told by
        Widrow & Lehr 1990, "30 years of adaptive neural networks", section IV.
"""

from .. import nn
from .._core.checks import fail, float_of, int_of
from ._shared import counts
from .perceptron import answer, check_targets


class Adaline(nn.Linear):
    """Adaptive linear neuron: one linear unit that learns by the least mean squares rule.

    y = w . x + b;   w += rate * (t - y) * x,   b += rate * (t - y)   after every example

    This is a step of gradient descent on (t - y)^2 / 2. Unlike the perceptron it learns from right
    answers too: with a small rate it settles at the least squares solution, whether a plane
    separates the classes or not, and that solution may misread an example that a plane would not.

    Args:    in_features (int): n, numbers in an example.
    Shape:   (N, n) to (N,), -1 or 1; `score` gives y. Parameters: weight (1, n) and bias (1,),
             which start at 0.
    Example: >>> import tinycnn
             >>> from tinycnn.models import Adaline
             >>> x = tinycnn.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
             >>> both = tinycnn.tensor([-1.0, -1.0, -1.0, 1.0])
             >>> unit = Adaline(2)
             >>> errors = [unit.learn(x, both, rate=0.05) for _ in range(50)]
             >>> unit(x).tolist()
             [-1.0, -1.0, -1.0, 1.0]
    Source:  Widrow & Hoff 1960.
    """

    def __init__(self, in_features: int):
        counts("Adaline", in_features=in_features)
        super().__init__(in_features, 1)

    def reset_parameters(self):
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def score(self, input):
        """w . x + b, (N, n) to (N,): what the rule compares with the target.

        Example: >>> import tinycnn
                 >>> from tinycnn.models import Adaline
                 >>> Adaline(2).score(tinycnn.ones(3, 2)).tolist()
                 [0.0, 0.0, 0.0]
        """
        return super().forward(input)[..., 0]

    def forward(self, input):
        return answer(self.score(input))

    def learn(self, input, target, rate: float = 0.01) -> float:
        """One pass over the examples, in order.

        Args:    input (Tensor): (N, n) examples.
                 target (Tensor): (N,), -1 or 1 for each.
                 rate (float): step size; the rule diverges above 2 / (|x|^2 + 1).
        Returns: float, mean of (t - y)^2 over the examples as they were seen.
        Raises:  ValueError: if a target is neither -1 nor 1, or there is not one for each example.
        Example: >>> import tinycnn
                 >>> from tinycnn.models import Adaline
                 >>> Adaline(1).learn(tinycnn.tensor([[2.0]]), tinycnn.tensor([1.0]))
                 1.0
        """
        check_targets("Adaline.learn", input, target)
        rate = float_of("Adaline.learn", "rate", rate, "Pass for example 0.01.")
        total = 0.0
        for x, t in zip(input, target):
            error = t.item() - self.score(x).item()
            self.adapt(x, rate * error)
            total += error * error
        return total / max(len(input), 1)

    def adapt(self, x, step: float) -> None:
        """w += step * x, b += step, for one example (n,).

        Example: >>> import tinycnn
                 >>> from tinycnn.models import Adaline
                 >>> unit = Adaline(2)
                 >>> unit.adapt(tinycnn.tensor([1.0, 2.0]), 0.5)
                 >>> unit.weight.tolist()
                 [[0.5, 1.0]]
        """
        self.weight.data += step * x.data
        self.bias.data += step


class Madaline(nn.Module):
    """Many Adalines, whose answers are put together by a fixed vote: Madaline Rule I.

    y = sign of (sum of the units' answers + offset)

    A right answer changes nothing. After a wrong one, the units that have to turn around for the
    vote to come out right do so, those whose scores are nearest 0 first (minimal disturbance):
    each by w += (t - s) * x / (|x|^2 + 1), which takes its score s to t in one step.

    Args:    in_features (int): n, numbers in an example.
             units (int): Adalines, at least 1.
             vote (str): "majority" (offset 0; units odd), "and" (all must say 1) or "or" (one is
             enough).
    Shape:   (N, n) to (N,), -1 or 1. Parameters: units * (n + 1), which start uniform in
             [-1 / sqrt(n), 1 / sqrt(n)).
    Raises:  ValueError: if units is below 1, or a majority may be a draw; if there is no such vote.
    Example: >>> import tinycnn
             >>> from tinycnn.models import Madaline
             >>> generator = tinycnn.manual_seed(0)
             >>> x = tinycnn.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
             >>> xor = tinycnn.tensor([-1.0, 1.0, 1.0, -1.0])
             >>> net = Madaline(2, 2, vote="and")
             >>> while net.learn(x, xor):
             ...     pass
             >>> net(x).tolist()
             [-1.0, 1.0, 1.0, -1.0]
    Source:  Ridgway 1962; Widrow & Lehr 1990, section IV.
    """

    def __init__(self, in_features: int, units: int, vote: str = "majority"):
        super().__init__()
        counts("Madaline", in_features=in_features)
        units = int_of("Madaline", "units", units, "Pass for example units=3.")
        if vote not in ("majority", "and", "or"):
            fail("Madaline", "vote 'majority', 'and' or 'or'", repr(vote), "Choose one of them.")
        if units < 1 or (vote == "majority" and units % 2 == 0):
            fail("Madaline", "at least one unit, and an odd number of them for a majority",
                 f"units={units}", "Pass for example units=3.")
        self.vote = vote
        self.offset = {"majority": 0.0, "and": 0.5 - units, "or": units - 0.5}[vote]
        self.layer = nn.Linear(in_features, units)

    def forward(self, input):
        return answer(answer(self.layer(input)).sum(-1) + self.offset)

    def learn(self, input, target) -> int:
        """One pass over the examples, in order.

        Args:    input (Tensor): (N, n) examples.
                 target (Tensor): (N,), -1 or 1 for each.
        Returns: int, how many examples were misread when their turn came.
        Raises:  ValueError: if a target is neither -1 nor 1, or there is not one for each example.
        Example: >>> import tinycnn
                 >>> from tinycnn.models import Madaline
                 >>> net = Madaline(1, 1)
                 >>> net.learn(tinycnn.tensor([[2.0]]), tinycnn.tensor([1.0])) in (0, 1)
                 True
        """
        check_targets("Madaline.learn", input, target)
        mistakes = 0
        for x, t in zip(input, target):
            mistakes += self._correct(x, t.item())
        return mistakes

    def _correct(self, x, t: float) -> bool:
        """Turn the fewest and least certain units around; True if that was needed."""
        if self(x).item() == t:
            return False
        scores = self.layer(x)
        against = [i for i, s in enumerate(answer(scores).tolist()) if s != t]
        against.sort(key=lambda i: abs(scores[i].item()))
        length = (x * x).sum().item() + 1
        for i in against:
            step = (t - scores[i].item()) / length
            self.layer.weight.data[i] += step * x.data
            self.layer.bias.data[i] += step
            if self(x).item() == t:
                break
        return True

    def extra_repr(self) -> str:
        return f"vote={self.vote!r}"
