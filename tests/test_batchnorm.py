"""Batch norm: values by hand, running statistics, stability, kernels against the reference,
gradients, threads, messages."""

import numpy as np
import pytest

import tinycnn
from tinycnn._core import reference
from tinycnn._core.cpu import batchnorm as cpu
from tinycnn.ops.activation import relu
from tinycnn.ops.normalization import batch_norm, batch_norm_relu
from tinycnn.testing import gradcheck


def tensor(values, **options):
    return tinycnn.tensor(np.array(values, dtype=np.float64), **options)


# --- values by hand --------------------------------------------------------------------------


def test_training_by_hand():
    mean, var = tensor([0, 10]), tensor([1, 1])
    y = batch_norm(
        tensor([[1, 8], [3, 4]]), mean, var, tensor([2, 3]), tensor([5, 0]), training=True,
        momentum=0.5, eps=0,
    )
    assert y.numpy().tolist() == [[3, 3], [7, -3]]
    assert mean.numpy().tolist() == [1, 8]  # half of what it was, half of the batch's 2 and 6
    assert var.numpy().tolist() == [1.5, 4.5]  # the batch's 2 and 8 are divided by M - 1


def test_evaluation_by_hand():
    mean, var = tensor([1, 2]), tensor([3, 8])
    y = batch_norm(tensor([[[3], [5]]]), mean, var, tensor([4, 6]), tensor([0, 1]), eps=1)
    assert y.numpy().tolist() == [[[4], [7]]]
    assert (mean.numpy().tolist(), var.numpy().tolist()) == ([1, 2], [3, 8])


def test_gradient_in_training_by_hand():
    x = tensor([[1], [3]], requires_grad=True)  # normalised: -1, 1
    weight, bias = tensor([2], requires_grad=True), tensor([0], requires_grad=True)
    batch_norm(x, None, None, weight, bias, training=True, eps=0).backward(tensor([[1], [4]]))
    assert bias.grad.numpy().tolist() == [5]
    assert weight.grad.numpy().tolist() == [3]
    assert x.grad.numpy().tolist() == [[0], [0]]  # two values: the result never changes


def test_gradient_in_evaluation_by_hand():
    x = tensor([[1], [3]], requires_grad=True)
    weight = tensor([2], requires_grad=True)
    batch_norm(x, tensor([1]), tensor([4]), weight, eps=0).backward(tensor([[1], [4]]))
    assert x.grad.numpy().tolist() == [[1], [4]]
    assert weight.grad.numpy().tolist() == [4]


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (4, 3, 5, 6), (2, 3, 4, 5, 6)])
def test_every_rank_normalises_over_all_but_channels(shape, rng):
    x = rng.standard_normal(shape) * 3 + 7
    y = batch_norm(tinycnn.tensor(x), None, None, training=True, eps=0).numpy()
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-13)
    np.testing.assert_allclose(y.var(axis=axes), 1, atol=1e-13)


# --- running statistics ----------------------------------------------------------------------


def test_running_statistics_are_updated_in_place_and_off_the_tape():
    x = tinycnn.tensor(np.ones((4, 2, 3), np.float32), requires_grad=True)
    mean, var = tinycnn.tensor(np.zeros(2, np.float32)), tinycnn.tensor(np.ones(2, np.float32))
    memory = mean.data, var.data
    y = batch_norm(x, mean, var, training=True)
    assert mean.data is memory[0]
    assert var.data is memory[1]
    assert y.requires_grad
    assert not mean.requires_grad
    np.testing.assert_allclose(mean.numpy(), 0.1, rtol=1e-6)
    np.testing.assert_allclose(var.numpy(), 0.9, rtol=1e-6)


