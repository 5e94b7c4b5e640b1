"""Resizing on a GPU, or in the simulator: kernels against the reference."""

import numpy as np
import pytest
from on_device import Hosted
from test_resize import CASES, ONE, arrays

from tinycnn._core import reference
from tinycnn._core.cuda import pool_walk, resize
from tinycnn._core.shapes import ResizeAxis


def check(axes, x, y):
    for run, source, like in (("resize_forward", x, y), ("resize_backward", y, x)):
        expected, got = np.empty_like(like), np.full_like(like, 77)
        getattr(reference, run)(source, expected, axes)
        getattr(Hosted(resize), run)(source, got, axes)
        np.testing.assert_allclose(got, expected, atol=1e-5 if x.dtype == "f4" else 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", CASES)
def test_kernels_agree_with_the_reference(name, channels, dtype):
    check(CASES[name], *arrays(CASES[name], channels, dtype, 1))


@pytest.mark.parametrize(("images", "channels"), [(0, 3), (2, 0), (3, 3)])
def test_empty_and_several_images(images, channels):
    axes = (ONE, ResizeAxis(2, 3, "linear"), ResizeAxis(3, 2))
    check(axes, *arrays(axes, channels, np.float32, images))


def test_images_are_taken_a_few_at_a_time_where_they_are_too_many_to_count(monkeypatch):
    monkeypatch.setattr(pool_walk, "MOST_THREADS", 20)
    axes = (ONE, ResizeAxis(2, 3, "linear"), ResizeAxis(3, 2))
    check(axes, *arrays(axes, 2, np.float32, 4))


def test_arrays_that_start_off_a_multiple_of_16_bytes():
    """Four channels, which are then read one by one."""
    axes = (ONE, ResizeAxis(2, 3, "linear"), ResizeAxis(3, 2))
    x, y = arrays(axes, 4, np.float32, 1)
    memory = pool_walk.upload(np.zeros(x.size + 1, np.float32))
    there = memory[1:].reshape(x.shape)
    there[...] = pool_walk.upload(x)
    result = pool_walk.upload(y)
    resize.resize_forward(there, result, axes)
    expected = np.empty_like(y)
    reference.resize_forward(x, expected, axes)
    np.testing.assert_allclose(result.get(), expected, atol=1e-6)
