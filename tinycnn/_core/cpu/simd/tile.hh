// The micro-kernel: one tile of a matrix product, held in registers. Every matrix product runs
// through here, and so every convolution but those of narrow groups (grouped.hh).
//
//                    B  [K][NV vectors]
//                    k: |== b0 ==|== b1 ==|          NV vector loads
//
//     A [MR][K]      C: |  c00   |  c01   |
//     a[0][k] ----->    |  c10   |  c11   |          MR * NV multiply-adds,
//     ...               |  ...   |  ...   |          each with a broadcast of a[i][k]
//     a[MR-1][k] -->    |        |        |
//
// One step of k costs NV vector loads, MR broadcasts and MR * NV multiply-adds. With AVX-512 (32
// registers) 14 x 2 keeps 28 sums, 2 vectors of B and a broadcast in registers: 28 multiply-adds
// for 16 loads, and two of each run in a cycle. Every sum of rows adds its products in the order of
// k, whatever the tile's size: results do not depend on how a matrix is cut into tiles.
//
// A is read in one of two ways: ROWS, a[i * lda + k] (a row of A is contiguous), or columns,
// a[k * lda + i], which is the transpose of A where it lies and what the weight gradient needs.
// A multiply-add takes four cycles, so fewer than eight sums would wait for each other: a low tile
// of columns, whose K is long, keeps two sums for each place, of even and of odd k.
// Either way K may fall into segments of A, so that A can be a piece of an image: the rows of a
// window (forward), or rows of pixels (weight gradient).
//
// Two things come from memory, not from a cache: what C covers, and what the next product reads. A
// tile asks for its part of C before it multiplies, and for a little of the latter (Ahead) with
// every step of k, so that both are there when they are wanted.
#pragma once
#include "vec.hh"

namespace TCN_ISA {

#if TCN_VECTOR_BYTES == 64
constexpr int MR = 14;
#elif defined(__aarch64__)
constexpr int MR = 12;
#else
constexpr int MR = 6;
#endif

// Columns of C in a tile of two vectors, and of one.
template <class T>
constexpr int NR = 2 * LANES<T>;

// Memory that is needed after a product, wherever it lies: asking for it is never wrong.
struct Ahead {
  const char* at = nullptr;
  int64_t bytes = 0;
  int64_t step = 0;  // bytes of a step of k

