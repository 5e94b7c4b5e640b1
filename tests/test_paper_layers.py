"""Layers of older papers: trainable subsampling, connection tables, distances to codes, separable
and locally connected convolution; against their formulas written out, and every message."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.testing import assert_same_on_devices, gradcheck

# LeNet-5's table I: which maps of S2 each of the 16 maps of C3 sees.
THREE = [[i, (i + 1) % 6, (i + 2) % 6] for i in range(6)]
FOUR = [[i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6] for i in range(6)]
GAPS = [[i, (i + 1) % 6, (i + 3) % 6, (i + 4) % 6] for i in range(3)]
TABLE = [sorted(row) for row in THREE + FOUR + GAPS] + [[0, 1, 2, 3, 4, 5]]


def draw(*shape, dtype="float64", seed=0, grad=True):
    values = np.random.default_rng(seed).standard_normal(shape)
    return tinycnn.tensor(values, dtype=dtype, requires_grad=grad)


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def as_double(layer):
    """The layer in float64, every parameter drawn anew so that none is 0."""
    layer.to("float64")
    for i, p in enumerate(layer.parameters()):
        p.data[...] = np.random.default_rng(i + 5).standard_normal(p.shape)
    return layer


# --- subsampling


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "kernel", "stride"), [
    ((2, 3, 4, 6), 2, None), ((3, 5, 7), 2, None), ((1, 1, 4, 4), (2, 3), 1), ((0, 2, 4, 4), 2, 2),
    ((2, 17, 9, 5), 3, (2, 1))])
def test_subsampling_is_coefficient_times_sum_plus_bias(shape, kernel, stride, dtype):
    x = draw(*shape, dtype=dtype, grad=False)
    weight, bias = draw(shape[-3], dtype=dtype, seed=1), draw(shape[-3], dtype=dtype, seed=2)
    got = F.subsampling2d(x, weight, bias, kernel, stride)
    sums = F.avg_pool2d(x, kernel, stride, divisor_override=1)
    expected = sums * weight.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1)
    assert got.shape == expected.shape
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), atol=tolerance)


def test_subsampling_by_hand_and_its_gradients():
    x = tinycnn.tensor([[[[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]]], requires_grad=True)
    weight = tinycnn.tensor([0.5], requires_grad=True)
    bias = tinycnn.tensor([1.0], requires_grad=True)
    y = F.subsampling2d(x, weight, bias)
    assert y.tolist() == [[[[6.0]]]]  # the last column is in no window
    y.backward()
    assert x.grad.tolist() == [[[[0.5, 0.5, 0], [0.5, 0.5, 0]]]]
    assert (weight.grad.tolist(), bias.grad.tolist()) == ([10.0], [1.0])
    inputs = draw(2, 3, 5, 4), draw(3, seed=1), draw(3, seed=2)
    assert gradcheck(F.subsampling2d, inputs)
    assert gradcheck(lambda x, w: F.subsampling2d(x, w, None, 3, 1), inputs[:2])


def test_subsampling_has_two_parameters_for_each_map():
    """LeCun 1998: S2 has 12 trainable parameters and S4 has 32."""
    assert (parameters(nn.Subsampling2d(6)), parameters(nn.Subsampling2d(16))) == (12, 32)
    layer = nn.Subsampling2d(4, (2, 3), 1)
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert all(-1 / 6 <= v < 1 / 6 for p in layer.parameters() for v in p.tolist())
    assert layer(tinycnn.zeros(4, 3, 3)).shape == (4, 2, 1)


# --- connection tables


def dense(weight, table, channels):
    """The weight of conv2d that the table means."""
    full = np.zeros((len(table), channels, *weight.shape[1:]), weight.dtype)
    filters = iter(weight.detach().numpy())
    for o, row in enumerate(table):
        for c in row:
            full[o, c] = next(filters)
    return tinycnn.tensor(full, requires_grad=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("table", "shape", "options"), [
    (TABLE, (2, 6, 14, 14), {}), (TABLE, (6, 7, 8), {"padding": "same", "stride": 2}),
    ([[1, 0], [2]], (1, 3, 6, 7), {"padding": (1, 0), "dilation": (1, 2)}),
    ([[0]], (2, 1, 5, 5), {"stride": (1, 2), "padding": "full"}), ([[1]], (0, 2, 5, 5), {}),
])
def test_a_table_means_a_convolution_with_zeros(table, shape, options, dtype):
    x = draw(*shape, dtype=dtype)
    weight = draw(sum(map(len, table)), 5, 4, dtype=dtype, seed=1)
    bias = draw(len(table), dtype=dtype, seed=2)
    y = F.table_conv2d(x, weight, table, bias, **options)
    full = dense(weight, table, shape[-3])
    x2 = tinycnn.tensor(x.detach().numpy(), requires_grad=True)
    expected = F.conv2d(x2, full, bias.detach(), **options)
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    y.sum().backward()
    expected.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), x2.grad.numpy())
    rows = [full.grad.numpy()[o, c] for o, row in enumerate(table) for c in row]
    np.testing.assert_array_equal(weight.grad.numpy(), np.stack(rows))


def test_gradients_of_a_table():
    inputs = draw(2, 3, 4, 4), draw(3, 2, 3, seed=1), draw(2, seed=2)
    assert gradcheck(lambda x, w, b: F.table_conv2d(x, w, [[2, 0], [1]], b), inputs)


def test_c3_of_lenet_has_1516_parameters_and_60_connections():
    layer = nn.TableConv2d(TABLE, 5)
    assert (parameters(layer), layer.weight.shape) == (1516, (60, 5, 5))
    assert layer(tinycnn.zeros(1, 6, 14, 14)).shape == (1, 16, 10, 10)
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_first_values_of_a_table_follow_the_inputs_of_each_map():
    layer = nn.TableConv2d([[0], list(range(100))], 10)
    one, many = np.abs(layer.weight.detach().numpy()[:1]), np.abs(layer.weight.detach().numpy()[1:])
    assert 0.08 < one.max() <= 0.1
    assert 0.0099 < many.max() <= 0.01
    assert abs(layer.bias.detach().numpy()[1]) <= 0.01
    before = layer.weight.detach().numpy().copy()
    layer.reset_parameters()
    assert (layer.weight.detach().numpy() != before).mean() > 0.9


def test_a_table_layer_moves_keeps_its_connections_and_may_ignore_maps():
    layer = nn.TableConv2d([[0, 2]], 1, bias=False, in_channels=4).to("float64")
    layer.weight.data[...] = [[[2.0]], [[3.0]]]
    x = tinycnn.tensor([[[1.0]], [[10.0]], [[100.0]], [[1000.0]]], dtype="float64")
    assert layer(x).tolist() == [[[302.0]]]
    assert layer.to("cuda")(x.to("cuda")).tolist() == [[[302.0]]]
    copy = nn.TableConv2d([[0, 2]], 1, bias=False, in_channels=4)
    copy.load_state_dict(layer.cpu().state_dict())
    assert copy(x.to("float32")).tolist() == [[[302.0]]]


# --- distances


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "outputs"), [((5, 7), 3), ((7,), 4), ((2, 3, 1), 1), ((0, 4), 2),
                                                ((300, 84), 10)])
def test_distances_are_sums_of_squared_differences(shape, outputs, dtype):
    x, centers = draw(*shape, dtype=dtype), draw(outputs, shape[-1], dtype=dtype, seed=1)
    y = F.rbf(x, centers)
    error = x.detach().numpy()[..., None, :].astype("f8") - centers.detach().numpy()
    np.testing.assert_allclose(y.detach().numpy(), (error**2).sum(-1),
                               rtol=1e-5 if dtype == "float32" else 1e-13)
    g = draw(*y.shape, dtype=dtype, seed=2, grad=False)
    y.backward(g)
    part = 2 * g.numpy()[..., None] * error
    tolerance = {"atol": 1e-3 if dtype == "float32" else 1e-11}
    np.testing.assert_allclose(x.grad.numpy(), part.sum(-2), **tolerance)
    axes = tuple(range(part.ndim - 2))
    np.testing.assert_allclose(centers.grad.numpy(), -part.sum(axes), **tolerance)


def test_gradients_of_distances():
    assert gradcheck(F.rbf, (draw(4, 3), draw(2, 3, seed=1)))
    assert gradcheck(F.rbf, (draw(3), draw(2, 3, seed=1)))
    assert gradcheck(F.rbf, (draw(4, 3), draw(2, 3, seed=1, grad=False)))


def test_a_small_distance_between_large_numbers_keeps_its_digits():
    """|x|^2 - 2 x c + |c|^2 would be 0 or -0.5 here."""
    x = tinycnn.tensor([[1000.0, -1000.0]])
    assert F.rbf(x, tinycnn.tensor([[1000.0625, -1000.0]])).tolist() == [[0.0625**2]]


def test_rbf_layer_has_fixed_codes_or_trained_centres():
    layer = nn.RBF(84, 10)
    assert (parameters(layer), list(layer.state_dict())) == (0, ["centers"])
    assert set(layer.centers.numpy().ravel()) == {-1.0, 1.0}
    trained = nn.RBF(84, 10, layer.centers, trainable=True, dtype="float64")
    assert (parameters(trained), trained.centers.dtype) == (840, tinycnn.float64)
    np.testing.assert_array_equal(trained.centers.detach().numpy(), layer.centers.numpy())
    assert trained.centers.data is not layer.centers.data
    given = np.array([[1, -1], [1, 1]])
    assert nn.RBF(2, 2, given)(tinycnn.ones(1, 2)).tolist() == [[4, 0]]
    assert given.dtype.kind == "i"  # untouched


# --- separable


def test_separable_convolution_is_depthwise_then_pointwise():
    layer = nn.SeparableConv2d(3, 5, (3, 2), stride=2, padding="same", bias=True,
                               depth_multiplier=2)
    assert [name for name, _ in layer.named_children()] == ["depthwise", "pointwise"]
    assert list(layer.state_dict()) == ["depthwise.weight", "pointwise.weight", "pointwise.bias"]
    assert layer.depthwise.weight.shape == (6, 1, 3, 2)
    x = draw(2, 3, 7, 6, dtype="float32")
    mid = F.conv2d(x, layer.depthwise.weight, None, 2, "same", groups=3)
    expected = F.conv2d(mid, layer.pointwise.weight, layer.pointwise.bias)
    np.testing.assert_array_equal(layer(x).detach().numpy(), expected.detach().numpy())


def test_a_separable_convolution_of_xception_has_its_parameters():
    """Middle flow: 728 to 728 maps, 3x3: 728 * 9 + 728 * 728."""
    layer = nn.SeparableConv2d(4, 6, 3, padding=1)
    assert parameters(layer) == 4 * 9 + 4 * 6
    assert parameters(nn.SeparableConv2d(728, 728, 3)) == 536_536
    assert gradcheck(as_double(layer), draw(1, 4, 5, 5))


# --- locally connected

LOCAL = [  # input shape, output channels, kernel, options
    ((2, 3, 6, 5), 4, 3, {}), ((3, 6, 5), 4, (1, 3), {"stride": (2, 1)}),
    ((1, 1, 8, 8), 2, 5, {"stride": 3}), ((3, 2, 5, 6), 2, 3, {"padding": "same", "stride": 2}),
    ((2, 2, 6, 7), 3, 2, {"padding": ((1, 0), (0, 2)), "dilation": (2, 3)}),
    ((0, 2, 4, 4), 2, 3, {"padding": 1}), ((2, 3, 4, 4), 1, 4, {"bias": False}),
    ((2, 4, 9), 3, 3, {"stride": 2}), ((4, 9), 3, 2, {"padding": "full", "dilation": 2}),
]


def place_by_place(layer, x, padded):
    """Every place as an ordinary convolution with what it has for a weight."""
    one = len(padded.shape) == layer.dims + 1
    images = padded[None] if one else padded
    y = np.zeros((len(images), layer.out_channels, *layer.output_size))
    weight = layer.weight.detach().numpy()
    for place in np.ndindex(layer.output_size):
        window = [slice(i * s, i * s + d * (k - 1) + 1, d) for i, s, d, k in
                  zip(place, layer.stride, layer.dilation, layer.kernel_size)]
        seen = images[(slice(None), slice(None), *window)]
        taps = tuple(range(1, layer.dims + 2))
        y[(slice(None), slice(None), *place)] = np.tensordot(seen, weight[place], (taps, taps))
    if layer.bias is not None:
        y += layer.bias.detach().numpy()
    return y[0] if one else y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "channels", "kernel", "options"), LOCAL)
def test_every_place_is_a_convolution_of_its_own(shape, channels, kernel, options, dtype):
    dims = 2 if shape[-1] != 9 else 1
    kind = nn.LocallyConnected2d if dims == 2 else nn.LocallyConnected1d
    layer = kind(shape[-dims - 1], channels, shape[-dims:], kernel, dtype=dtype, **options)
    x = draw(*shape, dtype=dtype, grad=False)
    pairs = nn.Conv2d(1, 1, kernel, **options)._pairs(shape[-2:]) if dims == 2 else (
        nn.Conv1d(1, 1, kernel, **options)._pairs(shape[-1:]))
    padded = np.pad(x.numpy(), [(0, 0)] * (len(shape) - dims) + list(pairs))
    expected = place_by_place(layer, x, padded)
    got = layer(x)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got.detach().numpy(), expected,
                               atol=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize(("shape", "channels", "kernel", "options"), LOCAL)
def test_gradients_of_locally_connected_layers(shape, channels, kernel, options):
    dims = 2 if shape[-1] != 9 else 1
    kind = nn.LocallyConnected2d if dims == 2 else nn.LocallyConnected1d
    layer = as_double(kind(shape[-dims - 1], channels, shape[-dims:], kernel, **options))
    function = F.locally_connected2d if dims == 2 else F.locally_connected1d
    given = [layer.weight.detach().requires_grad_()]
    if layer.bias is not None:
        given.append(layer.bias.detach().requires_grad_())
    assert gradcheck(
        lambda x, w, b=None: function(x, w, b, layer.stride, layer.padding, layer.dilation),
        [draw(*shape), *given], directions=2)


def test_weights_that_are_equal_everywhere_make_a_convolution():
    layer = nn.LocallyConnected2d(2, 3, (5, 6), 3, padding=1)
    conv = nn.Conv2d(2, 3, 3, padding=1)
    layer.weight.data[...] = conv.weight.data
    layer.bias.data[...] = conv.bias.data[:, None, None]
    x = draw(2, 2, 5, 6, dtype="float32")
    np.testing.assert_allclose(layer(x).detach().numpy(), conv(x).detach().numpy(), atol=1e-6)


def test_first_values_follow_the_inputs_of_one_place():
    layer = nn.LocallyConnected2d(4, 2, 9, 5)
    for parameter in layer.parameters():
        assert 0.08 < np.abs(parameter.detach().numpy()).max() <= 0.1
    before = layer.weight.detach().numpy().copy()
    layer.reset_parameters()
    assert (layer.weight.detach().numpy() != before).mean() > 0.9


def test_results_are_the_same_bits_for_every_number_of_threads(set_threads):
    layer = nn.LocallyConnected2d(8, 16, (20, 20), 3, padding=1)
    x, results = draw(16, 8, 20, 20, dtype="float32"), []
    for threads in 1, 2, 3:
        set_threads(threads)
        x.grad = layer.weight.grad = layer.bias.grad = None
        y = layer(x)
        (y * y).sum().backward()
        results.append([y.detach().numpy(), x.grad.numpy(), layer.weight.grad.numpy(),
                        layer.bias.grad.numpy()])
    for others in results[1:]:
        for a, b in zip(results[0], others):
            np.testing.assert_array_equal(a, b)


# --- devices, memory layouts, text, messages


CASES = {
    "subsampling": (F.subsampling2d, (2, 3, 4, 4), (3,), (3,)),
    "table": (lambda x, w, b: F.table_conv2d(x, w, [[0, 2], [1]], b),
              (2, 3, 4, 4), (3, 2, 2), (2,)),
    "rbf": (F.rbf, (3, 5), (2, 5)),
    "locally connected 2d": (lambda x, w, b: F.locally_connected2d(x, w, b, padding=1),
                             (2, 2, 3, 3), (3, 3, 2, 2, 3, 3), (2, 3, 3)),
    "locally connected 1d": (F.locally_connected1d, (2, 2, 4), (3, 2, 2, 2)),
}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", CASES)
def test_devices_agree_with_the_reference(name, device):
    function, *shapes = CASES[name]
    inputs = [tinycnn.tensor(np.random.default_rng(i).standard_normal(s), dtype="float32",
                             device=device, requires_grad=True) for i, s in enumerate(shapes)]
    assert_same_on_devices(function, inputs)


@pytest.mark.parametrize("name", CASES)
def test_inputs_may_lie_in_memory_in_any_way(name):
    function, *shapes = CASES[name]
    arrays = [np.random.default_rng(i).standard_normal(s) for i, s in enumerate(shapes)]
    expected = function(*map(tinycnn.tensor, arrays)).numpy()
    for order in "reversed", "gaps":
        given = []
        for a in arrays:
            lies = np.asfortranarray(a)
            if order == "gaps":
                lies = np.full([2 * n for n in a.shape], np.nan)[(slice(None, None, 2),) * a.ndim]
                lies[...] = a
            given.append(shared(lies))
        np.testing.assert_allclose(function(*given).numpy(), expected, atol=1e-12)


def shared(array):
    """A tensor of this very array, its strides and all."""
    tensor = tinycnn.zeros(1)
    tensor.data = array
    return tensor


REPRS = [
    (nn.Subsampling2d(6), "Subsampling2d(6, kernel_size=(2, 2), stride=(2, 2))"),
    (nn.TableConv2d(TABLE, 5),
     "TableConv2d(6, 16, connections=60, kernel_size=(5, 5), stride=(1, 1))"),
    (nn.TableConv2d([[0]], 3, 2, 1, 2, False), "TableConv2d(1, 1, connections=1, kernel_size=(3, 3)"
     ", stride=(2, 2), padding=(1, 1), dilation=(2, 2), bias=False)"),
    (nn.RBF(84, 10), "RBF(in_features=84, out_features=10, trainable=False)"),
    (nn.LocallyConnected1d(2, 3, 9, 3, bias=False), "LocallyConnected1d(2, 3, input_size=(9,), "
     "kernel_size=(3,), stride=(1,), bias=False)"),
    (nn.LocallyConnected2d(2, 3, 9, 3, 2, "same", 2), "LocallyConnected2d(2, 3, input_size=(9, 9), "
     "kernel_size=(3, 3), stride=(2, 2), padding=same, dilation=(2, 2))"),
]


@pytest.mark.parametrize(("layer", "text"), REPRS, ids=[text[:20] for _, text in REPRS])
def test_text(layer, text):
    assert repr(layer) == text


X = tinycnn.ones(1, 3, 4, 4)
MESSAGES = [
    (lambda: F.subsampling2d(X[0, 0], tinycnn.ones(3)), ValueError,
     r"subsampling2d: expected input \(N, C, H, W\) or \(C, H, W\), got \(4, 4\)"),
    (lambda: F.subsampling2d(X, tinycnn.ones(2)), ValueError,
     r"subsampling2d: expected weight \(3,\), a number for each channel of input \(1, 3, 4, 4\), "
     r"got \(2,\). Check channels"),
    (lambda: F.subsampling2d(X, tinycnn.ones(3), tinycnn.ones(2)), ValueError,
     r"subsampling2d: expected bias \(3,\)"),
    (lambda: F.subsampling2d(X, tinycnn.ones(3), kernel_size=5), ValueError,
     r"subsampling2d: expected an input that the window \(5, 5\) fits into"),
    (lambda: F.subsampling2d(X, tinycnn.ones(3, dtype="float64")), TypeError,
     "subsampling2d: expected weight in the dtype of input, float32, got float64"),
    (lambda: F.subsampling2d(X.to("int64"), tinycnn.ones(3)), TypeError, "input to be of dtype"),
    (lambda: F.subsampling2d(X, [1, 2, 3]), TypeError, "weight to be a Tensor, got list"),
    (lambda: F.subsampling2d(X, tinycnn.ones(3), 1.0), TypeError, "bias to be a Tensor"),
    (lambda: nn.Subsampling2d(0), ValueError, "Subsampling2d: expected channels of at least 1"),
    (lambda: nn.Subsampling2d(1, 0), ValueError, "Subsampling2d: expected kernel_size"),
    (lambda: nn.TableConv2d([[0], []], 3), ValueError,
     "TableConv2d: expected table to be lists of ints, one for each output map and none empty"),
    (lambda: nn.TableConv2d([0, 1], 3), ValueError, "expected table to be lists of ints"),
    (lambda: nn.TableConv2d([[0, 1.5]], 3), ValueError, "expected table to be lists of ints"),
    (lambda: nn.TableConv2d([[0, -1]], 3), ValueError, "input maps from 0 on, got map -1"),
    (lambda: nn.TableConv2d([[0, 3]], 3, in_channels=3), ValueError,
     "TableConv2d: expected table of input maps from 0 to 2, got map 3"),
    (lambda: nn.TableConv2d([[0], [1, 2, 1]], 3), ValueError, "names an input map once for each "
     r"output map, got \[1, 2, 1\] for output map 1"),
    (lambda: nn.TableConv2d([[0, 1]], 3)(X), ValueError,
     "TableConv2d: expected input with 2 maps"),
    (lambda: F.table_conv2d(X, tinycnn.ones(2, 1, 1), [[0, 1, 2]]), ValueError,
     r"table_conv2d: expected weight \(3, KH, KW\), a filter for each connection, no size 0, got "
     r"\(2, 1, 1\)"),
    (lambda: nn.RBF(2, 3, np.ones((2, 3))), ValueError,
     r"RBF: expected centers \(out_features, in_features\) = \(3, 2\), got \(2, 3\)"),
    (lambda: nn.RBF(0, 3), ValueError, "RBF: expected in_features of at least 1"),
    (lambda: nn.RBF(2, 3, dtype="int64"), TypeError, "RBF: expected dtype float32 or float64"),
    (lambda: F.rbf(tinycnn.ones(2, 3), tinycnn.ones(4, 2)), ValueError,
     r"rbf: expected input \(..., 2\) for centers \(O, I\) = \(4, 2\), got \(2, 3\)"),
    (lambda: F.rbf(tinycnn.ones(2, 3), tinycnn.ones(3)), ValueError, "for centers"),
    (lambda: F.rbf(tinycnn.ones(2, 3), tinycnn.ones(4, 3, dtype="float64")), TypeError,
     "rbf: expected centers of the input's dtype float32, got float64"),
    (lambda: nn.SeparableConv2d(0, 3, 3), ValueError, "in_channels of at least 1"),
    (lambda: nn.SeparableConv2d(2, 3, 3, depth_multiplier=0), ValueError, "depth_multiplier of at"),
    (lambda: nn.LocallyConnected2d(1, 1, 3, 5), ValueError,
     r"LocallyConnected2d: expected an input that the window \(5, 5\) fits into"),
    (lambda: nn.LocallyConnected2d(1, 1, (4, 4), 3, padding="some"), ValueError, "padding 'valid'"),
    (lambda: nn.LocallyConnected2d(3, 1, (4, 4), 3)(tinycnn.ones(1, 3, 5, 4)), ValueError,
     r"locally_connected2d: expected weight for \(3, 2\) places, as input \(1, 3, 5, 4\) has, got "
     r"weight \(2, 2, 1, 3, 3, 3\). Check input_size"),
    (lambda: nn.LocallyConnected2d(2, 1, (4, 4), 3)(X), ValueError,
     "locally_connected2d: expected input with 2 channels, .* got 3 channels"),
    (lambda: nn.LocallyConnected2d(3, 1, (4, 4), 3)(X[0, 0]), ValueError, "or one image without N"),
    (lambda: F.locally_connected2d(X, tinycnn.ones(2, 2, 1, 3, 3)), ValueError,
     r"expected weight \(OH, OW, OC, C, KH, KW\), no size 0"),
    (lambda: F.locally_connected2d(X, tinycnn.ones(2, 2, 1, 3, 3, 3), tinycnn.ones(2, 2, 1)),
     ValueError, r"expected bias \(OC, OH, OW\) = \(1, 2, 2\), got \(2, 2, 1\)"),
    (lambda: F.locally_connected2d(X, tinycnn.ones(2, 2, 1, 3, 3, 3, dtype="float64")), TypeError,
     "expected weight in the dtype of input, float32, got float64"),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES, ids=range(len(MESSAGES)))
def test_messages(call, error, text):
    with pytest.raises(error, match=text):
        call()
