"""First values: ranges, statistics, exact gains, the defaults of the layers, and every message."""

import math

import numpy
import pytest

import tinycnn
from tinycnn import nn
from tinycnn.nn import init

MANY = (64, 32, 5, 5)  # 51,200 values: the mean of n has a deviation of std / sqrt(n)
FAN_IN, FAN_OUT = 32 * 25, 64 * 25


def rng(seed=0):
    return numpy.random.default_rng(seed)


def filled(function, shape=MANY, dtype="float32", **arguments):
    """The array of a tensor that `function` filled; NaN would stay where it did not."""
    tensor = tinycnn.tensor(numpy.full(shape, numpy.nan, dtype))
    assert function(tensor, **arguments) is tensor
    assert tensor.dtype == dtype
    assert numpy.isfinite(tensor.data).all()
    return tensor.data


def check_uniform(values, low, high):
    assert values.min() >= low
    assert values.max() <= high
    width = high - low
    assert abs(values.min() - low) < width * 1e-3
    assert abs(values.max() - high) < width * 1e-3
    assert abs(values.mean() - (low + high) / 2) < 5 * width / math.sqrt(12 * values.size)
    assert values.std() == pytest.approx(width / math.sqrt(12), rel=0.02)


def check_normal(values, mean, std):
    assert abs(values.mean() - mean) < 5 * std / math.sqrt(values.size)
    assert values.std() == pytest.approx(std, rel=0.02)
    inside = (abs(values - mean) < std).mean()
    assert inside == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_and_normal_have_their_range_and_deviation(dtype):
    check_uniform(filled(init.uniform_, dtype=dtype, generator=rng()), 0, 1)
    check_uniform(filled(init.uniform_, dtype=dtype, a=-3, b=-1, generator=rng()), -3, -1)
    check_normal(filled(init.normal_, dtype=dtype, generator=rng()), 0, 1)
    check_normal(filled(init.normal_, dtype=dtype, mean=2, std=0.1, generator=rng()), 2, 0.1)


@pytest.mark.parametrize(("mean", "std", "a", "b"), [
    (0, 1, -2, 2), (1, 0.5, 0.9, 1.1), (0, 0.02, -2, 2), (0, 1, 3, 100), (0, 1, -100, -3),
    (0, 1, -math.inf, 0), (5, 2, 4, math.inf), (0, 1, 0, 1e-6), (0, 1, 8, 9), (0, 1, 0.5, 0.5),
    (0, 1, 60, 70), (0, 1, -1000, 1000),
])
def test_trunc_normal_stays_inside_and_has_the_right_quantiles(mean, std, a, b):
    values = filled(init.trunc_normal_, (40_000,), "float64", mean=mean, std=std, a=a, b=b,
                    generator=rng())
    assert values.min() >= a
    assert values.max() <= b
    low, high = (a - mean) / std, (b - mean) / std
    if low > 40 or low == high:
        return  # no digits left to compare with

    def share(z):  # of [low, high] up to z, from the nearer tail
        tail = (lambda v: math.erfc(v / math.sqrt(2))) if low > 0 else (
            lambda v: -math.erfc(-v / math.sqrt(2)))
        return (tail(low) - tail(z)) / (tail(low) - tail(high))

    for quantile in 0.1, 0.5, 0.9:
        z = (numpy.quantile(values, quantile) - mean) / std
        assert share(z) == pytest.approx(quantile, abs=0.015)


def test_constants_and_identities_are_exact():
    assert (filled(init.constant_, (2, 3), val=7) == 7).all()
    assert (filled(init.ones_, (2, 3)) == 1).all()
    assert (filled(init.zeros_, (2, 3)) == 0).all()
    assert (filled(init.eye_, (2, 3)) == [[1, 0, 0], [0, 1, 0]]).all()
    steps = tinycnn.tensor(5)
    assert init.zeros_(steps).item() == 0


