// PReLU: what a kernel is told. The memory of x is rows (M, C), cut into chunks and folded as those
// of batch norm (batchnorm_api.hh); a chunk leaves a double number for each channel.
#pragma once
#include "batchnorm_api.hh"

// Cut by size alone, into chunks that float32 adds up to about its last digit. C > 0.
TCN_INLINE NormPlan prelu_plan(int64_t rows, int64_t c) {
  constexpr int64_t CHUNK_NUMBERS = 8192;
  NormPlan p{rows, c, 1, c, 16, 0};
  while (p.width < 64 || (p.fold > 1 && p.width % 16)) p.width = c * ++p.fold;
  if (CHUNK_NUMBERS / p.width > 16) p.chunk_rows = CHUNK_NUMBERS / p.width;
  p.chunk_rows *= p.fold;
  p.chunks = (rows + p.chunk_rows - 1) / p.chunk_rows;
  return p;
}

struct PreluKernels {
  // weight (C,) as often as it stands in a folded row.
  void (*tile)(const NormPlan*, const void* weight, void* tiled);
  void (*forward)(const NormPlan*, int64_t chunk, const void* x, const void* tiled, void* y);
  // grad_x unless null, and the sum of x * grad_y where x is not > 0 into partial[chunk][c];
  // scratch: width + NORM_ROOM numbers.
  void (*backward)(const NormPlan*, int64_t chunk, const void* x, const void* grad_y,
                   const void* tiled, void* grad_x, double* partial, void* scratch);
  // All chunks, in their order.
  void (*merge)(const NormPlan*, const double* partial, void* grad_weight);
};

TCN_TABLE(PreluKernels, prelu_kernels)
