"""Integers only: windows, output sizes, padding rules. Messages are in test_errors.py."""


import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycnn._core import checks, shapes
from tinycnn._core.shapes import Window, conv_padding, conv_window, three_axes, transposed_window


def windows(size, kernel, stride, low, high, dilation):
    """Every window that lies within the padded axis, as lists of positions: the slow way."""
    found = []
    for start in range(-low, size + high, stride):
        places = [start + t * dilation for t in range(kernel)]
        if places[-1] < size + high:
            found.append(places)
    return found


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 12), st.integers(1, 4), st.integers(1, 5), st.integers(0, 4),
       st.integers(0, 4), st.integers(1, 4))
def test_output_size_counts_windows(size, kernel, stride, low, high, dilation):
    expected = windows(size, kernel, stride, low, high, dilation)
    if not expected:
        with pytest.raises(ValueError, match="that the window"):
            conv_window("f", (size,), (kernel,), stride, ((low, high),), dilation)
        return
    window = conv_window("f", (size,), (kernel,), stride, ((low, high),), dilation)
    assert window.output_size((1, 1, size)) == (1, 1, len(expected))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))
def test_same_padding_is_the_least_that_leads_to_its_size(size, kernel, stride, dilation):
    (low, high), = conv_padding("f", "same", (size,), (kernel,), (stride,), (dilation,))
    assert len(windows(size, kernel, stride, low, high, dilation)) == -(-size // stride)
    assert high - low in (0, 1)  # an odd pixel goes to the end
    if low + high:
        assert len(windows(size, kernel, stride, low, high - 1, dilation)) < -(-size // stride)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3),
       st.integers(0, 3), st.integers(1, 4), st.integers(0, 3))
def test_a_transposed_convolution_has_a_size_that_its_convolution_undoes(
        size, kernel, stride, low, high, dilation, extra):
    out = (size - 1) * stride - low - high + dilation * (kernel - 1) + extra + 1
    if extra >= max(stride, dilation) or out < 1:
        with pytest.raises(ValueError, match=r"output_padding below|at least one pixel"):
            transposed_window("f", (size,), (kernel,), stride, ((low, high),), extra, dilation)
        return
    window, full = transposed_window("f", (size,), (kernel,), stride, ((low, high),), extra,
                                     dilation)
    assert full == (1, 1, out)
    if extra < stride:
        assert window.output_size(full) == (1, 1, size)


@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("stride", range(1, 4))
@pytest.mark.parametrize("kernel", range(1, 5))
def test_transposed_same_grows_by_the_stride(size, stride, kernel):
    window, out = transposed_window("f", (size,), (kernel,), stride, "same", 0, 1)
    assert out == (1, 1, size * stride)
    assert window.output_size(out) == (1, 1, size)


def test_rules_by_hand():
    def pairs(rule, size=(7, 8), kernel=(3, 4), stride=(1, 2), dilation=(2, 1)):
        return conv_padding("f", rule, size, kernel, stride, dilation)

    assert pairs("valid") == ((0, 0), (0, 0))
    assert pairs("full") == ((4, 4), (3, 3))
    assert pairs("same") == ((2, 2), (1, 1))
    assert pairs("same", stride=(9, 9)) == ((0, 0), (0, 0))
    assert pairs(2) == ((2, 2), (2, 2))
    assert pairs((2, 3)) == ((2, 2), (3, 3))
    assert pairs(((2, 3), (0, 1))) == ((2, 3), (0, 1))
    assert pairs((5,)) == ((5, 5), (5, 5))
    assert conv_padding("f", ((1, 2),), (5,), (3,), (1,), (1,)) == ((1, 2),)


def test_missing_axes_are_one_long_and_come_in_front():
    assert three_axes((3,), (2,), ((1, 0),), (4,)) == Window(
        (1, 1, 3), (1, 1, 2), ((0, 0), (0, 0), (1, 0)), (1, 1, 4))
    assert three_axes((3, 5), (2, 1), ((1, 0), (2, 2)), (4, 1)).kernel == (1, 3, 5)
    volume = three_axes((3, 5, 7), (2, 1, 1), ((1, 0), (2, 2), (0, 0)), (4, 1, 1))
    assert volume.kernel == (3, 5, 7)
    assert volume.output_size((11, 5, 9)) == (2, 5, 3)


@pytest.mark.parametrize("value", [
    2, np.int64(2), np.uint8(2), (2,), [2], (2, 2), [2, 2], np.array([2, 2]), (np.int32(2), 2),
], ids=repr)
def test_numbers_may_come_in_every_way(value):
    expected = conv_window("f", (9, 9), (3, 3), (2, 2), ((2, 2), (2, 2)), (2, 2))
    assert conv_window("f", (9, 9), (3, 3), value, value, value) == expected
    assert shapes.tuple_of(value, 2, "f", "stride", 1) == (2, 2)


def test_nested_lists_are_pairs():
    expected = conv_window("f", (9, 9), (3, 3), 1, ((1, 2), (0, 3)), 1)
    for value in [[1, 2], [0, 3]], [(1, 2), (0, 3)], np.array([[1, 2], [0, 3]]):
        assert conv_window("f", (9, 9), (3, 3), 1, value, 1) == expected


def test_remembering_windows_takes_bounded_memory():
    for size in range(5000):
        conv_window("f", (size + 3, 3), (3, 3), 1, 0, 1)
    assert conv_window.cache_info().currsize <= 4096


def test_shapes_as_people_write_them():
    assert [checks.shape_text(s) for s in ((), (3,), (2, 3))] == ["()", "(3,)", "(2, 3)"]


def test_require_raises_unless_its_condition_holds():
    checks.require(True, "f", "this", "that", "Do so.")
    with pytest.raises(ValueError, match=r"^f: expected this, got that\. Do so\.$"):
        checks.require(False, "f", "this", "that", "Do so.")
    with pytest.raises(TypeError, match=r"^f: expected this, got that\. Do so\.$"):
        checks.fail("f", "this", "that", "Do so.", TypeError)


def test_output_sizes_are_exact_beyond_32_bits():
    window = three_axes((3, 3), (1, 2), ((1, 1), (1, 1)), (1, 1))
    assert window.output_size((1, 2**40, 2**40)) == (1, 2**40, 2**39)


def test_what_is_remembered_is_computed_once_for_each_type_and_value():
    calls = []

    @shapes.remembered
    def double(value):
        calls.append(value)
        if value is None:
            raise TypeError("double: no number")
        return value * 2

    found = [double(2), double(2), double(2.0), double([1]), double((1,))]
    assert found == [4, 4, 4.0, (1, 1), (1, 1)]
    assert calls == [2, 2.0, (1,)]
    assert type(double(2.0)) is float
    for _ in range(2):
        with pytest.raises(TypeError, match="no number"):
            double(None)
