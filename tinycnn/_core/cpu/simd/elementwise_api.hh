// Activation functions: one signature for all. Forward: a = x, b unused, out = y. Backward: a = y
// or x, b = grad_y, out = grad_x, as reference/elementwise.py says. `setting` is slope or alpha.
// And the sum out = a + b. `out` may be a or b.
#pragma once
#include "isa.hh"

enum ElementwiseOperation {
  RELU_FORWARD,
  RELU_BACKWARD,
  LEAKY_RELU_FORWARD,
  LEAKY_RELU_BACKWARD,
  ELU_FORWARD,
  ELU_BACKWARD,
  SIGMOID_FORWARD,
  SIGMOID_BACKWARD,
  TANH_FORWARD,
  TANH_BACKWARD,
  SUM,
  ELEMENTWISE_OPERATIONS
};

struct ElementwiseKernels {
  using Kernel = void (*)(const void* a, const void* b, void* out, double setting, int64_t count);
  Kernel operation[ELEMENTWISE_OPERATIONS];
};

TCN_TABLE(ElementwiseKernels, elementwise_kernels)
