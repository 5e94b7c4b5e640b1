"""Random numbers from counters, and dropout. Mirrors reference/random.py, bit by bit.

A thread makes the words of one block of the generator, and the elements that they are for: 4, or 2
float64 numbers. Blocks are counted from the start of the stream, so that the first and the last
thread may have fewer.

The seed and a shift of the offset lie in device memory, [seed, shift]: a captured step is replayed
with other random numbers by overwriting them.
"""

from __future__ import annotations

import math

import numpy

from .kept import Kept, aligned, upload
from .kernel import FLOATS, kernel
from .primitives import Ptr, T, device, int32, int64, load, store, thread_of_grid, uint64

MASK = 0xFFFFFFFF
LEFT, RIGHT = 0xD2511F53, 0xCD9E8D57  # multipliers
WEYL0, WEYL1 = 0x9E3779B9, 0xBB67AE85  # what the key grows by each round

override = None  # while a step is captured, the [seed, shift] that its kernels are to read
_words = Kept(16)


def stream_words(seed):
    """[seed, 0] on the device, or what a capture has put in its place."""
    if override is not None:
        return override
    return _words.get(seed, lambda: upload(numpy.array([seed, 0], numpy.uint64)))


@device
def philox(block, stream, seed):
    """The four words of a block, as uint64 below 2^32."""
    low = uint64(MASK)
    a, b = block & low, block >> uint64(32)
    c, d = uint64(stream), uint64(0)
    key0, key1 = seed & low, seed >> uint64(32)
    for _ in range(10):
        left, right = uint64(LEFT) * a, uint64(RIGHT) * c
        a, b, c, d = ((right >> uint64(32)) ^ b ^ key0, right & low,
                      (left >> uint64(32)) ^ d ^ key1, left & low)
        key0 = (key0 + uint64(WEYL0)) & low
        key1 = (key1 + uint64(WEYL1)) & low
    return a, b, c, d


@kernel(variants=FLOATS[:1])
def uniform_kernel(out: Ptr[T], words: Ptr[uint64], offset: uint64, n: int64, aligned: int32):
    """float32: the top 24 bits of a word."""
    place = uint64(offset + words[1])
    thread = thread_of_grid()
    i = int64(4) * thread - int64(place & uint64(3))
    if i < n:
        a, b, c, d = philox(uint64((place >> uint64(2)) + uint64(thread)), 0, words[0])
        v = upper_bits(a), upper_bits(b), upper_bits(c), upper_bits(d)
        if aligned and i >= 0 and i + 4 <= n and i % 4 == 0:
            store(out, i, v)
        else:
            put(out, i, n, v[0])
            put(out, i + 1, n, v[1])
            put(out, i + 2, n, v[2])
            put(out, i + 3, n, v[3])


@device
def upper_bits(word):
    return T(int32(word >> uint64(8))) * T(2.0**-24)


@kernel(variants=FLOATS[1:])
def uniform64_kernel(out: Ptr[T], words: Ptr[uint64], offset: uint64, n: int64, aligned: int32):
    """float64: 53 bits of two words, from a stream of their own."""
    place = uint64(offset + words[1])
    thread = thread_of_grid()
    i = int64(2) * thread - int64(place & uint64(1))
    if i < n:
        a, b, c, d = philox(uint64((place >> uint64(1)) + uint64(thread)), 1, words[0])
        if aligned and i >= 0 and i + 2 <= n and i % 2 == 0:
            store(out, i, (bits_53(a, b), bits_53(c, d)))
        else:
            put(out, i, n, bits_53(a, b))
            put(out, i + 1, n, bits_53(c, d))


@device
def bits_53(high, low):
    bits = ((high >> uint64(5)) << uint64(26)) + (low >> uint64(6))
    return T(int64(bits)) * T(2.0**-53)


@device
def put(x, i, n, value):
    if 0 <= i < n:
        x[i] = value


def random_uniform(out, seed, offset):
    single = out.dtype == numpy.float32
    chosen, each = (uniform_kernel, 4) if single else (uniform64_kernel, 2)
    if out.size:
        threads = out.size // each + 2  # parts of a block at both ends
        chosen.launch(chosen.blocks(threads), (out, stream_words(seed), offset, out.size,
                                               aligned(out)), T=out.dtype)


@kernel()
def dropout_kernel(
    x: Ptr[T], y: Ptr[T], limit: int64, scale: T, words: Ptr[uint64], offset: uint64, n: int64,
    aligned: int32,
):
    """Words of at least `limit` are kept."""
    place = uint64(offset + words[1])
    thread = thread_of_grid()
    i = int64(4) * thread - int64(place & uint64(3))
    if i < n:
        a, b, c, d = philox(uint64((place >> uint64(2)) + uint64(thread)), 0, words[0])
        p, q = factor(a, limit, scale), factor(b, limit, scale)
        r, s = factor(c, limit, scale), factor(d, limit, scale)
        if aligned and i >= 0 and i + 4 <= n and i % 4 == 0:
            v = load(x, i, 4)
            store(y, i, (v[0] * p, v[1] * q, v[2] * r, v[3] * s))
        else:
            scaled(x, y, i, n, p)
            scaled(x, y, i + 1, n, q)
            scaled(x, y, i + 2, n, r)
            scaled(x, y, i + 3, n, s)


@device
def scaled(x, y, i, n, factor):
    if 0 <= i < n:
        y[i] = x[i] * factor


@device
def factor(word, limit, scale):
    return scale if int64(word) >= limit else T(0)


def dropout(x, y, p, seed, offset):
    if x.size:
        limit, scale = math.ceil(p * 2.0**32), 1 / (1 - p) if p < 1 else 0
        dropout_kernel.launch(
            dropout_kernel.blocks(x.size // 4 + 2),
            (x, y, limit, scale, stream_words(seed), offset, x.size, aligned(x, y)), T=x.dtype)
