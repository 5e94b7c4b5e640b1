"""Sums of gradients: one or two arrays, of any layout."""

import numpy as np
import pytest

from tinycnn._core import cpu


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 70_001])
def test_a_sum_of_gradients(size, dtype, own, isa, rng, set_threads):
    set_threads(3)
    a, b = [rng.standard_normal(size).astype(dtype) for _ in range(2)]
    expected = a + b
    y = cpu.add_gradients(a, b, own)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == a.dtype
    assert (y is a) == own


@pytest.mark.parametrize("own", [False, True])
def test_a_sum_of_gradients_that_lie_differently(own, rng):
    a = rng.standard_normal((4, 30, 40, 8)).astype("f4")
    b = rng.standard_normal((4, 8, 30, 40)).astype("f4")
    last = a.transpose(0, 3, 1, 2)
    for first, second in (last, b), (b, last), (b[:, ::2], b[:, ::2]), (last, last):
        expected = first + second
        np.testing.assert_array_equal(cpu.add_gradients(first.copy("K"), second, own), expected)
    wide = cpu.add_gradients(b, b.astype("f8"), own)
    assert wide.dtype == "f8"
