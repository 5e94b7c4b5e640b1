"""Convolution on a GPU, or in the simulator, against the reference: the cases of test_conv.py that
are small enough, and some at the edges of the simulator's tiles (16 x 16 or 16 x 8, 8 steps).

Most data are small integers: sums are exact, and results must be equal bit by bit.
"""

from itertools import product

import numpy as np
import pytest
from on_device import Hosted
from test_conv import CASES, Case, run

from tinycnn._core import reference
from tinycnn._core.cuda import conv, gather, gather_product, plain_conv, weight_product
from tinycnn._core.cuda.backend import to_device, to_host
from tinycnn._core.cuda.mode import SIMULATED

cuda = Hosted(conv)
SAME = ((1, 1), (1, 1))
CUDA_CASES = {
    "two tiles of rows and of columns": Case((5, 5), (1, 2), 3, 18, images=1),
    "rows end with a tile": Case((4, 4), (1, 1), 3, 16, images=1),
    "four channels at a time": Case((3, 5), (2, 2), 4, 4, images=2),
    "four channels at a time, strided": Case((6, 5), (3, 2), 4, 8, (2, 1), SAME, images=1),
    "several taps in a step, several steps in a tap": Case((2, 3), (1, 2), 12, 3, images=1),
    "more taps than a step has room for": Case((5, 6), (4, 5), 1, 3, images=1),
    "four channels, groups": Case((3, 4), (2, 2), 4, 4, groups=2, images=1),
    "pixels shared by three": Case((7, 6), (2, 2), 2, 3, images=1),
    "pixels shared by three, wide tile": Case((5, 6), (1, 1), 2, 17, images=1),
    "depthwise, four channels at a time": Case((4, 5), (3, 3), 1, 1, (2, 1), SAME, groups=8),
    "depthwise, more taps than a block has": Case((4, 5), (4, 3), 1, 1, groups=4, images=1),
    "depthwise, more channels than threads": Case((2, 2), (2, 2), 1, 1, groups=37, images=1),
    "depthwise, three for each": Case((4, 3), (2, 2), 1, 3, groups=3, images=1),
    "depthwise, no image": Case((4, 3), (2, 2), 1, 1, groups=3, images=0),
}


def multiplications(case):
    size = (1,) * (3 - len(case.size)) + case.size
    return (case.images * np.prod(case.window.output_size(size)) * np.prod(case.kernel)
            * case.channels * case.out_channels * case.groups)


MOST = 2500 if SIMULATED else np.inf
ALL = {**CASES, **CUDA_CASES}
SMALL = [name for name, case in ALL.items()
         if multiplications(case) <= MOST or name in CUDA_CASES]


def passes(kernels, case, arrays):
    """Every kernel once, into memory that holds something else before."""
    x, weight, bias, grad_y, input_bias = arrays
    y, grad_x, grad_weight, grad_bias = [np.full_like(a, 77) for a in (grad_y, x, weight, bias)]
    kernels.conv_forward(x, weight, bias, y, case.window, case.groups)
    kernels.conv_backward_input(grad_y, weight, input_bias, grad_x, case.window, case.groups)
    kernels.conv_backward_weight(x, grad_y, grad_weight, case.window, case.groups)
    kernels.sum_rows(grad_y, grad_bias)
    return y, grad_x, grad_weight, grad_bias


def same(case, arrays, check=np.testing.assert_array_equal):
    for got, expected in zip(passes(cuda, case, arrays), passes(reference, case, arrays)):
        check(got, expected)


@pytest.mark.parametrize("name", SMALL)
def test_kernels_agree_with_the_reference(name, rng):
    same(ALL[name], ALL[name].arrays(np.float32, rng))


@pytest.mark.parametrize("name", [*CUDA_CASES, "huge stride", "window = input"])
def test_kernels_agree_with_the_reference_in_float64(name, rng):
    same(ALL[name], ALL[name].arrays(np.float64, rng))


