"""Group, layer, instance, RMS, local response norm and normalize give PyTorch's numbers and
gradients, and layers their text, their state and their refusals."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
TF = torch.nn.functional

# PyTorch itself fails in backward of instance norm without images, and of group norm with a bias
# and no weight.
# name: (shapes of input, weight, bias; function of (F, x, *parameters))
CASES = {
    **{f"group {shape} {G}": ((shape, shape[1:2], shape[1:2]),
                              lambda f, x, w, b, G=G: f.group_norm(x, G, w, b, 0.1))
       for shape, G in [((3, 4), 2), ((2, 3), 3), ((8, 6, 9), 3), ((2, 64, 14, 14), 32),
                        ((2, 3, 70, 90), 1), ((3, 17, 5, 1), 17), ((1, 130, 2, 2), 13),
                        ((2, 6, 3, 4, 5), 2), ((1, 4, 1, 2, 1, 2, 2), 2), ((0, 4, 3, 3), 2),
                        ((1, 3, 1, 1), 1)]},
    **{f"layer {shape} {n}": ((shape, shape[-n:], shape[-n:]),
                              lambda f, x, w, b, n=n: f.layer_norm(x, x.shape[-n:], w, b, 1e-3))
       for shape, n in [((128, 768), 1), ((5, 1), 1), ((3, 7), 1), ((7,), 1), ((2, 3, 4, 5), 3),
                        ((2, 3, 4, 5), 2), ((2, 9000), 1), ((0, 3), 1), ((2, 3, 96), 1)]},
    **{f"rms {shape} {n}": ((shape, shape[-n:]),
                            lambda f, x, w, n=n: f.rms_norm(x, x.shape[-n:], w))
       for shape, n in [((128, 768), 1), ((3, 7), 1), ((2, 3, 4, 5), 2)]},
    **{f"instance {shape}": ((shape, shape[1:2], shape[1:2]),
                             lambda f, x, w, b: f.instance_norm(x, weight=w, bias=b, eps=1e-3))
       for shape in [(2, 3, 7), (2, 64, 14, 14), (3, 5, 90, 80), (2, 3, 2, 4, 3),
                     (1, 1, 1, 2)]},
    **{f"response {shape} {size} {beta}": (
        (shape,), lambda f, x, size=size, beta=beta: f.local_response_norm(x, size, 0.5, beta, 2.0))
       for shape, size, beta in [
           ((2, 96, 5, 6), 5, 0.75), ((2, 3, 7), 5, 0.75), ((2, 17, 3, 3), 4, 0.5),
           ((3, 16, 4), 2, 1), ((2, 7, 2, 3, 2), 3, 0.6), ((2, 5, 4), 99, 2), ((1, 1, 1), 1, 0.75),
           ((0, 4, 3), 3, 0.75)]},
    "response by default": (((2, 9, 4, 4),), lambda f, x: f.local_response_norm(x, 5)),
    **{f"normalize {p} {dim}": (((3, 4, 5),), lambda f, x, p=p, dim=dim: f.normalize(x, p, dim))
       for p, dim in [(2, 1), (2.0, -1), (1, 0), (3, 1), (0.5, 1), (float("inf"), 2), (0, 1),
                      (-1, 1), (2, (1, 2)), (2, None)]},
    "normalize, short": (((3, 4),), lambda f, x: f.normalize(x, eps=3.0)),
    "group, weight only": (((2, 4, 3), (4,)), lambda f, x, w: f.group_norm(x, 2, w)),
    "layer, weight only": (((2, 4), (4,)), lambda f, x, w: f.layer_norm(x, (4,), w)),
    "layer, bias only": (((2, 4), (4,)), lambda f, x, b: f.layer_norm(x, [4], None, b)),
    "instance, weight only": (((2, 4, 3), (4,)), lambda f, x, w: f.instance_norm(x, weight=w)),
    "instance, bias only": (((2, 4, 3), (4,)), lambda f, x, b: f.instance_norm(x, bias=b)),
}


def results(function, f, make, arrays, grad):
    leaves = [make(a.copy(), requires_grad=True) for a in arrays]
    y = function(f, *leaves)
    y.backward(make(grad))
    return [y.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_numbers_and_gradients(name, dtype, rng):
    shapes, function = CASES[name]
    arrays = [rng.standard_normal(s).astype(dtype) + dtype(0.5) for s in shapes]
    grad = rng.standard_normal(shapes[0]).astype(dtype)
    atol, rtol = (2e-6, 1e-4) if dtype == np.float32 else (1e-13, 1e-9)
    atol *= max(arrays[0].size, 10) ** 0.5  # PyTorch, too, sums in the number type
    for expected, got in zip(results(function, TF, torch.tensor, arrays, grad),
                             results(function, F, tinycnn.tensor, arrays, grad), strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, atol=atol, rtol=rtol)


@pytest.mark.parametrize("by_input", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 7), (4, 3, 5, 6), (1, 3, 2, 2, 2)])
def test_running_statistics_of_instance_norm(shape, by_input, rng):
    x, (mean, weight, bias) = rng.standard_normal(shape), rng.standard_normal((3, 3))
    found = []
    for f, make in (TF, torch.tensor), (F, tinycnn.tensor):
        leaf, statistics = make(x, requires_grad=True), [make(mean), make(mean**2 + 1)]
        y = f.instance_norm(leaf, *statistics, make(weight), make(bias), by_input, 0.3, 1e-3)
        (y * y * y).sum().backward()
        found.append([y.detach().numpy(), leaf.grad.numpy(), *[s.numpy() for s in statistics]])
    for expected, got in zip(*found):
        np.testing.assert_allclose(got, expected, atol=1e-12)


LAYERS = [
    lambda n: n.GroupNorm(2, 4), lambda n: n.GroupNorm(4, 4, affine=False),
    lambda n: n.GroupNorm(2, 4, bias=False), lambda n: n.LayerNorm(5),
    lambda n: n.LayerNorm([4, 5, 5], bias=False), lambda n: n.LayerNorm((5,), 1e-3, False),
    lambda n: n.RMSNorm((5, 5)), lambda n: n.RMSNorm(5, 1e-3, False),
    lambda n: n.InstanceNorm2d(4), lambda n: n.InstanceNorm2d(4, 1e-3, 0.3, True, True),
    lambda n: n.InstanceNorm2d(4, affine=True, bias=False),
    lambda n: n.InstanceNorm2d(4, momentum=None, track_running_stats=True),
    lambda n: n.LocalResponseNorm(3), lambda n: n.LocalResponseNorm(2, 0.1, 0.5, 2.0),
]


@pytest.mark.parametrize("make", LAYERS, ids=range(len(LAYERS)))
def test_layers_have_the_same_text_state_and_results(make, rng):
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ([(n, p.shape) for n, p in ours.named_parameters()]
            == [(n, tuple(p.shape)) for n, p in theirs.named_parameters()])
    for training in True, True, False:
        x = rng.standard_normal((3, 4, 5, 5)).astype(np.float32)
        y = ours.train(training)(tinycnn.tensor(x)).detach().numpy()
        expected = theirs.train(training)(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(y, expected, atol=3e-6)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), theirs.state_dict()[name].numpy(), atol=1e-6)


REFUSED = {
    "one axis": lambda f, ones: f.group_norm(ones(4), 1),
    "groups": lambda f, ones: f.group_norm(ones(2, 4), 3),
    "no groups": lambda f, ones: f.group_norm(ones(2, 4), 0),
    "one value in a group": lambda f, ones: f.group_norm(ones(1, 4, 1), 4),
    "weight": lambda f, ones: f.group_norm(ones(2, 4), 2, ones(4, 1)),
    "normalized_shape": lambda f, ones: f.layer_norm(ones(2, 4), (2,)),
    "an int": lambda f, ones: f.layer_norm(ones(2, 4), 4),
    "nothing normalised": lambda f, ones: f.layer_norm(ones(2, 4), ()),
    "weight of a row": lambda f, ones: f.layer_norm(ones(2, 4), (4,), ones(2, 4)),
    "rows": lambda f, ones: f.rms_norm(ones(2, 4), (3,)),
    "one pixel": lambda f, ones: f.instance_norm(ones(2, 4, 1, 1)),
    "one pixel of no image": lambda f, ones: f.instance_norm(ones(0, 4, 1)),
    "no pixels": lambda f, ones: f.instance_norm(ones(2, 4)),
    "half of the statistics": lambda f, ones: f.instance_norm(ones(2, 4, 2), ones(4)),
    "no statistics": lambda f, ones: f.instance_norm(ones(2, 4, 2), use_input_stats=False),
    "two axes": lambda f, ones: f.local_response_norm(ones(2, 4), 2),
    "no window": lambda f, ones: f.local_response_norm(ones(2, 4, 2), 0),
    "largest of nothing": lambda f, ones: f.normalize(ones(2, 0), float("inf")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_refuses_is_refused(name):
    with pytest.raises((ValueError, RuntimeError, TypeError, ZeroDivisionError)):
        REFUSED[name](TF, torch.ones)
    with pytest.raises((ValueError, TypeError)):
        REFUSED[name](F, tinycnn.ones)
