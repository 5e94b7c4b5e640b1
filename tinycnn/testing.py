"""Checks for people who write their own operation: its gradient, and its kernels on each device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy

from . import _core
from ._core import reference, to_device, to_host
from ._core.checks import fail, shape_text
from .autograd import no_grad, wrap
from .tensor import Tensor

_TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # relative to the largest number of a result


def gradcheck(
    function: Callable,
    inputs: Tensor | Sequence,
    eps: float = 1e-6,
    atol: float = 1e-8,
    rtol: float = 1e-6,
    *,
    directions: int = 1,
    per_element: bool = False,
    seed: int = 0,
) -> bool:
    """Compare the gradient that `backward` finds with differences of function values.

    With random weights w and a random direction v, f(x) = sum(w * function(x)) must satisfy
    (f(x + eps v) - f(x - eps v)) / (2 eps) = sum(gradient * v). One direction checks all elements
    of all inputs at once; `per_element` takes each unit vector in turn and says which one is wrong.

    Args:    function (callable): tensors to a tensor or a tuple of tensors; deterministic.
             inputs (Tensor or sequence): its arguments; those that require a gradient are checked
                 and must be float64, where the rounding of differences does not drown errors.
             eps (float): step of the differences.
             atol (float): tolerated error.
             rtol (float): tolerated error relative to sum |gradient * v|.
             directions (int): how many random directions.
             per_element (bool): check every element on its own instead: slow, for tiny inputs.
             seed (int): of the weights and directions.
    Returns: True.
    Raises:  AssertionError: if a gradient is wrong.
             TypeError: if no input requires a gradient, or one that does is not float64.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0, 2.0], dtype=tinycnn.float64, requires_grad=True)
             >>> gradcheck(tinycnn.exp, x)
             True
    Source:  Griewank & Walther 2008, "Evaluating Derivatives", chapter 3.
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked or any(inputs[i].dtype != numpy.float64 for i in checked):
        fail("gradcheck", "inputs of dtype float64 that require a gradient",
             ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in inputs),
             "Make them with tinycnn.tensor(..., dtype=tinycnn.float64, requires_grad=True).",
             TypeError)
    rng = numpy.random.default_rng(seed)
    weights, grads = _weighted_gradients(function, inputs, checked, rng)

    def value(moves):
        """f at the inputs, each moved by its part of `moves`."""
        moved = list(inputs)
        for i, move in zip(checked, moves):
            x = numpy.asarray(to_host(inputs[i].data) + move)
            moved[i] = wrap(to_device(x, inputs[i].device))
        with no_grad():
            return sum(
                float((w * to_host(y.data)).sum())
                for w, y in zip(weights, _results(function, moved))
            )

    shapes = [inputs[i].shape for i in checked]
    for where, v in _unit_vectors(shapes) if per_element else _random_vectors(
        shapes, directions, rng
    ):
        numeric = (value([eps * p for p in v]) - value([-eps * p for p in v])) / (2 * eps)
        exact = sum(float((g * p).sum()) for g, p in zip(grads, v))
        scale = sum(float(numpy.abs(g * p).sum()) for g, p in zip(grads, v))
        if not abs(numeric - exact) <= atol + rtol * max(scale, abs(numeric)):
            raise AssertionError(
                f"gradcheck: the derivative along {where} is {numeric:.10g} by differences but "
                f"{exact:.10g} by backward. Check the backward of the operation; a kink of the "
                f"function near the inputs has the same effect."
            )
    return True


def _results(function, inputs):
    """The results that a gradient can flow from."""
    results = function(*inputs)
    results = results if isinstance(results, tuple) else (results,)
    return [y for y in results if y.dtype.kind == "f"]


def _weighted_gradients(function, inputs, checked, rng):
    """Random weights of the results, and the gradient of their weighted sum by `backward`."""
    inputs = list(inputs)
    for i in checked:
        inputs[i] = wrap(inputs[i].data.copy("K")).requires_grad_()
    results = _results(function, inputs)
    weights = [rng.standard_normal(y.shape) for y in results]
    for w, y in zip(weights, results):
        if y.requires_grad:
            y.backward(wrap(to_device(numpy.asarray(w), y.device)), retain_graph=True)
    grads = [inputs[i].grad for i in checked]
    return weights, [
        numpy.zeros(inputs[i].shape) if g is None else to_host(g.data)
        for i, g in zip(checked, grads)
    ]