def test_running_statistics_may_lie_anywhere_in_memory():
    table = np.zeros((3, 2))
    mean, var = tinycnn.tensor(np.zeros(3)), tinycnn.tensor(np.ones(3))
    mean.data, var.data = table[:, 0], table[::-1, 1]
    batch_norm(tensor([[1, 2, 3], [3, 4, 5]]), mean, var, training=True, momentum=1)
    assert table.tolist() == [[2, 2], [3, 2], [4, 2]]


def test_evaluation_keeps_the_mean_of_its_time_for_backward():
    mean, var = tensor([1]), tensor([1])
    x, weight = tensor([[2], [4]]), tensor([1], requires_grad=True)
    y = batch_norm(x, mean, var, weight, eps=0)
    batch_norm(x, mean, var, training=True, momentum=1)
    y.backward(tensor([[1], [1]]))
    assert weight.grad.numpy().tolist() == [4]  # (2 - 1) + (4 - 1)


def test_read_only_running_statistics_are_refused():
    fixed = tinycnn.tensor(np.zeros(2))
    fixed.data = np.broadcast_to(np.zeros(1), (2,))
    with pytest.raises(ValueError, match="read-only"):
        batch_norm(tensor([[1, 2], [3, 4]]), fixed, tensor([1, 1]), training=True)


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4, 4), (2, 3, 0), (2, 0), (1, 0, 4)])
def test_nothing_to_normalise(shape):
    C = shape[1]
    mean, var = tinycnn.tensor(np.full(C, 5.0)), tinycnn.tensor(np.full(C, 6.0))
    weight = tinycnn.tensor(np.ones(C), requires_grad=True)
    for training in (True, False):
        x = tinycnn.tensor(np.zeros(shape), requires_grad=True)
        weight.grad = None
        y = batch_norm(x, mean, var, weight, training=training)
        y.backward(tinycnn.tensor(np.zeros(shape)))
        assert x.grad.shape == y.shape == shape
        assert weight.grad.numpy().tolist() == [0] * C
        assert mean.numpy().tolist() == [5] * C


# --- numbers that hurt -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 6, 64, 70])
def test_mean_of_10000_deviations_costs_no_digits(channels, dtype, rng):
    """The variance is as accurate as float32 inputs near 10,000 allow: they are 1/1024 apart."""
    x = (rng.standard_normal((8, channels, 20, 20)) + 1e4).astype(dtype)
    exact = x.astype(np.float64).transpose(0, 2, 3, 1).reshape(-1, channels)
    mean, var = np.empty(channels, dtype), np.empty(channels, dtype)
    cpu.batch_norm_statistics(exact.astype(dtype), mean, var)
    np.testing.assert_allclose(var, exact.var(axis=0), rtol=2e-6 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-7)
    y = batch_norm(tinycnn.tensor(x), None, None, training=True).numpy()
    expected = (exact - exact.mean(axis=0)) / np.sqrt(exact.var(axis=0) + 1e-5)
    got = y.transpose(0, 2, 3, 1).reshape(-1, channels)
    # the mean itself is stored in dtype: half of 1/1024 in float32
    np.testing.assert_allclose(got, expected, atol=6e-4 if dtype == np.float32 else 1e-10)


def test_first_rows_unlike_the_rest_cost_no_digits(rng):
    x = rng.standard_normal((5000, 6)).astype(np.float32) * 1e-3 + 10
    x[:3] = 0
    mean, var = np.empty(6, np.float32), np.empty(6, np.float32)
    cpu.batch_norm_statistics(x, mean, var)
    np.testing.assert_allclose(var, x.astype(np.float64).var(axis=0), rtol=2e-6)


def test_constant_channel_has_variance_zero():
    x = tinycnn.tensor(np.full((7, 3, 5, 5), 0.1, np.float32))
    assert not batch_norm(x, None, None, training=True).numpy().any()
    mean, var = np.empty(1, np.float32), np.empty(1, np.float32)
    cpu.batch_norm_statistics(np.full((12345, 1), 0.1, np.float32), mean, var)
    assert (mean[0], var[0]) == (np.float32(0.1), 0)


