"""Activation layers; they are in rectifier.py, sigmoid.py, gate.py and softmax.py."""

from .gate import GELU, GLU, Hardswish, Mish, SiLU
from .rectifier import CELU, ELU, SELU, LeakyReLU, Maxout, PReLU, ReLU, ReLU6, Threshold
from .sigmoid import (
    Hardshrink,
    Hardsigmoid,
    Hardtanh,
    LogSigmoid,
    ScaledTanh,
    Sigmoid,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
)
from .softmax import LogSoftmax, Softmax, Softmax2d, Softmin

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Maxout",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "ScaledTanh",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]
