// Winograd's convolution for one instruction set, for float and double.
#include "winograd_weight.hh"

namespace TCN_ISA {

#define KERNELS(T) \
  { winograd_plan<T>, winograd_packed_size<T>, winograd_scratch<T>, winograd_pack<T>, \
  winograd_tile<T>, winograd_weight_plan<T>, winograd_weight_seen<T>, \
  winograd_weight_partial<T>, winograd_weight_scratch<T>, winograd_weight_see<T>, \
  winograd_weight_sum<T>, winograd_weight_finish<T> }

extern const WinogradKernels winograd_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA
