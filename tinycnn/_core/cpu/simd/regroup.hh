// N vectors of pixels' numbers, from channel by channel to pixel by pixel and back, N channels:
//
//     in    | a0 a1 a2 a3 ..   |   one vector for each channel
//           | b0 b1 b2 b3 ..   |
//           | c0 c1 c2 c3 ..   |
//     out   | a0 b0 c0 a1 b1 ..|   as many vectors, in the order of memory
//
// Each vector of the result takes a permutation of two vectors for every two channels, and a blend
// for all but the first: with N = 6, 18 permutations and 12 blends for 6 vectors.
#pragma once
#include "vec.hh"

namespace TCN_ISA {

// Number n of all results is number `source(n)` of all inputs, counted through the vectors.
template <int N, int L>
struct ToPixels {
  static constexpr int source(int n) { return n % N * L + n / N; }
};
template <int N, int L>
struct ToChannels {
  static constexpr int source(int n) { return n % L * N + n / L; }
};

#ifdef TCN_SHUFFLES

// Vector V of the result, what comes from inputs FROM and FROM + 1; then from those behind them.
template <class Map, int N, int L, int V, int FROM, class X, int... LANE>
TCN_INLINE void merge(const X (&in)[N], X& out, std::integer_sequence<int, LANE...> lanes) {
  if constexpr (FROM < N) {
    constexpr int SECOND = FROM + 1 < N ? FROM + 1 : FROM;
    const X two = __builtin_shufflevector(in[FROM], in[SECOND],
                                          (Map::source(V * L + LANE) / L == SECOND
                                               ? L * (SECOND - FROM) + Map::source(V * L + LANE) % L
                                               : Map::source(V * L + LANE) % L)...);
    if constexpr (FROM == 0)
      out = two;
    else
      out = __builtin_shufflevector(out, two,
                                    (Map::source(V * L + LANE) / L < FROM ? LANE : L + LANE)...);
    merge<Map, N, L, V, FROM + 2>(in, out, lanes);
  }
}

template <class Map, int N, int L, class X, int... V>
TCN_INLINE void merge_all(const X (&in)[N], X (&out)[N], std::integer_sequence<int, V...>) {
  (merge<Map, N, L, V, 0>(in, out[V], std::make_integer_sequence<int, L>()), ...);
}

template <class Map, class T, int N>
TCN_INLINE void regroup(const Vec<T> (&in)[N], Vec<T> (&out)[N]) {
  merge_all<Map, N, LANES<T>>(in, out, std::make_integer_sequence<int, N>());
}

#else

template <class Map, class T, int N>
TCN_INLINE void regroup(const Vec<T> (&in)[N], Vec<T> (&out)[N]) {
  T from[N * LANES<T>], to[N * LANES<T>];
  for (int i = 0; i < N; ++i) store(from + i * LANES<T>, in[i]);
  for (int n = 0; n < N * LANES<T>; ++n) to[n] = from[Map::source(n)];
  for (int i = 0; i < N; ++i) out[i] = load(to + i * LANES<T>);
}

#endif

}  // namespace TCN_ISA
