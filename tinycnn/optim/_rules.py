"""What the values of hyperparameters may be."""

import numbers
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._core.checks import fail


class Rule(NamedTuple):
    """A condition on a number, and its words. NaN holds to none."""

    text: str
    holds: Callable[[float], bool]


any_number = Rule("a number", lambda value: value == value)
at_least_zero = Rule("at least 0", lambda value: value >= 0)
zero_to_one = Rule("from 0 to 1", lambda value: 0 <= value <= 1)
below_one = Rule("at least 0 and below 1", lambda value: 0 <= value < 1)


def refuse(function: str, **switches: bool) -> None:
    """Raise ValueError if one of PyTorch's switches is on that has no counterpart here."""
    for name, on in switches.items():
        if on:
            fail(function, f"{name}=False", repr(on),
                 "Steps change memory in place and are not recorded: leave it out.")


def check_rules(function: str, rules: Mapping[str, Rule], values: Mapping[str, Any]) -> None:
    """Raise unless each of `values`, or each entry of a tuple among them, holds to its rule.

    Raises:  TypeError: if a value is no number.  ValueError: if it is out of its range.
    """
    for name, rule in rules.items():
        given = values[name]
        for value in given if isinstance(given, (tuple, list)) else [given]:
            if not isinstance(value, numbers.Real):
                fail(function, f"{name} to be a number", repr(given),
                     "Pass a Python number; tensor.item() is one.", TypeError)
            if not rule.holds(value):
                fail(function, f"{name} to be {rule.text}", repr(given), "Choose another value.")
