"""Convolution kernels: values by hand, every instruction set against the reference, threads.

Most data are small integers: every sum is exact in float32, so results must be equal, bit by bit,
and no tolerance hides an error. (Winograd's algorithm multiplies by fractions: test_winograd.py.)
"""

import itertools
from typing import NamedTuple

import numpy as np
import pytest

from tinycnn._core import cpu, reference
from tinycnn._core.cpu import runtime
from tinycnn._core.shapes import Window, three_axes

DTYPES = [np.float32, np.float64]


class Case(NamedTuple):
    """One convolution. Sizes of one, two or three axes; padding as (low, high) pairs."""

    size: tuple
    kernel: tuple
    channels: int = 3  # of a group
    out_channels: int = 4  # of a group
    stride: tuple = ()
    padding: tuple = ()
    dilation: tuple = ()
    groups: int = 1
    images: int = 2

    @property
    def window(self) -> Window:
        ones, none = (1,) * len(self.kernel), ((0, 0),) * len(self.kernel)
        return three_axes(self.kernel, self.stride or ones, self.padding or none,
                          self.dilation or ones)._replace(algorithm="direct")

    def arrays(self, dtype, rng, integers=True):
        """x, weight, bias, grad_y, as the kernels see them."""
        size = (1,) * (3 - len(self.size)) + self.size
        out = self.window.output_size(size)
        C, OC = self.channels * self.groups, self.out_channels * self.groups
        shapes = [(self.images, *size, C), (OC, self.channels, *self.window.kernel), (OC,),
                  (self.images, *out, OC), (C,)]
        draw = (lambda s: rng.integers(-3, 4, s)) if integers else rng.standard_normal
        x, weight, bias, grad_y, input_bias = [draw(s).astype(dtype) for s in shapes]
        return x, weight.transpose(0, 2, 3, 4, 1), bias, grad_y, input_bias


def run(kernels, case, x, weight, bias, grad_y, input_bias):
    """All passes, into memory that holds something else before."""
    window, groups = case.window, case.groups
    results = [np.full_like(a, 77) for a in (grad_y, grad_y, grad_y, x, x, weight, bias, x, weight)]
    y, y_plain, y_relu, grad_x, transposed, grad_weight, grad_bias, *both = results
    kernels.conv_forward(x, weight, bias, y, window, groups)
    kernels.conv_forward(x, weight, None, y_plain, window, groups)
    kernels.conv_forward(x, weight, bias, y_relu, window, groups, True)
    kernels.conv_backward_input(grad_y, weight, None, grad_x, window, groups)
    kernels.conv_backward_input(grad_y, weight, input_bias, transposed, window, groups)
    kernels.conv_backward_weight(x, grad_y, grad_weight, window, groups)
    kernels.sum_rows(grad_y, grad_bias)
    kernels.conv_backward(x, grad_y, weight, *both, window, groups)
    return results


