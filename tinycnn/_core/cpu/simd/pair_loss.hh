// Losses of pairs (x, t), element by element: value, and derivatives by x and by t. Formulas as in
// reference/pair_loss.py.
#pragma once
#include <type_traits>

#include "exp.hh"
#include "pair_loss_api.hh"
#include "rows.hh"

namespace TCN_ISA {

template <class T>
TCN_INLINE Vec<T> number(double value) {
  return broadcast(T(value));
}

template <class T, T (*F)(T)>
TCN_INLINE Vec<T> each_lane(Vec<T> v) {
  for (int i = 0; i < LANES<T>; ++i) v[i] = F(v[i]);
  return v;
}

template <class T>
struct Mse {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return (x - t) * (x - t);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return number<T>(2) * (x - t);
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return number<T>(2) * (t - x);
  }
};

template <class T>
struct L1Loss {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return vabs<T>(x - t);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return select(x > t, number<T>(1), select(x < t, number<T>(-1), number<T>(0)));
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>& p) {
    return by_x(t, x, p);
  }
};

// Logarithms are the C library's, lane by lane: this loss runs on few numbers.
template <class T>
struct Bce {
  static TCN_INLINE T log(T x) { return std::log(x); }
  static TCN_INLINE T log_of_rest(T x) { return std::log1p(-x); }

  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    const Vec<T> least = number<T>(-100);
    return (t - number<T>(1)) * vmax(each_lane<T, log_of_rest>(x), least) -
           t * vmax(each_lane<T, log>(x), least);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return (x - t) / vmax(x * (number<T>(1) - x), number<T>(1e-12));
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>&, const Vec<T>&) {
    return each_lane<T, log_of_rest>(x) - each_lane<T, log>(x);
  }
};

template <class T>
struct BceLogits {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>& pos_weight) {
    const Vec<T> one = number<T>(1), zero = number<T>(0);
    return (one - t) * x + (one + (pos_weight - one) * t) * vsoftplus<T>(zero - x);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>& pos_weight) {
    const Vec<T> one = number<T>(1), zero = number<T>(0), e = vexp<T>(zero - vabs<T>(x));
    const Vec<T> small = e / (one + e), large = one / (one + e);
    return (one - t) * select(x < zero, small, large) -
           pos_weight * t * select(x < zero, large, small);
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>&, const Vec<T>& pos_weight) {
    return (pos_weight - number<T>(1)) * vsoftplus<T>(number<T>(0) - x) - x;
  }
};

template <class T>
struct Pairs {
  const T *x, *target, *weight, *pos_weight;

  explicit Pairs(const PairLoss& s)
      : x(static_cast<const T*>(s.x)),
        target(static_cast<const T*>(s.target)),
        weight(static_cast<const T*>(s.weight)),
        pos_weight(static_cast<const T*>(s.pos_weight)) {}

  static TCN_INLINE Vec<T> at(const T* p, int64_t i, int n, T absent) {
    return !p ? broadcast(absent) : n == LANES<T> ? load(p + i) : load_some(p + i, n);
  }
};

template <class T, class F>
TCN_INLINE void over_numbers(int64_t from, int64_t count, F f) {
  int64_t i = from;
  for (; i + LANES<T> <= from + count; i += LANES<T>) f(i, LANES<T>);
  if (i < from + count) f(i, int(from + count - i));
}

template <class T, class Loss>
int pair_loss(const PairLoss* s, void* out, double* sum, int64_t from, int64_t count) {
  const Pairs<T> p(*s);
  T* losses = static_cast<T*>(out);
  Vec<T> total = broadcast(T(0));
  over_numbers<T>(from, count, [&](int64_t i, int n) {
    const Vec<T> loss =
        p.at(p.weight, i, n, 1) *
        Loss::value(p.at(p.x, i, n, 0), p.at(p.target, i, n, 0), p.at(p.pos_weight, i, n, 1));
    if (losses) put<T>(losses + i, loss, n);
    total += n == LANES<T> ? loss : first<T>(loss, n, 0);
  });
  *sum = double(sum_lanes<T>(total));
  if constexpr (std::is_same_v<Loss, Bce<T>>)
    for (int64_t i = from; i < from + count; ++i)
      if (!(p.x[i] >= 0 && p.x[i] <= 1 && p.target[i] >= 0 && p.target[i] <= 1)) return 0;
  return 1;
}

template <class T, class Loss>
void pair_loss_backward(const PairLoss* s, const void* gains, int64_t gain_stride, double divisor,
                        void* out, void* out_target, int64_t from, int64_t count) {
  const Pairs<T> p(*s);
  const T* gain = static_cast<const T*>(gains);
  T *grad_x = static_cast<T*>(out), *grad_target = static_cast<T*>(out_target);
  const Vec<T> same = broadcast(*gain / T(divisor));
  over_numbers<T>(from, count, [&](int64_t i, int n) {
    const Vec<T> g = (gain_stride ? p.at(gain, i, n, 0) : same) * p.at(p.weight, i, n, 1);
    const Vec<T> x = p.at(p.x, i, n, 0), t = p.at(p.target, i, n, 0),
                 pos_weight = p.at(p.pos_weight, i, n, 1);
    if (grad_x) put<T>(grad_x + i, g * Loss::by_x(x, t, pos_weight), n);
    if (grad_target) put<T>(grad_target + i, g * Loss::by_target(x, t, pos_weight), n);
  });
}

}  // namespace TCN_ISA
