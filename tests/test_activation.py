"""Activations: values, gradients, accuracy, layouts, every message."""

import re

import numpy as np
import pytest

import tinycnn
from tinycnn._core import cpu
from tinycnn.ops import activation as ops
from tinycnn.testing import assert_same_on_devices, gradcheck

NAN, INF = float("nan"), float("inf")

# name, arguments, the same function in long double, its domain, units in the last place in float32
# and float64: exp is good to 2, quotients and differences of it to a little more.
POINTWISE = [
    ("relu", (), lambda x: np.maximum(x, 0), 0),
    ("leaky_relu", (0.125,), lambda x: np.where(x > 0, x, x / 8), 0.5),
    ("elu", (1.0,), lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), 2),
    ("sigmoid", (), lambda x: 1 / (1 + np.exp(-x)), 3),
    ("tanh", (), np.tanh, 3),
]
NAMES = [p[0] for p in POINTWISE]
SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (2, 3, 5, 5), (1, 4, 1, 1), (4097,)]


def _call(name, x, *arguments):
    return getattr(ops, name)(x, *arguments)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("x", "expected"), [
    (0.0, {"relu": 0, "leaky_relu": 0, "elu": 0, "sigmoid": 0.5, "tanh": 0}),
    (2.0, {"relu": 2, "leaky_relu": 2, "elu": 2, "sigmoid": 0.880797078, "tanh": 0.964027580}),
    (-2.0, {"relu": 0, "leaky_relu": -0.02, "elu": -0.864664717, "sigmoid": 0.119202922,
            "tanh": -0.964027580}),
    (1e4, {"relu": 1e4, "leaky_relu": 1e4, "elu": 1e4, "sigmoid": 1, "tanh": 1}),
    (-1e4, {"relu": 0, "leaky_relu": -100, "elu": -1, "sigmoid": 0, "tanh": -1}),
    (INF, {"relu": INF, "leaky_relu": INF, "elu": INF, "sigmoid": 1, "tanh": 1}),
    (-INF, {"relu": 0, "leaky_relu": -INF, "elu": -1, "sigmoid": 0, "tanh": -1}),
    (NAN, dict.fromkeys(NAMES, NAN)),
])
def test_values_are_those_computed_by_hand(name, x, expected):
    for dtype in (tinycnn.float32, tinycnn.float64):
        y = _call(name, tinycnn.tensor([x], dtype=dtype))
        assert y.dtype == dtype
        np.testing.assert_allclose(y.item(), expected[name], rtol=1e-6)


