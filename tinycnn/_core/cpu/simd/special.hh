// Functions that activations share: exp(x) - 1, sigmoid, tanh, the normal distribution.
#pragma once
#include "exp.hh"

namespace TCN_ISA {

template <class T>
TCN_INLINE Vec<T> number(double value) {
  return broadcast(T(value));
}

// exp(x) - 1. With x = n log 2 + r and p = exp(r) - 1, as in exp.hh:
//   exp(x) - 1 = 2^(n-h) (2^h p + 2^h - 2^(h-n)),  h = n / 2: no power of two overflows
template <class T>
TCN_INLINE Vec<T> vexpm1(Vec<T> x) {
#ifdef TCN_GNU_VECTORS
  using E = Exponent<T>;
  x = select(x < broadcast(E::LOWEST), broadcast(E::LOWEST), x);
  x = select(x > broadcast(E::HIGHEST), broadcast(E::HIGHEST), x);
  const Reduced<T> e(x);
  const auto half = e.n >> 1;
  const Vec<T> scale = Reduced<T>::power_of_two(half);
  return (scale * e.p + (scale - Reduced<T>::power_of_two(half - e.n))) *
         Reduced<T>::power_of_two(e.n - half);
#else
  for (int i = 0; i < LANES<T>; ++i) x[i] = std::expm1(x[i]);
  return x;
#endif
}

// sigmoid(x) = 1 / (1 + e^-x) = e^x / (1 + e^x), and 1 - sigmoid(x) without cancellation: of both
// forms the one whose power of e is at most 1.
template <class T>
struct Shares {
  Vec<T> yes, no;

  TCN_INLINE explicit Shares(const Vec<T>& x) {
    const Vec<T> zero = number<T>(0), one = number<T>(1), e = vexp_negative<T>(zero - vabs<T>(x));
    const Vec<T> large = one / (one + e), small = e * large;
    yes = select(x < zero, small, large);
    no = select(x < zero, large, small);
  }
};

// tanh |x| = (1 - e^-2|x|) / (1 + e^-2|x|) = -m / (m + 2),  m = e^-2|x| - 1: no cancellation near 0
template <class T>
TCN_INLINE Vec<T> vtanh(const Vec<T>& x) {
  const Vec<T> zero = number<T>(0), two = number<T>(2);
  const Vec<T> m = vexpm1_negative<T>(zero - two * vabs<T>(x)), t = m / (m + two);
  return select(x > zero, zero - t, t);
}

// The tail of the normal distribution, z = |x|: P(X > z) = e^(-z^2/2) R(z), where R (Mills' ratio
// over sqrt(2 pi)) falls slowly from 1/2. With r = 1 / (z + K), R = r (c0 + c1 t + c2 t^2 + ...),
// t = SLOPE r - SHIFT running from -1 at z = HIGHEST to 1 at z = 0; the c are those of the
// polynomial that takes on the values of R / r at Chebyshev's points. The relative error of R is
// 1e-9 with these terms for float, 4e-17 for double.
template <class T>
struct NormalTail;

template <>
struct NormalTail<float> {
  static constexpr float HIGHEST = 14.5f, K = 3;
  static constexpr float SLOPE = 7.2413793103f, SHIFT = 1.4137931034f;
  static constexpr uint32_t HALF_MANTISSA = 0xFFFFF000;
  static constexpr int TERMS = 11;
  static constexpr float C[TERMS] = {
      0.823385517f,     0.4906155259f,    0.1731049936f,   0.02171403062f,
      -0.007456150924f, -0.002093053351f, 6.528677648e-4f, 1.585638531e-4f,
      -8.36984961e-5f,  -7.036772326e-6f, 8.442362027e-6f};
};

template <>
struct NormalTail<double> {
  static constexpr double HIGHEST = 39, K = 4;
  static constexpr double SLOPE = 8.8205128205128205128, SHIFT = 1.2051282051282051282;
  static constexpr uint64_t HALF_MANTISSA = 0xFFFFFFFFF8000000;
  static constexpr int TERMS = 23;
  static constexpr double C[TERMS] = {
      0.815338396842516908,    0.621244102224725365,    0.363906736827038546,
      0.156369955467943494,    0.0429063267769419946,   0.00325884619004613755,
      -0.00250145905673954085, -7.3742089195659481e-4,  1.4720806298855065e-4,
      8.84701791926671002e-5,  -1.36222930558618211e-5, -1.04639338018827044e-5,
      2.18401872737998771e-6,  1.21397945599765333e-6,  -4.35397198810328657e-7,
      -1.152902906648431e-7,   8.38960262979316841e-8,  3.30230595954278985e-9,
      -1.37742219444871058e-8, 1.56397873239544601e-9,  1.68162189256375098e-9,
      -2.63577628112410424e-10, -1.1266701221127189e-10};
};

// P(X <= x) for a normal X of mean 0 and variance 1, and its derivative e^(-x^2/2) / sqrt(2 pi).
template <class T>
struct Normal {
  Vec<T> below, density;

  TCN_INLINE explicit Normal(const Vec<T>& x) {
#ifdef TCN_GNU_VECTORS
    using N = NormalTail<T>;
    const Vec<T> z = vmin(broadcast(N::HIGHEST), vabs<T>(x));
    const Vec<T> e = exp_of_square(z);
    const Vec<T> r = number<T>(1) / (z + broadcast(N::K));
    const Vec<T> t = broadcast(N::SLOPE) * r - broadcast(N::SHIFT);
    Vec<T> sum = broadcast(N::C[N::TERMS - 1]);
    TCN_UNROLL
    for (int k = N::TERMS - 2; k >= 0; --k) sum = broadcast(N::C[k]) + t * sum;
    const Vec<T> tail = e * (r * sum);
    below = select(x < number<T>(0), tail, number<T>(1) - tail);
    density = number<T>(0.39894228040143268) * e;
#else
    for (int i = 0; i < LANES<T>; ++i) {
      below[i] = T(0.5) * std::erfc(x[i] * T(-0.70710678118654752));
      density[i] = T(0.39894228040143268) * std::exp(T(-0.5) * x[i] * x[i]);
    }
#endif
  }

#ifdef TCN_GNU_VECTORS
  // e^(-z^2/2). What rounding z^2 takes away, up to 50 units in the last place of the result, is
  // found from the exact square of z's leading digits.
  static TCN_INLINE Vec<T> exp_of_square(const Vec<T>& z) {
    using Ints = typename Reduced<T>::Ints;
    const Vec<T> lead = (Vec<T>)((Ints)z & typename Exponent<T>::Int(NormalTail<T>::HALF_MANTISSA));
    const Vec<T> square = z * z, minus_half = number<T>(-0.5);
    const Vec<T> rest = (lead * lead - square) + (z - lead) * (z + lead);
    return vexp_negative<T>(minus_half * square) * (number<T>(1) + minus_half * rest);
  }
#endif
};

}  // namespace TCN_ISA
