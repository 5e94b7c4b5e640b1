"""Matrix products: every transpose, and sizes around those of tiles, against NumPy.

Small integers make every sum exact, so results must be equal bit by bit.
"""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn._core import cpu, reference
from tinycnn.testing import gradcheck

DTYPES = [np.float32, np.float64]
# Rows: tiles of 6 or 14, blocks of 24 or 56, dot products below 4. Columns: vectors of 2 to 16.
ROWS = (1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 23, 24, 25, 55, 56, 57, 113)
COLUMNS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
DEPTHS = (0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65)


def product(kernels, a, b, bias):
    out = np.full((*a.shape[:-1], b.shape[-1]), 77, a.dtype)
    kernels.matmul(a, b, bias, out)
    return out


def matrix(rng, rows, columns, dtype, transposed):
    """Integers; the transpose of what lies in memory if `transposed`."""
    shape = (columns, rows) if transposed else (rows, columns)
    array = rng.integers(-3, 4, shape).astype(dtype)
    return array.T if transposed else array


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("b_transposed", [False, True])
def test_products_agree_with_the_reference(a_transposed, b_transposed, dtype, isa, rng):
    sizes = [(m, n, 17) for m in ROWS for n in COLUMNS]
    sizes += [(m, n, k) for k in DEPTHS for m in (1, 3, 4, 15, 57) for n in (1, 9, 33)]
    for m, n, k in sizes:
        a = matrix(rng, m, k, dtype, a_transposed)
        b = matrix(rng, k, n, dtype, b_transposed)
        bias = rng.integers(-3, 4, n).astype(dtype) if (m + n) % 2 else None
        np.testing.assert_array_equal(product(cpu, a, b, bias), product(reference, a, b, bias),
                                      err_msg=f"({m}, {k}) @ ({k}, {n})")


@pytest.mark.parametrize("shape", [(5, 256), (60, 512), (3, 1024), (57, 257)])
def test_rows_a_multiple_of_a_kilobyte_apart(shape, isa, rng):
    for dtype in DTYPES:
        a, b = matrix(rng, *shape, dtype, False), matrix(rng, shape[1], 35, dtype, True)
        np.testing.assert_array_equal(product(cpu, a, b, None), a @ b)


