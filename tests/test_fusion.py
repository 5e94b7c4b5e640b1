"""Chains of layers that run as one: the same numbers as layer by layer, in training, in evaluation,
after whatever changes parameters and statistics, and beside hooks and subclasses."""

import contextlib
import copy

import numpy as np
import pytest

import tinycnn
from tinycnn import nn
from tinycnn._core import cpu
from tinycnn.testing import gradcheck


def filled(net, seed=0):
    """Every parameter and statistic of `net` set to numbers that matter."""
    rng = np.random.default_rng(seed)
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
            value.data[...] = rng.uniform(0.5, 2, value.shape)
        elif value.dtype.kind == "f":
            value.data[...] = rng.standard_normal(value.shape) * 0.5
    return net


def chain(C=3, OC=20, size=3, dims=2, bias=True, relu=True, dtype=None, **options):
    conv, norm = getattr(nn, f"Conv{dims}d"), getattr(nn, f"BatchNorm{dims}d")
    layers = [conv(C, OC, size, bias=bias, dtype=dtype, **options), norm(OC, dtype=dtype)]
    return filled(nn.Sequential(*layers, *[nn.ReLU()] * relu))


def both(net, x):
    """The results of net(x), fused and layer by layer."""
    fused = net(x)
    with nn.no_fusion():
        return fused, net(x)


def assert_close(got, expected, tolerance=1e-5):
    scale = max(abs(expected.data).max(initial=0), 1)
    np.testing.assert_allclose(got.data, expected.data, rtol=tolerance, atol=tolerance * scale)


@pytest.fixture
def calls(monkeypatch):
    """Names of batch norm's kernels and of convolutions, as they are called."""
    found = []

    def spy(name):
        kernel = getattr(cpu, name)

        def call(*args):
            found.append((name, args))
            return kernel(*args)

        monkeypatch.setattr(cpu, name, call)

    for name in "conv_forward", "batch_norm_apply", "relu_forward":
        spy(name)
    return found


def names(calls):
    found = [name for name, _ in calls]
    calls.clear()
    return found


# --- convolution and ReLU --------------------------------------------------------------------

SHAPES = [  # C, OC, kernel, size of x: the plain tile, strips, Winograd, depthwise, a linear layer
    (3, 5, 1, (1, 3, 1, 1)), (4, 33, 5, (2, 4, 9, 7)), (16, 16, 3, (1, 16, 7, 9)),
    (17, 33, 3, (2, 17, 5, 5)), (6, 120, 5, (3, 6, 5, 5)), (1, 6, 5, (2, 1, 28, 28)),
    (3, 8, 3, (0, 3, 6, 6)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("C", "OC", "size", "shape"), SHAPES)
def test_conv_relu(C, OC, size, shape, dtype, rng, isa):
    net = filled(nn.Sequential(nn.Conv2d(C, OC, size, dtype=dtype), nn.ReLU()))
    grads = []
    for fused in True, False:
        x = tinycnn.tensor(np.random.default_rng(5).standard_normal(shape), dtype=dtype,
                           requires_grad=True)
        net.zero_grad()
        y = both(net, x)[not fused]
        (y * y).sum().backward()
        grads.append([y, x.grad, *[p.grad for p in net.parameters()]])
    for got, expected in zip(*grads):
        assert_close(got, expected)
    assert (grads[0][0].data == 0).any() or not y.numel()


@pytest.mark.parametrize("make", [
    lambda: nn.Conv2d(8, 8, 3, groups=8), lambda: nn.Conv2d(8, 8, 3, groups=2, stride=2),
    lambda: nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
    lambda: nn.Conv2d(8, 8, 3, padding="same", bias=False),
])
def test_conv_of_any_kind_with_relu(make, rng):
    net = filled(nn.Sequential(make(), nn.ReLU()))
    x = tinycnn.tensor(rng.standard_normal((2, 8, 9, 11)).astype(np.float32))
    fused, single = both(net, x)
    np.testing.assert_array_equal(fused.data, single.data)
    assert (fused.data == 0).any()


def test_conv_relu_is_one_call_and_keeps_nan(calls):
    net = filled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    x = tinycnn.ones(1, 3, 5, 5)
    x.data[0, 0, 0, 0] = np.nan
    y = net(x)
    assert names(calls) == ["conv_forward"]
    assert np.isnan(y.data[0, :, 0, 0]).all()
    assert np.isnan(y.data).sum() == 4


def test_gradient_of_conv_relu(rng):
    net = filled(nn.Sequential(nn.Conv2d(2, 3, 2, dtype="float64"), nn.ReLU()))
    x = tinycnn.tensor(rng.standard_normal((2, 2, 3, 4)), requires_grad=True)
    assert gradcheck(net, x)


# --- training --------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_training_step_is_the_same(dims, rng):
    shape = (4, 3, *(6, 5, 4)[:dims])
    values = rng.standard_normal(shape).astype(np.float32)
    results = []
    for fused in True, False:
        net, x = chain(dims=dims, size=2), tinycnn.tensor(values, requires_grad=True)
        if fused:
            y = net(x)
        else:
            with nn.no_fusion():
                y = net(x)
        (y * y).sum().backward()
        results.append([y, x.grad, *[p.grad for p in net.parameters()], *net.buffers()])
    for (got, expected), name in zip(zip(*results), ["y", "x", *net.state_dict()]):
        # the gradient of a bias in front of batch norm is 0 but for rounding
        assert_close(got, expected, 1e-3 if name == "0.bias" else 1e-5)


def test_training_runs_batch_norm_with_relu_as_one(calls):
    net = chain()
    net(tinycnn.ones(2, 3, 8, 8))
    assert names(calls) == ["conv_forward", "batch_norm_apply"]
    with nn.no_fusion():
        net(tinycnn.ones(2, 3, 8, 8))
    assert names(calls) == ["conv_forward", "batch_norm_apply", "relu_forward"]


def test_batch_norm_relu_without_convolution(calls, rng):
    net = filled(nn.Sequential(nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2)))
    x = tinycnn.tensor(rng.standard_normal((6, 5)).astype(np.float32))
    assert_close(*both(net, x))
    assert names(calls) == ["batch_norm_apply"] * 2 + ["relu_forward"]


