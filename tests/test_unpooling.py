"""Unpooling: results by hand, kernels against their formula, duplicates, gradients, messages."""

import numpy as np
import pytest
from on_device import Hosted

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import cpu, device_kernels, reference
from tinycnn.testing import gradcheck

DEVICES = {"cpu": cpu, "cuda": Hosted(device_kernels("cuda"))}


def test_values_go_back_to_where_they_were_found():
    x = tinycnn.tensor([[[[1.0, 2.0, 6.0, 3.0], [3.0, 5.0, 2.0, 1.0],
                          [1.0, 2.0, 2.0, 1.0], [7.0, 3.0, 4.0, 8.0]]]])
    y, where = F.max_pool2d(x, 2, return_indices=True)
    assert F.max_unpool2d(y, where, 2).tolist() == [[[[0, 0, 6, 0], [0, 5, 0, 0],
                                                      [0, 0, 0, 0], [7, 0, 0, 8]]]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), [
    ((2, 3, 9), 2, None, 0), ((3, 10), 3, 2, 1), ((2, 5, 7, 9), 2, None, 0), ((4, 6, 6), 3, 3, 1),
    ((1, 70, 8, 8), 2, 2, 0), ((9, 3, 8, 6), (2, 3), (2, 3), 0), ((1, 2, 5, 4, 6), 2, None, 0),
    ((0, 3, 4, 4), 2, None, 0)])
def test_what_is_unpooled_is_pooled_to_the_same(shape, kernel, stride, padding, dtype):
    """Switches: pooling finds again what unpooling put back, and at the same places."""
    dims = len(shape) - 1 if shape in ((3, 10), (4, 6, 6)) else len(shape) - 2
    pool, unpool = [getattr(F, f"max_{name}{dims}d") for name in ("pool", "unpool")]
    x = np.random.default_rng(0).random(shape).astype(dtype) + 0.5
    y, where = pool(tinycnn.tensor(x), kernel, stride, padding, return_indices=True)
    back = unpool(y, where, kernel, stride, padding, output_size=shape)
    assert back.shape == shape
    again, places = pool(back, kernel, stride, padding, return_indices=True)
    np.testing.assert_array_equal(again.numpy(), y.numpy())
    np.testing.assert_array_equal(places.numpy(), where.numpy())
    kept = back.numpy() != 0
    np.testing.assert_array_equal(back.numpy()[kept], x[kept])
    assert kept.sum() == len(np.unique(np.flatnonzero(kept))) <= y.numpy().size


@pytest.mark.parametrize(("output_size", "expected"), [
    (None, (4, 6)), ((5, 7), (5, 7)), ([3, 5], (3, 5)), ((1, 1, 5, 6), (5, 6)),
    ((1, 4, 5), (4, 5))])
def test_output_sizes(output_size, expected):
    x, where = tinycnn.ones(1, 2, 3), tinycnn.zeros(1, 2, 3, dtype="int64")
    assert F.max_unpool2d(x, where, 2, output_size=output_size).shape == (1, *expected)


# --- kernels

KERNELS = [  # images, size of x, size of y, channels
    (1, (1, 3, 4), (1, 5, 6), 3), (2, (2, 2, 2), (3, 4, 3), 5), (3, (1, 1, 7), (1, 1, 4), 1),
    (9, (1, 2, 2), (1, 4, 4), 2), (1, (1, 2, 3), (1, 4, 4), 130), (0, (1, 2, 2), (1, 4, 4), 3),
    (2, (1, 2, 2), (1, 4, 4), 0),
]


