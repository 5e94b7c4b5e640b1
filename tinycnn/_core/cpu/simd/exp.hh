// exp, expm1, log and log(1 + exp) of every lane of a vector, by their Taylor series.
//
//   x = n * log 2 + r,  |r| <= log(2) / 2:
//   exp(x) = 2^n * (1 + p),   p = r + r^2 / 2! + r^3 / 3! + ...
//
// The series is cut where the next term falls below half a unit in the last place: after 7 terms
// for float, 13 for double. p is exp(r) - 1 without cancellation, so expm1 comes from the same p.
// Errors are at most 2 units in the last place for exp, 3 for expm1 (tests/test_activation.py
// measures them). What would be smaller than the least normal number is 0: a subnormal product
// takes some 100 cycles.
#pragma once
#include <cmath>
#include <limits>

#include "vec.hh"

namespace TCN_ISA {

template <class T>
struct Exponent;

template <>
struct Exponent<float> {
  using Int = int32_t;
  static constexpr int TERMS = 7, LOG_TERMS = 5, LOG1P_TERMS = 8, MANTISSA = 23, BIAS = 127;
  static constexpr float LOWEST = -87.3365f, HIGHEST = 89;  // exp: least normal number, infinity
  static constexpr float ROUND =
      12582912;  // 1.5 * 2^23: adding it leaves an integer in the low bits
  static constexpr float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;  // n * high is exact
};

template <>
struct Exponent<double> {
  using Int = int64_t;
  static constexpr int TERMS = 13, LOG_TERMS = 11, LOG1P_TERMS = 17, MANTISSA = 52, BIAS = 1023;
  static constexpr double LOWEST = -708.396, HIGHEST = 710;
  static constexpr double ROUND = 6755399441055744;  // 1.5 * 2^52
  static constexpr double LN2_HIGH = 6.93147180369123816490e-01,
                          LN2_LOW = 1.90821492927058770002e-10;
};

// log((1 + s) / (1 - s)) = 2 (s + s^3/3 + s^5/5 + ...)
template <class T, int TERMS>
TCN_INLINE Vec<T> log_series(const Vec<T>& s) {
  const Vec<T> square = s * s;
  Vec<T> sum = broadcast(T(0));
  TCN_UNROLL
  for (int k = TERMS - 1; k >= 1; --k) sum = square * (broadcast(T(1) / (2 * k + 1)) + sum);
  return broadcast(T(2)) * (s + s * sum);
}

// 1 / k!
template <class T>
struct InverseFactorials {
  T of[Exponent<T>::TERMS + 1];

  constexpr InverseFactorials() : of() {
    double factorial = 1;
    for (int k = 0; k <= Exponent<T>::TERMS; factorial *= ++k) of[k] = T(1 / factorial);
  }
};

#ifdef TCN_GNU_VECTORS

// n and p of the head of this file. NaN in x becomes NaN in p.
template <class T>
struct Reduced {
  using E = Exponent<T>;
  typedef typename E::Int Ints __attribute__((vector_size(TCN_VECTOR_BYTES)));
  static constexpr InverseFactorials<T> inverse_factorial{};
  Ints n;
  Vec<T> p;

  TCN_INLINE explicit Reduced(const Vec<T>& x) {
    const Vec<T> round = broadcast(E::ROUND);
    const Vec<T> shifted = x * broadcast(T(1.4426950408889634)) + round;
    const Vec<T> whole = shifted - round;
    n = (Ints)shifted - (Ints)round;
    const Vec<T> r = (x - whole * broadcast(E::LN2_HIGH)) - whole * broadcast(E::LN2_LOW);
    Vec<T> sum = broadcast(inverse_factorial.of[E::TERMS]);  // Horner: 1/2! + r (1/3! + r (...))
    TCN_UNROLL
    for (int k = E::TERMS - 1; k >= 2; --k) sum = broadcast(inverse_factorial.of[k]) + r * sum;
    p = r + (r * r) * sum;
  }

