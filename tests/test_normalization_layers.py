"""Layers of group, layer, instance, RMS, local response norm and GDN: what they keep, their text,
GDN's values and parameters, and every message."""

import warnings

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.ops.gdn import nonnegative, stored_form
from tinycnn.testing import gradcheck

ones = tinycnn.ones


def image(*shape, dtype="float32"):
    return tinycnn.tensor(np.random.default_rng(0).standard_normal(shape).astype(dtype))


LAYERS = [  # layer, input shape, keys of its state_dict
    (nn.GroupNorm(2, 4), (3, 4, 5), ["weight", "bias"]),
    (nn.GroupNorm(4, 4, bias=False), (3, 4), ["weight"]),
    (nn.GroupNorm(1, 4, affine=False), (3, 4, 2, 2, 2), []),
    (nn.LayerNorm(5), (3, 4, 5), ["weight", "bias"]),
    (nn.LayerNorm([4, 5], bias=False), (3, 4, 5), ["weight"]),
    (nn.LayerNorm((4, 5), elementwise_affine=False), (4, 5), []),
    (nn.RMSNorm(5), (3, 5), ["weight"]), (nn.RMSNorm(5, elementwise_affine=False), (5,), []),
    (nn.InstanceNorm1d(4), (3, 4, 5), []), (nn.InstanceNorm1d(4), (4, 5), []),
    (nn.InstanceNorm2d(4, affine=True), (3, 4, 5, 2), ["weight", "bias"]),
    (nn.InstanceNorm2d(4, affine=True, bias=False), (4, 5, 2), ["weight"]),
    (nn.InstanceNorm2d(4, track_running_stats=True), (3, 4, 5, 2),
     ["running_mean", "running_var", "num_batches_tracked"]),
    (nn.InstanceNorm3d(4, affine=True, track_running_stats=True), (4, 2, 5, 2),
     ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]),
    (nn.InstanceNorm3d(4), (3, 4, 2, 5, 2), []),
    (nn.LocalResponseNorm(3), (3, 4, 5), []), (nn.LocalResponseNorm(5), (3, 4, 1, 2, 3), []),
    (nn.GDN(4), (3, 4, 5, 5), ["beta", "gamma"]), (nn.GDN(4, inverse=True), (3, 4),
                                                   ["beta", "gamma"]),
    (nn.IGDN(4), (3, 4, 5), ["beta", "gamma"]),
]


@pytest.mark.parametrize(("layer", "shape", "keys"), LAYERS, ids=lambda v: str(v)[:40])
def test_output_is_as_input_and_state_as_pytorch_names_it(layer, shape, keys):
    for training in True, False:
        y = layer.train(training)(image(*shape))
        assert y.shape == shape
        assert np.isfinite(y.detach().numpy()).all()
    assert list(layer.state_dict()) == keys
    double = type(layer)(*_arguments(layer), dtype="float64") if keys else layer
    assert double(image(*shape, dtype="float64")).dtype == np.float64


def _arguments(layer):
    if isinstance(layer, nn.GroupNorm):
        return layer.num_groups, layer.num_channels
    name = {"LayerNorm": "normalized_shape", "RMSNorm": "normalized_shape", "GDN": "channels",
            "IGDN": "channels"}.get(type(layer).__name__, "num_features")
    return (getattr(layer, name),)


TEXTS = [
    (nn.GroupNorm(2, 4), "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"),
    (nn.GroupNorm(2, 4, affine=False), "GroupNorm(2, 4, eps=1e-05, affine=False, bias=False)"),
    (nn.LayerNorm([3, 4], bias=False),
     "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=False)"),
    (nn.RMSNorm(3), "RMSNorm((3,), eps=None, elementwise_affine=True)"),
    (nn.LocalResponseNorm(5, k=2), "LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=2)"),
    (nn.InstanceNorm2d(3), "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, "
                           "track_running_stats=False)"),
    (nn.InstanceNorm1d(3, affine=True), "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=True, "
                                        "bias=True, track_running_stats=False)"),
    (nn.GDN(3), "GDN(3, beta_min=1e-06, gamma_init=0.1)"),
    (nn.GDN(3, inverse=True), "GDN(3, inverse=True, beta_min=1e-06, gamma_init=0.1)"),
    (nn.IGDN(3), "IGDN(3, beta_min=1e-06, gamma_init=0.1)"),
]


