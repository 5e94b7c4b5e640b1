"""Batch norm on a GPU, or in the simulator: kernels against the reference."""

import numpy as np
import pytest
from on_device import Hosted
from test_batchnorm import _away_from_zero, _case, _gradients

from tinycnn._core import reference
from tinycnn._core.cuda import batchnorm, channel_rows

cuda = Hosted(batchnorm)
# one row, one column, threads of a block that have nothing to do, several blocks along both axes,
# 16 bytes at a time or not, fewer rows than threads
SIZES = [(1, 1), (2, 1), (7, 6), (300, 1), (40, 3), (9, 16), (50, 8), (5, 37), (3, 64), (0, 3),
         (4, 0)]
LARGE = [(300, 1), (50, 8)]


def tolerance(dtype, M):
    """Sums of M random numbers grow with sqrt(M), and so do their errors."""
    return (3e-6 if dtype == np.float32 else 1e-14) * max(M, 10) ** 0.5


def check(results, dtype, M):
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, atol=tolerance(dtype, M), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("M", "C"), SIZES)
def test_kernels_agree_with_the_reference(M, C, dtype):
    x, grad_y, mean, invstd, weight, bias = _case(M, C, dtype)
    results = []
    given = [(weight, bias), (None, None), (weight, None), (None, bias)]
    for kernels in reference, cuda:
        got = [np.full(C, 77, dtype) for _ in range(3)]
        kernels.batch_norm_statistics(x, got[0], got[1])
        kernels.batch_norm_invstd(got[1], 1e-5, got[2])
        got.append(weight.copy())
        kernels.batch_norm_move(got[3], mean, 1.25, 0.3)
        for w, b in given[: 1 if (M, C) in LARGE else 4]:
            got.append(np.full((M, C), 77, dtype))
            kernels.batch_norm_apply(x, mean, invstd, w, b, None, False, got[-1])
            for training in (True, False):
                got += _gradients(kernels, x, grad_y, None, mean, invstd, w, b, False, training)
        got.append(np.full((M, C), 77, dtype))  # frozen: nobody wants the sums
        kernels.batch_norm_backward(x, grad_y, None, mean, invstd, w, b, False, False, got[-1],
                                    None, None, None)
        got += [np.full(C, 77, dtype), np.full(C, 77, dtype)]  # the input is a leaf
        kernels.batch_norm_backward(x, grad_y, None, mean, invstd, w, b, False, True, None,
                                    got[-2], got[-1], None)
        results.append(got)
    check(results, dtype, M)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("M", "C"), SIZES)
def test_rectified_kernels_agree_with_the_reference(M, C, dtype):
    x, grad_y, mean, invstd, weight, bias = _case(M, C, dtype)
    residual = grad_y[::-1].copy()
    w, b = (None, None) if C == 8 else (abs(weight) + dtype(0.5), bias)  # y grows with x
    y, z = np.empty_like(x), np.empty_like(x)
    reference.batch_norm_apply(x, mean, invstd, w, b, None, False, y)
    _away_from_zero(y, x)
    reference.batch_norm_apply(x, mean, invstd, w, b, residual, False, y)
    _away_from_zero(y, residual)
    results = []
    for kernels in reference, cuda:
        kernels.batch_norm_apply(x, mean, invstd, w, b, None, True, y)
        kernels.batch_norm_apply(x, mean, invstd, w, b, residual, True, z)
        got = [y.copy(), z.copy()]
        for training in (True, False):
            got += _gradients(kernels, x, grad_y, None, mean, invstd, w, b, True, training)
            got += _gradients(kernels, x, grad_y, z, mean, invstd, w, b, True, training)
        got += _gradients(kernels, x, grad_y, z, mean, invstd, w, b, False, True)
        for grad_x in (np.full_like(x, 77), None):  # frozen
            got.append(np.full_like(x, 77))
            kernels.batch_norm_backward(x, grad_y, z, mean, invstd, w, b, True, False, grad_x, None,
                                        None, got[-1])
            got += [] if grad_x is None else [grad_x]
        results.append(got)
    check(results, dtype, M)


