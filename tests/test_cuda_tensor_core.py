"""Tensor cores: convolution, its gradients and products of matrices against float64.

Inputs are numbers that TF32 holds, so that rounding them changes nothing and every product is
exact: what is left is the order of sums in float32. A wrong index cannot hide in TF32's 1e-3.
"""

from __future__ import annotations

import numpy as np
import pytest
from on_device import Hosted
from test_conv import CASES, Case

from tinycnn._core import precision, reference
from tinycnn._core.cuda import (
    tensor_core_conv,
    tensor_core_gemm,
    tensor_core_tiles,
    tensor_core_weight,
)
from tinycnn._core.cuda.backend import to_device, to_host
from tinycnn._core.cuda.kernel import kernel
from tinycnn._core.cuda.mode import SIMULATED
from tinycnn._core.cuda.primitives import Ptr, cuda, divided, divisor, float32, full, int32
from tinycnn._core.cuda.tensor_core import (
    copy_rows,
    cp_commit,
    cp_wait,
    ldmatrix,
    lds_a,
    lds_b,
    mma,
    round_tf32,
    split,
)
from tinycnn._core.shapes import Window

simulated = pytest.mark.skipif(not SIMULATED, reason="about the simulator, or device functions "
                               "called from Python")
conv, weight, gemm = map(Hosted, (tensor_core_conv, tensor_core_weight, tensor_core_gemm))
TOLERANCE = 1e-6  # of the largest output: float32 sums of up to 600 products; 1.5e-7 was seen

MORE = {
    "a tile and one": Case((3, 11), (1, 1), 36, 33, images=1),
    "two tiles of taps, 3 channels": Case((4, 6), (3, 4), 3, 5, images=1),
    "taps of 36 channels, strided": Case((3, 5), (2, 3), 36, 6, (2, 2), ((1, 1), (0, 1)), images=1),
    "groups of 2": Case((4, 5), (3, 3), 8, 6, padding=((1, 1), (1, 1)), groups=2, images=1),
    "odd groups": Case((4, 5), (2, 2), 5, 3, groups=2, images=1),
    "many pixels": Case((15, 17), (1, 1), 4, 6, images=1),
}
NAMES = ["one pixel", "no image", "no pixel, only padding", "no pixel comes out of some",
         "padding wider than the window", "cropped and padded", "stride beyond the window",
         "huge stride", "stride 2, dilation 2", "dilated beyond the input", "1 x 1, strided", "1-D",
         "3-D, strided, dilated"]
TABLE = {**{name: CASES[name] for name in NAMES}, **MORE}


@pytest.fixture(autouse=True)
def _high():
    yield
    precision.set_mode("high")


def tf32(x):
    """Rounded to 10 bits after the point, in the same memory layout."""
    y = np.copy(x, "K")
    bits = y.view(np.uint32)
    bits += np.uint32(0x1000)
    bits &= np.uint32(0xFFFFE000)
    return y


def close(y, expected):
    np.testing.assert_allclose(
        y, expected, rtol=0, atol=TOLERANCE * max(np.abs(expected).max(initial=0), 1e-30))


def exact(function, out, *arguments):
    """What a reference function makes of the same numbers in float64."""
    wide = [a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in arguments]
    y = np.empty(out.shape, np.float64)
    function(*[y if a is out else b for a, b in zip(arguments, wide)])
    return y


@pytest.mark.parametrize("name", TABLE)
def test_forward_is_the_reference(name, rng):
    case = TABLE[name]
    x, w, bias, y, _ = map(tf32, case.arrays(np.float32, rng, integers=False))
    arguments = x, w, bias, y, case.window, case.groups, True
    expected = exact(reference.conv_forward, y, *arguments)
    y[...] = 77
    conv.forward(*arguments)
    close(y, expected)


@pytest.mark.parametrize("name", TABLE)
def test_gradient_of_the_input_is_the_reference(name, rng):
    case = TABLE[name]
    x, w, _, grad_y, bias = map(tf32, case.arrays(np.float32, rng, integers=False))
    arguments = grad_y, w, bias, x, case.window, case.groups
    expected = exact(reference.conv_backward_input, x, *arguments)
    x[...] = 77
    conv.backward_input(*arguments)
    close(x, expected)


