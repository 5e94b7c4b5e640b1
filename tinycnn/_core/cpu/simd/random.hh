// Philox 4x32-10, 64 blocks of four words at a time, as plain loops over blocks: multiplying 32-bit
// words to 64 bits has no name in the vector extensions, but the compiler finds the instructions,
// as long as it does not first unroll a loop of known length into single steps.
#pragma once
#include "random_api.hh"
#include "vec.hh"

namespace TCN_ISA {

#ifdef __GNUC__
#define TCN_KEEP_LOOP _Pragma("GCC unroll 1")
#else
#define TCN_KEEP_LOOP
#endif

constexpr int BLOCKS = 64, WORDS = 4 * BLOCKS;

enum Stream : uint32_t { WORD_STREAM = 0, DOUBLE_STREAM = 1 };

// The words of blocks block, block + 1, ..., in the order of their positions.
inline void philox(uint64_t seed, uint64_t block, Stream stream, uint32_t* words) {
  uint32_t a[BLOCKS], b[BLOCKS], c[BLOCKS], d[BLOCKS];
  TCN_KEEP_LOOP
  for (int i = 0; i < BLOCKS; ++i) {
    a[i] = uint32_t(block + i);
    b[i] = uint32_t((block + i) >> 32);
    c[i] = stream;
    d[i] = 0;
  }
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    TCN_KEEP_LOOP
    for (int i = 0; i < BLOCKS; ++i) {
      const uint64_t left = uint64_t(0xD2511F53u) * a[i], right = uint64_t(0xCD9E8D57u) * c[i];
      a[i] = uint32_t(right >> 32) ^ b[i] ^ key0;
      b[i] = uint32_t(right);
      c[i] = uint32_t(left >> 32) ^ d[i] ^ key1;
      d[i] = uint32_t(left);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  TCN_KEEP_LOOP
  for (int i = 0; i < BLOCKS; ++i) {
    words[4 * i] = a[i];
    words[4 * i + 1] = b[i];
    words[4 * i + 2] = c[i];
    words[4 * i + 3] = d[i];
  }
}

// Calls f(words, i, n) for stretches of n elements from element i on; an element takes PER words.
template <int PER, class F>
TCN_INLINE void with_words(uint64_t seed, uint64_t offset, Stream stream, int64_t count, F f) {
  constexpr int IN_BLOCK = 4 / PER, MOST = WORDS / PER;
  uint32_t words[WORDS];
  for (int64_t i = 0; i < count;) {
    const uint64_t position = offset + uint64_t(i);
    const int skip = int(position % IN_BLOCK);
    const int64_t n = count - i < MOST - skip ? count - i : MOST - skip;
    philox(seed, position / IN_BLOCK, stream, words);
    f(words + PER * skip, i, int(n));
    i += n;
  }
}

inline void uniform(uint64_t seed, uint64_t offset, float* out, int64_t count) {
  with_words<1>(seed, offset, WORD_STREAM, count, [=](const uint32_t* words, int64_t i, int n) {
    for (int j = 0; j < n; ++j) out[i + j] = float(int32_t(words[j] >> 8)) * 0x1p-24f;
  });
}

inline void uniform(uint64_t seed, uint64_t offset, double* out, int64_t count) {
  with_words<2>(seed, offset, DOUBLE_STREAM, count, [=](const uint32_t* words, int64_t i, int n) {
    for (int j = 0; j < n; ++j) {
      const int64_t high = words[2 * j] >> 5, low = words[2 * j + 1] >> 6;
      out[i + j] = double((high << 26) + low) * 0x1p-53;
    }
  });
}

template <class T>
void random_uniform(uint64_t seed, uint64_t offset, void* out, int64_t count) {
  uniform(seed, offset, static_cast<T*>(out), count);
}

template <class T>
void random_dropout(uint64_t seed, uint64_t offset, uint32_t threshold, double scale,
                    const void* input, void* output, int64_t count) {
  const T* x = static_cast<const T*>(input);
  T* y = static_cast<T*>(output);
  const T kept = T(scale), dropped = 0;
  with_words<1>(seed, offset, WORD_STREAM, count, [=](const uint32_t* words, int64_t i, int n) {
    for (int j = 0; j < n; ++j) y[i + j] = x[i + j] * (words[j] >= threshold ? kept : dropped);
  });
}

}  // namespace TCN_ISA
