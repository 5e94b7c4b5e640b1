"""Random numbers and dropout: known answers, statistics, equal bits, gradients, every message."""

import numpy as np
import pytest

import tinycnn
from tinycnn._core import cpu, reference
from tinycnn._core.reference import random as plain
from tinycnn.ops import dropout as ops
from tinycnn.random import next_offset
from tinycnn.testing import assert_same_on_devices

CHANNELWISE = [("dropout1d", (40, 30, 7)), ("dropout2d", (40, 30, 3, 4)),
               ("dropout3d", (40, 30, 2, 3, 2))]

# counter, key, words: from the known-answer file of Random123 (philox4x32 10)
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, words):
    assert tuple(map(int, plain.philox(counter, key))) == words


def test_uniform_numbers_start_with_the_first_known_answer(isa):
    numbers = np.empty(4, "float32")
    cpu.random_uniform(numbers, 0, 0)
    assert (numbers * 2**24).astype(int).tolist() == [w >> 8 for w in KNOWN_ANSWERS[0][2]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 3, 64, 67, 256, 4096, 9001])
@pytest.mark.parametrize("offset", [0, 1, 2, 3, 2**34 - 2, 2**63 + 1])
def test_compiled_and_plain_generators_give_the_same_bits(isa, rng, dtype, count, offset):
    seed = 0xFEDCBA9876543210
    found, expected = np.empty(count, dtype), np.empty(count, dtype)
    cpu.random_uniform(found, seed, offset)
    reference.random_uniform(expected, seed, offset)
    assert found.tobytes() == expected.tobytes()
    x = rng.normal(size=count).astype(dtype)
    for p in (0, 0.1, 0.5, 1 - 2**-33, 1):
        cpu.dropout(x, found, p, seed, offset)
        reference.dropout(x, expected, p, seed, offset)
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers_are_uniform(dtype):
    x = np.empty((1000, 1000), dtype)
    cpu.random_uniform(x, 3, 0)
    assert x.min() >= 0
    assert x.max() < 1
    counts = np.bincount((x.ravel() * 100).astype(int), minlength=100)
    chi_square = ((counts - 1e4) ** 2 / 1e4).sum()  # of 99 degrees of freedom: 99 +- 14
    assert 50 < chi_square < 160
    flat = x.ravel() - 0.5
    for lag in (1, 2, 3, 4, 64):  # covariance: standard error 1 / 12 / 1000
        assert abs((flat[lag:] * flat[:-lag]).mean()) < 5 / 12 / 1000


def test_a_part_of_the_sequence_is_the_same_by_itself():
    for dtype in ("float32", "float64"):
        whole, part = np.empty(100, dtype), np.empty(41, dtype)
        cpu.random_uniform(whole, 9, 1000)
        cpu.random_uniform(part, 9, 1017)
        assert part.tobytes() == whole[17:58].tobytes()


def test_seeds_and_dtypes_share_no_numbers():
    draws = []
    for seed in (0, 1, 2**32):
        for dtype in ("float32", "float64"):
            draws.append(np.empty(256, dtype))
            cpu.random_uniform(draws[-1], seed, 0)
    for i, a in enumerate(draws):
        for b in draws[:i]:
            assert np.abs(a - b).min() > 1e-7


# Dropout -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_share_of_zeros_and_scale_of_the_rest(p):
    n = 200_000
    y = ops.dropout(tinycnn.ones(n), p).numpy()
    assert abs((y == 0).mean() - p) < 5 * (p * (1 - p) / n) ** 0.5
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)


def test_the_mask_is_that_of_the_uniform_numbers():
    seed, offset = 5, 40
    words = plain.random_words(1000, seed, offset)
    y = np.empty(1000, "float32")
    cpu.dropout(np.ones(1000, "float32"), y, 0.3, seed, offset)
    np.testing.assert_array_equal(y != 0, words / 2**32 >= 0.3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (5, 3), (2, 3, 0), (2, 3, 4, 5), (70, 1001)])
def test_compiled_and_plain_kernels_agree(rng, dtype, shape):
    x = tinycnn.tensor(np.asarray(rng.normal(size=shape), dtype), requires_grad=True)

    def drop(x):
        tinycnn.manual_seed(3)
        return ops.dropout(x, 0.4)

    assert_same_on_devices(drop, x, rtol=0)


def test_any_number_of_threads_gives_the_same_mask(set_threads):
    results = set()
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        tinycnn.manual_seed(11)
        x = tinycnn.ones(123_457, requires_grad=True)
        y = ops.dropout(x)
        y.backward(tinycnn.ones(123_457))
        results.add((y.data.tobytes(), x.grad.data.tobytes()))
    assert len(results) == 1


def test_seed_decides_and_every_call_draws_anew():
    def two():
        return [ops.dropout(tinycnn.ones(100)).numpy().tolist() for _ in range(2)]

    tinycnn.manual_seed(1)
    first = two()
    tinycnn.manual_seed(1)
    assert two() == first
    assert first[0] != first[1]
    tinycnn.manual_seed(2)
    assert two() != first


def test_dtypes_share_the_mask():
    masks = []
    for dtype in (tinycnn.float32, tinycnn.float64):
        tinycnn.manual_seed(4)
        masks.append((ops.dropout(tinycnn.ones(999, dtype=dtype)) != 0).numpy().tolist())
    assert masks[0] == masks[1]


