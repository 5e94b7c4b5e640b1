"""Losses: values by hand, gradients, extreme scores, every message."""

import math

import numpy as np
import pytest

import tinycnn
from tinycnn.ops import loss as ops
from tinycnn.testing import assert_same_on_devices, gradcheck

INF, NAN = math.inf, math.nan


def _tensor(values, grad=False, dtype=np.float64):
    return tinycnn.tensor(np.asarray(values, dtype), requires_grad=grad)


def _labels(values):
    return tinycnn.tensor(np.asarray(values, np.int64))


def _log_softmax(x, axis=1):
    x = np.asarray(x, float)
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


# Cross entropy with class indices ----------------------------------------------------------------

SCORES = np.log([[1.0, 1.0, 2.0], [5.0, 3.0, 2.0], [1.0, 8.0, 1.0]])  # shares: quarters, tenths
LOSSES = -np.log([0.5, 0.3, 0.8])  # of classes 2, 1, 1
CLASSES = [2, 1, 1]
WEIGHT = [1.0, 2.0, 4.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("settings", "expected"), [
    ({}, LOSSES.mean()),
    ({"reduction": "sum"}, LOSSES.sum()),
    ({"reduction": "none"}, LOSSES),
    ({"weight": WEIGHT}, (LOSSES * [4, 2, 2]).sum() / 8),
    ({"weight": WEIGHT, "reduction": "sum"}, (LOSSES * [4, 2, 2]).sum()),
    ({"weight": WEIGHT, "reduction": "none"}, LOSSES * [4, 2, 2]),
    ({"ignore_index": 1}, LOSSES[0]),
    ({"ignore_index": 2, "reduction": "none"}, LOSSES * [0, 1, 1]),
    ({"ignore_index": 2, "weight": WEIGHT}, LOSSES[1:].mean()),
    ({"label_smoothing": 0.3}, (0.7 * LOSSES - 0.1 * _log_softmax(SCORES).sum(axis=1)).mean()),
    ({"label_smoothing": 1.0, "reduction": "none"}, -_log_softmax(SCORES).mean(axis=1)),
    ({"label_smoothing": 0.3, "weight": WEIGHT, "ignore_index": 2},
     (0.7 * 2 * LOSSES - 0.1 * (_log_softmax(SCORES) * WEIGHT).sum(axis=1))[1:].sum() / 4),
])
def test_cross_entropy_by_hand(dtype, settings, expected):
    settings = dict(settings)
    if "weight" in settings:
        settings["weight"] = _tensor(settings["weight"], dtype=dtype)
    loss = ops.cross_entropy(_tensor(SCORES, dtype=dtype), _labels(CLASSES), **settings)
    assert loss.dtype == dtype
    tolerance = 2e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(loss.numpy(), expected, rtol=tolerance)


def test_cross_entropy_gradient_by_hand():
    x = _tensor(SCORES, grad=True)
    ops.cross_entropy(x, _labels(CLASSES)).backward()
    shares = np.array([[0.25, 0.25, -0.5], [0.5, -0.7, 0.2], [0.1, -0.2, 0.1]])
    np.testing.assert_allclose(x.grad.numpy(), shares / 3, rtol=1e-12)


@pytest.mark.parametrize("integer", ["int64", "int32", "int16", "int8", "uint8"])
def test_any_integers_may_name_classes(integer):
    target = tinycnn.tensor(np.array(CLASSES, integer))
    loss = ops.cross_entropy(_tensor(SCORES), target)
    np.testing.assert_allclose(loss.item(), LOSSES.mean())


def test_spatial_targets_and_one_prediction(rng):
    x = rng.normal(size=(2, 3, 4, 5))
    target = rng.integers(0, 3, (2, 4, 5))
    rows, flat = x.transpose(0, 2, 3, 1).reshape(-1, 3), target.reshape(-1)
    each = ops.cross_entropy(_tensor(x), _labels(target), reduction="none")
    assert each.shape == (2, 4, 5)
    expected = ops.cross_entropy(_tensor(rows), _labels(flat), reduction="none").numpy()
    np.testing.assert_array_equal(each.numpy().reshape(-1), expected)
    for reduction in ("mean", "sum", "none"):
        one = ops.cross_entropy(_tensor(rows[0]), _labels(flat[0]), reduction=reduction)
        assert one.shape == ()
        np.testing.assert_allclose(one.item(), expected[0])


