"""Optimiser updates: one call moves every parameter of a group by one step, in place.

Arguments in the plural are lists with one array per parameter. `params[i]` and its state are
written in place, `grads[i]` is only read. Arrays that belong together have one shape and one dtype,
float32 or float64; their memory layouts are free (a kernel is fastest where all are dense and the
same).
`steps[i]` is a one-element float32 array: the number of updates made so far, raised by one first.

Every update begins alike, with the gradient g to go down along:

    g = -grad if maximize else grad
    g = g + weight_decay * p
"""

import numpy

from ..checks import fail, shape_text

_ignore = numpy.errstate(all="ignore")  # NaN and infinity pass through without a word


def _normal(x):
    """x, but 0 for subnormal numbers: what decays for ever would become slow to compute with."""
    return numpy.where(abs(x) < numpy.finfo(x.dtype).tiny, x.dtype.type(0), x)


@_ignore
def sgd_update(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize):
    """b = momentum * b + (1 - dampening) * g;  p = p - lr * (g + momentum * b if nesterov else b).

    Without momentum `buffers` is None and p = p - lr * g. A buffer begins as zeros, and its first
    update has dampening 0. Subnormal momentum is 0.
    """
    check_update("sgd_update", params, grads, momentum_buffer=buffers)
    for i, p in enumerate(params):
        g = _descent(p, grads[i], weight_decay, maximize)
        if buffers is not None:
            b = buffers[i]
            b[...] = _normal(momentum * b + (1 - dampening) * g)
            g = g + momentum * b if nesterov else b
        p[...] = p - lr * g


@_ignore
def adam_update(
    params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps,
    lr, beta1, beta2, eps, weight_decay, decoupled, maximize,
):
    """m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;

    p = p - lr * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps)

    With `max_exp_avg_sqs` (AMSGrad; else None) the largest v so far takes the place of v. With
    `decoupled` (AdamW) weight decay leaves g alone and shrinks p by 1 - lr * weight_decay first.
    """
    check_update(
        "adam_update", params, grads, steps,
        exp_avg=exp_avgs, exp_avg_sq=exp_avg_sqs, max_exp_avg_sq=max_exp_avg_sqs,
    )
    for i, p in enumerate(params):
        m, v, step = exp_avgs[i], exp_avg_sqs[i], _advance(steps[i])
        g = _descent(p, grads[i], 0 if decoupled else weight_decay, maximize)
        if decoupled:
            p[...] = p * (1 - lr * weight_decay)
        m[...] = _normal(m + (1 - beta1) * (g - m))
        v[...] = beta2 * v + (1 - beta2) * g * g
        if max_exp_avg_sqs is not None:
            largest = max_exp_avg_sqs[i]
            v = numpy.maximum(largest, v, out=largest)
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        p[...] = p - lr / correction1 * m / (numpy.sqrt(v) / correction2**0.5 + eps)


@_ignore
def rmsprop_update(
    params, grads, square_avgs, grad_avgs, buffers, steps,
    lr, alpha, eps, weight_decay, momentum, maximize,
):
    """v = alpha * v + (1 - alpha) * g^2;  d = g / (sqrt(v) + eps);  p = p - lr * d.

    With `grad_avgs` (centered; else None) sqrt(v - a^2) takes the place of sqrt(v), where
    a = alpha * a + (1 - alpha) * g. With `buffers` (momentum; else None) b = momentum * b + d takes
    the place of d.
    """
    check_update(
        "rmsprop_update", params, grads, steps,
        square_avg=square_avgs, grad_avg=grad_avgs, momentum_buffer=buffers,
    )
    for i, p in enumerate(params):
        _advance(steps[i])
        g = _descent(p, grads[i], weight_decay, maximize)
        v = square_avgs[i]
        v[...] = alpha * v + (1 - alpha) * g * g
        if grad_avgs is not None:
            a = grad_avgs[i]
            a[...] = a + (1 - alpha) * (g - a)
            v = v - a * a
        d = g / (numpy.sqrt(v) + eps)
        if buffers is not None:
            b = buffers[i]
            b[...] = momentum * b + d
            d = b
        p[...] = p - lr * d


