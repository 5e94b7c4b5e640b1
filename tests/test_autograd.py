"""The tape: what is recorded, how gradients walk back, who owns them, when memory is freed."""

import gc
import threading
import weakref

import numpy as np
import pytest

import tinycnn
from tinycnn import autograd
from tinycnn.autograd import (
    Function,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)


def leaf(*values):
    return tinycnn.tensor(list(values), requires_grad=True)


class Pair(Function):
    """Two results, of which a caller may use one."""

    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, grad_double, grad_triple):
        grad = 0
        if grad_double is not None:
            grad = grad + 2 * grad_double
        if grad_triple is not None:
            grad = grad + 3 * grad_triple
        return grad


def test_gradient_of_a_chain_is_the_product_of_derivatives():
    x = leaf(0.5)
    (x * 2).exp().log().sum().backward()
    assert x.grad.item() == pytest.approx(2)


def test_gradients_of_all_paths_add_up():
    x = leaf(3.0)
    a = x * 2
    b = a * a  # 4 x^2, derivative 8 x
    c = a + b  # used twice again
    (c * b).sum().backward()  # (2x + 4x^2) 4x^2
    assert x.grad.item() == 24 * 9 + 64 * 27


def test_a_ladder_of_diamonds_is_walked_once_per_operation():
    x = leaf(1.0)
    y = x
    for _ in range(60):  # 2^60 paths
        y = y + y
    y.sum().backward()
    assert x.grad.item() == 2.0**60


def test_gradients_add_up_over_backward_calls():
    x = leaf(1.0, 2.0)
    for _ in range(3):
        (x * x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_gradients_without_axes_stay_arrays():
    x = tinycnn.tensor(2.0, requires_grad=True)
    for _ in range(2):
        y = x * 3
        (y * y + y).backward()
        assert type(x.grad.data) is np.ndarray
    assert x.grad.item() == 2 * (18 * 2 + 3)  # 18 x + 3, added up twice


def test_backward_of_a_leaf_is_the_gradient_given():
    x = leaf(1.0, 2.0)
    x.backward(tinycnn.tensor([3.0, 4.0]))
    assert x.grad.tolist() == [3.0, 4.0]


def test_only_what_is_wanted_gets_a_gradient():
    x, w = leaf(2.0), tinycnn.tensor([5.0])
    y = x * w
    assert y.requires_grad
    assert not (w * w).requires_grad
    y.sum().backward()
    assert x.grad.item() == 5
    assert w.grad is None


def test_a_result_that_is_used_in_part():
    x = leaf(1.0)
    double, triple = Pair.apply(x)
    (double * 5).sum().backward()
    assert x.grad.item() == 10
    x.grad = None
    double, triple = Pair.apply(x)
    (triple * 5).sum().backward()
    assert x.grad.item() == 15
    x.grad = None
    double, triple = Pair.apply(x)
    (double + triple).sum().backward()
    assert x.grad.item() == 5


def test_integer_results_carry_no_history():
    x = leaf(1.0, 3.0)
    values, indices = x.max(0)
    assert values.requires_grad
    assert not indices.requires_grad
    assert not (x > 2).requires_grad
    assert not x.argmax().requires_grad


# --- modes


def test_nothing_is_recorded_inside_no_grad():
    x = leaf(1.0)
    with no_grad():
        assert not is_grad_enabled()
        y = x * 2
    assert is_grad_enabled()
    assert not y.requires_grad
    assert y.creator is None


def test_modes_nest_and_come_back_after_an_exception():
    with no_grad():
        with enable_grad():
            assert is_grad_enabled()
            with pytest.raises(ZeroDivisionError), no_grad():
                raise ZeroDivisionError
            assert is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_one_mode_object_entered_twice():
    mode = no_grad()
    with mode:
        with mode:
            pass
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_no_grad_as_a_decorator():
    @no_grad()
    def double(x):
        return x * 2

    assert not double(leaf(1.0)).requires_grad
    assert is_grad_enabled()


def test_set_grad_enabled_is_a_function():
    set_grad_enabled(False)
    try:
        assert not (leaf(1.0) * 2).requires_grad
    finally:
        set_grad_enabled(True)
    assert (leaf(1.0) * 2).requires_grad


def test_set_grad_enabled_is_a_block_that_ends_what_its_call_began():
    for mode in (True, False):
        with set_grad_enabled(mode):
            assert is_grad_enabled() is mode
            with set_grad_enabled(not mode), set_grad_enabled(mode):
                assert is_grad_enabled() is mode
            assert is_grad_enabled() is mode
        assert is_grad_enabled()
    again = set_grad_enabled(False)
    for _ in range(2):
        with again:
            with again:
                pass
            assert not is_grad_enabled()
        assert is_grad_enabled()


@pytest.mark.parametrize("mode", [lambda: set_grad_enabled(False), inference_mode])
def test_modes_as_decorators_change_nothing_outside(mode):
    @mode()
    def double(x):
        return x * 2

    assert is_grad_enabled()
    for _ in range(2):
        assert not double(leaf(1.0)).requires_grad
        assert is_grad_enabled()


def test_modes_belong_to_threads():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


# --- freeing


def test_a_second_backward_says_what_to_do():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"freed by an earlier backward.*retain_graph=True"):
        y.backward()


