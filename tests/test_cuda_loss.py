"""Losses and softmax on a GPU, or in the simulator, against the plain NumPy kernels."""

import itertools
import math

import numpy as np
import pytest
from on_device import Hosted

from tinycnn._core import gpu, reference

if gpu.why_none():
    pytest.skip(gpu.why_none(), allow_module_level=True)

from tinycnn._core.cuda import backend, late_errors, loss, pair_loss, rows
from tinycnn._core.cuda.backend import to_device, to_host

on_device, pairs_on_device = Hosted(loss), Hosted(pair_loss)
DTYPES = ["float32", "float64"]
# A few roundings of numbers around 1, and of sums of at most 700 numbers around 1.
TOLERANCE = {"float32": 3e-6, "float64": 1e-14}
# Each is a way to share out rows: parts of a warp, warps, blocks; one row, several blocks.
SHAPES = [(1, 1), (5, 3), (40, 10), (3, 32), (1, 33), (5, 70), (2, 600)]
REDUCTIONS = ["mean", "sum", "none"]
NAN, INF = math.nan, math.inf


def close(found, expected, scale=1):
    tolerance = scale * TOLERANCE[expected.dtype.name]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def both(name, arguments, *outs, kernels=on_device, of=reference):
    """Run a kernel here and there on copies of the OUT arrays; pairs of them."""
    found, expected = [[o if o is None else o.copy("K") for o in outs] for _ in range(2)]
    results = [getattr(k, name)(*arguments, *o) for k, o in ((kernels, found), (of, expected))]
    assert results[0] == results[1]
    return [pair for pair in zip(found, expected) if pair[0] is not None]


def scores(rng, shape, dtype):
    return np.asarray(rng.normal(size=shape) * 3, dtype)


def empty(shape, dtype):
    return np.full(shape, -7, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (0, 3), (2, 0)])
def test_softmax(rng, dtype, shape):
    x, grad = scores(rng, shape, dtype), scores(rng, shape, dtype)
    for name in ("softmax", "log_softmax"):
        ((y, expected),) = both(name + "_forward", (x,), empty(shape, dtype))
        close(y, expected)
        ((y, expected),) = both(name + "_backward", (expected, grad), empty(shape, dtype))
        close(y, expected, scale=40)  # a sum of gradients comes in


