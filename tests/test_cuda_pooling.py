"""Pooling on a GPU, or in the simulator: kernels against the reference."""

import numpy as np
import pytest
from on_device import Hosted
from test_pooling import WINDOWS, _arrays, _fixed

from tinycnn._core import reference
from tinycnn._core.cuda import global_average, pool_walk, pooling
from tinycnn._core.shapes import adaptive_pool_axis, pool_axis

ONE = pool_axis(1, 1, 1, 0)
CASES = {  # name: ((D, H, W), axes of it, channels)
    "2x2": (*WINDOWS["2x2"], (1, 4)),
    "2x2x2": ((3, 3, 3), _fixed(2, 2, 0), (2, 3)),
    "side by side, in a row": ((1, 1, 11), _fixed(4, 4, 0), (1, 8)),
    "side by side, longer than x": ((1, 4, 2), _fixed(3, 3, 0, 1, True), (1,)),
    "3x3 overlapping, padded, ceil": ((1, 6, 6), _fixed(3, 2, 1, 1, True, False), (3, 4)),
    "cube, dilated": ((3, 4, 3), _fixed(3, 1, 1, 2), (1, 2)),
    "dilated": ((1, 6, 6), _fixed(3, 1, 1, 2), (1, 4)),
    "dilated, strided": ((1, 5, 9), _fixed(3, 2, 1, 3), (1, 4)),
    "gaps between windows": ((1, 7, 8), _fixed(2, 3, 0), (4,)),
    "one pixel of many": ((1, 5, 5), _fixed(1, 3, 0), (3,)),
    "adaptive": ((2, 5, 7), lambda size: tuple([adaptive_pool_axis(n, 3) for n in size]), (1, 4)),
    "adaptive, to more pixels": (
        (1, 2, 3), lambda size: tuple([adaptive_pool_axis(n, 4) for n in size]), (2,)),
    "to nothing": ((1, 3, 3), lambda size: (ONE, adaptive_pool_axis(3, 0), ONE), (2,)),
    "global": ((2, 3, 5), lambda size: tuple([adaptive_pool_axis(n, 1) for n in size]), (3, 12)),
    "global, more than 255 places": (*WINDOWS["global, more than 255 places"], (1,)),
}


@pytest.fixture(autouse=True)
def _cases(monkeypatch):
    for name, case in CASES.items():
        monkeypatch.setitem(WINDOWS, name, case[:2])


def results_of(kernels, x, y, position, grad_y, axes):
    """What every kernel gives, in arrays that were full of 77."""
    got = [np.full_like(a, 77) for a in (y, position, y, x, y, x, y, x)]
    got.append(np.full(y.shape, 77, np.int64))
    kernels.max_pool_forward(x, got[0], got[1], axes)
    kernels.max_pool_forward(x, got[2], None, axes)
    kernels.max_pool_indices(got[1], got[8], axes, x.shape[1:4])
    kernels.max_pool_backward(grad_y, got[1], got[3], axes)
    finite = np.nan_to_num(x, neginf=1)
    for i, divisor in ((4, None), (6, -3)):
        if all(axis.step == 1 for axis in axes):  # averages have no dilation
            kernels.avg_pool_forward(finite, got[i], axes, divisor)
            kernels.avg_pool_backward(grad_y, got[i + 1], axes, divisor)
    return got


def check(x, y, position, grad_y, axes):
    device = results_of(Hosted(pooling), x, y, position, grad_y, axes)
    for i, (expected, got) in enumerate(zip(
            results_of(reference, x, y, position, grad_y, axes), device)):
        if i < 3 or i == 8:  # values and places are copied, never computed
            np.testing.assert_array_equal(got, expected)
        else:  # sums of at most 272 numbers, in another order
            np.testing.assert_allclose(got, expected, atol=1e-5 if x.dtype == "f4" else 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "channels"), [(n, c) for n, case in CASES.items()
                                                for c in case[2]])
def test_kernels_agree_with_the_reference(name, channels, dtype):
    x, y, position, axes, generator = _arrays(name, channels, dtype, 1 + (name == "2x2"))
    x[generator.random(x.shape) < 0.05] = np.nan
    x[generator.random(x.shape) < 0.3] = -np.inf
    check(x, y, position, generator.standard_normal(y.shape).astype(dtype), axes)


