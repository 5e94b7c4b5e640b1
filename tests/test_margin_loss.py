"""Losses with margins, distances, losses of embeddings: values by hand, gradients, kernels, every
message."""

import math

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn._core import cpu
from tinycnn.testing import assert_same_on_devices, gradcheck

NAN, INF = math.nan, math.inf
LOG2 = math.log(2)


def tensor(values, dtype="float64", grad=False):
    return tinycnn.tensor(np.asarray(values, dtype), requires_grad=grad)


def labels(values):
    return tensor(values, "int64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "inputs", "settings", "expected"), [
    ("soft_margin_loss", ([0, 100, -100], [1, 1, 1]), {}, [LOG2, 0, 100]),
    ("hinge_embedding_loss", ([0.5, 0.5, 3, 2], [1, -1, -1, 0]), {}, [0.5, 0.5, 0, 2]),
    ("hinge_embedding_loss", ([0.5], [-1]), {"margin": 3}, [2.5]),
    ("margin_ranking_loss", ([1, 1, 1], [0, 2, 0], [1, 1, -1]), {}, [0, 1, 1]),
    ("margin_ranking_loss", ([1, 1], [0, 0], [1, -1]), {"margin": 2}, [1, 3]),
    ("multilabel_soft_margin_loss", ([[0, 0], [1e4, -1e4]], [[1, 0], [1, 0]]), {}, [LOG2, 0]),
    ("multilabel_soft_margin_loss", ([[0, 0]], [[1, 0]]), {"weight": [1, 3]}, [2 * LOG2]),
    ("pairwise_distance", ([[3, 4], [1, 1]], [[0, 0], [1, 1]]), {"eps": 0}, [5, 0]),
    ("pairwise_distance", ([[3, -4]], [[0, 0]]), {"eps": 0, "p": 1}, [7]),
    ("pairwise_distance", ([[3, -4]], [[0, 0]]), {"eps": 0, "p": INF}, [4]),
    ("pairwise_distance", ([[3, -4, 0]], [[0, 0, 0]]), {"eps": 0, "p": 0}, [2]),
    ("pairwise_distance", ([[1, 1]], [[0, 0]]), {"eps": 1, "p": 3, "keepdim": True},
     [[16 ** (1 / 3)]]),
    ("cosine_similarity", ([[1, 0], [1, 1], [0, 0]], [[0, 2], [3, 3], [1, 1]]), {}, [0, 1, 0]),
    ("cosine_similarity", ([[2, 0]], [[1, 0]]), {"eps": 4}, [1 / 8]),
    ("triplet_margin_loss", ([[0, 0]], [[0, 3]], [[4, 0]]), {"eps": 0, "margin": 2}, [1]),
    ("triplet_margin_loss", ([[0, 0]], [[0, 3]], [[0, 4]]), {"eps": 0, "swap": True}, [3]),
    ("cosine_embedding_loss", ([[1, 0], [1, 0], [1, 0]], [[1, 0], [1, 0], [0, 1]], [1, -1, 1]),
     {"margin": 0.25}, [0, 0.75, 1]),
])
def test_values_by_hand(dtype, name, inputs, settings, expected):
    made = {k: tensor(v, dtype) if isinstance(v, list) else v for k, v in settings.items()}
    tensors, function = [tensor(x, dtype) for x in inputs], getattr(F, name)
    if "loss" not in name:
        y = function(*tensors, **made)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6, atol=1e-7)
        return
    each = function(*tensors, **made, reduction="none")
    assert each.dtype == dtype
    np.testing.assert_allclose(each.numpy(), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(function(*tensors, **made).item(), np.mean(expected), rtol=1e-6)
    np.testing.assert_allclose(function(*tensors, **made, reduction="sum").item(),
                               np.sum(expected), rtol=1e-6)


# Hinge losses of classes -------------------------------------------------------------------------


SCORES = [[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]  # cat, car, frog
RIGHT = [0, 1, 2]


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, [2.9, 0, 12.9]), ({"p": 2}, [8.41, 0, 6.3**2 + 6.6**2]),
    ({"margin": 0}, [1.9, 0, 10.9]), ({"margin": 10}, [11.9 + 5.1, 6.4 + 7.1, 15.3 + 15.6]),
    ({"weight": [2, 3, 0.5]}, [5.8, 0, 6.45]),
])
def test_the_support_vector_loss_by_hand(settings, expected):
    for dtype in ("float32", "float64"):
        made = {k: tensor(v, dtype) if isinstance(v, list) else v for k, v in settings.items()}
        x = tensor(SCORES, dtype)
        each = F.multi_margin_loss(x, labels(RIGHT), **made, reduction="none")
        np.testing.assert_allclose(each.numpy(), np.array(expected) / 3, rtol=1e-5)
        mean = F.multi_margin_loss(x, labels(RIGHT), **made)
        np.testing.assert_allclose(mean.item(), np.sum(expected) / 9, rtol=1e-5)
    one = F.multi_margin_loss(tensor(SCORES[0]), labels(0), reduction="none")
    assert one.shape == ()
    np.testing.assert_allclose(one.item(), 2.9 / 3)