@pytest.mark.parametrize(("layer", "text"), TEXTS, ids=lambda v: str(v)[:40])
def test_text(layer, text):
    assert repr(layer) == text


def test_weights_start_at_1_and_biases_at_0():
    for layer in nn.GroupNorm(2, 4), nn.LayerNorm((2, 2)), nn.InstanceNorm2d(4, affine=True):
        assert layer.weight.tolist() == np.ones(layer.weight.shape).tolist()
        assert layer.bias.tolist() == np.zeros(layer.bias.shape).tolist()
    assert nn.RMSNorm(2).weight.tolist() == [1, 1]


# --- instance norm ---------------------------------------------------------------------------


def test_one_image_is_a_batch_of_one():
    for layer, shape in ((nn.InstanceNorm1d(3), (3, 5)), (nn.InstanceNorm2d(3), (3, 4, 5)),
                         (nn.InstanceNorm3d(3, track_running_stats=True), (3, 2, 4, 5))):
        x = image(*shape)
        for training in True, False:
            layer.train(training)
            np.testing.assert_array_equal(layer(x).numpy(), layer(x.unsqueeze(0))[0].numpy())


def test_running_statistics_are_moved_in_training_and_used_in_evaluation():
    layer = nn.InstanceNorm1d(1, eps=0, momentum=0.5, track_running_stats=True, dtype="float64")
    x = tinycnn.tensor([[[1.0, 3.0]], [[5.0, 11.0]]], dtype="float64")
    assert layer(x).numpy().tolist() == [[[-1, 1]], [[-1, 1]]]
    assert layer.running_mean.numpy().tolist() == [2.5]  # half of the average of 2 and 8
    assert layer.running_var.numpy().tolist() == [5.5]  # half of 1, half of the average of 2 and 18
    assert layer.num_batches_tracked.item() == 0  # as in PyTorch
    y = layer.eval()(x).numpy()
    np.testing.assert_allclose(y, (x.numpy() - 2.5) / 5.5**0.5)
    assert layer.running_mean.numpy().tolist() == [2.5]


def test_without_tracking_evaluation_is_as_training():
    layer, x = nn.InstanceNorm2d(3, affine=True), image(2, 3, 4, 5)
    np.testing.assert_array_equal(layer(x).detach().numpy(), layer.eval()(x).detach().numpy())


def test_momentum_none_moves_nothing():
    layer = nn.InstanceNorm1d(3, momentum=None, track_running_stats=True)
    layer(image(2, 3, 5))
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1]