def test_nan_stays_in_its_channel(rng):
    x = rng.standard_normal((4, 6, 5, 5)).astype(np.float32)
    x[1, 2, 3, 4] = np.nan
    mean, var = tinycnn.tensor(np.zeros(6, np.float32)), tinycnn.tensor(np.ones(6, np.float32))
    y = batch_norm(tinycnn.tensor(x), mean, var, training=True).numpy()
    for values in (y.transpose(1, 0, 2, 3).reshape(6, -1), mean.numpy(), var.numpy()):
        bad = np.isnan(values).reshape(6, -1)
        assert bad[2].all()
        assert not bad[[0, 1, 3, 4, 5]].any()


# --- kernels against the reference -----------------------------------------------------------

SIZES = [(1, 1), (2, 1), (7, 6), (5000, 6), (70001, 1), (333, 3), (40, 63), (1100, 64), (700, 65),
         (50, 200), (33, 1000), (3, 5000), (5, 15), (0, 3), (4, 0)]


def _case(M, C, dtype):
    generator = np.random.default_rng(M + C)
    x, grad_y = generator.standard_normal((2, M, C)).astype(dtype)
    mean, weight, bias = generator.standard_normal((3, C)).astype(dtype)
    return x, grad_y, mean, generator.uniform(0.5, 2, C).astype(dtype), weight, bias


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("M", "C"), SIZES)
def test_kernels_agree_with_the_reference(M, C, dtype, isa):
    x, grad_y, mean, invstd, weight, bias = _case(M, C, dtype)
    results = []
    for kernels in reference, cpu:
        got = [np.full(C, 77, dtype) for _ in range(3)]
        kernels.batch_norm_statistics(x, got[0], got[1])
        kernels.batch_norm_invstd(got[1], 1e-5, got[2])
        got.append(weight.copy())
        kernels.batch_norm_move(got[3], mean, 1.25, 0.3)
        for w, b in ((weight, bias), (None, None), (weight, None), (None, bias)):
            got.append(np.full((M, C), 77, dtype))
            kernels.batch_norm_apply(x, mean, invstd, w, b, None, False, got[-1])
            for training in (True, False):
                got += _gradients(kernels, x, grad_y, None, mean, invstd, w, b, False, training)
        got.append(np.full((M, C), 77, dtype))  # frozen: nobody wants the sums
        kernels.batch_norm_backward(x, grad_y, None, mean, invstd, w, b, False, False, got[-1],
                                    None, None, None)
        got += [np.full(C, 77, dtype), np.full(C, 77, dtype)]  # the input is a leaf
        kernels.batch_norm_backward(x, grad_y, None, mean, invstd, w, b, False, True, None,
                                    got[-2], got[-1], None)
        results.append(got)
    # sums of M random numbers grow with sqrt(M), and so do their errors
    tolerance = (3e-6 if dtype == np.float32 else 1e-14) * max(M, 10) ** 0.5
    for expected, got in zip(*results):
        np.testing.assert_allclose(got, expected, atol=tolerance, rtol=1e-5)


def _gradients(kernels, x, grad_y, y, mean, invstd, weight, bias, relu, training):
    """grad_x, grad_weight, grad_bias and, if y is given, grad_residual."""
    grads = [np.full_like(a, 77) for a in (x, mean, mean, *([] if y is None else [x]))]
    kernels.batch_norm_backward(x, grad_y, y, mean, invstd, weight, bias, relu, training,
                                *grads[:3], None if y is None else grads[3])
    return grads


def _away_from_zero(y, x):
    """Moves x where y, which grows with it, is so near to 0 that rounding decides its sign."""
    x[abs(y) < 1e-3] += x.dtype.type(0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("M", "C"), SIZES)
