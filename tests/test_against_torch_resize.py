"""interpolate gives PyTorch's numbers, shapes and gradients, over a wide table of sizes."""

import numpy as np
import pytest

import tinycnn
from tinycnn import nn
from tinycnn.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

MODES = {1: ("nearest", "nearest-exact", "linear", "area"),
         2: ("nearest", "nearest-exact", "bilinear", "bicubic", "area"),
         3: ("nearest", "nearest-exact", "trilinear", "area")}
FACTORS = (0.3, 0.5, 0.77, 1.0, 1.1, 1.5, 2.0, 2.3, 3.0)
MOST = {1: 60, 2: 18, 3: 8}  # pixels along an axis
# Sums of a few products in another order. Where a pixel lies is rounded alike, but a compiler may
# fuse a product and a sum of it: that moves weights by 2^-24 of the place.
TOLERANCE = {"float32": 8e-6, "float64": 3e-14}


def compare(shape, dtype, tolerance=None, strided=False, **arguments):
    """Results and gradients here and there."""
    generator = np.random.default_rng(sum(shape))
    values = generator.standard_normal(shape).astype(dtype)
    if strided:
        values = np.ascontiguousarray(values.swapaxes(0, -1)).swapaxes(0, -1)
    ours = tinycnn.tensor(values, requires_grad=True)
    theirs = torch.tensor(np.ascontiguousarray(values), requires_grad=True)
    y, expected = F.interpolate(ours, **arguments), torch.nn.functional.interpolate(
        theirs, **arguments)
    assert y.shape == tuple(expected.shape)
    grad = generator.standard_normal(y.shape).astype(dtype)
    y.backward(tinycnn.tensor(grad))
    expected.backward(torch.tensor(grad))
    atol = tolerance or TOLERANCE[dtype]
    np.testing.assert_allclose(y.data, expected.detach().numpy(), atol=atol, rtol=0,
                               err_msg=f"{shape} {arguments}")
    copies = max(1, expected.numel() // max(theirs.numel(), 1))  # summed in the gradient
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), atol=copies * atol, rtol=0,
                               err_msg=f"gradient of {shape} {arguments}")


