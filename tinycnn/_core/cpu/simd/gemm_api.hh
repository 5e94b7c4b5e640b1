// Matrix product C (M, N) = A (M, K) B (K, N) + bias. Sizes only; the same for every number type.
#pragma once
#include "isa.hh"

struct Gemm {
  int64_t m, n, k;
  int64_t a_row, a_k;  // strides in numbers; one of a_row, a_k is 1
  int64_t b_k, b_n;    // one of b_k, b_n is 1; C is contiguous
};

struct GemmKernels {
  int64_t (*packed_size)(const Gemm*);   // numbers
  int64_t (*first_packed)(const Gemm*);  // panels before this one are read where they lie
  int64_t (*panels)(const Gemm*);
  void (*pack)(const Gemm*, int64_t panel, const void* b, void* packed);
  int64_t (*tasks)(const Gemm*);
  int64_t (*task_scratch)(const Gemm*);  // numbers
  void (*multiply)(const Gemm*, int64_t task, const void* a, const void* b, const void* packed,
                   const void* bias, void* c, void* scratch);
};

TCN_TABLE(GemmKernels, gemm_kernels)
