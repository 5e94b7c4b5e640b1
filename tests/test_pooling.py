"""Pooling: windows, values by hand, kernels against the reference, gradients, threads, messages."""

import tracemalloc
from itertools import product

import numpy as np
import pytest

import tinycnn
from tinycnn._core import reference
from tinycnn._core.cpu import pooling as cpu
from tinycnn._core.shapes import PoolAxis, adaptive_pool_axis, pool_axis, pool_output_size
from tinycnn.nn import functional as F
from tinycnn.testing import gradcheck

ONE = pool_axis(1, 1, 1, 0)


def tensor(values, **options):
    return tinycnn.tensor(np.array(values, dtype=np.float64), **options)


# --- windows ---------------------------------------------------------------------------------


def test_windows_are_clipped_to_the_input():
    assert pool_axis(5, 3, 2, 1).windows() == [(0, 2, 3), (1, 4, 3), (3, 5, 3)]
    without = pool_axis(5, 3, 2, 1, count_include_pad=False)
    assert without.windows() == [(0, 2, 2), (1, 4, 3), (3, 5, 2)]


def test_dilated_window_starts_at_its_first_place_inside():
    assert [window[:2] for window in pool_axis(4, 3, 1, 1, 2).windows()] == [(1, 4), (0, 4)]


def test_last_window_of_ceil_mode_counts_padding_but_nothing_beyond():
    axis = pool_axis(4, 3, 2, 1, ceil_mode=True)  # from -1, 1, 3; the padded input ends at 4
    assert axis.windows() == [(0, 2, 3), (1, 4, 3), (3, 4, 2)]


@pytest.mark.parametrize("include", [False, True])
def test_windows_are_the_places_of_the_definition(include):
    cases = product((1, 2, 5, 9), (1, 2, 3, 6), (1, 2, 7), (0, 1, 3), (1, 2, 4), (False, True))
    for size, kernel, stride, padding, dilation, ceil in cases:
        axis = pool_axis(size, kernel, stride, min(padding, kernel // 2), dilation, ceil, include)
        for i, (start, stop, count) in enumerate(axis.windows()):
            places = [i * stride - axis.before + k * dilation for k in range(kernel)]
            inside = [p for p in places if 0 <= p < size]
            padded = [p for p in places if p < size + axis.before]
            assert list(range(start, stop, dilation)) == inside
            assert count == len(padded if include else inside)
            assert len(inside) <= axis.kernel <= kernel


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "ceil", "out"),
    [
        (5, 2, 2, 0, False, 2),
        (5, 2, 2, 0, True, 3),
        (5, 2, 3, 0, True, 2),
        (3, 1, 2, 0, True, 2),
        (2, 1, 3, 0, True, 1),  # a second window would start behind the input
        (4, 2, 4, 1, True, 2),
        (3, 2, 4, 1, True, 1),  # a second window would start in the padding behind
        (1, 2, 1, 1, False, 2),
        (1, 4, 1, 1, False, 0),
    ],
)
def test_output_size(size, kernel, stride, padding, ceil, out):
    assert pool_output_size(size, kernel, stride, padding, ceil_mode=ceil) == out
    assert pool_axis(size, kernel, stride, padding, ceil_mode=ceil).out == out


def test_adaptive_windows_cover_the_input_and_may_overlap():
    assert adaptive_pool_axis(5, 3).windows() == [(0, 2, 2), (1, 4, 3), (3, 5, 2)]
    assert adaptive_pool_axis(2, 4).windows() == [(0, 1, 1), (0, 1, 1), (1, 2, 1), (1, 2, 1)]
    assert adaptive_pool_axis(4, 0).windows() == []


def test_longest_adaptive_window_is_known():
    for size, out in product(range(1, 25), repeat=2):
        axis = adaptive_pool_axis(size, out)
        assert axis.kernel == max(count for _, _, count in axis.windows()), (size, out)


# --- values by hand --------------------------------------------------------------------------

IMAGE = [[[1, 2, 5, 0], [4, 3, 0, 6], [7, 7, 1, 1], [7, 8, 1, 1]]]  # (1, 4, 4)