def test_a_second_backward_through_a_shared_part():
    x = leaf(1.0)
    shared = x * x
    shared.sum().backward()
    with pytest.raises(RuntimeError, match="freed"):
        (shared * 2).sum().backward()


def test_retain_graph_allows_a_second_backward():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12
    with pytest.raises(RuntimeError, match="freed"):
        y.backward()


def test_saved_arrays_are_freed_by_backward():
    x = leaf(*[1.0] * 4)
    middle = x * 2
    y = (middle * middle).sum()
    saved = weakref.ref(middle.data)
    del middle
    assert saved() is not None
    y.backward()
    assert saved() is None, "the graph keeps an array alive after backward"


def test_a_graph_without_backward_is_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = (x * 2).exp().sum()
        nodes = [weakref.ref(y), weakref.ref(y.data)]
        del y
        assert [n() for n in nodes] == [None, None], "a reference cycle keeps the graph alive"
    finally:
        gc.enable()


def test_memory_does_not_grow_over_steps():
    w = tinycnn.randn(8, 8, requires_grad=True)
    x = tinycnn.randn(4, 8)

    def step():
        ((x @ w).exp().mean() * 0.1).backward()
        with no_grad():
            w.data -= 1e-3 * w.grad.data
        w.grad = None

    for _ in range(50):
        step()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(500):
        step()
    gc.collect()
    assert len(gc.get_objects()) - before < 50


@pytest.mark.parametrize("run_backward", [True, False])
def test_a_chain_of_5000_operations_needs_no_recursion(run_backward):
    x = leaf(1.0)
    y = x
    for _ in range(5000):
        y = y + 1.0
    if run_backward:
        y.sum().backward()
        assert x.grad.item() == 1
    del y  # dropping a long graph must not recurse either


# --- ownership of gradients


def test_a_leaf_owns_its_gradient():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gradient = tinycnn.tensor([1.0, 1.0])
    (x + y).backward(gradient)  # the gradient of a sum is one array for all
    assert not np.shares_memory(x.grad.data, y.grad.data)
    assert not np.shares_memory(x.grad.data, gradient.data)
    x.grad.data[:] = 7
    assert y.grad.tolist() == gradient.tolist() == [1.0, 1.0]


def test_a_gradient_through_views_is_owned():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    gradient = tinycnn.ones(2, 2)
    x.reshape(2, 2).transpose(0, 1).backward(gradient)
    assert not np.shares_memory(x.grad.data, gradient.data)
    x = leaf(1.0, 2.0)
    x.sum().backward()  # the gradient of a sum is a read-only view of one number
    assert x.grad.data.flags.writeable
    x.grad.data += 1
    assert x.grad.tolist() == [2.0, 2.0]


def test_adding_to_a_gradient_leaves_earlier_copies_alone():
    x = leaf(1.0)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert first.item() == 2
    assert x.grad.item() == 5


def test_the_gradient_of_one_leaf_used_twice_in_one_operation():
    x = leaf(3.0)
    (x * x).sum().backward()
    assert x.grad.item() == 6
    y = leaf(3.0)
    tinycnn.cat([y, y, y]).sum().backward()
    assert y.grad.item() == 3


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.item() == 12
    assert x.grad.item() == 36
    y.grad.data[:] = 0
    assert x.grad.item() == 36


def test_retain_grad_of_a_leaf_changes_nothing():
    x = leaf(2.0)
    x.retain_grad()
    (x * 3).sum().backward()
    assert x.grad.item() == 3


def test_detach_cuts_the_graph_and_shares_memory():
    x = leaf(2.0)
    y = (x * 3).detach()
    assert not y.requires_grad
    z = (x * y).sum()
    z.backward()
    assert x.grad.item() == 6
    assert np.shares_memory(x.detach().data, x.data)


