"""Optimizer: parameters in groups, hyperparameters for each group, state for each parameter.

A subclass says which values its hyperparameters may have (`rules`), and makes one step for one
group (`update`) by one call of a kernel that moves all of the group's parameters at once. All else
is here: groups, gradients, state, saving and loading.
"""

import copy
import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from .._core import kernels_for
from .._core.checks import fail, shape_text
from ..autograd import Variable, enable_grad
from ._rules import Rule, check_rules
from ._state import check_saved, filled, loaded_state

if TYPE_CHECKING:
    from ..tensor import Tensor

Params: TypeAlias = "Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]"


class Optimizer:
    """The base of all optimizers: what `SGD`, `Adam`, ... have in common.

    Args:    params (iterable): Tensors, or (name, Tensor) pairs, or dicts with the key "params" and
                 hyperparameters of their own, one dict per group.
             defaults (dict): hyperparameters of the groups that do not bring their own.
    Raises:  TypeError: if `params` is a Tensor, or something in it is none.
             ValueError: if there are no parameters, one is there twice or is the result of an
                 operation, or a hyperparameter has a value that it cannot have.
    Example: >>> import tinycnn
             >>> w = tinycnn.tensor([1.0, 2.0], requires_grad=True)
             >>> optimizer = tinycnn.optim.SGD([w], lr=0.5)
             >>> (w * w).sum().backward()
             >>> optimizer.step()
             >>> w.tolist()
             [0.0, 0.0]
    """

    rules: dict[str, Rule] = {}  # hyperparameter: what holds for it, and for each entry of a tuple
    state_names: tuple[str, ...] = ()  # what a parameter's state has from its first step on

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self.stepped = False  # a scheduler asks, to warn where it is called first
        groups = list(self._iterable(params))
        if not groups:
            fail(self._name, "parameters to optimize", "an empty list",
                 "A generator such as model.parameters() can be used only once.")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient by one step, in place.

        Args:    closure (callable): computes the loss and its gradients; it is called first.
        Returns: what `closure` returns, or None.
        Raises:  ValueError: if a gradient's shape is not its parameter's, or a parameter's memory
                     is read-only.
                 TypeError: if `closure` cannot be called.
        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([3.0], requires_grad=True)
                 >>> optimizer = tinycnn.optim.SGD([w], lr=0.5)
                 >>> def closure():
                 ...     optimizer.zero_grad()
                 ...     loss = (w * w).sum()
                 ...     loss.backward()
                 ...     return loss
                 >>> optimizer.step(closure).item(), w.item()
                 (9.0, 0.0)
        """
        loss = None
        if closure is not None:
            if not callable(closure):
                fail(f"{self._name}.step", "closure to be a function without arguments, or nothing",
                     repr(closure), "Write optimizer.step().", TypeError)
            with enable_grad():
                loss = closure()
        self.stepped = True
        for group in self.param_groups:
            live = [p for p in group["params"] if p.grad is not None]
            if live:
                arrays = [p.data for p in live]
                grads = [p.grad.data for p in live]
                kernels = kernels_for(arrays)
                kernels.each_replay(partial(self.update, kernels, group, live, arrays, grads))
        return loss

    def update(self, kernels, group: dict[str, Any], live: list, arrays: list, grads: list) -> None:
        """One step of one group: the method that a subclass defines.

        Args:    kernels (module): the kernels of the arrays' device.
                 group (dict): the group's hyperparameters.
                 live (list of Tensor): its parameters that have a gradient.
                 arrays, grads (lists of arrays): their data, to be changed in place, and gradients.
        """
        raise TypeError(f"{self._name}.update: a subclass of Optimizer must define it.")

    def state_arrays(self, live: list, *names: str, value: float = 0.0) -> list[list]:
        """The state of `live` as arrays: one list per name, made where there is none yet.

        "step" counts updates, in an array of one number; everything else looks like its parameter.
        It is read anew in every step, not remembered, so that `state` may be changed at any time.
        """
        states = [self.state[p] for p in live]
        try:
            return [[s[name].data for s in states] for name in names]
        except KeyError:
            for p, s in zip(live, states):
                for name in names:
                    if name not in s:
                        s[name] = filled(p.data, name, 0.0 if name == "step" else value)
            return [[s[name].data for s in states] for name in names]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with `set_to_none=False`, fill them with zeros.

        A parameter without a gradient is left out of the next step; one whose gradient is zero is
        not, and may move by its momentum or weight decay.

        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([3.0], requires_grad=True)
                 >>> w.sum().backward()
                 >>> tinycnn.optim.SGD([w]).zero_grad()
                 >>> w.grad is None
                 True
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.data[...] = 0

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, for example of layers that are to be trained from now on.

        Args:    param_group (dict): "params" (a Tensor or an iterable) and any hyperparameters.
        Raises:  TypeError, ValueError: as the constructor.
        Example: >>> import tinycnn
                 >>> a, b = (tinycnn.tensor([x], requires_grad=True) for x in (1.0, 2.0))
                 >>> optimizer = tinycnn.optim.SGD([a], lr=0.1)
                 >>> optimizer.add_param_group({"params": b, "lr": 0.01})
                 >>> [group["lr"] for group in optimizer.param_groups]
                 [0.1, 0.01]
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            got = (f"a dict with the keys {list(param_group)}" if isinstance(param_group, dict)
                   else type(param_group).__name__)
            fail(self._name, 'a group to be a dict with the key "params"', got,
                 'Pass for example {"params": layer.parameters(), "lr": 0.01}.', TypeError)
        params = param_group["params"]
        entries = [params] if isinstance(params, Variable) else list(self._iterable(params))
        named = [entry for entry in entries if isinstance(entry, tuple) and len(entry) == 2]
        others = [group for group in self.param_groups if ("param_names" in group) != bool(named)]
        if 0 < len(named) < len(entries) or others:
            fail(self._name, "all parameters with names, or all without", "some of each",
                 "Pass model.named_parameters() or model.parameters() everywhere.")
        tensors = [tensor for _, tensor in named] if named else entries
        self._check_tensors(tensors)
        self._check_keys(param_group)
        group = {**self.defaults, **param_group}
        self.check_group(group)
        param_group.update(group, params=tensors)  # the caller's own dict, as in PyTorch
        if named:
            param_group["param_names"] = [name for name, _ in named]
        self.param_groups.append(param_group)

    def check_group(self, group: dict[str, Any]) -> None:
        """Raise TypeError or ValueError unless every hyperparameter keeps to its rule."""
        check_rules(self._name, self.rules, group)

    def state_dict(self) -> dict[str, Any]:
        """The whole of the optimizer as a dict: `load_state_dict` continues from it.

        Returns: {"state": {0: {"exp_avg": Tensor, ...}, 1: ...}, "param_groups": [{"lr": ...,
                 "params": [0, 1, ...]}, ...]}, where parameters are numbered through all groups.
                 The Tensors are those in use; copy them to keep them from the next step.
        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([3.0], requires_grad=True)
                 >>> tinycnn.optim.Adagrad([w]).state_dict()["param_groups"][0]["params"]
                 [0]
        """
        number = {id(p): i for i, p in enumerate(self._parameters())}
        groups = [
            {**group, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {number.get(id(p), p): values for p, values in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where the optimizer was whose `state_dict` this is; its arrays are copied.

        Args:    state_dict (dict): from `state_dict`, of an optimizer of the same kind and groups
                     of the same sizes. State may be Tensors or arrays (PyTorch's structure).
        Raises:  ValueError: if keys, group sizes, a state's names or shape do not fit, or a step
                     is no count. The optimizer is as before then.
                 TypeError: if something is of another type than in `state_dict`.
        Example: >>> import tinycnn
                 >>> w = tinycnn.tensor([3.0], requires_grad=True)
                 >>> optimizer = tinycnn.optim.SGD([w], lr=0.5)
                 >>> optimizer.load_state_dict(tinycnn.optim.SGD([w], lr=0.1).state_dict())
                 >>> optimizer.param_groups[0]["lr"]
                 0.1
        """
        function = f"{self._name}.load_state_dict"
        check_saved(function, state_dict)
        groups = copy.deepcopy(state_dict["param_groups"])
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in groups] != sizes:
            fail(function, f"groups of {sizes} parameters",
                 f"{[len(group['params']) for group in groups]}",
                 "Make the optimizer from the same model and groups first.")
        for group in groups:
            if missing := set(self.defaults) - set(group):
                fail(function, f"the hyperparameters {list(self.defaults)}",
                     f"a group without {sorted(missing)}",
                     f"Load what another {self._name} has saved.")
            self.check_group(group)
        numbers = [number for group in groups for number in group["params"]]
        parameters = dict(zip(numbers, self._parameters()))
        state = loaded_state(function, parameters, state_dict["state"], self.state_names)
        for own, group in zip(self.param_groups, groups):
            names = {"param_names": own["param_names"]} if "param_names" in own else {}
            group.update({**names, **group, "params": own["params"]})
        self.state, self.param_groups = state, groups

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return f"{self._name} (\n" + "\n".join(lines) + "\n)"

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _parameters(self) -> Iterator:
        return (p for group in self.param_groups for p in group["params"])

    def _iterable(self, params):
        if isinstance(params, (set, frozenset)):
            fail(self._name, "parameters in an order that stays the same", "a set",
                 "Pass a list.", TypeError)
        if isinstance(params, (Variable, dict)) or not isinstance(params, Iterable):
            fail(self._name, "an iterable of Tensors or of dicts", f"one {type(params).__name__}",
                 "Put it in a list: [parameter].", TypeError)
        return params

    def _check_tensors(self, tensors: list) -> None:
        seen = {id(p) for p in self._parameters()}
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Variable):
                fail(self._name, "parameters to be Tensors", f"{type(tensor).__name__} at {i}",
                     "Pass model.parameters() or a list of Tensors.", TypeError)
            what = f"parameter {i} {shape_text(tensor.data.shape)}"
            if tensor.creator is not None:
                fail(self._name, "leaf Tensors", f"{what}, the result of an operation",
                     "Pass the Tensors it was made from, or its .detach().requires_grad_().")
            if id(tensor) in seen:
                fail(self._name, "every parameter once", f"{what} a second time",
                     "Remove it from this group or the other.")
            seen.add(id(tensor))

    def _check_keys(self, group: dict[str, Any]) -> None:
        """Any key may be added to a group, but none that is a misspelt hyperparameter."""
        for key in set(group) - set(self.defaults) - {"params", "param_names"}:
            if meant := difflib.get_close_matches(str(key), self.defaults, 1, 0.82):
                fail(self._name, f"groups with the keys {list(self.defaults)}", repr(key),
                     f"Write {meant[0]!r}.")
