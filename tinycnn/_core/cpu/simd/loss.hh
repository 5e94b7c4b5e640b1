// Class losses, row by row: cross entropy with a class, or with a probability of each class.
// Formulas as in reference/loss.py.
#pragma once
#include "loss_api.hh"
#include "softmax.hh"

namespace TCN_ISA {

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

}  // namespace TCN_ISA
