"""Robust errors and losses of distributions give PyTorch's numbers and gradients."""

import itertools

import numpy as np
import pytest
from beside_pytorch import compare

import tinycnn
import tinycnn.nn.functional as F

DTYPES = ["float32", "float64"]
REDUCTIONS = ["mean", "sum", "none"]
SHAPES = [(), (1,), (17,), (3, 4), (2, 3, 4, 5), (100, 3), (0,), (2, 0)]
# PyTorch's own warnings: of kl_div's mean, of shapes that are spread
pytestmark = pytest.mark.filterwarnings("ignore:.*(divides|target size|spread)")


def normal(rng, shape, dtype):
    return np.asarray(rng.normal(size=shape) * 2, dtype)


def shares(rng, shape, dtype):
    return np.asarray(rng.random(shape) + 0.01, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_robust_errors(rng, shape, dtype, reduction):
    x, t = (normal(rng, shape, dtype) for _ in range(2))
    for limit in (1.0, 0.3, 2.5):
        compare("smooth_l1_loss", [x, t], 2, reduction=reduction, beta=limit)
        compare("huber_loss", [x, t], 2, reduction=reduction, delta=limit)
        compare("huber_loss", [x, t], 2, reduction=reduction, delta=limit,
                weight=shares(rng, shape, dtype))
    compare("smooth_l1_loss", [x, t], 2, reduction=reduction, beta=0)


def test_robust_errors_at_their_limits_and_of_no_numbers():
    x = np.array([1, -1, 0, np.inf, -np.inf, np.nan, 1e30, 0.5], "float32")
    for t in np.zeros_like(x), np.full_like(x, -0.0):
        for limit, some in ((1.0, x), (0.5, x), (np.inf, x[np.isfinite(x)])):
            given = [some, t[: len(some)]]
            compare("smooth_l1_loss", given, 1, beta=limit, reduction="none")
            compare("huber_loss", given, 1, delta=limit, reduction="none")


def test_a_weight_of_huber_may_be_trained(rng):
    x, t, w = (normal(rng, (3, 4), "float64") for _ in range(3))
    for reduction in REDUCTIONS:
        compare("huber_loss", [x, t], 2, reduction=reduction, delta=0.7, weight=w)
    x, t, weight = tinycnn.tensor(x), tinycnn.tensor(t), tinycnn.tensor(w, requires_grad=True)
    F.huber_loss(x, t, weight=weight).backward()
    np.testing.assert_allclose(weight.grad.numpy(), F.huber_loss(x, t, "none").numpy() / 12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_kl_div(rng, shape, dtype, reduction):
    x, t = normal(rng, shape, dtype), shares(rng, shape, dtype)
    compare("kl_div", [x, t], 2, reduction=reduction)
    compare("kl_div", [x, np.log(t)], 2, reduction=reduction, log_target=True)


def test_kl_div_at_the_edges():
    x = np.array([-1, -1, -1, -np.inf, 0, np.nan, -1], "float32")
    t = np.array([0, -0.0, 1e-30, 0.5, -1, 1, np.inf], "float32")
    compare("kl_div", [x, t], 1, reduction="none")
    t = np.array([-np.inf, -90, -100, 0, 1, 0, np.nan], "float32")
    compare("kl_div", [x, t], 1, reduction="none", log_target=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_poisson_nll(rng, shape, dtype, reduction):
    x, t = normal(rng, shape, dtype), 3 * shares(rng, shape, dtype)
    for full in (False, True):
        compare("poisson_nll_loss", [x, t], 2, reduction=reduction, full=full)
        compare("poisson_nll_loss", [abs(x), t], 2, reduction=reduction, full=full, eps=0.1,
                log_input=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gaussian_nll(rng, shape, dtype, reduction):
    x, t = (normal(rng, shape, dtype) for _ in range(2))
    variances = [shares(rng, shape, dtype)]
    if shape:
        variances.append(shares(rng, shape[:-1], dtype))
    if shape and shape[-1] > 0:
        variances.append(shares(rng, (*shape[:-1], 1), dtype))
    for var, full, eps in itertools.product(variances, (False, True), (1e-6, 0.5)):
        compare("gaussian_nll_loss", [x, t, var], 3, reduction=reduction, full=full, eps=eps)
    compare("gaussian_nll_loss", [x, t], 2, reduction=reduction, var=0.5)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_shapes_are_spread(rng, reduction):
    x, t = normal(rng, (3, 1, 4), "float64"), shares(rng, (2, 4), "float64")
    for name in ("kl_div", "poisson_nll_loss"):
        compare(name, [x, t], 2, reduction=reduction)
        compare(name, [t, x], 2, reduction=reduction)
    compare("gaussian_nll_loss", [x, t, abs(x)], 3, reduction=reduction)
    compare("kl_div", [x, t], 2, reduction="batchmean")
    compare("kl_div", [t, abs(x)], 2, reduction="batchmean")


def test_dtypes_meet(rng):
    x, t = normal(rng, (3, 4), "float32"), normal(rng, (3, 4), "float64")
    counts = rng.integers(0, 4, (3, 4))
    for name in ("smooth_l1_loss", "huber_loss"):
        function, a = getattr(F, name), tinycnn.tensor(x)  # PyTorch's backward fails
        same = tinycnn.tensor(counts.astype("float32"))
        assert function(a, tinycnn.tensor(counts)) == function(a, same)
        assert function(a, tinycnn.tensor(t)).dtype == t.dtype
    compare("poisson_nll_loss", [x, counts], 1, full=True)
    wide = [a.astype("float64") for a in (x, abs(x), x - 1)]
    for name, narrow, given in [
        ("kl_div", (x, abs(t)), (wide[0], abs(t))),
        ("gaussian_nll_loss", (x, t, abs(x)), (wide[0], t, wide[1])),
        ("gaussian_nll_loss", (x, x - 1, abs(t)), (wide[0], wide[2], abs(t))),
    ]:
        ours, expected = (getattr(F, name)(*map(tinycnn.tensor, a), reduction="none").numpy()
                          for a in (narrow, given))
        np.testing.assert_allclose(ours, expected, rtol=1e-4)
        assert ours.dtype == expected.dtype
