"""Convolutions, linear layers and products give PyTorch's numbers: forward, all gradients, every
argument, 1-D to 3-D. Small integers make both exact, so the numbers must be equal, not close."""

import itertools

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
TF = torch.nn.functional



@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """For PyTorch: its threads cost more than these sizes take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


STRIDES, PADDINGS, DILATIONS, GROUPS = (1, 2, 3), (0, 1, 2), (1, 2), (1, 2)
KERNELS = {1: [(1,), (3,), (4,)], 2: [(1, 1), (3, 3), (2, 5), (4, 1)], 3: [(1, 1, 1), (3, 2, 3)]}
SIZES = {1: [(1,), (12,)], 2: [(5, 6), (11, 13)], 3: [(4, 5, 7)]}


def both(name, arrays, arguments):
    """The call there, then here, with one gradient sent back: [(their array, ours)]. None where
    the sizes do not fit, which is an error in both; an output without a pixel is one only here."""
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    ours = [tinycnn.tensor(a, requires_grad=True) for a in arrays]
    try:
        expected = getattr(TF, name)(*theirs, **arguments)
    except RuntimeError:
        expected = None
    if expected is None or 0 in expected.shape[1:]:
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            getattr(F, name)(*ours, **arguments)
        return None
    y = getattr(F, name)(*ours, **arguments)
    assert y.shape == tuple(expected.shape)
    grad = np.random.default_rng(1).integers(-3, 4, y.shape).astype(arrays[0].dtype)
    expected.backward(torch.tensor(grad))
    y.backward(tinycnn.tensor(grad))
    return [(expected.detach().numpy(), y.detach().numpy()),
            *[(a.grad.numpy(), b.grad.numpy()) for a, b in zip(theirs, ours)]]


def assert_equal(pairs):
    for expected, got in pairs:
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def integers(rng, *shapes, dtype=np.float32):
    return [rng.integers(-3, 4, shape).astype(dtype) for shape in shapes]


def cases(dims):
    return itertools.product(SIZES[dims], KERNELS[dims], STRIDES, PADDINGS, DILATIONS, GROUPS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_convolution(dims, dtype, rng):
    compared = 0
    for size, kernel, stride, padding, dilation, groups in cases(dims):
        arrays = integers(rng, (2, 4, *size), (6, 4 // groups, *kernel), (6,), dtype=dtype)
        pairs = both(f"conv{dims}d", arrays, {"stride": stride, "padding": padding,
                                              "dilation": dilation, "groups": groups})
        if pairs:
            assert_equal(pairs)
            compared += 1
    assert compared > 60


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_transposed_convolution(dims, dtype, rng):
    compared = 0
    for size, kernel, stride, padding, dilation, groups in cases(dims):
        arrays = integers(rng, (2, 4, *size), (4, 6 // groups, *kernel), (6,), dtype=dtype)
        for extra in range(max(stride, dilation)):
            pairs = both(f"conv_transpose{dims}d", arrays, {
                "stride": stride, "padding": padding, "output_padding": extra,
                "dilation": dilation, "groups": groups})
            if pairs:
                assert_equal(pairs)
                compared += 1
    assert compared > 100


# name, shape of x, shape of weight, arguments
ARGUMENTS = [
    ("conv1d", (3, 9), (2, 3, 4), {}),
    ("conv2d", (3, 9, 8), (2, 3, 4, 3), {"stride": (2, 1)}),
    ("conv3d", (3, 5, 6, 7), (2, 3, 2, 2, 2), {"padding": (1, 0, 2)}),
    ("conv2d", (0, 3, 9, 8), (2, 3, 4, 3), {}),
    ("conv2d", (2, 3, 9, 8), (2, 3, 9, 8), {}),
    ("conv2d", (2, 3, 9, 8), (2, 3, 3, 3), {"stride": 100}),
    ("conv2d", (2, 3, 9, 8), (2, 3, 3, 3), {"padding": "valid", "stride": 2}),
    ("conv2d", (2, 3, 9, 8), (2, 3, 3, 3), {"padding": "same", "dilation": (2, 1)}),
    ("conv1d", (2, 3, 9), (2, 3, 5), {"padding": "same"}),
    ("conv3d", (2, 2, 4, 5, 6), (2, 2, 3, 1, 5), {"padding": "same"}),
    ("conv2d", (2, 3, 9, 8), (2, 3, 3, 3), {"padding": [2, 1], "stride": [1, 3]}),
    ("conv2d", (2, 6, 9, 8), (6, 1, 3, 3), {"groups": 6, "padding": 1}),
    ("conv2d", (2, 6, 9, 8), (18, 1, 3, 3), {"groups": 6, "stride": 2}),
    *[("conv2d", (n, 17, *size), (17, 1, k, k), {"groups": 17, "stride": s, "padding": k // 2})
      for k in (3, 5) for s in (1, 2) for n, size in [(2, (7, 13)), (1, (8, 5)), (0, (4, 4))]],
    ("conv2d", (2, 64, 1, 1), (64, 1, 3, 3), {"groups": 64, "padding": 1}),
    ("conv2d", (2, 65, 9, 8), (65, 1, 3, 3), {"groups": 65, "padding": "same"}),
    ("conv2d", (1, 65, 7, 7), (33, 65, 3, 3), {"padding": 1}),
    ("conv2d", (1, 1, 28, 28), (6, 1, 5, 5), {}),
    ("conv2d", (2, 3, 35, 35), (17, 3, 11, 11), {"stride": 4, "padding": 2}),
    ("conv_transpose1d", (4, 5), (4, 3, 3), {"stride": 2}),
    ("conv_transpose2d", (4, 5, 6), (4, 3, 2, 3), {"stride": (2, 3), "output_padding": (1, 2)}),
    ("conv_transpose3d", (1, 4, 3, 4, 5), (4, 3, 2, 2, 2), {"padding": (0, 1, 1), "stride": 2}),
    ("conv_transpose2d", (0, 4, 5, 6), (4, 3, 2, 3), {}),
    ("conv_transpose2d", (2, 4, 5, 6), (4, 1, 3, 3), {"groups": 4, "stride": 2, "padding": 1}),
    ("conv_transpose2d", (2, 8, 5, 6), (8, 40, 4, 4), {"stride": 2, "padding": 1}),
    ("linear", (5, 4), (3, 4), {}),
    ("linear", (4,), (3, 4), {}),
    ("linear", (2, 5, 4), (3, 4), {}),
    ("linear", (0, 4), (3, 4), {}),
    ("linear", (70, 90), (33, 90), {}),
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("name", "x", "weight", "arguments"), ARGUMENTS)
def test_arguments(name, x, weight, arguments, bias, rng):
    transposed = "transpose" in name
    outputs = weight[1] * arguments.get("groups", 1) if transposed else weight[0]
    with tinycnn.conv_algorithm("direct"):  # whole numbers stay whole
        assert_equal(both(name, integers(rng, x, weight, *[(outputs,)] * bias), arguments))


@pytest.mark.parametrize("shapes", [
    [(3, 4), (4, 5)], [(4,), (4, 5)], [(3, 4), (4,)], [(4,), (4,)], [(2, 3, 4), (4, 5)],
    [(2, 3, 4), (2, 4, 5)], [(2, 1, 3, 4), (6, 4, 5)], [(0, 4), (4, 5)], [(3, 0), (0, 5)],
    [(1, 70), (70, 33)], [(60, 17), (17, 65)], [(3, 4), (2, 4, 5)],
])
def test_matmul(shapes, rng):
    arrays = integers(rng, *shapes)
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    ours = [tinycnn.tensor(a, requires_grad=True) for a in arrays]
    expected, y = theirs[0] @ theirs[1], ours[0] @ ours[1]
    grad = integers(rng, y.shape)[0]
    expected.backward(torch.tensor(grad))
    y.backward(tinycnn.tensor(grad))
    assert_equal([(expected.detach().numpy(), y.detach().numpy()),
                  *[(a.grad.numpy(), b.grad.numpy()) for a, b in zip(theirs, ours)]])


def test_rounding_is_of_the_size_of_theirs(rng):
    """Real numbers: both round, in another order; the error against float64 is of one size."""
    shapes = (4, 40, 19, 21), (33, 40, 3, 3)
    x, weight = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    exact = TF.conv2d(torch.tensor(x).double(), torch.tensor(weight).double(), padding=1).numpy()
    theirs = TF.conv2d(torch.tensor(x), torch.tensor(weight), padding=1).numpy()
    ours = F.conv2d(tinycnn.tensor(x), tinycnn.tensor(weight), padding=1).numpy()
    size = abs(exact).max()
    assert abs(theirs - exact).max() < 2e-6 * size  # 360 products: sqrt(360) * 2**-24 = 1.1e-6
    assert abs(ours - exact).max() < 2e-6 * size


LAYERS = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1}, (2, 4, 9)),
    ("Conv2d", (4, 6, (3, 2)), {"dilation": (2, 1), "groups": 2, "bias": False}, (2, 4, 9, 8)),
    ("Conv2d", (4, 6, 3), {"padding": (2, 1), "padding_mode": "reflect"}, (2, 4, 9, 8)),
    ("Conv2d", (4, 6, 3), {"padding": "same", "padding_mode": "circular"}, (2, 4, 9, 8)),
    ("Conv1d", (4, 6, 4), {"padding": 2, "padding_mode": "replicate"}, (4, 9)),
    ("Conv3d", (2, 3, 2), {"padding": 1, "padding_mode": "replicate"}, (2, 2, 4, 5, 6)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1}, (2, 4, 5)),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 5, 6)),
    ("ConvTranspose3d", (2, 3, 2), {"stride": (1, 2, 2), "dilation": 2}, (2, 2, 3, 4, 5)),
    ("Linear", (7, 5), {}, (2, 3, 7)),
]


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAYERS)
def test_layers_take_pytorchs_arguments_and_parameters(name, arguments, options, shape, rng):
    theirs = getattr(torch.nn, name)(*arguments, **options)
    ours = getattr(nn, name)(*arguments, **options)
    ours.load_state_dict({key: tinycnn.tensor(value.numpy())
                          for key, value in theirs.state_dict().items()})
    x = rng.standard_normal(shape).astype(np.float32)
    ours_x, theirs_x = tinycnn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, expected = ours(ours_x), theirs(theirs_x)
    y.backward(tinycnn.ones(*y.shape))
    expected.backward(torch.ones_like(expected))
    pairs = [(expected.detach(), y.detach()), (theirs_x.grad, ours_x.grad)]
    pairs += [(p.grad, q.grad) for p, q in zip(theirs.parameters(), ours.parameters())]
    for a, b in pairs:  # sums of fewer than 200 products of numbers of size 1
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-5, atol=1e-4)


def test_output_size_of_a_transposed_layer():
    theirs, ours = (t.ConvTranspose2d(3, 2, 3, stride=2, padding=1) for t in (torch.nn, nn))
    for size in (7, 9), (8, 9), (7, 10), (8, 10):
        expected = theirs(torch.ones(1, 3, 4, 5), output_size=size).shape
        assert ours(tinycnn.ones(1, 3, 4, 5), output_size=size).shape == tuple(expected)
