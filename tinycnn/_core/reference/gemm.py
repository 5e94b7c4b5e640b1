"""Matrix products."""

import numpy


def matmul(a, b, bias, out):
    """out = a @ b + bias.

    a (M, K) or (B, M, K)  IN   one unit stride among the last two axes
    b (K, N) or (B, K, N)  IN   likewise
    bias (N,) or None      IN
    out (M, N) or (B, M, N) OUT
    """
    numpy.matmul(a, b, out=out)
    if bias is not None:
        out += bias