@pytest.mark.parametrize("classes", [3, 40, 600])
def test_extreme_scores(classes):
    x = np.zeros((6, classes), "float32")
    x[0, 0], x[1, :2], x[2, 1], x[3], x[4, 2], x[5] = 1e4, -INF, NAN, -INF, INF, 1e4
    for name in ("softmax_forward", "log_softmax_forward"):
        ((y, expected),) = both(name, (x,), empty(x.shape, "float32"))
        close(y, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy(rng, dtype, shape, reduction):
    M, C = shape
    x, target = scores(rng, shape, dtype), rng.integers(0, C, M)
    weight = np.asarray(rng.random(C) + 0.1, dtype)
    target[M // 2] = -100 if M > 1 else target[0]
    out = empty(M if reduction == "none" else 1, dtype), empty((M, 2), dtype), empty((), dtype)
    grad = scores(rng, out[0].shape, dtype)
    for w, smoothing, ignored in ((None, 0.0, -100), (weight, 0.0, -100), (weight, 0.2, -100),
                                  (None, 0.2, -100)):
        settings = x, target, w, ignored, smoothing, reduction
        (found, expected), statistics, total = both("cross_entropy_forward", settings, *out)
        close(found, expected, scale=M if reduction == "sum" else 1)
        close(*statistics)
        close(*total, scale=M)
        settings = *settings, statistics[1], total[1], grad
        ((found, expected),) = both("cross_entropy_backward", settings, empty(shape, dtype))
        close(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3), (40, 10), (5, 70), (2, 600)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_with_probabilities(rng, dtype, shape, reduction):
    M, C = shape
    x, target = scores(rng, shape, dtype), np.asarray(rng.random(shape), dtype)
    weight = np.asarray(rng.random(C) + 0.1, dtype)
    out = empty(M if reduction == "none" else 1, dtype), empty((M, 2), dtype)
    grad = scores(rng, out[0].shape, dtype)
    for w, smoothing in ((None, 0.0), (weight, 0.2)):
        settings = x, target, w, smoothing, reduction
        (found, expected), statistics = both("soft_cross_entropy_forward", settings, *out)
        close(found, expected, scale=M)
        close(*statistics)
        for outs in itertools.product((None, empty(shape, dtype)), repeat=2):
            for found, expected in both("soft_cross_entropy_backward",
                                        (*settings, statistics[1], grad), *outs):
                close(found, expected, scale=C)  # of the sum of all probabilities


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (300, 2), (70, 40)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nll(rng, dtype, shape, reduction):
    M, C = shape
    x, target = scores(rng, shape, dtype), rng.integers(0, C, M)
    target[1:2] = 7000
    out = empty(M if reduction == "none" else 1, dtype), empty((), dtype)
    for w in (None, np.asarray(rng.random(C) + 0.1, dtype)):
        settings = target, w, 7000, reduction
        (found, expected), total = both("nll_forward", (x, *settings), *out)
        close(found, expected, scale=M if reduction == "sum" else 1)
        close(*total, scale=M)
        grad = scores(rng, out[0].shape, dtype)
        ((found, expected),) = both("nll_backward", (*settings, total[1], grad),
                                    empty(shape, dtype))
        close(found, expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_no_rows(reduction):
    x, target, none = np.zeros((0, 3)), np.zeros(0, "int64"), np.zeros(0)
    out = none if reduction == "none" else empty(1, float)
    statistics, total = np.zeros((0, 2)), empty((), float)
    for name, settings, outs in [
        ("cross_entropy_forward", (target, None, -100, 0.1), (out, statistics, total)),
        ("soft_cross_entropy_forward", (x, None, 0.1), (out, statistics)),
        ("nll_forward", (target, None, -100), (out, total)),
    ]:
        for found, expected in both(name, (x, *settings, reduction), *outs):
            np.testing.assert_array_equal(found, expected)


def test_ignored_rows_count_for_nothing_even_if_they_are_nan():
    x = np.array([[NAN, NAN], [0, 0]])
    for target in (np.array([-100, 1]), np.array([-100, -100])):
        out = empty(1, float), empty((2, 2), float), empty((), float)
        (found, expected), statistics, total = both(
            "cross_entropy_forward", (x, target, None, -100, 0.0, "mean"), *out)
        close(found, expected)
        ((found, expected),) = both(
            "cross_entropy_backward", (x, target, None, -100, 0.0, "mean", statistics[1], total[1],
                                       np.ones(1)), empty((2, 2), float))
        close(found, expected)


@pytest.mark.parametrize("M", [1000, 3000])
def test_many_blocks_leave_sums_that_are_added_in_one_order(rng, monkeypatch, M):
    """With at most 3 blocks each takes several rows a thread; twice gives the same bits."""
    monkeypatch.setattr(rows, "MOST_BLOCKS", 3)
    x, target = scores(rng, (M, 2), "float32"), rng.integers(0, 2, M)
    out = empty(1, "float32"), empty((), "float32")
    once, again = [both("nll_forward", (x, target, None, -100, "mean"), *out) for _ in range(2)]
    close(*once[0])
    assert once[0][0].tobytes() == again[0][0].tobytes()


@pytest.mark.parametrize("classes", [3, 40])
def test_one_hot(rng, classes):
    target = rng.integers(0, classes, 7)
    ((found, expected),) = both("one_hot", (target,), empty((7, classes), "int64"))
    np.testing.assert_array_equal(found, expected)
    both("one_hot", (target[:0],), empty((0, classes), "int64"))


# Labels out of range -----------------------------------------------------------------------------


def bad_labels(name, target, reduction, out):
    x, target = to_device(np.zeros((4, 3), "float32")), to_device(np.array(target))
    total, statistics = (to_device(empty(s, "float32")) for s in ((), (4, 2)))
    if name == "nll_loss":
        loss.nll_forward(x, target, None, -100, reduction, out, total)
    else:
        loss.cross_entropy_forward(x, target, None, -100, 0.0, reduction, out, statistics, total)


@pytest.fixture
def late(monkeypatch):
    """As on a GPU: nothing is raised before somebody waits."""
    monkeypatch.setattr(late_errors, "SIMULATED", False)
    yield
    late_errors.check()  # nothing is left


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize(("target", "label", "row"), [
    ([0, 3, -1, 7], "3", 1), ([-1, 0, 0, 9], "-1", 0),
    ([0, 1, -100, 2**40], "2147483647 or beyond", 3),
    ([2, 1, -(2**40), 0], "-2147483647 or beyond", 2),
])
def test_bad_labels_are_named_when_somebody_waits(late, name, target, label, row):
    out = to_device(empty(4, "float32"))
    bad_labels(name, target, "none", out)
    message = (rf"{name}: expected classes from 0 to 2 or ignore_index=-100, got class {label} of "
               rf"prediction {row}\. .*computes ahead")
    with pytest.raises(ValueError, match=message):
        late_errors.check()
    bad = [not 0 <= t < 3 and t != -100 for t in target]
    assert np.isnan(to_host(out)).tolist() == bad  # the error is forgotten: this waits as well


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_bad_label_spoils_the_loss_and_its_row_s_gradient(late, reduction):
    out = to_device(empty(1, "float32"))
    bad_labels("cross_entropy", [0, 5, 1, 2], reduction, out)
    with pytest.raises(ValueError, match="got class 5 of prediction 1"):
        to_host(out)
    assert np.isnan(to_host(out)).all()
    x, target = np.zeros((4, 3), "float32"), np.array([0, 5, 1, -1])
    grad = empty((4, 3), "float32")
    one = np.ones(1, "float32")
    on_device.nll_backward(target, None, -100, "sum", one, one, grad)
    assert np.isnan(grad).all(axis=1).tolist() == [False, True, False, True]
    on_device.cross_entropy_backward(x, target, None, -100, 0.1, "sum", np.zeros((4, 2), "float32"),
                                     one, one, grad)
    assert np.isnan(grad).all(axis=1).tolist() == [False, True, False, True]


def test_bad_labels_of_one_hot(late):
    for target in ([0, 4], [-1, 0]):
        loss.one_hot(to_device(np.array(target)), to_device(empty((2, 4), "int64")))
        with pytest.raises(ValueError, match=r"one_hot: expected classes from 0 to 3 \(num_classes"
                                             r"=4\), got (4 at element 1|-1 at element 0)"):
            late_errors.check()


def test_in_the_simulator_errors_come_at_their_place():
    if late_errors.SIMULATED:
        with pytest.raises(ValueError, match="got class 8 of prediction 0"):
            bad_labels("nll_loss", [8, 0, 0, 0], "sum", to_device(empty(1, "float32")))


def test_what_a_replay_leaves_is_found(late, monkeypatch):
    """A replayed graph calls no function of the loss, only its kernel."""
    monkeypatch.setattr(late_errors, "_recorded", False)
    word = late_errors.word_for("f", "this", "that {what} at {place}", "Do.")
    late_errors.check()
    word[...] = (3 << 32) + 2**31 + 5
    late_errors.check()  # nothing was launched
    monkeypatch.setattr(backend, "recording", True)
    late_errors.word_for("f", "this", "that {what} at {place}", "Do.")
    late_errors.check()  # nothing can be read now
    monkeypatch.setattr(backend, "recording", False)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"f: expected this, got that 5 at 3\. Do\."):
            late_errors.check()
        word[...] = (3 << 32) + 2**31 + 5
    word[...] = late_errors.NOTHING


# Losses of pairs ---------------------------------------------------------------------------------

KINDS = [("mse", False, False), ("l1", False, False), ("bce", False, False), ("bce", True, False),
         ("bce_logits", False, False), ("bce_logits", True, False), ("bce_logits", True, True),
         ("bce_logits", False, True), ("smooth_l1", False, 0.7), ("huber", True, 0.7),
         ("kl", False, False), ("kl_log", False, False), ("poisson", False, False),
         ("soft_margin", False, False), ("embedding", False, 0.7)]


def pair(rng, kind, shape, dtype, weighted, positive):
    x = rng.random(shape) if kind == "bce" else rng.normal(size=shape) * 3
    given = [x, rng.random(shape), rng.random(shape) + 0.1 if weighted else None,
             rng.random(shape) + 0.5 if positive is True else None]
    given = [None if a is None else np.asarray(a, dtype) for a in given]
    return [*given[:3], positive] if type(positive) is float else given


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (4, 7), (1300,), (0, 2)])
@pytest.mark.parametrize(("kind", "weighted", "positive"), KINDS)
def test_pair_losses(rng, dtype, shape, kind, weighted, positive):
    given = pair(rng, kind, shape, dtype, weighted, positive)
    for reduction in REDUCTIONS if len(shape) < 2 else ["sum", "none"]:
        out = empty(shape if reduction == "none" else (), dtype)
        ((found, expected),) = both("pair_loss_forward", (kind, *given, reduction), out,
                                    kernels=pairs_on_device)
        close(found, expected, scale=max(found.size, given[0].size) ** 0.5)
        grad = np.asarray(rng.normal(size=out.shape), dtype)
        for outs in itertools.product((None, empty(shape, dtype)), repeat=2):
            for found, expected in both("pair_loss_backward",
                                        (kind, *given, reduction, grad), *outs,
                                        kernels=pairs_on_device):
                close(found, expected, scale=10)  # 1 / x in bce


