"""Every layer beside PyTorch's: the same state keys, shapes and defaults; with the same weights the
same outputs, gradients and running statistics. And the order and defaults of all arguments."""

import inspect
import math
import re

import numpy
import pytest

import tinycnn
from tinycnn import nn

torch = pytest.importorskip("torch", reason="compares with PyTorch")

# name, arguments, input shape
CASES = [
    ("Linear", (5, 3), {}, (4, 5)),
    ("Linear", (5, 3, False), {}, (2, 4, 5)),
    ("Linear", (5, 3), {}, (5,)),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 9)),
    ("Conv2d", (2, 4, 3), {}, (2, 2, 8, 7)),
    ("Conv2d", (2, 4, (3, 2)), {"padding": (1, 0), "dilation": (1, 2), "bias": False}, (2, 8, 7)),
    ("Conv2d", (4, 4, 3, 2, 1, 1, 4), {}, (2, 4, 8, 7)),
    ("Conv2d", (2, 4, 4), {"padding": "same", "dilation": 2}, (2, 2, 8, 7)),
    ("Conv2d", (2, 4, 3), {"padding": "valid"}, (2, 2, 8, 7)),
    ("Conv3d", (2, 4, 2), {"stride": (1, 2, 1), "padding": 1}, (1, 2, 4, 5, 3)),
    ("ConvTranspose1d", (4, 6, 3, 2, 1, 1), {"groups": 2}, (2, 4, 5)),
    ("ConvTranspose2d", (2, 4, 3, 2, 1, 1), {}, (2, 2, 5, 4)),
    ("ConvTranspose2d", (2, 4, (3, 2), 1, 0, 0, 2, False, 2), {}, (2, 5, 4)),
    ("ConvTranspose3d", (2, 4, 2, 2), {}, (1, 2, 2, 3, 2)),
    ("MaxPool1d", (3, 2, 1), {}, (2, 3, 9)),
    ("MaxPool2d", (3, 2, 1, 1), {"ceil_mode": True}, (2, 3, 8, 8)),
    ("MaxPool2d", (2,), {"dilation": 2}, (3, 8, 7)),
    ("MaxPool3d", (2, 1), {}, (1, 2, 3, 4, 4)),
    ("AvgPool1d", (3, 2, 1, True, False), {}, (2, 3, 8)),
    ("AvgPool2d", (3, 2, 1, True), {}, (2, 3, 8, 7)),
    ("AvgPool2d", (3, 2, 1, False, False, 5), {}, (2, 3, 8, 7)),
    ("AvgPool3d", (2,), {}, (1, 2, 4, 4, 4)),
    ("AdaptiveAvgPool1d", (3,), {}, (2, 2, 7)),
    ("AdaptiveAvgPool2d", ((None, 3),), {}, (2, 2, 7, 5)),
    ("AdaptiveAvgPool3d", (2,), {}, (1, 2, 3, 4, 5)),
    ("AdaptiveMaxPool1d", (3,), {}, (2, 2, 7)),
    ("AdaptiveMaxPool2d", ((2, 3),), {}, (2, 2, 7, 5)),
    ("AdaptiveMaxPool3d", (2,), {}, (1, 2, 3, 4, 5)),
    ("BatchNorm1d", (3,), {}, (6, 3)),
    ("BatchNorm1d", (3,), {"momentum": None}, (4, 3, 5)),
    ("BatchNorm2d", (3, 1e-3, 0.3), {}, (4, 3, 5, 4)),
    ("BatchNorm2d", (3,), {"affine": False}, (4, 3, 5, 4)),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, (4, 3, 5, 4)),
    ("BatchNorm3d", (2,), {}, (2, 2, 3, 2, 2)),
    ("ReLU", (), {}, (2, 3)), ("ReLU", (True,), {}, (2, 3)),
    ("LeakyReLU", (0.2,), {}, (2, 3)), ("ELU", (0.7,), {}, (2, 3)), ("Sigmoid", (), {}, (2, 3)),
    ("Tanh", (), {}, (2, 3)), ("Softmax", (1,), {}, (2, 3, 2)), ("LogSoftmax", (-1,), {}, (2, 3)),
    ("Dropout", (0.0,), {}, (2, 3)),
    ("ZeroPad1d", ((1, 2),), {}, (2, 3, 4)), ("ZeroPad2d", (1,), {}, (2, 3, 4)),
    ("ZeroPad3d", (1,), {}, (2, 3, 4, 3)), ("ConstantPad1d", (2, 1.5), {}, (2, 4)),
    ("ConstantPad2d", ((1, -1, 2, 0), 1.5), {}, (2, 3, 4)),
    ("ConstantPad3d", (1, 1.5), {}, (2, 3, 3, 3, 3)),
    ("ReflectionPad1d", ((1, 2),), {}, (2, 3, 4)),
    ("ReflectionPad2d", ((1, 0, 2, 1),), {}, (2, 3, 4, 5)),
    ("ReflectionPad3d", (1,), {}, (1, 2, 3, 4, 3)),
    ("ReplicationPad1d", (5,), {}, (2, 3, 4)), ("ReplicationPad2d", ((1, 0, 2, 1),), {}, (3, 4, 5)),
    ("ReplicationPad3d", (1,), {}, (1, 2, 3, 4, 3)),
    ("CircularPad1d", (3,), {}, (2, 3, 4)), ("CircularPad2d", ((1, 0, 2, 1),), {}, (1, 3, 4, 5)),
    ("CircularPad3d", (1,), {}, (1, 2, 3, 4, 3)),
    ("Flatten", (), {}, (2, 3, 4)), ("Flatten", (0, -2), {}, (2, 3, 4)),
    ("Unflatten", (-2, (3, 1)), {}, (2, 3, 4)), ("Identity", (7,), {}, (2, 3)),
]
CASES += [("Conv1d", (2, 4, 3), {"padding": 2, "padding_mode": mode, "stride": 2}, (2, 2, 7))
          for mode in ("reflect", "replicate", "circular")]
