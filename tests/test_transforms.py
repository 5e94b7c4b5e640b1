"""Transforms: a picture and a batch give the same numbers, in any layout; inputs stay the same."""

import numpy as np
import pytest

import tinycnn
from tinycnn.data.random import samples
from tinycnn.data.transforms import (
    Compose,
    Lambda,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    RandomShift,
    ToFloat,
    Transform,
)

ALL = [
    ToFloat(),
    Normalize([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]),
    Normalize(0.5, 0.25),
    RandomHorizontalFlip(),
    RandomCrop(5),
    RandomCrop((6, 9), padding=(1, 2)),
    RandomCrop((9, 8), padding=[0, 1, 2, 3], fill=0.5),
    RandomCrop(7, padding=3, padding_mode="reflect"),
    RandomCrop(7, padding=3, padding_mode="edge"),
    RandomShift(3, fill=-1),
    RandomShift((0, 2)),
    Lambda(lambda x: x * 2),
    Lambda(lambda x: x[:, :, ::-1], batched=True),
    Compose([RandomShift(1), lambda x: x + 1, RandomHorizontalFlip(0.3)]),
]


def pictures(n=6, dtype=np.float32):
    return np.random.default_rng(1).random((n, 3, 8, 7)).astype(dtype)


def apply(transform, x, positions=None, seed=7):
    with samples(seed, np.arange(len(x)) if positions is None else positions):
        return transform(x)


@pytest.mark.parametrize("transform", ALL, ids=repr)
def test_a_batch_is_its_pictures_one_by_one(transform):
    x = pictures()
    kept = x.copy()
    y = apply(transform, x)
    for i in range(len(x)):
        assert (apply(transform, x[i], np.array([i])) == y[i]).all()
    assert (x == kept).all()
    assert not np.shares_memory(x, y) or isinstance(transform, Lambda)


@pytest.mark.parametrize("transform", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layouts_and_types(transform, dtype):
    x = pictures(dtype=dtype)
    expected = apply(transform, x)
    wanted = np.float32 if isinstance(transform, ToFloat) else dtype
    assert expected.dtype == wanted
    channels_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    y = apply(transform, channels_last)
    assert (y == expected).all()
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous or isinstance(transform, (Lambda, Compose))
    wide = np.zeros((12, 3, 8, 14), dtype)
    strided = wide[::2, :, :, ::-2]
    strided[...] = x
    strided.setflags(write=False)
    assert (apply(transform, strided) == expected).all()


@pytest.mark.parametrize("transform", [t for t in ALL if not isinstance(t, Compose)], ids=repr)
def test_empty_batches(transform):
    x = pictures(0)
    if isinstance(transform, Lambda) and not transform.batched:
        with pytest.raises(ValueError, match="at least one sample"):
            transform(x)
    else:
        assert transform(x).shape[0] == 0


@pytest.mark.parametrize("transform", ALL, ids=repr)
def test_tensors_stay_tensors(transform):
    x = pictures()
    y = apply(transform, tinycnn.tensor(x))
    assert isinstance(y, tinycnn.Tensor)
    assert (y.numpy() == apply(transform, x)).all()


def test_to_float():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    y = ToFloat()(levels)
    assert y.dtype == np.float32
    assert (y == levels.astype(np.float32) / np.float32(255)).all()
    assert ToFloat()(np.array([[[True, False]]])).tolist() == [[[1.0, 0.0]]]
    with pytest.raises(TypeError, match=r"ToFloat: expected uint8.*got int64.*Lambda"):
        ToFloat()(np.zeros((1, 2, 2), np.int64))


def test_normalize():
    x = pictures()
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 3.0])
    y = Normalize(mean, std)(x)
    expected = (x - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)
    assert np.allclose(y, expected, rtol=1e-6, atol=1e-7)
    assert np.isnan(Normalize(0, 1)(np.full((1, 1, 1), np.nan))).all()


@pytest.mark.parametrize(
    ("make", "x", "error", "message"),
    [
        (lambda: Normalize(0.5, 0.5), np.zeros((1, 2, 2), np.uint8), TypeError,
         r"floating-point picture, got uint8\. Put ToFloat"),
        (lambda: Normalize([1, 2], 1), np.zeros((3, 2, 2)), ValueError,
         r"mean \(2\) and std \(1\).*got \(1, 3, 2, 2\)"),
        (lambda: Normalize([1, 2], [1, 2, 3]), np.zeros((3, 2, 2)), ValueError, "one mean"),
        (lambda: Normalize(0, [1, 0]), None, ValueError, "std other than 0"),
        (lambda: RandomHorizontalFlip(1.5), None, ValueError, "p from 0 to 1, got 1.5"),
        (lambda: RandomCrop(0), None, ValueError, "size to be one int or 2 ints"),
        (lambda: RandomCrop(2, padding=-1), None, ValueError, "1, 2 or 4 ints.*got -1"),
        (lambda: RandomCrop(2, padding=(1, 2, 3)), None, ValueError, "1, 2 or 4 ints"),
        (lambda: RandomCrop(2, padding_mode="mirror"), None, ValueError, "padding_mode among"),
        (lambda: RandomCrop(9, padding=1), np.zeros((1, 6, 8)), ValueError,
         r"at least \(9, 9\) pixels, got \(1, 1, 6, 8\) with padding=1"),
        (lambda: RandomShift(-1), None, ValueError, "max_shift"),
        (lambda: RandomShift("a"), None, TypeError, "max_shift"),
        (lambda: Lambda(3), None, TypeError, "a function, got 3"),
        (lambda: Compose([ToFloat(), 3]), None, TypeError, "functions or transforms, got 3"),
        (lambda: ToFloat(), np.zeros((2, 2)), ValueError,
         r"ToFloat: expected a picture \(C, H, W\) or a batch.*got \(2, 2\)"),
        (lambda: Transform(), np.zeros((1, 2, 2)), TypeError, "expected an apply method"),
    ],
)
def test_errors(make, x, error, message):
    with pytest.raises(error, match=message):
        make()(x)


