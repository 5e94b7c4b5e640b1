"""Sizes, counts and receptive fields by formula: against hand-made numbers, and the layers."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import arithmetic, nn
from tinycnn.arithmetic import Field

# --- sizes


@pytest.mark.parametrize(("rule", "out"), [("valid", 5), ("same", 7), ("full", 9)])
def test_the_three_rules_for_a_window_of_three_over_seven(rule, out):
    assert arithmetic.output_size(7, 3, padding=rule) == out


def test_a_stride_of_two_with_one_zero_on_each_side_halves_upwards():
    assert arithmetic.output_size(5, kernel=3, stride=2, padding=1) == 3


@pytest.mark.parametrize("padding", [0, 1, "valid", "same", "full", (2, 0), (0, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_output_size_is_what_a_convolution_makes(padding, stride, dilation):
    for n in range(5, 12):
        pairs = (padding,) if isinstance(padding, tuple) else padding
        y = F.conv1d(tinycnn.ones(1, 1, n), tinycnn.ones(1, 1, 3), None, stride, pairs, dilation)
        assert arithmetic.output_size(n, 3, stride, padding, dilation) == y.shape[2]


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
def test_output_size_is_what_a_pooling_makes(padding, ceil_mode):
    for n, stride in itertools.product(range(3, 14), (1, 2, 3, 4)):
        y = F.max_pool1d(tinycnn.ones(1, 1, n), 3, stride, padding, ceil_mode=ceil_mode)
        found = arithmetic.output_size(n, 3, stride, padding, ceil_mode=ceil_mode)
        assert found == y.shape[2], (n, stride)


def test_the_last_window_in_ceil_mode_starts_inside_the_input_or_the_front_padding():
    # 4 inputs, two zeros, windows of 2 at stride 5: the second would start at 5 of 6
    assert arithmetic.output_size(4, 2, 5, (2, 0), ceil_mode=True) == 2
    assert arithmetic.output_size(4, 2, 5, (0, 2), ceil_mode=True) == 1


@pytest.mark.parametrize("padding", [0, 1, "same", "full", (1, 0)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_output_size_is_what_the_layer_makes(padding, stride):
    for n, extra in itertools.product(range(3, 8), range(stride)):
        pairs = (padding,) if isinstance(padding, tuple) else padding
        y = F.conv_transpose1d(tinycnn.ones(1, 1, n), tinycnn.ones(1, 1, 3), None, stride, pairs,
                               extra)
        assert arithmetic.transposed_output_size(n, 3, stride, padding, extra) == y.shape[2]


def test_a_transposed_convolution_leads_back_to_the_size_that_a_convolution_had():
    for n, kernel, stride, padding in itertools.product(range(5, 20), (2, 3, 5), (1, 2, 3), (0, 1)):
        out = arithmetic.output_size(n, kernel, stride, padding)
        lost = (n + 2 * padding - kernel) % stride
        back = arithmetic.transposed_output_size(out, kernel, stride, padding, lost)
        assert back == n


def test_a_filter_of_seven_taps_three_apart_reaches_over_nineteen():
    assert arithmetic.effective_kernel_size(7, dilation=3) == 19
    assert arithmetic.effective_kernel_size(7) == 7
    assert arithmetic.effective_kernel_size(1, dilation=5) == 1


# --- counts


@pytest.mark.parametrize(("layer", "formula"), [
    (lambda: nn.Conv2d(3, 10, 5), lambda: arithmetic.conv_parameters(3, 10, 5)),
    (lambda: nn.Conv2d(1, 4, 2), lambda: arithmetic.conv_parameters(1, 4, 2)),
    (lambda: nn.Conv2d(6, 8, (1, 3), groups=2, bias=False),
     lambda: arithmetic.conv_parameters(6, 8, (1, 3), groups=2, bias=False)),
    (lambda: nn.Conv1d(2, 3, 7), lambda: arithmetic.conv_parameters(2, 3, (7,))),
    (lambda: nn.Conv3d(2, 3, 3), lambda: arithmetic.conv_parameters(2, 3, (3, 3, 3))),
    (lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
     lambda: arithmetic.conv_parameters(4, 6, 3, groups=2)),
    (lambda: nn.Linear(120, 84), lambda: arithmetic.dense_parameters(120, 84)),
    (lambda: nn.Linear(784, 26, bias=False), lambda: arithmetic.dense_parameters(784, 26, False)),
])
def test_parameters_are_those_of_the_layers(layer, formula):
    assert formula() == sum(p.numel() for p in layer().parameters())


def test_the_counts_of_the_lectures():
    assert arithmetic.conv_parameters(3, 10, 5) == 760
    assert arithmetic.conv_parameters(1, 4, 2) == 20
    assert arithmetic.dense_parameters(28 * 28, 26, bias=False) == 20_384


def test_five_inputs_and_five_outputs_have_25_dense_and_13_local_connections():
    assert arithmetic.dense_connections(5, 5) == 25
    assert arithmetic.conv_connections(5, 3, padding="same") == 13
    assert arithmetic.conv_connections(5, 3, padding="same", borders=True) == 15


def test_seven_inputs_and_three_outputs_have_21_dense_9_local_and_3_shared_weights():
    assert arithmetic.dense_parameters(7, 3, bias=False) == 21
    assert arithmetic.local_parameters(7, 1, 1, 3, stride=2, bias=False) == 9
    assert arithmetic.conv_connections(7, 3, stride=2) == 9
    assert arithmetic.conv_parameters(1, 1, (3,), bias=False) == 3


@pytest.mark.parametrize("padding", [0, 1, "same", "full", (2, 1)])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_connections_are_the_entries_of_the_layers_matrix(padding, stride, dilation):
    """Column by column: what each input changes."""
    n = 9
    pairs = (padding,) if isinstance(padding, tuple) else padding
    unit = tinycnn.eye(n).reshape(n, 1, n)
    y = F.conv1d(unit, tinycnn.ones(1, 1, 3), None, stride, pairs, dilation).numpy()
    assert arithmetic.conv_connections(n, 3, stride, padding, dilation) == np.count_nonzero(y)


def test_connections_of_lenet_5():
    """C1 and C3 of the paper; C3 connects 6 maps to 3, 9 to 4 and 1 to 6 of S2's."""
    assert arithmetic.conv_connections((32, 32), 5, out_channels=6, bias=True) == 122_304
    parts = [(3, 6), (4, 9), (6, 1)]
    c3 = [arithmetic.conv_connections((14, 14), 5, in_channels=i, out_channels=o, bias=True)
          for i, o in parts]
    assert sum(c3) == 151_600
    assert arithmetic.dense_connections(84, 10) == 840


