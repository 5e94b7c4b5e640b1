"""The suites of norms, activations, resampling and losses: each case does the same in both
libraries, and its work is that of its formula. How fast anything is, is not tested here."""

import numpy as np
import pytest

from tinycnn.bench import libraries
from tinycnn.bench.cases import activation, loss, norm, resample
from tinycnn.bench.ceiling import Work

NO_TORCH = "compares with PyTorch, which is not installed"
SMALL = [  # suite, case, a shape that is small
    *((activation, case, (2, 4, 3, 5)) for case in activation.ACTIVATIONS),
    (norm, norm.LAYER, (4, 10)), (norm, norm.PIXELS, (2, 6, 3, 5)),
    (norm, norm.GROUPS, (2, 64, 3, 5)), (norm, norm.INSTANCE, (2, 4, 3, 5)),
    (norm, norm.RESPONSE, (2, 7, 3, 5)),
    *((resample, case, (2, 4, 6, 8)) for case in dict.fromkeys(c for c, _ in resample.CASES)),
    *((loss, case, (6, 5)) for case in (loss.CROSS_ENTROPY, loss.SMOOTH_L1, loss.HUBER,
                                        loss.KL_DIV, loss.MARGIN)),
    (loss, loss.CROSS_ENTROPY, (2, 5, 3, 4)), (loss, loss.CTC, (9, 3, 6)),
]
cases = pytest.mark.parametrize(
    ("suite", "case", "shape"), SMALL, ids=lambda part: getattr(part, "name", None))


def test_every_case_is_among_the_small_ones():
    small = [case for _, case, _ in SMALL]
    measured = [*activation.ACTIVATIONS,
                *(case for suite in (norm, resample, loss) for case, _ in suite.CASES)]
    assert all(case in small for case in measured)


@cases
def test_passes_run_as_often_as_asked(suite, case, shape):
    found = suite.contestants(case, shape, libraries.Tinycnn())
    first, again = found["forward"](), found["forward"]()
    assert not first.requires_grad
    np.testing.assert_array_equal(first.numpy(), again.numpy())
    for what in suite.works(case, shape):
        found[what]()
        found[what]()


def watch(library, monkeypatch):
    """Inputs of passes() as leaves whose gradients can be looked at, in the order they are made."""
    leaves = []
    for name in ("feature_map", "parameter"):
        make = getattr(library, name)

        def kept(array, requires_grad=False, make=make):
            x = make(array, requires_grad)
            if requires_grad and not any(x is leaf for leaf in leaves):
                leaves.append(x)
            return x

        monkeypatch.setattr(library, name, kept)
    monkeypatch.setattr(library, "inner", lambda x: x)
    return leaves


@cases
def test_both_libraries_compute_the_same(suite, case, shape, monkeypatch):
    pytest.importorskip("torch", reason=NO_TORCH)
    found = []
    for library in (libraries.Tinycnn(), *map(libraries.Torch, libraries.layouts(len(shape)))):
        leaves = watch(library, monkeypatch)
        passes = suite.contestants(case, shape, library)
        passes["forward + backward"]()
        grads = [leaf.grad.numpy() for leaf in leaves if leaf.grad is not None]
        found.append([passes["forward"]().numpy(), *grads])
    ours, *theirs = found
    for results in theirs:
        assert len(results) == len(ours) > 1
        for a, b in zip(ours, results):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(("suite", "case", "shape", "forward", "backward"), [
    (activation, activation.ACTIVATIONS[0], (2, 4, 3, 5), Work(240, 960), Work(360, 1440)),
    (activation, activation.ACTIVATIONS[-1], (2, 4, 3, 5), Work(240, 720), Work(480, 1200)),
    (norm, norm.LAYER, (4, 10), Work(320, 320), Work(520, 480)),
    (norm, norm.RESPONSE, (2, 7, 3, 5), Work(2100, 1680), Work(4200, 2520)),
    (resample, resample.LINEAR, (2, 1, 3, 4), Work(768, 480), Work(768, 480)),
    (resample, resample.AREA, (2, 1, 4, 4), Work(32, 160), Work(32, 160)),
    (resample, resample.SAMPLE, (2, 3, 2, 2), Work(192, 256), Work(384, 416)),
    (resample, resample.UNPOOL, (2, 1, 2, 2), Work(0, 224), Work(0, 224)),
    (resample, resample.UNFOLD, (1, 2, 3, 3), Work(0, 720), Work(162, 720)),
    (resample, resample.FOLD, (1, 2, 3, 3), Work(162, 720), Work(0, 720)),
    (resample, resample.SHUFFLE, (1, 4, 2, 2), Work(0, 128), Work(0, 128)),
    (loss, loss.CROSS_ENTROPY, (2, 5, 3, 4), Work(480, 672), Work(480, 1152)),
    (loss, loss.HUBER, (6, 5), Work(150, 240), Work(120, 360)),
    (loss, loss.KL_DIV, (6, 5), Work(120, 240), Work(30, 240)),
    (loss, loss.CTC, (8, 2, 6), Work(432, 448), Work(912, 832)),  # 4 labels: 9 states
], ids=lambda part: getattr(part, "name", None))
def test_the_work_is_that_of_the_formula(suite, case, shape, forward, backward):
    works = suite.works(case, shape)
    assert (works["forward"], works["backward"]) == (forward, backward)
    if "forward + backward" in works:
        assert works["forward + backward"] == Work(
            forward.flop + backward.flop, forward.bytes + backward.bytes)


def test_places_are_those_of_a_turned_picture():
    (left, right) = resample.places((1, 1, 1, 2))
    np.testing.assert_allclose([left, right], [[-0.48, -0.14], [0.48, 0.14]], rtol=1e-6)
    assert resample.places((2, 3, 4, 5)).shape == (2 * 4 * 5, 2)


def test_targets_are_labels_and_distributions():
    x = loss.log_softmax((6, 5), seed=1)
    np.testing.assert_allclose(np.exp(x).sum(1), np.ones(6), rtol=1e-6)
    assert loss.sequence_scores((9, 3, 6)).shape == (9, 18)
    found = loss.contestants(loss.KL_DIV, (6, 5), libraries.Tinycnn())["forward"]().item()
    p, q = np.exp(x), loss.log_softmax((6, 5))
    assert found == pytest.approx((p * (x - q)).sum() / 6, rel=1e-5)
