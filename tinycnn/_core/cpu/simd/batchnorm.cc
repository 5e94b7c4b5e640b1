// The batch norm kernels of one instruction set, for float and double.
#include "batchnorm_backward.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                                 \
  {                                                                                                \
    norm_statistics<T>, norm_merge_statistics<T>, norm_tile_apply<T>, norm_apply<T>, norm_sums<T>, \
        norm_merge_sums<T>, norm_tile_gradient<T>, norm_gradient<T>                                \
  }

extern const NormKernels norm_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA
