"""Unpooling gives PyTorch's numbers and gradients."""

import numpy as np
import pytest

import tinycnn
from tinycnn.nn import functional as ops

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
F = torch.nn.functional


def both(values, dtype):
    return (tinycnn.tensor(values.astype(dtype), requires_grad=True),
            torch.tensor(values.astype(dtype), requires_grad=True))


def compare(mine, theirs, inputs, seed, tolerance=0.0):
    """Results, and gradients of a random direction, of pairs of inputs."""
    y, expected = mine(*[a for a, _ in inputs]), theirs(*[b for _, b in inputs])
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=tolerance,
                               atol=tolerance)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    for a, b in inputs:
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=tolerance, atol=tolerance)


UNPOOL = [  # dims, input shape, kernel, stride, padding
    (1, (2, 3, 8), 2, None, 0), (1, (3, 9), 3, 3, 1), (2, (2, 3, 8, 6), 2, None, 0),
    (2, (3, 9, 7), (3, 2), (3, 2), (1, 0)), (2, (1, 17, 5, 5), 2, 2, 0),
    (2, (12, 4, 6, 6), 3, 4, 1),
    (3, (2, 3, 4, 6, 4), 2, None, 0), (3, (3, 4, 5, 4), (1, 2, 2), None, 0),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(("dims", "shape", "kernel", "stride", "padding"), UNPOOL)
def test_max_unpool(dims, shape, kernel, stride, padding, given, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    y, where = getattr(F, f"max_pool{dims}d")(torch.tensor(x), kernel, stride, padding,
                                              return_indices=True)
    name, size = f"max_unpool{dims}d", shape[-dims:]
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    if given:
        options["output_size"] = list(size)
    else:  # room for every index
        try:
            getattr(F, name)(y, where, **options)
        except RuntimeError:
            with pytest.raises(ValueError, match="expected indices from 0"):
                getattr(ops, name)(tinycnn.tensor(y.numpy()), tinycnn.tensor(where.numpy()),
                                   **options)
            return
    indices = tinycnn.tensor(where.numpy())
    compare(lambda a: getattr(ops, name)(a, indices, **options),
            lambda a: getattr(F, name)(a, where, **options), [both(y.numpy(), dtype)], 1)


def test_output_sizes_that_are_refused():
    x, where = np.ones((1, 2, 3, 4), "f4"), np.zeros((1, 2, 3, 4), "i8")
    outcomes = []
    for size in [(h, w) for h in range(1, 12) for w in (6, 9, 12)] + [(9,), (1, 2, 6, 8)]:
        try:
            F.max_unpool2d(torch.tensor(x), torch.tensor(where), 3, 2, 1, output_size=size)
        except (ValueError, RuntimeError):
            with pytest.raises(ValueError, match="max_unpool2d: expected"):
                ops.max_unpool2d(tinycnn.tensor(x), tinycnn.tensor(where), 3, 2, 1,
                                 output_size=size)
            outcomes.append("refused")
        else:
            ops.max_unpool2d(tinycnn.tensor(x), tinycnn.tensor(where), 3, 2, 1, output_size=size)
            outcomes.append("equal")
    assert outcomes.count("equal") == 3 + 1
    assert outcomes.count("refused") == 31


def test_equal_indices_have_pytorch_s_gradient():
    """Which value stays is not said there; all get the gradient of the pixel."""
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    where = np.random.default_rng(1).integers(0, 9, x.shape)
    compare(lambda a: ops.max_unpool2d(a, tinycnn.tensor(where), 1, 1),
            lambda a: F.max_unpool2d(a, torch.tensor(where), 1, 1), [both(x, "float64")], 1)
