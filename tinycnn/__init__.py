"""tinycnn: a small framework that trains convolutional networks on a CPU."""

from . import ops as ops
from ._core.dtypes import (
    bool_ as bool,
)
from ._core.dtypes import (
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from ._version import __version__
from .autograd import enable_grad, is_grad_enabled, no_grad
from .creation import (
    arange,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .ops.arithmetic import (
    add,
    div,
    floor_divide,
    maximum,
    minimum,
    mul,
    pow,
    remainder,
    sub,
)
from .ops.comparison import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    ge,
    gt,
    le,
    lt,
    ne,
    where,
)
from .ops.elementary import (
    abs,
    ceil,
    clamp,
    exp,
    floor,
    isfinite,
    isinf,
    isnan,
    log,
    neg,
    round,
    sign,
    sqrt,
)
from .ops.linear import matmul
from .ops.reduction import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from .ops.reshaping import (
    cat,
    chunk,
    clone,
    expand,
    flatten,
    flip,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    transpose,
    unflatten,
    unsqueeze,
)
from .random import manual_seed
from .sampling import rand, rand_like, randint, randn, randn_like, randperm
from .tensor import Tensor
