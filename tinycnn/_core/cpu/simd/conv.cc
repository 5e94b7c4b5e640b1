// The convolution kernels of one instruction set, for float and double.
#include "conv_weight.hh"
#include "scatter.hh"

namespace TCN_ISA {

#define KERNELS(T) \
  { name<T>, packed_size<T>, panels<T>, pack<T>, tasks<T>, task_scratch<T>, gather<T>, \
  weight_tasks<T>, weight_scratch<T>, weight_partial<T>, weight_gather<T>, \
  weight_finish<T>, scatters<T>, scatter_panels<T>, scatter_packed_size<T>, \
  scatter_scratch<T>, scatter_pack<T>, scatter<T>, sum_rows<T>, sum_partials<T> }

extern const ConvKernels conv_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA
