// PReLU over the rows of x (M, C): see prelu_api.hh.
#pragma once
#include "batchnorm.hh"
#include "prelu_api.hh"

namespace TCN_ISA {

template <class T>
void prelu_tile(const NormPlan* p, const void* weight, void* tiled) {
  std::memcpy(tiled, weight, p->c * sizeof(T));
  repeat(*p, static_cast<T*>(tiled));
}

template <class V>
TCN_INLINE V sloped(V x, V v, V zero, V weight) {
  return select(x > zero, v, weight * v);
}

template <class T>
void prelu_forward(const NormPlan* p, int64_t chunk, const void* x_, const void* tiled, void* y_) {
  const NormChunk k = norm_chunk(*p, chunk);
  const T *x = static_cast<const T*>(x_) + k.first, *weight = static_cast<const T*>(tiled);
  T* y = static_cast<T*>(y_) + k.first;
  const Vec<T> zero = broadcast(T(0));
  walk<T>(*p, k, [&](int64_t at, int64_t j, int64_t rows, int64_t) {
    const Block<T> w = Block<T>::of(weight + j);
    for (int64_t r = 0; r < rows; ++r, at += p->width) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const int64_t i = at + u * LANES<T>;
        const Vec<T> v = stream(x + i);
        stream_to(y + i, sloped(v, v, zero, w.v[u]));
      }
  });
  for (int64_t j = 0, i = k.rows * p->width; j < k.rest; ++j, ++i)
    y[i] = sloped(x[i], x[i], T(0), weight[j]);
}

template <bool WANTS_X, class T>
void prelu_backward_chunk(const NormPlan& p, const NormChunk& k, const T* x, const T* grad_y,
                          const T* weight, T* grad_x, T* sums) {
  const Vec<T> zero = broadcast(T(0));
  clear(sums, sums_size(p));
  walk<T>(p, k, [&](int64_t at, int64_t j, int64_t rows, int64_t place) {
    const Block<T> w = Block<T>::of(weight + j);
    Block<T> sum = Block<T>::of(sums + place);
    for (int64_t r = 0; r < rows; ++r, at += p.width) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const int64_t i = at + u * LANES<T>;
        const Vec<T> v = stream(x + i), g = stream(grad_y + i);
        if constexpr (WANTS_X) stream_to(grad_x + i, sloped(v, g, zero, w.v[u]));
        sum.v[u] += select(v > zero, zero, v * g);
      }
    sum.to(sums + place);
  });
  settle(p, sums);
  for (int64_t j = 0, i = k.rows * p.width; j < k.rest; ++j, ++i) {
    if constexpr (WANTS_X) grad_x[i] = sloped(x[i], grad_y[i], T(0), weight[j]);
    sums[j] += x[i] > T(0) ? T(0) : x[i] * grad_y[i];
  }
}

template <class T>
void prelu_backward(const NormPlan* p, int64_t chunk, const void* x, const void* grad_y,
                    const void* tiled, void* grad_x, double* partial, void* scratch) {
  const NormChunk k = norm_chunk(*p, chunk);
  T* sums = static_cast<T*>(scratch);
  const auto run = grad_x ? prelu_backward_chunk<true, T> : prelu_backward_chunk<false, T>;
  run(*p, k, static_cast<const T*>(x) + k.first, static_cast<const T*>(grad_y) + k.first,
      static_cast<const T*>(tiled), grad_x ? static_cast<T*>(grad_x) + k.first : nullptr, sums);
  for (int64_t c = 0; c < p->c; ++c) partial[chunk * p->c + c] = unfold(*p, sums, c);
}

template <class T>
void prelu_merge(const NormPlan* p, const double* partial, void* grad_weight) {
  for (int64_t c = 0; c < p->c; ++c) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < p->chunks; ++chunk) sum += partial[chunk * p->c + c];
    static_cast<T*>(grad_weight)[c] = T(sum);
  }
}

}  // namespace TCN_ISA