def _random_vectors(shapes, count, rng) -> Iterator:
    for n in range(count):
        yield f"random direction {n}", [rng.standard_normal(shape) for shape in shapes]


def _unit_vectors(shapes) -> Iterator:
    for i, shape in enumerate(shapes):
        for place in numpy.ndindex(shape):
            vectors = [numpy.zeros(s) for s in shapes]
            vectors[i][place] = 1
            yield f"element {place} of input {i} {shape_text(shape)}", vectors


@contextmanager
def reference_kernels() -> Iterator[None]:
    """Run every operation on the plain NumPy kernels inside the block, in the whole process.

    Example: >>> import tinycnn
             >>> with reference_kernels():
             ...     print(tinycnn.ones(2) + 1)
             tensor([2., 2.])
    """
    before = _core._forced
    _core._forced = reference  # type: ignore[assignment]
    try:
        yield
    finally:
        _core._forced = before


def assert_same_on_devices(
    function: Callable, inputs: Tensor | Sequence, *, rtol: float | None = None, seed: int = 0
) -> None:
    """Check that a device's kernels give the same results as the plain NumPy kernels on the CPU.

    Forward results are compared, and the gradients of a random weighted sum of them.

    Args:    function (callable): tensors to a tensor or a tuple of tensors; deterministic.
             inputs (Tensor or sequence): its arguments, on any device.
             rtol (float or None): tolerated error relative to the largest number of each array;
                 None for 1e-5 in float32 and 1e-12 in float64.
             seed (int): of the weights.
    Raises:  AssertionError: if shapes, dtypes or numbers differ.
    Example: >>> import tinycnn
             >>> assert_same_on_devices(tinycnn.matmul, [tinycnn.ones(2, 3), tinycnn.ones(3, 4)])
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    with reference_kernels():
        expected = _all_results(function, [_on_host(x) for x in inputs], seed)
    found = _all_results(function, inputs, seed)
    if len(expected) != len(found):
        raise AssertionError(
            f"assert_same_on_devices: {len(found)} results and gradients on the device, "
            f"{len(expected)} on the reference kernels. Check that the function is deterministic."
        )
    for (name, a), (_, b) in zip(expected, found):
        _assert_close(name, a, b, rtol)


def _on_host(x):
    return wrap(to_host(x.data)).requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x


def _all_results(function, inputs, seed):
    """(name, array) of every result and every gradient."""
    rng = numpy.random.default_rng(seed)
    inputs = [
        wrap(x.data).requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs
    ]
    results = function(*inputs)
    results = results if isinstance(results, tuple) else (results,)
    arrays = [(f"result {i}", to_host(y.data)) for i, y in enumerate(results)]
    for y in results:
        if y.requires_grad:
            weights = numpy.asarray(rng.standard_normal(y.shape), y.dtype)
            y.backward(wrap(to_device(weights, y.device)), retain_graph=True)
    for i, x in enumerate(inputs):
        if isinstance(x, Tensor) and x.grad is not None:
            arrays.append((f"gradient of input {i}", to_host(x.grad.data)))
    return arrays


def _assert_close(name, expected, found, rtol):
    if expected.shape != found.shape or expected.dtype != found.dtype:
        raise AssertionError(
            f"assert_same_on_devices: {name} is {found.dtype} {shape_text(found.shape)} on the "
            f"device, {expected.dtype} {shape_text(expected.shape)} on the reference kernels."
        )
    if expected.dtype.kind != "f":
        same = numpy.array_equal(expected, found)
        error = tolerance = 0.0
    else:
        rtol = _TOLERANCE[str(expected.dtype)] if rtol is None else rtol
        finite = numpy.isfinite(expected)
        same = numpy.array_equal(expected[~finite], found[~finite], equal_nan=True)
        size = numpy.abs(expected[finite])
        tolerance = rtol * float(size.max(initial=0))
        error = float(numpy.abs(expected[finite] - found[finite]).max(initial=0))
        same = same and error <= tolerance
    if not same:
        raise AssertionError(
            f"assert_same_on_devices: {name} {shape_text(expected.shape)} differs by {error:.3g} "
            f"where {tolerance:.3g} is tolerated, or in its NaN, infinities or integers."
        )
