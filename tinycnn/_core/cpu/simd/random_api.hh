// Philox 4x32-10: what reference/random.py says. Every element is a function of (seed, position),
// so a call may fill any part of an array.
#pragma once
#include "isa.hh"

struct RandomKernels {
  // out[i] = uniform number of position offset + i
  void (*uniform)(uint64_t seed, uint64_t offset, void* out, int64_t count);
  // y[i] = x[i] * scale where the word of position offset + i is at least threshold, else x[i] * 0
  void (*dropout)(uint64_t seed, uint64_t offset, uint32_t threshold, double scale, const void* x,
                  void* y, int64_t count);
};

TCN_TABLE(RandomKernels, random_kernels)
