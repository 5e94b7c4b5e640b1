// Local response normalisation of rows (M, C): y = x / d^beta, d = k + alpha * sum of x^2 over
// channels c - before, ..., c + after. Here alpha is already divided by the window's size.
#pragma once
#include "isa.hh"

// How d^beta is found. Logarithms need numbers above 0, which k > 0 and alpha >= 0 give; what is
// left goes through the C library, number by number.
enum LocalResponsePower { THREE_QUARTERS, HALF, WHOLE, LOGARITHM, LIBRARY };

struct LocalResponse {
  int64_t rows, c;
  int64_t before, after;  // each below c
  double alpha, beta, k;
  int power;
};

// Rows [from, to); scratch holds as many bytes as `scratch` says.
struct LocalResponseKernels {
  int64_t (*scratch)(const LocalResponse*);
  void (*forward)(const LocalResponse*, int64_t from, int64_t to, const void* x, void* y,
                  void* scratch);
  void (*backward)(const LocalResponse*, int64_t from, int64_t to, const void* x,
                   const void* grad_y, void* grad_x, void* scratch);
};

TCN_TABLE(LocalResponseKernels, local_response_kernels)