def test_a_feature_map_is_read_without_a_copy(rng):
    memory = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    x = tinycnn.autograd.wrap(memory.transpose(0, 3, 1, 2))
    x.requires_grad = True
    loss = ops.cross_entropy(x, _labels(rng.integers(0, 3, (2, 4, 5))))
    assert np.shares_memory(loss.creator.saved[0], memory)
    grad = loss.creator.function.backward(loss.creator, np.ones((), "float32"))[0]
    assert grad.transpose(0, 2, 3, 1).flags.c_contiguous


# Cross entropy with probabilities ----------------------------------------------------------------


def test_probabilities_by_hand():
    q = np.array([[0.5, 0.25, 0.25], [0, 1, 0], [0.2, 0.3, 0.5]])
    logp = _log_softmax(SCORES)
    each = -(q * logp).sum(axis=1)
    x, t = _tensor(SCORES), _tensor(q)
    np.testing.assert_allclose(ops.cross_entropy(x, t, reduction="none").numpy(), each)
    np.testing.assert_allclose(ops.cross_entropy(x, t).item(), each.mean())
    weighted = -(q * WEIGHT * logp).sum()
    w = _tensor(WEIGHT)
    np.testing.assert_allclose(ops.cross_entropy(x, t, w, reduction="sum").item(), weighted)
    np.testing.assert_allclose(ops.cross_entropy(x, t, w).item(), weighted / 3)  # by the count
    smooth = 0.6 * q + 0.4 / 3
    np.testing.assert_allclose(ops.cross_entropy(x, t, label_smoothing=0.4).item(),
                               -(smooth * logp).sum() / 3)


def test_one_hot_probabilities_are_class_indices(rng):
    for shape in ((4, 3), (2, 3, 2, 2), (3,)):
        x = rng.normal(size=shape)
        target = _labels(rng.integers(0, 3, shape[:1] + shape[2:] if len(shape) > 1 else ()))
        rows = ops.one_hot(target, 3).numpy().astype(float)
        q = np.moveaxis(rows, -1, 1) if len(shape) > 1 else rows
        for reduction in ("mean", "none"):
            a = ops.cross_entropy(_tensor(x), target, reduction=reduction, label_smoothing=0.1)
            b = ops.cross_entropy(_tensor(x), _tensor(q), reduction=reduction, label_smoothing=0.1)
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_dtypes_of_scores_and_probabilities_meet():
    x, q = _tensor(SCORES, dtype="float32"), _tensor(np.full((3, 3), 1 / 3))
    assert ops.cross_entropy(x, q).dtype == np.float64
    weight = _tensor(WEIGHT)
    assert ops.cross_entropy(x, _labels(CLASSES), weight).dtype == np.float32


# Edges -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_scores(dtype):
    x = _tensor([[1e4, 0, -1e4], [-INF, 0, 0], [1e4, 1e4, 1e4]], grad=True, dtype=dtype)
    each = ops.cross_entropy(x, _labels([2, 1, 0]), reduction="none")
    np.testing.assert_allclose(each.data, [2e4, math.log(2), math.log(3)], rtol=1e-6)
    each.backward(tinycnn.ones(3, dtype=dtype))
    np.testing.assert_allclose(
        x.grad.numpy(), [[1, 0, -1], [0, -0.5, 0.5], [-2 / 3, 1 / 3, 1 / 3]], rtol=1e-6)


def test_an_impossible_class_costs_infinity():
    x = _tensor([[-INF, 0.0]], grad=True)
    loss = ops.cross_entropy(x, _labels([0]))
    loss.backward()
    assert loss.item() == INF
    assert x.grad.numpy().tolist() == [[-1, 1]]


def test_large_scores_keep_their_digits():
    # log(sum of exp) near 1e4 has a rounding error of 5e-4 in float32: it is never formed.
    x = _tensor([[10000.0, 10000.5]], grad=True, dtype="float32")
    loss = ops.cross_entropy(x, _labels([0]))
    loss.backward()
    p = 1 / (1 + math.exp(0.5))
    np.testing.assert_allclose(loss.item(), -math.log(p), rtol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), [[p - 1, 1 - p]], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [2, 31, 40])  # rows side by side in vectors, and one by one
def test_log_of_sum_is_good_to_a_few_units_of_one(isa, rng, dtype, width):
    x = np.full((3000, width), -INF, dtype)
    x[:, 0], x[:, -1] = 0, -np.geomspace(1e-4, 60, 3000)
    x[:, 1:-1] = -np.abs(rng.normal(size=(3000, width - 2))) * 20
    each = ops.cross_entropy(tinycnn.tensor(x), _labels(np.zeros(3000)), reduction="none").numpy()
    exact = np.log(np.exp(x.astype(np.longdouble)).sum(axis=1))
    error = np.abs(each - exact) / np.finfo(dtype).eps
    assert (error / np.maximum(exact, 1)).max() <= (2 if width == 2 else 8)  # width summands