def test_rectified_kernels_agree_with_the_reference(M, C, dtype, isa):
    x, grad_y, mean, invstd, weight, bias = _case(M, C, dtype)
    residual = grad_y[::-1].copy()
    weight = abs(weight) + dtype(0.5)  # y grows with x
    y, z = np.empty_like(x), np.empty_like(x)
    for w, b in ((weight, bias), (None, None)):
        reference.batch_norm_apply(x, mean, invstd, w, b, None, False, y)
        _away_from_zero(y, x)
        reference.batch_norm_apply(x, mean, invstd, w, b, residual, False, y)
        _away_from_zero(y, residual)
        results = []
        for kernels in reference, cpu:
            kernels.batch_norm_apply(x, mean, invstd, w, b, None, True, y)
            kernels.batch_norm_apply(x, mean, invstd, w, b, residual, True, z)
            got = [y.copy(), z.copy()]
            for training in (True, False):
                got += _gradients(kernels, x, grad_y, None, mean, invstd, w, b, True, training)
                got += _gradients(kernels, x, grad_y, z, mean, invstd, w, b, True, training)
            got.append(np.full_like(x, 77))  # frozen, but the residual is not
            kernels.batch_norm_backward(x, grad_y, z, mean, invstd, w, b, True, False, None, None,
                                        None, got[-1])
            results.append(got)
        tolerance = (3e-6 if dtype == np.float32 else 1e-14) * max(M, 10) ** 0.5
        for expected, got in zip(*results):
            np.testing.assert_allclose(got, expected, atol=tolerance, rtol=1e-5)


@pytest.mark.parametrize("residual", [True, False])
def test_the_mask_of_backward_is_the_one_of_forward(residual, rng, isa):
    """Bit for bit, also where y is one rounding away from 0: the gradient is 0 exactly where y is.
    """
    M, C = 4000, 70
    x = rng.integers(-3, 4, (M, C)).astype(np.float32) * np.float32(0.1)
    mean, invstd, weight = (rng.uniform(0.5, 2, C).astype(np.float32) for _ in range(3))
    level = rng.integers(-3, 4, C).astype(np.float32) * np.float32(0.1)
    bias = -(level - mean) * (invstd * weight)  # y is about 0 where x is `level`
    other = x[::-1].copy() * np.float32(1e-7) if residual else None
    y, grad_y = np.empty_like(x), np.ones_like(x)
    cpu.batch_norm_apply(x, mean, invstd, weight, bias, other, True, y)
    grads = _gradients(cpu, x, grad_y, y if residual else None, mean, invstd, weight, bias, True,
                       False)
    np.testing.assert_array_equal(grads[0] != 0, y > 0)
    assert 0.2 < (y > 0).mean() < 0.8


@pytest.mark.parametrize(("M", "C"), [(9000, 6), (70001, 1), (3000, 64), (700, 200)])
def test_bits_do_not_depend_on_the_number_of_threads(M, C, set_threads):
    x, grad_y, mean, invstd, weight, bias = _case(M, C, np.float32)
    results = []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        got = [np.empty(C, np.float32) for _ in range(2)] + [np.empty_like(x) for _ in range(3)]
        cpu.batch_norm_statistics(x, got[0], got[1])
        cpu.batch_norm_apply(x, mean, invstd, weight, bias, None, False, got[2])
        cpu.batch_norm_apply(x, mean, invstd, weight, bias, None, True, got[3])
        cpu.batch_norm_apply(x, mean, invstd, weight, bias, grad_y, True, got[4])
        for y, rectified in (None, False), (None, True), (got[4], True):
            got += _gradients(cpu, x, grad_y, y, mean, invstd, weight, bias, rectified, True)
        results.append([a.tobytes() for a in got])
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("layout", ["channels first", "strided", "read-only"])
def test_any_memory_layout_gives_the_same(layout, rng):
    x = rng.standard_normal((4, 5, 6, 7)).astype(np.float32)
    other = {
        "channels first": lambda: x.copy(),
        "strided": lambda: np.repeat(x, 2, axis=1)[:, ::2],
        "read-only": lambda: np.broadcast_to(x, x.shape),
    }[layout]()
    expected = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    results = []
    for values in (expected, other):
        leaf = tinycnn.tensor(np.zeros(x.shape, np.float32), requires_grad=True)
        leaf.data = values
        y = batch_norm(leaf, None, None, training=True)
        y.backward(tinycnn.tensor(np.ascontiguousarray(values) ** 2))
        results.append((y.data, leaf.grad.data))
    np.testing.assert_array_equal(results[0], results[1])


