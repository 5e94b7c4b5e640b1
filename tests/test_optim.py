"""Optimizers: update kernels against their reference, groups, state, every error message."""

import copy
import inspect
import threading

import numpy as np
import pytest

import tinycnn
from tinycnn import optim
from tinycnn._core import cpu, kernels_for
from tinycnn._core.cpu import runtime
from tinycnn._core.reference import update as reference_update

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.01),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.2),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1),
    "centered": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.9, centered=True, eps=0.1),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "adadelta": lambda p: optim.Adadelta(p, weight_decay=0.01),
}
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def parameter(*shape, dtype=np.float32, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return tinycnn.tensor(np.asarray(values, dtype), requires_grad=True)


def set_gradients(parameters, step):
    rng = np.random.default_rng(100 + step)
    for p in parameters:
        p.grad = tinycnn.tensor(np.asarray(rng.standard_normal(p.shape), p.dtype))


def train(optimizer, parameters, steps):
    for step in steps:
        set_gradients(parameters, step)
        optimizer.step()


# --- kernels

# name, which lists of state it has (None: left out), numbers after the lists
KERNELS = [
    ("sgd_update", [None], (0.1, 0.0, 0.0, 0.0, False, False)),
    ("sgd_update", [None], (0.1, 0.0, 0.0, 0.3, False, True)),
    ("sgd_update", ["any"], (0.1, 0.9, 0.2, 0.3, False, False)),
    ("sgd_update", ["any"], (0.1, 0.9, 0.0, 0.3, True, True)),
    ("adam_update", ["any", "+", None, "step"], (0.1, 0.9, 0.99, 1e-8, 0.3, False, False)),
    ("adam_update", ["any", "+", "+", "step"], (0.1, 0.9, 0.99, 1e-8, 0.3, True, True)),
    ("rmsprop_update", ["+", None, None, "step"], (0.1, 0.9, 1e-8, 0.3, 0.0, False)),
    ("rmsprop_update", ["+", None, "any", "step"], (0.1, 0.9, 1e-8, 0.0, 0.5, True)),
    ("rmsprop_update", ["+", "small", None, "step"], (0.1, 0.9, 1e-8, 0.3, 0.0, False)),
    ("rmsprop_update", ["+", "small", "any", "step"], (0.1, 0.9, 1e-8, 0.3, 0.5, False)),
    ("adagrad_update", ["+", "step"], (0.1, 0.3, 1e-8, 0.3, False)),
    ("adadelta_update", ["+", "+", "step"], (0.1, 0.9, 1e-6, 0.3, True)),
]
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 4095, 4096, 4097, 9001]


def kernel_arrays(kinds, sizes, dtype):
    """Parameters, gradients and state of these sizes."""
    rng = np.random.default_rng(0)

    def arrays(kind):
        if kind is None:
            return None
        if kind == "step":
            return [np.array(i % 5, np.float32) for i in range(len(sizes))]
        values = [np.asarray(rng.standard_normal(size), dtype) for size in sizes]
        if kind == "small":
            return [np.asarray(v * 0.1, dtype) for v in values]
        return [np.asarray(abs(v) + 0.5, dtype) for v in values] if kind == "+" else values

    return [arrays(kind) for kind in ("any", "any", *kinds)]


def copies(lists):
    return [arrays and [a.copy("K") for a in arrays] for arrays in lists]


def flat(lists):
    return [a for arrays in lists if arrays for a in arrays]


@pytest.mark.parametrize("isa", range(runtime.ISA_NAMES.index(runtime.config()["isa_best"]) + 1),
                         ids=runtime.ISA_NAMES.__getitem__)
@pytest.mark.parametrize(("name", "kinds", "numbers"), KERNELS)
@both_dtypes
def test_kernel_equals_reference_at_every_size_around_the_vector_width(
    name, kinds, numbers, dtype, isa
):
    lists = kernel_arrays(kinds, SIZES, dtype)
    mine, expected = copies(lists), copies(lists)
    before = runtime.config()["isa"]
    runtime.set_isa(runtime.ISA_NAMES[isa])
    try:
        getattr(cpu, name)(*mine, *numbers)
    finally:
        runtime.set_isa(before)
    getattr(reference_update, name)(*expected, *numbers)
    tolerance = 2e-6 if dtype == np.float32 else 4e-15  # some roundings of numbers around 1
    for a, b in zip(flat(mine), flat(expected)):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
        assert a.dtype == b.dtype