def test_a_wrong_number_of_channels_is_a_warning_where_it_changes_nothing():
    with pytest.warns(UserWarning, match=r"InstanceNorm2d: input \(2, 4, 3, 3\) has 4 channels, not"
                                         r" num_features=3, which is not used without affine"):
        nn.InstanceNorm2d(3)(ones(2, 4, 3, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.InstanceNorm2d(3)(ones(3, 3, 3))


def test_it_learns_behind_a_relu_in_a_chain():
    """No fused form of batch norm takes its place."""
    norm = nn.InstanceNorm2d(3, affine=True)
    chain, x = nn.Sequential(nn.Conv2d(3, 3, 1), norm, nn.ReLU()), image(2, 3, 4, 4)
    got, expected = chain(x), F.relu(norm(chain[0](x)))
    np.testing.assert_array_equal(got.detach().numpy(), expected.detach().numpy())
    fused = norm.forward_relu(x, residual=x)
    np.testing.assert_array_equal(fused.detach().numpy(), F.relu(norm(x) + x).detach().numpy())


# --- GDN -------------------------------------------------------------------------------------


def test_gdn_by_hand():
    x = tinycnn.tensor([[[3.0], [1.0]]])
    beta, gamma = tinycnn.tensor([7.0, 4.0]), tinycnn.tensor([[1.0, 0.0], [0.5, 0.5]])
    assert F.gdn(x, beta, gamma).tolist() == [[[3 / 4], [np.float32(1 / 3)]]]
    assert F.gdn(x, beta, gamma, inverse=True).tolist() == [[[12], [3]]]


@pytest.mark.parametrize("inverse", [True, False])
@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 4), (2, 2, 3, 2), (1, 1, 1, 2, 2), (0, 2, 3)])
def test_gradient_of_gdn(shape, inverse, rng):
    C = shape[1]
    inputs = [tinycnn.tensor(a, requires_grad=True) for a in (
        rng.standard_normal(shape), rng.uniform(0.5, 1, C), rng.uniform(0.1, 1, (C, C)))]
    assert gradcheck(lambda *a: F.gdn(*a, inverse=inverse), inputs, per_element=True)


@pytest.mark.parametrize("inverse", [True, False])
def test_gdn_is_its_formula(inverse, rng):
    x = rng.standard_normal((3, 130, 5, 7)).astype(np.float32)
    beta, gamma = rng.uniform(0.5, 1, 130), rng.uniform(0, 0.1, (130, 130))
    d = beta[:, None, None] + np.einsum("ij,njhw->nihw", gamma, x.astype(np.float64) ** 2)
    y = F.gdn(*[tinycnn.tensor(a.astype(np.float32)) for a in (x, beta, gamma)], inverse)
    np.testing.assert_allclose(y.numpy(), x * d**0.5 if inverse else x / d**0.5, rtol=3e-6)


def test_what_gdn_stores_means_beta_1_and_gamma_on_the_diagonal():
    layer = nn.GDN(3, beta_min=1e-6, gamma_init=0.2, dtype="float64")
    np.testing.assert_allclose(nonnegative(layer.beta, 1e-6).detach().numpy(), 1, rtol=1e-15)
    np.testing.assert_allclose(nonnegative(layer.gamma).detach().numpy(), 0.2 * np.eye(3),
                               atol=1e-16)
    np.testing.assert_allclose(layer.gamma.detach().numpy()[0, 1], 2.0**-18)
    np.testing.assert_allclose(layer.beta.detach().numpy() ** 2 - 2.0**-36, 1)
    y = layer(tinycnn.tensor([[1.0, 2.0, 3.0]], dtype="float64")).detach().numpy()
    np.testing.assert_allclose(y, np.array([[1, 2, 3]]) / (1 + 0.2 * np.arange(1, 4) ** 2) ** 0.5)


def test_the_inverse_undoes_it_where_channels_are_weak():
    x = 0.01 * image(2, 3, 4, 4)
    np.testing.assert_allclose(nn.IGDN(3)(nn.GDN(3)(x)).detach().numpy(), x.numpy(), rtol=1e-4)


def test_below_the_bound_only_a_gradient_that_pushes_up_passes():
    """A step against the gradient goes up where the gradient is negative."""
    stored = tinycnn.tensor([2.0, 2.0, 0.5, 0.5, -3.0, 1.0], requires_grad=True)
    nonnegative(stored, minimum=1 - 2.0**-36).backward(tinycnn.tensor([1.0, -1, 1, -1, -1, 1]))
    assert stored.grad.tolist() == [4, -4, 0, -2, -2, 2]


def test_values_stay_at_their_minimum_and_come_back():
    stored, path = tinycnn.tensor([0.7], requires_grad=True), []
    for direction in [1.0] * 5 + [-1.0] * 5:
        stored.grad = None
        value = nonnegative(stored, 0.25)
        (value * direction).sum().backward()
        stored.data -= 0.2 * stored.grad.data
        path.append(round(value.item(), 3))
    # down to 0.7 * 0.6 = 0.42, below the root of 0.25; then up by 0.2 * 2 * 0.5 from there
    assert path[:6] == [0.49, *[0.25] * 5]
    assert path[6] > 0.25
    assert path == path[:5] + sorted(path[5:])


