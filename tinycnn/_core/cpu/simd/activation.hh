// Activation functions on vectors: `value` of x, and `grad` of x (or y, where it says so) and of
// the gradient g that comes back. Formulas and settings as in reference/elementwise.py; comparisons are
// written so that NaN takes the branch that keeps it.
#pragma once
#include "elementwise.hh"
#include "rows.hh"
#include "special.hh"

namespace TCN_ISA {

// What value and grad of a number cost, roughly; an exponential is worth eight comparisons.
template <int VALUE, int GRAD>
struct Costs {
  static constexpr int FORWARD = VALUE, BACKWARD = GRAD;
};
using Cheap = Costs<1, 1>;
using Exponential = Costs<8, 8>;
using CheapGradient = Costs<8, 1>;

#define VALUE static TCN_INLINE Vec<T> value(const Vec<T>& x, [[maybe_unused]] const Settings<T>& s)
#define GRAD(x)                                                    \
  static TCN_INLINE Vec<T> grad(const Vec<T>& x, const Vec<T>& g, \
                                [[maybe_unused]] const Settings<T>& s)

// --- piecewise linear ------------------------------------------------------------------------

template <class T>
struct Relu : Cheap {
  VALUE { return rectified(x); }
  GRAD(y) { return select(y <= number<T>(0), number<T>(0), g); }
};

template <class T>
struct LeakyRelu : Cheap {
  VALUE { return select(x > number<T>(0), x, s.a * x); }
  GRAD(x) { return select(x > number<T>(0), g, s.a * g); }  // x or y
};

template <class T>
struct Hardtanh : Cheap {
  VALUE { return vmin(s.b, vmax(s.a, x)); }
  GRAD(y) { return select(y <= s.a, number<T>(0), select(y >= s.b, number<T>(0), g)); }
};

template <class T>
struct Threshold : Cheap {
  VALUE { return select(x <= s.a, s.b, x); }
  GRAD(x) { return select(x <= s.a, number<T>(0), g); }
};

template <class T>
struct Hardsigmoid : Cheap {
  // What of x + 3 lies between 0 and 6, divided by 6: the division by multiplication is exact at 6
  static TCN_INLINE Vec<T> share(const Vec<T>& x) {
    return vmin(number<T>(6), vmax(number<T>(0), x + number<T>(3))) * number<T>(1. / 6);
  }
  VALUE { return share(x); }
  GRAD(x) {
    const Vec<T> zero = number<T>(0);
    return select(x > number<T>(-3), select(x < number<T>(3), number<T>(1. / 6) * g, zero), zero);
  }
};

template <class T>
struct Hardswish : Cheap {
  VALUE { return x * Hardsigmoid<T>::share(x); }
  GRAD(x) {
    const Vec<T> slope = x * number<T>(1. / 3) + number<T>(0.5);
    return select(x <= number<T>(-3), number<T>(0), select(x >= number<T>(3), g, g * slope));
  }
};

template <class T>
struct Hardshrink : Cheap {
  static TCN_INLINE Vec<T> outside(const Vec<T>& x, const Vec<T>& v, const Vec<T>& limit) {
    const Vec<T> zero = number<T>(0);
    return select(x >= zero - limit, select(x <= limit, zero, v), v);
  }
  VALUE { return outside(x, x, s.a); }
  GRAD(x) { return outside(x, g, s.a); }
};

template <class T>
struct Softshrink : Cheap {
  VALUE {
    const Vec<T> zero = number<T>(0);
    return select(x > s.a, x - s.a, select(x < zero - s.a, x + s.a, zero * x));
  }
  GRAD(x) { return Hardshrink<T>::outside(x, g, s.a); }
};

// --- exponential -----------------------------------------------------------------------------

template <class T>
struct Elu : Exponential {
  VALUE { return select(x <= number<T>(0), s.a * vexpm1<T>(s.c * x), s.b * x); }
  GRAD(x) { return select(x <= number<T>(0), s.a * s.c * vexp<T>(s.c * x) * g, s.b * g); }
};

template <class T>
struct Sigmoid : CheapGradient {
  VALUE {
    const Vec<T> zero = number<T>(0), one = number<T>(1), e = vexp_negative<T>(zero - vabs<T>(x));
    return select(x < zero, e, one) / (one + e);
  }
  GRAD(y) { return g * (number<T>(1) - y) * y; }
};

template <class T>
struct Tanh : CheapGradient {
  VALUE { return vtanh<T>(x); }
  GRAD(y) { return g * (number<T>(1) - y) * (number<T>(1) + y); }
};

template <class T>
struct ScaledTanh : CheapGradient {
  VALUE { return s.a * vtanh<T>(s.b * x); }
  GRAD(y) { return g * (s.a - y) * (s.a + y) * s.c; }
};

template <class T>
struct Tanhshrink : Exponential {
  VALUE { return x - vtanh<T>(x); }
  GRAD(x) {
    const Vec<T> t = vtanh<T>(x);
    return g * (t * t);
  }
};

template <class T>
struct Softsign : Costs<4, 4> {
  VALUE { return x / (number<T>(1) + vabs<T>(x)); }
  GRAD(x) {
    const Vec<T> d = number<T>(1) + vabs<T>(x);
    return g / (d * d);
  }
};

template <class T>
struct Softplus : Exponential {
  VALUE {
    const Vec<T> z = s.a * x;
    return select(z > s.b, x, vsoftplus<T>(z) / s.a);
  }
  GRAD(x) {
    const Vec<T> z = s.a * x;
    return select(z > s.b, g, g * Shares<T>(z).yes);
  }
};

template <class T>
struct LogSigmoid : Exponential {
  VALUE { return number<T>(0) - vsoftplus<T>(number<T>(0) - x); }
  GRAD(y) { return (number<T>(0) - g) * vexpm1_negative<T>(y); }
};

// --- x times a gate --------------------------------------------------------------------------

template <class T>
struct Silu : Exponential {
  VALUE { return x * Shares<T>(x).yes; }
  GRAD(x) {
    const Shares<T> share(x);
    return g * share.yes * (number<T>(1) + x * share.no);
  }
};

// tanh(log(1 + e^x)) = n / (n + w) with n = e^2x + 2 e^x and w = 2, or for x > 0, where that would
// overflow, both times e^-2x.
template <class T>
struct Mish : Exponential {
  struct Gate {
    Vec<T> e, n, w;

