"""Windows as columns and back, channels that become pixels, and channels dealt out: against their
formulas in plain loops, gradients, memory layouts, text and messages."""

import numpy as np
import pytest
from on_device import Hosted

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import cpu, device_kernels, reference
from tinycnn._core.shapes import Window
from tinycnn.testing import gradcheck

DEVICES = {"cpu": cpu, "cuda": Hosted(device_kernels("cuda"))}


def draw(*shape, dtype="float64", seed=0):
    return tinycnn.tensor(np.random.default_rng(seed).standard_normal(shape), dtype=dtype,
                          requires_grad=True)


WINDOWS = [  # shape, kernel_size, dilation, padding, stride
    ((2, 3, 5, 6), 2, 1, 0, 1), ((3, 5, 6), (2, 3), 1, 1, 2), ((1, 1, 4, 4), 4, 1, 0, 1),
    ((2, 2, 7, 8), (3, 2), (2, 3), (2, 0), (1, 3)), ((0, 2, 4, 4), 3, 1, 1, 1),
    ((2, 1, 1, 1), 1, 1, 0, 1), ((1, 2, 6, 6), 2, 1, 0, 3), ((1, 1, 2, 2), 1, 1, 3, 2),
]


def pairs(*values):
    return [v if isinstance(v, tuple) else (v, v) for v in values]


