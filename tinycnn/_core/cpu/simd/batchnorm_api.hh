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

constexpr int64_t NORM_CHUNK = 32768;  // numbers of a chunk, about: in the second cache

TCN_INLINE NormPlan norm_plan(int64_t rows, int64_t c) {
  NormPlan p;
  p.rows = rows;
  p.c = c;
  p.fold = 1;
  if (0 < c && c < 64) {
    int64_t common = 1;
    while (common < 16 && c % (2 * common) == 0) common *= 2;
    p.fold = 16 / common;
    while (p.fold * c < 64) p.fold *= 2;
  }
  p.width = p.fold * c;
  const int64_t fit = NORM_CHUNK / (p.width > 0 ? p.width : 1);
  p.chunk_rows = p.fold * (fit > 16 ? fit : 16);
  p.chunks = (rows + p.chunk_rows - 1) / p.chunk_rows;
  return p;
}

// Blocks of tiled numbers [width] that the kernels below read. The first three make the result, the
// others its gradient.
enum NormTiled { MEAN = 0, SCALE = 1, BIAS = 2, SHIFT = 3, SLOPE = 4, NORM_TILED = 5 };

// Scratch of one chunk, in numbers: 3 * (width + NORM_ROOM).
enum { NORM_ROOM = 64 };

// Kernels of a first read take one chunk. Those of a second read take chunks [from, to) and start
// with the last one, which the first read has left in the cache.
struct NormKernels {
  // Mean and sum of (x - mean)^2 into partial[chunk][2][c].
  void (*statistics)(const NormPlan*, int64_t chunk, const void* x, double* partial, void* scratch);
  // Channels [from, to): all chunks into mean and var; partial's first chunk is used up.
  void (*merge_statistics)(const NormPlan*, int64_t from, int64_t to, double* partial, void* mean,
                           void* var);
  // MEAN, SCALE = invstd * weight and BIAS.
  void (*tile_apply)(const NormPlan*, const void* mean, const void* invstd, const void* weight,
                     const void* bias, void* tiled);
  // y = (x - MEAN) * SCALE + BIAS, + residual unless null, rectified if relu.
  void (*apply)(const NormPlan*, int64_t from, int64_t to, const void* x, const void* residual,
                const void* tiled, int relu, void* y);
  // g = grad_y; with relu where y > 0: y computed from x, or given and g written to masked.
  // Sum of g and of g * (x - MEAN) into partial[chunk][2][c].
  void (*sums)(const NormPlan*, int64_t chunk, const void* x, const void* grad_y, const void* y,
               const void* tiled, int relu, void* masked, double* partial, void* scratch);
  // All chunks into the first chunk of partial, and grad_weight and grad_bias.
  void (*merge_sums)(const NormPlan*, int64_t from, int64_t to, double* partial, const void* invstd,
                     void* grad_weight, void* grad_bias);
  // SHIFT and SLOPE, of a tile that has the other blocks.
  void (*tile_gradient)(const NormPlan*, const void* invstd, const double* sums, void* tiled);
  // grad_x = g * SCALE, in training + (x - MEAN) * SLOPE + SHIFT.
  void (*gradient)(const NormPlan*, int64_t from, int64_t to, const void* x, const void* grad_y,
                   const void* tiled, int training, int relu, void* grad_x);
};

TCN_TABLE(NormKernels, norm_kernels)