@pytest.mark.parametrize("name", ["four channels at a time", "depthwise, three for each"])
def test_every_use_of_the_kernels_agrees_with_the_reference(name, rng):
    """Without a bias, with ReLU, and both gradients at once."""
    arrays = ALL[name].arrays(np.float32, rng)
    for got, expected in zip(run(cuda, ALL[name], *arrays), run(reference, ALL[name], *arrays)):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["two tiles of rows and of columns", "1-D",
                                  "depthwise, window = input", "pixels shared by three"])
def test_rounding_stays_within_the_bound_of_a_sum(name, rng):
    """A sum of n products, in any order, errs by less than n * eps * the sum of their sizes."""
    case = ALL[name]
    arrays = case.arrays(np.float32, rng, integers=False)
    exact = passes(reference, case, [a.astype(np.longdouble) for a in arrays])
    sizes = passes(reference, case, [abs(a).astype(np.longdouble) for a in arrays])
    terms = arrays[1].size + arrays[3].size
    for got, expected, size in zip(passes(cuda, case, arrays), exact, sizes):
        assert np.all(abs(got - expected) <= terms * np.finfo(np.float32).eps * size)


@pytest.mark.parametrize("name", ["1-D", "four channels at a time", "depthwise, three for each"])
def test_nan_reaches_what_sees_it_and_nothing_else(name, rng):
    case = ALL[name]
    x, weight, bias, grad_y, _ = case.arrays(np.float32, rng)
    weight, grad_y = abs(weight) + 1, abs(grad_y) + 1
    x[0, 0, 0, 0, 0] = np.nan
    grad_y[0, 0, 0, 0, 0] = np.inf
    arrays = x, weight, bias, grad_y, np.ones(x.shape[4], np.float32)
    with np.errstate(invalid="ignore"):  # infinity times zero, of the padding
        y, grad_x, grad_weight, _ = passes(reference, case, arrays)
        assert 0 < np.isnan(y).sum() < y.size
        assert 0 < np.isinf(grad_x).sum() < grad_x.size
        assert np.isnan(grad_weight).any()
        same(case, arrays)


@pytest.mark.parametrize("groups", [1, 2])
def test_relu_keeps_nan(groups, rng):
    case = Case((3, 3), (2, 2), 2 // groups, 4 // groups, groups=groups, images=1)
    x, weight, bias, y, _ = case.arrays(np.float32, rng)
    x[0, 0, 1, 1, :1] = np.nan
    expected = y.copy()
    cuda.conv_forward(x, weight, bias, y, case.window, groups, True)
    reference.conv_forward(x, weight, bias, expected, case.window, groups, True)
    assert np.isnan(expected).any()
    assert np.isnan(expected).all() == (groups == 1)
    np.testing.assert_array_equal(y, expected)


# --- memory ----------------------------------------------------------------------------------

LAYOUTS = {
    "C": lambda w: w.transpose(0, 4, 1, 2, 3).copy().transpose(0, 2, 3, 4, 1),
    "channels last": lambda w: w.copy(),
    "reversed": lambda w: w[::-1, :, ::-1, ::-1, ::-1].copy()[::-1, :, ::-1, ::-1, ::-1],
    "spread": lambda w: np.repeat(np.repeat(w, 2, 0), 3, 4)[::2, :, :, :, ::3],
    "taps in another order": lambda w: w.transpose(0, 3, 1, 2, 4).copy().transpose(0, 2, 3, 1, 4),
    "rows of taps apart": lambda w: np.repeat(w, 2, 2)[:, :, ::2],
    "one for all": lambda w: np.broadcast_to(w[:1], w.shape),
}


@pytest.mark.skipif(not SIMULATED, reason="CuPy has no arrays of these layouts to copy")
@pytest.mark.parametrize("many", [0, 4096])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", [Case((3, 4), (3, 2), 3, 4, groups=2, images=1),
                                  Case((2, 3), (2, 2), 1, 1, groups=5, images=8)], ids=str)
