// Activation functions on vectors. Formulas as in reference/elementwise.py; comparisons are written
// so that NaN takes the branch that keeps it.
#pragma once
#include "elementwise_api.hh"
#include "exp.hh"

namespace TCN_ISA {

template <class T, class F>
TCN_INLINE void map(const void* in, void* result, int64_t count, F f) {
  const T* a = static_cast<const T*>(in);
  T* out = static_cast<T*>(result);
  int64_t i = 0;
  for (; i + LANES<T> <= count; i += LANES<T>) store(out + i, f(load(a + i)));
  if (i < count) store_some(out + i, f(load_some(a + i, int(count - i))), int(count - i));
}

template <class T, class F>
TCN_INLINE void map(const void* in, const void* in2, void* result, int64_t count, F f) {
  const T *a = static_cast<const T*>(in), *b = static_cast<const T*>(in2);
  T* out = static_cast<T*>(result);
  int64_t i = 0;
  for (; i + LANES<T> <= count; i += LANES<T>) store(out + i, f(load(a + i), load(b + i)));
  if (i < count) {
    const int rest = int(count - i);
    store_some(out + i, f(load_some(a + i, rest), load_some(b + i, rest)), rest);
  }
}

template <class T>
void relu_forward(const void* x, const void*, void* y, double, int64_t count) {
  const Vec<T> zero = broadcast(T(0));
  map<T>(x, y, count, [=](const Vec<T>& x) { return select(x <= zero, zero, x); });
}

template <class T>
void relu_backward(const void* y, const void* grad_y, void* grad_x, double, int64_t count) {
  const Vec<T> zero = broadcast(T(0));
  map<T>(y, grad_y, grad_x, count,
         [=](const Vec<T>& y, const Vec<T>& g) { return select(y <= zero, zero, g); });
}

template <class T>
void leaky_relu_forward(const void* x, const void*, void* y, double setting, int64_t count) {
  const Vec<T> zero = broadcast(T(0)), slope = broadcast(T(setting));
  map<T>(x, y, count, [=](const Vec<T>& x) { return select(x > zero, x, slope * x); });
}

template <class T>
void leaky_relu_backward(const void* x, const void* grad_y, void* grad_x, double setting,
                         int64_t count) {
  const Vec<T> zero = broadcast(T(0)), slope = broadcast(T(setting));
  map<T>(x, grad_y, grad_x, count,
         [=](const Vec<T>& x, const Vec<T>& g) { return select(x > zero, g, slope * g); });
}

template <class T>
void elu_forward(const void* x, const void*, void* y, double setting, int64_t count) {
  const Vec<T> zero = broadcast(T(0)), alpha = broadcast(T(setting));
  map<T>(x, y, count,
         [=](const Vec<T>& x) { return select(x <= zero, alpha * vexpm1_negative<T>(x), x); });
}

template <class T>
void elu_backward(const void* x, const void* grad_y, void* grad_x, double setting, int64_t count) {
  const Vec<T> zero = broadcast(T(0)), alpha = broadcast(T(setting));
  map<T>(x, grad_y, grad_x, count, [=](const Vec<T>& x, const Vec<T>& g) {
    return select(x <= zero, alpha * vexp<T>(x) * g, g);
  });
}

// 1 / (1 + e^-x) = e^x / (1 + e^x): the form whose power of e is at most 1
template <class T>
void sigmoid_forward(const void* x, const void*, void* y, double, int64_t count) {
  const Vec<T> zero = broadcast(T(0)), one = broadcast(T(1));
  map<T>(x, y, count, [=](const Vec<T>& x) {
    const Vec<T> e = vexp<T>(zero - vabs<T>(x));
    return select(x < zero, e, one) / (one + e);
  });
}

template <class T>
void sigmoid_backward(const void* y, const void* grad_y, void* grad_x, double, int64_t count) {
  const Vec<T> one = broadcast(T(1));
  map<T>(y, grad_y, grad_x, count,
         [=](const Vec<T>& y, const Vec<T>& g) { return g * (one - y) * y; });
}

// tanh |x| = (1 - e^-2|x|) / (1 + e^-2|x|) = -m / (m + 2),  m = e^-2|x| - 1: no cancellation near 0
template <class T>
void tanh_forward(const void* x, const void*, void* y, double, int64_t count) {
  const Vec<T> zero = broadcast(T(0)), two = broadcast(T(2));
  map<T>(x, y, count, [=](const Vec<T>& x) {
    const Vec<T> m = vexpm1_negative<T>(zero - two * vabs<T>(x)), t = m / (m + two);
    return select(x > zero, zero - t, t);
  });
}

template <class T>
void tanh_backward(const void* y, const void* grad_y, void* grad_x, double, int64_t count) {
  const Vec<T> one = broadcast(T(1));
  map<T>(y, grad_y, grad_x, count,
         [=](const Vec<T>& y, const Vec<T>& g) { return g * (one - y) * (one + y); });
}

template <class T>
void sum(const void* a, const void* b, void* out, double, int64_t count) {
  map<T>(a, b, out, count, [](const Vec<T>& a, const Vec<T>& b) { return a + b; });
}

}  // namespace TCN_ISA
