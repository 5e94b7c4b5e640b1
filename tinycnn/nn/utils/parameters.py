"""Helpers on the parameters of a whole network: clipping of gradients, one long vector, a network
without first values."""

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy

from ..._core import kernels_for
from ..._core.checks import fail, require, shape_text
from ...autograd import wrap
from ...ops.joining import cat
from ...ops.reshaping import reshape
from ...tensor import Tensor
from .. import init
from ..module import Module

M = TypeVar("M", bound=Module)


def _gradients(function: str, parameters: Tensor | Iterable[Tensor]) -> list:
    """The arrays of the gradients that are there."""
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for parameter in tensors:
        if not isinstance(parameter, Tensor):
            fail(function, "Tensors as parameters", type(parameter).__name__,
                 "Pass net.parameters().", TypeError)
    return [parameter.grad.data for parameter in tensors if parameter.grad is not None]


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False) -> Tensor:
    """Scale all gradients by one factor so that their common norm is at most `max_norm`.

    total = (sum of |g|^p over all values)^(1/p); g *= min(1, max_norm / (total + 1e-6))

    Args:    parameters (Tensors or one Tensor): those without a gradient are passed over.
             max_norm (float): the largest norm allowed, at least 0.
             norm_type (float): p; math.inf for the largest absolute value.
             error_if_nonfinite (bool): an infinite or NaN norm is an error, nothing is scaled.
    Returns: Tensor (), the norm before clipping.
    Raises:  RuntimeError: if the norm is not finite and error_if_nonfinite.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([3.0, 4.0], requires_grad=True)
             >>> (x * x / 2).sum().backward()
             >>> clip_grad_norm_([x], max_norm=1.0)
             tensor(5.)
             >>> round((x.grad * x.grad).sum().item(), 4)
             1.0
    Source:  Pascanu et al. 2013, "On the difficulty of training recurrent neural networks".
    """
    grads = _gradients("clip_grad_norm_", parameters)
    require(max_norm >= 0, "clip_grad_norm_", "max_norm >= 0", repr(max_norm),
            "Pass for example 1.0.")
    require(norm_type > 0, "clip_grad_norm_", "norm_type > 0", repr(norm_type), "Pass for example "
            "2.0, or math.inf for the largest absolute value.")
    k = kernels_for(grads)
    norms = [k.reshape(_norm(k, grad, norm_type), (1,)) for grad in grads if grad.size]
    total = _norm(k, k.concatenate(norms or [k.zeros((1,), numpy.float64)]), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm_: expected a finite norm of the gradients, got {float(total)}. Look "
            f"for NaN in the data, lower the learning rate, or pass error_if_nonfinite=False."
        )
    factor = k.minimum(k.divide(max_norm, k.add(total, 1e-6)), 1.0)  # NaN goes on into all of them
    for grad in grads:
        grad *= k.astype(factor, grad.dtype)
    return wrap(k.astype(total, grads[0].dtype if grads else numpy.dtype("float32")))


def _norm(k: Any, values: Any, p: float) -> Any:
    """(sum of |x|^p)^(1/p) as an array (), summed in float64: squares do not overflow there."""
    magnitude = k.absolute(k.astype(values, numpy.dtype("float64")))
    if p == math.inf:
        return k.max(magnitude)
    return k.power(k.sum(k.power(magnitude, p)), 1 / p)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every value of every gradient to [-clip_value, clip_value].

    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([3.0, -0.5], requires_grad=True)
             >>> (x * x).sum().backward()
             >>> clip_grad_value_(x, 2.0)
             >>> x.grad
             tensor([ 2., -1.])
    """
    require(clip_value >= 0, "clip_grad_value_", "clip_value >= 0", repr(clip_value),
            "Pass for example 0.5.")
    for grad in _gradients("clip_grad_value_", parameters):
        k = kernels_for((grad,))
        grad[...] = k.minimum(k.maximum(grad, -clip_value), clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All values of all parameters, one after the other: a tensor with one axis.

    Example: >>> from tinycnn import nn
             >>> parameters_to_vector(nn.Linear(3, 2).parameters()).shape
             (8,)
    """
    return cat([reshape(parameter, (-1,)) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the values of a vector into the parameters, the inverse of `parameters_to_vector`.

    Args:    vec (Tensor): (P,), P = number of values of all parameters.
             parameters (Tensors): filled in place, in this order.
    Raises:  ValueError: if the vector is longer or shorter.
    Example: >>> import tinycnn
             >>> layer = tinycnn.nn.Linear(1, 1)
             >>> vector_to_parameters(tinycnn.tensor([2.0, 3.0]), layer.parameters())
             >>> layer.bias.item()
             3.0
    """
    tensors = list(parameters)
    if not isinstance(vec, Tensor):
        fail("vector_to_parameters", "vec to be a Tensor", type(vec).__name__,
             "Pass what parameters_to_vector returned.", TypeError)
    size = sum(parameter.data.size for parameter in tensors)
    if vec.shape != (size,):
        fail("vector_to_parameters", f"vec ({size},), one number per value of the parameters",
             shape_text(vec.shape), "Pass what parameters_to_vector returned.")
    start = 0
    for parameter in tensors:
        stop = start + parameter.data.size
        parameter.data[...] = vec.data[start:stop].reshape(parameter.shape)
        start = stop


def skip_init(module_cls: Callable[..., M], *args: Any, **kwargs: Any) -> M:
    """module_cls(*args, **kwargs), without drawing its weights: for a network that is going to load
    a checkpoint, or only be counted.

    What is filled by a constant, such as a bias of 0 or all of a batch norm, is there; the rest
    holds any numbers.

    Args:    module_cls (class or function): makes a Module from args and kwargs.
    Returns: Module.
    Example: >>> from tinycnn import nn
             >>> net = skip_init(nn.Linear, 4096, 4096)
             >>> values = {"weight": nn.init.eye_(net.weight), "bias": nn.init.zeros_(net.bias)}
             >>> net.load_state_dict(values)
             <All keys matched successfully>
    """
    before, init.mode.drawing = init.mode.drawing, False
    try:
        return module_cls(*args, **kwargs)
    finally:
        init.mode.drawing = before
