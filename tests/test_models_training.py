"""Networks as they begin and learn: first values, a training step, evaluation as layer by layer."""

import numpy as np
import pytest

import tinycnn
from tinycnn import models, nn
from tinycnn.nn import functional as F


def convolutions(net):
    return [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]


# --- first values ----------------------------------------------------------------------------


def deviation(layer):
    return layer.weight.data.std()


def test_first_values():
    net = models.resnet18(num_classes=3)
    assert deviation(net.layer4[1].conv1) == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.02)
    assert deviation(net.layer4[0].conv1) == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.02)
    net = models.densenet121(num_classes=3)
    conv = net.features.denseblock4.denselayer16.conv1
    assert deviation(conv) == pytest.approx((2 / conv.in_channels) ** 0.5, rel=0.02)
    assert not net.classifier.bias.data.any()
    net = models.nin_imagenet()
    found = [deviation(layer) for layer in convolutions(net)]
    assert found == pytest.approx([0.01] + [0.05] * 5 + [0.01] + [0.05] * 4 + [0.01], rel=0.05)
    assert [round(float(deviation(layer)), 2) for layer in convolutions(models.nin())] == [0.05] * 9
    assert not any(layer.bias.data.any() for layer in convolutions(net))


def test_alexnet_2012_begins_as_in_section_5():
    net = models.alexnet_2012(num_classes=10)
    biases = [p.mean().item() for name, p in net.named_parameters() if name.endswith("bias")]
    assert biases == [0, 1, 0, 1, 1, 1, 1, 0]
    for name, p in net.named_parameters():
        if name.endswith("weight"):
            assert abs(p.data.mean()) < 0.001
            assert p.data.std() == pytest.approx(0.01, rel=0.05)
    step(net, 227)


def test_first_values_of_vgg():
    net = models.vgg11(num_classes=10)
    assert deviation(net.features[3]) == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert net.classifier[3].weight.data[:100].std() == pytest.approx(0.01, rel=0.02)
    assert not any(p.data.any() for name, p in net.named_parameters() if name.endswith("bias"))
    step(net, 32)


# --- training, and evaluation layer by layer -------------------------------------------------


def step(net, size, steps=1, lr=0.01):
    """Losses of some steps on four fixed images; every parameter must get a gradient."""
    rng = np.random.default_rng(0)
    x = tinycnn.tensor(rng.standard_normal((4, 3, size, size)).astype("f4"))
    labels = tinycnn.tensor(np.arange(4) % 3)
    optimizer = tinycnn.optim.SGD(net.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(net.train()(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert all(p.grad is not None and np.isfinite(p.grad.data).all() for p in net.parameters())
    return losses


@pytest.mark.parametrize(("make", "size", "options", "lr"), [
    (models.resnet18, 64, {}, 0.02), (models.resnet20, 32, {}, 0.02),
    (models.resnet20, 32, {"residual": False}, 0.02), (models.densenet121, 64, {}, 0.02),
    (models.densenet_cifar, 32, {"depth": 13}, 0.2),
    (models.densenet_cifar, 32, {"depth": 22, "bc": True}, 0.05),
])
def test_a_few_steps_lower_the_loss(make, size, options, lr):
    tinycnn.manual_seed(0)
    losses = step(make(num_classes=3, **options), size, steps=4, lr=lr)
    assert losses[-1] < losses[0] * 0.9


@pytest.mark.parametrize(("make", "size"), [
    (models.nin, 32), (models.nin_imagenet, 64), (models.alexnet, 64), (models.resnext50_32x4d, 64),
    (lambda **options: models.resnet50(stride_in_1x1=True, **options), 64),
    (lambda **options: models.densenet_cifar(13, drop_rate=0.1, **options), 32),
    (models.zfnet, 224)])
def test_a_training_step_reaches_every_parameter(make, size):
    step(make(num_classes=3), size)


@pytest.mark.parametrize(("make", "size"), [
    (models.resnet18, 64), (models.resnet50, 64), (models.resnext50_32x4d, 64),
    (models.resnet20, 32), (models.densenet121, 64), (models.densenet_cifar, 32),
    (models.nin_imagenet, 64)])
def test_evaluation_equals_layer_by_layer(make, size, rng):
    net = make(num_classes=5)
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
            value.data[...] = rng.uniform(0.5, 2, value.shape)
        elif name.endswith("running_mean"):
            value.data[...] = rng.standard_normal(value.shape) * 0.1
    x = tinycnn.tensor(rng.standard_normal((2, 3, size, size)).astype("f4"))
    with tinycnn.no_grad():
        got = net.eval()(x)
        with nn.no_fusion():
            expected = net(x)
    scale = abs(expected.data).max()
    np.testing.assert_allclose(got.data, expected.data, rtol=1e-4, atol=1e-4 * scale)
