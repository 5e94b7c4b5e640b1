"""Matrix products on a GPU, or in the simulator, against the reference. Small integers make every
sum exact: results must be equal bit by bit."""

import numpy as np
import pytest
from on_device import Hosted
from test_gemm import matrix, product

from tinycnn._core import reference
from tinycnn._core.cuda import gemm, plain_gemm
from tinycnn._core.cuda.backend import to_device, to_host
from tinycnn._core.cuda.mode import SIMULATED

cuda = Hosted(gemm)
# (rows, columns, steps of the sum) around a tile of 16 x 16 x 8, and sums that 2 or 3 blocks share.
SIZES = [(1, 1, 1), (16, 16, 8), (17, 15, 9), (3, 33, 7), (2, 3, 0), (5, 4, 31), (4, 5, 32),
         (3, 2, 70), (1, 20, 3), (33, 1, 17)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("b_transposed", [False, True])
def test_products_agree_with_the_reference(a_transposed, b_transposed, dtype, rng):
    for m, n, k in SIZES:
        a, b = matrix(rng, m, k, dtype, a_transposed), matrix(rng, k, n, dtype, b_transposed)
        bias = rng.integers(-3, 4, n).astype(dtype) if (m + n) % 2 else None
        np.testing.assert_array_equal(product(cuda, a, b, bias), product(reference, a, b, bias),
                                      err_msg=f"({m}, {k}) @ ({k}, {n})")


@pytest.mark.parametrize("k", [5, 40])
def test_a_batch_is_one_product_after_the_other(k, rng):
    a = rng.integers(-3, 4, (3, 5, k)).astype(np.float32)
    b = rng.integers(-3, 4, (3, k, 6)).astype(np.float32)
    bias = rng.integers(-3, 4, 6).astype(np.float32)
    np.testing.assert_array_equal(product(cuda, a, b, bias), a @ b + bias)
    turned = np.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2)
    np.testing.assert_array_equal(product(cuda, turned, b, None), a @ b)


VIEWS = {
    "rows skipped": lambda a: a[::2],
    "columns of a wider matrix": lambda a: a[:, :5],
    "rows reversed": lambda a: a[::-1],
    "one row for all": lambda a: np.broadcast_to(a[:1], a.shape),
    "transposed, columns skipped": lambda a: a.T[:, ::2],
}


@pytest.mark.parametrize("view", VIEWS)
def test_matrices_may_lie_in_any_way_that_has_a_unit_step(view, rng):
    a = rng.integers(-3, 4, (9, 8)).astype(np.float32)
    there, here = to_device(a), VIEWS[view](a)
    there = to_device(np.ascontiguousarray(here)) if "all" in view else VIEWS[view](there)
    for x, y, expected in (there, there.T, here @ here.T), (there.T, there, here.T @ here):
        out = to_device(np.full(expected.shape, 77, np.float32))
        gemm.matmul(x, y, None, out)
        np.testing.assert_array_equal(to_host(out), expected)


def test_what_is_written_may_lie_in_any_way(rng):
    """Columns of a wider matrix, and memory that does not start at a multiple of 16 bytes."""
    a, b = matrix(rng, 4, 3, np.float32, False), matrix(rng, 3, 4, np.float32, False)
    for wide in to_device(np.zeros((4, 6), np.float32))[:, :4], to_device(
            np.zeros(17, np.float32))[1:].reshape(4, 4):
        gemm.matmul(to_device(a), to_device(b), None, wide)
        np.testing.assert_array_equal(to_host(wide), a @ b)


@pytest.mark.parametrize("shape", [(0, 4, 3), (3, 4, 0), (0, 0, 0)])
def test_nothing_comes_of_nothing(shape):
    m, k, n = shape
    assert product(cuda, np.ones((m, k), "f4"), np.ones((k, n), "f4"), None).shape == (m, n)


def test_nan_and_infinity_pass_through():
    a = np.array([[np.nan, 1], [np.inf, 1], [1, 1], [0, 1]], np.float32)
    got = product(cuda, a, np.ones((2, 3), np.float32), None)
    np.testing.assert_array_equal(got[:, 0], [np.nan, np.inf, 2, 1])


@pytest.mark.parametrize("sizes", [(3, 70, 4), (17, 9, 5)])
def test_rounding_stays_within_the_bound_of_a_sum(sizes, rng):
    """A sum of n products, in any order, errs by less than n * eps * the sum of their sizes."""
    m, k, n = sizes
    a, b, bias = [rng.standard_normal(s).astype(np.float32) for s in ((m, k), (k, n), n)]
    exact = a.astype(np.float64) @ b.astype(np.float64) + bias
    bound = (k + 1) * np.finfo(np.float32).eps * (abs(a) @ abs(b) + abs(bias))
    assert np.all(abs(product(cuda, a, b, bias) - exact) <= bound)


@pytest.mark.skipif(not SIMULATED, reason="all other tests are of these tiles")
@pytest.mark.parametrize(("tile", "enough"), [("small", 4), ("square", 0)])
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiles_of_a_gpu(tile, enough, a_transposed, dtype, monkeypatch, rng):
    """In the simulator tiles are small otherwise, as a thread is slow."""
    monkeypatch.setattr(plain_gemm, "SIMULATED", False)
    monkeypatch.setattr(plain_gemm, "ENOUGH_BLOCKS", enough)
    plain_gemm._plan.cache_clear()
    rows = 20 if tile == "small" else 36
    a, b = matrix(rng, rows, 17, dtype, a_transposed), matrix(rng, 17, rows + 1, dtype,
                                                              not a_transposed)
    got = product(cuda, a, b, None)
    plain_gemm._plan.cache_clear()
    np.testing.assert_array_equal(got, a @ b)