@pytest.mark.parametrize(("name", "arguments", "exact", "ulps"), POINTWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_error_is_within_units_in_the_last_place(isa, rng, name, arguments, exact, ulps, dtype):
    least = np.finfo(dtype).tiny
    x = np.concatenate([
        np.linspace(-120, 120, 20001), rng.normal(size=20000) * 5, rng.normal(size=2000) * 1e-4,
    ]).astype(dtype)
    y = _call(name, tinycnn.tensor(x), *arguments).numpy()
    expected = exact(x.astype(np.longdouble))
    unit = np.spacing(np.maximum(np.abs(expected), least).astype(dtype))
    error = np.abs(y - expected)
    kept = np.abs(expected) >= 2 * least  # less than the least normal number may become 0
    assert (error[kept] / unit[kept]).max() <= ulps
    assert error[~kept].max(initial=0) <= 2 * least


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exp_is_within_two_units_in_the_last_place(isa, rng, dtype):
    # The gradient of ELU is exp(x) for x <= 0: it shows the exponential alone.
    reach = 87.3 if dtype == "float32" else 708
    values = np.concatenate([-np.geomspace(1e-9, reach, 30000), -rng.random(30000) * reach])
    x = tinycnn.tensor(values.astype(dtype), requires_grad=True)
    ops.elu(x).backward(tinycnn.ones_like(x))
    exact = np.exp(x.data.astype(np.longdouble))
    assert (np.abs(x.grad.numpy() - exact) / np.spacing(exact.astype(dtype))).max() <= 2


@pytest.mark.parametrize(("name", "arguments"), [p[:2] for p in POINTWISE])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_and_plain_kernels_agree(rng, name, arguments, shape, dtype):
    x = tinycnn.tensor(np.asarray(rng.normal(size=shape) * 3, dtype), requires_grad=True)
    assert_same_on_devices(lambda x: _call(name, x, *arguments), x)


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
        y = _call(name, x)
        y.backward(tinycnn.tensor(weights))
        results.append((y.data, x.grad.numpy()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_channels_last_memory_stays_channels_last(rng):
    x = tinycnn.autograd.wrap(_layouts(rng)["channels_last"])
    for name in NAMES:
        assert _call(name, x).data.strides == x.data.strides


@pytest.mark.parametrize("name", [*NAMES, "softmax", "log_softmax"])
def test_any_number_of_threads_gives_the_same_bits(rng, set_threads, name):
    x = rng.normal(size=(70, 3, 501)).astype("float32")
    arguments = (1,) if "softmax" in name else ()
    results = []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        t = tinycnn.tensor(x, requires_grad=True)
        y = _call(name, t, *arguments)
        y.backward(tinycnn.tensor(x[::-1].copy()))
        results.append((y.data.tobytes(), t.grad.numpy().tobytes()))
    assert len(set(results)) == 1


@pytest.mark.parametrize(("name", "arguments"), [
    ("relu", ()), ("leaky_relu", ()), ("leaky_relu", (0.0,)), ("leaky_relu", (-0.5,)),
    ("leaky_relu", (2.0,)), ("elu", ()), ("elu", (0.3,)), ("elu", (-1.5,)), ("sigmoid", ()),
    ("tanh", ()), ("softmax", (0,)), ("softmax", (1,)), ("softmax", (-1,)), ("log_softmax", (0,)),
    ("log_softmax", (1,)), ("log_softmax", (-1,)),
])
def test_gradient_is_the_derivative(rng, name, arguments):
    for shape, per_element in (((2, 3), True), ((2, 5, 3, 3), False)):
        x = rng.normal(size=shape)
        x += 0.1 * np.sign(x)  # away from the kink at 0
        x = tinycnn.tensor(x, requires_grad=True)
        assert gradcheck(lambda x: _call(name, x, *arguments), x, per_element=per_element)


@pytest.mark.parametrize(("name", "x", "expected"), [
    ("relu", [-1, 0, 2, NAN], [0, 0, 1, 1]),
    ("leaky_relu", [-1, 0, 2, NAN], [0.01, 0.01, 1, 0.01]),
    ("elu", [-INF, 0, 2, NAN], [0, 1, 1, 1]),
    ("sigmoid", [-INF, 0, INF, NAN], [0, 0.25, 0, NAN]),
    ("tanh", [-INF, 0, INF, NAN], [0, 1, 0, NAN]),
])
def test_gradient_at_the_edges(name, x, expected):
    x = tinycnn.tensor(x, dtype=tinycnn.float32, requires_grad=True)
    _call(name, x).backward(tinycnn.ones(4))
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6)


def test_relu_drops_even_an_infinite_gradient():
    x = tinycnn.tensor([-1.0, 1.0], requires_grad=True)
    ops.relu(x).backward(tinycnn.tensor([INF, INF]))
    assert x.grad.numpy().tolist() == [0, INF]


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_inplace_changes_no_value(name):
    x = tinycnn.tensor([-1.0, 2.0])
    y = getattr(ops, name)(x, inplace=True)
    assert x.numpy().tolist() == [-1, 2]
    assert y.numpy().tolist() == _call(name, x).numpy().tolist()


# Softmax -----------------------------------------------------------------------------------------


def test_softmax_by_hand():
    x = tinycnn.tensor(np.log([[1.0, 2.0, 1.0], [3.0, 3.0, 6.0]]))
    np.testing.assert_allclose(ops.softmax(x, 1).numpy(), [[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]])
    np.testing.assert_allclose(ops.softmax(x, 0).numpy()[0], [0.25, 0.4, 1 / 7])
    np.testing.assert_allclose(np.exp(ops.log_softmax(x, 1).numpy()), ops.softmax(x, 1).numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 1), (5, 2), (3, 10), (4, 17), (2, 33), (2, 1000), (0, 4)])
def test_softmax_rows_agree_with_plain_kernels(isa, rng, shape, dtype):
    x = tinycnn.tensor((rng.normal(size=shape) * 4).astype(dtype), requires_grad=True)
    for name in ("softmax", "log_softmax"):
        assert_same_on_devices(lambda x, name=name: _call(name, x, 1), x)


@pytest.mark.parametrize("dim", [-4, -3, -2, -1, 0, 1, 2, 3])
def test_softmax_along_any_axis(rng, dim):
    x = rng.normal(size=(2, 3, 4, 5))
    e = np.exp(x)
    expected = e / e.sum(axis=dim, keepdims=True)
    for name, exact in (("softmax", expected), ("log_softmax", np.log(expected))):
        y = _call(name, tinycnn.tensor(x), dim)
        assert y.shape == (2, 3, 4, 5)
        np.testing.assert_allclose(y.numpy(), exact, rtol=1e-12)


def test_softmax_of_extreme_scores_is_exact():
    x = tinycnn.tensor([[1e4, 1e4, -1e4], [-INF, 0.0, -INF], [3e38, -3e38, 0.0]])
    np.testing.assert_array_equal(ops.softmax(x, 1).numpy(), [[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]])
    logs = ops.log_softmax(x, 1).numpy()
    np.testing.assert_allclose(logs[0], [-np.log(2), -np.log(2), -2e4 - np.log(2)], rtol=1e-6)
    assert logs[1].tolist() == [-INF, 0, -INF]


@pytest.mark.parametrize("row", [[-INF, -INF], [INF, 0.0], [NAN, 0.0], [0.0, NAN], [NAN, NAN]])
def test_softmax_without_an_answer_is_nan(row):
    for width in (0, 3, 20):  # within one vector, and beyond it
        x = tinycnn.tensor([row + [row[-1]] * width, [0.0] * (2 + width)])
        for y in ops.softmax(x, 1).numpy(), ops.log_softmax(x, 1).numpy():
            assert np.isnan(y[0]).all()
            assert not np.isnan(y[1]).any()


