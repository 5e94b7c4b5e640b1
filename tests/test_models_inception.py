"""The Inception family: parameters, multiply-adds, output sizes and receptive fields, exactly as
papers and published code have them, and keys of the parameters."""

import hashlib
import re

import pytest
from model_counts import counts, parameters

from tinycnn import models, nn
from tinycnn.models import _inception

PLAIN = {"aux_logits": False}

# class, side of the image, parameters with and without auxiliary heads, multiply-adds, rows of the
# table in the docstring
NETWORKS = [
    ("GoogLeNet", 224, 13_004_888, 6_624_904, 1_498_376_192, 17),
    ("GoogLeNet2014", 224, 13_378_280, 6_998_552, 1_582_671_872, 17),
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
    ("googlenet_2014", 715), ("googlenet", 379), ("xception", 1083),
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
