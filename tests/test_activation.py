"""Activations of one number each: values, gradients, accuracy, layouts. Others are in
test_channel_activation.py and test_softmax.py, messages in test_activation_errors.py."""

import math

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.testing import assert_same_on_devices, gradcheck

NAN, INF = float("nan"), float("inf")
LAMBDA, ALPHA = 1.0507009873554804934193352946, 1.6732632423543772848170429917


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x):
    return 1 / (1 + np.exp(np.minimum(-x, 11000)))


def _elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _normal(x):
    """The C library's erfc in double, moved by what rounding took from its argument."""
    z = -x / np.sqrt(np.longdouble(2))
    near = z.astype(float)
    y = np.vectorize(math.erfc, otypes="d")(near).astype(np.longdouble)
    return (y - (z - near) * 2 / np.sqrt(np.longdouble(math.pi)) * np.exp(-z * z)) / 2


def _gelu_tanh(x):
    return x * _sigmoid(np.sqrt(8 / np.longdouble(math.pi)) * (x + np.longdouble(0.044715) * x**3))


# name: arguments, the same function in long double, its error in units in the last place in float32
# and float64, kinks. exp is good to 2 units, quotients and products of it to a little more.
POINTWISE = {
    "relu": ((), lambda x: np.maximum(x, 0), 0, [0]),
    "relu6": ((), lambda x: np.clip(x, 0, 6), 0, [0, 6]),
    "leaky_relu": ((0.125,), lambda x: np.where(x > 0, x, x / 8), 0.5, [0]),
    "hardtanh": ((-0.5, 2.0), lambda x: np.clip(x, -0.5, 2), 0, [-0.5, 2]),
    "threshold": ((0.5, 20.0), lambda x: np.where(x > 0.5, x, 20), 0, [0.5]),
    "hardsigmoid": ((), lambda x: np.clip(x + 3, 0, 6) / 6, 1.5, [-3, 3]),
    "hardswish": ((), lambda x: x * np.clip(x + 3, 0, 6) / 6, 2.5, [-3, 3]),
    "hardshrink": ((0.25,), lambda x: np.where(np.abs(x) > 0.25, x, 0), 0, [-0.25, 0.25]),
    "softshrink": ((0.25,), lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.25, 0), 0.5,
                   [-0.25, 0.25]),
    "elu": ((1.0,), _elu, 2, [0]),
    "celu": ((0.5,), lambda x: np.where(x > 0, x, _elu(2 * x) / 2), 2, [0]),
    "selu": ((), lambda x: LAMBDA * np.where(x > 0, x, np.longdouble(ALPHA) * _elu(x)), 2.5, [0]),
    "sigmoid": ((), _sigmoid, 3, []),
    "logsigmoid": ((), lambda x: -_softplus(-x), 3, []),
    "softplus": ((2.0, 80.0), lambda x: _softplus(2 * x) / 2, 3, [40]),
    "tanh": ((), np.tanh, 3, []),
    "scaled_tanh": ((1.5, 0.5), lambda x: np.longdouble(1.5) * np.tanh(x / 2), 3.5, []),
    "softsign": ((), lambda x: x / (1 + np.abs(x)), 2, []),
    "silu": ((), lambda x: x * _sigmoid(x), 4, []),
    "mish": ((), lambda x: x * np.tanh(_softplus(x)), 4.5, []),
    "gelu": ((), lambda x: x * _normal(x), 9, []),
}
# Differences of almost equal numbers: units in the last place of x.
OF_INPUT = {
    "tanhshrink": ((), lambda x: x - np.tanh(x), 2.5, []),
    "gelu, tanh": (("tanh",), _gelu_tanh, 2.5, []),
}
ALL = {**POINTWISE, **OF_INPUT}
INPLACE = ["relu", "relu6", "leaky_relu", "hardtanh", "threshold", "hardsigmoid", "hardswish",
           "elu", "celu", "selu", "silu", "mish"]
SHAPES = [(), (0,), (1,), (7,), (3, 0, 2), (2, 3, 5, 5), (4097,)]
CASES = [(name, case[0]) for name, case in ALL.items()]
NAMES = [name for name in ALL if "," not in name]


def call(name, x, *arguments, **options):
    return getattr(F, name.partition(",")[0])(x, *arguments, **options)


def _defaults(name):
    return ALL[name][0] if name == "threshold" else ()


