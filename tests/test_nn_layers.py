"""Layers: shapes, defaults, text, what they keep, and every message. Numbers: against PyTorch."""

import inspect

import numpy
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn


def image(*shape, dtype="float32"):
    return tinycnn.tensor(numpy.random.default_rng(0).standard_normal(shape).astype(dtype))


LAYERS = [  # layer, input shape, output shape
    (nn.Linear(3, 5), (2, 3), (2, 5)),
    (nn.Linear(3, 5, bias=False), (3,), (5,)),
    (nn.Linear(3, 5), (2, 4, 4, 3), (2, 4, 4, 5)),
    (nn.Conv1d(2, 4, 3), (2, 2, 7), (2, 4, 5)),
    (nn.Conv2d(2, 4, 3, stride=2, padding=1), (2, 2, 7, 8), (2, 4, 4, 4)),
    (nn.Conv2d(2, 4, (1, 3), dilation=(1, 2)), (2, 7, 8), (4, 7, 4)),
    (nn.Conv2d(2, 4, 4, padding="same"), (1, 2, 7, 8), (1, 4, 7, 8)),
    (nn.Conv2d(2, 4, 4, stride=3, padding="same"), (1, 2, 7, 8), (1, 4, 3, 3)),
    (nn.Conv2d(2, 4, 3, padding="full"), (1, 2, 7, 8), (1, 4, 9, 10)),
    (nn.Conv2d(2, 4, 3, padding="valid"), (1, 2, 7, 8), (1, 4, 5, 6)),
    (nn.Conv2d(2, 4, 3, padding=((0, 1), (2, 0))), (1, 2, 7, 8), (1, 4, 6, 8)),
    (nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect"), (2, 7, 8), (4, 7, 8)),
    (nn.Conv2d(2, 4, 4, stride=3, padding="same", padding_mode="circular"), (1, 2, 7, 8),
     (1, 4, 3, 3)),
    (nn.Conv3d(2, 4, 3, groups=2), (1, 2, 4, 5, 6), (1, 4, 2, 3, 4)),
    (nn.ConvTranspose1d(2, 4, 3, stride=2), (1, 2, 5), (1, 4, 11)),
    (nn.ConvTranspose2d(2, 4, 3, 2, 1, 1), (1, 2, 5, 5), (1, 4, 10, 10)),
    (nn.ConvTranspose2d(2, 4, 3, stride=2, padding="same"), (2, 5, 5), (4, 10, 10)),
    (nn.ConvTranspose3d(2, 4, 2, groups=2), (1, 2, 2, 2, 2), (1, 4, 3, 3, 3)),
    (nn.MaxPool1d(2), (2, 3, 7), (2, 3, 3)),
    (nn.MaxPool2d(3, 2, 1, ceil_mode=True), (2, 3, 8, 8), (2, 3, 5, 5)),
    (nn.MaxPool2d(2, dilation=2), (3, 8, 8), (3, 3, 3)),
    (nn.MaxPool3d((1, 2, 2)), (1, 2, 3, 4, 4), (1, 2, 3, 2, 2)),
    (nn.AvgPool1d(2), (2, 3, 7), (2, 3, 3)),
    (nn.AvgPool2d(2, stride=1), (2, 3, 8, 8), (2, 3, 7, 7)),
    (nn.AvgPool3d(2), (1, 2, 4, 4, 4), (1, 2, 2, 2, 2)),
    (nn.AdaptiveAvgPool1d(3), (1, 2, 7), (1, 2, 3)),
    (nn.AdaptiveAvgPool2d((None, 3)), (1, 2, 7, 5), (1, 2, 7, 3)),
    (nn.AdaptiveAvgPool2d(1), (2, 7, 5), (2, 1, 1)),
    (nn.AdaptiveAvgPool3d(2), (1, 2, 3, 4, 5), (1, 2, 2, 2, 2)),
    (nn.AdaptiveMaxPool1d(3), (1, 2, 7), (1, 2, 3)),
    (nn.AdaptiveMaxPool2d(None), (1, 2, 7, 5), (1, 2, 7, 5)),
    (nn.AdaptiveMaxPool3d((1, 2, None)), (1, 2, 3, 4, 5), (1, 2, 1, 2, 5)),
    (nn.BatchNorm1d(3), (4, 3), (4, 3)),
    (nn.BatchNorm1d(3), (4, 3, 5), (4, 3, 5)),
    (nn.BatchNorm2d(3, affine=False), (4, 3, 5, 5), (4, 3, 5, 5)),
    (nn.BatchNorm2d(3, bias=False), (4, 3, 5, 5), (4, 3, 5, 5)),
    (nn.BatchNorm3d(3, track_running_stats=False), (4, 3, 2, 2, 2), (4, 3, 2, 2, 2)),
    (nn.GroupNorm(2, 4), (3, 4, 5, 5), (3, 4, 5, 5)), (nn.LayerNorm([4, 5]), (2, 4, 5), (2, 4, 5)),
    (nn.RMSNorm(5), (2, 4, 5), (2, 4, 5)), (nn.InstanceNorm1d(3), (3, 5), (3, 5)),
    (nn.InstanceNorm2d(3, affine=True), (2, 3, 5, 5), (2, 3, 5, 5)),
    (nn.InstanceNorm3d(3, track_running_stats=True), (2, 3, 2, 2, 2), (2, 3, 2, 2, 2)),
    (nn.LocalResponseNorm(5), (2, 7, 4, 4), (2, 7, 4, 4)),
    (nn.GDN(3), (2, 3, 4, 4), (2, 3, 4, 4)), (nn.IGDN(3), (2, 3, 4, 4), (2, 3, 4, 4)),
    (nn.Upsample(scale_factor=2), (2, 3, 4), (2, 3, 8)),
    (nn.Upsample((5, 3), mode="bicubic"), (2, 3, 4, 4), (2, 3, 5, 3)),
    (nn.UpsamplingNearest2d(scale_factor=2), (2, 3, 4, 5), (2, 3, 8, 10)),
    (nn.UpsamplingBilinear2d((7, 6)), (2, 3, 4, 5), (2, 3, 7, 6)),
    (nn.ReLU(), (2, 3), (2, 3)), (nn.LeakyReLU(), (), ()), (nn.ELU(), (0, 3), (0, 3)),
    (nn.Sigmoid(), (2, 3), (2, 3)), (nn.Tanh(), (2, 3), (2, 3)),
    (nn.Softmax(1), (2, 3), (2, 3)), (nn.LogSoftmax(-1), (2, 3), (2, 3)),
    (nn.CELU(), (2, 3), (2, 3)), (nn.GELU(), (2, 3), (2, 3)), (nn.GLU(), (2, 6), (2, 3)),
    (nn.SELU(), (2, 3), (2, 3)), (nn.Hardshrink(), (2, 3), (2, 3)),
    (nn.Hardsigmoid(), (2, 3), (2, 3)), (nn.Hardswish(), (2, 3), (2, 3)),
    (nn.Hardtanh(), (2, 3), (2, 3)), (nn.LogSigmoid(), (2, 3), (2, 3)),
    (nn.Maxout(3), (2, 6, 4, 4), (2, 2, 4, 4)), (nn.Mish(), (2, 3), (2, 3)),
    (nn.PReLU(), (2, 3), (2, 3)), (nn.PReLU(3), (2, 3, 4, 4), (2, 3, 4, 4)),
    (nn.ReLU6(), (2, 3), (2, 3)), (nn.ScaledTanh(), (2, 3), (2, 3)), (nn.SiLU(), (2, 3), (2, 3)),
    (nn.Softmax2d(), (2, 3, 4, 4), (2, 3, 4, 4)), (nn.Softmin(0), (2, 3), (2, 3)),
    (nn.Softplus(), (2, 3), (2, 3)), (nn.Softshrink(), (2, 3), (2, 3)),
    (nn.Softsign(), (2, 3), (2, 3)), (nn.Tanhshrink(), (2, 3), (2, 3)),
    (nn.Threshold(0.1, 20.0), (2, 3), (2, 3)),
    (nn.AlphaDropout(), (2, 3), (2, 3)), (nn.FeatureAlphaDropout(), (2, 3, 4), (2, 3, 4)),
    (nn.Dropout(), (2, 3), (2, 3)), (nn.Dropout1d(), (2, 3, 4), (2, 3, 4)),
    (nn.Dropout2d(), (2, 3, 4, 4), (2, 3, 4, 4)), (nn.Dropout3d(), (3, 4, 4, 4), (3, 4, 4, 4)),
    (nn.ZeroPad1d((1, 2)), (2, 3), (2, 6)), (nn.ZeroPad2d(-1), (2, 5, 5), (2, 3, 3)),
    (nn.ZeroPad3d(1), (1, 2, 3, 3, 3), (1, 2, 5, 5, 5)),
    (nn.ConstantPad1d(1, 3.0), (3,), (5,)), (nn.ConstantPad2d((1, 0, 2, 0), 3.0), (2, 2), (4, 3)),
    (nn.ConstantPad3d(1, 0.5), (2, 3, 3, 3), (2, 5, 5, 5)),
    (nn.ReflectionPad1d(2), (1, 3, 5), (1, 3, 9)), (nn.ReflectionPad2d(1), (3, 5, 5), (3, 7, 7)),
    (nn.ReflectionPad3d(1), (1, 3, 2, 2, 2), (1, 3, 4, 4, 4)),
    (nn.ReplicationPad1d(7), (3, 5), (3, 19)),
    (nn.ReplicationPad2d((1, 2, 3, 4)), (1, 3, 5, 5), (1, 3, 12, 8)),
    (nn.ReplicationPad3d(1), (1, 3, 2, 2, 2), (1, 3, 4, 4, 4)),
    (nn.CircularPad1d(5), (1, 3, 5), (1, 3, 15)), (nn.CircularPad2d(1), (3, 5, 5), (3, 7, 7)),
    (nn.CircularPad3d(1), (1, 3, 2, 2, 2), (1, 3, 4, 4, 4)),
    (nn.Flatten(), (2, 3, 4), (2, 12)), (nn.Flatten(0, 1), (2, 3, 4), (6, 4)),
    (nn.Unflatten(1, (2, -1)), (3, 6, 2), (3, 2, 3, 2)), (nn.Unflatten(-1, [6]), (3, 6), (3, 6)),
    (nn.Identity(1, x=2), (2, 3), (2, 3)),
    (nn.ChannelShuffle(2), (2, 4, 3, 3), (2, 4, 3, 3)),
    (nn.Fold((4, 5), 2), (2, 12, 12), (2, 3, 4, 5)),
    (nn.LPPool1d(2, 2), (2, 3, 7), (2, 3, 3)), (nn.LPPool2d(2, 3, 1), (3, 7, 8), (3, 5, 6)),
    (nn.LPPool3d(3, 2), (1, 2, 4, 4, 4), (1, 2, 2, 2, 2)),
    (nn.LocallyConnected1d(2, 4, 7, 3), (2, 2, 7), (2, 4, 5)),
    (nn.LocallyConnected2d(2, 4, (7, 8), 3, padding="same"), (2, 7, 8), (4, 7, 8)),
    (nn.PixelShuffle(2), (2, 12, 3, 4), (2, 3, 6, 8)),
    (nn.PixelUnshuffle(2), (3, 6, 8), (12, 3, 4)),
    (nn.RBF(3, 5), (2, 3), (2, 5)), (nn.RBF(3, 5, trainable=True), (3,), (5,)),
    (nn.SeparableConv2d(2, 4, 3, padding=1), (2, 2, 7, 8), (2, 4, 7, 8)),
    (nn.Subsampling2d(3), (2, 3, 7, 8), (2, 3, 3, 4)),
    (nn.TableConv2d([[0], [0, 1]], 3), (2, 2, 7, 8), (2, 2, 5, 6)),
    (nn.Unfold(3, padding=1), (2, 3, 4, 5), (2, 27, 20)),
]


@pytest.mark.parametrize(("layer", "given", "expected"), LAYERS,
                         ids=[f"{i}-{type(case[0]).__name__}" for i, case in enumerate(LAYERS)])
def test_shapes_in_and_out_in_training_and_evaluation_and_gradients_flow(layer, given, expected):
    x = image(*given)
    x.requires_grad_()
    for mode in True, False:
        y = layer.train(mode)(x)
        assert y.shape == expected
        if y is not x:
            y.sum().backward()
            assert x.grad.shape == given
            assert all(p.grad.shape == p.shape for p in layer.parameters())


def test_every_layer_of_the_package_is_in_the_table_or_a_loss_or_a_container():
    seen = {type(case[0]).__name__ for case in LAYERS}
    layers = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))}
    others = {"MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",  # take indices: test_unpooling.py
              "CosineSimilarity", "PairwiseDistance",  # of two tensors
              "Module", "ModuleDict", "ModuleList", "Parameter", "Sequential", "no_fusion"}
    assert {n for n in layers - seen - others if not n.endswith("Loss")} == set()


