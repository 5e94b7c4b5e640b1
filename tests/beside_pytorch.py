"""The same call of a loss in tinycnn and in PyTorch."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

TOLERANCE = {"float32": 2e-5, "float64": 1e-11}  # sums are rounded in another order


def both(name, arrays, grads, /, **settings):
    """[(result, gradients of the first `grads` arrays)] here and there, under random weights."""
    sides = []
    for make, module in (tinycnn.tensor, F), (torch.tensor, torch.nn.functional):
        tensors = [make(a, requires_grad=i < grads) for i, a in enumerate(arrays)]
        made = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
        y = getattr(module, name)(*tensors, **made)
        weights = np.random.default_rng(1).normal(size=tuple(y.shape))
        y.backward(make(np.asarray(weights, str(y.dtype).rpartition(".")[2])))
        sides.append((np.asarray(y.detach().numpy()), [
            np.zeros_like(a) if t.grad is None else np.asarray(t.grad.numpy())
            for a, t in zip(arrays[:grads], tensors)]))
    return sides


def compare(name, arrays, grads, /, **settings):
    """Results and gradients are the same."""
    (y, ours), (expected, theirs) = both(name, arrays, grads, **settings)
    assert y.shape == expected.shape
    assert y.dtype == expected.dtype
    close(y, expected)
    for a, b in zip(ours, theirs):
        close(a, b)


def close(a, b):
    tolerance = TOLERANCE[b.dtype.name]
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
