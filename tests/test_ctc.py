"""Connectionist temporal classification: against the sum over all paths, edges, kernels, decoding,
every message."""

import itertools
import math

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn._core import cpu
from tinycnn.testing import assert_same_on_devices, gradcheck, reference_kernels

INF = math.inf


def tensor(values, dtype="float64", grad=False):
    return tinycnn.tensor(np.asarray(values, dtype), requires_grad=grad)


def labels(values):
    return tensor(values, "int64")


def reading(path, blank=0):
    """What a path reads as: repeats merged, blanks dropped."""
    return [c for c, _ in itertools.groupby(path) if c != blank]


def by_all_paths(logp, target, blank=0):
    """-log of the summed probability of all paths, T classes each, that read as the target."""
    T, C = logp.shape
    total = sum(math.exp(sum(logp[t, c] for t, c in enumerate(path)))
                for path in itertools.product(range(C), repeat=T)
                if reading(path, blank) == list(target))
    return -math.log(total) if total else INF


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


TARGETS = [(), (1,), (2,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 2), (2, 2, 2), (1, 2, 1, 2)]


@pytest.mark.parametrize("T", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("blank", [0, 2])
def test_the_loss_is_the_sum_over_all_paths(rng, T, blank):
    """All targets at once, padded: with repeated labels, of no labels, too long for T steps."""
    logp = log_softmax(rng.normal(size=(T, len(TARGETS), 3)))
    named = [[c if blank == 0 else c - 1 for c in target] for target in TARGETS]
    expected = [by_all_paths(logp[:, n], target, blank) for n, target in enumerate(named)]
    assert (INF in expected) == (T < 5)
    padded = labels([[*target, *[-7] * (4 - len(target))] for target in named])
    lengths = [len(target) for target in named]
    for kernels in "cpu", "reference":
        losses = _each(kernels, tensor(logp), padded, [T] * len(named), lengths, blank)
        np.testing.assert_allclose(losses, expected, rtol=1e-12)
    joined = labels([c for target in named for c in target])
    np.testing.assert_array_equal(
        _each("cpu", tensor(logp), joined, [T] * len(named), lengths, blank),
        _each("cpu", tensor(logp), padded, [T] * len(named), lengths, blank))


def _each(kernels, *arguments):
    if kernels == "reference":
        with reference_kernels():
            return _each("cpu", *arguments)
    return F.ctc_loss(*arguments, reduction="none").numpy()


def test_by_hand():
    """Two steps, even odds: "1" is read in 11, 1-, -1; nothing in --; "11" in no path."""
    logp = tinycnn.full((2, 1, 2), 0.5).log()
    one = labels([[1, 1]])
    assert F.ctc_loss(logp, one, (2,), (1,)).item() == pytest.approx(-math.log(0.75))
    assert F.ctc_loss(logp, one, (2,), (0,)).item() == pytest.approx(-math.log(0.25))
    assert F.ctc_loss(logp, one, (1,), (1,)).item() == pytest.approx(-math.log(0.5))
    assert F.ctc_loss(logp, one, (2,), (2,)).item() == INF
    assert F.ctc_loss(logp, one, (0,), (0,)).item() == 0
    assert F.ctc_loss(logp, one, (0,), (1,)).item() == INF


def test_the_gradient_by_hand():
    """In step 0 of "1": 2/3 of its paths are at 1, 1/3 at blank."""
    x = tensor(np.zeros((2, 1, 2)), grad=True)
    F.ctc_loss(F.log_softmax(x, -1), labels([[1]]), (2,), (1,)).backward()
    np.testing.assert_allclose(x.grad.numpy()[0, 0], [0.5 - 1 / 3, 0.5 - 2 / 3], rtol=1e-12)


def test_reductions(rng):
    logp = F.log_softmax(tensor(rng.normal(size=(6, 3, 4))), -1)
    given = logp, labels([[1, 2], [3, 0], [0, 0]]), (6, 5, 4), (2, 1, 0)
    each = F.ctc_loss(*given, reduction="none").numpy()
    assert F.ctc_loss(*given, reduction="sum").item() == pytest.approx(each.sum())
    assert F.ctc_loss(*given).item() == pytest.approx((each / [2, 1, 1]).mean())
    one = F.ctc_loss(logp[:, 0], labels([1, 2]), 6, 2)
    assert one.item() == pytest.approx(each[0] / 2)
    assert F.ctc_loss(logp[:, 0], labels([1, 2]), 6, 2, reduction="none").shape == ()


def test_targets_without_a_path(rng):
    given = labels([[1, 1], [1, 2]]), (2, 2), (2, 2)
    for kernels in "cpu", "reference":
        for zero in (False, True):
            x = tensor(rng.normal(size=(3, 2, 3)), grad=True)
            with reference_kernels() if kernels == "reference" else tinycnn.enable_grad():
                each = F.ctc_loss(F.log_softmax(x, -1), *given, reduction="none",
                                  zero_infinity=zero)
                each.backward(tensor([1, 1]))
            assert each[0].item() == (0 if zero else INF)
            assert np.isfinite(each[1].item())
            grad = x.grad.numpy()
            assert np.isnan(grad[:2, 0]).all() == (not zero)
            assert np.isfinite(grad[:, 1]).all()
            assert not grad[2].any()  # beyond the input lengths
            if zero:
                assert not grad[:, 0].any()


def test_nan_spoils_its_own_image_only(rng):
    x = rng.normal(size=(4, 2, 3))
    x[1, 0, 1] = np.nan
    logp = tensor(x, grad=True)
    each = F.ctc_loss(logp, labels([[1, 2], [1, 2]]), (4, 4), (2, 2), reduction="none")
    each.backward(tensor([1, 1]))
    assert np.isnan(each.tolist()).tolist() == [True, False]
    assert np.isnan(logp.grad.numpy()).any(axis=(0, 2)).tolist() == [True, False]


def test_certain_and_very_improbable_paths():
    for dtype in ("float32", "float64"):
        x = np.full((60, 1, 3), -1e4)
        x[:30, 0, 1] = x[30:, 0, 2] = 0
        logp = tensor(x, dtype, grad=True)
        assert F.ctc_loss(logp, labels([[1, 2]]), (60,), (2,)).item() == 0
        loss = F.ctc_loss(logp, labels([[2, 1]]), (60,), (2,), reduction="sum")
        loss.backward()  # the best of paths: 2 in one step, 1 up to the last, then blank
        assert loss.item() == pytest.approx(30e4, rel=0.05)
        assert np.isfinite(logp.grad.numpy()).all()


@pytest.mark.parametrize(("T", "N", "C", "S"), [(1, 1, 2, 1), (4, 3, 3, 2), (7, 2, 5, 9)])
def test_the_gradient_through_log_softmax(rng, T, N, C, S):
    x, targets = tensor(rng.normal(size=(T, N, C)), grad=True), labels(rng.integers(1, C, (N, S)))
    inputs, lengths = rng.integers(0, T + 1, N), rng.integers(0, min(S, T // 2) + 1, N)
    for reduction in ("mean", "sum", "none"):
        def loss(x, reduction=reduction):
            return F.ctc_loss(F.log_softmax(x, -1), targets, inputs.tolist(), lengths.tolist(),
                              reduction=reduction, zero_infinity=True)
        assert gradcheck(loss, x, per_element=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("T", "N", "C", "S"), [(1, 1, 2, 0), (9, 3, 4, 3), (40, 5, 17, 8),
                                                (30, 2, 100, 20), (5, 2, 3, 9)])
def test_compiled_and_plain_kernels_agree(isa, rng, dtype, T, N, C, S):
    x = tensor(rng.normal(size=(T, N, C)), dtype, True)
    targets = labels(rng.integers(1, C, (N, S)))
    inputs, lengths = rng.integers(0, T + 1, N).tolist(), rng.integers(0, S + 1, N).tolist()
    inputs[0] = T

    def loss(x):
        return F.ctc_loss(F.log_softmax(x, -1), targets, inputs, lengths, reduction="none",
                          zero_infinity=True)

    assert_same_on_devices(loss, x, rtol=2e-4 if dtype == "float32" else 1e-11)


def test_kernels_read_and_write_only_their_arrays(isa, rng, guard):
    for T, N, C, S in (1, 1, 2, 0), (3, 2, 5, 1), (9, 2, 16, 4), (20, 1, 19, 8):
        logp = guard(log_softmax(rng.normal(size=(T, N, C))))
        targets = rng.integers(1, C, N * S), np.arange(N) * S
        lengths = np.full(N, T), np.full(N, S)
        alpha, losses = guard(np.empty((N, T, 2 * S + 1))), guard(np.empty(N))
        grad, one = guard(np.full((T, N, C), np.nan)), guard(np.ones(N))
        assert cpu.ctc_forward(logp, *targets, *lengths, 0, alpha, losses) == -1
        cpu.ctc_backward(logp, *targets, *lengths, 0, alpha, losses, True, one, grad)
        assert np.isfinite(grad).all()
        np.testing.assert_allclose(grad.sum(axis=2), 0, atol=1e-9)  # two distributions


def test_any_number_of_threads_gives_the_same_bits(rng, set_threads):
    scores = rng.normal(size=(50, 9, 12)).astype("float32")
    targets, lengths = labels(rng.integers(1, 12, (9, 10))), rng.integers(0, 11, 9).tolist()
    results = set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        x = tinycnn.tensor(scores, requires_grad=True)
        loss = F.ctc_loss(x, targets, [50] * 9, lengths)
        loss.backward()
        results.add(loss.data.tobytes() + x.grad.data.tobytes())
    assert len(results) == 1


def test_log_probs_of_any_layout_and_backward_twice(rng):
    x = rng.normal(size=(3, 6, 4))  # (N, T, C), as networks give it
    targets, lengths = labels([[1, 2], [3, 3], [1, 1]]), ((6, 6, 5), (2, 2, 1))
    a, b = tensor(x, grad=True), tensor(x.transpose(1, 0, 2).copy(), grad=True)
    loss = F.ctc_loss(a.permute(1, 0, 2), targets, *lengths)
    loss.backward(retain_graph=True)
    loss.backward()
    F.ctc_loss(b, targets, *lengths).backward()
    np.testing.assert_array_equal(a.grad.numpy(), 2 * b.grad.numpy().transpose(1, 0, 2))


def test_lengths_of_any_kind(rng):
    logp = tensor(rng.normal(size=(6, 2, 4)))
    targets = labels([[1, 2], [3, 0]])
    expected = F.ctc_loss(logp, targets, (6, 5), (2, 1)).item()
    for kind in (list, np.array, labels, lambda x: tensor(x, "uint8")):
        assert F.ctc_loss(logp, targets.to("int32"), kind([6, 5]), kind([2, 1])).item() == expected


# Decoding ----------------------------------------------------------------------------------------


def test_greedy_decoding(rng):
    paths = np.array([[0, 1, 1, 0, 1, 2], [2, 2, 2, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
    scores = tensor(np.eye(3)[paths].transpose(1, 0, 2), "float32", grad=True)
    assert F.ctc_greedy_decode(scores) == [[1, 1, 2], [2], []]
    assert F.ctc_greedy_decode(scores, (2, 3, 0)) == [[1], [2], []]
    assert F.ctc_greedy_decode(scores, labels([6, 4, 1]), blank=2) == [
        [0, 1, 0, 1], [0], [0]]
    assert F.ctc_greedy_decode(scores[:, 0]) == [1, 1, 2]
    assert F.ctc_greedy_decode(scores[:, 0], 3) == [1]
    assert F.ctc_greedy_decode(scores[:0]) == [[], [], []]
    paths = rng.integers(0, 5, (20, 9))
    scores = np.eye(5)[paths]
    assert F.ctc_greedy_decode(tensor(scores), blank=3) == [
        reading(paths[:, n], 3) for n in range(9)]


def test_training_makes_the_greedy_decoder_read_the_target():
    x = tensor(np.random.default_rng(0).normal(size=(8, 2, 4)) * 0.1, grad=True)
    targets = labels([[1, 1, 2], [3, 2, 0]])
    for _ in range(60):
        F.ctc_loss(F.log_softmax(x, -1), targets, (8, 7), (3, 2), reduction="sum").backward()
        x = tensor(x.detach().numpy() - 2 * x.grad.numpy(), grad=True)
    assert F.ctc_greedy_decode(x, (8, 7)) == [[1, 1, 2], [3, 2]]


# Messages ----------------------------------------------------------------------------------------

X, Y = tensor(np.zeros((5, 2, 4))), labels([[1, 2], [3, 3]])
GIVEN = (5, 4), (2, 1)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: F.ctc_loss(X, labels([[1, 2], [4, 3]]), *GIVEN), ValueError,
     r"ctc_loss: expected labels from 0 to 3 other than blank=0, got label 4 in the target of "
     r"image 1\. Give the last layer more outputs, or correct the targets"),
    (lambda: F.ctc_loss(X, labels([[1, 0], [4, 3]]), *GIVEN), ValueError, "got label 0 in"),
    (lambda: F.ctc_loss(X, labels([1, 2, -1]), *GIVEN), ValueError, "got label -1 in .* image 1"),
    (lambda: F.ctc_loss(X, Y, *GIVEN, blank=3), ValueError, "other than blank=3, got label 3"),
    (lambda: F.ctc_loss(X, Y, *GIVEN, blank=4), ValueError, "expected blank from 0 to 3, got 4"),
    (lambda: F.ctc_loss(X, Y, *GIVEN, blank=-1), ValueError, "expected blank from 0 to 3, got -1"),
    (lambda: F.ctc_loss(X, Y, *GIVEN, blank=0.5), TypeError, "expected blank to be an int, g"),
    (lambda: F.ctc_loss(X, Y, (5, 6), (2, 1)), ValueError,
     r"expected input_lengths from 0 to 5, got 6\. The input has that many steps"),
    (lambda: F.ctc_loss(X, Y, (5, -1), (2, 1)), ValueError, "input_lengths from 0 to 5, got -1"),
    (lambda: F.ctc_loss(X, Y, (5, 5), (2, 3)), ValueError,
     r"expected target_lengths from 0 to 2, got 3\. The targets hold no more labels"),
    (lambda: F.ctc_loss(X, Y, (5, 5), (2, -1)), ValueError, "target_lengths from 0 to 2, got -1"),
    (lambda: F.ctc_loss(X, Y, (5,), (2, 1)), ValueError,
     r"expected input_lengths of 2 images, got 1\. Give each image one length"),
    (lambda: F.ctc_loss(X, Y, (5, 5), (2, 1, 1)), ValueError, "target_lengths of 2 images, got 3"),
    (lambda: F.ctc_loss(X, Y, (5, 5.5), (2, 1)), TypeError, "input_lengths to be an int, got 5.5"),
    (lambda: F.ctc_loss(X, Y, tensor([5, 5]), (2, 1)), TypeError,
     "expected input_lengths to hold integers"),
    (lambda: F.ctc_loss(X, labels([1, 2]), *GIVEN), ValueError,
     r"expected targets \(2, S\), or as long as all target_lengths, \(3,\), got \(2,\)\. Pad them"),
    (lambda: F.ctc_loss(X, Y[:1], *GIVEN), ValueError, r"\(3,\), got \(1, 2\)"),
    (lambda: F.ctc_loss(X, labels(1), *GIVEN), ValueError, "target_lengths from 0 to 0"),
    (lambda: F.ctc_loss(X, tensor([[1, 2]] * 2), *GIVEN), TypeError, "targets to hold integers"),
    (lambda: F.ctc_loss(X, [[1, 2]], *GIVEN), TypeError, "expected targets to be a Tensor"),
    (lambda: F.ctc_loss(Y, Y, *GIVEN), TypeError, "expected log_probs to be of dtype float32"),
    (lambda: F.ctc_loss(X[0, 0], Y, *GIVEN), ValueError,
     r"expected log_probs \(T, N, C\) or \(T, C\), no size 0, got \(4,\)\. Put the steps first"),
    (lambda: F.ctc_loss(X[:0], Y, (0, 0), (0, 0)), ValueError, r"no size 0, got \(0, 2, 4\)"),
    (lambda: F.ctc_loss(X[:, :0], Y, (), ()), ValueError, r"no size 0, got \(5, 0, 4\)"),
    (lambda: F.ctc_loss(X[..., :0], Y, *GIVEN), ValueError, r"no size 0, got \(5, 2, 0\)"),
    (lambda: F.ctc_loss(X, Y, *GIVEN, reduction="batchmean"), ValueError, "ctc_loss: expected red"),
    (lambda: F.ctc_greedy_decode(X, (1, 6)), ValueError,
     "ctc_greedy_decode: expected input_lengths from 0 to 5, got 6"),
    (lambda: F.ctc_greedy_decode(X, blank=4), ValueError, "expected blank from 0 to 3, got 4"),
    (lambda: F.ctc_greedy_decode(X[..., :0]), ValueError, r"or \(T, C\), got \(5, 2, 0\)"),
    (lambda: F.ctc_greedy_decode(Y), TypeError, "log_probs to be of dtype float32 or float64"),
])
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_kernels_refuse_arrays_that_do_not_fit():
    x, alpha, losses = np.zeros((5, 2, 4)), np.zeros((2, 5, 5)), np.zeros(2)
    y, two, five = np.array([1, 2, 3]), np.array([2, 1]), np.array([5, 4])
    start = np.array([0, 2])
    fine = x, y, start, five, two, 0, alpha, losses
    assert cpu.ctc_forward(*fine) == -1
    for place, bad, message in [
        (1, y[:2], "expected 3 numbers of dtype int64"), (2, start + 1, "expected 4 numbers"),
        (3, five + 1, "lengths that arrays hold, got those of image 0"),
        (4, two + 1, "lengths that arrays hold, got those of image 0"),
        (4, two.astype("int32"), "expected 2 numbers of dtype int64"),
        (6, alpha[:1], "expected 50 numbers of dtype float64"),
        (7, losses[:1], "expected 2 numbers of dtype float64"),
    ]:
        arguments = list(fine)
        arguments[place] = bad
        with pytest.raises(ValueError, match=message):
            cpu.ctc_forward(*arguments)
