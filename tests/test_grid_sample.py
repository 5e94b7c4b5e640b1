"""Sampling at the places of a grid: values by hand, kernels against the reference, gradients,
places that are no numbers, messages."""

from itertools import product

import numpy as np
import pytest

import tinycnn
from tinycnn._core import reference
from tinycnn._core.cpu import grid_sample as cpu
from tinycnn.nn import functional as F
from tinycnn.testing import gradcheck

MODES, PADDINGS = ("nearest", "bilinear", "bicubic"), ("zeros", "border", "reflection")


def tensor(values, **options):
    return tinycnn.tensor(np.array(values, dtype=np.float64), **options)


def row(values, places, mode="bilinear", padding="zeros", align_corners=False):
    """A picture of one row, sampled at places along it."""
    grid = [[[[place, 0] for place in places]]]
    return F.grid_sample(tensor([[[values]]]), tensor(grid), mode, padding, align_corners).tolist()[
        0][0][0]


# --- values ----------------------------------------------------------------------------------


def test_places_by_hand():
    """Four pixels: their middles lie at -0.75, -0.25, 0.25, 0.75, or with corners aligned at -1,
    -1/3, 1/3, 1."""
    assert row([1, 2, 4, 8], [-0.75, 0.25, 0.5, 0]) == [1, 4, 6, 3]
    assert row([1, 2, 4, 8], [-1, 1, 0], align_corners=True) == [1, 8, 3]
    assert row([1, 2, 4, 8], [-0.6, 0.4, 0.6], "nearest") == [1, 4, 8]
    assert row([1, 2, 4, 8], [-1, 1, 1.25, 9]) == [0.5, 4, 0, 0]  # half outside, and outside
    assert row([1, 2, 4, 8], [-1, -5, 1.1, 9], padding="border") == [1, 1, 8, 8]


def test_reflection_by_hand():
    """At the outer side of the border pixels, or at their middles."""
    places = [-1.25, -1.75, 1.25, 1.75, 2.25]
    assert row([1, 2, 4, 8], places, padding="reflection") == [1, 2, 8, 4, 2]
    np.testing.assert_allclose(
        row([1, 2, 4, 8], [-5 / 3, 5 / 3, 3, -3], "bilinear", "reflection", True), [2, 4, 1, 8])
    assert row([3], [-7, 0.2, 5], padding="reflection", align_corners=True) == [3, 3, 3]


def test_nearest_takes_the_even_pixel_of_two():
    assert row([1, 2, 4, 8], [-0.5, 0, 0.5], "nearest") == [1, 4, 4]


def test_bicubic_by_hand():
    halfway = -0.09375 * 1 + 0.59375 * 2 + 0.59375 * 4 - 0.09375 * 8
    np.testing.assert_allclose(row([1, 2, 4, 8], [0], "bicubic"), [halfway])
    at_end = row([1, 2, 4, 8], [1], "bicubic", "border")
    np.testing.assert_allclose(at_end, [-0.09375 * 4 + 0.59375 * 8 + 0.59375 * 8 - 0.09375 * 8])


def test_the_identity_gives_the_picture_back():
    rng = np.random.default_rng(0)
    for shape, align in product(((2, 3, 4, 5), (2, 3, 2, 4, 5)), (False, True)):
        x = tensor(rng.standard_normal(shape))
        dims = len(shape) - 2
        theta = tensor(np.broadcast_to(np.eye(dims, dims + 1), (2, dims, dims + 1)))
        grid = F.affine_grid(theta, shape, align)
        assert grid.shape == (2, *shape[2:], dims)
        for mode in MODES if dims == 2 else MODES[:2]:
            np.testing.assert_allclose(
                F.grid_sample(x, grid, mode, align_corners=align).numpy(), x.numpy(), atol=1e-12)


def test_affine_grid_by_hand():
    shift = tensor([[[1, 0, 0.5], [0, 2, 0]]])
    assert F.affine_grid(shift, (1, 7, 2, 2), align_corners=False).tolist() == [
        [[[0, -1], [1, -1]], [[0, 1], [1, 1]]]]
    assert F.affine_grid(shift, (1, 7, 2, 2), align_corners=True).tolist() == [
        [[[-0.5, -2], [1.5, -2]], [[-0.5, 2], [1.5, 2]]]]
    turned = tensor([[[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 9]]])
    assert F.affine_grid(turned, [1, 1, 1, 1, 2], align_corners=False).tolist() == [
        [[[[0, -0.5, 9], [0, 0.5, 9]]]]]


# --- kernels ---------------------------------------------------------------------------------

SIZES = {  # (D, H, W) of x, (OD, OH, OW) of the grid, its axes
    "picture": ((1, 5, 4), (1, 3, 6), 2),
    "one pixel": ((1, 1, 1), (1, 2, 3), 2),
    "one row": ((1, 1, 6), (1, 1, 40), 2),
    "volume": ((3, 2, 4), (2, 3, 2), 3),
    "flat volume": ((1, 4, 3), (1, 2, 2), 3),
}
CASES = [(name, mode, padding, align) for name, mode, padding, align in
         product(SIZES, MODES, PADDINGS, (False, True))
         if not (mode == "bicubic" and SIZES[name][2] == 3)]


