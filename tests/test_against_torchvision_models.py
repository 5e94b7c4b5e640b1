"""The networks that torchvision has, with the same weights: outputs in evaluation, and the loss and
gradients of a training step. Runs where torchvision is installed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")

import tinycnn  # noqa: E402
from tinycnn import models, nn  # noqa: E402

# name and size of image; VGG and AlexNet at a size that their average pooling changes
NETWORKS = [
    *((name, 224) for name in ("alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50",
                               "densenet121")),
    *((name, 96) for name in (
        "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg19", "vgg19_bn", "resnet34", "resnet101",
        "resnet152", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2",
        "wide_resnet101_2", "densenet161", "densenet169", "densenet201", "alexnet")),
]


def pair(name, dtype, **options):
    """torchvision's network, statistics that matter in its batch norms, and ours with its state."""
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)(**options).to(dtype)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = nn.utils.skip_init(getattr(models, name), **options)
    ours = ours.double() if dtype == torch.float64 else ours
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def images(size, dtype, count=2):
    values = np.random.default_rng(1).standard_normal((count, 3, size, size))
    return values.astype("f8" if dtype == torch.float64 else "f4")


@pytest.mark.parametrize(("name", "size"), NETWORKS)
def test_output_with_the_same_weights(name, size):
    ours, theirs = pair(name, torch.float32)
    x = images(size, torch.float32)
    with torch.no_grad(), tinycnn.no_grad():
        expected = theirs.eval()(torch.from_numpy(x)).numpy()
        got = ours.eval()(tinycnn.tensor(x)).numpy()
    error = abs(got - expected).max() / abs(expected).max()
    print(f"{name} at {size}: largest difference / largest output = {error:.1e}")
    assert error < 1e-4


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "resnet50", "resnext50_32x4d",
                                  "densenet121", "vgg11_bn"])
def test_gradients_with_the_same_weights(name):
    dropout = {"dropout": 0.0} if name in ("alexnet", "vgg11_bn") else {}
    ours, theirs = pair(name, torch.float64, num_classes=5, **dropout)
    x, labels = images(64, torch.float64), np.array([1, 4])
    expected = torch.nn.functional.cross_entropy(theirs(torch.from_numpy(x)),
                                                 torch.from_numpy(labels))
    expected.backward()
    loss = nn.functional.cross_entropy(ours(tinycnn.tensor(x)), tinycnn.tensor(labels))
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-9)
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters()):
        tolerance = 1e-6 * abs(p.grad.numpy()).max() + 1e-12  # a bias before batch norm has only 0
        np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=0, atol=tolerance,
                                   err_msg=key)
    for (key, p), q in zip(theirs.named_buffers(), ours.buffers()):
        np.testing.assert_allclose(q.numpy(), p.numpy(), rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", ["vgg11_bn", "resnet50", "densenet121", "alexnet"])
def test_first_values_have_torchvisions_deviations(name):
    torch.manual_seed(0)
    ours = getattr(models, name)(num_classes=10)
    theirs = getattr(torchvision.models, name)(num_classes=10)
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters()):
        p, q = p.detach().numpy(), q.detach().numpy()
        many = p.size**0.5
        assert q.std() == pytest.approx(p.std(), rel=6 / many, abs=1e-7), key
        assert abs(q.mean() - p.mean()) <= 9 * p.std() / many + 1e-7, key