@pytest.mark.parametrize(("name", "kinds", "numbers"), KERNELS)
def test_kernel_gives_equal_bits_for_every_number_of_threads(name, kinds, numbers):
    lists = kernel_arrays(kinds, [3, 30001, 0, 17, 12345, 4096], np.float32)
    before, results = runtime.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 8):
            runtime.set_num_threads(threads)
            run = copies(lists)
            getattr(cpu, name)(*run, *numbers)
            results.append([a.tobytes() for a in flat(run)])
    finally:
        runtime.set_num_threads(before)
    assert all(r == results[0] for r in results)


def channels_last(a):
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def strided(a):
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def unaligned(a):
    block = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    block[...] = a
    return block


LAYOUTS = [np.ascontiguousarray, np.asfortranarray, channels_last, strided, unaligned]


@pytest.mark.parametrize("of_gradient", LAYOUTS)
@pytest.mark.parametrize("of_parameter", LAYOUTS)
@pytest.mark.parametrize("of_state", [np.ascontiguousarray, np.asfortranarray, strided])
def test_memory_layout_of_parameter_gradient_and_state_does_not_matter(
    of_parameter, of_gradient, of_state
):
    name, kinds, numbers = KERNELS[5]
    lists = kernel_arrays(kinds, [(3, 5, 4, 7), (2, 3, 1, 5)], np.float32)
    expected = copies(lists)
    getattr(cpu, name)(*expected, *numbers)
    run = [
        [layout(a) for a in arrays] if layout else copies([arrays])[0]
        for arrays, layout in zip(lists, [of_parameter, of_gradient, *[of_state] * 3, None])
    ]
    strides = [a.strides for a in flat(run)]
    getattr(cpu, name)(*run, *numbers)
    assert [a.strides for a in flat(run)] == strides
    for a, b in zip(flat(run), flat(expected)):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_float32_and_float64_parameters_share_a_call():
    lists = [[np.ones(5, np.float32), np.ones(5)], [np.ones(5, np.float32), np.ones(5)], None]
    cpu.sgd_update(*lists, 0.1, 0.0, 0.0, 0.0, False, False)
    assert lists[0][0].dtype == np.float32
    assert lists[0][1].dtype == np.float64
    assert lists[0][1][0] == 0.9


def test_empty_lists_are_no_update():
    cpu.sgd_update([], [], None, 0.1, 0.0, 0.0, 0.0, False, False)
    cpu.adam_update([], [], [], [], None, [], 0.1, 0.9, 0.99, 1e-8, 0.0, False, False)


def readonly(a):
    a.flags.writeable = False
    return a


ONE, TWO = np.ones(1, np.float32), np.ones(2, np.float32)
BAD_ARRAYS = [
    ([ONE.astype(np.int64)], [ONE], [ONE], [ONE], TypeError, "float32 or float64, got int64"),
    ([ONE.astype(">f4")], [ONE], [ONE], [ONE], TypeError, "float32 or float64, got >f4"),
    ([readonly(ONE.copy())], [ONE], [ONE], [ONE], ValueError, "parameter 0 .* writable memory"),
    ([ONE], [ONE, ONE], [ONE], [ONE], ValueError, "one grad for each of 1 parameters, got 2"),
    ([ONE], [ONE], [], [ONE], ValueError, "one sum for each of 1 parameters, got 0"),
    ([ONE], [TWO], [ONE], [ONE], ValueError, r"grad of parameter 0 to be \(1,\) .*got \(2,\)"),
    ([ONE], [ONE.astype(float)], [ONE], [ONE], TypeError, "grad .* float32, got .* float64"),
    ([ONE], [memoryview(ONE)], [ONE], [ONE], TypeError, "to be an array, got memoryview"),
    ([ONE, TWO], [ONE, TWO], [ONE, ONE], [ONE, ONE], ValueError, "sum of parameter 1 to be"),
    ([ONE], [ONE], [readonly(ONE.copy())], [ONE], ValueError, "sum of parameter 0 .* writable"),
    ([ONE], [ONE], [ONE], [TWO], ValueError, r"step of parameter 0 to be \(\) float32"),
    ([ONE], [ONE], [ONE], [ONE.astype(float)], TypeError, "step of parameter 0 to be"),
]