def arrays(name, channels, dtype, images=2):
    size, out, axes = SIZES[name]
    rng = np.random.default_rng(channels)
    x = rng.standard_normal((images, *size, channels)).astype(dtype)
    grid = (1.2 * rng.standard_normal((images, *out, axes))).astype(dtype)
    return x, grid, rng.standard_normal((images, *out, channels)).astype(dtype)


def results_of(kernels, x, grid, grad_y, settings, wrap=lambda a: a):
    y, grad_x, grad_grid = [wrap(np.full_like(a, 77)) for a in (grad_y, x, grid)]
    x, grid, grad_y = wrap(x), wrap(grid), wrap(grad_y)
    kernels.grid_sample_forward(x, grid, y, *settings)
    kernels.grid_sample_backward(x, grid, grad_y, grad_x, grad_grid, *settings)
    return y, grad_x, grad_grid


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "mode", "padding", "align", "channels"), [
    (*case, channels) for case in CASES
    for channels in ((1, 16, 17, 83) if case[0] == "picture" else (3, 35))])
def test_kernels_agree_with_the_reference(name, mode, padding, align, channels, dtype, isa, guard):
    x, grid, grad_y = arrays(name, channels, dtype)
    settings = mode, padding, align
    expected = results_of(reference, x, grid, grad_y, settings)
    got = results_of(cpu, x, grid, grad_y, settings, guard)
    for a, b in zip(got, expected):  # sums of up to 16 * 83 products in another order
        np.testing.assert_allclose(a, b, atol=1e-4 if dtype == np.float32 else 1e-12)


def test_results_are_equal_for_every_number_of_threads(set_threads):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 1, 20, 30, 70)).astype("f4")
    grid = (0.8 * rng.standard_normal((3, 1, 25, 25, 2))).astype("f4")
    grad_y = rng.standard_normal((3, 1, 25, 25, 70)).astype("f4")
    found = []
    for threads in 1, 2, 3:
        set_threads(threads)
        results = results_of(cpu, x, grid, grad_y, ("bilinear", "border", False))
        found.append(b"".join(r.tobytes() for r in results))
    assert found[0] == found[1] == found[2]


NO_NUMBERS = [np.nan, np.inf, -np.inf, 1e30, -1e30, 3e9, -3e9]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "mode", "padding", "align"), CASES)
def test_places_that_are_no_numbers_read_nothing_outside(
    name, mode, padding, align, dtype, isa, guard
):
    """They show zeros, or a pixel of the border; the gradients are finite."""
    x, grid, grad_y = arrays(name, 17, dtype)
    x[...] = 5
    flat = grid.reshape(-1)
    flat[:: 2] = np.resize(NO_NUMBERS, flat[::2].shape)
    for kernels, wrap in ((cpu, guard), (reference, lambda a: a)):
        y, grad_x, grad_grid = results_of(kernels, x, grid, grad_y, (mode, padding, align), wrap)
        if (name, align, padding) != ("one pixel", True, "zeros"):  # there every number is 0
            np.testing.assert_allclose(y, 0 if padding == "zeros" else 5, rtol=1e-5)
        assert np.isfinite(grad_x).all()
        assert np.isfinite(grad_grid).all()


def test_a_pixel_outside_is_not_multiplied_by_zero():
    assert row([np.inf, 1, 2, np.nan], [-2, 0, 2]) == [0, 1.5, 0]
    assert row([1, np.inf], [-1]) == [0.5]


@pytest.mark.parametrize(("name", "mode", "padding", "align"), CASES)
def test_gradients(name, mode, padding, align):
    size, out, axes = SIZES[name]
    rng = np.random.default_rng(3)
    x = tensor(rng.standard_normal((2, 3, *size[-axes:])), requires_grad=True)
    grid = tensor(rng.uniform(-1.7, 1.7, (2, *out[-axes:], axes)), requires_grad=True)
    assert gradcheck(lambda x, g: F.grid_sample(x, g, mode, padding, align), [x, grid])
    assert gradcheck(lambda x: F.grid_sample(x, grid.detach(), mode, padding, align), x)
    assert gradcheck(lambda g: F.grid_sample(x.detach(), g, mode, padding, align), grid)


def test_gradients_of_affine_grid():
    rng = np.random.default_rng(0)
    for shape, size in (((2, 2, 3), (2, 1, 3, 4)), ((2, 3, 4), (2, 1, 3, 2, 4))):
        theta = tensor(rng.standard_normal(shape), requires_grad=True)
        for align in False, True:
            assert gradcheck(lambda t, s=size, a=align: F.affine_grid(t, s, a), theta)


@pytest.mark.parametrize(("images", "channels", "out"), [(0, 3, (2, 2)), (2, 0, (2, 2)),
                                                         (2, 3, (0, 2))])