# --- evaluation ------------------------------------------------------------------------------


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_evaluation_folds_batch_norm(dims, bias, relu, calls, rng):
    net = chain(dims=dims, bias=bias, relu=relu, dtype="float32").eval()
    x = tinycnn.tensor(rng.standard_normal((2, 3, *(30, 9, 8)[:dims])).astype(np.float32))
    before = {name: value.data.copy() for name, value in net.state_dict().items()}
    with tinycnn.no_grad():
        y = net(x)
        assert names(calls) == ["conv_forward"]
        with nn.no_fusion():
            assert_close(y, net(x))
    after = net.state_dict()
    assert list(after) == list(before)
    assert all((after[name].data == value).all() for name, value in before.items())


@pytest.mark.parametrize("options", [
    {"affine": False}, {"bias": False}, {"eps": 0.5}, {"momentum": None},
])
def test_evaluation_folds_any_batch_norm(options, calls, rng):
    net = filled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, **options), nn.ReLU())).eval()
    x = tinycnn.tensor(rng.standard_normal((2, 3, 9, 9)).astype(np.float32))
    with tinycnn.no_grad():
        fused, single = both(net, x)
    assert names(calls)[0:2] == ["conv_forward"] * 2
    assert_close(fused, single)


def test_nothing_is_folded_where_it_must_not_be(calls):
    net, x = chain(OC=4).eval(), tinycnn.ones(2, 3, 9, 9)
    net(x)  # recorded: parameters want gradients
    assert names(calls) == ["conv_forward", "batch_norm_apply"]
    with tinycnn.no_grad():
        net(tinycnn.ones(1, 3, 5, 5))  # 25 pixels, 27 weights a filter
        assert names(calls) == ["conv_forward", "batch_norm_apply"]
        net.train()(x)
        assert names(calls) == ["conv_forward", "batch_norm_apply"]
        loose = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
        loose.eval()(x)
        assert names(calls) == ["conv_forward", "batch_norm_apply"]