@pytest.mark.parametrize("width", [2, 20, 50])
def test_nan_spoils_its_own_row_only(width):
    scores = np.zeros((3, width))
    scores[1, 1] = NAN
    x = _tensor(scores, grad=True, dtype="float32")
    each = ops.cross_entropy(x, _labels([0, 0, 0]), reduction="none")
    assert np.isnan(each.data).tolist() == [False, True, False]
    each.backward(tinycnn.ones(3))
    assert np.isnan(x.grad.numpy()).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4), (2, 3, 0)])
def test_the_mean_over_nothing_is_nan_and_the_sum_is_0(shape):
    x = _tensor(np.zeros(shape), grad=True)
    target = np.zeros(shape[:1] + shape[2:])
    for t in (_labels(target), _tensor(np.zeros(shape))):
        assert math.isnan(ops.cross_entropy(x, t).item())
        assert ops.cross_entropy(x, t, reduction="none").shape == target.shape
        loss = ops.cross_entropy(x, t, reduction="sum")
        assert loss.item() == 0
        loss.backward()
        assert x.grad.shape == shape
    assert math.isnan(ops.nll_loss(x, _labels(target)).item())


def test_all_ignored_is_nan_with_a_gradient_of_0():
    for function in (ops.cross_entropy, ops.nll_loss):
        x = _tensor(SCORES, grad=True)
        loss = function(x, _labels([-100] * 3))
        assert math.isnan(loss.item())
        loss.backward()
        assert not x.grad.numpy().any()
        assert function(x, _labels([-100] * 3), reduction="sum").item() == 0


def test_an_ignored_row_counts_for_nothing_even_if_it_is_nan():
    x = _tensor([[NAN, NAN], [0, 0]], grad=True)
    loss = ops.cross_entropy(x, _labels([-100, 1]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert x.grad.numpy().tolist() == [[0, 0], [0.5, -0.5]]


def test_one_class_costs_nothing():
    x = _tensor([[3.0], [-2.0]], grad=True)
    loss = ops.cross_entropy(x, _labels([0, 0]))
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.numpy().any()


def test_weights_of_any_layout(rng):
    x, target = _tensor(rng.normal(size=(6, 4))), _labels(rng.integers(0, 4, 6))
    q = _tensor(rng.random((6, 4)))
    for memory in (rng.random(8)[::2], rng.random(4)[::-1], np.broadcast_to(0.5, (4,))):
        strided, plain = tinycnn.autograd.wrap(memory), _tensor(memory.copy())
        for function, t in ((ops.cross_entropy, target), (ops.cross_entropy, q),
                            (ops.nll_loss, target)):
            assert function(x, t, strided).item() == function(x, t, plain).item()


def test_labels_and_scores_of_any_layout(rng):
    x = rng.normal(size=(6, 8))
    target = rng.integers(0, 4, 12)
    strided, reversed_labels = x[:, ::2], target[::-2]
    assert not strided.flags.c_contiguous
    a = ops.cross_entropy(tinycnn.autograd.wrap(strided), tinycnn.autograd.wrap(reversed_labels))
    b = ops.cross_entropy(_tensor(strided.copy()), _labels(reversed_labels.copy()))
    assert a.item() == b.item()
    x.flags.writeable = target.flags.writeable = False
    c = ops.cross_entropy(tinycnn.autograd.wrap(x), tinycnn.autograd.wrap(target[:6]))
    assert math.isfinite(c.item())


# Gradients and kernels ---------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2, 2), (5,), (2, 1)])
def test_class_losses_have_the_right_gradient(rng, reduction, smoothing, weighted, shape):
    classes = shape[min(len(shape) - 1, 1)]
    target = rng.integers(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ())
    weight = _tensor(rng.random(classes) + 0.1) if weighted else None
    x = _tensor(rng.normal(size=shape), grad=True)
    q = _tensor(rng.random(shape), grad=True)
    settings = {"weight": weight, "reduction": reduction}
    for ignored in (-100, 1):
        more = {**settings, "ignore_index": ignored, "label_smoothing": smoothing}
        if ignored == 1 and reduction == "mean" and (target == 1).all():
            continue  # the mean over nothing
        assert gradcheck(lambda x, more=more: ops.cross_entropy(x, _labels(target), **more), x)
        del more["label_smoothing"]
        assert gradcheck(lambda x, more=more: ops.nll_loss(x, _labels(target), **more), x)
    settings["label_smoothing"] = smoothing
    assert gradcheck(lambda x, q: ops.cross_entropy(x, q, **settings), [x, q], per_element=True)


PAIR_LOSSES = ["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]


def _pair(rng, name, shape):
    x = rng.normal(size=shape) * 2
    if name == "binary_cross_entropy":
        x = rng.random(shape) * 0.9 + 0.05
    return x, rng.random(shape) * 0.9 + 0.05


@pytest.mark.parametrize("name", PAIR_LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (), (2, 3, 2, 2)])
def test_pair_losses_have_the_right_gradient(rng, name, reduction, weighted, shape):
    x, t = (_tensor(a, grad=True) for a in _pair(rng, name, shape))
    settings = {"reduction": reduction}
    if weighted:
        settings["weight"] = _tensor(rng.random(shape) + 0.1)
        if name.endswith("logits"):
            settings["pos_weight"] = _tensor(rng.random(shape[-1:]) + 0.5)
    function = getattr(ops, name)
    assert gradcheck(lambda x, t: function(x, t, **settings), [x, t], per_element=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0, 3), (1, 2), (5, 2), (64, 10), (7, 16), (3, 33), (2, 3, 5, 4),
                                   (3, 1000)])
