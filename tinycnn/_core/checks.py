"""The error sentences: what was expected, what came, what to do. Standard library only."""

import operator
from typing import NoReturn


def shape_text(shape):
    """A shape as people write it: (2, 3, 8, 8)."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def require(condition, function, expected, got, advice, error=ValueError):
    """Raise `error` with one sentence in three parts unless `condition` holds.

    For checks off the hot path. On it, test the condition first and call `fail`: an f-string
    that is never shown costs time in every call.
    """
    if not condition:
        fail(function, expected, got, advice, error)


def index_of(value):
    """`value` as an int. Raises a bare TypeError for anything else; a bool is none here, nor is
    NumPy's."""
    if type(value).__name__ in ("bool", "bool_"):
        raise TypeError
    return operator.index(value)


def int_of(function, name, value, advice):
    """`value` as an int. Raises TypeError for anything else; a bool is none here."""
    try:
        return index_of(value)
    except TypeError:
        pass
    fail(function, f"{name} to be an int", repr(value), advice, TypeError)


def float_of(function, name, value, advice):
    """`value` as a float. Raises TypeError if it is no number; text is none, as "1.5"."""
    if hasattr(value, "__float__"):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    fail(function, f"{name} to be a number", repr(value), advice, TypeError)


def fail(function, expected, got, advice, error=ValueError) -> NoReturn:
    """Raise `error`: "function: expected ..., got .... Advice." """
    raise error(f"{function}: expected {expected}, got {got}. {advice}")
