"""Tensor operations give PyTorch's numbers, shapes, dtypes and gradients.

Every case is one function of a module `t`, run once with tinycnn and once with torch.
"""

import itertools

import numpy as np
import pytest

import tinycnn

REASON = "compares with PyTorch, which is not installed"
torch = pytest.importorskip("torch", reason=REASON)

INF, NAN = float("inf"), float("nan")


def f(*shape, low=-2.0, high=2.0, dtype="float32", seed=0):
    """Random numbers; with low = 0 they stay away from it."""
    return np.random.default_rng(seed).uniform(low + 0.1, high, shape).astype(dtype)


def i(*shape, low=-5, high=5, dtype="int64", seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def b(*shape, seed=0):
    return np.random.default_rng(seed).random(shape) < 0.5


A = np.array
TIES = A([[1.0, 3, 3, 2], [5, 5, 5, 5], [0, -1, -1, 0]], "float32")
ODD = A([0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e-30, 1e30], "float32")

# name: (function of t and tensors, arrays)
CASES = {
    "add": (lambda t, x, y: x + y, [f(3, 4), f(3, 4, seed=1)]),
    "add broadcast": (lambda t, x, y: x + y, [f(3, 1, 4), f(5, 1, seed=1)]),
    "add 0-d": (lambda t, x, y: x + y, [f(), f(seed=1)]),
    "add empty": (lambda t, x, y: x + y, [f(0, 4), f(1, 4)]),
    "add number": (lambda t, x: 2 + x + 0.5, [f(3)]),
    "add alpha": (lambda t, x, y: t.add(x, y, alpha=0.5), [f(3), f(3, seed=1)]),
    "sub": (lambda t, x, y: x - y, [f(3, 4), f(4, seed=1)]),
    "sub number": (lambda t, x: 1 - x - 3, [f(3)]),
    "sub alpha": (lambda t, x, y: t.sub(x, y, alpha=3), [f(3), f(3, seed=1)]),
    "mul": (lambda t, x, y: x * y, [f(3, 4), f(3, 1, seed=1)]),
    "mul itself": (lambda t, x: x * x, [f(3, 4)]),
    "mul number": (lambda t, x: 2.5 * x * True, [f(3)]),
    "div": (lambda t, x, y: x / y, [f(3, 4), f(4, low=0, seed=1)]),
    "div number": (lambda t, x: 1 / x / 3, [f(3, low=0)]),
    "div zero": (lambda t, x, y: x / y, [A([1.0, 0, -1]), A([0.0, 0, 0])]),
    "div floor": (lambda t, x, y: t.div(x, y, rounding_mode="floor"), [i(9), i(9, low=1, seed=1)]),
    "div trunc": (lambda t, x, y: t.div(x, y, rounding_mode="trunc"), [i(9), i(9, low=1, seed=1)]),
    "div trunc float": (lambda t, x: t.div(x, 0.3, rounding_mode="trunc"), [f(20).astype("f8")]),
    "floor_divide": (lambda t, x: x // 2, [i(9)]),
    "remainder": (lambda t, x, y: x % y, [f(9), f(9, low=0.3, seed=1)]),
    "remainder int": (lambda t, x: x % -3, [i(9)]),
    "neg": (lambda t, x: -x, [f(3)]),
    "pow 2": (lambda t, x: x**2, [f(5)]),
    "pow 3": (lambda t, x: x**3, [f(5)]),
    "pow 1": (lambda t, x: x**1, [f(5)]),
    "pow 0": (lambda t, x: x**0, [f(5)]),
    "pow 0 at 0": (lambda t, x: x**0, [A([0.0, 1.0])]),
    "pow 0.5": (lambda t, x: x**0.5, [f(5, low=0)]),
    "pow -1": (lambda t, x: x**-1, [f(5, low=0)]),
    "pow 1.7": (lambda t, x: x**1.7, [f(5, low=0)]),
    "pow tensor": (lambda t, x, y: x**y, [f(4, low=0), f(3, 4, seed=1)]),
    "pow tensor at 0": (lambda t, x, y: x**y, [A([0.0, 0, 2]), A([0.0, 2, 0])]),
    "rpow": (lambda t, x: 2.0**x, [f(5)]),
    "rpow 0": (lambda t, x: 0.0**x, [A([0.0, 2.0])]),
    "pow int": (lambda t, x: x**3, [i(5)]),
    "exp": (lambda t, x: t.exp(x), [f(5)]),
    "log": (lambda t, x: t.log(x), [f(5, low=0)]),
    "log at 0": (lambda t, x: t.log(x), [A([0.0, -1.0])]),
    "sqrt": (lambda t, x: t.sqrt(x), [f(5, low=0)]),
    "sqrt at 0": (lambda t, x: t.sqrt(x), [A([0.0, 4.0])]),
    "exp of ints": (lambda t, x: t.exp(x), [i(5)]),
    "abs": (lambda t, x: abs(x), [A([-1.0, 0.0, 2.0])]),
    "abs int": (lambda t, x: abs(x), [i(5)]),
    "sign": (lambda t, x: t.sign(x), [ODD]),
    "floor": (lambda t, x: t.floor(x), [f(5)]),
    "ceil": (lambda t, x: t.ceil(x), [f(5)]),
    "round": (lambda t, x: t.round(x), [A([0.5, 1.5, -0.5, 2.4])]),
    "isnan": (lambda t, x: t.isnan(x), [ODD]),
    "isinf": (lambda t, x: t.isinf(x), [ODD]),
    "isfinite": (lambda t, x: t.isfinite(x), [ODD]),
    "clamp": (lambda t, x: t.clamp(x, -1, 1), [A([-2.0, -1, 0, 1, 2, NAN, INF])]),
    "clamp min": (lambda t, x: t.clamp(x, min=0.5), [f(5)]),
    "clamp max": (lambda t, x: t.clamp(x, max=0.5), [f(5)]),
    "clamp crossed": (lambda t, x: t.clamp(x, min=1, max=-1), [f(5)]),
    "clamp int": (lambda t, x: t.clamp(x, min=0), [i(5)]),
    "maximum": (lambda t, x, y: t.maximum(x, y), [TIES, TIES[:, ::-1].copy()]),
    "minimum": (lambda t, x, y: t.minimum(x, y), [TIES, TIES[:, ::-1].copy()]),
    "maximum nan": (lambda t, x, y: t.maximum(x, y), [A([NAN, 1.0]), A([0.0, NAN])]),
    "eq": (lambda t, x, y: x == y, [i(9), i(9, seed=1)]),
    "ne": (lambda t, x: x != 1, [i(9)]),
    "compare": (lambda t, x, y: (x < y, x <= y, x > y, x >= y), [i(9), i(3, 1, seed=1)]),
    "compare nan": (lambda t, x: (x == x, x != x, x < x), [ODD]),
    "logic": (lambda t, x, y: (x & y, x | y, x ^ y, ~x), [b(9), b(9, seed=1)]),
    "logic int": (lambda t, x, y: (x & y, x | y, x ^ y, ~x, x & 3), [i(9), i(9, seed=1)]),
    "where": (lambda t, c, x, y: t.where(c, x, y), [b(3, 4), f(4), f(3, 1, seed=1)]),
    "where numbers": (lambda t, c, x: t.where(c, x, 0.0), [b(3, 4), f(4)]),
    "where two numbers": (lambda t, c: t.where(c, 1.0, 0.0), [b(4)]),
    "sum": (lambda t, x: x.sum(), [f(3, 4)]),
    "sum dim": (lambda t, x: x.sum(1), [f(3, 4, 5)]),
    "sum dims": (lambda t, x: x.sum((0, -1), keepdim=True), [f(3, 4, 5)]),
    "sum 0-d": (lambda t, x: x.sum(0), [f()]),
    "sum empty": (lambda t, x: x.sum(0), [f(0, 4)]),
    "sum int": (lambda t, x: x.sum(), [i(5, dtype="int32")]),
    "sum bool": (lambda t, x: x.sum(), [b(5)]),
    "mean": (lambda t, x: x.mean(), [f(3, 4)]),
    "mean dims": (lambda t, x: x.mean((0, 2)), [f(3, 4, 5)]),
    "mean empty": (lambda t, x: x.mean(1), [f(4, 0)]),
    "var": (lambda t, x: x.var(), [f(3, 4)]),
    "var dim": (lambda t, x: x.var(1, keepdim=True), [f(3, 4)]),
    "var biased": (lambda t, x: x.var(dim=(0, 2), unbiased=False), [f(3, 4, 5)]),
    "var correction": (lambda t, x: x.var(dim=0, correction=2), [f(5, 4)]),
    "var overload": (lambda t, x: x.var(False), [f(5, 4)]),
    "std": (lambda t, x: x.std(0), [f(5, 4)]),
    "std constant": (lambda t, x: x.std(0), [np.ones((5, 4), "float32")]),
    "max": (lambda t, x: x.max(), [TIES]),
    "max dim": (lambda t, x: tuple(x.max(1)), [f(3, 4)]),
    "max keepdim": (lambda t, x: tuple(x.max(0, keepdim=True)), [f(3, 4)]),
    "max of two": (lambda t, x, y: t.max(x, y), [TIES, f(3, 4)]),
    "max nan": (lambda t, x: x.max(), [ODD]),
    "max dim nan": (lambda t, x: tuple(x.max(0)), [A([1.0, NAN, 3, NAN])]),
    "max int": (lambda t, x: tuple(x.max(1)), [A([[1, 5, 2], [9, 3, 4]])]),
    "max 0-d": (lambda t, x: tuple(x.max(0)), [f()]),
    "max empty batch": (lambda t, x: tuple(x.max(1)), [f(0, 4)]),
    "min": (lambda t, x: x.min(), [TIES]),
    "min dim": (lambda t, x: tuple(x.min(-1)), [f(3, 4)]),
    "amax": (lambda t, x: x.amax((0, 1)), [TIES]),
    "amax dim": (lambda t, x: x.amax(1, keepdim=True), [TIES]),
    "amin": (lambda t, x: x.amin(0), [TIES]),
    "argmax": (lambda t, x: (x.argmax(), x.argmax(0), x.argmax(1, keepdim=True)), [f(3, 4)]),
    "argmax keepdim": (lambda t, x: x.argmax(keepdim=True), [f(3, 4)]),
    "argmax nan": (lambda t, x: (x.argmax(), x.argmin()), [A([1.0, NAN, 3])]),
    "argmin": (lambda t, x: (x.argmin(), x.argmin(0)), [f(3, 4)]),
    "prod": (lambda t, x: x.prod(), [f(3, 2)]),
    "prod dim": (lambda t, x: x.prod(1, keepdim=True), [f(3, 4)]),
    "prod zero": (lambda t, x: x.prod(1), [A([[1.0, 0, 3], [0, 0, 2], [1, 2, 3]])]),
    "prod empty": (lambda t, x: x.prod(0), [f(0, 2)]),
    "prod 0-d": (lambda t, x: x.prod(), [f()]),
    "logsumexp": (lambda t, x: x.logsumexp(1), [f(3, 4)]),
    "logsumexp large": (lambda t, x: x.logsumexp((0, 1)), [f(3, 4) * 1000]),
    "logsumexp inf": (lambda t, x: x.logsumexp(0), [A([INF, 1.0])]),
    "logsumexp -inf": (lambda t, x: x.logsumexp(0), [A([-INF, -INF])]),
    "all any": (lambda t, x: (x.all(), x.any(), x.all(1), x.any(0, keepdim=True)), [b(3, 4)]),
    "all empty": (lambda t, x: (x.all(), x.any()), [b(0)]),
    "reshape": (lambda t, x: x.reshape(2, -1), [f(3, 4)]),
    "reshape transposed": (lambda t, x: x.transpose(0, 1).reshape(-1), [f(3, 4)]),
    "reshape 0-d": (lambda t, x: x.reshape(()), [f(1, 1)]),
    "reshape empty": (lambda t, x: x.reshape(-1, 4), [f(0, 8)]),
    "view": (lambda t, x: x.view((4, 3)), [f(3, 4)]),
    "flatten": (lambda t, x: (x.flatten(), x.flatten(1), x.flatten(0, 1)), [f(2, 3, 4)]),
    "flatten 0-d": (lambda t, x: x.flatten(), [f()]),
    "unflatten": (lambda t, x: x.unflatten(1, (2, -1)), [f(3, 4)]),
    "squeeze": (lambda t, x: (x.squeeze(), x.squeeze(0), x.squeeze(-1)), [f(1, 3, 1)]),
    "squeeze dims": (lambda t, x: x.squeeze((0, 1)), [f(1, 3, 1)]),
    "unsqueeze": (lambda t, x: (x.unsqueeze(0), x.unsqueeze(-1), x.unsqueeze(1)), [f(3, 4)]),
    "permute": (lambda t, x: (x.permute(2, 0, 1), x.permute((0, -1, 1))), [f(2, 3, 4)]),
    "transpose": (lambda t, x: (x.transpose(0, -1), x.T), [f(3, 4)]),
    "expand": (lambda t, x: x.expand(2, 3, 4), [f(3, 1)]),
    "expand -1": (lambda t, x: x.expand(-1, 4), [f(3, 1)]),
    "flip": (lambda t, x: (x.flip(0), x.flip((0, 1))), [f(3, 4)]),
    "clone": (lambda t, x: x.clone(), [f(3, 4)]),
    "cat": (lambda t, x, y: t.cat([x, y], 1), [f(3, 4), f(3, 2, seed=1)]),
    "cat one twice": (lambda t, x: t.cat([x, x]), [f(3, 4)]),
    "cat empty": (lambda t, x, y: t.cat([x, y]), [f(3, 4), f(0, 4)]),
    "cat vector": (lambda t, x, y: t.cat([x, y]), [f(3, 4), f(0)]),
    "cat mixed": (lambda t, x, y: t.cat([x, y]), [f(3), i(2)]),
    "stack": (lambda t, x, y: (t.stack([x, y]), t.stack([x, y], -1)), [f(3), f(3, seed=1)]),
    "stack 0-d": (lambda t, x, y: t.stack([x, y]), [f(), f(seed=1)]),
    "split": (lambda t, x: x.split(2), [f(5, 2)]),
    "split sizes": (lambda t, x: x.split([1, 0, 3], dim=1), [f(5, 4)]),
    "split used once": (lambda t, x: x.split(2)[1] * 2, [f(5, 2)]),
    "chunk": (lambda t, x: x.chunk(3, 1), [f(2, 7)]),
    "chunk many": (lambda t, x: x.chunk(9), [f(5)]),
    "index int": (lambda t, x: (x[1], x[-1]), [f(3, 4)]),
    "index pair": (lambda t, x: x[1, 2], [f(3, 4)]),
    "index slice": (lambda t, x: (x[1:], x[:, ::2], x[..., 1:3], x[:0]), [f(3, 4, 5)]),
    "index none": (lambda t, x: (x[None], x[:, None], x[..., None]), [f(3, 4)]),
    "index list": (lambda t, x: x[[0, 2, 0]], [f(3, 4)]),
    "index tensor": (lambda t, x, k: x[k], [f(3, 4), A([[0, 2], [-1, 0]])]),
    "index tensors": (lambda t, x, k: x[k, k], [f(3, 4), A([0, 2, 2])]),
    "index tensor, column": (lambda t, x, k: x[:, k], [f(3, 4), A([0, 2, 2])]),
    "index int and tensor": (lambda t, x, k: x[0, :, k], [f(3, 4, 5), A([0, 2, 2])]),
    "index tensor and int": (lambda t, x, k: x[k, ..., 1], [f(3, 4, 5), A([0, 2, 2])]),
    "index apart": (lambda t, x, k: x[k, :, k], [f(3, 4, 5), A([0, 2, 2])]),
    "index none and tensor": (lambda t, x, k: x[None, 0, k], [f(3, 4, 5), A([0, 2, 2])]),
    "index mask": (lambda t, x, m: x[m], [f(3, 4), b(3, 4)]),
    "index row mask": (lambda t, x, m: (x[m], x[m, 1:], x[m, 1]), [f(3, 4), b(3)]),
    "index mask none": (lambda t, x: x[x > 100], [f(3, 4)]),
    "index scalar tensor": (lambda t, x, k: x[k], [f(3, 4), A(1)]),
    "index empty list": (lambda t, x: x[[]], [f(3, 4)]),
    "index all": (lambda t, x: x[...], [f(3, 4)]),
    "index mask of comparison": (lambda t, x: x[x > 0] * 2, [f(3, 4)]),
    "matmul": (lambda t, x, y: x @ y, [f(3, 4), f(4, 5, seed=1)]),
    "matmul wide": (lambda t, x, y: x @ y, [f(33, 70), f(70, 65, seed=1)]),
    "matmul vectors": (lambda t, x, y: x @ y, [f(4), f(4, seed=1)]),
    "matmul row": (lambda t, x, y: x @ y, [f(4), f(4, 5, seed=1)]),
    "matmul column": (lambda t, x, y: x @ y, [f(3, 4), f(4, seed=1)]),
    "matmul batch": (lambda t, x, y: x @ y, [f(2, 3, 4), f(2, 4, 5, seed=1)]),
    "matmul broadcast": (lambda t, x, y: x @ y, [f(2, 1, 3, 4), f(6, 4, 5, seed=1)]),
    "matmul batch, matrix": (lambda t, x, y: x @ y, [f(2, 3, 4), f(4, 5, seed=1)]),
    "matmul matrix, batch": (lambda t, x, y: x @ y, [f(3, 4), f(2, 4, 5, seed=1)]),
    "matmul batch, vector": (lambda t, x, y: x @ y, [f(2, 3, 4), f(4, seed=1)]),
    "matmul vector, batch": (lambda t, x, y: x @ y, [f(4), f(2, 4, 5, seed=1)]),
    "matmul transposed": (lambda t, x, y: x.T @ y.T, [f(4, 3), f(5, 4, seed=1)]),
    "matmul strided": (lambda t, x, y: x[:, ::2] @ y[::2, ::2], [f(3, 8), f(8, 10, seed=1)]),
    "matmul expanded": (lambda t, x, y: x.expand(3, 4) @ y, [f(1, 4), f(4, 5, seed=1)]),
    "matmul k=0": (lambda t, x, y: x @ y, [f(3, 0), f(0, 5)]),
    "matmul m=0": (lambda t, x, y: x @ y, [f(0, 4), f(4, 5)]),
    "matmul n=0": (lambda t, x, y: x @ y, [f(3, 4), f(4, 0)]),
    "matmul empty batch": (lambda t, x, y: x @ y, [f(0, 3, 4), f(4, 5)]),
    "matmul size 1": (lambda t, x, y: x @ y, [f(1, 1), f(1, 1, seed=1)]),
    "matmul gradient expanded": (lambda t, x, y: (x @ y).sum(), [f(3, 4), f(4, 5, seed=1)]),
    "log1p": (lambda t, x: t.log1p(x), [f(5, low=0)]),
    "log1p at -1": (lambda t, x: t.log1p(x), [A([-1.0, -2.0, 1e-9, 0.0])]),
    "sin": (lambda t, x: (x.sin(), t.cos(x)), [f(5)]),
    "sin of ints": (lambda t, x: (x.sin(), t.cos(x)), [i(5)]),
    "square": (lambda t, x: t.square(x), [f(5)]),
    "reciprocal": (lambda t, x: t.reciprocal(x), [f(5, low=0)]),
    "norm": (lambda t, x: x.norm(), [f(3, 4)]),
    "norm dim": (lambda t, x: x.norm(dim=1, keepdim=True), [f(3, 4)]),
    "norm p": (lambda t, x: (x.norm(1, 0), x.norm(p=INF, dim=(0, 1)), t.norm(x, "fro")), [f(3, 4)]),
    "norm at 0": (lambda t, x: x.norm(dim=1), [A([[0.0, 0], [3, 4]])]),
    "norm empty": (lambda t, x: x.norm(dim=0), [f(0, 4)]),
    "cumsum": (lambda t, x: (x.cumsum(0), t.cumsum(x, -1)), [f(3, 4)]),
    "cumsum int": (lambda t, x: x.cumsum(0), [i(5, dtype="uint8", low=0, high=255)]),
    "cumsum bool": (lambda t, x: x.cumsum(0), [b(5)]),
    "sort": (lambda t, x: tuple(x.sort(0)), [f(5, 3)]),
    "sort descending": (lambda t, x: tuple(t.sort(x, 1, True)), [f(5, 3)]),
    "sort stable": (lambda t, x: tuple(t.sort(x, dim=1, stable=True)), [TIES]),
    "sort stable descending": (
        lambda t, x: tuple(t.sort(x, dim=1, descending=True, stable=True)), [TIES]),
    "sort nan": (lambda t, x: (x.sort()[0], x.sort(descending=True)[0]), [A([1.0, NAN, 3, -INF])]),
    "sort 0-d": (lambda t, x: tuple(x.sort()), [f()]),
    "argsort": (lambda t, x: (x.argsort(), t.argsort(x, 0, descending=True)), [f(3, 4)]),
    "topk": (lambda t, x: tuple(x.topk(3)), [f(4, 9)]),
    "topk smallest": (lambda t, x: tuple(t.topk(x, 2, 0, largest=False)), [f(4, 9)]),
    "topk all": (lambda t, x: tuple(x.topk(4, dim=0)), [f(4)]),
    "topk none": (lambda t, x: tuple(x.topk(0)), [f(4, 9)]),
    "topk 0-d": (lambda t, x: tuple(x.topk(1)), [f()]),
    "topk empty": (lambda t, x: tuple(x.topk(2)), [f(0, 3)]),
    "masked_fill": (lambda t, x, m: x.masked_fill(m, -INF), [f(3, 4), b(3, 4)]),
    "masked_fill broadcast": (lambda t, x, m: x.masked_fill(m, 1), [f(3, 4), b(4)]),
    "t": (lambda t, x, y, z: (x.t(), t.t(y), z.t()), [f(3, 4), f(3), f()]),
    "repeat": (lambda t, x: (x.repeat(2, 3), x.repeat((2, 1, 0))), [f(3, 4)]),
    "repeat 0-d": (lambda t, x: (x.repeat(3), x.repeat(())), [f()]),
    "unbind": (lambda t, x: (*x.unbind(), *t.unbind(x, -1)), [f(3, 4)]),
    "shapes of others": (lambda t, x, y: (x.view_as(y), x.contiguous().reshape_as(y),
                                          x[:1].expand_as(x)), [f(3, 4), f(2, 6)]),
    "mm": (lambda t, x, y: x.mm(y), [f(3, 4), f(4, 5, seed=1)]),
    "bmm": (lambda t, x, y: t.bmm(x, y), [f(2, 3, 4), f(2, 4, 5, seed=1)]),
    "dot": (lambda t, x, y: x.dot(y), [f(4), f(4, seed=1)]),
    "isclose": (lambda t, x, y: (t.isclose(x, y), x.isclose(y, rtol=0.5, equal_nan=True)),
                [ODD, ODD[::-1] * 1.1]),
    "isclose int": (lambda t, x, y: x.isclose(y, atol=2), [i(9), i(9, seed=1)]),
    "linspace": (lambda t: (t.linspace(-1, 2, 7), t.linspace(1, 1, 1)), []),
    "in place methods": (lambda t, x, y: x.detach().clone().add_(y, alpha=2).sub_(1).mul_(y).div_(3)
                         .clamp_(-1, 1), [f(4), i(4, seed=1)]),
    "in place": (lambda t, x: _in_place(x.clone()), [f(3)]),
}


def _in_place(x):
    x += 1
    x *= 2
    x -= 0.5
    x /= 3
    return x


def _run(t, function, arrays, wanted):
    """Arrays of results and of gradients of sum(weights * result)."""
    inputs = []
    for array in arrays:
        x = t.from_numpy(np.array(array))
        inputs.append(x.requires_grad_(wanted and array.dtype.kind == "f"))
    results = function(t, *inputs)
    results = results if isinstance(results, tuple) else (results,)
    for n, y in enumerate(results):
        if y.requires_grad:
            weights = np.random.default_rng(n).standard_normal(tuple(y.shape))
            y.backward(t.from_numpy(np.asarray(weights, str(y.dtype)[-7:])), retain_graph=True)
    arrays = [y.detach().numpy() for y in results]
    grads = [
        np.zeros(x.shape, str(x.dtype)[-7:]) if x.grad is None else x.grad.numpy()
        for x in inputs if x.requires_grad
    ]
    return arrays + grads


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_same_numbers_and_gradients(name, dtype):
    function, arrays = CASES[name]
    arrays = [np.asarray(a, dtype) if a.dtype.kind == "f" else a for a in arrays]
    ours, theirs = (_run(t, function, arrays, True) for t in (tinycnn, torch))
    assert len(ours) == len(theirs)
    # the order of sums differs: a few roundings of float32
    for a, b_ in zip(ours, theirs):
        rtol = 1e-12 if a.dtype == "float64" else 2e-5
        assert a.dtype == b_.dtype
        assert a.shape == b_.shape
        np.testing.assert_allclose(a, b_, rtol=rtol, atol=rtol)


DTYPES = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


@pytest.mark.parametrize(("x_dtype", "y_dtype"), list(itertools.product(DTYPES, DTYPES)))
@pytest.mark.parametrize(("x_shape", "y_shape"), [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())])
def test_dtypes_mix_as_in_pytorch(x_dtype, y_dtype, x_shape, y_shape):
    results = []
    for t in (tinycnn, torch):
        x = t.from_numpy(np.ones(x_shape, x_dtype))
        y = t.from_numpy(np.ones(y_shape, y_dtype))
        results.append([str(z.dtype).split(".")[-1] for z in (x + y, x * y, x / y, x == y)])
    assert results[0] == results[1]


@pytest.mark.parametrize("number", [True, 2, 2.0])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_numbers_mix_as_in_pytorch(dtype, number, shape):
    results = []
    for t in (tinycnn, torch):
        x = t.from_numpy(np.ones(shape, dtype))
        zs = (x + number, number * x, x / number, number / x, x**number, x > number)
        results.append([str(z.dtype).split(".")[-1] for z in zs])
    assert results[0] == results[1]


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "pad"),
    [
        ((2, 3, 5), (1, 2)),
        ((3, 5), (2, 0)),
        ((2, 3, 5), (-1, 2)),
        ((2, 3, 5), (0, 0)),
        ((2, 3, 4, 5), (1, 2, 3, 0)),
        ((3, 4, 5), (1, -2, -1, 2)),
        ((0, 3, 4, 5), (1, 2, 3, 0)),
        ((2, 3, 4, 5, 6), (1, 2, 3, 0, 2, 1)),
        ((3, 4, 5, 6), (0, 2, 1, 1, -1, 0)),
    ],
)
def test_pad_as_pytorch(shape, pad, mode):
    results = []
    for t, function in (tinycnn, tinycnn.ops.pad), (torch, torch.nn.functional.pad):
        x = t.from_numpy(f(*shape, dtype="float64")).requires_grad_()
        try:
            y = function(x, pad, mode)
        except RuntimeError:  # PyTorch's circular mode with negative widths is narrower than ours
            pytest.skip("PyTorch does not serve this case")
        y.backward(t.from_numpy(np.random.default_rng(1).standard_normal(tuple(y.shape))))
        results.append((y.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*results):
        np.testing.assert_array_equal(ours.shape, theirs.shape)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_pad_value_as_pytorch():
    x = f(2, 3)
    theirs = torch.nn.functional.pad(torch.from_numpy(x), (1, 0, 2, 1), value=7.5)
    ours = tinycnn.ops.pad(tinycnn.from_numpy(x), (1, 0, 2, 1), value=7.5)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (0, 4), (2, 0, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_as_pytorch(shape, bias):
    results = []
    arrays = [f(*shape), f(5, 4, seed=1), f(5, seed=2)][: 2 + bias]
    for t, function in (tinycnn, tinycnn.ops.linear), (torch, torch.nn.functional.linear):
        inputs = [t.from_numpy(a.copy()).requires_grad_() for a in arrays]
        y = function(*inputs)
        (y * y).sum().backward()
        results.append([y.detach().numpy()] + [x.grad.numpy() for x in inputs])
    for ours, theirs in zip(*results):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5)


ARRAYS_TO_PRINT = [
    A(3.5, "float32"), A([1.0, 5000.0], "float32"), A([10, -INF, 0], "float32"),
    A([NAN, 1.5], "float32"), i(3, 4), f(2, 3, 4), f(30, 50), f(20, dtype="float64"), b(5),
    np.zeros((0, 3), "float32"), np.zeros(0, "float32"), np.zeros((3, 3), "float32"),
    A([1e-5, 1], "float32"), np.arange(2000), A([-1.0, 2, 3], "float32"), A([1e9, 1], "float32"),
    A(5), A([NAN, NAN], "float32"), f(2, 2, 40), i(5, dtype="int32"), f(5, 1001) * 1000,
    A([-0.0, 1.0], "float32"),
]


@pytest.mark.parametrize("n", range(len(ARRAYS_TO_PRINT)))
def test_printed_as_pytorch(n):
    ours = repr(tinycnn.tensor(ARRAYS_TO_PRINT[n]))
    assert ours == repr(torch.tensor(ARRAYS_TO_PRINT[n])).replace("torch.", "")


def test_dlpack_shares_memory_with_pytorch():
    ours = tinycnn.zeros(2, 3)
    theirs = torch.from_dlpack(ours)
    theirs[0, 1] = 5
    assert ours[0, 1].item() == 5
    back = tinycnn.from_dlpack(theirs)
    assert back.dtype == tinycnn.float32
    assert back.shape == (2, 3)
    assert np.shares_memory(back.data, ours.data)
