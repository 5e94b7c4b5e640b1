"""Convolutions that read or write few channels: vectors along pixels (planar.hh), and
gradients of the input that are scattered (scatter.hh). Data are small integers: every sum is exact,
so results must be the reference's, bit by bit."""

import itertools

import numpy as np
import pytest

from tinycnn._core import cpu, reference
from tinycnn._core.cpu import runtime
from tinycnn._core.shapes import three_axes

DTYPES = [np.float32, np.float64]
SAME = ((2, 2), (2, 2))

# size, kernel, C, OC, stride, padding, images
CASES = {
    "LeNet 1": ((28, 28), (5, 5), 1, 6, (1, 1), SAME, 3),
    "LeNet 1, one image": ((28, 28), (5, 5), 1, 6, (1, 1), SAME, 1),
    "LeNet 2": ((14, 14), (5, 5), 6, 16, (1, 1), ((0, 0), (0, 0)), 3),
    "narrow map": ((31, 7), (5, 5), 2, 6, (1, 1), SAME, 2),
    "few rows": ((5, 35), (5, 5), 2, 6, (1, 1), ((0, 0), (0, 0)), 2),
    "stride 2": ((9, 41), (3, 7), 3, 2, (1, 2), ((1, 0), (2, 3)), 2),
    "stride 2 along both": ((27, 26), (7, 7), 3, 16, (2, 2), ((3, 3), (3, 3)), 2),
    "stride 4": ((35, 37), (11, 11), 3, 33, (4, 4), ((2, 2), (2, 2)), 1),
    "cropped": ((12, 23), (3, 5), 2, 3, (1, 1), ((-1, 2), (3, -4)), 2),
    "cropped, many written": ((12, 23), (3, 5), 2, 17, (1, 1), ((-1, 2), (3, -4)), 2),
    "not reached by a window": ((13, 14), (3, 4), 3, 8, (5, 3), ((0, 0), (0, 0)), 2),
    "padding beyond the window": ((4, 9), (2, 5), 1, 8, (1, 1), ((4, 5), (6, 7)), 2),
    "many read, few written": ((9, 10), (3, 5), 65, 3, (1, 1), ((1, 1), (2, 2)), 2),
    "sums beyond the cache": ((5, 9), (5, 5), 150, 3, (1, 1), SAME, 1),
    "1-D": ((70,), (9,), 2, 3, (1,), ((4, 4),), 2),
    "1-D, many written": ((70,), (9,), 2, 20, (2,), ((4, 3),), 2),
    "3-D": ((4, 5, 18), (3, 3, 5), 1, 3, (1, 1, 1), ((1, 1), (1, 1), (2, 2)), 2),
    "3-D, planes of padding": ((2, 4, 11), (2, 3, 5), 2, 8, (1, 1, 1), ((3, 4), (1, 1), (0, 0)), 2),
    "3-D, strided": ((5, 7, 19), (3, 2, 5), 2, 9, (2, 2, 3), ((1, 1), (0, 1), (2, 0)), 2),
    "a row of all lengths": ((3, 70), (3, 5), 3, 5, (1, 1), ((1, 1), (2, 2)), 2),
    "many rows": ((75, 20), (3, 3), 1, 4, (1, 1), ((1, 1), (1, 1)), 1),
    "8 written, strided": ((9, 70), (3, 5), 8, 8, (2, 2), ((1, 1), (2, 2)), 1),
    "rows 1 KB apart": ((6, 64), (3, 5), 4, 9, (1, 1), ((0, 0), (0, 0)), 2),
    "pixels 1 KB apart": ((6, 9), (3, 5), 2, 256, (1, 1), ((0, 0), (0, 0)), 1),
}


def arrays(case, dtype, rng, integers=True):
    """window; x, weight, bias, grad_y, bias of a transposed convolution."""
    size, kernel, C, OC, stride, padding, images = case
    window = three_axes(kernel, stride, padding, (1,) * len(kernel))
    size = (1,) * (3 - len(size)) + size
    shapes = [(images, *size, C), (OC, C, *window.kernel), (OC,),
              (images, *window.output_size(size), OC), (C,)]
    draw = (lambda s: rng.integers(-3, 4, s)) if integers else rng.standard_normal
    x, weight, *rest = [draw(shape).astype(dtype) for shape in shapes]
    return window, x, weight.transpose(0, 2, 3, 4, 1), *rest