REPRS = [
    (nn.Linear(3, 5, bias=False), "Linear(in_features=3, out_features=5, bias=False)"),
    (nn.Conv2d(2, 4, 3), "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))"),
    (nn.Conv1d(2, 4, 3, 2, 1, 2, 2, False, "circular"),
     "Conv1d(2, 4, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), groups=2, "
     "bias=False, padding_mode=circular)"),
    (nn.Conv2d(1, 1, 3, padding="same"),
     "Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=same)"),
    (nn.Conv2d(1, 1, 3, padding=[[1, 0], [0, 1]]),
     "Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=((1, 0), (0, 1)))"),
    (nn.ConvTranspose2d(2, 4, 3, 2, 1, 1), "ConvTranspose2d(2, 4, kernel_size=(3, 3), "
     "stride=(2, 2), padding=(1, 1), output_padding=(1, 1))"),
    (nn.MaxPool2d(2),
     "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    (nn.AvgPool2d((2, 3), 1), "AvgPool2d(kernel_size=(2, 3), stride=1, padding=0)"),
    (nn.AdaptiveAvgPool2d((None, 1)), "AdaptiveAvgPool2d(output_size=(None, 1))"),
    (nn.AdaptiveMaxPool1d(2), "AdaptiveMaxPool1d(output_size=2)"),
    (nn.BatchNorm2d(3, momentum=None),
     "BatchNorm2d(3, eps=1e-05, momentum=None, affine=True, track_running_stats=True)"),
    (nn.BatchNorm1d(3, bias=False),
     "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True)"),
    (nn.ReLU(), "ReLU()"), (nn.ReLU(inplace=True), "ReLU(inplace=True)"),
    (nn.LeakyReLU(0.2, True), "LeakyReLU(negative_slope=0.2, inplace=True)"),
    (nn.ELU(2.0), "ELU(alpha=2.0)"), (nn.ELU(1.0, True), "ELU(alpha=1.0, inplace=True)"),
    (nn.Sigmoid(), "Sigmoid()"), (nn.Tanh(), "Tanh()"), (nn.Softmax(1), "Softmax(dim=1)"),
    (nn.LogSoftmax(), "LogSoftmax(dim=None)"),
    (nn.CELU(2.0, True), "CELU(alpha=2.0, inplace=True)"), (nn.GELU(), "GELU(approximate='none')"),
    (nn.GLU(1), "GLU(dim=1)"), (nn.SELU(True), "SELU(inplace=True)"),
    (nn.Hardshrink(), "Hardshrink(0.5)"), (nn.Hardsigmoid(), "Hardsigmoid()"),
    (nn.Hardswish(), "Hardswish()"), (nn.Softshrink(0.25), "Softshrink(0.25)"),
    (nn.Hardtanh(0.0, 2.0, True), "Hardtanh(min_val=0.0, max_val=2.0, inplace=True)"),
    (nn.Maxout(2), "Maxout(pieces=2, dim=1)"), (nn.PReLU(3), "PReLU(num_parameters=3)"),
    (nn.ReLU6(True), "ReLU6(inplace=True)"), (nn.Softmin(1), "Softmin(dim=1)"),
    (nn.Softplus(2.0), "Softplus(beta=2.0, threshold=20.0)"), (nn.Softmax2d(), "Softmax2d()"),
    (nn.Threshold(0.1, 20.0), "Threshold(threshold=0.1, value=20.0)"),
    (nn.ScaledTanh(1.5, 0.5), "ScaledTanh(amplitude=1.5, slope=0.5)"),
    (nn.AlphaDropout(0.2), "AlphaDropout(p=0.2, inplace=False)"),
    (nn.Dropout2d(0.2), "Dropout2d(p=0.2, inplace=False)"),
    (nn.ZeroPad2d(1), "ZeroPad2d((1, 1, 1, 1))"),
    (nn.ConstantPad1d((1, 2), 3.5), "ConstantPad1d(padding=(1, 2), value=3.5)"),
    (nn.ReflectionPad1d(1), "ReflectionPad1d((1, 1))"),
    (nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
    (nn.Unflatten(1, [2, 3]), "Unflatten(dim=1, unflattened_size=(2, 3))"),
    (nn.CrossEntropyLoss(), "CrossEntropyLoss()"), (nn.Identity(), "Identity()"),
]


@pytest.mark.parametrize(("layer", "text"), REPRS, ids=[text for _, text in REPRS])
def test_text_is_that_of_pytorch(layer, text):
    assert repr(layer) == text


def test_dtype_and_device_reach_every_parameter():
    for layer in (nn.Linear(2, 2, dtype="float64"), nn.Conv2d(1, 1, 1, dtype=tinycnn.float64),
                  nn.ConvTranspose1d(1, 1, 1, device="cpu", dtype=numpy.float64),
                  nn.BatchNorm1d(2, dtype="float64")):
        tensors = [*layer.parameters(), *layer.buffers()]
        assert {str(t.dtype) for t in tensors if t.ndim} == {"float64"}
    assert nn.Linear(1, 1).weight.dtype == tinycnn.float32


# --- transposed convolution: output_size


@pytest.mark.parametrize("integer", [numpy.int64, numpy.uint8])
@pytest.mark.parametrize("layer", [nn.Conv2d, nn.ConvTranspose2d])
def test_any_kind_of_integer_makes_the_same_layer(layer, integer):
    numbers = {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1, "groups": 2}
    made = layer(integer(4), integer(6), **{k: integer(v) for k, v in numbers.items()})
    plain = layer(4, 6, **numbers)
    assert repr(made) == repr(plain)
    for name in ("in_channels", "out_channels", *numbers):
        values = getattr(made, name)
        assert values == getattr(plain, name)
        assert {type(v) for v in (values if isinstance(values, tuple) else [values])} == {int}
    assert made(image(1, 4, 7, 7)).shape == plain(image(1, 4, 7, 7)).shape


@pytest.mark.parametrize(("padding", "kept"), [
    (numpy.int64(1), (1, 1)), (numpy.array([1, 2]), (1, 2)), ([numpy.int64(1), 2], (1, 2)),
    ([2], (2, 2)), ([[0, 1], (2, numpy.int64(0))], ((0, 1), (2, 0))), ("same", "same"),
])
def test_padding_is_kept_in_one_form(padding, kept):
    assert nn.Conv2d(1, 1, 3, padding=padding).padding == kept


@pytest.mark.parametrize("size", [(9, 9), (10, 9), (9, 10), (1, 4, 10, 10)])
def test_output_size_picks_among_the_possible_sizes(size):
    layer = nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1)
    x = image(1, 2, 5, 5)
    y = layer(x, output_size=size)
    assert y.shape == (1, 4, *size[-2:])
    assert (y[:, :, :9, :9] == layer(x)).all()
    if len(size) == 2:
        assert layer(x[0], output_size=[4, *size]).shape == (4, *size)


@pytest.mark.parametrize(("message", "size"), [
    (r"ConvTranspose2d: expected output_size from \(9, 9\) to \(10, 10\) for input \(1, 2, 5, 5\), "
     r"got \(8, 9\)", (8, 9)),
    (r"got \(9, 11\)", (9, 11)),
    ("expected output_size of 2 numbers, or as many axes as the input, got .9, 9, 9.", (9, 9, 9)),
])
def test_an_impossible_output_size_is_explained(message, size):
    with pytest.raises(ValueError, match=message):
        nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1)(image(1, 2, 5, 5), output_size=size)


