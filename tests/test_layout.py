"""Feature maps as users index them, and as kernels read them: every device against `reference`."""

import numpy as np
import pytest

from tinycnn._core import cpu, reference

DEVICES = [cpu, reference]
SHAPES = [
    (2, 3, 5), (1, 1, 1), (0, 4, 3),
    (2, 3, 4, 5), (1, 4, 1, 1), (3, 1, 2, 2), (2, 5, 0, 3),
    (2, 3, 2, 4, 5), (1, 2, 1, 3, 1),
]


def maps(shape, rng):
    """Arrays of one shape in several layouts."""
    x = rng.standard_normal(shape)
    yield "contiguous", x
    yield "channels last", np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    yield "every second", np.repeat(x, 2, axis=-1)[..., ::2]
    yield "reversed", x[:, ::-1]
    yield "Fortran", np.asfortranarray(x.astype("f4"))
    yield "integers", (x * 10).astype("i4")


@pytest.mark.parametrize("k", DEVICES)
@pytest.mark.parametrize("shape", SHAPES)
def test_layouts_are_views_of_the_same_numbers(k, shape, rng):
    dims = len(shape) - 2
    for name, x in maps(shape, rng):
        expected = np.moveaxis(x, 1, -1).reshape(shape[0], *(1,) * (3 - dims), *shape[2:], shape[1])
        last, pixels = k.channels_last(x, dims), k.pixels(x, dims)
        for y in last, pixels:
            assert y.dtype == x.dtype
            np.testing.assert_array_equal(y, expected, err_msg=name, strict=True)
        assert pixels.flags.c_contiguous
        assert np.shares_memory(last, x) or not x.size
        assert np.shares_memory(pixels, x) == (last.flags.c_contiguous and x.size > 0)
        back = k.channels_first(pixels, dims)
        np.testing.assert_array_equal(back, x, err_msg=name, strict=True)
        assert np.shares_memory(back, pixels) or not x.size


@pytest.mark.parametrize("k", DEVICES)
def test_a_view_keeps_its_memory_and_is_written_through(k):
    weight = np.arange(24.0).reshape(2, 3, 2, 2)
    view = k.channels_last(weight, 2)
    view[1, 0, 1, 0, 2] = -1
    assert weight[1, 2, 1, 0] == -1
    view = k.channels_first(k.pixels(weight.copy(), 2), 2)
    np.testing.assert_array_equal(view, weight)  # nothing else holds the memory


@pytest.mark.parametrize("k", DEVICES)
def test_a_view_of_what_is_read_only_is_read_only(k):
    x = np.zeros((1, 2, 3))
    x.flags.writeable = False
    assert not k.channels_last(x, 1).flags.writeable
    assert not k.channels_first(np.broadcast_to(x[:, :, None, None], (1, 2, 1, 1, 3)), 1
                                ).flags.writeable


@pytest.mark.parametrize(("name", "shape", "dims"), [
    ("channels_last", (1, 2, 3), 2), ("pixels", (1, 2, 3, 4, 5, 6), 4),
    ("channels_first", (2, 3), 0), ("channels_first", (1, 2, 3, 4), 2),
])
def test_other_numbers_of_axes_are_refused(name, shape, dims):
    with pytest.raises(ValueError, match=r"layout: expected an array of \d axes for \d spatial"):
        getattr(cpu, name)(np.zeros(shape), dims)


@pytest.mark.parametrize("k", DEVICES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2,) * 8, (2,) * 9, (2,) * 17])
def test_empty_has_any_number_of_axes(k, shape):
    for dtype in np.dtype("f4"), np.dtype("i8"), np.dtype(bool):
        y = k.empty(shape, dtype)
        assert (y.shape, y.dtype) == (shape, dtype)
        assert y.flags.c_contiguous
        assert y.flags.writeable
