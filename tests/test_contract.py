"""The contract between operations and devices: `reference` defines every kernel, each device has
the same ones with the same parameters, and operations call nothing else."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import tinycnn
from tinycnn._core import cpu, device_kernels, reference

DEVICES = {"cpu": cpu, "cuda": device_kernels("cuda")}

# What the CPU takes from `reference` as it is. array.py is NumPy's own functions, which are the
# CPU's; the others move or look up numbers, and there is nothing to gain.
BORROWED_FAMILY = "array"
BORROWED = {"each_replay", "max_pool_indices", "nll_backward", "nll_forward", "one_hot"}


def kernels(module):
    """{name: function} of everything public in a kernel module."""
    return {name: value for name, value in vars(module).items()
            if not name.startswith("_") and callable(value)}


def parameters(function):
    return list(inspect.signature(function).parameters)


ARRAY = set(reference.array.__all__)
OWN = sorted(set(kernels(reference)) - ARRAY)


def test_the_families_are_complete():
    assert {"conv_forward", "conv_backward_input", "conv_backward_weight", "sum_rows", "matmul",
            "empty", "dense", "max_pool_forward", "batch_norm_apply", "relu_forward",
            "softmax_forward", "dropout", "cross_entropy_forward", "sgd_update",
            "random_uniform"} <= set(OWN)
    assert {"add", "exp", "reshape", "sum", "contiguous"} <= ARRAY


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_has_every_kernel_and_no_other(device):
    assert sorted(kernels(DEVICES[device])) == sorted(kernels(reference))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", OWN)
def test_parameters_have_the_same_names_in_the_same_order(name, device):
    theirs = getattr(DEVICES[device], name)
    assert parameters(theirs) == parameters(getattr(reference, name))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", OWN)
def test_a_kernel_lies_in_the_file_of_its_family(name, device):
    """Written there, or in a file beside it that it takes it from."""
    own, theirs = getattr(reference, name), getattr(DEVICES[device], name)
    if device == "cpu" and name in BORROWED:
        assert theirs is own
    else:
        family = importlib.import_module(own.__module__.replace("reference", device))
        assert getattr(family, name) is theirs


def test_array_functions_are_borrowed_as_they_are():
    for name in ARRAY:
        assert getattr(cpu, name) is getattr(reference, name)


def _called(path):
    """Names of kernels in a file: attributes of k, kernels and ctx.kernels."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and (
            ast.unparse(node.value).rpartition(".")[2] in ("k", "kernels")
        ):
            yield node.attr


def test_operations_and_optimisers_call_kernels_of_the_contract_only():
    root = Path(tinycnn.__file__).parent
    called = {name: path.name for folder in ("ops", "optim")
              for path in (root / folder).rglob("*.py") for name in _called(path)}
    assert {"conv_forward", "matmul", "max_pool_forward", "contiguous"} <= set(called)
    assert {n: path for n, path in called.items() if n not in kernels(reference)} == {}
