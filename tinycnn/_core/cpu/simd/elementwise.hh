// From a formula for a vector to a kernel for memory.
#pragma once
#include "elementwise_api.hh"
#include "vec.hh"

namespace TCN_ISA {

// What a formula is told beside x, in every lane; 0 where it has fewer settings.
template <class T>
struct Settings {
  Vec<T> a, b, c;

  TCN_INLINE explicit Settings(const double* s)
      : a(broadcast(T(s[0]))), b(broadcast(T(s[1]))), c(broadcast(T(s[2]))) {}
};

template <class T, class F>
void forward(const void* x_, const void*, void* y_, const double* settings, int64_t count) {
  const T* x = static_cast<const T*>(x_);
  T* y = static_cast<T*>(y_);
  const Settings<T> s(settings);
  int64_t i = 0;
  for (; i + LANES<T> <= count; i += LANES<T>) store(y + i, F::value(load(x + i), s));
  if (i < count) {
    const int rest = int(count - i);
    store_some(y + i, F::value(load_some(x + i, rest), s), rest);
  }
}

template <class T, class F>
void backward(const void* x_, const void* grad_y_, void* grad_x_, const double* settings,
              int64_t count) {
  const T *x = static_cast<const T*>(x_), *grad_y = static_cast<const T*>(grad_y_);
  T* grad_x = static_cast<T*>(grad_x_);
  const Settings<T> s(settings);
  int64_t i = 0;
  for (; i + LANES<T> <= count; i += LANES<T>)
    store(grad_x + i, F::grad(load(x + i), load(grad_y + i), s));
  if (i < count) {
    const int rest = int(count - i);
    store_some(grad_x + i, F::grad(load_some(x + i, rest), load_some(grad_y + i, rest), s), rest);
  }
}

template <class T>
void sum(const void* a, const void* b, void* out, const double* settings, int64_t count) {
  struct Add {
    static TCN_INLINE Vec<T> grad(const Vec<T>& a, const Vec<T>& b, const Settings<T>&) {
      return a + b;
    }
  };
  backward<T, Add>(a, b, out, settings, count);
}

}  // namespace TCN_ISA
