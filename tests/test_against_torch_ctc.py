"""ctc_loss gives PyTorch's numbers and gradients, through log_softmax and directly."""

import itertools

import numpy as np
import pytest
from beside_pytorch import TOLERANCE, compare, torch

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.testing import reference_kernels

SIZES = [(1, 1, 2, 1), (5, 3, 4, 2), (12, 4, 6, 5), (40, 5, 9, 17), (3, 2, 3, 3), (50, 2, 37, 20)]


def through_softmax(package, make, scores, *others, **settings):
    x = make(scores, requires_grad=True)
    logp = package.log_softmax(x, -1)
    y = package.ctc_loss(logp, *others, **settings)
    y.backward(make(np.asarray(np.random.default_rng(1).normal(size=tuple(y.shape)),
                               scores.dtype)))
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_losses_and_gradients(rng, size, dtype, kernels):
    T, N, C, S = size
    for case, (blank, reduction, zero) in enumerate(itertools.product(
            (0, C - 1), ("mean", "sum", "none"), (False, True))):
        scores = np.asarray(rng.normal(size=(T, N, C)) * 2, dtype)
        targets = rng.choice([c for c in range(C) if c != blank], size=(N, S))
        inputs, lengths = rng.integers(0, T + 1, N), rng.integers(0, S + 1, N)
        if case % 3:
            inputs[:] = T
        if case % 3 == 2:
            lengths[:] = min(S, T // 2)
        given = {"blank": blank, "reduction": reduction, "zero_infinity": zero}
        joined = np.concatenate([row[:n] for row, n in zip(targets, lengths)])
        for labels, (a, b) in ((targets, (inputs, lengths)),
                               (joined, (tuple(inputs.tolist()), tuple(lengths.tolist())))):
            (y, grad), (expected, expected_grad) = (
                through_softmax(package, make, scores, make(labels), *[
                    x if isinstance(x, tuple) else make(x) for x in (a, b)], **given)
                if package is not F or kernels == "cpu" else _on_reference(
                    scores, labels, a, b, given)
                for package, make in ((F, tinycnn.tensor), (torch.nn.functional, torch.tensor)))
            scale = 5 * TOLERANCE[dtype]  # log probabilities of whole paths are near -100
            np.testing.assert_allclose(y, expected, rtol=scale, atol=scale)
            np.testing.assert_allclose(grad, expected_grad, rtol=scale, atol=scale)


def _on_reference(scores, labels, a, b, given):
    with reference_kernels():
        return through_softmax(F, tinycnn.tensor, scores, tinycnn.tensor(labels), *[
            x if isinstance(x, tuple) else tinycnn.tensor(x) for x in (a, b)], **given)


def test_the_gradient_at_what_is_no_log_softmax(rng):
    """It is exp(log_probs) more than the derivative, there as here."""
    x, targets = rng.normal(size=(6, 2, 4)), np.array([[1, 2], [3, 3]])
    for reduction in ("mean", "sum", "none"):
        compare("ctc_loss", [x, targets, np.array([6, 5]), np.array([2, 2])], 1,
                reduction=reduction)


def test_one_image_without_an_axis(rng):
    x = rng.normal(size=(6, 4))
    for reduction in ("mean", "sum", "none"):
        for targets in (np.array([1, 2]), np.array([[1, 2]])):
            compare("ctc_loss", [x, targets, np.array(6), np.array(2)], 1, reduction=reduction)
        compare("ctc_loss", [x, np.array([1, 2]), np.array([5]), np.array([2])], 1,
                reduction=reduction)


def test_no_labels_at_all(rng):
    x, none = rng.normal(size=(3, 2, 4)), np.zeros(2, int)
    for targets in (np.zeros((2, 0), int), np.zeros(0, int), np.zeros((2, 3), int)):
        compare("ctc_loss", [x, targets, np.array([3, 2]), none], 1)


def test_integers_of_any_size(rng):
    x = rng.normal(size=(4, 2, 4)).astype("float32")
    compare("ctc_loss", [x, np.array([[1, 2], [3, 3]], "int32"), np.array([4, 3], "int32"),
                         np.array([2, 2], "int32")], 1)


def test_impossible_classes_have_no_nan_in_their_gradient(rng):
    """Where PyTorch has: at log_probs of -inf in a target that has other paths."""
    x = np.log(rng.random((5, 1, 4)))
    x[2, 0, 1] = x[3, 0, 3] = -np.inf
    sides = []
    for make, package in (tinycnn.tensor, F), (torch.tensor, torch.nn.functional):
        logp = make(x, requires_grad=True)
        package.ctc_loss(logp, make([[1, 2]]), (5,), (2,)).backward()
        sides.append(logp.grad.numpy())
    ours, theirs = sides
    assert np.argwhere(np.isnan(theirs)).tolist() == [[2, 0, 1], [3, 0, 3]]
    np.testing.assert_allclose(ours, np.nan_to_num(theirs), rtol=1e-10, atol=1e-12)
