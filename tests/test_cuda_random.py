"""Random numbers and dropout on a GPU, or in the simulator: the bits of the plain NumPy kernels."""

import numpy as np
import pytest
from on_device import Hosted
from test_dropout import KNOWN_ANSWERS

from tinycnn._core import gpu, reference

if gpu.why_none():
    pytest.skip(gpu.why_none(), allow_module_level=True)

from tinycnn._core.cuda import random
from tinycnn._core.cuda.backend import to_device, to_host

SEED = 0xFEDCBA9876543210


def test_uniform_numbers_start_with_the_first_known_answer():
    numbers = np.empty(4, "float32")
    Hosted(random).random_uniform(numbers, 0, 0)
    assert (numbers * 2**24).astype(int).tolist() == [w >> 8 for w in KNOWN_ANSWERS[0][2]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 64, 151])  # 151: two blocks in the simulator
@pytest.mark.parametrize("offset", [0, 1, 3, 2**34 - 2, 2**63 + 1])
def test_bits_are_the_reference_s(rng, dtype, count, offset):
    found, expected = np.full(count, np.nan, dtype), np.full(count, np.nan, dtype)
    Hosted(random).random_uniform(found, SEED, offset)
    reference.random_uniform(expected, SEED, offset)
    assert found.tobytes() == expected.tobytes()
    x = rng.normal(size=count).astype(dtype)
    for p in (0, 0.3, 1 - 2**-33, 1):
        Hosted(random).dropout(x, found, p, SEED, offset)
        reference.dropout(x, expected, p, SEED, offset)
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_memory_that_is_not_aligned_to_16_bytes(dtype):
    memory = to_device(np.arange(24.0).astype(dtype))
    x, y = memory[1:11], memory[13:23]
    random.dropout(x, y, 0.5, 3, 8)
    expected = np.arange(24.0).astype(dtype)
    reference.dropout(expected[1:11], expected[13:23], 0.5, 3, 8)
    np.testing.assert_array_equal(to_host(memory), expected)
    random.random_uniform(y, 3, 8)
    reference.random_uniform(expected[13:23], 3, 8)
    np.testing.assert_array_equal(to_host(memory), expected)


def test_dense_memory_of_any_order_is_filled_in_its_order():
    x = np.asfortranarray(np.arange(12, dtype="float32").reshape(3, 4))
    y, expected = np.empty_like(x), np.empty_like(x)
    Hosted(random).dropout(x, y, 0.5, 1, 0)
    reference.dropout(x, expected, 0.5, 1, 0)
    np.testing.assert_array_equal(y, expected)


def test_nan_and_infinity_stay_even_where_they_are_dropped():
    x = np.array([np.nan, np.inf, -np.inf, -1.0] * 4, "float32")
    y, expected = np.empty_like(x), np.empty_like(x)
    Hosted(random).dropout(x, y, 0.5, 0, 0)
    reference.dropout(x, expected, 0.5, 0, 0)
    np.testing.assert_array_equal(y, expected)
    assert np.isnan(y).sum() > 4  # NaN, and 0 * infinity


def test_a_capture_replaces_seed_and_shift(monkeypatch):
    """A replay overwrites [seed, shift]: the numbers are those of the sum of shift and offset."""
    monkeypatch.setattr(random, "override", to_device(np.array([7, 21], np.uint64)))
    for kernel, more in (("random_uniform", ()), ("dropout", (np.ones(9, "float32"),))):
        found, expected = np.empty(9, "float32"), np.empty(9, "float32")
        p = (0.5,) * len(more)
        getattr(Hosted(random), kernel)(*more, found, *p, 5, 2**64 - 16)
        getattr(reference, kernel)(*more, expected, *p, 7, 5)  # counted modulo 2^64
        assert found.tobytes() == expected.tobytes()


def test_words_of_a_seed_are_uploaded_once():
    assert random.stream_words(12) is random.stream_words(12)