def test_compiled_and_plain_kernels_agree(isa, rng, dtype, shape):
    x = _tensor(rng.normal(size=shape) * 3, grad=True, dtype=dtype)
    q = _tensor(rng.random(shape), grad=True, dtype=dtype)
    target = _labels(rng.integers(0, shape[1], shape[:1] + shape[2:]))
    weight = _tensor(rng.random(shape[1]) + 0.1, dtype=dtype)
    reductions = ("mean", "sum", "none") if x.data.size else ("sum", "none")
    for reduction in reductions:
        for settings in ({}, {"weight": weight}, {"label_smoothing": 0.2},
                         {"weight": weight, "label_smoothing": 0.2, "ignore_index": 0}):
            settings = {**settings, "reduction": reduction}
            assert_same_on_devices(
                lambda x, s=settings: ops.cross_entropy(x, target, **s), x)
            settings.pop("ignore_index", None)
            assert_same_on_devices(
                lambda x, q, s=settings: ops.cross_entropy(x, q, **s), [x, q])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIR_LOSSES)
@pytest.mark.parametrize("shape", [(), (1,), (17,), (2, 3, 5, 4), (100, 101)])
def test_compiled_and_plain_pair_kernels_agree(isa, rng, dtype, name, shape):
    x, t = (_tensor(a, grad=True, dtype=dtype) for a in _pair(rng, name, shape))
    for reduction in ("mean", "sum", "none"):
        settings = {"reduction": reduction}
        if name.startswith("binary"):
            settings["weight"] = _tensor(rng.random(shape), dtype=dtype)
        if name.endswith("logits"):
            settings["pos_weight"] = _tensor(3 * rng.random(shape), dtype=dtype)
        assert_same_on_devices(
            lambda x, t, s=settings: getattr(ops, name)(x, t, **s), [x, t])


def test_any_number_of_threads_gives_the_same_bits(rng, set_threads):
    scores, labels = rng.normal(size=(9000, 7)).astype("float32"), rng.integers(0, 7, 9000)
    shares = rng.random((9000, 7)).astype("float32")
    results = set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        bits = b""
        for function, other in (
            (lambda x, t: ops.cross_entropy(x, t, label_smoothing=0.1), _labels(labels)),
            (ops.cross_entropy, tinycnn.tensor(shares)),
            (ops.mse_loss, tinycnn.tensor(shares)),
            (ops.binary_cross_entropy_with_logits, tinycnn.tensor(shares)),
        ):
            x = tinycnn.tensor(scores, requires_grad=True)
            loss = function(x, other)
            loss.backward()
            bits += loss.data.tobytes() + x.grad.data.tobytes()
        results.add(bits)
    assert len(results) == 1


