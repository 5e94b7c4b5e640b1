"""Modules that hold other modules in order or by name, and the two that only change shape."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

from .._core.checks import fail
from ..ops.reshaping import flatten, unflatten
from ..tensor import Tensor
from .fusion import Chain, chains, run
from .module import MODULE, Module

S = TypeVar("S", bound="_Sequence")


class _Sequence(Module):
    """What Sequential and ModuleList share: a list of modules, named "0", "1", ..."""

    def _place(self, index: Any, end: int) -> int:
        """`index` counted from the front, in [0, end)."""
        name = type(self).__name__
        if not hasattr(index, "__index__"):
            fail(name, "an int or a slice as index", repr(index), "Pass for example 0.", TypeError)
        place = index.__index__()
        if not -end <= place < end:
            raise IndexError(f"{name}: expected an index of one of its {len(self)} modules, got "
                             f"{place}. Count from 0, or from the end with -1.")
        return place % end

    def _renumber(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        for name, _ in self._own(MODULE):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._own(MODULE))

    def __iter__(self) -> Iterator[Module]:
        return iter([module for _, module in self._own(MODULE)])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._slice(index)
        return self._own(MODULE)[self._place(index, len(self))][1]

    def _slice(self, index: slice) -> Any:
        return self._new().extend(list(self)[index])

    def _new(self) -> Any:
        return type(self)()

    def __setitem__(self, index: int, module: Module) -> None:
        name = self._own(MODULE)[self._place(index, len(self))][0]
        self.add_module(name, module)

    def __delitem__(self, index: Any) -> None:
        modules = list(self)
        del modules[index if isinstance(index, slice) else self._place(index, len(self))]
        self._renumber(modules)

    def append(self: S, module: Module) -> S:
        """Add a module behind the others."""
        number = len(self)
        while str(number) in self._kinds:  # a slice of a Sequential keeps its names
            number += 1
        self.add_module(str(number), module)
        return self

    def insert(self: S, index: int, module: Module) -> S:
        """Put a module in front of the one at `index`; those behind it are renumbered."""
        place = self._place(index, len(self) + (index >= 0))
        modules = list(self.append(module))  # raises before anything has moved
        modules.insert(place, modules.pop())
        self._renumber(modules)
        return self

    def extend(self: S, modules: Iterable[Module]) -> S:
        """Add modules behind the others, in order."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, index: int = -1) -> Module:
        """Take the module at `index` out; those behind it are renumbered."""
        module = self[index]
        del self[index]
        return module

    def __add__(self: S, other: Iterable[Module]) -> S:
        return self._new().extend(self).extend(other)


class Sequential(_Sequence):
    """Modules one after the other: the output of each is the input of the next.

    Chains such as Conv2d, BatchNorm2d, ReLU run as one (fusion.py; `no_fusion` switches it off).

    Args:    modules (Modules, or one dict of name to Module): in order of use.
    Example: >>> from tinycnn import nn
             >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
             >>> net
             Sequential(
               (0): Linear(in_features=4, out_features=3, bias=True)
               (1): ReLU()
               (2): Linear(in_features=3, out_features=2, bias=True)
             )
             >>> len(net[:2])
             2
    """

    _chains: list[Chain] | None = None

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            self.extend(modules)

    def _slice(self, index: slice) -> "Sequential":
        return Sequential(dict(self._own(MODULE)[index]))  # names stay: so do state_dict keys

    def _parts_changed(self) -> None:
        self.__dict__["_chains"] = None

    def forward(self, input: Any) -> Any:
        if self._chains is None:  # they follow from the types of the modules
            self.__dict__["_chains"] = chains(list(self))
        return run(self._chains, input)


class ModuleList(_Sequence):
    """A list of modules whose parameters count; use it where a plain list would hide them.

    Args:    modules (iterable of Modules): what it holds first.
    Example: >>> from tinycnn import nn
             >>> nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
             ModuleList(
               (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
             )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def _child_lines(self) -> list[str]:
        lines = []
        for text, group in groupby(self._own(MODULE), lambda pair: repr(pair[1])):
            names = [name for name, _ in group]
            lines.append(f"({names[0]}): {text}" if len(names) == 1 else
                         f"({names[0]}-{names[-1]}): {len(names)} x {text}")
        return lines


class ModuleDict(Module):
    """A dict of modules whose parameters count.

    Args:    modules (dict, or iterable of (name, Module)): what it holds first.
    Example: >>> from tinycnn import nn
             >>> heads = nn.ModuleDict({"digit": nn.Linear(8, 10), "odd": nn.Linear(8, 2)})
             >>> list(heads)
             ['digit', 'odd']
             >>> heads["odd"].weight.shape
             (2, 8)
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def __getitem__(self, name: str) -> Module:
        if name not in self:
            raise KeyError(f"ModuleDict: expected one of the names {', '.join(self) or '(none)'}, "
                           f"got {name!r}. Add it with modules[name] = module.")
        return self.__dict__[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        self[name]  # raises, and says what there is
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._own(MODULE))

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._own(MODULE)])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._kinds.get(name) == MODULE

    def keys(self) -> Iterable[str]:
        """The names."""
        return dict(self._own(MODULE)).keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return dict(self._own(MODULE)).values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """(name, module) pairs."""
        return dict(self._own(MODULE)).items()

    def update(self, modules: Any) -> None:
        """Add or replace modules from a dict or from (name, module) pairs."""
        for name, module in dict(modules.items() if hasattr(modules, "items") else modules).items():
            self[name] = module

    def pop(self, name: str) -> Module:
        """Take the module of this name out."""
        module = self[name]
        del self[name]
        return module

    def clear(self) -> None:
        """Take every module out."""
        for name in list(self):
            del self[name]


class Identity(Module):
    """Returns its input. Takes any arguments, so that it can stand for any layer.

    Example: >>> from tinycnn import nn
             >>> nn.Identity(54, unused=0.1)("anything")
             'anything'
    """

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """Axes `start_dim` to `end_dim` become one; by default everything but the batch.

    Args:    start_dim, end_dim (int): first and last axis; negative ones count from the end.
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> nn.Flatten()(tinycnn.tensor([[[1.0, 2.0], [3.0, 4.0]]])).shape
             (1, 4)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Axis `dim` becomes several; one of their sizes may be -1, which means what is left.

    Args:    dim (int): the axis to divide; a negative one counts from the end.
             unflattened_size (tuple of ints): the sizes, with the product input.shape[dim].
    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> nn.Unflatten(1, (2, -1))(tinycnn.tensor([[1.0, 2.0, 3.0, 4.0]])).shape
             (1, 2, 2)
    """

    def __init__(self, dim: int, unflattened_size: Iterable[int]) -> None:
        super().__init__()
        try:
            sizes = tuple(unflattened_size)
        except TypeError:
            sizes = ()
        if not sizes or not all(hasattr(size, "__index__") for size in sizes):
            fail("Unflatten", "unflattened_size to be a tuple of ints", repr(unflattened_size),
                 "Pass for example (16, 4, 4).", TypeError)
        if not hasattr(dim, "__index__"):
            fail("Unflatten", "dim to be an int", repr(dim), "Pass for example dim=1.", TypeError)
        self.dim = dim
        self.unflattened_size = sizes

    def forward(self, input: Tensor) -> Tensor:
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
