"""The Inception family: what is refused, what the parts do, first values, a training step."""

import numpy as np
import pytest

import tinycnn
from tinycnn import models, nn
from tinycnn.models import _inception

# name, the smallest image in evaluation
CLASSES = [("GoogLeNet", 15), ("GoogLeNet2014", 31), ("InceptionV2", 7),
           ("Inception3", 75), ("InceptionV4", 75), ("InceptionResnetV2", 75), ("Xception", 7)]


@pytest.mark.parametrize(("name", "least"), CLASSES)
def test_the_smallest_image_fits_and_smaller_ones_are_refused(name, least):
    net = nn.utils.skip_init(getattr(models, name), num_classes=4, in_channels=2).eval()
    with tinycnn.no_grad():
        assert net(tinycnn.zeros(1, 2, least, least + 1)).shape == (1, 4)
    expected = rf"{name}: expected images \(N, 2, H, W\), H and W at least {least}, got "
    for shape in (1, 2, least + 1, least - 1), (1, 3, 80, 80), (2, 80, 80), (80,):
        got = str(shape).replace("(", r"\(").replace(")", r"\)")
        advice = ("One image alone is a batch of 1" if len(shape) < 4 else "Resize them"
                  if shape[1] == 2 else "Build the network with in_channels=3")
        with pytest.raises(ValueError, match=f"{expected}{got}\\. {advice}"):
            net(tinycnn.zeros(*shape))


@pytest.mark.parametrize("name", ["GoogLeNet", "GoogLeNet2014", "InceptionV2", "Inception3",
                                  "InceptionV4", "InceptionResnetV2", "Xception"])
@pytest.mark.parametrize("argument", ["num_classes", "in_channels"])
def test_numbers_below_1_are_refused(name, argument):
    with pytest.raises(ValueError, match=rf"{name}: expected {argument} of at least 1, got 0\."):
        getattr(models, name)(**{argument: 0})
    with pytest.raises(TypeError, match=rf"{name}: expected {argument} to be an int, got 2\.5"):
        getattr(models, name)(**{argument: 2.5})


@pytest.mark.parametrize("name", ["GoogLeNet", "Inception3"])
def test_transform_input_is_for_colours(name):
    with pytest.raises(ValueError, match="expected in_channels=3 with transform_input, got 1"):
        getattr(models, name)(transform_input=True, in_channels=1)


def test_transform_input_takes_imagenets_scale_to_that_of_the_weights():
    pixels = np.random.default_rng(0).random((2, 3, 4, 4))
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    got = _inception.to_inception_scale(tinycnn.tensor((pixels - mean) / deviation))
    np.testing.assert_allclose(got.numpy(), (pixels - 0.5) / 0.5, rtol=0, atol=1e-14)


def test_the_heads_of_2014_want_about_224_pixels_in_training():
    net = nn.utils.skip_init(models.GoogLeNet2014, num_classes=4)
    assert [y.shape for y in net(tinycnn.zeros(1, 3, 223, 270))] == [(1, 4)] * 3
    for side in 222, 271:
        with pytest.raises(ValueError, match=rf"H and W from 223 to 270, got \(1, 3, 224, {side}\)"
                                             r"\. Resize them, or build .* aux_logits=False"):
            net(tinycnn.zeros(1, 3, 224, side))
    net = nn.utils.skip_init(models.GoogLeNet2014, num_classes=4, aux_logits=False)
    assert net(tinycnn.zeros(1, 3, 31, 31)).shape == (1, 4)


def test_the_head_of_inception_v3_wants_299_pixels_in_training():
    net = nn.utils.skip_init(models.Inception3, num_classes=4)
    with pytest.raises(ValueError, match=r"at least 299, got \(2, 3, 298, 299\)\. Resize them, or "
                                         "build the network with aux_logits=False .* from 75"):
        net(tinycnn.zeros(2, 3, 298, 299))
    for weight in (p for p in net.parameters() if p.ndim > 1):
        nn.init.normal_(weight, 0.0, 0.1)
    outputs = net(tinycnn.randn(2, 3, 299, 299))
    assert isinstance(outputs, models.InceptionOutputs)
    assert (outputs.logits.shape, outputs.aux_logits.shape) == ((2, 4), (2, 4))
    outputs.aux_logits[0, 0].backward()  # which reaches the first layer, and nothing past the head
    assert net.Conv2d_1a_3x3.conv.weight.grad.data.any()
    assert net.fc.weight.grad is None
    net = nn.utils.skip_init(models.Inception3, num_classes=4, aux_logits=False)
    assert net(tinycnn.zeros(2, 3, 75, 75)).shape == (2, 4)


