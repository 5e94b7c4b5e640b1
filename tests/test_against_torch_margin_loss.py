"""Losses with margins, distances and the losses made of them give PyTorch's numbers and gradients,
at kinks too: rounded inputs lie on them."""

import itertools
import math

import numpy as np
import pytest
from beside_pytorch import both, close, compare

DTYPES = ["float32", "float64"]
REDUCTIONS = ["mean", "sum", "none"]
SHAPES = [(), (1,), (17,), (3, 4), (2, 3, 4, 5), (0,), (2, 0)]
CLASS_SHAPES = [(1, 1), (1, 5), (4, 2), (7, 3), (64, 10), (5, 17), (3, 100), (6,), (1,)]


def normal(rng, shape, dtype="float64"):
    return np.asarray(rng.normal(size=shape) * 2, dtype)


def sides(rng, shape, dtype="float64"):
    return np.asarray(rng.choice([-1, 0, 1], size=shape), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_sides(rng, shape, dtype, reduction):
    for x, y in [(normal(rng, shape, dtype), normal(rng, shape, dtype)),
                 [np.round(normal(rng, shape, dtype)) for _ in range(2)]]:
        t = sides(rng, shape, dtype)
        compare("soft_margin_loss", [x, t], 1, reduction=reduction)
        for margin in (1.0, 0.5, 2.0):
            compare("hinge_embedding_loss", [x, t], 1, margin=margin, reduction=reduction)
            compare("margin_ranking_loss", [x, y, t], 2, margin=margin, reduction=reduction)
        compare("margin_ranking_loss", [x, y, t], 2, reduction=reduction)
    if shape:
        t = np.asarray(rng.random(shape), dtype)
        compare("multilabel_soft_margin_loss", [x, t], 2, reduction=reduction)
        compare("multilabel_soft_margin_loss", [x, t, t[..., :1] if t.size else t], 3,
                reduction=reduction)


def test_integer_sides(rng):
    x, t = normal(rng, (3, 4), "float32"), rng.choice([-1, 1], size=(3, 4))
    compare("soft_margin_loss", [x, t], 1)
    compare("hinge_embedding_loss", [x, t], 1)
    compare("margin_ranking_loss", [x, x[::-1].copy(), t], 2)


def test_losses_of_sides_of_shapes_that_are_spread(rng):
    x, t = normal(rng, (3, 1, 4)), sides(rng, (2, 4))
    for reduction in REDUCTIONS:
        compare("hinge_embedding_loss", [x, t], 1, reduction=reduction)
        compare("soft_margin_loss", [normal(rng, (3, 2, 4)), t], 1, reduction=reduction)
        compare("margin_ranking_loss", [x, x[:1], t[None]], 2, reduction=reduction)
        compare("multilabel_soft_margin_loss", [x, abs(t)], 2, reduction=reduction)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", CLASS_SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_hinge_losses_of_classes(rng, shape, dtype, reduction):
    classes = shape[-1]
    for x in normal(rng, shape, dtype), np.round(normal(rng, shape, dtype)):
        t = np.asarray(rng.integers(0, classes, shape[:-1]))
        weight = np.asarray(rng.random(classes), dtype)
        for p, margin in itertools.product((1, 2), (1.0, 0.5, 0, -1.0)):
            given = {"p": p, "margin": margin, "reduction": reduction}
            compare("multi_margin_loss", [x, t], 1, **given)
            compare("multi_margin_loss", [x, t], 1, weight=weight, **given)
        several = rng.integers(-1, classes, shape)  # some classes twice
        one, none, every = np.full(shape, -1), np.full(shape, -1), np.tile(
            rng.permutation(classes), (*shape[:-1], 1))
        one[..., 0] = t
        for lists in (several, one, none, every):
            compare("multilabel_margin_loss", [x, lists], 1, reduction=reduction)


@pytest.mark.parametrize("shape", [(0, 3), (1, 3)])
def test_few_predictions(rng, shape):
    """Of the mean over nothing, which is NaN here, PyTorch leaves what the memory held."""
    x, t = normal(rng, shape), np.zeros(shape[:1], int)
    for reduction in ("sum", "none"):
        compare("multi_margin_loss", [x, t], 1, reduction=reduction)
        compare("multilabel_margin_loss", [x, np.zeros(shape, int)], 1, reduction=reduction)


POWERS = [2, 1, 0, 0.5, 1.5, 3, 7.0, math.inf, -math.inf, -1.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES[:5])
@pytest.mark.parametrize("p", POWERS)
def test_pairwise_distance(rng, shape, dtype, p):
    x, y = (normal(rng, shape, dtype) for _ in range(2))
    for keepdim in (False, True):
        compare("pairwise_distance", [x, y], 2, p=p, keepdim=keepdim)
    compare("pairwise_distance", [np.round(x), np.round(y)], 2, p=p, eps=0.0)
    compare("pairwise_distance", [x, x], 2, p=p, eps=0.0)
    compare("pairwise_distance", [x, y[..., :1] if shape else y], 2, p=p, eps=0.1)


def test_pairwise_distance_of_empty_vectors(rng):
    for p in (2, 1, 0, 3):
        compare("pairwise_distance", [normal(rng, (2, 0)), normal(rng, (2, 0))], 2, p=p)
    compare("pairwise_distance", [normal(rng, (0, 2)), normal(rng, (0, 2))], 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_cosine_similarity(rng, shape, dtype):
    x, y = (normal(rng, shape, dtype) for _ in range(2))
    for dim in range(-max(len(shape), 1), max(len(shape), 1)):
        compare("cosine_similarity", [x, y], 2, dim=dim)
        compare("cosine_similarity", [x * 0, y], 2, dim=dim)  # of length 0
        compare("cosine_similarity", [x * 1e-3, y], 2, dim=dim, eps=0.1)  # shorter than eps


def test_cosine_similarity_of_shapes_and_dtypes_that_differ(rng):
    compare("cosine_similarity", [normal(rng, (3, 1, 4)), normal(rng, (2, 4))], 2)
    compare("cosine_similarity", [normal(rng, (4,)), normal(rng, (2, 4))], 2)
    compare("cosine_similarity", [normal(rng, (3, 4), "float32"), rng.integers(0, 3, (3, 4))], 1)
    a, b = normal(rng, (3, 4), "float32"), normal(rng, (3, 4))  # lengths are float32 there
    (y, _), (expected, _) = both("cosine_similarity", [a, b], 1)
    assert y.dtype == expected.dtype == b.dtype
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_embeddings(rng, shape, dtype, reduction):
    a, p, n = (normal(rng, shape, dtype) for _ in range(3))
    for power, swap in itertools.product((2, 1, 3), (False, True)):
        compare("triplet_margin_loss", [a, p, n], 3, p=power, swap=swap, margin=2.0,
                reduction=reduction)
    for swap in (False, True):
        compare("triplet_margin_with_distance_loss", [a, p, n], 3, swap=swap, reduction=reduction)
    if len(shape) in (1, 2):
        t = np.asarray(rng.choice([-1, 0, 1], size=shape[:-1]))
        for margin in (0, 0.2):
            compare("cosine_embedding_loss", [a, p, t], 2, margin=margin, reduction=reduction)
            compare("cosine_embedding_loss", [a, a, t], 2, margin=margin, reduction=reduction)


def test_a_distance_of_one_s_own(rng):
    a, p, n = (normal(rng, (5, 3)) for _ in range(3))
    compare("triplet_margin_with_distance_loss", [a, p, n], 3, margin=0.5,
            distance_function=lambda x, y: (x - y).abs().sum(-1))


def test_soft_margins_do_not_overflow_where_those_of_pytorch_do():
    x, t = np.array([-200, 200, -200], "float32"), np.array([1, 1, -1], "float32")
    (ours, (grad,)), (theirs, (nan,)) = both("soft_margin_loss", [x, t], 1, reduction="none")
    close(ours, np.array([200, 0, 0], "float32"))
    assert theirs[0] == np.inf
    assert np.isfinite(grad).all()
    assert np.isnan(nan[0])