# Losses of pairs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "x", "t", "settings", "expected"), [
    ("mse_loss", [1, 4], [0, 1], {}, 5),
    ("mse_loss", [1, 4], [0, 1], {"reduction": "sum"}, 10),
    ("mse_loss", [1, 4], [0, 1], {"reduction": "none"}, [1, 9]),
    ("mse_loss", [1, 4], [0, 1], {"weight": [1, 3]}, 28 / 4),
    ("mse_loss", [1, 4], [0, 1], {"weight": [1, 3], "reduction": "sum"}, 28),
    ("mse_loss", [1, 4], [0, 1], {"weight": [1, 3], "reduction": "none"}, [1, 27]),
    ("mse_loss", [], [], {}, NAN),
    ("mse_loss", [], [], {"reduction": "sum"}, 0),
    ("mse_loss", [NAN, 1], [0, 0], {"reduction": "none"}, [NAN, 1]),
    ("l1_loss", [1, 4], [0, 8], {}, 2.5),
    ("l1_loss", [1, 4], [0, 8], {"reduction": "sum"}, 5),
    ("l1_loss", [1, 4], [0, 8], {"reduction": "none"}, [1, 4]),
    ("l1_loss", [1, 4], [0, 8], {"weight": [1, 3]}, 13 / 4),
    ("l1_loss", [NAN], [0], {}, NAN),
    ("binary_cross_entropy", [0.5, 0.25], [1, 0], {}, (math.log(2) - math.log(0.75)) / 2),
    ("binary_cross_entropy", [0.5, 0.25], [1, 0], {"weight": [2, 0]}, math.log(2)),
    ("binary_cross_entropy", [0.5, 0.25], [1, 0], {"weight": [3]},
     (math.log(2) - math.log(0.75)) * 1.5),
    ("binary_cross_entropy", [0, 1, 0, 1], [1, 0, 0, 1], {"reduction": "none"}, [100, 100, 0, 0]),
    ("binary_cross_entropy", [0.5], [0.3], {}, math.log(2)),
    ("binary_cross_entropy_with_logits", [0, 0], [1, 0], {}, math.log(2)),
    ("binary_cross_entropy_with_logits", [1e4, -1e4, 1e4, -1e4], [1, 0, 0, 1],
     {"reduction": "none"}, [0, 0, 1e4, 1e4]),
    ("binary_cross_entropy_with_logits", [0, 0], [1, 0], {"pos_weight": [3], "reduction": "none"},
     [3 * math.log(2), math.log(2)]),
    ("binary_cross_entropy_with_logits", [0, 0], [1, 0], {"weight": [1, 5], "reduction": "sum"},
     6 * math.log(2)),
    ("binary_cross_entropy_with_logits", [NAN], [1], {}, NAN),
])
def test_pair_losses_by_hand(name, x, t, settings, expected):
    for dtype in ("float32", "float64"):
        converted = {
            k: v if isinstance(v, str) else _tensor(v, dtype=dtype) for k, v in settings.items()
        }
        loss = getattr(ops, name)(_tensor(x, dtype=dtype), _tensor(t, dtype=dtype), **converted)
        np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-6)


def test_gradients_of_pair_losses_at_the_edges():
    for name, x, t, expected in (
        ("l1_loss", [1, 2, 3], [2, 2, 2], [-1, 0, 1]),
        ("binary_cross_entropy", [0, 1, 0], [0, 1, 1], [0, 0, -1e12]),
        ("binary_cross_entropy_with_logits", [1e4, -1e4, 1e4, -30], [1, 0, 0, 0],
         [0, 0, 1, math.exp(-30)]),
    ):
        x = _tensor(x, grad=True, dtype="float32")
        getattr(ops, name)(x, _tensor(t, dtype="float32"), reduction="sum").backward()
        np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6)


def test_pairs_of_different_memory_layout(rng):
    x, t = rng.normal(size=(2, 2, 3, 4))
    for name in ("mse_loss", "l1_loss", "binary_cross_entropy_with_logits"):
        function = getattr(ops, name)
        expected = function(_tensor(x), _tensor(t), reduction="none").numpy()
        a = tinycnn.autograd.wrap(np.asfortranarray(x))
        a.requires_grad = True
        each = function(a, _tensor(t), reduction="none")
        np.testing.assert_array_equal(each.data, expected)
        each.backward(_tensor(x))
        b = _tensor(x, grad=True)
        function(b, _tensor(t), reduction="none").backward(_tensor(x))
        np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_dtypes_of_pairs_meet():
    x = _tensor([1.0], dtype="float32")
    assert ops.mse_loss(x, _labels([1])).dtype == np.float32
    assert ops.mse_loss(x, _tensor([1.0])).dtype == np.float64
    assert ops.l1_loss(x, tinycnn.tensor([True])).item() == 0
    assert ops.binary_cross_entropy_with_logits(x, _tensor([1.0])).dtype == np.float64


# Negative log likelihood and one hot -------------------------------------------------------------


def test_nll_by_hand():
    x = _tensor([[-1.0, -3.0], [-2.0, -4.0]], grad=True)
    assert ops.nll_loss(x, _labels([0, 1])).item() == 2.5
    assert ops.nll_loss(x, _labels([0, 1]), reduction="none").data.tolist() == [1, 4]
    assert ops.nll_loss(x, _labels([0, 1]), _tensor([1, 3])).item() == 13 / 4
    assert ops.nll_loss(x, _labels([0, 1]), ignore_index=0).item() == 4
    ops.nll_loss(x, _labels([0, 1]), _tensor([1, 3])).backward()
    assert x.grad.numpy().tolist() == [[-0.25, 0], [0, -0.75]]
    assert ops.nll_loss(_tensor([-1.0, -2.0]), _labels(1)).item() == 2


