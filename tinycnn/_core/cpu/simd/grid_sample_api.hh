// Sampling at the places of a grid: what a kernel is told. See reference/grid_sample.py.
#pragma once
#include "isa.hh"

enum GridPadding { ZEROS = 0, BORDER = 1, REFLECTION = 2 };

struct GridPlan {
  int64_t images, c, places;  // places of y in an image
  int64_t size[3];            // D, H, W of x
  int64_t row;                // places of a task
  int axes;                   // numbers of the grid for a place: 2 or 3
  int padding;                // GridPadding
  int align_corners;
};

struct GridKernels {
  // A task is `row` places of y.
  using Forward = void (*)(const GridPlan*, int64_t task, const void* x, const void* grid, void* y);
  // A task is an image and a block of its channels.
  using Scatter = void (*)(const GridPlan*, int64_t task, const void* grid, const void* grad_y,
                           void* grad_x);
  // A task is `row` places of y.
  using Slopes = void (*)(const GridPlan*, int64_t task, const void* x, const void* grid,
                          const void* grad_y, void* grad_grid);
  Forward forward[3];  // nearest, bilinear, bicubic
  Scatter scatter[3];
  Slopes slopes[3];
};

enum { GRID_CHANNELS = 64 };  // of a block

TCN_TABLE(GridKernels, grid_kernels)