# --- gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3, 2, 4), (2, 3, 3, 2), (2, 2, 2, 1, 3)])
def test_gradient(shape, training, rng):
    C = shape[1]
    mean, var = tinycnn.tensor(rng.standard_normal(C)), tinycnn.tensor(rng.uniform(1, 2, C))
    statistics = (None, None) if training else (mean, var)
    leaves = tuple([
        tinycnn.tensor(rng.standard_normal(s), requires_grad=True) for s in (shape, (C,), (C,))
    ])
    assert gradcheck(lambda x, w, b: batch_norm(x, *statistics, w, b, training=training), leaves)
    assert gradcheck(lambda x: batch_norm(x, *statistics, training=training), leaves[:1])


@pytest.mark.parametrize("training", [True, False])
def test_gradient_of_every_element(training, rng):
    leaves = [tinycnn.tensor(rng.standard_normal(s), requires_grad=True) for s in ((3, 2), 2, 2)]
    statistics = (None, None) if training else (tensor([0.5, 1]), tensor([1, 2]))

    def function(x, weight, bias):
        return batch_norm(x, *statistics, weight, bias, training=training)

    assert gradcheck(function, leaves, per_element=True)


def test_gradient_of_what_is_wanted_alone(rng):
    x = tinycnn.tensor(rng.standard_normal((4, 3)))
    weight = tinycnn.tensor(rng.standard_normal(3), requires_grad=True)
    batch_norm(x, None, None, weight, training=True).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), 0, atol=1e-12)  # normalised values sum to 0
    assert x.grad is None


# --- with ReLU and residual ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("shape", [(6, 3), (4, 70, 5), (3, 6, 5, 4), (2, 64, 3, 3), (2, 3, 2, 2, 5),
                                   (0, 3, 2, 2)])
