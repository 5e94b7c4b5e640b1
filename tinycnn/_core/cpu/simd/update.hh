// Optimiser updates on vectors: one pass over a parameter, its gradient and its state.
//
// A rule holds its numbers in vectors and says how one vector of the parameter p moves, given the
// gradient g and the state s. `sweep` applies it to a stretch of memory.
#pragma once
#include <limits>

#include "update_api.hh"
#include "vec.hh"

namespace TCN_ISA {

// A product that is rounded before it is added to anything. Elsewhere the compiler may fuse a
// product and a sum; these are the places where PyTorch rounds twice, and over many steps such
// differences in the last digit of a parameter would add up to more than 1e-6.
template <class T>
TCN_INLINE Vec<T> rounded(Vec<T> product) {
#if defined(TCN_GNU_VECTORS) && defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(TCN_GNU_VECTORS) && defined(TCN_X86)
  asm("" : "+x"(product));
#elif defined(TCN_GNU_VECTORS) && defined(__aarch64__)
  asm("" : "+w"(product));
#endif
  return product;
}

// A moving average of gradients that have become 0 decays for ever: below the smallest normal
// number (1.2e-38 in float) every operation on it would take some 150 cycles. There it becomes 0.
template <class T>
TCN_INLINE Vec<T> without_subnormal(const Vec<T>& v) {
  const Vec<T> least = broadcast(std::numeric_limits<T>::min()), zero{};
  return select(v < least, select(v > zero - least, zero, v), v);
}

// g = sign * grad + weight_decay * p. Without weight decay p stays out: 0 * infinity would be NaN.
template <class T>
struct Descent {
  Vec<T> sign, weight_decay;
  bool decays;

  explicit Descent(const UpdateSettings& c)
      : sign(broadcast(T(c.sign))),
        weight_decay(broadcast(T(c.weight_decay))),
        decays(c.weight_decay != 0) {}

  TCN_INLINE Vec<T> operator()(const Vec<T>& p, const Vec<T>& grad) const {
    const Vec<T> g = sign * grad;
    return decays ? g + weight_decay * p : g;
  }
};

// s = b
template <class T, bool MOMENTUM>
struct Sgd {
  static constexpr int STATE = MOMENTUM;
  Descent<T> descent;
  Vec<T> lr, momentum, gain;
  bool nesterov;

  Sgd(const Update& u, const UpdateSettings& c)
      : descent(c),
        lr(broadcast(T(u.rate))),
        momentum(broadcast(T(c.momentum))),
        gain(broadcast(T(c.gain))),
        nesterov(c.nesterov) {}

  TCN_INLINE void operator()(Vec<T>& p, const Vec<T>& grad, Vec<T>* s) const {
    Vec<T> g = descent(p, grad);
    if constexpr (MOMENTUM) {
      s[0] = without_subnormal<T>(rounded<T>(momentum * s[0]) + gain * g);
      g = nesterov ? g + momentum * s[0] : s[0];
    }
    p = p - lr * g;
  }
};

// s = m, v, and with AMSGRAD the largest v
template <class T, bool AMSGRAD>
struct Adam {
  static constexpr int STATE = 2 + AMSGRAD;
  Descent<T> descent;
  Vec<T> rate, shrink, gain1, decay2, gain2, scale, eps;

  Adam(const Update& u, const UpdateSettings& c)
      : descent(c),
        rate(broadcast(T(u.rate))),
        shrink(broadcast(T(c.shrink))),
        gain1(broadcast(T(1 - c.decay1))),
        decay2(broadcast(T(c.decay2))),
        gain2(broadcast(T(1 - c.decay2))),
        scale(broadcast(T(u.scale))),
        eps(broadcast(T(c.eps))) {}

  TCN_INLINE void operator()(Vec<T>& p, const Vec<T>& grad, Vec<T>* s) const {
    const Vec<T> g = descent(p, grad);
    s[0] = without_subnormal<T>(s[0] + gain1 * (g - s[0]));
    s[1] = rounded<T>(decay2 * s[1]) + gain2 * g * g;
    Vec<T> v = s[1];
    if constexpr (AMSGRAD)
      v = s[2] = select(s[2] != s[2], s[2], select(s[2] > v, s[2], v));  // NaN stays
    p = rounded<T>(p * shrink) - rate * s[0] / (vsqrt<T>(v) * scale + eps);
  }
};

// s = v, then a with CENTERED, then b with MOMENTUM
template <class T, bool CENTERED, bool MOMENTUM>
struct RmsProp {
  static constexpr int STATE = 1 + CENTERED + MOMENTUM;
  Descent<T> descent;
  Vec<T> lr, decay, gain, eps, momentum;