CHANGES = {
    "in place": lambda net: net[0].weight.data.__imul__(2),
    "data": lambda net: setattr(net[0].weight, "data", net[0].weight.data * 2),
    "parameter": lambda net: setattr(net[1], "weight", nn.Parameter(net[1].weight.data * 2)),
    "statistics": lambda net: net[1].running_var.data.__imul__(2),
    "load_state_dict": lambda net: net.load_state_dict(filled(chain(), 7).state_dict()),
    "eps": lambda net: setattr(net[1], "eps", 0.5),
    "layer": lambda net: net.__setitem__(1, filled(nn.BatchNorm2d(20), 8).eval()),
    "dtype": lambda net: net.double().float()[1].bias.data.__iadd__(1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_by_the_next_call(name, rng):
    net = chain().eval()
    x = tinycnn.tensor(rng.standard_normal((2, 3, 9, 9)).astype(np.float32))
    with tinycnn.no_grad():
        before = net(x)
        CHANGES[name](net)
        fused, single = both(net, x)
    assert_close(fused, single)
    assert abs(fused.data - before.data).max() > 1e-3


def test_training_goes_on_after_evaluation(rng):
    x = tinycnn.tensor(rng.standard_normal((4, 3, 9, 9)).astype(np.float32))
    nets = [chain(), chain()]
    optimizers = [tinycnn.optim.SGD(net.parameters(), lr=0.01, momentum=0.9) for net in nets]
    for _ in range(3):
        for net, optimizer in zip(nets, optimizers):
            optimizer.zero_grad()
            net.train()
            y = net(x) if net is nets[0] else both(net, x)[0]
            (y * y).mean().backward()
            optimizer.step()
            net.eval()
        with tinycnn.no_grad():
            nets[1].load_state_dict(nets[0].state_dict())
            fused = nets[0](x)
            with nn.no_fusion():
                assert_close(fused, nets[1](x))


# --- layers that want to be called -----------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 2])
def test_hooks_run_and_see_their_layer(place, calls, rng):
    net = chain().eval()
    x = tinycnn.tensor(rng.standard_normal((2, 3, 9, 9)).astype(np.float32))
    seen = []
    with tinycnn.no_grad(), nn.no_fusion():
        steps = [x]
        for layer in net:
            steps.append(layer(steps[-1]))
    handle = net[place].register_forward_hook(lambda m, args, y: seen.extend([args[0], y]))
    with handle, tinycnn.no_grad():
        y = net(x)
    for got, expected in zip([*seen, y], [steps[place], steps[place + 1], steps[-1]]):
        assert_close(got, expected)
    assert len(seen) == 2


def test_forward_of_ones_own_is_called():
    class Double(nn.ReLU):
        def forward(self, input):
            return super().forward(input) * 2

    class Shifted(nn.BatchNorm2d):
        def forward(self, input):
            return super().forward(input) + 1

    x = tinycnn.ones(2, 3, 4, 4)
    for layers in (nn.Conv2d(3, 3, 1), Double()), (nn.Conv2d(3, 3, 1), Shifted(3), nn.ReLU()):
        net = filled(nn.Sequential(*layers)).eval()
        with tinycnn.no_grad():
            expected = x
            for layer in layers:
                expected = layer(expected)
            assert_close(net(x), expected, 1e-6)
    net[2].forward = lambda input: input * 0
    assert not net(x).data.any()
    layer = filled(Shifted(3)).eval()
    assert_close(layer.forward_relu(x, residual=x), nn.ReLU()(layer(x) + x))


def test_messages_stay_those_of_the_layers():
    x = tinycnn.ones(2, 3, 9, 9)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(5), nn.ReLU()).eval()
    with tinycnn.no_grad(), pytest.raises(ValueError, match=r"running_mean \(4,\), one number"):
        net(x)
    net = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    with tinycnn.no_grad(), pytest.raises(ValueError, match="conv2d: expected input with 4"):
        net(x)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    with tinycnn.no_grad(), pytest.raises(ValueError, match=r"BatchNorm2d: expected input \(N, C,"):
        net(x[0])


# --- the end of a residual block -------------------------------------------------------------


def test_forward_relu_is_batch_norm_sum_relu(calls, rng):
    layer = filled(nn.BatchNorm2d(6))
    x, other = (tinycnn.tensor(a) for a in rng.standard_normal((2, 3, 6, 4, 4)).astype(np.float32))
    y = layer.forward_relu(x, residual=other)
    assert names(calls) == ["batch_norm_apply"]
    assert_close(y, nn.ReLU()(layer(x) + other))
    assert layer.num_batches_tracked.item() == 2
    seen = []
    with layer.register_forward_hook(lambda m, args, y: seen.append(y)):
        assert_close(layer.forward_relu(x, residual=other), y)
        assert_close(layer.forward_relu(x), nn.ReLU()(seen[0]))
    assert len(seen) == 2


def test_no_fusion_nests_and_ends():
    net, x = chain(), tinycnn.ones(2, 3, 4, 4)
    off = nn.no_fusion()
    with off, off:
        pass

    @off
    def layer_by_layer():
        return net(x)

    calls = []
    net[2].forward = calls.append
    layer_by_layer()
    assert len(calls) == 1


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_relu_after_the_pooling_changes_no_bit(dims, rng, calls):
    conv, pool = getattr(nn, f"Conv{dims}d"), getattr(nn, f"MaxPool{dims}d")
    net = filled(nn.Sequential(conv(2, 20, 3), nn.ReLU(), pool(3, stride=2, padding=1)))
    values = rng.standard_normal((3, 2, *[9] * dims)).astype("f4")
    values[0, 0, ..., 4] = np.nan

    def gradients():
        net.zero_grad()
        x = tinycnn.tensor(values, requires_grad=True)
        y = net(x)
        weights = np.arange(y.numel(), dtype="f4").reshape(y.shape) % 7 - 3
        y.backward(tinycnn.tensor(weights.astype("f4")))
        return [y, x.grad, *[p.grad for p in net.parameters()]]

    fused = gradients()
    pooled = fused[0].shape
    assert [args[0].size for name, args in calls if name == "relu_forward"] == [np.prod(pooled)]
    with nn.no_fusion():
        plain = gradients()
    for got, expected in zip(fused, plain):
        np.testing.assert_array_equal(got.detach().numpy(), expected.detach().numpy())
    with tinycnn.no_grad():  # nothing goes back: the convolution rectifies
        calls.clear()
        np.testing.assert_array_equal(net(tinycnn.tensor(values)).data, plain[0].data)
    assert "relu_forward" not in names(calls)


def test_pooling_that_returns_indices_is_left_alone(rng):
    net = filled(nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2, return_indices=True)))
    x = tinycnn.tensor(rng.standard_normal((2, 1, 8, 8)).astype("f4"))
    (y, places), (expected, expected_places) = both(net, x)
    np.testing.assert_array_equal(y.data, expected.data)
    np.testing.assert_array_equal(places.data, expected_places.data)