def test_the_gradient_of_the_support_vector_loss_by_hand():
    x = tensor(SCORES, grad=True)
    F.multi_margin_loss(x, labels(RIGHT), reduction="sum").backward()
    np.testing.assert_allclose(x.grad.numpy() * 3, [[-1, 1, 0], [0, 0, 0], [1, 1, -2]], rtol=1e-12)
    x = tensor([[1, 2, 0]], grad=True)  # at the kink
    F.multi_margin_loss(x, labels([1]), reduction="sum").backward()
    assert x.grad.numpy().tolist() == [[0, 0, 0]]


def test_several_right_classes_by_hand():
    x, t = tensor([[0.1, 0.2, 0.4, 0.8]], grad=True), labels([[3, 0, -1, 1]])
    loss = F.multilabel_margin_loss(x, t)
    loss.backward()
    assert loss.item() == pytest.approx(0.25 * (0.4 + 0.6 + 1.1 + 1.3))
    np.testing.assert_allclose(x.grad.numpy() * 4, [[-2, 2, 2, -2]])
    twice = F.multilabel_margin_loss(x, labels([[3, 3, -1, 1]]))
    assert twice.item() == pytest.approx(0.5 * (0.3 + 0.4 + 0.6))
    for none in ([-1] * 4, [0, 1, 2, 3]):
        assert F.multilabel_margin_loss(x, labels([none])).item() == 0
    assert F.multilabel_margin_loss(x[0], t[0], reduction="none").shape == ()


def test_nan_spoils_its_own_row_only():
    for width in (3, 40):
        scores = np.zeros((3, width))
        scores[1, 2] = NAN
        x, lists = tensor(scores), labels(np.full((3, width), -1))
        lists[:, 0] = 1
        each = F.multi_margin_loss(x, labels([1, 1, 1]), reduction="none")
        assert np.isnan(each.numpy()).tolist() == [False, True, False]
        each = F.multilabel_margin_loss(x, lists, reduction="none")
        assert np.isnan(each.numpy()).tolist() == [False, True, False]


def test_no_predictions():
    x, none = tensor(np.zeros((0, 3)), grad=True), labels(np.zeros((0, 3)))
    for loss, t in (F.multi_margin_loss, none[:, 0]), (F.multilabel_margin_loss, none):
        assert math.isnan(loss(x, t).item())
        assert loss(x, t, reduction="sum").item() == 0
        loss(x, t, reduction="none").backward(tinycnn.zeros(0, dtype="float64"))
        assert x.grad.shape == (0, 3)


# Gradients and kernels ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (2, 17), (5,)])
def test_gradients_of_hinge_losses(rng, shape):
    x, t = tensor(rng.normal(size=shape), grad=True), labels(rng.integers(0, shape[-1], shape[:-1]))
    lists, weight = labels(rng.integers(-1, shape[-1], shape)), tensor(rng.random(shape[-1]))
    for reduction in ("mean", "sum", "none"):
        for p in (1, 2):
            assert gradcheck(lambda x, p=p, r=reduction: F.multi_margin_loss(
                x, t, p, 0.7, weight, reduction=r), x, per_element=True)
        assert gradcheck(lambda x, r=reduction: F.multilabel_margin_loss(x, lists, reduction=r), x,
                         per_element=True)