CASES += [("Conv2d", (2, 4, (3, 4)), {"padding": "same", "padding_mode": mode}, (1, 2, 6, 7))
          for mode in ("reflect", "replicate", "circular")]
CASES += [("Conv3d", (1, 2, 3), {"padding": 1, "padding_mode": mode}, (1, 1, 4, 3, 3))
          for mode in ("reflect", "replicate", "circular")]
IDS = [f"{name}{arguments}{keywords or ''}" for name, arguments, keywords, _ in CASES]


def pair(name, arguments, keywords):
    """Our layer and PyTorch's, in float64, with the same weights."""
    ours = getattr(nn, name)(*arguments, **keywords).double()
    theirs = getattr(torch.nn, name)(*arguments, **keywords).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def close(ours, theirs):
    assert ours.shape == tuple(theirs.shape)
    assert numpy.allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "arguments", "keywords", "shape"), CASES, ids=IDS)
def test_state_has_the_keys_shapes_dtypes_and_constant_defaults_of_pytorch(
        name, arguments, keywords, shape):
    ours = getattr(nn, name)(*arguments, **keywords)
    theirs = getattr(torch.nn, name)(*arguments, **keywords)
    described = [(k, v.shape, str(v.dtype)) for k, v in ours.state_dict().items()]
    assert described == [(k, tuple(v.shape), str(v.dtype).removeprefix("torch."))
                         for k, v in theirs.state_dict().items()]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    if "Norm" in name:
        for key, value in theirs.state_dict().items():
            assert ours.state_dict()[key].tolist() == value.tolist()


@pytest.mark.parametrize(("name", "arguments", "keywords", "shape"), CASES, ids=IDS)
def test_outputs_gradients_and_statistics_are_those_of_pytorch(name, arguments, keywords, shape):
    ours, theirs = pair(name, arguments, keywords)
    rng = numpy.random.default_rng(0)
    for mode in True, True, False:
        x = rng.standard_normal(shape)
        a = tinycnn.tensor(x, requires_grad=True)
        b = torch.tensor(x, requires_grad=True)
        y = ours.train(mode)(a)
        z = theirs.train(mode)(b.clone())  # a clone: PyTorch's inplace overwrites it
        close(y, z)
        gradient = rng.standard_normal(y.shape)
        if y is a:
            continue
        ours.zero_grad()
        theirs.zero_grad()
        y.backward(tinycnn.tensor(gradient))
        z.backward(torch.tensor(gradient))
        close(a.grad, b.grad)
        for (_, p), q in zip(ours.named_parameters(), theirs.parameters()):
            close(p.grad, q.grad)
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key], value)


@pytest.mark.parametrize(("name", "arguments", "keywords", "shape"), CASES, ids=IDS)
def test_text_is_that_of_pytorch(name, arguments, keywords, shape):
    if name == "AvgPool1d":
        keywords = {}
        arguments = ((3,), (2,), (1,))  # PyTorch shows this layer's numbers as tuples only
    ours = repr(getattr(nn, name)(*arguments, **keywords))
    theirs = repr(getattr(torch.nn, name)(*arguments, **keywords))
    assert ours == re.sub(r" bias=\w+, track", " track", theirs)  # some versions of PyTorch show it


@pytest.mark.parametrize("name", ["MaxPool1d", "MaxPool2d", "MaxPool3d", "AdaptiveMaxPool1d",
                                  "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"])
def test_indices_are_those_of_pytorch(name):
    x = numpy.random.default_rng(0).standard_normal((2, 3, *(6,) * int(name[-2])))
    ours, theirs = pair(name, (2,), {"return_indices": True})
    for a, b in zip(ours(tinycnn.tensor(x)), theirs(torch.tensor(x))):
        close(a, b)


@pytest.mark.parametrize("size", [(9, 9), (10, 9), (1, 4, 9, 10)])
def test_output_size_is_that_of_pytorch(size):
    x = numpy.random.default_rng(0).standard_normal((1, 2, 5, 5))
    ours, theirs = pair("ConvTranspose2d", (2, 4, 3), {"stride": 2, "padding": 1})
    close(ours(tinycnn.tensor(x), output_size=size),
          theirs(torch.tensor(x), output_size=list(size)))


