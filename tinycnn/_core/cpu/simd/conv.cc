// The convolution kernels of one instruction set, for float and double.
#include "conv_weight.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                             \
  {                                                                                            \
    packed_size<T>, panels<T>, pack<T>, tasks<T>, task_scratch<T>, gather<T>, weight_tasks<T>, \
        weight_scratch<T>, weight_partial<T>, weight_gather<T>, weight_finish<T>, sum_rows<T>, \
        sum_partials<T>                                                                        \
  }

extern const ConvKernels conv_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA
