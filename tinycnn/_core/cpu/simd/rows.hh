// Rows of class scores, read in vectors.
//
// The lanes of the last vector that lie beyond the row hold `fill`, a number chosen so that they
// change no result. Where the array goes on behind the row, the vector is loaded whole, which is
// faster than gathering a few numbers, and the foreign lanes are replaced.
#pragma once
#include "vec.hh"

namespace TCN_ISA {

template <class T>
TCN_INLINE Vec<T> lane_numbers() {
  T lane[LANES<T>];
  for (int i = 0; i < LANES<T>; ++i) lane[i] = T(i);
  return load(lane);
}

// The first n lanes of v, `fill` in the others.
template <class T>
TCN_INLINE Vec<T> first(const Vec<T>& v, int n, T fill) {
  return select(lane_numbers<T>() < broadcast(T(n)), v, broadcast(fill));
}

// Rows of C numbers in an array that ends at `end`.
template <class T>
struct Rows {
  const T *data, *end;
  int64_t C;

  Rows(const void* array, int64_t rows, int64_t classes)
      : data(static_cast<const T*>(array)), end(data + rows * classes), C(classes) {}

  // n numbers of row m from column c on.
  TCN_INLINE Vec<T> at(int64_t m, int64_t c, int n, T fill) const {
    const T* p = data + m * C + c;
    if (n == LANES<T>) return load(p);
    return first<T>(end - p >= LANES<T> ? load(p) : load_some(p, n), n, fill);
  }
};

template <class T>
TCN_INLINE Vec<T> take(const T* p, int n) {
  return n == LANES<T> ? load(p) : load_some(p, n);
}

template <class T>
TCN_INLINE void put(T* p, const Vec<T>& v, int n) {
  if (n == LANES<T>)
    store(p, v);
  else
    store_some(p, v, n);
}

// f(c, n) for n columns from c on, a vector at a time.
template <class T, class F>
TCN_INLINE void over_columns(int64_t C, F f) {
  int64_t c = 0;
  for (; c + LANES<T> <= C; c += LANES<T>) f(c, LANES<T>);
  if (c < C) f(c, int(C - c));
}

template <class T>
TCN_INLINE Vec<T> fold_max(const Vec<T>& v) {
  return fold<T>(v, [](const Vec<T>& a, const Vec<T>& b) { return vmax(a, b); });
}

// Eight sums side by side, in double: one fixed order, and little rounding.
template <class T>
double sum_numbers(const void* numbers, int64_t count) {
  const T* p = static_cast<const T*>(numbers);
  double sum[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int j = 0; j < 8; ++j) sum[j] += double(p[i + j]);
  for (; i < count; ++i) sum[0] += double(p[i]);
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

}  // namespace TCN_ISA
