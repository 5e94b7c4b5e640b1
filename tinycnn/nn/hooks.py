"""Hooks: functions that see, and may replace, what goes into a module and what comes out."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core.checks import fail

if TYPE_CHECKING:
    from .module import Module

_numbers = itertools.count()


class Hook(NamedTuple):
    before: bool  # of forward
    function: Callable[..., Any]
    with_kwargs: bool


class RemovableHandle:
    """Takes a hook away again: `handle.remove()`, or by leaving `with module.register_...:`."""

    def __init__(self, hooks: dict[int, Hook], number: int) -> None:
        self._hooks = hooks
        self._number = number

    def remove(self) -> None:
        """Take the hook away; nothing happens if it is gone already."""
        self._hooks.pop(self._number, None)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()


def add_hook(hooks: dict[int, Hook], hook: Hook, prepend: bool) -> RemovableHandle:
    """Put `hook` behind, or with `prepend` in front of, those in `hooks`.

    Raises:  TypeError: if it is no function.
    """
    if not callable(hook.function):
        fail("register_forward_pre_hook" if hook.before else "register_forward_hook",
             "a callable", repr(hook.function), "Pass a function.", TypeError)
    number = next(_numbers)
    ordered = {number: hook, **hooks} if prepend else {**hooks, number: hook}
    hooks.clear()  # the same dictionary: handles given out hold it
    hooks.update(ordered)
    return RemovableHandle(hooks, number)


def call_with_hooks(module: "Module", hooks: dict[int, Hook], args: tuple,
                    kwargs: dict[str, Any]) -> Any:
    """`module.forward` between its hooks."""
    for hook in [h for h in hooks.values() if h.before]:  # a copy: a hook may remove itself
        if hook.with_kwargs:
            result = hook.function(module, args, kwargs)
        else:
            result = hook.function(module, args)
        if result is None:
            continue
        if not hook.with_kwargs:
            args = result if isinstance(result, tuple) else (result,)
        elif isinstance(result, tuple) and len(result) == 2:
            args, kwargs = result
        else:
            fail("register_forward_pre_hook", "None or (args, kwargs) from a hook with "
                 "with_kwargs=True", repr(result), "Return both, or nothing.", TypeError)
    output = module.forward(*args, **kwargs)
    for hook in [h for h in hooks.values() if not h.before]:
        if hook.with_kwargs:
            result = hook.function(module, args, kwargs, output)
        else:
            result = hook.function(module, args, output)
        if result is not None:
            output = result
    return output