@pytest.mark.parametrize("name", TABLE)
def test_gradient_of_the_weights_is_the_reference(name, rng):
    case = TABLE[name]
    x, w, _, grad_y, _ = map(tf32, case.arrays(np.float32, rng, integers=False))
    arguments = x, grad_y, w, case.window, case.groups
    expected = exact(reference.conv_backward_weight, w, *arguments)
    w[...] = 77
    weight.backward_weight(*arguments)
    close(w, expected)


@pytest.mark.parametrize("layout", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (1, 0, 3, 4, 2)])
def test_weights_in_any_order_of_memory(layout, rng):
    case = Case((4, 4), (2, 3), 5, 6, images=1)
    x, w, _, grad_y, _ = map(tf32, case.arrays(np.float32, rng, integers=False))
    back = np.argsort(layout)
    w = np.ascontiguousarray(w.transpose(layout)).transpose(back)
    expected = exact(reference.conv_forward, grad_y, x, w, None, grad_y, case.window, 1)
    y = np.full_like(grad_y, 77)
    conv.forward(x, w, None, y, case.window, 1)
    close(y, expected)
    arguments = x, grad_y, w, case.window, 1
    expected = exact(reference.conv_backward_weight, w, *arguments)
    weight.backward_weight(*arguments)
    close(w, expected)


PRODUCTS = {  # M, N, K, matrices
    "one number": (1, 1, 1, 1), "tails of 3": (5, 7, 11, 1), "a row": (1, 40, 9, 1),
    "a column": (40, 1, 9, 1), "more than a tile": (36, 40, 36, 1), "a batch": (6, 36, 12, 3),
    "a long sum": (5, 3, 132, 1), "nothing to add": (3, 2, 0, 1),
}


@pytest.mark.parametrize("order", ["MK KN", "KM KN", "MK NK", "KM NK"])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_the_reference(name, order, rng):
    M, N, K, batch = PRODUCTS[name]
    x, y = [tf32(rng.standard_normal(s).astype(np.float32)) for s in ((M, K), (K, N))]
    a, b = [np.stack([part, *[part * k for k in range(batch - 1)]]) for part in (x, y)]
    a = np.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2) if "KM" in order else a
    b = np.ascontiguousarray(b.swapaxes(1, 2)).swapaxes(1, 2) if "NK" in order else b
    bias = rng.standard_normal(N).astype(np.float32)
    out = np.full((batch, M, N), 77, np.float32)
    expected = a.astype(np.float64) @ b.astype(np.float64) + bias
    if batch == 1:
        a, b, out, expected = a[0], b[0], out[0], expected[0]
    gemm.matmul(a, b, bias, out)
    close(out, expected)


def errors(name, rng, rounded):
    """Errors relative to the largest output: of the three passes and of a product."""
    case = TABLE[name]
    arrays = case.arrays(np.float32, rng, integers=False)
    x, w, _, grad_y, _ = map(tf32, arrays) if rounded else arrays
    found, window = [], case.window
    for module, function, out, arguments in [
        (conv, "forward", grad_y, (x, w, None, grad_y)),
        (conv, "backward_input", x, (grad_y, w, None, x)),
        (weight, "backward_weight", w, (x, grad_y, w)),
    ]:
        expected = exact(getattr(reference, f"conv_{function}"), out, *arguments, window, 1)
        y = np.empty_like(out)
        given = [y if a is out else a for a in arguments]
        getattr(module, function)(*given, window, 1)
        found.append(np.abs(y - expected).max() / np.abs(expected).max())
    return found


def test_highest_is_float32_and_high_is_not(rng):
    name = "taps of 36 channels, strided"
    high = errors(name, rng, rounded=False)
    precision.set_mode("highest")
    assert max(errors(name, rng, rounded=False)) < TOLERANCE
    assert 2e-5 < min(high) <= max(high) < 1e-3  # 2^-11 a factor, and errors of a sum even out


@pytest.mark.parametrize("mode", ["high", "highest"])
def test_a_product_in_both_precisions(mode, rng):
    precision.set_mode(mode)
    a, b = rng.standard_normal((2, 40, 40)).astype(np.float32)
    out = np.empty((40, 40), np.float32)
    gemm.matmul(a, b, None, out)
    expected = a.astype(np.float64) @ b
    error = np.abs(out - expected).max() / np.abs(expected).max()
    assert error < TOLERANCE if mode == "highest" else 2e-5 < error < 1e-3


