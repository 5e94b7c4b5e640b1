// Gradients of batch norm, with a ReLU behind it or a residual sum and a ReLU.
//
// Two reads, since grad_x of every number depends on two sums over its whole channel:
//
//     sums        x, g            ->  sum(g), sum(g (x - mean))
//     gradient    x, g            ->  grad_x
//
// g is the gradient of what batch norm gave. Behind a ReLU it is grad_y where y > 0: y is computed
// again from x, a multiply-add in registers instead of a third array from memory. Behind a residual
// sum, x alone does not know y: y is read, and g, which is the residual's gradient, is written for
// the second read.
#pragma once
#include "batchnorm.hh"

namespace TCN_ISA {

// Where g comes from.
enum Gradient { PLAIN, FROM_X, FROM_Y };

template <class V>
TCN_INLINE V passed(V y, V grad_y, V zero) {
  return select(y <= zero, zero, grad_y);  // where y is NaN the gradient passes, as in PyTorch
}

template <class T>
struct NormArrays {  // at the first number of a chunk
  const T *x, *grad_y, *y;
  T* masked;
};

template <Gradient FROM, class T>
void sums_chunk(const NormPlan& p, const NormChunk& k, const NormArrays<T>& a, const T* t, T* first,
                T* second) {
  const T *mean = t + MEAN * p.width, *scale = t + SCALE * p.width, *bias = t + BIAS * p.width;
  const Vec<T> zero = broadcast(T(0));
  clear(first, sums_size(p));
  clear(second, sums_size(p));
  walk_rows<T>(p, k, [&](int64_t at, int64_t j, int64_t rows, int64_t place) {
    const Block<T> m = Block<T>::of(mean + j), s = Block<T>::of(scale + j),
                   b = Block<T>::of(bias + j);
    Block<T> sum = Block<T>::of(first + place), product = Block<T>::of(second + place);
    for (int64_t r = 0; r < rows; ++r, at += p.width) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const int64_t i = at + u * LANES<T>;
        const Vec<T> x = stream(a.x + i);
        Vec<T> g = stream(a.grad_y + i);
        if constexpr (FROM == FROM_X) g = passed(normal(x, m.v[u], s.v[u], b.v[u]), g, zero);
        if constexpr (FROM == FROM_Y) stream_to(a.masked + i, g = passed(stream(a.y + i), g, zero));
        sum.v[u] += g;
        product.v[u] += g * (x - m.v[u]);
      }
    sum.to(first + place);
    product.to(second + place);
  });
  settle(p, first);
  settle(p, second);
  for (int64_t j = 0, i = k.rows * p.width; j < k.rest; ++j, ++i) {
    T g = a.grad_y[i];
    if constexpr (FROM == FROM_X) g = passed(normal(a.x[i], mean[j], scale[j], bias[j]), g, T(0));
    if constexpr (FROM == FROM_Y) a.masked[i] = g = passed(a.y[i], g, T(0));
    first[j] += g;
    second[j] += g * (a.x[i] - mean[j]);
  }
}

template <class T>
void norm_sums(const NormPlan* p, int64_t chunk, const void* x, const void* grad_y, const void* y,
               const void* tiled, int relu, void* masked, double* partial, void* scratch) {
  const NormChunk k = norm_chunk(*p, chunk);
  T *first = static_cast<T*>(scratch), *second = first + sums_size(*p);
  const auto run = y ? sums_chunk<FROM_Y, T> : relu ? sums_chunk<FROM_X, T> : sums_chunk<PLAIN, T>;
  run(*p, k,
      NormArrays<T>{static_cast<const T*>(x) + k.first, static_cast<const T*>(grad_y) + k.first,
                    y ? static_cast<const T*>(y) + k.first : nullptr,
                    y ? static_cast<T*>(masked) + k.first : nullptr},
      static_cast<const T*>(tiled), first, second);
  unfold(*p, first, partial + chunk * 2 * p->c);
  unfold(*p, second, partial + (chunk * 2 + 1) * p->c);
}

