"""What networks are made of: sizes and counts layer by layer, shortcuts, the order of maps."""

import numpy as np
import pytest
from model_counts import counts, parameters

import tinycnn
from tinycnn import models, nn


def convolutions(net):
    return [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]


def sizes(net, *image):
    """Output shapes of what has windows, in order."""
    return list(counts(net, *image).shapes.values())


# --- layer by layer --------------------------------------------------------------------------


def test_alexnet_2012_layer_by_layer():
    net = nn.utils.skip_init(models.alexnet_2012)
    layers = [*convolutions(net), *[m for m in net.modules() if isinstance(m, nn.Linear)]]
    assert [parameters(layer) for layer in layers] == [
        34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000]
    assert sizes(net, 3, 227, 227) == [
        (96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (384, 13, 13),
        (256, 13, 13), (256, 6, 6), (4096,), (4096,), (1000,)]
    assert [type(layer).__name__ for layer in net.features[:4]] == [
        "Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"]


@pytest.mark.parametrize(("make", "places"), [
    (models.alexnet_2012, [2, 6]), (models.zfnet, [3, 7]), (lambda: models.VGG("A-LRN"), [2])])
def test_response_norm_has_the_constants_of_2012(make, places):
    layers = list(nn.utils.skip_init(make).features)
    norms = [i for i, layer in enumerate(layers) if type(layer).__name__ == "LocalResponseNorm"]
    assert norms == places
    for layer in [layers[i] for i in norms]:
        assert (layer.size, layer.alpha, layer.beta, layer.k) == (5, 5e-4, 0.75, 2.0)


def test_zfnet_has_the_sizes_of_figure_3():
    net = nn.utils.skip_init(models.zfnet)
    assert sizes(net, 3, 224, 224) == [
        (96, 110, 110), (96, 55, 55), (256, 26, 26), (256, 13, 13), (384, 13, 13), (384, 13, 13),
        (256, 13, 13), (256, 6, 6), (4096,), (4096,), (1000,)]
    assert [parameters(layer) for layer in convolutions(net)] == [
        14_208, 614_656, 885_120, 1_327_488, 884_992]
    assert [type(layer).__name__ for layer in net.features[:4]] == [
        "Conv2d", "ReLU", "MaxPool2d", "LocalResponseNorm"]


def test_vgg_a_lrn_normalises_once_behind_the_first_relu():
    net = nn.utils.skip_init(models.VGG, "A-LRN")
    names = [type(layer).__name__ for layer in net.features]
    assert names[:4] == ["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"]
    assert names.count("LocalResponseNorm") == 1
    assert [*names[:2], *names[3:]] == [
        type(layer).__name__ for layer in nn.utils.skip_init(models.vgg11).features]
    with tinycnn.no_grad():
        assert net.eval()(tinycnn.zeros(1, 3, 32, 32)).shape == (1, 1000)


@pytest.mark.parametrize(("variant", "weights", "convolution"), [
    ("A", 11, 9_220_480), ("B", 13, 9_404_992), ("C", 16, 9_996_096), ("D", 16, 14_714_688),
    ("E", 19, 20_024_384)])
def test_vgg_counts_its_layers_in_its_name(variant, weights, convolution):
    net = nn.utils.skip_init(models.VGG, variant)
    assert len(convolutions(net)) + 3 == weights
    assert parameters(net.features) == convolution
    stages = [shape for shape in sizes(net, 3, 224, 224) if len(shape) == 3][-1:]
    assert stages == [(512, 7, 7)]
    ones = [layer for layer in convolutions(net) if layer.kernel_size == (1, 1)]
    assert len(ones) == (3 if variant == "C" else 0)


def test_network_in_network_layer_by_layer():
    net = nn.utils.skip_init(models.nin)
    assert sizes(net, 3, 32, 32) == [
        (192, 32, 32), (160, 32, 32), (96, 32, 32), (96, 16, 16), (192, 16, 16), (192, 16, 16),
        (192, 16, 16), (192, 8, 8), (192, 8, 8), (192, 8, 8), (10, 8, 8)]
    assert [parameters(net[a:b]) for a, b in [(0, 6), (8, 14), (16, 22)]] == [
        60_928, 535_104, 370_954]
    assert [type(layer).__name__ for layer in net[6:16:8]] == ["MaxPool2d", "AvgPool2d"]
    assert [layer.p for layer in net if isinstance(layer, nn.Dropout)] == [0.5, 0.5]
    net = nn.utils.skip_init(models.nin_imagenet)
    assert sizes(net, 3, 224, 224)[::4] == [
        (96, 54, 54), (256, 27, 27), (384, 13, 13), (1024, 6, 6)]
    assert [parameters(net[a:b]) for a, b in [(0, 6), (7, 13), (14, 20), (22, 28)]] == [
        53_568, 746_240, 1_180_800, 5_614_568]


@pytest.mark.parametrize(("make", "expected"), [
    (models.resnet50, [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]),
    (models.resnet18, [(64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)]),
])
def test_resnet_stage_by_stage(make, expected):
    net, found = nn.utils.skip_init(make).eval(), []
    for stage in net.layer1, net.layer2, net.layer3, net.layer4:
        stage.register_forward_hook(lambda module, args, y: found.append(y.shape[1:]))
    with tinycnn.no_grad():
        net(tinycnn.zeros(1, 3, 224, 224))
    assert found == expected


def test_densenet_stage_by_stage():
    net, found = nn.utils.skip_init(models.densenet121).eval(), []
    for name, module in net.features.named_children():
        if name.startswith(("dense", "trans")):
            module.register_forward_hook(lambda module, args, y: found.append(y.shape[1:]))
    with tinycnn.no_grad():
        net(tinycnn.zeros(1, 3, 224, 224))
    assert found == [(256, 56, 56), (128, 28, 28), (512, 28, 28), (256, 14, 14), (1024, 14, 14),
                     (512, 7, 7), (1024, 7, 7)]


def test_a_1x1_in_front_saves_nine_tenths():
    direct, reduced = models.DirectConvolution(192, 32), models.ReducedConvolution(192, 16, 32)
    found = [counts(net, 192, 28, 28) for net in (direct, reduced)]
    assert [c.parameters for c in found] == [153_632, 15_920]
    assert [c.multiply_adds for c in found] == [120_422_400, 12_443_648]
    assert [c.receptive_field for c in found] == [(5, 1), (5, 1)]
    x = tinycnn.zeros(2, 192, 7, 5)
    assert direct(x).shape == reduced(x).shape == (2, 32, 7, 5)


# --- shortcuts, order of maps ----------------------------------------------------------------


def test_the_shortcut_of_cifar_drops_pixels_and_adds_zeros(rng):
    block = models.ResNetCIFAR(8).layer2[0].eval()
    for layer in block.conv1, block.conv2:
        nn.init.zeros_(layer.weight)  # what is left is the shortcut
    x = rng.random((2, 16, 6, 8)).astype("f4")
    y = block(tinycnn.tensor(x)).data
    np.testing.assert_array_equal(y[:, :16], x[:, :, ::2, ::2])
    assert not y[:, 16:].any()
    plain = models.ResNetCIFAR(8, residual=False).layer2[0].eval()
    nn.init.zeros_(plain.conv2.weight)
    assert not plain(tinycnn.tensor(x)).data.any()


def test_plain_and_residual_networks_have_the_same_parameters():
    plain, residual = models.ResNetCIFAR(20, residual=False), models.ResNetCIFAR(20)
    residual.load_state_dict(plain.state_dict())
    x = tinycnn.ones(1, 3, 16, 16)
    assert abs(plain.eval()(x).data - residual.eval()(x).data).max() > 1e-3


@pytest.mark.parametrize("make", [models.resnet18, models.resnet50])
def test_zero_init_residual_lets_blocks_begin_as_their_shortcut(make, rng):
    net = make(zero_init_residual=True, num_classes=3)
    block = net.layer1[1].eval()
    x = rng.random((1, block.conv1.in_channels, 5, 5)).astype("f4")
    np.testing.assert_array_equal(block(tinycnn.tensor(x)).data, x)
    block = make(num_classes=3).layer1[1].eval()
    assert abs(block(tinycnn.tensor(x)).data - x).max() > 0.01


def test_stride_is_in_the_layer_that_was_asked_for():
    for early in True, False:
        block = nn.utils.skip_init(models.resnet50, stride_in_1x1=early).layer2[0]
        strides = [layer.stride for layer in (block.conv1, block.conv2, block.conv3)]
        assert strides == ([(2, 2), (1, 1), (1, 1)] if early else [(1, 1), (2, 2), (1, 1)])
        assert block.downsample[0].stride == (2, 2)


def test_new_maps_are_put_behind_those_seen(rng):
    block = models.densenet_cifar(10).features.denseblock1
    x = tinycnn.tensor(rng.standard_normal((2, 16, 5, 5)).astype("f4"))
    with tinycnn.no_grad():
        y = block(x)
        np.testing.assert_array_equal(y.data[:, :16], x.data)
        first = block.denselayer1(x)
        np.testing.assert_array_equal(y.data[:, 16:28], first.data)
        second = block.denselayer2(y[:, :28])
        np.testing.assert_array_equal(y.data[:, 28:], second.data)


def test_dropout_and_compression_of_densenet():
    net = models.DenseNet(4, (1, 2), 10, None, 0.5, compression=0.3, stem="cifar")
    assert net.features.transition1.conv.weight.shape == (4, 14, 1, 1)  # floor(0.3 * 14)
    assert net.features.denseblock2.denselayer2[-1].p == 0.5
    names = list(net.features.denseblock1.denselayer1.state_dict())
    assert names[0] == "norm1.weight"
    assert names[-1] == "conv1.weight"


def test_norm_layer_is_used_everywhere():
    net = models.ResNet(models.Bottleneck, [1, 1, 1, 1], norm_layer=nn.Identity)
    assert not [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    with tinycnn.no_grad():
        assert net(tinycnn.zeros(1, 3, 33, 33)).shape == (1, 1000)
