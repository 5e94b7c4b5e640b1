// PReLU: what a kernel is told. The memory of x is rows (M, C), cut into chunks by size alone. Few
// channels: `fold` rows are seen as one, x (M / fold, fold * C), so that vectors are full whatever
// C is; the weights are then needed `fold` times in a row: the tiled weights. A chunk leaves a
// double number for each channel.
#pragma once
#include "isa.hh"

struct PreluPlan {
  int64_t rows, c;
  int64_t fold, width;         // width = fold * c: at least 64, and a multiple of 16 if fold > 1
  int64_t chunk_rows, chunks;  // chunk_rows is a multiple of fold
};

// Chunks are as small as float32 adds up to about its last digit. C > 0.
TCN_INLINE PreluPlan prelu_plan(int64_t rows, int64_t c) {
  constexpr int64_t CHUNK_NUMBERS = 8192, LEAST_ROWS = 16;
  PreluPlan p{rows, c, 1, c, LEAST_ROWS, 0};
  while (p.width < 64 || (p.fold > 1 && p.width % 16)) p.width = c * ++p.fold;
  if (CHUNK_NUMBERS / p.width > LEAST_ROWS) p.chunk_rows = CHUNK_NUMBERS / p.width;
  p.chunk_rows *= p.fold;
  p.chunks = (rows + p.chunk_rows - 1) / p.chunk_rows;
  return p;
}

struct PreluKernels {
  // weight (C,) as often as it stands in a folded row.
  void (*tile)(const PreluPlan*, const void* weight, void* tiled);
  void (*forward)(const PreluPlan*, int64_t chunk, const void* x, const void* tiled, void* y);
  // grad_x unless null, and the sum of x * grad_y where x is not > 0 into partial[chunk][c];
  // scratch: width numbers.
  void (*backward)(const PreluPlan*, int64_t chunk, const void* x, const void* grad_y,
                   const void* tiled, void* grad_x, double* partial, void* scratch);
  // All chunks, in their order.
  void (*merge)(const PreluPlan*, const double* partial, void* grad_weight);
};

TCN_TABLE(PreluKernels, prelu_kernels)
