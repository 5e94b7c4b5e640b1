"""Random numbers that are a function of (seed, position): Philox 4x32-10.

A block of four 32-bit words is a keyed scramble of its own number, so any part of the sequence can
be computed by itself, in any order, by any number of threads, on any device, with equal bits.

    key = (seed low, seed high)      counter = (block low, block high, stream, 0)

Stream 0 is words: position n is word n mod 4 of block n div 4. Stream 1 is for float64 numbers,
two words each: position n is words 2n and 2n + 1 in the same sense. `offset` is the position of the
first element; an array is filled in the order of its memory.

Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import numpy

_MULTIPLIER = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)  # golden ratio, sqrt(3) - 1: what the key grows by each round
_LOW = numpy.uint64(0xFFFFFFFF)
_32 = numpy.uint64(32)


def philox(counter, key, rounds=10):
    """The four words of a block.

    counter  IN  four uint64 arrays or numbers below 2^32
    key      IN  two numbers below 2^32
    returns      four uint64 arrays of values below 2^32
    """
    a, b, c, d = [numpy.asarray(word, numpy.uint64) for word in counter]
    for r in range(rounds):
        k0, k1 = [numpy.uint64((k + r * w) & 0xFFFFFFFF) for k, w in zip(key, _WEYL)]
        left, right = numpy.uint64(_MULTIPLIER[0]) * a, numpy.uint64(_MULTIPLIER[1]) * c
        a, b, c, d = (right >> _32) ^ b ^ k0, right & _LOW, (left >> _32) ^ d ^ k1, left & _LOW
    return a, b, c, d


def random_words(count, seed, offset, stream=0):
    """`count` words from position `offset` on, uint32."""
    blocks = numpy.arange((offset % 4 + count + 3) // 4, dtype=numpy.uint64)
    blocks += numpy.uint64(offset // 4)
    counter = blocks & _LOW, blocks >> _32, numpy.uint64(stream), numpy.uint64(0)
    words = philox(counter, (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF))
    words = numpy.stack(words, axis=-1).astype(numpy.uint32).reshape(-1)
    return words[offset % 4 : offset % 4 + count]


def random_uniform(out, seed, offset):
    """Uniform numbers in [0, 1): the top 24 bits of a word, or 53 bits of two words.

    out   OUT  dense, float32 or float64
    seed  IN   0 to 2^64 - 1
    """
    if out.dtype == numpy.float32:
        flat(out)[:] = (random_words(out.size, seed, offset) >> numpy.uint32(8)) * 2.0**-24
    else:
        pairs = random_words(2 * out.size, seed, 2 * offset, stream=1).astype(numpy.uint64)
        high, low = pairs[0::2] >> numpy.uint64(5), pairs[1::2] >> numpy.uint64(6)
        flat(out)[:] = ((high << numpy.uint64(26)) + low) * 2.0**-53


@numpy.errstate(all="ignore")
def dropout(x, y, p, seed, offset):
    """y = x / (1 - p) where word / 2^32 >= p, else 0 * x. The gradient is the same call.

    x, y  IN, OUT  dense, of one layout; the mask is the same for both dtypes
    p     IN       0 to 1; at 1 nothing is kept
    """
    kept = random_words(x.size, seed, offset) >= p * 2.0**32
    scale = x.dtype.type(1 / (1 - p) if p < 1 else 0)
    flat(y)[:] = flat(x) * numpy.where(kept, scale, x.dtype.type(0))


def flat(x):
    """The memory of a dense array, as a view with one axis."""
    axes = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    return x.transpose(axes).reshape(-1)
