// Group norm: what a kernel is told. x is (N, M, C): images, pixels, channels, these in groups.
//
// Images of several pixels or groups are cut into chunks of pixels as batch norm's rows are
// (batchnorm_api.hh): first sums of each channel, then those of a group's channels together. Where
// an image is one row and one group (layer norm), sums run along the row instead.
#pragma once
#include "batchnorm_api.hh"

struct GroupNorm {
  NormPlan image;  // its pixels as rows
  int64_t images, groups;
  double eps;
};

// Null where None is allowed. mean, var (N, G); the rest (N, M, C) or (C,).
struct GroupNormArrays {
  const void *x, *grad_y, *weight, *bias;
  void *mean, *var, *y, *grad_x;
};

struct GroupNormKernels {
  // Bytes of scratch for one task.
  int64_t (*scratch)(const GroupNorm*);

  // Images [from, to), one after the other, each while it is in the cache. backward: sums of
  // grad_y and grad_y * normal over these images into total[2][c].
  void (*forward)(const GroupNorm*, int64_t from, int64_t to, const GroupNormArrays*,
                  void* scratch);
  void (*backward)(const GroupNorm*, int64_t from, int64_t to, const GroupNormArrays*,
                   double* total, void* scratch);

  // The same in steps, for few and large images: a task is a chunk of an image, n * chunks + chunk;
  // partial[task][2][c] is what chunks leave, and merging uses up that of the first chunk.
  void (*statistics)(const GroupNorm*, int64_t task, const GroupNormArrays*, double* partial,
                     void* scratch);
  void (*merge_statistics)(const GroupNorm*, int64_t n, const GroupNormArrays*, double* partial);
  void (*apply)(const GroupNorm*, int64_t task, const GroupNormArrays*, void* scratch);
  void (*sums)(const GroupNorm*, int64_t task, const GroupNormArrays*, double* partial,
               void* scratch);
  void (*merge_sums)(const GroupNorm*, int64_t n, const GroupNormArrays*, double* partial,
                     double* total);
  void (*gradient)(const GroupNorm*, int64_t task, const GroupNormArrays*, const double* partial,
                   void* scratch);

  // Rows [from, to), where an image is a row, which is a group; with `centered` the mean is
  // subtracted. row_backward leaves total[2][c] like backward, unless total is null.
  void (*row_forward)(const GroupNorm*, int64_t from, int64_t to, const GroupNormArrays*,
                      int centered);
  void (*row_backward)(const GroupNorm*, int64_t from, int64_t to, const GroupNormArrays*,
                       int centered, double* total, void* scratch);
};

TCN_TABLE(GroupNormKernels, group_norm_kernels)
