"""Activations give PyTorch's numbers and gradients, over a wide table."""

import numpy as np
import pytest

import tinycnn
from tinycnn.ops import activation as ops

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
F = torch.nn.functional

SHAPES = [(), (1,), (9,), (0, 3), (4, 5), (2, 3, 7), (2, 3, 4, 5), (2, 3, 2, 3, 4), (65, 130)]
CASES = [
    ("relu", {}), ("relu", {"inplace": False}),
    ("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": 0.0}), ("leaky_relu", {"negative_slope": -0.5}),
    ("leaky_relu", {"negative_slope": 2.0}),
    ("elu", {}), ("elu", {"alpha": 0.3}), ("elu", {"alpha": 2.5}), ("elu", {"alpha": -1.0}),
    ("sigmoid", {}), ("tanh", {}),
]
# Both sides round exp in their own way; gradients subtract numbers near 1, or sums over a row.
TOLERANCE = {"float32": {"rtol": 1e-5, "atol": 5e-6}, "float64": {"rtol": 1e-12, "atol": 4e-15}}


def compare(name, values, settings, generator, dtype):
    ours = tinycnn.tensor(values, requires_grad=True)
    theirs = torch.tensor(values, requires_grad=True)
    y = getattr(ops, name)(ours, **settings)
    expected = getattr(F, name)(theirs, **settings)
    grad = np.asarray(generator.normal(size=expected.shape), dtype)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    np.testing.assert_allclose(y.data, expected.detach().numpy(), **TOLERANCE[dtype])
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), **TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_pointwise(rng, name, settings, shape, dtype):
    compare(name, np.asarray(rng.normal(size=shape) * 4, dtype), settings, rng, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_special_numbers(rng, name, settings, dtype):
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e4, -1e4, 1e-30, -1e-30, 88.0, -88.0, -87.0]
    compare(name, np.array(values, dtype), settings, rng, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [s for s in SHAPES if s] + [(3, 1), (5, 1000)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_along_every_axis(rng, name, shape, dtype):
    values = np.asarray(rng.normal(size=shape) * 4, dtype)
    for dim in range(-len(shape), len(shape)):
        compare(name, values, {"dim": dim}, rng, dtype)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_special_rows(rng, name):
    inf, nan = np.inf, np.nan
    for row in ([1e4, 0, -1e4], [-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 1], [nan, 0, 1],
                [0, 1, nan], [3e38, -3e38, 0], [inf, -inf, nan]):
        compare(name, np.array([row], "float32"), {"dim": 1}, rng, "float32")


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_in_another_dtype(rng, name):
    values = rng.normal(size=(3, 4)).astype("float32")
    y = getattr(ops, name)(tinycnn.tensor(values), 1, dtype=tinycnn.float64)
    expected = getattr(F, name)(torch.tensor(values), 1, dtype=torch.float64)
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-12)