SIDES = tensor([[1, -1, 1, -1], [-1, -1, 1, 1]])
GRADIENTS = {
    "hinge_embedding_loss": (lambda x: F.hinge_embedding_loss(x, SIDES, 0.3), 1),
    "margin_ranking_loss": (lambda x, y: F.margin_ranking_loss(x, y, SIDES, 0.3), 2),
    "multilabel_soft_margin_loss": (
        lambda x, t, w: F.multilabel_soft_margin_loss(x, t, w), 3),
    "pairwise_distance": (lambda x, y: F.pairwise_distance(x, y), 2),
    "pairwise_distance 1": (lambda x, y: F.pairwise_distance(x, y, 1), 2),
    "pairwise_distance 3": (lambda x, y: F.pairwise_distance(x, y, 3, keepdim=True), 2),
    "pairwise_distance 0.5": (lambda x, y: F.pairwise_distance(x, y, 0.5), 2),
    "pairwise_distance inf": (lambda x, y: F.pairwise_distance(x, y, INF), 2),
    "pairwise_distance 0": (lambda x, y: F.pairwise_distance(x, y, 0), 2),
    "cosine_similarity": (lambda x, y: F.cosine_similarity(x, y), 2),
    "cosine_similarity 0": (lambda x, y: F.cosine_similarity(x, y, 0), 2),
    "triplet_margin_loss": (lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True), 3),
    "cosine_embedding_loss": (
        lambda x, y: F.cosine_embedding_loss(x, y, tensor([1, -1]), -0.9), 2),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(rng, name):
    function, count = GRADIENTS[name]
    inputs = [tensor(rng.normal(size=(2, 4)), grad=True) for _ in range(count)]
    assert gradcheck(function, inputs, per_element=True)
    assert_same_on_devices(function, inputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0, 3), (1, 2), (5, 2), (64, 10), (7, 16), (3, 33), (3, 500)])