@pytest.mark.parametrize(("params", "grads", "sums", "steps", "error", "match"), BAD_ARRAYS)
@pytest.mark.parametrize("kernels", [cpu, reference_update], ids=["cpu", "reference"])
def test_arrays_that_do_not_fit_are_named_and_nothing_is_changed(
    kernels, params, grads, sums, steps, error, match
):
    lists = [[params], [sums], [steps]]
    before = [a.copy() for a in flat(flat(lists))]
    with pytest.raises(error, match=match):
        kernels.adagrad_update(params, grads, sums, steps, 0.1, 0.0, 1e-8, 0.0, False)
    for a, b in zip(flat(flat(lists)), before):
        np.testing.assert_array_equal(a, b)


def test_gil_is_released_while_updating():
    """A second Python thread counts on while one long update runs."""
    lists = [[np.ones(4_000_000, np.float32)] for _ in range(2)]
    count, running = 0, True

    def step():
        nonlocal running
        for _ in range(25):
            cpu.sgd_update(*lists, None, 0.1, 0.0, 0.0, 0.0, False, False)
        running = False

    thread = threading.Thread(target=step)
    thread.start()
    while running:
        count += 1
    thread.join()
    assert count > 1000


# --- optimizers


def test_optimizer_runs_on_the_reference_kernels_too(monkeypatch):
    results = []
    for forced in (None, reference_update):
        if forced:
            for name in ("zeros", "empty_like"):
                monkeypatch.setattr(forced, name, getattr(np, name), raising=False)
            monkeypatch.setattr("tinycnn._core._forced", forced)
            assert kernels_for([]) is reference_update
        p = [parameter(9, 5)]
        train(optim.Adam(p), p, range(3))
        results.append(p[0].data)
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-6)


@each_optimizer
@both_dtypes
def test_a_quadratic_is_minimised(make, dtype):
    target = np.asarray([3.0, -2.0, 0.5], dtype)
    p = tinycnn.tensor(np.zeros(3, dtype), requires_grad=True)
    optimizer = make([p])
    sign = -1.0 if optimizer.param_groups[0]["maximize"] else 1.0

    def distance():
        return float(abs(p.data - target).max())

    before = distance()
    for _ in range(100):
        optimizer.zero_grad()
        (sign * (p - tinycnn.tensor(target)) ** 2).sum().backward()
        optimizer.step()
    slow = isinstance(optimizer, (optim.Adagrad, optim.Adadelta))
    assert distance() < (0.99 if slow else 0.5) * before


@each_optimizer
def test_state_saved_in_the_middle_of_training_continues_with_equal_bits(make):
    parameters = [parameter(7, 3), parameter(33, seed=1), parameter(seed=2)]
    optimizer = make(parameters)
    train(optimizer, parameters, range(10))
    saved = copy.deepcopy(optimizer.state_dict())
    again = [tinycnn.tensor(p.data.copy(), requires_grad=True) for p in parameters]
    fresh = make(again)
    fresh.load_state_dict(saved)
    train(optimizer, parameters, range(10, 20))
    train(fresh, again, range(10, 20))
    for p, q in zip(parameters, again):
        assert p.data.tobytes() == q.data.tobytes()
    for state in saved["state"].values():  # and what was saved is not what is in use
        assert state.get("step", tinycnn.tensor(10.0)).item() == 10


@each_optimizer
def test_parameter_without_gradient_stays_and_gets_no_state(make):
    p, q = parameter(4), parameter(4, seed=1)
    optimizer, before = make([p, q]), q.data.copy()
    set_gradients([p], 0)
    optimizer.step()
    np.testing.assert_array_equal(q.data, before)
    assert not optimizer.state_dict()["state"].get(1)
    optimizer.zero_grad()
    moved = p.data.copy()
    optimizer.step()
    np.testing.assert_array_equal(p.data, moved)


