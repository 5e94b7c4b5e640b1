// Rows of numbers turned into columns: how weights [written channel][k] become a panel
// [k][channel].
//
//     from  row 0    | 0 1 2 3 ..        to   k = 0 | row 0 | row 1 | .. |  0 (beyond the last row)
//           row 1    | 0 1 2 3 ..             k = 1 | row 0 | row 1 | .. |  0
//
// A square of as many vectors as a vector has lanes is turned in registers: log2(lanes) rounds,
// each of which exchanges the off-diagonal halves of ever smaller squares. 16 x 16 numbers take 16
// loads, 64 shuffles and 16 stores; one by one they would take 256 of each.
#pragma once
#include "vec.hh"

namespace TCN_ISA {

#ifdef TCN_SHUFFLES
template <int HALF, class V, int... LANE>
TCN_INLINE void exchange_halves(V& a, V& b, std::integer_sequence<int, LANE...>) {
  constexpr int L = sizeof...(LANE);
  const V upper = __builtin_shufflevector(a, b, (LANE & HALF ? L + (LANE ^ HALF) : LANE)...);
  b = __builtin_shufflevector(a, b, (LANE & HALF ? L + LANE : LANE ^ HALF)...);
  a = upper;
}

template <class T, int HALF = LANES<T> / 2>
TCN_INLINE void transpose(Vec<T> (&v)[LANES<T>]) {
  if constexpr (HALF > 0) {
    TCN_UNROLL for (int i = 0; i < LANES<T>; ++i) if (!(i & HALF))
        exchange_halves<HALF>(v[i], v[i | HALF], std::make_integer_sequence<int, LANES<T>>());
    transpose<T, HALF / 2>(v);
  }
}
#else
template <class T>
TCN_INLINE void transpose(Vec<T> (&v)[LANES<T>]) {
  for (int i = 0; i < LANES<T>; ++i)
    for (int j = 0; j < i; ++j) {
      const T upper = v[j][i];
      v[j][i] = v[i][j];
      v[i][j] = upper;
    }
}
#endif

// Where the numbers of column k go: k counts runs of `run`, whose members lie `step` apart; the
// runs begin `run_step` apart.
struct Places {
  int64_t run, step, run_step;
};

// `rows` rows of `depth` numbers, `stride` apart, to columns of `width` numbers (whole vectors),
// those beyond the last row 0.
template <class T>
void pack_columns(const T* from, int64_t rows, int64_t stride, int64_t depth, int width,
                  const Places& places, T* to) {
  constexpr int L = LANES<T>;
  int64_t run = 0, in_run = 0;
  for (int64_t k = 0; k < depth; k += L) {
    const int some = depth - k < L ? int(depth - k) : L;
    T* column[L];
    for (int i = 0; i < some; ++i) {
      column[i] = to + in_run * places.step + run * places.run_step;
      if (++in_run == places.run) in_run = 0, ++run;
    }
    for (int first = 0; first < width; first += L) {
      Vec<T> v[L];
      TCN_UNROLL for (int i = 0; i < L; ++i) {
        const T* row = from + (first + i) * stride + k;
        v[i] = first + i >= rows ? Vec<T>{} : some == L ? load(row) : load_some(row, some);
      }
      transpose<T>(v);
      for (int i = 0; i < some; ++i) store(column[i] + first, v[i]);
    }
  }
}

}  // namespace TCN_ISA
