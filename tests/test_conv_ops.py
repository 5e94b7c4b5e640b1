"""conv1d to conv3d and their transposes as users call them: against the definition, element by
element; padding rules; layouts; gradients."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn.testing import assert_same_on_devices, gradcheck

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def by_definition(x, weight, bias, stride, padding, dilation, groups):
    """y[n, k, o] = bias[k] + sum x[n, c, o * stride + t * dilation - low] * weight[k, c, t]."""
    (N, _, *size), (OC, CG, *kernel) = x.shape, weight.shape
    out = [(n + low + high - d * (k - 1) - 1) // s + 1
           for n, k, s, (low, high), d in zip(size, kernel, stride, padding, dilation)]
    y = np.zeros((N, OC, *out), x.dtype) + bias.reshape(-1, *[1] * len(size))
    for o in itertools.product(*map(range, out)):
        for t in itertools.product(*map(range, kernel)):
            place = [i * s + j * d - low
                     for i, j, s, d, (low, _) in zip(o, t, stride, dilation, padding)]
            if all(0 <= p < n for p, n in zip(place, size)):
                for k in range(OC):
                    first = k // (OC // groups) * CG
                    seen = x[(slice(None), slice(first, first + CG), *place)]
                    y[(slice(None), k, *o)] += seen @ weight[(k, slice(None), *t)]
    return y


def transposed_by_definition(x, weight, bias, stride, padding, extra, dilation, groups):
    """y[n, k, o] = bias[k] + sum over i, t with o = i * stride + t * dilation - low."""
    (N, C, *size), (_, OG, *kernel) = x.shape, weight.shape
    out = [(n - 1) * s - low - high + d * (k - 1) + e + 1
           for n, k, s, (low, high), e, d in zip(size, kernel, stride, padding, extra, dilation)]
    y = np.zeros((N, OG * groups, *out), x.dtype) + bias.reshape(-1, *[1] * len(size))
    for i in itertools.product(*map(range, size)):
        for t in itertools.product(*map(range, kernel)):
            place = [a * s + b * d - low
                     for a, b, s, d, (low, _) in zip(i, t, stride, dilation, padding)]
            if all(0 <= p < n for p, n in zip(place, out)):
                for c in range(C):
                    first = c // (C // groups) * OG
                    written = y[(slice(None), slice(first, first + OG), *place)]
                    written += x[(slice(None), c, *i)][:, None] * weight[(c, slice(None), *t)]
    return y


@st.composite
def cases(draw, transposed):
    dims = draw(st.integers(1, 3))
    small = st.integers(1, 3)

    def axes(strategy):
        return tuple(draw(st.lists(strategy, min_size=dims, max_size=dims)))

    kernel, stride, dilation = axes(small), axes(small), axes(small)
    padding = axes(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    groups, images = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    channels, outputs = draw(small) * groups, draw(small) * groups
    extra = tuple([draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation)])
    size = []
    for k, s, d, (low, high), e in zip(kernel, stride, dilation, padding, extra):
        span = d * (k - 1) + 1
        if transposed:  # at least one pixel of output
            least = max(1, -(-(low + high - e - span + s) // s) + (low + high >= e + span))
        else:
            least = max(0, span - low - high)
        size.append(draw(st.integers(least, least + 5)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    shape = (channels, outputs) if transposed else (outputs, channels)
    x, weight, bias = [rng.integers(-3, 4, s).astype(draw(st.sampled_from(["f4", "f8"])))
                       for s in [(images, channels, *size),
                                 (shape[0], shape[1] // groups, *kernel), (outputs,)]]
    return (x, weight.astype(x.dtype), bias.astype(x.dtype), stride, padding, extra, dilation,
            groups)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cases(transposed=False))
def test_convolution_of_any_shape_is_its_definition(case):
    x, weight, bias, stride, padding, _, dilation, groups = case
    y = CONV[x.ndim - 2](*map(tinycnn.tensor, (x, weight, bias)), stride, padding, dilation, groups)
    expected = by_definition(x, weight, bias, stride, padding, dilation, groups)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y.numpy(), expected)  # small integers: sums are exact


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cases(transposed=True))
def test_transposed_convolution_of_any_shape_is_its_definition(case):
    x, weight, bias, stride, padding, extra, dilation, groups = case
    y = TRANSPOSE[x.ndim - 2](*map(tinycnn.tensor, (x, weight, bias)), stride, padding, extra,
                              groups, dilation)
    expected = transposed_by_definition(x, weight, bias, stride, padding, extra, dilation, groups)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y.numpy(), expected)


# --- gradients -------------------------------------------------------------------------------

# name: shape of x, shape of weight, arguments
GRADIENTS = {
    "1-D": ((2, 3, 9), (4, 3, 3), {"stride": 2, "padding": 1}),
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "2-D": ((2, 3, 7, 9), (4, 3, 3, 2), {}),
    "window = input": ((3, 2, 4, 5), (3, 2, 4, 5), {}),
    "strided, dilated, padded": ((2, 2, 9, 8), (3, 2, 3, 2),
                                 {"stride": (2, 3), "dilation": (2, 1), "padding": (2, 1)}),
    "asymmetric": ((2, 2, 5, 6), (3, 2, 3, 3), {"padding": ((0, 2), (3, 1))}),
    "groups": ((2, 4, 5, 6), (6, 2, 3, 3), {"groups": 2, "padding": "same"}),
    "depthwise": ((2, 5, 6, 7), (5, 1, 3, 3), {"groups": 5, "padding": "full"}),
    "3-D": ((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), {"stride": (1, 2, 1), "padding": 1}),
    "batch of none": ((0, 2, 5, 5), (3, 2, 3, 3), {}),
    "unbatched": ((2, 5, 6), (3, 2, 3, 3), {}),
}


def _inputs(x, weight, outputs, rng):
    return [tinycnn.tensor(rng.standard_normal(shape), requires_grad=True)
            for shape in (x, weight, (outputs,))]


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_convolution(name, rng):
    x, weight, arguments = GRADIENTS[name]
    conv, inputs = CONV[len(weight) - 2], _inputs(x, weight, weight[0], rng)
    assert gradcheck(lambda *a: conv(*a, **arguments), inputs)
    assert_same_on_devices(lambda *a: conv(*a, **arguments), inputs)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_transposed_convolution(name, rng):
    """Shapes of weight read backwards: (C, OC / groups, ...), where C = weight[0]."""
    x, weight, arguments = GRADIENTS[name]
    x = (*x[: -len(weight) + 1], weight[0], *x[-len(weight) + 2 :])
    conv = TRANSPOSE[len(weight) - 2]
    inputs = _inputs(x, weight, weight[1] * arguments.get("groups", 1), rng)
    for extra in {0, max(np.max(arguments.get("stride", 1)) - 2, 0)}:
        arguments = {**arguments, "output_padding": int(extra)}
        assert gradcheck(lambda *a: conv(*a, **arguments), inputs)  # noqa: B023
        assert_same_on_devices(lambda *a: conv(*a, **arguments), inputs)  # noqa: B023


def test_each_element_of_a_gradient_on_its_own(rng):
    inputs = _inputs((1, 2, 3, 3), (2, 1, 2, 2), 2, rng)
    assert gradcheck(lambda *a: F.conv2d(*a, stride=2, padding=1, groups=2), inputs,
                     per_element=True)


def test_only_the_gradients_asked_for_are_made():
    x, weight, bias = tinycnn.ones(1, 1, 3, 3), tinycnn.ones(1, 1, 2, 2), tinycnn.ones(1)
    weight.requires_grad_()
    F.conv2d(x, weight, bias).sum().backward()
    assert x.grad is None
    assert bias.grad is None
    assert weight.grad.numpy().tolist() == [[[[4, 4], [4, 4]]]]


# --- padding by name ---------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 5, 6, 7])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_sizes_of_padding_by_name(dims, size, kernel, stride, dilation):
    x, weight = tinycnn.ones(1, 1, *[size] * dims), tinycnn.ones(1, 1, *[kernel] * dims)
    span = dilation * (kernel - 1)

    def out(function, padding):
        return function[dims](x, weight, stride=stride, padding=padding, dilation=dilation).shape

    if size > span:
        assert out(CONV, "valid") == (1, 1, *[(size - span - 1) // stride + 1] * dims)
    assert out(CONV, "same") == (1, 1, *[-(-size // stride)] * dims)
    assert out(CONV, "full") == (1, 1, *[(size + span - 1) // stride + 1] * dims)
    assert out(TRANSPOSE, "valid") == (1, 1, *[(size - 1) * stride + span + 1] * dims)
    assert out(TRANSPOSE, "same") == (1, 1, *[size * stride] * dims)
    if (size - 1) * stride >= span:
        assert out(TRANSPOSE, "full") == (1, 1, *[(size - 1) * stride - span + 1] * dims)


def test_same_padding_puts_an_odd_pixel_at_the_end():
    x = tinycnn.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    y = F.conv1d(x, tinycnn.tensor([[[100.0, 10.0, 1.0, 0.0]]]), padding="same")
    assert y.numpy().tolist() == [[[12, 123, 234, 340]]]
    y = F.conv1d(x, tinycnn.tensor([[[100.0, 10.0, 1.0]]]), stride=2, padding="same")
    assert y.numpy().tolist() == [[[123, 340]]]


def test_same_padding_of_a_transposed_convolution_undoes_that_of_a_convolution(rng):
    """<conv(x), y> = <x, conv_transpose(y)>: each pixel goes back where it came from."""
    weight = tinycnn.tensor(rng.standard_normal((3, 2, 3, 4)))
    x = tinycnn.tensor(rng.standard_normal((1, 2, 8, 9)))
    y = tinycnn.tensor(rng.standard_normal((1, 3, 4, 3)))
    options = {"stride": (2, 3), "padding": "same"}
    there = (F.conv2d(x, weight, **options) * y).sum().item()
    back = (F.conv_transpose2d(y, weight, **options) * x).sum().item()
    assert there == pytest.approx(back, rel=1e-12)


def test_full_padding_is_the_convolution_of_mathematics():
    x, k = [1.0, 2.0, 3.0], [0.0, 1.0, 0.5]
    y = F.conv1d(tinycnn.tensor([[x]]), tinycnn.tensor([[k[::-1]]]), padding="full")
    assert y.numpy().ravel().tolist() == np.convolve(x, k).tolist()


def test_transposed_same_with_output_padding_adds_pixels_at_the_end():
    x, weight = tinycnn.ones(1, 1, 3), tinycnn.tensor([[[1.0, 2.0, 4.0]]])
    plain = F.conv_transpose1d(x, weight, stride=2, padding="same")
    more = F.conv_transpose1d(x, weight, stride=2, padding="same", output_padding=1)
    assert more.shape == (1, 1, 7)
    np.testing.assert_array_equal(more.numpy()[..., :6], plain.numpy())


# --- layouts -----------------------------------------------------------------------------------


def _strange(array):
    """The same numbers lying in memory in every way that NumPy allows."""
    unaligned = np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)
    record = np.zeros(array.shape, [("pad", "i1"), ("number", array.dtype)])
    record["number"] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    return {
        "Fortran": np.asfortranarray(array),
        "channels last": np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1),
        "reversed": np.flip(np.flip(array).copy()),
        "every second": np.repeat(array, 2, -1)[..., ::2],
        "read-only": read_only,
        "unaligned": unaligned,
        "field of records": record["number"],
        "other byte order": array.astype(array.dtype.newbyteorder()),
    }


LAYOUTS = list(_strange(np.ones((1, 1, 1, 1))))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("transposed", [False, True])
def test_arrays_may_lie_in_any_way(layout, transposed, rng):
    function = F.conv_transpose2d if transposed else F.conv2d
    shapes = [(2, 6, 7, 9), (6, 6, 3, 2), (1, 6), (2, 6, 9, 10) if transposed else (2, 6, 5, 8)]
    plain = [rng.integers(-3, 4, shape).astype(np.float32) for shape in shapes]
    make = tinycnn.from_numpy if layout in LAYOUTS[:5] else tinycnn.tensor

    def run(arrays):
        x, weight, bias, grad = [make(a) for a in arrays]
        bias = bias.reshape(6)
        for leaf in x, weight, bias:
            leaf.requires_grad_()
        y = function(x, weight, bias)
        y.backward(grad)
        return [t.numpy() for t in (y.detach(), x.grad, weight.grad, bias.grad)]

    for a, b in zip(run([_strange(a)[layout] for a in plain]), run(plain)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layout", LAYOUTS[5:])
def test_memory_that_kernels_cannot_read_is_not_shared(layout):
    with pytest.raises(ValueError, match="from_numpy: expected an array of aligned numbers in the "
                       r"machine's byte order, got .f4 with strides .* Use tinycnn\.tensor"):
        tinycnn.from_numpy(_strange(np.ones((2, 3), np.float32))[layout])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unbatched_input_is_a_batch_of_one(dims, rng):
    x = tinycnn.tensor(rng.standard_normal((3, *[5] * dims)))
    weight = tinycnn.tensor(rng.standard_normal((3, 3, *[2] * dims)))
    for function in CONV[dims], TRANSPOSE[dims]:
        y = function(x, weight)
        assert y.ndim == dims + 1
        np.testing.assert_array_equal(y.numpy(), function(x.unsqueeze(0), weight).numpy()[0])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_an_empty_batch_gives_an_empty_batch_and_gradients_of_zero(dims):
    for layer in (getattr(nn, f"Conv{dims}d"), getattr(nn, f"ConvTranspose{dims}d")):
        layer = layer(2, 3, 3)
        x = tinycnn.zeros(0, 2, *[5] * dims, requires_grad=True)
        y = layer(x)
        assert y.shape[:2] == (0, 3)
        y.sum().backward()
        assert x.grad.shape == x.shape
        assert not layer.weight.grad.numpy().any()
        assert not layer.bias.grad.numpy().any()


def test_stride_beyond_any_input_reads_one_window():
    x = tinycnn.ones(1, 1, 3, 3, requires_grad=True)
    y = F.conv2d(x, tinycnn.ones(1, 1, 2, 2), stride=2**31 - 1)
    assert y.detach().numpy().tolist() == [[[[4]]]]
    y.sum().backward()
    assert x.grad.numpy().tolist() == [[[[1, 1, 0], [1, 1, 0], [0, 0, 0]]]]


def test_nan_and_infinity_pass_through():
    x = np.ones((1, 1, 1, 5), np.float32)
    x[..., 1], x[..., 4] = np.nan, np.inf
    y = F.conv2d(tinycnn.from_numpy(x), tinycnn.ones(1, 1, 1, 2)).numpy().ravel()
    np.testing.assert_array_equal(y, [np.nan, np.nan, 2, np.inf])
