"""grid_sample on a GPU, or in the simulator: kernels against the reference."""

import numpy as np
import pytest
from on_device import Hosted
from test_grid_sample import CASES, NO_NUMBERS, arrays, results_of

from tinycnn._core import reference
from tinycnn._core.cuda import grid_sample


def check(x, grid, grad_y, settings):
    grid, grad_y = np.ascontiguousarray(grid), np.ascontiguousarray(grad_y)
    expected = results_of(reference, x, grid, grad_y, settings)
    got = results_of(Hosted(grid_sample), x, grid, grad_y, settings)
    for a, b in zip(got, expected):
        np.testing.assert_allclose(a, b, atol=1e-4 if x.dtype == "f4" else 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "mode", "padding", "align"), CASES)
def test_kernels_agree_with_the_reference(name, mode, padding, align, dtype):
    x, grid, grad_y = arrays(name, 2, dtype, 1)
    check(x, grid[:, :, :2, :3], grad_y[:, :, :2, :3], (mode, padding, align))


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_places_that_are_no_numbers(mode, padding):
    x, grid, grad_y = arrays("picture", 1, np.float32, 1)
    grid = grid[:, :, :1, :6]
    grid[0, 0, 0, :, 1] = NO_NUMBERS[:6]
    check(x, grid, grad_y[:, :, :1, :6], (mode, padding, False))


@pytest.mark.parametrize(("images", "channels"), [(0, 3), (2, 0), (2, 35)])
def test_empty_and_more_channels_than_lanes(images, channels):
    x, grid, grad_y = arrays("one row", channels, np.float32, images)
    check(x, grid[:, :, :, :3], grad_y[:, :, :, :3], ("bilinear", "border", True))
