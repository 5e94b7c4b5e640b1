"""Networks: parameters, multiply-adds, output sizes and receptive fields, exactly as the papers and
torchvision have them; keys of the parameters; what every constructor refuses."""

import hashlib
import re

import numpy as np
import pytest
from model_counts import counts, parameters

import tinycnn
from tinycnn import models, nn

BIG, SMALL = (3, 224, 224), (3, 32, 32)

# name, arguments of the constructor, image, parameters, multiply-adds, receptive field of the last
# window: its size and stride
NETWORKS = [
    ("alexnet", {}, BIG, 61_100_840, 714_188_480, (195, 32)),
    ("alexnet_2012", {}, (3, 227, 227), 60_965_224, 724_406_816, (195, 32)),
    ("zfnet", {}, BIG, 62_357_608, 1_168_032_896, (171, 32)),
    ("vgg11", {}, BIG, 132_863_336, 7_609_090_048, (150, 32)),
    ("VGG", {"variant": "A-LRN"}, BIG, 132_863_336, 7_609_090_048, (150, 32)),
    ("vgg13", {}, BIG, 133_047_848, 11_308_466_176, (156, 32)),
    ("VGG", {"variant": "C"}, BIG, 133_638_952, 11_770_888_192, (156, 32)),
    ("vgg16", {}, BIG, 138_357_544, 15_470_264_320, (212, 32)),
    ("vgg19", {}, BIG, 143_667_240, 19_632_062_464, (268, 32)),
    ("vgg16_bn", {}, BIG, 138_365_992, 15_470_264_320, (212, 32)),
    ("nin", {}, SMALL, 966_986, 222_486_528, (27, 4)),
    ("nin_imagenet", {}, BIG, 7_595_176, 1_100_188_800, (195, 32)),
    ("resnet18", {}, BIG, 11_689_512, 1_814_073_344, (435, 32)),
    ("resnet34", {}, BIG, 21_797_672, 3_663_761_408, (899, 32)),
    ("resnet50", {}, BIG, 25_557_032, 4_089_184_256, (427, 32)),
    ("resnet101", {}, BIG, 44_549_160, 7_801_405_440, (971, 32)),
    ("resnet152", {}, BIG, 60_192_808, 11_513_626_624, (1451, 32)),
    ("resnet50", {"stride_in_1x1": True}, BIG, 25_557_032, 3_857_973_248, (483, 32)),
    ("resnet101", {"stride_in_1x1": True}, BIG, 44_549_160, 7_570_194_432, (1027, 32)),
    ("resnet152", {"stride_in_1x1": True}, BIG, 60_192_808, 11_282_415_616, (1507, 32)),
    ("resnext50_32x4d", {}, BIG, 25_028_904, 4_230_479_872, (427, 32)),
    ("resnext101_32x4d", {}, BIG, 44_177_704, 7_969_996_800, (971, 32)),
    ("resnext101_64x4d", {}, BIG, 83_455_272, 15_460_270_080, (971, 32)),
    ("resnext101_32x8d", {}, BIG, 88_791_336, 16_414_015_488, (971, 32)),
    ("wide_resnet50_2", {}, BIG, 68_883_240, 11_398_021_120, (427, 32)),
    ("resnet20", {}, SMALL, 269_722, 40_551_040, (81, 4)),
    ("resnet32", {}, SMALL, 464_154, 68_862_592, (137, 4)),
    ("resnet44", {}, SMALL, 658_586, 97_174_144, (193, 4)),
    ("resnet56", {}, SMALL, 853_018, 125_485_696, (249, 4)),
    ("resnet110", {}, SMALL, 1_727_962, 252_887_680, (501, 4)),
    ("resnet56", {"residual": False}, SMALL, 853_018, 125_485_696, (249, 4)),
    ("densenet121", {}, BIG, 7_978_856, 2_834_161_664, (2071, 32)),
    ("densenet169", {}, BIG, 14_149_480, 3_359_843_328, (3351, 32)),
    ("densenet201", {}, BIG, 20_013_928, 4_291_365_888, (3863, 32)),
    ("densenet161", {}, BIG, 28_681_000, 7_727_907_072, (2967, 32)),
    ("densenet_cifar", {}, SMALL, 1_019_722, 264_812_928, (174, 4)),
    ("densenet_cifar", {"depth": 100, "bc": True}, SMALL, 769_162, 287_929_692, (230, 4)),
    ("densenet_cifar", {"depth": 190, "growth_rate": 40, "bc": True}, SMALL, 25_624_430,
     9_301_945_740, (440, 4)),
]


