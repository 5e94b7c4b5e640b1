"""Settings of another kind, or out of all range: each is refused in words."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import arithmetic, models, nn

NAN, HUGE = float("nan"), 10**30
MAPS, ROW, NONE = tinycnn.ones(1, 2, 6, 6), tinycnn.ones(2, 3), tinycnn.zeros(2, 0, 4, 4)
TYPES = [
    (lambda: F.max_pool2d(MAPS, True), "max_pool2d: expected kernel_size to be an int or 2 ints"),
    (lambda: F.max_pool2d(MAPS, (np.True_, 2)), "max_pool2d: expected kernel_size to be an int or"),
    (lambda: F.unfold(MAPS, 2, stride=True), "unfold: expected stride to be an int or 2 ints"),
    (lambda: F.interpolate(MAPS, True), "interpolate: expected size"),
    (lambda: F.softmax(ROW, True), "softmax: expected dim to be an int, got True"),
    (lambda: F.softmax(ROW, np.array([0, 1])), r"softmax: expected dim to be an int, got array"),
    (lambda: F.glu(MAPS, int), "glu: expected dim to be an int, got <class 'int'>"),
    (lambda: F.normalize(ROW, 2, ""), "normalize: expected dim to be an int, several, or None"),
    (lambda: F.normalize(ROW, 2, {}), "normalize: expected dim to be an int, several, or None"),
    (lambda: F.normalize(ROW, out=3), "normalize: expected out to be a Tensor"),
    (lambda: F.triplet_margin_with_distance_loss(ROW, ROW, ROW, distance_function="a"),
     "expected distance_function to be a function of two tensors, got 'a'"),
    (lambda: F.triplet_margin_with_distance_loss(ROW, ROW, ROW, distance_function=0),
     "expected distance_function to be a function of two tensors, got 0"),
    (lambda: arithmetic.conv_multiply_adds(2, None, 3, (4, 4)), "out_channels to be an int"),
    (lambda: nn.Upsample(scale_factor="a"), "Upsample: expected scale_factor to be a number"),
    (lambda: nn.Upsample(scale_factor=(None, 2)), "Upsample: expected scale_factor to be a number"),
    (lambda: nn.Hardtanh("0", 1), "Hardtanh: expected min_val to be a number, got '0'"),
    (lambda: nn.InstanceNorm2d(int), "InstanceNorm2d: expected num_features to be an int"),
    (lambda: nn.BatchNorm2d(True), "BatchNorm2d: expected num_features to be an int, got True"),
    (lambda: nn.Unflatten(1, np.array(2)), "Unflatten: expected unflattened_size to be a tuple"),
    (lambda: nn.Linear(2, 2, dtype=(None, None)), "Linear: expected a dtype among"),
    (lambda: nn.Linear(2, 2, dtype=np.float64(1.5)), "Linear: expected a dtype among"),
    (lambda: models.ResNet(None, [1] * 4), "ResNet: expected block to be BasicBlock or Bottleneck"),
    (lambda: models.resnet18(norm_layer=3), "ResNet: expected norm_layer to be a class or a func"),
    (lambda: models.DenseNet(block_config=None), "DenseNet: expected block_config to be the numb"),
    (lambda: models.Neocognitron()(np.zeros((1, 1, 9, 9), "f4")), "expected images .* got ndarray"),
    (lambda: models.discriminative_loss(None, ROW), "expected penalties .*, got NoneType"),
    (lambda: models.discriminative_loss(ROW, ROW, None), "expected j to be a number, got None"),
]
VALUES = [
    (lambda: F.cosine_similarity(ROW, ROW, eps=-1), "cosine_similarity: expected eps of at leas"),
    (lambda: F.cosine_similarity(ROW, ROW, eps=NAN), "expected eps of at least 0, got nan"),
    (lambda: F.hardtanh(ROW, NAN, 1.0), "hardtanh: expected min_val up to max_val, got min"),
    (lambda: F.elu(ROW, 1e300), r"elu: expected numbers that float32 can hold, up to 3\.4e38"),
    (lambda: F.threshold(ROW, 0.5, -1e300), "threshold: expected numbers that float32 can hold"),
    (lambda: F.mse_loss(ROW, ROW, reduction=np.array(["mean"])), "mse_loss: expected reduction"),
    (lambda: F.gelu(ROW, np.array(["none"])), "gelu: expected approximate 'none' or 'tanh'"),
    (lambda: F.multi_margin_loss(ROW, tinycnn.tensor([0, 1]), p=np.array([1, 2])), "p of 1 or 2"),
    (lambda: F.one_hot(tinycnn.tensor([0]), HUGE), "one_hot: expected num_classes of .* below"),
    (lambda: F.group_norm(tinycnn.zeros(2, 0, 3), 4 * 10**9), "group_norm: expected num_groups"),
    (lambda: F.local_response_norm(MAPS, HUGE), r"size of at least 1, and below 2\*\*31"),
    (lambda: F.pixel_shuffle(NONE, 2**32), "pixel_shuffle: expected upscale_factor of .* below"),
    (lambda: F.table_conv2d(MAPS, tinycnn.ones(2, 1, 1), [[2**63], [0]]), "maps from 0 on, got"),
    (lambda: nn.TableConv2d([[-1]], 3), "TableConv2d: expected table of input maps from 0 on"),
    (lambda: nn.TableConv2d([[0, 1], [2]], 3)(MAPS), "expected input with 3 maps, as the tab"),
    (lambda: nn.Linear(2**63, 1), r"Linear: expected sizes below 2\*\*31"),
    (lambda: nn.utils.to_conv(nn.Linear(2, 2), np.array(2)), r"expected input_size \(C, L\)"),
    (lambda: models.ResNet(models.BasicBlock, None), "ResNet: expected four numbers of blocks"),
    (lambda: F.normalize(ROW, out=tinycnn.ones(2)), r"normalize: expected out \(2, 3\) of float32"),
    (lambda: F.normalize(tinycnn.ones(2, 3, requires_grad=True), out=tinycnn.ones(2, 3)),
     "expected nothing that requires a gradient together with out"),
]


@pytest.mark.parametrize(("call", "error", "message"), [
    *((call, TypeError, message) for call, message in TYPES),
    *((call, ValueError, message) for call, message in VALUES),
])
def test_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "std", "var"])
@pytest.mark.parametrize("dim", [(), []])
def test_no_axis_means_all_in_a_reduction(name, dim, rng):
    x = tinycnn.tensor(rng.normal(size=(2, 3)))
    assert getattr(tinycnn, name)(x, dim=dim).tolist() == getattr(tinycnn, name)(x).tolist()
    assert F.normalize(x, 2, dim).tolist() == F.normalize(x, 2, None).tolist()
    assert tinycnn.all(x > 0, dim=dim).shape == (2, 3)  # PyTorch keeps them here
    assert x.squeeze(dim).shape == (2, 3)


@pytest.mark.parametrize("word", [False, 0, np.False_])
def test_the_old_word_for_a_sum_is_taken_by_its_truth(word):
    with pytest.warns(UserWarning, match="Pass reduction='sum'"):
        assert F.mse_loss(ROW, 3 * ROW, size_average=word).item() == 24
    with pytest.warns(UserWarning, match="Pass reduction='mean'"):
        assert F.mse_loss(ROW, 3 * ROW, size_average=1).item() == 4


def test_normalize_writes_where_it_is_told(rng):
    x, out = tinycnn.tensor(rng.normal(size=(2, 3))), tinycnn.zeros(2, 3, dtype="float64")
    assert F.normalize(x, out=out) is out
    assert out.tolist() == F.normalize(x).tolist()


def test_hardtanh_knows_its_old_words():
    with pytest.warns(FutureWarning, match="Pass min_val and max_val"):
        layer = nn.Hardtanh(min_value=-2, max_value=3)
    assert layer(tinycnn.tensor([-5.0, 5.0])).tolist() == [-2, 3]


def test_counts_of_numpys_integers_have_no_largest():
    big = np.int64(2**40)
    assert arithmetic.conv_parameters(big, big, 3) == 2**40 * (9 * 2**40 + 1)
    assert arithmetic.dense_parameters(big, big) == 2**80 + 2**40
    assert arithmetic.conv_multiply_adds(big, big, 3, (4, 4)) == 16 * 9 * 2**80
    assert type(arithmetic.conv_parameters(2, np.int64(2), 3)) is int
    assert type(arithmetic.local_parameters(7, 1, np.int64(1), 3)) is int


@pytest.mark.parametrize("n", [1, 4, 7])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 2), (1, 3), (9, 4)])
@pytest.mark.parametrize("padding", [0, 1, (3, 0), 6, 20])
def test_connections_are_those_that_one_counts(n, kernel, stride, dilation, padding):
    front, behind = padding if isinstance(padding, tuple) else (padding, padding)
    out = (n + front + behind - dilation * (kernel - 1) - 1) // stride + 1
    if out < 1:
        return
    counted = sum(0 <= o * stride + t * dilation - front < n
                  for o in range(out) for t in range(kernel))
    found = arithmetic.conv_connections(n, kernel, stride, padding, dilation)
    assert found == counted
    assert arithmetic.conv_connections(
        n, kernel, stride, padding, dilation, borders=True) == out * kernel


def test_connections_of_the_largest_sizes_are_counted_at_once():
    assert arithmetic.conv_connections((2**31 - 1, 5), 3) == (2**31 - 3) * 3 * 9
    assert arithmetic.conv_connections((5, 5), 3, padding=10**9) == (3 * 5) ** 2