BY_HAND = {  # of 0, 2, -2, 1e4, -1e4
    "relu": (0, 2, 0, 1e4, 0), "relu6": (0, 2, 0, 6, 0), "leaky_relu": (0, 2, -0.02, 1e4, -100),
    "hardtanh": (0, 1, -1, 1, -1), "threshold": (20, 2, 20, 1e4, 20),
    "hardsigmoid": (0.5, 5 / 6, 1 / 6, 1, 0), "hardswish": (0, 5 / 3, -1 / 3, 1e4, 0),
    "hardshrink": (0, 2, -2, 1e4, -1e4), "softshrink": (0, 1.5, -1.5, 9999.5, -9999.5),
    "elu": (0, 2, -0.864664717, 1e4, -1), "celu": (0, 2, -0.864664717, 1e4, -1),
    "selu": (0, 2.101401975, -1.520166469, 10507.00987, -1.758099341),
    "sigmoid": (0.5, 0.880797078, 0.119202922, 1, 0),
    "logsigmoid": (-0.693147181, -0.126928011, -2.126928011, 0, -1e4),
    "softplus": (0.693147181, 2.126928011, 0.126928011, 1e4, 0),
    "tanh": (0, 0.964027580, -0.964027580, 1, -1),
    "scaled_tanh": (0, 1.492938805, -1.492938805, 1.7159, -1.7159),
    "softsign": (0, 2 / 3, -2 / 3, 1e4 / 10001, -1e4 / 10001),
    "silu": (0, 1.761594156, -0.238405844, 1e4, 0), "mish": (0, 1.943958960, -0.252501483, 1e4, 0),
    "gelu": (0, 1.954499736, -0.045500264, 1e4, 0),
    "tanhshrink": (0, 1.035972420, -1.035972420, 9999, -9999),
    "gelu, tanh": (0, 1.954597694, -0.045402306, 1e4, 0),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_those_computed_by_hand(name, dtype):
    arguments = ALL[name][0] if "," in name else _defaults(name)
    y = call(name, tinycnn.tensor([0, 2, -2, 1e4, -1e4], dtype=dtype), *arguments)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy(), BY_HAND[name], rtol=1e-6 if dtype == "float32" else 1e-8)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_error_is_within_units_in_the_last_place(isa, rng, name, dtype):
    arguments, exact, ulps, _ = ALL[name]
    least = np.finfo(dtype).tiny
    x = np.concatenate([
        np.linspace(-120, 120, 20001), rng.normal(size=20000) * 5, rng.normal(size=2000) * 1e-4,
    ]).astype(dtype)
    y = call(name, tinycnn.tensor(x), *arguments).numpy()
    expected = exact(x.astype(np.longdouble))
    size = np.abs(x if name in OF_INPUT else expected)
    error = np.abs(y - expected)
    kept = np.abs(expected) >= 256 * least  # less than the least normal number may become 0
    unit = np.spacing(np.maximum(size, least).astype(dtype))
    assert (error[kept] / unit[kept]).max() <= ulps
    assert error[~kept].max(initial=0) <= 256 * least


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exp_is_within_two_units_in_the_last_place(isa, rng, dtype):
    # The gradient of ELU is exp(x) for x <= 0: it shows the exponential alone.
    reach = 87.3 if dtype == "float32" else 708
    values = np.concatenate([-np.geomspace(1e-9, reach, 30000), -rng.random(30000) * reach])
    x = tinycnn.tensor(values.astype(dtype), requires_grad=True)
    F.elu(x).backward(tinycnn.ones_like(x))
    exact = np.exp(x.data.astype(np.longdouble))
    assert (np.abs(x.grad.numpy() - exact) / np.spacing(exact.astype(dtype))).max() <= 2