def test_connections_in_two_axes_are_products_of_those_along_each():
    found = arithmetic.conv_connections((5, 6), (3, 2), (1, 2), "same", in_channels=4,
                                        out_channels=6, groups=2, bias=True)
    assert found == 6 * (2 * 13 * 6 + 5 * 3)


def test_local_parameters_store_taps_that_read_the_border():
    assert arithmetic.local_parameters((5, 4), 2, 3, 3, padding=1) == 5 * 4 * 3 * (2 * 9 + 1)


def test_multiply_adds_of_lenet():
    assert arithmetic.conv_multiply_adds(1, 6, 5, 28) == 117_600
    assert arithmetic.conv_multiply_adds(6, 16, 5, 10) == 240_000
    assert arithmetic.conv_multiply_adds(16, 120, 5, (1, 1)) == 48_000
    assert arithmetic.dense_multiply_adds(120, 84) == 10_080
    assert arithmetic.dense_multiply_adds(84, 10) == 840
    assert arithmetic.conv_multiply_adds(96, 256, 5, 27, groups=2) == 223_948_800  # AlexNet conv2


# --- fields

CONV, POOL = (3, 1, 1), (2, 2)
VGG_16 = 2 * [CONV, CONV, POOL] + 3 * [CONV, CONV, CONV, POOL]
ALEXNET = [(11, 4), (3, 2), (5, 1, 2), (3, 2), CONV, CONV, CONV, (3, 2)]


@pytest.mark.parametrize(("layers", "size", "jump"), [
    ([], 1, 1),
    ([3, 3], 5, 1),
    ([3, 3, 3], 7, 1),
    ([5, POOL, 5, POOL, 5], 32, 4),  # LeNet-5
    (ALEXNET, 195, 32),
    (VGG_16, 212, 32),
    ([(4, 2, 1), (4, 2, 1), (4, 2, 1), (4, 1, 1), (4, 1, 1)], 70, 8),  # the PatchGAN
])
def test_receptive_fields_of_known_networks(layers, size, jump):
    assert arithmetic.receptive_field(layers)[:2] == (size, jump)