def test_the_mask_of_backward_is_the_one_of_forward(rng):
    """Bit for bit, also where y is one rounding away from 0: the gradient is 0 exactly where y is.
    """
    M, C = 60, 8
    x = rng.integers(-3, 4, (M, C)).astype(np.float32) * np.float32(0.1)
    mean, invstd, weight = (rng.uniform(0.5, 2, C).astype(np.float32) for _ in range(3))
    level = rng.integers(-3, 4, C).astype(np.float32) * np.float32(0.1)
    bias = -(level - mean) * (invstd * weight)  # y is about 0 where x is `level`
    y = np.empty_like(x)
    cuda.batch_norm_apply(x, mean, invstd, weight, bias, None, True, y)
    grads = _gradients(cuda, x, np.ones_like(x), None, mean, invstd, weight, bias, True, False)
    np.testing.assert_array_equal(grads[0] != 0, y > 0)
    assert 0.2 < (y > 0).mean() < 0.8


# --- numbers that hurt -----------------------------------------------------------------------


def statistics(x):
    mean, var = np.empty((2, x.shape[1]), x.dtype)
    cuda.batch_norm_statistics(x, mean, var)
    return mean, var


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("M", "C"), [(600, 1), (200, 8), (20, 3)])
def test_mean_of_10000_deviations_costs_no_digits(M, C, dtype, rng):
    """The variance is as accurate as float32 inputs near 10,000 allow: they are 1/1024 apart."""
    x = (rng.standard_normal((M, C)) + 1e4).astype(dtype)
    mean, var = statistics(x)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(var, exact.var(axis=0), rtol=2e-6 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-7)


def test_the_mean_is_subtracted_before_anything_is_multiplied(rng):
    x = (rng.standard_normal((9, 4)) + 1e4).astype(np.float32)
    mean, ones = np.full(4, 1e4, np.float32), np.ones(4, np.float32)
    results = [np.empty_like(x) for _ in range(2)]
    for kernels, y in zip((reference, cuda), results):
        kernels.batch_norm_apply(x, mean, 0.7 * ones, 1.3 * ones, ones, None, False, y)
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-6)


def test_first_rows_unlike_the_rest_cost_no_digits(rng):
    x = rng.standard_normal((500, 2)).astype(np.float32) * 1e-3 + 10
    x[:3] = 0
    np.testing.assert_allclose(statistics(x)[1], x.astype(np.float64).var(axis=0), rtol=2e-6)


@pytest.mark.parametrize("M", [1, 5, 700])
def test_constant_channel_has_variance_zero(M):
    mean, var = statistics(np.full((M, 1), 0.1, np.float32))
    assert (mean[0], var[0]) == (np.float32(0.1), 0)


@pytest.mark.parametrize("row", [0, 7, 79])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_channel(value, row, rng):
    x = rng.standard_normal((80, 4)).astype(np.float32)
    x[row, 2] = value
    expected = np.empty((2, 4), np.float32)
    reference.batch_norm_statistics(x, *expected)
    np.testing.assert_allclose(statistics(x), expected, rtol=1e-5, atol=1e-6)
    ones = np.ones(4, np.float32)
    y, by_reference = np.empty_like(x), np.empty_like(x)
    cuda.batch_norm_apply(x, ones, ones, ones, None, None, True, y)
    reference.batch_norm_apply(x, ones, ones, ones, None, None, True, by_reference)
    np.testing.assert_allclose(y, by_reference, rtol=1e-6)


# --- memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 3, -2])
def test_running_statistics_may_lie_anywhere(step, rng):
    batch = rng.standard_normal(5).astype(np.float32)
    memory = [rng.standard_normal(25).astype(np.float32)] * 2
    results = []
    for kernels, table in zip((reference, cuda), (memory[0].copy(), memory[0].copy())):
        running, invstd = table[10 : 10 + 5 * step : step], np.empty(5, np.float32)
        kernels.batch_norm_move(running, batch, 1.5, 0.1)
        kernels.batch_norm_invstd(abs(running), 1e-3, invstd)
        kernels.batch_norm_invstd(running**2, 1e-3, invstd)
        results.append([table, invstd])
    check(results, np.float32, 1)


@pytest.mark.parametrize(("threads", "lanes"), [(32, 8), (256, 32)])
def test_columns_of_threads_fill_a_block(threads, lanes, monkeypatch):
    """Whatever the channels, at most half of the threads have nothing to do where rows are many."""
    monkeypatch.setattr(channel_rows, "THREADS", threads)
    monkeypatch.setattr(channel_rows, "MOST_LANES", lanes)
    for C in range(1, 300):
        plan = channel_rows.shares(10_000, C, 4, (), 1)
        blocks, chunks = plan.grid[0], C // plan.vector
        assert (blocks - 1) * plan.lanes < chunks <= blocks * plan.lanes
        assert threads // plan.lanes * chunks > 0.5 * blocks * threads
        assert plan.rows * (plan.grid[1] - 1) < 10_000 <= plan.rows * plan.grid[1]
