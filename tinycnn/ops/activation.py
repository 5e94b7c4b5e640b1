"""Activations: what lets layers on layers be more than one linear map, and scores become shares.

The operations themselves are in rectifier.py, sigmoid.py, gate.py, maxout.py and softmax.py.
"""

from .gate import gelu, glu, hardswish, mish, silu
from .maxout import maxout
from .rectifier import celu, elu, leaky_relu, prelu, relu, relu6, selu, threshold
from .sigmoid import (
    hardshrink,
    hardsigmoid,
    hardtanh,
    logsigmoid,
    scaled_tanh,
    sigmoid,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
)
from .softmax import log_softmax, softmax, softmin

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "maxout",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "scaled_tanh",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]
