"""Activations give PyTorch's numbers and gradients, over a wide table."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as ours_F
from tinycnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
F = torch.nn.functional

SHAPES = [(), (1,), (9,), (0, 3), (4, 5), (2, 3, 7), (2, 3, 4, 5), (2, 3, 2, 3, 4), (65, 130)]
CASES = [
    ("relu", {}), ("relu", {"inplace": False}),
    ("relu6", {}), ("hardtanh", {}), ("hardtanh", {"min_val": -0.5, "max_val": 3}),
    ("hardtanh", {"min_val": 1, "max_val": 1}),
    ("threshold", {"threshold": 0.5, "value": 20}), ("threshold", {"threshold": -1, "value": 0.1}),
    ("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": 0.0}), ("leaky_relu", {"negative_slope": -0.5}),
    ("leaky_relu", {"negative_slope": 2.0}),
    ("elu", {}), ("elu", {"alpha": 0.3}), ("elu", {"alpha": 2.5}), ("elu", {"alpha": -1.0}),
    ("celu", {}), ("celu", {"alpha": 0.25}), ("celu", {"alpha": 2.0}), ("celu", {"alpha": -4.0}),
    ("selu", {}), ("sigmoid", {}), ("tanh", {}), ("hardsigmoid", {}), ("hardswish", {}),
    ("logsigmoid", {}), ("softplus", {}), ("softplus", {"beta": 3, "threshold": 2}),
    ("softplus", {"beta": -0.7}), ("softplus", {"beta": 0.1, "threshold": -5}), ("softsign", {}),
    ("tanhshrink", {}), ("hardshrink", {}), ("hardshrink", {"lambd": 1.5}),
    ("hardshrink", {"lambd": -1}), ("softshrink", {}), ("softshrink", {"lambd": 0}),
    ("softshrink", {"lambd": 2}), ("silu", {}), ("mish", {}), ("gelu", {}),
    ("gelu", {"approximate": "none"}), ("gelu", {"approximate": "tanh"}),
]
# Both sides round exp in their own way; gradients subtract numbers near 1, or sums over a row;
# PyTorch's GELU does so far below 0.
TOLERANCE = {"float32": {"rtol": 1e-5, "atol": 5e-6}, "float64": {"rtol": 1e-12, "atol": 1e-14}}


def run(name, values, settings, grad):
    """(result, gradient) of ours and of theirs."""
    ours = tinycnn.tensor(values, requires_grad=True)
    theirs = torch.tensor(values, requires_grad=True)
    y = getattr(ours_F, name)(ours, **settings)
    expected = getattr(F, name)(theirs, **settings)
    grad = np.asarray(grad(expected.shape), values.dtype)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    return (y.data, ours.grad.data), (expected.detach().numpy(), theirs.grad.numpy())


def compare(name, values, settings, generator, dtype):
    found, expected = run(name, values, settings, lambda shape: generator.normal(size=shape))
    loose = name == "hardsigmoid"  # PyTorch's sixth is a float32, and so is its 1 / alpha of celu
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, **TOLERANCE["float32" if loose else dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_pointwise(rng, name, settings, shape, dtype):
    compare(name, np.asarray(rng.normal(size=shape) * 4, dtype), settings, rng, dtype)


# Numbers at which PyTorch's kernels for whole vectors and for the rest disagree with each other, or
# that overflow on the way: its answer is NaN, where ours is a number.
SPECIAL = [0.0, -0.0, 1e4, -1e4, 1e-30, -1e-30, 88.0, -88.0, -87.0, -3, 3, 6, 0.5, -0.5, 1, -1, 2,
           20, 20.001, 1.5, -1.5]
EXTREME = [np.nan, np.inf, -np.inf, 1e30, -1e30]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("repeats", [1, 16])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_special_numbers(rng, name, settings, repeats, dtype):
    compare(name, np.array(SPECIAL * repeats, dtype), settings, rng, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_extreme_numbers(name, settings, dtype):
    (y, grad), (expected, expected_grad) = run(
        name, np.array(EXTREME, dtype), settings, np.ones)
    assert np.isnan(y[0])
    better = np.isnan(expected) & (np.abs(EXTREME) > 1)
    np.testing.assert_allclose(y[~better], expected[~better], rtol=1e-6)
    better = np.isnan(expected_grad) | np.isnan(EXTREME)
    np.testing.assert_allclose(grad[~better], expected_grad[~better], rtol=1e-6, atol=1e-30)
    assert np.isfinite(y[3:]).all() or settings.get("alpha", 1) < 0
    assert np.isfinite(grad[3:]).all() or settings.get("alpha", 1) < 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [s for s in SHAPES if s] + [(3, 1), (5, 1000)])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_softmax_along_every_axis(rng, name, shape, dtype):
    values = np.asarray(rng.normal(size=shape) * 4, dtype)
    for dim in range(-len(shape), len(shape)):
        compare(name, values, {"dim": dim}, rng, dtype)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_softmax_of_special_rows(rng, name):
    inf, nan = np.inf, np.nan
    for row in ([1e4, 0, -1e4], [-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 1], [nan, 0, 1],
                [0, 1, nan], [3e38, -3e38, 0], [inf, -inf, nan]):
        compare(name, np.array([row], "float32"), {"dim": 1}, rng, "float32")


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_softmax_in_another_dtype(rng, name):
    values = rng.normal(size=(3, 4)).astype("float32")
    y = getattr(ours_F, name)(tinycnn.tensor(values), 1, dtype=tinycnn.float64)
    expected = getattr(F, name)(torch.tensor(values), 1, dtype=torch.float64)
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "dim"), [((8,), 0), ((2, 6), -1), ((2, 6, 5, 4), 1),
                                            ((4, 3), 0), ((2, 0), 1), ((0, 4, 3), 1)])
def test_glu(rng, shape, dim, dtype):
    compare("glu", np.asarray(rng.normal(size=shape), dtype), {"dim": dim}, rng, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "slopes"), [
    ((), (1,)), ((), ()), ((7,), (1,)), ((4, 3), (3,)), ((4, 3), ()), ((4, 1), (1,)),
    ((2, 3, 7), (3,)), ((2, 3, 4, 5), (3,)), ((2, 3, 4, 5), (1,)), ((2, 16, 3, 3, 3), (16,)),
    ((0, 3), (3,)), ((2, 65, 9), (65,)),
])
def test_prelu(rng, shape, slopes, dtype):
    x, w = [np.asarray(rng.normal(size=s), dtype) for s in (shape, slopes)]
    x = np.where(np.abs(x) < 0.1, 0, x).astype(dtype)
    grad = np.asarray(rng.normal(size=shape), dtype)
    ours = [tinycnn.tensor(v, requires_grad=True) for v in (x, w)]
    theirs = [torch.tensor(v, requires_grad=True) for v in (x, w)]
    y, expected = ours_F.prelu(*ours), F.prelu(*theirs)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    np.testing.assert_allclose(y.data, expected.detach().numpy(), **TOLERANCE[dtype])
    for a, b in zip(ours, theirs):
        assert a.grad.shape == tuple(b.grad.shape)
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), **TOLERANCE[dtype])


LAYERS = [
    "ReLU", "ReLU6", "ELU", "SELU", "CELU", "SiLU", "Mish", "GELU", "Softplus", "Softsign", "Tanh",
    "Sigmoid", "Hardswish", "Hardsigmoid", "LogSigmoid", "Hardshrink", "Softshrink", "Tanhshrink",
    "Hardtanh", "LeakyReLU", "PReLU", "GLU", "Softmax2d",
]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_same_defaults_and_text(rng, name):
    ours, theirs = getattr(nn, name)(), getattr(torch.nn, name)()
    assert repr(ours) == repr(theirs)
    x = rng.normal(size=(2, 3, 4, 6)).astype("float32") * 3
    np.testing.assert_allclose(ours(tinycnn.tensor(x)).data,
                               theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    if name == "PReLU":
        assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("layer", [
    lambda n: n.Threshold(0.25, 7.0), lambda n: n.Threshold(0.25, 7.0, inplace=True),
    lambda n: n.Hardtanh(-2.0, 0.5, True), lambda n: n.Softmin(dim=1), lambda n: n.GLU(dim=1),
    lambda n: n.PReLU(4, init=0.5), lambda n: n.GELU(approximate="tanh"),
    lambda n: n.Softplus(beta=2, threshold=1), lambda n: n.ReLU6(True), lambda n: n.CELU(0.5, True),
])
def test_layers_take_the_same_arguments(rng, layer):
    ours, theirs = layer(nn), layer(torch.nn)
    assert repr(ours) == repr(theirs)
    x = rng.normal(size=(2, 4, 5)).astype("float32")
    np.testing.assert_allclose(ours(tinycnn.tensor(x)).data,
                               theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
