"""Robust errors and losses of distributions: values by hand, gradients, kernels, every message."""

import math

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.testing import assert_same_on_devices, gradcheck

REDUCTIONS = ["mean", "sum", "none"]
NAN, INF = math.nan, math.inf


def tensor(values, dtype="float64", grad=False):
    return tinycnn.tensor(np.asarray(values, dtype), requires_grad=grad)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "x", "t", "settings", "expected"), [
    ("smooth_l1_loss", [0.5, 1, 3, -3], [0, 0, 0, 1], {}, [0.125, 0.5, 2.5, 3.5]),
    ("smooth_l1_loss", [0.5, 2, 3], [0, 0, 0], {"beta": 2}, [0.0625, 1, 2]),
    ("smooth_l1_loss", [0.5, -2], [0, 0], {"beta": 0}, [0.5, 2]),
    ("huber_loss", [0.5, 2, 3], [0, 0, 0], {"delta": 2}, [0.125, 2, 4]),
    ("huber_loss", [1, 5], [0, 0], {"weight": [2, 3]}, [1, 13.5]),
    ("kl_div", [-1, -2, -3], [0, 1, 0.5], {}, [0, 2, 1.5 - 0.5 * math.log(2)]),
    ("kl_div", [-1, -2], [0, -1], {"log_target": True}, [1, 1 / math.e]),
    ("poisson_nll_loss", [0, 1], [3, 2], {}, [1, math.e - 2]),
    ("poisson_nll_loss", [1, 2], [3, 1], {"log_input": False, "eps": 0},
     [1, 2 - math.log(2)]),
    ("poisson_nll_loss", [0, 0], [4, 1], {"full": True},
     [1 + 4 * math.log(4) - 4 + 0.5 * math.log(8 * math.pi), 1]),
    ("gaussian_nll_loss", [1, 0], [3, 0], {"var": 1.0}, [2, 0]),
    ("gaussian_nll_loss", [1, 0], [3, 0], {"var": [4, 0], "eps": 1},
     [0.5 * (math.log(4) + 1), 0]),
    ("gaussian_nll_loss", [0], [0], {"var": 1, "full": True}, [0.5 * math.log(2 * math.pi)]),
])
def test_losses_by_hand(dtype, name, x, t, settings, expected):
    made = {k: tensor(v, dtype) if isinstance(v, list) else v for k, v in settings.items()}
    x, t = tensor(x, dtype), tensor(t, dtype)
    function = getattr(F, name)
    each = function(x, t, **made, reduction="none")
    assert each.dtype == dtype
    np.testing.assert_allclose(each.numpy(), expected, rtol=1e-6, atol=1e-7)
    assert function(x, t, **made, reduction="sum").item() == pytest.approx(sum(expected), rel=1e-6)
    if name == "kl_div":
        assert function(x, t, **made, reduction="batchmean").item() == pytest.approx(
            sum(expected) / len(expected), rel=1e-6)
    else:
        assert function(x, t, **made).item() == pytest.approx(np.mean(expected), rel=1e-6)


def test_slopes_of_robust_errors():
    for name, settings, expected in [
        ("smooth_l1_loss", {"beta": 2}, [-1, -1, -0.5, 0, 0.5, 1, 1]),
        ("huber_loss", {"delta": 2}, [-2, -2, -1, 0, 1, 2, 2]),
    ]:
        x = tensor([-3, -2, -1, 0, 1, 2, 3], grad=True)
        getattr(F, name)(x, tensor([0] * 7), **settings, reduction="sum").backward()
        assert x.grad.numpy().tolist() == expected


def test_the_mean_over_nothing_is_nan():
    none = tensor([])
    for name in ("smooth_l1_loss", "huber_loss", "poisson_nll_loss"):
        assert math.isnan(getattr(F, name)(none, none).item())
        assert getattr(F, name)(none, none, reduction="sum").item() == 0
    assert math.isnan(F.gaussian_nll_loss(none, none, 1.0).item())
    assert math.isnan(F.kl_div(none, none, reduction="batchmean").item())


