"""nn.chain: parts that are in no Sequential run as they would in one, and a residual is added in
the pass of batch norm and ReLU."""

import numpy as np
import pytest

import tinycnn
from tinycnn import nn
from tinycnn._core import cpu
from tinycnn.testing import gradcheck


class Block(nn.Module):
    """A residual block; `separately` calls its layers one by one."""

    def __init__(self, dtype=None):
        super().__init__()
        self.conv1 = nn.Conv2d(5, 5, 3, padding=1, bias=False, dtype=dtype)
        self.bn1 = nn.BatchNorm2d(5, dtype=dtype)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(5, 5, 3, padding=1, bias=False, dtype=dtype)
        self.bn2 = nn.BatchNorm2d(5, dtype=dtype)

    def forward(self, x, residual=True):
        y = nn.chain(x, self.conv1, self.bn1, self.relu)
        return nn.chain(y, self.conv2, self.bn2, self.relu, residual=x if residual else None)

    def separately(self, x, residual=True):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + x if residual else y)


def block(dtype=None):
    net, rng = Block(dtype), np.random.default_rng(1)
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
            value.data[...] = rng.uniform(0.5, 2, value.shape)
        elif value.dtype.kind == "f":
            value.data[...] = rng.standard_normal(value.shape) * 0.5
    return net


def images(shape=(2, 5, 9, 8), dtype="float32", **options):
    values = np.random.default_rng(2).standard_normal(shape).astype(dtype)
    return tinycnn.tensor(values, **options)


@pytest.fixture
def calls(monkeypatch):
    """Names of kernels, as they are called."""
    found = []

    def spy(name):
        kernel = getattr(cpu, name)

        def call(*args):
            found.append(name)
            return kernel(*args)

        monkeypatch.setattr(cpu, name, call)

    for name in "conv_forward", "batch_norm_apply", "relu_forward", "add":
        spy(name)
    return found


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_equals_layer_by_layer(dtype, residual):
    results = []
    for call in Block.forward, Block.separately:
        net, x = block(dtype), images(dtype=dtype, requires_grad=True)
        y = call(net, x, residual)
        (y * y).sum().backward()
        results.append([y, x.grad, *[p.grad for p in net.parameters()], *net.buffers()])
    tolerance = 1e-3 if dtype == "float32" else 1e-10
    for got, expected in zip(*results):
        np.testing.assert_allclose(got.data, expected.data, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("residual", [True, False])
def test_evaluation_equals_layer_by_layer(residual):
    net, x = block().eval(), images()
    for grad in True, False:
        with tinycnn.set_grad_enabled(grad):
            got, expected = net(x, residual), net.separately(x, residual)
        np.testing.assert_allclose(got.data, expected.data, rtol=1e-4, atol=1e-4)


def test_sum_and_relu_take_no_pass_of_their_own(calls):
    net, x = block(), images()
    net(x)
    assert calls == ["conv_forward", "batch_norm_apply"] * 2
    calls.clear()
    with tinycnn.no_grad():
        net.eval()(x)
    assert calls.count("add") == 1  # variance and eps, as the first batch norm is folded
    calls.remove("add")
    assert calls == ["conv_forward", "conv_forward", "batch_norm_apply"]


def test_gradient():
    net, x = block("float64"), images((2, 5, 3, 3), "float64", requires_grad=True)
    assert gradcheck(net, x)


@pytest.mark.parametrize("part", ["conv1", "bn1", "conv2", "bn2", "relu"])
def test_hooks_run_and_see_their_layer(part):
    net, x = block().eval(), images()
    expected = []
    with net.get_submodule(part).register_forward_hook(lambda m, a, y: expected.append(y.data)):
        net.separately(x)
    seen = []
    with net.get_submodule(part).register_forward_hook(lambda m, a, y: seen.append(y.data)):
        net(x)
    assert len(seen) == len(expected) == (2 if part == "relu" else 1)
    for got, wanted in zip(seen, expected):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_no_fusion_calls_the_layers(calls):
    net, x = block(), images()
    with nn.no_fusion():
        net(x)
    assert calls == ["conv_forward", "batch_norm_apply", "relu_forward", "conv_forward",
                     "batch_norm_apply", "add", "relu_forward"]


def test_any_modules_may_be_chained():
    x = tinycnn.tensor([[-1.0, 2.0]])
    double = nn.Linear(2, 2, bias=False)
    nn.init.eye_(double.weight).data[...] *= 2
    assert nn.chain(x).tolist() == [[-1.0, 2.0]]
    assert nn.chain(x, double).tolist() == [[-2.0, 4.0]]
    assert nn.chain(x, double, double, residual=x).tolist() == [[-6.0, 12.0]]
    assert nn.chain(x, double, nn.ReLU(), residual=x).tolist() == [[0.0, 6.0]]
    assert nn.chain(x, nn.ReLU(), residual=x).tolist() == [[0.0, 4.0]]
    assert nn.chain(x, nn.BatchNorm1d(2, affine=False).eval(), double, residual=x)[0, 0] < -3.9


def test_a_forward_of_ones_own_is_called():
    class Shifted(nn.BatchNorm2d):
        def forward(self, input):
            return super().forward(input) + 100

    x, norm = images(), Shifted(5).eval()
    y = nn.chain(x, norm, nn.ReLU(), residual=x)
    assert y.data.min() > 50
    norm = nn.BatchNorm2d(5).eval()
    norm.forward = lambda input: input * 0
    np.testing.assert_array_equal(nn.chain(x, norm, nn.ReLU(), residual=x).data,
                                  np.maximum(x.data, 0))


def test_a_residual_needs_a_module_and_its_shape():
    x = images()
    with pytest.raises(ValueError, match=r"chain: expected a module behind the sum .*, got none"):
        nn.chain(x, residual=x)
    with pytest.raises(ValueError, match="expected residual of the shape"):
        nn.chain(x, nn.BatchNorm2d(5), nn.ReLU(), residual=images((2, 4, 9, 8)))