# --- what is remembered of a Sequential ------------------------------------------------------


def halves(net):
    """Every layer replaced by one that halves: the net then multiplies by 2**-len."""
    for i in range(len(net)):
        net[i] = Half()


class Half(nn.Module):
    def forward(self, input):
        return input * 0.5


PART_CHANGES = {
    "append": lambda net: net.append(Half()),
    "insert": lambda net: net.insert(1, Half()),
    "set": lambda net: net.__setitem__(1, Half()),
    "set all": halves,
    "attribute": lambda net: setattr(net, "1", Half()),
    "delete": lambda net: net.__delitem__(1),
    "delete attribute": lambda net: delattr(net, "1"),
    "pop": lambda net: net.pop(),
    "extend": lambda net: net.extend([Half(), nn.ReLU()]),
    "add_module": lambda net: net.add_module("1", Half()),
    "register_module": lambda net: net.register_module("5", Half()),
    "None": lambda net: setattr(net, "1", None),
    "hook": lambda net: net[1].register_forward_hook(lambda module, args, y: y * 0.5),
    "pre-hook": lambda net: net[0].register_forward_pre_hook(lambda module, args: args[0] * 0.5),
    "own forward": lambda net: setattr(net[1], "forward", lambda input: input * 0.5),
}


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", PART_CHANGES)
def test_a_change_of_the_parts_is_seen_by_the_next_call(name, recorded, rng):
    """After each change the net does what its layers do, called one by one by hand."""
    def make():
        return filled(nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                    nn.Linear(12, 5), nn.ReLU()))

    net, x = make(), tinycnn.tensor(rng.standard_normal((2, 2, 6, 6)).astype("f4"))
    with tinycnn.set_grad_enabled(recorded):
        before = net(x)
        PART_CHANGES[name](net)
        expected = x
        for layer in net:
            expected = layer(expected)
        got = net(x)
    assert_close(got, expected)
    assert got.shape != before.shape or not tinycnn.allclose(got, before)


