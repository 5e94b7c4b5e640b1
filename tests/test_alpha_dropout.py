"""Alpha dropout: its linear map, the moments that it keeps, whole channels, every message."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.testing import assert_same_on_devices, gradcheck

ALPHA = 1.7580993408473766  # -SELU(-infinity)
NAN = float("nan")


def constants(p):
    a = ((1 - p) * (1 + p * ALPHA**2)) ** -0.5
    return a, p * a * ALPHA


def seeded(function, *arguments, **options):
    tinycnn.manual_seed(3)
    return function(*arguments, **options)


def test_alpha_is_the_limit_of_selu():
    assert F.selu(tinycnn.tensor(-1e3, dtype="float64")).item() == -ALPHA


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_dropped_numbers_become_the_lowest_and_all_are_mapped(rng, p, dtype, rtol):
    x = tinycnn.tensor(rng.normal(size=(50, 41)), dtype=dtype, requires_grad=True)
    y = seeded(F.alpha_dropout, x, p, True)
    kept = seeded(F.dropout, tinycnn.ones(50, 41), p).numpy() > 0
    a, b = constants(p)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.data, a * np.where(kept, x.data, -ALPHA) + b, rtol, 3 * rtol)
    grad = rng.normal(size=(50, 41))
    y.backward(tinycnn.tensor(grad, dtype=dtype))
    np.testing.assert_allclose(x.grad.data, a * kept * grad, rtol, rtol)


@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.9])
def test_mean_and_variance_are_kept(rng, p):
    n = 400_000
    y = F.alpha_dropout(tinycnn.tensor(rng.normal(size=n)), p, training=True).numpy()
    assert abs(y.mean()) < 5 * n**-0.5
    assert abs(y.var() - 1) < 5 * (np.mean((y - y.mean()) ** 4) - 1) ** 0.5 * n**-0.5


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_a_deep_selu_network_normalises_itself(rate):
    """Klambauer et al. 2017, figure 1: thirty layers with weights of variance 1 / fan_in."""
    layers = []
    for _ in range(30):
        layers += [nn.Linear(200, 200, bias=False), nn.SELU(), nn.AlphaDropout(rate)]
        nn.init.kaiming_normal_(layers[-3].weight, nonlinearity="linear")
    x = tinycnn.randn(300, 200) * 1.5 + 0.2  # what is off comes back
    y = nn.Sequential(*layers)(x)
    assert abs(y.mean().item()) < 0.15
    assert abs(y.std().item() - 1) < 0.15
    assert abs(nn.Sequential(*layers[::3])(x).std().item() - 1) > 0.3  # without SELU nothing does


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3), (30, 40, 3, 2), (30, 40, 2, 1, 3)])
def test_whole_channels_are_dropped(rng, shape):
    x = rng.normal(size=shape)
    y = F.feature_alpha_dropout(tinycnn.tensor(x), 0.25, training=True).numpy()
    a, b = constants(0.25)
    kept = np.isclose(y, a * x + b).reshape(1200, -1)
    dropped = np.isclose(y, b - a * ALPHA).reshape(1200, -1)
    assert (kept.all(1) | dropped.all(1)).all()
    assert abs(dropped[:, 0].mean() - 0.25) < 5 * (0.1875 / 1200) ** 0.5


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
def test_compiled_and_plain_kernels_agree(rng, function):
    x = tinycnn.tensor(rng.normal(size=(3, 4, 5)), dtype="float32", requires_grad=True)
    assert_same_on_devices(lambda x: seeded(function, x, 0.4, True), x)
    x = tinycnn.tensor(rng.normal(size=(3, 4, 5)), requires_grad=True)
    assert gradcheck(lambda x: seeded(function, x, 0.4, True), x)


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
def test_any_number_of_threads_gives_the_same_bits(rng, set_threads, function):
    x = tinycnn.tensor(rng.normal(size=(70, 30, 71)), dtype="float32")
    results = set()
    for threads in (1, 2, 7):
        set_threads(threads)
        results.add(seeded(function, x, 0.4, True).data.tobytes())
    assert len(results) == 1


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
def test_nothing_and_everything_dropped(function):
    x = tinycnn.ones(2, 3, requires_grad=True)
    assert function(x) is x  # training=False is the default, as in PyTorch
    assert function(x, 0.0, training=True) is x
    y = function(x, 1.0, training=True)
    assert not y.detach().numpy().any()
    y.sum().backward()
    assert not x.grad.numpy().any()
    assert function(tinycnn.zeros(0, 3), 0.5, True).shape == (0, 3)
    assert np.isnan(function(tinycnn.full((2, 3), NAN), 0.5, True, True).numpy()).all()


def test_layers_drop_in_training_only():
    x = tinycnn.ones(4, 5, 6)
    for layer in (nn.AlphaDropout(0.3), nn.FeatureAlphaDropout(0.3)):
        a, b = constants(0.3)
        found = np.unique(layer(x).numpy().round(4))
        np.testing.assert_allclose(found, [b - a * ALPHA, a + b], atol=1e-4)
        assert layer.eval()(x) is x


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_messages(name):
    function = getattr(F, name)
    for p in (-0.1, 1.1, NAN):
        with pytest.raises(ValueError, match=f"^{name}: expected p between 0 and 1, got {p}"):
            function(tinycnn.ones(2, 3), p)
    with pytest.raises(TypeError, match=f"^{name}: expected p to be a number, got 'a'"):
        function(tinycnn.ones(2, 3), "a")
    with pytest.raises(TypeError, match=f"^{name}: expected input to be of dtype float32"):
        function(tinycnn.tensor([[1]]))
    with pytest.raises(TypeError, match=f"^{name}: expected input to be a Tensor"):
        function(np.ones((2, 3)))


def test_channels_need_two_axes():
    with pytest.raises(ValueError, match=r"^feature_alpha_dropout: expected input \(N, C, ...\), "
                                         r"got \(3,\)\. Use alpha_dropout"):
        F.feature_alpha_dropout(tinycnn.ones(3))
    with pytest.raises(ValueError, match=r"^AlphaDropout: expected p from 0 to 1, got 2"):
        nn.AlphaDropout(2)