def test_rectified_is_batch_norm_then_sum_then_relu(shape, residual, training, dtype, rng):
    C = shape[1]
    x, other, grad = rng.standard_normal((3, *shape)).astype(dtype)
    mean, weight, bias = rng.standard_normal((3, C)).astype(dtype)
    results = []
    for fused in True, False:
        leaves = [tinycnn.tensor(a.copy(), requires_grad=True) for a in (x, weight, bias, other)]
        moving = [tinycnn.tensor(mean), tinycnn.tensor(mean**2 + 1)]
        options = {"training": training, "momentum": 0.3, "eps": 1e-3}
        if fused:
            y = batch_norm_relu(leaves[0], *moving, *leaves[1:3], **options,
                                residual=leaves[3] if residual else None)
        else:
            y = batch_norm(leaves[0], *moving, *leaves[1:3], **options)
            y = relu(y + leaves[3] if residual else y)
        y.backward(tinycnn.tensor(grad))
        results.append([y, *moving, *[t.grad for t in leaves[: 3 + residual]]])
    for got, expected in zip(*results):
        assert got.dtype == dtype
        np.testing.assert_allclose(got.data, expected.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("residual", [True, False])
def test_gradient_of_rectified(residual, training, rng):
    statistics = (None, None) if training else (tensor([0.5, 1]), tensor([1, 2]))
    leaves = [tinycnn.tensor(rng.standard_normal(s), requires_grad=True)
              for s in ((5, 2, 3), 2, 2, (5, 2, 3))[: 3 + residual]]

    def function(x, weight, bias, other=None):
        return batch_norm_relu(x, *statistics, weight, bias, training=training, residual=other)

    assert gradcheck(function, leaves, per_element=True)


def test_rectified_keeps_nan_and_hands_its_gradient_on():
    x = tensor([[np.nan], [1], [-1]], requires_grad=True)
    y = batch_norm_relu(x, tensor([0]), tensor([1]), eps=0)
    y.backward(tensor([[1], [1], [1]]))
    np.testing.assert_array_equal(y.data, [[np.nan], [1], [0]])
    np.testing.assert_array_equal(x.grad.numpy(), [[1], [1], [0]])


def test_one_array_may_be_input_and_residual(rng):
    values = rng.standard_normal((6, 3))
    grads = []
    for fused in True, False:
        x = tinycnn.tensor(values, requires_grad=True)
        y = (batch_norm_relu(x, None, None, training=True, residual=x) if fused else
             relu(batch_norm(x, None, None, training=True) + x))
        (y * y).sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(*grads, rtol=1e-12)


# --- messages --------------------------------------------------------------------------------

A = np.zeros((2, 3), np.float32)
C3 = np.ones(3, np.float32)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((A, None, None), {}, TypeError, "batch_norm: expected input to be a Tensor, got ndarray"),
        ((A.astype(int), C3, C3), {}, TypeError, "input to be of dtype float32 or float64"),
        ((C3, C3, C3), {}, ValueError, r"input \(N, C\) or \(N, C, \*spatial\) .* got \(3,\)"),
        ((A.reshape(2, 3, 1, 1, 1, 1), C3, C3), {}, ValueError, "up to 3 spatial axes"),
        ((A, C3[:2], C3), {}, ValueError, r"running_mean \(3,\), one number .* got \(2,\) for"),
        ((A, C3, C3, C3[:1]), {}, ValueError, r"weight \(3,\), one number per channel"),
        ((A, C3, C3, C3, A), {}, ValueError, r"bias \(3,\), one number per channel"),
        ((A, C3, C3.astype(float)), {}, ValueError, "running_var of input's dtype float32"),
        ((A, None, None), {}, ValueError, "got None and None with training=False"),
        ((A, C3, None), {"training": True}, ValueError, "got a tensor and None with training=True"),
        ((A[:1], C3, C3), {"training": True}, ValueError,
         r"more than one value per channel in training, got input \(1, 3\)"),
        ((A, C3, C3), {"training": True, "momentum": None}, TypeError, "momentum to be a number"),
        ((A, C3, C3), {"momentum": "a"}, TypeError, "momentum to be a number, got 'a'"),
        ((A, C3, C3), {"eps": "a"}, TypeError, "batch_norm: expected eps to be a number, got 'a'"),
        ((A, C3, C3), {"eps": -1e-5}, ValueError, "eps >= 0, got -1e-05"),
    ],
)
def test_message(arguments, options, error, message):
    tensors = [a if a is None else tinycnn.tensor(a) for a in arguments]
    if "Tensor" in message:
        tensors = arguments
    with pytest.raises(error, match=message):
        batch_norm(*tensors, **options)


def test_messages_of_batch_norm_relu():
    x, row = tinycnn.tensor(A), tinycnn.tensor(C3)
    with pytest.raises(ValueError, match=r"batch_norm_relu: expected weight \(3,\)"):
        batch_norm_relu(x, row, row, tinycnn.tensor(C3[:2]))
    with pytest.raises(TypeError, match="batch_norm_relu: expected residual to be a Tensor"):
        batch_norm_relu(x, row, row, residual=A)
    for other in A[:1], A.astype(float):
        with pytest.raises(ValueError, match=r"residual of the shape and dtype of input, \(2, 3\)"):
            batch_norm_relu(x, row, row, residual=tinycnn.tensor(other))


def test_statistics_must_be_tensors():
    with pytest.raises(TypeError, match="running_mean to be a Tensor"):
        batch_norm(tinycnn.tensor(A), C3, C3)
