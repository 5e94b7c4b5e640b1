"""Activations of one number each: every message, and what else may be passed."""

import re

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn._core import cpu

NAN, INF = float("nan"), float("inf")
NAMES = [
    "relu", "relu6", "leaky_relu", "hardtanh", "threshold", "hardsigmoid", "hardswish",
    "hardshrink", "softshrink", "elu", "celu", "selu", "sigmoid", "logsigmoid", "softplus", "tanh",
    "scaled_tanh", "softsign", "silu", "mish", "gelu", "tanhshrink",
]


def call(name, x, *arguments, **options):
    if name == "threshold":
        options = {"threshold": 0.0, "value": 0.0, **options}
    return getattr(F, name)(x, *arguments, **options)


@pytest.mark.parametrize("name", NAMES)
def test_messages_of_wrong_inputs(name):
    with pytest.raises(TypeError, match=rf"^{name}: expected input to be of dtype float32 or "
                                        r"float64, got int64 \(2,\)"):
        call(name, tinycnn.tensor([1, 2]))
    with pytest.raises(TypeError, match=f"^{name}: expected input to be a Tensor, got list"):
        call(name, [1.0])


SETTINGS = [
    ("leaky_relu", "negative_slope"), ("elu", "alpha"), ("celu", "alpha"), ("threshold", "value"),
    ("threshold", "threshold"), ("hardtanh", "min_val"), ("hardtanh", "max_val"),
    ("softplus", "beta"), ("softplus", "threshold"), ("scaled_tanh", "amplitude"),
    ("scaled_tanh", "slope"), ("hardshrink", "lambd"), ("softshrink", "lambd"),
]


@pytest.mark.parametrize(("name", "argument"), SETTINGS)
@pytest.mark.parametrize("value", [None, "a", "0.5", [0.5], 1j, 10**400])
def test_messages_of_what_is_no_number(name, argument, value):
    with pytest.raises(TypeError, match=f"^{name}: expected {argument} to be a number, got "
                                        f"{re.escape(repr(value))}. Pass for example"):
        call(name, tinycnn.tensor([1.0]), **{argument: value})


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: F.hardtanh(x, 2, 1), r"hardtanh: expected min_val up to max_val, got min_val=2, "
                                    r"max_val=1\. Exchange"),
    (lambda x: F.celu(x, 0), r"celu: expected alpha other than 0, got 0\. Use relu"),
    (lambda x: F.softshrink(x, -1), r"softshrink: expected a finite lambd of at least 0, got -1\."),
    (lambda x: F.softshrink(x, NAN), r"softshrink: expected a finite lambd .* got nan"),
    (lambda x: F.softshrink(x, INF), r"softshrink: expected a finite lambd .* got inf"),
    (lambda x: F.gelu(x, "erf"), r"gelu: expected approximate 'none' or 'tanh', got 'erf'\. Pass"),
    (lambda x: tinycnn.nn.Hardtanh(1, 1),
     r"Hardtanh: expected min_val < max_val, got min_val=1, max_val=1\. Exchange"),
])
def test_messages_of_settings_out_of_range(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call(tinycnn.tensor([1.0]))


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "celu", "softplus"])
@pytest.mark.parametrize("value", [2, np.float32(2), np.int64(2), tinycnn.tensor(2.0)])
def test_any_number_may_be_a_setting(name, value):
    x = tinycnn.tensor([-1.0, 1.0])
    assert call(name, x, value).tolist() == call(name, x, 2.0).tolist()


def test_kernels_refuse_arrays_that_do_not_fit():
    a, b, wide = np.zeros(4, "f4"), np.zeros(5, "f4"), np.zeros(4, "f8")
    for other in (b, wide):
        with pytest.raises(ValueError, match="one size and dtype"):
            cpu.relu_forward(a, other)
        with pytest.raises(ValueError, match="one size and dtype"):
            cpu.activation_forward("mish", a, other, ())
    with pytest.raises(ValueError, match="at most 3 settings, got"):
        cpu.activation_forward("elu", a, a.copy(), (1.0, 1.0, 1.0, 1.0))
    with pytest.raises(KeyError, match="swoosh"):
        cpu.activation_forward("swoosh", a, a.copy(), ())