@_ignore
def adagrad_update(params, grads, sums, steps, lr, lr_decay, eps, weight_decay, maximize):
    """s = s + g^2;  p = p - lr / (1 + (step - 1) * lr_decay) * g / (sqrt(s) + eps)."""
    check_update("adagrad_update", params, grads, steps, sum=sums)
    for i, p in enumerate(params):
        step = _advance(steps[i])
        g = _descent(p, grads[i], weight_decay, maximize)
        s = sums[i]
        s[...] = s + g * g
        p[...] = p - lr / (1 + (step - 1) * lr_decay) * g / (numpy.sqrt(s) + eps)


@_ignore
def adadelta_update(params, grads, square_avgs, acc_deltas, steps, lr, rho, eps, weight_decay,
                    maximize):
    """v = rho * v + (1 - rho) * g^2;  d = sqrt(u + eps) / sqrt(v + eps) * g;

    u = rho * u + (1 - rho) * d^2;  p = p - lr * d
    """
    check_update(
        "adadelta_update", params, grads, steps, square_avg=square_avgs, acc_delta=acc_deltas
    )
    for i, p in enumerate(params):
        _advance(steps[i])
        g = _descent(p, grads[i], weight_decay, maximize)
        v, u = square_avgs[i], acc_deltas[i]
        v[...] = rho * v + (1 - rho) * g * g
        d = numpy.sqrt(u + eps) / numpy.sqrt(v + eps) * g
        u[...] = rho * u + (1 - rho) * d * d
        p[...] = p - lr * d


def each_replay(call):
    """Call this. A device that records steps calls it again before every replay, so that the
    numbers of an update, such as its learning rate, are those of that moment."""
    call()


def _descent(p, grad, weight_decay, maximize):
    """The gradient to go down along: its sign turned for maximize, weight decay added."""
    g = -grad if maximize else grad
    return g + weight_decay * p if weight_decay != 0 else g


def _advance(step):
    """Raise the step counter by one; its value as a Python float."""
    step[...] += 1
    return float(step.item())


def check_update(function, params, grads, steps=None, **state):
    """Raise the sentence that says which array of which parameter does not fit.

    Raises:  TypeError: if a parameter is not float32 or float64, or its arrays differ in dtype.
             ValueError: if lengths or shapes differ, or an array to be written is read-only.
    """
    lists = {"grad": grads, **state, "step": steps}
    lists = {name: arrays for name, arrays in lists.items() if arrays is not None}
    for name, arrays in lists.items():
        if len(arrays) != len(params):
            fail(function, f"one {name} for each of {len(params)} parameters", str(len(arrays)),
                 "Pass lists of equal length.")
    for i, p in enumerate(params):
        kind = type(p)  # NumPy's arrays, or the GPU's
        if p.dtype not in (numpy.float32, numpy.float64):
            fail(function, f"parameter {i} {shape_text(p.shape)} to be float32 or float64",
                 str(p.dtype), "Convert it before the optimizer is made.", TypeError)
        _check_writable(function, f"parameter {i}", p)
        for name, arrays in lists.items():
            a, shape, dtype, what = arrays[i], p.shape, p.dtype, f"the {name} of parameter {i}"
            if not hasattr(a, "dtype"):
                fail(function, f"{what} to be an array", type(a).__name__,
                     "Assign Tensors: parameter.grad = tinycnn.tensor(array).", TypeError)
            if not isinstance(a, kind):
                fail(function, f"{what} on the device of the parameter", "one on another",
                     "Move the model first and make the optimizer then, or load its state again.")
            if name == "step":
                shape, dtype = (() if a.size != 1 else a.shape), numpy.dtype(numpy.float32)
            if a.shape != shape or a.dtype != dtype:
                fail(function, f"{what} to be {shape_text(shape)} {dtype}",
                     f"{shape_text(a.shape)} {a.dtype}",
                     "Make the optimizer after the parameters have their final shape and dtype.",
                     ValueError if a.shape != shape else TypeError)
            if name != "grad":
                _check_writable(function, what, a)


def _check_writable(function, what, array):
    once = not any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape))
    if not getattr(array.flags, "writeable", once):  # CuPy's arrays have no such flag
        fail(function, f"{what} {shape_text(array.shape)} in writable memory", "a read-only array",
             "Give the tensor memory of its own: t.data = t.data.copy().")