    TCN_INLINE explicit Gate(const Vec<T>& x) : e(vexp_negative<T>(number<T>(0) - vabs<T>(x))) {
      const Vec<T> zero = number<T>(0), one = number<T>(1), two = number<T>(2);
      n = select(x > zero, one + two * e, e * (e + two));
      w = select(x > zero, two * e * e, two);
    }
  };
  VALUE {
    const Gate gate(x);
    return x * (gate.n / (gate.n + gate.w));
  }
  GRAD(x) {
    const Gate gate(x);
    const Vec<T> one = number<T>(1), d = one / (gate.n + gate.w), t = gate.n * d;
    const Vec<T> sigmoid = select(x > number<T>(0), one, gate.e) / (one + gate.e);
    return g * (t + x * sigmoid * (gate.w * d) * (one + t));  // 1 - t^2 = (1 - t) (1 + t)
  }
};

template <class T>
struct Gelu : Costs<12, 12> {
  VALUE { return x * Normal<T>(x).below; }
  GRAD(x) {
    const Normal<T> normal(x);
    return g * (normal.below + x * normal.density);
  }
};

// 0.5 (1 + tanh(u)) = sigmoid(2 u). Beyond 30 the gate is 0 or 1 in every number type, and x^3
// might overflow.
template <class T>
struct GeluTanh : Exponential {
  static constexpr double SCALE = 1.5957691216057308, CUBIC = 0.044715;  // 2 sqrt(2 / pi)
  static TCN_INLINE Vec<T> near(const Vec<T>& x) {
    return vmin(number<T>(30), vmax(number<T>(-30), x));
  }
  static TCN_INLINE Vec<T> argument(const Vec<T>& x) {
    return number<T>(SCALE) * x * (number<T>(1) + number<T>(CUBIC) * (x * x));
  }
  VALUE { return x * Shares<T>(argument(near(x))).yes; }
  GRAD(x) {
    const Vec<T> one = number<T>(1), z = near(x);
    const Shares<T> share(argument(z));
    const Vec<T> slope = number<T>(SCALE) * (one + number<T>(3 * CUBIC) * (z * z));
    return g * share.yes * (one + x * share.no * slope);
  }
};

// --- one half of a row, times the gate that the other half opens --------------------------------

template <class T>
void glu_forward(const GluPart* p, const void* x, const void*, void* y) {
  for (int64_t r = p->row; r < p->row + p->rows; ++r) {
    const T *a = static_cast<const T*>(x) + 2 * r * p->length + p->column, *b = a + p->length;
    T* out = static_cast<T*>(y) + r * p->length + p->column;
    over_columns<T>(p->columns, [&](int64_t i, int n) {
      put<T>(out + i, take(a + i, n) * Shares<T>(take(b + i, n)).yes, n);
    });
  }
}

template <class T>
void glu_backward(const GluPart* p, const void* x, const void* grad_y, void* grad_x) {
  for (int64_t r = p->row; r < p->row + p->rows; ++r) {
    const int64_t first = 2 * r * p->length + p->column;
    const T *a = static_cast<const T*>(x) + first, *b = a + p->length;
    const T* g = static_cast<const T*>(grad_y) + r * p->length + p->column;
    T *grad_a = static_cast<T*>(grad_x) + first, *grad_b = grad_a + p->length;
    over_columns<T>(p->columns, [&](int64_t i, int n) {
      const Shares<T> share(take(b + i, n));
      const Vec<T> gated = take(g + i, n) * share.yes;
      put<T>(grad_a + i, gated, n);
      put<T>(grad_b + i, gated * take(a + i, n) * share.no, n);
    });
  }
}

#undef VALUE
#undef GRAD

}  // namespace TCN_ISA
