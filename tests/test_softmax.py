"""Softmax and its kin: values, gradients, layouts, every message."""

import numpy as np
import pytest

import tinycnn
from tinycnn import nn
from tinycnn._core import cpu
from tinycnn.ops import activation as ops
from tinycnn.testing import assert_same_on_devices, gradcheck

NAN, INF = float("nan"), float("inf")
NAMES = ["softmax", "softmin", "log_softmax"]


def _call(name, x, *arguments):
    return getattr(ops, name)(x, *arguments)


def test_softmax_by_hand():
    x = tinycnn.tensor(np.log([[1.0, 2.0, 1.0], [3.0, 3.0, 6.0]]))
    np.testing.assert_allclose(ops.softmax(x, 1).numpy(), [[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]])
    np.testing.assert_allclose(ops.softmax(x, 0).numpy()[0], [0.25, 0.4, 1 / 7])
    np.testing.assert_allclose(np.exp(ops.log_softmax(x, 1).numpy()), ops.softmax(x, 1).numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 1), (5, 2), (3, 10), (4, 17), (2, 33), (2, 1000), (0, 4)])
def test_softmax_rows_agree_with_plain_kernels(isa, rng, shape, dtype):
    x = tinycnn.tensor((rng.normal(size=shape) * 4).astype(dtype), requires_grad=True)
    for name in NAMES:
        assert_same_on_devices(lambda x, name=name: _call(name, x, 1), x)


@pytest.mark.parametrize("dim", [-4, -3, -2, -1, 0, 1, 2, 3])
def test_softmax_along_any_axis(rng, dim):
    x = rng.normal(size=(2, 3, 4, 5))
    e = np.exp(x)
    expected = e / e.sum(axis=dim, keepdims=True)
    opposite = 1 / e / (1 / e).sum(axis=dim, keepdims=True)
    for name, exact in zip(NAMES, (expected, opposite, np.log(expected))):
        y = _call(name, tinycnn.tensor(x), dim)
        assert y.shape == (2, 3, 4, 5)
        np.testing.assert_allclose(y.numpy(), exact, rtol=1e-12)


def test_softmax_of_extreme_scores_is_exact():
    x = tinycnn.tensor([[1e4, 1e4, -1e4], [-INF, 0.0, -INF], [3e38, -3e38, 0.0]])
    np.testing.assert_array_equal(ops.softmax(x, 1).numpy(), [[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]])
    logs = ops.log_softmax(x, 1).numpy()
    np.testing.assert_allclose(logs[0], [-np.log(2), -np.log(2), -2e4 - np.log(2)], rtol=1e-6)
    assert logs[1].tolist() == [-INF, 0, -INF]


@pytest.mark.parametrize("row", [[-INF, -INF], [INF, 0.0], [NAN, 0.0], [0.0, NAN], [NAN, NAN]])
def test_softmax_without_an_answer_is_nan(row):
    for width in (0, 3, 20):  # within one vector, and beyond it
        x = tinycnn.tensor([row + [row[-1]] * width, [0.0] * (2 + width)])
        for y in ops.softmax(x, 1).numpy(), ops.log_softmax(x, 1).numpy():
            assert np.isnan(y[0]).all()
            assert not np.isnan(y[1]).any()


def test_softmax_of_numbers_and_of_nothing():
    assert ops.softmax(tinycnn.tensor(3.0), 0).item() == 1
    assert ops.log_softmax(tinycnn.tensor(3.0), -1).item() == 0
    assert ops.softmax(tinycnn.zeros(3, 0), 1).shape == (3, 0)
    assert ops.softmax(tinycnn.zeros(0, 3), 0).shape == (0, 3)


def test_softmax_of_a_feature_map_takes_no_copy(rng):
    memory = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    y = ops.softmax(tinycnn.autograd.wrap(memory.transpose(0, 3, 1, 2)), 1)
    assert y.data.transpose(0, 2, 3, 1).flags.c_contiguous


