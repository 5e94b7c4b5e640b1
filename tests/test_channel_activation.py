"""Activations that know of channels: PReLU, GLU, maxout. Values, gradients, layouts, messages."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import cpu
from tinycnn.testing import assert_same_on_devices, gradcheck

NAN, INF = float("nan"), float("inf")
SHAPES = [(5, 1), (4, 3), (2, 3, 7), (2, 16, 5, 5), (1, 64, 3, 3), (2, 70, 9), (3, 100, 5),
          (2, 5, 2, 3, 4), (0, 3), (2, 3, 0), (700, 3, 11, 5)]


def tensor(values, dtype="float32"):
    return tinycnn.tensor(values, dtype=dtype, requires_grad=True)


# PReLU -------------------------------------------------------------------------------------------


def test_prelu_by_hand():
    x = tensor([[[-2.0, 3.0], [-4.0, 0.0]]])
    weight = tensor([0.5, -1.0])
    y = F.prelu(x, weight)
    assert y.tolist() == [[[-1, 3], [4, 0]]]
    y.backward(tinycnn.tensor([[[1.0, 10.0], [100.0, 1000.0]]]))
    assert x.grad.tolist() == [[[0.5, 10], [-100, -1000]]]  # at 0 the slope is the weight
    assert weight.grad.tolist() == [-2, -400]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slopes", ["one", "each"])
def test_compiled_and_plain_prelu_agree(isa, rng, slopes, shape, dtype):
    x = tensor(rng.normal(size=shape), dtype)
    weight = tensor(rng.normal(size=1 if slopes == "one" else shape[1]), dtype)
    assert_same_on_devices(F.prelu, [x, weight])


@pytest.mark.parametrize("shape", [(), (1,), (7,)])
def test_prelu_without_channels_has_one_slope(isa, rng, shape):
    for weight in (tensor([0.25]), tensor(0.25)):
        assert_same_on_devices(F.prelu, [tensor(np.asarray(rng.normal(size=shape))), weight])


@pytest.mark.parametrize("size", [1, 3])
def test_prelu_gradients_are_derivatives(rng, size):
    x = rng.normal(size=(2, 3, 4, 5))
    x += 0.01 * np.sign(x)
    assert gradcheck(F.prelu, [tensor(x, "float64"), tensor(rng.normal(size=size), "float64")])
    assert gradcheck(F.prelu, [tensor(x[0, :, 0, :2], "float64"), tensor([0.3], "float64")],
                     per_element=True)


@pytest.mark.parametrize("needs", [(True, False), (False, True)])
def test_prelu_computes_the_gradient_that_is_asked_for(rng, needs):
    x = tinycnn.tensor(rng.normal(size=(2, 3, 4)), requires_grad=needs[0])
    weight = tinycnn.tensor(rng.normal(size=3), requires_grad=needs[1])
    F.prelu(x, weight).sum().backward()
    for leaf, needed in zip((x, weight), needs):
        assert (leaf.grad is not None) == needed
    if needs[1]:
        np.testing.assert_allclose(weight.grad.numpy(), np.minimum(x.numpy(), 0).sum((0, 2)))


@pytest.mark.parametrize("size", [1, 3])
def test_prelu_layouts_change_nothing(rng, size):
    plain, grad = rng.normal(size=(2, 2, 3, 4, 5))
    results = []
    for array in (plain, np.ascontiguousarray(plain.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
                  np.asfortranarray(plain), plain[:, ::-1].copy()[:, ::-1]):
        x, weight = tinycnn.autograd.wrap(array), tensor(np.full(size, 0.3), "float64")
        x.requires_grad = True
        y = F.prelu(x, weight)
        y.backward(tinycnn.tensor(grad))
        results.append((y.data, x.grad.numpy(), weight.grad.numpy()))
    for found in results[1:]:
        for a, b in zip(found[:2], results[0]):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(found[2], results[0][2], rtol=1e-12)
    assert F.prelu(tinycnn.autograd.wrap(plain.transpose(0, 3, 1, 2)), tensor(
        np.ones(5), "float64")).data.strides == plain.transpose(0, 3, 1, 2).strides


@pytest.mark.parametrize("channels", [1, 3, 64, 100])
def test_prelu_gives_the_same_bits_for_any_number_of_threads(rng, set_threads, channels):
    x, grad = rng.normal(size=(2, 9, channels, 40, 41)).astype("float32")
    results = set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        t, weight = tensor(x), tensor(np.full(channels, 0.3))
        y = F.prelu(t, weight)
        y.backward(tinycnn.tensor(grad))
        results.add((y.data.tobytes(), t.grad.data.tobytes(), weight.grad.data.tobytes()))
    assert len(results) == 1


def test_a_slope_of_many_numbers_keeps_its_digits():
    x = tinycnn.full((4_000_000,), -0.1)
    weight = tensor([0.5])
    F.prelu(x, weight).backward(tinycnn.ones(4_000_000))
    np.testing.assert_allclose(weight.grad.item(), -4_000_000 * float(np.float32(0.1)), rtol=2e-6)


def test_prelu_at_the_edges():
    x, weight = tensor([[NAN, INF, -INF]]), tensor([0.5, 0.5, 0.0])
    y = F.prelu(x, weight)
    np.testing.assert_array_equal(y.data, [[NAN, INF, NAN]])  # 0 * -infinity
    y.backward(tinycnn.ones(1, 3))
    assert x.grad.tolist() == [[0.5, 1, 0]]
    np.testing.assert_array_equal(weight.grad.numpy(), [NAN, 0, -INF])


def test_prelu_writes_nothing_beyond_its_arrays(isa, rng, guard):
    for M, C in ((7, 3), (70, 5), (3, 65), (1, 130)):
        x, g, weight, y, grad_x, grad_weight = [
            guard(rng.normal(size=shape).astype("f4"))
            for shape in ((M, C), (M, C), (C,), (M, C), (M, C), (C,))]
        cpu.prelu_forward(x, weight, y)
        cpu.prelu_backward(x, weight, g, grad_x, grad_weight)
        for array in (y, grad_x, grad_weight):
            assert np.isfinite(array).all()


def test_the_layer_learns_its_slopes():
    layer = nn.PReLU(2, init=0.1, dtype="float64")
    assert list(layer.state_dict()) == ["weight"]
    assert layer.weight.tolist() == [0.1, 0.1]
    layer(tinycnn.tensor([[-1.0, 2.0]], dtype="float64")).sum().backward()
    assert layer.weight.grad.tolist() == [-1, 0]
    layer.weight.data[:] = 7
    layer.reset_parameters()
    assert layer.weight.tolist() == [0.1, 0.1]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: F.prelu(tinycnn.ones(2, 3), tinycnn.ones(2)), ValueError,
     r"prelu: expected weight of 1 number, or \(3,\) for input \(2, 3\), got \(2,\)\. Check num_"),
    (lambda: F.prelu(tinycnn.ones(3), tinycnn.ones(3)), ValueError, r"or \(1,\) for input \(3,\)"),
    (lambda: F.prelu(tinycnn.ones(2, 3), tinycnn.ones(1, 3)), ValueError, r"got \(1, 3\)"),
    (lambda: F.prelu(tinycnn.ones(2, 3), tinycnn.ones(0)), ValueError, r"got \(0,\)"),
    (lambda: F.prelu(tinycnn.ones(2, 3), tinycnn.ones(3, dtype="float64")), TypeError,
     r"prelu: expected weight in the dtype of input, float32, got float64\. Convert"),
    (lambda: F.prelu([1.0], tinycnn.ones(1)), TypeError, "prelu: expected input to be a Tensor"),
    (lambda: F.prelu(tinycnn.ones(1), 0.5), TypeError, "prelu: expected weight to be a Tensor"),
    (lambda: nn.PReLU(1.5), TypeError, r"PReLU: expected num_parameters to be an int, got 1\.5"),
    (lambda: nn.PReLU(-1), ValueError, "PReLU: expected num_parameters of at least 0, got -1"),
    (lambda: nn.PReLU(init="a"), TypeError, "PReLU: expected init to be a number, got 'a'"),
    (lambda: nn.PReLU(dtype="int64"), TypeError, "PReLU: expected dtype float32 or float64"),
    (lambda: F.glu(tinycnn.ones(2, 3)), ValueError,
     r"glu: expected an even size along dim -1, got \(2, 3\)\. One half gates"),
    (lambda: F.glu(tinycnn.tensor(1.0)), ValueError, r"glu: expected an even size .* got \(\)"),
    (lambda: F.glu(tinycnn.ones(2, 4), 2), ValueError, r"glu: expected dim between -2 and 1"),
    (lambda: F.glu([1.0]), TypeError, "glu: expected input to be a Tensor"),
    (lambda: F.maxout(tinycnn.ones(2, 6), 4), ValueError,
     r"maxout: expected pieces that divide the channels of input \(2, 6\), got 4\. Make"),
    (lambda: F.maxout(tinycnn.ones(2, 6), 0), ValueError, r"maxout: expected pieces .* got 0"),
    (lambda: F.maxout(tinycnn.ones(2, 6), 2.0), TypeError,
     r"maxout: expected pieces to be an int, got 2\.0\. Pass"),
    (lambda: F.maxout(tinycnn.ones(6), 2), ValueError, "maxout: expected dim between -1 and 0"),
    (lambda: F.maxout([1.0], 2), TypeError, "maxout: expected input to be a Tensor"),
    (lambda: nn.Maxout(0), ValueError, "Maxout: expected pieces of at least 1, got 0"),
    (lambda: nn.Maxout("2"), TypeError, "Maxout: expected pieces to be an int, got '2'"),
])
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_prelu_kernels_refuse_arrays_that_do_not_fit():
    x, weight = np.zeros((4, 3), "f4"), np.zeros(3, "f4")
    for bad in np.zeros(5, "f4"), np.zeros((4, 3), "f8"):
        with pytest.raises(ValueError, match="prelu: expected 12 numbers of dtype float32"):
            cpu.prelu_forward(x, weight, bad)
        with pytest.raises(ValueError, match="prelu: expected 12 numbers of dtype float32"):
            cpu.prelu_backward(x, weight, x, bad, None)
    with pytest.raises(ValueError, match=r"prelu: expected rows of 5 numbers, got \(4, 3\)"):
        cpu.prelu_forward(x, np.zeros(5, "f4"), x)


# GLU ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_glu_gates_one_half_with_the_other(rng, dim):
    x = rng.normal(size=(4, 6, 2))
    a, b = np.split(x, 2, dim)
    y = F.glu(tensor(x, "float64"), dim)
    np.testing.assert_allclose(y.data, a / (1 + np.exp(-b)), rtol=1e-12)
    assert gradcheck(lambda x: F.glu(x, dim), tensor(x, "float64"))
    assert F.glu(tinycnn.zeros(2, 0)).shape == (2, 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "dim"), [
    ((2,), 0), ((5, 2), 1), ((2, 5), 0), ((3, 70), 1), ((2, 6, 5, 7), 1), ((2, 128, 4, 3), 1),
    ((1, 10_000), 1), ((4, 3, 9), 0), ((3000, 14), -1), ((0, 4), 1), ((4, 0), 0)])
def test_compiled_and_plain_glu_agree(isa, rng, shape, dim, dtype):
    x = tensor(rng.normal(size=shape), dtype)
    assert_same_on_devices(lambda x: F.glu(x, dim), [x])
    lying_otherwise = tensor(rng.normal(size=shape[::-1]).T, dtype)
    assert_same_on_devices(lambda x: F.glu(x, dim), [lying_otherwise])


@pytest.mark.parametrize("shape", [(3, 8, 50, 51), (2, 60_000), (30_000, 8)])
def test_glu_layouts_and_threads_change_nothing(rng, set_threads, shape):
    plain = rng.normal(size=shape).astype("float32")
    grad = rng.normal(size=(shape[0], shape[1] // 2, *shape[2:])).astype("float32")
    results = set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        for array in (plain, np.moveaxis(np.ascontiguousarray(np.moveaxis(plain, 1, -1)), -1, 1),
                      np.asfortranarray(plain), plain[:, ::-1].copy()[:, ::-1]):
            x = tinycnn.autograd.wrap(array)
            x.requires_grad = True
            y = F.glu(x, 1)
            y.backward(tinycnn.tensor(grad))
            results.add((y.data.tobytes(), x.grad.data.tobytes()))
    assert len(results) == 1


def test_glu_saturates_quietly():
    x = tensor([[2.0, NAN, INF, 1.0, 3.0], [1000.0, 0.0, 0.0, -1000.0, -INF]])
    y = F.glu(x, 0)
    np.testing.assert_array_equal(y.data, [[2, NAN, INF, 0, 0]])
    y.backward(tinycnn.ones(1, 5))
    np.testing.assert_array_equal(x.grad.data, [[1, 0.5, 0.5, 0, 0], [0, NAN, INF, 0, 0]])


def test_glu_kernels_write_nothing_beyond_and_refuse_what_does_not_fit(isa, rng, guard):
    for R, L in ((7, 3), (1, 33), (2, 5000)):
        x, y, grad_x = [guard(rng.normal(size=shape).astype("f4"))
                        for shape in ((R, 2, L), (R, L), (R, 2, L))]
        cpu.glu_forward(x, y)
        cpu.glu_backward(x, y, grad_x)
        assert np.isfinite(y).all()
        assert np.isfinite(grad_x).all()
        for bad in np.zeros((R, L + 1), "f4"), np.zeros((R, L), "f8"):
            with pytest.raises(ValueError, match=r"glu: expected x and grad_x \(R, 2, L\)"):
                cpu.glu_forward(x, bad)
        with pytest.raises(ValueError, match="glu: expected x and grad_x"):
            cpu.glu_backward(x, y, y)


# Maxout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "pieces", "dim"), [
    ((3, 6), 2, 1), ((3, 6), 3, -1), ((2, 6, 3, 4), 3, 1), ((2, 6, 3, 4), 1, 1), ((4, 5), 2, 0),
    ((2, 4, 0), 2, 1), ((2, 0, 3), 2, 1)])
def test_maxout_takes_the_largest_of_consecutive_channels(rng, shape, pieces, dim):
    x = rng.normal(size=shape)
    axis = dim % len(shape)
    groups = x.reshape(*shape[:axis], shape[axis] // pieces, pieces, *shape[axis + 1:])
    y = F.maxout(tensor(x, "float64"), pieces, dim)
    np.testing.assert_array_equal(y.data, groups.max(axis + 1))
    if x.size:
        assert gradcheck(lambda x: F.maxout(x, pieces, dim), tensor(x, "float64"))
    np.testing.assert_array_equal(nn.Maxout(pieces, dim)(tensor(x, "float64")).data, y.data)


def test_maxout_shares_the_gradient_at_ties():
    x = tensor([[1.0, 1.0, 1.0, 0.0, 2.0, 2.0]])
    F.maxout(x, 3).backward(tinycnn.tensor([[3.0, 8.0]]))
    assert x.grad.tolist() == [[1, 1, 1, 0, 4, 4]]


def test_maxout_keeps_nan_and_channels_last_memory(rng):
    assert np.isnan(F.maxout(tinycnn.tensor([[NAN, 1.0], [1.0, NAN]]), 2).numpy()).all()
    x = tinycnn.autograd.wrap(rng.normal(size=(2, 3, 4, 6)).transpose(0, 3, 1, 2))
    assert F.maxout(x, 2).data.transpose(0, 2, 3, 1).flags.c_contiguous
