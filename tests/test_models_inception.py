"""The Inception family: parameters, multiply-adds, output sizes and receptive fields, exactly as
papers and published code have them; keys of the parameters; what is refused; a training step."""

import hashlib
import re

import numpy as np
import pytest
from model_counts import counts, parameters

import tinycnn
from tinycnn import models, nn
from tinycnn.models import _inception

LRN = pytest.mark.skipif(not hasattr(nn, "LocalResponseNorm"),
                         reason="the layer nn.LocalResponseNorm is not there yet")
PLAIN = {"aux_logits": False}

# class, side of the image, parameters with and without auxiliary heads, multiply-adds, rows of the
# table in the docstring
NETWORKS = [
    ("GoogLeNet", 224, 13_004_888, 6_624_904, 1_498_376_192, 17),
    pytest.param("GoogLeNet2014", 224, 13_378_280, 6_998_552, 1_582_671_872, 17, marks=LRN),
    ("InceptionV2", 224, 11_188_288, None, 1_934_857_216, 16),
    ("Inception3", 299, 27_161_264, 23_834_568, 5_713_216_096, 19),
    ("InceptionV4", 299, 42_679_816, None, 12_253_974_624, 12),
    ("InceptionResnetV2", 299, 55_843_464, None, 13_155_794_016, 16),
    ("Xception", 299, 22_855_952, None, 8_357_403_496, 8),
]
ROW = re.compile(r"^    ([\w.]+) .*? (\d+) x (\d+) x (\d+)(?: +([\d,]+))?(?: .*)?$")
HEAD = re.compile(r"^    ([\w.]+) .* 1000 +([\d,]+)$")


@pytest.mark.parametrize(("name", "side", "expected", "plain", "products", "rows"), NETWORKS)
def test_counts_are_those_of_the_published_networks_and_of_the_docstring(
        name, side, expected, plain, products, rows):
    net = nn.utils.skip_init(getattr(models, name))
    shapes = {}
    for part, module in net.named_modules():
        module.register_forward_hook(
            lambda module, args, y, part=part: shapes.update({part: y.shape[1:]}))
    found = counts(net, 3, side, side)
    assert (found.parameters, found.multiply_adds) == (expected, products)
    text = type(net).__doc__
    table = [match.groups() for match in map(ROW.match, text.splitlines()) if match]
    assert len(table) == rows
    for part, *shape, number in table:
        assert shapes[part] == tuple(map(int, shape)), part
        assert f"{parameters(net.get_submodule(part)):,}" == (number or "0"), part
    heads = [match.groups() for match in map(HEAD.match, text.splitlines()) if match]
    assert len(heads) == 1 + len([p for p in ("aux1", "aux2", "AuxLogits") if hasattr(net, p)])
    for part, number in heads:
        assert f"{parameters(net.get_submodule(part)):,}" == number, part
    assert f" {expected:,}\n" in text
    assert f"{products / 1e9:.3f}e9 multiply-adds" in text
    if plain is not None:
        assert parameters(nn.utils.skip_init(type(net), aux_logits=False)) == plain
        assert f" {plain:,}\n" in text


def test_other_counts_that_were_published():
    caffe = nn.utils.skip_init(models.InceptionV2, separable=False, projection=128)
    biases = sum(m.out_channels for m in caffe.modules() if isinstance(m, nn.Conv2d))
    assert parameters(caffe) + biases == 11_295_240  # Caffe's convolutions have them, too
    net = nn.utils.skip_init(models.xception)
    statistics = sum(b.numel() for b in net.buffers() if b.ndim)
    assert parameters(net) + statistics == 22_910_480  # what Keras calls parameters
    convolutions = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.SeparableConv2d))]
    pointwise = [m.pointwise for m in convolutions if isinstance(m, nn.SeparableConv2d)]
    assert len(pointwise) == 34
    assert len(convolutions) == 36 + 2 * 34 + 4  # 36, their parts, and four shortcuts


# --- receptive fields ------------------------------------------------------------------------


def field(module, seen):
    """((height, width), stride) of what a pixel sees, behind `module`."""
    if isinstance(module, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, _inception.HalvingMaxPool)):
        window = (getattr(module, "kernel_size", 3), getattr(module, "stride", 2))
        kernel, stride = [n if isinstance(n, tuple) else (n, n) for n in window]
        sizes, jump = seen
        return (sizes[0] + (kernel[0] - 1) * jump, sizes[1] + (kernel[1] - 1) * jump), (
            jump * stride[0])
    children = list(module.children())
    if isinstance(module, _inception.NumberedBranches):
        ends = [branch_field(module, steps, seen) for steps in module._branches]
    elif type(module).__name__ in ("Branches", "_Residual", "_Block"):
        ends = [field(child, seen) for child in children]
    else:
        for child in children:
            seen = field(child, seen)
        return seen
    assert len({jump for _, jump in ends}) == 1
    return tuple(max(sizes[axis] for sizes, _ in ends) for axis in (0, 1)), ends[0][1]


