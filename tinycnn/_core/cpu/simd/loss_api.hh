// Softmax and class losses: what a kernel is told. Rows are (M, C), C-contiguous, as in
// reference/loss.py.
#pragma once
#include "isa.hh"

// Cross entropy and negative log likelihood of class indices.
struct ClassLoss {
  int64_t rows, classes;
  const int64_t* target;
  const void* weight;  // (C,) or null
  int64_t ignore_index;
  double smoothing;
};

// Cross entropy with class probabilities.
struct SoftLoss {
  int64_t rows, classes;
  const void* target;  // (M, C)
  const void* weight;  // (C,) or null
  double smoothing;
};

// Rows `from` to `from + count`. statistics is (M, 2): largest score, log of the sum of exp.
// gain is what each row's gradient is multiplied with: one number, or one for each row (stride 1).
struct LossKernels {
  void (*softmax)(const void* x, void* y, int64_t classes, int64_t from, int64_t count);
  void (*softmax_backward)(const void* y, const void* grad_y, void* grad_x, int64_t classes,
                           int64_t from, int64_t count);
  void (*log_softmax)(const void* x, void* y, int64_t classes, int64_t from, int64_t count);
  void (*log_softmax_backward)(const void* y, const void* grad_y, void* grad_x, int64_t classes,
                               int64_t from, int64_t count);

  // The first row whose label is out of range, -1 if there is none; total = sum of w[target].
  int64_t (*check)(const ClassLoss*, double* total);
  void (*cross_entropy)(const ClassLoss*, const void* x, void* losses, void* statistics,
                        int64_t from, int64_t count);
  void (*cross_entropy_backward)(const ClassLoss*, const void* x, const void* statistics,
                                 const void* gain, int64_t gain_stride, double divisor,
                                 void* grad_x, int64_t from, int64_t count);
  void (*soft_cross_entropy)(const SoftLoss*, const void* x, void* losses, void* statistics,
                             int64_t from, int64_t count);
  void (*soft_cross_entropy_backward)(const SoftLoss*, const void* x, const void* statistics,
                                      const void* gain, int64_t gain_stride, double divisor,
                                      void* grad_x, void* grad_target, int64_t from, int64_t count);

  double (*sum)(const void* numbers, int64_t count);  // in one fixed order
};

TCN_TABLE(LossKernels, loss_kernels)
