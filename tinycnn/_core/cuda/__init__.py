"""Kernels for an NVIDIA GPU, written in Python and compiled by Numba, on CuPy's arrays."""

from .array import *  # noqa: F403
from .elementwise import (  # noqa: F401
    add_gradients,
    elu_backward,
    elu_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    tanh_backward,
    tanh_forward,
)
from .layout import channels_first, channels_last, pixels  # noqa: F401
from .memory import dense, empty, empty_like, same_layout  # noqa: F401