WEIGHT = [0.5, 1.0, 2.0]
LOSSES = [(name, {"reduction": reduction, **keywords})
          for reduction in ("mean", "sum", "none")
          for name, keywords in [
              ("CrossEntropyLoss", {}), ("CrossEntropyLoss", {"weight": WEIGHT}),
              ("CrossEntropyLoss", {"ignore_index": 2, "label_smoothing": 0.1}),
              ("NLLLoss", {"weight": WEIGHT, "ignore_index": 1}), ("MSELoss", {}), ("L1Loss", {}),
              ("BCELoss", {"weight": WEIGHT}),
              ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT})]]


@pytest.mark.parametrize(("name", "keywords"), LOSSES, ids=lambda value: str(value))
def test_losses_and_their_gradients_are_those_of_pytorch(name, keywords):
    rng = numpy.random.default_rng(0)
    x, target = rng.random((6, 3)), rng.random((6, 3))
    if name in ("CrossEntropyLoss", "NLLLoss"):
        target = rng.integers(0, 3, 6)

    def made(package, tensor):
        return getattr(package, name)(**{
            key: tensor(numpy.array(value)) if "weight" in key else value
            for key, value in keywords.items()})

    ours, theirs = made(nn, tinycnn.tensor), made(torch.nn, torch.tensor)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    a, b = tinycnn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(a, tinycnn.tensor(target)), theirs(b, torch.tensor(target))
    close(y, z)
    y.sum().backward()
    z.sum().backward()
    close(a.grad, b.grad)


LAYERS = sorted({name for name, *_ in CASES} | {name for name, _ in LOSSES}
                | {"Dropout1d", "Dropout2d", "Dropout3d"})


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_have_the_order_and_defaults_of_pytorch(name):
    def arguments(layer):
        return [(p.name, p.default) for p in inspect.signature(layer).parameters.values()
                if p.kind is p.POSITIONAL_OR_KEYWORD]

    assert arguments(getattr(nn, name)) == arguments(getattr(torch.nn, name))


@pytest.mark.parametrize("name", [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_",
    "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_",
    "xavier_uniform_", "zeros_"])
def test_first_values_have_the_arguments_of_pytorch(name):
    ours = inspect.signature(getattr(nn.init, name)).parameters.values()
    theirs = inspect.signature(getattr(torch.nn.init, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


def test_gains_and_identities_are_those_of_pytorch():
    for name in ("linear", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu",
                 "selu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    for shape, groups in ((4, 2, 3), 1), ((4, 2, 3, 4), 2), ((6, 3, 2, 3, 3), 3):
        close(nn.init.dirac_(tinycnn.zeros(*shape), groups),
              torch.nn.init.dirac_(torch.zeros(*shape), groups))
    close(nn.init.eye_(tinycnn.zeros(2, 3)), torch.nn.init.eye_(torch.zeros(2, 3)))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("limit", [0.0, 0.5, 100.0])
def test_clipping_is_that_of_pytorch(p, limit):
    rng = numpy.random.default_rng(0)
    grads = [rng.standard_normal(shape).astype("float32") for shape in [(3, 4), (5,), ()]]
    ours = [nn.Parameter(numpy.zeros_like(g)) for g in grads]
    theirs = [torch.nn.Parameter(torch.zeros(g.shape)) for g in grads]
    for a, b, g in zip(ours, theirs, grads):
        a.grad, b.grad = tinycnn.tensor(g), torch.tensor(g)
    total = nn.utils.clip_grad_norm_(ours, limit, p)
    expected = torch.nn.utils.clip_grad_norm_(theirs, limit, p)
    assert total.dtype == tinycnn.float32
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)
    for a, b in zip(ours, theirs):
        assert numpy.allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-5)
    nn.utils.clip_grad_value_(ours, 0.1)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    for a, b in zip(ours, theirs):
        assert numpy.allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-5)


def test_a_network_of_pytorch_is_followed_through_its_state_dict():
    def build(package):
        return package.Sequential(
            package.Conv2d(1, 4, 5, padding=2), package.BatchNorm2d(4), package.ReLU(),
            package.MaxPool2d(2), package.Conv2d(4, 6, 3), package.Tanh(),
            package.AdaptiveAvgPool2d(2), package.Flatten(), package.Linear(24, 10))

    ours, theirs = build(nn), build(torch.nn)
    ours.load_state_dict(theirs.state_dict())
    x = numpy.random.default_rng(0).standard_normal((3, 1, 12, 12)).astype("float32")
    labels = numpy.array([1, 5, 9])
    loss = nn.CrossEntropyLoss()(ours(tinycnn.tensor(x)), tinycnn.tensor(labels))
    expected = torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(labels))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    loss.backward()
    expected.backward()
    for a, b in zip(ours.parameters(), theirs.parameters()):
        assert numpy.allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-3, atol=1e-5)
    named = [name for name, _ in ours.named_modules()]
    assert named == [name for name, _ in theirs.named_modules()]
