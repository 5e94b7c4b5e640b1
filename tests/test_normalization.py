"""Group, layer, instance, RMS and local response norm, and normalize: values by hand, kernels
against the reference, numbers that hurt, gradients, threads, memory. Layers and messages are in
test_normalization_layers.py."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn._core import cpu, reference
from tinycnn.testing import gradcheck


def tensor(values, **options):
    return tinycnn.tensor(np.array(values, dtype=np.float64), **options)


def last(array):
    """The same feature map with its channels last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


# --- values by hand --------------------------------------------------------------------------


def test_group_norm_by_hand():
    x = tensor([[[1, 3], [5, 7], [0, 0], [4, 4]]])  # groups 1 3 5 7 and 0 0 4 4: means 4, 2
    y = F.group_norm(x, 2, tensor([1, 1, 2, 2]), tensor([0, 0, 1, 3]), eps=-0.0)
    root = 5**0.5
    np.testing.assert_allclose(
        y.numpy(), [[[-3 / root, -1 / root], [1 / root, 3 / root], [-1, -1], [5, 5]]], rtol=1e-15)


def test_gradient_of_group_norm_by_hand():
    x = tensor([[1, 3]], requires_grad=True)  # normalised: -1, 1
    weight, bias = tensor([2, 1], requires_grad=True), tensor([0, 0], requires_grad=True)
    F.group_norm(x, 1, weight, bias, eps=0).backward(tensor([[5, 4]]))
    assert bias.grad.numpy().tolist() == [5, 4]
    assert weight.grad.numpy().tolist() == [-5, 4]
    # g = 10, 4: minus their average 7 and minus normal times the average -3 of g * normal
    assert x.grad.numpy().tolist() == [[10 - 7 - 3, 4 - 7 + 3]]


def test_layer_norm_by_hand():
    y = F.layer_norm(tensor([[1, 3], [8, 4]]), (2,), tensor([2, 3]), tensor([5, 0]), eps=0)
    assert y.numpy().tolist() == [[3, 3], [7, -3]]


def test_rms_norm_by_hand():
    x, weight = tensor([[1, 7]], requires_grad=True), tensor([1, 10], requires_grad=True)
    y = F.rms_norm(x, (2,), weight, eps=0)
    np.testing.assert_allclose(y.detach().numpy(), [[0.2, 14]], rtol=1e-15)
    y.backward(tensor([[1, 0]]))
    np.testing.assert_allclose(weight.grad.numpy(), [0.2, 0], rtol=1e-15)
    np.testing.assert_allclose(x.grad.numpy(), [[0.2 * (1 - 0.02), -0.2 * 0.14]], rtol=1e-14)


@pytest.mark.parametrize(("dtype", "eps"), [("float32", 2.0**-23), ("float64", 2.0**-52)])
def test_rms_norm_adds_the_spacing_of_its_numbers(dtype, eps):
    x = tinycnn.tensor([[1e-3, 2e-3]], dtype=dtype) * eps**0.5
    got = F.rms_norm(x, (2,)).numpy()
    np.testing.assert_array_equal(got, F.rms_norm(x, (2,), eps=eps).numpy())
    np.testing.assert_allclose(got, [[1e-3, 2e-3]], rtol=1e-5)


def test_instance_norm_by_hand_moves_running_statistics():
    mean, var = tensor([0, 10]), tensor([1, 1])
    x = tensor([[[1, 3], [8, 4]], [[5, 5], [0, 8]]])  # means 2 6, 5 4; unbiased 2 8, 0 32
    y = F.instance_norm(x, mean, var, momentum=0.5, eps=0)
    assert y.numpy()[0].tolist() == [[-1, 1], [1, -1]]
    assert y.numpy()[1, 1].tolist() == [-1, 1]
    assert mean.numpy().tolist() == [1.75, 7.5]
    assert var.numpy().tolist() == [1, 10.5]


def test_instance_norm_by_running_statistics():
    mean, var = tensor([1, 2]), tensor([3, 8])
    y = F.instance_norm(tensor([[3, 5]]), mean, var, tensor([4, 6]), tensor([0, 1]), False, eps=1)
    assert y.numpy().tolist() == [[4, 7]]
    assert (mean.numpy().tolist(), var.numpy().tolist()) == ([1, 2], [3, 8])