def test_softmax_of_numbers_and_of_nothing():
    assert ops.softmax(tinycnn.tensor(3.0), 0).item() == 1
    assert ops.log_softmax(tinycnn.tensor(3.0), -1).item() == 0
    assert ops.softmax(tinycnn.zeros(3, 0), 1).shape == (3, 0)
    assert ops.softmax(tinycnn.zeros(0, 3), 0).shape == (0, 3)


def test_softmax_of_a_feature_map_takes_no_copy(rng):
    memory = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    y = ops.softmax(tinycnn.autograd.wrap(memory.transpose(0, 3, 1, 2)), 1)
    assert y.data.transpose(0, 2, 3, 1).flags.c_contiguous


def test_softmax_converts_to_the_dtype_asked_for():
    x = tinycnn.tensor([1.0, 2.0], requires_grad=True)
    y = ops.softmax(x, 0, dtype=tinycnn.float64)
    assert y.dtype == tinycnn.float64
    y[0].backward()
    assert x.grad.dtype == tinycnn.float32
    assert ops.log_softmax(tinycnn.tensor([1, 2]), 0, dtype=tinycnn.float32).shape == (2,)


@pytest.mark.parametrize(("shape", "dim"), [((), 0), ((3,), 0), ((3, 2), 1), ((3, 2, 2), 0),
                                            ((3, 2, 2, 2), 1)])
def test_softmax_chooses_an_axis_with_a_warning(rng, shape, dim):
    x = tinycnn.tensor(np.asarray(rng.normal(size=shape)))
    for name in ("softmax", "log_softmax"):
        with pytest.warns(UserWarning, match=f"{name}: dim was not given, dim={dim} is used"):
            y = _call(name, x)
        np.testing.assert_array_equal(y.numpy(), _call(name, x, dim).numpy())


# Messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "softmax", "log_softmax"])
def test_messages_of_wrong_inputs(name):
    arguments = (0,) if "softmax" in name else ()
    with pytest.raises(TypeError, match=rf"^{name}: expected input to be of dtype float32 or "
                                        r"float64, got int64 \(2,\)"):
        _call(name, tinycnn.tensor([1, 2]), *arguments)
    with pytest.raises(TypeError, match=f"^{name}: expected input to be a Tensor, got list"):
        _call(name, [1.0], *arguments)


@pytest.mark.parametrize(("name", "argument"), [("leaky_relu", "negative_slope"), ("elu", "alpha")])
@pytest.mark.parametrize("value", [None, "a", "0.5", [0.5], 1j, 10**400])
def test_messages_of_what_is_no_number(name, argument, value):
    with pytest.raises(TypeError, match=f"^{name}: expected {argument} to be a number, got "
                                        f"{re.escape(repr(value))}. Pass for example"):
        _call(name, tinycnn.tensor([1.0]), value)


@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
@pytest.mark.parametrize("value", [2, np.float32(2), np.int64(2), tinycnn.tensor(2.0)])
def test_any_number_may_set_the_negative_side(name, value):
    x = tinycnn.tensor([-1.0, 1.0])
    assert _call(name, x, value).tolist() == _call(name, x, 2.0).tolist()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_messages_of_wrong_axes(name):
    x = tinycnn.zeros(2, 3)
    for dim in (2, -3):
        with pytest.raises(ValueError, match=f"^{name}: expected dim between .* got {dim}"):
            _call(name, x, dim)
    with pytest.raises(TypeError, match=f"^{name}: expected dim to be an int"):
        _call(name, x, "channels")


def test_kernels_refuse_arrays_that_do_not_fit():
    from tinycnn._core import cpu

    a, b, wide = np.zeros(4, "f4"), np.zeros(5, "f4"), np.zeros(4, "f8")
    for other in (b, wide):
        with pytest.raises(ValueError, match="one size and dtype"):
            cpu.relu_forward(a, other)
        with pytest.raises(ValueError, match="loss: expected 4 numbers"):
            cpu.softmax_forward(a.reshape(2, 2), other)


# --- sums of gradients -------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 70_001])
def test_a_sum_of_gradients(size, dtype, own, isa, rng, set_threads):
    set_threads(3)
    a, b = [rng.standard_normal(size).astype(dtype) for _ in range(2)]
    expected = a + b
    y = cpu.add_gradients(a, b, own)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == a.dtype
    assert (y is a) == own


@pytest.mark.parametrize("own", [False, True])
def test_a_sum_of_gradients_that_lie_differently(own, rng):
    a = rng.standard_normal((4, 30, 40, 8)).astype("f4")
    b = rng.standard_normal((4, 8, 30, 40)).astype("f4")
    last = a.transpose(0, 3, 1, 2)
    for first, second in (last, b), (b, last), (b[:, ::2], b[:, ::2]), (last, last):
        expected = first + second
        np.testing.assert_array_equal(cpu.add_gradients(first.copy("K"), second, own), expected)
    wide = cpu.add_gradients(b, b.astype("f8"), own)
    assert wide.dtype == "f8"
