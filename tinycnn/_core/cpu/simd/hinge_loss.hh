// Hinge losses of classes, row by row. Formulas as in reference/hinge_loss.py.
#pragma once
#include "hinge_loss_api.hh"
#include "rows.hh"

namespace TCN_ISA {

// A row's max(margin - x[t] + x[c], 0), a vector at a time; 0 at c = t.
template <class T>
struct Excess {
  Rows<T> x;
  int64_t m, label;
  Vec<T> lead;  // margin - x[t]

  Excess(const MultiMargin& s, const void* scores, int64_t row)
      : x(scores, s.rows, s.classes),
        m(row),
        label(s.target[row]),
        lead(broadcast(T(s.margin) - x.data[row * s.classes + label])) {}

  TCN_INLINE Vec<T> at(int64_t c, int n) const {
    Vec<T> v = rectified(lead + x.at(m, c, n, T(0)));
    if (n < LANES<T>) v = first<T>(v, n, T(0));
    if (label >= c && label < c + n) v[int(label - c)] = 0;
    return v;
  }
};

template <class T>
TCN_INLINE T class_weight(const MultiMargin& s, int64_t c) {
  return s.weight ? static_cast<const T*>(s.weight)[c] : T(1);
}

template <class T>
void multi_margin(const MultiMargin* s, const void* x, void* out, int64_t from, int64_t count) {
  for (int64_t m = from; m < from + count; ++m) {
    const Excess<T> excess(*s, x, m);
    Vec<T> sum = broadcast(T(0));
    over_columns<T>(s->classes, [&](int64_t c, int n) {
      const Vec<T> v = excess.at(c, n);
      sum += s->squared ? v * v : v;
    });
    static_cast<T*>(out)[m] =
        sum_lanes<T>(sum) * class_weight<T>(*s, excess.label) / T(s->classes);
  }
}

template <class T>
void multi_margin_backward(const MultiMargin* s, const void* x, const void* gains,
                           int64_t gain_stride, double divisor, void* out, int64_t from,
                           int64_t count) {
  const Vec<T> zero = broadcast(T(0)), two = broadcast(T(2));
  for (int64_t m = from; m < from + count; ++m) {
    const Excess<T> excess(*s, x, m);
    const T gain = static_cast<const T*>(gains)[m * gain_stride] / T(divisor) *
                   class_weight<T>(*s, excess.label) / T(s->classes);
    T* grad_x = static_cast<T*>(out) + m * s->classes;
    Vec<T> sum = zero;
    over_columns<T>(s->classes, [&](int64_t c, int n) {
      const Vec<T> v = excess.at(c, n);
      const Vec<T> slope = s->squared ? two * v : select(v == zero, zero, broadcast(T(1)));
      put<T>(grad_x + c, broadcast(gain) * slope, n);
      sum += broadcast(gain) * slope;
    });
    grad_x[excess.label] = -sum_lanes<T>(sum);
  }
}

template <class T>
void multilabel_margin(const void* scores, const int64_t* target, int64_t C, void* out,
                       void* all_counts, int64_t from, int64_t rows) {
  for (int64_t m = from; m < from + rows; ++m) {
    const T* x = static_cast<const T*>(scores) + m * C;
    const int64_t* list = target + m * C;
    T *counts = static_cast<T*>(all_counts) + m * C, sum = 0;
    for (int64_t c = 0; c < C; ++c) counts[c] = 0;
    for (int64_t i = 0; i < C && list[i] >= 0; ++i) counts[list[i]] += 1;
    for (int64_t i = 0; i < C && list[i] >= 0; ++i) {
      const T lead = 1 - x[list[i]];
      for (int64_t c = 0; c < C; ++c)
        if (counts[c] == 0 && !(lead + x[c] <= 0)) sum += lead + x[c];
    }
    static_cast<T*>(out)[m] = sum / T(C);
  }
}

template <class T>
void multilabel_margin_backward(const void* scores, const void* all_counts, int64_t C,
                                const void* gains, int64_t gain_stride, double divisor, void* out,
                                int64_t from, int64_t rows) {
  for (int64_t m = from; m < from + rows; ++m) {
    const T* x = static_cast<const T*>(scores) + m * C;
    const T* counts = static_cast<const T*>(all_counts) + m * C;
    const T gain = static_cast<const T*>(gains)[m * gain_stride] / T(divisor) / T(C);
    T* grad_x = static_cast<T*>(out) + m * C;
    for (int64_t c = 0; c < C; ++c) grad_x[c] = 0;
    for (int64_t t = 0; t < C; ++t) {
      if (counts[t] == 0) continue;
      int64_t exceed = 0;
      for (int64_t c = 0; c < C; ++c)
        if (counts[c] == 0 && 1 - x[t] + x[c] > 0) {
          ++exceed;
          grad_x[c] += counts[t];
        }
      grad_x[t] = -counts[t] * T(exceed);
    }
    for (int64_t c = 0; c < C; ++c) grad_x[c] *= gain;
  }
}

}  // namespace TCN_ISA
