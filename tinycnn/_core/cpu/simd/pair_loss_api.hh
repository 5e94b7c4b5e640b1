// Losses of pairs: what a kernel is told. x and target have one shape and layout, as in
// reference/pair_loss.py.
#pragma once
#include "isa.hh"

enum PairKind {
  MSE,
  L1,
  BCE,
  BCE_LOGITS,
  SMOOTH_L1,
  HUBER,
  KL,
  KL_LOG,
  POISSON,
  SOFT_MARGIN,
  EMBEDDING,
  PAIR_KINDS
};

// weight and settings are of x's shape, or null: then all have the weight 1, or the same setting.
struct PairLoss {
  const void *x, *target, *weight, *settings;
  double setting;
};

struct PairLossKernels {
  // Elements `from` to `from + count`; losses may be null. *sum is theirs; 0 if one is out of
  // range.
  int (*pair[PAIR_KINDS])(const PairLoss*, void* losses, double* sum, int64_t from, int64_t count);
  void (*pair_backward[PAIR_KINDS])(const PairLoss*, const void* gain, int64_t gain_stride,
                                    double divisor, void* grad_x, void* grad_target, int64_t from,
                                    int64_t count);

  double (*sum)(const void* numbers, int64_t count);  // in one fixed order
};

TCN_TABLE(PairLossKernels, pair_loss_kernels)