@each_optimizer
def test_update_is_in_place(make):
    p = parameter(4, 3)
    array = p.data
    train(make([p]), [p], range(2))
    assert p.data is array
    assert p.requires_grad
    assert p.creator is None


def test_replaced_data_state_and_groups_are_noticed():
    """Nothing is remembered between steps that a user may exchange."""
    p = parameter(5)
    optimizer = optim.SGD([p], lr=1.0, momentum=0.5)
    train(optimizer, [p], range(3))
    p.data = np.zeros(5, np.float32)
    optimizer.state[p]["momentum_buffer"] = tinycnn.tensor(np.full(5, 2.0, np.float32))
    p.grad = tinycnn.tensor(np.ones(5, np.float32))
    optimizer.step()
    np.testing.assert_array_equal(p.data, np.full(5, -2.0))
    optimizer.state.clear()
    optimizer.param_groups[0]["lr"] = 10.0
    optimizer.step()
    np.testing.assert_array_equal(p.data, np.full(5, -12.0))


def test_new_buffers_have_no_dampening_and_old_ones_do():
    p, q = tinycnn.tensor([0.0], requires_grad=True), tinycnn.tensor([0.0], requires_grad=True)
    optimizer = optim.SGD([p, q], lr=1.0, momentum=0.5, dampening=0.5)
    one = tinycnn.tensor([1.0])
    p.grad = one
    optimizer.step()  # p: b = 1
    q.grad = one
    optimizer.step()  # p: b = 0.5 + 0.5 * 1 = 1, q: b = 1
    assert (p.item(), q.item()) == (-2.0, -1.0)


@each_optimizer
def test_pytorchs_words_for_fast_steps_change_nothing(make):
    kind = type(make(two()))
    plain, told = two(), two()
    optimizers = [kind(plain), kind(told, foreach=False, fused=True, capturable=False,
                                    differentiable=False)]
    assert optimizers[0].param_groups[0].keys() == optimizers[1].param_groups[0].keys()
    for optimizer, parameters in zip(optimizers, (plain, told)):
        train(optimizer, parameters, range(3))
    assert all((p.data == q.data).all() for p, q in zip(plain, told))


def test_zero_grad_forgets_or_fills():
    p, q = parameter(3), parameter(2)
    optimizer = optim.SGD([p, q], lr=0.1)
    set_gradients([p], 0)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0, 0.0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_closure_is_called_with_gradients_on_and_its_loss_returned():
    p = parameter(3)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    expected = float((p.data**2).sum())
    with tinycnn.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == pytest.approx(expected)
    assert optimizer.step() is None


def test_groups_take_defaults_and_keep_keys_of_their_own():
    a, b, c = parameter(1), parameter(2), parameter(3)
    own = {"params": (x for x in [b]), "lr": 0.5, "name": "head"}
    optimizer = optim.SGD([{"params": a}, own], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": [c], "nesterov": True})
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.5, 0.1]
    assert [g["momentum"] for g in optimizer.param_groups] == [0.9] * 3
    assert optimizer.param_groups[1] is own
    assert own["params"] == [b]
    assert own["name"] == "head"
    assert [g["params"] for g in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]


def test_named_parameters_keep_their_names():
    p, q = parameter(1), parameter(2)
    optimizer = optim.SGD([("weight", p), ("bias", q)], lr=0.1)
    assert optimizer.param_groups[0]["params"] == [p, q]
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["param_names"] == ["weight", "bias"]
    del saved["param_groups"][0]["param_names"]
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]


