"""summary(): a model layer by layer, with what each costs and what it sees.

Whoever makes no summary imports nothing but this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._core.checks import fail, int_of, require
from .._core.dtypes import dtype_of
from ..creation import full
from ..nn import Module
from ..ops import unsqueeze

if TYPE_CHECKING:
    import numpy

    from .report import Summary

Size = Sequence[int] | Sequence[Sequence[int]]


def summary(model: Module, input_size: Size | None = None, input_data: Any = None,
            batch_dim: int | None = None, *, depth: int | None = 3,
            dtype: numpy.dtype | str | None = None) -> Summary:
    """A model layer by layer: shapes, parameters, multiply-adds, memory and receptive fields.

    The model runs once, in evaluation mode, on one input, and is left exactly as it was. What is
    counted: multiply-adds are products of convolutions and matrices for one image, no biases, of a
    connection table where it connects; connections are these and the biases. A layer that is called
    twice has its parameters counted once and its multiply-adds twice. Memory is that of the results
    of layers, each array once: a view takes none.

    A field is what one unit sees of the input along an axis: its size, the jump from unit to unit,
    and where the first one's centre is, in pixels from 0; the border is ignored. It is followed
    through branches, sums, concatenations and functions called in forward. Units that have no place
    any more, behind a flattening or a global pooling, see "all", or as much as they do.

    Args:    model (Module): any.
             input_size (tuple of ints, or list of them): shape of the input, or of each, *with* the
                 batch: (1, 3, 224, 224). Without an input, only parameters are listed.
             input_data (Tensor, or tuple, list or dict of them): the input itself instead, the
                 positional arguments, or the named ones.
             batch_dim (int or None): where an axis of one image is put into every input, if
                 input_size leaves it out: (3, 224, 224) with batch_dim=0.
             depth (int or None): how deep the text lists modules inside modules; None for all. The
                 object holds them all.
             dtype (dtype or None): of inputs that are made; None for that of the parameters.
    Returns: Summary: print it, or read total_parameters, total_multiply_adds, rows, to_dict() ...
    Raises:  TypeError: if model is no Module, or an argument of a wrong type.
             ValueError: if a size is negative, or both inputs are given.
             RuntimeError: if the model cannot run on the input; it names the layer.
    Example: >>> import tinycnn
             >>> from tinycnn.models import LeNet5
             >>> info = tinycnn.summary(LeNet5(padding=0), input_size=(1, 1, 32, 32))
             >>> info.total_parameters, info.total_multiply_adds
             (61706, 416520)
             >>> [row.receptive_field[0] for row in info.rows if row.type == "Conv2d"]
             [5, 14, 32]
    Source:  torchinfo's `summary` has the same first arguments; for the receptive fields Araujo,
             Norris & Sim 2019, "Computing receptive fields of convolutional neural networks".
    """
    if not isinstance(model, Module):
        fail("summary", "model to be a Module", type(model).__name__,
             "Pass a layer or a network.", TypeError)
    if depth is not None:
        depth = int_of("summary", "depth", depth, "Pass for example 3, or None for everything.")
        require(depth >= 0, "summary", "depth of at least 0", repr(depth),
                "Pass for example 3, or None for everything.")
    from .calls import Trace
    from .report import Summary
    from .rows import rows_of, untraced_rows

    totals = _totals(model)
    if input_size is None and input_data is None:
        return Summary(untraced_rows(model), depth, **totals)
    args, kwargs = _arguments(model, input_size, input_data, batch_dim, dtype)
    trace = Trace(model, args, kwargs)
    images = _images(trace, batch_dim)
    rows = rows_of(trace, images)
    totals.update(total_multiply_adds=rows[0].multiply_adds, total_connections=rows[0].connections,
                  input_bytes=trace.input_bytes, activation_bytes=rows[0].memory)
    return Summary(rows, depth, **totals)


def _totals(model):
    parameters, buffers = list(model.parameters()), list(model.buffers())
    return {
        "total_parameters": sum(p.numel() for p in parameters),
        "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
        "total_buffers": sum(b.numel() for b in buffers),
        "total_multiply_adds": None,
        "total_connections": None,
        "parameter_bytes": sum(p.data.nbytes for p in parameters),
        "buffer_bytes": sum(b.data.nbytes for b in buffers),
        "input_bytes": 0,
        "activation_bytes": None,
    }


def _arguments(model, input_size, input_data, batch_dim, dtype):
    """(args, kwargs) of the model's call."""
    from .calls import replaced, tensors_in

    if input_size is not None and input_data is not None:
        fail("summary", "input_size or input_data", "both", "Leave one out.")
    if input_data is None:
        given: Any = _made(model, input_size, dtype)
    else:
        given = input_data
        if next(tensors_in(given), None) is None:
            fail("summary", "input_data to be a Tensor, or a tuple, list or dict of them",
                 type(given).__name__, "Make one with tinycnn.tensor(...).", TypeError)
    if batch_dim is not None:
        batch_dim = int_of("summary", "batch_dim", batch_dim, "Pass for example 0.")
        given = replaced(given, lambda x: unsqueeze(x.detach(), batch_dim))
    if isinstance(given, dict):
        return (), given
    return (tuple(given) if isinstance(given, (tuple, list)) else (given,)), {}


def _made(model, input_size, dtype):
    """Inputs of these sizes, all 0.5: random numbers would be other ones every time."""
    advice = "Pass for example (1, 3, 224, 224)."
    if not isinstance(input_size, (tuple, list)) or not input_size:
        fail("summary", "input_size to be a tuple of ints, or a list of them", repr(input_size),
             advice, TypeError)
    sizes = input_size if isinstance(input_size[0], (tuple, list)) else [input_size]
    floats = [t for t in [*model.parameters(), *model.buffers()] if t.dtype.kind == "f"]
    if dtype is None:
        dtype = floats[0].dtype if floats else "float32"
    dtype, device = dtype_of("summary", dtype), floats[0].device if floats else None
    result = []
    for size in sizes:
        size = tuple([int_of("summary", "every size", n, advice) for n in size])
        require(min(size, default=0) >= 0, "summary", "sizes of at least 0", repr(size), advice)
        value = 0.5 if dtype.kind == "f" else 0
        result.append(full(size, value, dtype=dtype, device=device))
    return result


def _images(trace, batch_dim):
    """How many images the input holds."""
    if batch_dim is not None:
        return 1
    shape = trace.input_shapes[0]
    batched = trace.axes.batched if trace.axes.spatial else len(shape) > 1
    return max(shape[0], 1) if batched and shape else 1