def test_compiled_and_plain_kernels_agree(isa, rng, dtype, shape):
    x = tensor(rng.normal(size=shape), dtype, True)
    t, lists = labels(rng.integers(0, shape[1], shape[0])), rng.integers(-1, shape[1], shape)
    lists[: shape[0] // 2, 3:] = -1
    lists, weight = labels(lists), tensor(rng.random(shape[1]), dtype)
    for reduction in ("mean", "sum", "none") if shape[0] else ("sum", "none"):
        given = {"reduction": reduction}
        for p, w in ((1, None), (2, weight)):
            assert_same_on_devices(
                lambda x, g=given, p=p, w=w: F.multi_margin_loss(x, t, p, 0.7, w, **g), x)
        assert_same_on_devices(lambda x, g=given: F.multilabel_margin_loss(x, lists, **g), x)


def test_kernels_read_and_write_only_their_arrays(isa, rng, guard):
    for C in (1, 3, 7, 16, 19):
        x, grad = guard(rng.normal(size=(5, C))), guard(np.empty((5, C)))
        losses, counts, gains = guard(np.empty(5)), guard(np.empty((5, C))), guard(np.ones(5))
        t, lists = rng.integers(0, C, 5), rng.integers(-1, C, (5, C))
        cpu.multi_margin_forward(x, t, None, 1, 1.0, "none", losses)
        assert np.isfinite(losses).all()
        cpu.multi_margin_backward(x, t, None, 2, 1.0, "none", gains, grad)
        assert np.isfinite(grad).all()
        cpu.multilabel_margin_forward(x, lists, "none", losses, counts)
        cpu.multilabel_margin_backward(x, counts, "none", gains, grad)
        assert np.isfinite(losses).all()
        assert np.isfinite(grad).all()


def test_any_number_of_threads_gives_the_same_bits(rng, set_threads):
    scores, t = rng.normal(size=(9000, 7)).astype("float32"), labels(rng.integers(0, 7, 9000))
    lists, results = labels(rng.integers(-1, 7, (9000, 7))), set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        bits = b""
        for function in (lambda x: F.multi_margin_loss(x, t, 2),
                         lambda x: F.multilabel_margin_loss(x, lists)):
            x = tinycnn.tensor(scores, requires_grad=True)
            loss = function(x)
            loss.backward()
            bits += loss.data.tobytes() + x.grad.data.tobytes()
        results.add(bits)
    assert len(results) == 1


def test_memory_of_any_layout(rng):
    x, t = rng.normal(size=(6, 8)), rng.integers(0, 4, 12)
    lists = rng.integers(-1, 4, (6, 8))
    wrap = tinycnn.autograd.wrap
    for strided, plain, function in [
        (t[::-2], t[::-2].copy(), F.multi_margin_loss),
        (lists[:, ::2], lists[:, ::2].copy(), F.multilabel_margin_loss),
    ]:
        a = function(wrap(x[:, ::2]), wrap(strided))
        assert a.item() == function(tensor(x[:, ::2].copy()), wrap(plain)).item()


# Messages ----------------------------------------------------------------------------------------

X, T, ONE = tensor(np.zeros((2, 3))), labels([0, 1]), tensor(1.0)
LISTS = labels(np.zeros((2, 3)))


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: F.multi_margin_loss(X, labels([0, 3])), ValueError,
     r"multi_margin_loss: expected classes from 0 to 2 \(the input has 3 classes\), got class 3\."),
    (lambda: F.multi_margin_loss(X, labels([-1, 3])), ValueError, "got class -1"),
    (lambda: F.multi_margin_loss(X, T, p=3), ValueError, "expected p of 1 or 2, got 3. 1 is the"),
    (lambda: tinycnn.nn.MultiMarginLoss(p=1.5), ValueError, "MultiMarginLoss: expected p of 1 or"),
    (lambda: F.multi_margin_loss(X, T, margin="1"), TypeError, "expected margin to be a number"),
    (lambda: F.multi_margin_loss(X, LISTS), ValueError,
     r"expected target \(2,\) for input \(2, 3\), got \(2, 3\)\. Give each prediction one"),
    (lambda: F.multi_margin_loss(X[0], T), ValueError, r"expected target \(\) for input \(3,\)"),
    (lambda: F.multi_margin_loss(X, X[:, 0]), TypeError, "expected target to hold integers"),
    (lambda: F.multi_margin_loss(T, T), TypeError, "expected input to be of dtype float32"),
    (lambda: F.multi_margin_loss(tensor(np.zeros((2, 0))), T), ValueError,
     r"expected input \(N, C\) or \(C,\) with at least one class, got \(2, 0\)"),
    (lambda: F.multi_margin_loss(tensor(np.zeros((2, 3, 4))), T), ValueError, r"got \(2, 3, 4\)"),
    (lambda: F.multi_margin_loss(ONE, labels(0)), ValueError, r"\(C,\) with at least one"),
    (lambda: F.multi_margin_loss(X, T, weight=ONE), ValueError,
     r"expected weight \(3,\), one for each class, got \(\)\. The input has 3 classes"),
    (lambda: F.multi_margin_loss(X, T, weight=tensor([1] * 3, grad=True)), ValueError,
     "expected a weight that requires no gradient"),
    (lambda: F.multilabel_margin_loss(X, labels([[0, -1, -1], [0, -1, 3]])), ValueError,
     r"multilabel_margin_loss: expected classes from 0 to 2, then -1 .*, got class 3\."),
    (lambda: F.multilabel_margin_loss(X, labels([[-2, 0, 0]] * 2)), ValueError, "got class -2"),
    (lambda: F.multilabel_margin_loss(X, T), ValueError,
     r"expected target of the input's shape \(2, 3\), got \(2,\)\. Fill each row up with -1"),
    (lambda: F.multilabel_margin_loss(X, X), TypeError, "expected target to hold integers"),
    (lambda: F.multilabel_margin_loss(ONE, ONE), ValueError, r"expected input \(N, C\)"),
    (lambda: F.multilabel_soft_margin_loss(ONE, ONE), ValueError,
     r"expected an input with classes along its last axis, got \(\)\. Add an axis"),
    (lambda: F.multilabel_soft_margin_loss(X, X, T), TypeError, "expected weight to be of dtype"),
    (lambda: F.soft_margin_loss(X, tensor([1, 1])), ValueError, "expected shapes that broadcast"),
    (lambda: F.soft_margin_loss(T, X), TypeError, "soft_margin_loss: expected input to be of"),
    (lambda: F.hinge_embedding_loss(X, tensor([1, 1])), ValueError, "hinge_embedding_loss: exp"),
    (lambda: F.hinge_embedding_loss(X, 1), TypeError, "expected target to be a Tensor"),
    (lambda: F.hinge_embedding_loss(T, X), TypeError, "expected input to be of dtype"),
    (lambda: F.hinge_embedding_loss(X, X, margin=None), TypeError, "margin to be a number"),
    (lambda: F.margin_ranking_loss(X, X, ONE), ValueError,
     r"margin_ranking_loss: expected input1, input2 and target of as many axes, got \(2, 3\), "
     r"\(2, 3\), \(\)\. Reshape"),
    (lambda: F.margin_ranking_loss(X, X, X[:, :2]), ValueError, "shapes that broadcast"),
    (lambda: F.margin_ranking_loss(X, LISTS, X), TypeError, "expected input2 to be of dtype"),
    (lambda: F.margin_ranking_loss(LISTS, X, X), TypeError, "expected input1 to be of dtype"),
    (lambda: F.margin_ranking_loss(X, X, 1), TypeError, "expected target to be a Tensor"),
    (lambda: F.margin_ranking_loss(X, X, X, margin="m"), TypeError, "margin to be a number"),
    (lambda: F.pairwise_distance(X, 1.0), TypeError, "expected x2 to be a Tensor, got float"),
    (lambda: F.pairwise_distance(1.0, X), TypeError, "expected x1 to be a Tensor, got float"),
    (lambda: F.pairwise_distance(X, T), ValueError, "pairwise_distance: expected shapes that"),
    (lambda: F.pairwise_distance(T, T), TypeError,
     r"expected a tensor of dtype float32 or float64, got int64 \(2,\) and int64 \(2,\)\. Conv"),
    (lambda: F.pairwise_distance(X, X, p="fro"), TypeError, "expected p to be a number"),
    (lambda: F.pairwise_distance(X, X, eps="e"), TypeError, "expected eps to be a number"),
    (lambda: F.pairwise_distance(X[:, :0], X[:, :0], p=-1), ValueError,
     r"expected at least one number along the last axis for p < 0, got \(2, 0\)\. Nothing"),
    (lambda: F.cosine_similarity(X, X, dim=2), ValueError, "expected dim between -2 and 1"),
    (lambda: F.cosine_similarity(X, X[:, :2]), ValueError, "cosine_similarity: expected shapes"),
    (lambda: F.cosine_similarity(X, X, eps=None), TypeError, "expected eps to be a number"),
    (lambda: F.triplet_margin_loss(X, X, X, margin=0), ValueError,
     r"triplet_margin_loss: expected margin above 0, got 0\.0\. Without one"),
    (lambda: F.triplet_margin_loss(X, X, X[0]), ValueError,
     r"expected anchor, positive and negative of as many axes, got \(2, 3\), \(2, 3\), \(3,\)"),
    (lambda: F.triplet_margin_loss(X, LISTS, X), TypeError, "expected positive to be of dtype"),
    (lambda: F.triplet_margin_with_distance_loss(X, X, X, margin=-1), ValueError,
     "triplet_margin_with_distance_loss: expected margin above 0"),
    (lambda: F.triplet_margin_with_distance_loss(X, X, 1), TypeError, "negative to be a Tensor"),
    (lambda: F.cosine_embedding_loss(X, X, ONE), ValueError,
     r"cosine_embedding_loss: expected inputs \(N, D\) with a target \(N,\), or \(D,\) with \(\), "
     r"got \(2, 3\), \(2, 3\), \(\)\. Give each pair"),
    (lambda: F.cosine_embedding_loss(X, LISTS, T), TypeError, "expected input2 to be of dtype"),
    (lambda: F.cosine_embedding_loss(LISTS, X, T), TypeError, "expected input1 to be of dtype"),
    (lambda: F.cosine_embedding_loss(X, X, 1), TypeError, "expected target to be a Tensor"),
    (lambda: F.cosine_embedding_loss(X, X, T, margin="m"), TypeError, "margin to be a number"),
])
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_every_loss_refuses_an_unknown_reduction_and_warns_of_old_words():
    for name, *given in [
        ("soft_margin_loss", X, X), ("hinge_embedding_loss", X, X),
        ("margin_ranking_loss", X, X, X), ("multi_margin_loss", X, T),
        ("multilabel_margin_loss", X, LISTS), ("multilabel_soft_margin_loss", X, X),
        ("triplet_margin_loss", X, X, X), ("cosine_embedding_loss", X, X, T),
        ("triplet_margin_with_distance_loss", X, X, X),
    ]:
        with pytest.raises(ValueError, match=f"{name}: expected reduction .*'max'"):
            getattr(F, name)(*given, reduction="max")
        if name != "triplet_margin_with_distance_loss":
            with pytest.warns(UserWarning, match=f"{name}: size_average and reduce") as caught:
                getattr(F, name)(*given, reduce=False)
            assert caught[0].filename == __file__


def test_kernels_refuse_arrays_that_do_not_fit():
    x, one, t = np.zeros((2, 3)), np.zeros(1), np.zeros(2, "i8")
    for bad in (t[:1], t.astype("i4")):
        with pytest.raises(ValueError, match="loss: expected 2 labels of dtype int64"):
            cpu.multi_margin_forward(x, bad, None, 1, 1.0, "mean", one)
    with pytest.raises(ValueError, match="loss: expected 2 numbers of dtype float64"):
        cpu.multi_margin_forward(x, t, None, 1, 1.0, "none", one)
    with pytest.raises(ValueError, match="labels that forward has checked"):
        cpu.multi_margin_backward(x, t + 3, None, 1, 1.0, "sum", one, x)
    with pytest.raises(ValueError, match="loss: expected 6 labels of dtype int64"):
        cpu.multilabel_margin_forward(x, t, "mean", one, x)