@pytest.mark.parametrize(("side", "expected"), [(1, [0]), (2, [1]), (5, [1, 3, 4]), (6, [2, 4, 5])])
def test_halving_pools_an_odd_map_from_the_middle_and_an_even_one_from_the_start(side, expected):
    """As TensorFlow's "same": 5 is padded by 1 and 1, 6 by 0 and 1."""
    rising = tinycnn.arange(side).reshape(1, 1, side, 1).float() * tinycnn.ones(1, 1, 1, side)
    got = _inception.HalvingMaxPool()(rising)
    assert got.shape == (1, 1, -(-side // 2), -(-side // 2))
    assert got[0, 0, :, 0].tolist() == expected


def test_residuals_are_scaled_and_activated_as_published():
    net = nn.utils.skip_init(models.InceptionResnetV2)
    blocks = [m for m in net.modules() if type(m).__name__ == "_Residual"]
    assert [m.scale for m in blocks] == [0.17] * 10 + [0.10] * 20 + [0.20] * 9 + [1.0]
    assert [m.activate for m in blocks] == [True] * 39 + [False]
    block = models.InceptionResnetV2().repeat[0].double().eval()
    x = tinycnn.tensor(np.random.default_rng(0).standard_normal((1, 320, 5, 5)))
    with tinycnn.no_grad():
        maps = tinycnn.cat([block.branch0(x), block.branch1(x), block.branch2(x)], 1)
        expected = (x + 0.17 * block.conv2d(maps)).numpy()
        np.testing.assert_allclose(block(x).numpy(), np.maximum(expected, 0), rtol=1e-12)
        block.activate = False
        np.testing.assert_allclose(block(x).numpy(), expected, rtol=1e-12)


def test_blocks_of_xception_are_those_of_figure_5():
    net = models.Xception().double().eval()
    pair = ["sepconv", "bn"]
    kinds = {f"block{i}": ["relu", *pair] * 3 for i in range(5, 13)}
    kinds |= {f"block{i}": [*["relu", *pair] * 2, "pool"] for i in (3, 4, 13)}
    kinds |= {"block2": [*pair, "relu", *pair, "pool"]}
    for name, expected in kinds.items():
        parts = net.get_submodule(f"{name}.residual").named_children()
        assert [part.rstrip("123") for part, _ in parts] == expected, name
    assert [part for part, _ in net.block14.named_children()] == [
        "sepconv1", "bn1", "relu1", "sepconv2", "bn2", "relu2"]
    x = tinycnn.tensor(np.random.default_rng(0).standard_normal((1, 728, 5, 5)))
    with tinycnn.no_grad():
        for block in net.block5, net.block13:
            expected = block.residual(x) + block.shortcut(x)
            np.testing.assert_array_equal(block(x).numpy(), expected.numpy())
        assert net.block5.shortcut(x) is x


@pytest.mark.parametrize(("name", "padding_counts"), [
    ("InceptionV2", False), ("Inception3", True), ("InceptionV4", False),
    ("InceptionResnetV2", False)])
def test_average_pooling_counts_its_padding_in_inception_v3_only(name, padding_counts):
    net = nn.utils.skip_init(getattr(models, name))
    pools = [m for m in net.modules() if isinstance(m, nn.AvgPool2d) and m.padding]
    assert {pool.count_include_pad for pool in pools} == {padding_counts}


@pytest.mark.parametrize("name", ["GoogLeNet", "InceptionV2", "Inception3", "InceptionV4",
                                  "InceptionResnetV2", "Xception"])
def test_batch_norm_has_the_eps_of_the_published_networks(name):
    net = nn.utils.skip_init(getattr(models, name))
    assert {m.eps for m in net.modules() if isinstance(m, nn.BatchNorm2d)} == {0.001}


def test_the_heads_of_googlenet_see_4a_and_4d():
    net = models.GoogLeNet(num_classes=3, dropout_aux=0.0)
    seen = {}
    for part in "inception4a", "inception4d":
        net.get_submodule(part).register_forward_hook(
            lambda module, args, y, part=part: seen.update({part: y}))
    with tinycnn.no_grad():
        found = net(tinycnn.tensor(np.random.default_rng(0).standard_normal(
            (2, 3, 40, 40)).astype("f4")))
        np.testing.assert_array_equal(found.aux_logits1.numpy(),
                                      net.aux1(seen["inception4a"]).numpy())
        np.testing.assert_array_equal(found.aux_logits2.numpy(),
                                      net.aux2(seen["inception4d"]).numpy())
        assert net.eval()(tinycnn.zeros(1, 3, 15, 15)).shape == (1, 3)


# --- first values and training ---------------------------------------------------------------


def step(net, side, *heads):
    """Every parameter gets a gradient of numbers, and along it the loss changes as it says."""
    net.double()
    rng = np.random.default_rng(0)
    x = tinycnn.tensor(rng.standard_normal((4, 3, side, side)))
    labels = tinycnn.tensor(np.array([0, 1, 2, 1]))

    def loss():
        outputs = net(x) if heads else (net(x),)
        losses = [nn.functional.cross_entropy(y, labels) for y in outputs]
        return sum(weight * y for weight, y in zip((1, *heads), losses, strict=True))

    loss().backward()
    grads = {name: p.grad.numpy() for name, p in net.named_parameters()}
    assert all(np.isfinite(grad).all() and grad.any() for grad in grads.values())
    length = sum((grad**2).sum() for grad in grads.values()) ** 0.5
    found = []
    with tinycnn.no_grad():
        for way in 1, -2:  # forth, then back to the other side
            for p in net.parameters():
                p.data += way * 1e-6 / length**2 * p.grad.data
            found.append(loss().item())
    assert found[0] - found[1] == pytest.approx(2e-6, rel=1e-3)


def no_dropout(make, **options):
    net = make(num_classes=3, **options)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net


def test_googlenet_begins_as_torchvisions_and_learns():
    net = no_dropout(models.GoogLeNet)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert module.weight.data.std() == pytest.approx(0.01, rel=0.1)
    step(net, 64, 0.3, 0.3)


def test_inception_v3_begins_as_its_paper_and_learns():
    net = models.Inception3(num_classes=100)
    deviations = {name: p.data.std() for name, p in net.named_parameters() if p.ndim > 1}
    special = {"AuxLogits.conv1.conv.weight": 0.01, "AuxLogits.fc.weight": 0.001}
    assert set(special) < set(deviations)
    for name, deviation in deviations.items():
        assert deviation == pytest.approx(special.get(name, 0.1), rel=0.1), name
    step(no_dropout(models.Inception3, aux_logits=False), 75)


def test_googlenet_2014_begins_as_its_caffe_version_and_learns():
    net = no_dropout(models.GoogLeNet2014, aux_logits=False)
    assert net.inception4a.branch2[1].conv.bias.tolist() == pytest.approx([0.2] * 208)
    weight = net.inception4a.branch2[1].conv.weight.data
    assert abs(weight).max() <= (3 / (96 * 9)) ** 0.5
    assert weight.std() == pytest.approx((96 * 9) ** -0.5, rel=0.02)
    assert net.fc.bias.tolist() == [0] * 3
    step(net, 64)


@pytest.mark.parametrize(("name", "side"), [("InceptionV2", 64), ("InceptionV4", 75),
                                            ("InceptionResnetV2", 75), ("Xception", 64)])
def test_the_others_learn(name, side):
    step(no_dropout(getattr(models, name)), side)


def test_xception_begins_as_in_keras():
    net = models.Xception(num_classes=3)
    conv = net.block9.residual.sepconv2
    assert conv.pointwise.weight.data.std() == pytest.approx((2 / (728 + 728)) ** 0.5, rel=0.02)
    assert conv.depthwise.weight.data.std() == pytest.approx((2 / (9 + 9 * 728)) ** 0.5, rel=0.05)
    assert net.fc.bias.tolist() == [0] * 3


@pytest.mark.parametrize(("name", "side"), [("InceptionV2", 64), ("Inception3", 75)])
def test_evaluation_is_what_its_layers_are_one_by_one(name, side):
    net = getattr(models, name)(num_classes=5).eval().double()
    rng = np.random.default_rng(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.data[...] = rng.uniform(0.5, 1.5, module.num_features)
            module.running_mean.data[...] = rng.normal(0, 0.1, module.num_features)
    x = tinycnn.tensor(rng.standard_normal((2, 3, side, side)))
    with tinycnn.no_grad():
        fused = net(x)
        with nn.no_fusion():
            expected = net(x)
    np.testing.assert_allclose(fused.numpy(), expected.numpy(), rtol=1e-9)