def loops(shape, kernel, dilation, padding, stride):
    """(column row, column, (n, c, h, w)) of every number of unfold that lies in the image."""
    (KH, KW), (DH, DW), (PH, PW), (SH, SW) = pairs(kernel, dilation, padding, stride)
    N, C, H, W = shape if len(shape) == 4 else (1, *shape)
    OH, OW = (H + 2 * PH - DH * (KH - 1) - 1) // SH + 1, (W + 2 * PW - DW * (KW - 1) - 1) // SW + 1
    places = []
    for n, c, p, q, i, j in np.ndindex(N, C, KH, KW, OH, OW):
        h, w = i * SH + p * DH - PH, j * SW + q * DW - PW
        if 0 <= h < H and 0 <= w < W:
            places.append((n, (c * KH + p) * KW + q, i * OW + j, (n, c, h, w)))
    return (N, C * KH * KW, OH * OW), places


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", WINDOWS, ids=str)
def test_unfold_and_fold_are_their_formulas(case, dtype):
    shape, *settings = case
    x = draw(*shape, dtype=dtype)
    size, places = loops(shape, *settings)
    images = x.detach().numpy().reshape((-1, *shape[-3:])) if x.numel() else np.zeros(shape)
    expected = np.zeros(size, dtype)
    for n, row, column, pixel in places:
        expected[n, row, column] = images[pixel]
    y = F.unfold(x, *settings)
    assert y.shape == (size if len(shape) == 4 else size[1:])
    np.testing.assert_array_equal(y.detach().numpy().reshape(size), expected)

    columns = draw(*y.shape, dtype=dtype, seed=1)
    given = columns.detach().numpy().reshape(size)
    total = np.zeros((size[0], *shape[-3:]))
    for n, row, column, pixel in places:
        total[pixel] += given[n, row, column]
    back = F.fold(columns, shape[-2:], *settings)
    assert (back.shape, str(back.dtype)) == (shape, dtype)
    np.testing.assert_allclose(back.detach().numpy().reshape(total.shape), total,
                               atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("case", WINDOWS, ids=str)
def test_gradients_of_unfold_and_fold(case):
    shape, *settings = case
    x = draw(*shape)
    assert gradcheck(lambda x: F.unfold(x, *settings), x)
    columns = draw(*F.unfold(x, *settings).shape, seed=1)
    assert gradcheck(lambda y: F.fold(y, shape[-2:], *settings), columns)


def test_unfold_by_hand_and_a_convolution_as_a_matrix_product():
    x = tinycnn.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    assert F.unfold(x, 2).tolist() == [[1, 2], [2, 3], [4, 5], [5, 6]]
    assert F.unfold(x, (2, 1), padding=(1, 0), stride=(2, 1)).tolist() == [
        [0, 0, 0, 4, 5, 6], [1, 2, 3, 0, 0, 0]]
    image, weight = draw(2, 3, 6, 7), draw(4, 3, 3, 2, seed=1)
    product = weight.reshape(4, -1) @ F.unfold(image, (3, 2), padding=1, stride=2)
    np.testing.assert_allclose(product.detach().numpy().reshape(2, 4, 3, 4),
                               F.conv2d(image, weight, None, 2, 1).detach().numpy(), atol=1e-12)


def test_fold_of_unfold_counts_the_windows_of_each_pixel():
    ones = tinycnn.ones(1, 1, 4, 5)
    assert F.fold(F.unfold(ones, 2), (4, 5), 2).tolist() == [[[
        [1, 2, 2, 2, 1], [2, 4, 4, 4, 2], [2, 4, 4, 4, 2], [1, 2, 2, 2, 1]]]]


# --- kernels

KERNELS = [  # images, channels, size, window: kernel, stride, padding, dilation
    (2, 3, (1, 4, 5), Window((1, 2, 3), (1, 1, 1), ((0, 0),) * 3, (1, 1, 1))),
    (1, 4, (3, 4, 3), Window((2, 1, 2), (1, 2, 1), ((1, 0), (0, 1), (2, 2)), (1, 1, 2))),
    (3, 1, (1, 1, 7), Window((1, 1, 3), (1, 1, 2), ((0, 0), (0, 0), (3, 1)), (1, 1, 2))),
    (2, 17, (1, 3, 4), Window((1, 3, 2), (1, 2, 3), ((0, 0), (2, 2), (1, 4)), (1, 1, 1))),
    (1, 2, (2, 2, 2), Window((1, 1, 1), (3, 3, 3), ((4, 0), (0, 5), (0, 0)), (1, 1, 1))),
    (0, 2, (1, 3, 3), Window((1, 2, 2), (1, 1, 1), ((0, 0),) * 3, (1, 1, 1))),
    (2, 0, (1, 3, 3), Window((1, 2, 2), (1, 1, 1), ((0, 0),) * 3, (1, 1, 1))),
]


def all_four(kernels, images, channels, size, window, dtype):
    """What each kernel fills arrays that were full of 77 with."""
    rng = np.random.default_rng(0)
    out, places = window.output_size(size), int(np.prod(window.kernel))
    shapes = (images, channels, *size), (images, channels, places, *out)
    pixels = (images, *size, channels), (*out, images, places, channels)
    results = []
    for unfold, fold, (x, y) in (("unfold", "fold", shapes),
                                 ("unfold_pixels", "fold_pixels", pixels)):
        for name, given, made in (unfold, x, y), (fold, y, x):
            result = np.full(made, 77, dtype)
            getattr(kernels, name)(rng.standard_normal(given).astype(dtype), result, window)
            results.append(result)
    return results


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", KERNELS, ids=range(len(KERNELS)))
def test_kernels_give_the_bits_of_the_reference(case, dtype, device, set_threads):
    """Sums, too: each is added up in one order."""
    expected = all_four(reference, *case, dtype)
    for threads in 1, 3:
        set_threads(threads)
        for a, b in zip(expected, all_four(DEVICES[device], *case, dtype)):
            np.testing.assert_array_equal(b, a)


def test_many_threads_give_the_bits_of_the_reference(set_threads):
    window = Window((1, 3, 3), (1, 1, 2), ((0, 0), (1, 1), (1, 1)), (1, 1, 1))
    expected = all_four(reference, 3, 24, (1, 20, 21), window, np.float32)
    for threads in 1, 2, 5:
        set_threads(threads)
        for a, b in zip(expected, all_four(cpu, 3, 24, (1, 20, 21), window, np.float32)):
            np.testing.assert_array_equal(b, a)


def test_both_layouts_hold_the_same_windows():
    images, channels, size, window = KERNELS[1]
    x = np.random.default_rng(0).standard_normal((images, channels, *size))
    out, places = window.output_size(size), int(np.prod(window.kernel))
    a = np.empty((images, channels, places, *out))
    b = np.empty((*out, images, places, channels))
    reference.unfold(x, a, window)
    reference.unfold_pixels(np.ascontiguousarray(np.moveaxis(x, 1, -1)), b, window)
    np.testing.assert_array_equal(b.transpose(3, 5, 4, 0, 1, 2), a)


@pytest.mark.parametrize("name", ["unfold", "fold", "unfold_pixels", "fold_pixels"])
def test_arrays_that_do_not_fit_are_refused(name):
    window = KERNELS[0][-1]
    x, y = np.zeros((2, 3, 1, 4, 5)), np.zeros((2, 3, 5, 1, 3, 3))
    given = (x, y) if name.startswith("un") else (y, x)
    with pytest.raises(ValueError, match="windows: expected y with a number for each place"):
        getattr(cpu, name)(*given, window)


# --- shuffles

SHUFFLES = [((2, 8, 3, 4), 2), ((9, 2, 1), 3), ((2, 3, 4, 5, 2), 2), ((1, 5, 3, 3), 1),
            ((0, 4, 2, 2), 2), ((2, 0, 3, 3), 3), ((2, 12, 1, 1), 2), ((2, 2, 2, 4, 1, 2), 2)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize(("shape", "r"), SHUFFLES)
def test_pixel_shuffle_is_its_formula_and_undone(shape, r, dtype):
    x = tinycnn.tensor(np.random.default_rng(0).integers(0, 100, shape)).to(dtype)
    *lead, C, H, W = shape
    y = F.pixel_shuffle(x, r)
    expected = np.zeros((*lead, C // (r * r), H * r, W * r), x.dtype)
    for c, i, j, h, w in np.ndindex(C // (r * r), r, r, H, W):
        expected[..., c, h * r + i, w * r + j] = x.numpy()[..., c * r * r + i * r + j, h, w]
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y.numpy(), expected)
    np.testing.assert_array_equal(F.pixel_unshuffle(y, r).numpy(), x.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize(("shape", "groups"), [
    ((2, 6, 3, 4), 2), ((2, 6, 3, 4), 3), ((1, 4, 2), 4), ((2, 6, 1, 2, 3), 1), ((0, 4, 2, 2), 2),
    ((2, 0, 3), 5), ((3, 12, 5), 6)])
def test_channel_shuffle_is_its_formula(shape, groups, dtype):
    x = tinycnn.tensor(np.random.default_rng(0).integers(0, 100, shape)).to(dtype)
    each = shape[1] // groups
    expected = np.zeros(shape, x.dtype)
    for g, i in np.ndindex(groups, each):
        expected[:, i * groups + g] = x.numpy()[:, g * each + i]
    np.testing.assert_array_equal(F.channel_shuffle(x, groups).numpy(), expected)


def test_gradients_of_shuffles():
    for shape in (2, 8, 2, 3), (4, 2, 2), (2, 2, 4, 1, 2):
        assert gradcheck(lambda x: F.pixel_shuffle(x, 2), draw(*shape))
    for shape in (2, 3, 4, 2), (1, 2, 2), (2, 2, 1, 4, 2):
        assert gradcheck(lambda x: F.pixel_unshuffle(x, 2), draw(*shape))
    for groups in 2, 3:
        assert gradcheck(lambda x, g=groups: F.channel_shuffle(x, g), draw(2, 6, 3))


def test_what_convolutions_read_next_lies_channels_last():
    x = tinycnn.tensor(np.moveaxis(np.zeros((2, 4, 5, 8), "f4"), -1, 1), requires_grad=True)
    for y in F.pixel_shuffle(x, 2), F.pixel_unshuffle(x[:, :, :, :4], 2), F.channel_shuffle(x, 4):
        assert y.data.transpose(0, 2, 3, 1).flags.c_contiguous
    plain = tinycnn.zeros(2, 8, 4, 5)
    assert F.channel_shuffle(plain, 2).data.flags.c_contiguous


# --- all of them

CASES = {
    "unfold": (lambda x: F.unfold(x, (2, 3), padding=1, stride=2), (2, 3, 5, 4)),
    "fold": (lambda x: F.fold(x, (4, 5), 2), (2, 12, 12)),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), (2, 8, 3, 2)),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), (2, 2, 4, 6)),
    "channel_shuffle": (lambda x: F.channel_shuffle(x, 3), (2, 6, 3, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_inputs_may_lie_in_memory_in_any_way(name):
    function, shape = CASES[name]
    values = np.random.default_rng(0).standard_normal(shape)
    expected = function(tinycnn.tensor(values)).numpy()
    gaps = np.full([2 * n for n in shape], np.nan)[(slice(None, None, 2),) * len(shape)]
    gaps[...] = values
    backwards = values[:, ::-1].copy()[:, ::-1]
    wide = np.broadcast_to(values[:, :, :1], shape)
    x = tinycnn.zeros(1)
    for x.data in np.asfortranarray(values), gaps, backwards:
        np.testing.assert_array_equal(function(x).numpy(), expected)
    x.data = wide
    np.testing.assert_array_equal(function(x).numpy(), function(tinycnn.tensor(wide)).numpy())


def test_text_is_that_of_pytorch():
    assert repr(nn.Unfold(3, padding=(1, 0))) == (
        "Unfold(kernel_size=3, dilation=1, padding=(1, 0), stride=1)")
    assert repr(nn.Fold((4, 5), (3, 2), stride=2)) == (
        "Fold(output_size=(4, 5), kernel_size=(3, 2), dilation=1, padding=0, stride=2)")
    assert repr(nn.PixelShuffle(3)) == "PixelShuffle(upscale_factor=3)"
    assert repr(nn.PixelUnshuffle(2)) == "PixelUnshuffle(downscale_factor=2)"
    assert repr(nn.ChannelShuffle(2)) == "ChannelShuffle(groups=2)"


X = tinycnn.ones(1, 4, 3, 5)
MESSAGES = [
    (lambda: F.unfold(X[0, 0], 2), ValueError,
     r"unfold: expected input \(N, C, H, W\) or \(C, H, W\), with channels and pixels, got \(3, "),
    (lambda: F.unfold(X[:, :0], 2), ValueError, "with channels and pixels"),
    (lambda: F.unfold(X, 4), ValueError, r"unfold: expected an input that the window \(4, 4\)"),
    (lambda: F.unfold(X, 2, stride=0), ValueError, "unfold: expected stride to be one int"),
    (lambda: F.unfold(X, 2, padding=-1), ValueError, "unfold: expected padding"),
    (lambda: F.unfold(X, 2, padding="same"), TypeError, "unfold: expected padding to be an int"),
    (lambda: F.unfold(X, (2, 2, 2)), ValueError, "unfold: expected kernel_size"),
    (lambda: F.unfold(X.to("int64"), 2), TypeError, "unfold: expected input to be of dtype"),
    (lambda: F.unfold([1.0], 2), TypeError, "unfold: expected input to be a Tensor"),
    (lambda: F.fold(X, (3, 5), 2), ValueError,
     r"fold: expected input \(N, C \* KH \* KW, L\) or .* got \(1, 4, 3, 5\)"),
    (lambda: F.fold(tinycnn.ones(1, 6, 8), (3, 5), 2), ValueError,
     r"fold: expected rows that KH \* KW = 4 divides, got 6 in input \(1, 6, 8\)"),
    (lambda: F.fold(tinycnn.ones(8, 7), (3, 5), 2), ValueError,
     r"fold: expected 8 columns, one for each of 2 \* 4 windows, got 7 in input \(8, 7\)"),
    (lambda: F.fold(tinycnn.ones(1, 4, 1), (1, 5), 2), ValueError, "fold: expected an input that"),
    (lambda: F.fold(tinycnn.ones(1, 4, 1), 0, 2), ValueError, "fold: expected output_size"),
    (lambda: nn.Unfold(0), ValueError, "Unfold: expected kernel_size"),
    (lambda: nn.Fold(4, 2, dilation=1.5), TypeError, "Fold: expected dilation"),
    (lambda: nn.Fold((4, 4, 4), 2), ValueError, "Fold: expected output_size"),
    (lambda: F.pixel_shuffle(X, 3), ValueError,
     r"pixel_shuffle: expected channels that 3 \* 3 divides, got 4 in input \(1, 4, 3, 5\)"),
    (lambda: F.pixel_shuffle(X, 0), ValueError, "expected upscale_factor of at least 1, .* got 0"),
    (lambda: F.pixel_shuffle(X, 2.0), TypeError, "pixel_shuffle: expected upscale_factor to be an"),
    (lambda: F.pixel_shuffle(X[0, 0], 1), ValueError,
     r"pixel_shuffle: expected input \(..., C, H, W\), got \(3, 5\)"),
    (lambda: F.pixel_shuffle(None, 1), TypeError, "pixel_shuffle: expected input to be a Tensor"),
    (lambda: F.pixel_unshuffle(X, 3), ValueError,
     r"pixel_unshuffle: expected a height and a width that 3 divides, got \(1, 4, 3, 5\)"),
    (lambda: F.pixel_unshuffle(X, 5), ValueError, "a height and a width that 5 divides"),
    (lambda: F.pixel_unshuffle(X, -1), ValueError, "downscale_factor of at least 1, .* got -1"),
    (lambda: F.channel_shuffle(X, 3), ValueError,
     r"channel_shuffle: expected channels that groups=3 divides, got 4 in input \(1, 4, 3, 5\)"),
    (lambda: F.channel_shuffle(X[0, 0], 1), ValueError, r"expected input \(N, C, \*spatial\)"),
    (lambda: F.channel_shuffle(X, 0), ValueError, "groups of at least 1, .* got 0"),
    (lambda: nn.PixelShuffle(0), ValueError, "PixelShuffle: expected upscale_factor of at least 1"),
    (lambda: nn.PixelUnshuffle("2"), TypeError, "PixelUnshuffle: expected downscale_factor to be"),
    (lambda: nn.ChannelShuffle(-2), ValueError, "ChannelShuffle: expected groups of at least 1"),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES, ids=range(len(MESSAGES)))
def test_messages(call, error, text):
    with pytest.raises(error, match=text):
        call()
