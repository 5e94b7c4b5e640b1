"""Power-average pooling: by hand, against its formula, gradients (also where it has none)."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.testing import gradcheck

CASES = [  # dims, shape, p, kernel, stride
    (1, (2, 3, 7), 2, 3, None), (1, (3, 8), 1, 2, 1), (2, (2, 3, 5, 6), 2, 2, None),
    (2, (3, 6, 5), 3, (2, 3), 1), (2, (0, 2, 4, 4), 2, 2, None), (2, (1, 17, 4, 4), 0.5, 2, 2),
    (2, (2, 2, 4, 5), 1.5, (1, 2), (2, 1)), (2, (2, 2, 4, 4), -1, 2, 2),
    (3, (1, 2, 4, 4, 4), 2, 2, None), (3, (2, 3, 4, 5), 4, (1, 2, 3), 2),
]


def pooled(dims):
    return getattr(F, f"lp_pool{dims}d")


def draw(shape, dtype="float64"):
    return tinycnn.tensor(np.random.default_rng(0).random(shape) + 0.1, dtype=dtype,
                          requires_grad=True)


def test_by_hand():
    x = tinycnn.tensor([[[3.0, 0.0, -1.0], [0.0, -4.0, 1.0]]])
    assert F.lp_pool2d(x, 2, 2).tolist() == [[[5.0]]]
    assert F.lp_pool2d(x, 1, (1, 3)).tolist() == [[[2.0], [-3.0]]]  # a sum, not of absolutes
    assert F.lp_pool1d(x[0], 2, 2, ceil_mode=True).tolist() == [
        [3.0, pytest.approx(2**0.5)], [4.0, pytest.approx(2**0.5)]]  # half a window counts twice
    wide = F.lp_pool2d(tinycnn.ones(1, 2, 2), 1, 3, 2, ceil_mode=True)
    assert wide.tolist() == [[[9.0]]]  # 4 of 9 pixels
    assert F.lp_pool2d(tinycnn.tensor([[[1.0, 2.0, 3.0]]]), 60, (1, 3)).item() == pytest.approx(3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("dims", "shape", "p", "kernel", "stride"), CASES)
def test_it_is_the_root_of_a_sum_of_powers(dims, shape, p, kernel, stride, dtype):
    x = draw(shape, dtype)
    y = pooled(dims)(x, p, kernel, stride)
    kernel = kernel if isinstance(kernel, tuple) else (kernel,) * dims
    stride = stride or kernel
    stride = stride if isinstance(stride, tuple) else (stride,) * dims
    size = [(n - k) // s + 1 for n, k, s in zip(shape[-dims:], kernel, stride)]
    expected = np.zeros((*shape[:-dims], *size))
    for place in np.ndindex(*size):
        window = tuple([slice(i * s, i * s + k) for i, s, k in zip(place, stride, kernel)])
        powers = x.detach().numpy().astype("f8")[(..., *window)] ** p
        expected[(..., *place)] = powers.sum(axis=tuple(range(-dims, 0))) ** (1 / p)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.detach().numpy(), expected,
                               rtol=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("dims", "shape", "p", "kernel", "stride"), CASES)
def test_gradients(dims, shape, p, kernel, stride, ceil_mode):
    assert gradcheck(lambda x: pooled(dims)(x, p, kernel, stride, ceil_mode), draw(shape))


@pytest.mark.parametrize("p", [1, 2, 3, 1.5])
def test_the_gradient_of_a_window_of_zeros_is_zero(p):
    """A norm has a kink there; its formula would give 0 / 0."""
    x = tinycnn.tensor([[[0.0, 0.0, 3.0, 4.0]]], requires_grad=True)
    F.lp_pool2d(x.reshape(1, 1, 1, 4), p, (1, 2)).sum().backward()
    assert x.grad.tolist()[0][0][:2] == [0, 0]
    assert all(g > 0 for g in x.grad.tolist()[0][0][2:])


def test_a_negative_sum_has_no_root():
    assert np.isnan(F.lp_pool1d(tinycnn.tensor([[-1.0, -2.0]]), 3, 2).item())


def test_layers_and_their_text():
    x = draw((2, 3, 4, 4), "float32")
    layer = nn.LPPool2d(2, (2, 1), ceil_mode=True)
    np.testing.assert_array_equal(layer(x).detach().numpy(),
                                  F.lp_pool2d(x, 2, (2, 1), ceil_mode=True).detach().numpy())
    assert repr(layer) == "LPPool2d(norm_type=2, kernel_size=(2, 1), stride=None, ceil_mode=True)"
    assert repr(nn.LPPool1d(1.5, 3, 2)) == (
        "LPPool1d(norm_type=1.5, kernel_size=3, stride=2, ceil_mode=False)")
    assert nn.LPPool3d(2, 2)(tinycnn.ones(1, 1, 2, 2, 2)).item() == pytest.approx(8**0.5)


X = tinycnn.ones(1, 4, 4)
MESSAGES = [
    (lambda: F.lp_pool2d(X, 0, 2), ValueError,
     "lp_pool2d: expected a finite norm_type other than 0, got 0. The limit of infinity"),
    (lambda: F.lp_pool2d(X, float("inf"), 2), ValueError, "finite norm_type other than 0, got inf"),
    (lambda: F.lp_pool2d(X, "2", 2), TypeError, "lp_pool2d: expected norm_type to be a number"),
    (lambda: F.lp_pool2d(X.to("int64"), 2, 2), TypeError, "lp_pool2d: expected input to be of"),
    (lambda: F.lp_pool2d(X, 2, 5), ValueError, "lp_pool2d: expected a window that fits"),
    (lambda: F.lp_pool1d(X, 2, (2, 2)), ValueError, "lp_pool1d: expected kernel_size"),
    (lambda: F.lp_pool3d(X, 2, 2), ValueError, r"lp_pool3d: expected input \(N, C, D, H, W\) or"),
    (lambda: nn.LPPool2d(2, 0), ValueError, "LPPool2d: expected kernel_size"),
    (lambda: nn.LPPool1d(2, 2, -1), ValueError, "LPPool1d: expected stride"),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES, ids=range(len(MESSAGES)))
def test_messages(call, error, text):
    with pytest.raises(error, match=text):
        call()
