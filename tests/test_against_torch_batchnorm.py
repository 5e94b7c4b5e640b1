"""Batch norm gives PyTorch's numbers, running statistics and gradients, over a table of shapes."""

import numpy as np
import pytest

import tinycnn
from tinycnn.ops.normalization import batch_norm

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

SHAPES = [
    (2, 1), (64, 10), (3, 130), (2, 3, 1), (8, 6, 9), (1, 70, 4), (64, 6, 28, 28), (2, 64, 8, 8),
    (1, 1, 1, 2), (3, 17, 5, 1), (5, 512, 2, 2), (2, 5, 3, 4, 5), (1, 96, 2, 2, 2), (0, 4, 3, 3),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm(shape, training, dtype, rng):
    C = shape[1]
    x = rng.standard_normal(shape).astype(dtype) * 2 + 1
    weight, bias, mean, grad = (rng.standard_normal(s).astype(dtype) for s in (C, C, C, shape))
    var = rng.uniform(0.5, 2, C).astype(dtype)
    results = []
    for function, make in (
        (torch.nn.functional.batch_norm, torch.tensor), (batch_norm, tinycnn.tensor)
    ):
        leaves = [make(a.copy(), requires_grad=True) for a in (x, weight, bias)]
        statistics = [make(a.copy()) for a in (mean, var)]
        y = function(leaves[0], *statistics, *leaves[1:], training, 0.2, 1e-3)
        y.backward(make(grad))
        grads = [leaf.grad.numpy() for leaf in leaves]
        results.append([y.detach().numpy(), *[s.numpy() for s in statistics], *grads])
    # PyTorch sums in the number type too: the error of a sum grows with its length
    atol, rtol = (2e-6, 1e-4) if dtype == np.float32 else (1e-14, 1e-10)
    for expected, got in zip(*results):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, atol=atol * max(x.size / C, 10) ** 0.5, rtol=rtol)


@pytest.mark.parametrize("given", ["neither", "weight", "bias"])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_without_weight_or_bias(given, training, rng):
    x, (mean, vector) = rng.standard_normal((4, 7, 5)), rng.standard_normal((2, 7))
    options = {} if given == "neither" else {given: vector}
    results = []
    for function, make in (
        (torch.nn.functional.batch_norm, torch.tensor), (batch_norm, tinycnn.tensor)
    ):
        leaf = make(x, requires_grad=True)
        statistics = (None, None) if training else (make(mean), make(mean**2 + 1))
        y = function(
            leaf, *statistics, training=training, **{k: make(v) for k, v in options.items()}
        )
        (y * y * y).sum().backward()
        results.append((y.detach().numpy(), leaf.grad.numpy()))
    for expected, got in zip(*results):
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_batch_norm_of_channels_last_memory(rng):
    x = rng.standard_normal((4, 9, 9, 33)).astype(np.float32).transpose(0, 3, 1, 2)
    y = batch_norm(tinycnn.tensor(x), None, None, training=True).numpy()
    expected = torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True).numpy()
    np.testing.assert_allclose(y, expected, atol=1e-5)
