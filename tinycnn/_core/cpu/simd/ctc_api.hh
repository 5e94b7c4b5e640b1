// Connectionist temporal classification: what a kernel is told. As in reference/ctc.py.
#pragma once
#include "isa.hh"

struct Ctc {
  int64_t steps, images, classes;  // of log_probs (T, N, C)
  int64_t positions;               // 2 S + 1, of a row of log_alpha (N, T, 2 S + 1)
  const int64_t *targets, *starts, *input_lengths, *target_lengths;
  int64_t blank;
  const void* log_probs;
};

struct CtcKernels {
  // Bytes of memory that one image needs beside its arrays.
  int64_t (*memory)(const Ctc*);

  // Image n.
  void (*forward)(const Ctc*, int64_t n, void* memory, void* log_alpha, void* losses);
  void (*backward)(const Ctc*, int64_t n, void* memory, const void* log_alpha, const void* losses,
                   int zero_infinity, const void* grad_losses, void* grad);
};

TCN_TABLE(CtcKernels, ctc_kernels)

// The first image with a label that is none of the other classes than blank, -1 if there is none.
TCN_INLINE int64_t ctc_check(const Ctc* s) {
  for (int64_t n = 0; n < s->images; ++n)
    for (int64_t i = 0; i < s->target_lengths[n]; ++i) {
      const int64_t label = s->targets[s->starts[n] + i];
      if (label < 0 || label >= s->classes || label == s->blank) return n;
    }
  return -1;
}