@pytest.mark.parametrize(("size", "sums"), [
    (1, [1, 4, 9, 16]), (2, [1, 5, 13, 25]), (3, [5, 14, 29, 25]), (4, [5, 14, 30, 29]),
    (9, [30, 30, 30, 30]), (100, [30, 30, 30, 30])])
def test_local_response_norm_by_hand(size, sums):
    """The window of an even size reaches one channel further back than forward."""
    x = tensor([[1, 2, 3, 4]]).unsqueeze(-1)
    y = F.local_response_norm(x, size, alpha=size, beta=1, k=1)
    np.testing.assert_allclose(y.numpy().ravel(), np.arange(1, 5) / (1 + np.array(sums)))


def test_normalize_by_hand():
    x = tensor([[3, -4], [0, 0]])
    assert F.normalize(x).numpy().tolist() == [[0.6, -0.8], [0, 0]]
    assert F.normalize(x, p=1).numpy()[0].tolist() == [3 / 7, -4 / 7]
    assert F.normalize(x, float("inf"), 0).numpy().tolist() == [[1, -1], [0, 0]]
    assert F.normalize(x, dim=None).numpy()[0].tolist() == [0.6, -0.8]
    assert F.normalize(x, p=0).numpy()[0].tolist() == [1.5, -2]
    assert F.normalize(x, eps=10).numpy()[0].tolist() == [0.3, -0.4]


# --- kernels against the reference -----------------------------------------------------------

SIZES = [  # N, M, C, G: rows; a group each; images of one chunk, of several; folded rows
    (1, 1, 1, 1), (3, 1, 5, 1), (70, 1, 16, 1), (5, 1, 100, 1), (2, 1, 9001, 1), (300, 1, 33, 1),
    (4, 1, 6, 3), (2, 7, 6, 2), (3, 50, 6, 6), (2, 9, 64, 8), (3, 20, 70, 7), (2, 6000, 6, 3),
    (1, 70001, 1, 1), (3, 3000, 16, 16), (2, 700, 65, 13), (2, 40, 1000, 10), (1, 33, 15, 1),
    (0, 3, 4, 2), (2, 0, 4, 2), (2, 3, 0, 1), (0, 1, 4, 1)]


def _case(N, M, C, dtype):
    generator = np.random.default_rng(N + M + C)
    x, grad_y = generator.standard_normal((2, N, M, C)).astype(dtype)
    weight, bias = generator.standard_normal((2, C)).astype(dtype)
    return x + dtype(2), grad_y, weight, bias


def _everything(kernels, x, grad_y, weight, bias, G, centered=True):
    """All that the kernels find: mean, var, y, then the gradients."""
    mean, var = [np.full((len(x), G), 77, x.dtype) for _ in range(2)]
    mean = mean if centered else None
    y, grad_x = np.full_like(x, 77), np.full_like(x, 77)
    grad_weight, grad_bias = [np.full(x.shape[2], 77, x.dtype) for _ in range(2)]
    kernels.group_norm_forward(x, weight, bias, 1e-3, mean, var, y)
    kernels.group_norm_backward(x, grad_y, weight, 1e-3, mean, var, grad_x, grad_weight, grad_bias)
    return [var, y, grad_x, grad_weight, grad_bias] + ([mean] if centered else [])


def _tolerance(dtype, count):
    """Sums of `count` random numbers grow with its square root, and so do their errors."""
    return (3e-6 if dtype == np.float32 else 1e-14) * max(count, 10) ** 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "M", "C", "G"), SIZES)
def test_group_norm_agrees_with_the_reference(N, M, C, G, dtype, isa):
    x, grad_y, weight, bias = _case(N, M, C, dtype)
    for w, b in ((weight, bias), (None, None), (weight, None), (None, bias)):
        for expected, got in zip(_everything(reference, x, grad_y, w, b, G),
                                 _everything(cpu, x, grad_y, w, b, G), strict=True):
            np.testing.assert_allclose(got, expected, atol=_tolerance(dtype, N * M), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "M", "C", "G"), [size for size in SIZES if size[1] == size[3] == 1])
