"""Connectionist temporal classification on a GPU, or in the simulator, against the plain NumPy
kernels."""

import numpy as np
import pytest
from on_device import Hosted

from tinycnn._core import gpu, reference

if gpu.why_none():
    pytest.skip(gpu.why_none(), allow_module_level=True)

from tinycnn._core.cuda import ctc, late_errors
from tinycnn._core.cuda.backend import to_device, to_host

on_device = Hosted(ctc)
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}  # log probabilities of whole paths are near -50


def run(kernels, given, dtype, zero_infinity=True):
    """Losses and gradient."""
    (T, N, C), S = given[0].shape, max(given[4])
    alpha, losses = np.full((N, T, 2 * S + 1), np.nan, dtype), np.full(N, -7, dtype)
    grad, gain = np.full((T, N, C), -7, dtype), np.arange(1, N + 1).astype(dtype)
    assert kernels.ctc_forward(*given, alpha, losses) == -1
    kernels.ctc_backward(*given, alpha, losses, zero_infinity, gain, grad)
    return losses, grad


def case(rng, T, N, C, S, dtype, blank=0):
    x = rng.normal(size=(T, N, C)) * 2
    logp = np.asarray(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)), dtype)
    named = np.array([c for c in range(C) if c != blank])
    lengths = rng.integers(0, S + 1, N)
    inputs = rng.integers(0, T + 1, N)
    inputs[0], lengths[0] = T, min(S, T // 2)
    targets = named[rng.integers(0, C - 1, int(lengths.sum()))]
    return logp, targets, np.cumsum(lengths) - lengths, inputs, lengths, blank


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(1, 1, 2, 1), (5, 3, 3, 2), (12, 2, 4, 6), (9, 1, 40, 3),
                                  (42, 1, 3, 20)])  # the last has more positions than threads
def test_losses_and_gradients(rng, dtype, size):
    for blank in (0, size[2] - 1):
        given = case(rng, *size, dtype, blank)
        for zero in (False, True):
            for a, b in zip(run(on_device, given, dtype, zero), run(reference, given, dtype, zero)):
                np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_impossible_targets_and_no_labels():
    logp = np.log(np.full((3, 4, 3), 1 / 3))
    given = (logp, np.array([1, 1, 1, 2, 1, 2]), np.array([0, 2, 4, 6]), np.array([2, 3, 0, 2]),
             np.array([2, 2, 2, 0]), 0)
    for zero in (False, True):
        (losses, grad), (expected, expected_grad) = (
            run(k, given, "float64", zero) for k in (on_device, reference))
        assert np.isinf(losses).tolist() == [True, False, True, False]
        np.testing.assert_allclose(losses, expected, rtol=1e-12)
        np.testing.assert_allclose(grad, expected_grad, rtol=1e-12, atol=1e-14)


def test_nan_spoils_its_own_image_only(rng):
    logp, *given = case(rng, 4, 2, 3, 2, "float64")
    given[2][:], given[3][:] = 4, [1, 1]
    given[0], given[1] = np.array([1, 2]), np.array([0, 1])
    logp[1, 0] = np.nan
    losses, grad = run(on_device, (logp, *given), "float64")
    assert np.isnan(losses).tolist() == [True, False]
    assert np.isnan(grad).any(axis=(0, 2)).tolist() == [True, False]


@pytest.mark.parametrize("bad", [5, -1, 0])
def test_bad_labels_are_named_when_somebody_waits(monkeypatch, rng, bad):
    monkeypatch.setattr(late_errors, "SIMULATED", False)
    logp = np.asarray(rng.normal(size=(4, 3, 5)), "float32")
    given = (logp, np.array([1, 2, 1, bad, 3]), np.array([0, 2, 4]), np.array([4, 4, 4]),
             np.array([2, 2, 1]))
    given = [to_device(a) for a in given]
    alpha, losses = (to_device(np.zeros(s, "float32")) for s in ((3, 4, 5), 3))
    grad, gain = (to_device(np.ones(s, "float32")) for s in ((4, 3, 5), 3))
    ctc.ctc_forward(*given, 0, alpha, losses)
    ctc.ctc_backward(*given, 0, alpha, losses, False, gain, grad)
    message = (f"ctc_loss: expected labels from 0 to 4 other than blank=0, got label {bad} in the "
               "target of image 1")
    with pytest.raises(ValueError, match=message):
        late_errors.check()
    assert np.isnan(to_host(losses)).tolist() == [False, True, False]
    assert np.isnan(to_host(grad)).all(axis=(0, 2)).tolist() == [False, True, False]
