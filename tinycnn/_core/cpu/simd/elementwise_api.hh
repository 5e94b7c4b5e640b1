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

// Rows of x (R, 2, length): numbers column..column + columns of both halves of `rows` rows from
// `row` on. Forward: out = y (R, length), grad_y unused. Backward: out = grad_x, like x.
struct GluPart {
  int64_t length, row, rows, column, columns;
};
using GluKernel = void (*)(const GluPart*, const void* x, const void* grad_y, void* out);

struct ElementwiseKernels {
  const Activation* activations;
  int count;  // of activations
  ElementwiseKernel sum;
  GluKernel glu_forward, glu_backward;
};

TCN_TABLE(ElementwiseKernels, elementwise_kernels)
