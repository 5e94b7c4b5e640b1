"""Group and local response norm on a GPU, or in the simulator: kernels against the reference."""

import numpy as np
import pytest
from on_device import Hosted
from test_normalization import _everything

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import reference
from tinycnn._core.cuda import group_norm, local_response
from tinycnn.testing import assert_same_on_devices

cuda = Hosted(group_norm)
responses = Hosted(local_response)
# teams of 4 threads, of a warp, of a block; more teams than groups; several pixels of few channels
SIZES = [(1, 1, 1, 1), (3, 1, 5, 1), (2, 1, 600, 1), (2, 1, 40, 1), (3, 1, 6, 3), (2, 7, 6, 2),
         (2, 5, 3, 3), (1, 40, 8, 2), (2, 100, 6, 1), (0, 3, 4, 2), (2, 0, 4, 2), (2, 3, 0, 1)]


def tolerance(dtype, count):
    return (3e-6 if dtype == np.float32 else 1e-14) * max(count, 10) ** 0.5


def case(N, M, C, dtype):
    generator = np.random.default_rng(N + M + C)
    x, grad_y = generator.standard_normal((2, N, M, C)).astype(dtype)
    weight, bias = generator.standard_normal((2, C)).astype(dtype)
    return x + dtype(2), grad_y, weight, bias


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "M", "C", "G"), SIZES)
def test_group_norm_agrees_with_the_reference(N, M, C, G, dtype):
    x, grad_y, weight, bias = case(N, M, C, dtype)
    for w, b, centered in ((weight, bias, True), (None, None, True), (weight, None, False)):
        for expected, got in zip(_everything(reference, x, grad_y, w, b, G, centered),
                                 _everything(cuda, x, grad_y, w, b, G, centered), strict=True):
            np.testing.assert_allclose(got, expected, atol=tolerance(dtype, N * M * C), rtol=1e-5)


@pytest.mark.parametrize("wanted", range(8))
def test_gradients_that_nobody_wants_are_left_out(wanted):
    x, grad_y, weight, _ = case(2, 5, 6, np.float64)
    var, _, *expected, mean = _everything(reference, x, grad_y, weight, None, 2)
    grads = [np.empty_like(g) if wanted >> i & 1 else None for i, g in enumerate(expected)]
    cuda.group_norm_backward(x, grad_y, weight, 1e-3, mean, var, *grads)
    for grad, right in zip(grads, expected):
        assert grad is None or np.allclose(grad, right, atol=1e-13)