def test_stored_form_is_what_nonnegative_undoes(rng):
    value = tinycnn.tensor(rng.uniform(0, 2, 20))
    np.testing.assert_allclose(nonnegative(stored_form(value)).numpy(), value.numpy(), atol=1e-15)


def test_parameters_of_gdn_learn():
    """To make the outputs of unequal channels equally strong."""
    layer, x = nn.GDN(2), image(64, 2) * tinycnn.tensor([1.0, 10.0])
    optimizer = tinycnn.optim.Adam(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = ((layer(x) ** 2).mean(0) - 1).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


# --- messages --------------------------------------------------------------------------------

x, double = ones(2, 4, 3), ones(4, dtype="float64")
MESSAGES = [
    (lambda: F.group_norm([1.0], 1), TypeError,
     r"group_norm: expected input to be a Tensor, got list"),
    (lambda: F.group_norm(ones(2, 4).to("int64"), 1), TypeError, r"input to be of dtype float32"),
    (lambda: F.group_norm(ones(4), 1), ValueError,
     r"group_norm: expected input \(N, C\) or \(N, C, \*spatial\), got \(4,\)\. Add the axes"),
    (lambda: F.group_norm(x, 3), ValueError,
     r"group_norm: expected num_groups that divides 4 channels of input \(2, 4, 3\), got 3\. Ch"),
    (lambda: F.group_norm(x, 0), ValueError, r"num_groups that divides 4 channels .*, got 0\."),
    (lambda: F.group_norm(x, -2), ValueError, r"num_groups that divides 4 channels .*, got -2\."),
    (lambda: F.group_norm(x, 8), ValueError, r"num_groups that divides 4 channels .*, got 8\."),
    (lambda: F.group_norm(x, 2.0), TypeError,
     r"group_norm: expected num_groups to be an int, got 2\.0\. Pass for example num_groups=8"),
    (lambda: F.group_norm(x, 2, ones(3)), ValueError,
     r"group_norm: expected weight \(4,\), one number per channel, got \(3,\) for input \(2, 4, "
     r"3\)\. Check the sizes"),
    (lambda: F.group_norm(x, 2, None, ones(4, 1)), ValueError, r"expected bias \(4,\), one number"),
    (lambda: F.group_norm(x, 2, double), ValueError,
     r"group_norm: expected weight of input's dtype float32, got float64\. Convert one"),
    (lambda: F.group_norm(x, 2, 1.0), TypeError, r"expected weight to be a Tensor, got float"),
    (lambda: F.group_norm(ones(1, 4), 4), ValueError,
     r"group_norm: expected more than one value per group, got input \(1, 4\) with num_groups=4"),
    (lambda: F.group_norm(ones(1, 4, 1, 1), 4), ValueError, r"more than one value per group"),
    (lambda: F.group_norm(x, 2, eps=-1e-5), ValueError,
     r"group_norm: expected eps >= 0, got -1e-05\. Pass for example eps=1e-5"),
    (lambda: F.group_norm(x, 2, eps="1"), TypeError, r"group_norm: expected eps to be a number"),
    (lambda: F.layer_norm(x, 3), TypeError,
     r"layer_norm: expected normalized_shape to be a sequence of ints, got 3\. Pass the sizes"),
    (lambda: F.layer_norm(x, (3.0,)), TypeError,
     r"layer_norm: expected every size of normalized_shape to be an int, got 3\.0"),
    (lambda: F.layer_norm(x, ()), ValueError,
     r"layer_norm: expected input that ends with normalized_shape, of at least one axis, got input "
     r"\(2, 4, 3\) with normalized_shape \(\)\. Channels of"),
    (lambda: F.layer_norm(x, (4,)), ValueError, r"\(2, 4, 3\) with normalized_shape \(4,\)\."),
    (lambda: F.layer_norm(x, (1, 2, 4, 3)), ValueError, r"with normalized_shape \(1, 2, 4, 3\)"),
    (lambda: F.layer_norm(x, (3,), ones(4)), ValueError,
     r"layer_norm: expected weight \(3,\), the normalized_shape, got \(4,\) for input"),
    (lambda: F.layer_norm(x, (4, 3), None, ones(3)), ValueError, r"expected bias \(4, 3\)"),
    (lambda: F.layer_norm(x, (3,), eps=float("nan")), ValueError, r"layer_norm: expected eps >= 0"),
    (lambda: F.rms_norm(x, (4,)), ValueError, r"rms_norm: expected input that ends with"),
    (lambda: F.rms_norm(x, (3,), ones(4)), ValueError, r"rms_norm: expected weight \(3,\)"),
    (lambda: F.rms_norm(x, (3,), eps=-1), ValueError, r"rms_norm: expected eps >= 0, got -1"),
    (lambda: F.instance_norm(ones(3)), ValueError,
     r"instance_norm: expected input \(N, C, \*spatial\), got \(3,\)"),
    (lambda: F.instance_norm(ones(2, 4)), ValueError,
     r"instance_norm: expected more than one value per channel of an image, got input \(2, 4\)\. "
     r"Use a larger image"),
    (lambda: F.instance_norm(ones(0, 4, 1, 1)), ValueError, r"more than one value per channel"),
    (lambda: F.instance_norm(x, running_mean=ones(4)), ValueError,
     r"instance_norm: expected running_mean and running_var \(both or, with use_input_stats, "
     r"neither\), got a tensor and None with use_input_stats=True\. Pass both"),
    (lambda: F.instance_norm(x, use_input_stats=False), ValueError, r"got None and None with use_"),
    (lambda: F.instance_norm(x, ones(3), ones(4)), ValueError, r"expected running_mean \(4,\), on"),
    (lambda: F.instance_norm(x, ones(4), double), ValueError, r"running_var of input's dtype fl"),
    (lambda: F.instance_norm(x, weight=ones(2)), ValueError, r"instance_norm: expected weight \(4"),
    (lambda: F.instance_norm(x, momentum="a"), TypeError, r"momentum to be a number, got 'a'"),
    (lambda: F.instance_norm(x, eps=-1), ValueError, r"instance_norm: expected eps >= 0, got -1"),
    (lambda: F.local_response_norm(ones(2, 4), 2), ValueError,
     r"local_response_norm: expected input \(N, C, \*spatial\) of at least 3 axes, got \(2, 4\)"),
    (lambda: F.local_response_norm(x, 0), ValueError,
     r"local_response_norm: expected size of at least 1, .* got 0\. Pass for example size=5"),
    (lambda: F.local_response_norm(x, 2.0), TypeError, r"expected size to be an int, got 2\.0"),
    (lambda: F.local_response_norm(x, 2, alpha=None), TypeError, r"expected alpha to be a number"),
    (lambda: F.local_response_norm(x, 2, beta="b"), TypeError, r"expected beta to be a number"),
    (lambda: F.local_response_norm(x, 2, k=[1]), TypeError, r"expected k to be a number, got \[1"),
    (lambda: F.local_response_norm(x.to("int64"), 2), TypeError, r"input to be of dtype float32"),
    (lambda: F.normalize(x.to("int64")), TypeError, r"normalize: expected input to be of dtype"),
    (lambda: F.normalize(x, p="2"), TypeError, r"normalize: expected p to be a number, got '2'"),
    (lambda: F.normalize(x, dim=3), ValueError, r"normalize: expected dim between -3 and 2"),
    (lambda: F.normalize(x, eps=None), TypeError, r"normalize: expected eps to be a number"),
    (lambda: F.normalize(ones(2, 0), float("inf")), ValueError,
     r"normalize: expected axes with numbers for an infinite p, got \(2, 0\)\. Nothing is the"),
    (lambda: F.gdn(ones(4), double, double), ValueError, r"gdn: expected input \(N, C, \*spatial"),
    (lambda: F.gdn(x, ones(3), ones(4, 4)), ValueError,
     r"gdn: expected beta \(4,\), one number per channel, got \(3,\) for input \(2, 4, 3\)"),
    (lambda: F.gdn(x, ones(4), ones(4)), ValueError, r"gamma \(4, 4\), one number per pair of ch"),
    (lambda: F.gdn(x, double, ones(4, 4)), ValueError, r"gdn: expected beta of input's dtype"),
    (lambda: F.gdn(x, 1.0, ones(4, 4)), TypeError, r"gdn: expected beta to be a Tensor"),
    (lambda: nonnegative(x, -1.0), ValueError,
     r"nonnegative: expected minimum of at least 0, got -1\.0\. Pass for example 1e-6"),
    (lambda: nn.GroupNorm(3, 4), ValueError,
     r"GroupNorm: expected num_groups that divides num_channels, got 3 and 4\. Pass for example"),
    (lambda: nn.GroupNorm(0, 4), ValueError, r"GroupNorm: expected num_groups that .* 0 and 4"),
    (lambda: nn.GroupNorm(2, "4"), TypeError, r"GroupNorm: expected num_channels to be an int"),
    (lambda: nn.GroupNorm(2, 4, eps=-1), ValueError, r"GroupNorm: expected eps >= 0, got -1"),
    (lambda: nn.LayerNorm("ab"), TypeError,
     r"LayerNorm: expected normalized_shape to be an int or ints, got 'ab'\. Pass the sizes"),
    (lambda: nn.LayerNorm(()), ValueError,
     r"LayerNorm: expected normalized_shape of at least one size, none below 0, got \(\)"),
    (lambda: nn.LayerNorm(-1), ValueError, r"none below 0, got \(-1,\)"),
    (lambda: nn.RMSNorm([2.5]), TypeError, r"RMSNorm: expected every size of normalized_shape to"),
    (lambda: nn.RMSNorm(2, eps=-1), ValueError, r"RMSNorm: expected eps >= 0"),
    (lambda: nn.InstanceNorm2d(3)(ones(2, 3)), ValueError,
     r"InstanceNorm2d: expected input \(C, H, W\) or \(N, C, H, W\), got \(2, 3\)\. Add the"),
    (lambda: nn.InstanceNorm1d(3, affine=True)(ones(2, 4, 5)), ValueError,
     r"InstanceNorm1d: expected input with 3 channels, num_features of the layer, got \(2, 4, 5\)"),
    (lambda: nn.InstanceNorm2d(3, track_running_stats=True)(ones(4, 5, 5)), ValueError,
     r"InstanceNorm2d: expected input with 3 channels"),
    (lambda: nn.InstanceNorm3d("3"), TypeError, r"InstanceNorm3d: expected num_features to be an"),
    (lambda: nn.GDN(2.0), TypeError, r"GDN: expected channels to be an int, got 2\.0"),
    (lambda: nn.IGDN(0), ValueError, r"IGDN: expected channels of at least 1, got 0"),
    (lambda: nn.GDN(2, beta_min=-1), ValueError, r"GDN: expected beta_min of at least 0, got -1"),
    (lambda: nn.GDN(2, gamma_init="a"), TypeError, r"GDN: expected gamma_init to be a number"),
    (lambda: nn.GDN(2)(ones(1, 3)), ValueError, r"gdn: expected beta \(3,\), one number per ch"),
]


@pytest.mark.parametrize(("call", "error", "message"), MESSAGES,
                         ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_message(call, error, message):
    with pytest.raises(error, match=message) as info:
        call()
    assert info.type is error
    assert str(info.value).endswith(".")
