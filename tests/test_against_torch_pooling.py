"""Pooling gives PyTorch's numbers, indices and gradients, over a wide table of shapes."""

import itertools

import numpy as np
import pytest

import tinycnn
from tinycnn.nn import functional as ops

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
F = torch.nn.functional


def compare(name, shape, seed, arguments, tolerance=0.0):
    """The same call here and there: outputs, indices, gradients of a random direction. Returns
    "equal"; or "refused" where both, or "stricter" where one of them, found the window unfit."""
    generator = np.random.default_rng(seed)
    values = generator.integers(-9, 10, shape).astype(np.float32)  # many equal values: ties count
    ours = tinycnn.tensor(values, requires_grad=True)
    theirs = torch.tensor(values, requires_grad=True)
    try:
        expected = getattr(F, name)(theirs, **arguments)
    except RuntimeError as error:
        if "smaller than kernel size" in str(error):  # avg_pool3d ignores the padding here
            return "stricter"
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            getattr(ops, name)(ours, **arguments)
        return "refused"
    dims = int(name[-2])
    out = (expected[0] if type(expected) is tuple else expected).shape[-dims:]
    if type(arguments.get("kernel_size")) is int and _window_in_padding(
        shape[-dims:], out, **arguments
    ):  # PyTorch gives -inf and an index outside the input
        with pytest.raises(ValueError, match="wholly in the padding"):
            getattr(ops, name)(ours, **arguments)
        return "stricter"
    y = getattr(ops, name)(ours, **arguments)
    if arguments.get("return_indices"):
        np.testing.assert_array_equal(y[1].numpy(), expected[1].numpy())
        y, expected = y[0], expected[0]
    grad = generator.integers(-9, 10, expected.shape).astype(np.float32)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    np.testing.assert_allclose(y.data, expected.detach().numpy(), atol=tolerance, rtol=0)
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), atol=10 * tolerance, rtol=0)
    return "equal"


def _window_in_padding(size, out, kernel_size, stride, padding=0, dilation=1, **_others):
    """True if a window along one of the axes meets no pixel of the input."""
    return any(
        not any(0 <= i * (stride or kernel_size) - padding + j * dilation < n
                for j in range(kernel_size))
        for n, o in zip(size, out) for i in range(o)
    )


def size_of(dims, seed):
    return tuple(np.random.default_rng(seed).integers(1, 10, dims).tolist())


def shape_of(dims, seed):
    channels = (1, 2, 3, 6, 8, 16, 17, 33, 64, 67)[seed % 10]
    batch = ((), (1,), (3,), (0,))[seed % 4]
    return (*batch, channels, *size_of(dims, seed))


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_pool(dims, ceil_mode):
    outcomes = []
    table = itertools.product((1, 2, 3, 5), (None, 1, 2, 3), (0, 1, 2), (1, 2))
    for seed, (kernel, stride, padding, dilation) in enumerate(table):
        outcomes.append(compare(
            f"max_pool{dims}d", shape_of(dims, seed), seed,
            {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation,
             "ceil_mode": ceil_mode, "return_indices": True},
        ))
    assert outcomes.count("equal") > 20
    assert outcomes.count("refused") > 5


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_avg_pool(dims, count_include_pad, ceil_mode):
    outcomes = []
    table = itertools.product((1, 2, 3, 4, 5), (None, 1, 2, 3), (0, 1, 2), (None, 7))
    for seed, (kernel, stride, padding, divisor) in enumerate(table):
        arguments = {"kernel_size": kernel, "stride": stride, "padding": padding,
                     "ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
        if dims > 1:
            arguments["divisor_override"] = divisor
        outcomes.append(
            compare(f"avg_pool{dims}d", shape_of(dims, seed), seed, arguments, tolerance=4e-6)
        )
    assert outcomes.count("equal") > 20
    assert outcomes.count("refused") > 5


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_adaptive_pool(dims):
    for seed in range(40):
        shape = shape_of(dims, seed)
        out = tuple(np.random.default_rng(seed + 100).integers(1, 9, dims).tolist())
        out = out if seed % 3 else out[0]
        assert compare(
            f"adaptive_max_pool{dims}d", shape, seed, {"output_size": out, "return_indices": True}
        ) == "equal"
        assert compare(
            f"adaptive_avg_pool{dims}d", shape, seed, {"output_size": out}, tolerance=4e-6
        ) == "equal"


@pytest.mark.parametrize("arguments", [
    {"kernel_size": (3, 2), "stride": (1, 3), "padding": (1, 0), "dilation": (2, 1)},
    {"kernel_size": (1, 4), "stride": (2, 1), "padding": (0, 2), "ceil_mode": True},
    {"kernel_size": (2,), "stride": (3,)},
])
def test_windows_that_differ_by_axis(arguments):
    for shape in ((2, 5, 9, 8), (70, 7, 11)):
        assert compare("max_pool2d", shape, 1, {**arguments, "return_indices": True}) == "equal"
        arguments = {k: v for k, v in arguments.items() if k != "dilation"}
        assert compare("avg_pool2d", shape, 1, arguments, tolerance=4e-6) == "equal"


def test_nan_as_in_pytorch():
    values = np.random.default_rng(0).standard_normal((2, 20, 9, 9)).astype(np.float32)
    values[np.random.default_rng(1).random(values.shape) < 0.2] = np.nan
    y, where = ops.max_pool2d(tinycnn.tensor(values), 3, 2, 1, return_indices=True)
    expected, indices = F.max_pool2d(torch.tensor(values), 3, 2, 1, return_indices=True)
    np.testing.assert_array_equal(y.numpy(), expected.numpy())
    np.testing.assert_array_equal(where.numpy(), indices.numpy())