  // Part i of n.
  TCN_INLINE Ahead part(int64_t i, int64_t n) const { return Ahead{at + bytes / n * i, bytes / n}; }
  // Cut into so many steps.
  TCN_INLINE void cut(int64_t steps) {
    step = bytes > 0 && steps > 0 ? (bytes - 1) / steps + 1 : 0;
    if (step == 0) at = nullptr;
  }
};

template <class T>
struct Tile {
  int64_t depth;  // K, or its part in one segment
  const T* a;
  int64_t lda;
  const T* b;  // B[k] at b + k * ldb, readable for whole vectors
  int64_t ldb;
  const T* bias;  // null, or readable for whole vectors: what the sums start from
  bool add;       // add to what C holds
  T* c;
  int64_t ldc;
  int columns;  // of C; the last vector may be cut
  int64_t segments = 1;
  int64_t a_segment = 0;  // from the start of one segment of A to the next
  bool relu = false;      // store 0 for negative sums
  // Asked for by the whole product, of what A and B come from; ROWS have the first only.
  Ahead ahead[2] = {};
};

// Rows of A are addressed from two pointers, the upper one at row HALF: the distances from one
// pointer to M rows would take more registers than there are.
template <int M>
constexpr int HALF = (M + 1) / 2;

// One step of k: NV vectors of B, and a broadcast of A for each row.
template <class T, int M, int NV, bool ROWS>
TCN_INLINE void multiply_step(const T* a, const T* upper, int64_t lda, const T* b,
                              Vec<T> (&sum)[M][NV]) {
  Vec<T> row[NV];
  TCN_UNROLL for (int j = 0; j < NV; ++j) row[j] = load(b + j * LANES<T>);
  TCN_UNROLL for (int i = 0; i < M; ++i) {
    const T* from = i < HALF<M> ? a : upper;
    const int r = i < HALF<M> ? i : i - HALF<M>;
    const Vec<T> x = broadcast(ROWS ? from[r * lda] : from[r]);
    TCN_UNROLL for (int j = 0; j < NV; ++j) sum[i][j] += x * row[j];
  }
}

// Calls f(row, vector) for every place of a tile.
template <int M, int NV, class F>
TCN_INLINE void each_place(F f) {
  TCN_UNROLL for (int i = 0; i < M; ++i) TCN_UNROLL for (int j = 0; j < NV; ++j) f(i, j);
}

template <class T, int M, int NV, bool ROWS>
void multiply(const Tile<T>& t) {
  constexpr int L = LANES<T>;
  constexpr bool SPLIT = !ROWS && M * NV < 8;
  constexpr bool FETCHES = M * NV > MR;       // lower tiles have no time for it
  const int rest = t.columns - (NV - 1) * L;  // lanes of the last vector
  const bool whole = rest == L;
  Vec<T> sum[M][NV];
  // What is asked once for a tile is not asked for each of its rows: K may be short.
  if (t.add && whole) {
    each_place<M, NV>([&](int i, int j) { sum[i][j] = load(t.c + i * t.ldc + j * L); });
  } else if (t.add) {
    each_place<M, NV>([&](int i, int j) {
      const T* c = t.c + i * t.ldc + j * L;
      sum[i][j] = j < NV - 1 ? load(c) : load_some(c, rest);
    });
  } else {
    each_place<M, NV>([&](int i, int j) {
      if (FETCHES) prefetch_to_write(t.c + i * t.ldc + j * L);
      sum[i][j] = t.bias ? load(t.bias + j * L) : Vec<T>{};
    });
  }
  [[maybe_unused]] Vec<T> odd[M][NV] = {};
  const T* b = t.b;
  const int64_t lda = t.lda, ldb = t.ldb, step = ROWS ? 1 : lda;
  const auto* at_hand = reinterpret_cast<const char*>(b);  // asked for if there is nothing else
  const char* ahead0 = t.ahead[0].at ? t.ahead[0].at : at_hand;
  [[maybe_unused]] const char* ahead1 = t.ahead[1].at ? t.ahead[1].at : at_hand;
  for (int64_t segment = 0; segment < t.segments; ++segment) {
    const T* a = t.a + segment * t.a_segment;
    const T* upper = a + HALF<M> * (ROWS ? lda : 1);
    if (ROWS) TCN_FORGET(upper);
    int64_t k = t.depth;
    if constexpr (SPLIT)
      for (; k > 1; k -= 2, a += 2 * step, upper += 2 * step, b += 2 * ldb) {
        multiply_step<T, M, NV, ROWS>(a, upper, lda, b, sum);
        multiply_step<T, M, NV, ROWS>(a + step, upper + step, lda, b + ldb, odd);
      }
    for (; k > 0; --k, a += step, upper += step, b += ldb) {
      if (FETCHES) {
        prefetch(ahead0), ahead0 += t.ahead[0].step;
        if (!ROWS) prefetch(ahead1), ahead1 += t.ahead[1].step;
      }
      multiply_step<T, M, NV, ROWS>(a, upper, lda, b, sum);
    }
  }
  if constexpr (SPLIT) each_place<M, NV>([&](int i, int j) { sum[i][j] += odd[i][j]; });
  if (t.relu) each_place<M, NV>([&](int i, int j) { sum[i][j] = rectified(sum[i][j]); });
  if (whole)
    each_place<M, NV>([&](int i, int j) { store(t.c + i * t.ldc + j * L, sum[i][j]); });
  else
    each_place<M, NV>([&](int i, int j) {
      T* c = t.c + i * t.ldc + j * L;
      if (j < NV - 1)
        store(c, sum[i][j]);
      else
        store_some(c, sum[i][j], rest);
    });
}

// The tile of `height` rows, at most MR: picks the function that was compiled for this height.
template <class T, int NV, bool ROWS, int M = MR>
TCN_INLINE void multiply_height(int height, const Tile<T>& t) {
  if constexpr (M > 0) {
    if (height == M) return multiply<T, M, NV, ROWS>(t);
    multiply_height<T, NV, ROWS, M - 1>(height, t);
  }
}

template <class T, bool ROWS>
TCN_INLINE void multiply_tile(int height, const Tile<T>& t) {
  if (t.columns > LANES<T>)
    multiply_height<T, 2, ROWS>(height, t);
  else
    multiply_height<T, 1, ROWS>(height, t);
}

template <class T, bool ROWS>
void multiply_tiles(int64_t rows, Tile<T> t) {
  int64_t tiles = (rows + MR - 1) / MR;
  const int64_t steps = t.depth * t.segments;
  for (Ahead& ahead : t.ahead) ahead.cut(tiles * steps);
  for (; tiles > 0; --tiles) {
    const int height = int((rows + tiles - 1) / tiles);
    multiply_tile<T, ROWS>(height, t);
    t.a += ROWS ? height * t.lda : height;
    t.c += height * t.ldc;
    for (Ahead& ahead : t.ahead) ahead.at += steps * ahead.step;
    rows -= height;
  }
}

// Any number of rows of C, at most NR columns: the rows are cut into tiles of about the same
// height, since a tile of one or two rows waits for its own sums. One tile needs no preparation.
template <class T, bool ROWS>
TCN_INLINE void multiply_rows(int64_t rows, const Tile<T>& t) {
  TCN_ASSERT(t.columns > 0 && t.columns <= NR<T>);
  if (rows > MR || t.ahead[0].bytes > 0 || t.ahead[1].bytes > 0)
    multiply_tiles<T, ROWS>(rows, t);
  else if (rows > 0)
    multiply_tile<T, ROWS>(int(rows), t);
}

// Panels: B cut into strips of NR columns (the last may be one vector wide), each [K][width].
template <class T>
TCN_INLINE int panel_width(int64_t columns_left) {
  return columns_left > LANES<T> ? NR<T> : LANES<T>;
}

}  // namespace TCN_ISA