VIEWS = {
    "rows skipped": lambda a: np.repeat(a, 3, 0)[::3],
    "columns of a wider matrix": lambda a: np.concatenate([a, a], 1)[:, : a.shape[1]],
    "rows reversed": lambda a: a[::-1].copy()[::-1],
    "one row for all": lambda a: np.broadcast_to(a[:1], a.shape),
    "one column for all": lambda a: np.broadcast_to(a[:, :1].copy(), a.shape),
    "columns reversed": lambda a: a[:, ::-1].copy()[:, ::-1],
    "columns skipped": lambda a: np.repeat(a, 2, 1)[:, ::2],
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("other", VIEWS)
def test_matrices_may_lie_in_any_way(view, other, rng):
    for m, k, n in (1, 5, 1), (1, 1, 7), (3, 9, 4), (20, 18, 35), (7, 1, 40), (60, 16, 1):
        a = VIEWS[view](matrix(rng, m, k, "f4", False))
        b = VIEWS[other](matrix(rng, k, n, "f4", False))
        for x, y in (a, b), (b.T, a.T):
            got = (tinycnn.from_numpy(x) @ tinycnn.from_numpy(y)).numpy()
            np.testing.assert_array_equal(got, x @ y)


def test_a_batch_is_one_product_after_the_other(isa, rng):
    a = rng.integers(-3, 4, (5, 7, 4)).astype(np.float32)
    b = rng.integers(-3, 4, (5, 4, 19)).astype(np.float32)
    np.testing.assert_array_equal(product(cpu, a, b, None), a @ b)
    a, b = a.swapaxes(1, 2).copy().swapaxes(1, 2), b[::-1]
    np.testing.assert_array_equal(product(cpu, a, b, None), a @ b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_that_share_the_members_of_a_batch_change_no_bit(dtype, isa, rng, set_threads):
    """Matrices that are packed and others; members side by side, apart, backwards, transposed."""
    for m, k, n in (6, 40, 50), (1, 300, 9), (70, 20, 33):
        a = rng.standard_normal((m, 41, k)).astype(dtype).swapaxes(0, 1)
        b = rng.standard_normal((41, k, n)).astype(dtype)[::-1]
        bias = rng.standard_normal(n).astype(dtype)
        for x, y in (a, b), (a.copy(), b.swapaxes(1, 2).copy().swapaxes(1, 2)):
            bits = []
            for threads in 1, 2, 5:
                set_threads(threads)
                bits.append(product(cpu, x, y, bias).tobytes())
            alone = [product(cpu, p, q, bias) for p, q in zip(x, y)]
            assert {*bits} == {np.stack(alone).tobytes()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(3, 300, 40), (70, 1000, 50), (1, 999, 1), (200, 3, 200)])
def test_rounding_stays_within_the_bound_of_a_sum(sizes, dtype, isa, rng):
    """A sum of n products, in any order, errs by less than n * eps * the sum of their sizes."""
    m, k, n = sizes
    for b in rng.standard_normal((k, n)).astype(dtype), rng.standard_normal((n, k)).astype(dtype).T:
        a, bias = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal(n).astype(dtype)
        exact = a.astype(np.longdouble) @ b.astype(np.longdouble) + bias
        bound = (k + 1) * np.finfo(dtype).eps * (abs(a) @ abs(b) + abs(bias))
        assert np.all(abs(product(cpu, a, b, bias) - exact) <= bound)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_bits_do_not_depend_on_the_number_of_threads(transposed, dtype, isa, rng, set_threads):
    for m, k, n in (3, 2000, 70), (130, 300, 90), (64, 120, 84), (1000, 20, 3):
        a = rng.standard_normal((m, k)).astype(dtype)
        b = rng.standard_normal((n, k)).astype(dtype).T if transposed else \
            rng.standard_normal((k, n)).astype(dtype)
        bits = []
        for threads in 1, 2, 3, 5:
            set_threads(threads)
            bits.append(product(cpu, a, b, None).tobytes())
        assert len(set(bits)) == 1


def test_nothing_is_read_or_written_outside_the_matrices(isa, rng, guard):
    def lying(array, transposed):
        return guard(array.T).T if transposed else guard(array)

    for m, k, n in (1, 5, 3), (3, 33, 17), (15, 9, 31), (57, 17, 65):
        for turned in range(4):
            a = lying(matrix(rng, m, k, "f4", False), turned & 1)
            b = lying(matrix(rng, k, n, "f4", False), turned & 2)
            bias = guard(matrix(rng, 1, n, "f4", False)[0])
            out = guard(np.zeros((m, n), np.float32))
            cpu.matmul(a, b, bias, out)
            np.testing.assert_array_equal(out, a @ b + bias)


# --- as users call them ------------------------------------------------------------------------


@pytest.mark.parametrize("a", [(4,), (3, 4), (1, 4), (2, 3, 4), (2, 1, 3, 4), (0, 4), (0, 3, 4)])
@pytest.mark.parametrize("b", [(4,), (4, 5), (4, 0), (4, 1), (2, 4, 5), (1, 4, 5), (5, 2, 4, 3)])
def test_matmul_has_numpys_shapes(a, b, rng):
    x, y = rng.integers(-3, 4, a).astype(np.float32), rng.integers(-3, 4, b).astype(np.float32)
    try:
        expected = x @ y
    except ValueError:
        with pytest.raises(ValueError, match="matmul: expected"):
            tinycnn.tensor(x) @ tinycnn.tensor(y)
        return
    got = tinycnn.tensor(x) @ tinycnn.tensor(y)
    assert got.shape == np.shape(expected)
    np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_sum_of_nothing_is_zero_or_the_bias(dtype):
    x, weight = tinycnn.tensor(np.ones((3, 0), dtype)), tinycnn.tensor(np.ones((2, 0), dtype))
    assert (x @ weight.T).numpy().tolist() == [[0, 0]] * 3
    bias = tinycnn.tensor(np.array([1, 2], dtype))
    assert F.linear(x, weight, bias).numpy().tolist() == [[1, 2]] * 3


@pytest.mark.parametrize("shapes", [
    [(3, 4), (4, 2)], [(4,), (4, 2)], [(3, 4), (4,)], [(4,), (4,)], [(2, 3, 4), (4, 2)],
    [(2, 3, 4), (2, 4, 2)], [(2, 1, 3, 4), (5, 4, 2)], [(0, 4), (4, 2)],
])
def test_gradients_of_matmul(shapes, rng):
    inputs = [tinycnn.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]
    assert gradcheck(tinycnn.matmul, inputs)


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 4), (2, 3, 4), (0, 4)])
def test_gradients_of_linear(shape, rng):
    inputs = [tinycnn.tensor(rng.standard_normal(s), requires_grad=True)
              for s in (shape, (5, 4), (5,))]
    assert gradcheck(F.linear, inputs)
    assert gradcheck(F.linear, inputs[:2])


def test_linear_by_hand():
    x, weight = tinycnn.tensor([[1.0, 2.0], [3.0, 4.0]]), tinycnn.tensor([[1.0, 0.5], [0.0, -1.0]])
    y = F.linear(x, weight, tinycnn.tensor([10.0, 20.0]))
    assert y.numpy().tolist() == [[12, 18], [15, 16]]


def test_linear_takes_a_bias_that_lies_in_any_way(rng):
    x, weight = rng.integers(-3, 4, (5, 4)).astype("f4"), rng.integers(-3, 4, (3, 4)).astype("f4")
    for bias in np.arange(6, dtype="f4")[::2], np.arange(3, dtype="f4")[::-1], \
            np.broadcast_to(np.float32(7), 3):
        got = F.linear(*map(tinycnn.from_numpy, (x, weight, bias))).numpy()
        np.testing.assert_array_equal(got, x @ weight.T + bias)


def test_nan_and_infinity_pass_through():
    a = np.array([[np.nan, 1], [np.inf, 1], [1, 1], [0, 1]], np.float32)
    for rows in 1, 4:  # by dot products, and by tiles
        got = tinycnn.from_numpy(a[:rows]) @ tinycnn.from_numpy(np.ones((3, 2), "f4")).T
        np.testing.assert_array_equal(got.numpy()[:, 0], [np.nan, np.inf, 2, 1][:rows])


def test_memory_that_is_not_to_be_had_is_an_error():
    """Sizes of which nothing exists but the shape; both errors come before anything is read."""
    size = 2**23
    b = np.broadcast_to(np.zeros((size, 1), np.float32), (size, size))
    with pytest.raises(MemoryError, match=r"kernels: \d+ bytes of scratch are not to be had\."):
        cpu.matmul(np.zeros((4, size), np.float32), b, None, np.empty((4, size), np.float32))
    some, strided = np.zeros(1024, np.float32), np.lib.stride_tricks.as_strided
    a, b = strided(some, (5, 2**45), (1024, 4)), strided(some, (2**45, 64), (256, 4))
    with pytest.raises(MemoryError, match=r"are not to be had\. Use smaller"):
        cpu.matmul(a, b, None, np.empty((5, 64), np.float32))