def test_empty(images, channels, out):
    x = tinycnn.ones(images, channels, 4, 4, requires_grad=True)
    grid = tinycnn.zeros(images, *out, 2, requires_grad=True)
    y = F.grid_sample(x, grid, align_corners=False)
    assert y.shape == (images, channels, *out)
    y.sum().backward()
    assert (x.grad.tolist(), grid.grad.tolist()) == ((x * 0).tolist(), (grid * 0).tolist())


# --- warnings and messages -------------------------------------------------------------------


def test_align_corners_left_out_is_false_with_a_warning():
    x, grid = tensor([[[[1, 2]]]]), tensor([[[[-0.5, 0]]]])
    with pytest.warns(UserWarning, match="grid_sample: align_corners was not given, False") as seen:
        assert F.grid_sample(x, grid).tolist() == [[[[1]]]]
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="affine_grid: align_corners was not given") as seen:
        F.affine_grid(tensor([[[1, 0, 0], [0, 1, 0]]]), (1, 1, 2, 2))
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="affine_grid: with align_corners=True and one pixel"):
        F.affine_grid(tensor([[[1, 0, 0], [0, 1, 0]]]), (1, 1, 1, 2), True)


X, GRID = (2, 3, 4, 4), (2, 5, 6, 2)
ERRORS = [
    (X, GRID, {"mode": "linear"}, r"expected mode 'bilinear', 'nearest', 'bicubic', got 'linear'"),
    (X, GRID, {"padding_mode": "same"},
     r"expected padding_mode 'zeros', 'border', 'reflection', got 'same'\. Use one of these"),
    ((3, 4, 4), GRID, {}, r"expected input \(N, C, H, W\) or \(N, C, D, H, W\), got \(3, 4, 4\)"),
    (X, (2, 5, 2), {},
     r"expected grid \(N, OH, OW, 2\) with N of the input, and 2 numbers for each place, got input "
     r"\(2, 3, 4, 4\) and grid \(2, 5, 2\)\. A grid can be made with affine_grid"),
    (X, (2, 5, 6, 3), {}, r"expected grid \(N, OH, OW, 2\)"),
    (X, (1, 5, 6, 2), {}, r"expected grid \(N, OH, OW, 2\) with N of the input"),
    ((2, 3, 4, 4, 4), GRID, {}, r"expected grid \(N, OD, OH, OW, 3\)"),
    ((2, 3, 0, 4), GRID, {}, r"expected input with at least one pixel along each axis, got input"),
    ((2, 3, 4, 4, 4), (2, 1, 1, 1, 3), {"mode": "bicubic"},
     r"expected input \(N, C, H, W\) for mode 'bicubic', got input"),
]


@pytest.mark.parametrize(("x", "grid", "arguments", "message"), ERRORS)
def test_messages(x, grid, arguments, message):
    with pytest.raises(ValueError, match="^grid_sample: " + message):
        F.grid_sample(tinycnn.ones(*x), tinycnn.ones(*grid), align_corners=False, **arguments)


def test_more_places_than_kernels_count_are_refused():
    grid = tinycnn.zeros(1, 1, 1, 2).expand(1, 2**16, 2**15, 2)
    with pytest.raises(ValueError, match=r"grid_sample: expected fewer than 2\*\*31 places"):
        F.grid_sample(tinycnn.ones(1, 1, 2, 2), grid, align_corners=False)


def test_types():
    with pytest.raises(TypeError, match="grid_sample: expected grid to be a Tensor, got ndarray"):
        F.grid_sample(tinycnn.ones(*X), np.ones(GRID), align_corners=False)
    with pytest.raises(TypeError, match="expected grid in the dtype of input, float32, got float6"):
        F.grid_sample(tinycnn.ones(*X), tinycnn.ones(*GRID, dtype="float64"), align_corners=False)
    with pytest.raises(TypeError, match="affine_grid: expected theta to be of dtype float32 or"):
        F.affine_grid(tinycnn.ones(2, 2, 3).to("int64"), X, False)


@pytest.mark.parametrize(("theta", "size", "error", "message"), [
    ((2, 2, 3), (2, 4), ValueError, r"size \(N, C, OH, OW\) or .*, got \(2, 4\)\. Pass for"),
    ((2, 2, 3), 4, ValueError, r"size \(N, C, OH, OW\) or .*, got 4"),
    ((2, 2, 3), (2, 1, 0, 4), ValueError, r"size to be one int or 4 ints, each at least 1"),
    ((2, 2, 3), (2, 1, 2.5, 4), TypeError, r"size to be an int or 4 ints"),
    ((2, 3), X, ValueError, r"theta \(2, 2, 3\) for size \(2, 3, 4, 4\), got \(2, 3\)\. One"),
    ((1, 2, 3), X, ValueError, r"theta \(2, 2, 3\) for size"),
    ((2, 2, 3), (2, 1, 2, 3, 4), ValueError, r"theta \(2, 3, 4\) for size \(2, 1, 2, 3, 4\)"),
])
def test_messages_of_affine_grid(theta, size, error, message):
    with pytest.raises(error, match="^affine_grid: expected " + message):
        F.affine_grid(tinycnn.ones(*theta), size, align_corners=False)