@pytest.mark.parametrize(("shape", "groups"), [
    ((3, 3, 3), 1), ((4, 2, 3, 3), 1), ((2, 4, 3, 5), 1), ((4, 2, 3, 3), 2), ((6, 1, 3, 3, 3), 3),
])
def test_dirac_passes_channels_on(shape, groups):
    weight = filled(init.dirac_, shape, groups=groups)
    assert weight.sum() == min(shape[0] // groups, shape[1]) * groups
    dims, channels = len(shape) - 2, shape[1] * groups
    x = tinycnn.tensor(rng().standard_normal((1, channels, *(5,) * dims)).astype("float32"))
    conv = getattr(nn.functional, f"conv{dims}d")
    y = conv(x, tinycnn.tensor(weight), padding="same", groups=groups).data
    for group in range(groups):
        for i in range(min(shape[0] // groups, shape[1])):
            got = y[0, group * (shape[0] // groups) + i]
            assert numpy.array_equal(got, x.data[0, group * shape[1] + i])


@pytest.mark.parametrize(("name", "param", "gain"), [
    ("linear", None, 1), ("conv1d", None, 1), ("conv2d", None, 1), ("conv3d", None, 1),
    ("conv_transpose1d", None, 1), ("conv_transpose2d", None, 1), ("conv_transpose3d", None, 1),
    ("sigmoid", None, 1), ("tanh", None, 5 / 3), ("relu", None, math.sqrt(2)), ("selu", None, 0.75),
    ("leaky_relu", None, math.sqrt(2 / (1 + 1e-4))), ("leaky_relu", 0.5, math.sqrt(1.6)),
    ("leaky_relu", 1, 1), ("leaky_relu", math.sqrt(5), math.sqrt(1 / 3)),
])
def test_gains_are_exact(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain, rel=1e-15)


def test_xavier_and_kaiming_have_their_bounds_and_deviations():
    xavier = math.sqrt(2 / (FAN_IN + FAN_OUT))
    bound = 2 * math.sqrt(3) * xavier
    check_uniform(filled(init.xavier_uniform_, gain=2, generator=rng()), -bound, bound)
    check_normal(filled(init.xavier_normal_, gain=2, generator=rng()), 0, 2 * xavier)
    for mode, fan in ("fan_in", FAN_IN), ("fan_out", FAN_OUT):
        std = math.sqrt(2 / fan)
        keywords = {"mode": mode, "nonlinearity": "relu", "generator": rng()}
        check_uniform(filled(init.kaiming_uniform_, **keywords), -math.sqrt(3) * std,
                      math.sqrt(3) * std)
        check_normal(filled(init.kaiming_normal_, **keywords), 0, std)
    bound = 1 / math.sqrt(FAN_IN)
    check_uniform(filled(init.kaiming_uniform_, a=math.sqrt(5), generator=rng()), -bound, bound)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (4, 2, 3, 3), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_orthogonal_rows_or_columns_are_orthonormal(shape, dtype):
    matrix = filled(init.orthogonal_, shape, dtype, gain=2, generator=rng()).reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    eps = 1e-5 if dtype == "float32" else 1e-13
    assert numpy.allclose(product, 4 * numpy.eye(len(product)), atol=eps)


def test_orthogonal_takes_both_signs():
    signs = {float(numpy.sign(filled(init.orthogonal_, (1, 1), generator=rng(seed)).item()))
             for seed in range(20)}
    assert signs == {-1.0, 1.0}


def test_sparse_zeroes_the_share_of_each_column():
    values = filled(init.sparse_, (10, 400), sparsity=0.25, std=0.5, generator=rng())
    assert ((values == 0).sum(axis=0) == 3).all()
    assert len({tuple(column) for column in (values == 0).T}) > 50
    assert values[values != 0].std() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("function", [
    init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_,
    init.orthogonal_, init.uniform_, init.normal_, init.trunc_normal_,
])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
def test_sizes_0_and_1_are_served(function, shape):
    assert filled(function, shape).shape == shape


def test_the_seed_decides_and_a_generator_of_ones_own_may_be_given():
    def draw():
        return init.normal_(tinycnn.zeros(3)).tolist()

    tinycnn.manual_seed(1)
    first = [draw(), draw()]
    tinycnn.manual_seed(1)
    assert [draw(), draw()] == first
    assert first[0] != first[1]
    tinycnn.manual_seed(2)
    assert draw() != first[0]
    assert (filled(init.normal_, generator=rng(3)) == filled(init.normal_, generator=rng(3))).all()


def test_transposed_memory_and_parameters_are_filled_and_no_gradient_is_recorded():
    parameter = nn.Parameter(numpy.zeros((200, 300), "float32").T)
    init.normal_(parameter, generator=rng())
    assert parameter.is_leaf
    assert parameter.requires_grad
    check_normal(parameter.data, 0, 1)


@pytest.mark.parametrize(("layer", "fan_in"), [
    (lambda: nn.Linear(400, 300), 400),
    (lambda: nn.Conv1d(64, 128, 5), 320),
    (lambda: nn.Conv2d(64, 128, 3, groups=4), 144),
    (lambda: nn.Conv3d(8, 64, 3), 216),
    (lambda: nn.ConvTranspose2d(64, 32, 5), 32 * 25),
    (lambda: nn.ConvTranspose2d(64, 128, 3, groups=4), 32 * 9),
])
def test_layers_start_uniform_within_1_over_the_root_of_fan_in(layer, fan_in):
    tinycnn.manual_seed(0)
    layer = layer()
    bound = 1 / math.sqrt(fan_in)
    check_uniform(layer.weight.data, -bound, bound)
    assert abs(layer.bias.data).max() <= bound
    assert abs(layer.bias.data).max() > 0.8 * bound
    before = layer.weight.tolist()
    layer.reset_parameters()
    assert layer.weight.tolist() != before


def test_a_layer_without_inputs_starts_with_bias_0():
    layer = nn.Linear(0, 3)
    assert layer.weight.shape == (3, 0)
    assert layer.bias.tolist() == [0.0, 0.0, 0.0]


def vector():
    return tinycnn.zeros(3)


def matrix():
    return tinycnn.zeros(3, 3)


@pytest.mark.parametrize(("error", "message", "action"), [
    (ValueError, "expected one of sigmoid, .*leaky_relu, got 'gelu'",
     lambda: init.calculate_gain("gelu")),
    (ValueError, "a number as slope of leaky_relu, got 'x'",
     lambda: init.calculate_gain("leaky_relu", "x")),
    (ValueError, "a number as slope of leaky_relu, got True",
     lambda: init.calculate_gain("leaky_relu", True)),
    (ValueError, r"xavier_uniform_: expected a weight with at least two axes .*, got \(3,\)",
     lambda: init.xavier_uniform_(vector())),
    (ValueError, "orthogonal_: expected a weight with", lambda: init.orthogonal_(vector())),
    (TypeError, "kaiming_normal_: expected a Tensor, got list", lambda: init.kaiming_normal_([1])),
    (ValueError, "mode 'fan_in' or 'fan_out', got 'fan'",
     lambda: init.kaiming_uniform_(matrix(), mode="fan")),
    (TypeError, "uniform_: expected a Tensor of dtype float32 or float64, got int64",
     lambda: init.uniform_(tinycnn.tensor([1]))),
    (TypeError, "normal_: expected a Tensor of dtype .*, got ndarray",
     lambda: init.normal_(numpy.zeros(3))),
    (TypeError, r"orthogonal_: expected generator to be a numpy.random.Generator, got 3. Pass "
     r"numpy.random.default_rng\(seed\), or None for tinycnn.random.generator\(\)",
     lambda: init.orthogonal_(matrix(), generator=3)),
    (ValueError, "uniform_: expected a <= b, got a=2, b=1", lambda: init.uniform_(vector(), 2, 1)),
    (ValueError, "normal_: expected std >= 0, got -1", lambda: init.normal_(vector(), 0, -1)),
    (ValueError, "trunc_normal_: expected std > 0, got 0",
     lambda: init.trunc_normal_(vector(), std=0)),
    (ValueError, "trunc_normal_: expected a <= b, got a=3",
     lambda: init.trunc_normal_(vector(), a=3)),
    (TypeError, "ones_: expected a Tensor, got list", lambda: init.ones_([1.0])),
    (ValueError, r"eye_: expected 2 axes, got \(3,\)", lambda: init.eye_(vector())),
    (TypeError, "eye_: expected a Tensor, got int", lambda: init.eye_(1)),
    (ValueError, r"dirac_: expected 3 to 5 axes, got \(3, 3\)", lambda: init.dirac_(matrix())),
    (ValueError, r"groups to divide the 3 output channels of \(3, 1, 1\), got 2",
     lambda: init.dirac_(tinycnn.zeros(3, 1, 1), groups=2)),
    (ValueError, "groups to divide .*, got 0",
     lambda: init.dirac_(tinycnn.zeros(3, 1, 1), groups=0)),
    (ValueError, "sparse_: expected 2 axes", lambda: init.sparse_(vector(), 0.5)),
    (ValueError, "sparsity between 0 and 1, got 1.5", lambda: init.sparse_(matrix(), 1.5)),
])
def test_every_misuse_is_explained(error, message, action):
    with pytest.raises(error, match=message):
        action()


# --- without first values --------------------------------------------------------------------


def test_skip_init_draws_nothing_and_fills_constants():
    tinycnn.manual_seed(3)
    expected = tinycnn.randn(5).tolist()
    tinycnn.manual_seed(3)
    net = nn.utils.skip_init(nn.Sequential, nn.Linear(1, 1), nn.BatchNorm2d(4))
    assert tinycnn.randn(5).tolist() != expected  # the Linear was drawn in front of the call
    tinycnn.manual_seed(3)
    net = nn.utils.skip_init(lambda size: nn.Sequential(nn.Conv2d(2, 4, size), nn.BatchNorm2d(4)),
                             size=3)
    assert tinycnn.randn(5).tolist() == expected
    assert net[0].weight.shape == (4, 2, 3, 3)
    assert net[1].weight.tolist() == [1.0] * 4
    assert net[1].running_var.tolist() == [1.0] * 4


def test_skip_init_ends_with_the_call_and_with_an_error():
    with pytest.raises(ValueError, match="at least 1"):
        nn.utils.skip_init(nn.Conv2d, 0, 1, 1)
    inner = nn.utils.skip_init(lambda: (nn.utils.skip_init(nn.Linear, 3, 3), nn.Linear(3, 3)))
    assert len(inner) == 2
    check_uniform(init.uniform_(tinycnn.zeros(*MANY)).data, 0, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_do_not_depend_on_where_they_are_drawn(dtype):
    size = (3, (1 << 15) + 7, 2)
    for draw in init.uniform_, init.normal_:
        straight = filled(draw, size, dtype, generator=rng())
        turned = tinycnn.tensor(numpy.zeros(size, dtype))
        turned.data = numpy.zeros(size[::-1], dtype).T
        numpy.testing.assert_array_equal(draw(turned, generator=rng()).data, straight)
    for size in (), (0,), (2, 0, 3), (1,):
        assert init.uniform_(tinycnn.zeros(*size, dtype=dtype), 1, 2).shape == size