def test_rms_norm_agrees_with_the_reference(N, M, C, G, dtype, isa):
    x, grad_y, weight, _ = _case(N, M, C, dtype)
    for w in weight, None:
        for expected, got in zip(_everything(reference, x, grad_y, w, None, G, False),
                                 _everything(cpu, x, grad_y, w, None, G, False), strict=True):
            np.testing.assert_allclose(got, expected, atol=_tolerance(dtype, N), rtol=1e-5)


@pytest.mark.parametrize(("N", "M", "C", "G"), [(5, 1, 33, 1), (3, 20, 6, 2), (2, 3000, 16, 4)])
def test_gradients_that_nobody_wants_are_left_out(N, M, C, G, set_threads):
    x, grad_y, weight, _ = _case(N, M, C, np.float32)
    _, _, *expected, mean = _everything(cpu, x, grad_y, weight, None, G)
    var = _everything(cpu, x, grad_y, weight, None, G)[0]
    for threads in 1, 2:
        set_threads(threads)
        for wanted in range(8):
            grads = [np.empty_like(g) if wanted >> i & 1 else None for i, g in enumerate(expected)]
            cpu.group_norm_backward(x, grad_y, weight, 1e-3, mean, var, *grads)
            for grad, right in zip(grads, expected):
                assert grad is None or grad.tobytes() == right.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", [0.75, 0.5, 1.0, 0.6, 2.5, 0.0, -1.5])
@pytest.mark.parametrize(("M", "C", "size"), [
    (1, 1, 1), (3, 1, 4), (5, 7, 5), (20, 16, 3), (7, 33, 5), (3, 96, 5), (2, 100, 40), (9, 5, 99),
    (300, 96, 5), (0, 5, 3), (4, 0, 3)])
def test_local_response_agrees_with_the_reference(M, C, size, beta, dtype, isa):
    x, grad_y = np.random.default_rng(C).standard_normal((2, M, C)).astype(dtype)
    results = []
    for kernels in reference, cpu:
        y, grad_x = np.full_like(x, 77), np.full_like(x, 77)
        kernels.local_response_forward(x, y, size, 1.5, beta, 2.0)
        kernels.local_response_backward(x, grad_y, grad_x, size, 1.5, beta, 2.0)
        results.append((y, grad_x))
    tolerance = 3e-6 if dtype == np.float32 else 1e-14
    for expected, got in zip(*results):
        np.testing.assert_allclose(got, expected, rtol=tolerance,
                                   atol=tolerance * np.abs(expected).max(initial=1))


@pytest.mark.parametrize(("beta", "alpha", "k"), [(0.75, 1, 0), (0.6, 1, 0), (2.0, -1, 0.5),
                                                  (2.0, 1, -3), (0.5, 1, -3), (0.6, 1e30, 1)])
def test_local_response_of_unusual_divisors(beta, alpha, k, isa):
    """0 / 0, powers of negative numbers, infinity: as NumPy has them."""
    x = np.array([[0, 0, 0, 1, 2, 0, 1e20, 0, 0, 2.5]], np.float32)
    results = []
    for kernels in reference, cpu:
        results.append(np.empty_like(x))
        kernels.local_response_forward(x, results[-1], 3, alpha, beta, k)
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_what_lies_behind_a_row_counts_as_0_where_k_is_0(isa):
    """A window beyond the last channel would have the divisor 0."""
    x, grad_y = np.array([[[1, 0], [3, 0]], [[1, 2], [3, 4]]], np.float32)
    results = []
    for kernels in reference, cpu:
        results.append(np.empty_like(x))
        kernels.local_response_backward(x, grad_y, results[-1], 3, 1.0, 0.75, 0.0)
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)
    assert np.isfinite(results[1]).all()


# --- numbers that hurt -----------------------------------------------------------------------