def test_nll_of_log_softmax_is_cross_entropy(rng):
    x = _tensor(rng.normal(size=(2, 5, 3, 3)))
    target = _labels(rng.integers(0, 5, (2, 3, 3)))
    logp = tinycnn.ops.activation.log_softmax(x, 1)
    assert ops.nll_loss(logp, target).item() == pytest.approx(ops.cross_entropy(x, target).item())


def test_one_hot():
    y = ops.one_hot(_labels([[0, 2], [1, 1]]))
    assert y.dtype == np.int64
    assert y.numpy().tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]]
    assert ops.one_hot(_labels([1]), 4).numpy().tolist() == [[0, 1, 0, 0]]
    assert ops.one_hot(_labels(2)).numpy().tolist() == [0, 0, 1]
    assert ops.one_hot(_labels([]), 3).shape == (0, 3)
    assert ops.one_hot(tinycnn.tensor(np.array([1], "uint8"))).numpy().tolist() == [[0, 1]]


# Messages ----------------------------------------------------------------------------------------


X, T = _tensor(np.zeros((2, 3)), dtype="float32"), _labels([0, 1])


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize(("arguments", "settings", "error", "message"), [
    ((X, _labels([0, 3])), {}, ValueError,
     r"expected classes from 0 to 2 \(input \(2, 3\) has 3 classes\) or ignore_index=-100, got "
     r"class 3\."),
    ((X, _labels([-1, 0])), {}, ValueError, r"got class -1\."),
    ((X, _labels([-100, 0])), {"ignore_index": 0}, ValueError, "ignore_index=0, got class -100"),
    ((_tensor(np.zeros((1, 2, 2, 2))), _labels(np.full((1, 2, 2), 2))), {}, ValueError,
     r"input \(1, 2, 2, 2\) has 2 classes"),
    ((X, _labels([0, 1, 2])), {}, ValueError,
     r"expected target \(2,\) for input \(2, 3\), got \(3,\)"),
    ((_tensor([1.0]), _labels([0])), {}, TypeError, r"expected class indices \(\), or probab"),
    ((_tensor([1.0, 2.0]), _labels([0])), {}, ValueError, r"expected target \(\) for input \(2,\)"),
    ((X, _labels(np.zeros((2, 3)))), {}, TypeError,
     r"expected class indices \(2,\), or probabilities as floats, got int64 \(2, 3\)"),
    ((X, tinycnn.tensor([True, False])), {}, TypeError, "target to hold class indices.*got bool"),
    ((X, [0, 1]), {}, TypeError, "expected target to be a Tensor, got list"),
    ((np.zeros((2, 3)), T), {}, TypeError, "expected input to be a Tensor, got ndarray"),
    ((_labels([[0, 1]]), T), {}, TypeError, "expected input to be of dtype float32 or float64"),
    ((_tensor(1.0), _labels(0)), {}, ValueError, r"expected input \(N, C, ...\) or \(C,\)"),
    ((_tensor(np.zeros((2, 0))), T), {}, ValueError, "with at least one class, got"),
    ((X, T), {"weight": _tensor([1.0, 2.0])}, ValueError,
     r"expected weight \(3,\), one for each class, got \(2,\)"),
    ((X, T), {"weight": _labels([1, 2, 3])}, TypeError, "expected weight to be of dtype float32"),
    ((X, T), {"weight": [1.0] * 3}, TypeError, "expected weight to be a Tensor"),
    ((X, T), {"weight": _tensor([1, 2, 3], grad=True)}, ValueError,
     r"expected a weight that requires no gradient, got one \(3,\) that requires one. Pass "
     r"weight.detach\(\)."),
    ((X, T), {"ignore_index": 1.5}, TypeError, r"expected ignore_index to be an int, got 1\.5\."),
    ((X, T), {"ignore_index": None}, TypeError, "expected ignore_index to be an int, got None"),
    ((X, T), {"ignore_index": 2**70}, ValueError,
     r"expected ignore_index from -2\*\*63 to 2\*\*63 - 1, got 1180591620717411303424. Leave"),
    ((X, T), {"reduction": "average"}, ValueError,
     "expected reduction 'mean', 'sum' or 'none', got 'average'"),
])
def test_messages_of_class_losses(name, arguments, settings, error, message):
    with pytest.raises(error, match=f"^{name}: .*{message}"):
        getattr(ops, name)(*arguments, **settings)


