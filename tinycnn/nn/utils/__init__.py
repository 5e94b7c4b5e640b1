"""Helpers on networks: gradients, parameters as one vector, classifiers made convolutional."""

from .convolutionise import to_conv as to_conv
from .convolutionise import to_linear as to_linear
from .parameters import clip_grad_norm_ as clip_grad_norm_
from .parameters import clip_grad_value_ as clip_grad_value_
from .parameters import parameters_to_vector as parameters_to_vector
from .parameters import skip_init as skip_init
from .parameters import vector_to_parameters as vector_to_parameters
