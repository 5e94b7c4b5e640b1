// Pooling: what a kernel is told. A task is a block of pixels of one row: of y in a forward pass,
// of grad_x in a backward pass, where each pixel gathers from the windows that hold it; or, where
// windows do not overlap, a number of rows of them. So every number is written by one thread, and
// summed in one order, for any number of threads.
#pragma once
#include "isa.hh"

// One axis, from shapes.PoolAxis: window i holds start[i], start[i] + step, ... below stop[i].
struct PoolTable {
  int64_t size, out, step, kernel;
  const int64_t *start, *stop, *count;  // [out]
  const int64_t *low, *high;  // [size]: windows low[p] <= i < high[p], some of them, hold p
};

struct PoolPlan {
  PoolTable axis[3];  // D, H, W
  int64_t images, c;
  int64_t block;   // pixels of a task; rows of y if tiled
  int tiled;       // windows lie side by side, each of them whole (pooling_tiled.hh)
  double divisor;  // of averages; 0: the product of the counts
};

// One row of x in a window, or one row of y whose windows hold a pixel.
struct PoolRow {
  int64_t pixel;  // its first pixel, counted from the start of the array
  int64_t place;  // place in the window of the row's first pixel
  double count;   // of a row of y: product of the counts along D and H
};

// Kernels for position of no type (not wanted; forward only), uint8, int32.
enum PoolPosition { NO_POSITION = 0, BYTES = 1, INTS = 2 };

struct PoolKernels {
  using Forward = void (*)(const PoolPlan*, int64_t task, const void* x, void* y, void* position,
                           PoolRow* rows);
  using Backward = void (*)(const PoolPlan*, int64_t task, const void* grad_y, const void* position,
                            void* grad_x, PoolRow* rows);
  Forward max_forward[3];
  Backward max_backward[3];
  Forward avg_forward;
  Backward avg_backward;
};

TCN_TABLE(PoolKernels, pool_kernels)