def test_labels_that_came_as_floats():
    floats = _tensor([0, 1], dtype="float32")
    with pytest.raises(TypeError, match=r"^cross_entropy: expected class indices \(2,\) to be "
                                        r"integers, got float32. Convert the target with "):
        ops.cross_entropy(X, floats)
    with pytest.raises(TypeError, match=r"^nll_loss: expected target to hold class indices, "
                                        r"integers \(2,\), got float32 \(2,\)"):
        ops.nll_loss(X, floats)


@pytest.mark.parametrize(("target", "settings", "message"), [
    (_tensor(np.zeros((2, 4))), {}, r"expected probabilities of the input's shape \(2, 3\), or "
                                    r"class indices \(2,\), got \(2, 4\)"),
    (_tensor(np.zeros((2, 3))), {"ignore_index": 1}, "class indices where ignore_index is given"),
    (T, {"label_smoothing": 1.5}, "expected label_smoothing between 0 and 1, got 1.5"),
    (T, {"label_smoothing": -0.1}, "expected label_smoothing between 0 and 1, got -0.1"),
    (_tensor(np.zeros((2, 3))), {"weight": _tensor([1, 2, 3], grad=True)},
     "expected a weight that requires no gradient"),
])
def test_more_messages_of_cross_entropy(target, settings, message):
    with pytest.raises(ValueError, match=f"^cross_entropy: {message}|^cross_entropy: .*{message}"):
        ops.cross_entropy(X, target, **settings)


@pytest.mark.parametrize("name", PAIR_LOSSES)
def test_messages_of_pair_losses(name):
    function = getattr(ops, name)
    x = _tensor([0.5, 0.5])
    with pytest.raises(ValueError, match=rf"^{name}: expected target of the input's shape \(2,\), "
                                         r"got \(2, 1\). Reshape"):
        function(x, _tensor([[0.5], [0.5]]))
    with pytest.raises(TypeError, match=f"^{name}: expected input to be of dtype float32"):
        function(_labels([0, 1]), x)
    with pytest.raises(TypeError, match=f"^{name}: expected target to be a Tensor, got float"):
        function(x, 0.5)
    with pytest.raises(ValueError, match=f"^{name}: expected reduction"):
        function(x, x, reduction="max")
    with pytest.raises(TypeError, match=f"^{name}: expected weight to be a Tensor"):
        function(x, x, weight=2.0)
    broadcast = name.startswith("binary")
    message = r"expected weight that broadcasts to the input's shape \(2,\), got \(3, 1\)"
    if not broadcast:
        message = r"expected weight of the input's shape \(2,\), got \(3, 1\)"
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        function(x, x, weight=_tensor(np.ones((3, 1))))
    if broadcast:
        with pytest.raises(ValueError, match=f"^{name}: expected shapes that broadcast"):
            function(x, x, weight=_tensor(np.ones(3)))
        with pytest.raises(TypeError, match=rf"^{name}: expected target to be of dtype float32 or "
                                            r"float64, got int64 \(2,\)"):
            function(x, _labels([0, 1]))


def test_messages_of_pos_weight():
    x = _tensor([0.5, 0.5])
    with pytest.raises(ValueError, match=r"expected pos_weight that broadcasts .* got \(1, 2\)"):
        ops.binary_cross_entropy_with_logits(x, x, pos_weight=_tensor([[1, 1]]))


def test_messages_of_weights_whose_gradient_nobody_computes():
    x, w = _tensor([0.5, 0.5]), _tensor([1.0, 2.0], grad=True)
    logits = "binary_cross_entropy_with_logits"
    for name, settings in [("binary_cross_entropy", {"weight": w}), (logits, {"weight": w}),
                           (logits, {"pos_weight": w})]:
        word, = settings
        with pytest.raises(ValueError, match=rf"^{name}: expected a {word} that requires no "
                                             rf"gradient, got one \(2,\) .* Pass {word}.detach"):
            getattr(ops, name)(x, x, **settings)
        constant = getattr(ops, name)(x, x, **{word: w.detach()})
        with tinycnn.no_grad():  # nobody asks for a gradient here
            assert getattr(ops, name)(x, x, **settings).item() == constant.item()


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_weights_of_errors_have_a_gradient(name):
    w = _tensor([1.0, 3.0], grad=True)
    getattr(ops, name)(_tensor([1.0, 1.0]), _tensor([0.0, 1.0]), weight=w).backward()
    assert w.grad.tolist() == [3 / 16, -1 / 16]  # of w[0] / (w[0] + w[1])


def test_label_smoothing_must_be_a_number():
    with pytest.raises(TypeError, match="^cross_entropy: expected label_smoothing to be a number, "
                                        r"got 'a'\. 0 smooths nothing"):
        ops.cross_entropy(X, T, label_smoothing="a")