# --- padding modes of convolutions


@pytest.mark.parametrize("padding", [1, (2, 0), ((0, 1), (2, 1)), "same", "full", "valid"])
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_modes_pad_and_then_convolve(padding, mode, stride):
    layer = nn.Conv2d(2, 3, (3, 4), stride, padding, padding_mode=mode)
    x = image(1, 2, 7, 8)
    zeros = nn.Conv2d(2, 3, (3, 4), stride, padding)
    zeros.load_state_dict(layer.state_dict())
    assert layer(x).shape == zeros(x).shape
    top, bottom, left, right = {
        1: (1, 1, 1, 1), (2, 0): (2, 2, 0, 0), ((0, 1), (2, 1)): (0, 1, 2, 1),
        "full": (2, 2, 3, 3), "valid": (0, 0, 0, 0),
        "same": (1, 1, 1, 2) if stride == 1 else (1, 1, 1, 1),
    }[padding]
    padded = F.pad(x, (left, right, top, bottom), mode=mode)
    assert (layer(x) == F.conv2d(padded, layer.weight, layer.bias, stride)).all()


# --- pooling


def test_return_indices_gives_both():
    x = image(1, 2, 4, 4)
    for layer in nn.MaxPool2d(2, return_indices=True), nn.AdaptiveMaxPool2d(2, return_indices=True):
        y, where = layer(x)
        assert where.dtype == tinycnn.int64
        assert (x.reshape(1, 2, 16).data[0, 1, where.data[0, 1]] == y.data[0, 1]).all()