def test_softmax_converts_to_the_dtype_asked_for():
    x = tinycnn.tensor([1.0, 2.0], requires_grad=True)
    y = ops.softmax(x, 0, dtype=tinycnn.float64)
    assert y.dtype == tinycnn.float64
    y[0].backward()
    assert x.grad.dtype == tinycnn.float32
    assert ops.log_softmax(tinycnn.tensor([1, 2]), 0, dtype=tinycnn.float32).shape == (2,)


@pytest.mark.parametrize(("shape", "dim"), [((), 0), ((3,), 0), ((3, 2), 1), ((3, 2, 2), 0),
                                            ((3, 2, 2, 2), 1)])
def test_softmax_chooses_an_axis_with_a_warning(rng, shape, dim):
    x = tinycnn.tensor(np.asarray(rng.normal(size=shape)))
    for name in NAMES:
        with pytest.warns(UserWarning, match=f"{name}: dim was not given, dim={dim} is used"):
            y = _call(name, x)
        np.testing.assert_array_equal(y.numpy(), _call(name, x, dim).numpy())


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_derivative(rng, name, dim):
    for shape, per_element in (((2, 3), True), ((2, 5, 3, 3), False)):
        x = tinycnn.tensor(rng.normal(size=shape), requires_grad=True)
        assert gradcheck(lambda x: _call(name, x, dim), x, per_element=per_element)


@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_threads_gives_the_same_bits(rng, set_threads, name):
    x = rng.normal(size=(70, 3, 501)).astype("float32")
    results = []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        t = tinycnn.tensor(x, requires_grad=True)
        y = _call(name, t, 1)
        y.backward(tinycnn.tensor(x[::-1].copy()))
        results.append((y.data.tobytes(), t.grad.numpy().tobytes()))
    assert len(set(results)) == 1


def test_softmin_gives_the_smallest_number_the_largest_share():
    x = tinycnn.tensor(np.log([[1.0, 2.0, 4.0]]))
    np.testing.assert_allclose(ops.softmin(x, 1).numpy(), [[4 / 7, 2 / 7, 1 / 7]])


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5), (1, 3, 0, 2)])
def test_softmax2d_shares_among_the_channels_of_a_pixel(rng, shape):
    x = tinycnn.tensor(rng.normal(size=shape))
    y = nn.Softmax2d()(x)
    np.testing.assert_array_equal(y.numpy(), ops.softmax(x, len(shape) - 3).numpy())


def test_softmax2d_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"^Softmax2d: expected input \(N, C, H, W\) or "
                                         r"\(C, H, W\), got \(2, 3\)\. Use Softmax"):
        nn.Softmax2d()(tinycnn.zeros(2, 3))


@pytest.mark.parametrize("name", NAMES)
def test_messages_of_wrong_inputs(name):
    with pytest.raises(TypeError, match=rf"^{name}: expected input to be of dtype float32 or "
                                        r"float64, got int64 \(2,\)"):
        _call(name, tinycnn.tensor([1, 2]), 0)
    with pytest.raises(TypeError, match=f"^{name}: expected input to be a Tensor, got list"):
        _call(name, [1.0], 0)


@pytest.mark.parametrize("name", NAMES)
def test_messages_of_wrong_axes(name):
    x = tinycnn.zeros(2, 3)
    for dim in (2, -3):
        with pytest.raises(ValueError, match=f"^{name}: expected dim between .* got {dim}"):
            _call(name, x, dim)
    with pytest.raises(TypeError, match=f"^{name}: expected dim to be an int"):
        _call(name, x, "channels")


def test_kernels_refuse_arrays_that_do_not_fit():
    a = np.zeros((2, 2), "f4")
    for other in np.zeros(5, "f4"), np.zeros((2, 2), "f8"):
        with pytest.raises(ValueError, match="loss: expected 4 numbers"):
            cpu.softmax_forward(a, other)