def spatial_size(dims, generator):
    return tuple([int(n) for n in generator.integers(1, MOST[dims] + 1, dims)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("dims", "mode"), [(d, m) for d, modes in MODES.items() for m in modes])
def test_sizes_and_factors(dims, mode, dtype):
    generator = np.random.default_rng(dims)
    for seed in range(40):
        shape = (seed % 3, (1, 3, 16, 17)[seed % 4], *spatial_size(dims, generator))
        options = {"align_corners": bool(seed & 2)} if mode.endswith(("linear", "cubic")) else {}
        if seed % 2:
            options["size"] = spatial_size(dims, generator)
        else:
            factors = tuple([float(f) for f in generator.choice(FACTORS, dims)])
            if min(int(n * f) for n, f in zip(shape[2:], factors)) < 1:
                continue
            options |= {"scale_factor": factors,
                        "recompute_scale_factor": (None, True, False)[seed // 2 % 3]}
        if _near_a_tie(mode, dtype, shape, options):
            continue
        compare(shape, dtype, strided=seed % 5 == 0, mode=mode, **options)


def _near_a_tie(mode, dtype, shape, options):
    """Whether places of "nearest" lie so near the border of two pixels that PyTorch's own layouts
    and passes differ, by rounding."""
    if "nearest" not in mode:
        return False
    half = 0.5 if mode == "nearest-exact" else 0
    factors = options.get("scale_factor")
    if factors is not None and options["recompute_scale_factor"]:
        options, factors = {"size": [int(n * f) for n, f in zip(shape[2:], factors)]}, None
    for axis, n in enumerate(shape[2:]):
        out = int(n * factors[axis]) if factors else options["size"][axis]
        if n == out or 2 * n == out:  # PyTorch's gradient takes a factor of 1 or 2 for granted
            if factors and factors[axis] != out / n:
                return True
            continue
        place = (np.arange(out) + half) * (1 / factors[axis] if factors else n / out)
        if (abs(place - np.round(place))[place > 0] < 1e-5).any():
            return True
    return False


def test_nearest_pixels_one_by_one():
    """Also where places are whole, and the last bit decides."""
    generator = np.random.default_rng(0)
    for seed in range(400):
        dtype = ("float32", "float64")[seed % 2]
        n, out = (int(v) for v in generator.integers(1, 200, 2))
        x = np.arange(n, dtype=dtype)[None, None]
        expected = torch.nn.functional.interpolate(torch.tensor(x), out, mode="nearest")
        y = F.interpolate(tinycnn.tensor(x), out, mode="nearest")
        np.testing.assert_array_equal(y.numpy(), expected.numpy(), err_msg=f"{n} to {out}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_antialias(mode, dtype):
    """With several channels and columns: PyTorch's lanczos goes wrong for one of them."""
    generator = np.random.default_rng(1)
    for seed in range(30):
        size = [n + 2 for n in spatial_size(2, generator)]
        shape = (1 + seed % 2, (2, 3, 16, 17)[seed % 4], *size)
        options = {} if mode == "lanczos" else {"align_corners": bool(seed & 2)}
        if seed % 2:
            options["size"] = tuple([n + 1 for n in spatial_size(2, generator)])
        else:
            factors = [max(float(f), 0.7) for f in generator.choice(FACTORS, 2)]
            if any(int(n * f) == n and f != 1 for n, f in zip(size, factors)):
                continue  # PyTorch copies along this axis, but its gradient is that of no copy
            options["scale_factor"] = tuple(factors)
        compare(shape, dtype, mode=mode, antialias=True, **options)


def test_a_picture_to_a_thumbnail():
    compare((1, 3, 200, 300), "float32", mode="bilinear", size=(32, 24), antialias=True)
    compare((1, 3, 200, 300), "float32", mode="bicubic", size=32, antialias=True)


@pytest.mark.parametrize("arguments", [
    {"scale_factor": 2}, {"size": 5}, {"scale_factor": (2, 1.5), "mode": "bilinear"},
    {"size": (3, 7), "mode": "bicubic", "align_corners": True},
    {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True},
])
def test_layer(arguments):
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 6)).astype("float32")
    ours, theirs = nn.Upsample(**arguments), torch.nn.Upsample(**arguments)
    assert repr(ours) == repr(theirs)
    np.testing.assert_allclose(ours(tinycnn.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy(),
                               atol=2e-6)


def test_old_layers():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 6)).astype("float32")
    for name in "UpsamplingNearest2d", "UpsamplingBilinear2d":
        for arguments in {"scale_factor": 2}, {"size": (7, 4)}:
            ours, theirs = getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments)
            assert repr(ours) == repr(theirs)
            np.testing.assert_allclose(ours(tinycnn.tensor(x)).numpy(),
                                       theirs(torch.tensor(x)).numpy(), atol=2e-6)


@pytest.mark.parametrize("arguments", [
    {"size": 2, "mode": "near"}, {}, {"size": 2, "scale_factor": 2}, {"size": (2, 2, 2)},
    {"size": 2, "align_corners": True}, {"size": 2, "recompute_scale_factor": True},
    {"size": 2, "mode": "linear"}, {"size": 2, "mode": "trilinear"}, {"size": 0},
    {"scale_factor": 0.1}, {"scale_factor": -1.0}, {"scale_factor": (2,)}, {"size": 2.5},
    {"size": 2, "mode": "area", "antialias": True}, {"size": 2, "mode": "lanczos"},
    {"scale_factor": float("inf")}, {"scale_factor": "2"},
])
def test_what_pytorch_refuses_is_refused(arguments):
    with pytest.raises((ValueError, TypeError, RuntimeError, NotImplementedError)):
        torch.nn.functional.interpolate(torch.ones(1, 2, 3, 4), **arguments)
    with pytest.raises((ValueError, TypeError), match=r"^interpolate: expected"):
        F.interpolate(tinycnn.ones(1, 2, 3, 4), **arguments)