  RmsProp(const Update& u, const UpdateSettings& c)
      : descent(c),
        lr(broadcast(T(u.rate))),
        decay(broadcast(T(c.decay2))),
        gain(broadcast(T(1 - c.decay2))),
        eps(broadcast(T(c.eps))),
        momentum(broadcast(T(c.momentum))) {}

  TCN_INLINE void operator()(Vec<T>& p, const Vec<T>& grad, Vec<T>* s) const {
    const Vec<T> g = descent(p, grad);
    s[0] = rounded<T>(decay * s[0]) + gain * g * g;
    Vec<T> v = s[0];
    if constexpr (CENTERED) {
      s[1] = s[1] + gain * (g - s[1]);
      v = v - s[1] * s[1];
    }
    const Vec<T> root = vsqrt<T>(v) + eps;
    if constexpr (MOMENTUM) {
      s[STATE - 1] = rounded<T>(momentum * s[STATE - 1]) + g / root;
      p = p - lr * s[STATE - 1];
    } else {
      p = p - lr * g / root;
    }
  }
};

// s = the sum of squares
template <class T>
struct Adagrad {
  static constexpr int STATE = 1;
  Descent<T> descent;
  Vec<T> rate, eps;

  Adagrad(const Update& u, const UpdateSettings& c)
      : descent(c), rate(broadcast(T(u.rate))), eps(broadcast(T(c.eps))) {}

  TCN_INLINE void operator()(Vec<T>& p, const Vec<T>& grad, Vec<T>* s) const {
    const Vec<T> g = descent(p, grad);
    s[0] = s[0] + g * g;
    p = p - rate * g / (vsqrt<T>(s[0]) + eps);
  }
};

// s = v, u
template <class T>
struct Adadelta {
  static constexpr int STATE = 2;
  Descent<T> descent;
  Vec<T> lr, decay, gain, eps;

  Adadelta(const Update& u, const UpdateSettings& c)
      : descent(c),
        lr(broadcast(T(u.rate))),
        decay(broadcast(T(c.decay2))),
        gain(broadcast(T(1 - c.decay2))),
        eps(broadcast(T(c.eps))) {}

  TCN_INLINE void operator()(Vec<T>& p, const Vec<T>& grad, Vec<T>* s) const {
    const Vec<T> g = descent(p, grad);
    s[0] = rounded<T>(decay * s[0]) + gain * g * g;
    const Vec<T> d = vsqrt<T>(s[1] + eps) / vsqrt<T>(s[0] + eps) * g;
    s[1] = rounded<T>(decay * s[1]) + gain * d * d;
    p = p - lr * d;
  }
};

// Numbers [from, from + count) of one parameter; the last ones in a vector filled up with zeros.
template <class T, class Rule>
void sweep(const Update* u, const UpdateSettings* settings, int64_t from, int64_t count) {
  constexpr int STATE = Rule::STATE;
  const Rule rule(*u, *settings);
  T* p = static_cast<T*>(u->p) + from;
  const T* grad = static_cast<const T*>(u->grad) + from;
  T* state[3];
  for (int k = 0; k < STATE; ++k) state[k] = static_cast<T*>(u->state[k]) + from;
  TCN_ASSERT(from >= 0 && from + count <= u->size);
  int64_t i = 0;
  for (; i + LANES<T> <= count; i += LANES<T>) {
    Vec<T> x = load(p + i), s[3];
    TCN_UNROLL
    for (int k = 0; k < STATE; ++k) s[k] = load(state[k] + i);
    rule(x, load(grad + i), s);
    TCN_UNROLL
    for (int k = 0; k < STATE; ++k) store(state[k] + i, s[k]);
    store(p + i, x);
  }
  if (const int rest = int(count - i)) {
    Vec<T> x = load_some(p + i, rest), s[3];
    for (int k = 0; k < STATE; ++k) s[k] = load_some(state[k] + i, rest);
    rule(x, load_some(grad + i, rest), s);
    for (int k = 0; k < STATE; ++k) store_some(state[k] + i, s[k], rest);
    store_some(p + i, x, rest);
  }
}

}  // namespace TCN_ISA