def test_average_pooling_passes_every_argument_on():
    x = image(1, 1, 5, 5)
    layer = nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False, divisor_override=2)
    assert (layer(x) == F.avg_pool2d(x, 3, 2, 1, True, False, 2)).all()
    layer.divisor_override = None
    assert (layer(x) == F.avg_pool2d(x, 3, 2, 1, True, False)).all()
    row = image(1, 1, 5)
    layer = nn.AvgPool1d(3, 2, 1, True, False)
    assert (layer(row) == F.avg_pool1d(row, 3, 2, 1, True, False)).all()


# --- batch norm


def test_running_statistics_move_by_momentum_with_the_unbiased_variance():
    layer = nn.BatchNorm2d(2, momentum=0.25, dtype="float64")
    x = image(3, 2, 4, 4, dtype="float64")
    layer(x)
    layer(x)
    mean = x.data.mean((0, 2, 3))
    var = x.data.var((0, 2, 3), ddof=1)
    assert numpy.allclose(layer.running_mean.data, mean * (1 - 0.75**2))
    assert numpy.allclose(layer.running_var.data, 0.75**2 + var * (1 - 0.75**2))
    assert layer.num_batches_tracked.item() == 2
    state = {k: v.tolist() for k, v in layer.state_dict().items()}
    layer.eval()(x)
    assert {k: v.tolist() for k, v in layer.state_dict().items()} == state
    expected = (x.data - state["running_mean"][0])[:, 0] / (state["running_var"][0] + 1e-5) ** 0.5
    assert numpy.allclose(layer(x).data[:, 0], expected)