  static TCN_INLINE Vec<T> power_of_two(Ints n) { return (Vec<T>)((n + E::BIAS) << E::MANTISSA); }
};

template <class T>
TCN_INLINE Vec<T> vabs(const Vec<T>& x) {
  using Ints = typename Reduced<T>::Ints;
  return (Vec<T>)((Ints)x & std::numeric_limits<typename Exponent<T>::Int>::max());
}

// The largest power of two is no number, though its product with 1 + p may be one: hence two
// factors.
template <class T>
TCN_INLINE Vec<T> vexp(const Vec<T>& x) {
  using E = Exponent<T>;
  const Reduced<T> e(select(x > broadcast(E::HIGHEST), broadcast(E::HIGHEST), x));
  const auto half = e.n >> 1;
  const Vec<T> scale = Reduced<T>::power_of_two(half);
  const Vec<T> y = (scale + scale * e.p) * Reduced<T>::power_of_two(e.n - half);
  return select(x < broadcast(E::LOWEST), broadcast(T(0)), y);
}

// exp(x) for x <= 0; anything else (but NaN for NaN) for x > 0.
template <class T>
TCN_INLINE Vec<T> vexp_negative(const Vec<T>& x) {
  const Reduced<T> e(x);
  const Vec<T> scale = Reduced<T>::power_of_two(e.n);
  return select(x < broadcast(Exponent<T>::LOWEST), broadcast(T(0)), scale + scale * e.p);
}

// exp(x) - 1 for x <= 0; anything else (but NaN for NaN) for x > 0.
template <class T>
TCN_INLINE Vec<T> vexpm1_negative(Vec<T> x) {
  using E = Exponent<T>;
  x = select(x < broadcast(E::LOWEST), broadcast(E::LOWEST), x);
  x = select(x > broadcast(T(0)), broadcast(T(0)), x);
  const Reduced<T> e(x);
  const Vec<T> scale = Reduced<T>::power_of_two(e.n);
  return scale * e.p + (scale - broadcast(T(1)));
}

// log(x) for normal x > 0, NaN for NaN. x = 2^n m with m from sqrt(1/2) to sqrt(2), which is
// (1 + s) / (1 - s) for s = (m - 1) / (m + 1).
template <class T>
TCN_INLINE Vec<T> vlog(const Vec<T>& x) {
  using E = Exponent<T>;
  using Ints = typename Reduced<T>::Ints;
  const Ints n = ((Ints)x - (Ints)broadcast(T(0.70710678118654752))) >> E::MANTISSA;
  const Vec<T> m = (Vec<T>)((Ints)x - (n << E::MANTISSA)), one = broadcast(T(1));
  const Vec<T> whole = __builtin_convertvector(n, Vec<T>);
  const Vec<T> part = log_series<T, E::LOG_TERMS>((m - one) / (m + one));
  const Vec<T> y = whole * broadcast(E::LN2_HIGH) + (part + whole * broadcast(E::LN2_LOW));
  return select(x == x, y, x);
}

#else

template <class T>
TCN_INLINE Vec<T> vlog(Vec<T> x) {
  for (int i = 0; i < LANES<T>; ++i) x[i] = std::log(x[i]);
  return x;
}

template <class T>
TCN_INLINE Vec<T> vabs(Vec<T> x) {
  for (int i = 0; i < LANES<T>; ++i) x[i] = std::abs(x[i]);
  return x;
}

template <class T>
TCN_INLINE Vec<T> vexp_negative(Vec<T> x) {
  for (int i = 0; i < LANES<T>; ++i) x[i] = std::exp(x[i]);
  return x;
}

template <class T>
TCN_INLINE Vec<T> vexp(Vec<T> x) {
  for (int i = 0; i < LANES<T>; ++i) x[i] = std::exp(x[i]);
  return x;
}

template <class T>
TCN_INLINE Vec<T> vexpm1_negative(Vec<T> x) {
  for (int i = 0; i < LANES<T>; ++i) x[i] = std::expm1(x[i]);
  return x;
}

#endif

// log(1 + exp(x)) = max(x, 0) + log(1 + e),  e = exp(-|x|); 1 + e = (1 + s) / (1 - s) for
// s = e / (2 + e), which is at most 1/3
template <class T>
TCN_INLINE Vec<T> vsoftplus(const Vec<T>& x) {
  const Vec<T> zero = broadcast(T(0)), e = vexp_negative<T>(zero - vabs<T>(x));
  return vmax(x, zero) + log_series<T, Exponent<T>::LOG1P_TERMS>(e / (broadcast(T(2)) + e));
}

}  // namespace TCN_ISA