def test_what_is_remembered_is_not_shared_by_copies(rng):
    net = filled(nn.Sequential(nn.Linear(3, 4), nn.ReLU()))
    x = tinycnn.tensor(rng.standard_normal((2, 3)).astype("f4"))
    y = net(x)
    other = copy.deepcopy(net)
    other[0].weight.data[...] = 0
    other[0].bias.data[...] = 1
    assert other(x).tolist() == [[1.0] * 4] * 2
    assert_close(net(x), y)


def test_modes_are_asked_in_every_call(calls, rng):
    """no_grad and grad, fusion and none, training and evaluation, indices or none."""
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2))
    x = tinycnn.tensor(rng.standard_normal((1, 2, 6, 6)).astype("f4"))
    for _ in range(2):
        net(x)
        assert [name for name, args in calls] == ["conv_forward", "relu_forward"]
        assert calls[0][1][6] is False  # the ReLU comes with the pooling
        calls.clear()
        with tinycnn.no_grad():
            net(x)
        assert [name for name, args in calls] == ["conv_forward"]
        assert calls[0][1][6] is True
        calls.clear()
        with nn.no_fusion():
            net(x)
        assert names(calls) == ["conv_forward", "relu_forward"]
        net[2].return_indices = True
        y, where = net(x)
        assert y.shape == where.shape
        assert names(calls) == ["conv_forward"]
        net[2].return_indices = False


def test_the_algorithm_around_a_call_is_asked_in_every_call(calls):
    net, x = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU()), tinycnn.ones(1, 2, 8, 8)
    seen = []
    for name in "auto", "im2col", "auto", "direct":
        with tinycnn.conv_algorithm(name):
            net(x)
        seen.append(calls[-1][1][4].algorithm)
    net[0].algorithm = "winograd"
    net(x)
    assert [*seen, calls[-1][1][4].algorithm] == ["auto", "im2col", "auto", "direct", "winograd"]


def test_settings_shapes_and_dtypes_are_asked_in_every_call(rng):
    conv = filled(nn.Conv2d(2, 3, 3))
    net = nn.Sequential(conv, nn.ReLU())
    for dtype in "float32", "float64", "float32":
        net.to(dtype)
        for size, stride, padding in (6, 1, 0), (7, 2, 0), (6, 1, 1), (6, 1, 0):
            conv.stride, conv.padding = (stride, stride), (padding, padding)
            x = tinycnn.tensor(rng.standard_normal((1, 2, size, size)).astype(dtype))
            y = net(x)
            assert y.dtype == dtype
            assert y.shape[2] == (size + 2 * padding - 3) // stride + 1
            assert_close(y, nn.ReLU()(conv(x)))


# --- linear layers and pooling with ReLU ------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 7), (5, 7), (0, 7), (7,), (2, 3, 7), (4, 1, 1, 7)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_relu(shape, bias, dtype, rng):
    net = filled(nn.Sequential(nn.Linear(7, 9, bias, dtype=dtype), nn.ReLU()))
    x = tinycnn.tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True)
    found = []
    for mode in nn.no_fusion(), contextlib.nullcontext():
        with mode:
            y = net(x)
        (y * y).sum().backward()
        found.append([y, x.grad, *(p.grad for p in net.parameters())])
        x.grad = None
        net.zero_grad()
    assert found[1][0].creator.function.__name__ == "Linear"
    for expected, got in zip(*found):
        assert got.shape == expected.shape
        np.testing.assert_array_equal(got.data, expected.data)


def test_linear_relu_keeps_nan_and_messages():
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    assert np.isnan(net(tinycnn.tensor([[float("nan")]])).data).all()
    with pytest.raises(ValueError, match=r"linear: expected input \(\.\.\., 1\) for weight"):
        net(tinycnn.ones(2, 3))


def test_gradient_of_linear_relu_and_pool_relu(rng):
    linear, pool = nn.Linear(3, 4, dtype="float64"), nn.MaxPool2d(2, padding=1)
    x = tinycnn.tensor(rng.standard_normal((5, 3)), requires_grad=True)
    gradcheck(lambda x: linear.forward_relu(x), [x])
    gradcheck(lambda x: linear.forward_relu(x[:, :, None].transpose(1, 2)), [x])
    image = tinycnn.tensor(rng.standard_normal((2, 3, 5, 4)), requires_grad=True)
    gradcheck(lambda x: pool.forward_relu(x), [image])
    gradcheck(lambda x: pool.forward_relu(x[0]), [image])
