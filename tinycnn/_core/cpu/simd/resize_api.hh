// Resizing: what a kernel is told. A task is one row of y, written by one thread and summed in one
// order for any number of threads. A gradient is the same kernel with the tables transposed.
#pragma once
#include "isa.hh"

// One axis, see reference/resize_table.py: place i of y is the sum over spans[2 i] <= p <
// spans[2 i + 1] of weights[most * i + p - spans[2 i]] times pixel p of x.
struct ResizeTable {
  int64_t size, out, most;
  const int32_t* spans;
  const void* weights;
};

struct ResizePlan {
  ResizeTable axis[3];  // D, H, W
  int64_t images, c;
};

struct ResizeKernels {
  int64_t (*scratch)(const ResizePlan*);  // bytes that a row needs
  void (*row)(const ResizePlan*, int64_t row, const void* x, void* y, void* scratch);
};

TCN_TABLE(ResizeKernels, resize_kernels)
