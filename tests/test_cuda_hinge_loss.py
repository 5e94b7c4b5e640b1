"""Hinge losses of classes on a GPU, or in the simulator, against the plain NumPy kernels."""

import numpy as np
import pytest
from on_device import Hosted

from tinycnn._core import gpu, reference

if gpu.why_none():
    pytest.skip(gpu.why_none(), allow_module_level=True)

from tinycnn._core.cuda import hinge_loss, late_errors
from tinycnn._core.cuda.backend import to_device, to_host

on_device = Hosted(hinge_loss)
TOLERANCE = {"float32": 3e-6, "float64": 1e-14}  # a few roundings
SHAPES = [(1, 1), (5, 3), (40, 10), (1, 33), (5, 70), (2, 600)]  # ways to share out rows
REDUCTIONS = ["mean", "sum", "none"]


def both(name, arguments, *outs):
    """Pairs of results, from here and from there."""
    sides = [[o.copy() for o in outs] for _ in range(2)]
    results = [getattr(k, name)(*arguments, *o) for k, o in zip((on_device, reference), sides)]
    assert results[0] == results[1]
    return list(zip(*sides))


def close(found, expected, scale=1):
    tolerance = scale * TOLERANCE[expected.dtype.name]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [*SHAPES, (0, 3)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multi_margin(rng, dtype, shape, reduction):
    M, C = shape
    x, t = np.asarray(rng.normal(size=shape), dtype), rng.integers(0, C, M)
    loss = np.full(M if reduction == "none" else 1, -7, dtype)
    gain = np.asarray(rng.normal(size=loss.shape), dtype)
    for p, weight in (1, None), (2, np.asarray(rng.random(C), dtype)):
        given = x, t, weight, p, 0.7, reduction
        (pair,) = both("multi_margin_forward", given, loss)
        close(*pair, scale=10 * max(M, 1))
        (pair,) = both("multi_margin_backward", (*given, gain), np.full(shape, -7, dtype))
        close(*pair, scale=20)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [*SHAPES[:5], (2, 260), (0, 3)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multilabel_margin(rng, dtype, shape, reduction):
    M, C = shape
    x, lists = np.asarray(rng.normal(size=shape), dtype), rng.integers(0, C, shape)
    lists[rng.random(shape) < 0.3] = -1
    loss = np.full(M if reduction == "none" else 1, -7, dtype)
    gain = np.asarray(rng.normal(size=loss.shape), dtype)
    pair, counts = both("multilabel_margin_forward", (x, lists, reduction), loss,
                        np.full(shape, -7, dtype))
    close(*pair, scale=20 * max(M, 1))
    np.testing.assert_array_equal(*counts)
    (pair,) = both("multilabel_margin_backward", (x, counts[1], reduction, gain),
                   np.full(shape, -7, dtype))
    close(*pair, scale=20)


@pytest.mark.parametrize("classes", [3, 40])
def test_nan_spoils_its_own_row(classes):
    x, lists = np.zeros((3, classes)), np.full((3, classes), -1)
    x[1, 2], lists[:, 0] = np.nan, 1
    for name, given, more in [
        ("multi_margin_forward", (np.array([0, 1, 0]), None, 1, 1.0, "none"), ()),
        ("multilabel_margin_forward", (lists, "none"), (np.zeros((3, classes)),)),
    ]:
        (found, expected), *_ = both(name, (x, *given), np.zeros(3), *more)
        close(found, expected)
        assert np.isnan(found).tolist() == [False, True, False]


@pytest.fixture
def late(monkeypatch):
    """As on a GPU: nothing is raised before somebody waits."""
    monkeypatch.setattr(late_errors, "SIMULATED", False)
    yield
    late_errors.check()  # nothing is left


@pytest.mark.parametrize(("name", "target", "message"), [
    ("multi_margin", [0, 3, -1], "multi_margin_loss: expected classes from 0 to 2, got class 3 of "
                                 "prediction 1"),
    ("multi_margin", [-1, 0, 0], "got class -1 of prediction 0"),
    ("multilabel_margin", [[0, 1, -1], [-1, -1, 3], [0, 0, 0]],
     "multilabel_margin_loss: expected classes from 0 to 2, then -1, got class 3 of prediction 1"),
    ("multilabel_margin", [[0, 1, -1], [-1, -1, 0], [0, 0, -2]], "got class -2 of prediction 2"),
])
def test_bad_classes_are_named_when_somebody_waits(late, name, target, message):
    x, t = to_device(np.zeros((3, 3), "float32")), to_device(np.array(target))
    out, counts = to_device(np.ones(3, "float32")), to_device(np.ones((3, 3), "float32"))
    if name == "multi_margin":
        hinge_loss.multi_margin_forward(x, t, None, 1, 1.0, "none", out)
    else:
        hinge_loss.multilabel_margin_forward(x, t, "none", out, counts)
    with pytest.raises(ValueError, match=message):
        late_errors.check()
    bad = ~np.array([np.all((np.array(row) >= -1) & (np.array(row) < 3)) for row in target])
    if name == "multi_margin":
        bad = ~((np.array(target) >= 0) & (np.array(target) < 3))
        grad = to_device(np.ones((3, 3), "float32"))
        hinge_loss.multi_margin_backward(x, t, None, 1, 1.0, "none", out, grad)
        assert np.isnan(to_host(grad)).all(axis=1).tolist() == bad.tolist()
    assert np.isnan(to_host(out)).tolist() == bad.tolist()
