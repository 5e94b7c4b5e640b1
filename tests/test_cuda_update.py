"""Optimiser updates on a GPU, or in the simulator, against the plain NumPy kernels."""

import numpy as np
import pytest
from on_device import Hosted
from test_optim import KERNELS, LAYOUTS, channels_last, copies, flat, kernel_arrays, strided

from tinycnn._core import gpu
from tinycnn._core.reference import update as reference

if gpu.why_none():
    pytest.skip(gpu.why_none(), allow_module_level=True)

from tinycnn._core.cuda import update
from tinycnn._core.cuda.backend import to_device, to_host

on_device = Hosted(update)
# A few roundings of numbers around 1; a bias correction in float32 is one of them.
TOLERANCE = {np.float32: 3e-6, np.float64: 1e-14}
SIZES = [0, 1, 3, 4, 5, 31, 33, 63, 64, 65, 130]  # around four, a block's threads, and a chunk


def compare(mine, expected, dtype):
    for a, b in zip(flat(mine), flat(expected)):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
        assert a.dtype == b.dtype


@pytest.mark.parametrize(("name", "kinds", "numbers"), KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernel_equals_reference_at_sizes_around_its_chunks(name, kinds, numbers, dtype):
    lists = kernel_arrays(kinds, SIZES, dtype)
    mine, expected = copies(lists), copies(lists)
    there = [arrays and [to_device(a) for a in arrays] for arrays in mine]
    for _ in range(2):  # the second step finds its tables, and the counts of ended blocks at 0
        getattr(update, name)(*there, *numbers)
        getattr(reference, name)(*expected, *numbers)
    mine = [arrays and [to_host(a) for a in arrays] for arrays in there]
    compare(mine, expected, dtype)
    if kinds[-1] == "step":
        assert [float(s) for s in mine[-1]] == [i % 5 + 2 for i in range(len(SIZES))]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_settings_that_other_cases_leave_out(dtype):
    for name, kinds, numbers in [
        ("adam_update", ["any", "+", None, "step"], (0.1, 0.0, 0.0, 1e-8, 0.0, False, False)),
        ("adam_update", ["any", "+", None, "step"], (0.1, 0.9, 0.999, 1e-8, 0.1, True, False)),
        ("sgd_update", ["any"], (0.1, 0.9, 1.0, 0.0, True, False)),
    ]:
        lists = kernel_arrays(kinds, [5, 9], dtype)
        expected = copies(lists)
        getattr(on_device, name)(*lists, *numbers)
        getattr(reference, name)(*expected, *numbers)
        compare(lists, expected, dtype)


@pytest.mark.parametrize("step", [0, 1, 10, 999, 10**6])
def test_bias_correction_keeps_its_digits_in_float32(step):
    """1 - 0.999^step would lose four of seven digits in the first steps."""
    one, eps = np.ones(1, np.float32), 0.0
    lists = [[one * 0], [one * 0.5], [one * 0], [one * 0], None, [np.float32(step) * one]]
    expected = [arrays and [a.astype(float) for a in arrays] for arrays in lists]
    expected[5] = [lists[5][0].copy()]
    on_device.adam_update(*lists, 1.0, 0.9, 0.999, eps, 0.0, False, False)
    reference.adam_update(*expected, 1.0, 0.9, 0.999, eps, 0.0, False, False)
    np.testing.assert_allclose(lists[0][0], expected[0][0], rtol=1e-6)


@pytest.mark.parametrize("of_gradient", LAYOUTS)
@pytest.mark.parametrize("of_parameter", LAYOUTS[:4])
@pytest.mark.parametrize("of_state", [np.ascontiguousarray, strided])
def test_memory_layout_of_parameter_gradient_and_state_does_not_matter(
    of_parameter, of_gradient, of_state
):
    name, kinds, numbers = KERNELS[5]
    lists = kernel_arrays(kinds, [(3, 2, 2, 3), (2, 3, 1, 2)], np.float32)
    expected = copies(lists)
    getattr(reference, name)(*expected, *numbers)
    run = [
        [layout(a) for a in arrays] if layout else copies([arrays])[0]
        for arrays, layout in zip(lists, [of_parameter, of_gradient, *[of_state] * 3, None])
    ]
    getattr(on_device, name)(*run, *numbers)
    compare(run, expected, np.float32)


def test_arrays_of_one_layout_are_not_copied(monkeypatch):
    lists = [[channels_last(a) for a in arrays] for arrays in
             kernel_arrays(["any"], [(3, 5, 2, 2), (4, 3, 1, 1)], np.float32)]
    expected = copies(lists)
    monkeypatch.setattr(update, "_run_copies", None)
    on_device.sgd_update(*lists, *KERNELS[2][2])
    reference.sgd_update(*expected, *KERNELS[2][2])
    compare(lists, expected, np.float32)


@pytest.mark.parametrize("name", ["sgd_update", "adagrad_update"])
def test_memory_that_is_not_aligned_to_16_bytes(name):
    kinds, numbers = (["any"], KERNELS[2][2]) if name == "sgd_update" else (
        ["+", "step"], KERNELS[10][2])
    lists = kernel_arrays(kinds, [70], np.float32)
    expected = copies(lists)
    memory = [[to_device(np.concatenate([a[:1], a]))[1:] if a.ndim else to_device(a)
               for a in arrays] for arrays in lists]
    getattr(update, name)(*memory, *numbers)
    getattr(reference, name)(*expected, *numbers)
    compare([[to_host(a) for a in arrays] for arrays in memory], expected, np.float32)


def test_float32_and_float64_parameters_share_a_call():
    lists = [[np.ones(5, np.float32), np.ones(5)], [np.ones(5, np.float32), np.ones(5)], None]
    on_device.sgd_update(*lists, 0.1, 0.0, 0.0, 0.0, False, False)
    assert lists[0][0].dtype == np.float32
    assert lists[0][1].dtype == np.float64
    assert lists[0][1][0] == 0.9


def test_empty_lists_are_no_update():
    update.sgd_update([], [], None, 0.1, 0.0, 0.0, 0.0, False, False)
    update.adam_update([], [], [], [], None, [], 0.1, 0.9, 0.99, 1e-8, 0.0, False, False)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_nan_infinity_and_subnormal_momentum(decay):
    p = np.array([1, np.inf, -np.inf, np.nan, 1, 1, 2], np.float32)
    g = np.array([0, 1, 1, 1, np.nan, np.inf, 0], np.float32)
    state = np.array([1e-38, 0, np.nan, 1, 1, 1, -1e-38], np.float32)
    for name, kinds, numbers in KERNELS:
        numbers = [decay if n == 0.3 else n for n in numbers]
        numbers = [False if n is True else n for n in numbers]
        mine = [[p.copy()], [g.copy()], *[
            None if k is None else [np.zeros((), np.float32) if k == "step" else state.copy()]
            for k in kinds]]
        if name == "adam_update" and mine[4]:
            mine[4][0][:2] = np.nan  # NaN stays the largest
        expected = copies(mine)
        getattr(on_device, name)(*mine, *numbers)
        getattr(reference, name)(*expected, *numbers)
        compare(mine, expected, np.float32)
        if name in ("sgd_update", "adam_update") and mine[2] and decay == 0:
            assert mine[2][0][[0, 6]].tolist() == [0, 0]


# Tables and numbers ------------------------------------------------------------------------------


def uploads(monkeypatch):
    count = []
    upload = update.upload
    monkeypatch.setattr(update, "upload", lambda values: count.append(1) or upload(values))
    return count


def test_a_step_with_the_same_arrays_uploads_nothing(monkeypatch):
    lists = [[to_device(a) for a in arrays] for arrays in
             kernel_arrays(["any", "+"], [5, 70], np.float32)[:3]]
    count = uploads(monkeypatch)
    update.sgd_update(*lists, 0.1, 0.9, 0.0, 0.0, False, False)
    assert count
    del count[:]
    update.sgd_update(*lists, 0.1, 0.9, 0.0, 0.0, False, False)
    assert not count
    update.sgd_update(*lists, 0.05, 0.9, 0.0, 0.0, False, False)
    assert len(count) == 1  # the new learning rate


def test_an_array_of_another_shape_at_the_same_address_is_checked_anew():
    p, g = to_device(np.ones((2, 3), np.float32)), to_device(np.ones((2, 3), np.float32))
    update.sgd_update([p], [g], None, 0.1, 0.0, 0.0, 0.0, False, False)
    with pytest.raises(ValueError, match=r"grad of parameter 0 to be \(2, 3\) .*got \(3, 2\)"):
        update.sgd_update([p], [g.reshape(3, 2)], None, 0.1, 0.0, 0.0, 0.0, False, False)


def test_tables_are_dropped_when_there_are_many_but_not_those_of_a_capture():
    from tinycnn._core.cuda.kept import Kept

    kept, made = Kept(most=2), []
    for key, for_ever in (("a", True), ("b", False), ("c", False), ("d", False), ("a", False),
                          ("d", False), ("b", False)):
        kept.get(key, lambda key=key: made.append(key) or key, for_ever)
    assert made == ["a", "b", "c", "d", "b"]


def test_a_capture_gives_the_numbers_a_place_of_its_own(monkeypatch):
    """What is written there later is what a replay computes with."""
    places = []

    class Capture:
        def numbers(self, values, dtype):
            places.append(to_device(np.array(values, dtype)))
            return places[-1]

        def each_replay(self, call):
            places.append(call)

    monkeypatch.setattr(update, "capture", Capture())
    p, g = to_device(np.ones(3, np.float32)), to_device(np.ones(3, np.float32))
    update.each_replay(lambda: update.sgd_update([p], [g], None, 0.5, 0.0, 0.0, 0.0, False, False))
    assert to_host(p).tolist() == [0.5] * 3
    assert to_host(places[0])[1] == 0.5
    assert callable(places[1])


# Errors ------------------------------------------------------------------------------------------

ONE, TWO = np.ones(1, np.float32), np.ones(2, np.float32)
BAD_ARRAYS = [
    ([ONE.astype(np.int64)], [ONE], [ONE], [ONE], TypeError, "float32 or float64, got int64"),
    ([ONE], [ONE, ONE], [ONE], [ONE], ValueError, "one grad for each of 1 parameters, got 2"),
    ([ONE], [ONE], [], [ONE], ValueError, "one sum for each of 1 parameters, got 0"),
    ([ONE], [TWO], [ONE], [ONE], ValueError, r"grad of parameter 0 to be \(1,\) .*got \(2,\)"),
    ([ONE], [ONE.astype(float)], [ONE], [ONE], TypeError, "grad .* float32, got .* float64"),
    ([ONE], [memoryview(ONE)], [ONE], [ONE], TypeError, "to be an array, got memoryview"),
    ([ONE, TWO], [ONE, TWO], [ONE, ONE], [ONE, ONE], ValueError, "sum of parameter 1 to be"),
    ([ONE], [ONE], [ONE], [TWO], ValueError, r"step of parameter 0 to be \(\) float32"),
    ([ONE], [ONE], [ONE], [ONE.astype(float)], TypeError, "step of parameter 0 to be"),
]


@pytest.mark.parametrize(("params", "grads", "sums", "steps", "error", "match"), BAD_ARRAYS)
def test_arrays_that_do_not_fit_are_named_and_nothing_is_changed(
    params, grads, sums, steps, error, match
):
    lists = [[to_device(a.copy()) if isinstance(a, np.ndarray) else a for a in arrays]
             for arrays in (params, grads, sums, steps)]
    with pytest.raises(error, match=match):
        update.adagrad_update(*lists, 0.1, 0.0, 1e-8, 0.0, False)
    for a, b in zip(flat([lists[0], lists[2], lists[3]]), flat([params, sums, steps])):
        np.testing.assert_array_equal(to_host(a), b)
