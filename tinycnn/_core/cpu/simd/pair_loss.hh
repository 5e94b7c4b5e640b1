// Losses of pairs (x, t), element by element: value, and derivatives by x and by t; the third number
// is the setting. Formulas as in reference/pair_loss.py.
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
struct SmoothL1 {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>& beta) {
    const Vec<T> d = vabs<T>(x - t), half = number<T>(0.5);
    return select(d < beta, half * (d * d / beta), d - half * beta);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>& beta) {
    return select(vabs<T>(x - t) >= beta, L1Loss<T>::by_x(x, t, beta), (x - t) / beta);
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>& beta) {
    return by_x(t, x, beta);
  }
};

template <class T>
struct Huber {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>& delta) {
    const Vec<T> d = vabs<T>(x - t), half = number<T>(0.5);
    return select(d <= delta, half * d * d, delta * (d - half * delta));
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>& delta) {
    return select(vabs<T>(x - t) > delta, delta * L1Loss<T>::by_x(x, t, delta), x - t);
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>& delta) {
    return by_x(t, x, delta);
  }
};

template <class T>
struct Kl {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    const Vec<T> zero = number<T>(0);
    const Vec<T> log_t = select(t < zero, number<T>(NAN), vlog<T>(t));
    return select(t == zero, zero, t * log_t) - t * x;
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>&, const Vec<T>& t, const Vec<T>&) {
    return number<T>(0) - t;
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return each_lane<T, Bce<T>::log>(t) + number<T>(1) - x;
  }
};

template <class T>
struct KlLog {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return vexp<T>(t) * (t - x);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>&, const Vec<T>& t, const Vec<T>&) {
    return number<T>(0) - vexp<T>(t);
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return vexp<T>(t) * (t - x + number<T>(1));
  }
};

template <class T>
struct Poisson {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return vexp<T>(x) - t * x;
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return vexp<T>(x) - t;
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>&, const Vec<T>&) {
    return number<T>(0) - x;
  }
};

template <class T>
struct SoftMargin {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    return vsoftplus<T>(number<T>(0) - t * x);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>&) {
    const Vec<T> zero = number<T>(0), one = number<T>(1), e = vexp<T>(zero - vabs<T>(t * x));
    return (zero - t) * (select(t * x > zero, e, one) / (one + e));  // -t / (1 + exp(t x))
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>& x, const Vec<T>& t, const Vec<T>& s) {
    return by_x(t, x, s);
  }
};

template <class T>
struct Embedding {
  static TCN_INLINE Vec<T> value(const Vec<T>& x, const Vec<T>& t, const Vec<T>& margin) {
    const Vec<T> zero = number<T>(0), apart = rectified(margin - x);
    return select(t != number<T>(-1), x, zero) + select(t != number<T>(1), apart, zero);
  }
  static TCN_INLINE Vec<T> by_x(const Vec<T>& x, const Vec<T>& t, const Vec<T>& margin) {
    const Vec<T> zero = number<T>(0), one = number<T>(1);
    const Vec<T> near = select(t != one, select(margin - x >= zero, one, zero), zero);
    return select(t != number<T>(-1), one, zero) - near;
  }
  static TCN_INLINE Vec<T> by_target(const Vec<T>&, const Vec<T>&, const Vec<T>&) {
    return number<T>(0);
  }
};

template <class T>
struct Pairs {
  const T *x, *target, *weight, *settings;
  T setting;

  explicit Pairs(const PairLoss& s)
      : x(static_cast<const T*>(s.x)),
        target(static_cast<const T*>(s.target)),
        weight(static_cast<const T*>(s.weight)),
        settings(static_cast<const T*>(s.settings)),
        setting(T(s.setting)) {}

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
        Loss::value(p.at(p.x, i, n, 0), p.at(p.target, i, n, 0), p.at(p.settings, i, n, p.setting));
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
                 s = p.at(p.settings, i, n, p.setting);
    if (grad_x) put<T>(grad_x + i, g * Loss::by_x(x, t, s), n);
    if (grad_target) put<T>(grad_target + i, g * Loss::by_target(x, t, s), n);
  });
}

}  // namespace TCN_ISA