def test_max_pool2d_by_hand():
    y, where = F.max_pool2d(tensor(IMAGE), 2, return_indices=True)
    assert y.numpy().tolist() == [[[4, 6], [8, 1]]]
    assert where.numpy().tolist() == [[[4, 7], [13, 10]]]  # the first of equal values
    assert where.dtype == np.int64


def test_avg_pool2d_by_hand():
    assert F.avg_pool2d(tensor(IMAGE), 2).numpy().tolist() == [[[2.5, 2.75], [7.25, 1]]]
    y = F.avg_pool2d(tensor([[[4, 8], [12, 16]]]), 2, 1, 1)
    assert y.numpy().tolist() == [[[1, 3, 2], [4, 10, 6], [3, 7, 4]]]
    y = F.avg_pool2d(tensor([[[4, 8], [12, 16]]]), 2, 1, 1, count_include_pad=False)
    assert y.numpy().tolist() == [[[4, 6, 8], [8, 10, 12], [12, 14, 16]]]
    y = F.avg_pool2d(tensor([[[4, 8], [12, 16]]]), 2, divisor_override=-5)
    assert y.numpy().tolist() == [[[-8]]]


def test_adaptive_pooling_by_hand():
    x = tensor([[1, 3, 2, 6, 4]])
    assert F.adaptive_avg_pool1d(x, 3).numpy().tolist() == [[2, 11 / 3, 5]]
    y, where = F.adaptive_max_pool1d(x, 3, return_indices=True)
    assert (y.numpy().tolist(), where.numpy().tolist()) == ([[3, 6, 6]], [[1, 3, 3]])


def test_gradient_flows_to_the_largest_alone():
    x = tensor(IMAGE, requires_grad=True)
    F.max_pool2d(x, 3, 1).backward(tensor([[[1, 10], [100, 1000]]]))
    assert x.grad.numpy().tolist() == [
        [[0, 0, 0, 0], [0, 0, 0, 0], [1, 10, 0, 0], [0, 1100, 0, 0]]
    ]


def test_gradient_of_the_average_is_shared():
    x = tensor([[1, 2, 3]], requires_grad=True)
    F.avg_pool1d(x, 2, 1).backward(tensor([[2, 6]]))
    assert x.grad.numpy().tolist() == [[1, 4, 3]]


def test_none_in_output_size_keeps_that_axis():
    x = tinycnn.tensor(np.random.default_rng(0).standard_normal((2, 3, 4, 5)))
    assert F.adaptive_avg_pool2d(x, (None, 2)).shape == (2, 3, 4, 2)
    assert F.adaptive_max_pool2d(x, (2, None)).shape == (2, 3, 2, 5)
    assert np.array_equal(F.adaptive_avg_pool2d(x, None).numpy(), x.numpy())


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unbatched_input_is_a_batch_of_one(dims):
    x = tinycnn.tensor(np.random.default_rng(0).standard_normal((3, *(5, 6, 7)[:dims])))
    for name in ("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool"):
        pool = getattr(F, f"{name}{dims}d")
        single, batch = pool(x, 2).numpy(), pool(x.unsqueeze(0), 2).numpy()
        assert np.array_equal(single, batch[0]), name


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_empty_batch_and_no_channels(dims):
    for shape in ((0, 3), (2, 0)):
        x = tinycnn.tensor(np.zeros((*shape, *(4,) * dims)), requires_grad=True)
        for name in ("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool"):
            y = getattr(F, f"{name}{dims}d")(x, 2)
            assert y.shape == (*shape, *(2,) * dims)
            y.backward(tinycnn.tensor(np.zeros(y.shape)))
            assert x.grad.shape == x.shape


def test_adaptive_output_of_size_zero_is_empty():
    x = tinycnn.tensor(np.ones((1, 2, 3, 3)), requires_grad=True)
    for pool in F.adaptive_max_pool2d, F.adaptive_avg_pool2d:
        y = pool(x, (0, 2))
        assert y.shape == (1, 2, 0, 2)
        x.grad = None
        y.backward(tinycnn.tensor(np.zeros(y.shape)))
        assert not x.grad.numpy().any()