def arrays(images, size, out, channels, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((images, *size, channels)).astype(dtype)
    index = rng.integers(0, np.prod(out), x.shape)  # many are equal
    return x, index, rng.standard_normal((images, *out, channels)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", KERNELS, ids=str)
def test_reference_is_the_formula_in_plain_loops(case, dtype):
    x, index, grad = arrays(*case, dtype)
    y, grad_x = np.full_like(grad, 77), np.full_like(x, 77)
    assert reference.max_unpool_forward(x, index, y)
    reference.max_unpool_backward(grad, index, grad_x)
    expected, expected_grad = np.zeros_like(y), np.zeros_like(x)
    places = [np.unravel_index(i, case[2]) for i in range(np.prod(case[2]))]
    for n, d, h, w, c in np.ndindex(x.shape):
        at = (n, *places[index[n, d, h, w, c]], c)
        expected[at] = x[n, d, h, w, c]  # a later value stays
        expected_grad[n, d, h, w, c] = grad[at]
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(grad_x, expected_grad)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", KERNELS, ids=str)
def test_kernels_agree_with_the_reference(case, dtype, device, set_threads):
    x, index, grad = arrays(*case, dtype)
    results = []
    for kernels, threads in (reference, 1), (DEVICES[device], 1), (DEVICES[device], 3):
        set_threads(threads)
        y, grad_x = np.full_like(grad, 77), np.full_like(x, 77)
        assert kernels.max_unpool_forward(x, index, y)
        kernels.max_unpool_backward(grad, index, grad_x)
        results.append((y, grad_x))
    for y, grad_x in results[1:]:
        np.testing.assert_array_equal(y, results[0][0])
        np.testing.assert_array_equal(grad_x, results[0][1])


def test_many_threads_put_the_same_bits(set_threads):
    """Large enough for two threads, in both ways of sharing the work."""
    for images, channels in (1, 200), (16, 24):
        x, index, grad = arrays(images, (1, 40, 40), (1, 30, 30), channels, np.float32)
        results = []
        for threads in 1, 2, 5:
            set_threads(threads)
            y, grad_x = np.full_like(grad, 77), np.full_like(x, 77)
            assert cpu.max_unpool_forward(x, index, y)
            cpu.max_unpool_backward(grad, index, grad_x)
            results.append((y, grad_x))
        for y, grad_x in results[1:]:
            np.testing.assert_array_equal(y, results[0][0])
            np.testing.assert_array_equal(grad_x, results[0][1])


@pytest.mark.parametrize("kernels", [reference, *DEVICES.values()],
                         ids=["reference", *DEVICES])
def test_an_index_that_was_changed_after_forward_has_no_gradient(kernels):
    """It is not read from outside of grad_y."""
    index = np.array([-1, 2, 4, 2**40, -(2**40)]).reshape(1, 1, 1, 5, 1)
    grad_x = np.full(index.shape, 77.0)
    kernels.max_unpool_backward(np.arange(1.0, 5).reshape(1, 1, 1, 4, 1), index, grad_x)
    assert grad_x.ravel().tolist() == [0, 3, 0, 0, 0]


# --- gradients, layouts


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_gradients(device):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    y, where = F.max_pool2d(tinycnn.tensor(x, device=device), 2, return_indices=True)
    y = y.detach().requires_grad_()
    assert gradcheck(lambda y: F.max_unpool2d(y, where, 2, output_size=(5, 4)), y)
    one = y.detach()[0].clone().requires_grad_()
    assert gradcheck(lambda y: F.max_unpool2d(y, where[0], 2), one)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_of_equal_indices_the_last_value_stays_and_all_get_the_gradient(device):
    x = tinycnn.tensor([[1.0, 2.0, 3.0]], device=device, requires_grad=True)
    where = tinycnn.tensor([[4, 1, 4]], device=device)
    y = F.max_unpool1d(x, where, 2)
    assert y.tolist() == [[0, 2, 0, 0, 3, 0]]
    y.backward(tinycnn.tensor([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], device=device))
    assert x.grad.tolist() == [[5, 2, 5]]


def test_inputs_may_lie_in_memory_in_any_way():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    where = np.random.default_rng(1).integers(0, 64, x.shape)
    expected = F.max_unpool2d(tinycnn.tensor(x), tinycnn.tensor(where), 2).numpy()
    for order in (0, 2, 3, 1), (3, 2, 1, 0), (1, 0, 3, 2):
        back = np.argsort(order)
        a, b = tinycnn.zeros(1), tinycnn.zeros(1)
        a.data = np.ascontiguousarray(x.transpose(order)).transpose(back)
        b.data = np.ascontiguousarray(where.transpose(order)).transpose(back)
        np.testing.assert_array_equal(F.max_unpool2d(a, b, 2).numpy(), expected)


def test_nan_and_infinities_are_moved_as_they_are():
    x = tinycnn.tensor([[np.nan, np.inf, -0.0]])
    y = F.max_unpool1d(x, tinycnn.tensor([[0, 5, 3]]), 2).numpy()[0]
    assert np.isnan(y[0])
    assert (y[5], y[3], np.signbit(y[3])) == (np.inf, 0, True)


# --- layers and messages


def test_layers_undo_their_pooling():
    for dims, shape in (1, (2, 3, 7)), (2, (2, 3, 7, 6)), (3, (2, 3, 5, 4, 6)):
        pool = getattr(nn, f"MaxPool{dims}d")(2, return_indices=True)
        unpool = getattr(nn, f"MaxUnpool{dims}d")(2)
        y, where = pool(tinycnn.rand(shape))
        assert unpool(y, where, output_size=shape).shape == shape
        assert unpool(y, where).shape == (2, 3, *[n // 2 * 2 for n in shape[2:]])


def test_text_is_that_of_pytorch():
    assert repr(nn.MaxUnpool2d(3, 2, (1, 0))) == (
        "MaxUnpool2d(kernel_size=(3, 3), stride=(2, 2), padding=(1, 0))")
    assert repr(nn.MaxUnpool1d(2)) == "MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))"
    assert repr(nn.MaxUnpool3d((1, 2, 2))) == (
        "MaxUnpool3d(kernel_size=(1, 2, 2), stride=(1, 2, 2), padding=(0, 0, 0))")


X, I = tinycnn.ones(1, 2, 2), tinycnn.zeros(1, 2, 2, dtype="int64")
MESSAGES = [
    (lambda: F.max_unpool2d(X, I + 16, 2), ValueError,
     r"max_unpool2d: expected indices from 0 to 15 for the output size \(4, 4\), got 16 at element "
     r"0 of indices \(1, 2, 2\). Pass the indices of max_pool"),
    (lambda: F.max_unpool2d(X, tinycnn.tensor([[[0, 1], [-1, 99]]]), 2), ValueError,
     "got -1 at element 2"),
    (lambda: F.max_unpool2d(X, X, 2), TypeError,
     r"max_unpool2d: expected indices of dtype int64, got float32 \(1, 2, 2\)"),
    (lambda: F.max_unpool2d(X, I.to("int32"), 2), TypeError, "expected indices of dtype int64"),
    (lambda: F.max_unpool2d(X, I[:, :1], 2), ValueError,
     r"expected indices of the input's shape \(1, 2, 2\), got \(1, 1, 2\)"),
    (lambda: F.max_unpool2d(X, [[[0]]], 2), TypeError, "indices to be a Tensor, got list"),
    (lambda: F.max_unpool2d(I, I, 2), TypeError, "input to be of dtype float32 or float64"),
    (lambda: F.max_unpool3d(X, I, 2), ValueError,
     r"max_unpool3d: expected input \(N, C, D, H, W\) or \(C, D, H, W\)"),
    (lambda: F.max_unpool1d(X[:, :, :0], I[:, :, :0], 2), ValueError,
     r"max_unpool1d: expected input \(N, C, L\) or \(C, L\), with pixels, got \(1, 2, 0\)"),
    (lambda: F.max_unpool2d(X, I, 2, output_size=(4, 6)), ValueError,
     r"expected output_size from \(3, 3\) to \(5, 5\), got \(4, 6\)"),
    (lambda: F.max_unpool2d(X, I, 2, output_size=(2, 4)), ValueError, "expected output_size from"),
    (lambda: F.max_unpool2d(X, I, 2, output_size=(4,)), ValueError,
     r"expected output_size of 2 numbers, or a whole shape of 4, got \(4,\)"),
    (lambda: F.max_unpool2d(X, I, 2, output_size="44"), TypeError, "sizes to be integers"),
    (lambda: F.max_unpool2d(X, I, 1, 1, 1), ValueError,
     r"an output of at least one pixel along each axis, got \(0, 0\)"),
    (lambda: F.max_unpool2d(X, I, 0), ValueError, "max_unpool2d: expected kernel_size"),
    (lambda: F.max_unpool2d(X, I, 2, 0), ValueError, "max_unpool2d: expected stride"),
    (lambda: nn.MaxUnpool2d((2, 2, 2)), ValueError, "MaxUnpool2d: expected kernel_size"),
    (lambda: nn.MaxUnpool2d(2, padding=-1), ValueError, "MaxUnpool2d: expected padding"),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES, ids=range(len(MESSAGES)))
def test_messages(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_on_a_gpu_a_wrong_index_is_named_when_somebody_waits():
    x = tinycnn.ones(1, 2, 1, 2, device="cuda")
    where = tinycnn.tensor([[[[0, 3]], [[2, -5]]]], device="cuda")
    message = (r"max_unpool: expected indices from 0 to 7 for the output size \(1, 2, 4\), got -5 "
               r"at element 3\. Pass the indices of max_pool")
    with pytest.raises(ValueError, match=message):
        _ = F.max_unpool2d(x, where, 2).cpu()
