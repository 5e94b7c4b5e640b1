"""The error sentences: what was expected, what came, what to do. Standard library only."""


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


def fail(function, expected, got, advice, error=ValueError) -> NoReturn:
    """Raise `error`: "function: expected ..., got .... Advice." """
    raise error(f"{function}: expected {expected}, got {got}. {advice}")
