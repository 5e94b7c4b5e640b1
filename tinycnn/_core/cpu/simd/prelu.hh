// PReLU over the rows of x (M, C): see prelu_api.hh.
#pragma once
#include "prelu_api.hh"
#include "rows.hh"

namespace TCN_ISA {

template <class T>
void prelu_tile(const PreluPlan* p, const void* weight, void* tiled_) {
  T* tiled = static_cast<T*>(tiled_);
  for (int64_t j = 0; j < p->width; ++j) tiled[j] = static_cast<const T*>(weight)[j % p->c];
}

// f(place in x, column, n) for n numbers at a time of a chunk, in the order of memory; the last
// folded row may be incomplete.
template <class T, class F>
TCN_INLINE void over_chunk(const PreluPlan& p, int64_t chunk, F f) {
  const int64_t first = chunk * p.chunk_rows * p.c, all = p.rows * p.c;
  const int64_t end = all - first < p.chunk_rows * p.c ? all : first + p.chunk_rows * p.c;
  for (int64_t at = first; at < end; at += p.width)
    over_columns<T>(end - at < p.width ? end - at : p.width,
                    [&](int64_t j, int n) { f(at + j, j, n); });
}

template <class T>
void prelu_forward(const PreluPlan* p, int64_t chunk, const void* x_, const void* tiled, void* y_) {
  const T *x = static_cast<const T*>(x_), *weight = static_cast<const T*>(tiled);
  T* y = static_cast<T*>(y_);
  const Vec<T> zero = broadcast(T(0));
  over_chunk<T>(*p, chunk, [&](int64_t i, int64_t j, int n) {
    const Vec<T> v = take(x + i, n);
    put<T>(y + i, select(v > zero, v, take(weight + j, n) * v), n);
  });
}

template <class T>
void prelu_backward(const PreluPlan* p, int64_t chunk, const void* x_, const void* grad_y_,
                    const void* tiled, void* grad_x_, double* partial, void* scratch) {
  const T *x = static_cast<const T*>(x_), *grad_y = static_cast<const T*>(grad_y_),
          *weight = static_cast<const T*>(tiled);
  T *grad_x = static_cast<T*>(grad_x_), *sums = static_cast<T*>(scratch);
  const Vec<T> zero = broadcast(T(0));
  for (int64_t j = 0; j < p->width; ++j) sums[j] = 0;
  over_chunk<T>(*p, chunk, [&](int64_t i, int64_t j, int n) {
    const Vec<T> v = take(x + i, n), g = take(grad_y + i, n);
    if (grad_x) put<T>(grad_x + i, select(v > zero, g, take(weight + j, n) * g), n);
    put<T>(sums + j, take(sums + j, n) + select(v > zero, zero, v * g), n);
  });
  for (int64_t c = 0; c < p->c; ++c) {
    double sum = 0;
    for (int64_t f = 0; f < p->fold; ++f) sum += double(sums[f * p->c + c]);
    partial[chunk * p->c + c] = sum;
  }
}

template <class T>
void prelu_merge(const PreluPlan* p, const double* partial, void* grad_weight) {
  for (int64_t c = 0; c < p->c; ++c) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < p->chunks; ++chunk) sum += partial[chunk * p->c + c];
    static_cast<T*>(grad_weight)[c] = T(sum);
  }
}

}  // namespace TCN_ISA