@pytest.mark.parametrize("channels", [1, 6, 16, 70])
def test_nan_wins_and_the_last_one_is_kept(channels):
    x = np.array([1, np.nan, 3, np.nan, 7, 2, 2, np.inf], dtype=np.float32)
    x = tinycnn.tensor(np.broadcast_to(x, (channels, 8)).copy())
    y, where = F.max_pool1d(x, 4, return_indices=True)
    assert np.array_equal(y.numpy()[0], [np.nan, np.inf], equal_nan=True)
    assert (where.numpy() == [3, 7]).all()
    assert np.isnan(F.avg_pool1d(x, 4).numpy()[:, 0]).all()


def test_window_of_minus_infinity_takes_its_first_place():
    x = tinycnn.tensor(np.full((1, 4, 4), -np.inf), requires_grad=True)
    y, where = F.max_pool2d(x, 2, padding=1, return_indices=True)
    assert (y.data == -np.inf).all()
    assert where.numpy().tolist() == [[[0, 1, 3], [4, 5, 7], [12, 13, 15]]]
    y.backward(tinycnn.tensor(np.ones(y.shape)))
    assert x.grad.numpy().sum() == 9


def test_infinite_gradient_stays_where_it_belongs():
    x = tensor([[1, 2, 3, 4]], requires_grad=True)
    F.max_pool1d(x, 2).backward(tensor([[np.inf, 1]]))
    assert x.grad.numpy().tolist() == [[0, np.inf, 0, 1]]


def test_window_of_more_than_255_places():
    x = np.random.default_rng(0).permutation(4000).astype(np.float32).reshape(2, 5, 20, 20)
    y, where = F.max_pool2d(tinycnn.tensor(x), 19, 1, return_indices=True)
    taken = np.take_along_axis(x.reshape(2, 5, 400), where.numpy().reshape(2, 5, 4), axis=2)
    assert np.array_equal(y.numpy().reshape(2, 5, 4), taken)
    assert y.numpy()[0, 0, 1, 1] == x[0, 0, 1:, 1:].max()


@pytest.mark.parametrize("layout", ["channels first", "strided", "read-only", "reversed"])
def test_any_memory_layout_gives_the_same(layout):
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 7)).astype(np.float32)
    other = {
        "channels first": lambda: x.copy(),
        "strided": lambda: np.repeat(x, 2, axis=3)[..., ::2],
        "read-only": lambda: np.broadcast_to(x, x.shape),
        "reversed": lambda: x[:, :, ::-1].copy()[:, :, ::-1],
    }[layout]()
    expected = F.max_pool2d(tinycnn.tensor(np.asfortranarray(x)), 3, 2, 1).numpy()
    assert np.array_equal(F.max_pool2d(tinycnn.tensor(other), 3, 2, 1).numpy(), expected)


# --- kernels against the reference -----------------------------------------------------------


def _fixed(*arguments):
    return lambda size: tuple(
        pool_axis(n, *arguments) if n > 1 else pool_axis(n, 1, 1, 0) for n in size
    )


WINDOWS = {  # name: ((D, H, W), axes of it)
    "2x2": ((1, 7, 9), _fixed(2, 2, 0)),
    "2x2, nothing left": ((1, 8, 6), _fixed(2, 2, 0)),
    "2x2, several tasks": ((1, 41, 40), _fixed(2, 2, 0)),
    "2x2x2, something left everywhere": ((5, 5, 7), _fixed(2, 2, 0)),
    "side by side, 3x3": ((1, 7, 12), _fixed(3, 3, 0)),
    "side by side, in a row": ((1, 1, 35), _fixed(4, 4, 0)),
    "side by side, longer than x": ((1, 6, 2), _fixed(3, 3, 0, 1, True)),
    "3x3 overlapping, padded, ceil": ((1, 8, 8), _fixed(3, 2, 1, 1, True, False)),
    "cube, dilated": ((4, 5, 6), _fixed(3, 1, 1, 2)),
    "gaps between windows": ((1, 7, 8), _fixed(2, 3, 0)),
    "long row": ((1, 1, 300), _fixed(5, 1, 2)),
    "adaptive": ((2, 5, 7), lambda size: tuple([adaptive_pool_axis(n, 3) for n in size])),
    "global, more than 255 places": (
        (1, 17, 16), lambda size: tuple([adaptive_pool_axis(n, 1) for n in size])
    ),
}


