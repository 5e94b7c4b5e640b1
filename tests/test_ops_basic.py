"""Gradients of the basic operations, the same numbers from every kernel, and every message."""

import numpy as np
import pytest

import tinycnn
from tinycnn import ops
from tinycnn.testing import assert_same_on_devices, gradcheck

t = tinycnn


def f(*shape, low=-2.0, high=2.0, seed=0):
    """float64 numbers that require a gradient; with low = 0 they stay away from it."""
    values = np.random.default_rng(seed).uniform(low + 0.1, high, shape)
    return tinycnn.tensor(values, requires_grad=True)


def i(*values):
    return tinycnn.tensor(list(values))


MASK = tinycnn.tensor(np.array([[True, False, True, False]] * 2 + [[False] * 4]))

# name: (function, inputs): every operation away from its kinks, over sizes 0, 1, odd, broadcast
CASES = {
    "add": (ops.add, f(3, 5), f(3, 5, seed=1)),
    "add broadcast": (ops.add, f(3, 1, 2), f(5, 1, seed=1)),
    "add 0-d": (ops.add, f(), f(3, seed=1)),
    "add empty": (ops.add, f(0, 3), f(1, 3)),
    "add alpha": (lambda x, y: ops.add(x, y, alpha=0.3), f(3), f(3, seed=1)),
    "sub": (ops.sub, f(3, 5), f(5, seed=1)),
    "sub alpha": (lambda x, y: ops.sub(x, y, alpha=3), f(3), f(3, seed=1)),
    "rsub": (lambda x: 1 - x, f(3)),
    "mul": (ops.mul, f(3, 5), f(3, 1, seed=1)),
    "mul number": (lambda x: x * 3, f(3)),
    "square": (lambda x: x * x, f(3)),
    "div": (ops.div, f(3, 5), f(5, low=0, seed=1)),
    "rdiv": (lambda x: 2 / x, f(5, low=0)),
    "remainder": (lambda x, y: x % y, f(9), f(9, low=0.6, seed=1)),
    "neg": (ops.neg, f(3)),
    "pow 2": (lambda x: x**2, f(5)),
    "pow 3": (lambda x: x**3, f(5)),
    "pow 0": (lambda x: x**0, f(5)),
    "pow 1": (lambda x: x**1, f(5)),
    "pow -2.5": (lambda x: x**-2.5, f(5, low=0)),
    "pow tensor": (ops.pow, f(4, low=0), f(3, 4, seed=1)),
    "rpow": (lambda x: 3.0**x, f(5)),
    "exp": (ops.exp, f(5)),
    "log": (ops.log, f(5, low=0)),
    "sqrt": (ops.sqrt, f(5, low=0)),
    "abs": (ops.abs, f(7)),
    "clamp": (lambda x: ops.clamp(x, -1, 1), f(9)),
    "clamp tensors": (ops.clamp, f(9), f(1, low=-1.5, high=-1), f(1, low=1, high=1.5)),
    "maximum": (ops.maximum, f(3, 4), f(4, seed=1)),
    "minimum": (ops.minimum, f(3, 4), f(3, 1, seed=1)),
    "maximum number": (lambda x: ops.maximum(x, 0.5), f(9)),
    "where": (lambda x, y: ops.where(MASK, x, y), f(3, 4), f(4, seed=1)),
    "where number": (lambda x: ops.where(MASK, 1.0, x), f(3, 1)),
    "sum": (ops.sum, f(3, 4)),
    "sum dims": (lambda x: ops.sum(x, (0, 2)), f(3, 4, 5)),
    "sum keepdim": (lambda x: ops.sum(x, -1, True), f(3, 4)),
    "sum 0-d": (ops.sum, f()),
    "sum empty": (lambda x: ops.sum(x, 1), f(3, 0)),
    "mean": (ops.mean, f(3, 4)),
    "mean dim": (lambda x: ops.mean(x, 1), f(3, 4)),
    "var": (lambda x: ops.var(x, (0, 2)), f(3, 4, 5)),
    "var biased": (lambda x: ops.var(x, unbiased=False), f(3, 4)),
    "std": (lambda x: ops.std(x, 0, keepdim=True), f(5, 4)),
    "max": (ops.max, f(3, 4)),
    "max dim": (lambda x: ops.max(x, 1), f(3, 4)),
    "min dim": (lambda x: ops.min(x, 0, keepdim=True), f(3, 4)),
    "amax": (lambda x: ops.amax(x, (0, 2)), f(3, 4, 5)),
    "amin": (lambda x: ops.amin(x, 0), f(3, 4)),
    "prod": (ops.prod, f(3, 3)),
    "prod dim": (lambda x: ops.prod(x, 1, keepdim=True), f(3, 4)),
    "prod with zeros": (lambda x: ops.prod(x * MASK, 1), f(3, 4)),
    "logsumexp": (lambda x: ops.logsumexp(x, (0, 1)), f(3, 4)),
    "reshape": (lambda x: ops.reshape(x, (2, -1)), f(3, 4)),
    "flatten": (lambda x: ops.flatten(x, 1), f(2, 3, 4)),
    "unflatten": (lambda x: ops.unflatten(x, 1, (2, 2)), f(3, 4)),
    "squeeze": (ops.squeeze, f(1, 3, 1)),
    "unsqueeze": (lambda x: ops.unsqueeze(x, 1), f(3, 4)),
    "permute": (lambda x: ops.permute(x, (2, 0, 1)), f(2, 3, 4)),
    "transpose": (lambda x: ops.transpose(x, 0, -1), f(2, 3, 4)),
    "expand": (lambda x: ops.expand(x, (2, -1, 4)), f(3, 1)),
    "flip": (lambda x: ops.flip(x, (0, 2)), f(2, 3, 4)),
    "clone": (ops.clone, f(3)),
    "cat": (lambda x, y: ops.cat([x, y, x], 1), f(3, 2), f(3, 1, seed=1)),
    "stack": (lambda x, y: ops.stack([x, y], 1), f(3), f(3, seed=1)),
    "split": (lambda x: ops.split(x, [1, 3, 1]), f(5, 2)),
    "split, one part": (lambda x: ops.split(x, 2)[1], f(5, 2)),
    "chunk": (lambda x: ops.chunk(x, 2, 1), f(2, 5)),
    "index int": (lambda x: x[1, -1], f(3, 4)),
    "index slice": (lambda x: x[::2, 1:], f(5, 4)),
    "index none": (lambda x: x[None, ..., None], f(3, 4)),
    "index tensor": (lambda x: x[i(0, 2, 0, 0)], f(3, 4)),
    "index tensors": (lambda x: x[i(0, 2, 0), i(1, 1, 1)], f(3, 4)),
    "index int, tensor": (lambda x: x[0, :, i(1, 1)], f(3, 4, 5)),
    "index mask": (lambda x: x[MASK], f(3, 4)),
    "pad": (lambda x: ops.pad(x, (1, 2, 0, 1), value=3.0), f(3, 4)),
    "pad crop": (lambda x: ops.pad(x, (-1, 2, 1, -1)), f(3, 4)),
    "pad reflect": (lambda x: ops.pad(x, (3, 2, 1, 2), "reflect"), f(3, 4)),
    "pad replicate": (lambda x: ops.pad(x, (5, 2, 1, 4), "replicate"), f(3, 4)),
    "pad circular": (lambda x: ops.pad(x, (4, 1, 3, 0), "circular"), f(3, 4)),
    "matmul": (ops.matmul, f(3, 4), f(4, 5, seed=1)),
    "matmul vectors": (ops.matmul, f(4), f(4, seed=1)),
    "matmul column": (ops.matmul, f(2, 3, 4), f(4, seed=1)),
    "matmul row": (ops.matmul, f(4), f(2, 4, 3, seed=1)),
    "matmul batch": (ops.matmul, f(2, 1, 3, 4), f(3, 4, 2, seed=1)),
    "matmul strided": (lambda x, y: x.T[:, ::2] @ y[::2], f(6, 3), f(6, 5, seed=1)),
    "linear": (ops.linear, f(3, 4), f(5, 4, seed=1), f(5, seed=2)),
    "linear 3-D": (ops.linear, f(2, 3, 4), f(5, 4, seed=1)),
    "linear vector": (ops.linear, f(4), f(5, 4, seed=1), f(5, seed=2)),
    "linear one row": (ops.linear, f(1, 4), f(1, 4, seed=1), f(1, seed=2)),
    "log1p": (ops.log1p, f(5, low=0)),
    "sin": (ops.sin, f(5)),
    "cos": (ops.cos, f(5)),
    "square of": (ops.square, f(3, 4)),
    "reciprocal": (ops.reciprocal, f(5, low=0)),
    "norm": (ops.norm, f(3, 4)),
    "norm dim": (lambda x: ops.norm(x, dim=(0, 2), keepdim=True), f(3, 4, 5)),
    "norm 1": (lambda x: ops.norm(x, 1, -1), f(3, 4)),
    "norm inf": (lambda x: ops.norm(x, float("inf"), 0), f(3, 4)),
    "norm 0-d": (ops.norm, f()),
    "cumsum": (lambda x: ops.cumsum(x, 1), f(3, 4)),
    "cumsum empty": (lambda x: ops.cumsum(x, 0), f(0, 4)),
    "cumsum 0-d": (lambda x: ops.cumsum(x, 0), f()),
    "sort": (lambda x: ops.sort(x, 0).values, f(5, 3)),
    "sort 0-d": (lambda x: ops.sort(x).values, f()),
    "topk": (lambda x: ops.topk(x, 2).values, f(3, 4)),
    "topk smallest": (lambda x: ops.topk(x, 2, 0, largest=False).values, f(5, 3)),
    "topk none": (lambda x: ops.topk(x, 0).values, f(3, 4)),
    "masked_fill": (lambda x: ops.masked_fill(x, MASK, 7.0), f(3, 4)),
    "masked_fill tensor": (lambda x, y: ops.masked_fill(x, MASK[0], y), f(3, 4), f(seed=1)),
    "t": (ops.t, f(3, 4)),
    "repeat": (lambda x: ops.repeat(x, (2, 1, 3)), f(3, 2)),
    "repeat 0": (lambda x: ops.repeat(x, (2, 0)), f(3, 2)),
    "unbind": (lambda x: ops.unbind(x, 1), f(3, 2)),
    "mm": (ops.mm, f(3, 4), f(4, 2, seed=1)),
    "bmm": (ops.bmm, f(2, 3, 4), f(2, 4, 2, seed=1)),
    "dot": (ops.dot, f(4), f(4, seed=1)),
    "cast": (lambda x: x.to(t.float64) * 2, f(3)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient_along_random_directions(name):
    function, *inputs = CASES[name]
    assert gradcheck(function, inputs, directions=2)


@pytest.mark.parametrize("name", CASES)
def test_gradient_per_element(name):
    function, *inputs = CASES[name]
    assert gradcheck(function, inputs, per_element=True)


@pytest.mark.parametrize("dtype", [t.float32, t.float64])
@pytest.mark.parametrize("name", CASES)
def test_same_numbers_from_every_kernel(name, dtype):
    function, *inputs = CASES[name]
    inputs = [x.detach().to(dtype).requires_grad_() for x in inputs]
    assert_same_on_devices(function, inputs)


@pytest.mark.parametrize("name", CASES)
def test_inputs_are_left_alone_and_may_be_read_only_and_strided(name):
    function, *inputs = CASES[name]
    expected = function(*inputs)
    strided = []
    for x in inputs:
        array = np.zeros([2 * n for n in x.shape])[(*[slice(None, None, 2)] * x.ndim, ...)]
        array[...] = x.data
        array.flags.writeable = False
        strided.append(tinycnn.from_numpy(array).requires_grad_())
    found = function(*strided)
    def as_tuple(y):
        return y if isinstance(y, tuple) else (y,)

    for a, b in zip(as_tuple(expected), as_tuple(found)):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-13)
        if b.requires_grad:
            b.backward(tinycnn.ones_like(b), retain_graph=True)
    for x, y in zip(inputs, strided):
        np.testing.assert_array_equal(x.data, y.data)


# --- values that PyTorch cannot be asked for here


def test_numbers_do_not_change_the_dtype():
    for dtype in (t.float32, t.float64):
        x = t.ones(2, dtype=dtype)
        for y in (x + 1, 2.5 * x, x / 3, 1 - x, x**2, x**0.5, 2.0**x, x // 2, x % 2, -x,
                  ops.maximum(x, 1e300 if dtype is t.float64 else 1), ops.clamp(x, 0.0, 1),
                  x + np.float64(1), np.float64(2) * x, x + np.int64(3), x.sum() * 2.0):
            assert y.dtype == dtype


def test_results_without_axes_are_arrays():
    x = t.tensor(2.0, requires_grad=True)
    results = [x + 1, x * x, 1 / x, -x, x**2, x.exp(), x.sqrt(), x.sum(), x.mean(), x.max(),
               x.argmax(), x.prod(), abs(x), x > 1, x.clamp(0, 1), ops.where(x > 1, x, 0.0),
               t.ones(3)[0], t.ones(2, 2)[0, 1], t.ones(3) @ t.ones(3), x.floor(), x.isnan(),
               x.logsumexp(0), x.std(unbiased=False), x.all(), x // 1, x % 1, t.ones(2).sum()]
    for y in results:
        assert type(y.data) is np.ndarray
        assert y.shape == ()
    x.exp().backward()
    assert type(x.grad.data) is np.ndarray


def test_elementwise_results_keep_the_layout_of_feature_maps():
    x = t.tensor(np.zeros((2, 4, 5, 3), "float32").transpose(0, 3, 1, 2), requires_grad=True)
    bias = t.ones(3, 1, 1)
    for y in (x + 1, x * x, x.exp(), x - bias, bias * x, x.clamp(0, 1), x.clone(), -x, x / 2,
              ops.where(x > 0, x, 0.0), ops.pad(x, (1, 1, 2, 2)), ops.pad(x, (1, 1), "circular"),
              ops.maximum(x, 0), t.cat([x, x]), t.zeros_like(x), x.to(t.float64)):
        assert y.data.transpose(0, 2, 3, 1).flags.c_contiguous


def test_views_share_memory():
    x = t.zeros(2, 3, 4)
    for y in (x.reshape(6, 4), x.flatten(), x.permute(2, 0, 1), x.transpose(0, 1), x[1], x[:, ::2],
              x.unsqueeze(0), x.squeeze(), x.expand(2, 2, 3, 4), x.flip(0), *x.split(1), x[...]):
        assert np.shares_memory(y.data, x.data)
    for y in (x.clone(), x[t.tensor([0])], x[x == 0]):
        assert not np.shares_memory(y.data, x.data)


def test_no_warning_where_inf_and_nan_are_the_result():
    x = t.tensor([0.0, 1e38, float("inf"), float("nan"), -1.0])
    for y in (x * 1e38, x - x, x / 0, 1 / x, x.log(), x.sqrt(), (x * x).exp(), x.sum(), x.mean(),
              x.var(), x**-1, x**0.5, x.prod(), x % 0, x // 0, x.logsumexp(0), x + 1e300,
              x.maximum(1e300), x.clamp(1e300), ops.where(x > 0, 1e300, x)):
        assert not y.isfinite().all()
    assert (x < 1e300).tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("shape", [(1_000_000,), (500_000, 2), (250_000, 2, 2)])
def test_a_million_tenths_are_a_hundred_thousand(shape):
    x = t.full(shape, 0.1)
    for dims in {None, 0, tuple(range(len(shape) - 1)) or 0, (0, -1) if len(shape) > 1 else 0}:
        total = x.sum(dims).data
        np.testing.assert_allclose(total, 1e5 * total.size ** -1, rtol=1e-6)
        np.testing.assert_allclose(x.mean(dims).data, 0.1, rtol=1e-6)
        assert total.dtype == np.float32


def test_the_norm_of_nothing_has_gradient_0():
    x = t.zeros(2, 2, requires_grad=True)
    with t.no_grad():
        x[0, 0] = 2
    x.norm(dim=1).sum().backward()
    assert x.grad.tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_running_sums_do_not_drift():
    x = t.full((1_000_000,), 0.1)
    np.testing.assert_allclose(x.cumsum(0)[-1].item(), 1e5, rtol=1e-6)


def test_nearly_equal():
    inf, nan = float("inf"), float("nan")
    x, y = t.tensor([1.0, inf, inf, nan, 0.0, 1.0]), t.tensor([1.000001, inf, 1.0, nan, 1e-9, inf])
    assert x.isclose(y).tolist() == [True, True, False, False, True, False]
    assert x.isclose(y, equal_nan=True).tolist() == [True, True, False, True, True, False]
    assert t.tensor([200, 1], dtype=t.uint8).isclose(t.tensor([201, 2], dtype=t.uint8), 0.01)[0]
    assert not t.tensor([True]).allclose(t.tensor([False]))
    assert t.zeros(0).allclose(t.zeros(0))
    w = t.ones(2, requires_grad=True)
    assert w.allclose(w * 1) is True
    assert not w.isclose(2.0).requires_grad
    assert (w.equal(w * 1), w.equal(w[:1]), w.equal(w + 1)) == (True, False, False)


def test_repeated_indices_add_up_in_order():
    x = t.zeros(3, requires_grad=True)
    x[i(1, 1, 2, 1)].backward(t.tensor([1.0, 10.0, 100.0, 1000.0]))
    assert x.grad.tolist() == [0.0, 1011.0, 100.0]


def test_splitting_and_joining_is_the_identity():
    x = t.randn(7, 5)
    for dim in (0, 1, -1):
        for size in (1, 2, 3, 9):
            assert (t.cat(x.split(size, dim), dim) == x).all()
            assert (t.cat(x.chunk(size, dim), dim) == x).all()


def test_index_of_largest_is_the_first_one():
    x = t.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    assert x.argmax(1).tolist() == [1, 0]
    assert x.max(1).indices.tolist() == [1, 0]
    assert x.argmax().item() == 1


def test_gradcheck_finds_wrong_gradients():
    class Wrong(tinycnn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.x * 2.001

    with pytest.raises(AssertionError, match=r"along random direction 0 is .* by differences"):
        gradcheck(Wrong.apply, f(3))
    with pytest.raises(AssertionError, match=r"along element \(0,\) of input 0 \(3,\)"):
        gradcheck(Wrong.apply, f(3), per_element=True)
    with pytest.raises(TypeError, match="inputs of dtype float64 that require a gradient, got f"):
        gradcheck(ops.exp, t.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="inputs of dtype float64 that require a gradient"):
        gradcheck(ops.exp, t.ones(2, dtype=t.float64))


def test_assert_same_on_devices_finds_differences():
    factors = []

    class Other(tinycnn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * (1 if ctx.kernels is tinycnn._core.reference else factors[-1])

    for factor, message in [
        (1.001, "result 0 .* differs by"),
        (np.ones(1), "result 0 is float64"),
        (np.ones((2, 1), "float32"), r"result 0 is float32 \(2, 3\) on the device"),
        (np.float32("nan"), "result 0 .* or in its NaN"),
    ]:
        factors.append(factor)
        with pytest.raises(AssertionError, match=message):
            assert_same_on_devices(Other.apply, t.ones(3))
    results = iter([(t.ones(1), t.ones(1)), t.ones(1)])
    with pytest.raises(AssertionError, match="1 results and gradients on the device, 2 on"):
        assert_same_on_devices(lambda x: next(results), t.ones(1))


# --- borders


@pytest.mark.parametrize("widths", [(0, 3), (3, 0), (1, 3), (3, 3), (0, 0), (-1, 2), (2, -2)])
@pytest.mark.parametrize(("mode", "numpy_mode"), [
    ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_borders_are_those_of_numpy(mode, numpy_mode, widths):
    x = np.arange(12.0).reshape(2, 6)
    left = x[:, max(-widths[0], 0) : 6 - max(-widths[1], 0)]
    expected = np.pad(left, ((0, 0), tuple(max(n, 0) for n in widths)), numpy_mode)
    assert np.array_equal(ops.pad(t.tensor(x), widths, mode).numpy(), expected)


def test_largest_borders():
    x = t.tensor([[1.0, 2.0, 3.0]])
    assert ops.pad(x, (0, 2), "reflect").tolist() == [[1, 2, 3, 2, 1]]
    assert ops.pad(x, (2, 2), "reflect").tolist() == [[3, 2, 1, 2, 3, 2, 1]]
    assert ops.pad(x, (3, 3), "circular").tolist() == [[1, 2, 3] * 3]
    assert ops.pad(t.tensor([[5.0]]), (2, 1), "replicate").tolist() == [[5] * 4]
    assert ops.pad(t.tensor([[5.0]]), (0, 0), "reflect").tolist() == [[5]]
    assert ops.pad(x, (1, 0), value=t.tensor(4.0)).tolist() == [[4, 1, 2, 3]]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_a_border_is_copied_at_once_and_its_gradient_sums(mode, monkeypatch):
    from tinycnn.ops import padding

    calls = []
    slab = padding._slab
    monkeypatch.setattr(padding, "_slab", lambda *a: calls.append(a) or slab(*a))
    n = 10**5
    x = t.ones(1, 1, n, requires_grad=True)
    y = ops.pad(x, (n - 1, n - 1), mode)
    y.sum().backward()
    assert len(calls) <= 16
    expected = {"reflect": [2] + [3] * (n - 2) + [2], "replicate": [n] + [1] * (n - 2) + [n],
                "circular": [2] + [3] * (n - 2) + [2]}[mode]
    assert x.grad.tolist() == [[expected]]


# --- messages

x23 = t.ones(2, 3)
MESSAGES = [
    (lambda: x23 + t.ones(4), ValueError, r"add: expected shapes that broadcast.* \(2, 3\) and \("),
    (lambda: x23 * t.ones(3, 3), ValueError, "mul: expected shapes that broadcast"),
    (lambda: x23 > t.ones(4), ValueError, "greater: expected shapes that broadcast"),
    (lambda: x23 + "a", TypeError,
     "add: expected other to be a Tensor, an array or a number, got s"),
    (lambda: x23 - [1, 2, 3], TypeError, "sub: expected other to be .* got list"),
    (lambda: ops.add(1, 2), TypeError, "add: expected input to be a Tensor, got int"),
    (lambda: ops.add([1], 2), TypeError, "add: expected input to be a Tensor, an array or"),
    (lambda: x23 + np.ones(3, "float16"), TypeError, r"expected numbers of dtype .* got float16"),
    (lambda: x23 + 1j, TypeError, "add: expected other to be .* got complex"),
    (lambda: t.tensor([1], dtype=t.uint8) + 300, ValueError, "fits the tensor's dtype uint8"),
    (lambda: t.tensor([True]) - True, TypeError, "sub: expected numbers, got bool"),
    (lambda: -t.tensor([True]), TypeError, "neg: expected numbers, got a bool tensor"),
    (lambda: ops.neg(1), TypeError, "neg: expected input to be a Tensor, got int"),
    (lambda: ops.exp([1.0]), TypeError, "exp: expected input to be a Tensor, got list"),
    (lambda: ops.div(x23, x23, rounding_mode="up"), ValueError, "div: expected rounding_mode"),
    (lambda: t.tensor([1]) // 0, ValueError, "floor_divide: expected integers divided by"),
    (lambda: 1 % t.tensor([0]), ValueError, "remainder: expected integers divided by"),
    (lambda: t.tensor([True]) // True, TypeError, "floor_divide: expected numbers, got bool"),
    (lambda: t.tensor([2]) ** -1, ValueError, "pow: expected integers raised to powers of at"),
    (lambda: t.tensor([2]) ** t.tensor([-1]), ValueError, "pow: expected integers raised"),
    (lambda: ops.clamp(x23), ValueError, "clamp: expected min, max or both, got neither"),
    (lambda: x23 & x23, TypeError, r"bitwise_and: expected bool or integer tensors, got float32"),
    (lambda: ~x23, TypeError, "bitwise_not: expected bool or integer tensors"),
    (lambda: ops.where(x23, x23, x23), TypeError,
     "where: expected condition to be of bool, got fl"),
    (lambda: ops.where(x23 > 0, t.ones(4), 1.0), ValueError, "where: expected shapes that broad"),
    (lambda: x23.sum(2), ValueError, "sum: expected dim between -2 and 1 for a tensor of 2 axes"),
    (lambda: x23.sum((0, -2)), ValueError, "sum: expected every dim once"),
    (lambda: x23.sum("a"), TypeError, "sum: expected dim to be an int"),
    (lambda: x23.sum(1.0), TypeError, "sum: expected dim to be an int"),
    (lambda: t.tensor([1]).mean(), TypeError, "mean: expected input to be of dtype float32"),
    (lambda: t.tensor([1]).var(), TypeError, "var: expected input to be of dtype float32"),
    (lambda: t.tensor([1]).std(), TypeError, "std: expected input to be of dtype float32"),
    (lambda: t.zeros(0).max(), ValueError, "max: expected at least one element"),
    (lambda: t.zeros(2, 0).min(1), ValueError, "min: expected at least one element"),
    (lambda: t.zeros(2, 0).argmax(1), ValueError, "argmax: expected at least one element"),
    (lambda: t.zeros(2, 0).amin(), ValueError, "amin: expected at least one element"),
    (lambda: x23.reshape(4, 2), ValueError, r"reshape: expected a shape of 6 elements.*\(4, 2\)"),
    (lambda: x23.reshape(-1, -1), ValueError, "reshape: expected a shape of 6 elements"),
    (lambda: x23.reshape(-2, 3), ValueError, "reshape: expected a shape of 6 elements"),
    (lambda: x23.reshape(2.0, 3), TypeError, "reshape: expected sizes to be integers"),
    (lambda: x23.flatten(1, 0), ValueError, "flatten: expected start_dim in front of end_dim"),
    (lambda: x23.unflatten(1, (2, 2)), ValueError, "unflatten: expected sizes with the product 3"),
    (lambda: x23.permute(0, 0), ValueError, "permute: expected every dim once"),
    (lambda: x23.permute(0), ValueError, "permute: expected every one of 2 axes once"),
    (lambda: x23.permute((1,)), ValueError, "permute: expected every one of 2 axes once"),
    (lambda: x23.transpose(0, 2), ValueError, "transpose: expected dim1 between -2 and 1"),
    (lambda: x23.squeeze(5), ValueError, "squeeze: expected dim between"),
    (lambda: x23.unsqueeze(5), ValueError, "unsqueeze: expected dim between -3 and 2"),
    (lambda: x23.expand(4, 3), ValueError,
     r"expand: expected sizes that differ .*\(4, 3\) for \(2"),
    (lambda: x23.expand(3), ValueError, "expand: expected sizes that differ"),
    (lambda: x23.expand(-1, 2, 3), ValueError, "expand: expected sizes that differ"),
    (lambda: ops.cat(x23), TypeError, "cat: expected a list of tensors, got Tensor"),
    (lambda: ops.cat([]), ValueError, "cat: expected at least one tensor"),
    (lambda: ops.cat([x23, 1]), TypeError, "cat: expected every entry to be a Tensor, got int"),
    (lambda: ops.cat([x23, t.ones(2, 4)]), ValueError, "cat: expected equal sizes but along dim 0"),
    (lambda: ops.cat([t.ones(()), t.ones(())]), ValueError, "cat: expected tensors with at least"),
    (lambda: ops.stack([x23, t.ones(2)]), ValueError, "stack: expected equal shapes"),
    (lambda: x23.split([1, 2]), ValueError, "split: expected sizes of at least 0 that add up to 2"),
    (lambda: x23.split(0), ValueError, "split: expected sizes of at least 0"),
    (lambda: x23.split(-1), ValueError, "split: expected sizes of at least 0"),
    (lambda: x23.chunk(0), ValueError, "chunk: expected chunks to be at least 1"),
    (lambda: x23[2], IndexError,
     r"index: expected indices that exist in a tensor \(2, 3\), got \[2"),
    (lambda: x23[0, 0, 0], IndexError, "index: expected indices that exist"),
    (lambda: x23[i(0, 2)], IndexError, "index: expected indices that exist"),
    (lambda: x23[t.ones(3) > 0], IndexError, "index: expected indices that exist"),
    (lambda: x23[i(0, 1), i(0, 1, 2)], IndexError, "index: expected indices that exist"),
    (lambda: x23[t.ones(2)], TypeError, "index: expected indices of bool or integers, got float32"),
    (lambda: x23["a"], TypeError, "index: expected an integer, slice, None, ... or a tensor"),
    (lambda: x23[1.0], TypeError, "index: expected an integer, slice"),
    (lambda: ops.pad(x23, (1,)), ValueError, "pad: expected pairs of widths for at most 2 axes"),
    (lambda: ops.pad(x23, (1,) * 6), ValueError, "pad: expected pairs of widths"),
    (lambda: ops.pad(x23, (1, 1), "mirror"), ValueError, "pad: expected mode 'constant'"),
    (lambda: ops.pad(x23, (1, 1), "reflect", 1.0), ValueError, "pad: expected no value in mode"),
    (lambda: ops.pad(x23, (3, 0), "reflect"), ValueError, "widths of at most 2 in mode 'reflect'"),
    (lambda: ops.pad(x23, (4, 0), "circular"), ValueError,
     "widths of at most 3 in mode 'circular'"),
    (lambda: ops.pad(t.ones(1, 0), (1, 0), "replicate"), ValueError, "widths of at most 0 in mode"),
    (lambda: ops.pad(x23, (-2, -2)), ValueError, "pad: expected at most 3 pixels to be cut off"),
    (lambda: ops.pad(x23, (1.0, 1)), TypeError, "pad: expected sizes to be integers"),
    (lambda: ops.pad(x23, (1, 1), []), TypeError, r"pad: expected mode 'constant'.* got \[\]"),
    (lambda: ops.pad(x23, (1, 1), value="a"), TypeError, "pad: expected numbers.* got .*'a'"),
    (lambda: ops.pad(x23, (1, 1), value=[1.0, 2.0, 3.0]), ValueError,
     r"pad: expected value to be one number, got numbers of shape \(3,\)"),
    (lambda: ops.pad(x23, (1, 1), value=t.tensor(1.0, requires_grad=True)), TypeError,
     "pad: expected value to be a number, got a tensor that requires a gradient"),
    (lambda: ops.pad(t.tensor([1], dtype=t.uint8), (1, 1), value=300), ValueError,
     "pad: expected numbers from 0 to 255, those of uint8, got 300"),
    (lambda: ops.pad(t.tensor([1]), (1, 1), value=float("nan")), ValueError,
     "pad: expected numbers from .* those of int64, got nan"),
    (lambda: x23 @ x23, ValueError, r"matmul: expected input .* got \(2, 3\) and \(2, 3\)"),
    (lambda: x23 @ t.ones(2), ValueError, "matmul: expected input"),
    (lambda: x23 @ t.tensor(1.0), ValueError, "matmul: expected input"),
    (lambda: t.ones(2, 2, 3) @ t.ones(5, 3, 2), ValueError, "matmul: expected shapes that broad"),
    (lambda: x23 @ t.ones(3, dtype=t.float64), TypeError, "matmul: expected other of the input's"),
    (lambda: x23 @ t.tensor([1, 2, 3]), TypeError, "matmul: expected other to be of dtype float32"),
    (lambda: x23 @ 2, TypeError, "matmul: expected other to be a Tensor, got int"),
    (lambda: x23.view(4, 2), ValueError, r"^view: expected a shape of 6 elements.*\(4, 2\)"),
    (lambda: x23.view(2.0, 3), TypeError, "^view: expected sizes to be integers"),
    (lambda: x23.view_as(2), TypeError, "view_as: expected other to be a Tensor, got int"),
    (lambda: x23.reshape_as((3, 2)), TypeError, "reshape_as: expected other to be a Tensor"),
    (lambda: x23.expand_as((2, 3)), TypeError, "expand_as: expected other to be a Tensor"),
    (lambda: ops.log1p(1), TypeError, "log1p: expected input to be a Tensor, got int"),
    (lambda: ops.sin(1), TypeError, "sin: expected input to be a Tensor, got int"),
    (lambda: ops.cos([1]), TypeError, "cos: expected input to be a Tensor, got list"),
    (lambda: ops.square(2), TypeError, "square: expected input to be a Tensor, got int"),
    (lambda: ops.reciprocal(2), TypeError, "reciprocal: expected input to be a Tensor, got int"),
    (lambda: x23.norm(3), ValueError, "norm: expected p to be 1, 2 or inf, got 3"),
    (lambda: i(1, 2).norm(), TypeError, "norm: expected input to be of dtype float32"),
    (lambda: x23.norm(dim=2), ValueError, "norm: expected dim between -2 and 1"),
    (lambda: x23.sort(2), ValueError, "sort: expected dim between -2 and 1"),
    (lambda: x23.topk(4), ValueError, "topk: expected k from 0 to 3, the size of dim -1, got 4"),
    (lambda: x23.topk(1.0), ValueError, "topk: expected k from 0 to 3"),
    (lambda: x23.sum().topk(0), ValueError, "topk: expected k from 1 to 1"),
    (lambda: x23.cumsum(2), ValueError, "cumsum: expected dim between -2 and 1"),
    (lambda: x23.masked_fill(x23, 0), TypeError, "where: expected condition to be of bool"),
    (lambda: x23[None].t(), ValueError, r"t: expected at most two axes, got \(1, 2, 3\)"),
    (lambda: x23.repeat(2), ValueError, r"repeat: expected at least 2 numbers of at least 0, got"),
    (lambda: x23.repeat(2, -1), ValueError, r"repeat: expected at least 2 numbers .*\(2, -1\)"),
    (lambda: x23.sum().unbind(), ValueError, "unbind: expected a tensor with at least one axis"),
    (lambda: x23.unbind(2), ValueError, "unbind: expected dim between"),
    (lambda: x23.mm(t.ones(3)), ValueError, r"mm: expected matrices .* got \(2, 3\) and \(3,\)"),
    (lambda: x23.mm(2), TypeError, "mm: expected other to be a Tensor, got int"),
    (lambda: t.ones(1, 2, 3).bmm(t.ones(2, 3, 1)), ValueError, "bmm: expected batches of"),
    (lambda: t.ones(2).dot(x23), ValueError, "dot: expected vectors"),
    (lambda: ops.isclose(1.0, x23), TypeError, "isclose: expected input to be a Tensor, got"),
    (lambda: x23.allclose(t.ones(4)), ValueError, "isclose: expected shapes that broadcast"),
    (lambda: x23.equal(1), TypeError, "equal: expected other to be a Tensor, got int"),
    (lambda: ops.linear(x23, t.ones(4, 2)), ValueError, r"linear: expected input \(..., 2\)"),
    (lambda: ops.linear(x23, t.ones(4, 3), t.ones(3)), ValueError, r"linear: expected bias \(4,\)"),
    (lambda: ops.linear(x23, t.ones(4, 3), t.ones(4, dtype=t.float64)), TypeError,
     "linear: expected bias of the input's dtype"),
]


@pytest.mark.parametrize("n", range(len(MESSAGES)))
def test_messages(n):
    call, error, message = MESSAGES[n]
    with pytest.raises(error, match=message):
        call()
