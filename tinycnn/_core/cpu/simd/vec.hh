// One vector register of numbers, by the compiler's vector extensions: the same source becomes SSE,
// AVX2, AVX-512 or NEON. A compiler without them gets a struct of lanes and plain loops.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#include "isa.hh"

#if defined(__GNUC__) && defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define TCN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define TCN_VECTOR_BYTES 32
#else
#define TCN_VECTOR_BYTES 16
#endif

#if defined(__GNUC__) && !defined(TCN_PLAIN_VECTORS)
#define TCN_GNU_VECTORS 1
#endif
#if defined(__GNUC__)
#define TCN_SQRTF __builtin_sqrtf
#define TCN_SQRT __builtin_sqrt
#define TCN_UNROLL _Pragma("GCC unroll 32")
#else
#include <cmath>
#define TCN_SQRTF sqrtf
#define TCN_SQRT sqrt
#define TCN_UNROLL
#endif

namespace TCN_ISA {

template <class T>
constexpr int LANES = TCN_VECTOR_BYTES / sizeof(T);

#ifdef TCN_GNU_VECTORS

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(TCN_VECTOR_BYTES)));
};
template <class T>
using Vec = typename VectorOf<T>::type;

template <class T>
TCN_INLINE Vec<T> broadcast(T value) {
  return value - Vec<T>{};  // value - 0: exact for every value, -0 and NaN included
}

// Comparisons of vectors give a mask, those of numbers a bool; select takes a where it is set, else
// b.
template <class Mask, class V>
TCN_INLINE V select(Mask mask, V a, V b) {
  return mask ? a : b;
}

#else

template <class T>
struct Vec {
  T lane[LANES<T>];
  TCN_INLINE T& operator[](int i) { return lane[i]; }
  TCN_INLINE const T& operator[](int i) const { return lane[i]; }
};
template <class T>
struct MaskOf {
  bool lane[LANES<T>];
};

#define TCN_OPERATOR(Result, op)                                           \
  template <class T>                                                       \
  TCN_INLINE Result<T> operator op(const Vec<T>& a, const Vec<T>& b) {     \
    Result<T> r;                                                           \
    for (int i = 0; i < LANES<T>; ++i) r.lane[i] = a.lane[i] op b.lane[i]; \
    return r;                                                              \
  }
TCN_OPERATOR(Vec, +)
TCN_OPERATOR(Vec, -)
TCN_OPERATOR(Vec, *)
TCN_OPERATOR(Vec, /)
TCN_OPERATOR(MaskOf, <)
TCN_OPERATOR(MaskOf, >)
TCN_OPERATOR(MaskOf, <=)
TCN_OPERATOR(MaskOf, >=)
TCN_OPERATOR(MaskOf, ==)
TCN_OPERATOR(MaskOf, !=)
#undef TCN_OPERATOR
template <class T>
TCN_INLINE Vec<T>& operator+=(Vec<T>& a, const Vec<T>& b) {
  return a = a + b;
}
template <class T>
TCN_INLINE Vec<T> broadcast(T value) {
  Vec<T> r;
  for (int i = 0; i < LANES<T>; ++i) r.lane[i] = value;
  return r;
}
template <class M>
TCN_INLINE MaskOf<M> operator|(const MaskOf<M>& a, const MaskOf<M>& b) {
  MaskOf<M> r;
  for (int i = 0; i < LANES<M>; ++i) r.lane[i] = a.lane[i] || b.lane[i];
  return r;
}
template <class M, class T>  // M as wide as T: numbers may choose places
TCN_INLINE Vec<T> select(const MaskOf<M>& mask, const Vec<T>& a, const Vec<T>& b) {
  Vec<T> r;
  for (int i = 0; i < LANES<T>; ++i) r.lane[i] = mask.lane[i] ? a.lane[i] : b.lane[i];
  return r;
}
template <class T>
TCN_INLINE T select(bool mask, T a, T b) {
  return mask ? a : b;
}

#endif

template <class T>
TCN_INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Ask for memory that will be read, or written, soon: never wrong, whatever the address.
TCN_INLINE void prefetch([[maybe_unused]] const void* p) {
#ifdef __GNUC__
  __builtin_prefetch(p);
#endif
}

TCN_INLINE void prefetch_to_write([[maybe_unused]] const void* p) {
#ifdef __GNUC__
  __builtin_prefetch(p, 1);
#endif
}

template <class T>
TCN_INLINE void store(T* p, const Vec<T>& v) {
  std::memcpy(p, &v, sizeof v);
}