@pytest.mark.parametrize(("name", "arguments"), CASES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_and_plain_kernels_agree(isa, rng, name, arguments, shape, dtype):
    x = tinycnn.tensor(np.asarray(rng.normal(size=shape) * 3, dtype), requires_grad=True)
    assert_same_on_devices(lambda x: call(name, x, *arguments), x)


def _layouts(rng):
    plain = rng.normal(size=(2, 3, 4, 5))
    channels_last = np.ascontiguousarray(plain.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    wide = np.zeros((2, 3, 4, 10))
    wide[..., ::2] = plain
    read_only = plain.copy()
    read_only.flags.writeable = False
    return {"plain": plain, "channels_last": channels_last, "strided": wide[..., ::2],
            "reversed": plain[:, ::-1].copy()[:, ::-1], "read_only": read_only,
            "fortran": np.asfortranarray(plain)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", ["channels_last", "strided", "reversed", "read_only", "fortran"])
def test_layout_of_memory_changes_nothing(rng, name, layout):
    arrays = _layouts(rng)
    weights = rng.normal(size=(2, 3, 4, 5))
    results = []
    for array in (arrays["plain"], arrays[layout]):
        x = tinycnn.autograd.wrap(array)
        x.requires_grad = True
        y = call(name, x, *_defaults(name))
        y.backward(tinycnn.tensor(weights))
        results.append((y.data, x.grad.numpy()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_channels_last_memory_stays_channels_last(rng):
    x = tinycnn.autograd.wrap(_layouts(rng)["channels_last"])
    for name in NAMES:
        assert call(name, x, *_defaults(name)).data.strides == x.data.strides


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_any_number_of_threads_gives_the_same_bits(rng, set_threads, name, arguments):
    x = rng.normal(size=(70, 3, 501)).astype("float32")
    results = []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        t = tinycnn.tensor(x, requires_grad=True)
        y = call(name, t, *arguments)
        y.backward(tinycnn.tensor(x[::-1].copy()))
        results.append((y.data.tobytes(), t.grad.numpy().tobytes()))
    assert len(set(results)) == 1


@pytest.mark.parametrize(("name", "arguments"), [
    *CASES, ("leaky_relu", (0.0,)), ("leaky_relu", (-0.5,)), ("leaky_relu", (2.0,)),
    ("elu", (0.3,)), ("elu", (-1.5,)), ("celu", (-2.0,)), ("softplus", (-1.5,)),
    ("softplus", (0.25, 0.1)), ("scaled_tanh", (-1.0, 3.0)), ("scaled_tanh", (0.0, 2.0)),
    ("hardshrink", (-1.0,)), ("threshold", (-1.0, 0.5)),
])
def test_gradient_is_the_derivative(rng, name, arguments):
    kinks = [-3, -1, -0.5, -0.25, 0, 0.25, 0.4, 0.5, 1, 2, 3, 6]
    for shape, per_element in (((2, 3), True), ((2, 5, 3, 3), False)):
        x = rng.normal(size=shape) * 2
        for kink in kinks:
            x[np.abs(x - kink) < 1e-3] += 0.01
        x = tinycnn.tensor(x, requires_grad=True)
        assert gradcheck(lambda x: call(name, x, *arguments), x, per_element=per_element)


@pytest.mark.parametrize(("name", "arguments", "x", "expected"), [
    ("relu", (), [-1, 0, 2, NAN], [0, 0, 1, 1]),
    ("relu6", (), [0, -0.0, 6, 3], [0, 0, 0, 1]),
    ("leaky_relu", (), [-1, 0, 2, NAN], [0.01, 0.01, 1, 0.01]),
    ("hardtanh", (), [-1, 1, 0, NAN], [0, 0, 1, 1]),
    ("threshold", (0.5, 9.0), [0.5, 0.75, -INF, NAN], [0, 1, 0, 1]),
    ("hardsigmoid", (), [-3, 3, 0, NAN], [0, 0, 1 / 6, 0]),
    ("hardswish", (), [-3, 3, INF, -INF], [0, 1, 1, 0]),
    ("hardshrink", (), [-0.5, 0.5, 0.75, NAN], [0, 0, 1, 1]),
    ("softshrink", (), [-0.5, 0.5, -0.75, NAN], [0, 0, 1, 1]),
    ("elu", (), [-INF, 0, 2, NAN], [0, 1, 1, 1]),
    ("celu", (2.0,), [-INF, 0, 2, NAN], [0, 1, 1, 1]),
    ("selu", (), [-INF, 0, 2, NAN], [0, 1.7580993, 1.050701, 1.050701]),
    ("sigmoid", (), [-INF, 0, INF, NAN], [0, 0.25, 0, NAN]),
    ("logsigmoid", (), [-INF, 0, INF, NAN], [1, 0.5, 0, NAN]),
    ("softplus", (1.0, 2.0), [2, 2.5, -INF, NAN], [0.880797, 1, 0, NAN]),
    ("tanh", (), [-INF, 0, INF, NAN], [0, 1, 0, NAN]),
    ("softsign", (), [-1, 0, 1e30, NAN], [0.25, 1, 0, NAN]),
    ("silu", (), [-1e30, 0, 1e30, NAN], [0, 0.5, 1, NAN]),
    ("mish", (), [-1e30, 0, 1e30, NAN], [0, 0.6, 1, NAN]),
    ("gelu", (), [-1e30, 0, 1e30, NAN], [0, 0.5, 1, NAN]),
    ("gelu", ("tanh",), [-1e30, 0, 1e30, NAN], [0, 0.5, 1, NAN]),
])
def test_gradient_at_the_edges(name, arguments, x, expected):
    for repeats in 1, 40:  # in a part of a vector, and in whole ones
        t = tinycnn.tensor(x * repeats, dtype=tinycnn.float32, requires_grad=True)
        call(name, t, *arguments).backward(tinycnn.ones(4 * repeats))
        np.testing.assert_allclose(t.grad.numpy(), expected * repeats, rtol=1e-6)


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "hardswish", "hardsigmoid"])
def test_a_closed_gate_drops_even_an_infinite_gradient(name):
    x = tinycnn.tensor([-9.0, 0.5], requires_grad=True)
    call(name, x).backward(tinycnn.tensor([INF, INF]))
    assert x.grad.numpy().tolist() == [0, INF]


def test_softplus_and_mish_do_not_overflow_on_the_way():
    x = tinycnn.tensor([500.0, 1000.0])
    assert F.softplus(x, 1.0, 2000.0).tolist() == [500, 1000]
    assert F.mish(x).tolist() == [500, 1000]


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_changes_no_value(name):
    x = tinycnn.tensor([-1.0, 2.0])
    y = call(name, x, *_defaults(name), inplace=True)
    assert x.numpy().tolist() == [-1, 2]
    assert y.numpy().tolist() == call(name, x, *_defaults(name)).numpy().tolist()


def test_another_librarys_tensor_is_named_with_its_library():
    class Tensor:
        __module__ = "torch"

    with pytest.raises(TypeError, match=r"relu: expected input to be a Tensor, got torch\.Tensor"):
        F.relu(Tensor())