@pytest.mark.parametrize(("name", "arguments", "image", "expected", "products", "field"), NETWORKS)
def test_counts_are_those_of_the_paper(name, arguments, image, expected, products, field):
    net = nn.utils.skip_init(getattr(models, name), **arguments)
    found = counts(net, *image)
    assert (found.parameters, found.multiply_adds) == (expected, products)
    assert found.receptive_field == field
    assert list(found.shapes.values())[-1][0] == (10 if image == SMALL else 1000)


@pytest.mark.parametrize(("name", "arguments", "image", "expected", "products", "field"), NETWORKS)
def test_summary_says_the_same(name, arguments, image, expected, products, field):
    net = nn.utils.skip_init(getattr(models, name), **arguments)
    info = tinycnn.summary(net, (1, *image))
    assert (info.total_parameters, info.total_multiply_adds) == (expected, products)
    seen = [(row.receptive_field[0], row.jump[0]) for row in info.rows if row.depth and row.jump]
    assert field in seen


# sha256 of the lines "key shape", sorted, of torchvision 0.29's state_dict
KEYS = {
    "alexnet":
        "935c1ea73a7869eef424454bd79f9a16fdcb7a6342ab404d13f9ead2466d1092",
    "vgg11":
        "b11acd4f90d9643fb47e4326d0f40d1ae7ee580b0509f272826300b0996358c2",
    "vgg13":
        "79ca8fd7a1480aa7c17b8cdc8d302bc34640bccfe080031fa21b40f7b70edc21",
    "vgg16":
        "ba63c2556d912509cba94697742dd762a05c284047650150bab0c2ddc806bb59",
    "vgg19":
        "393fac8b08b63fbee1e3ef721e98f1710adc57be373a2067ea1af78fc5ccb504",
    "vgg11_bn":
        "56ed5816909a813293b13a7b24c808b5f2594f625d2f5b4ae45cac233d75a268",
    "vgg13_bn":
        "e4f52ce016e5e82f373b5f48665a1bbeb1a16e6ead9829c72cfed1b3d6635444",
    "vgg16_bn":
        "86bad13b66635552f31b1a53eaf739fc05bf6111f696e97fd006755355d50d26",
    "vgg19_bn":
        "faf0fdbb92f698c6862d90e64500a658c4328d5dbadfc9e24785038b3c1208a6",
    "resnet18":
        "5191d63ec398959223d67ef37376f9061e6965b859fc2d4e40e23d037147a0d7",
    "resnet34":
        "f8de2a1812ef85e46b3f60c61589921afee0c2a6d4165e27508ad215f101671b",
    "resnet50":
        "a87e91cd6bd1f939e0b723852e567a7205d33b0ac984ac02dd1a5f225d37c036",
    "resnet101":
        "dbc3ca74fffafc728641ec2b524ccedcbae337de9d3e3cf1f0552330d07303ea",
    "resnet152":
        "7d486dbdc941506eeed76c4b06e6a00c943ff5aa11c0ced1b2e1b12faebd4729",
    "resnext50_32x4d":
        "20929ac81dfcc94f1881e0e17fe3e5466d5b44c9be2adc47868c4a8b1be05281",
    "resnext101_32x8d":
        "5068f88fa77e6142753cf624895cf2635d5cbded09c5502995de79186db3e6c8",
    "resnext101_64x4d":
        "81b2497c5bec9c31d33e5aad45d4c421248eeb46a38bb33859f1b132c5060f01",
    "wide_resnet50_2":
        "03413d59409d9728773d8fcf2d05d4271112b6717944913ce0c044e3eb81054c",
    "wide_resnet101_2":
        "5004ebcdd27edca6a7d2d45310862a23444ffc1f4d9d33c199fb3175c0676832",
    "densenet121":
        "9c659ec278435e95dba57acdc3b0b3e81670779625122b059b6168bbfa51e232",
    "densenet161":
        "96e788964c2c431f4d1db163288d0305ce5ee8b9c3e6f1ceeba8936e1fdc68c5",
    "densenet169":
        "03a0accd6e99d8d099b883fa9241ac230dfe4d6d69e47defd185bbc4e07ae7ce",
    "densenet201":
        "ebf13d018b02ad9d435cc961afe3210a9a259deb83e677be2b5d3264b413fe9f",
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_and_shapes_are_those_of_torchvision(name):
    state = nn.utils.skip_init(getattr(models, name)).state_dict()
    lines = "\n".join(sorted(f"{key} {value.shape}" for key, value in state.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == KEYS[name]


def constructors():
    for name, value in vars(models).items():
        found = re.findall(r"([\d,]{5,}) parameters", value.__doc__ or "")
        if name.islower() and callable(value) and found:
            yield name, int(found[0].replace(",", ""))


@pytest.mark.parametrize(("name", "stated"), list(constructors()))
def test_a_docstring_states_the_number_of_parameters(name, stated):
    assert parameters(nn.utils.skip_init(getattr(models, name))) == stated


def test_most_constructors_state_it():
    assert len(list(constructors())) > 20


# --- arguments -------------------------------------------------------------------------------

CLASSES = ["AlexNet", ("AlexNet2012"), ("ZFNet"),
           "VGG", "NIN", "NINImageNet", "resnet18", "resnet50", "resnet20", "densenet121",
           "densenet_cifar"]


@pytest.mark.parametrize("name", CLASSES)
def test_channels_and_classes_are_what_was_asked_for(name):
    net = nn.utils.skip_init(getattr(models, name), num_classes=7, in_channels=2)
    size = {"AlexNet2012": 227, "ZFNet": 224}.get(name, 64)
    with tinycnn.no_grad():
        assert net.eval()(tinycnn.zeros(1, 2, size, size)).shape == (1, 7)
    assert next(net.parameters()).shape[1] == 2


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("argument", ["num_classes", "in_channels"])
def test_numbers_below_1_are_refused(name, argument):
    make = getattr(models, name)
    with pytest.raises(ValueError, match=rf"expected {argument} of at least 1, got 0\. Pass for"):
        make(**{argument: 0})
    with pytest.raises(TypeError, match=rf"expected {argument} to be an int, got 2\.5"):
        make(**{argument: 2.5})


REFUSED = [
    (lambda: models.VGG("F"), r"VGG: expected variant to be one of A, A-LRN, B, C, D, E, got 'F'"),
    (lambda: models.VGG(16), r"one of A, A-LRN, B, C, D, E, got 16\. D is VGG-16"),
    (lambda: models.ResNetCIFAR(21), r"depth to be 6n \+ 2, n at least 1, got 21\. The paper's"),
    (lambda: models.ResNetCIFAR(2), r"depth to be 6n \+ 2, n at least 1, got 2\."),
    (lambda: models.densenet_cifar(41), r"depth to be 3n \+ 4 with bc=False, .*, got 41\. The"),
    (lambda: models.densenet_cifar(4), r"depth to be 3n \+ 4 with bc=False, n at least 1, got 4\."),
    (lambda: models.densenet_cifar(43, bc=True), r"depth to be 6n \+ 4 with bc=True, .*, got 43"),
    (lambda: models.densenet_cifar(growth_rate=0), r"growth_rate of at least 1, got 0"),
    (lambda: models.DenseNet(bn_size=0), r"DenseNet: expected bn_size of at least 1, got 0"),
    (lambda: models.DenseNet(8, (2, 0)), r"expected block_config\[1\] of at least 1, got 0"),
    (lambda: models.DenseNet(compression=1.5), r"compression above 0 and up to 1, got 1\.5"),
    (lambda: models.DenseNet(stem="mnist"), r"stem to be one of imagenet, cifar, got 'mnist'"),
    (lambda: models.ResNet(models.BasicBlock, [2, 2, 2]), r"four numbers of blocks .*\[2, 2, 2\]"),
    (lambda: models.ResNet(models.BasicBlock, [2, 2, 2, 0]), r"layers\[3\] of at least 1, got 0"),
    (lambda: models.ResNet(models.BasicBlock, [1] * 4, groups=2), r"BasicBlock: expected groups=1"),
    (lambda: models.LeNet5(padding=3), "LeNet5: expected padding to be one of 0, 1, 2, got 3"),
    (lambda: models.InceptionV2(projection=5), "InceptionV2: expected projection to be one of 96,"),
    (lambda: models.resnet50(groups=0), r"ResNet: expected groups of at least 1, got 0"),
    (lambda: models.ReducedConvolution(4, 0, 4), r"expected reduced of at least 1, got 0"),
    (lambda: models.DirectConvolution(4, 4, 0), r"expected kernel_size of at least 1, got 0"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_does_not_exist_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("name", "size"), [("VGG", 31), ("AlexNet", 62), ("NINImageNet", 38),
                                            ("densenet121", 28), ("nin", 3)])
def test_images_that_are_too_small_are_refused(name, size):
    net = nn.utils.skip_init(getattr(models, name), num_classes=3).eval()
    with tinycnn.no_grad():
        with pytest.raises(ValueError, match=rf"H and W at least {size + 1}, got .* Resize"):
            net(tinycnn.zeros(1, 3, size, size))
        assert net(tinycnn.zeros(1, 3, size + 1, size + 2)).shape == (1, 3)


@pytest.mark.parametrize(("name", "size"), [("AlexNet2012", 227),
                                            ("ZFNet", 224)])
def test_a_classifier_of_one_size_names_it(name, size):
    net = nn.utils.skip_init(getattr(models, name), num_classes=3)
    with pytest.raises(ValueError, match=rf"{name}: expected images \(N, 3, {size}, {size}\), got "
                                         r"\(2, 3, 225, 225\)\. Resize"):
        net(tinycnn.zeros(2, 3, 225, 225))


def test_a_checkpoint_of_another_network_is_refused_by_name():
    net = nn.utils.skip_init(models.resnet18)
    nn.init.constant_(net.fc.bias, 7.0)
    state = {f"module.{key}": np.ones(value.shape, "f4") for key, value in
             net.state_dict().items() if not key.endswith("num_batches_tracked")}
    with pytest.raises(ValueError, match=r"All names fit behind 'module\.'"):
        net.load_state_dict(state)
    with pytest.raises(ValueError, match=r"fc.weight \(3, 512\) where \(1000, 512\) belongs"):
        net.load_state_dict(nn.utils.skip_init(models.resnet18, num_classes=3).state_dict())
    with pytest.raises(ValueError, match=r"unexpected features.conv0.weight, .* more\. Nothing"):
        net.load_state_dict(nn.utils.skip_init(models.densenet121).state_dict())
    assert net.fc.bias.tolist() == [7.0] * 1000


@pytest.mark.parametrize("name", ["VGG", "AlexNet", "NIN", "resnet18", "resnet20", "densenet121",
                                  "GoogLeNet", "InceptionV4", "LeNet5"])
def test_what_is_no_batch_of_images_is_named(name):
    net = nn.utils.skip_init(getattr(models, name)).eval()
    shown = {"resnet18": "ResNet", "resnet20": "ResNetCIFAR", "densenet121": "DenseNet"}
    shown = shown.get(name, name)
    with pytest.raises(ValueError, match=rf"{shown}: expected images \(N, .*, got \(3, 64, 64\)"):
        net(tinycnn.zeros(3, 64, 64))
    with pytest.raises(TypeError, match=f"{shown}: expected a Tensor, got list"):
        net([1.0])


def test_torchvisions_word_for_no_choice_is_batch_norm():
    assert isinstance(nn.utils.skip_init(models.resnet18, norm_layer=None).bn1, nn.BatchNorm2d)


@pytest.mark.parametrize(("name", "statistics"), [
    ("resnet18", 9_600), ("resnet34", 17_024), ("resnet50", 53_120), ("resnet101", 105_344),
    ("resnet152", 151_424)])
def test_running_statistics_of_resnets(name, statistics):
    net = nn.utils.skip_init(getattr(models, name))
    assert sum(b.numel() for b in net.buffers() if b.ndim) == statistics
