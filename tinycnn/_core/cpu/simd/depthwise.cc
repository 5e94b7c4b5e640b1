// Depthwise convolution for one instruction set, for float and double.
#include "depthwise.hh"

namespace TCN_ISA {

#define KERNELS(T) \
  { depthwise_fits<T>, depthwise_packed_size<T>, depthwise_pack<T>, depthwise_strips<T>, \
  depthwise_forward<T>, depthwise_backward_strips<T>, depthwise_backward<T>, depthwise_finish<T> }

extern const DepthwiseKernels depthwise_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA
