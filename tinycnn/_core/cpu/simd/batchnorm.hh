// Batch norm over the rows of x (M, C): see batchnorm_api.hh for how rows are cut and folded.
//
// Statistics of a chunk, in the number type, twice over while it is in the cache:
//
//     guess = sum(x) / n            as good as a plain sum is
//     s1 = sum(x - guess)           small: what the guess is off by
//     s2 = sum((x - guess)^2)
//     mean = guess + s1 / n,  sum of squared deviations = s2 - s1^2 / n      in double
//
// The subtraction cancels nothing, because guess is close to the mean, not because the mean is
// small. Two sets (n, mean, squares) combine as (Chan, Golub & LeVeque 1983, "Algorithms for
// computing the sample variance", eq. 2.1):
//   delta = mean_b - mean_a,   mean = mean_a + delta * n_b / n,
//                        squares = squares_a + squares_b + delta^2 * n_a * n_b / n.
#pragma once
#include "batchnorm_api.hh"
#include "vec.hh"

namespace TCN_ISA {

#if defined(__GNUC__)
#define TCN_RESTRICT __restrict__
#else
#define TCN_RESTRICT __restrict
#endif

constexpr int BLOCK = 4;  // vectors of columns whose sums are held in registers

// The rows of a chunk as folded rows, and the columns of the last, incomplete one.
struct NormChunk {
  int64_t first, count, rows,
      rest;  // place of its first number; rows; whole folded rows; columns left
};

TCN_INLINE NormChunk norm_chunk(const NormPlan& p, int64_t chunk) {
  const int64_t from = chunk * p.chunk_rows;
  const int64_t count = p.rows - from < p.chunk_rows ? p.rows - from : p.chunk_rows;
  return NormChunk{from * p.c, count, count / p.fold, count % p.fold * p.c};
}

// Calls op(column) for blocks of BLOCK vectors that cover `width` columns; the last may overlap the
// one before it, which only computes some columns twice.
template <class T, class Op>
TCN_INLINE void column_blocks(int64_t width, const Op& op) {
  const int64_t columns = BLOCK * LANES<T>;
  for (int64_t j = 0; j < width; j += columns) op(j + columns <= width ? j : width - columns);
}

// total[j] = sum over rows of x[row][j]
template <class T>
void sum_columns(const NormPlan& p, const NormChunk& k, const T* x, T* total) {
  column_blocks<T>(p.width, [&](int64_t j) {
    Vec<T> sum[BLOCK] = {};
    const T* row = x + j;
    for (int64_t r = 0; r < k.rows; ++r, row += p.width)
      TCN_UNROLL for (int u = 0; u < BLOCK; ++u) sum[u] += load(row + u * LANES<T>);
    TCN_UNROLL for (int u = 0; u < BLOCK; ++u) store(total + j + u * LANES<T>, sum[u]);
  });
  for (int64_t j = 0; j < k.rest; ++j) total[j] += x[k.rows * p.width + j];
}

// first[j] = sum of g, second[j] = sum of g * (x - mean[j]); g is grad_y, or x - mean where
// SQUARES.
template <bool SQUARES, class T>
void sum_products(const NormPlan& p, const NormChunk& k, const T* x, const T* grad, const T* mean,
                  T* first, T* second) {
  column_blocks<T>(p.width, [&](int64_t j) {
    Vec<T> sum[BLOCK] = {}, product[BLOCK] = {}, centre[BLOCK];
    TCN_UNROLL for (int u = 0; u < BLOCK; ++u) centre[u] = load(mean + j + u * LANES<T>);
    for (int64_t r = 0; r < k.rows; ++r) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const int64_t at = r * p.width + j + u * LANES<T>;
        const Vec<T> deviation = load(x + at) - centre[u];
        const Vec<T> g = SQUARES ? deviation : load(grad + at);
        sum[u] += g;
        product[u] += g * deviation;
      }
    TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
      store(first + j + u * LANES<T>, sum[u]);
      store(second + j + u * LANES<T>, product[u]);
    }
  });
  for (int64_t j = 0; j < k.rest; ++j) {
    const int64_t at = k.rows * p.width + j;
    const T deviation = x[at] - mean[j], g = SQUARES ? deviation : grad[at];
    first[j] += g;
    second[j] += g * deviation;
  }
}