def _arrays(name, channels, dtype, images=2):
    size, make = WINDOWS[name]
    axes = make(size)
    generator = np.random.default_rng(channels)
    x = generator.integers(-3, 4, (images, *size, channels)).astype(dtype)
    out = (images, *[axis.out for axis in axes], channels)
    places = axes[0].kernel * axes[1].kernel * axes[2].kernel
    position = np.full(out, 99, np.uint8 if places <= 255 else np.int32)
    return x, np.full(out, 99, dtype), position, axes, generator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 6, 8, 17, 64, 70])
@pytest.mark.parametrize("name", WINDOWS)
def test_kernels_agree_with_the_reference(name, channels, dtype, isa):
    x, y, position, axes, generator = _arrays(name, channels, dtype)
    x[generator.random(x.shape) < 0.05] = np.nan
    x[generator.random(x.shape) < 0.3] = -np.inf
    grad_y = generator.standard_normal(y.shape).astype(dtype)
    results = []
    for kernels in reference, cpu:
        got = [np.full_like(a, 77) for a in (y, position, y, x, y, x, y, x)]
        kernels.max_pool_forward(x, got[0], got[1], axes)
        kernels.max_pool_forward(x, got[2], None, axes)
        kernels.max_pool_backward(grad_y, got[1], got[3], axes)
        finite = np.nan_to_num(x, neginf=1)
        for i, divisor in ((4, None), (6, 3)):
            kernels.avg_pool_forward(finite, got[i], axes, divisor)
            kernels.avg_pool_backward(grad_y, got[i + 1], axes, divisor)
        results.append(got)
    for i, (expected, got) in enumerate(zip(*results)):
        if i < 3:  # values and places are copied, never computed
            np.testing.assert_array_equal(got, expected)
        else:  # sums of at most 27 * 27 numbers, in another order
            np.testing.assert_allclose(got, expected, atol=1e-5 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("kernel", [2, 3])
def test_windows_side_by_side_around_a_vector_of_channels(kernel, isa):
    """Each array lies between NaNs: one that is read shows in the results, one written is gone.
    Rows end with a window, or one pixel behind it; joined pixels fill a vector, or nearly."""
    generator = np.random.default_rng(0)
    for channels, columns, rest in product(range(1, 18), (1, 2, 9), (0, 1)):
        size = (1, 2 * kernel + rest, columns * kernel + rest)
        axes = tuple(pool_axis(n, kernel if n > 1 else 1, kernel, 0) for n in size)
        out = (2, *[axis.out for axis in axes], channels)
        x = generator.standard_normal((2, *size, channels)).astype(np.float32)
        grad_y = generator.standard_normal(out).astype(np.float32)
        position = np.empty(out, np.uint8)
        guarded, results = [np.full(x.size + 256, np.nan, np.float32) for _ in range(6)], []
        inner = [m[128 : 128 + a.size].reshape(a.shape)
                 for m, a in zip(guarded, (x, grad_y, grad_y, x, grad_y, x))]
        inner[0][...], inner[1][...] = x, grad_y
        for kernels, (a, given, y, grad_x, mean, grad_mean) in (
            (reference, [x, grad_y, *map(np.empty_like, (grad_y, x, grad_y, x))]), (cpu, inner),
        ):
            kernels.max_pool_forward(a, y, position, axes)
            kernels.max_pool_backward(given, position, grad_x, axes)
            kernels.avg_pool_forward(a, mean, axes, None)
            kernels.avg_pool_backward(given, grad_mean, axes, None)
            results.append((y, grad_x, mean, grad_mean))
        for expected, got in zip(*results):
            np.testing.assert_allclose(got, expected, atol=1e-6)
        for memory, array in zip(guarded, inner):
            assert np.isnan(memory[:128]).all()
            assert np.isnan(memory[128 + array.size :]).all()


@pytest.mark.parametrize("name", WINDOWS)
def test_bits_do_not_depend_on_the_number_of_threads(name, set_threads):
    x, y, position, axes, generator = _arrays(name, 33, np.float32, images=9)
    x += generator.standard_normal(x.shape).astype(np.float32)
    grad_y = generator.standard_normal(y.shape).astype(np.float32)
    results = []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        got = [np.empty_like(a) for a in (y, position, x, y, x)]
        cpu.max_pool_forward(x, got[0], got[1], axes)
        cpu.max_pool_backward(grad_y, got[1], got[2], axes)
        cpu.avg_pool_forward(x, got[3], axes, None)
        cpu.avg_pool_backward(grad_y, got[4], axes, None)
        results.append([a.tobytes() for a in got])
    assert all(result == results[0] for result in results)


def test_kernel_refuses_windows_that_are_empty_or_too_long():
    x, y = np.zeros((1, 1, 1, 4, 2)), np.zeros((1, 1, 1, 1, 2))
    good = PoolAxis(4, 1, 1, 1, 0, 4, 1, 0, 4)
    cpu.avg_pool_forward(x, y, (ONE, ONE, good), None)
    for change in ({"before": -4}, {"behind": 0}, {"kernel": 3}):
        with pytest.raises(ValueError, match="is empty or has more than"):
            cpu.avg_pool_forward(x, y, (ONE, ONE, good._replace(**change)), None)
    with pytest.raises(ValueError, match="expected share and step of at least 1, got 0, 1"):
        cpu.avg_pool_forward(x, y, (ONE, ONE, good._replace(share=0)), None)
    with pytest.raises(ValueError, match="windows for 1 outputs of 4 pixels, got them for 2 of 4"):
        cpu.avg_pool_forward(x, y, (ONE, ONE, pool_axis(4, 2, 2, 0)), None)


# --- extremes --------------------------------------------------------------------------------


def test_output_that_no_memory_holds_is_refused_at_once():
    x = tinycnn.tensor(np.zeros((1, 10**5, 4)))
    for pool in F.adaptive_avg_pool1d, F.adaptive_max_pool1d:
        with pytest.raises(MemoryError):
            pool(x, 2**26)
        with pytest.raises(ValueError, match="1d: expected output_size of at most 67108864"):
            pool(x, 10**9)
        assert pool(x[:0], 2**26).shape == (0, 10**5, 2**26)


def test_windows_take_no_memory_in_python():
    x = tinycnn.tensor(np.arange(10**6, dtype=np.float32).reshape(1, 1, -1))
    calls = [lambda: F.avg_pool1d(x, 3, 2, 1), lambda: F.adaptive_avg_pool1d(x, 999_983),
             lambda: F.max_pool1d(x, 3, 1, 1, 2)]
    for call in calls:
        call()  # buffers of the kernels stay for the next call
    for call in calls:
        tracemalloc.start()
        y = call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < y.numpy().nbytes + 100_000
    np.testing.assert_array_equal(
        F.max_pool1d(x, 3, 1, 1, 2).numpy()[0, 0, -3:], [999_998, 999_999, 999_998])


def test_number_of_places_beyond_64_bits():
    K = 2**22
    for dtype in np.float32, np.float64:
        x = tinycnn.tensor(np.ones((1, 1, 1, 1, 1), dtype), requires_grad=True)
        y = F.avg_pool3d(x, K, 1, K // 2)
        assert y.shape == (1, 1, 2, 2, 2)
        assert (y.detach().numpy() == 2.0**-66).all()
        y.backward(tinycnn.tensor(np.ones(y.shape, dtype)))
        assert x.grad.item() == 8 * 2.0**-66


# --- gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.max_pool2d(x, (3, 2), 1, (1, 0), (2, 1), ceil_mode=True),
        lambda x: F.avg_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, 2, 3, 1, ceil_mode=True, count_include_pad=False),
        lambda x: F.avg_pool2d(x, 2, divisor_override=3),
        lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
        lambda x: F.adaptive_max_pool2d(x, (3, 2)),
        lambda x: F.max_pool1d(x.flatten(2), 4, 3, 2),
        lambda x: F.avg_pool1d(x.flatten(2), 4, 3, 2),
        lambda x: F.max_pool3d(x.unsqueeze(2), (1, 2, 2)),
        lambda x: F.avg_pool3d(x, (1, 2, 3), 1),  # unbatched: (C, D, H, W)
        lambda x: F.adaptive_max_pool1d(x[0, 0], 4),
        lambda x: F.adaptive_avg_pool3d(x, (1, None, 2)),
        lambda x: F.adaptive_max_pool3d(x, 2),
        lambda x: F.adaptive_avg_pool1d(x[:, 0, 0], 3),
    ],
)
def test_gradient(function):
    # values 0.1 apart: no step of the check changes which is the largest
    x = np.random.default_rng(0).permutation(2 * 3 * 5 * 6).reshape(2, 3, 5, 6) / 10
    assert gradcheck(function, (tinycnn.tensor(x, requires_grad=True),))


