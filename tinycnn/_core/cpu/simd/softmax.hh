// Softmax and its logarithm, row by row: exp(x - largest) / sum. Formulas as in reference/loss.py.
#pragma once
#include <limits>

#include "exp.hh"
#include "rows.hh"

namespace TCN_ISA {

// A row's largest score and the sum of exp(x - largest), which is also kept in y, unless y is null.
// NaN anywhere makes the sum NaN.
template <class T>
struct RowSum {
  Vec<T> largest, sum;  // in every lane

  TCN_INLINE RowSum(const Rows<T>& x, int64_t m, T* y = nullptr) {
    constexpr T LOWEST = -std::numeric_limits<T>::infinity();
    Vec<T> most = broadcast(LOWEST), total = broadcast(T(0));
    over_columns<T>(x.C, [&](int64_t c, int n) { most = vmax(x.at(m, c, n, LOWEST), most); });
    largest = fold_max<T>(most);
    over_columns<T>(x.C, [&](int64_t c, int n) {
      const Vec<T> e = vexp<T>(x.at(m, c, n, LOWEST) - largest);
      if (y) put<T>(y + c, e, n);
      total += n == LANES<T> ? e : first<T>(e, n, T(0));
    });
    sum = fold_sum<T>(total);
  }
};

constexpr int NARROW = 32;

// The statistics of n rows of at most NARROW scores, as many rows as a vector has lanes: rows are
// turned into columns, so that every lane works however narrow they are.
template <class T>
void narrow_statistics(const T* x, int64_t C, int n, T* statistics) {
  T column[NARROW][LANES<T>] = {};
  for (int lane = 0; lane < n; ++lane)
    for (int64_t c = 0; c < C; ++c) column[c][lane] = x[lane * C + c];
  Vec<T> largest = load(column[0]), sum = broadcast(T(0));
  for (int64_t c = 1; c < C; ++c) largest = vmax(load(column[c]), largest);
  for (int64_t c = 0; c < C; ++c) sum += vexp<T>(load(column[c]) - largest);
  T pair[2][LANES<T>];
  store(pair[0], largest);
  store(pair[1], vlog<T>(sum));
  for (int lane = 0; lane < n; ++lane)
    for (int i = 0; i < 2; ++i) statistics[2 * lane + i] = pair[i][lane];
}

// Statistics of rows from `from` on: largest score, log of the sum of exp(x - largest).
template <class T>
void row_statistics(const Rows<T>& x, T* statistics, int64_t from, int64_t count) {
  const int64_t to = from + count;
  if (x.C <= NARROW) {
    for (int64_t m = from; m < to; m += LANES<T>)
      narrow_statistics(x.data + m * x.C, x.C, int(to - m < LANES<T> ? to - m : LANES<T>),
                        statistics + 2 * m);
    return;
  }
  for (int64_t m = from; m < to; ++m) {
    const RowSum<T> row(x, m);
    statistics[2 * m] = row.largest[0];
    statistics[2 * m + 1] = std::log(row.sum[0]);
  }
}

template <class T>
void softmax(const void* in, void* out, int64_t C, int64_t from, int64_t count) {
  const Rows<T> x(in, from + count, C);
  for (int64_t m = from; m < from + count; ++m) {
    T* y = static_cast<T*>(out) + m * C;
    const RowSum<T> row(x, m, y);
    const Vec<T> share = broadcast(T(1)) / row.sum;
    const Rows<T> e(y, 1, C);
    over_columns<T>(C, [&](int64_t c, int n) { put<T>(y + c, e.at(0, c, n, 0) * share, n); });
  }
}

template <class T>
void log_softmax(const void* in, void* out, int64_t C, int64_t from, int64_t count) {
  const Rows<T> x(in, from + count, C);
  for (int64_t m = from; m < from + count; ++m) {
    const RowSum<T> row(x, m);
    T* y = static_cast<T*>(out) + m * C;
    const Vec<T> log_sum = broadcast(T(std::log(row.sum[0])));
    over_columns<T>(
        C, [&](int64_t c, int n) { put<T>(y + c, x.at(m, c, n, 0) - row.largest - log_sum, n); });
  }
}

template <class T>
void softmax_backward(const void* result, const void* grad, void* out, int64_t C, int64_t from,
                      int64_t count) {
  const Rows<T> y(result, from + count, C), g(grad, from + count, C);
  for (int64_t m = from; m < from + count; ++m) {
    Vec<T> dots = broadcast(T(0));
    over_columns<T>(C, [&](int64_t c, int n) { dots += y.at(m, c, n, 0) * g.at(m, c, n, 0); });
    const Vec<T> dot = fold_sum<T>(dots);
    T* grad_x = static_cast<T*>(out) + m * C;
    over_columns<T>(C, [&](int64_t c, int n) {
      put<T>(grad_x + c, y.at(m, c, n, 0) * (g.at(m, c, n, 0) - dot), n);
    });
  }
}

template <class T>
void log_softmax_backward(const void* result, const void* grad, void* out, int64_t C, int64_t from,
                          int64_t count) {
  const Rows<T> y(result, from + count, C), g(grad, from + count, C);
  for (int64_t m = from; m < from + count; ++m) {
    Vec<T> sums = broadcast(T(0));
    over_columns<T>(C, [&](int64_t c, int n) { sums += g.at(m, c, n, 0); });
    const Vec<T> sum = fold_sum<T>(sums);
    T* grad_x = static_cast<T*>(out) + m * C;
    over_columns<T>(C, [&](int64_t c, int n) {
      put<T>(grad_x + c, g.at(m, c, n, 0) - vexp<T>(y.at(m, c, n, 0)) * sum, n);
    });
  }
}

// A row's log softmax, from its scores and statistics, in vectors.
template <class T>
struct LogSoftmaxRow {
  const Rows<T>& x;
  int64_t m;
  T largest;
  Vec<T> shift, log_sum;

  TCN_INLINE LogSoftmaxRow(const Rows<T>& x, int64_t m, const T* statistics)
      : x(x),
        m(m),
        largest(statistics[0]),
        shift(broadcast(statistics[0])),
        log_sum(broadcast(statistics[1])) {}

  TCN_INLINE Vec<T> at(int64_t c, int n) const { return x.at(m, c, n, largest) - shift - log_sum; }
};

}  // namespace TCN_ISA
