"""Winograd's convolution: all three passes against the reference in float64, within the bound that
is promised; sizes on both sides of its tiles, blocks and vectors."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import cpu, reference
from tinycnn._core.shapes import three_axes
from tinycnn.ops import algorithm as ops_algorithm
from tinycnn.testing import gradcheck

BOUND = {np.float32: 1e-5, np.float64: 1e-13}  # error, of the largest number of a result

# (H, W), C, OC, images, padding (low, high) of H and W, and, if not 3 and 1, kernel and dilation
CASES = {
    "one tile": ((4, 4), 16, 16, 1, ((1, 1), (1, 1))),
    "one pixel": ((1, 1), 16, 16, 1, ((1, 1), (1, 1))),
    "one output": ((3, 3), 32, 32, 2, ((0, 0), (0, 0))),
    "a pixel below a tile": ((3, 7), 16, 16, 2, ((1, 1), (1, 1))),
    "a pixel above a tile": ((5, 9), 16, 16, 2, ((1, 1), (1, 1))),
    "two pixels above": ((6, 10), 16, 16, 2, ((1, 1), (1, 1))),
    "three and one above": ((7, 13), 16, 16, 2, ((1, 1), (1, 1))),
    "narrow tiles only": ((2, 3), 16, 16, 70, ((1, 1), (1, 1))),
    "narrow tiles across": ((8, 3), 16, 16, 40, ((1, 1), (1, 1))),
    "narrow tiles high": ((1, 12), 16, 16, 40, ((1, 1), (1, 1))),
    "a channel below a vector": ((8, 8), 15, 31, 2, ((1, 1), (1, 1))),
    "a channel above a vector": ((8, 8), 17, 33, 2, ((1, 1), (1, 1))),
    "a channel above blocks": ((5, 4), 65, 129, 2, ((1, 1), (1, 1))),
    "few channels": ((9, 6), 1, 3, 2, ((1, 1), (1, 1))),
    "a long row": ((1, 70), 16, 17, 1, ((1, 1), (1, 1))),
    "a high column": ((70, 1), 16, 17, 1, ((1, 1), (1, 1))),
    "no padding": ((11, 12), 20, 24, 2, ((0, 0), (0, 0))),
    "asymmetric padding": ((7, 6), 18, 20, 2, ((0, 2), (3, 1))),
    "padding beyond the window": ((2, 3), 16, 16, 2, ((5, 4), (3, 6))),
    "cropped": ((12, 13), 16, 16, 2, ((-1, -2), (-3, 1))),
    "128 tiles": ((16, 16), 24, 24, 8, ((1, 1), (1, 1))),
    "129 tiles": ((4, 4), 24, 24, 129, ((1, 1), (1, 1))),
    "several blocks of tiles": ((33, 30), 40, 36, 3, ((1, 1), (1, 1))),
    "several chunks": ((40, 44), 16, 16, 5, ((1, 1), (1, 1))),
    "one task transforms its weights": ((7, 7), 150, 140, 2, ((1, 1), (1, 1))),
    "maps of 2x2": ((2, 2), 33, 40, 70, ((1, 1), (1, 1))),
    "maps of 2x3, one task": ((2, 3), 70, 20, 3, ((1, 1), (1, 1))),
    "5x5, one tile": ((2, 2), 16, 16, 1, ((2, 2), (2, 2)), 5),
    "5x5, a pixel above a tile": ((3, 5), 17, 33, 2, ((2, 2), (2, 2)), 5),
    "5x5, asymmetric padding": ((7, 6), 18, 20, 2, ((0, 4), (3, 1)), 5),
    "5x5, several blocks and chunks": ((20, 23), 40, 36, 3, ((2, 2), (2, 2)), 5),
    "5x5, one task transforms its weights": ((7, 7), 130, 140, 1, ((2, 2), (2, 2)), 5),
    "dilation 2, one tile of each grid": ((8, 8), 16, 16, 2, ((2, 2), (2, 2)), 3, (2, 2)),
    "dilation 2, a pixel above": ((9, 17), 17, 33, 2, ((2, 2), (2, 2)), 3, (2, 2)),
    "dilation 3 and 1": ((13, 10), 20, 24, 2, ((3, 3), (1, 1)), 3, (3, 1)),
    "dilation beyond the map": ((4, 5), 16, 16, 2, ((7, 7), (9, 8)), 3, (7, 8)),
    "dilation, several chunks": ((40, 44), 16, 16, 5, ((2, 2), (2, 2)), 3, (2, 2)),
    "5x5, dilation 2": ((11, 14), 24, 20, 2, ((4, 4), (4, 4)), 5, (2, 2)),
    "no image": ((4, 4), 16, 16, 0, ((1, 1), (1, 1))),
}


def arrays(case, rng, dtype=np.float32):
    """x, weight, bias, grad_y, bias of a transposed convolution, window."""
    (H, W), C, OC, images, padding, *rest = case
    kernel, dilation = (*rest, *(3, (1, 1))[len(rest):])
    window = three_axes((kernel, kernel), (1, 1), padding, dilation)._replace(algorithm="winograd")
    out = window.output_size((1, H, W))
    shapes = [(images, 1, H, W, C), (OC, C, 1, kernel, kernel), (OC,), (images, *out, OC), (C,)]
    x, weight, *rest = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    return [x, weight.transpose(0, 2, 3, 4, 1), *rest, window]


def run(kernels, x, weight, bias, grad_y, input_bias, window, groups=1):
    y, grad_x, transposed, grad_weight = [np.full_like(a, 77) for a in (grad_y, x, x, weight)]
    kernels.conv_forward(x, weight, bias, y, window, groups)
    kernels.conv_backward_input(grad_y, weight, None, grad_x, window, groups)
    kernels.conv_backward_input(grad_y, weight, input_bias, transposed, window, groups)
    kernels.conv_backward_weight(x, grad_y, grad_weight, window, groups)
    return y, grad_x, transposed, grad_weight


def assert_within_bound(results, exact, bound):
    for got, expected in zip(results, exact):
        assert np.isfinite(got).all()
        assert np.abs(got - expected).max(initial=0) <= bound * np.abs(expected).max(initial=0)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", CASES)
def test_all_passes_are_within_the_bound(name, dtype, isa, rng):
    *given, window = arrays(CASES[name], rng, dtype)
    exact = run(reference, *[a.astype(np.float64) for a in given], window)
    assert_within_bound(run(cpu, *given, window), exact, BOUND[dtype])


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(8, 8), (9, 7)])
@pytest.mark.parametrize("channels", [64, 256, 512])
def test_wide_layers_are_within_the_bound(channels, size, kernel, rng):
    case = (size, channels, channels, 2, ((1, 1), (1, 1)), kernel)
    *given, window = arrays(case, rng)
    exact = run(reference, *[a.astype(np.float64) for a in given], window)
    assert_within_bound(run(cpu, *given, window), exact, BOUND[np.float32])


@pytest.mark.parametrize("name", ["several blocks of tiles", "several chunks", "129 tiles",
                                  "one task transforms its weights", "a channel above blocks",
                                  "5x5, several blocks and chunks", "dilation, several chunks"])
def test_results_do_not_depend_on_the_number_of_threads(name, rng, set_threads):
    given = arrays(CASES[name], rng)
    runs = []
    for count in 1, 2, 3, 7:
        set_threads(count)
        runs.append(run(cpu, *given))
    for other in runs[1:]:
        for got, expected in zip(other, runs[0]):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e30])
def test_tiny_and_huge_numbers(scale, rng):
    """The transform adds a dozen numbers, so nothing overflows that is far enough from the end."""
    *given, window = arrays(CASES["two pixels above"], rng)
    x, weight = given[0] * np.float32(scale), given[1]
    exact = np.empty(given[3].shape)
    reference.conv_forward(x.astype("f8"), weight.astype("f8"), None, exact, window, 1)
    y = np.empty_like(given[3])
    cpu.conv_forward(x, weight, None, y, window, 1)
    # Subnormal numbers are 1.4e-45 apart, whatever is added up.
    assert np.abs(y - exact).max() <= 1e-5 * np.abs(exact).max() + 9 * 16 * 36 * 1.4e-45


def test_nan_spreads_over_its_tiles_and_no_further(rng):
    *given, window = arrays(((12, 12), 16, 16, 1, ((1, 1), (1, 1))), rng)
    given[0][0, 0, 1, 1, 3] = np.nan
    y = run(cpu, *given, window)[0][0, 0]
    assert np.isnan(y[0:3, 0:3]).all()
    assert np.isfinite(y[4:, :]).all()
    assert np.isfinite(y[:, 4:]).all()


def test_memory_that_is_not_aligned(rng):
    *given, window = arrays(CASES["several blocks of tiles"], rng)
    moved = []
    for a in given:
        room = np.empty(a.size + 1, a.dtype)[1:].reshape(a.transpose(0, 4, 1, 2, 3).shape
                                                         if a is given[1] else a.shape)
        moved.append(room.transpose(0, 2, 3, 4, 1) if a is given[1] else room)
        moved[-1][...] = a
    for got, expected in zip(run(cpu, *moved, window), run(cpu, *given, window)):
        np.testing.assert_array_equal(got, expected)


def test_gradients_in_float64(rng):
    x, weight, bias = [tinycnn.tensor(rng.standard_normal(shape), requires_grad=True)
                       for shape in [(2, 3, 5, 6), (4, 3, 3, 3), (4,)]]
    with tinycnn.conv_algorithm("winograd"):
        assert gradcheck(lambda *a: F.conv2d(*a, padding=1), [x, weight, bias])
        assert gradcheck(lambda *a: F.conv2d(*a, padding=1, dilation=2), [x, weight, bias])
        weight = tinycnn.tensor(rng.standard_normal((4, 3, 5, 5)), requires_grad=True)
        assert gradcheck(lambda *a: F.conv2d(*a, padding=1), [x, weight, bias])


# --- groups ------------------------------------------------------------------------------------

# (H, W), channels of a group, groups, images, padding
GROUPED = {
    "half vectors": ((9, 6), 8, 6, 2, ((1, 1), (1, 1))),
    "one vector": ((8, 8), 16, 2, 2, ((1, 1), (1, 1))),
    "two vectors": ((7, 7), 32, 2, 3, ((1, 1), (1, 1))),
    "three vectors": ((5, 9), 48, 2, 2, ((1, 1), (1, 1))),
    "four vectors": ((5, 4), 64, 3, 1, ((1, 1), (1, 1))),
    "one pixel": ((1, 1), 16, 2, 1, ((1, 1), (1, 1))),
    "seven tiles": ((4, 28), 16, 2, 1, ((1, 1), (1, 1))),
    "eight tiles": ((8, 16), 16, 2, 1, ((1, 1), (1, 1))),
    "nine tiles": ((12, 12), 16, 2, 1, ((1, 1), (1, 1))),
    "a unit beyond a task": ((6, 6), 16, 5, 1, ((1, 1), (1, 1))),
    "half vectors beyond a task": ((6, 6), 8, 10, 1, ((1, 1), (1, 1))),
    "127 tiles": ((4, 4), 16, 3, 127, ((1, 1), (1, 1))),
    "several chunks": ((33, 30), 8, 4, 5, ((1, 1), (1, 1))),
    "several chunks and blocks": ((30, 33), 16, 5, 4, ((1, 1), (1, 1))),
    "three and one above": ((7, 13), 16, 2, 3, ((1, 1), (1, 1))),
    "narrow tiles only": ((2, 3), 16, 2, 20, ((1, 1), (1, 1))),
    "asymmetric padding": ((7, 6), 16, 2, 2, ((0, 2), (3, 1))),
    "padding beyond the window": ((2, 3), 16, 2, 2, ((5, 4), (3, 6))),
    "cropped": ((12, 13), 16, 2, 2, ((-1, -2), (-3, 1))),
    "no image": ((4, 4), 16, 2, 0, ((1, 1), (1, 1))),
}


def grouped(name, rng, dtype=np.float32):
    """Arrays of a case, its window and its groups."""
    size, G, groups, images, padding = GROUPED[name]
    x, weight, bias, grad_y, input_bias, window = arrays(
        (size, G * groups, G * groups, images, padding), rng, dtype)
    return [x, weight[..., :G], bias, grad_y, input_bias, window, groups]


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", GROUPED)
def test_all_passes_of_groups_are_within_the_bound(name, dtype, isa, rng):
    *given, window, groups = grouped(name, rng, dtype)
    exact = run(reference, *[a.astype(np.float64) for a in given], window, groups)
    assert_within_bound(run(cpu, *given, window, groups), exact, BOUND[dtype])


@pytest.mark.parametrize("name", ["several chunks", "several chunks and blocks", "127 tiles"])
def test_groups_do_not_depend_on_the_number_of_threads(name, rng, set_threads):
    given = grouped(name, rng)
    runs = []
    for count in 1, 2, 3, 7:
        set_threads(count)
        runs.append(run(cpu, *given))
    for other in runs[1:]:
        for got, expected in zip(other, runs[0]):
            np.testing.assert_array_equal(got, expected)


def test_rectified_groups(rng):
    x, weight, bias, y, _, window, groups = grouped("several chunks", rng)
    rectified = np.empty_like(y)
    cpu.conv_forward(x, weight, bias, y, window, groups)
    cpu.conv_forward(x, weight, bias, rectified, window, groups, True)
    np.testing.assert_array_equal(rectified, np.maximum(y, 0))


def test_gradients_of_groups_in_float64(rng):
    x, weight, bias = [tinycnn.tensor(rng.standard_normal(shape), requires_grad=True)
                       for shape in [(2, 16, 5, 6), (16, 8, 3, 3), (16,)]]
    with tinycnn.conv_algorithm("winograd"):
        assert gradcheck(lambda *a: F.conv2d(*a, padding=1, groups=2), [x, weight, bias])


# --- the choice ------------------------------------------------------------------------------


def outputs(x, weight, **arguments):
    results = {}
    for name in "auto", "direct", "im2col", "winograd":
        with tinycnn.conv_algorithm(name):
            results[name] = F.conv2d(x, weight, **arguments).numpy()
    return results


def test_an_algorithm_by_name(rng):
    x, weight = [tinycnn.tensor(rng.standard_normal(s).astype("f4"))
                 for s in [(2, 32, 9, 9), (32, 32, 3, 3)]]
    y = outputs(x, weight, padding=1)
    assert not np.array_equal(y["direct"], y["winograd"])
    np.testing.assert_array_equal(y["auto"], y["winograd"])
    np.testing.assert_allclose(y["direct"], y["winograd"], atol=1e-4)
    y = outputs(x, weight, stride=2)  # not Winograd's: another is chosen
    np.testing.assert_array_equal(y["auto"], y["winograd"])


def test_gradients_use_the_algorithm_of_their_forward_pass(rng):
    def gradient(name, around):
        x = tinycnn.tensor(values, requires_grad=True)
        with tinycnn.conv_algorithm(name):
            y = F.conv2d(x, weight)
        with tinycnn.conv_algorithm(around):
            y.sum().backward()
        return x.grad.numpy()

    values = rng.standard_normal((1, 32, 9, 9)).astype("f4")
    weight = tinycnn.tensor(rng.standard_normal((32, 32, 3, 3)).astype("f4"))
    np.testing.assert_array_equal(gradient("direct", "winograd"), gradient("direct", "direct"))
    assert not np.array_equal(gradient("direct", "auto"), gradient("winograd", "auto"))


def test_a_layer_can_name_its_algorithm(rng):
    tinycnn.manual_seed(0)
    layer = nn.Conv2d(32, 32, 3, padding=1, algorithm="direct")
    assert "algorithm=direct" in repr(layer)
    x = tinycnn.tensor(rng.standard_normal((1, 32, 8, 8)).astype("f4"))
    direct = layer(x).detach().numpy()
    layer.algorithm = "winograd"
    assert not np.array_equal(layer(x).detach().numpy(), direct)
    np.testing.assert_allclose(layer(x).detach().numpy(), direct, atol=1e-5)
    up = nn.ConvTranspose2d(32, 32, 3, algorithm="winograd")
    assert "algorithm=winograd" in repr(up)
    assert up(x).shape == (1, 32, 10, 10)


def test_blocks_may_be_nested_and_functions_decorated():
    block = tinycnn.conv_algorithm("direct")

    @tinycnn.conv_algorithm("im2col")
    def inner():
        return ops_algorithm.preferred.name

    with block:
        assert inner() == "im2col"
        with block:
            assert ops_algorithm.preferred.name == "direct"
        assert ops_algorithm.preferred.name == "direct"
    assert ops_algorithm.preferred.name == "auto"


CHOSEN = [  # x, weight, arguments, what is chosen for the three passes
    ((8, 64, 32, 32), (64, 64, 3, 3), {"padding": 1}, ["winograd F(4x4, 3x3)"] * 3),
    ((32, 64, 2, 2), (64, 64, 3, 3), {"padding": 1}, ["winograd F(4x4, 3x3)"] * 3),
    ((32, 64, 1, 1), (64, 64, 3, 3), {"padding": 1}, ["im2col"] * 3),
    ((32, 64, 16), (64, 64, 3), {"padding": 1}, ["direct"] * 3),
    ((8, 15, 32, 32), (16, 15, 3, 3), {}, ["direct"] * 3),
    ((1, 64, 4, 4), (64, 64, 3, 3), {"padding": 1}, ["im2col"] * 3),
    ((8, 64, 5, 5), (64, 64, 3, 3), {"padding": 1}, ["winograd F(4x4, 3x3)"] * 3),
    ((8, 64, 32, 32), (64, 64, 3, 3), {"dilation": 2}, ["winograd F(4x4, 3x3)"] * 3),
    ((8, 64, 32, 32), (64, 64, 5, 5), {"padding": 2}, ["winograd F(2x2, 5x5)"] * 3),
    ((8, 64, 32, 32), (64, 64, 7, 7), {"dilation": 2}, ["direct"] * 3),
    ((8, 64, 32, 32), (64, 64, 1, 1), {}, ["im2col"] * 3),
    ((8, 64, 32, 32), (64, 1, 3, 3), {"groups": 64}, ["direct, by groups"] * 3),
    ((8, 64, 32, 32), (64, 4, 3, 3), {"groups": 16}, ["direct, by groups"] * 3),
    ((8, 64, 32, 32), (64, 16, 3, 3), {"groups": 4}, ["winograd F(4x4, 3x3)"] * 3),
    ((1, 64, 7, 7), (64, 16, 3, 3), {"groups": 4, "padding": 1}, ["direct"] * 3),
    ((8, 3, 64, 64), (64, 3, 7, 7), {"stride": 2}, ["direct", "scatter", "direct"]),
    ((8, 256, 16, 16), (128, 256, 3, 3), {"stride": 2, "padding": 1},
     ["direct", "im2col", "direct"]),
    ((8, 256, 14, 14), (512, 256, 3, 3), {"stride": 2, "padding": 1}, ["im2col"] * 3),
    ((8, 16, 5, 5), (120, 16, 5, 5), {}, ["matmul"] * 3),
]


@pytest.mark.parametrize(("x", "weight", "arguments", "names"), CHOSEN)
def test_what_is_chosen_can_be_asked(x, weight, arguments, names):
    assert list(tinycnn.conv_algorithms(x, weight, **arguments).values()) == names


@pytest.mark.parametrize("name", ["im2col", "direct"])
def test_the_other_algorithms_serve_every_shape(name, rng):
    for x, weight, arguments, _ in CHOSEN:
        x = (2, *x[1:])
        with tinycnn.conv_algorithm(name):
            chosen = set(tinycnn.conv_algorithms(x, weight, **arguments).values())
        assert {c.split(",")[0] for c in chosen} == {name}
        values = [rng.integers(-3, 4, shape).astype("f4") for shape in (x, weight)]
        given = [tinycnn.tensor(v, requires_grad=True) for v in values]
        convolve = {3: F.conv1d, 4: F.conv2d}[len(x)]
        with tinycnn.conv_algorithm(name):
            y = convolve(*given, **arguments)
        y.backward(tinycnn.ones_like(y))
        wide = [tinycnn.tensor(v.astype("f8"), requires_grad=True) for v in values]
        exact = convolve(*wide, **arguments)
        exact.backward(tinycnn.ones_like(exact))
        for got, expected in zip([y, *[g.grad for g in given]], [exact, *[w.grad for w in wide]]):
            np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), atol=1e-2)


def test_shapes_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"conv_algorithms: expected x_shape \(N, C, \*size\)"):
        tinycnn.conv_algorithms((1, 3, 8, 8), (4, 2, 3, 3))
    with pytest.raises(ValueError, match="conv_algorithms: expected an input that the window"):
        tinycnn.conv_algorithms((1, 3, 2, 2), (4, 3, 3, 3))


def test_an_unknown_algorithm_is_an_error():
    with pytest.raises(ValueError, match="conv_algorithm: expected one of 'auto', 'im2col'"):
        tinycnn.conv_algorithm("fft")
    with pytest.raises(ValueError, match="Conv2d: expected one of 'auto', 'im2col'"):
        nn.Conv2d(1, 1, 3, algorithm="fft")