def test_without_momentum_all_batches_count_alike():
    layer = nn.BatchNorm1d(2, momentum=None, dtype="float64")
    batches = [image(5, 2, dtype="float64") * (i + 1) + i for i in range(4)]
    for batch in batches:
        layer(batch)
    means = numpy.mean([b.data.mean(0) for b in batches], axis=0)
    variances = numpy.mean([b.data.var(0, ddof=1) for b in batches], axis=0)
    assert numpy.allclose(layer.running_mean.data, means)
    assert numpy.allclose(layer.running_var.data, variances)
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_var.tolist() == [1.0, 1.0]


def test_without_tracking_evaluation_normalises_by_the_batch_too():
    layer = nn.BatchNorm1d(2, track_running_stats=False, momentum=None)
    x = image(5, 2)
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert (layer(x) == layer.eval()(x)).all()
    assert layer.running_mean is None
    layer.reset_running_stats()
    assert (nn.BatchNorm1d(2, affine=False)(x) == layer(x)).all()


def test_a_refused_batch_is_not_counted():
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ValueError, match="more than one value per channel"):
        layer(image(1, 2))
    assert layer.num_batches_tracked.item() == 0


def test_a_checkpoint_without_batch_counts_loads():
    layer = nn.Sequential(nn.BatchNorm1d(2))
    state = layer.state_dict()
    del state["0.num_batches_tracked"]
    assert layer.load_state_dict(state) == ([], [])
    del state["0.running_mean"]
    with pytest.raises(ValueError, match=r"missing 0.running_mean\."):
        layer.load_state_dict(state)