def test_windows_on_all_pixels_are_found():
    """With padding on top, which an average counts or not; a part of the pixels does not do."""
    for axis in adaptive_pool_axis(5, 1), pool_axis(5, 5, 1, 0), pool_axis(3, 4, 4, 1):
        assert global_average.is_global((ONE, axis, axis))
    for axis in adaptive_pool_axis(5, 2), pool_axis(5, 4, 2, 0), pool_axis(3, 2, 4, 1):
        assert not global_average.is_global((ONE, ONE, axis))
    x = np.arange(18, dtype=np.float32).reshape(1, 1, 3, 3, 2)
    for include in False, True:
        axis = pool_axis(3, 4, 4, 1, count_include_pad=include)
        results = [np.empty((1, 1, 1, 1, 2), np.float32) for _ in range(2)]
        for kernels, y in zip((reference, Hosted(pooling)), results):
            kernels.avg_pool_forward(x, y, (ONE, axis, axis), None)
        np.testing.assert_allclose(*results, rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 1, 4, 4, 3), (2, 1, 4, 4, 0)])
def test_empty_batch_and_no_channels(shape):
    axes = (ONE, pool_axis(4, 2, 2, 0), pool_axis(4, 2, 2, 0))
    y = np.zeros((shape[0], 1, 2, 2, shape[4]), np.float32)
    check(np.zeros(shape, np.float32), y, y.astype(np.uint8), y, axes)


def test_int32_positions_are_those_of_small_windows_too():
    x, y, position, axes, generator = _arrays("gaps between windows", 4, np.float32)
    check(x, y, position.astype(np.int32), generator.standard_normal(y.shape).astype("f4"), axes)


def test_images_are_taken_a_few_at_a_time_where_they_are_too_many_to_count(monkeypatch):
    monkeypatch.setattr(pool_walk, "MOST_THREADS", 50)
    x, y, position, axes, generator = _arrays("gaps between windows", 1, np.float32, images=5)
    check(x, y, position, generator.standard_normal(y.shape).astype("f4"), axes)


def test_arrays_that_start_off_a_multiple_of_16_bytes():
    """Four channels, which are then read one by one."""
    x, y, _, axes, _ = _arrays("3x3 overlapping, padded, ceil", 4, np.float32, 1)
    memory = pooling.pool_walk.upload(np.zeros(x.size + 1, np.float32))
    there = memory[1:].reshape(x.shape)
    there[...] = pool_walk.upload(x)
    result = pool_walk.upload(y)
    pooling.avg_pool_forward(there, result, axes, None)
    expected = np.empty_like(y)
    reference.avg_pool_forward(x, expected, axes, None)
    np.testing.assert_allclose(result.get(), expected, atol=1e-6)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_tables_are_those_of_the_definition(step):
    """Also where numbers pass 2^31: windows of 2^22 places on one pixel, adaptive ones on many."""
    axes = [pool_axis(n, k, s, p, step, ceil, include) for n in (1, 5, 9) for k in (1, 2, 4)
            for s in (1, 3) for p in (0, k // 2) for ceil in (False, True)
            for include in (False, True) if n + 2 * p > step * (k - 1)]
    axes += [adaptive_pool_axis(n, out) for n in (1, 5, 12) for out in (0, 1, 4, 7)]
    axes += [pool_axis(1, 2**22, 1, 2**21), adaptive_pool_axis(70_000, 50_000)]
    for axis in axes:
        windows = pool_walk.windows_of(axis)
        assert windows[:, :3].tolist() == [list(window) for window in axis.windows()]
        first, end = pool_walk.holders_of(axis)[:, :2].T
        for i in range(0, axis.size, 1 + axis.size // 50):
            holds = (windows[:, 0] <= i) & (i < windows[:, 1])
            holds &= (i - windows[:, 0]) % axis.step == 0
            held = np.flatnonzero(holds)
            assert held.size == 0 or first[i] <= held[0] <= held[-1] < end[i]
            assert axis.step > 1 or held.size == max(end[i] - first[i], 0)
