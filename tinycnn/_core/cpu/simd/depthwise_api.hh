// Depthwise convolution in patches (depthwise.hh): every channel has a window of its own.
#pragma once
#include "conv_api.hh"

// Each gather is that of the forward pass. Maps are cut into strips, rows of patches; a part is a
// number of strips, one after the other.
struct DepthwiseKernels {
  int64_t (*fits)(const Gather*);
  int64_t (*packed_size)(const Gather*);  // numbers
  void (*pack)(const Gather*, const void* weight, void* packed);
  int64_t (*strips)(const Gather*);
  void (*forward)(const Gather*, int64_t from, int64_t to, const void* x, const void* packed,
                  const void* bias, void* y);
  int64_t (*backward_strips)(const Gather*);
  // Both gradients, or the one whose memory is not null; partial is this part's packed_size.
  void (*backward)(const Gather*, int64_t from, int64_t to, const void* x, const void* grad_y,
                   const void* packed, const void* bias, void* grad_x, void* partial);
  void (*finish)(const Gather*, int64_t parts, const void* partial, void* grad_weight);
};

TCN_TABLE(DepthwiseKernels, depthwise_kernels)
