"""grid_sample and affine_grid give PyTorch's numbers and gradients, over a wide table."""

from itertools import product

import numpy as np
import pytest

import tinycnn
from tinycnn.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

CASES = [(dims, *case) for dims in (2, 3) for case in product(
    ("bilinear", "nearest", "bicubic")[: 5 - dims], ("zeros", "border", "reflection"),
    (False, True))]


def compare(x, grid, *settings, atol):
    """Results and gradients here and there."""
    ours = [tinycnn.tensor(a, requires_grad=True) for a in (x, grid)]
    theirs = [torch.tensor(np.ascontiguousarray(a), requires_grad=True) for a in (x, grid)]
    y, expected = F.grid_sample(*ours, *settings), torch.nn.functional.grid_sample(
        *theirs, *settings)
    grad = np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    np.testing.assert_allclose(y.data, expected.detach().numpy(), atol=atol, rtol=0)
    np.testing.assert_allclose(ours[0].grad.data, theirs[0].grad.numpy(), atol=atol, rtol=0)
    # sums over channels, times half the size of the picture
    np.testing.assert_allclose(ours[1].grad.data, theirs[1].grad.numpy(), atol=30 * atol, rtol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("dims", "mode", "padding", "align"), CASES)
def test_sizes(dims, mode, padding, align, dtype):
    rng = np.random.default_rng(dims)
    for seed in range(24):
        size, out = rng.integers(1, 9, dims), rng.integers(1, 6, dims)
        images, channels = seed % 3, (1, 3, 16, 17)[seed % 4]
        x = rng.standard_normal((images, channels, *size)).astype(dtype)
        grid = (rng.standard_normal((images, *out, dims)) * (0.5, 1.5, 4)[seed // 3 % 3])
        if seed % 4 == 0 and mode != "nearest":  # right on pixels and on the border
            grid = np.round(4 * grid) / 4
        place = (grid + 1) / 2 * (size[::-1] - 1) if align else ((grid + 1) * size[::-1] - 1) / 2
        if mode == "nearest" and (abs(place - np.floor(place) - 0.5) < 1e-4).any():
            continue  # nearest by rounding
        if seed % 5 == 0:
            x = np.ascontiguousarray(x.swapaxes(1, -1)).swapaxes(1, -1)
            grid = np.ascontiguousarray(grid.swapaxes(1, -1)).swapaxes(1, -1)
        compare(x, grid.astype(dtype), mode, padding, align,
                atol=1e-5 if dtype == "float32" else 2e-14)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("padding", ["border", "reflection"])
def test_places_that_are_no_numbers(padding, mode):
    """As PyTorch's kernel for pictures has it; its others differ from that one and each other."""
    values = [np.nan, np.inf, -np.inf, 1e30, -1e30]
    grid = np.array([[[[place, 0.1] for place in values]]], "float32")
    x = np.arange(12, dtype="float32").reshape(1, 1, 3, 4)
    expected = torch.nn.functional.grid_sample(torch.tensor(x), torch.tensor(grid), mode, padding,
                                               False)
    got = F.grid_sample(tinycnn.tensor(x), tinycnn.tensor(grid), mode, padding, False)
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (1, 1, 7, 2), (3, 1, 2, 3, 4), (1, 2, 5, 6, 2)])
def test_affine_grid(size, align, dtype):
    dims = len(size) - 2
    values = np.random.default_rng(0).standard_normal((size[0], dims, dims + 1)).astype(dtype)
    ours, theirs = tinycnn.tensor(values, requires_grad=True), torch.tensor(values,
                                                                            requires_grad=True)
    y = F.affine_grid(ours, size, align)
    expected = torch.nn.functional.affine_grid(theirs, size, align_corners=align)
    grad = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    atol = 3e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(y.data, expected.detach().numpy(), atol=atol)
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), atol=10 * atol)


@pytest.mark.parametrize(("x", "grid", "mode"), [
    ((2, 3, 4, 4), (1, 2, 2, 2), "bilinear"), ((2, 3, 4, 4), (2, 2, 2, 3), "bilinear"),
    ((2, 3, 4), (2, 2, 2), "bilinear"), ((2, 3, 4, 0), (2, 2, 2, 2), "bilinear"),
    ((2, 3, 4, 4, 4), (2, 1, 1, 1, 3), "bicubic"), ((2, 3, 4, 4), (2, 2, 2, 2), "trilinear"),
])
def test_what_pytorch_refuses_is_refused(x, grid, mode):
    with pytest.raises((ValueError, RuntimeError)):
        torch.nn.functional.grid_sample(torch.ones(x), torch.ones(grid), mode, align_corners=False)
    with pytest.raises(ValueError, match=r"^grid_sample: expected"):
        F.grid_sample(tinycnn.ones(*x), tinycnn.ones(*grid), mode, align_corners=False)
