"""The Inception family with the same weights as torchvision's and timm's networks, where these are
installed, and as networks written down here from the papers' tables, with PyTorch's operations."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

import torch.nn.functional as F  # noqa: E402

import tinycnn  # noqa: E402
from tinycnn import models, nn  # noqa: E402


def images(*shape):
    return np.random.default_rng(1).standard_normal(shape)


def give_numbers(net):
    """Values that make every parameter and statistic matter, and signals keep their size."""
    rng = np.random.default_rng(0)
    for module in net.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.data[...] = rng.normal(0, 0.1, module.num_features)
            module.running_var.data[...] = rng.uniform(0.5, 1.5, module.num_features)
            module.weight.data[...] = rng.uniform(0.5, 1.5, module.num_features)
            module.bias.data[...] = rng.normal(0, 0.3, module.num_features)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return net


# --- networks written down from the tables of the papers ---------------------------------------


class Written:
    """The operations of a network in evaluation, with the weights of one of ours."""

    def __init__(self, net):
        self.state = {key: torch.from_numpy(value.numpy().copy())
                      for key, value in net.state_dict().items()}

    def conv(self, x, name, stride=1, groups=1, relu=True):
        weight = self.state[f"{name}.weight"]
        x = F.conv2d(x, weight, self.state.get(f"{name}.bias"), stride, weight.shape[-1] // 2,
                     groups=groups)
        return F.relu(x) if relu else x

    def norm(self, x, name):
        arguments = [self.state[f"{name}.{key}"]
                     for key in ("running_mean", "running_var", "weight", "bias")]
        return F.relu(F.batch_norm(x, *arguments, eps=0.001))

    def unit(self, x, name, stride=1):
        if f"{name}.bn.weight" not in self.state:
            return self.conv(x, f"{name}.conv", stride)
        return self.norm(self.conv(x, f"{name}.conv", stride, relu=False), f"{name}.bn")

    def linear(self, x, name):
        return F.linear(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])


def max3(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def googlenet_2014(net, x):
    """Table 1, figure 3: logits, and those of the heads, without dropout."""
    w = Written(net)

    def module(x, name):
        return torch.cat([
            w.unit(x, f"{name}.branch1"),
            w.unit(w.unit(x, f"{name}.branch2.0"), f"{name}.branch2.1"),
            w.unit(w.unit(x, f"{name}.branch3.0"), f"{name}.branch3.1"),
            w.unit(F.max_pool2d(x, 3, 1, 1), f"{name}.branch4.1")], 1)

    def head(x, name):
        x = w.unit(F.avg_pool2d(x, 5, 3), f"{name}.conv").flatten(1)
        return w.linear(F.relu(w.linear(x, f"{name}.fc1")), f"{name}.fc2")

    x = F.local_response_norm(max3(w.unit(x, "conv1", 2)), 5)
    x = max3(F.local_response_norm(w.unit(w.unit(x, "conv2"), "conv3"), 5))
    seen = {}
    for name in "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b":
        if name in ("4a", "5a"):
            x = max3(x)
        seen[name] = x = module(x, f"inception{name}")
    return w.linear(x.mean((2, 3)), "fc"), head(seen["4d"], "aux2"), head(seen["4a"], "aux1")


def inception_v2(net, x):
    """Figure 5, with Google's reading of it."""
    w = Written(net)

    def module(x, name, stride, pool):
        two = w.unit(w.unit(x, f"{name}.branch2.0"), f"{name}.branch2.1", stride)
        three = w.unit(w.unit(x, f"{name}.branch3.0"), f"{name}.branch3.1")
        three = w.unit(three, f"{name}.branch3.2", stride)
        if stride == 2:
            return torch.cat([two, three, max3(x)], 1)
        four = (F.max_pool2d(x, 3, 1, 1) if pool == "max" else
                F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
        return torch.cat([w.unit(x, f"{name}.branch1"), two, three,
                          w.unit(four, f"{name}.branch4.1")], 1)

    x = w.conv(x, "conv1.conv.depthwise", 2, groups=3, relu=False)
    x = max3(w.norm(w.conv(x, "conv1.conv.pointwise", relu=False), "conv1.bn"))
    x = max3(w.unit(w.unit(x, "conv2"), "conv3"))
    for name in "3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b":
        x = module(x, f"inception{name}", 2 if name in ("3c", "4e") else 1,
                   "max" if name == "5b" else "average")
    return w.linear(x.mean((2, 3)), "fc")


def test_googlenet_2014_is_table_1_and_figure_3():
    net = give_numbers(models.GoogLeNet2014(num_classes=7, dropout=0.0, dropout_aux=0.0)).double()
    x = images(2, 3, 224, 230)
    expected = googlenet_2014(net, torch.from_numpy(x))
    with tinycnn.no_grad():
        found = net(tinycnn.tensor(x))
        assert isinstance(found, models.GoogLeNetOutputs)
        found_in_evaluation = net.eval()(tinycnn.tensor(x))
    for y, t in zip([*found, found_in_evaluation], [*expected, expected[0]], strict=True):
        np.testing.assert_allclose(y.numpy(), t.numpy(), rtol=0, atol=1e-12 * abs(t).max().item())


def test_inception_v2_is_figure_5():
    net = give_numbers(models.InceptionV2(num_classes=7)).double().eval()
    x = images(2, 3, 64, 96)  # maps are even up to the last pooling, as from 224
    expected = inception_v2(net, torch.from_numpy(x)).numpy()
    with tinycnn.no_grad():
        found = net(tinycnn.tensor(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * abs(expected).max())


# --- torchvision -------------------------------------------------------------------------------


def pair_with_torchvision(name, dtype, **options):
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")
    ours = give_numbers(getattr(models, name)(init_weights=False, dropout=0.0, **options))
    theirs = getattr(torchvision.models, name)(init_weights=False, dropout=0.0, **options)
    theirs.load_state_dict({key: torch.tensor(value.numpy())
                            for key, value in ours.state_dict().items()})
    return ours.to(dtype), theirs.to(getattr(torch, dtype))


HEADS = {"googlenet": {"dropout_aux": 0.0}, "inception_v3": {}}
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}  # of the largest output


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "size"), [("googlenet", (224, 224)), ("googlenet", (33, 47)),
                                            ("inception_v3", (299, 299)),
                                            ("inception_v3", (75, 110))])
