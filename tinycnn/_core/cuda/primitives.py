"""What kernels are written with: each name means a GPU instruction, or its twin in the simulator.

    cuda.threadIdx, .blockIdx, .blockDim, .gridDim, .syncthreads(), .shared.array(size, T),
    .local.array(size, T)                 as in numba.cuda
    int32, int64, uint8, uint32, uint64, float32, float64   number types, and conversions to them
    erfc, exp, expm1, log, log1p, sqrt, tanh   of a T, in its precision
    load(x, i, COUNT)                     x[i], ..., x[i + COUNT - 1] as a tuple, up to 16 bytes in
                                          one instruction: i must be a multiple of that
    store(x, i, values)                   the same for writing
    full(COUNT, value)                    a tuple of COUNT times the same number: accumulators
    outer(sums, a, b)                     sums[m * len(b) + n] + a[m] * b[n], fused, as a tuple
    cut(values, COUNT)                    (the first COUNT values as a tuple, the next, ...)
    combine(function, (a, b), arguments)  (function(a[0], b[0], *arguments), ...) as a tuple
    numbers(COUNT)                        (0, 1, ..., COUNT - 1)
    each(function, values, arguments)     (function(value, *arguments) for each value) as a tuple
    numbered(values)                      ((0, values[0]), (1, values[1]), ...)
    fma(a, b, c)                          a * b + c, rounded once
    quotient(n, d)                        n // d of 32 bits, n >= 0: without the test for d = 0 that
                                          Numba makes
    divided(n, factor, shift)             n // d for 0 <= n < 2^31, (factor, shift) = divisor(d)
    warp_xor(value, mask)                 what the lane `lane ^ mask` of the warp handed over
    pointer_at(table, i, T)               table[i], an address, as a Ptr[T]
    atomic_add(x, i, value)               x[i] += value in one step, of integers; what x[i] was
    atomic_min(x, i, value)               x[i] = min(x[i], value), likewise

Integers in kernels: Numba computes in int64 whatever it is given, and makes float64 of an int64 and
a float32. Write T(0) and T(n) where a number meets a T, and int32(...) where registers count.
"""

from .mode import SIMULATED
from .template import Ptr as Ptr
from .template import T as T
from .template import device as device

if SIMULATED:
    from .twins import *  # noqa: F403
else:
    from .intrinsics import *  # noqa: F403


@device
def thread_of_grid():
    """The number of this thread in a grid of one axis."""
    return int64(cuda.blockIdx.x) * int64(cuda.blockDim.x) + int64(cuda.threadIdx.x)  # noqa: F405


@device
def warp_sum(value):
    """The sum over the 32 lanes of a warp, in every lane, always added in the same order."""
    value += warp_xor(value, 16)  # noqa: F405
    value += warp_xor(value, 8)  # noqa: F405
    value += warp_xor(value, 4)  # noqa: F405
    value += warp_xor(value, 2)  # noqa: F405
    value += warp_xor(value, 1)  # noqa: F405
    return value


@device
def divided(n, factor, shift):
    """n // d by one multiplication, with (factor, shift) = divisor(d)."""
    return int32((uint64(uint32(n)) * uint64(uint32(factor))) >> uint64(uint32(shift)))  # noqa: F405


def divisor(d):
    """(factor, shift) with n // d == n * factor >> shift for 0 <= n < 2^31, factor as an int32.

    Source: Granlund & Montgomery 1994, "Division by invariant integers using multiplication".
    """
    digits = (d - 1).bit_length()
    factor = -(-(1 << (31 + digits)) // d)
    return factor - (1 << 32) if factor >= 1 << 31 else factor, 31 + digits
