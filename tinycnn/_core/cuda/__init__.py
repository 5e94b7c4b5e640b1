"""Kernels for an NVIDIA GPU, written in Python and compiled by Numba, on CuPy's arrays.

primitives.py lists what kernels are written with, template.py and kernel.py tell how they are built
and launched; elementwise.py is the simplest family to read.
"""

from .array import *  # noqa: F403
from .batchnorm import (  # noqa: F401
    batch_norm_apply,
    batch_norm_backward,
    batch_norm_invstd,
    batch_norm_move,
    batch_norm_statistics,
)
from .conv import (  # noqa: F401
    conv_algorithms,
    conv_backward,
    conv_backward_input,
    conv_backward_weight,
    conv_forward,
    sum_rows,
)
from .ctc import ctc_backward, ctc_forward  # noqa: F401
from .elementwise import (  # noqa: F401
    activation_backward,
    activation_forward,
    add_gradients,
    glu_backward,
    glu_forward,
    relu_backward,
    relu_forward,
)
from .gemm import matmul  # noqa: F401
from .grid_sample import grid_sample_backward, grid_sample_forward  # noqa: F401
from .group_norm import group_norm_backward, group_norm_forward  # noqa: F401
from .hinge_loss import (  # noqa: F401
    multi_margin_backward,
    multi_margin_forward,
    multilabel_margin_backward,
    multilabel_margin_forward,
)
from .layout import channels_first, channels_last, pixels  # noqa: F401
from .local_response import (  # noqa: F401
    local_response_backward,
    local_response_forward,
)
from .loss import (  # noqa: F401
    cross_entropy_backward,
    cross_entropy_forward,
    log_softmax_backward,
    log_softmax_forward,
    nll_backward,
    nll_forward,
    one_hot,
    soft_cross_entropy_backward,
    soft_cross_entropy_forward,
    softmax_backward,
    softmax_forward,
)
from .memory import dense, empty, empty_like, same_layout  # noqa: F401
from .pair_loss import pair_loss_backward, pair_loss_forward  # noqa: F401
from .pooling import (  # noqa: F401
    avg_pool_backward,
    avg_pool_forward,
    max_pool_backward,
    max_pool_forward,
    max_pool_indices,
)
from .prelu import prelu_backward, prelu_forward  # noqa: F401
from .random import dropout, random_uniform  # noqa: F401
from .resize import resize_backward, resize_forward  # noqa: F401
from .unpooling import max_unpool_backward, max_unpool_forward  # noqa: F401
from .update import (  # noqa: F401
    adadelta_update,
    adagrad_update,
    adam_update,
    each_replay,
    rmsprop_update,
    sgd_update,
)
from .windows import fold, fold_pixels, unfold, unfold_pixels  # noqa: F401
