// Batch norm: what a kernel is told. The rows of x (M, C) are cut into chunks by size alone, never
// by the number of threads. A chunk stays in the cache while it is read twice, and leaves two
// double numbers per channel, which are then combined in the order of the chunks.
//
// Few channels: `fold` rows are seen as one, x (M / fold, fold * C), so that vectors are full
// whatever C is. Numbers of one per channel are then needed `fold` times in a row: the tiled
// numbers.
#pragma once
#include "isa.hh"

struct NormPlan {
  int64_t rows, c;
  int64_t fold, width;         // width = fold * c: at least 64, and a multiple of 16 if fold > 1
  int64_t chunk_rows, chunks;  // chunk_rows is a multiple of fold
};

// Blocks of tiled numbers [width] that the kernels below read.
enum NormTiled { MEAN = 0, SCALE = 1, SHIFT = 2, SLOPE = 3, NORM_TILED = 4 };

struct NormKernels {
  // Of one chunk: mean and sum of (x - mean)^2 into partial[chunk][2][c]. scratch: 3 * width
  // numbers.
  void (*statistics)(const NormPlan*, int64_t chunk, const void* x, double* partial, void* scratch);
  // Channels [from, to): all chunks into mean and var; partial's first chunk is used up.
  void (*merge_statistics)(const NormPlan*, int64_t from, int64_t to, double* partial, void* mean,
                           void* var);
  // Tiled numbers of y = (x - MEAN) * SCALE + SHIFT.
  void (*tile_apply)(const NormPlan*, const void* mean, const void* invstd, const void* weight,
                     const void* bias, void* tiled);
  void (*apply)(const NormPlan*, int64_t chunk, const void* x, const void* tiled, void* y);
  // Of one chunk: sum of grad_y and of grad_y * (x - MEAN) into partial[chunk][2][c]; scratch
  // likewise.
  void (*sums)(const NormPlan*, int64_t chunk, const void* x, const void* grad_y, const void* tiled,
               double* partial, void* scratch);
  // All chunks into the first chunk of partial, and grad_weight and grad_bias.
  void (*merge_sums)(const NormPlan*, int64_t from, int64_t to, double* partial, const void* invstd,
                     void* grad_weight, void* grad_bias);
  // Tiled numbers of grad_x = grad_y * SCALE + (x - MEAN) * SLOPE + SHIFT; sums null: SLOPE = SHIFT
  // = 0.
  void (*tile_gradient)(const NormPlan*, const void* mean, const void* invstd, const void* weight,
                        const double* sums, void* tiled);
  void (*gradient)(const NormPlan*, int64_t chunk, const void* x, const void* grad_y,
                   const void* tiled, void* grad_x);
  void (*scale)(const NormPlan*, int64_t chunk, const void* grad_y, const void* tiled,
                void* grad_x);
};

TCN_TABLE(NormKernels, norm_kernels)