@pytest.mark.parametrize("kind", ["mse", "l1", "bce", "bce_logits", "smooth_l1", "huber", "kl",
                                  "kl_log", "poisson", "soft_margin", "embedding"])
def test_pairs_at_the_edges(kind):
    values = [0, 1, 0.5, 1e-20] if kind == "bce" else [0, 1, -1, INF, -INF, NAN, 1e4, -1e4]
    x, t = (np.array(v, "float32") for v in zip(*itertools.product(values, [0, 1, 0.25])))
    given = kind, x, t, None, 1.0 if kind in ("smooth_l1", "huber", "embedding") else None, "none"
    ((found, expected),) = both("pair_loss_forward", given, np.zeros_like(x),
                                kernels=pairs_on_device)
    close(found, expected)
    outs = np.zeros_like(x), np.zeros_like(x)
    for found, expected in both("pair_loss_backward", (*given, np.ones_like(x)), *outs,
                                kernels=pairs_on_device):
        close(found, expected, scale=2)


def test_pairs_in_memory_that_is_not_aligned_give_the_same_bits(rng):
    x, t = rng.normal(size=(2, 301)).astype("float32")
    memory, results = to_device(np.concatenate([x, x, t, t])), []
    for start in 0, 301:  # 301 numbers in, nothing is aligned to 16 bytes
        out = to_device(empty((), "float32"))
        pair_loss.pair_loss_forward("mse", memory[start : start + 301],
                                    memory[start + 602 : start + 903], None, None, "sum", out)
        results.append(to_host(out).tobytes())
    out = to_device(empty((), "float32"))
    pair_loss.pair_loss_forward("mse", to_device(x), to_device(t), None, None, "sum", out)
    assert results == [to_host(out).tobytes()] * 2


@pytest.mark.parametrize(("x", "t", "name", "place"), [
    ([0.5] * 9 + [1.5], [0.0] * 10, "input", 9), ([0.5, 0.5], [NAN, -1], "target", 0),
])
def test_probabilities_out_of_range(late, x, t, name, place):
    message = f"expected {name} between 0 and 1, got another number at element {place}"
    x, t = (to_device(np.array(a, "float32")) for a in (x, t))
    out = to_device(empty((), "float32"))
    assert pair_loss.pair_loss_forward("bce", x, t, None, None, "mean", out)
    with pytest.raises(ValueError, match=f"binary_cross_entropy: {message}"):
        late_errors.check()
    assert np.isnan(to_host(out))