@pytest.mark.parametrize(("N", "M", "C", "G"), [(1, 100, 6, 2), (2, 1, 500, 1), (1, 30, 4, 4)])
def test_mean_of_10000_deviations_costs_no_digits(N, M, C, G, rng):
    x = (rng.standard_normal((N, M, C)) + 1e4).astype(np.float32)
    mean, var = np.empty((2, N, G), np.float32)
    cuda.group_norm_forward(x, None, None, 0.0, mean, var, np.empty_like(x))
    exact = x.astype(np.float64).reshape(N, M, G, C // G)
    np.testing.assert_allclose(var, exact.var(axis=(1, 3)), rtol=2e-6)
    np.testing.assert_allclose(mean, exact.mean(axis=(1, 3)), rtol=1e-7)


def test_a_mean_between_two_numbers_costs_no_digits():
    x = np.tile(np.array([8192, 8192 + 2.0**-10], np.float32), 24).reshape(1, 6, 8)
    mean, var = np.empty((2, 1, 1), np.float32)
    cuda.group_norm_forward(x, None, None, 0.0, mean, var, np.empty_like(x))
    assert var[0, 0] == 2.0**-22


def test_first_number_unlike_the_rest_costs_no_digits(rng):
    x = rng.standard_normal((1, 1, 2000)).astype(np.float32) * 1e-3 + 10
    x[..., 0] = 0
    mean, var = np.empty((2, 1, 1), np.float32)
    cuda.group_norm_forward(x, None, None, 0.0, mean, var, np.empty_like(x))
    np.testing.assert_allclose(var, x.astype(np.float64).var(), rtol=2e-6)


@pytest.mark.parametrize("place", [0, 7, 39])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_group(value, place, rng):
    x = rng.standard_normal((1, 10, 8)).astype(np.float32)
    x.reshape(10, 2, 4)[:, 1].flat[place] = value
    y, mean, var = np.empty_like(x), *np.empty((2, 1, 2), np.float32)
    cuda.group_norm_forward(x, None, None, 1e-5, mean, var, y)
    assert np.isfinite(y[..., :4]).all()
    assert np.isnan(y[..., 4:]).any()
    assert not np.isfinite(var[0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", [0.75, 0.5, 1.0, 0.6])
@pytest.mark.parametrize(("M", "C", "size"), [(1, 1, 1), (3, 7, 5), (2, 9, 4), (4, 3, 99),
                                              (0, 5, 3), (4, 0, 3)])
def test_local_response_agrees_with_the_reference(M, C, size, beta, dtype):
    x, grad_y = np.random.default_rng(C).standard_normal((2, M, C)).astype(dtype)
    results = []
    for kernels in reference, responses:
        y, grad_x = np.full_like(x, 77), np.full_like(x, 77)
        kernels.local_response_forward(x, y, size, 1.5, beta, 2.0)
        kernels.local_response_backward(x, grad_y, grad_x, size, 1.5, beta, 2.0)
        results.append((y, grad_x))
    for expected, got in zip(*results):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=tolerance(dtype, 1))


OPERATIONS = {
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), (2, 4, 3, 2), (4,), (4,)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (3, 2), w, b), (2, 4, 3, 2), (3, 2), (3, 2)),
    "layer_norm of a transposed map": (
        lambda x, w: F.layer_norm(x.permute(0, 2, 3, 1), (4,), w), (2, 4, 3, 2), (4,)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (5,), w), (3, 5), (5,)),
    "instance_norm": (F.instance_norm, (2, 3, 4)),
    "instance_norm that tracks": (
        lambda x, m, v: (F.instance_norm(x, m, v), m * 1, v * 1), (2, 3, 4), (3,), (3,)),
    "instance_norm by running statistics": (
        lambda x, m, v: F.instance_norm(x, m, v * v + 1, use_input_stats=False), (2, 3, 4), (3,),
        (3,)),
    "local_response_norm": (lambda x: F.local_response_norm(x, 5, 0.3), (2, 7, 3, 2)),
    "normalize": (F.normalize, (2, 7, 3)), "normalize 3": (lambda x: F.normalize(x, 3), (2, 7)),
    "normalize inf": (lambda x: F.normalize(x, float("inf")), (2, 7)),
    "gdn": (lambda x, b, g: F.gdn(x, b * b + 0.1, g * g), (2, 3, 4), (3,), (3, 3)),
    "igdn": (lambda x, b, g: F.gdn(x, b * b, g * g, inverse=True), (2, 3, 2, 2), (3,), (3, 3)),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_are_those_of_the_reference_and_stay_on_the_device(name, rng):
    function, *shapes = OPERATIONS[name]
    frozen = "tracks" in name or "running" in name

    def inputs():
        generator = np.random.default_rng(1)
        return [tinycnn.tensor(generator.standard_normal(s), dtype="float32", device="cuda",
                               requires_grad=not (frozen and i)) for i, s in enumerate(shapes)]

    results = function(*inputs())
    for y in results if isinstance(results, tuple) else (results,):
        assert y.device == "cuda"
    if "tracks" not in name:  # they are moved in place, once on each device
        assert_same_on_devices(function, inputs())


def test_layers_of_the_device():
    x = tinycnn.ones(2, 4, 3, 3, device="cuda")
    for layer in (nn.GroupNorm(2, 4, device="cuda"), nn.LayerNorm((3, 3), device="cuda"),
                  nn.InstanceNorm2d(4, affine=True, track_running_stats=True, device="cuda"),
                  nn.RMSNorm(3, device="cuda"), nn.LocalResponseNorm(3),
                  nn.GDN(4, device="cuda"), nn.IGDN(4).to("cuda")):
        y = layer(x)
        assert y.device == "cuda"
        if y.requires_grad:
            y.sum().backward()
        assert all(p.grad.device == "cuda" for p in layer.parameters())