def test_a_target_of_0_has_no_logarithm_in_its_gradient():
    x, t = tensor([1, 1, 1], grad=True), tensor([0, 1, 2], grad=True)
    F.poisson_nll_loss(x, t, full=True, reduction="sum").backward()
    np.testing.assert_allclose(t.grad.numpy(), [-1, -1, -1 + math.log(2) + 0.25])


# name, inputs away from kinks, settings
GRADIENTS = [
    ("smooth_l1_loss", 2, {"beta": 0.7}), ("smooth_l1_loss", 2, {"beta": 0}),
    ("huber_loss", 2, {"delta": 0.7}), ("huber_loss", 2, {"delta": 0.7, "weight": "weight"}),
    ("kl_div", 2, {"reduction": "batchmean"}), ("kl_div", 2, {"log_target": True}),
    ("poisson_nll_loss", 2, {}), ("poisson_nll_loss", 2, {"full": True}),
    ("poisson_nll_loss", 2, {"log_input": False, "full": True}),
    ("gaussian_nll_loss", 3, {}), ("gaussian_nll_loss", 3, {"full": True}),
    ("soft_margin_loss", 2, {}), ("hinge_embedding_loss", 2, {"margin": 0.73}),
]


@pytest.mark.parametrize(("name", "count", "settings"), GRADIENTS)
@pytest.mark.parametrize("shape", [(3, 4), (), (2, 3, 2, 2)])
def test_gradients(rng, name, count, settings, shape):
    inputs = [tensor(rng.random(shape) * 2 + 0.1, grad=True) for _ in range(count)]
    if settings.get("weight"):
        settings = {**settings, "weight": tensor(rng.random(shape))}
    for reduction in [settings["reduction"]] if "reduction" in settings else ["sum", "none"]:
        given = {**settings, "reduction": reduction}
        assert gradcheck(lambda *a, g=given: getattr(F, name)(*a, **g), inputs, per_element=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (17,), (2, 3, 5, 4), (100, 101)])
def test_compiled_and_plain_kernels_agree(isa, rng, dtype, shape):
    for name, count, settings in GRADIENTS:
        inputs = [tensor(rng.random(shape) * 2 + 0.1, dtype, True) for _ in range(count)]
        if settings.get("weight"):
            settings = {**settings, "weight": tensor(rng.random(shape), dtype)}
        assert_same_on_devices(
            lambda *a, n=name, s={"reduction": "sum", **settings}: getattr(F, n)(*a, **s), inputs)


def test_any_number_of_threads_gives_the_same_bits(rng, set_threads):
    x, t = rng.random((2, 90000)).astype("float32") + 0.1
    results = set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        bits = b""
        for name, _, settings in GRADIENTS:
            if name == "gaussian_nll_loss" or "weight" in settings:
                continue
            a = tinycnn.tensor(x, requires_grad=True)
            loss = getattr(F, name)(a, tinycnn.tensor(t), **{"reduction": "sum", **settings})
            loss.backward()
            bits += loss.data.tobytes() + a.grad.data.tobytes()
        results.add(bits)
    assert len(results) == 1


def test_memory_of_any_layout(rng):
    x, t = rng.random((2, 2, 3, 4)) + 0.1
    for name in ("smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss", "soft_margin_loss"):
        function = getattr(F, name)
        expected = function(tensor(x), tensor(t), reduction="none").numpy()
        for a, b in ((np.asfortranarray(x), t), (x, t.transpose(2, 0, 1).copy().transpose(1, 2, 0)),
                     (x[:, ::-1][:, ::-1], t)):
            given = tinycnn.autograd.wrap(a), tinycnn.autograd.wrap(b)
            np.testing.assert_array_equal(function(*given, reduction="none").numpy(), expected)


# Warnings and messages ---------------------------------------------------------------------------