# --- activation, dropout, loss


def test_inplace_is_accepted_and_the_input_stays():
    x = tinycnn.tensor([-1.0, 2.0])
    for layer in nn.ReLU(inplace=True), nn.LeakyReLU(0.5, inplace=True), nn.ELU(inplace=True):
        assert layer(x).tolist()[1] == 2.0
        assert x.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize("layer", [nn.Softmax(), nn.LogSoftmax()])
def test_a_softmax_without_axis_warns_where_the_layer_is_called(layer):
    with pytest.warns(UserWarning, match="dim was not given") as caught:
        assert layer(image(2, 3)).shape == (2, 3)
    assert caught[0].filename == __file__


def test_dropout_drops_in_training_only_and_whole_channels():
    x = tinycnn.ones(64, 50, 2, 2)
    assert nn.Dropout(0.25).eval()(x) is x
    y = nn.Dropout(0.25)(x).data
    assert set(numpy.unique(y)) == {0, numpy.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)
    y = nn.Dropout2d(0.25)(x).data
    assert (y == y[:, :, :1, :1]).all()
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.04)
    assert nn.Dropout(1.0)(x).sum().item() == 0


def test_losses_pass_every_argument_on():
    scores, labels = image(4, 3), tinycnn.tensor([0, 2, 1, 2])
    weight = tinycnn.tensor([1.0, 2.0, 3.0])
    for reduction in "mean", "sum", "none":
        loss = nn.CrossEntropyLoss(weight, ignore_index=2, reduction=reduction, label_smoothing=0.1)
        expected = F.cross_entropy(scores, labels, weight, ignore_index=2, reduction=reduction,
                                   label_smoothing=0.1)
        assert (loss(scores, labels) == expected).all()
        loss = nn.NLLLoss(weight, ignore_index=0, reduction=reduction)
        expected = F.nll_loss(scores, labels, weight, ignore_index=0, reduction=reduction)
        assert (loss(scores, labels) == expected).all()
        target = scores.sigmoid() if hasattr(scores, "sigmoid") else F.sigmoid(scores)
        for layer, function in (nn.MSELoss, F.mse_loss), (nn.L1Loss, F.l1_loss):
            assert (layer(reduction=reduction)(scores, target)
                    == function(scores, target, reduction=reduction)).all()
        assert (nn.BCELoss(weight, reduction=reduction)(target, target)
                == F.binary_cross_entropy(target, target, weight, reduction=reduction)).all()
        layer = nn.BCEWithLogitsLoss(weight, reduction=reduction, pos_weight=weight)
        assert (layer(scores, target) == F.binary_cross_entropy_with_logits(
            scores, target, weight, reduction=reduction, pos_weight=weight)).all()
    assert list(nn.BCEWithLogitsLoss(weight, pos_weight=weight).state_dict()) == [
        "weight", "pos_weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    with pytest.warns(UserWarning, match="size_average and reduce are old words"):
        assert nn.MSELoss(size_average=False).reduction == "sum"


# --- messages


ONE_BY_ONE = tinycnn.zeros(1, 1)


@pytest.mark.parametrize(("error", "message", "action"), [
    (TypeError, "Linear: expected in_features to be an int, got 2.5", lambda: nn.Linear(2.5, 1)),
    (TypeError, "Linear: expected in_features to be an int, got True", lambda: nn.Linear(True, 4)),
    (TypeError, "Linear: expected out_features to be an int, got '4'", lambda: nn.Linear(1, "4")),
    (ValueError, "Linear: expected out_features to be at least 0, got -1",
     lambda: nn.Linear(1, -1)),
    (TypeError, "Linear: expected dtype float32 or float64, got int64",
     lambda: nn.Linear(1, 1, dtype="int64")),
    (ValueError, "expected device 'cpu'.*, got 'tpu'", lambda: nn.Linear(1, 1, device="tpu")),
    (ValueError, "Conv2d: expected groups to divide in_channels and out_channels, got groups=2 for "
     "3 and 4. Use a divisor of 1", lambda: nn.Conv2d(3, 4, 3, groups=2)),
    (ValueError, "got groups=4 for 4 and 6. Use a divisor of 2",
     lambda: nn.ConvTranspose2d(4, 6, 3, groups=4)),
    (ValueError, "Conv1d: expected groups of at least 1, got 0",
     lambda: nn.Conv1d(1, 1, 1, groups=0)),
    (ValueError, "Conv1d: expected in_channels of at least 1, got 0", lambda: nn.Conv1d(0, 1, 1)),
    (TypeError, "Conv2d: expected groups to be an int, got True",
     lambda: nn.Conv2d(1, 1, 1, groups=True)),
    (TypeError, r"Conv2d: expected groups to be an int, got array\(1.5\)",
     lambda: nn.Conv2d(1, 1, 1, groups=numpy.array(1.5))),
    (TypeError, "Conv3d: expected out_channels to be an int, got '1'",
     lambda: nn.Conv3d(1, "1", 1)),
    (ValueError, "Conv2d: expected kernel_size to be one int or 2 ints, each at least 1, got 0",
     lambda: nn.Conv2d(1, 1, 0)),
    (ValueError, r"Conv2d: expected kernel_size .*, got \(1, 2, 3\)",
     lambda: nn.Conv2d(1, 1, (1, 2, 3))),
    (ValueError, "Conv2d: expected stride .*, got 0", lambda: nn.Conv2d(1, 1, 1, stride=0)),
    (ValueError, "Conv2d: expected dilation .*, got -1", lambda: nn.Conv2d(1, 1, 1, dilation=-1)),
    (ValueError, r"Conv2d: expected padding .*, got \(-1, -1\)",
     lambda: nn.Conv2d(1, 1, 1, padding=-1)),
    (TypeError, "Conv2d: expected padding to be an int or 2 ints, got 1.5",
     lambda: nn.Conv2d(1, 1, 1, padding=1.5)),
    (ValueError, "Conv2d: expected padding 'valid', 'same', 'full', or numbers, got 'some'",
     lambda: nn.Conv2d(1, 1, 1, padding="some")),
    (ValueError, "Conv2d: expected padding_mode 'zeros', 'reflect', 'replicate', 'circular', got "
     "'mirror'", lambda: nn.Conv2d(1, 1, 1, padding_mode="mirror")),
    (ValueError, "ConvTranspose2d: expected padding_mode 'zeros', got 'reflect'",
     lambda: nn.ConvTranspose2d(1, 1, 1, padding_mode="reflect")),
    (ValueError, "ConvTranspose2d: expected output_padding below stride or dilation, got 1",
     lambda: nn.ConvTranspose2d(1, 1, 1, output_padding=1)),
    (TypeError, "MaxPool2d: expected kernel_size to be an int or 2 ints, got '2'",
     lambda: nn.MaxPool2d("2")),
    (ValueError, "MaxPool2d: expected stride .*, got 0", lambda: nn.MaxPool2d(2, 0)),
    (ValueError, "MaxPool3d: expected dilation .*, got 0", lambda: nn.MaxPool3d(2, dilation=0)),
    (ValueError, "AvgPool1d: expected padding .*, got -1", lambda: nn.AvgPool1d(2, padding=-1)),
    (ValueError, r"AdaptiveAvgPool2d: expected output_size .*, got \[0, -1\]",
     lambda: nn.AdaptiveAvgPool2d((None, -1))),
    (TypeError, "AdaptiveMaxPool2d: expected output_size .*, got 1.5",
     lambda: nn.AdaptiveMaxPool2d(1.5)),
    (TypeError, "BatchNorm2d: expected num_features to be an int, got None",
     lambda: nn.BatchNorm2d(None)),
    (ValueError, "BatchNorm2d: expected num_features to be at least 0, got -1",
     lambda: nn.BatchNorm2d(-1)),
    (TypeError, "BatchNorm2d: expected eps to be a number, got 'a'",
     lambda: nn.BatchNorm2d(3, eps="a")),
    (TypeError, "BatchNorm2d: expected momentum to be a number, got 'a'",
     lambda: nn.BatchNorm2d(3, momentum="a")),
    (TypeError, "Dropout: expected p to be a number, got 'a'", lambda: nn.Dropout("a")),
    (ValueError, "BatchNorm2d: expected eps >= 0, got -1", lambda: nn.BatchNorm2d(1, eps=-1)),
    (ValueError, "BatchNorm2d: expected momentum from 0 to 1, or None, got 2",
     lambda: nn.BatchNorm2d(1, momentum=2)),
    (ValueError, r"BatchNorm1d: expected input \(N, C\) or \(N, C, L\), got \(3,\)",
     lambda: nn.BatchNorm1d(3)(tinycnn.zeros(3))),
    (ValueError, r"BatchNorm2d: expected input \(N, C, H, W\), got \(1, 1\)",
     lambda: nn.BatchNorm2d(1)(ONE_BY_ONE)),
    (ValueError, r"BatchNorm3d: expected input \(N, C, D, H, W\), got \(1, 1\)",
     lambda: nn.BatchNorm3d(1)(ONE_BY_ONE)),
    (ValueError, "Dropout2d: expected p from 0 to 1, got 1.5", lambda: nn.Dropout2d(1.5)),
    (ValueError, "ReflectionPad2d: expected padding to be one int or 4 ints, got .1, 2.",
     lambda: nn.ReflectionPad2d((1, 2))),
    (ValueError, "expected padding to be one int or 2 ints, got .1, 'a'.",
     lambda: nn.ZeroPad1d((1, "a"))),
    (TypeError, "ZeroPad1d: expected padding to be one int or 2 ints, got None",
     lambda: nn.ZeroPad1d(None)),
    (ValueError, "CircularPad2d: expected input of 3 or 4 axes, got .1, 1.",
     lambda: nn.CircularPad2d(1)(ONE_BY_ONE)),
    (TypeError, "Unflatten: expected unflattened_size to be a tuple of ints, got 3",
     lambda: nn.Unflatten(1, 3)),
    (TypeError, r"Unflatten: expected unflattened_size to be a tuple of ints, got \(\)",
     lambda: nn.Unflatten(1, ())),
    (TypeError, "Unflatten: expected dim to be an int, got 'x'", lambda: nn.Unflatten("x", (1,))),
    (ValueError, "MSELoss: expected reduction 'mean', 'sum' or 'none', got 'max'",
     lambda: nn.MSELoss(reduction="max")),
    (TypeError, "CrossEntropyLoss.register_buffer: expected a Tensor or None as 'weight', got list",
     lambda: nn.CrossEntropyLoss([1.0, 2.0])),
])
def test_every_misuse_is_explained(error, message, action):
    with pytest.raises(error, match=message):
        action()


@pytest.mark.parametrize("layer", [
    nn.Linear(3, 1), nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1, padding_mode="circular"),
    nn.ConvTranspose2d(1, 1, 1), nn.MaxPool2d(1), nn.AvgPool2d(1), nn.AdaptiveAvgPool2d(1),
    nn.BatchNorm2d(1), nn.ReLU(), nn.Softmax(0), nn.Dropout(), nn.ZeroPad2d(1), nn.CircularPad2d(1),
    nn.Flatten(), nn.Unflatten(0, (1,)),
], ids=lambda layer: type(layer).__name__)
def test_an_array_instead_of_a_tensor_is_explained(layer):
    with pytest.raises(TypeError, match=r"expected input to be a Tensor.*got ndarray"):
        layer(numpy.zeros((1, 1, 3, 3), "float32"))