def test_flip_mirrors_about_half_of_the_pictures():
    x = np.broadcast_to(np.arange(4.0), (4000, 1, 2, 4))
    flipped = apply(RandomHorizontalFlip(0.25), x)[:, 0, :, 0]
    assert set(np.unique(flipped)) == {0.0, 3.0}
    assert (flipped[:, 0] == flipped[:, 1]).all()
    assert abs((flipped[:, 0] == 3).sum() - 1000) < 5 * np.sqrt(4000 * 0.25 * 0.75)
    assert (apply(RandomHorizontalFlip(0.0), x) == x).all()
    assert (apply(RandomHorizontalFlip(1.0), x) == x[..., ::-1]).all()


def test_crop_places_are_all_reached_and_hold_the_right_pixels():
    rows, columns = np.mgrid[:6, :8]
    x = np.broadcast_to((10 * rows + columns)[None, None], (2000, 1, 6, 8))
    parts = apply(RandomCrop((3, 5), padding=(1, 2), fill=-1), x)
    padded = np.pad(x[0, 0], ((2, 2), (1, 1)), constant_values=-1)
    places = {(i, j): padded[i : i + 3, j : j + 5].tobytes() for i in range(8) for j in range(6)}
    seen = [part[0].copy().tobytes() for part in parts]
    assert set(seen) == set(places.values())
    counts = [seen.count(place) for place in places.values()]
    assert max(abs(c - 2000 / 48) for c in counts) < 5 * np.sqrt(2000 / 48)


def test_padding_sides_are_left_top_right_bottom():
    x = np.ones((1, 2, 2))
    y = RandomCrop((6, 8), padding=(1, 2, 5, 2))(x)
    assert np.argwhere(y[0]).min(0).tolist() == [2, 1]


def test_a_crop_of_the_whole_picture_is_the_picture():
    x = pictures()
    assert (RandomCrop((8, 7))(x) == x).all()
    assert (RandomShift(0)(x) == x).all()


def test_shift_moves_by_up_to_max_shift():
    x = np.zeros((3000, 1, 9, 9), np.uint8)
    x[:, :, 4, 4] = 1
    y = apply(RandomShift((2, 1)), x)
    assert (y.sum((1, 2, 3)) == 1).all()
    moves = np.argwhere(y)[:, 2:] - 4
    assert {tuple(move) for move in moves.tolist()} == {
        (i, j) for i in range(-2, 3) for j in range(-1, 2)
    }
    assert y.dtype == np.uint8


def test_two_random_transforms_in_one_pipeline_draw_different_numbers():
    x = np.zeros((500, 1, 21, 21), np.float32)
    x[:, :, 10, 10] = 1
    once, twice = apply(RandomShift(5), x), apply(Compose([RandomShift(5), RandomShift(5)]), x)
    first = np.argwhere(once)[:, 2:] - 10
    both = np.argwhere(twice)[:, 2:] - 10
    second = both - first
    assert (second != first).any(axis=0).all()
    assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 5 / np.sqrt(500)


def test_plain_functions_in_compose_get_single_pictures():
    shapes = []

    def note(x):
        shapes.append(x.shape)
        return x.reshape(-1)

    y = Compose([ToFloat(), note])(pictures(2))
    assert shapes == [(3, 8, 7)] * 2
    assert y.shape == (2, 168)
    with pytest.raises(ValueError, match=r"Normalize: .* got \(2, 168\)"):
        Compose([note, Normalize(0, 1)])(pictures(2))


def test_reprs_say_how_to_make_the_same():
    assert repr(Compose([ToFloat(), Normalize(0.5, 0.25)])) == (
        "Compose(transforms=[ToFloat(), Normalize(mean=0.5, std=0.25)])"
    )
    assert repr(RandomShift(2)) == "RandomShift(max_shift=(2, 2), fill=0)"
    assert repr(RandomCrop(32, 4)) == (
        "RandomCrop(size=(32, 32), padding=4, fill=0, padding_mode='constant')"
    )
