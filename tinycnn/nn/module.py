"""Module: a function with parameters, the base class of every layer and every network."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .._core.checks import fail
from .._core.dtypes import BY_NAME, dtype_of
from ..tensor import Tensor
from . import state
from .hooks import Hook, RemovableHandle, add_hook, call_with_hooks
from .parameter import Parameter
from .registry import BUFFER, MODULE, PARAMETER, Registry

M = TypeVar("M", bound="Module")


class Module(Registry):
    """Base class of layers and networks: holds parameters, buffers and other modules.

    A subclass calls `super().__init__()`, assigns its parts as attributes, and defines `forward`.

    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> class Scale(nn.Module):
             ...     def __init__(self, channels):
             ...         super().__init__()
             ...         self.factor = nn.Parameter([1.0] * channels)
             ...     def forward(self, input):
             ...         return input * self.factor
             >>> layer = Scale(2)
             >>> layer(tinycnn.tensor([[3.0, 4.0]])).shape
             (1, 2)
             >>> [name for name, _ in layer.named_parameters()]
             ['factor']
    """

    training: bool = True
    _may_miss: frozenset[str] = frozenset()  # buffers that an older checkpoint need not have

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(training=True, _hooks={})

    # --- calling ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`forward`, between the hooks if there are any."""
        if self._hooks:
            return call_with_hooks(self, self._hooks, args, kwargs)
        return self.forward(*args, **kwargs)

    def _no_forward(self, *_args: Any, **_kwargs: Any) -> Any:
        fail(type(self).__name__, "a method forward(self, input)", "none",
             "Define it in the class.", TypeError)

    forward: Callable[..., Any] = _no_forward  # of any signature, for type checkers too

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns replaces `args`.

        Args:    hook (callable): (module, args) to None, the new arguments as a tuple, or the one
                 new argument; with_kwargs: (module, args, kwargs) to None or (args, kwargs).
                 prepend (bool): run it before the hooks that are there already.
        Returns: RemovableHandle.
        """
        return add_hook(self._hooks, Hook(True, hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                              with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; what it returns replaces `output`.

        Args:    hook (callable): (module, args, output) to None or the new output; with_kwargs:
                 (module, args, kwargs, output).
                 prepend (bool): run it before the hooks that are there already.
        Returns: RemovableHandle.
        Example: >>> import tinycnn
                 >>> from tinycnn import nn
                 >>> layer, seen = nn.ReLU(), []
                 >>> handle = layer.register_forward_hook(lambda m, args, y: seen.append(y.shape))
                 >>> _ = layer(tinycnn.tensor([1.0, -1.0]))
                 >>> handle.remove()
                 >>> seen
                 [(2,)]
        """
        return add_hook(self._hooks, Hook(False, hook, with_kwargs), prepend)

    # --- walking ---

    def _named(self, kind: str, prefix: str, recurse: bool,
               remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(None, prefix, remove_duplicate):
            for name, value in module._own(kind):
                if id(value) not in seen:
                    yield f"{path}.{name}" if path else name, value
                if remove_duplicate:
                    seen.add(id(value))
            if not recurse:
                return

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) of this module and, with `recurse`, of all below it; a
        parameter that is used in two places comes once."""
        return self._named(PARAMETER, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, as `named_parameters` without the names: what an optimiser wants."""
        return (value for _, value in self._named(PARAMETER, "", recurse, True))

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) of this module and, with `recurse`, of all below it."""
        return self._named(BUFFER, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, as `named_buffers` without the names."""
        return (value for _, value in self._named(BUFFER, "", recurse, True))

    def named_modules(self, memo: "set[Module] | None" = None, prefix: str = "",
                      remove_duplicate: bool = True) -> "Iterator[tuple[str, Module]]":
        """(dotted name, module) of this module, named `prefix`, and of every module below it."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._own(MODULE):
            path = f"{prefix}.{name}" if prefix else name
            yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> "Iterator[Module]":
        """This module and every module below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> "Iterator[tuple[str, Module]]":
        """(name, module) of the modules directly below this one, each module once."""
        seen: set[Module] = set()
        for name, module in self._own(MODULE):
            if module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> "Iterator[Module]":
        """The modules directly below this one, each once."""
        return (module for _, module in self.named_children())

    def _get(self, function: str, kind: str, target: str) -> Any:
        module: Any = self
        *path, last = target.split(".")
        for name, wanted in [*((name, MODULE) for name in path), (last, kind)]:
            if module._kinds.get(name) != wanted or module.__dict__[name] is None:
                there = ", ".join(n for n, _ in module._own(wanted)) or "(none)"
                raise AttributeError(
                    f"{function}: expected the name of a {kind} of {type(self).__name__}, got "
                    f"{target!r}. {type(module).__name__} has no {wanted} {name!r}, it has {there}."
                )
            module = module.__dict__[name]
        return module

    def get_submodule(self, target: str) -> "Module":
        """The module with a dotted name as `named_modules` gives it; "" is this module.

        Raises:  AttributeError: if there is none.
        """
        return self._get("get_submodule", MODULE, target) if target else self

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name as `named_parameters` gives it."""
        return self._get("get_parameter", PARAMETER, target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name as `named_buffers` gives it."""
        return self._get("get_buffer", BUFFER, target)

    # --- changing everything below ---

    def apply(self: M, fn: "Callable[[Module], Any]") -> M:
        """Call `fn` on every module below this one, then on this one.

        Example: >>> from tinycnn import nn
                 >>> def clear(module):
                 ...     if isinstance(module, nn.Linear):
                 ...         nn.init.zeros_(module.bias)
                 >>> nn.Sequential(nn.Linear(2, 1)).apply(clear)[0].bias.item()
                 0.0
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training, or with False to evaluation."""
        if not isinstance(mode, bool):
            fail(f"{type(self).__name__}.train", "a bool", repr(mode),
                 "Pass True, or call eval() for False.")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Switch to evaluation: dropout does nothing, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Let every parameter want a gradient, or freeze it with False."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or with set_to_none=False set them to zero."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.data[...] = 0

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Move every parameter and buffer to a device, or floating ones to a floating dtype.

        Parameters stay the same objects, so an optimiser that holds them keeps working.

        Args:    device, dtype, as in Tensor.to: `to("cpu")`, `to(tinycnn.float64)`, or both;
                 `non_blocking` is accepted and without effect.
        Raises:  TypeError: if the dtype is no floating one.
        """
        kwargs.pop("non_blocking", None)
        device, dtype = _device_and_dtype(f"{type(self).__name__}.to", args, kwargs)
        tensors = [t for kind in (PARAMETER, BUFFER) for _, t in self._named(kind, "", True, True)]
        for tensor in [*tensors, *(t.grad for t in tensors if t.grad is not None)]:
            moved = tensor.detach()
            if device is not None:
                moved = moved.to(device)
            if dtype is not None and moved.dtype.kind == "f":
                moved = moved.to(dtype)
            tensor.data = moved.data
        return self

    def cpu(self: M) -> M:
        """Move every parameter and buffer to the CPU."""
        return self.to("cpu")

    def cuda(self: M) -> M:
        """Move every parameter and buffer to the GPU."""
        return self.to("cuda")

    def double(self: M) -> M:
        """Convert floating parameters and buffers to float64."""
        return self.to("float64")

    def float(self: M) -> M:
        """Convert floating parameters and buffers to float32."""
        return self.to("float32")

    # --- state and text ---

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Every parameter and saved buffer under its dotted name, sharing memory with the module.

        Args:    prefix (str): put in front of every name, for example "encoder.".
                 keep_vars (bool): the parameters themselves, not detached tensors.
        Returns: dict of str to Tensor, in order of registration.
        Example: >>> from tinycnn import nn
                 >>> {name: value.shape for name, value in nn.Linear(3, 2).state_dict().items()}
                 {'weight': (2, 3), 'bias': (2,)}
        """
        return {prefix + name: value if keep_vars else value.detach()
                for name, value, _ in state.entries(self)}

    def load_state_dict(self, state_dict: Mapping[str, Any],
                        strict: bool = True) -> state.IncompatibleKeys:
        """Copy values into parameters and buffers by name; either all that fit, or nothing.

        Args:    state_dict (dict of str to Tensor or array): as `state_dict` returns it.
                 strict (bool): let missing and unexpected names be errors.
        Returns: (missing_keys, unexpected_keys), both lists of str.
        Raises:  ValueError: if shapes differ or, with `strict`, names do; it lists the first ten.
        """
        return state.load(self, state_dict, strict)

    def extra_repr(self) -> str:
        """What `repr` shows of this module between the brackets."""
        return ""

    def _child_lines(self) -> list[str]:
        return [f"({name}): {module!r}" for name, module in self._own(MODULE)]

    def __repr__(self) -> str:
        children = self._child_lines()
        extra = self.extra_repr()
        if not children and "\n" not in extra:
            return f"{type(self).__name__}({extra})"
        lines = "\n".join([*([extra] if extra else []), *children]).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {lines}\n)"


def _device_and_dtype(function: str, args: tuple, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """What `to` was told, by position or by name: (device or None, floating dtype or None)."""
    found = {"device": None, "dtype": None, **kwargs}
    if len(found) > 2:
        fail(function, "the keywords device and dtype", ", ".join(kwargs),
             "Pass for example dtype=tinycnn.float64.", TypeError)
    for arg in args:
        if isinstance(arg, Tensor):
            found.update(device=arg.device, dtype=arg.dtype)
        elif arg is not None:
            is_device = isinstance(arg, str) and arg not in BY_NAME
            found["device" if is_device else "dtype"] = arg
    if found["dtype"] is not None:
        found["dtype"] = dtype_of(function, found["dtype"])
        if found["dtype"].kind != "f":
            fail(function, "a dtype float32 or float64", str(found["dtype"]),
                 "Parameters are differentiated, so they must be floating.", TypeError)
    return found["device"], found["dtype"]