def test_repr_lists_groups_and_options():
    text = repr(optim.SGD([{"params": parameter(1)}, {"params": parameter(2), "lr": 1}], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.1\n")
    assert "Parameter Group 1\n    dampening: 0\n    lr: 1\n" in text
    assert text.endswith("weight_decay: 0\n)")


def test_state_may_be_arrays_or_numbers_and_takes_the_parameters_dtype():
    p = parameter(3, dtype=np.float64)
    optimizer = optim.Adam([p])
    saved = optimizer.state_dict()
    moments = np.ones(3, np.float32)
    saved["state"] = {0: {"step": 7, "exp_avg": moments, "exp_avg_sq": [1, 1, 1], "extra": None}}
    optimizer.load_state_dict(saved)
    state = optimizer.state[p]
    assert state["step"].item() == 7
    assert state["exp_avg"].dtype == np.float64
    assert "extra" not in state
    train(optimizer, [p], range(1))
    assert moments.tolist() == [1.0, 1.0, 1.0]


def test_gradient_of_another_layout_is_brought_to_the_parameters():
    p, q = parameter(4, 6), parameter(4, 6)
    gradient = np.arange(24, dtype=np.float32).reshape(6, 4).T
    p.grad, q.grad = tinycnn.tensor(gradient.copy("C")), tinycnn.tensor(gradient)
    q.grad.data = gradient
    for tensor in (p, q):
        optim.SGD([tensor], lr=0.1).step()
    assert p.data.tobytes() == q.data.tobytes()


def test_read_only_parameter_is_a_clear_error():
    p = parameter(3)
    p.data.flags.writeable = False
    set_gradients([p], 0)
    with pytest.raises(ValueError, match="writable memory, got a read-only array"):
        optim.SGD([p], lr=0.1).step()


def two(a=1, b=2):
    return [parameter(a), parameter(b)]


P = parameter(2)
ERRORS = [
    (lambda: optim.SGD([]), ValueError, "SGD: expected parameters to optimize, got an empty list"),
    (lambda: optim.SGD(iter([])), ValueError, "generator"),
    (lambda: optim.SGD(P), TypeError, "SGD: expected an iterable of Tensors.*got one Tensor"),
    (lambda: optim.Adam(3), TypeError, "Adam: expected an iterable.*got one int"),
    (lambda: optim.SGD({"params": [P]}), TypeError, "got one dict"),
    (lambda: optim.SGD({P}), TypeError, "order that stays the same, got a set"),
    (lambda: optim.SGD([{"params": {P}}]), TypeError, "got a set"),
    (lambda: optim.SGD([np.ones(3)]), TypeError, "parameters to be Tensors, got ndarray at 0"),
    (lambda: optim.SGD([P, 3.0]), TypeError, "got float at 1"),
    (lambda: optim.SGD([P, P * 2]), ValueError, r"leaf Tensors, got parameter 1 \(2,\)"),
    (lambda: optim.SGD([P, P]), ValueError, r"every parameter once, got parameter 1 \(2,\)"),
    (lambda: optim.SGD([{"params": P}, {"params": P}]), ValueError, "a second time"),
    (lambda: optim.SGD([("a", P), parameter(1)]), ValueError, "names, or all without"),
    (lambda: optim.SGD([{"params": P}, {"params": [("a", parameter(1))]}]), ValueError, "names"),
    (lambda: optim.SGD([{"params": P}, parameter(1)]), TypeError, "group to be a dict"),
    (lambda: optim.SGD([{"parameters": P}]), TypeError, r"with the keys \['parameters'\]"),
    (lambda: optim.SGD([{"params": P, "moment": 0.9}]), ValueError, "Write 'momentum'"),
    (lambda: optim.Adam([{"params": P, "beta": (0.9, 0.9)}]), ValueError, "Write 'betas'"),
    (lambda: optim.SGD([P], lr=-1), ValueError, "SGD: expected lr to be at least 0, got -1"),
    (lambda: optim.SGD([P], lr=float("nan")), ValueError, "lr to be at least 0, got nan"),
    (lambda: optim.SGD([P], lr="0.1"), TypeError, "lr to be a number, got '0.1'"),
    (lambda: optim.SGD([P], lr=tinycnn.tensor(0.1)), TypeError, "lr to be a number.*item"),
    (lambda: optim.SGD([P], momentum=-0.1), ValueError, "momentum to be at least 0"),
    (lambda: optim.SGD([P], dampening=float("nan")), ValueError, "dampening to be a number"),
    (lambda: optim.SGD([P], weight_decay=-1), ValueError, "weight_decay to be at least 0"),
    (lambda: optim.SGD([P], nesterov=True), ValueError, "momentum above 0 and dampening 0"),
    (lambda: optim.SGD([P], 0.1, 0.9, 0.1, nesterov=True), ValueError, "dampening=0.1"),
    (lambda: optim.SGD([{"params": P, "lr": -2}]), ValueError, "lr to be at least 0, got -2"),
    (lambda: optim.Adam([P], lr=-1), ValueError, "Adam: expected lr"),
    (lambda: optim.Adam([P], betas=(0.9, 1.0)), ValueError, "betas to be at least 0 and below 1"),
    (lambda: optim.Adam([P], betas=(-0.1, 0.9)), ValueError, "betas to be at least 0"),
    (lambda: optim.Adam([P], betas=0.9), TypeError, "betas to be two numbers, got 0.9"),
    (lambda: optim.AdamW([P], betas=(0.9,)), TypeError, "AdamW: expected betas to be two"),
    (lambda: optim.Adam([P], eps=-1), ValueError, "eps to be at least 0"),
    (lambda: optim.AdamW([P], weight_decay=-1), ValueError, "AdamW: expected weight_decay"),
    (lambda: optim.RMSprop([P], alpha=-1), ValueError, "alpha to be at least 0"),
    (lambda: optim.RMSprop([P], momentum=-1), ValueError, "momentum to be at least 0"),
    (lambda: optim.Adagrad([P], lr_decay=-1), ValueError, "lr_decay to be at least 0"),
    (lambda: optim.Adagrad([P], initial_accumulator_value=-1), ValueError, "initial_acc"),
    (lambda: optim.AdamW([P], capturable=True), ValueError,
     "AdamW: expected capturable=False, got True. Steps change memory in place"),
    (lambda: optim.SGD([P], differentiable=True), ValueError, "expected differentiable=False"),
    (lambda: optim.Adadelta([P], rho=1.1), ValueError, "rho to be from 0 to 1, got 1.1"),
    (lambda: optim.SGD([P]).add_param_group([P]), TypeError, "group to be a dict.*got list"),
    (lambda: optim.SGD([P]).load_state_dict({"state": {}}), ValueError, "keys .*got .'state'."),
    (
        lambda: optim.SGD([P]).load_state_dict(optim.SGD(two()).state_dict()),
        ValueError, r"groups of \[1\] parameters, got \[2\]",
    ),
    (
        lambda: optim.SGD([P]).load_state_dict(optim.Adam([P]).state_dict()),
        ValueError, r"a group without \['dampening', 'momentum', 'nesterov'\]",
    ),
    (lambda: load({0: {"momentum_buffer": np.ones(3)}}), ValueError, r"parameter 0 to be \(2,\)"),
    (lambda: load({0: {"momentum_buffer": np.ones(1)}}), ValueError, r"parameter 0 to be \(2,\)"),
    (lambda: load({5: {}}), ValueError, r"parameters numbered \[0\], got 5"),
    (lambda: load({}, lr=-3), ValueError, "lr to be at least 0, got -3"),
    (lambda: optim.Optimizer(with_gradient(), {}).step(), TypeError, "a subclass of Optimizer"),
    (lambda: optim.SGD([P]).step(5), TypeError,
     r"SGD.step: expected closure to be a function .*, got 5\. Write optimizer.step\(\)"),
]

# what replaces parts of Adam's state_dict, and what load_state_dict says about it
BAD_STATES = [
    ({"state": None}, TypeError, 'expected "state" to be a dict, got NoneType. Pass what'),
    ({"state": {0: [1]}}, TypeError, "expected state of parameter 0 to be a dict, got list"),
    ({"param_groups": None}, TypeError, 'expected "param_groups" to be a list, got NoneType'),
    ({"param_groups": [3]}, TypeError, "expected every group to be a dict, got int"),
    ({"param_groups": [{"lr": 1}]}, ValueError, r"groups with the key \"params\", got \['lr'\]"),
    ({"param_groups": [{"params": 2}]}, TypeError, '"params" to be a list, got int'),
    ({"step": -1}, ValueError, r"step of parameter 0 to be a count of steps, got -1\. Load"),
    ({"step": float("nan")}, ValueError, "step of parameter 0 to be a count of steps, got nan"),
    ({"step": np.inf}, ValueError, "step of parameter 0 to be a count of steps, got inf"),
    ({"step": np.ones(2)}, ValueError, r"step of parameter 0 to be \(\), got \(2,\)"),
    ({"step": None}, ValueError, "0 with step, exp_avg, exp_avg_sq, got none of the name step"),
    ({"exp_avg": None}, ValueError, "got none of the name exp_avg. Load what an optimizer of this"),
    ({"exp_avg": "a"}, TypeError, "exp_avg of parameter 0 to hold numbers, got str 'a'"),
    ({"exp_avg": 1j}, TypeError, "to hold numbers, got complex 1j"),
]


def load(state, **options):
    optimizer = optim.SGD([P])
    saved = {**optimizer.state_dict(), "state": state}
    saved["param_groups"][0].update(options)
    optimizer.load_state_dict(saved)


def with_gradient():
    p = parameter(1)
    set_gradients([p], 0)
    return [p]


@pytest.mark.parametrize(("call", "error", "match"), ERRORS)
def test_error_says_what_was_expected(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize(("parts", "error", "match"), BAD_STATES)
def test_a_state_that_does_not_fit_is_named_and_nothing_is_changed(parts, error, match):
    parameters = [parameter(2)]
    optimizer = optim.Adam(parameters)
    train(optimizer, parameters, range(2))
    before = copy.deepcopy(optimizer.state_dict())
    saved = copy.deepcopy(before)
    for name, value in parts.items():
        (saved if name in saved else saved["state"][0])[name] = value
    with pytest.raises(error, match=f"^Adam.load_state_dict: .*{match}"):
        optimizer.load_state_dict(saved)
    assert str(optimizer.state_dict()) == str(before)


def test_a_state_without_a_step_is_refused_by_all_that_count_them():
    for make in OPTIMIZERS.values():
        parameters = [parameter(2)]
        optimizer = make(parameters)
        train(optimizer, parameters, range(2))
        saved = optimizer.state_dict()
        for name in optimizer.state_names:
            part = {key: value for key, value in saved["state"][0].items() if key != name}
            with pytest.raises(ValueError, match=f"got none of the name {name}"):
                make([parameter(2)]).load_state_dict({**saved, "state": {0: part}})
        make([parameter(2)]).load_state_dict({**saved, "state": {0: {}}})  # before its first step
    with pytest.raises(TypeError, match=r"SGD.load_state_dict: expected a dict, got list\. Pass"):
        optim.SGD([P]).load_state_dict([1])


def test_failed_group_leaves_the_optimizer_as_it_was():
    optimizer = optim.SGD([P])
    group = {"params": [parameter(1)], "lr": -1}
    with pytest.raises(ValueError, match="lr"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert set(group) == {"params", "lr"}


def test_reference_and_cpu_have_the_same_signatures():
    for name in ("sgd_update", "adam_update", "rmsprop_update", "adagrad_update",
                 "adadelta_update"):
        mine = list(inspect.signature(getattr(cpu, name)).parameters)
        assert mine == list(inspect.signature(getattr(reference_update, name)).parameters)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [
    lambda p: tinycnn.optim.SGD(p, lr=0.1, momentum=0.5),
    lambda p: tinycnn.optim.Adam(p, lr=0.1, betas=(0.5, 0.999)),
])
def test_momentum_of_what_gets_no_gradient_ends_before_it_is_subnormal(make, dtype):
    """It would halve for ever, and an operation on subnormal numbers takes a hundred cycles."""
    p = tinycnn.nn.Parameter(tinycnn.tensor(np.ones(33, dtype)))
    optimizer = make([p])
    tiny = np.finfo(dtype).tiny
    seen = []
    for step in range(20):
        gradient = np.zeros(33, dtype)
        gradient[::2] = tiny * 2.0**10 if step == 0 else 0
        p.grad = tinycnn.tensor(gradient)
        optimizer.step()
        state = optimizer.state[p]
        seen.append(state.get("momentum_buffer", state.get("exp_avg")).numpy().copy())
    first = seen[0][::2]
    assert (first >= tiny).all()
    np.testing.assert_array_equal(seen[5][::2], first / 32)  # halved step by step, exactly
    assert all(((s == 0) | (s >= tiny)).all() for s in seen)
    assert (seen[-1] == 0).all()