def test_weights_may_have_any_strides(case, layout, many, rng, monkeypatch):
    """`many`: weights from which on they are laid out anew before they are read."""
    monkeypatch.setattr(plain_conv, "MANY_WEIGHTS", many)
    x, weight, bias, grad_y, _ = case.arrays(np.float32, rng)
    weight = LAYOUTS[layout](weight)
    y, grad_x, grad_weight = [np.full_like(a, 77) for a in (grad_y, x, weight)]
    reference.conv_forward(x, weight, bias, y, case.window, case.groups)
    reference.conv_backward(x, grad_y, weight, grad_x, grad_weight, case.window, case.groups)

    there = to_device(LAYOUTS["channels last"](weight))
    there = there if layout == "one for all" else LAYOUTS[layout](there)
    got = [to_device(np.full_like(a, 55)) for a in (y, grad_x)]
    filled = LAYOUTS["C" if layout == "one for all" else layout](
        to_device(np.full(weight.shape, 55, np.float32)))
    x, bias, grad_y = map(to_device, (x, bias, grad_y))
    conv.conv_forward(x, there, bias, got[0], case.window, case.groups)
    conv.conv_backward(x, grad_y, there, got[1], filled, case.window, case.groups)
    for a, b in zip((*got, filled), (y, grad_x, grad_weight)):
        np.testing.assert_array_equal(to_host(a), b)


@pytest.mark.parametrize("name", ["four channels at a time", "two tiles of rows and of columns",
                                  "depthwise, four channels at a time"])
def test_arrays_need_not_start_at_a_multiple_of_16_bytes(name, rng):
    def one_further(array):
        memory = to_device(np.concatenate([np.zeros(1, np.float32), array.ravel()]))
        return memory[1:].reshape(array.shape)

    case = ALL[name]
    arrays = case.arrays(np.float32, rng)
    x, weight, bias, grad_y, input_bias = map(one_further, arrays)
    outputs = [one_further(np.full_like(a, 77)) for a in (grad_y, arrays[0], arrays[1], bias)]
    plan = case.window, case.groups
    conv.conv_forward(x, weight, bias, outputs[0], *plan)
    conv.conv_backward_input(grad_y, weight, input_bias, outputs[1], *plan)
    conv.conv_backward_weight(x, grad_y, outputs[2], *plan)
    conv.sum_rows(grad_y, outputs[3])
    for got, expected in zip(outputs, passes(reference, case, arrays)):
        np.testing.assert_array_equal(to_host(got), expected)


@pytest.mark.parametrize("name", ["1-D", "groups, 1 x 1", "depthwise, three for each"])
def test_images_beyond_what_int32_counts_come_in_parts(name, rng, monkeypatch):
    case = ALL[name]._replace(images=3)
    if name == "groups, 1 x 1":
        case = case._replace(size=(2, 2), channels=3)
    monkeypatch.setattr(plain_conv, "MOST_PIXELS", 25)  # an image or two
    same(case, case.arrays(np.float32, rng))


# --- rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_rows_agree_with_the_reference(dtype, rng):
    for rows, C in product((0, 1, 2, 9, 70), (0, 1, 2, 5, 31, 32, 33)):
        x, out = rng.integers(-3, 4, (rows, C)).astype(dtype), np.full(C, 77, dtype)
        cuda.sum_rows(x, out)
        np.testing.assert_array_equal(out, x.sum(0), err_msg=f"{rows} x {C}")


def test_sums_of_many_rows_are_exact_enough():
    """One after the other, 20,000 times 0.1 is wrong in the fifth digit."""
    x, out = np.full((20_000, 1), 0.1, np.float32), np.empty(1, np.float32)
    cuda.sum_rows(x, out)
    exact = 20_000 * float(np.float32(0.1))
    assert abs(np.add.accumulate(x[:, 0])[-1] - exact) > 1e-5 * exact
    assert abs(out[0] - exact) < (1e-5 if SIMULATED else 1e-6) * exact


# --- tables ----------------------------------------------------------------------------------


def pairs_of(window, x_size, y_size):
    """{(output, pixel that it sees, place in the window)}, by the formula."""
    found = set()
    for o, (place, t) in product(product(*map(range, y_size)),
                                 enumerate(product(*map(range, window.kernel)))):
        pixel = tuple([i * s + k * d - low for i, s, k, d, (low, _) in zip(
            o, window.stride, t, window.dilation, window.padding)])
        if all(0 <= p < n for p, n in zip(pixel, x_size)):
            found.add((o, pixel, place))
    return found