// Sum of a tiled number over its `fold` places.
template <class T>
TCN_INLINE double unfold(const NormPlan& p, const T* tiled, int64_t c) {
  double sum = 0;
  for (int64_t f = 0; f < p.fold; ++f) sum += double(tiled[f * p.c + c]);
  return sum;
}

// The first c of `tiled` to all its places.
template <class T>
TCN_INLINE void repeat(const NormPlan& p, T* tiled) {
  for (int64_t j = p.c; j < p.width; ++j) tiled[j] = tiled[j - p.c];
}

// --- statistics ------------------------------------------------------------------------------

template <class T>
void norm_statistics(const NormPlan* p, int64_t chunk, const void* x_, double* partial,
                     void* scratch) {
  const NormChunk k = norm_chunk(*p, chunk);
  const T* x = static_cast<const T*>(x_) + k.first;
  T *guess = static_cast<T*>(scratch), *s1 = guess + p->width, *s2 = s1 + p->width;
  double *mean = partial + chunk * 2 * p->c, *squares = mean + p->c;
  const double n = double(k.count);
  sum_columns(*p, k, x, s1);
  for (int64_t c = 0; c < p->c; ++c) guess[c] = T(unfold(*p, s1, c) / n);
  repeat(*p, guess);
  sum_products<true>(*p, k, x, static_cast<const T*>(nullptr), guess, s1, s2);
  for (int64_t c = 0; c < p->c; ++c) {
    const double off = unfold(*p, s1, c);
    mean[c] = double(guess[c]) + off / n;
    squares[c] = unfold(*p, s2, c) - off * off / n;
  }
}

template <class T>
void norm_merge_statistics(const NormPlan* p, int64_t from, int64_t to, double* partial,
                           void* mean_, void* var_) {
  T *mean_out = static_cast<T*>(mean_), *var = static_cast<T*>(var_);
  double *TCN_RESTRICT mean = partial, *TCN_RESTRICT squares = partial + p->c;
  double n = p->chunks ? double(norm_chunk(*p, 0).count) : 1;
  for (int64_t chunk = 1; chunk < p->chunks; ++chunk) {
    const double* TCN_RESTRICT other = partial + chunk * 2 * p->c;
    const double more = double(norm_chunk(*p, chunk).count), all = n + more;
    const double share = more / all, weight = n * more / all;
    for (int64_t c = from; c < to; ++c) {
      const double delta = other[c] - mean[c];
      mean[c] += delta * share;
      squares[c] += other[p->c + c] + delta * delta * weight;
    }
    n = all;
  }
  for (int64_t c = from; c < to; ++c) {
    mean_out[c] = p->chunks ? T(mean[c]) : T(0);
    var[c] = p->chunks && !(squares[c] <= 0) ? T(squares[c] / n) : T(0);  // NaN stays
  }
}

// --- forward ---------------------------------------------------------------------------------

template <class T>
void norm_tile_apply(const NormPlan* p, const void* mean, const void* invstd, const void* weight,
                     const void* bias, void* tiled) {
  T* to = static_cast<T*>(tiled);
  for (int64_t c = 0; c < p->c; ++c) {
    to[MEAN * p->width + c] = static_cast<const T*>(mean)[c];
    to[SCALE * p->width + c] = static_cast<const T*>(invstd)[c];
    if (weight) to[SCALE * p->width + c] *= static_cast<const T*>(weight)[c];
    to[SHIFT * p->width + c] = bias ? static_cast<const T*>(bias)[c] : T(0);
  }
  for (int block = MEAN; block <= SHIFT; ++block) repeat(*p, to + block * p->width);
}

template <class T>
TCN_INLINE void apply_row(int64_t n, const T* TCN_RESTRICT x, const T* TCN_RESTRICT mean,
                          const T* TCN_RESTRICT scale, const T* TCN_RESTRICT shift,
                          T* TCN_RESTRICT y) {
  for (int64_t j = 0; j < n; ++j) y[j] = (x[j] - mean[j]) * scale[j] + shift[j];
}

template <class T>
void norm_apply(const NormPlan* p, int64_t chunk, const void* x, const void* tiled, void* y) {
  const NormChunk k = norm_chunk(*p, chunk);
  const T *from = static_cast<const T*>(x) + k.first, *t = static_cast<const T*>(tiled);
  T* to = static_cast<T*>(y) + k.first;
  for (int64_t r = 0; r <= k.rows; ++r, from += p->width, to += p->width)
    apply_row(r < k.rows ? p->width : k.rest, from, t, t + SCALE * p->width, t + SHIFT * p->width,
              to);
}

