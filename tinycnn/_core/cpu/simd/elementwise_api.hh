// Operations on flat memory: one signature for all. Forward: a = x, b unused, out = y. Backward:
// a = x or y, b = grad_y, out = grad_x, as reference/elementwise.py says, which also explains the
// settings. And the sum out = a + b. `out` may be a or b.
#pragma once
#include "isa.hh"

constexpr int MOST_SETTINGS = 3;

using ElementwiseKernel = void (*)(const void* a, const void* b, void* out, const double* settings,
                                   int64_t count);

struct Activation {
  const char* name;
  ElementwiseKernel forward, backward;
  int forward_cost, backward_cost;  // of a number; a comparison costs 1
};

struct ElementwiseKernels {
  const Activation* activations;
  int count;  // of activations
  ElementwiseKernel sum;
};

TCN_TABLE(ElementwiseKernels, elementwise_kernels)
