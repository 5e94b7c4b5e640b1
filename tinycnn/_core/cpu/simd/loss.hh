// Softmax and class losses, row by row. Formulas as in reference/loss.py.
//
// A row is read in vectors; the lanes of the last one that lie beyond the row hold `fill`, a number
// chosen so that they change no result. Where the array goes on behind the row, the vector is
// loaded whole, which is faster than gathering a few numbers, and the foreign lanes are replaced.
#pragma once
#include <limits>

#include "exp.hh"
#include "loss_api.hh"

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

template <class T>
TCN_INLINE T weight_of(const void* weight, int64_t c) {
  return weight ? static_cast<const T*>(weight)[c] : T(1);
}

template <class T>
int64_t check_labels(const ClassLoss* s, double* total) {
  double sum = 0;
  for (int64_t m = 0; m < s->rows; ++m) {
    const int64_t label = s->target[m];
    if (label == s->ignore_index) continue;
    if (label < 0 || label >= s->classes) return m;
    sum += double(weight_of<T>(s->weight, label));
  }
  *total = sum;
  return -1;
}

template <class T>
void cross_entropy(const ClassLoss* s, const void* scores, void* out, void* stats, int64_t from,
                   int64_t count) {
  const int64_t C = s->classes;
  const Rows<T> x(scores, s->rows, C), w(s->weight, 1, C);
  const T sharp = T(1 - s->smoothing), spread = T(s->smoothing / double(C));
  row_statistics(x, static_cast<T*>(stats), from, count);
  for (int64_t m = from; m < from + count; ++m) {
    T* loss = static_cast<T*>(out) + m;
    const T* statistics = static_cast<T*>(stats) + 2 * m;
    const int64_t label = s->target[m];
    if (label == s->ignore_index) {
      *loss = 0;
      continue;
    }
    const T logp = x.data[m * C + label] - statistics[0] - statistics[1];
    *loss = -logp * weight_of<T>(s->weight, label) * sharp;
    if (s->smoothing != 0) {
      const LogSoftmaxRow<T> log_softmax(x, m, statistics);
      Vec<T> sum = broadcast(T(0));
      over_columns<T>(C, [&](int64_t c, int n) {
        const Vec<T> all = log_softmax.at(c, n);
        const Vec<T> weighted = s->weight ? all * w.at(0, c, n, 0) : all;
        sum += n == LANES<T> ? weighted : first<T>(weighted, n, T(0));
      });
      *loss = *loss - spread * sum_lanes<T>(sum);
    }
  }
}

template <class T>
void cross_entropy_backward(const ClassLoss* s, const void* scores, const void* stats,
                            const void* gains, int64_t gain_stride, double divisor, void* out,
                            int64_t from, int64_t count) {
  const int64_t C = s->classes;
  const Rows<T> x(scores, s->rows, C), w(s->weight, 1, C);
  const T part = T(s->smoothing / double(C));
  double weights = 0;  // of all classes
  for (int64_t c = 0; c < C; ++c) weights += double(weight_of<T>(s->weight, c));
  for (int64_t m = from; m < from + count; ++m) {
    T* grad_x = static_cast<T*>(out) + m * C;
    const int64_t label = s->target[m];
    if (label == s->ignore_index) {
      std::memset(grad_x, 0, size_t(C) * sizeof(T));
      continue;
    }
    const T gain = static_cast<const T*>(gains)[m * gain_stride] / T(divisor);
    const T sharp = T(1 - s->smoothing) * weight_of<T>(s->weight, label);
    const Vec<T> factor = broadcast(gain * (sharp + part * T(weights)));
    const LogSoftmaxRow<T> log_softmax(x, m, static_cast<const T*>(stats) + 2 * m);
    if (s->smoothing == 0) {
      over_columns<T>(C, [&](int64_t c, int n) {
        put<T>(grad_x + c, factor * vexp<T>(log_softmax.at(c, n)), n);
      });
    } else {
      const Vec<T> spread = broadcast(gain * part);
      over_columns<T>(C, [&](int64_t c, int n) {
        const Vec<T> less = s->weight ? spread * w.at(0, c, n, 0) : spread;
        put<T>(grad_x + c, factor * vexp<T>(log_softmax.at(c, n)) - less, n);
      });
    }
    grad_x[label] -= gain * sharp;
  }
}

// w * ((1 - s) * target + s / C)
template <class T>
struct SmoothedTarget {
  Rows<T> target, w;
  Vec<T> sharp, spread;
  bool weighted;

  explicit SmoothedTarget(const SoftLoss& s)
      : target(s.target, s.rows, s.classes),
        w(s.weight, 1, s.classes),
        sharp(broadcast(T(1 - s.smoothing))),
        spread(broadcast(T(s.smoothing / double(s.classes)))),
        weighted(s.weight != nullptr) {}

  TCN_INLINE Vec<T> at(int64_t m, int64_t c, int n) const {
    const Vec<T> q = sharp * target.at(m, c, n, 0) + spread;
    const Vec<T> v = weighted ? q * w.at(0, c, n, 0) : q;
    return n == LANES<T> ? v : first<T>(v, n, T(0));
  }
};

template <class T>
void soft_cross_entropy(const SoftLoss* s, const void* scores, void* out, void* stats, int64_t from,
                        int64_t count) {
  const Rows<T> x(scores, s->rows, s->classes);
  const SmoothedTarget<T> q(*s);
  row_statistics(x, static_cast<T*>(stats), from, count);
  for (int64_t m = from; m < from + count; ++m) {
    const LogSoftmaxRow<T> log_softmax(x, m, static_cast<T*>(stats) + 2 * m);
    Vec<T> sum = broadcast(T(0));
    over_columns<T>(s->classes,
                    [&](int64_t c, int n) { sum += q.at(m, c, n) * log_softmax.at(c, n); });
    static_cast<T*>(out)[m] = -sum_lanes<T>(sum);
  }
}

template <class T>
void soft_cross_entropy_backward(const SoftLoss* s, const void* scores, const void* stats,
                                 const void* gains, int64_t gain_stride, double divisor, void* out,
                                 void* out_target, int64_t from, int64_t count) {
  const int64_t C = s->classes;
  const Rows<T> x(scores, s->rows, C);
  const SmoothedTarget<T> q(*s);
  for (int64_t m = from; m < from + count; ++m) {
    const Vec<T> gain = broadcast(static_cast<const T*>(gains)[m * gain_stride] / T(divisor));
    const LogSoftmaxRow<T> log_softmax(x, m, static_cast<const T*>(stats) + 2 * m);
    if (out) {
      Vec<T> sums = broadcast(T(0));
      over_columns<T>(C, [&](int64_t c, int n) { sums += q.at(m, c, n); });
      const Vec<T> sum = fold_sum<T>(sums);
      T* grad_x = static_cast<T*>(out) + m * C;
      over_columns<T>(C, [&](int64_t c, int n) {
        put<T>(grad_x + c, gain * (vexp<T>(log_softmax.at(c, n)) * sum - q.at(m, c, n)), n);
      });
    }
    if (out_target) {
      T* grad_target = static_cast<T*>(out_target) + m * C;
      const Vec<T> slope = broadcast(T(0)) - gain * q.sharp;
      over_columns<T>(C, [&](int64_t c, int n) {
        const Vec<T> v = slope * log_softmax.at(c, n);
        put<T>(grad_target + c, q.weighted ? v * q.w.at(0, c, n, 0) : v, n);
      });
    }
  }
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