// --- backward --------------------------------------------------------------------------------

template <class T>
void norm_sums(const NormPlan* p, int64_t chunk, const void* x, const void* grad_y,
               const void* tiled, double* partial, void* scratch) {
  const NormChunk k = norm_chunk(*p, chunk);
  T *first = static_cast<T*>(scratch), *second = first + p->width;
  sum_products<false>(*p, k, static_cast<const T*>(x) + k.first,
                      static_cast<const T*>(grad_y) + k.first,
                      static_cast<const T*>(tiled) + MEAN * p->width, first, second);
  for (int64_t c = 0; c < p->c; ++c) {
    partial[chunk * 2 * p->c + c] = unfold(*p, first, c);
    partial[(chunk * 2 + 1) * p->c + c] = unfold(*p, second, c);
  }
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

// grad_x = weight * invstd *
//          (grad_y - sum(grad_y) / M - (x - mean) * invstd^2 * sum(grad_y (x - mean)) / M)
template <class T>
void norm_tile_gradient(const NormPlan* p, const void* mean, const void* invstd, const void* weight,
                        const double* sums, void* tiled) {
  T* to = static_cast<T*>(tiled);
  for (int64_t c = 0; c < p->c; ++c) {
    const double s = static_cast<const T*>(invstd)[c], rows = double(p->rows);
    const double scale = s * (weight ? double(static_cast<const T*>(weight)[c]) : 1.0);
    to[MEAN * p->width + c] = static_cast<const T*>(mean)[c];
    to[SCALE * p->width + c] = T(scale);
    to[SHIFT * p->width + c] = sums ? T(-scale * sums[c] / rows) : T(0);
    to[SLOPE * p->width + c] = sums ? T(-scale * s * s * sums[p->c + c] / rows) : T(0);
  }
  for (int block = MEAN; block < NORM_TILED; ++block) repeat(*p, to + block * p->width);
}

template <class T>
TCN_INLINE void gradient_row(int64_t n, const T* TCN_RESTRICT x, const T* TCN_RESTRICT grad_y,
                             const T* TCN_RESTRICT mean, const T* TCN_RESTRICT scale,
                             const T* TCN_RESTRICT shift, const T* TCN_RESTRICT slope,
                             T* TCN_RESTRICT grad_x) {
  for (int64_t j = 0; j < n; ++j)
    grad_x[j] = grad_y[j] * scale[j] + ((x[j] - mean[j]) * slope[j] + shift[j]);
}

template <class T>
void norm_gradient(const NormPlan* p, int64_t chunk, const void* x_, const void* grad_y,
                   const void* tiled, void* grad_x) {
  const NormChunk k = norm_chunk(*p, chunk);
  const T *x = static_cast<const T*>(x_) + k.first, *g = static_cast<const T*>(grad_y) + k.first;
  const T* t = static_cast<const T*>(tiled);
  T* to = static_cast<T*>(grad_x) + k.first;
  const int64_t w = p->width;
  for (int64_t r = 0; r <= k.rows; ++r, x += w, g += w, to += w)
    gradient_row(r < k.rows ? w : k.rest, x, g, t, t + SCALE * w, t + SHIFT * w, t + SLOPE * w, to);
}

template <class T>
TCN_INLINE void scale_row(int64_t n, const T* TCN_RESTRICT x, const T* TCN_RESTRICT scale,
                          T* TCN_RESTRICT y) {
  for (int64_t j = 0; j < n; ++j) y[j] = x[j] * scale[j];
}

template <class T>
void norm_scale(const NormPlan* p, int64_t chunk, const void* grad_y, const void* tiled,
                void* grad_x) {
  const NormChunk k = norm_chunk(*p, chunk);
  const T *g = static_cast<const T*>(grad_y) + k.first, *t = static_cast<const T*>(tiled);
  T* to = static_cast<T*>(grad_x) + k.first;
  for (int64_t r = 0; r <= k.rows; ++r, g += p->width, to += p->width)
    scale_row(r < k.rows ? p->width : k.rest, g, t + SCALE * p->width, to);
}

}  // namespace TCN_ISA