X, ROW = tensor(np.zeros((2, 3))), tensor(np.zeros(3))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_shapes_of_errors_are_not_broadcast_for_that_is_mostly_a_mistake(name):
    message = rf"{name}: expected target of the input's shape \(2, 3\), got \(3,\)\. Reshape one"
    with pytest.raises(ValueError, match=message):
        getattr(F, name)(X, ROW)


def test_the_mean_of_a_divergence_warns():
    with pytest.warns(UserWarning, match="kl_div: 'mean' divides by the number of all") as caught:
        F.kl_div(X, X)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="size_average and reduce are old words"):
        F.kl_div(X, X, size_average=True)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: F.smooth_l1_loss(X, X, beta=-1), ValueError,
     r"smooth_l1_loss: expected beta of at least 0, got -1.0\. 0 gives l1_loss"),
    (lambda: F.smooth_l1_loss(X, X, beta="1"), TypeError, "expected beta to be a number"),
    (lambda: F.smooth_l1_loss(X, 1.0), TypeError, "expected target to be a Tensor, got float"),
    (lambda: F.smooth_l1_loss(X, tensor([0, 0])), ValueError, "expected target of the input's"),
    (lambda: F.smooth_l1_loss(X.to("int64"), X), TypeError, "expected input to be of dtype float"),
    (lambda: F.smooth_l1_loss(X, X, reduction="batchmean"), ValueError,
     "expected reduction 'mean', 'sum' or 'none', got 'batchmean'"),
    (lambda: F.huber_loss(X, X, delta=0), ValueError, r"huber_loss: expected delta above 0, got 0"),
    (lambda: F.huber_loss(X, X, delta=NAN), ValueError, "expected delta above 0, got nan"),
    (lambda: F.huber_loss(X, X, weight=ROW), ValueError,
     r"expected weight of the input's shape \(2, 3\), got \(3,\)\. Give each pair one"),
    (lambda: F.huber_loss(X, X, weight=2.0), TypeError, "expected weight to be a Tensor"),
    (lambda: F.huber_loss(2.0, X, weight=X), TypeError, "expected input to be a Tensor"),
    (lambda: F.kl_div(X, X, reduction="all"), ValueError,
     "kl_div: expected reduction 'batchmean', 'mean', 'sum' or 'none', got 'all'"),
    (lambda: F.kl_div(X, X.to("int64"), reduction="sum"), TypeError,
     "kl_div: expected target to be of dtype float32 or float64"),
    (lambda: F.kl_div([0.0], X, reduction="sum"), TypeError, "expected input to be a Tensor"),
    (lambda: F.poisson_nll_loss(X, X, eps=None), TypeError, "expected eps to be a number"),
    (lambda: F.gaussian_nll_loss(X, X, -1.0), ValueError,
     r"gaussian_nll_loss: expected variances of at least 0, got -1\.0\. Predict the logarithm"),
    (lambda: F.gaussian_nll_loss(X, X, tensor([[1, 1, -1]] * 2)), ValueError,
     r"expected variances of at least 0, got a negative one in var \(2, 3\)"),
    (lambda: F.gaussian_nll_loss(X, X, tensor([1, 1, 1])), ValueError,
     r"expected var of the input's shape \(2, 3\), without its last axis, or with one axis of "
     r"size 1, got \(3,\)\. Give each mean"),
    (lambda: F.gaussian_nll_loss(X, X, tensor([[1]])), ValueError, r"got \(1, 1\)"),
    (lambda: F.gaussian_nll_loss(X, X, "1"), TypeError, "expected var to be a Tensor, got str"),
    (lambda: F.gaussian_nll_loss(X, X, 1.0, eps="e"), TypeError, "expected eps to be a number"),
])
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_every_loss_refuses_an_unknown_reduction():
    for name, *others in [("huber_loss", X), ("kl_div", X), ("poisson_nll_loss", X),
                          ("gaussian_nll_loss", X, 1.0)]:
        with pytest.raises(ValueError, match=f"{name}: expected reduction .*'max'"):
            getattr(F, name)(X, *others, reduction="max")
