"""The tape: how a result remembers what made it, and how gradients walk back.

Each operation is a `Function` with two static methods on plain arrays, `forward(ctx, ...)` and
`backward(ctx, grad_y)`. `Function.apply` runs the forward pass and, if a gradient is wanted, leaves
a `Context` on the result: the operation, what it saved, and edges to whatever made its inputs.
`backward` visits these contexts newest first, so a context is visited after everything that used
its result, and multiplies by one Jacobian at a time (reverse-mode differentiation).

This file knows arrays and edges. It knows no operation, no layer, no device. It is compiled as it
stands, with autograd.pxd, which gives the attributes of variables and contexts C types.

Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

import heapq
import itertools
import threading
from contextlib import ContextDecorator

from ._core import kernels_for


class _Mode(threading.local):
    recording = True


_mode = _Mode()
_order = itertools.count()


class no_grad(ContextDecorator):
    """Context manager and decorator: nothing is recorded inside, so nothing can be differentiated.

    Tensors may be changed in place inside. What is already recorded reads what it saved only in
    `backward`, and does not notice: change an operand between the two, as in `y = w * x`, then
    `x.mul_(2)`, then `y.backward()`, and the gradient is that of the new x. PyTorch refuses there.
    Update after `backward`, as optimisers do, or record with `x.clone()`.

    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0], requires_grad=True)
             >>> with tinycnn.no_grad():
             ...     y = x * 2
             >>> y.requires_grad
             False
    """

    _recording = False

    def __enter__(self):
        self._before = getattr(self, "_before", [])  # a stack: one object may be entered twice
        self._before.append(_mode.recording)
        _mode.recording = self._recording
        return self

    def __exit__(self, *_exception):
        _mode.recording = self._before.pop()


class enable_grad(no_grad):
    """Context manager and decorator: records again inside a `no_grad` block.

    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0], requires_grad=True)
             >>> with tinycnn.no_grad(), tinycnn.enable_grad():
             ...     y = x * 2
             >>> y.requires_grad
             True
    """

    _recording = True


class inference_mode(no_grad):
    """Context manager and decorator: `no_grad` under PyTorch's other name; there is no difference.

    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0], requires_grad=True)
             >>> with tinycnn.inference_mode():
             ...     y = x * 2
             >>> y.requires_grad
             False
    """


class set_grad_enabled(no_grad):
    """Record from now on, or not: a function, and a context manager and decorator that ends it.

    Args:    mode (bool): whether operations are recorded.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([1.0], requires_grad=True)
             >>> for train in True, False:
             ...     with tinycnn.set_grad_enabled(train):
             ...         print((x * 2).requires_grad)
             True
             False
    """

    def __init__(self, mode: bool) -> None:
        self._recording = bool(mode)
        self._outside = [_mode.recording]  # until a first block has taken it over
        _mode.recording = self._recording

    def __call__(self, function):
        _mode.recording = self._outside.pop()  # a decorator changes nothing until it is called
        return super().__call__(function)

    def __enter__(self):
        super().__enter__()
        if self._outside:
            self._before[-1] = self._outside.pop()
        return self


def is_grad_enabled() -> bool:
    """True where operations are recorded for `backward`, False inside `no_grad`.

    Example: >>> is_grad_enabled()
             True
    """
    return _mode.recording


class Variable:
    """What the tape knows of a tensor: its array, its gradient, and the context that made it.

    `Tensor` is the one subclass people see.
    """

    __slots__ = ("__weakref__", "creator", "data", "grad", "index", "requires_grad")


_result_type = Variable


def make_results(subclass):
    """Name the subclass of Variable that results are: the tape makes tensors without importing
    them."""
    global _result_type
    _result_type = subclass


def wrap(array, creator=None, index=0):
    """A tensor around an array as it is: no copy, no conversion, no check."""
    result = _result_type.__new__(_result_type)
    result.data = array
    result.grad = None
    result.creator = creator
    result.index = index
    result.requires_grad = creator is not None
    return result


class Context:
    """One recorded call: `kernels` of its device, what forward saved, and edges to its inputs.

    `forward` may set any attribute on it; all of them are dropped after `backward`. `needs[i]`
    says whether argument i wants a gradient: a backward pass computes no more than that.
    """

    __slots__ = ("__dict__", "edges", "function", "kernels", "needs", "order", "result_count",
                 "retained")

    def __init__(self, function, kernels, needs):
        self.function = function
        self.kernels = kernels
        self.needs = needs
        self.edges = []  # per argument (creator or leaf, index of its result), or None
        self.order = 0
        self.result_count = 1
        self.retained = None  # or {result index: the tensor that keeps its gradient}

    def free(self):
        """Drop saved arrays and edges; remember only that this happened."""
        vars(self).clear()
        self.edges = self.needs = self.retained = None


class Function:
    """An operation with its derivative. Subclass it, write two static methods, call `apply`.

    forward(ctx, *args): arrays where `apply` was given tensors, everything else as it came; returns
    an array or a tuple of arrays. backward(ctx, *grads): one gradient per result (None where
    nothing flowed back) to one gradient per tensor argument, in order; None where none is needed.

    Example: >>> import tinycnn
             >>> class Cube(Function):
             ...     @staticmethod
             ...     def forward(ctx, x):
             ...         ctx.x = x
             ...         return x * x * x
             ...     @staticmethod
             ...     def backward(ctx, grad_y):
             ...         return 3 * ctx.x * ctx.x * grad_y
             >>> x = tinycnn.tensor([2.0], requires_grad=True)
             >>> Cube.apply(x).backward()
             >>> x.grad
             tensor([12.])
    """

    @staticmethod
    def forward(ctx, *args):
        raise TypeError("Function.forward: a subclass must define it, a static method on arrays.")

    @staticmethod
    def backward(ctx, *grads):
        raise TypeError(f"{ctx.function.__name__}.backward: this operation has no derivative.")

    @classmethod
    def apply(cls, *args):
        """Run `forward` on the arrays behind `args`; record the call if any gradient is wanted."""
        return _apply(cls, args)


def _apply(function, args):
    """`Function.apply`, outside of the class so that its variables have types."""
    recording = _mode.recording
    values, arrays, needs, edges = [], [], [False] * len(args), None
    for i, arg in enumerate(args):  # one pass: this loop is most of what a small operation costs
        if not isinstance(arg, Variable):
            values.append(arg)
            continue
        variable = arg
        values.append(variable.data)
        arrays.append(variable.data)
        if recording and variable.requires_grad:
            if edges is None:
                edges = [None] * len(args)
            needs[i] = True
            edges[i] = (variable.creator or variable, variable.index)
    ctx = Context(function, kernels_for(arrays), needs)
    result = function.forward(ctx, *values)
    creator = None
    if edges is not None:
        ctx.edges, ctx.order, creator = edges, next(_order), ctx
    try:
        if type(result) is not tuple:
            return wrap(result, creator if result.dtype.kind == "f" else None)
        ctx.result_count = len(result)
        return tuple(
            [wrap(r, creator if r.dtype.kind == "f" else None, i) for i, r in enumerate(result)]
        )
    except AttributeError:
        raise TypeError(
            f"{function.__name__}.forward: expected an array or a tuple of arrays to be returned, "
            f"got {type(result).__name__}. Tensors are made by apply."
        ) from None


def backward(variable, gradient, retain_graph=False):
    """Add d(sum of variable * gradient) / d(leaf) to `leaf.grad` for every leaf that made it.

    Args:    variable (Variable): the result to differentiate; must require a gradient.
             gradient (array): same shape as the result; it is not changed.
             retain_graph (bool): keep what was saved, so that backward may run again.
    Raises:  RuntimeError: if the result's graph was already used and freed.
    """
    leaves = _Leaves(gradient)
    if variable.creator is None:
        leaves.add(variable, gradient)
        return
    first = variable.creator
    pending = {first: [None] * first.result_count}  # context: the gradient of each of its results
    pending[first][variable.index] = gradient
    sums = set()  # (order of a context, result): where the gradient is an array that we made
    heap = [(-first.order, first)]
    while heap:
        ctx = heapq.heappop(heap)[1]
        for edge, grad in zip(ctx.edges or (), _step(ctx, pending.pop(ctx))):
            if edge is None or grad is None:
                continue
            source, index = edge
            if isinstance(source, Variable):
                leaves.add(source, grad)
                continue
            slots = pending.get(source)
            if slots is None:
                slots = pending[source] = [None] * source.result_count
                heapq.heappush(heap, (-source.order, source))
            before = slots[index]
            if before is None:
                slots[index] = grad
                continue
            place = source.order, index
            slots[index] = ctx.kernels.add_gradients(before, grad, place in sums)
            sums.add(place)
        if not retain_graph:
            ctx.free()


def _step(ctx, slots):
    """One step back: gradients of a call's results to gradients of its arguments."""
    if ctx.edges is None:
        raise RuntimeError(
            f"backward: the graph behind this result was freed by an earlier backward (at "
            f"{ctx.function.__name__}). Run the forward pass again, or call the earlier backward "
            f"with retain_graph=True."
        )
    if ctx.retained:
        for index, variable in ctx.retained.items():
            if slots[index] is not None:
                variable.grad = wrap(slots[index].copy("K"))
    grads = ctx.function.backward(ctx, *slots)
    return grads if type(grads) is tuple else (grads,)


class _Leaves:
    """Hands gradients to leaves. An operation may pass one array on to several inputs, and a view
    shares memory with its base; a leaf owns its gradient, so these, and only these, are copied."""

    def __init__(self, gradient):
        self._handed_out = {id(gradient): gradient}  # kept alive, so that an id stays one array's

    def add(self, leaf, grad):
        data = leaf.data
        if type(grad) is not type(data) or grad.dtype != data.dtype:
            got = getattr(grad, "dtype", type(grad).__name__)
            raise TypeError(
                f"backward: expected a gradient that is an array of {data.dtype}, as its tensor, "
                f"got {got}. Let the operation's backward return arrays of the dtype it was given."
            )
        if grad.shape != data.shape:
            raise ValueError(
                f"backward: a gradient of shape {grad.shape} came back for a tensor of shape "
                f"{leaf.data.shape}. Let the operation's backward return one gradient per argument."
            )
        if leaf.grad is not None:
            before = leaf.grad.data
            leaf.grad = wrap(kernels_for((before, grad)).add_gradients(before, grad, False))
            return
        if grad.base is not None or id(grad) in self._handed_out:
            grad = grad.copy("K")  # in its own layout
        else:
            self._handed_out[id(grad)] = grad
        leaf.grad = wrap(grad)
