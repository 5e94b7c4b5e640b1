"""The operations: each once, as a Function (forward, backward) and a public function with checks.

One family a file. The same letters mean the same sizes everywhere:

N         images in a batch                  C, OC        channels, output channels
D, H, W   depth, height, width               OD, OH, OW   the same of the output
KD, KH, KW  size of a window                 G            groups
M, K, N   rows, inner size, columns of a matrix product; B matrices in a batch
I, O      inputs and outputs of a linear layer

Gradients are called grad_x, grad_weight, grad_y: of the loss, with respect to x, weight, y.
"""

from .arithmetic import (
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
from .comparison import (
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
from .elementary import (
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
from .indexing import index, pad
from .linear import linear, matmul
from .reduction import (
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
from .reshaping import (
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
