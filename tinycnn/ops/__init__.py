"""The operations: each once, as a Function (forward, backward) and a public function with checks.

One family a file. The same letters mean the same sizes everywhere:

N         images in a batch                  C, OC        channels, output channels
D, H, W   depth, height, width               OD, OH, OW   the same of the output
KD, KH, KW  size of a window                 G            groups
M, K, N   rows, inner size, columns of a matrix product; B matrices in a batch
I, O      inputs and outputs of a linear layer

Gradients are called grad_x, grad_weight, grad_y: of the loss, with respect to x, weight, y.
"""

from .arithmetic import add, mul, neg, sub
from .comparison import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    lt,
    ne,
    where,
)
from .division import div, floor_divide, remainder
from .elementary import abs, clamp, exp, log, log1p, pow, sqrt
from .extrema import amax, amin, argmax, argmin, max, maximum, min, minimum
from .indexing import index
from .joining import cat, chunk, split, stack
from .linear import linear, matmul
from .norm import norm
from .ordering import argsort, cumsum, sort, topk
from .padding import pad
from .reduction import all, any, logsumexp, mean, prod, std, sum, var
from .reshaping import (
    clone,
    expand,
    flatten,
    flip,
    permute,
    reshape,
    squeeze,
    transpose,
    unflatten,
    unsqueeze,
)
from .rounding import ceil, floor, round, sign
from .shorthands import (
    allclose,
    bmm,
    dot,
    equal,
    isclose,
    masked_fill,
    mm,
    reciprocal,
    repeat,
    square,
    t,
    unbind,
)
from .trigonometry import cos, sin

__all__ = [
    "abs",
    "add",
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "bmm",
    "cat",
    "ceil",
    "chunk",
    "clamp",
    "clone",
    "cos",
    "cumsum",
    "div",
    "dot",
    "eq",
    "equal",
    "exp",
    "expand",
    "flatten",
    "flip",
    "floor",
    "floor_divide",
    "ge",
    "gt",
    "index",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "linear",
    "log",
    "log1p",
    "logsumexp",
    "lt",
    "masked_fill",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mm",
    "mul",
    "ne",
    "neg",
    "norm",
    "pad",
    "permute",
    "pow",
    "prod",
    "reciprocal",
    "remainder",
    "repeat",
    "reshape",
    "round",
    "sign",
    "sin",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "sub",
    "sum",
    "t",
    "topk",
    "transpose",
    "unbind",
    "unflatten",
    "unsqueeze",
    "var",
    "where",
]