CASES = {
    "one pixel": Case((1, 1), (1, 1), 1, 1, images=1),
    "one pixel, wide window in padding": Case((1, 1), (3, 3), padding=((1, 1), (1, 1))),
    "no image": Case((5, 5), (3, 3), images=0),
    "no pixel, only padding": Case((0, 4), (1, 1), padding=((1, 1), (0, 0))),
    "no pixel comes out": Case((0, 4), (1, 1)),
    "no pixel comes out of some": Case((2, 9), (3, 3)),
    "window = input": Case((5, 7), (5, 7)),
    "window = padded input": Case((3, 2), (5, 7), padding=((1, 1), (2, 3))),
    "padding wider than the window": Case((3, 4), (2, 2), padding=((4, 5), (6, 3))),
    "cropped by negative padding": Case((9, 12), (3, 3), padding=((-1, -2), (-2, -1))),
    "cropped and padded": Case((9, 12), (3, 3), padding=((-1, 2), (3, -4))),
    "asymmetric padding": Case((6, 9), (3, 4), padding=((0, 2), (3, 1))),
    "strided": Case((11, 13), (3, 3), stride=(2, 2)),
    "stride 3 x 2": Case((12, 11), (3, 2), stride=(3, 2), padding=((1, 0), (0, 1))),
    "stride beyond the window": Case((11, 13), (2, 1), stride=(4, 5)),
    "stride beyond the input": Case((5, 6), (3, 3), stride=(100, 1000)),
    "huge stride": Case((5, 6), (3, 3), stride=(2**31 - 1, 2**31 - 1), images=1),
    "dilated": Case((11, 12), (3, 3), dilation=(2, 3)),
    "dilated beyond the input": Case((3, 4), (2, 2), dilation=(7, 9), padding=((4, 3), (5, 4))),
    "stride 2, dilation 2": Case((12, 13), (3, 3), 3, 4, (2, 2), ((2, 2), (2, 1)), (2, 2)),
    "stride 2, dilation 3": Case((15, 16), (3, 4), stride=(2, 2), dilation=(3, 3)),
    "stride 4, dilation 6": Case((25, 26), (4, 3), stride=(4, 4), dilation=(6, 6)),
    "stride 6, dilation 4": Case((25, 26), (4, 5), 3, 4, (6, 6), ((3, 0), (1, 5)), (4, 4)),
    "1 x 1": Case((7, 9), (1, 1), 16, 32),
    "1 x 1, rows 1 KB apart": Case((4, 5), (1, 1), 256, 8),
    "1 x 1, strided": Case((7, 9), (1, 1), 5, 6, stride=(2, 2)),
    "rows of a tile 4 KB apart": Case((3, 9), (1, 2), 1024, 3, images=1),
    "rows of im2col 1 KB apart": Case((3, 6), (2, 2), 64, 3),
    "wide row": Case((1, 300), (1, 3), 2, 5, images=1),
    "high column": Case((300, 1), (3, 1), 2, 5, images=1),
    "first layer": Case((35, 37), (11, 11), 3, 33, (4, 4), ((2, 2), (2, 2)), images=1),
    "LeNet 1": Case((28, 28), (5, 5), 1, 6, images=3),
    "LeNet 2": Case((14, 14), (5, 5), 6, 16, images=3),
    "many taps, few channels": Case((17, 18), (16, 15), 2, 3, images=1),
    "depth in several blocks of taps": Case((4, 5), (3, 3), 400, 9, images=1),
    "strip in several blocks of taps": Case((4, 9), (3, 3), 300, 65, images=1),
    "weights beyond the second cache": Case((4, 9), (3, 3), 300, 210, images=2),
    "many chunks of pixels": Case((40, 41), (3, 3), 2, 3, images=5),
    "groups": Case((8, 9), (3, 3), 3, 4, groups=3),
    "groups, im2col": Case((4, 5), (3, 3), 3, 4, groups=3, padding=((1, 1), (1, 1))),
    "groups, strided, dilated": Case((13, 15), (3, 3), 5, 2, (2, 3), ((1, 2), (2, 0)), (2, 1), 4),
    "groups, 1 x 1": Case((8, 9), (1, 1), 8, 8, groups=2),
    "depthwise": Case((9, 10), (3, 3), 1, 1, padding=((1, 1), (1, 1)), groups=33),
    "depthwise, two for each": Case((9, 10), (3, 3), 1, 2, stride=(2, 2), groups=17),
    "depthwise, cropped": Case((12, 9), (3, 2), 1, 1, (2, 1), ((-1, 3), (0, 4)), (2, 3), 70),
    "depthwise, window = input": Case((3, 3), (3, 3), 1, 1, groups=18),
    "depthwise, small map": Case((4, 4), (3, 3), 1, 1, padding=((1, 1), (1, 1)), groups=16),
    "depthwise, patches": Case((11, 14), (3, 3), 1, 1, padding=((1, 1), (1, 1)), groups=65),
    "depthwise, below a patch": Case((3, 7), (3, 3), 1, 1, padding=((1, 1),) * 2, groups=64),
    "depthwise, above a patch": Case((5, 9), (3, 3), 1, 1, padding=((1, 1),) * 2, groups=17),
    "depthwise, padding beyond the window": Case((2, 3), (3, 3), 1, 1, padding=((5, 4), (3, 6)),
                                                 groups=16),
    "depthwise, not padded": Case((13, 6), (3, 3), 1, 1, padding=((0, 0), (-1, 0)), groups=79),
    "depthwise, stride 2": Case((9, 21), (3, 3), 1, 1, (2, 2), ((1, 1), (1, 1)), groups=16),
    "depthwise, 5 x 5": Case((6, 17), (5, 5), 1, 1, padding=((2, 2), (2, 2)), groups=20),
    "depthwise, 7 x 7": Case((8, 18), (7, 7), 1, 1, padding=((3, 3), (3, 3)), groups=16),
    "depthwise, fewer channels than lanes": Case((5, 9), (3, 3), 1, 1, groups=3),
    "narrow, 2 a group": Case((5, 10), (3, 3), 2, 2, padding=((1, 1), (1, 1)), groups=9),
    "narrow, 4 a group": Case((6, 13), (3, 3), 4, 4, padding=((1, 1), (1, 1)), groups=5),
    "narrow, 4 a group, stride 2": Case((9, 20), (3, 3), 4, 4, (2, 2), ((1, 1), (1, 1)), groups=8),
    "narrow, 8 a group": Case((5, 8), (3, 3), 8, 8, padding=((1, 1), (1, 1)), groups=3),
    "narrow, 8 a group, 3 x 5": Case((9, 14), (3, 5), 8, 8, (1, 2), ((1, 1), (4, 1)), groups=2),
    "narrow, dilated": Case((7, 12), (3, 3), 4, 4, (1, 1), ((2, 2), (2, 2)), (2, 2), 4),
    "narrow, 3-D": Case((3, 4, 9), (3, 3, 3), 4, 4, padding=((1, 1),) * 3, groups=4),
    "1-D": Case((20,), (5,), 4, 7, (2,), ((2, 1),)),
    "1-D, one pixel": Case((1,), (1,), 1, 1),
    "3-D": Case((5, 6, 9), (3, 2, 3), padding=((1, 0), (0, 1), (1, 1))),
    "3-D, strided, dilated": Case((7, 8, 9), (2, 3, 2), stride=(2, 1, 3), dilation=(3, 2, 1)),
    "3-D, depthwise": Case((5, 6, 8), (3, 3, 3), 1, 1, groups=5),
    "3-D, window of depth 1": Case((1, 6, 9), (1, 3, 3)),
    "3-D, strips": Case((4, 5, 8), (3, 3, 3), 3, 33, padding=((1, 1),) * 3),
    "3-D, planes of padding": Case((2, 4, 9), (2, 3, 3), 3, 5, padding=((3, 4), (1, 1), (0, 0))),
    "3-D, one plane read": Case((3, 6, 9), (1, 3, 3), padding=((-1, -1), (0, 0), (0, 0))),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_kernels_agree_with_the_reference(name, dtype, isa, rng):
    arrays = CASES[name].arrays(dtype, rng)
    for expected, got in zip(run(reference, CASES[name], *arrays), run(cpu, CASES[name], *arrays)):
        np.testing.assert_array_equal(got, expected)


# One below, at and one above every size at which code changes: tiles of MR = 6 or 14 rows and one
# or two vectors of 2 to 16 lanes, strips from 7 output pixels on, tiles of 16 * MR pixels.
CHANNELS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
SIZES = (1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 27, 28, 29)


def _drawn(rng):
    """A case with every size drawn from those where code changes; small on the whole."""
    dims = rng.choice([1, 2, 2, 2, 3])
    sizes = SIZES if dims < 3 else SIZES[:8]
    kernel = tuple([int(k) for k in rng.choice([1, 1, 2, 3, 3, 5], dims)])
    dilation = tuple([int(d) for d in rng.choice([1, 1, 1, 2, 3], dims)])
    stride = tuple([int(s) for s in rng.choice([1, 1, 1, 2, 3], dims)])
    size, padding = [], []
    for k, d in zip(kernel, dilation):
        low, high = (int(p) for p in rng.integers(-1, 4, 2))
        span = d * (k - 1) + 1
        size.append(max(int(rng.choice(sizes)), span - low - high, -min(low, 0) - min(high, 0)))
        padding.append((low, high))
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    C, OC = (int(c) for c in rng.choice(CHANNELS, 2))
    if np.prod(size) * C * OC * np.prod(kernel) * groups > 2e6:  # one of them large is enough
        C, OC = (C, 3) if C > OC else (2, OC)
    if rng.random() < 0.2:  # depthwise
        C, OC, groups = 1, int(rng.choice([1, 1, 2])), int(rng.choice([*CHANNELS, 130]))
    elif rng.random() < 0.2:  # narrow groups
        C = OC = int(rng.choice([2, 4, 8]))
        groups = int(rng.choice([2, 3, 4, 7, 8, 9, 17]))
    return Case(tuple(size), kernel, C, OC, stride, tuple(padding), dilation, groups,
                int(rng.choice([1, 2, 3])))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(6))