def branch_field(module, steps, seen):
    for names in steps:
        sizes = [field(getattr(module, name), seen) for name in names]
        seen = tuple(max(s[0][axis] for s in sizes) for axis in (0, 1)), sizes[0][1]
    return seen


@pytest.mark.parametrize(("name", "size"), [
    ("inception_v2", 699), ("inception_v3", 1311), ("inception_v4", 2071),
    ("inception_resnet_v2", 3039),
    pytest.param("googlenet_2014", 715, marks=LRN), ("googlenet", 379), ("xception", 1083),
])
def test_receptive_fields(name, size):
    """The first four as Araujo, Norris & Sim 2019 (Distill) have them."""
    arguments = PLAIN if name in ("googlenet", "googlenet_2014", "inception_v3") else {}
    net = nn.utils.skip_init(getattr(models, name), **arguments)
    assert field(net, ((1, 1), 1)) == ((size, size), 32)


# --- keys ------------------------------------------------------------------------------------

# sha256 of the lines "key shape", sorted, of the state_dict of torchvision 0.29 and timm 1.0
KEYS = [
    ("googlenet", {}, "de3745733576b3b1a65be26aef551602f1147352b1e78f96d2acb50a7d1a29e3"),
    ("googlenet", PLAIN, "545eb1baab91f5d8eaeda1e7754af9efc250be79163c448f76a67a5cceab25f9"),
    ("inception_v3", {}, "4c9e13f64584de741d008cd24d3aae249cd3871df374ba3da192ffb031ba7376"),
    ("inception_v3", PLAIN, "fafa3415657058129e4a7af77948625b3355ed5914dedf6216076dd4be883d60"),
    ("inception_v4", {}, "3802c76b5597c75df19738b3b0e184084000bb18457ffde2bf733e20e47397ba"),
    ("inception_resnet_v2", {},
     "dda8091d0fca70408a660ff5640b16fbdfe770e1b63d4eab85c03db44abfbdaf"),
]


@pytest.mark.parametrize(("name", "arguments", "digest"), KEYS)
def test_keys_and_shapes_are_those_of_published_checkpoints(name, arguments, digest):
    state = nn.utils.skip_init(getattr(models, name), **arguments).state_dict()
    lines = "\n".join(sorted(f"{key} {value.shape}" for key, value in state.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == digest


# --- behaviour -------------------------------------------------------------------------------

# name, the smallest image in evaluation
CLASSES = [("GoogLeNet", 15), pytest.param("GoogLeNet2014", 31, marks=LRN), ("InceptionV2", 7),
           ("Inception3", 75), ("InceptionV4", 75), ("InceptionResnetV2", 75), ("Xception", 7)]


@pytest.mark.parametrize(("name", "least"), CLASSES)
def test_the_smallest_image_fits_and_smaller_ones_are_refused(name, least):
    net = nn.utils.skip_init(getattr(models, name), num_classes=4, in_channels=2).eval()
    with tinycnn.no_grad():
        assert net(tinycnn.zeros(1, 2, least, least + 1)).shape == (1, 4)
    expected = rf"{name}: expected images \(N, 2, H, W\), H and W at least {least}, got "
    for shape in (1, 2, least + 1, least - 1), (1, 3, 80, 80), (2, 80, 80), (80,):
        got = str(shape).replace("(", r"\(").replace(")", r"\)")
        with pytest.raises(ValueError, match=expected + got + r"\. Resize them\."):
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


@LRN
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
    with tinycnn.no_grad():
        outputs = net(tinycnn.zeros(2, 3, 299, 299))
    assert isinstance(outputs, models.InceptionOutputs)
    assert (outputs.logits.shape, outputs.aux_logits.shape) == ((2, 4), (2, 4))
    net = nn.utils.skip_init(models.Inception3, num_classes=4, aux_logits=False)
    assert net(tinycnn.zeros(2, 3, 75, 75)).shape == (2, 4)


@pytest.mark.parametrize(("side", "expected"), [(1, [0]), (2, [1]), (5, [1, 3, 4]), (6, [2, 4, 5])])
def test_halving_pools_an_odd_map_from_the_middle_and_an_even_one_from_the_start(side, expected):
    """As TensorFlow's "same": 5 is padded by 1 and 1, 6 by 0 and 1."""
    rising = tinycnn.arange(side).reshape(1, 1, side, 1).float() * tinycnn.ones(1, 1, 1, side)
    got = _inception.HalvingMaxPool()(rising)
    assert got.shape == (1, 1, -(-side // 2), -(-side // 2))
    assert got[0, 0, :, 0].tolist() == expected


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


@LRN
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
