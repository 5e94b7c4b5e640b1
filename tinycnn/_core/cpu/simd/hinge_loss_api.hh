// Hinge losses of classes: what a kernel is told. Rows are (M, C), C-contiguous, as in
// reference/hinge_loss.py.
#pragma once
#include "isa.hh"

struct MultiMargin {
  int64_t rows, classes;
  const int64_t* target;
  const void* weight;  // (C,) or null
  int squared;         // p = 2
  double margin;
};

// Rows `from` to `from + count`. gain is what each row's gradient is multiplied with: one number, or
// one for each row (stride 1).
struct HingeLossKernels {
  void (*multi_margin)(const MultiMargin*, const void* x, void* losses, int64_t from,
                       int64_t count);
  void (*multi_margin_backward)(const MultiMargin*, const void* x, const void* gain,
                                int64_t gain_stride, double divisor, void* grad_x, int64_t from,
                                int64_t count);

  // target (M, C): classes up to the first -1.
  void (*multilabel_margin)(const void* x, const int64_t* target, int64_t classes, void* losses,
                            void* counts, int64_t from, int64_t count);
  void (*multilabel_margin_backward)(const void* x, const void* counts, int64_t classes,
                                     const void* gain, int64_t gain_stride, double divisor,
                                     void* grad_x, int64_t from, int64_t count);

  double (*sum)(const void* numbers, int64_t count);  // in one fixed order
};

TCN_TABLE(HingeLossKernels, hinge_loss_kernels)

// The first of `rows` rows with a class that is not from `least` to classes - 1, -1 if there is
// none.
TCN_INLINE int64_t first_bad_row(const int64_t* target, int64_t rows, int64_t width, int64_t least,
                                 int64_t classes) {
  for (int64_t i = 0; i < rows * width; ++i)
    if (target[i] < least || target[i] >= classes) return i / width;
  return -1;
}