// KEEP holds a vector in a register: a compiler may otherwise load it anew for every use. FORGET
// hides where an address came from: in a long unrolled body, a compiler may otherwise keep hundreds
// of sums of addresses on the stack.
#if defined(TCN_GNU_VECTORS) && defined(__x86_64__)
#define TCN_KEEP(v) asm("" : "+v"(v))
#define TCN_FORGET(p) asm("" : "+r"(p))
#elif defined(TCN_GNU_VECTORS) && defined(__aarch64__)
#define TCN_KEEP(v) asm("" : "+w"(v))
#define TCN_FORGET(p) asm("" : "+r"(p))
#else
#define TCN_KEEP(v) ((void)0)
#define TCN_FORGET(p) ((void)0)
#endif

// The first n lanes, n fewer than all; the rest is read as zero, and not written. AVX-512 has masks
// for that, which no vector extension names. Elsewhere n lanes move in powers of two, so that every
// move is of a constant size; but a vector that was just stored in pieces is loaded late.
#if defined(TCN_GNU_VECTORS) && defined(__AVX512F__)
TCN_INLINE Vec<float> load_some(const float* p, int n) {
  return _mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
}
TCN_INLINE Vec<double> load_some(const double* p, int n) {
  return _mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
}
TCN_INLINE void store_some(float* p, const Vec<float>& v, int n) {
  _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), v);
}
TCN_INLINE void store_some(double* p, const Vec<double>& v, int n) {
  _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), v);
}
#else
template <class T, int STEP = LANES<T> / 2>
TCN_INLINE void move_some(T* to, const T* from, int n) {
  if constexpr (STEP > 0) {
    if (n & STEP) {
      std::memcpy(to, from, STEP * sizeof(T));
      to += STEP;
      from += STEP;
    }
    move_some<T, STEP / 2>(to, from, n);
  }
}

template <class T>
TCN_INLINE Vec<T> load_some(const T* p, int n) {
  T lanes[LANES<T>] = {};
  move_some(lanes, p, n);
  return load(lanes);
}

template <class T>
TCN_INLINE void store_some(T* p, const Vec<T>& v, int n) {
  T lanes[LANES<T>];
  store(lanes, v);
  move_some(p, lanes, n);
}
#endif

// The larger, the smaller of each pair; b where one is NaN.
template <class V>
TCN_INLINE V vmax(V a, V b) {
  return select(a > b, a, b);
}

template <class V>
TCN_INLINE V vmin(V a, V b) {
  return select(a < b, a, b);
}

// Negative numbers become 0; NaN stays.
template <class V>
TCN_INLINE V rectified(V v) {
  return select(v <= V{}, V{}, v);
}

// Square root of every lane; the compiler turns the loop into one instruction.
template <class T>
TCN_INLINE Vec<T> vsqrt(Vec<T> v) {
  for (int i = 0; i < LANES<T>; ++i)
    v[i] = sizeof(T) == 4 ? T(TCN_SQRTF(float(v[i]))) : T(TCN_SQRT(double(v[i])));
  return v;
}

// Each lane combined with all others by `f`, halves first: the result stands in every lane.
#if defined(TCN_GNU_VECTORS) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define TCN_SHUFFLES 1
#endif
#endif
#ifdef TCN_SHUFFLES
template <int HALF, class V, int... LANE>
TCN_INLINE V exchange(V v, std::integer_sequence<int, LANE...>) {
  return __builtin_shufflevector(v, v, (LANE ^ HALF)...);
}

template <class T, int HALF = LANES<T> / 2, class F>
TCN_INLINE Vec<T> fold(Vec<T> v, F f) {
  if constexpr (HALF == 0)
    return v;
  else
    return fold<T, HALF / 2>(f(v, exchange<HALF>(v, std::make_integer_sequence<int, LANES<T>>())),
                             f);
}
#else
template <class T, class F>
TCN_INLINE Vec<T> fold(Vec<T> v, F f) {
  for (int half = LANES<T> / 2; half > 0; half /= 2) {
    Vec<T> other;
    for (int i = 0; i < LANES<T>; ++i) other[i] = v[i ^ half];
    v = f(v, other);
  }
  return v;
}
#endif

template <class T>
TCN_INLINE Vec<T> fold_sum(const Vec<T>& v) {
  return fold<T>(v, [](const Vec<T>& a, const Vec<T>& b) { return a + b; });
}

// Sum of the lanes, halves first: one fixed order.
template <class T>
TCN_INLINE T sum_lanes(const Vec<T>& v) {
  return fold_sum<T>(v)[0];
}

}  // namespace TCN_ISA