@pytest.mark.parametrize(("N", "M", "C", "G"), [
    (2, 400, 6, 3), (2, 400, 64, 64), (2, 400, 70, 7), (3, 1, 5000, 1), (1, 9000, 16, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean_of_10000_deviations_costs_no_digits(N, M, C, G, dtype, rng):
    """The variance is as accurate as float32 inputs near 10,000 allow: they are 1/1024 apart."""
    x = (rng.standard_normal((N, M, C)) + 1e4).astype(dtype)
    mean, var = np.empty((2, N, G), dtype)
    cpu.group_norm_forward(x, None, None, 0.0, mean, var, np.empty_like(x))
    exact = x.astype(np.float64).reshape(N, M, G, C // G)
    np.testing.assert_allclose(var, exact.var(axis=(1, 3)),
                               rtol=2e-6 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(mean, exact.mean(axis=(1, 3)), rtol=1e-7)


@pytest.mark.parametrize("shape", [(1, 6, 8), (1, 1, 48)])
def test_a_mean_between_two_numbers_costs_no_digits(shape):
    """Half of each of two neighbours in float32: no number lies nearer to the mean than they do."""
    x = np.tile(np.array([8192, 8192 + 2.0**-10], np.float32), 24).reshape(shape)
    mean, var = np.empty((2, 1, 1), np.float32)
    cpu.group_norm_forward(x, None, None, 0.0, mean, var, np.empty_like(x))
    assert var[0, 0] == 2.0**-22


@pytest.mark.parametrize("shape", [(1, 5000, 6), (1, 1, 30000)])
def test_first_numbers_unlike_the_rest_cost_no_digits(shape, rng):
    x = rng.standard_normal(shape).astype(np.float32) * 1e-3 + 10
    x.reshape(-1)[:18] = 0
    mean, var = np.empty((2, 1, 1), np.float32)
    cpu.group_norm_forward(x, None, None, 0.0, mean, var, np.empty_like(x))
    np.testing.assert_allclose(var, x.astype(np.float64).var(), rtol=2e-6)


@pytest.mark.parametrize("shape", [(2, 6, 5, 5), (2, 6, 100, 100), (2, 6)])
def test_constant_groups_give_zeros(shape):
    x = tinycnn.tensor(np.full(shape, 0.1, np.float32))
    assert not F.group_norm(x, 2).numpy().any()
    assert not F.layer_norm(x, shape[1:]).numpy().any()


def test_nan_stays_in_its_group(rng):
    x = rng.standard_normal((2, 6, 5, 5)).astype(np.float32)
    x[1, 2, 3, 4] = np.nan
    bad = np.isnan(F.group_norm(tinycnn.tensor(x), 3).numpy())
    assert bad[1, 2:4].all()
    assert bad.sum() == 2 * 25
    bad = np.isnan(F.layer_norm(tinycnn.tensor(x), (5,)).numpy())
    assert bad[1, 2, 3].all()
    assert bad.sum() == 5
    bad = np.isnan(F.local_response_norm(tinycnn.tensor(x), 3).numpy())
    assert bad[1, 1:4, 3, 4].all()
    assert bad.sum() == 3


def test_one_value_in_a_group_is_shifted_to_0():
    """PyTorch refuses it for one image only."""
    x, bias = tensor([[1, 2], [3, 4]], requires_grad=True), tensor([5, 6])
    y = F.group_norm(x, 2, None, bias)
    assert y.detach().numpy().tolist() == [[5, 6], [5, 6]]
    y.sum().backward()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize("shape", [(0, 4), (0, 4, 3, 3), (2, 4, 0), (2, 0, 3), (0, 4, 0)])
def test_nothing_to_normalise(shape):
    C = shape[1]
    weight = tinycnn.tensor(np.ones(C), requires_grad=True)
    mean, var = tinycnn.tensor(np.full(C, 5.0)), tinycnn.tensor(np.full(C, 6.0))
    functions = [lambda x: F.group_norm(x, 1, weight)]
    if len(shape) > 2:
        functions += [lambda x: F.instance_norm(x, mean, var, weight),
                      lambda x: F.instance_norm(x, mean, var, weight, use_input_stats=False),
                      lambda x: F.local_response_norm(x, 3)]
    for function in functions:
        x = tinycnn.tensor(np.zeros(shape), requires_grad=True)
        weight.grad = None
        y = function(x)
        y.backward(tinycnn.tensor(np.zeros(shape)))
        assert x.grad.shape == y.shape == shape
        assert weight.grad is None or weight.grad.numpy().tolist() == [0] * C
    assert mean.numpy().tolist() == [5] * C
    for dims in range(1, len(shape)):
        weight = tinycnn.tensor(np.ones(shape[-dims:]), requires_grad=True)
        y = F.layer_norm(tinycnn.tensor(np.zeros(shape)), shape[-dims:], weight)
        y.backward(tinycnn.tensor(np.zeros(shape)))
        assert weight.grad.shape == shape[-dims:]
        assert not weight.grad.numpy().any()


# --- gradients -------------------------------------------------------------------------------

GRADIENTS = {
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), (3, 4), (4,), (4,)),
    "group_norm 3-D": (lambda x, w, b: F.group_norm(x, 2, w, b), (2, 6, 5), (6,), (6,)),
    "group_norm 5-D": (lambda x, w, b: F.group_norm(x, 1, w, b), (2, 2, 2, 1, 3), (2,), (2,)),
    "group_norm 6-D": (lambda x: F.group_norm(x, 2), (2, 2, 2, 1, 3, 2)),
    "group_norm, several chunks": (lambda x, w: F.group_norm(x, 3, w), (1, 6, 110, 110), (6,)),
    "group_norm, bias only": (lambda x, b: F.group_norm(x, 2, None, b), (2, 4, 3), (4,)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (7,), w, b), (5, 7), (7,), (7,)),
    "layer_norm of images": (lambda x, w: F.layer_norm(x, (2, 3), w), (2, 4, 2, 3), (2, 3)),
    "layer_norm of all": (lambda x, b: F.layer_norm(x, (2, 3), None, b), (2, 3), (2, 3)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (7,), w), (5, 7), (7,)),
    "instance_norm": (lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (2, 3, 5), (3,), (3,)),
    "instance_norm, running": (lambda x, w, b: F.instance_norm(
        x, tensor([0, 1]), tensor([1, 2]), w, b, use_input_stats=False), (2, 2, 3, 2), (2,), (2,)),
    "instance_norm that tracks": (lambda x, w: F.instance_norm(
        x, tensor([0, 1]), tensor([1, 2]), w), (2, 2, 3, 2), (2,)),
    **{f"local_response_norm {size} {beta}": (
        lambda x, size=size, beta=beta: F.local_response_norm(x, size, 0.7, beta, 1.5), (2, 7, 3))
       for size, beta in [(5, 0.75), (4, 0.5), (2, 1), (1, 0.6), (9, 2), (3, 0), (3, -1)]},
    **{f"normalize {p}": (lambda x, p=p: F.normalize(x, p), (3, 4, 2))
       for p in (2, 1, float("inf"), -float("inf"), 3, 1.5, 0.5, 0, -1)},
    "normalize two axes": (lambda x: F.normalize(x, dim=(0, 2)), (3, 4, 2)),
    "normalize, short": (lambda x: F.normalize(x, eps=2.0), (3, 4)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient(name, rng):
    function, *shapes = GRADIENTS[name]
    inputs = [tinycnn.tensor(rng.standard_normal(s) + 0.3, requires_grad=True) for s in shapes]
    assert gradcheck(function, inputs)
    if inputs[0].data.size < 100:
        assert gradcheck(function, inputs, per_element=True)


def test_gradient_of_normalize_where_there_is_no_direction():
    x = tensor([[0, 0], [0, 2]], requires_grad=True)
    for p in 2, 1, 3, 0.5, float("inf"):
        x.grad = None
        F.normalize(x, p).backward(tensor([[1, 1], [1, 1]]))
        assert np.isfinite(x.grad.numpy()).all()


# --- threads, memory -------------------------------------------------------------------------


@pytest.mark.parametrize(("N", "M", "C", "G"), [
    (5000, 1, 33, 1), (7, 1, 20000, 1), (2, 9000, 6, 3), (1, 70001, 1, 1), (64, 49, 64, 8),
    (3, 2000, 200, 10), (9, 5000, 3, 1)])
def test_bits_of_group_norm_do_not_depend_on_the_number_of_threads(N, M, C, G, set_threads):
    x, grad_y, weight, bias = _case(N, M, C, np.float32)
    results = []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        results.append([a.tobytes() for a in _everything(cpu, x, grad_y, weight, bias, G)])
    assert all(result == results[0] for result in results)


def test_bits_of_local_response_do_not_depend_on_the_number_of_threads(set_threads, rng):
    x, grad_y = rng.standard_normal((2, 3000, 70)).astype(np.float32)
    results = []
    for threads in (1, 2, 7):
        set_threads(threads)
        y, grad_x = np.empty_like(x), np.empty_like(x)
        cpu.local_response_forward(x, y, 5, 1.0, 0.75, 1.0)
        cpu.local_response_backward(x, grad_y, grad_x, 5, 1.0, 0.75, 1.0)
        results.append((y.tobytes(), grad_x.tobytes()))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(("N", "M", "C", "G"), [(3, 1, 37, 1), (2, 7, 6, 2), (2, 40, 65, 5)])
def test_kernels_stay_inside_of_their_arrays(N, M, C, G, guard, isa):
    x, grad_y, weight, bias = _case(N, M, C, np.float32)
    mean, var = np.zeros((2, N, G), np.float32)
    y, grads = np.zeros_like(x), [np.zeros_like(a) for a in (x, weight, bias)]
    x, grad_y, weight, bias, mean, var, y, *grads = map(
        guard, (x, grad_y, weight, bias, mean, var, y, *grads))
    cpu.group_norm_forward(x, weight, bias, 1e-3, mean, var, y)
    cpu.group_norm_backward(x, grad_y, weight, 1e-3, mean, var, *grads)
    assert all(np.isfinite(a).all() for a in (mean, var, y, *grads))
    rows, gradient, out = x.reshape(-1, C), grad_y.reshape(-1, C), guard(np.zeros((N * M, C), "f"))
    cpu.local_response_forward(rows, out, 5, 1.0, 0.6, 1.0)
    assert np.isfinite(out).all()
    cpu.local_response_backward(rows, gradient, out, 5, 1.0, 0.75, 1.0)
    assert np.isfinite(out).all()


LAYOUTS = {
    "channels last": last, "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: x[:, ::-1].copy()[:, ::-1], "read-only": lambda x: np.broadcast_to(
        x, x.shape), "Fortran": np.asfortranarray}
FUNCTIONS = {
    "group_norm": lambda x, w: F.group_norm(x, 2),
    "layer_norm": lambda x, w: F.layer_norm(x, (4, 6, 7), w),
    "layer_norm of rows": lambda x, w: F.layer_norm(x, (7,)),
    "instance_norm": lambda x, w: F.instance_norm(x),
    "local_response_norm": lambda x, w: F.local_response_norm(x, 3),
    "normalize": lambda x, w: F.normalize(x),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_memory_layout_gives_the_same(layout, function, rng):
    x = rng.standard_normal((2, 4, 6, 7))
    weight = tinycnn.tensor(rng.standard_normal((4, 6, 7)), requires_grad=True)
    results = []
    for values in x, LAYOUTS[layout](x):
        leaf = tinycnn.tensor(np.zeros(x.shape), requires_grad=True)
        leaf.data, weight.grad = values, None
        y = FUNCTIONS[function](leaf, weight)
        y.backward(tinycnn.tensor(x**2))
        results.append((y.data, leaf.grad.data, weight.grad))
    for expected, got in zip(*results):
        if expected is not None:
            np.testing.assert_allclose(got, expected, atol=1e-12)


def test_results_of_feature_maps_lie_channels_last(rng):
    x = tinycnn.from_numpy(last(rng.standard_normal((2, 4, 6, 7))))
    for function in (lambda x: F.group_norm(x, 2), lambda x: F.layer_norm(x, (4, 6, 7)),
                     F.instance_norm, lambda x: F.local_response_norm(x, 3)):
        assert function(x).data.strides == x.data.strides