def test_kernels_agree_with_the_reference_on_sizes_around_those_of_tiles(seed, dtype, isa):
    rng = np.random.default_rng(seed)
    for _ in range(25):
        case = _drawn(rng)
        arrays = case.arrays(dtype, rng)
        for expected, got in zip(run(reference, case, *arrays), run(cpu, case, *arrays)):
            np.testing.assert_array_equal(got, expected, err_msg=str(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
def test_depthwise_agrees_with_the_reference_on_sizes_around_those_of_patches(
        kernel, stride, dtype, isa):
    """Patches of 2 or 4 x 4 pixels of y or x, slices of 512 channels, any padding."""
    rng = np.random.default_rng(kernel * stride)
    for size in itertools.product((1, 3, 4, 5, 8, 9), (2, 4, 7, 8, 9)):
        padding = []
        for n in size:
            low, high = (int(p) for p in rng.integers(-1, kernel + 1, 2))
            fits = n + low + high >= kernel and n + min(low, 0) + min(high, 0) >= 0
            padding.append((low, high) if fits else (kernel // 2, kernel // 2))
        case = Case(size, (kernel, kernel), 1, 1, (stride, stride), tuple(padding), (),
                    int(rng.choice([15, 16, 17, 33, 64, 511, 512, 513])), int(rng.integers(0, 4)))
        arrays = case.arrays(dtype, rng)
        for expected, got in zip(run(reference, case, *arrays), run(cpu, case, *arrays)):
            np.testing.assert_array_equal(got, expected, err_msg=str(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["LeNet 2", "strip in several blocks of taps", "3-D",
                                  "depthwise, patches", "depthwise, 5 x 5",
                                  "many chunks of pixels", "groups, strided, dilated"])
def test_rounding_stays_within_the_bound_of_a_sum(name, dtype, isa, rng):
    """A sum of n products, in any order, errs by less than n * eps * the sum of their sizes."""
    case = CASES[name]
    arrays = case.arrays(dtype, rng, integers=False)
    exact = run(reference, case, *[a.astype(np.longdouble) for a in arrays])
    sizes = run(reference, case, *[abs(a).astype(np.longdouble) for a in arrays])
    _, weight, _, grad_y, _ = arrays
    terms = [weight[0].size + 1] * 3 + [weight[..., 0].size + 1] * 2 + [grad_y[..., 0].size] * 2
    terms += terms[3::2][:2]
    for got, expected, size, n in zip(run(cpu, case, *arrays), exact, sizes, terms):
        assert np.all(abs(got - expected) <= n * np.finfo(dtype).eps * size)


# --- by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kernels", [reference, cpu], ids=["reference", "cpu"])
def test_values_by_hand(kernels):
    """x = 1 2 3   k = 1 0   bias 10, padded by a column of zeros on the right.
           4 5 6       0 2"""
    x = np.array([[1, 2, 3], [4, 5, 6]], np.float32).reshape(1, 1, 2, 3, 1)
    weight = np.array([[1, 0], [0, 2]], np.float32).reshape(1, 1, 2, 2, 1)
    window = three_axes((2, 2), (1, 1), ((0, 0), (0, 1)), (1, 1))
    y = np.empty((1, 1, 1, 3, 1), np.float32)
    kernels.conv_forward(x, weight, np.array([10], np.float32), y, window, 1)
    assert y.ravel().tolist() == [10 + 1 + 2 * 5, 10 + 2 + 2 * 6, 10 + 3]

    grad_y = np.array([1, 10, 100], np.float32).reshape(y.shape)
    grad_x, grad_weight = np.empty_like(x), np.empty_like(weight)
    kernels.conv_backward_input(grad_y, weight, None, grad_x, window, 1)
    assert grad_x.ravel().tolist() == [1, 10, 100, 0, 2, 20]
    kernels.conv_backward_weight(x, grad_y, grad_weight, window, 1)
    assert grad_weight.ravel().tolist() == [321, 32, 654, 65]
    grad_bias = np.empty(1, np.float32)
    kernels.sum_rows(grad_y, grad_bias)
    assert grad_bias.tolist() == [111]


@pytest.mark.parametrize("kernels", [reference, cpu], ids=["reference", "cpu"])
def test_strided_dilated_groups_by_hand(kernels):
    """Two groups, x = 1 .. 7 and 10 .. 70; taps 2 apart, windows 3 apart: pixels 0, 2 and 3, 5."""
    x = np.outer(np.arange(1, 8), [1, 10]).astype(np.float64).reshape(1, 1, 1, 7, 2)
    weight = np.array([[1, 2], [3, -1]], np.float64).reshape(2, 1, 1, 2, 1)
    window = three_axes((2,), (3,), ((0, 0),), (2,))
    y = np.empty((1, 1, 1, 2, 2))
    kernels.conv_forward(x, weight, None, y, window, 2)
    assert y.reshape(2, 2).T.tolist() == [[1 + 2 * 3, 4 + 2 * 6], [3 * 10 - 30, 3 * 40 - 60]]
    grad_x, grad_y = np.empty_like(x), np.ones_like(y)
    kernels.conv_backward_input(grad_y, weight, None, grad_x, window, 2)
    assert grad_x.reshape(7, 2).T.tolist() == [[1, 0, 2, 1, 0, 2, 0], [3, 0, -1, 3, 0, -1, 0]]
    grad_weight = np.empty_like(weight)
    kernels.conv_backward_weight(x, grad_y, grad_weight, window, 2)
    assert grad_weight.reshape(2, 2).tolist() == [[1 + 4, 3 + 6], [10 + 40, 30 + 60]]


# --- memory ----------------------------------------------------------------------------------


# What a row of weights holds, k x C numbers, is turned into columns a square of lanes at a time.
@pytest.mark.parametrize("layout", ["C", "channels last", "reversed", "spread", "one for all"])
@pytest.mark.parametrize("case", [
    Case((9, 8), (3, 2), 3, 18, groups=2),
    Case((9, 8), (3, 3), 5, 33),
    Case((4, 4), (1, 1), 16, 17),
    Case((3, 9), (1, 1), 15, 64),
    Case((4, 5, 8), (2, 1, 4), 4, 9),
], ids=str)
def test_weights_may_have_any_strides(case, layout, isa, rng):
    x, weight, bias, grad_y, input_bias = case.arrays(np.float32, rng)
    laid_out = {
        "C": lambda w: np.ascontiguousarray(w.transpose(0, 4, 1, 2, 3)).transpose(0, 2, 3, 4, 1),
        "channels last": np.ascontiguousarray,
        "reversed": lambda w: w[::-1, :, ::-1, ::-1, ::-1].copy()[::-1, :, ::-1, ::-1, ::-1],
        "spread": lambda w: np.repeat(np.repeat(w, 2, 0), 3, 4)[::2, :, :, :, ::3],
        "one for all": lambda w: np.broadcast_to(w[:1], w.shape),
    }[layout]
    weight = laid_out(weight)
    expected = run(reference, case, x, weight, bias, grad_y, input_bias)
    weight.flags.writeable = False
    for a, b in zip(run(cpu, case, x, weight, bias, grad_y, input_bias), expected):
        np.testing.assert_array_equal(a, b)
    if layout != "one for all":
        grad_weight = laid_out(np.full(weight.shape, 77, np.float32))
        cpu.conv_backward_weight(x, grad_y, grad_weight, case.window, case.groups)
        np.testing.assert_array_equal(grad_weight, expected[5])


@pytest.mark.parametrize("stride", [(1, 1), (2, 2)])
def test_weights_and_their_gradient_may_have_different_strides(stride, isa, rng):
    case = Case((9, 8), (3, 3), 1, 1, stride, ((1, 1), (1, 1)), groups=33)
    x, weight, _, grad_y, _ = case.arrays(np.float32, rng)
    expected, got = [], []
    for kernels, results in (reference, expected), (cpu, got):
        results += np.empty_like(x), np.empty((*weight.shape[1:], 33), np.float32)
        kernels.conv_backward(x, grad_y, weight, results[0], np.moveaxis(results[1], -1, 0),
                              case.window, case.groups)
    for a, b in zip(got, expected):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["LeNet 2", "groups, im2col", "stride 6, dilation 4", "3-D",
                                  "3-D, planes of padding", "narrow, 4 a group", "depthwise",
                                  "depthwise, 5 x 5", "depthwise, stride 2",
                                  "narrow, 8 a group, 3 x 5", "1 x 1", "window = input",
                                  "cropped and padded"])
def test_nothing_is_read_or_written_outside_the_arrays(name, isa, rng, guard):
    case = CASES[name]
    inputs = case.arrays(np.float32, rng)
    x, weight, bias, grad_y, input_bias = map(guard, inputs)
    weight = guard(weight.transpose(0, 4, 1, 2, 3)).transpose(0, 2, 3, 4, 1)
    outputs = [guard(a) for a in (grad_y, x, weight, x, weight)]
    cpu.conv_forward(x, weight, bias, outputs[0], case.window, case.groups)
    cpu.conv_backward_input(grad_y, weight, input_bias, outputs[1], case.window, case.groups)
    cpu.conv_backward_weight(x, grad_y, outputs[2], case.window, case.groups)
    cpu.conv_backward(x, grad_y, weight, *outputs[3:], case.window, case.groups)
    assert all(np.isfinite(y).all() for y in outputs)


@pytest.mark.parametrize("name", ["LeNet 2", "many taps, few channels", "1 x 1, strided"])
def test_nan_reaches_the_windows_that_see_it_and_no_other(name, isa, rng):
    case = CASES[name]
    x, weight, bias, _, _ = case.arrays(np.float32, rng)
    weight = np.abs(weight) + 1
    x[0, 0, 4, 4, 0] = np.nan
    results = []
    for kernels in reference, cpu:
        y = np.zeros((*x.shape[:1], *case.window.output_size(x.shape[1:4]), bias.size), np.float32)
        kernels.conv_forward(x, weight, bias, y, case.window, case.groups)
        results.append(y)
    assert 0 < np.isnan(results[0]).sum() < results[0].size or name != "LeNet 2"
    np.testing.assert_array_equal(results[1], results[0])


@pytest.mark.parametrize("name", ["depthwise, patches", "depthwise, stride 2", "depthwise, 5 x 5"])
def test_nan_of_an_edge_reaches_the_weights_that_see_it_and_no_other(name, isa, rng):
    """What a patch reads outside of a map is zero, and zero times NaN would be NaN."""
    case = CASES[name]
    x, weight, _, grad_y, _ = case.arrays(np.float32, rng)
    x[0, 0, 0, 0] = x[0, 0, -1, -1] = np.nan
    grads = []
    for kernels in reference, cpu:
        grad_x, grad_weight = np.empty_like(x), np.empty_like(weight)
        kernels.conv_backward(x, grad_y, weight, grad_x, grad_weight, case.window, case.groups)
        grads.append(grad_weight)
    assert 0 < np.isnan(grads[0]).sum() < grads[0].size
    np.testing.assert_array_equal(grads[1], grads[0])


# --- threads ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", [
    Case((23, 25), (3, 3), 9, 17, padding=((1, 1), (1, 1)), images=3),
    Case((23, 25), (3, 3), 9, 17, stride=(2, 2), images=3),
    Case((4, 5), (3, 3), 70, 33, padding=((1, 1), (1, 1)), images=16),
    Case((19, 10), (3, 3), 1, 1, padding=((1, 1), (1, 1)), groups=69, images=4),
    Case((19, 10), (5, 5), 1, 1, (2, 2), ((2, 2), (2, 2)), groups=69, images=4),
    Case((19, 10), (3, 3), 4, 4, padding=((1, 1), (1, 1)), groups=17, images=4),
    Case((19, 10), (1, 1), 64, 70, images=4),
    Case((7, 9, 11), (3, 3, 3), 4, 5, images=2),
], ids=["strip", "strided", "im2col", "depthwise", "depthwise 5 x 5", "narrow", "1 x 1", "3-D"])
def test_bits_do_not_depend_on_the_number_of_threads(case, dtype, isa, rng, set_threads):
    arrays = case.arrays(dtype, rng, integers=False)
    set_threads(1)
    alone = run(cpu, case, *arrays)
    for threads in 2, 3, 5:
        set_threads(threads)
        for _ in range(2):
            for a, b in zip(alone, run(cpu, case, *arrays)):
                assert a.tobytes() == b.tobytes()


def test_kernels_serve_float32_and_float64_only(rng):
    case = CASES["3-D"]
    arrays = [a.astype(np.float16) for a in case.arrays(np.float32, rng)]
    with pytest.raises(TypeError, match=r"expected float32 or float64, got float16\. Convert"):
        run(cpu, case, *arrays)


def test_an_unknown_instruction_set_is_refused():
    with pytest.raises(ValueError, match=r"expected one of baseline.*got 'sse9'\. Unset it"):
        runtime.set_isa("sse9")