@pytest.mark.parametrize("transform_input", [False, True])
def test_output_is_torchvisions(name, size, dtype, transform_input):
    ours, theirs = pair_with_torchvision(name, dtype, transform_input=transform_input)
    x = images(2, 3, *size).astype(dtype)
    with torch.no_grad(), tinycnn.no_grad():
        expected = theirs.eval()(torch.from_numpy(x)).numpy()
        found = ours.eval()(tinycnn.tensor(x)).numpy()
    error = abs(found - expected).max() / abs(expected).max()
    print(f"{name} at {size}, {dtype}: largest difference / largest output = {error:.1e}")
    assert error < TOLERANCE[dtype]


@pytest.mark.parametrize(("name", "size"), [("googlenet", 64), ("inception_v3", 299)])
def test_a_training_step_is_torchvisions(name, size):
    """In float64: in float32, batch norm over few numbers makes much of rounding."""
    ours, theirs = pair_with_torchvision(name, "float64", num_classes=5, **HEADS[name])
    x = images(2, 3, size, size)
    labels = np.array([1, 4])
    expected, found = theirs(torch.from_numpy(x)), ours(tinycnn.tensor(x))
    assert found._fields == expected._fields
    for y, t in zip(found, expected, strict=True):
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=0,
                                   atol=1e-9 * abs(t).max().item())
    sum(F.cross_entropy(y, torch.from_numpy(labels)) for y in expected).backward()
    sum(nn.functional.cross_entropy(y, tinycnn.tensor(labels)) for y in found).backward()
    gradients = {key: p.grad.numpy() for key, p in theirs.named_parameters()}
    for key, p in ours.named_parameters():
        np.testing.assert_allclose(p.grad.numpy(), gradients[key], rtol=0, err_msg=key,
                                   atol=1e-7 * abs(gradients[key]).max())
    statistics = dict(theirs.named_buffers())
    for key, b in ours.named_buffers():
        np.testing.assert_allclose(b.numpy(), statistics[key].numpy(), rtol=1e-9, atol=1e-12,
                                   err_msg=key)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_first_values_have_torchvisions_deviations(name):
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")
    ours = getattr(models, name)(num_classes=10)
    theirs = getattr(torchvision.models, name)(num_classes=10, init_weights=True)
    expected = dict(theirs.named_parameters())
    for key, p in ours.named_parameters():
        if key == "AuxLogits.conv1.conv.weight":  # there the 0.01 does not reach the convolution
            continue
        p, q = p.detach().numpy(), expected[key].detach().numpy()
        assert p.std() == pytest.approx(q.std(), rel=8 / p.size**0.5, abs=1e-7), key
        assert abs(p.mean() - q.mean()) <= 9 * q.std() / p.size**0.5 + 1e-7, key