def test_a_precision_that_does_not_exist():
    with pytest.raises(ValueError, match='expected precision "high" or "highest"'):
        precision.set_mode("medium")
    assert precision.mode == "high"


def test_nan_and_infinity_go_where_they_are_seen(rng):
    case = Case((5, 6), (3, 3), 3, 4, padding=((1, 1), (1, 1)), images=1)
    x, w, bias, y, _ = map(tf32, case.arrays(np.float32, rng, integers=False))
    x[0, 0, 1, 1, 2], x[0, 0, 4, 5, 0] = np.nan, np.inf
    x.view(np.uint32)[0, 0, 1, 1, 1] = 0x7FFFFFFF  # the NaN that a GPU makes: must not overflow
    expected = exact(reference.conv_forward, y, x, w, bias, y, case.window, 1, True)
    conv.forward(x, w, bias, y, case.window, 1, True)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(y), np.isinf(expected))
    assert np.isnan(y).any()


def test_two_runs_give_equal_bits(rng):
    case = TABLE["many pixels"]
    x, w, _, grad_y, _ = case.arrays(np.float32, rng, integers=False)
    results = [np.empty_like(w) for _ in range(2)]
    for result in results:
        weight.backward_weight(x, grad_y, result, case.window, 1)
    assert results[0].tobytes() == results[1].tobytes()
    assert tensor_core_tiles.split_depth(8, 1)[0] > 1 or not SIMULATED  # in parts, that is


