// Matrix product by the micro-kernel of tile.hh, for A and B as they lie or transposed.
//
//                     B (K, N), in panels of NR columns
//                     | 0 | 1 | 2 | .. |
//     A (M, K)  rows  +---+---+---+----+
//     0 .. 55         | task          |      a task: one block of rows, one panel
//     56 ..           |   |   |   |   |
//
// B is packed into panels [K][NR], unless few rows of A would use them: then panels are read where
// they lie. A few rows times a transposed B (a linear layer on a small batch) are dot products.
#pragma once
#include "gemm_api.hh"
#include "tile.hh"
#include "transpose.hh"

namespace TCN_ISA {

constexpr int64_t BLOCK_ROWS = 4 * MR;
constexpr int64_t DOT_ROWS = 3;

TCN_INLINE bool by_dots(const Gemm& g) {
  return g.m <= DOT_ROWS && g.a_k == 1 && g.b_k == 1 && g.b_n != 1;
}

template <class T>
int64_t panels(const Gemm* g) {
  return (g->n + NR<T> - 1) / NR<T>;
}

// Whole panels of a B whose rows are contiguous are read in place if they serve one block of rows.
template <class T>
int64_t first_packed(const Gemm* g) {
  if (by_dots(*g)) return panels<T>(g);
  return g->b_n == 1 && g->m <= BLOCK_ROWS ? g->n / NR<T> : 0;
}

template <class T>
int64_t packed_size(const Gemm* g) {
  return panels<T>(g) * g->k * NR<T>;
}

template <class T>
void pack(const Gemm* gemm, int64_t panel, const void* b_, void* packed) {
  const Gemm& g = *gemm;
  const int64_t first = panel * NR<T>;
  const int width = panel_width<T>(g.n - first);
  const int64_t columns = g.n - first < width ? g.n - first : width;
  const T* b = static_cast<const T*>(b_) + first * g.b_n;
  T* to = static_cast<T*>(packed) + panel * g.k * NR<T>;
  if (g.b_k == 1 && g.k > 1)
    return pack_columns(b, columns, g.b_n, g.k, width, Places{g.k, width, 0}, to);
  for (int64_t k = 0; k < g.k; ++k, b += g.b_k, to += width) {
    if (g.b_n == 1) {
      for (int64_t j = 0; j < columns; ++j) to[j] = b[j];
    } else {
      for (int64_t j = 0; j < columns; ++j) to[j] = b[j * g.b_n];
    }
    for (int64_t j = columns; j < width; ++j) to[j] = T(0);
  }
}

template <class T>
int64_t tasks(const Gemm* g) {
  return (g->m + BLOCK_ROWS - 1) / BLOCK_ROWS * panels<T>(g);
}

// Rows of A a multiple of 1 KB apart fall into the same few sets of the first cache: copied apart.
template <class T>
TCN_INLINE bool copies_rows(const Gemm& g) {
  return g.a_k == 1 && g.m > 4 && g.k > LANES<T> && g.a_row * int64_t(sizeof(T)) % 1024 == 0;
}

template <class T>
int64_t task_scratch(const Gemm* g) {
  return copies_rows<T>(*g) ? BLOCK_ROWS * (g->k + LANES<T>) : 1;
}

// One row of A times J columns of B, all contiguous along k. Each dot product is two sums of
// vectors, added at the end; the columns share the loads of A, and do not wait for each other.
template <class T, int J>
TCN_INLINE void dot(const T* a, const T* b, int64_t b_n, int64_t depth, const T* bias, T* c) {
  const int L = LANES<T>, rest = int(depth % L);
  const int64_t whole = depth - rest;
  Vec<T> even[J] = {}, odd[J] = {};
  int64_t k = 0;
  for (; k + 2 * L <= whole; k += 2 * L) TCN_UNROLL for (int j = 0; j < J; ++j) {
      even[j] += load(a + k) * load(b + j * b_n + k);
      odd[j] += load(a + k + L) * load(b + j * b_n + k + L);
    }
  if (k < whole)
    TCN_UNROLL for (int j = 0; j < J; ++j) even[j] += load(a + k) * load(b + j * b_n + k);
  if (rest)
    TCN_UNROLL for (int j = 0; j < J; ++j) odd[j] +=
        load_some(a + whole, rest) * load_some(b + j * b_n + whole, rest);
  TCN_UNROLL for (int j = 0; j < J; ++j) c[j] =
      sum_lanes<T>(even[j] + odd[j]) + (bias ? bias[j] : T(0));
}

// Dot products of all rows of A with the columns [first, last) of B: for every number of threads
// each is made in one order.
template <class T>
void dots(const Gemm& g, int64_t first, int64_t last, const T* a, const T* b, const T* bias, T* c) {
  for (int64_t i = 0; i < g.m; ++i) {
    int64_t j = first;
    const auto next = [&](auto columns) {
      dot<T, columns>(a + i * g.a_row, b + j * g.b_n, g.b_n, g.k, bias ? bias + j : bias,
                      c + i * g.n + j);
      j += columns;
    };
    while (j + 4 <= last) next(std::integral_constant<int, 4>());
    while (j < last) next(std::integral_constant<int, 1>());
  }
}

template <class T>
void multiply_task(const Gemm* gemm, int64_t task, const void* a_, const void* b_,
                   const void* packed, const void* bias_, void* c_, void* scratch) {
  const Gemm& g = *gemm;
  const int64_t in_row = panels<T>(gemm), panel = task % in_row, from = task / in_row * BLOCK_ROWS;
  const int64_t first = panel * NR<T>, rows = g.m - from < BLOCK_ROWS ? g.m - from : BLOCK_ROWS;
  const int columns = int(g.n - first < NR<T> ? g.n - first : NR<T>);
  const T *a = static_cast<const T*>(a_) + from * g.a_row, *b = static_cast<const T*>(b_);
  const T* bias = static_cast<const T*>(bias_);
  if (by_dots(g)) return dots(g, first, first + columns, a, b, bias, static_cast<T*>(c_));
  Tile<T> t{g.k,
            a,
            g.a_k == 1 ? g.a_row : g.a_k,
            static_cast<const T*>(packed) + panel * g.k * NR<T>,
            panel_width<T>(g.n - first),
            nullptr,
            false,
            static_cast<T*>(c_) + from * g.n + first,
            g.n,
            columns};
  if (panel < first_packed<T>(gemm)) {
    t.b = b + first;
    t.ldb = g.b_k;
  }
  T padded_bias[NR<T>] = {};
  if (bias) {
    for (int j = 0; j < columns; ++j) padded_bias[j] = bias[first + j];
    t.bias = padded_bias;
  }
  if (copies_rows<T>(g)) {
    t.lda = g.k + LANES<T>;
    t.a = static_cast<T*>(scratch);
    for (int64_t i = 0; i < rows; ++i)
      std::memcpy(static_cast<T*>(scratch) + i * t.lda, a + i * g.a_row, g.k * sizeof(T));
  }
  if (g.a_k == 1)
    multiply_rows<T, true>(rows, t);
  else
    multiply_rows<T, false>(rows, t);
}

}  // namespace TCN_ISA