def run(kernels, window, x, weight, bias, grad_y, input_bias):
    """All passes, into memory that holds something else before."""
    results = [np.full_like(a, 77) for a in (grad_y, grad_y, x, x, weight)]
    y, y_relu, grad_x, transposed, grad_weight = results
    kernels.conv_forward(x, weight, None, y, window, 1)
    kernels.conv_forward(x, weight, bias, y_relu, window, 1, True)
    kernels.conv_backward_input(grad_y, weight, None, grad_x, window, 1)
    kernels.conv_backward_input(grad_y, weight, input_bias, transposed, window, 1)
    kernels.conv_backward_weight(x, grad_y, grad_weight, window, 1)
    return results


def assert_agree(case, dtype, rng):
    given = arrays(case, dtype, rng)
    for expected, got in zip(run(reference, *given), run(cpu, *given)):
        np.testing.assert_array_equal(got, expected, err_msg=str(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_kernels_agree_with_the_reference(name, dtype, isa, rng):
    assert_agree(CASES[name], dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("OC", [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_rows_of_pixels_on_both_sides_of_every_size(OC, dtype, isa, rng):
    """Rows of y around one, two and four vectors of each width, and around strips, which begin at 7
    pixels; heights around a tile of up to 4 rows; channels around half a vector."""
    for width, height in itertools.product((6, 7, 8, 9, 15, 16, 17, 31, 32, 33), (1, 3, 4, 5, 9)):
        assert_agree(((height, width + 4), (1, 5), 2, OC, (1, 1), ((0, 0), (0, 0)), 1), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("C", [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_shares_are_scattered_on_both_sides_of_every_size(C, dtype, isa, rng):
    """Rows of a window around one, two and three vectors; rows of y around a block of 12 or 28;
    channels of y around 8, where scattering begins."""
    for height, kernel, OC in itertools.product((1, 12, 13, 27, 28, 29), (4, 5, 7), (7, 8, 9)):
        case = (height + 1, kernel + 1), (2, kernel), C, OC, (1, 1), ((0, 0), (1, 0)), 1
        assert_agree(case, dtype, rng)


@pytest.mark.skipif("avx512" not in runtime.config()["isa_best"], reason="tables are AVX-512's")
@pytest.mark.parametrize(("name", "expected"), [
    ("LeNet 1", ("planar",) * 3),
    ("LeNet 2", ("direct", "scatter", "direct")),
    ("stride 2", ("planar", "direct", "planar")),
    ("stride 4", ("direct", "scatter", "direct")),
    ("many read, few written", ("planar", "direct", "planar")),
])
def test_the_algorithm_is_called_by_its_name(name, expected, rng):
    window, x, weight, _, y, _ = arrays(CASES[name], np.float32, rng)
    assert cpu.conv_algorithms(x, weight, y, window, 1) == expected
    named = window._replace(algorithm="direct")
    assert set(cpu.conv_algorithms(x, weight, y, named, 1)) == {"direct"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_are_summed_on_both_sides_of_every_size(dtype, isa, rng):
    """Columns around a vector and four of them; rows around a vector and a chunk of 1,024."""
    heights, widths = (1, 2, 3, 15, 16, 17, 1023, 1024, 1025), (*range(1, 18), 33, 64, 67)
    for rows, c in itertools.product(heights, widths):
        x = rng.integers(-3, 4, (rows, c)).astype(dtype)
        got = np.full(c, 77, dtype)
        cpu.sum_rows(x, got)
        np.testing.assert_array_equal(got, x.sum(0))


def test_nan_goes_to_the_windows_that_hold_it(isa, rng):
    window, x, weight, bias, y, _ = arrays(CASES["LeNet 1"], np.float32, rng)
    x[0, 0, 14, 14, 0] = np.nan
    cpu.conv_forward(x, weight, bias, y, window, 1)
    where = np.isnan(y[..., 0])
    assert where[0, 0, 12:17, 12:17].all()
    where[0, 0, 12:17, 12:17] = False
    assert not where.any()


def test_gradients_of_nan_go_where_the_formula_has_them(isa, rng):
    for name in "LeNet 2", "3-D, strided":
        window, x, weight, _, grad_y, _ = arrays(CASES[name], np.float32, rng)
        weight, grad_y[0, 0, 1, 3, 2] = np.abs(weight) + 1, np.nan
        got, expected = np.empty_like(x), np.empty_like(x)
        cpu.conv_backward_input(grad_y, weight, None, got, window, 1)
        reference.conv_backward_input(grad_y, weight, None, expected, window, 1)
        np.testing.assert_array_equal(got, expected)
    window, x, weight, _, grad_y, _ = arrays(CASES["LeNet 1"], np.float32, rng)
    grad_y[0, 0, 4, 5, 2] = np.nan
    got, expected = np.empty_like(weight), np.empty_like(weight)
    cpu.conv_backward_weight(np.abs(x) + 1, grad_y, got, window, 1)
    reference.conv_backward_weight(np.abs(x) + 1, grad_y, expected, window, 1)
    np.testing.assert_array_equal(got, expected)


def test_weights_that_never_meet_a_nan_have_none_in_their_gradient(isa, rng):
    """The last column of x: a vector of pixels reaches beyond the last window, and sees it."""
    window, x, weight, _, grad_y, _ = arrays(CASES["LeNet 1"], np.float32, rng)
    x[:, :, :, 27] = np.nan
    got, expected = np.empty_like(weight), np.empty_like(weight)
    cpu.conv_backward_weight(x, grad_y, got, window, 1)
    reference.conv_backward_weight(x, grad_y, expected, window, 1)
    np.testing.assert_array_equal(got, expected)
    assert np.isfinite(got[..., :2, :]).all()
    assert np.isnan(got[..., 2:, :]).all()


@pytest.mark.parametrize("name", ["LeNet 1", "LeNet 2", "stride 2", "3-D, strided", "cropped",
                                  "not reached by a window", "many read, few written"])
def test_nothing_is_read_or_written_outside_the_arrays(name, isa, rng, guard):
    window, *inputs = arrays(CASES[name], np.float32, rng)
    x, weight, bias, grad_y, input_bias = map(guard, inputs)
    y, grad_x, transposed, grad_weight = map(guard, (grad_y, x, x, weight))
    cpu.conv_forward(x, weight, bias, y, window, 1)
    cpu.conv_backward_input(grad_y, weight, None, grad_x, window, 1)
    cpu.conv_backward_input(grad_y, weight, input_bias, transposed, window, 1)
    cpu.conv_backward_weight(x, grad_y, grad_weight, window, 1)
    assert all(np.isfinite(a).all() for a in (y, grad_x, transposed, grad_weight))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["LeNet 1", "LeNet 2", "stride 2 along both", "3-D"])
def test_bits_do_not_depend_on_the_number_of_threads(name, dtype, isa, rng, set_threads):
    given = arrays(CASES[name], dtype, rng, integers=False)
    set_threads(1)
    alone = run(cpu, *given)
    for threads in 2, 3:
        set_threads(threads)
        for a, b in zip(alone, run(cpu, *given)):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["LeNet 1", "LeNet 2", "stride 2", "3-D"])
def test_rounding_stays_within_the_bound_of_a_sum(name, dtype, isa, rng):
    """A sum of n products, in any order, errs by less than n * eps * the sum of their sizes."""
    window, *given = arrays(CASES[name], dtype, rng, integers=False)
    exact = run(reference, window, *[a.astype(np.longdouble) for a in given])
    sizes = run(reference, window, *[abs(a).astype(np.longdouble) for a in given])
    _, weight, _, grad_y, _ = given
    terms = [weight[0].size + 1] * 2 + [weight[..., 0].size + 1] * 2 + [grad_y[..., 0].size]
    for got, expected, size, n in zip(run(cpu, window, *given), exact, sizes, terms):
        assert np.all(abs(got - expected) <= n * np.finfo(dtype).eps * size)
