// Group norm of images, by batch norm's kernels on the pixels of one image: these find sums of each
// channel, and apply numbers of one per channel. What is added here is that channels of a group
// have their sums put together, and share their mean and deviation.
#pragma once
#include <cmath>

#include "batchnorm_backward.hh"
#include "group_norm_api.hh"

namespace TCN_ISA {

// What a task has to write on: an image's sums of each chunk, the tiled numbers, batch norm's sums.
template <class T>
struct GroupScratch {
  double* partial;
  T *tiled, *sums;

  TCN_INLINE GroupScratch(const GroupNorm& p, void* memory)
      : partial(static_cast<double*>(memory)),
        tiled(reinterpret_cast<T*>(partial + p.image.chunks * 2 * p.image.c)),
        sums(tiled + NORM_TILED * p.image.width) {}
};

template <class T>
int64_t group_scratch(const GroupNorm* p) {
  return p->image.chunks * 2 * p->image.c * int64_t(sizeof(double)) +
         (NORM_TILED * p->image.width + 3 * sums_size(p->image)) * int64_t(sizeof(T));
}

// Where image n begins, in an array of images and in one of groups.
template <class T>
TCN_INLINE const T* image_of(const GroupNorm& p, const void* array, int64_t n) {
  return static_cast<const T*>(array) + n * p.image.rows * p.image.c;
}

template <class T>
TCN_INLINE T* image_of(const GroupNorm& p, void* array, int64_t n) {
  return static_cast<T*>(array) + n * p.image.rows * p.image.c;
}

template <class T>
TCN_INLINE T* groups_of(const GroupNorm& p, void* array, int64_t n) {
  return static_cast<T*>(array) + n * p.groups;
}

template <class T>
TCN_INLINE T invstd_of(T var, double eps) {
  return T(1 / std::sqrt(double(var) + eps));
}

// op(group, first channel, channels) for each group of an image.
template <class Op>
TCN_INLINE void over_groups(const GroupNorm& p, const Op& op) {
  const int64_t width = p.groups ? p.image.c / p.groups : 0;
  for (int64_t g = 0; g < p.groups; ++g) op(g, g * width, width);
}

template <class T>
TCN_INLINE const T* number_of(const void* array) {
  return static_cast<const T*>(array);
}

// Sum of f(c) for n channels: four sums side by side, which do not wait for one another.
template <class F>
TCN_INLINE double sum_of(int64_t n, const F& f) {
  double sum[4] = {};
  int64_t c = 0;
  for (; c + 4 <= n; c += 4)
    for (int j = 0; j < 4; ++j) sum[j] += f(c + j);
  for (; c < n; ++c) sum[0] += f(c);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

// --- statistics ------------------------------------------------------------------------------

template <class T>
TCN_INLINE void chunk_statistics(const GroupNorm& p, int64_t n, int64_t chunk,
                                 const GroupNormArrays& a, double* partial, T* scratch) {
  norm_statistics<T>(&p.image, chunk, image_of<T>(p, a.x, n), partial, scratch);
}

// A group's mean is that of the means of all chunks and channels, each counted as often as it has
// pixels; each part adds its squares and the distance of its mean.
template <class T>
void merge_image_statistics(const GroupNorm& p, int64_t n, const GroupNormArrays& a,
                            const double* partial) {
  const NormPlan& image = p.image;
  T *mean_out = groups_of<T>(p, a.mean, n), *var_out = groups_of<T>(p, a.var, n);
  over_groups(p, [&](int64_t g, int64_t from, int64_t width) {
    double total = 0, squares = 0;
    for (int64_t chunk = 0; chunk < image.chunks; ++chunk) {
      const double* means = partial + chunk * 2 * image.c + from;
      total += sum_of(width, [&](int64_t c) { return means[c]; }) *
               double(norm_chunk(image, chunk).count);
    }
    const double count = double(image.rows) * double(width);
    const double mean = count > 0 ? total / count : 0;
    for (int64_t chunk = 0; chunk < image.chunks; ++chunk) {
      const double *means = partial + chunk * 2 * image.c + from, *parts = means + image.c;
      const double rows = double(norm_chunk(image, chunk).count);
      squares += sum_of(width, [&](int64_t c) {
        return parts[c] + rows * (means[c] - mean) * (means[c] - mean);
      });
    }
    mean_out[g] = T(mean);
    var_out[g] = count > 0 && !(squares <= 0) ? T(squares / count) : T(0);  // NaN stays
  });
}

// --- forward ---------------------------------------------------------------------------------

// MEAN, SCALE and BIAS of an image; repeated, unless more blocks are to come.
template <class T>
TCN_INLINE void tile_image(const GroupNorm& p, int64_t n, const GroupNormArrays& a, T* tiled) {
  const T *weight = number_of<T>(a.weight), *bias = number_of<T>(a.bias);
  const T *means = groups_of<T>(p, a.mean, n), *vars = groups_of<T>(p, a.var, n);
  T *mean = tiled + MEAN * p.image.width, *scale = tiled + SCALE * p.image.width,
    *shift = tiled + BIAS * p.image.width;
  over_groups(p, [&](int64_t g, int64_t from, int64_t width) {
    const T invstd = invstd_of(vars[g], p.eps);
    for (int64_t c = from; c < from + width; ++c) {
      mean[c] = means[g];
      scale[c] = weight ? invstd * weight[c] : invstd;
      shift[c] = bias ? bias[c] : T(0);
    }
  });
  for (int block = MEAN; block <= BIAS; ++block) repeat(p.image, tiled + block * p.image.width);
}

template <class T>
TCN_INLINE void apply_chunks(const GroupNorm& p, int64_t n, int64_t from, int64_t to,
                             const GroupNormArrays& a, const T* tiled) {
  norm_apply<T>(&p.image, from, to, image_of<T>(p, a.x, n), nullptr, tiled, 0,
                image_of<T>(p, a.y, n));
}

template <class T>
void group_forward(const GroupNorm* p, int64_t from, int64_t to, const GroupNormArrays* a,
                   void* memory) {
  const GroupScratch<T> own(*p, memory);
  const int64_t chunks = p->image.chunks;
  for (int64_t n = from; n < to; ++n) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      chunk_statistics<T>(*p, n, chunk, *a, own.partial, own.sums);
    merge_image_statistics<T>(*p, n, *a, own.partial);
    tile_image<T>(*p, n, *a, own.tiled);
    apply_chunks<T>(*p, n, 0, chunks, *a, own.tiled);
  }
}

// --- backward --------------------------------------------------------------------------------

template <class T>
TCN_INLINE void chunk_sums(const GroupNorm& p, int64_t n, int64_t chunk, const GroupNormArrays& a,
                           const T* tiled, double* partial, T* scratch) {
  norm_sums<T>(&p.image, chunk, image_of<T>(p, a.x, n), image_of<T>(p, a.grad_y, n), nullptr, tiled,
               0, nullptr, partial, scratch);
}

// An image's chunks into the first one; its sums of g and g * normal added to total.
template <class T>
void merge_image_sums(const GroupNorm& p, int64_t n, const GroupNormArrays& a, double* partial,
                      double* total) {
  const int64_t C = p.image.c;
  for (int64_t chunk = 1; chunk < p.image.chunks; ++chunk)
    for (int64_t i = 0; i < 2 * C; ++i) partial[i] += partial[chunk * 2 * C + i];
  const T* vars = groups_of<T>(p, a.var, n);
  if (p.image.chunks == 0) return;
  over_groups(p, [&](int64_t g, int64_t from, int64_t width) {
    const double invstd = invstd_of(vars[g], p.eps);
    for (int64_t c = from; c < from + width; ++c) {
      total[c] += partial[c];
      total[C + c] += partial[C + c] * invstd;
    }
  });
}

// SHIFT and SLOPE, behind the blocks of tile_image. With sums over the channels of a group,
// grad_x = invstd * (weight * g - sum(weight * g) / count
//                    - (x - mean) * invstd^2 * sum(weight * g * (x - mean)) / count)
template <class T>
TCN_INLINE void tile_image_gradient(const GroupNorm& p, int64_t n, const GroupNormArrays& a,
                                    const double* sums, T* tiled) {
  const T *weight = number_of<T>(a.weight), *vars = groups_of<T>(p, a.var, n);
  T *shift = tiled + SHIFT * p.image.width, *slope = tiled + SLOPE * p.image.width;
  over_groups(p, [&](int64_t g, int64_t from, int64_t width) {
    const auto weighted = [&](const double* of) {
      return sum_of(width, [&](int64_t c) {
        return weight ? double(weight[from + c]) * of[c] : of[c];
      });
    };
    const double sum = weighted(sums + from), product = weighted(sums + p.image.c + from);
    const double invstd = invstd_of(vars[g], p.eps), count = double(p.image.rows) * double(width);
    for (int64_t c = from; c < from + width; ++c) {
      shift[c] = T(-invstd * sum / count);
      slope[c] = T(-invstd * invstd * invstd * product / count);
    }
  });
  for (int block = SHIFT; block <= SLOPE; ++block) repeat(p.image, tiled + block * p.image.width);
}

template <class T>
TCN_INLINE void gradient_chunks(const GroupNorm& p, int64_t n, int64_t from, int64_t to,
                                const GroupNormArrays& a, const T* tiled) {
  norm_gradient<T>(&p.image, from, to, image_of<T>(p, a.x, n), image_of<T>(p, a.grad_y, n), tiled,
                   1, 0, image_of<T>(p, a.grad_x, n));
}

template <class T>
void group_backward(const GroupNorm* p, int64_t from, int64_t to, const GroupNormArrays* a,
                    double* total, void* memory) {
  const GroupScratch<T> own(*p, memory);
  const int64_t chunks = p->image.chunks;
  for (int64_t i = 0; i < 2 * p->image.c; ++i) total[i] = 0;
  for (int64_t n = from; n < to; ++n) {
    tile_image<T>(*p, n, *a, own.tiled);
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      chunk_sums<T>(*p, n, chunk, *a, own.tiled, own.partial, own.sums);
    merge_image_sums<T>(*p, n, *a, own.partial, total);
    if (!a->grad_x) continue;
    tile_image_gradient<T>(*p, n, *a, own.partial, own.tiled);
    gradient_chunks<T>(*p, n, 0, chunks, *a, own.tiled);
  }
}

// --- few and large images: a task is a chunk -------------------------------------------------

template <class T>
void group_statistics(const GroupNorm* p, int64_t task, const GroupNormArrays* a, double* partial,
                      void* memory) {
  const int64_t chunks = p->image.chunks, n = task / chunks;
  chunk_statistics<T>(*p, n, task % chunks, *a, partial + n * chunks * 2 * p->image.c,
                      GroupScratch<T>(*p, memory).sums);
}

template <class T>
void group_merge_statistics(const GroupNorm* p, int64_t n, const GroupNormArrays* a,
                            double* partial) {
  merge_image_statistics<T>(*p, n, *a, partial + n * p->image.chunks * 2 * p->image.c);
}

template <class T>
void group_apply(const GroupNorm* p, int64_t task, const GroupNormArrays* a, void* memory) {
  const GroupScratch<T> own(*p, memory);
  const int64_t n = task / p->image.chunks, chunk = task % p->image.chunks;
  tile_image<T>(*p, n, *a, own.tiled);
  apply_chunks<T>(*p, n, chunk, chunk + 1, *a, own.tiled);
}

template <class T>
void group_sums(const GroupNorm* p, int64_t task, const GroupNormArrays* a, double* partial,
                void* memory) {
  const GroupScratch<T> own(*p, memory);
  const int64_t chunks = p->image.chunks, n = task / chunks;
  tile_image<T>(*p, n, *a, own.tiled);
  chunk_sums<T>(*p, n, task % chunks, *a, own.tiled, partial + n * chunks * 2 * p->image.c,
                own.sums);
}

// total: that of this image alone.
template <class T>
void group_merge_sums(const GroupNorm* p, int64_t n, const GroupNormArrays* a, double* partial,
                      double* total) {
  for (int64_t i = 0; i < 2 * p->image.c; ++i) total[i] = 0;
  merge_image_sums<T>(*p, n, *a, partial + n * p->image.chunks * 2 * p->image.c, total);
}

template <class T>
void group_gradient(const GroupNorm* p, int64_t task, const GroupNormArrays* a,
                    const double* partial, void* memory) {
  const GroupScratch<T> own(*p, memory);
  const int64_t chunks = p->image.chunks, n = task / chunks, chunk = task % chunks;
  tile_image<T>(*p, n, *a, own.tiled);
  tile_image_gradient<T>(*p, n, *a, partial + n * chunks * 2 * p->image.c, own.tiled);
  gradient_chunks<T>(*p, n, chunk, chunk + 1, *a, own.tiled);
}

}  // namespace TCN_ISA
