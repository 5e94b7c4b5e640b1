"""Every public operation on a GPU, or in the simulator: results and gradients are those of the
plain NumPy kernels, and stay on the device."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.testing import assert_same_on_devices, gradcheck

A, B, ROW, COLUMN, ONE = (2, 3, 4), (2, 3, 4), (4,), (2, 3, 1), ()
IMAGE, MASK = (2, 3, 5, 4), "mask"


def seeded(function, *arguments):
    """The same random numbers in every call."""
    tinycnn.manual_seed(0)
    return function(*arguments)


# name: (function, shapes of its inputs); numbers are normal, + means above 0.1
CASES = {
    "add": (tinycnn.add, A, B), "add row": (tinycnn.add, A, ROW),
    "add column": (tinycnn.add, COLUMN, A),
    "add number": (lambda x: x + 2, A), "number - x": (lambda x: 1.5 - x, A),
    "sub": (tinycnn.sub, A, ROW), "mul": (tinycnn.mul, A, COLUMN), "neg": (tinycnn.neg, A),
    "div": (lambda x, y: x / (y * y + 1), A, B), "x / number": (lambda x: x / 3, A),
    "number / x": (lambda x: 1 / (x * x + 1), A), "floor_divide": (lambda x: x // 0.3, A),
    "remainder": (lambda x: x % 0.7, A), "pow": (lambda x: x**3, A), "square": (lambda x: x**2, A),
    "pow of tensors": (lambda x, y: (x * x + 0.5) ** y, A, B), "2 ** x": (lambda x: 2**x, A),
    "exp": (tinycnn.exp, A), "log": (lambda x: tinycnn.log(x * x + 0.1), A),
    "log1p": (lambda x: tinycnn.log1p(x * x), A), "sqrt": (lambda x: tinycnn.sqrt(x * x + 0.1), A),
    "sin, cos": (lambda x: x.sin() * x.cos(), A), "abs, sign": (lambda x: x.abs() * x.sign(), A),
    "clamp": (lambda x: x.clamp(-0.5, 0.5), A),
    "reciprocal": (lambda x: (x * x + 1).reciprocal(), A),
    "maximum": (tinycnn.maximum, A, B), "minimum": (tinycnn.minimum, A, ROW),
    "where": (lambda x, y: tinycnn.where(x > y, x, y * 2), A, B),
    "where number": (lambda x: tinycnn.where(x > 0, x, -1.0), A),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 0.5), A),
    "floor, ceil, round": (lambda x: x.floor() + x.ceil() + x.round(), A),
    "comparisons": (lambda x, y: ((x > y) & (x != 0) | (y <= 0.1)) ^ (y >= x), A, B),
    "isfinite": (lambda x: (1 / (x - x)).isfinite(), A),
    "sum": (tinycnn.sum, A), "sum axis": (lambda x: x.sum(1), A),
    "sum axes kept": (lambda x: x.sum((0, 2), keepdim=True), A), "mean": (lambda x: x.mean(-1), A),
    "var": (lambda x: x.var(1), A), "std": (lambda x: x.std((0, 1)), A),
    "prod": (lambda x: x.prod(1), A),
    "logsumexp": (lambda x: x.logsumexp(1), A), "norm": (lambda x: x.norm(), A),
    "max": (lambda x: x.max(), A), "max axis": (lambda x: x.max(1), A),
    "amin": (lambda x: x.amin(1), A),
    "argmax": (lambda x: x.argmax(1), A), "argmin": (lambda x: x.argmin(), A),
    "any, all": (lambda x: ((x > 0).any(1) & (x > -9).all(1)), A),
    "sort": (lambda x: x.sort(1), A), "sort descending": (lambda x: x.sort(-1, descending=True), A),
    "topk": (lambda x: x.topk(2, 1), A), "argsort": (lambda x: x.argsort(0), A),
    "cumsum": (lambda x: x.cumsum(1), A), "reshape": (lambda x: x.reshape(6, 4), A),
    "flatten": (lambda x: x.flatten(1), IMAGE), "permute": (lambda x: x.permute(2, 0, 1) * 1, A),
    "transpose": (lambda x: x.transpose(0, 2) + 1, A),
    "expand": (lambda x: x.expand(2, 3, 4) * 2, COLUMN),
    "repeat": (lambda x: x.repeat(2, 1, 3), A), "flip": (lambda x: x.flip(1), A),
    "squeeze, unsqueeze": (lambda x: x.squeeze(-1).unsqueeze(1), COLUMN),
    "cat": (lambda x, y: tinycnn.cat([x, y], 1), A, B),
    "stack": (lambda x, y: tinycnn.stack([x, y]), A, B),
    "split": (lambda x: x.split(2, 1)[1], A), "chunk": (lambda x: x.chunk(2, 2), A),
    "index slice": (lambda x: x[:, 1:, ::2], A), "index integer": (lambda x: x[1, -1], A),
    "index list": (lambda x: x[:, [2, 0, 0, 2]], A), "index mask": (lambda x: x[x > 0], A),
    "index pairs": (lambda x: x[[0, 1, 1], [2, 2, 2]], A),
    "pad": (lambda x: F.pad(x, (1, 2, 0, 1)), IMAGE),
    "pad reflect": (lambda x: F.pad(x, (1, 1, 2, 1), "reflect"), IMAGE),
    "clone": (lambda x: x.clone(), A),
    "affine_grid": (lambda x: F.affine_grid(x, (2, 1, 2, 3), align_corners=False), (2, 2, 3)),
    "grid_sample": (lambda x, y: F.grid_sample(x, y, align_corners=False), IMAGE, (2, 3, 2, 2)),
    "interpolate": (lambda x: F.interpolate(x, scale_factor=1.5, mode="bilinear"), IMAGE),
    "pad constant": (lambda x: F.pad(x, (1, -1), value=2.5), A),
    "relu": (F.relu, A), "leaky_relu": (F.leaky_relu, A), "elu": (F.elu, A),
    "sigmoid": (F.sigmoid, A),
    "channel_shuffle": (lambda x: F.channel_shuffle(x, 3), IMAGE),
    "fold": (lambda x: F.fold(x, (4, 3), 2, padding=1, stride=(1, 2)), (2, 12, 10)),
    "locally_connected1d": (F.locally_connected1d, (2, 2, 4), (3, 2, 2, 2), (2, 3)),
    "locally_connected2d": (F.locally_connected2d, (2, 2, 3, 4), (2, 3, 2, 2, 2, 2), (2, 2, 3)),
    "lp_pool2d": (lambda x: F.lp_pool2d(x, 2, 2), IMAGE),
    "lp_pool1d": (lambda x: F.lp_pool1d(x * x, 3, 2, 1), A),
    "max_unpool2d": (lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),
                     (2, 3, 4, 6)),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), (2, 8, 2, 3)),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), (2, 3, 4, 2)),
    "rbf": (F.rbf, (3, 5), (2, 5)), "subsampling2d": (F.subsampling2d, IMAGE, (3,), (3,)),
    "table_conv2d": (lambda x, w: F.table_conv2d(x, w, [[2, 0], [1]]), IMAGE, (3, 2, 2)),
    "unfold": (lambda x: F.unfold(x, 2, padding=1, stride=2), IMAGE),
    "relu6": (lambda x: F.relu6(x * 5), A), "threshold": (lambda x: F.threshold(x, 0.1, 2), A),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 0.7), A), "hardshrink": (F.hardshrink, A),
    "hardsigmoid": (lambda x: F.hardsigmoid(x * 3), A), "softshrink": (F.softshrink, A),
    "hardswish": (lambda x: F.hardswish(x * 3), A), "celu": (lambda x: F.celu(x, 0.5), A),
    "selu": (F.selu, A), "logsigmoid": (F.logsigmoid, A), "tanhshrink": (F.tanhshrink, A),
    "softplus": (lambda x: F.softplus(x, 2, 3), A), "softsign": (F.softsign, A),
    "scaled_tanh": (F.scaled_tanh, A), "silu": (F.silu, A), "mish": (F.mish, A),
    "gelu": (F.gelu, A), "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), A),
    "gelu of an odd number": (F.gelu, (3, 3)),
    "silu from an odd place": (lambda x: F.silu(x.reshape(24)[1:]), A),
    "softmin": (lambda x: F.softmin(x, 1), A),
    "glu": (lambda x: F.glu(x, 2), A), "maxout": (lambda x: F.maxout(x, 3), IMAGE),
    "prelu": (F.prelu, IMAGE, (3,)), "prelu of one slope": (F.prelu, IMAGE, (1,)),
    "alpha_dropout": (lambda x: seeded(F.alpha_dropout, x, 0.3, True), IMAGE),
    "feature_alpha_dropout": (lambda x: seeded(F.feature_alpha_dropout, x, 0.3, True), IMAGE),
    "smooth_l1_loss": (lambda x, y: F.smooth_l1_loss(x, y, beta=0.7), A, B),
    "huber_loss": (lambda x, y, w: F.huber_loss(x, y, weight=w), A, B, A),
    "kl_div": (lambda x, y: F.kl_div(x, y, reduction="batchmean", log_target=True), A, B),
    "poisson_nll_loss": (lambda x, y: F.poisson_nll_loss(x, y * y, full=True), A, ROW),
    "gaussian_nll_loss": (lambda x, y, v: F.gaussian_nll_loss(x, y, v * v), A, B, COLUMN),
    "soft_margin_loss": (lambda x, y: F.soft_margin_loss(x, y.sign()), A, B),
    "hinge_embedding_loss": (lambda x, y: F.hinge_embedding_loss(x, y.sign()), A, B),
    "margin_ranking_loss": (lambda x, y, t: F.margin_ranking_loss(x, y, t.sign()), A, B, A),
    "multi_margin_loss": (lambda x: F.multi_margin_loss(x, x.argmax(1), p=2), (3, 5)),
    "multilabel_margin_loss": (
        lambda x: F.multilabel_margin_loss(x, x.argsort(1) - 1), (3, 5)),
    "multilabel_soft_margin_loss": (
        lambda x, w: F.multilabel_soft_margin_loss(x, x > 0, w), (3, 4), ROW),
    "triplet_margin_loss": (lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True), A, B, A),
    "triplet_margin_with_distance_loss": (lambda a, p, n: F.triplet_margin_with_distance_loss(
        a, p, n, distance_function=F.cosine_similarity), A, B, A),
    "cosine_similarity": (lambda x, y: F.cosine_similarity(x, y, 2), A, ROW),
    "cosine_embedding_loss": (
        lambda x, y: F.cosine_embedding_loss(x, y, (x[:, 0] > 0) * 2 - 1), (3, 4), (3, 4)),
    "pairwise_distance": (lambda x, y: F.pairwise_distance(x, y, 3), A, ROW),
    "pairwise_distance 0": (lambda x, y: F.pairwise_distance(x, y, 0), A, ROW),
    "ctc_loss": (lambda x: F.ctc_loss(x, x[0, :, 1:3].argsort(1) + 1, (4, 3), (2, 1),
                                      zero_infinity=True), (4, 2, 4)),
    "tanh": (F.tanh, A), "relu of a transposed map": (lambda x: F.relu(x.transpose(1, 3)), IMAGE),
}


def tensors(shapes, dtype="float32", requires_grad=True):
    rng = np.random.default_rng(1)
    return [tinycnn.tensor(rng.standard_normal(shape), dtype=dtype, device="cuda",
                           requires_grad=requires_grad) for shape in shapes]


@pytest.mark.parametrize("name", CASES)
def test_results_and_gradients_are_those_of_the_reference(name):
    function, *shapes = CASES[name]
    assert_same_on_devices(function, tensors(shapes))


@pytest.mark.parametrize("name", CASES)
def test_results_stay_on_the_device(name):
    function, *shapes = CASES[name]
    results = function(*tensors(shapes))
    for y in results if isinstance(results, tuple) else (results,):
        assert y.device == "cuda"


@pytest.mark.parametrize(
    "name", ["mul", "div", "var", "index pairs", "sigmoid", "elu", "logsumexp",
             "gelu", "mish", "prelu"])
def test_gradients_in_float64(name):
    function, *shapes = CASES[name]
    assert gradcheck(function, tensors(shapes, "float64"))


def test_feature_maps_stay_channels_last():
    x = tensors([(2, 3, 4, 5)], requires_grad=False)[0]
    rows = np.ascontiguousarray(np.moveaxis(x.cpu().numpy(), 1, -1))
    last = tinycnn.tensor(np.moveaxis(rows, -1, 1), device="cuda")
    strides = last.data.strides
    assert strides[1] == 4
    for y in (last + 1, last * x, last * last, F.relu(last), -last, last > 0,
              last + x[:, :, :1, :1], last.to(tinycnn.float64)):
        assert np.argsort(y.data.strides, kind="stable")[0] == 1


def test_an_operation_of_tensors_on_two_devices_says_which():
    x = tensors([A])[0]
    message = (r"expected tensors on one device, got \(2, 3, 4\) on 'cuda', \(4,\) on 'cpu'. Move "
               r"them together")
    with pytest.raises(ValueError, match=message):
        x + tinycnn.ones(4)


def test_a_tensor_of_one_number_follows_to_the_device():
    x = tensors([A])[0]
    w = tinycnn.tensor(2.0, requires_grad=True)
    (x * w).sum().backward()
    assert w.grad.device == "cpu"
    np.testing.assert_allclose(w.grad.item(), x.cpu().detach().numpy().sum(), rtol=1e-5)


def test_numpy_of_a_tensor_on_the_device_is_refused():
    x = tensors([A], requires_grad=False)[0]
    message = r"numpy: expected a tensor on the CPU, got one on 'cuda'. Use .cpu\(\).numpy\(\)"
    with pytest.raises(TypeError, match=message):
        x.numpy()
    with pytest.raises(TypeError, match=r"Use \.cpu"):
        np.asarray(x)
    assert x.cpu().numpy().shape == A


def test_gradients_come_back_to_where_a_tensor_was():
    x = tinycnn.ones(3, requires_grad=True)
    (x.to("cuda") * 2).cpu().sum().backward()
    assert x.grad.device == "cpu"
    assert x.grad.tolist() == [2, 2, 2]


def test_elements_are_set_in_place():
    x = tensors([A], requires_grad=False)[0]
    expected = x.cpu().numpy().copy()
    x[0, 1:] = 7
    x[1, [0, 2]] = tinycnn.tensor([1.0, 2.0, 3.0, 4.0])
    x[x < 0] = 0.5
    x += 1
    expected[0, 1:] = 7
    expected[1, [0, 2]] = [1, 2, 3, 4]
    expected[expected < 0] = 0.5
    np.testing.assert_array_equal(x.cpu().numpy(), expected + 1)


@pytest.mark.parametrize("key", [[3], [[0, 1], [0, 3]]])
def test_an_index_out_of_range_is_an_error(key):
    with pytest.raises(IndexError, match="out of bounds"):
        tensors([A])[0][:, key]


def test_printing_names_the_device():
    assert repr(tinycnn.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda')"


def test_creation_on_the_device():
    for x in (tinycnn.zeros(2, device="cuda"), tinycnn.rand(2, 3, device="cuda:0"),
              tinycnn.tensor([1, 2], device="cuda"), tinycnn.arange(3, device="cuda")):
        assert x.device == "cuda"
        for y in (tinycnn.zeros_like(x), tinycnn.full_like(x, 3), tinycnn.empty_like(x),
                  tinycnn.tensor(x)):
            assert (y.device, y.shape, y.dtype) == ("cuda", x.shape, x.dtype)


def test_other_devices_are_refused():
    for name in "cuda:1", "gpu", "mps":
        with pytest.raises(ValueError, match=rf"to: expected device 'cpu' or 'cuda', got '{name}'"):
            tinycnn.ones(2).to(name)