@pytest.mark.parametrize("layout", ["plain", "channels_last", "strided"])
def test_gradient_is_the_mask(rng, layout):
    memory = rng.normal(size=(2, 5, 6, 6))
    array = {"plain": memory, "channels_last": memory.transpose(0, 3, 1, 2),
             "strided": memory[:, :, ::2]}[layout]
    x = tinycnn.autograd.wrap(array)
    x.requires_grad = True
    y = ops.dropout(x, 0.3)
    grad = rng.normal(size=x.shape)  # C-contiguous, whatever x is
    y.backward(tinycnn.tensor(grad))
    scale = np.where(y.data != 0, 1 / 0.7, 0)
    np.testing.assert_allclose(y.data, array * scale, rtol=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), grad * scale, rtol=1e-12)


def test_nan_stays_nan_even_where_it_is_dropped():
    assert np.isnan(ops.dropout(tinycnn.full((50,), float("nan"))).numpy()).all()


def test_nothing_and_everything_dropped():
    x = tinycnn.tensor([1.0, 2.0], requires_grad=True)
    assert ops.dropout(x, 0.0) is x
    assert ops.dropout(x, 0.5, training=False) is x
    assert ops.dropout(x, 0.5, False) is x
    y = ops.dropout(x, 1.0)
    assert y.data.tolist() == [0, 0]
    y.backward(tinycnn.ones(2))
    assert x.grad.numpy().tolist() == [0, 0]


def test_inplace_changes_no_value():
    x = tinycnn.ones(100)
    y = ops.dropout(x, 0.5, True, True)
    assert x.numpy().tolist() == [1] * 100
    assert sorted(set(y.numpy().tolist())) == [0, 2]


@pytest.mark.parametrize(("name", "shape"), CHANNELWISE)
def test_whole_channels_are_dropped(rng, name, shape):
    x = tinycnn.tensor(rng.normal(size=shape) + 10, requires_grad=True)
    y = getattr(ops, name)(x, 0.25)
    scale = (y.data / x.data).reshape(*shape[:2], -1)
    np.testing.assert_allclose(scale, np.broadcast_to(scale[..., :1], scale.shape), rtol=1e-12)
    dropped = (scale[..., 0] == 0).mean()
    assert abs(dropped - 0.25) < 5 * (0.1875 / 1200) ** 0.5
    np.testing.assert_allclose(scale[scale != 0], 4 / 3, rtol=1e-12)
    grad = rng.normal(size=shape)
    y.backward(tinycnn.tensor(grad))
    np.testing.assert_allclose(x.grad.numpy(), grad * (y.data / x.data), rtol=1e-12)


@pytest.mark.parametrize(("name", "shape"), CHANNELWISE)
def test_channels_nothing_and_everything_dropped(name, shape):
    x = tinycnn.ones(*shape)
    function = getattr(ops, name)
    assert function(x, 0) is x
    assert function(x, training=False) is x
    assert not function(x, 1).numpy().any()
    assert function(tinycnn.zeros(0, *shape[1:]), 0.5).shape == (0, *shape[1:])


def test_unbatched_channels():
    for name, shape in (("dropout1d", (200, 3)), ("dropout3d", (200, 1, 2, 2))):
        y = getattr(ops, name)(tinycnn.ones(*shape)).numpy().reshape(200, -1)
        assert (y == y[:, :1]).all()
        assert 60 < (y[:, 0] == 0).sum() < 140
        assert getattr(ops, name)(tinycnn.ones(*shape), training=False).shape == shape


def test_dropout2d_takes_three_axes_for_a_batch_with_a_warning():
    with pytest.warns(UserWarning, match=r"dropout2d: input \(4, 5, 6\) is taken for \(N, C, L\)"):
        y = ops.dropout2d(tinycnn.ones(4, 5, 6)).numpy()
    assert (y == y[:, :, :1]).all()


def test_offsets_do_not_overlap():
    tinycnn.manual_seed(0)
    x = tinycnn.ones(10)
    ops.dropout(x)
    assert next_offset(0) == (0, 12)
    ops.dropout2d(tinycnn.ones(2, 3, 4, 4))
    assert next_offset(0) == (0, 20)


# Messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shape"), [("dropout", (3,)), *CHANNELWISE])
def test_messages(name, shape):
    function = getattr(ops, name)
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=f"^{name}: expected p between 0 and 1, got {p}"):
            function(tinycnn.ones(*shape), p)
    with pytest.raises(TypeError, match=f"^{name}: expected p to be a number, got 'a'"):
        function(tinycnn.ones(*shape), "a")
    with pytest.raises(TypeError, match=f"^{name}: expected input to be of dtype float32"):
        function(tinycnn.tensor(np.ones(shape, int)))
    with pytest.raises(TypeError, match=f"^{name}: expected input to be a Tensor"):
        function(np.ones(shape))
    if name != "dropout":
        with pytest.raises(ValueError, match=rf"^{name}: expected input \(N, C, ...\) with"):
            function(tinycnn.ones(3))


def test_kernels_refuse_arrays_that_do_not_fit():
    a = np.zeros(4, "f4")
    for x, p in ((np.zeros(5, "f4"), 0.5), (np.zeros(4, "f8"), 0.5), (a, 2.0)):
        with pytest.raises(ValueError, match="one size and dtype, and p from 0 to 1"):
            cpu.dropout(x, a, p, 0, 0)