def pairs_in(table, read_size):
    """[(written, read, place)] of a gather's tables, without what lies outside."""
    found, written = [], []
    for *size, d, h, w, first, count in table.host_phases:
        for o in product(*map(range, size)):
            to = tuple([i * s + b for i, s, b in zip(o, table.step, (d, h, w))])
            written.append(to)
            for *offset, place in table.host_taps[first:first + count]:
                pixel = tuple([i * s + f for i, s, f in zip(o, table.stride, offset)])
                if all(0 <= p < n for p, n in zip(pixel, read_size)):
                    found.append((to, pixel, place))
    return found, written


@pytest.mark.parametrize("name", [
    "strided", "stride 3 x 2", "stride beyond the window", "stride beyond the input", "huge stride",
    "asymmetric padding", "cropped and padded", "padding wider than the window",
    "stride 2, dilation 3", "stride 4, dilation 6", "stride 6, dilation 4", "no pixel comes out",
    "1-D", "3-D, strided, dilated"])
def test_tables_say_what_the_formula_says(name):
    case = CASES[name]
    x_size = (1,) * (3 - len(case.size)) + case.size
    y_size = case.window.output_size(x_size)
    expected = pairs_of(case.window, x_size, y_size)
    forward = gather.forward(case.window, x_size, y_size)
    found, written = pairs_in(forward, x_size)
    assert sorted(found) == sorted(expected)
    assert sorted(written) == sorted(product(*map(range, y_size)))

    backward = gather.backward(case.window, x_size, y_size)
    found, written = pairs_in(backward, y_size)
    assert sorted([(o, pixel, place) for pixel, o, place in found]) == sorted(expected)
    assert sorted(written) == sorted(product(*map(range, x_size)))
    for table in forward, backward:
        np.testing.assert_array_equal(to_host(table.phases).reshape(-1, 8), np.array(
            table.host_phases).reshape(-1, 8))
        assert to_host(table.taps).tolist() == [list(tap) for tap in table.host_taps]
        assert table.most_outputs == max([np.prod(p[:3]) for p in table.host_phases], default=0)


def test_algorithms_have_names(rng):
    for case, name in (CASES["1-D"], "plain"), (CASES["depthwise"], "depthwise"):
        x, weight, _, y, _ = map(to_device, case.arrays(np.float32, rng))
        assert conv.conv_algorithms(x, weight, y, case.window, case.groups) == (name,) * 3


# --- the tiles of a GPU, which the simulator takes some time for -------------------------------


@pytest.fixture
def tiles_of_a_gpu(monkeypatch):
    for module in gather_product, weight_product:
        monkeypatch.setattr(module, "SIMULATED", False)
    plain_conv._plan.cache_clear()
    plain_conv._weight_plan.cache_clear()
    yield monkeypatch
    plain_conv._plan.cache_clear()
    plain_conv._weight_plan.cache_clear()


@pytest.mark.skipif(not SIMULATED, reason="all other tests are of these tiles")
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("tile", "outputs"), [("narrow", 8), ("square", 36), ("large", 36)])
def test_tiles_of_a_gpu(tile, outputs, channels, tiles_of_a_gpu, rng):
    """Of one block each. Wide reads of channels are for 4 of them."""
    if tile == "large":
        tiles_of_a_gpu.setattr(plain_conv, "ENOUGH_BLOCKS", 1)
    case = Case((3, 3), (2, 3), channels, outputs, padding=SAME, images=1)
    x, weight, bias, grad_y, _ = case.arrays(np.float32, rng)
    y, expected = np.full_like(grad_y, 77), np.empty_like(grad_y)
    cuda.conv_forward(x, weight, bias, y, case.window, 1)
    reference.conv_forward(x, weight, bias, expected, case.window, 1)
    np.testing.assert_array_equal(y, expected)
    if tile != "large":
        got, expected = np.full_like(weight, 77), np.empty_like(weight)
        cuda.conv_backward_weight(x, grad_y, got, case.window, 1)
        reference.conv_backward_weight(x, grad_y, expected, case.window, 1)
        np.testing.assert_array_equal(got, expected)