@pytest.mark.parametrize("label", [-2**63, 2**63 - 1])
def test_any_int64_may_be_ignored(label):
    x = _tensor(SCORES[:2])
    loss = ops.cross_entropy(x, _labels([label, 1]), ignore_index=label)
    assert loss.item() == ops.cross_entropy(x[1:], _labels([1])).item()


@pytest.mark.parametrize(("x", "t", "message"), [
    ([0.5, 1.5], [0, 1], r"expected input between 0 and 1, got values from 0.5 to 1.5 in \(2,\)"),
    ([-0.25, 0.5], [0, 1], "expected input between 0 and 1, got values from -0.25 to 0.5"),
    ([NAN, 0.5], [0, 1], "expected input between 0 and 1, got values from nan to nan"),
    ([0.5, 0.5], [0, 2], "expected target between 0 and 1, got values from 0 to 2"),
])
def test_probabilities_out_of_range(x, t, message):
    for reduction in ("mean", "none"):
        with pytest.raises(ValueError, match=f"^binary_cross_entropy: {message}"):
            ops.binary_cross_entropy(_tensor(x), _tensor(t), reduction=reduction)


@pytest.mark.parametrize(("settings", "reduction"), [
    ({"size_average": True}, "mean"), ({"size_average": False}, "sum"), ({"reduce": False}, "none"),
    ({"reduce": True}, "mean"), ({"size_average": False, "reduce": False}, "none"),
])
def test_old_words_for_the_reduction(settings, reduction):
    with pytest.warns(UserWarning, match=f"mse_loss: .* Pass reduction='{reduction}'"):
        loss = ops.mse_loss(X, X + 1, **settings)
    assert loss.shape == ops.mse_loss(X, X + 1, reduction=reduction).shape
    with pytest.warns(UserWarning, match=f"cross_entropy: .* Pass reduction='{reduction}'"):
        loss = ops.cross_entropy(X, T, **settings)
    assert loss.numpy().tolist() == ops.cross_entropy(X, T, reduction=reduction).numpy().tolist()


@pytest.mark.parametrize(("tensor", "classes", "error", "message"), [
    (_labels([0, 2]), 2, ValueError, r"expected classes from 0 to 1 \(num_classes=2\), got 2"),
    (_labels([0, -1]), -1, ValueError, "got -1"),
    (_labels([]), -1, ValueError, "expected num_classes for a tensor without elements"),
    (_labels([0]), 0, ValueError, "expected num_classes of at least 1, or -1, .* got 0"),
    (_labels([0]), -3, ValueError, "expected num_classes of at least 1, or -1, .* got -3"),
    (_labels([0]), 2.5, TypeError, "expected num_classes to be an int, got 2.5. Pass the number"),
    (_labels([0]), None, TypeError, "expected num_classes to be an int, got None"),
    (_tensor([0.0]), -1, TypeError, "expected tensor to hold integers, got float64"),
])
def test_messages_of_one_hot(tensor, classes, error, message):
    with pytest.raises(error, match=f"^one_hot: .*{message}"):
        ops.one_hot(tensor, classes)


def test_kernels_refuse_arrays_that_do_not_fit():
    from tinycnn._core import cpu

    x, one, total = np.zeros((2, 3), "f4"), np.zeros(1, "f4"), np.zeros((), "f4")
    statistics, labels = np.zeros((2, 2), "f4"), np.zeros(2, "i8")
    for bad in (labels[:1], labels.astype("i4")):
        with pytest.raises(ValueError, match="loss: expected 2 labels of dtype int64"):
            cpu.cross_entropy_forward(x, bad, None, -100, 0, "mean", one, statistics, total)
    with pytest.raises(ValueError, match="loss: expected 2 numbers of dtype float32"):
        cpu.cross_entropy_forward(x, labels, None, -100, 0, "none", one, statistics, total)
    with pytest.raises(ValueError, match="loss: expected 6 numbers of dtype float32"):
        cpu.pair_loss_forward("mse", x, x[:1], None, None, "mean", one)


@pytest.mark.parametrize("call", [
    lambda x, t: ops.cross_entropy(x, t, size_average=True),
    lambda x, t: ops.mse_loss(x, x, reduce=False),
    lambda x, t: tinycnn.nn.CrossEntropyLoss(size_average=True),
])
def test_a_warning_of_old_words_names_the_line_that_used_them(call):
    with pytest.warns(UserWarning, match="old words") as caught:
        call(tinycnn.zeros(2, 3), tinycnn.tensor([0, 1]))
    assert caught[0].filename == __file__