# --- timm --------------------------------------------------------------------------------------


def xception_keys(keys):
    """timm's key for each of ours."""
    parts = {f"block1.conv{i}.{kind}": f"{kind}{i}"
             for i in (1, 2) for kind in ("conv", "bn")}
    for number in range(2, 14):
        first = 0 if number == 2 else 1  # a ReLU in front
        for i in range(1, 4):
            place = f"block{number - 1}.rep.{first + 3 * (i - 1)}"
            parts[f"block{number}.residual.sepconv{i}.depthwise"] = f"{place}.conv1"
            parts[f"block{number}.residual.sepconv{i}.pointwise"] = f"{place}.pointwise"
            parts[f"block{number}.residual.bn{i}"] = (
                f"block{number - 1}.rep.{first + 3 * (i - 1) + 1}")
        parts[f"block{number}.shortcut.conv"] = f"block{number - 1}.skip"
        parts[f"block{number}.shortcut.bn"] = f"block{number - 1}.skipbn"
    for i in 1, 2:
        parts[f"block14.sepconv{i}.depthwise"] = f"conv{i + 2}.conv1"
        parts[f"block14.sepconv{i}.pointwise"] = f"conv{i + 2}.pointwise"
        parts[f"block14.bn{i}"] = f"bn{i + 2}"
    parts["fc"] = "fc"
    return {key: "{}.{}".format(parts[key.rpartition(".")[0]], key.rpartition(".")[2])
            for key in keys}


@pytest.mark.parametrize(("name", "size"), [("inception_v4", 139), ("inception_resnet_v2", 139),
                                            ("xception", 135)])
def test_output_is_timms(name, size):
    """Xception at a size from which all maps are odd: timm pads even ones at the start, too."""
    timm = pytest.importorskip("timm", reason="timm is not installed")
    ours = give_numbers(getattr(models, name)(num_classes=5)).double().eval()
    theirs = timm.create_model("legacy_xception" if name == "xception" else name, num_classes=5)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 0.001  # timm has that everywhere but in Xception
    state = ours.state_dict()
    keys = xception_keys(state) if name == "xception" else {key: key for key in state}
    theirs.double().eval().load_state_dict({keys[key]: torch.from_numpy(value.numpy())
                                            for key, value in state.items()})
    x = images(1, 3, size, size)
    with torch.no_grad(), tinycnn.no_grad():
        expected = theirs(torch.from_numpy(x)).numpy()
        found = ours(tinycnn.tensor(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * abs(expected).max())