def test_gradient_of_every_element():
    x = tensor([[[0.3, 0.1, 0.9], [0.8, 0.2, 0.5]]], requires_grad=True)
    assert gradcheck(lambda x: F.max_pool2d(x, 2, 1, 1), x, per_element=True)
    assert gradcheck(lambda x: F.avg_pool2d(x, 2, 1, 1), x, per_element=True)


# --- messages --------------------------------------------------------------------------------

X2 = np.zeros((1, 2, 4, 4), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.max_pool2d(X2, 2), TypeError, "max_pool2d: expected input to be a Tensor"),
        (lambda x: F.avg_pool2d(x.to(tinycnn.int64), 2), TypeError, "float64, got int64"),
        (lambda x: F.max_pool2d(x[0, 0], 2), ValueError,
         r"max_pool2d: expected input \(N, C, H, W\) or \(C, H, W\), got \(4, 4\)"),
        (lambda x: F.max_pool1d(x, 2), ValueError, r"input \(N, C, L\) or \(C, L\)"),
        (lambda x: F.adaptive_avg_pool3d(x[0], 2), ValueError, r"input \(N, C, D, H, W\)"),
        (lambda x: F.max_pool2d(x[:, :, :0], 2, padding=1), ValueError, "at least one pixel"),
        (lambda x: F.adaptive_max_pool2d(x[:, :, :0], 2), ValueError, "at least one pixel"),
        (lambda x: F.max_pool2d(x, 0), ValueError, "kernel_size to be .* at least 1, got 0"),
        (lambda x: F.max_pool2d(x, 2.5), TypeError, "an int or 2 ints, got 2.5"),
        (lambda x: F.max_pool2d(x, (2, 2, 2)), ValueError, "kernel_size to be one int or 2 ints"),
        (lambda x: F.avg_pool2d(x, 2, 0), ValueError, "stride to be .* at least 1, got 0"),
        (lambda x: F.max_pool2d(x, 2, 2, -1), ValueError, "padding to be .* at least 0, got -1"),
        (lambda x: F.max_pool2d(x, 2, dilation=0), ValueError, "dilation to be .* got 0"),
        (lambda x: F.max_pool2d(x, 3, padding=2), ValueError,
         r"at most half of kernel_size, got kernel_size \(3, 3\), padding \(2, 2\)"),
        (lambda x: F.avg_pool2d(x, (5, 2)), ValueError,
         r"a window that fits into the padded input, got kernel_size \(5, 2\)"),
        (lambda x: F.max_pool1d(x[0, :, :2, 0], 2, 1, 1, 3), ValueError,
         "One lies wholly in the padding"),
        (lambda x: F.avg_pool2d(x, 2, divisor_override=0), ValueError, "other than 0, got 0"),
        (lambda x: F.avg_pool2d(x, 2, divisor_override=2.5), ValueError, "an int other than 0"),
        (lambda x: F.adaptive_avg_pool2d(x, -1), ValueError, "output_size to be .* at least 0"),
        (lambda x: F.adaptive_max_pool2d(x, (1, 2, 3)), ValueError, "one int or 2 ints"),
    ],
)
def test_message(call, error, message):
    with pytest.raises(error, match=message):
        call(tinycnn.tensor(X2))
