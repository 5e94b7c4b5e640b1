"""The arithmetic of optimisers, a number at a time: formulas as in reference/update.py."""

from __future__ import annotations

from .primitives import T, device, expm1, sqrt

SGD, MOMENTUM, ADAM, AMSGRAD, RMSPROP, RMSPROP_MOMENTUM, CENTERED, CENTERED_MOMENTUM, ADAGRAD, \
    ADADELTA = range(10)
STATES = (0, 1, 2, 3, 1, 2, 2, 3, 1, 2)  # how many arrays each rule keeps for a parameter
RULE = SGD

# The numbers that a rule may need, in the order in which a kernel reads them.
HYPER = (
    "tiny",  # the smallest number that is not subnormal
    "lr", "weight_decay",
    "sign",  # -1 to maximize
    "eps",
    "shrink",  # 1 - lr * weight_decay, of decoupled weight decay
    "decay",  # beta2, alpha, rho or lr_decay
    "gain",  # 1 - decay, or 1 - dampening
    "momentum",
    "more",  # 1 - beta1, or whether to use Nesterov's momentum
    "log1", "log2",  # logarithms of beta1 and beta2
)


@device
def rate_and_scale(h, step):
    """What the count of steps decides: the learning rate, and the factor of sqrt(v)."""
    if RULE in (ADAM, AMSGRAD):  # 1 - beta^step keeps its digits: -expm1(step * log(beta))
        return h[1] / -expm1(step * h[10]), T(1) / sqrt(-expm1(step * h[11]))
    if RULE == ADAGRAD:
        return h[1] / (T(1) + (step - T(1)) * h[6]), T(1)
    return h[1], T(1)


@device
def normal(x, h):
    """x, but 0 for subnormal numbers."""
    return T(0) if abs(x) < h[0] else x


@device
def moved(p, grad, a, b, c, h, rate, scale):
    """A parameter's number and its states a, b, c after a step; h as in HYPER."""
    g = h[3] * grad
    if h[2] != T(0):  # without weight decay p stays out: 0 * infinity would be NaN
        g += h[2] * p
    if RULE == SGD:
        return p - rate * g, a, b, c
    if RULE == MOMENTUM:
        a = normal(h[8] * a + h[7] * g, h)
        return p - rate * (g + h[8] * a if h[9] != T(0) else a), a, b, c
    if RULE in (ADAM, AMSGRAD):
        return adam(p, g, a, b, c, h, rate, scale)
    if RULE == ADAGRAD:
        a = a + g * g
        return p - rate * g / (sqrt(a) + h[4]), a, b, c
    a = h[6] * a + h[7] * g * g
    if RULE == ADADELTA:
        d = sqrt(b + h[4]) / sqrt(a + h[4]) * g
        return p - rate * d, a, h[6] * b + h[7] * d * d, c
    return rmsprop(p, g, a, b, c, h, rate)


@device
def adam(p, g, m, v, largest, h, rate, scale):
    m = normal(m + h[9] * (g - m), h)
    v = h[6] * v + h[7] * g * g
    if RULE == ADAM:
        return p * h[5] - rate * m / (sqrt(v) * scale + h[4]), m, v, largest
    if not largest > v and largest == largest:  # NaN stays
        largest = v
    return p * h[5] - rate * m / (sqrt(largest) * scale + h[4]), m, v, largest


@device
def rmsprop(p, g, v, b, c, h, rate):
    """States: v, then with CENTERED the average gradient, then the momentum."""
    if RULE == RMSPROP:
        return p - rate * g / (sqrt(v) + h[4]), v, b, c
    if RULE == RMSPROP_MOMENTUM:
        b = h[8] * b + g / (sqrt(v) + h[4])
        return p - rate * b, v, b, c
    b = b + h[7] * (g - b)
    d = g / (sqrt(v - b * b) + h[4])
    if RULE == CENTERED:
        return p - rate * d, v, b, c
    c = h[8] * c + d
    return p - rate * c, v, b, c
