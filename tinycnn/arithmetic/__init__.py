"""The arithmetic of convolutional networks: sizes, counts and receptive fields. All
exact: integers, and for places halves or fractions.

Nothing here needs a tensor or a layer; `tinycnn.summary` does the same sums for a whole model.

sizes        output_size, transposed_output_size, effective_kernel_size
parameters   conv_parameters, local_parameters, dense_parameters
connections  conv_connections, dense_connections
products     conv_multiply_adds, dense_multiply_adds
fields       receptive_field, input_range, Field

Example: >>> from tinycnn import arithmetic
         >>> arithmetic.output_size(28, kernel=5, padding="same")
         28
         >>> arithmetic.receptive_field([3, 3, 3]).size  # three 3x3 layers see 7x7
         7
Source:  Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning".
"""

from .counts import (
    conv_connections,
    conv_multiply_adds,
    conv_parameters,
    dense_connections,
    dense_multiply_adds,
    dense_parameters,
    local_parameters,
)
from .fields import Field, input_range, receptive_field
from .sizes import effective_kernel_size, output_size, transposed_output_size

__all__ = [
    "Field",
    "conv_connections",
    "conv_multiply_adds",
    "conv_parameters",
    "dense_connections",
    "dense_multiply_adds",
    "dense_parameters",
    "effective_kernel_size",
    "input_range",
    "local_parameters",
    "output_size",
    "receptive_field",
    "transposed_output_size",
]