def test_which_convolutions_are_served():
    def served(channels, out_channels, groups=1, dtype=np.float32, size=(1, 32, 32)):
        x = np.broadcast_to(np.zeros((), dtype), (8, *size, channels))
        w = np.broadcast_to(np.zeros((), dtype), (out_channels, 1, 3, 3, channels // groups))
        window = Window((1, 3, 3), (1, 1, 1), ((0, 0), (1, 1), (1, 1)), (1, 1, 1))
        return tensor_core_conv.serves(x, w, window, groups)

    assert served(64, 64)
    assert served(3, 64, size=(1, 64, 64))
    assert served(64, 64, groups=2)
    assert not served(64, 64, groups=64)  # depthwise
    assert not served(64, 64, dtype=np.float64)
    assert not served(64, 64, size=(1, 2, 2))  # too little work
    assert not served(64, 64, size=(0, 32, 32))


def test_which_products_are_served():
    def served(*shapes, dtype=np.float32):
        return tensor_core_gemm.serves_product(*[np.broadcast_to(np.zeros((), dtype), s)
                                                 for s in shapes])

    assert served((256, 512), (512, 256))
    assert served((4, 256, 512), (4, 512, 256))
    assert not served((256, 512), (512, 256), dtype=np.float64)
    assert not served((1, 65536), (65536, 1024))  # a row: bound by memory
    assert not served((16, 16), (16, 16))
    assert not served((16, 0), (0, 16))


@kernel(threads=32, variants=())
def multiply_kernel(a: Ptr[float32], b: Ptr[float32], y: Ptr[float32], swapped: int32):
    """y (16, 16) = a (16, 8) @ b (16, 8).T, each through fragments; read in both ways."""
    tile = cuda.shared.array(512, float32, 16)
    lane = int32(cuda.threadIdx.x)
    row, half = lane >> 1, lane & 1
    copy_rows(tile, row * 8 + 4 * half, 0, a, (row,), 8, 4 * half)
    copy_rows(tile, 128 + row * 8 + 4 * half, 0, b, (row,), 8, 4 * half)
    cp_commit()
    cp_wait(0)
    cuda.syncthreads()
    for i in range(4):  # the same transposed, behind
        k, r = (4 * lane + i) >> 4, (4 * lane + i) & 15
        tile[256 + 16 * k + r] = tile[8 * r + k]
        tile[384 + 16 * k + r] = tile[128 + 8 * r + k]
    cuda.syncthreads()
    first = (lane & 3) * 16 + (lane >> 2)
    if swapped:
        x, z = lds_a(tile, 256 + first, 1, 16), lds_b(tile, 384 + first, 2, 16)
    else:
        x = ldmatrix(tile, (lane & 15) * 8 + 4 * (lane >> 4), 1, 0)
        z = ldmatrix(tile, 128 + ((lane & 7) + (lane >> 4) * 8) * 8 + 4 * (lane >> 3 & 1), 1, 0)
    sums = mma(full(8, float32(1)), x, z)
    for i in range(8):  # (tile, rows, columns)
        y[((lane >> 2) + 8 * (i >> 1 & 1)) * 16 + 8 * (i >> 2) + 2 * (lane & 3) + (i & 1)] = sums[i]


@pytest.mark.parametrize("swapped", [0, 1])
def test_fragments_make_a_product(swapped, rng):
    a, b = tf32(rng.standard_normal((2, 16, 8)).astype(np.float32))
    y = to_device(np.empty((16, 16), np.float32))
    multiply_kernel.launch((1, 1, 1), (to_device(a), to_device(b), y, swapped))
    close(to_host(y), 1 + a.astype(np.float64) @ b.T)


@kernel(threads=32, variants=())
def unfinished_kernel(x: Ptr[float32], y: Ptr[float32], wait: int32, sync: int32):
    tile = cuda.shared.array(128, float32, 16)
    lane = int32(cuda.threadIdx.x)
    copy_rows(tile, 4 * lane, 0, x, (lane,), 4, 0)
    cp_commit()
    if wait:
        cp_wait(0)
    if sync:
        cuda.syncthreads()
    y[lane] = tile[4 * (31 - lane)]


@simulated
@pytest.mark.parametrize(("wait", "sync", "says"), [(0, 1, "before it is written"),
                                                    (1, 0, "no barrier|before it is written")])
def test_the_simulator_sees_a_copy_that_is_not_waited_for(wait, sync, says, rng):
    x, y = to_device(np.ones((32, 4), np.float32)), to_device(np.zeros(32, np.float32))
    with pytest.raises(RuntimeError, match=says):
        unfinished_kernel.launch((1, 1, 1), (x, y, wait, sync))
    unfinished_kernel.launch((1, 1, 1), (x, y, 1, 1))
    assert (to_host(y) == 1).all()


@simulated
def test_rounding_and_splitting():
    x = np.array([1, 1 + 2**-10, 1 + 2**-11, 1 + 2**-12, -1 - 2**-11, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(
        round_tf32(tuple(x)), [1, 1 + 2**-10, 1 + 2**-10, 1, -1 - 2**-10, np.inf, np.nan])
    high, low = map(np.array, split(tuple(x[:5])))
    np.testing.assert_array_equal(high + low, x[:5])
    np.testing.assert_array_equal(high, [1, 1 + 2**-10, 1, 1, -1])


@simulated
def test_division_by_multiplication(rng):
    for d in [1, 2, 3, 5, 7, 31, 32, 33, 1000, 65535, 2**30 + 1, 2**31 - 1, *rng.integers(1, 2**31,
                                                                                         50)]:
        factor, shift = divisor(int(d))
        assert -(2**31) <= factor < 2**31
        for n in [0, 1, d - 1, d, 2**31 - 1, (2**31 - 1) // d * d, *rng.integers(0, 2**31, 20)]:
            assert divided.function(min(int(n), 2**31 - 1), factor, shift) == n // d


@pytest.mark.parametrize("tile", tensor_core_tiles.GPU_TILES)
@pytest.mark.parametrize("along", [(True, True), (True, False), (False, True), (False, False)])
def test_every_thread_of_a_gpu_has_as_much_to_copy(tile, along):
    found = tensor_core_tiles.constants(tile, *along, True)
    for side, rows in ("A", tile.BM), ("B", tile.BN):
        copied = found[f"{side}_LOADS"] * tile.threads * 4
        assert copied == rows * tensor_core_tiles.DEPTH
    assert tensor_core_tiles.shared_bytes(found) <= 163 * 1024  # compute capability 8.0


@pytest.mark.parametrize(("steps", "blocks"), [(0, 1), (1, 1), (7, 1), (8, 3), (100, 1), (9, 50)])
def test_parts_of_a_sum_are_all_of_it(steps, blocks):
    parts, length = tensor_core_tiles.split_depth(steps, blocks)
    assert parts * length >= steps * tensor_core_tiles.DEPTH
    assert (parts - 1) * length < max(steps, 1) * tensor_core_tiles.DEPTH