def seen_by(layers, unit, n):
    """The inputs that a unit reads, found by multiplying matrices of zeros and ones."""
    reads = np.eye(n)
    for kernel, stride, padding, dilation in layers:
        out = arithmetic.output_size(len(reads), kernel, stride, padding, dilation)
        matrix = np.zeros((out, len(reads)))
        for o, t in itertools.product(range(out), range(kernel)):
            place = o * stride + t * dilation - padding
            if 0 <= place < len(reads):
                matrix[o, place] = 1
        reads = matrix @ reads
    return np.flatnonzero(reads[unit])


def test_input_range_is_what_a_unit_reads(rng):
    """In random stacks, first and last input of every unit; it sees no further than the formula
    says, and all that the formula says unless padding is on its way."""
    for _ in range(60):
        layers = [(int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(0, 2)),
                   int(rng.integers(1, 3))) for _ in range(3)]
        n = int(rng.integers(40, 80))
        units = n
        for layer in layers:
            units = arithmetic.output_size(units, *layer)
        for unit in {0, units // 2, units - 1}:
            seen = seen_by(layers, unit, n)
            if not len(seen):
                continue
            first, last = arithmetic.input_range(layers, unit, n)
            assert first <= seen[0] <= seen[-1] <= last
            inner = arithmetic.input_range(layers, unit)
            if inner[0] > 8 and inner[1] < n - 9:
                assert (seen[0], seen[-1]) == inner == (first, last)


def test_jump_and_start_are_the_distance_and_the_centre_of_fields():
    layers = [(3, 2, 1), (5, 1, 0), (2, 3, 0)]
    field = arithmetic.receptive_field(layers)
    ranges = [arithmetic.input_range(layers, unit) for unit in range(4)]
    assert {b[0] - a[0] for a, b in itertools.pairwise(ranges)} == {field.jump}
    assert {b - a + 1 for a, b in ranges} == {field.size}
    assert sum(ranges[0]) / 2 == field.start


def test_padding_rules_in_a_stack():
    assert arithmetic.receptive_field([(3, 1, "same")]).start == 0
    assert arithmetic.receptive_field([(2, 1, "same")]).start == 0.5  # the extra zero is behind
    assert arithmetic.receptive_field([(3, 1, "full")]).start == -1
    assert arithmetic.receptive_field([(3, 1, (2, 5))]).start == -1  # the front counts
    # 7 outputs from 14 at stride 2: one zero, behind; from 13: one on each side
    assert arithmetic.receptive_field([(3, 2, "same")], size=14).start == 1
    assert arithmetic.receptive_field([(3, 2, "same")], size=13).start == 0


def test_layers_may_be_numbers_tuples_or_dicts():
    same = [[3, (3, 2)], [(3,), (3, 2, 0, 1)], [{"kernel": 3}, {"kernel": 3, "stride": 2}]]
    assert len({arithmetic.receptive_field(layers) for layers in same}) == 1


def test_a_transposed_convolution_shrinks_the_jump():
    field = Field().through(2, stride=2).through_transposed(2, stride=2)
    assert field == (2, 1, 0)
    thirds = Field().through_transposed(3, stride=3)
    assert (thirds.size, thirds.jump, thirds.start) == (1, Fraction(1, 3), Fraction(-1, 3))
    # kernel 4, stride 2, padding 1: each output reads two inputs
    assert Field().through_transposed(4, 2, 1) == (2, 0.5, -0.25)


def test_a_union_reaches_from_the_first_to_the_last():
    straight, branch = Field(), Field().through(3, padding=1).through(3, padding=1)
    assert straight.union(branch) == branch.union(straight) == (5, 1, 0)
    assert Field(3, 2, 1).union(Field(3, 2, 4)) == (6, 2, 2.5)


def test_all_units_together_see_no_further_than_the_input():
    field = Field().through(5, padding=2)
    assert field.of_all(7, size=7) == (7, 0, 3)
    assert field.of_all(1, size=7) == (3, 0, 1)  # the first alone: two of its five are zeros


# --- errors

a = arithmetic


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: a.output_size(2.5, 3), TypeError, r"output_size: expected n to be an int, got 2\.5"),
    (lambda: a.output_size(-1, 3), ValueError, r"output_size: expected n of at least 0, got -1"),
    (lambda: a.output_size(5, 0), ValueError, r"output_size: expected kernel .* at least 1, got 0"),
    (lambda: a.output_size(5, 3, stride=0), ValueError, r"expected stride .*, got 0"),
    (lambda: a.output_size(5, 3, padding=-1), ValueError, r"expected padding .*, got -1"),
    (lambda: a.output_size(5, 3, padding="some"), ValueError, r"'valid', 'same', 'full'.*'some'"),
    (lambda: a.output_size(2, 3), ValueError, r"an input that the window \(3,\) fits into"),
    (lambda: a.transposed_output_size(3, 3, 2, 0, 2), ValueError,
     r"transposed_output_size: expected output_padding below stride"),
    (lambda: a.transposed_output_size(1, 1, padding=1), ValueError, r"at least one pixel"),
    (lambda: a.effective_kernel_size(3, 0), ValueError,
     r"effective_kernel_size: expected dilation .* at least 1, got 0"),
    (lambda: a.dense_parameters(-1, 3), ValueError,
     r"dense_parameters: expected in_features of at least 0, got -1\. Pass a number"),
    (lambda: a.dense_connections(3, 1.5), TypeError,
     r"dense_connections: expected out_features to be an int, got 1\.5"),
    (lambda: a.dense_multiply_adds("3", 1), TypeError, r"dense_multiply_adds: .* got '3'"),
    (lambda: a.conv_parameters(3, 4, 3, groups=2), ValueError,
     r"conv_parameters: expected groups to divide in_channels and out_channels, got groups=2 for 3 "
     r"and 4"),
    (lambda: a.conv_parameters(0, 4, 3), ValueError, r"in_channels of at least 1, got 0"),
    (lambda: a.conv_parameters(1, 4, 0), ValueError, r"kernel_size .* at least 1, got 0"),
    (lambda: a.local_parameters((), 1, 1, 3), ValueError,
     r"local_parameters: expected input_size to be an int or a tuple of ints, got \(\)"),
    (lambda: a.local_parameters((2, 8), 1, 1, 3), ValueError, r"the window \(3,\) fits into"),
    (lambda: a.conv_connections((5, 5), (3, 3, 3)), ValueError, r"kernel_size to be one int or 2"),
    (lambda: a.conv_multiply_adds(1, 1, (3,), (5, 5)), ValueError,
     r"output_size with 1 entries, as the kernel \(3,\), got \(5, 5\)"),
    (lambda: a.receptive_field(3), TypeError, r"receptive_field: expected a list of layers, got 3"),
    (lambda: a.receptive_field({"kernel": 3}), TypeError, r"a list of layers, got \{'kernel': 3\}"),
    (lambda: a.receptive_field([()]), ValueError, r"a layer \(kernel, stride, padding, dilation\)"),
    (lambda: a.receptive_field([{"stride": 3}]), ValueError, r"a layer with kernel and"),
    (lambda: a.receptive_field([{"kernel": 3, "pad": 1}]), ValueError, r"a layer with kernel and"),
    (lambda: a.receptive_field([(3, 2, "same")]), ValueError,
     r"size, for padding='same' with a stride, got none"),
    (lambda: a.receptive_field([5, 5], size=8), ValueError, r"the window \(5,\) fits into"),
    (lambda: a.receptive_field([3], size=-3), ValueError, r"size of at least 0, got -3"),
    (lambda: a.input_range([3], 0.5), TypeError, r"input_range: expected unit to be an int"),
    (lambda: a.input_range([3], -1), ValueError, r"a unit from 0, got -1"),
    (lambda: a.input_range([3], 6, size=8), ValueError, r"a unit from 0 to 5, got 6"),
    (lambda: a.input_range([(1, 1, 1)], 0, size=3), ValueError,
     r"a unit that sees inputs, got unit 0, which sees padding"),
    (lambda: Field().union(Field(1, 2, 0)), ValueError, r"union: expected fields of one jump, 1"),
])
def test_bad_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: arithmetic.Field().through(3, 0), "Field.through: expected stride .* got 0"),
    (lambda: arithmetic.Field().through_transposed(3, 0), "Field.through_transposed: .* got 0"),
    (lambda: arithmetic.conv_parameters(3, 10, ()), r"conv_parameters: expected kernel_size"),
])
def test_a_stride_of_0_and_no_kernel_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