def test_gradients_have_the_dtype_of_their_leaf():
    x = tinycnn.ones(2, requires_grad=True)
    y = tinycnn.ones(2, dtype=tinycnn.float64, requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.dtype == tinycnn.float32
    assert y.grad.dtype == tinycnn.float64


# --- bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: (leaf(1.0, 2.0) * 2).backward(), ValueError,
         r"backward: expected a tensor of one element, or a gradient, got \(2,\)"),
        (lambda: tinycnn.ones(2).sum().backward(), RuntimeError,
         "backward: expected a tensor that requires a gradient"),
        (lambda: leaf(1.0, 2.0).backward(tinycnn.ones(3)), ValueError,
         r"backward: expected a gradient \(2,\), got \(3,\)"),
        (lambda: leaf(1.0).backward(tinycnn.ones(1, dtype=tinycnn.float64)), TypeError,
         "backward: expected a gradient of dtype float32, got float64"),
        (lambda: leaf(1.0).backward("one"), TypeError, "as_tensor: expected numbers"),
        (lambda: tinycnn.ones(1).retain_grad(), RuntimeError, "retain_grad: expected a tensor"),
        (lambda: (leaf(1.0) * 2).requires_grad_(False), RuntimeError,
         "requires_grad_: expected a leaf"),
        (lambda: tinycnn.tensor([1]).requires_grad_(), TypeError,
         "requires_grad_: expected requires_grad=True for float32 or float64 only, got int64"),
        (lambda: Function.apply(leaf(1.0)), TypeError, "a subclass must define it"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_operation_without_derivative_says_so():
    class Opaque(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 0

    with pytest.raises(TypeError, match=r"Opaque.backward: this operation has no derivative"):
        Opaque.apply(leaf(1.0)).sum().backward()


def test_a_gradient_of_the_wrong_shape_is_reported():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 0

        @staticmethod
        def backward(ctx, grad):
            return grad[:1]

    with pytest.raises(ValueError, match=r"a gradient of shape \(1,\) came back for .* \(2,\)"):
        Wrong.apply(leaf(1.0, 2.0)).sum().backward()


def test_a_tensor_as_data_of_a_tensor_is_reported():
    w = leaf(1.0, 2.0)
    w.data = tinycnn.ones(2)  # PyTorch's idiom
    message = r"expected NumPy arrays on the CPU, got Tensor.*as in w\.data = other\.data"
    for operation in (lambda: w * 2, w.sum, lambda: tinycnn.ones(2, 2) @ w):
        with pytest.raises(TypeError, match=message):
            operation()
    w.grad = tinycnn.ones(2)
    with pytest.raises(TypeError, match=message):
        tinycnn.optim.SGD([w], lr=0.1).step()
    w.data = tinycnn.ones(2).data
    assert (w * 2).tolist() == [2.0, 2.0]


def test_an_array_of_an_unknown_kind_is_reported():
    x = autograd.wrap([1.0])
    with pytest.raises(TypeError, match="expected NumPy arrays on the CPU, got list"):
        Pair.apply(x)


# --- operations of users that return what they should not

def _returning(forward=None, backward=None):
    class Own(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2 if forward is None else forward(x)

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y * 2 if backward is None else backward(grad_y)

    return Own


@pytest.mark.parametrize("given", [None, "a", 5, [1.0]], ids=str)
@pytest.mark.parametrize("recorded", [True, False])
def test_forward_must_return_arrays(given, recorded):
    x = tinycnn.tensor([1.0], requires_grad=recorded)
    with pytest.raises(TypeError, match=r"Own.forward: expected an array or a tuple of arrays"):
        _returning(forward=lambda x: given).apply(x)


@pytest.mark.parametrize(
    "back", [lambda g: g.astype("f8"), lambda g: tinycnn.tensor(g), lambda g: 5, lambda g: [g]]
)
def test_backward_must_return_arrays_of_the_dtype(back):
    x = tinycnn.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"backward: expected a gradient that is an array"):
        _returning(backward=back).apply(x).backward()


seen: list = []


class Fork(Function):
    """Twice the same array as the gradient of both arguments."""

    @staticmethod
    def forward(ctx, x, y):
        return x + y

    @staticmethod
    def backward(ctx, grad_y):
        seen.append(grad_y)
        return grad_y, grad_y


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("size", [5, 20_000])
def test_a_sum_of_gradients_changes_no_array_of_an_operation(count, size, rng):
    """Sums grow in place, but only in memory that no operation has seen."""
    seen.clear()
    x = tinycnn.tensor(rng.standard_normal(size), requires_grad=True)
    middle = x * 2
    y = Fork.apply(middle, middle)
    for _ in range(count - 2):
        y = Fork.apply(y, middle)
    given = rng.standard_normal(size)
    y.backward(tinycnn.from_numpy(given.copy()))
    np.testing.assert_allclose(x.grad.numpy(), 2 * count * given)
    for grad in seen:
        np.testing.assert_array_equal(grad, given)