template <class T>
void norm_merge_sums(const NormPlan* p, int64_t from, int64_t to, double* partial,
                     const void* invstd, void* grad_weight, void* grad_bias) {
  for (int64_t c = from; c < to; ++c) {
    if (p->chunks == 0) partial[c] = partial[p->c + c] = 0;
    for (int64_t chunk = 1; chunk < p->chunks; ++chunk) {
      partial[c] += partial[chunk * 2 * p->c + c];
      partial[p->c + c] += partial[(chunk * 2 + 1) * p->c + c];
    }
    static_cast<T*>(grad_bias)[c] = T(partial[c]);
    static_cast<T*>(grad_weight)[c] =
        T(partial[p->c + c] * double(static_cast<const T*>(invstd)[c]));
  }
}

// grad_x = weight * invstd * (g - sum(g) / M - (x - mean) * invstd^2 * sum(g (x - mean)) / M)
template <class T>
void norm_tile_gradient(const NormPlan* p, const void* invstd, const double* sums, void* tiled) {
  T* to = static_cast<T*>(tiled);
  for (int64_t c = 0; c < p->c; ++c) {
    const double s = static_cast<const T*>(invstd)[c], rows = double(p->rows);
    const double scale = to[SCALE * p->width + c];
    to[SHIFT * p->width + c] = T(-scale * sums[c] / rows);
    to[SLOPE * p->width + c] = T(-scale * s * s * sums[p->c + c] / rows);
  }
  for (int block = SHIFT; block <= SLOPE; ++block) repeat(*p, to + block * p->width);
}

template <bool TRAINING, bool RELU, class T>
void gradient_chunk(const NormPlan& p, const NormChunk& k, const T* x, const T* grad_y, const T* t,
                    T* grad_x) {
  const T *mean = t + MEAN * p.width, *scale = t + SCALE * p.width, *bias = t + BIAS * p.width,
          *shift = t + SHIFT * p.width, *slope = t + SLOPE * p.width;
  const Vec<T> zero = broadcast(T(0));
  walk_rows<T>(p, k, [&](int64_t at, int64_t j, int64_t rows, int64_t) {
    const Block<T> m = Block<T>::of(mean + j), s = Block<T>::of(scale + j),
                   b = Block<T>::of(bias + j), c = Block<T>::of(shift + j),
                   d = Block<T>::of(slope + j);
    for (int64_t r = 0; r < rows; ++r, at += p.width) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const int64_t i = at + u * LANES<T>;
        Vec<T> g = stream(grad_y + i);
        const Vec<T> v = TRAINING || RELU ? stream(x + i) : zero;
        if constexpr (RELU) g = passed(normal(v, m.v[u], s.v[u], b.v[u]), g, zero);
        g = g * s.v[u];
        if constexpr (TRAINING) g += (v - m.v[u]) * d.v[u] + c.v[u];
        stream_to(grad_x + i, g);
      }
  });
  for (int64_t j = 0, i = k.rows * p.width; j < k.rest; ++j, ++i) {
    T g = grad_y[i];
    if constexpr (RELU) g = passed(normal(x[i], mean[j], scale[j], bias[j]), g, T(0));
    g = g * scale[j];
    if constexpr (TRAINING) g += (x[i] - mean[j]) * slope[j] + shift[j];
    grad_x[i] = g;
  }
}

template <class T>
void norm_gradient(const NormPlan* p, int64_t from, int64_t to, const void* x, const void* grad_y,
                   const void* tiled, int training, int relu, void* grad_x) {
  const auto run = training
                       ? (relu ? gradient_chunk<true, true, T> : gradient_chunk<true, false, T>)
                       : (relu ? gradient_chunk<false, true, T> : gradient_chunk<false, false, T>);
  for (int64_t chunk = to - 1; chunk >= from; --chunk) {
    const NormChunk k = norm_chunk(*p, chunk);
    run(*p, k, static_cast<const T*>(x) + k.first, static_cast<const T*>(grad_y) + k.first,
        static_cast<const T*>(tiled), static_cast<T*>(grad_x) + k.first);
  }
}

}  // namespace TCN_ISA
