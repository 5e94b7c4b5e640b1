"""Losses give PyTorch's numbers and gradients, over a wide table of shapes and settings."""

import itertools

import numpy as np
import pytest

import tinycnn
from tinycnn.ops import loss as ops

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
F = torch.nn.functional

REDUCTIONS = ["mean", "sum", "none"]
# Sums are rounded in another order here than there, and gradients are differences of shares.
TOLERANCE = {"float32": {"rtol": 1e-5, "atol": 5e-6}, "float64": {"rtol": 1e-12, "atol": 1e-14}}


def compare(name, arrays, grads, settings, generator):
    """The same call here and there: result, and gradients of the first `grads` arrays."""
    dtype = str(arrays[0].dtype)
    sides = []
    for make, module in ((tinycnn.tensor, ops), (torch.tensor, F)):
        tensors = [make(a, requires_grad=i < grads) for i, a in enumerate(arrays)]
        converted = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
        sides.append((make, tensors, getattr(module, name)(*tensors, **converted)))
    (_, ours, y), (_, theirs, expected) = sides
    assert y.shape == tuple(expected.shape)
    assert str(y.dtype) == str(expected.dtype)[6:]
    direction = np.asarray(generator.normal(size=y.shape), dtype)
    for make, _, loss in sides:
        loss.backward(make(direction))
    np.testing.assert_allclose(y.data, expected.detach().numpy(), **TOLERANCE[dtype])
    for a, b in zip(ours[:grads], theirs[:grads]):
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), **TOLERANCE[dtype])


CLASS_SHAPES = [(1, 1), (1, 5), (4, 2), (7, 3), (64, 10), (5, 17), (3, 100), (6,), (1,), (2, 3, 4),
                (2, 3, 4, 5), (2, 21, 3, 3), (2, 2, 2, 3, 2), (3, 4, 0), (0, 3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", CLASS_SHAPES)
def test_class_indices(rng, shape, dtype):
    classes = shape[min(len(shape) - 1, 1)]
    target = np.asarray(rng.integers(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ()))
    x = (rng.normal(size=shape) * 3).astype(dtype)
    weight = (rng.random(classes) + 0.1).astype(dtype)
    for reduction, weighted, ignored in itertools.product(REDUCTIONS, (0, 1), (-100, 0, 1)):
        settings = {"reduction": reduction, "ignore_index": ignored}
        if weighted:
            settings["weight"] = weight
        for smoothing in (0.0, 0.1, 1.0):
            more = {**settings, "label_smoothing": smoothing}
            if len(shape) == 1 and ignored == target:
                continue  # PyTorch's total is not NaN there
            compare("cross_entropy", [x, target], 1, more, rng)
        compare("nll_loss", [x, target], 1, settings, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", CLASS_SHAPES)
def test_class_probabilities(rng, shape, dtype):
    classes = shape[min(len(shape) - 1, 1)]
    x = (rng.normal(size=shape) * 3).astype(dtype)
    q = rng.random(shape).astype(dtype)
    weight = (rng.random(classes) + 0.1).astype(dtype)
    for reduction, weighted, smoothing in itertools.product(REDUCTIONS, (0, 1), (0.0, 0.1, 1.0)):
        settings = {"reduction": reduction, "label_smoothing": smoothing}
        if weighted:
            settings["weight"] = weight
        compare("cross_entropy", [x, q], 2, settings, rng)


def test_extreme_scores(rng):
    inf = np.inf
    x = np.array([[1e4, 0, -1e4], [-1e4, 1e4, 1e4], [-inf, 0, 1], [3e38, 0, -3e38], [0, 0, -inf]],
                 "float32")
    for target in ([2, 0, 1, 0, 2], [0, 1, 2, 2, 0], [1, 2, 0, 1, 1]):
        for reduction in REDUCTIONS:
            compare("cross_entropy", [x, np.array(target)], 1, {"reduction": reduction}, rng)


def test_weights_of_zero(rng):
    x = rng.normal(size=(4, 3)).astype("float32")
    weight = np.array([0, 1, 2], "float32")
    for target in ([0, 0, 0, 0], [0, 1, 2, 0]):
        for reduction in REDUCTIONS:
            settings = {"weight": weight, "reduction": reduction}
            compare("cross_entropy", [x, np.array(target)], 1, settings, rng)
            compare("nll_loss", [x, np.array(target)], 1, settings, rng)


PAIR_SHAPES = [(), (1,), (17,), (3, 4), (2, 3, 4, 5), (100, 101), (0,), (2, 0)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", PAIR_SHAPES)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_errors(rng, name, shape, dtype):
    x, t = (np.asarray(rng.normal(size=shape) * 3, dtype) for _ in range(2))
    weight = np.asarray(rng.random(shape) + 0.1, dtype)
    for reduction in REDUCTIONS:
        compare(name, [x, t], 2, {"reduction": reduction}, rng)
        compare(name, [x, t], 2, {"reduction": reduction, "weight": weight}, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", PAIR_SHAPES)
def test_binary_cross_entropy(rng, shape, dtype):
    x, t = (np.asarray(rng.random(shape) * 0.98 + 0.01, dtype) for _ in range(2))
    for reduction, w in itertools.product(REDUCTIONS, _weights(rng, shape, dtype)):
        settings = {"reduction": reduction, **({} if w is None else {"weight": w})}
        compare("binary_cross_entropy", [x, t], 2, settings, rng)


def test_binary_cross_entropy_of_certainties(rng):
    x = np.array([0, 1, 0, 1, 0.5, 1e-20, 1e-45], "float32")
    t = np.array([0, 1, 1, 0, 0.25, 1, 0.5], "float32")
    for reduction in REDUCTIONS:
        compare("binary_cross_entropy", [x, t], 1, {"reduction": reduction}, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", PAIR_SHAPES)
def test_binary_cross_entropy_with_logits(rng, shape, dtype):
    x = np.asarray(rng.normal(size=shape) * 20, dtype)
    t = np.asarray(rng.random(shape), dtype)
    weights = _weights(rng, shape, dtype)
    for reduction, w, pos in itertools.product(REDUCTIONS, weights, weights):
        settings = {"reduction": reduction}
        if w is not None:
            settings["weight"] = w
        if pos is not None:
            settings["pos_weight"] = pos
        compare("binary_cross_entropy_with_logits", [x, t], 2, settings, rng)


def _weights(rng, shape, dtype):
    """None, a weight for each element, one for each place of the last axis, and one for all."""
    shapes = [shape, shape[-1:], ()]
    return [None] + [np.asarray(rng.random(s) * 3, dtype) for s in shapes]


def test_binary_cross_entropy_of_extreme_logits(rng):
    x = np.array([1e4, -1e4, 1e4, -1e4, 88, -88, 0, np.nan], "float32")
    t = np.array([1, 0, 0, 1, 0.5, 0.5, 1, 1], "float32")
    for reduction in REDUCTIONS:
        compare("binary_cross_entropy_with_logits", [x, t], 2, {"reduction": reduction}, rng)


def test_one_hot(rng):
    for shape, classes in (((), 4), ((5,), -1), ((2, 3), 7), ((0,), 3), ((2, 0), 1)):
        target = np.asarray(rng.integers(0, 4, shape))
        y = ops.one_hot(tinycnn.tensor(target), classes)
        expected = F.one_hot(torch.tensor(target), classes)
        assert str(y.dtype) == str(expected.dtype)[6:]
        np.testing.assert_array_equal(y.numpy(), expected.numpy())
